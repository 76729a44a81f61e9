/* What this machine can do at most: fused multiply-adds in single precision, memory traffic, and cycles.
 *
 *     bench_peak [THREADS [SECONDS]]      prints "118.2 GFLOP/s 24.1 GB/s 3.703 GHz", the first two of all threads together
 *
 * Compiled for the machine it stands on, and given SECONDS for the arithmetic and the traffic each. Like the times they are compared
 * with, both are medians, of slices of milliseconds: what a busy machine takes away in between counts in neither.
 *
 * Arithmetic: fma.c. Traffic: numbers of arrays far larger than any cache are read, changed and written where they stand, which is what
 * an optimizer does with a weight and its state; no line is fetched that is not asked for, so bytes read plus bytes written is all
 * that moves. Three arrays at once, as with Adam. */
#define _DEFAULT_SOURCE
#include "fma.h"
#include "probe.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

enum { LANES = 16 }; /* any number that the vectors of the machine divide */
enum { TURNS = 400000, MAX_SLICES = 20000, MAX_THREADS = 256, CYCLE_SLICES = 20 };
enum { STREAMS = 3, STREAM_BYTES = 64 << 20 /* each, of each thread */, HUGE_PAGE = 2 << 20 };

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

typedef struct Worker {
    pthread_t thread;
    double seconds;            /* to run at least */
    Vector *stream[STREAMS];
    double flops, bytes;       /* a second */
} Worker;

static pthread_barrier_t start;

static void all_ready(void) { pthread_barrier_wait(&start); }

static void pass_over(Vector *restrict a, Vector *restrict b, Vector *restrict c, Vector factor, Vector more)
{
    for (size_t i = 0; i < STREAM_BYTES / sizeof(Vector); i++) {
        a[i] = a[i] * factor + more;
        b[i] = b[i] * factor + more;
        c[i] = c[i] * factor + more;
    }
}

/* Median seconds of a pass, over at least w->seconds. */
static double traffic(Worker *w)
{
    Vector factor = (Vector){0} + 0.75f, more = (Vector){0} + 0.25f; /* towards 1, never to a subnormal */
    double *slice = calloc(MAX_SLICES, sizeof *slice), begin, at;
    size_t n = 0;
    if (!slice) exit(1);
    pass_over(w->stream[0], w->stream[1], w->stream[2], factor, more); /* page tables */
    all_ready();
    for (begin = at = probe_now(); n < 2 || (at - begin < w->seconds && n < MAX_SLICES);) {
        pass_over(w->stream[0], w->stream[1], w->stream[2], factor, more);
        double before = at;
        at = probe_now();
        slice[n++] = at - before;
    }
    double median = probe_median(slice, n);
    free(slice);
    return median;
}

static void *work(void *context)
{
    Worker *w = context;
    w->flops = fma_peak(w->seconds, TURNS, all_ready);
    for (int s = 0; s < STREAMS; s++) {
        char *raw = mmap(NULL, STREAM_BYTES + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (raw == MAP_FAILED) exit(1);
        w->stream[s] = (Vector *)(void *)(raw + (HUGE_PAGE - (uintptr_t)raw % HUGE_PAGE));
        madvise(w->stream[s], STREAM_BYTES, MADV_HUGEPAGE);
    }
    w->bytes = 2.0 * STREAMS * STREAM_BYTES / traffic(w);
    return NULL;
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
        if (pthread_create(&worker[i].thread, NULL, work, &worker[i])) return 1;
    }
    double flops = 0, bytes = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(worker[i].thread, NULL);
        flops += worker[i].flops;
        bytes += worker[i].bytes;
    }
    printf("%.1f GFLOP/s %.2f GB/s %.3f GHz\n", flops * 1e-9, bytes * 1e-9, 1e-9 / probe_cycle(CYCLE_SLICES));
    return 0;
}
