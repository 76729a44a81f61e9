/* Moments of pointwise expressions of several independent Gaussian values, for signal propagation.
 *
 * One varying argument: quadrature split at the kinks (sx_gauss). Affine expressions: exact. Several arguments under a non-linear
 * expression: the mean over a fixed low-discrepancy set of Gaussian points (Kronecker sequence of square roots of primes). */
#ifndef ACT_OPS_SAMPLE_H
#define ACT_OPS_SAMPLE_H

#include "graph/op.h"

void sample_forward(SxPool *sx, Sx f, const Moments *const *in, uint32_t n, Moments *out);
/* slope2[i] = E (df/dx_i)². */
void sample_slopes(SxPool *sx, Sx f, const Moments *const *in, uint32_t n, double *slope2);

#endif
