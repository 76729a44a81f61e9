/* Column groups: folds of any axes, with the batch or without, that leave the last one longer than one. Its elements are lanes; the
 * axes left before it are loops around, the folded ones loops inside; then come the maps of the result. What is folded may be a map of
 * several values (a product with weights, a mask): it is computed inside, and several folds of the same axes share one kernel. */
#include "kernel/inner.h"

#include "ops/build.h"
#include "pass/access.h"
#include "pass/views.h"

#include <string.h>

enum {
    UNROLLED_TERMS = 12, /* folded loops shorter than this, together, stand in a line */
    UNROLLED_ARGS = 36,
    LONG_FOLD = 32,      /* from here on one sum would wait for itself */
    SUMS = 4,            /* so many take turns */
    MOST_BESIDE = 9,     /* places of the result that are summed side by side, but for vectors of a row */
    MOST_ARGS = 56       /* of a kernel, as far as places side by side go */
};

typedef struct Columns {
    const Node *anchor;
    Inner inner;
    Reach out;           /* of the result */
    uint32_t around;     /* loops before the folded ones; the last of them becomes lanes */
    uint32_t sums;       /* accumulators of each fold, for each place */
    uint32_t beside;     /* the last so many loops of the nest are axes of the result that have none: their places stand side by side */
    uint32_t places;     /* of them; 1: none */
    uint32_t place;      /* the one at hand */
} Columns;

static bool folds(const Node *anchor, uint32_t axis)
{
    Fold fold = build_fold(anchor);
    return axis == 0 ? fold.batch : fold.axes >> (axis - 1) & 1;
}

static bool is_fold(const Lower *l, NodeId id) { return graph_node(l->g, id)->op->kind == OP_REDUCE; }

static LoopFold how(const Lower *l, NodeId fold)
{
    return build_fold(graph_node(l->g, fold)).op == REDUCE_MAX ? FOLD_MAX : FOLD_SUM;
}

/* ── the maps of the result ── */

/* All of it, in the order of the result: the loops around say where. */
static bool as_result(const Lower *l, const Node *user, NodeId value)
{
    return access_is_dense(graph_type(l->g, value), &user->type) && !l->plan->view[value].moved;
}

/* How a value that is combined with the result is read: strides by the loops around. Its user has the result's axes, but perhaps not
 * those of length one. */
static Affine result_reach(const Lower *l, const Columns *c, const Node *user, NodeId value)
{
    const Type *type = graph_type(l->g, value);
    int64_t stride[1 + TYPE_MAX_RANK];
    View view = lower_view(l, value, &stride[0]);
    Affine at = {.base = view.base};
    if (as_result(l, user, value))
        return inner_affine(&c->inner, &c->out);
    if (access_is_scalar(type))
        return at;
    view_broadcast(&view, type, &user->type, stride + 1); /* the loops around were not joined: one for each long axis of the user */
    uint32_t d = 0;
    for (uint32_t axis = 0; axis <= user->type.rank; axis++)
        if (axis == 0 ? user->type.batch : user->type.dim[axis - 1] != 1)
            at.coef[d++] = stride[axis];
    ACT_ASSERT(d <= c->around);
    return at;
}

static Sx input(Lower *l, const Node *user, NodeId value, void *context)
{
    const Columns *c = context;
    NodeId id = l->plan->storage[value];
    const Node *node = graph_node(l->g, id);
    double number;
    Sx uniform;
    if (l->plan->group_of[id] == l->number && is_fold(l, id)) {
        uint32_t first = l->acc[id] - 1 + c->place * c->sums;
        Sx sum = lower_arg(l, (LoopArg){.kind = LARG_ACC, .index = first});
        for (uint32_t i = 1; i < c->sums; i++) {
            Sx part = lower_arg(l, (LoopArg){.kind = LARG_ACC, .index = first + i});
            sum = how(l, id) == FOLD_MAX ? sx_bin(l->g->sx, SX_MAX, sum, part) : sx_add(l->g->sx, sum, part);
        }
        return sum;
    }
    if (l->plan->group_of[id] == l->number)
        return lower_expr(l, id, input, context);
    if (build_is_number(node, &number))
        return sx_num(l->g->sx, number);
    if (build_is_uniform(node, &uniform))
        return lower_uniform(l, uniform);
    Affine at = result_reach(l, c, user, value);
    return build_is_iota(node) ? lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = at}) : lower_load(l, value, at);
}

/* ── loops ── */

/* A matrix in panels; all but its last axis are its rows. Loops over the rows that are kept, over panels, over lanes, over those that
 * are folded. */
static void panel_loops(Lower *l, Columns *c, uint32_t panel)
{
    Inner *inner = &c->inner;
    Nest *nest = &inner->nest;
    const Type *in = inner->space;
    uint32_t last = in->rank - 1;
    int64_t cols = in->dim[last], rows = (int64_t)type_elements(in) / cols, kept = cols, stride[1 + TYPE_MAX_RANK];
    Reach reach = {0};
    ACT_ASSERT(!in->batch && !folds(c->anchor, in->rank));
    stride[last] = panel;
    for (uint32_t axis = last; axis-- > 0;)
        stride[axis] = axis + 1 < last ? stride[axis + 1] * in->dim[axis + 1] : panel;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t axis = 0; axis < last; axis++) {
            if (folds(c->anchor, 1 + axis) != (pass == 1) || in->dim[axis] == 1)
                continue;
            inner_loop(inner, 1 + axis);
            reach.stride[nest->n - 1] = stride[axis];
        }
        if (pass == 1)
            break;
        for (uint32_t d = nest->n; d-- > 0; kept *= nest->dim[d].size)
            c->out.stride[d] = kept;
        uint32_t at = nest->n;
        nest->dim[nest->n++] = (Dim){.size = (cols + panel - 1) / panel};
        nest->dim[nest->n++] = (Dim){.size = panel, .clamp = cols % panel ? cols : 0, .panel_dim = at};
        c->out.stride[at] = panel;
        c->out.stride[at + 1] = 1;
        reach.stride[at] = rows * panel;
        reach.stride[at + 1] = 1;
        c->around = nest->n;
    }
    for (uint32_t d = 0; d < nest->n; d++)
        inner->step[d] = 1;
    *vec_push(l->arena, &inner->operand) = (InnerOperand){.value = c->anchor->in[0], .reach = reach};
}

static void axis_loops(Lower *l, Columns *c, bool joined)
{
    const Type *in = c->inner.space;
    for (uint32_t axis = 0; axis <= in->rank; axis++)
        if (!folds(c->anchor, axis))
            inner_loop(&c->inner, axis);
    Nest *nest = &c->inner.nest;
    if (nest->n == 0 || nest->dim[nest->n - 1].batch) /* nothing is left to be lanes */
        nest->dim[nest->n] = (Dim){.size = 1}, c->inner.step[nest->n++] = 1;
    c->around = nest->n;
    for (uint32_t axis = 0; axis <= in->rank; axis++)
        if (folds(c->anchor, axis))
            inner_loop(&c->inner, axis);
    for (uint32_t i = 0; i < l->group->nodes.n; i++)
        if (is_fold(l, l->group->nodes.at[i]))
            inner_collect(l, &c->inner, graph_node(l->g, l->group->nodes.at[i])->in[0]);
    int64_t stride = 1;
    for (uint32_t d = c->around; d-- > 0;) {
        c->out.stride[d] = stride;
        stride *= nest->dim[d].size;
    }
    Reach *also[1] = {&c->out};
    for (uint32_t d = c->around - 1; joined && d-- > 0;)
        if (!(nest->dim[d].batch && d + 2 == c->around)) /* lanes are elements of one row */
            c->around -= inner_join(&c->inner, d, also, 1);
    for (uint32_t d = nest->n; d-- > c->around + 1;)
        if (!nest->dim[d - 1].batch || nest->dim[d].size < LONG_FOLD / 2)
            inner_join(&c->inner, d - 1, also, 1);
}

/* Every map of the result that is combined with something narrower wants a loop for each of its axes. */
static bool may_join(const Lower *l)
{
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        const Node *node = graph_node(l->g, l->group->nodes.at[i]);
        bool before = type_elements(&node->type) != type_elements(graph_type(l->g, l->group->anchor)) ||
                      node->type.batch != graph_type(l->g, l->group->anchor)->batch;
        for (uint32_t k = 0; k < node->n_in && !before && node->op->kind == OP_MAP; k++)
            if (!as_result(l, node, node->in[k]) && !access_is_scalar(graph_type(l->g, node->in[k])))
                return false;
    }
    return true;
}

/* ── places side by side ──
 * The taps of a depthwise convolution's weight gradient all read the same gradient, and inputs that are neighbours. One pass over the
 * batch for each of them would fetch everything once a tap; so the taps have sums of their own in one pass, and lanes are the outermost loop. */

/* Is something read that does not depend on loop d? */
static bool is_shared(const Columns *c, uint32_t d)
{
    for (uint32_t i = 0; i < c->inner.operand.n; i++)
        if (c->inner.operand.at[i].reach.stride[d] == 0)
            return true;
    return false;
}

/* Loads and sums of one place, at most. */
static uint32_t args_of_place(const Lower *l, const Columns *c)
{
    uint32_t n = c->inner.operand.n;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        n += is_fold(l, id);
        for (uint32_t k = 0; k < node->n_in && type_same_shape(&node->type, &c->anchor->type); k++) {
            NodeId in = l->plan->storage[node->in[k]];
            n += l->plan->group_of[in] != l->number && !access_is_scalar(graph_type(l->g, in));
        }
    }
    return n;
}

/* Where threads share the samples, a long line of places goes in runs of so many as have registers: 0 when it does not come out even. */
static int64_t run_of(const Lower *l, const Columns *c, uint32_t d)
{
    int64_t size = c->inner.nest.dim[d].size, most = l->target->registers / 4;
    if (!c->inner.nest.dim[0].batch || d == 0 || size <= most || c->inner.nest.n == LOOP_MAX_DEPTH)
        return 0;
    while (most > 2 && size % most != 0)
        most--;
    return most > 2 ? most : 0;
}

/* Loop d becomes two: over runs of `run`, and over what is in one. */
static void split_loop(Columns *c, uint32_t d, int64_t run)
{
    Inner *inner = &c->inner;
    Nest *nest = &inner->nest;
    for (uint32_t i = 0; i <= inner->operand.n; i++) {
        Reach *reach = i < inner->operand.n ? &inner->operand.at[i].reach : &c->out;
        for (uint32_t k = nest->n; k > d; k--)
            reach->stride[k] = reach->stride[k - 1];
        reach->stride[d] *= run;
    }
    for (uint32_t k = nest->n; k > d; k--)
        nest->dim[k] = nest->dim[k - 1];
    nest->dim[d].size /= run;
    nest->dim[d + 1].size = run;
    inner->step[nest->n] = 1;
    inner->at[nest->n++] = 0;
    c->around++;
}

/* Moves the short loops before the lanes to the end of the nest, where they are no loops. */
static void find_beside(const Lower *l, Columns *c)
{
    Nest *nest = &c->inner.nest;
    Reach *also[1] = {&c->out};
    uint32_t lanes = c->around - 1;
    if (nest->n == c->around || (!nest->dim[0].batch && (nest->dim[lanes].size <= l->target->lanes || !build_fold(c->anchor).batch)))
        return; /* all of it would be one thread's */
    while (c->around > 1) {
        uint32_t d = c->around - 2;
        int64_t run = c->places == 1 && is_shared(c, d) ? run_of(l, c, d) : 0;
        if (run > 0)
            split_loop(c, d++, run);
        int64_t size = nest->dim[d].size;
        if (nest->dim[d].batch || c->places * size > MOST_BESIDE || !is_shared(c, d) ||
            c->places * size * args_of_place(l, c) > MOST_ARGS)
            break;
        for (; d + 1 + c->beside < nest->n; d++)
            inner_swap(&c->inner, d, also, 1);
        c->around--;
        c->beside++;
        c->places *= (uint32_t)size;
    }
}

/* ── vectors side by side ──
 * Where threads share the samples, several vectors of a row are summed in one pass over the places: what is read lies together, and no sum
 * waits for itself. */

static void split_lanes(Reach *reach, uint32_t d, int64_t lanes, int64_t vectors, uint32_t n)
{
    int64_t step = reach->stride[d];
    for (uint32_t k = n; k > d + 1; k--)
        reach->stride[k] = reach->stride[k - 1];
    reach->stride[d] = step * lanes * vectors;
    reach->stride[d + 1] = step;
    reach->stride[n + 1] = step * lanes;
}

/* Lanes become a loop over runs of vectors, one vector, and, at the end of the nest, the vectors of a run. */
static void find_vectors(const Lower *l, Columns *c)
{
    enum { MOST_VECTORS = 4, VECTOR_ARGS = 36, LEAST_TERMS = 16 };
    Inner *inner = &c->inner;
    Nest *nest = &inner->nest;
    uint32_t d = c->around - 1;
    int64_t lanes = l->target->lanes, vectors = MOST_VECTORS, terms = 1;
    for (uint32_t k = c->around; k < nest->n - c->beside; k++)
        terms *= nest->dim[k].size;
    while (vectors > 1 && (nest->dim[d].size % (lanes * vectors) != 0 || c->places * vectors * args_of_place(l, c) > VECTOR_ARGS))
        vectors /= 2;
    if (vectors == 1 || terms < LEAST_TERMS || d == 0 || !nest->dim[0].batch || nest->n == c->around || nest->n + 2 > LOOP_MAX_DEPTH)
        return;
    for (uint32_t i = 0; i < inner->operand.n; i++)
        split_lanes(&inner->operand.at[i].reach, d, lanes, vectors, nest->n);
    split_lanes(&c->out, d, lanes, vectors, nest->n);
    int64_t runs = nest->dim[d].size / (lanes * vectors);
    for (uint32_t k = nest->n; k > d + 1; k--)
        nest->dim[k] = nest->dim[k - 1];
    nest->dim[d] = (Dim){.size = runs};
    nest->dim[d + 1] = (Dim){.size = lanes};
    nest->dim[nest->n + 1] = (Dim){.size = vectors};
    for (uint32_t k = nest->n; k < nest->n + 2; k++)
        inner->step[k] = 1, inner->at[k] = 0;
    nest->n += 2;
    c->around++;
    c->beside++;
    c->places *= (uint32_t)vectors;
}

/* The expressions that follow stand at place `place`. */
static void at_place(Lower *l, Columns *c, uint32_t place)
{
    Inner *inner = &c->inner;
    uint32_t left = c->place = place;
    for (uint32_t d = inner->nest.n - c->beside; d < inner->nest.n; d++) {
        inner->step[d] = 0;
        inner->at[d] = left % inner->nest.dim[d].size;
        left /= (uint32_t)inner->nest.dim[d].size;
    }
    memset(l->expr, 0, sizeof *l->expr * l->g->nodes.n);
}

/* ── folding ── */

/* Adds what every fold takes at this place to its accumulator number `sum`. */
static void add_terms(Lower *l, Columns *c, uint32_t sum)
{
    for (uint32_t place = 0; place < c->places; place++) {
        at_place(l, c, place);
        for (uint32_t i = 0; i < l->group->nodes.n; i++) {
            NodeId id = l->group->nodes.at[i];
            if (!is_fold(l, id))
                continue;
            Sx value = inner_value(l, &c->inner, graph_node(l->g, id)->in[0]);
            LoopStmt *add = lower_stmt(l, LOOP_ACC_ADD);
            add->acc.acc = l->acc[id] - 1 + place * c->sums + sum;
            add->acc.fold = how(l, id);
            add->acc.value = value;
        }
    }
}

/* Loops d and on, written out. */
static void in_a_line(Lower *l, Columns *c, uint32_t d)
{
    Inner *inner = &c->inner;
    if (d == inner->nest.n - c->beside) {
        add_terms(l, c, 0);
        return;
    }
    inner->step[d] = 0;
    for (int64_t i = 0; i < inner->nest.dim[d].size; i++) {
        inner->at[d] = i;
        in_a_line(l, c, d + 1);
    }
}

/* The innermost loop, several terms at a time, each with a sum of its own. */
static void in_turns(Lower *l, Columns *c)
{
    Inner *inner = &c->inner;
    uint32_t d = inner->nest.n - 1 - c->beside;
    int64_t sums = c->sums, whole = inner->nest.dim[d].size / sums, rest = inner->nest.dim[d].size % sums;
    LoopStmt **behind = lower_for(l, (Extent){.fixed = whole}, LOOP_SERIAL);
    inner->step[d] = sums;
    for (uint32_t k = 0; k < sums; k++) {
        inner->at[d] = k;
        add_terms(l, c, k);
    }
    l->tail = behind;
    inner->step[d] = 0;
    for (uint32_t k = 0; k < rest; k++) {
        inner->at[d] = whole * sums + k;
        add_terms(l, c, k);
    }
}

/* How many places are read when the loops from d on are written out: neighbours share what their windows have in common. */
static uint32_t reads_from(const Columns *c, uint32_t d)
{
    enum { MOST = UNROLLED_TERMS * MOST_BESIDE * 4 };
    const Nest *nest = &c->inner.nest;
    uint32_t all = 1, n = 0;
    for (uint32_t k = d; k < nest->n; k++)
        all *= (uint32_t)nest->dim[k].size;
    for (uint32_t i = 0; i < c->inner.operand.n; i++) {
        int64_t seen[MOST];
        uint32_t different = 0;
        for (uint32_t term = 0; term < all && all <= MOST; term++) {
            int64_t at = 0;
            uint32_t left = term, same = 0;
            for (uint32_t k = d; k < nest->n; k++) {
                at += c->inner.operand.at[i].reach.stride[k] * (left % nest->dim[k].size);
                left /= (uint32_t)nest->dim[k].size;
            }
            while (same < different && seen[same] != at)
                same++;
            if (same == different)
                seen[different++] = at;
        }
        n += all <= MOST ? different : all;
    }
    return n > 0 ? n : all;
}

/* How many loops stand before those that are written out; *turns: the last of them goes by several sums. */
static uint32_t serial_loops(const Lower *l, const Columns *c, bool *turns)
{
    const Nest *nest = &c->inner.nest;
    uint32_t end = nest->n - c->beside, d = end, operands = (c->inner.operand.n ? c->inner.operand.n : 1) * c->places;
    uint32_t registers = l->target->registers, taken = c->places + 2; /* sums side by side stay in registers */
    uint32_t room = c->places == 1 ? UNROLLED_ARGS : registers > taken ? registers - taken : 0;
    int64_t terms = 1;
    while (d > c->around && !nest->dim[d - 1].batch && terms * nest->dim[d - 1].size <= UNROLLED_TERMS &&
           reads_from(c, d - 1) <= room)
        terms *= nest->dim[--d].size;
    *turns = d == end && c->places <= SUMS / 2 && d > c->around && !nest->dim[d - 1].batch && nest->dim[d - 1].size >= LONG_FOLD &&
             SUMS / c->places * operands <= UNROLLED_ARGS;
    return d;
}

static Extent extent_of(const Dim *dim) { return dim->batch ? (Extent){.per_row = dim->size} : (Extent){.fixed = dim->size}; }

static void fold(Lower *l, Columns *c)
{
    bool turns;
    const Nest *nest = &c->inner.nest;
    uint32_t serial = serial_loops(l, c, &turns);
    LoopStmt **behind = NULL;
    c->sums = turns ? SUMS / c->places : 1;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        for (uint32_t k = 0; is_fold(l, id) && k < c->sums * c->places; k++) {
            LoopStmt *acc = lower_stmt(l, LOOP_ACC_NEW);
            acc->acc.acc = lower_new_acc(l);
            acc->acc.fold = how(l, id);
            l->acc[id] = k == 0 ? 1 + acc->acc.acc : l->acc[id];
        }
    }
    for (uint32_t d = c->around; d < serial - (turns ? 1 : 0); d++) {
        LoopStmt **next = lower_for(l, extent_of(&nest->dim[d]), LOOP_SERIAL);
        behind = behind == NULL ? next : behind;
    }
    if (turns)
        in_turns(l, c);
    else
        in_a_line(l, c, serial);
    l->tail = behind != NULL ? behind : l->tail;
    for (uint32_t d = c->around; d < nest->n - c->beside; d++) /* what follows stands outside */
        c->inner.step[d] = c->inner.at[d] = 0;
}

void lower_columns(Lower *l)
{
    const Node *anchor = graph_node(l->g, l->group->anchor);
    Columns c = {.anchor = anchor, .inner = {.space = graph_type(l->g, anchor->in[0])}};
    uint32_t panel = 0;
    lower_layout(l, anchor->in[0], &panel);
    lower_begin(l, "");
    if (panel != 0)
        panel_loops(l, &c, panel);
    else
        axis_loops(l, &c, may_join(l));
    c.places = 1;
    if (panel == 0 && may_join(l))
        find_beside(l, &c), find_vectors(l, &c);
    const Nest *nest = &c.inner.nest;
    for (uint32_t d = 0; d < c.around; d++) {
        lower_for(l, extent_of(&nest->dim[d]), d + 1 == c.around ? LOOP_VECTOR : LOOP_SERIAL);
        l->loop->loop.clamp = nest->dim[d].clamp;
        l->loop->loop.clamp_depth = nest->dim[d].clamp ? nest->dim[d].panel_dim : 0;
    }
    fold(l, &c);
    for (uint32_t place = 0; place < c.places; place++) {
        at_place(l, &c, place);
        for (uint32_t i = 0; i < l->group->nodes.n; i++) {
            NodeId id = l->group->nodes.at[i];
            if (!lower_stored(l, id))
                continue;
            Sx what = is_fold(l, id) ? input(l, NULL, id, &c) : lower_expr(l, id, input, &c);
            lower_store(l, id, inner_affine(&c.inner, &c.out), what);
        }
    }
    bool lanes_split = c.around == 1;
    lower_end(l, SPLIT_OUTER, extent_of(&nest->dim[0]), nest->dim[0].batch && l->group->by_rows,
              lanes_split ? l->target->lanes : 1);
}
