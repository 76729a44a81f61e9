/* Contraction groups: one TILE. Its left side is read where it lies, its right side streams from panels (or rows); the maps that follow
 * run on the sums before they leave the tile.
 *
 * The result's axes are products of their own, then rows, then columns. Axes along which everything the kernel touches runs evenly
 * become one; what is left is as many loops as the strides ask for: one for a matrix, sample and line around the pixels for a
 * convolution. */
#include "kernel/lower.h"

#include "ops/build.h"
#include "pass/access.h"
#include "pass/pass.h"
#include "pass/views.h"

typedef enum AxisLine { NO_LINES, LINE_PLACES, LINE_TAPS } AxisLine;

typedef struct Axis {
    TileAxis tile;
    uint32_t out;         /* axis of the result, 1 + …; 0: the batch; of the depth: unused */
    AxisLine line;        /* of a window's first axis: its places, its taps */
} Axis;

typedef struct Axes {
    uint32_t n;
    Axis at[2 + TYPE_MAX_RANK];
} Axes;

/* One operand of the body: a load or the place of a store. */
typedef struct Operand {
    int64_t base, axis[1 + TYPE_MAX_RANK]; /* strides along the result's axes, the batch first */
    int64_t block, column;
} Operand;

typedef struct Tiling {
    const Lower *l;
    const Node *anchor;
    Contract spec;
    uint32_t width;       /* columns of a block */
    Axes outer, rows, deep;
} Tiling;

/* ── places ── */

static Operand operand(const Tiling *c, NodeId value)
{
    const Lower *l = c->l;
    const Type *type = graph_type(l->g, value), *user = &c->anchor->type;
    uint32_t panel, columns = access_columns(c->anchor), lead = user->rank - columns;
    Operand o = {0};
    if (lower_layout(l, value, &panel) == LAYOUT_PANELS) {
        ACT_ASSERT(panel == c->width && columns == 1 && type->rank == user->rank);
        int64_t rows = panel;
        for (uint32_t i = lead; i-- > 0; rows *= type->dim[i])
            o.axis[1 + i] = rows;
        o.block = rows;
        o.column = 1;
        return o;
    }
    View view = lower_view(l, value, &o.axis[0]);
    o.base = view.base;
    view_broadcast(&view, type, user, o.axis + 1);
    bool fits = view_columns(o.axis + 1, user, columns, &o.column);
    ACT_ASSERT(fits);
    o.block = o.column * c->width;
    return o;
}

static Affine place(const Tiling *c, const Operand *o)
{
    Affine at = {.base = o->base};
    uint32_t d = 0;
    for (uint32_t i = 0; i < c->outer.n; i++)
        at.coef[d++] = o->axis[c->outer.at[i].out];
    at.coef[d++] = o->block;
    for (uint32_t i = 0; i < c->rows.n; i++)
        at.coef[d++] = o->axis[c->rows.at[i].out];
    at.coef[d] = o->column;
    return at;
}

static uint32_t row_loop(const Tiling *c) { return c->outer.n + c->rows.n; }

/* Does the input come from memory, rather than from the group or as a number? */
static bool loads(const Lower *l, NodeId value)
{
    const Node *node = graph_node(l->g, l->plan->storage[value]);
    double number;
    Sx uniform;
    uint32_t stream;
    return l->plan->group_of[l->plan->storage[value]] != l->number && !build_is_number(node, &number) &&
           !build_is_uniform(node, &uniform) && !build_is_iota(node) && !build_is_random(node, &stream);
}

static Sx input(Lower *l, const Node *user, NodeId value, void *context)
{
    const Tiling *c = context;
    NodeId id = l->plan->storage[value];
    const Node *node = graph_node(l->g, id);
    double number;
    Sx uniform;
    uint32_t stream;
    (void)user;
    if (id == l->group->anchor)
        return lower_arg(l, (LoopArg){.kind = LARG_TILE});
    if (l->plan->group_of[id] == l->number)
        return lower_expr(l, id, input, context);
    if (build_is_number(node, &number))
        return sx_num(l->g->sx, number);
    if (build_is_uniform(node, &uniform))
        return lower_uniform(l, uniform);
    Operand o = operand(c, value);
    if (build_is_iota(node))
        return lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = place(c, &o)});
    if (build_is_random(node, &stream)) { /* a value [B, F]: a row is a sample */
        ACT_ASSERT(node->type.rank == 1 && c->outer.n == 0 && c->rows.n == 1);
        Affine at = place(c, &o), sample = {0};
        at.coef[row_loop(c)] = 0;
        sample.coef[row_loop(c)] = 1;
        return lower_arg(l, (LoopArg){.kind = LARG_RANDOM, .index = stream, .at = sample, .at2 = at});
    }
    return lower_load(l, value, place(c, &o));
}

/* ── axes ── */

static Axis *add_axis(Axes *axes, Extent extent, int64_t a, int64_t b, uint32_t out)
{
    if (extent.per_row == 0 && extent.fixed == 1)
        return NULL;
    axes->at[axes->n] = (Axis){{extent, a, b}, out, NO_LINES};
    return &axes->at[axes->n++];
}

static Extent fixed(uint32_t n) { return (Extent){.fixed = n}; }

/* Strides of the right side's rows (its axes in front of the columns), in panels or as it lies. */
static void right_strides(const Lower *l, NodeId value, int64_t *batch, int64_t stride[TYPE_MAX_RANK], int64_t *base)
{
    const Type *type = graph_type(l->g, value);
    uint32_t panel;
    bool panels = lower_layout(l, value, &panel) == LAYOUT_PANELS;
    View view = lower_view(l, value, batch);
    int64_t rows = panel;
    *base = view.base;
    for (uint32_t i = type->rank; i-- > 0;) {
        stride[i] = panels ? rows : view.stride[i];
        if (i + 1 < type->rank)
            rows *= type->dim[i];
        else
            stride[i] = 1;
    }
}

/* Are B's columns the terms? */
static bool turned(const Contract *c) { return c->form == CONTRACT_NT || c->form == CONTRACT_FLIPPED; }

static void find_axes(Tiling *c, LoopTile *tile)
{
    const Lower *l = c->l;
    const Type *a = graph_type(l->g, c->anchor->in[0]), *b = graph_type(l->g, c->anchor->in[1]);
    int64_t a_batch, b_batch, b_stride[TYPE_MAX_RANK];
    View view = lower_view(l, c->anchor->in[0], &a_batch);
    right_strides(l, c->anchor->in[1], &b_batch, b_stride, &tile->b_base);
    tile->a_base = view.base;
    Contract s = c->spec;
    uint32_t inner = s.form == CONTRACT_NT ? 1 : s.depth, lead = a->rank - inner; /* axes of A that the depth (TN: the rows) takes */
    const Extent batch = {.per_row = 1};
    bool tn = s.form == CONTRACT_TN;
    if (s.each)
        add_axis(&c->outer, batch, a_batch, b_batch, 0);
    for (uint32_t i = 0; i < s.outer; i++)
        add_axis(&c->outer, fixed(a->dim[i]), view.stride[i], b_stride[i], 1 + i);
    Axes *first = tn ? &c->deep : &c->rows, *second = tn ? &c->rows : &c->deep;
    Window window = {0};
    bool lines = s.outer == 0 && !s.each && build_is_window(graph_node(l->g, c->anchor->in[0]), &window) && window.n > 1;
    if (a->batch && !s.each)
        add_axis(first, batch, a_batch, tn ? b_batch : 0, 0);
    for (uint32_t i = s.outer; i < lead; i++) {
        Axis *axis = add_axis(first, fixed(a->dim[i]), view.stride[i], tn ? b_stride[i] : 0, 1 + i);
        if (axis && lines)
            axis->line = i == 0 ? LINE_PLACES : i == window.n ? LINE_TAPS : NO_LINES;
    }
    for (uint32_t i = 0; i < inner; i++) {
        bool along = turned(&s) && i + 1 == inner; /* the terms run along B's columns */
        int64_t step = b_stride[along ? b->rank - 1 : s.outer + i];
        if (s.form == CONTRACT_FLIPPED && !along) {
            uint32_t every = s.step[0] ? s.step[i] : 1;
            tile->b_base += step * (s.phase[i] + (int64_t)every * (a->dim[lead + i] - 1));
            step *= -(int64_t)every;
        }
        Axis *axis = add_axis(second, fixed(a->dim[lead + i]), view.stride[lead + i], tn ? 0 : step, 1 + s.outer + i);
        if (axis && lines && lead + i == window.n)
            axis->line = LINE_TAPS;
    }
    if (turned(&s) && c->deep.n > 0 && type_last(a) == 1) /* a single term still has its loop */
        c->deep.at[c->deep.n++] = (Axis){{fixed(1), 0, 0}, 0, NO_LINES};
}

static bool even(const Axis *inner, int64_t outside, int64_t inside)
{
    return outside == inside * inner->tile.extent.fixed;
}

/* Two neighbours become one; the inner one's strides stay. */
static void join(Axes *axes, uint32_t i)
{
    Extent *extent = &axes->at[i].tile.extent;
    int64_t size = axes->at[i + 1].tile.extent.fixed;
    axes->at[i + 1].tile.extent = (Extent){extent->fixed * size, extent->per_row * size};
    axes->at[i + 1].line = NO_LINES;
    for (axes->n--; i < axes->n; i++)
        axes->at[i] = axes->at[i + 1];
}

static void collapse(Axes *axes, const Operand *operands, uint32_t n)
{
    for (uint32_t i = axes->n; i-- > 1;) {
        const Axis *outer = &axes->at[i - 1], *inner = &axes->at[i];
        bool runs = inner->tile.extent.per_row == 0 && even(inner, outer->tile.a, inner->tile.a) &&
                    even(inner, outer->tile.b, inner->tile.b);
        for (uint32_t k = 0; k < n && runs; k++)
            runs = even(inner, operands[k].axis[outer->out], operands[k].axis[inner->out]);
        if (runs)
            join(axes, i - 1);
    }
}

/* All the body touches. */
static uint32_t operands(const Tiling *c, const Group *group, Operand *out, uint32_t most)
{
    const Lower *l = c->l;
    uint32_t n = 0;
    for (uint32_t i = 0; i < group->nodes.n; i++) {
        NodeId id = group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        if (lower_stored(l, id)) {
            ACT_ASSERT(n < most);
            out[n++] = operand(c, id);
        }
        for (uint32_t k = 0; k < node->n_in && id != group->anchor; k++) {
            if (!loads(l, node->in[k]))
                continue;
            ACT_ASSERT(n < most);
            out[n++] = operand(c, node->in[k]);
        }
    }
    return n;
}

static void last_axis(Axes *axes, Extent *extent, int64_t *a, int64_t *b)
{
    if (axes->n == 0)
        *extent = fixed(1), *a = 0, *b = 0;
    else
        *extent = axes->at[axes->n - 1].tile.extent, *a = axes->at[axes->n - 1].tile.a, *b = axes->at[axes->n - 1].tile.b;
}

static uint32_t further(const Axes *axes, TileAxis *out)
{
    uint32_t n = axes->n > 0 ? axes->n - 1 : 0;
    ACT_ASSERT(n <= TILE_AXES);
    for (uint32_t i = 0; i < n; i++)
        out[i] = axes->at[i].tile;
    return n;
}

/* The axis, if there is one around the innermost. */
static const Axis *line_axis(const Axes *axes, uint32_t *at)
{
    for (*at = 0; *at + 1 < axes->n; ++*at)
        if (axes->at[*at].line != NO_LINES)
            return &axes->at[*at];
    return NULL;
}

/* Windows of a value with zeros before and behind its lines: the sums leave those out. */
static void border(const Tiling *c, LoopTile *tile)
{
    const Graph *g = c->l->g;
    TileBorder b = {0};
    const Axis *over = line_axis(&c->rows, &b.over), *deep = line_axis(&c->deep, &b.deep);
    if (!over || !deep || over->line == deep->line)
        return;
    const Node *windows = graph_node(g, c->anchor->in[0]), *node = graph_node(g, windows->in[0]);
    Window w = build_window_of(windows);
    uint32_t axis, before, after;
    for (; build_is_pad(node, &axis, &before, &after) && axis != 0; node = graph_node(g, node->in[0])) {
    }
    if (!build_is_pad(node, &axis, &before, &after))
        return;
    b.over_step = over->line == LINE_PLACES ? w.stride[0] : w.dilation[0];
    b.deep_step = deep->line == LINE_PLACES ? w.stride[0] : w.dilation[0];
    b.begin = before;
    b.end = (int64_t)node->type.dim[0] - after;
    tile->border = b;
    for (int64_t i = 0; i < over->tile.extent.fixed; i++) {
        int64_t from, to;
        tile_lines(tile, i, &from, &to);
        if (from >= to) /* a place that sees the border alone has a sum, too */
            tile->border = (TileBorder){0};
    }
}

static int64_t size_of(const Graph *g, Extent extent) { return extent.fixed + extent.per_row * g->batch; }

/* What threads share: the batch when the group goes by rows, else the longest of the axes that may be cut. */
static uint32_t cut(const Tiling *c, const LoopTile *tile)
{
    uint32_t best = 0, n = c->outer.n + c->rows.n;
    int64_t most = 0;
    for (uint32_t i = 0; i < n; i++) {
        const Axis *axis = i < c->outer.n ? &c->outer.at[i] : &c->rows.at[i - c->outer.n];
        bool may = i <= c->outer.n || i + 1 == n; /* axes between sample and pixel are counted together */
        if (c->l->group->by_rows && axis->tile.extent.per_row != 0)
            return i;
        if (may && size_of(c->l->g, axis->tile.extent) > most) {
            most = size_of(c->l->g, axis->tile.extent);
            best = i;
        }
    }
    return n == 0 ? 0 : best == n - 1 ? tile->n_outer + tile->n_over : best;
}

/* ── the tile ── */

/* Rows of the register tile: as many accumulators as the registers allow beside the columns' vectors and a broadcast. */
static uint32_t tile_rows(const Target *target, uint32_t width)
{
    uint32_t vectors = (width + target->lanes - 1) / target->lanes;
    uint32_t sums = target->tile_rows * target->tile_vectors;
    uint32_t rows = sums / (vectors == 0 ? 1 : vectors);
    return rows < 1 ? 1 : rows;
}

/* The width of the panels the group reads or writes; else what pads least. */
static uint32_t block_width(const Lower *l, const Node *anchor)
{
    uint32_t panel;
    if (build_form(anchor) == CONTRACT_NN && lower_layout(l, anchor->in[1], &panel) == LAYOUT_PANELS)
        return panel;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        if (lower_stored(l, id) && lower_layout(l, id, &panel) == LAYOUT_PANELS)
            return panel;
    }
    uint64_t columns = 1;
    for (uint32_t i = 0; i < access_columns(anchor); i++)
        columns *= anchor->type.dim[anchor->type.rank - 1 - i];
    return layout_panel(l->target, columns);
}

/* Columns and how the right side is read for them. */
static void right_side(const Tiling *c, LoopTile *tile)
{
    const Lower *l = c->l;
    NodeId value = c->anchor->in[1];
    const Type *b = graph_type(l->g, value);
    int64_t batch, stride[TYPE_MAX_RANK], base, rows = (int64_t)(type_elements(b) / type_last(b));
    uint32_t panel, columns = access_columns(c->anchor);
    bool panels = lower_layout(l, value, &panel) == LAYOUT_PANELS;
    right_strides(l, value, &batch, stride, &base);
    tile->cols = 1;
    for (uint32_t i = 0; i < columns; i++)
        tile->cols *= c->anchor->type.dim[c->anchor->type.rank - 1 - i];
    tile->b_padded = panels;
    if (!turned(&c->spec)) {
        tile->b_block = panels ? rows * panel : c->width;
        return;
    }
    Type lead = *b;
    lead.rank--;
    bool fits = view_columns(stride, &lead, columns, &tile->b_block);
    ACT_ASSERT(fits);
    tile->b_turn = panels ? panel : (int64_t)type_last(b);
    tile->b_k = panels ? rows * panel : 0;
    if (tile->b_block == 0) /* one column */
        tile->b_block = tile->b_turn;
}

void lower_contract(Lower *l)
{
    enum { MOST_OPERANDS = 128 };
    const Node *anchor = graph_node(l->g, l->group->anchor);
    Tiling c = {.l = l, .anchor = anchor, .spec = build_contract_of(anchor), .width = block_width(l, anchor)};
    lower_begin(l, "");
    LoopStmt *s = lower_stmt(l, LOOP_TILE);
    LoopTile *tile = &s->tile;
    uint32_t panel = 0;
    ACT_ASSERT(lower_layout(l, anchor->in[0], &panel) == LAYOUT_ROWS);
    tile->a = lower_buf(l, anchor->in[0]);
    tile->b = lower_buf(l, anchor->in[1]);
    tile->width = c.width;
    tile->tile_rows = tile_rows(l->target, c.width);
    find_axes(&c, tile);
    Operand *touched = arena_array(l->arena, Operand, MOST_OPERANDS);
    collapse(&c.rows, touched, operands(&c, l->group, touched, MOST_OPERANDS));
    collapse(&c.deep, touched, 0);
    int64_t none;
    last_axis(&c.rows, &tile->rows, &tile->a_row, &none);
    last_axis(&c.deep, &tile->depth, &tile->a_k, &tile->b_k);
    if (c.deep.n == 0) /* a single term is no constant of its loop: a tile's whole left side would be kept in registers */
        tile->a_k = 1, tile->b_k = c.width;
    if (c.rows.n == 0) /* a single row still has its loop */
        c.rows.at[c.rows.n++] = (Axis){{fixed(1), 0, 0}, 0, NO_LINES};
    tile->n_over = further(&c.rows, tile->over);
    tile->n_deep = further(&c.deep, tile->deep);
    tile->n_outer = c.outer.n;
    for (uint32_t i = 0; i < c.outer.n; i++)
        tile->outer[i] = c.outer.at[i].tile;
    border(&c, tile);
    right_side(&c, tile);
    tile->cut = cut(&c, tile);
    l->tail = &tile->body;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        if (!lower_stored(l, id))
            continue;
        Sx what = id == l->group->anchor ? lower_arg(l, (LoopArg){.kind = LARG_TILE}) : lower_expr(l, id, input, &c);
        Operand o = operand(&c, id);
        lower_store(l, id, place(&c, &o), what);
    }
    bool rows = tile->cut == tile->n_outer + tile->n_over, plain = !tile->n_outer && !tile->n_over;
    lower_end(l, l->group->by_tiles && plain ? SPLIT_TILES : SPLIT_OUTER, tile_cut(tile), l->group->by_rows,
              rows && !l->group->by_rows ? tile->tile_rows : 1);
}
