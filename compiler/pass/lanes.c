/* lanes: where a convolution has few channels, neighbouring places share the lanes.
 *
 * The columns of a product are its lanes, and those of a convolution are the channels of its result: six leave ten of sixteen idle. Then P
 * neighbours along the last axis of places become columns, too. One window that holds what all P of them see, T + (P - 1) s taps wide, goes on
 * in steps of P s; the kernel stands in it once for each of them, each time s taps further, zeros around: a bit more arithmetic in lanes that
 * had nothing to do. The weight gradient is that product's: a gradient for each of the P, of which the parts that are taps add up.
 * Maps behind the product move along, so that they stay its epilogue. */
#include "ops/build.h"
#include "pass/pass.h"

#include <math.h>
#include <string.h>

typedef struct Lanes {
    const Graph *from;
    Graph *g;
    const Target *target;
    NodeId *map, *folded;  /* by old node: the new one; as it is with neighbours in its columns, 0: it is not */
    uint32_t *neighbours;  /* of that */
} Lanes;

/* A product that could be one of these: its window, the taps along the window's last axis, columns, and places along that axis. */
typedef struct Site {
    Window w;
    uint32_t taps, columns, places, last;
} Site;

static bool matches(const Lanes *v, const Node *node, Site *s)
{
    if (node->op->kind != OP_CONTRACT || !build_is_window(graph_node(v->from, node->in[0]), &s->w))
        return false;
    Contract c = build_contract_of(node);
    const Type *seen = graph_type(v->from, node->in[0]), *w = graph_type(v->from, node->in[1]);
    uint32_t n = s->w.n;
    bool weights = c.form == CONTRACT_NN || c.form == CONTRACT_FLIPPED;
    if (c.outer || c.each || c.depth != n + 1 || seen->rank != 2 * n + 1 || !seen->batch || s->w.dilation[n - 1] != 1 ||
        !(weights ? !w->batch && w->rank == n + 2 : c.form == CONTRACT_TN && w->batch && w->rank == n + 1))
        return false;
    s->last = n - 1;
    s->taps = s->w.kernel[n - 1];
    s->places = seen->dim[n - 1];
    s->columns = w->dim[c.form == CONTRACT_FLIPPED ? n : w->rank - 1];
    return true;
}

/* How many neighbours pay best; 1: none. Cost of a place in vectors: of the columns, for each tap. */
static uint32_t neighbours(const Lanes *v, const Site *s)
{
    const double first_gain = 1.2, more_gain = 1.1; /* wider kernels cost something, too */
    uint32_t best = 1, lanes = v->target->lanes, stride = s->w.stride[s->last];
    double least = s->taps / first_gain;
    for (uint32_t p = 2; p * s->columns <= lanes && 2 * s->w.n + 2 <= TYPE_MAX_RANK; p++) {
        double cost = (double)(s->taps + (p - 1) * stride) / p;
        if (s->places % p == 0 && cost < least) {
            least = cost / more_gain;
            best = p;
        }
    }
    return best;
}

static NodeId wide_window(Lanes *v, NodeId window, const Site *s, uint32_t p)
{
    Window w = s->w;
    w.kernel[s->last] = s->taps + (p - 1) * w.stride[s->last];
    w.stride[s->last] *= p;
    return build_window(v->g, v->map[graph_node(v->from, window)->in[0]], &w);
}

/* [.., places, C] with P neighbours as columns, or back. */
static NodeId regroup(Graph *g, NodeId a, uint32_t places, uint32_t columns)
{
    uint32_t dim[TYPE_MAX_RANK], rank = graph_type(g, a)->rank;
    memcpy(dim, graph_type(g, a)->dim, sizeof dim);
    dim[rank - 2] = places;
    dim[rank - 1] = columns;
    return build_reshape(g, a, rank, dim);
}

/* P copies side by side along the last axis. */
static NodeId repeated(Graph *g, NodeId a, uint32_t p)
{
    NodeId copy[64];
    for (uint32_t i = 0; i < p; i++)
        copy[i] = a;
    return build_concat(g, copy, p, graph_type(g, a)->rank - 1);
}

/* The kernel [T.., N, C] once for each neighbour: [T' .., N, P C]. With zeros around, neighbour i sees it from (P - 1 - i) s on: windows, the
 * last one first. */
static NodeId wide_kernel(Lanes *v, NodeId kernel, const Site *s, uint32_t p)
{
    uint32_t n = s->w.n, stride = s->w.stride[s->last], zeros = (p - 1) * stride, dim[TYPE_MAX_RANK];
    int64_t axes[TYPE_MAX_RANK];
    Window w = {.n = n};
    for (uint32_t i = 0; i < n; i++)
        w.kernel[i] = w.stride[i] = w.dilation[i] = 1;
    w.kernel[s->last] = p;
    w.dilation[s->last] = stride;
    NodeId all = build_window(v->g, build_pad(v->g, kernel, s->last, zeros, zeros), &w); /* [T'.., 1.., P, N, C] */
    all = build_reverse(v->g, all, 1u << (n + s->last));
    for (uint32_t i = 0; i < 2 * n + 2; i++)
        axes[i] = i;
    axes[2 * n - 1] = 2 * n;
    axes[2 * n] = 2 * n - 1;
    all = build_permute(v->g, all, 2 * n + 2, axes);
    memcpy(dim, graph_type(v->g, all)->dim, sizeof dim);
    dim[n] = dim[2 * n - 1];
    dim[n + 1] = p * s->columns;
    return build_reshape(v->g, all, n + 2, dim);
}

/* A kernel [K.., C, N] as a flipped product reads it: every step-th tap from the phase on, from the last one, [T.., N, C]. */
static NodeId flipped_kernel(Lanes *v, NodeId kernel, const Contract *c, const Site *s)
{
    Graph *g = v->g;
    uint32_t n = s->w.n, dim[TYPE_MAX_RANK];
    int64_t axes[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < n; i++)
        axes[i] = i;
    axes[n] = n + 1;
    axes[n + 1] = n;
    kernel = build_permute(g, build_reverse(g, kernel, (1u << n) - 1), n + 2, axes);
    Window taps = {.n = n};
    bool all = true;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size = graph_type(g, kernel)->dim[i], step = c->step[0] ? c->step[i] : 1, first = (size - 1 - c->phase[i]) % step;
        all = all && step == 1;
        if (first > 0)
            kernel = build_slice(g, kernel, i, first, size);
        taps.kernel[i] = taps.dilation[i] = 1;
        taps.stride[i] = step;
    }
    if (all)
        return kernel;
    kernel = build_window(g, kernel, &taps);
    memcpy(dim, graph_type(g, kernel)->dim, sizeof dim);
    memmove(dim + n, dim + 2 * n, sizeof *dim * 2);
    return build_reshape(g, kernel, n + 2, dim);
}

static NodeId result(Lanes *v, NodeId id, const Site *s, uint32_t p)
{
    const Node *node = graph_node(v->from, id);
    Contract c = build_contract_of(node), made = {.form = CONTRACT_NN, .depth = s->w.n + 1};
    NodeId kernel = v->map[node->in[1]];
    if (c.form == CONTRACT_FLIPPED)
        kernel = flipped_kernel(v, kernel, &c, s);
    v->neighbours[id] = p;
    v->folded[id] = build_product(v->g, made, wide_window(v, node->in[0], s, p), wide_kernel(v, kernel, s, p));
    return regroup(v->g, v->folded[id], s->places, s->columns);
}

static NodeId gradient(Lanes *v, NodeId id, const Site *s, uint32_t p)
{
    const Node *node = graph_node(v->from, id);
    Graph *g = v->g;
    uint32_t stride = s->w.stride[s->last];
    NodeId dy = regroup(g, v->map[node->in[1]], s->places / p, s->columns * p), sum = 0;
    NodeId all = build_product(g, (Contract){.form = CONTRACT_TN, .depth = s->w.n + 1}, wide_window(v, node->in[0], s, p), dy);
    for (uint32_t i = 0; i < p; i++) {
        NodeId part = build_slice(g, all, s->last, (int64_t)i * stride, (int64_t)i * stride + s->taps);
        part = build_slice(g, part, s->w.n + 1, (int64_t)i * s->columns, (int64_t)(i + 1) * s->columns);
        sum = i == 0 ? part : build_add(g, sum, part);
    }
    return sum;
}

/* Does it vary along the last axis alone, without the batch? */
static bool is_row(const Type *type, uint32_t columns)
{
    return !type->batch && type->rank > 0 && type_last(type) == columns && type_elements(type) == columns;
}

/* The map with neighbours in its columns, as one of what it is made from has them; 0: not all can be read so. */
static NodeId moved_along(Lanes *v, NodeId id)
{
    const Node *node = graph_node(v->from, id);
    NodeId in[64];
    uint32_t p = 0;
    for (uint32_t i = 0; i < node->n_in && node->n_in <= 64; i++)
        if (v->folded[node->in[i]] && type_equal(graph_type(v->from, node->in[i]), &node->type))
            p = v->neighbours[node->in[i]];
    if (p == 0 || node->op->kind != OP_MAP)
        return 0;
    uint32_t columns = (uint32_t)type_last(&node->type), places = node->type.dim[node->type.rank - 2];
    for (uint32_t i = 0; i < node->n_in; i++) {
        const Type *type = graph_type(v->from, node->in[i]);
        if (!(type_elements(type) == 1 && !type->batch) && !is_row(type, columns) && !type_same_shape(type, &node->type))
            return 0;
    }
    for (uint32_t i = 0; i < node->n_in; i++) {
        const Type *type = graph_type(v->from, node->in[i]);
        in[i] = v->map[node->in[i]];
        if (type_elements(type) == 1 && !type->batch)
            continue;
        if (type_same_shape(type, &node->type))
            in[i] = v->neighbours[node->in[i]] == p ? v->folded[node->in[i]] : regroup(v->g, in[i], places / p, columns * p);
        else
            in[i] = repeated(v->g, in[i], p);
    }
    v->neighbours[id] = p;
    v->folded[id] = build_map(v->g, build_fn(node), in, node->n_in);
    return regroup(v->g, v->folded[id], places, columns);
}

static void run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    uint32_t nodes = from->nodes.n;
    Lanes v = {from, g, state->target, arena_array(state->arena, NodeId, nodes), arena_array(state->arena, NodeId, nodes),
               arena_array(state->arena, uint32_t, nodes)};
    for (NodeId id = 1; id < nodes; id++) {
        const Node *node = graph_node(from, id);
        Site site;
        uint32_t first = g->nodes.n, p = matches(&v, node, &site) ? neighbours(&v, &site) : 1;
        if (p > 1)
            v.map[id] = build_form(node) == CONTRACT_TN ? gradient(&v, id, &site, p) : result(&v, id, &site, p);
        else
            v.map[id] = moved_along(&v, id);
        if (v.map[id] == 0) {
            v.map[id] = graph_copy_node(g, from, id, v.map);
            continue;
        }
        for (NodeId made = first; made < g->nodes.n; made++) {
            graph_node(g, made)->span = node->span;
            graph_node(g, made)->layer = node->layer;
        }
        graph_node(g, v.folded[id] ? v.folded[id] : v.map[id])->name = node->name;
        graph_node(g, v.folded[id] ? v.folded[id] : v.map[id])->fn = node->fn;
    }
    pass_copy_roots(g, from, v.map);
    state->g = g;
}

const Pass pass_lanes = {
    .name = "lanes",
    .doc = "Where a convolution has few channels, neighbouring places share the lanes.",
    .needs = FACT_EXPANDED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL,
    .run = run,
};
