/* simplify: each input of a map once and only if it is read; maps that only pass a value on, and views of views, disappear.
 * share: equal nodes become one.   prune: nodes that no root needs are left behind. */
#include "ops/build.h"
#include "pass/pass.h"

/* ── simplify ── */

/* Does the map keep its shape without input `skip`? */
static bool shape_without(const Graph *g, const NodeId *in, uint32_t n, uint32_t skip, const Type *type)
{
    bool any = false;
    Type rest = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (i == skip)
            continue;
        if (!any)
            rest = *graph_type(g, in[i]);
        else
            type_broadcast(&rest, graph_type(g, in[i]), &rest);
        any = true;
    }
    return any && type_same_shape(&rest, type);
}

static NodeId simplify_map(Graph *g, const Node *node, const NodeId *map)
{
    SxPool *sx = g->sx;
    NodeId in[64];
    Sx to[64] = {0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < node->n_in; i++) {
        uint32_t k = 0;
        while (k < n && in[k] != map[node->in[i]])
            k++;
        in[k] = map[node->in[i]];
        n = k == n ? n + 1 : n;
        to[i] = sx_arg(sx, k);
    }
    Sx f = sx_simplify(sx, sx_substitute(sx, build_fn(node), to, node->n_in));
    for (uint32_t i = n; i-- > 0 && n > 1;) {
        if (sx_uses_arg(sx, f, i) || !shape_without(g, in, n, i, &node->type))
            continue;
        for (uint32_t k = 0; k < n; k++)
            to[k] = k == i ? 0 : sx_arg(sx, k > i ? k - 1 : k);
        f = sx_substitute(sx, f, to, n);
        for (uint32_t k = i; k + 1 < n; k++)
            in[k] = in[k + 1];
        n--;
    }
    unsigned index;
    if (sx_is_arg(sx, f, &index) && type_equal(graph_type(g, in[index]), &node->type))
        return in[index]; /* f(x) = x */
    return build_map(g, f, in, n);
}

static NodeId simplify_view(Graph *g, const Node *node, NodeId in)
{
    while (graph_node(g, in)->op->kind == OP_VIEW)
        in = graph_node(g, in)->in[0];
    return build_reshape(g, in, node->type.rank, node->type.dim);
}

static NodeId simplified(PassState *state, Graph *g, const Node *node, const NodeId *map)
{
    (void)state;
    if (node->op->kind == OP_MAP)
        return simplify_map(g, node, map);
    return node->op->kind == OP_VIEW ? simplify_view(g, node, map[node->in[0]]) : 0;
}

static void simplify_run(PassState *state) { pass_rewrite(state, simplified); }

/* ── share ── */

static bool attr_equal(const Op *op, const AttrValue *a, const AttrValue *b)
{
    for (uint32_t i = 0; i < op->n_attr; i++)
        switch (op->attr[i].kind) {
        case ATTR_INT:
            if (a[i].i != b[i].i)
                return false;
            break;
        case ATTR_REAL:
            if (!(a[i].f == b[i].f))
                return false;
            break;
        case ATTR_SX:
            if (a[i].sx != b[i].sx)
                return false;
            break;
        case ATTR_STR:
            if (!str_eq(a[i].s, b[i].s))
                return false;
            break;
        case ATTR_DIMS:
            if (a[i].dims.n != b[i].dims.n)
                return false;
            for (uint32_t k = 0; k < a[i].dims.n; k++)
                if (a[i].dims.at[k] != b[i].dims.at[k])
                    return false;
            break;
        }
    return true;
}

static bool node_equal(const Graph *g, const Node *a, NodeId other, const NodeId *map)
{
    const Node *b = graph_node(g, other);
    if (a->op != b->op || a->n_in != b->n_in || !type_equal(&a->type, &b->type))
        return false;
    for (uint32_t i = 0; i < a->n_in; i++)
        if (map[a->in[i]] != b->in[i])
            return false;
    return attr_equal(a->op, a->attr, b->attr);
}

static uint32_t node_hash(const Node *node, const NodeId *map)
{
    uint64_t h = str_hash(str_of(node->op->name));
    for (uint32_t i = 0; i < node->n_in; i++)
        h = (h ^ map[node->in[i]]) * 0x100000001b3u;
    if (node->op->n_attr > 0 && node->op->attr[0].kind == ATTR_INT)
        h = (h ^ (uint64_t)node->attr[0].i) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

static void share_run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    uint32_t size = 16;
    while (size < 2 * from->nodes.n)
        size *= 2;
    NodeId *slot = arena_array(state->arena, NodeId, size);
    for (NodeId id = 1; id < from->nodes.n; id++) {
        const Node *node = graph_node(from, id);
        uint32_t at = node_hash(node, map) & (size - 1);
        while (slot[at] != 0 && !node_equal(g, node, slot[at], map))
            at = (at + 1) & (size - 1);
        if (slot[at] == 0)
            slot[at] = graph_copy_node(g, from, id, map);
        map[id] = slot[at];
    }
    pass_copy_roots(g, from, map);
    state->g = g;
}

/* ── prune ── */

static void prune_run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    bool *needed = arena_array(state->arena, bool, from->nodes.n);
    for (uint32_t i = 0; i < from->roots.n; i++)
        needed[from->roots.at[i].node] = true;
    for (NodeId id = from->nodes.n; id-- > 1;)
        for (uint32_t i = 0; needed[id] && i < graph_node(from, id)->n_in; i++)
            needed[graph_node(from, id)->in[i]] = true;
    for (NodeId id = 1; id < from->nodes.n; id++)
        if (needed[id])
            map[id] = graph_copy_node(g, from, id, map);
    pass_copy_roots(g, from, map);
    state->g = g;
}

#define KEEPS_ALL (FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL)

const Pass pass_simplify = {
    .name = "simplify",
    .doc = "Drop maps that pass a value on, unread inputs, views of views; shorten expressions.",
    .needs = FACT_TYPED,
    .keeps = KEEPS_ALL,
    .run = simplify_run,
};

const Pass pass_share = {
    .name = "share",
    .doc = "Compute equal nodes once (common subexpressions).",
    .needs = FACT_TYPED,
    .keeps = KEEPS_ALL,
    .run = share_run,
};

const Pass pass_prune = {
    .name = "prune",
    .doc = "Leave out what no root needs (dead code).",
    .needs = FACT_TYPED,
    .keeps = KEEPS_ALL,
    .run = prune_run,
};
