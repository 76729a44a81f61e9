/* layout: where matrices lie. A weight that is the right side of a product lives in panels as wide as the register tile, so that the
 * micro-kernel streams it. The input gradient reads the same panels: it turns each block on the way (llvm/pack.c). Where many products
 * turn the same weight, each step of a recurrent layer on its way back, it is turned once, before them all.
 *
 * Tensors whose layout another program of the same model has already decided keep it: all programs share the parameters. */
#include "ops/build.h"
#include "pass/access.h"
#include "pass/pass.h"

uint32_t layout_panel(const Target *target, uint64_t cols)
{
    static const uint32_t order[] = {2, 3, 4, 1};
    uint32_t best = 0;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        uint32_t vectors = order[i], width = vectors * target->lanes;
        if (vectors > target->tile_vectors + (target->registers >= 32 ? 2 : 0))
            continue;
        uint64_t padded = (cols + width - 1) / width * width;
        if (padded < least) {
            least = padded;
            best = width;
        }
    }
    return best;
}

static void to_panels(const PassState *state, Tensor *tensor)
{
    if (tensor->panel != 0 || tensor->rows_only || tensor->type.rank < 2)
        return;
    tensor->layout = LAYOUT_PANELS;
    tensor->panel = layout_panel(state->target, type_last(&tensor->type));
}

void layout_mark_rows(Graph *g, const Graph *uses)
{
    for (NodeId id = 1; id < uses->nodes.n; id++) {
        const Node *node = graph_node(uses, id);
        for (uint32_t i = 0; i < node->n_in; i++) {
            uint32_t tensor;
            if (access_wants_rows(uses, node, i) &&
                build_is_tensor(graph_node(uses, node->in[i]), &tensor) && !g->tensors.at[tensor].type.batch)
                g->tensors.at[tensor].rows_only = true;
        }
    }
}

/* By tensor: the last node that reads its old value, in place or as a view. */
static NodeId *last_readers(Arena *arena, const Graph *g)
{
    NodeId *last = arena_array(arena, NodeId, g->tensors.n + 1);
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; i < graph_node(g, id)->n_in; i++) {
            NodeId in = graph_node(g, id)->in[i];
            while (graph_node(g, in)->n_in == 1 && (graph_node(g, in)->op->kind == OP_VIEW || graph_node(g, in)->op->kind == OP_MOVE))
                in = graph_node(g, in)->in[0];
            uint32_t tensor;
            if (build_is_tensor(graph_node(g, in), &tensor))
                last[tensor] = id;
        }
    return last;
}

/* Every root gets memory of its own: a root that is a leaf, a view of one, or another root's value is copied. So is a movement that
 * is to become a parameter, which may lie in panels; and what overwrites a tensor that a later node reads. A copy at the end may be
 * computed with its value or, where that would go in circles (each of two products reads what the other's kernel overwrites), behind
 * all of them. */
static NodeId own_root(Graph *g, const Root *root, const NodeId *last, bool *taken)
{
    NodeId at = root->node;
    while (graph_node(g, at)->op->kind == OP_VIEW)
        at = graph_node(g, at)->in[0];
    bool moved = root->kind == ROOT_UPDATE &&
                 (at != root->node || graph_node(g, at)->op->kind == OP_MOVE || last[root->index] > root->node);
    if (graph_node(g, at)->op->kind != OP_LEAF && !taken[at] && !moved) {
        taken[at] = true;
        return root->node;
    }
    return build_map(g, sx_arg(g->sx, 0), &root->node, 1);
}

/* ── weights turned once ── */

enum { TURNED_OFTEN = 4 }; /* products that turn the same weight: from here on a copy costs less than they do */

typedef struct Turn {
    uint32_t *count;  /* by tensor: plain products with its rows as columns */
    NodeId *turned;   /* by tensor: in the new graph, once it is needed */
} Turn;

static bool is_turned(const Graph *g, const Node *node, uint32_t *tensor)
{
    if (node->op->kind != OP_CONTRACT || !build_is_tensor(graph_node(g, node->in[1]), tensor))
        return false;
    Contract c = build_contract_of(node);
    return c.form == CONTRACT_NT && c.outer == 0 && c.depth == 1 && !c.each && g->tensors.at[*tensor].type.rank == 2 &&
           g->tensors.at[*tensor].role == ROLE_PARAM;
}

static Turn find_turns(const PassState *state, const Graph *g)
{
    Turn turn = {arena_array(state->arena, uint32_t, g->tensors.n + 1), arena_array(state->arena, NodeId, g->tensors.n + 1)};
    uint32_t tensor;
    for (NodeId id = 1; id < g->nodes.n; id++)
        if (is_turned(g, graph_node(g, id), &tensor))
            turn.count[tensor]++;
    return turn;
}

/* The same product with the weight turned; 0: it stays as it is. */
static NodeId with_turned(Graph *g, Turn *turn, const Node *node, const NodeId *map)
{
    uint32_t tensor;
    if (!build_is_tensor(graph_node(g, map[node->in[1]]), &tensor) || turn->count[tensor] < TURNED_OFTEN)
        return 0;
    uint32_t first = g->nodes.n;
    if (turn->turned[tensor] == 0)
        turn->turned[tensor] = build_permute(g, map[node->in[1]], 2, (int64_t[]){1, 0});
    NodeId product = build_contract(g, CONTRACT_NN, map[node->in[0]], turn->turned[tensor]);
    for (NodeId made = first; made <= product; made++) {
        Node *copy = graph_node(g, made);
        copy->span = node->span, copy->fn = node->fn, copy->layer = node->layer;
    }
    return product;
}

static void run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    layout_mark_rows(g, from);
    Turn turn = find_turns(state, from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    for (NodeId id = 1; id < from->nodes.n; id++) {
        const Node *node = graph_node(from, id);
        uint32_t tensor;
        if (node->op->kind == OP_CONTRACT && build_form(node) != CONTRACT_TN &&
            build_is_tensor(graph_node(from, node->in[1]), &tensor) && g->tensors.at[tensor].role == ROLE_PARAM)
            to_panels(state, &g->tensors.at[tensor]);
        map[id] = is_turned(from, node, &tensor) ? with_turned(g, &turn, node, map) : 0;
        if (map[id] == 0)
            map[id] = graph_copy_node(g, from, id, map);
    }
    /* state lies as its parameter does, so that an update is a walk over equal places */
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        Tensor *tensor = &g->tensors.at[t];
        if (tensor->role == ROLE_STATE && tensor->of != 0) {
            tensor->layout = g->tensors.at[tensor->of - 1].layout;
            tensor->panel = g->tensors.at[tensor->of - 1].panel;
        }
    }
    bool *taken = arena_array(state->arena, bool, g->nodes.n);
    const NodeId *last = last_readers(state->arena, g);
    for (uint32_t i = 0; i < from->roots.n; i++) {
        Root root = from->roots.at[i];
        root.node = map[root.node];
        graph_root_add(g, root.kind, own_root(g, &root, last, taken), root.index, root.name);
    }
    state->g = g;
}

const Pass pass_layout = {
    .name = "layout",
    .doc = "Give weights their panels, and every root memory of its own.",
    .needs = FACT_TYPED | FACT_CANONICAL,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL,
    .gives = FACT_LAYOUT,
    .run = run,
};
