/* An arena and a pool of expressions, new for every test. */
#ifndef ACT_TEST_FRESH_H
#define ACT_TEST_FRESH_H

#include "graph/sx.h"

static Arena *arena;
static SxPool *sx;

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    sx = sx_pool_new(arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#endif
