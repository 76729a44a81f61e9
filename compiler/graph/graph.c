#include "graph/graph.h"

#include "graph/op.h"

Graph *graph_new(Arena *arena, SxPool *sx, Str name, uint32_t batch)
{
    Graph *g = arena_new_of(arena, Graph);
    g->arena = arena;
    g->sx = sx;
    g->name = str_copy(arena, name);
    g->batch = batch;
    (void)vec_push(arena, &g->nodes); /* number 0 is "none" */
    return g;
}

/* ── nodes ── */
static AttrValue *copy_attr(Graph *g, const Op *op, const AttrValue *attr)
{
    AttrValue *copy = arena_array(g->arena, AttrValue, op->n_attr ? op->n_attr : 1);
    for (uint32_t i = 0; attr && i < op->n_attr; i++) {
        copy[i] = attr[i];
        if (op->attr[i].kind == ATTR_STR)
            copy[i].s = str_copy(g->arena, attr[i].s);
    }
    return copy;
}

NodeId graph_try(Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const AttrValue *attr, Str *why)
{
    if (n_in < op->min_in || n_in > op->max_in) {
        *why = str_printf(g->arena, "`%s` takes %u to %u inputs, not %u", op->name, op->min_in, op->max_in, n_in);
        return 0;
    }
    for (uint32_t i = 0; i < n_in; i++) {
        if (in[i] == 0 || in[i] >= g->nodes.n) {
            *why = str_printf(g->arena, "input %u of `%s` is no node of this graph", i, op->name);
            return 0;
        }
    }
    Node node = {.op = op, .n_in = n_in};
    node.in = arena_array(g->arena, NodeId, n_in ? n_in : 1);
    for (uint32_t i = 0; i < n_in; i++)
        node.in[i] = in[i];
    node.attr = copy_attr(g, op, attr);
    const char *refusal = op->infer(g, &node, &node.type, g->arena);
    if (refusal) {
        *why = str_of(refusal);
        return 0;
    }
    *vec_push(g->arena, &g->nodes) = node;
    return g->nodes.n - 1;
}

NodeId graph_add(Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const AttrValue *attr)
{
    Str why = {0};
    NodeId id = graph_try(g, op, in, n_in, attr, &why);
    if (!id)
        ACT_BUG(str_c(g->arena, str_printf(g->arena, "%s: " STR_FMT, op->name, STR_ARG(why))));
    return id;
}

NodeId graph_copy_node(Graph *to, const Graph *from, NodeId id, const NodeId *map)
{
    ACT_ASSERT(to->sx == from->sx); /* handles of expressions are copied as they are */
    const Node *old = graph_node(from, id);
    NodeId *in = arena_array(to->arena, NodeId, old->n_in ? old->n_in : 1);
    for (uint32_t i = 0; i < old->n_in; i++) {
        in[i] = map[old->in[i]];
        ACT_ASSERT(in[i] > 0);
    }
    /* Read what comes along before adding: `to` may be `from`, whose nodes move when it grows. */
    Node keep = *old;
    NodeId copy = graph_add(to, keep.op, in, keep.n_in, keep.attr);
    Node *node = graph_node(to, copy);
    node->span = keep.span;
    node->name = keep.name;
    node->fn = keep.fn;
    node->layer = keep.layer;
    return copy;
}

Graph *graph_like(const Graph *g)
{
    Graph *copy = graph_new(g->arena, g->sx, g->name, g->batch);
    for (uint32_t i = 0; i < g->tensors.n; i++)
        *vec_push(copy->arena, &copy->tensors) = g->tensors.at[i];
    return copy;
}

/* ── tensors and roots ── */
static bool all_zero(const uint32_t *at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (at[i])
            return false;
    }
    return true;
}

/* A tensor left zero where it matters means the plain thing: axes in the file as inside, and no known range. */
uint32_t graph_tensor_add(Graph *g, const Tensor *tensor)
{
    uint32_t rank = tensor->type.rank;
    Tensor *copy = vec_push(g->arena, &g->tensors);
    *copy = *tensor;
    if (all_zero(tensor->file_axis, rank)) {
        for (uint32_t i = 0; i < rank; i++)
            copy->file_axis[i] = i;
    }
    if (copy->low == 0 && copy->high == 0)
        copy->low = 1;
    copy->name = str_copy(g->arena, tensor->name);
    return g->tensors.n - 1;
}

int graph_tensor_find(const Graph *g, Str name)
{
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        if (str_eq(g->tensors.at[i].name, name))
            return (int)i;
    }
    return -1;
}

void graph_root_add(Graph *g, RootKind kind, NodeId node, uint32_t index, Str name)
{
    ACT_ASSERT(node > 0 && node < g->nodes.n);
    Root *root = vec_push(g->arena, &g->roots);
    *root = (Root){kind, node, index, str_copy(g->arena, name)};
}

uint32_t *graph_uses(const Graph *g, Arena *arena)
{
    uint32_t *uses = arena_array(arena, uint32_t, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = &g->nodes.at[id];
        for (uint32_t i = 0; i < node->n_in; i++)
            uses[node->in[i]]++;
    }
    for (uint32_t i = 0; i < g->roots.n; i++)
        uses[g->roots.at[i].node]++;
    return uses;
}
