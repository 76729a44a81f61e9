/* convolve: the overlapping sums of a product's windows become a convolution.
 *
 * The gradient of windows adds up what overlaps, and behind a product that is: every window's values are computed, stored, and added where
 * they belong. With stride 1 the same sums are a convolution of the gradient, padded, with the kernel flipped: nothing is stored but the
 * result, and of that only the part that is asked for (what lies in the padding of the forward pass is cut off). With a stride s the places
 * u = p + s i of each phase p are reached by the taps p, p + s, … alone: as many convolutions as phases, whose results take turns. */
#include "ops/build.h"
#include "pass/pass.h"

#include <math.h>

enum { MOST_PHASES = 64 };

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
    for (uint32_t i = 0; i < w->n; i++) /* a kernel shorter than its stride leaves places that nothing reaches */
        if (w->stride[i] > 1 && (w->dilation[i] != 1 || w->kernel[i] < w->stride[i]))
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

/* Along one axis, the places start + s i that belong to one convolution: how many, of which phase, by how many taps reached, and where in
 * the gradient the window of the first begins. */
typedef struct Phase {
    int64_t places, phase, taps, first;
} Phase;

static Phase phase_of(const Window *w, const Part *part, uint32_t axis, uint32_t which)
{
    int64_t s = w->stride[axis], start = part->start[axis] + which, all = part->stop[axis] - part->start[axis];
    Phase p = {.places = all > which ? (all - which - 1) / s + 1 : 0, .phase = start % s};
    p.taps = (w->kernel[axis] - p.phase - 1) / s + 1;
    p.first = start / s - (p.taps - 1) * w->dilation[axis];
    return p;
}

/* The gradient from p->first on, as far as the last window reaches, zeros beyond its edges. */
static NodeId around(Graph *g, NodeId dy, const Window *w, const Phase *p, uint32_t axis)
{
    int64_t size = graph_type(g, dy)->dim[axis], end = p->first + p->places + (p->taps - 1) * w->dilation[axis];
    int64_t from = p->first > 0 ? p->first : 0, to = end < size ? end : size;
    if (from > 0 || to < size)
        dy = build_slice(g, dy, axis, from, to);
    return from > p->first || to < end ? build_pad(g, dy, axis, from - p->first, end - to) : dy;
}

static NodeId one_phase(Graph *g, NodeId dy, NodeId kernel, const Window *w, const Phase *p)
{
    Contract c = {.form = CONTRACT_FLIPPED, .depth = w->n + 1};
    Window taps = {.n = w->n};
    for (uint32_t i = 0; i < w->n; i++) {
        dy = around(g, dy, w, &p[i], i);
        taps.kernel[i] = (uint32_t)p[i].taps;
        taps.stride[i] = 1;
        taps.dilation[i] = w->dilation[i];
        c.step[i] = w->stride[i];
        c.phase[i] = (uint32_t)p[i].phase;
    }
    bool all = true;
    for (uint32_t i = 0; i < w->n; i++)
        all = all && w->stride[i] == 1;
    for (uint32_t i = 0; i < w->n && all; i++)
        c.step[i] = c.phase[i] = 0;
    return build_product(g, c, build_window(g, dy, &taps), kernel);
}

/* Few channels leave most lanes of a convolution idle; then it is better to compute all windows' values, whose lanes run on over the
 * taps, and to add them up. In multiply-adds of one lane. */
static bool pays(const Graph *g, const Target *target, const Node *product, const Node *sums, const Window *w, const Part *part)
{
    enum { ADDING_UP = 400 /* a vector of channels: stored, loaded, and its sum loaded and stored, one tap after the other */ };
    const Type *dy = graph_type(g, product->in[0]);
    double lanes = target->lanes, n = (double)type_last(dy), c = (double)type_last(&sums->type), taps = 1, strides = 1;
    double places = (double)type_elements(dy) / n, result = 1;
    for (uint32_t i = 0; i < w->n; i++) {
        result *= (double)(part->stop[i] - part->start[i]); /* what lies in the padding is not computed */
        taps *= w->kernel[i];
        strides *= w->stride[i];
    }
    return result * taps / strides * n * ceil(c / lanes) * lanes <
           places * (n * ceil(taps * c / lanes) * lanes + taps * ceil(c / lanes) * ADDING_UP);
}

/* Is there a phase without places, or one whose window lies outside the gradient altogether? */
static bool too_small(const Graph *g, NodeId dy, const Window *w, const Part *part)
{
    for (uint32_t i = 0; i < w->n; i++)
        for (uint32_t k = 0; k < w->stride[i]; k++) {
            Phase p = phase_of(w, part, i, k);
            int64_t end = p.first + p.places + (p.taps - 1) * w->dilation[i];
            if (p.places == 0 || end <= 0 || p.first >= (int64_t)graph_type(g, dy)->dim[i])
                return true;
        }
    return false;
}

static NodeId convolution(Graph *g, const Node *product, const NodeId *map, const Window *w, const Part *part)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < w->n; i++)
        count *= w->stride[i];
    NodeId piece[MOST_PHASES];
    for (uint32_t k = 0; k < count; k++) {
        Phase p[TYPE_MAX_RANK];
        uint32_t left = k;
        for (uint32_t i = w->n; i-- > 0; left /= w->stride[i])
            p[i] = phase_of(w, part, i, left % w->stride[i]);
        piece[k] = one_phase(g, map[product->in[0]], map[product->in[1]], w, p);
    }
    return count == 1 ? piece[0] : build_interleave(g, piece, w->n, w->stride);
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
            const Node *product = graph_node(from, graph_node(from, id)->in[0]);
            if (pays(from, state->target, product, graph_node(from, id), &w, &found) && !too_small(from, product->in[0], &w, &found)) {
                sums[found.last] = id;
                part[found.last] = found;
            }
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
