/* convolve: the overlapping sums of a product's windows become a convolution.
 *
 * The gradient of windows adds up what overlaps, and behind a product that is: every window's values are computed, stored, and added where
 * they belong. With stride 1 the same sums are a convolution of the gradient, padded, with the kernel flipped: nothing is stored but the
 * result, and of that only the part that is asked for (what lies in the padding of the forward pass is cut off). */
#include "ops/build.h"
#include "pass/pass.h"

typedef struct Convolve {
    const Graph *from;
    const uint32_t *uses;
    NodeId *user;      /* by node: the last that reads it */
} Convolve;

/* What of the sums is read: [start, stop) of each windowed axis. */
typedef struct Part {
    NodeId last;       /* the node whose value is replaced */
    int64_t start[TYPE_MAX_RANK], stop[TYPE_MAX_RANK];
} Part;

static bool matches(const Convolve *v, const Node *node, Window *w)
{
    if (!build_is_overlap_add(node, w) || v->uses[node->in[0]] != 1)
        return false;
    const Node *product = graph_node(v->from, node->in[0]);
    if (product->op->kind != OP_CONTRACT || build_form(product) != CONTRACT_NT || build_contract_of(product).depth != w->n + 1)
        return false;
    for (uint32_t i = 0; i < w->n; i++)
        if (w->stride[i] != 1)
            return false;
    return build_contract_of(product).outer == 0 && !build_contract_of(product).each &&
           graph_type(v->from, product->in[0])->rank == w->n + 1;
}

static Part part_of(const Convolve *v, NodeId sums, const Window *w)
{
    Part part = {.last = sums};
    for (uint32_t i = 0; i < w->n; i++)
        part.stop[i] = graph_type(v->from, sums)->dim[i];
    while (v->uses[part.last] == 1 && v->user[part.last] != 0) {
        uint32_t axis;
        int64_t start, stop;
        if (!build_is_slice(graph_node(v->from, v->user[part.last]), &axis, &start, &stop) || axis >= w->n)
            break;
        part.stop[axis] = part.start[axis] + stop;
        part.start[axis] += start;
        part.last = v->user[part.last];
    }
    return part;
}

/* The gradient with as many zeros around it as the kernel reaches over its edge, less what is cut off. */
static NodeId padded(Graph *g, NodeId dy, const Window *w, const Part *part, uint32_t axis)
{
    int64_t size = graph_type(g, dy)->dim[axis], reach = (int64_t)w->dilation[axis] * (w->kernel[axis] - 1);
    int64_t whole = size + reach, before = reach - part->start[axis], after = reach - (whole - part->stop[axis]);
    if (before < 0 || after < 0)
        dy = build_slice(g, dy, axis, before < 0 ? -before : 0, after < 0 ? size + after : size);
    return before > 0 || after > 0 ? build_pad(g, dy, axis, before > 0 ? before : 0, after > 0 ? after : 0) : dy;
}

static NodeId convolution(Graph *g, const Node *product, const NodeId *map, const Window *w, const Part *part)
{
    NodeId dy = map[product->in[0]];
    for (uint32_t i = 0; i < w->n; i++)
        dy = padded(g, dy, w, part, i);
    Contract c = {.form = CONTRACT_FLIPPED, .depth = w->n + 1};
    return build_product(g, c, build_window(g, dy, w), map[product->in[1]]);
}

static void run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n), *sums = arena_array(state->arena, NodeId, from->nodes.n);
    Convolve v = {from, graph_uses(from, state->arena), arena_array(state->arena, NodeId, from->nodes.n)};
    Part *part = arena_alloc(state->arena, sizeof *part * from->nodes.n);
    for (NodeId id = 1; id < from->nodes.n; id++)
        for (uint32_t i = 0; i < graph_node(from, id)->n_in; i++)
            v.user[graph_node(from, id)->in[i]] = id;
    for (NodeId id = 1; id < from->nodes.n; id++) {
        Window w;
        if (matches(&v, graph_node(from, id), &w)) {
            Part found = part_of(&v, id, &w);
            sums[found.last] = id;
            part[found.last] = found;
        }
        if (sums[id] == 0) {
            map[id] = graph_copy_node(g, from, id, map);
            continue;
        }
        const Node *node = graph_node(from, sums[id]);
        uint32_t first = g->nodes.n;
        build_is_overlap_add(node, &w);
        map[id] = convolution(g, graph_node(from, node->in[0]), map, &w, &part[id]);
        for (NodeId made = first; made < g->nodes.n; made++) {
            graph_node(g, made)->span = node->span;
            graph_node(g, made)->layer = node->layer;
        }
        graph_node(g, map[id])->name = graph_node(from, id)->name;
    }
    pass_copy_roots(g, from, map);
    state->g = g;
}

const Pass pass_convolve = {
    .name = "convolve",
    .doc = "Overlapping sums of a product's windows become a convolution with the kernel flipped.",
    .needs = FACT_EXPANDED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL,
    .run = run,
};
