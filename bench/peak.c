/* What this processor can do at most in single precision: fused multiply-adds on independent vector accumulators, nothing else.
 *
 *     bench_peak [THREADS [SECONDS]]      prints GFLOP/s of all threads together
 *
 * Compiled for the machine it stands on. Sixteen accumulators are more than latency times pipes of today's cores. Like the
 * times it is compared with, the figure is a median, of slices of about a millisecond: what a busy machine takes away in between
 * counts in neither. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
enum { ACCUMULATORS = 16, ROUNDS = 400000, MAX_SLICES = 20000, MAX_THREADS = 256 };

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

typedef struct Worker {
    pthread_t thread;
    double seconds;    /* to run at least */
    double *slice;     /* seconds of each */
    size_t n;
    float sum;         /* of everything: what is computed must be used */
} Worker;

static pthread_barrier_t start;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void spin(Vector *acc, Vector factor, Vector more)
{
    Vector a[ACCUMULATORS];
#pragma GCC unroll 16
    for (int i = 0; i < ACCUMULATORS; i++) a[i] = acc[i];
    for (int round = 0; round < ROUNDS; round++) {
#pragma GCC unroll 16
        for (int i = 0; i < ACCUMULATORS; i++) a[i] = a[i] * factor + more;
    }
#pragma GCC unroll 16
    for (int i = 0; i < ACCUMULATORS; i++) acc[i] = a[i];
}

static void *work(void *context)
{
    Worker *w = context;
    Vector acc[ACCUMULATORS], factor = (Vector){0} + 0.75f, more = (Vector){0} + 0.25f; /* towards 1, never to a subnormal */
    for (int i = 0; i < ACCUMULATORS; i++) acc[i] = (Vector){0} + (float)(i + 2);
    spin(acc, factor, more); /* the clock rate settles */
    pthread_barrier_wait(&start);
    double begin = now(), at = begin;
    while (at - begin < w->seconds && w->n < MAX_SLICES) {
        spin(acc, factor, more);
        double before = at;
        at = now();
        w->slice[w->n++] = at - before;
    }
    for (int i = 0; i < ACCUMULATORS; i++)
        for (int lane = 0; lane < LANES; lane++) w->sum += acc[i][lane];
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static Worker worker[MAX_THREADS];
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    double seconds = argc > 2 ? atof(argv[2]) : 0.2;
    if (threads < 1 || threads > MAX_THREADS || !(seconds > 0) || pthread_barrier_init(&start, NULL, (unsigned)threads)) {
        fprintf(stderr, "usage: bench_peak [THREADS [SECONDS]]\n");
        return 2;
    }
    for (int i = 0; i < threads; i++) {
        worker[i].seconds = seconds;
        worker[i].slice = calloc(MAX_SLICES, sizeof *worker[i].slice);
        if (!worker[i].slice || pthread_create(&worker[i].thread, NULL, work, &worker[i])) return 1;
    }
    double rate = 0, sum = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(worker[i].thread, NULL);
        qsort(worker[i].slice, worker[i].n, sizeof *worker[i].slice, ascending);
        rate += 2.0 * LANES * ACCUMULATORS * ROUNDS / worker[i].slice[worker[i].n / 2];
        free(worker[i].slice);
        sum += (double)worker[i].sum;
    }
    printf("%.1f\n", rate * 1e-9);
    return !(sum > 0);
}
