/* Which places an affine index can reach inside a nest. */
#ifndef ACT_GRAPH_LOOP_RANGE_H
#define ACT_GRAPH_LOOP_RANGE_H

#include "graph/loop.h"

/* One enclosing loop, its extent made a number for a given n. */
typedef struct LoopLevel {
    int64_t count;
    int64_t clamp;        /* 0: none */
    uint32_t clamp_depth;
    bool vector;
} LoopLevel;

typedef struct LoopNest {
    uint32_t depth;
    LoopLevel at[LOOP_MAX_DEPTH];
} LoopNest;

/* Numbers beyond this are refused, so that sums of eight products stay inside 64 bits. */
#define LOOP_NUMBER_MAX (INT64_C(1) << 40)

static inline bool extent_same(Extent a, Extent b) { return a.fixed == b.fixed && a.per_row == b.per_row; }
static inline int64_t extent_at(Extent extent, size_t n) { return extent.fixed + extent.per_row * (int64_t)n; }
static inline bool affine_equal(const Affine *a, const Affine *b)
{
    bool equal = a->base == b->base;
    for (uint32_t d = 0; d < LOOP_MAX_DEPTH; d++)
        equal = equal && a->coef[d] == b->coef[d];
    return equal;
}

/* The smallest and greatest value of `at` over all iterations; false when there is no iteration at all. Every
 * |coef| * count must be at most LOOP_NUMBER_MAX (loop_range_fits). */
bool loop_range(const LoopNest *nest, const Affine *at, int64_t *low, int64_t *high);
bool loop_range_fits(const LoopNest *nest, const Affine *at);
/* True when no two iterations give the same value, by mixed radix: sorted by size, every coefficient steps over all
 * that the smaller ones reach. Sufficient, and what dense memory, its slices, permutations and panels satisfy. */
bool loop_range_distinct(const LoopNest *nest, const Affine *at);
/* May an iteration give `a` the value that one, perhaps another, gives `b`? False only when it is certain that none does. */
bool loop_range_meet(const LoopNest *nest, const Affine *a, const Affine *b);
/* The axes that a tile walks along its left side, outermost first: outer…, over…, row, deep…, term. Their number. */
enum { TILE_LEFT_MOST = 3 * TILE_AXES + 2 };
uint32_t loop_tile_left(const LoopTile *t, TileAxis axis[TILE_LEFT_MOST]);
/* What is wrong with the axes a tile names, the one it is cut along and those of its border; or NULL. */
const char *loop_tile_names(const LoopTile *t);
/* What is wrong with what a kernel asks for ahead; or NULL. */
const char *loop_ahead_names(const LoopProgram *program, const LoopKernel *kernel);
/* May a tile inside `around` store at `store` (loop.h has its loops) an element that it reads on its left side, at any time? The buffer is the
 * same: a part of it may be written while another is read, the next step of a sequence. */
bool loop_tile_meets(const LoopNest *around, const LoopTile *t, const Affine *store, size_t n);

#endif
