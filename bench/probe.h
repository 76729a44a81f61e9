/* The clock of the benchmark programs: seconds, and cycles by what the processor itself does. */
#ifndef ACT_BENCH_PROBE_H
#define ACT_BENCH_PROBE_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline double probe_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline int probe_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts what it is given. n > 0. */
static inline double probe_median(double *value, size_t n)
{
    qsort(value, n, sizeof *value, probe_ascending);
    return n % 2 ? value[n / 2] : (value[n / 2 - 1] + value[n / 2]) / 2;
}

#if defined(__x86_64__)
#define PROBE_ADD(sum, one) __asm__ volatile("add %1, %0" : "+r"(sum) : "r"(one))
#elif defined(__aarch64__)
#define PROBE_ADD(sum, one) __asm__ volatile("add %0, %0, %1" : "+r"(sum) : "r"(one))
#else
#define PROBE_ADD(sum, one) do { sum += one; __asm__ volatile("" : "+r"(sum)); } while (0)
#endif

/* Seconds of one cycle: a chain of dependent integer additions, which every processor of today takes one cycle each for. As
 * instructions of our own choice: a compiler may take lea, which takes two. The best of `slices` stretches of about a tenth of a
 * millisecond: an interrupt makes a stretch longer, nothing makes one shorter. */
static inline double probe_cycle(int slices)
{
    enum { ADDITIONS = 64, TURNS = 5000 };
    double best = 1;
    uint64_t sum = 0, one = 1;
    for (int s = 0; s < slices; s++) {
        double begin = probe_now();
        for (int i = 0; i < TURNS; i++) {
#pragma GCC unroll 64
            for (int k = 0; k < ADDITIONS; k++) PROBE_ADD(sum, one);
        }
        double seconds = (probe_now() - begin) / ((double)ADDITIONS * TURNS);
        best = seconds < best ? seconds : best;
    }
    return best;
}

#endif
