#include "graph/loop_range.h"

uint32_t loop_tile_left(const LoopTile *t, TileAxis axis[TILE_LEFT_MOST])
{
    const TileAxis row = {t->rows, t->a_row, 0}, term = {t->depth, t->a_k, 0};
    const TileAxis *run[] = {t->outer, t->over, &row, t->deep, &term};
    const uint32_t many[] = {t->n_outer, t->n_over, 1, t->n_deep, 1};
    uint32_t n = 0;
    for (uint32_t k = 0; k < sizeof many / sizeof *many; k++)
        for (uint32_t i = 0; i < many[k]; i++)
            axis[n++] = run[k][i];
    return n;
}

/* Loops over both at once: the axes of the left side, of which those before the terms are the store's, too, then blocks and the columns in
 * them. */
bool loop_tile_meets(const LoopNest *around, const LoopTile *t, const Affine *store, size_t n)
{
    LoopNest nest = *around;
    TileAxis axis[TILE_LEFT_MOST];
    uint32_t first = nest.depth, block = first + t->n_outer, shared = t->n_outer + t->n_over + 1, axes = loop_tile_left(t, axis);
    if (first + axes + 2 > LOOP_MAX_DEPTH)
        return true;
    Affine left = {.base = t->a_base}, to = {.base = store->base};
    for (uint32_t d = 0; d < first; d++)
        to.coef[d] = store->coef[d];
    for (uint32_t i = 0; i < axes; i++) {
        left.coef[nest.depth] = axis[i].a;
        to.coef[nest.depth] = i >= shared ? 0 : store->coef[first + i + (i >= t->n_outer)]; /* the block stands between */
        nest.at[nest.depth++] = (LoopLevel){.count = extent_at(axis[i].extent, n)};
    }
    to.coef[nest.depth] = store->coef[block];
    nest.at[nest.depth++] = (LoopLevel){.count = (t->cols + t->width - 1) / t->width};
    to.coef[nest.depth] = store->coef[first + shared + 1];
    nest.at[nest.depth] = (LoopLevel){t->width, t->cols, nest.depth - 1, true};
    nest.depth++;
    return !loop_range_fits(&nest, &left) || !loop_range_fits(&nest, &to) || loop_range_meet(&nest, &left, &to);
}

static int64_t steps_up_to(int64_t line, int64_t step) { return line <= 0 ? 0 : (line + step - 1) / step; }

void tile_lines(const LoopTile *t, int64_t place, int64_t *from, int64_t *to)
{
    const TileBorder *border = &t->border;
    int64_t line = place * border->over_step, all = t->deep[border->deep].extent.fixed;
    *from = steps_up_to(border->begin - line, border->deep_step);
    *to = steps_up_to(border->end - line, border->deep_step);
    *to = *to < all ? *to : all;
}

const char *loop_tile_names(const LoopTile *t)
{
    const TileBorder *border = &t->border;
    if (t->cut > t->n_outer + t->n_over)
        return "a tile is shared along an axis that it does not have";
    if (border->end == 0)
        return NULL;
    if (border->over >= t->n_over || border->deep >= t->n_deep || border->over_step <= 0 || border->deep_step <= 0 ||
        t->over[border->over].extent.per_row || t->deep[border->deep].extent.per_row)
        return "a tile has a border along axes that it does not have";
    for (int64_t i = 0; i < t->over[border->over].extent.fixed; i++) {
        int64_t from, to;
        tile_lines(t, i, &from, &to);
        if (from >= to)
            return "a tile has places with nothing but border";
    }
    return NULL;
}

const LoopTile *tile_of_places(const LoopStmt *body)
{
    bool alone = body && !body->next && body->kind == LOOP_TILE;
    const LoopTile *t = alone ? &body->tile : NULL;
    return t && t->n_outer == 0 && t->n_over > 0 && t->cut == 0 && t->over[0].extent.per_row == 1 && t->rows.fixed > 0 ? t : NULL;
}

const char *loop_ahead_names(const LoopProgram *program, const LoopKernel *kernel)
{
    if (kernel->n_ahead > 0 && (!kernel->by_rows || !tile_of_places(kernel->body)))
        return "asks ahead, but is no product over places of the rows";
    for (uint32_t i = 0; i < kernel->n_ahead; i++)
        if (kernel->ahead[i].buf >= program->bufs.n || kernel->ahead[i].row <= 0 || kernel->ahead[i].base < 0)
            return "asks ahead for a buffer, or rows of it, that there are not";
    return NULL;
}
