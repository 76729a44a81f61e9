/* Random expressions with a generator of their own, so that every run and every machine sees the same ones. */
#ifndef TEST_GRAPH_SX_RANDOM_H
#define TEST_GRAPH_SX_RANDOM_H

#include "graph/sx.h"

#include <math.h>

typedef struct Dice {
    uint64_t state;
} Dice;

static inline uint32_t dice_bits(Dice *d)
{
    d->state = d->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(d->state >> 33);
}

static inline uint32_t dice_below(Dice *d, uint32_t n) { return dice_bits(d) % n; }
static inline double dice_unit(Dice *d) { return dice_bits(d) / 2147483648.0; }
static inline double dice_in(Dice *d, double low, double high) { return low + (high - low) * dice_unit(d); }

static inline Sx dice_leaf(SxPool *p, Dice *d)
{
    static const double number[] = {0, 1, -1, 0.5, 2, 3, -2.5, 0.01, 6, -0.125, 1e3, 0.1};
    if (dice_below(d, 3))
        return sx_arg(p, dice_below(d, 3));
    return sx_num(p, number[dice_below(d, sizeof number / sizeof *number)]);
}

/* A DAG of about `size` inner nodes over three arguments; `allow` says which primitives may be drawn. */
static inline Sx dice_expression(SxPool *p, Dice *d, unsigned size, bool (*allow)(SxOp op))
{
    Sx node[64];
    unsigned n = 0;
    for (; n < 4; n++)
        node[n] = dice_leaf(p, d);
    while (n < size + 4 && n < 64) {
        SxOp op = (SxOp)(SX_NEG + dice_below(d, SX_OP_COUNT - SX_NEG));
        if (allow && !allow(op))
            continue;
        Sx in[3];
        for (unsigned k = 0; k < 3; k++) /* mostly recent nodes, so that the DAG is deep and its root uses much of it */
            in[k] = dice_below(d, 4) ? node[n - 1 - dice_below(d, n < 5 ? n : 5)] : dice_leaf(p, d);
        unsigned arity = sx_op_arity(op);
        node[n++] = op == SX_POWI ? sx_powi(p, in[0], (int)dice_below(d, 7) - 2)
                                  : sx_make(p, op, in[0], arity > 1 ? in[1] : 0, arity > 2 ? in[2] : 0);
    }
    return node[n - 1];
}

#endif
