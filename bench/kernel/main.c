/* Measures products, convolutions and functions in isolation, on one thread.
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
/* Of 3 x 3 taps: batch, lines and columns, channels. */
static const size_t images[][3] = {{64, 32, 64}, {64, 16, 128}, {64, 8, 256}, {64, 14, 96}};
enum { FUNCTIONS = sizeof functions / sizeof *functions, SHAPES = sizeof shapes / sizeof *shapes,
       IMAGES = sizeof images / sizeof *images };

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

static double exact_product(const void *what, size_t row, size_t col)
{
    const Product *p = what;
    double sum = 0;
    for (size_t k = 0; k < product_depth(p); k++) {
        double a = p->direction == WEIGHT_GRADIENT ? p->a[k * p->in + row] : p->a[row * product_depth(p) + k];
        double b = p->direction == INPUT_GRADIENT ? p->b[col * p->out + k] : p->b[k * product_cols(p) + col];
        sum += a * b;
    }
    return sum;
}

/* Pixel (y, x) of an image, NULL in the border. */
static const float *pixel(const Convolution *p, const float *from, size_t image, long y, long x)
{
    long n = (long)p->size;
    return y < 0 || x < 0 || y >= n || x >= n ? NULL : from + ((image * p->size + (size_t)y) * p->size + (size_t)x) * p->channels;
}

static double exact_taps(const Convolution *p, size_t row, size_t col)
{
    long y = (long)(row / p->size % p->size), x = (long)(row % p->size);
    double sum = 0;
    for (int tap = 0; tap < CONV_TAPS * CONV_TAPS; tap++) {
        int dy = tap / CONV_TAPS - 1, dx = tap % CONV_TAPS - 1, way = p->direction == FORWARD ? 1 : -1;
        const float *a = pixel(p, p->a, row / p->size / p->size, y + way * dy, x + way * dx);
        const float *w = p->b + (size_t)tap * p->channels * p->channels;
        for (size_t k = 0; a && k < p->channels; k++)
            sum += (double)a[k] * (double)w[p->direction == FORWARD ? k * p->channels + col : col * p->channels + k];
    }
    return sum;
}

static double exact_convolution(const void *what, size_t row, size_t col)
{
    const Convolution *p = what;
    if (p->direction != WEIGHT_GRADIENT) return exact_taps(p, row, col);
    long dy = (long)(row / p->channels) / CONV_TAPS - 1, dx = (long)(row / p->channels) % CONV_TAPS - 1;
    double sum = 0;
    for (size_t k = 0; k < conv_depth(p); k++) {
        size_t image = k / p->size / p->size;
        const float *a = pixel(p, p->a, image, (long)(k / p->size % p->size) + dy, (long)(k % p->size) + dx);
        if (a) sum += (double)a[row % p->channels] * (double)p->b[k * p->channels + col];
    }
    return sum;
}

/* One product or convolution: what it is called, what is right, who computes it. */
typedef struct Case {
    const char *name;
    const void *what;
    double (*exact)(const void *what, size_t row, size_t col);
    size_t rows, cols, depth;
    int contestants;
    const char *who[CONTESTANTS];
    Kernel kernel[CONTESTANTS];
    const char *refused[CONTESTANTS]; /* NULL: has the kernel */
} Case;

/* Places spread over the whole result: a stride that shares no factor with it. */
static bool right(const Case *t, const Kernel *k)
{
    size_t all = t->rows * t->cols;
    k->run(k->context);
    for (size_t i = 0, at = 0; i < CHECKED; i++, at = (at + all / CHECKED * 7 + 61) % all) {
        size_t row = at / t->cols, col = at % t->cols;
        if (!(fabs((double)k->result(k->context, row, col) - t->exact(t->what, row, col)) < 1e-6 * (double)t->depth)) return false;
    }
    return true;
}

/* The object from its `facts` on. */
static void compete(Bench *b, const Case *t, const char *facts)
{
    static Contestant c[CONTESTANTS];
    int n = 0;
    for (int i = 0; i < t->contestants; i++) {
        if (t->refused[i] && i > 0) continue; /* a library may be missing */
        if (t->refused[i]) {
            fprintf(stderr, "bench_kernels: %s: actc: %s\n", t->name, t->refused[i]);
            b->wrong = true;
            return;
        }
        c[n].name = t->who[i];
        c[n].kernel = t->kernel[i];
        if (right(t, &t->kernel[i])) {
            n++;
            continue;
        }
        fprintf(stderr, "bench_kernels: %s: %s computes something else\n", t->name, t->who[i]);
        b->wrong = true;
    }
    printf("{%s, \"flops\": %.0f", facts, 2.0 * (double)t->rows * (double)t->cols * (double)t->depth);
    contest(b, c, n);
}

static const char *refusal(bool made, const char *why) { return made ? NULL : why; }

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
    Case t = {name, &p, exact_product, product_rows(&p), product_cols(&p), product_depth(&p), CONTESTANTS, {"actc", "onednn", "openblas"},
              {{0}}, {0}};
    const char *why = "";
    t.refused[0] = refusal(actc_product(&p, &t.kernel[0], &why), why);
    t.refused[1] = refusal(onednn_product(&p, &t.kernel[1], &why), why);
    t.refused[2] = refusal(openblas_product(&p, &t.kernel[2], &why), why);
    char facts[160];
    snprintf(facts, sizeof facts, "\"kind\": \"%s\", \"batch\": %zu, \"out\": %zu, \"in\": %zu", direction_name[direction], p.batch,
             p.out, p.in);
    compete(b, &t, facts);
    free(a);
    free(other);
}

static void convolution(Bench *b, Direction direction, const size_t *shape)
{
    char name[80], facts[160];
    snprintf(name, sizeof name, "conv-%s %zux%zux%zux%zu", direction_name[direction], shape[0], shape[1], shape[1], shape[2]);
    if (!wanted(b, name)) return;
    Convolution p = {.direction = direction, .batch = shape[0], .size = shape[1], .channels = shape[2]};
    size_t all = p.batch * p.size * p.size * p.channels;
    float *a = numbers(b, all, -1, 1);
    float *other = numbers(b, direction == WEIGHT_GRADIENT ? all : CONV_TAPS * CONV_TAPS * p.channels * p.channels, -1, 1);
    p.a = a;
    p.b = other;
    Case t = {name, &p, exact_convolution, conv_rows(&p), p.channels, conv_depth(&p), 2, {"actc", "onednn"}, {{0}}, {0}};
    const char *why = "";
    t.refused[0] = refusal(actc_convolution(&p, &t.kernel[0], &why), why);
    t.refused[1] = refusal(onednn_convolution(&p, &t.kernel[1], &why), why);
    snprintf(facts, sizeof facts, "\"kind\": \"conv-%s\", \"batch\": %zu, \"size\": %zu, \"channels\": %zu", direction_name[direction],
             p.batch, p.size, p.channels);
    compete(b, &t, facts);
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
    for (size_t s = 0; s < IMAGES; s++)
        for (int d = FORWARD; d <= WEIGHT_GRADIENT; d++) convolution(&b, (Direction)d, images[s]);
    for (int f = 0; f < FUNCTIONS; f++) function(&b, f);
    return b.wrong;
}
