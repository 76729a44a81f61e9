#include "graph/loop_range.h"

/* Loops over both at once: the axes that they share, those of the terms, then blocks and the columns in them. */
bool loop_tile_meets(const LoopNest *around, const LoopTile *t, const Affine *store, size_t n)
{
    LoopNest nest = *around;
    uint32_t first = nest.depth, block = first + t->n_outer, row = block + 1 + t->n_over, axes = 0;
    TileAxis axis[LOOP_MAX_DEPTH];
    int64_t stored[LOOP_MAX_DEPTH] = {0};
    if (first + t->n_outer + t->n_over + t->n_deep + 4 > LOOP_MAX_DEPTH)
        return true;
    Affine left = {.base = t->a_base}, to = {.base = store->base};
    for (uint32_t d = 0; d < first; d++)
        to.coef[d] = store->coef[d];
    for (uint32_t i = 0; i < t->n_outer; i++)
        stored[axes] = store->coef[first + i], axis[axes++] = t->outer[i];
    for (uint32_t i = 0; i < t->n_over; i++)
        stored[axes] = store->coef[block + 1 + i], axis[axes++] = t->over[i];
    stored[axes] = store->coef[row], axis[axes++] = (TileAxis){t->rows, t->a_row, 0};
    for (uint32_t i = 0; i < t->n_deep; i++)
        axis[axes++] = t->deep[i];
    axis[axes++] = (TileAxis){t->depth, t->a_k, 0};
    for (uint32_t i = 0; i < axes; i++) {
        left.coef[nest.depth] = axis[i].a;
        to.coef[nest.depth] = stored[i];
        nest.at[nest.depth++] = (LoopLevel){.count = extent_at(axis[i].extent, n)};
    }
    to.coef[nest.depth] = store->coef[block];
    nest.at[nest.depth++] = (LoopLevel){.count = (t->cols + t->width - 1) / t->width};
    to.coef[nest.depth] = store->coef[row + 1];
    nest.at[nest.depth] = (LoopLevel){t->width, t->cols, nest.depth - 1, true};
    nest.depth++;
    return !loop_range_fits(&nest, &left) || !loop_range_fits(&nest, &to) || loop_range_meet(&nest, &left, &to);
}
