/* fold: what does not depend on data leaves the kernels. Literal inputs go into the expression; sub-expressions of the step, the
 * learning-rate scale and the row count (Adam's bias corrections) become uniforms, computed once a call in double. What is divided by
 * such a sub-expression is multiplied by its reciprocal: a division takes as long as a dozen products. In a chain of products and quotients what
 * depends on no data is one factor, the first: 0.001 * (u * m / d) is (0.001 * u) * (m / d), one uniform and what a sum around it can take as
 * a multiply-add. */
#include "ops/build.h"
#include "pass/pass.h"

typedef enum Class { CLASS_LITERAL, CLASS_UNIFORM, CLASS_DATA } Class;

typedef struct Item {
    Sx x;
    Class class;
} Item;

typedef struct Hoist {
    Arena *arena;
    const SxPool *sx;
    const bool *uniform;      /* by argument */
    VEC(Item) item;
    VEC(Sx) hoist;            /* the largest uniform sub-expressions */
    VEC(Sx) quotient;         /* of data by a uniform, operands first */
} Hoist;

static Class class_of(const Hoist *fold, Sx x)
{
    for (uint32_t i = fold->item.n; i-- > 0;)
        if (fold->item.at[i].x == x)
            return fold->item.at[i].class;
    ACT_BUG("an operand was not visited before its use");
}

static void add_hoist(Hoist *fold, Sx x)
{
    for (uint32_t i = 0; i < fold->hoist.n; i++)
        if (fold->hoist.at[i] == x)
            return;
    *vec_push(fold->arena, &fold->hoist) = x;
}

static void visit(void *context, Sx x, const SxNode *node)
{
    Hoist *fold = context;
    Class class = CLASS_LITERAL;
    if (node->op == SX_ARG)
        class = fold->uniform[node->index] ? CLASS_UNIFORM : CLASS_DATA;
    unsigned arity = sx_op_arity(node->op);
    for (unsigned i = 0; i < arity; i++)
        class = class_of(fold, node->in[i]) > class ? class_of(fold, node->in[i]) : class;
    for (unsigned i = 0; i < arity && class == CLASS_DATA; i++)
        if (class_of(fold, node->in[i]) == CLASS_UNIFORM)
            add_hoist(fold, node->in[i]);
    if (node->op == SX_DIV && class == CLASS_DATA && class_of(fold, node->in[1]) == CLASS_UNIFORM)
        *vec_push(fold->arena, &fold->quotient) = x;
    *vec_push(fold->arena, &fold->item) = (Item){x, class};
}

/* x / u = x * (1 / u) for every uniform u, the outermost first: the parts of what is replaced are then still what they were. */
static Sx by_reciprocals(PassState *state, SxPool *sx, Sx f, const bool *uniform)
{
    Hoist fold = {.arena = state->arena, .sx = sx, .uniform = uniform};
    sx_walk(sx, f, visit, &fold);
    for (uint32_t i = fold.quotient.n; i-- > 0;) {
        const SxNode *node = sx_node(sx, fold.quotient.at[i]);
        f = sx_replace(sx, f, fold.quotient.at[i], sx_mul(sx, node->in[0], sx_div(sx, sx_num(sx, 1), node->in[1])));
    }
    return f;
}

/* A number or uniform may have been given axes of size one. */
static const Node *behind_views(const Graph *g, NodeId id)
{
    while (graph_node(g, id)->op->kind == OP_VIEW && type_elements(graph_type(g, id)) == 1)
        id = graph_node(g, id)->in[0];
    return graph_node(g, id);
}

/* A copy of a map whose literal inputs are literals and whose uniform parts are uniform nodes. */
static NodeId fold_map(PassState *state, Graph *g, const Node *node, const NodeId *map)
{
    if (node->op->kind != OP_MAP)
        return 0;
    SxPool *sx = g->sx;
    NodeId in[64];
    Sx to[64], inner[64];
    bool uniform[64] = {false};
    uint64_t uniforms = 0;
    uint32_t n = node->n_in;
    for (uint32_t i = 0; i < n; i++) {
        double number;
        in[i] = map[node->in[i]];
        const Node *input = behind_views(g, in[i]);
        to[i] = build_is_number(input, &number) ? sx_num(sx, number) : 0;
        inner[i] = 0;
        uniform[i] = build_is_uniform(input, &inner[i]);
        uniforms |= (uint64_t)uniform[i] << i;
    }
    Sx f = by_reciprocals(state, sx, sx_simplify(sx, sx_substitute(sx, build_fn(node), to, n)), uniform);
    f = uniforms ? sx_factor(sx, f, uniforms) : f;
    Hoist fold = {.arena = state->arena, .sx = sx, .uniform = uniform};
    sx_walk(sx, f, visit, &fold);
    double number;
    bool scalar = type_elements(&node->type) == 1 && !node->type.batch;
    if (scalar && sx_is_num(sx, f, &number))
        return build_reshape(g, build_number(g, number), node->type.rank, node->type.dim);
    if (scalar && class_of(&fold, f) == CLASS_UNIFORM)
        return build_reshape(g, build_uniform(g, sx_substitute(sx, f, inner, n)), node->type.rank, node->type.dim);
    if (class_of(&fold, f) == CLASS_UNIFORM)
        add_hoist(&fold, f);
    for (uint32_t i = 0; i < fold.hoist.n && n < 62; i++) {
        unsigned index;
        if (sx_is_arg(sx, fold.hoist.at[i], &index))
            continue;
        in[n] = build_uniform(g, sx_substitute(sx, fold.hoist.at[i], inner, node->n_in));
        f = sx_replace(sx, f, fold.hoist.at[i], sx_arg(sx, n));
        n++;
    }
    return build_map(g, f, in, n);
}

static void run(PassState *state) { pass_rewrite(state, fold_map); }

const Pass pass_fold = {
    .name = "fold",
    .doc = "Put literals into expressions and compute once a call what depends on no data.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL,
    .run = run,
};
