/* Scatter groups: what an op adds up where it belongs (Op.locate, an affine map). Each row of the batch is zeroed and added to in
 * order, so threads split the batch and the sum of an element has one order. What falls on every place once is only copied. The maps that
 * make the input are computed on the way. */
#include "kernel/inner.h"

#include "graph/loop_range.h"
#include "graph/op.h"

typedef struct Scatter {
    Inner inner;         /* loops over the input */
    Reach to;            /* where its elements go */
    uint32_t first;      /* loops before this one go over the batch */
    bool once;           /* no place is met twice, and none is left out */
} Scatter;

/* Where an element of the input is added. */
static int64_t target_of(const Lower *l, const Node *node, const uint32_t *index)
{
    uint32_t which = 0, target[TYPE_MAX_RANK] = {0};
    bool some = node->op->locate(l->g, node, index, &which, target);
    ACT_ASSERT(some && which == 0);
    int64_t at = 0;
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        at = at * node->type.dim[axis] + target[axis];
    return at;
}

/* Lanes grow over the axis before them as long as no two runs of lanes share a place: then one would wait for the other. */
static bool apart(const Scatter *s, uint32_t d)
{
    const Nest *nest = &s->inner.nest;
    for (uint32_t i = s->first; i < d; i++)
        if (s->to.stride[i] < s->to.stride[d] * nest->dim[d].size)
            return false;
    return true;
}

/* Far steps outside: a line of the result stays in the cache while it is added to. */
static void arrange(Scatter *s)
{
    Reach *also[1] = {&s->to};
    Nest *nest = &s->inner.nest;
    for (uint32_t d = nest->n - 1; d-- > s->first;)
        if (!apart(s, d) || !inner_join(&s->inner, d, also, 1))
            break;
    uint32_t lanes = nest->n - 1;
    for (uint32_t i = s->first + 1; i < lanes; i++)
        for (uint32_t k = i; k > s->first && s->to.stride[k - 1] < s->to.stride[k]; k--)
            inner_swap(&s->inner, k - 1, also, 1);
    if (lanes >= s->first + 2) { /* neighbours in time should not meet at one place: the long loop runs inside */
        const Dim *a = &nest->dim[lanes - 2], *b = &nest->dim[lanes - 1];
        if (b->size * s->to.stride[lanes - 1] > s->to.stride[lanes - 2] && b->size < a->size)
            inner_swap(&s->inner, lanes - 2, also, 1);
    }
}

static void loops(Lower *l, const Node *node, Scatter *s)
{
    const Type *in = s->inner.space;
    Nest *nest = &s->inner.nest;
    uint32_t zero[TYPE_MAX_RANK] = {0};
    ACT_ASSERT(target_of(l, node, zero) == 0);
    for (uint32_t axis = 0; axis <= in->rank; axis++) {
        inner_loop(&s->inner, axis);
        if (s->inner.loop[axis] == 0)
            continue;
        uint32_t index[TYPE_MAX_RANK] = {0};
        if (axis > 0)
            index[axis - 1] = 1;
        s->to.stride[nest->n - 1] = axis > 0 ? target_of(l, node, index) : (int64_t)type_elements(&node->type);
    }
    s->first = in->batch ? 1 : 0;
    if (nest->n == s->first || type_last(in) == 1) { /* lanes of one element */
        ACT_ASSERT(nest->n < LOOP_MAX_DEPTH);
        s->inner.step[nest->n] = 1;
        s->to.stride[nest->n] = 1;
        nest->dim[nest->n++] = (Dim){.size = 1};
    }
    inner_collect(l, &s->inner, node->in[0]);
    arrange(s);
    LoopNest row = {.depth = nest->n - s->first};
    Affine to = {0};
    for (uint32_t d = s->first; d < nest->n; d++) {
        row.at[d - s->first] = (LoopLevel){.count = nest->dim[d].size};
        to.coef[d - s->first] = s->to.stride[d];
    }
    s->once = type_elements(in) == type_elements(&node->type) && loop_range_distinct(&row, &to);
}

void lower_scatter(Lower *l)
{
    NodeId id = l->group->anchor;
    const Node *node = graph_node(l->g, id);
    Scatter s = {.inner = {.space = graph_type(l->g, node->in[0])}};
    Extent rows = {.per_row = 1};
    bool split = node->type.batch;
    lower_begin(l, "");
    loops(l, node, &s);
    for (uint32_t d = 0; d < s.first; d++)
        lower_for(l, rows, LOOP_SERIAL);
    if (!s.once) {
        Affine all = {.coef = {s.to.stride[0]}};
        all.coef[s.first] = 1;
        LoopStmt **behind = lower_for(l, (Extent){.fixed = (int64_t)type_elements(&node->type)}, LOOP_VECTOR);
        lower_store(l, id, all, sx_num(l->g->sx, 0));
        l->tail = behind;
    }
    const Nest *nest = &s.inner.nest;
    for (uint32_t d = s.first; d < nest->n; d++)
        lower_for(l, (Extent){.fixed = nest->dim[d].size}, d + 1 == nest->n ? LOOP_VECTOR : LOOP_SERIAL);
    Affine to = inner_affine(&s.inner, &s.to);
    Sx value = inner_value(l, &s.inner, node->in[0]);
    if (!s.once) {
        Sx old = lower_arg(l, (LoopArg){.kind = LARG_LOAD, .index = lower_buf_of(l, id, true), .at = to});
        value = sx_add(l->g->sx, old, value);
    }
    lower_store(l, id, to, value);
    lower_end(l, split ? SPLIT_OUTER : SPLIT_NONE, split ? rows : (Extent){0}, split && l->group->by_rows, 1);
}
