/* Movement groups: copies. Which element goes where is the op's to say (Op.locate); the boxes of the result that come from one
 * input, and the strides inside them, are found by asking. */
#include "kernel/lower.h"

#include "ops/build.h"
#include "pass/access.h"

#include <string.h>

typedef struct Box { /* elements low <= index < high of the result come from one input, or are zero */
    uint32_t low[TYPE_MAX_RANK], high[TYPE_MAX_RANK];
    uint32_t every[TYPE_MAX_RANK]; /* along an axis: all of them, or each second, third … where inputs take turns */
    bool zero;
    uint32_t which;
    int64_t step[TYPE_MAX_RANK][TYPE_MAX_RANK]; /* step[a][s]: how source axis s moves along axis a of the result */
    uint32_t source[TYPE_MAX_RANK];             /* of the corner */
} Box;

static bool ask(const Lower *l, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    *which = 0;
    memset(source, 0, sizeof *source * TYPE_MAX_RANK);
    return node->op->locate(l->g, node, index, which, source);
}

/* How far from the corner the same input comes again along an axis; 1 when it does not. */
static uint32_t turn(const Lower *l, const Node *node, const Box *box, uint32_t axis)
{
    enum { MOST = 16 };
    uint32_t at[TYPE_MAX_RANK], which, source[TYPE_MAX_RANK];
    memcpy(at, box->low, sizeof at);
    for (uint32_t step = 1; step <= MOST && !box->zero; step++) {
        at[axis] = box->low[axis] + step;
        if (at[axis] >= node->type.dim[axis])
            break;
        if (ask(l, node, at, &which, source) && which == box->which)
            return step;
    }
    return 1;
}

/* Grows a box from its low corner: along each axis as far as the same input goes on. */
static void grow(const Lower *l, const Node *node, Box *box)
{
    uint32_t at[TYPE_MAX_RANK], which, source[TYPE_MAX_RANK];
    box->zero = !ask(l, node, box->low, &box->which, box->source);
    for (uint32_t axis = 0; axis < node->type.rank; axis++) {
        uint32_t every = box->every[axis] = turn(l, node, box, axis);
        memcpy(at, box->low, sizeof at);
        for (at[axis] += every; at[axis] < node->type.dim[axis]; at[axis] += every) {
            bool zero = !ask(l, node, at, &which, source);
            if (zero != box->zero || (!zero && which != box->which))
                break;
            if (at[axis] == box->low[axis] + every)
                for (uint32_t s = 0; s < TYPE_MAX_RANK; s++)
                    box->step[axis][s] = (int64_t)source[s] - box->source[s];
        }
        box->high[axis] = at[axis];
    }
}

/* How far apart elements are whose indices differ by `coef`. */
static int64_t element(const Lower *l, NodeId value, const int64_t *coef)
{
    const Type *type = graph_type(l->g, value);
    int64_t at = 0, batch;
    View view = lower_view(l, value, &batch);
    for (uint32_t axis = 0; axis < type->rank; axis++)
        at += view.stride[axis] * coef[axis];
    return at;
}

static int64_t base_of(const Lower *l, NodeId value)
{
    int64_t batch;
    return lower_view(l, value, &batch).base;
}

static int64_t row_elements(const Lower *l, NodeId value)
{
    int64_t batch;
    lower_view(l, value, &batch);
    return batch;
}

/* Was it written where it is to be? */
static bool in_place(const Lower *l, NodeId id, const Box *box)
{
    const Node *node = graph_node(l->g, id);
    if (box->zero || l->plan->home[l->plan->storage[node->in[box->which]]] != l->plan->home[id])
        return false;
    NodeId in = node->in[box->which];
    int64_t to[TYPE_MAX_RANK], from[TYPE_MAX_RANK];
    for (uint32_t axis = 0; axis < TYPE_MAX_RANK; axis++)
        to[axis] = box->low[axis], from[axis] = box->source[axis];
    return base_of(l, id) + element(l, id, to) == base_of(l, in) + element(l, in, from);
}

static void copy_box(Lower *l, NodeId id, const Box *box)
{
    const Node *node = graph_node(l->g, id);
    Affine to = {0}, from = {0};
    uint32_t d = 0;
    int64_t coef[TYPE_MAX_RANK] = {0};
    LoopStmt **behind = NULL;
    Extent first = {0};
    if (node->type.batch) {
        first = (Extent){.per_row = 1};
        behind = lower_for(l, first, LOOP_SERIAL);
        to.coef[d] = row_elements(l, id);
        if (!box->zero && graph_type(l->g, node->in[box->which])->batch)
            from.coef[d] = row_elements(l, node->in[box->which]);
        d++;
    }
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        coef[axis] = box->low[axis];
    to.base = base_of(l, id) + element(l, id, coef);
    if (!box->zero) {
        for (uint32_t s = 0; s < TYPE_MAX_RANK; s++)
            coef[s] = box->source[s];
        from.base = base_of(l, node->in[box->which]) + element(l, node->in[box->which], coef);
    }
    for (uint32_t axis = 0; axis < node->type.rank; axis++) {
        Extent extent = {.fixed = (box->high[axis] - box->low[axis] + box->every[axis] - 1) / box->every[axis]};
        bool last = axis + 1 == node->type.rank;
        if (extent.fixed == 1 && !last)
            continue;
        LoopStmt **next = lower_for(l, extent, last ? LOOP_VECTOR : LOOP_SERIAL);
        behind = behind == NULL ? next : behind;
        first = d == 0 ? extent : first;
        int64_t unit[TYPE_MAX_RANK] = {0};
        unit[axis] = box->every[axis];
        to.coef[d] = element(l, id, unit);
        if (!box->zero)
            from.coef[d] = element(l, node->in[box->which], box->step[axis]);
        d++;
    }
    Sx value = box->zero ? sx_num(l->g->sx, 0) : lower_load(l, node->in[box->which], from);
    lower_store(l, id, to, value);
    l->tail = behind;
    lower_end(l, first.per_row ? SPLIT_OUTER : SPLIT_NONE, first.per_row ? first : (Extent){0}, first.per_row != 0, 1);
}

/* Rows start … of a transposed matrix, between panels (or rows): `slices` times `here` of them, each slice from one panel of the source.
 * Lanes are columns of the result, gathered along the rows of the source. */
static void transpose_part(Lower *l, NodeId id, int64_t start, int64_t slices, int64_t here)
{
    const Node *node = graph_node(l->g, id);
    uint32_t to_panel, from_panel;
    lower_layout(l, id, &to_panel);
    lower_layout(l, node->in[0], &from_panel);
    int64_t rows = node->type.dim[0], cols = node->type.dim[1]; /* of the result; the source is [cols][rows] */
    int64_t width = to_panel ? to_panel : cols, slice = from_panel ? from_panel : rows;
    int64_t to_row = to_panel ? to_panel : cols, from_row = from_panel ? from_panel : rows;
    Extent panels = {.fixed = (cols + width - 1) / width};
    lower_for(l, panels, LOOP_SERIAL);
    lower_for(l, (Extent){.fixed = slices}, LOOP_SERIAL);
    lower_for(l, (Extent){.fixed = here}, LOOP_SERIAL);
    lower_for(l, (Extent){.fixed = width}, LOOP_VECTOR);
    l->loop->loop.clamp = cols % width ? cols : 0;
    Affine to = {.base = start * to_row, .coef = {to_panel ? rows * width : 0, slice * to_row, to_row, 1}};
    Affine from = {.base = from_panel ? start / slice * cols * slice : start,
                   .coef = {width * from_row, from_panel ? cols * slice : slice, 1, from_row}};
    lower_store(l, id, to, lower_load(l, node->in[0], from));
    lower_end(l, SPLIT_OUTER, panels, false, 1);
}

static void transpose(Lower *l, NodeId id)
{
    const Node *node = graph_node(l->g, id);
    uint32_t from_panel;
    lower_layout(l, node->in[0], &from_panel);
    int64_t rows = node->type.dim[0], slice = from_panel ? from_panel : rows, whole = rows / slice * slice;
    if (whole != 0)
        transpose_part(l, id, 0, rows / slice, slice);
    if (whole != 0 && whole != rows)
        lower_begin(l, "_rest");
    if (whole != rows)
        transpose_part(l, id, whole, 1, rows - whole);
}

/* The next corner, in the order of the elements, that no box covers yet; everything before *at is covered. */
static bool next_corner(const Node *node, const Box *box, uint32_t n, uint64_t *at, uint32_t *corner)
{
    uint64_t count = type_elements(&node->type);
    while (*at < count) {
        uint64_t rest = *at, skip = 1;
        for (uint32_t axis = node->type.rank; axis-- > 0;) {
            corner[axis] = (uint32_t)(rest % node->type.dim[axis]);
            rest /= node->type.dim[axis];
        }
        bool covered = false;
        for (uint32_t i = n; i-- > 0 && !covered;) {
            covered = true;
            for (uint32_t axis = 0; axis < node->type.rank; axis++)
                covered = covered && corner[axis] >= box[i].low[axis] && corner[axis] < box[i].high[axis] &&
                          (corner[axis] - box[i].low[axis]) % box[i].every[axis] == 0;
            if (covered && box[i].every[node->type.rank - 1] == 1) /* on to the end of the box along the last axis */
                skip = box[i].high[node->type.rank - 1] - corner[node->type.rank - 1];
        }
        if (!covered)
            return true;
        *at += skip;
    }
    return false;
}

void lower_move(Lower *l)
{
    NodeId id = l->group->anchor;
    const Node *node = graph_node(l->g, id);
    uint32_t to_panel = 0, panel = 0;
    bool panels = lower_layout(l, id, &to_panel) == LAYOUT_PANELS;
    for (uint32_t i = 0; i < node->n_in; i++)
        panels = panels || lower_layout(l, node->in[i], &panel) == LAYOUT_PANELS;
    lower_begin(l, "");
    if (panels) {
        ACT_ASSERT(access_is_transpose(l->g, node));
        transpose(l, id);
        return;
    }
    VEC(Box) box = {0};
    uint64_t at = 0;
    uint32_t kernels = 0;
    Box next = {.zero = false};
    while (next_corner(node, box.at, box.n, &at, next.low)) {
        grow(l, node, &next);
        if (!in_place(l, id, &next)) {
            if (kernels++ > 0)
                lower_begin(l, "_part");
            copy_box(l, id, &next);
        }
        *vec_push(l->arena, &box) = next;
        next = (Box){.zero = false};
    }
}
