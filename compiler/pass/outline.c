/* outline: bounded functions inside a map become values of their own.
 *
 *   c = sigmoid(i) tanh(g) + sigmoid(f) c'           s = sigmoid(i), t = tanh(g), u = sigmoid(f), c = s t + u c'
 *
 * The slopes of sigmoid and tanh are made from what they give: s (1 - s), 1 - t^2. As values of their own the gates of a recurrent layer are kept
 * for the way back instead of what they were made of, and not computed there again. What else reads the argument keeps it in any
 * case (x sigmoid(x)): there nothing is gained. */
#include "ops/build.h"
#include "pass/pass.h"

typedef struct Outline {
    Graph *g;
    Sx f;          /* the map's expression, */
    NodeId in[64]; /* what it reads, */
    uint32_t n;
    Type type;     /* and its type */
    Sx found;      /* a bounded function inside f that can be taken out; 0: none */
} Outline;

/* Without x, does f need none of what x reads? */
static bool frees_all(const Outline *o, Sx x)
{
    SxPool *sx = o->g->sx;
    Sx without = sx_replace(sx, o->f, x, sx_arg(sx, o->n));
    return !(sx_args_used(sx, without) & sx_args_used(sx, x));
}

/* Is the value of x as large as that of the map? */
static bool is_full(const Outline *o, Sx x)
{
    Type type = {0};
    bool first = true;
    for (uint32_t i = 0; i < o->n; i++) {
        if (!sx_uses_arg(o->g->sx, x, i))
            continue;
        const Type *in = graph_type(o->g, o->in[i]);
        if (first)
            type = *in;
        else if (!type_broadcast(&type, in, &type))
            return false;
        first = false;
    }
    return !first && type_same_shape(&type, &o->type);
}

static void visit(void *context, Sx node, const SxNode *what)
{
    Outline *o = context;
    if (o->found == 0 && node != o->f && (what->op == SX_SIGMOID || what->op == SX_TANH) && is_full(o, node) && frees_all(o, node))
        o->found = node;
}

/* x as a map of what it reads. */
static NodeId as_map(const Outline *o, Sx x)
{
    SxPool *sx = o->g->sx;
    NodeId in[64];
    Sx to[64] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        if (!sx_uses_arg(sx, x, i))
            continue;
        to[i] = sx_arg(sx, n);
        in[n++] = o->in[i];
    }
    return build_map(o->g, sx_substitute(sx, x, to, o->n), in, n);
}

static NodeId outlined(PassState *state, Graph *g, const Node *node, const NodeId *map)
{
    (void)state;
    if (node->op->kind != OP_MAP)
        return 0;
    Outline o = {.g = g, .f = build_fn(node), .n = node->n_in, .type = node->type};
    for (uint32_t i = 0; i < o.n; i++)
        o.in[i] = map[node->in[i]];
    while (o.n < 64) { /* innermost first: what is taken out is an input of the rest */
        o.found = 0;
        sx_walk(g->sx, o.f, visit, &o);
        if (o.found == 0)
            break;
        NodeId value = as_map(&o, o.found);
        o.f = sx_replace(g->sx, o.f, o.found, sx_arg(g->sx, o.n));
        o.in[o.n++] = value;
    }
    return o.n == node->n_in ? 0 : as_map(&o, o.f);
}

static void run(PassState *state) { pass_rewrite(state, outlined); }

const Pass pass_outline = {
    .name = "outline",
    .doc = "Sigmoids and tanhs inside larger expressions become values, from which their slopes are made.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED,
    .run = run,
};
