/* Multiply-adds on independent vector accumulators, nothing else; compiled for the machine it stands on. Sixteen accumulators are
 * more than latency times pipes of today's cores. Like the times it is compared with, the figure is a median: what a busy machine takes
 * away in between counts in neither. */
#include "fma.h"

#include "probe.h"

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { ACCUMULATORS = 16, MAX_SLICES = 20000 };

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

static void spin(Vector *acc, int turns, Vector factor, Vector more)
{
    Vector a[ACCUMULATORS];
#pragma GCC unroll 16
    for (int i = 0; i < ACCUMULATORS; i++) a[i] = acc[i];
    for (int turn = 0; turn < turns; turn++) {
#pragma GCC unroll 16
        for (int i = 0; i < ACCUMULATORS; i++) a[i] = a[i] * factor + more;
    }
#pragma GCC unroll 16
    for (int i = 0; i < ACCUMULATORS; i++) acc[i] = a[i];
}

double fma_peak(double seconds, int turns, void (*started)(void))
{
    Vector acc[ACCUMULATORS], factor = (Vector){0} + 0.75f, more = (Vector){0} + 0.25f; /* towards 1, never to a subnormal */
    double *slice = calloc(MAX_SLICES, sizeof *slice), begin, at;
    size_t n = 0;
    if (!slice) exit(1);
    for (int i = 0; i < ACCUMULATORS; i++) acc[i] = (Vector){0} + (float)(i + 2);
    spin(acc, turns, factor, more);
    if (started) started();
    for (begin = at = probe_now(); n == 0 || (at - begin < seconds && n < MAX_SLICES);) {
        spin(acc, turns, factor, more);
        double before = at;
        at = probe_now();
        slice[n++] = at - before;
    }
    double median = probe_median(slice, n);
    volatile float used; /* what is computed must be used */
    for (int i = 0; i < ACCUMULATORS; i++) used = acc[i][0];
    (void)used;
    free(slice);
    return 2.0 * LANES * ACCUMULATORS * turns / median;
}
