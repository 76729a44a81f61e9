/* The peak of fused multiply-adds in single precision, of the thread that asks. */
#ifndef ACT_BENCH_FMA_H
#define ACT_BENCH_FMA_H

/* Median over slices of `turns` times 16 multiply-adds on vectors, after one that only warms up; `started` (may be NULL) is called between
 * that and the others. At least `seconds`. Operations a second, two for each multiply-add and lane. */
double fma_peak(double seconds, int turns, void (*started)(void));

#endif
