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

/* ── meeting ── */
typedef struct Term { /* step * k for some low <= k <= high */
    int64_t step, low, high;
} Term;

static void add_term(Term *term, uint32_t *n, int64_t coef, int64_t count)
{
    int64_t step = llabs(coef), most = count - 1;
    if (step == 0 || most <= 0)
        return;
    uint32_t i = 0;
    while (i < *n && term[i].step > step)
        i++;
    if (i == *n || term[i].step != step) {
        for (uint32_t k = (*n)++; k > i; k--)
            term[k] = term[k - 1];
        term[i] = (Term){step, 0, 0};
    }
    *(coef > 0 ? &term[i].high : &term[i].low) += coef > 0 ? most : -most;
}

/* Is `sum` a sum of the terms? From the largest step on, whose multiples the smaller ones have to make up for. */
static bool makes(const Term *term, uint32_t n, int64_t sum, uint32_t *budget)
{
    if (n == 0)
        return sum == 0;
    if (*budget == 0)
        return true;
    --*budget;
    int64_t low = 0, high = 0;
    for (uint32_t i = 1; i < n; i++) {
        low += term[i].step * term[i].low;
        high += term[i].step * term[i].high;
    }
    for (int64_t k = term[0].low; k <= term[0].high; k++) {
        int64_t rest = sum - term[0].step * k;
        if (rest < low)
            return false;
        if (rest > high) { /* on to the first multiple that may do */
            int64_t skip = (rest - high) / term[0].step;
            k += skip > 1 ? skip - 1 : 0;
            continue;
        }
        if (makes(term + 1, n - 1, rest, budget))
            return true;
    }
    return false;
}

/* `sign` times the index, but for its base. A loop over blocks and one inside each that is clamped where they end are one run. */
static void add_terms(Term *term, uint32_t *n, const LoopNest *nest, const Affine *at, int64_t sign)
{
    int64_t count[LOOP_MAX_DEPTH];
    for (uint32_t d = 0; d < nest->depth; d++)
        count[d] = nest->at[d].count;
    for (uint32_t d = 0; d < nest->depth; d++) {
        const LoopLevel *in = &nest->at[d];
        if (in->clamp == 0 || at->coef[in->clamp_depth] != at->coef[d] * in->count)
            continue;
        count[d] = in->clamp;
        count[in->clamp_depth] = 1;
    }
    for (uint32_t d = 0; d < nest->depth; d++)
        add_term(term, n, sign * at->coef[d], count[d]);
}

bool loop_range_meet(const LoopNest *nest, const Affine *a, const Affine *b)
{
    Term term[2 * LOOP_MAX_DEPTH];
    uint32_t n = 0, budget = 1000;
    add_terms(term, &n, nest, a, 1);
    add_terms(term, &n, nest, b, -1);
    return makes(term, n, b->base - a->base, &budget);
}
