#include "graph/loop_range.h"

#include <stdlib.h>

Extent tile_cut(const LoopTile *tile)
{
    uint32_t cut = tile->cut;
    if (cut < tile->n_outer)
        return tile->outer[cut].extent;
    cut -= tile->n_outer;
    return cut < tile->n_over ? tile->over[cut].extent : tile->rows;
}

bool loop_range_fits(const LoopNest *nest, const Affine *at)
{
    if (llabs(at->base) > LOOP_NUMBER_MAX)
        return false;
    for (uint32_t d = 0; d < nest->depth; d++) {
        if (at->coef[d] && nest->at[d].count > 0 && llabs(at->coef[d]) > LOOP_NUMBER_MAX / nest->at[d].count)
            return false;
    }
    return true;
}

/* A box: variable d runs from low[d] to high[d]. */
typedef struct Box {
    int64_t low[LOOP_MAX_DEPTH], high[LOOP_MAX_DEPTH];
} Box;

typedef struct Reach {
    const LoopNest *nest;
    const Affine *at;
    bool any;
    int64_t low, high;
} Reach;

static void reach_box(Reach *r, const Box *box)
{
    int64_t low = r->at->base, high = r->at->base;
    for (uint32_t d = 0; d < r->nest->depth; d++) {
        if (box->low[d] > box->high[d])
            return;
        int64_t coef = r->at->coef[d];
        low += coef * (coef > 0 ? box->low[d] : box->high[d]);
        high += coef * (coef > 0 ? box->high[d] : box->low[d]);
    }
    r->low = !r->any || low < r->low ? low : r->low;
    r->high = !r->any || high > r->high ? high : r->high;
    r->any = true;
}

/* A clamped loop makes the domain a union of two boxes: all panels but the last, which are full, and the last. */
static void reach(Reach *r, uint32_t d, Box box)
{
    if (d == r->nest->depth) {
        reach_box(r, &box);
        return;
    }
    const LoopLevel *level = &r->nest->at[d];
    box.low[d] = 0;
    box.high[d] = level->count - 1;
    if (level->clamp <= 0 || level->count <= 0) {
        reach(r, d + 1, box);
        return;
    }
    uint32_t c = level->clamp_depth;
    int64_t full = level->clamp / level->count, rest = level->clamp % level->count;
    Box most = box;
    most.high[c] = most.high[c] < full - 1 ? most.high[c] : full - 1;
    reach(r, d + 1, most);
    if (rest > 0 && box.low[c] <= full && full <= box.high[c]) {
        box.low[c] = box.high[c] = full;
        box.high[d] = rest - 1;
        reach(r, d + 1, box);
    }
}

bool loop_range(const LoopNest *nest, const Affine *at, int64_t *low, int64_t *high)
{
    Reach r = {.nest = nest, .at = at};
    reach(&r, 0, (Box){0});
    *low = r.low;
    *high = r.high;
    return r.any;
}

/* ── distinctness ── */
typedef struct Digit {
    int64_t step, count;
} Digit;

static int by_step(const void *a, const void *b)
{
    const Digit *x = a, *y = b;
    return (x->step > y->step) - (x->step < y->step);
}

bool loop_range_distinct(const LoopNest *nest, const Affine *at)
{
    Digit digit[LOOP_MAX_DEPTH];
    for (uint32_t d = 0; d < nest->depth; d++)
        digit[d] = (Digit){llabs(at->coef[d]), nest->at[d].count};
    for (uint32_t d = 0; d < nest->depth; d++) {
        const LoopLevel *level = &nest->at[d];
        if (level->clamp <= 0)
            continue;
        /* Panels over dense rows: block * width + lane, below clamp, is one number. */
        Digit *block = &digit[level->clamp_depth];
        if (at->coef[level->clamp_depth] == at->coef[d] * level->count) {
            int64_t all = block->count * level->count;
            digit[d].count = all < level->clamp ? all : level->clamp;
            *block = (Digit){0, 1};
        } else if (digit[d].count > level->clamp) {
            digit[d].count = level->clamp;
        }
    }
    qsort(digit, nest->depth, sizeof digit[0], by_step);
    int64_t span = 0;
    for (uint32_t d = 0; d < nest->depth; d++) {
        if (digit[d].count <= 1)
            continue;
        if (digit[d].step <= span)
            return false;
        span += digit[d].step * (digit[d].count - 1);
    }
    return true;
}
