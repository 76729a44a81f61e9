/* watch: the monitor's numbers as reductions of values and gradients that a training step has anyway. Which values, the model's roots of
 * kind ROOT_WATCH say on the way in: 2 i is the value of point i, 2 i + 1 its activation. On the way out each is an array that the
 * caller is given. What the step computes otherwise is the same, to the last bit. */
#include "ops/build.h"
#include "pass/pass.h"

#include <math.h>

typedef struct Watcher {
    Graph *g;
    Watch *watch;
    WatchPoint *point;
    NodeId value, result, gradient;
} Watcher;

static uint32_t root(Watcher *w, NodeId node)
{
    graph_root_add(w->g, ROOT_WATCH, node, w->watch->arrays, (Str){0});
    return w->watch->arrays++;
}

/* Over all elements of a sample. */
static uint32_t over_rows(Watcher *w, ReduceOp op, Sx f, NodeId of)
{
    NodeId value = build_map(w->g, f, &of, 1);
    uint32_t axes = (1u << graph_type(w->g, of)->rank) - 1;
    return root(w, axes == 0 ? value : build_reduce(w->g, op, value, axes, false, false));
}

/* 1 where `condition` holds, else 0. */
static Sx count_of(SxPool *sx, Sx condition) { return sx_select(sx, condition, sx_num(sx, 1), sx_num(sx, 0)); }

static Sx outside(SxPool *sx, double low, double high)
{
    Sx x = sx_arg(sx, 0), below = sx_bin(sx, SX_LE, x, sx_num(sx, low)), above = sx_bin(sx, SX_LE, sx_num(sx, high), x);
    Sx one = sx_num(sx, 1), zero = sx_num(sx, 0);
    if (isinf(high))
        return count_of(sx, below);
    if (isinf(low))
        return count_of(sx, above);
    return sx_select(sx, below, one, sx_select(sx, above, one, zero));
}

/* Rows and places in which each unit, an element of the last axis, has a slope. */
static uint32_t active_units(Watcher *w)
{
    SxPool *sx = w->g->sx;
    uint32_t rank = graph_type(w->g, w->value)->rank;
    Sx active = sx_sub(sx, sx_num(sx, 1), outside(sx, w->point->dead_low, w->point->dead_high));
    NodeId value = build_map(w->g, active, &w->value, 1);
    return root(w, build_reduce(w->g, REDUCE_SUM, value, (1u << (rank - 1)) - 1, true, false));
}

static void histogram(Watcher *w)
{
    SxPool *sx = w->g->sx;
    WatchPoint *p = w->point;
    p->bins = w->watch->arrays;
    for (uint32_t i = 1; i < WATCH_BINS; i++) {
        double end = p->low + (p->high - p->low) * i / WATCH_BINS;
        over_rows(w, REDUCE_SUM, count_of(sx, sx_bin(sx, SX_LT, sx_arg(sx, 0), sx_num(sx, end))), w->value);
    }
}

static void point_roots(Watcher *w)
{
    WatchPoint *p = w->point;
    SxPool *sx = w->g->sx;
    const Type *type = graph_type(w->g, w->value);
    Sx x = sx_arg(sx, 0), square = sx_mul(sx, x, x), size = sx_un(sx, SX_ABS, x);
    p->units = type->rank > 0 ? (uint32_t)type_last(type) : 1;
    p->values = type_elements(type);
    for (uint32_t i = 0; i < WATCH_STATS; i++)
        p->stat[i] = WATCH_NONE;
    p->stat[WATCH_SUM] = over_rows(w, REDUCE_SUM, x, w->value);
    p->stat[WATCH_SQUARES] = over_rows(w, REDUCE_SUM, square, w->value);
    p->stat[WATCH_GREATEST] = over_rows(w, REDUCE_MAX, size, w->value);
    bool dies = isfinite(p->dead_low) || isfinite(p->dead_high);
    if (w->result != 0 && dies)
        p->stat[WATCH_ZEROS] = over_rows(w, REDUCE_SUM, count_of(sx, sx_bin(sx, SX_EQ, x, sx_num(sx, 0))), w->result);
    if (w->result != 0 && !isnan(p->flat_low))
        p->stat[WATCH_SATURATED] = over_rows(w, REDUCE_SUM, outside(sx, p->flat_low, p->flat_high), w->value);
    histogram(w);
    if (w->gradient != 0) {
        NodeId full = build_expand(w->g, w->gradient, w->value);
        p->stat[WATCH_GRADIENT] = over_rows(w, REDUCE_SUM, square, full);
        p->stat[WATCH_GRADIENT_GREATEST] = over_rows(w, REDUCE_MAX, size, full);
    }
    if (dies && type->rank > 0)
        p->stat[WATCH_ACTIVE] = active_units(w);
}

const bool *watch_only(Arena *arena, const Graph *g)
{
    bool *only = arena_array(arena, bool, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++)
        only[id] = true;
    for (uint32_t i = 0; i < g->roots.n; i++)
        only[g->roots.at[i].node] &= g->roots.at[i].kind == ROOT_WATCH;
    for (NodeId id = g->nodes.n; id-- > 1;) {
        const Node *node = graph_node(g, id);
        for (uint32_t i = 0; i < node->n_in && !only[id]; i++)
            only[node->in[i]] = false;
    }
    return only;
}

static void run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    Watch *watch = state->watch;
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    NodeId *marked = arena_array(state->arena, NodeId, 2 * watch->points.n + 1);
    for (NodeId id = 1; id < from->nodes.n; id++)
        map[id] = graph_copy_node(g, from, id, map);
    for (uint32_t i = 0; i < from->roots.n; i++) {
        const Root *r = &from->roots.at[i];
        if (r->kind == ROOT_WATCH)
            marked[r->index] = r->node;
        else
            graph_root_add(g, r->kind, map[r->node], r->index, r->name);
    }
    watch->arrays = 0;
    for (uint32_t i = 0; i < watch->points.n; i++) {
        NodeId value = marked[2 * i], result = marked[2 * i + 1], gradient = state->gradient[value];
        uint32_t first = g->nodes.n;
        Watcher w = {g, watch, &watch->points.at[i], map[value], result == 0 ? 0 : map[result],
                     gradient == 0 ? 0 : map[gradient]};
        point_roots(&w);
        for (NodeId made = first; made < g->nodes.n; made++) {
            Node *node = graph_node(g, made);
            node->span = graph_node(from, value)->span;
            node->layer = graph_node(from, value)->layer;
            node->fn = STR("watch");
        }
    }
    state->g = g;
}

const Pass pass_watch = {
    .name = "watch",
    .doc = "Add what the monitor measures (--monitor): sums and counts of layers' values, and of the gradients with respect to them.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED,
    .run = run,
};
