/* What most tests of sx start from: a pool, new for each test, and its first two arguments. */
#ifndef TEST_GRAPH_SX_POOL_H
#define TEST_GRAPH_SX_POOL_H

#include "graph/sx.h"

static Arena *arena;
static SxPool *p;
static Sx x __attribute__((unused)), y __attribute__((unused));

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    p = sx_pool_new(arena);
    x = sx_arg(p, 0), y = sx_arg(p, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static inline Sx num(double v) { return sx_num(p, v); }

#endif
