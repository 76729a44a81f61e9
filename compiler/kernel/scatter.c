/* Scatter groups: what an op adds up where it belongs (Op.locate, an affine map). Each row of the batch is zeroed and added to in
 * order, so threads split the batch and the sum of an element has one order. What falls on every place once is only copied. */
#include "kernel/lower.h"

#include "graph/loop_range.h"
#include "graph/op.h"

typedef struct Axis { /* of the input: how far apart its elements are here and there */
    int64_t size, from, to;
} Axis;

typedef struct Scatter {
    Axis axis[TYPE_MAX_RANK]; /* outermost first; the last one becomes lanes */
    uint32_t n;
    int64_t rows_from, rows_to; /* between rows of the batch */
    bool once;                  /* no place is met twice, and none is left out */
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

/* Lanes grow over axes that lie side by side in both, as long as no two runs of lanes share a place: then one would wait for the other. */
static bool joins(const Scatter *s, uint32_t outer)
{
    const Axis *a = &s->axis[outer], *lanes = &s->axis[s->n - 1];
    if (a->from != lanes->from * lanes->size || a->to != lanes->to * lanes->size)
        return false;
    for (uint32_t i = 0; i + 1 < s->n; i++)
        if (i != outer && s->axis[i].to < a->to * a->size)
            return false;
    return true;
}

static void drop(Scatter *s, uint32_t i)
{
    for (s->n--; i < s->n; i++)
        s->axis[i] = s->axis[i + 1];
}

/* Far steps outside: a line of the result stays in the cache while it is added to. */
static void arrange(Scatter *s)
{
    for (uint32_t i = s->n - 1; i-- > 0;)
        if (joins(s, i)) {
            s->axis[s->n - 1].size *= s->axis[i].size;
            drop(s, i);
        }
    for (uint32_t i = 1; i + 1 < s->n; i++)
        for (uint32_t k = i; k > 0 && s->axis[k - 1].to < s->axis[k].to; k--) {
            Axis swap = s->axis[k];
            s->axis[k] = s->axis[k - 1], s->axis[k - 1] = swap;
        }
    if (s->n >= 3) { /* neighbours in time should not meet at one place: the long loop runs inside */
        Axis *a = &s->axis[s->n - 3], *b = &s->axis[s->n - 2], swap = *a;
        if (b->size * b->to > a->to && b->size < a->size)
            *a = *b, *b = swap;
    }
}

static Scatter scatter_of(const Lower *l, const Node *node)
{
    const Type *in = graph_type(l->g, node->in[0]);
    Scatter s = {.rows_from = (int64_t)type_elements(in), .rows_to = (int64_t)type_elements(&node->type)};
    uint32_t zero[TYPE_MAX_RANK] = {0};
    int64_t from = s.rows_from, corner = target_of(l, node, zero);
    ACT_ASSERT(corner == 0);
    for (uint32_t i = 0; i < in->rank; i++) {
        uint32_t index[TYPE_MAX_RANK] = {0};
        from /= in->dim[i];
        index[i] = in->dim[i] > 1;
        if (in->dim[i] > 1)
            s.axis[s.n++] = (Axis){in->dim[i], from, target_of(l, node, index)};
    }
    if (s.n == 0 || s.axis[s.n - 1].from != 1 || s.axis[s.n - 1].to != 1)
        s.axis[s.n++] = (Axis){1, 1, 1};
    arrange(&s);
    LoopNest nest = {.depth = s.n};
    Affine to = {0};
    for (uint32_t i = 0; i < s.n; i++) {
        nest.at[i] = (LoopLevel){.count = s.axis[i].size};
        to.coef[i] = s.axis[i].to;
    }
    s.once = s.rows_from == s.rows_to && loop_range_distinct(&nest, &to);
    return s;
}

/* Appends `for` and counts it; the first one's end goes to *behind. */
static void open_loop(Lower *l, Extent extent, LoopMode mode, uint32_t *d, LoopStmt ***behind)
{
    LoopStmt **next = lower_for(l, extent, mode);
    *behind = *behind == NULL ? next : *behind;
    ++*d;
}

void lower_scatter(Lower *l)
{
    NodeId id = l->group->anchor;
    const Node *node = graph_node(l->g, id);
    Scatter s = scatter_of(l, node);
    Affine to = {0}, from = {0};
    uint32_t d = 0;
    LoopStmt **behind = NULL;
    Extent rows = {.per_row = 1};
    lower_begin(l, "");
    if (node->type.batch) {
        to.coef[0] = s.rows_to, from.coef[0] = s.rows_from;
        open_loop(l, rows, LOOP_SERIAL, &d, &behind);
    }
    if (!s.once) {
        Affine all = to;
        all.coef[d] = 1;
        LoopStmt **next = lower_for(l, (Extent){.fixed = s.rows_to}, LOOP_VECTOR);
        lower_store(l, id, all, sx_num(l->g->sx, 0));
        l->tail = next;
    }
    for (uint32_t i = 0; i < s.n; i++) {
        to.coef[d] = s.axis[i].to, from.coef[d] = s.axis[i].from;
        open_loop(l, (Extent){.fixed = s.axis[i].size}, i + 1 == s.n ? LOOP_VECTOR : LOOP_SERIAL, &d, &behind);
    }
    Sx value = lower_load(l, node->in[0], from);
    if (!s.once)
        value = sx_add(l->g->sx, lower_arg(l, (LoopArg){.kind = LARG_LOAD, .index = lower_buf_of(l, id, true), .at = to}), value);
    lower_store(l, id, to, value);
    bool split = node->type.batch;
    lower_end(l, split ? SPLIT_OUTER : SPLIT_NONE, split ? rows : (Extent){0}, split && l->group->by_rows, 1);
}
