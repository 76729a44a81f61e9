/* Measures products and functions in isolation, on one thread.
 *
 *     bench_kernels [SECONDS [ROUNDS [FILTERS…]]]      a JSON object for each case whose name contains a FILTER, one a line
 *
 * Contestants take turns, there and back; in each round each works SECONDS, a tenth more goes by untimed before, and the figure is the
 * median over samples of a millisecond or more. A round also has the multiply-add peak and the cycle. What a contestant
 * computes is held against sums in double before it is timed. bench/kernels makes the table. */
#include "kernel.h"

#include "../fma.h"
#include "../probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONTESTANTS = 3, MAX_ROUNDS = 200, MAX_SAMPLES = 20000, CHECKED = 300, PEAK_TURNS = 40000, CYCLE_SLICES = 5 };
static const double sample_seconds = 1e-3, warm_share = 0.1;

/* Two arrays of these numbers fit the first-level cache of any processor of today. */
enum { ELEMENTS = 3072 };

static const struct {
    const char *name, *sx;
    double low, high; /* of the arguments */
    double (*reference)(double x);
} functions[] = {
    {"exp", "(exp a0)", -10, 10, exp},
    {"log", "(log a0)", 0.01, 100, log},
    {"tanh", "(tanh a0)", -4, 4, tanh},
    {"erf", "(erf a0)", -3, 3, erf},
    {"sigmoid", "(sigmoid a0)", -8, 8, NULL},
};
static const char *const direction_name[] = {"forward", "input-gradient", "weight-gradient"};
static const size_t shapes[][3] = { /* batch, out, in */
    {64, 128, 784}, {128, 512, 512}, {128, 4096, 4096}, {256, 256, 256}, {1024, 1024, 1024}, {100, 10, 300},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, SHAPES = sizeof shapes / sizeof *shapes };

typedef struct Bench {
    double seconds;
    int rounds, filters;
    char **filter;
    uint64_t random;
    bool wrong;
} Bench;

typedef struct Contestant {
    const char *name;
    Kernel kernel;
    double time[MAX_ROUNDS];
} Contestant;

/* In [low, high): a linear congruential generator is random enough for operands. */
static float *numbers(Bench *b, size_t n, double low, double high)
{
    float *x = kernel_memory(4 * n);
    for (size_t i = 0; x && i < n; i++) {
        b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        x[i] = (float)(low + (high - low) * (double)(b->random >> 40) / 16777216.0);
    }
    if (!x) exit(1);
    return x;
}

static double sample(const Kernel *k, size_t n)
{
    double begin = probe_now();
    for (size_t i = 0; i < n; i++) k->run(k->context);
    return (probe_now() - begin) / (double)n;
}

/* Seconds of one run. */
static double block(const Kernel *k, double seconds, double *time)
{
    size_t runs = 0, n = 0;
    double begin = probe_now(), at = begin;
    for (; runs == 0 || at - begin < warm_share * seconds; runs++, at = probe_now()) k->run(k->context);
    double wanted = sample_seconds * (double)runs / (at - begin);
    for (begin = at; n == 0 || (at - begin < seconds && n < MAX_SAMPLES); at = probe_now())
        time[n++] = sample(k, wanted > 1 ? (size_t)wanted : 1);
    return probe_median(time, n);
}

static void print_times(const char *name, const double *time, int n)
{
    printf(", \"%s\": [", name);
    for (int i = 0; i < n; i++) printf("%s%.6g", i ? ", " : "", time[i]);
    printf("]");
}

/* The rest of the object: seconds of each contestant, operations a second at the peak, seconds of a cycle, round by round. */
static void contest(const Bench *b, Contestant *c, int n)
{
    static double time[MAX_SAMPLES], peak[MAX_ROUNDS], cycle[MAX_ROUNDS];
    for (int round = 0; round < b->rounds; round++) {
        peak[round] = fma_peak(b->seconds / 4, PEAK_TURNS, NULL);
        cycle[round] = probe_cycle(CYCLE_SLICES);
        for (int i = 0; i < n; i++) {
            Contestant *turn = &c[round % 2 ? n - 1 - i : i];
            turn->time[round] = block(&turn->kernel, b->seconds, time);
        }
    }
    print_times("peak", peak, b->rounds);
    print_times("cycle", cycle, b->rounds);
    for (int i = 0; i < n; i++) print_times(c[i].name, c[i].time, b->rounds);
    printf("}\n");
    fflush(stdout);
}

static bool wanted(const Bench *b, const char *name)
{
    for (int i = 0; i < b->filters; i++)
        if (strstr(name, b->filter[i])) return true;
    return b->filters == 0;
}

static double exact(const Product *p, size_t row, size_t col)
{
    double sum = 0;
    for (size_t k = 0; k < product_depth(p); k++) {
        double a = p->direction == WEIGHT_GRADIENT ? p->a[k * p->in + row] : p->a[row * product_depth(p) + k];
        double b = p->direction == INPUT_GRADIENT ? p->b[col * p->out + k] : p->b[k * product_cols(p) + col];
        sum += a * b;
    }
    return sum;
}

/* Places spread over the whole result: a stride that shares no factor with it. */
static bool right(const Product *p, const Kernel *k)
{
    size_t all = product_rows(p) * product_cols(p);
    k->run(k->context);
    for (size_t i = 0, at = 0; i < CHECKED; i++, at = (at + all / CHECKED * 7 + 61) % all) {
        size_t row = at / product_cols(p), col = at % product_cols(p);
        if (!(fabs((double)k->result(k->context, row, col) - exact(p, row, col)) < 1e-6 * (double)product_depth(p))) return false;
    }
    return true;
}

static void product(Bench *b, Direction direction, const size_t *shape)
{
    char name[80];
    snprintf(name, sizeof name, "%s %zux%zux%zu", direction_name[direction], shape[0], shape[1], shape[2]);
    if (!wanted(b, name)) return;
    Product p = {.direction = direction, .batch = shape[0], .out = shape[1], .in = shape[2]};
    float *a = numbers(b, p.batch * (direction == INPUT_GRADIENT ? p.out : p.in), -1, 1);
    float *other = numbers(b, direction == WEIGHT_GRADIENT ? p.batch * p.out : p.in * p.out, -1, 1);
    p.a = a;
    p.b = other;
    static bool (*const make[CONTESTANTS])(const Product *, Kernel *, const char **) = {actc_product, openblas_product, onednn_product};
    static const char *const who[CONTESTANTS] = {"actc", "openblas", "onednn"};
    static Contestant c[CONTESTANTS];
    int n = 0;
    for (int i = 0; i < CONTESTANTS; i++) {
        const char *why = "";
        if (!make[i](&p, &c[n].kernel, &why)) {
            if (i > 0) continue; /* a library may be missing */
            fprintf(stderr, "bench_kernels: %s: actc: %s\n", name, why);
            b->wrong = true;
            return;
        }
        c[n].name = who[i];
        if (right(&p, &c[n].kernel)) {
            n++;
            continue;
        }
        fprintf(stderr, "bench_kernels: %s: %s computes something else\n", name, who[i]);
        b->wrong = true;
    }
    printf("{\"kind\": \"%s\", \"batch\": %zu, \"out\": %zu, \"in\": %zu, \"flops\": %.0f", direction_name[direction], p.batch, p.out, p.in,
           2.0 * (double)p.batch * (double)p.out * (double)p.in);
    contest(b, c, n);
    free(a);
    free(other);
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void function(Bench *b, int which)
{
    const char *name = functions[which].name, *why = "";
    if (!wanted(b, name)) return;
    static Contestant c = {.name = "actc"};
    float *x = numbers(b, ELEMENTS, functions[which].low, functions[which].high);
    if (!actc_function(functions[which].sx, x, ELEMENTS, &c.kernel, &why)) {
        fprintf(stderr, "bench_kernels: %s: %s\n", name, why);
        b->wrong = true;
        return;
    }
    c.kernel.run(c.kernel.context);
    double (*reference)(double) = functions[which].reference ? functions[which].reference : sigmoid;
    for (size_t i = 0; i < ELEMENTS; i++) {
        double want = reference((double)x[i]);
        if (!(fabs((double)c.kernel.result(c.kernel.context, 0, i) - want) <= 1e-6 * (1 + fabs(want)))) b->wrong = true;
    }
    if (b->wrong) fprintf(stderr, "bench_kernels: %s is wrong\n", name);
    printf("{\"kind\": \"function\", \"name\": \"%s\", \"elements\": %d", name, ELEMENTS);
    contest(b, &c, 1);
    free(x);
}

int main(int argc, char **argv)
{
    Bench b = {.seconds = argc > 1 ? atof(argv[1]) : 0.05, .rounds = argc > 2 ? atoi(argv[2]) : 15, .random = 1};
    b.filters = argc > 3 ? argc - 3 : 0;
    b.filter = argv + 3;
    if (!(b.seconds > 0) || b.rounds < 1 || b.rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: bench_kernels [SECONDS [ROUNDS [FILTERS...]]]\n");
        return 2;
    }
    const char *blas = openblas_name(), *dnn = onednn_name();
    printf("{\"kind\": \"contestants\", \"actc\": \"%s\"", actc_name());
    if (blas) printf(", \"openblas\": \"%s\"", blas);
    if (dnn) printf(", \"onednn\": \"%s\"", dnn);
    printf("}\n");
    for (size_t s = 0; s < SHAPES; s++)
        for (int d = FORWARD; d <= WEIGHT_GRADIENT; d++) product(&b, (Direction)d, shapes[s]);
    for (int f = 0; f < FUNCTIONS; f++) function(&b, f);
    return b.wrong;
}
