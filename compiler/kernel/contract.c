/* Contraction groups: one TILE. Its left side is read in place by rows, its right side streams from panels (or rows of the
 * batch, for a weight gradient); the maps that follow run on the sums before they leave the tile. */
#include "kernel/lower.h"

#include "ops/build.h"
#include "pass/access.h"
#include "pass/pass.h"

typedef struct Tiling {
    const Node *anchor;
    uint32_t width;       /* columns of a block */
} Tiling;

static bool leads_with_rows(const Type *type) { return type->rank == 1; }

/* The place of an element of `type` as the body's loops see it: block, row, column in the block. */
static Affine place(const Tiling *c, const Type *type, const Type *user, uint32_t panel, uint32_t pad)
{
    Affine at = {0};
    if (panel != 0) {
        ACT_ASSERT(panel == c->width);
        at.coef[0] = (int64_t)type->dim[0] * panel;
        at.coef[1] = panel;
        at.coef[2] = 1;
        return at;
    }
    int64_t row, column;
    bool fits = access_matrix(type, user, 1, &row, &column);
    ACT_ASSERT(fits);
    at.coef[0] = column * c->width;
    at.coef[1] = row != 0 ? row + pad : 0;
    at.coef[2] = column;
    return at;
}

static Sx input(Lower *l, const Node *user, NodeId value, void *context)
{
    const Tiling *c = context;
    NodeId id = l->plan->storage[value];
    const Node *node = graph_node(l->g, id);
    double number;
    Sx uniform;
    uint32_t stream;
    if (id == l->group->anchor)
        return lower_arg(l, (LoopArg){.kind = LARG_TILE});
    if (l->plan->group_of[id] == l->number)
        return lower_expr(l, id, input, context);
    if (build_is_number(node, &number))
        return sx_num(l->g->sx, number);
    if (build_is_uniform(node, &uniform))
        return lower_uniform(l, uniform);
    uint32_t panel = 0, pad = 0;
    if (!build_is_iota(node) && !build_is_random(node, &stream)) {
        lower_layout(l, value, &panel);
        pad = lower_pad(l, value);
    }
    Affine at = place(c, graph_type(l->g, value), &user->type, panel, pad);
    if (build_is_iota(node))
        return lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = at});
    if (build_is_random(node, &stream)) {
        ACT_ASSERT(leads_with_rows(&node->type));
        Affine sample = {.coef = {0, 1, 0}};
        at.coef[1] = 0;
        return lower_arg(l, (LoopArg){.kind = LARG_RANDOM, .index = stream, .at = sample, .at2 = at});
    }
    return lower_load(l, value, at);
}

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
    return layout_panel(l->target, type_last(&anchor->type));
}

static Extent rows_extent(const Type *type)
{
    int64_t lead = (int64_t)(type_elements(type) / type_last(type));
    return type->batch ? (Extent){.per_row = lead} : (Extent){.fixed = lead};
}

void lower_contract(Lower *l)
{
    const Node *anchor = graph_node(l->g, l->group->anchor);
    const Type *a = graph_type(l->g, anchor->in[0]), *b = graph_type(l->g, anchor->in[1]);
    Tiling c = {.anchor = anchor, .width = block_width(l, anchor)};
    lower_begin(l, "");
    LoopStmt *s = lower_stmt(l, LOOP_TILE);
    LoopTile *tile = &s->tile;
    uint32_t panel = 0;
    tile->a = lower_buf(l, anchor->in[0]);
    tile->b = lower_buf(l, anchor->in[1]);
    tile->cols = (uint32_t)type_last(&anchor->type);
    tile->width = c.width;
    tile->tile_rows = tile_rows(l->target, c.width);
    ACT_ASSERT(lower_layout(l, anchor->in[0], &panel) == LAYOUT_ROWS);
    if (build_form(anchor) == CONTRACT_NN) {
        int64_t k = (int64_t)type_last(a);
        tile->rows = rows_extent(a);
        tile->depth = (Extent){.fixed = k};
        tile->a_row = k + lower_pad(l, anchor->in[0]);
        tile->a_k = 1;
        if (lower_layout(l, anchor->in[1], &panel) == LAYOUT_PANELS) {
            tile->b_block = k * panel;
            tile->b_k = panel;
            tile->b_padded = true;
        } else {
            tile->b_block = c.width;
            tile->b_k = (int64_t)type_last(b);
        }
    } else if (build_form(anchor) == CONTRACT_NT) {
        int64_t n = (int64_t)type_last(a);
        tile->rows = rows_extent(a);
        tile->depth = (Extent){.fixed = n};
        tile->a_row = n + lower_pad(l, anchor->in[0]);
        tile->a_k = 1;
        tile->b_padded = lower_layout(l, anchor->in[1], &panel) == LAYOUT_PANELS;
        tile->b_turn = tile->b_padded ? panel : n;
        tile->b_block = tile->b_turn;
        tile->b_k = tile->b_padded ? (int64_t)b->dim[0] * panel : 0;
    } else {
        tile->rows = (Extent){.fixed = (int64_t)type_last(a)};
        tile->depth = rows_extent(a);
        tile->a_row = 1;
        tile->a_k = (int64_t)type_last(a) + lower_pad(l, anchor->in[0]);
        tile->b_block = c.width;
        tile->b_k = (int64_t)type_last(b) + lower_pad(l, anchor->in[1]);
    }
    l->tail = &tile->body;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        if (!lower_stored(l, id))
            continue;
        Sx what = id == l->group->anchor ? lower_arg(l, (LoopArg){.kind = LARG_TILE}) : lower_expr(l, id, input, &c);
        const Type *type = graph_type(l->g, id);
        lower_layout(l, id, &panel);
        lower_store(l, id, place(&c, type, type, panel, lower_pad(l, id)), what);
    }
    lower_end(l, l->group->by_tiles ? SPLIT_TILES : SPLIT_OUTER, tile->rows, l->group->by_rows,
              l->group->by_rows ? 1 : tile->tile_rows);
}
