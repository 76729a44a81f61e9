/* Moments of pointwise expressions of several independent Gaussian values, for signal propagation.
 *
 * Affine expressions are exact. One varying argument: quadrature split at the kinks (sx_spread). Sums and products of
 * parts that share no varying argument (a gated unit, a * sigmoid(b)) follow from their parts, and a function of a sum ((a - b)²) is one of a single number. What is left: the mean
 * over a fixed low-discrepancy set of Gaussian points (Kronecker sequences of square roots of primes). */
#ifndef ACT_OPS_SAMPLE_H
#define ACT_OPS_SAMPLE_H

#include "graph/op.h"

typedef struct Sample {
    SxPool *sx;
    const Moments *const *in; /* of argument i */
    uint32_t n;
    bool near;        /* a table will do */
    uint64_t uniform; /* bit i: argument i is drawn from [0, 1), anew for every sample, and not Gaussian */
    bool alone;       /* what two samples have in common is not asked */
} Sample;

void sample_forward(const Sample *sample, Sx f, Moments *out);
/* slope2[i] = E (df/dx_i)². */
void sample_slopes(const Sample *sample, Sx f, double *slope2);

#endif
