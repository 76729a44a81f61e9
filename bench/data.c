/* The weights and the batches that all contestants of a benchmark begin with.
 *
 *     bench_data WEIGHTS BATCHES N ROWS LOSS WIDTHS…
 *     bench_data BATCHES N ROWS KIND A B
 *
 * WEIGHTS becomes a safetensors file with fc1.weight [out, in], fc1.bias [out] and so on, uniform within 1 / sqrt(in), which is PyTorch's
 * default for linear layers. BATCHES becomes N batches of ROWS rows, each the inputs and then the targets, dense:
 *     cross_entropy       a class as int32. A quarter of the inputs is the class's own pattern and the rest noise in [0, 1): with nothing
 *                         but noise there is nothing to learn, the gradients of the first steps nearly cancel, and Adam, which divides
 *                         by their size, makes steps out of how each contestant happens to round
 *     mse                 the inputs themselves
 *     bce_with_logits     whether the first input is greater than the second
 * The second form writes batches only, for networks that are not a stack of linear layers; their weights come from actc's initializers:
 *     images              A numbers and a class below B, as for cross_entropy
 *     text                A tokens below B, and as targets the tokens that follow; four in five follow by a rule
 *     pairs               A normal numbers, and B numbers in [-1, 1)
 * A program of its own because 25 million numbers take a script half a minute. */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTHS = 16 };

typedef struct Shape {
    size_t widths, width[MOST_WIDTHS];
} Shape;

static uint64_t state = 1;

/* splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint64_t random_bits(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* In [0, 1), with 24 bits: what a float holds. */
static float uniform(void) { return (float)(random_bits() >> 40) * 0x1p-24f; }

static void write_uniform(FILE *out, size_t n, float bound)
{
    for (size_t i = 0; i < n; i++) {
        float x = bound * (2 * uniform() - 1);
        fwrite(&x, sizeof x, 1, out);
    }
}

static int write_weights(const char *path, const Shape *s)
{
    char header[MOST_WIDTHS * 200];
    size_t n = 0, at = 0;
    for (size_t i = 1; i < s->widths; i++) {
        size_t in = s->width[i - 1], out = s->width[i], bias = at + 4 * in * out;
        n += (size_t)snprintf(header + n, sizeof header - n,
                              "%s\"fc%zu.weight\":{\"dtype\":\"F32\",\"shape\":[%zu,%zu],\"data_offsets\":[%zu,%zu]},"
                              "\"fc%zu.bias\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]}",
                              i == 1 ? "{" : ",", i, out, in, at, bias, i, out, bias, bias + 4 * out);
        at = bias + 4 * out;
    }
    header[n++] = '}';
    while (n % 8) header[n++] = ' ';
    uint64_t length = n;
    FILE *out = fopen(path, "wb");
    if (!out) return 0;
    fwrite(&length, sizeof length, 1, out);
    fwrite(header, 1, n, out);
    for (size_t i = 1; i < s->widths; i++) {
        float bound = 1 / sqrtf((float)s->width[i - 1]);
        write_uniform(out, s->width[i - 1] * s->width[i], bound);
        write_uniform(out, s->width[i], bound);
    }
    int good = !ferror(out);
    return fclose(out) == 0 && good;
}

static void write_classes(FILE *out, size_t rows, size_t in, size_t classes, const float *pattern, float *x, int32_t *label)
{
    for (size_t r = 0; r < rows; r++) {
        label[r] = (int32_t)(random_bits() % classes);
        for (size_t i = 0; i < in; i++) x[r * in + i] = 0.25f * pattern[(size_t)label[r] * in + i] + 0.75f * uniform();
    }
    fwrite(x, sizeof *x, rows * in, out);
    fwrite(label, sizeof *label, rows, out);
}

static void write_numbers(FILE *out, size_t rows, size_t in, int same, float *x)
{
    for (size_t i = 0; i < rows * in; i++) x[i] = uniform();
    fwrite(x, sizeof *x, rows * in, out);
    if (same) {
        fwrite(x, sizeof *x, rows * in, out);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        float above = x[r * in] > x[r * in + 1];
        fwrite(&above, sizeof above, 1, out);
    }
}

static int write_batches(const char *path, const Shape *s, size_t batches, size_t rows, const char *loss)
{
    size_t in = s->width[0], classes = strcmp(loss, "cross_entropy") == 0 ? s->width[s->widths - 1] : 1;
    float *pattern = malloc(sizeof *pattern * classes * in), *x = malloc(sizeof *x * rows * in);
    int32_t *label = malloc(sizeof *label * rows);
    FILE *out = fopen(path, "wb");
    if (!pattern || !x || !label || !out) return 0;
    for (size_t i = 0; i < classes * in; i++) pattern[i] = uniform();
    for (size_t b = 0; b < batches; b++)
        if (classes > 1)
            write_classes(out, rows, in, classes, pattern, x, label);
        else
            write_numbers(out, rows, in, strcmp(loss, "mse") == 0, x);
    free(pattern);
    free(x);
    free(label);
    int good = !ferror(out);
    return fclose(out) == 0 && good;
}

static void write_text(FILE *out, size_t rows, size_t length, size_t vocabulary, int32_t *token, int32_t *next)
{
    for (size_t r = 0; r < rows; r++) {
        size_t now = random_bits() % vocabulary;
        for (size_t i = 0; i < length; i++) {
            token[r * length + i] = (int32_t)now;
            now = uniform() < 0.8f ? (5 * now + 3) % vocabulary : random_bits() % vocabulary;
            next[r * length + i] = (int32_t)now;
        }
    }
    fwrite(token, sizeof *token, rows * length, out);
    fwrite(next, sizeof *next, rows * length, out);
}

/* Irwin and Hall: twelve uniform numbers have variance 1. */
static float normal(void)
{
    float sum = -6;
    for (int i = 0; i < 12; i++) sum += uniform();
    return sum;
}

static void write_pairs(FILE *out, size_t rows, size_t noise, size_t pixels)
{
    for (size_t i = 0; i < rows * (noise + pixels); i++) {
        float x = i < rows * noise ? normal() : 2 * uniform() - 1;
        fwrite(&x, sizeof x, 1, out);
    }
}

static int write_kind(char **argv)
{
    size_t batches = strtoull(argv[2], NULL, 10), rows = strtoull(argv[3], NULL, 10);
    size_t a = strtoull(argv[5], NULL, 10), b = strtoull(argv[6], NULL, 10);
    const char *kind = argv[4];
    int images = strcmp(kind, "images") == 0, text = strcmp(kind, "text") == 0;
    if (!a || !b || !(images || text || strcmp(kind, "pairs") == 0)) return 2;
    FILE *out = fopen(argv[1], "wb");
    float *pattern = malloc(sizeof *pattern * a * b), *x = malloc(sizeof *x * rows * a);
    int32_t *token = malloc(sizeof *token * rows * a), *next = malloc(sizeof *next * rows * a);
    if (!out || !pattern || !x || !token || !next) return 1;
    for (size_t i = 0; images && i < a * b; i++) pattern[i] = uniform();
    for (size_t n = 0; n < batches; n++) {
        if (images) write_classes(out, rows, a, b, pattern, x, next);
        else if (text) write_text(out, rows, a, b, token, next);
        else write_pairs(out, rows, a, b);
    }
    free(pattern);
    free(x);
    free(token);
    free(next);
    int bad = ferror(out);
    return fclose(out) != 0 || bad;
}

int main(int argc, char **argv)
{
    if (argc == 7) return write_kind(argv);
    enum { FIRST_WIDTH = 6 };
    Shape s = {0};
    for (int i = FIRST_WIDTH; i < argc && s.widths < MOST_WIDTHS; i++) s.width[s.widths++] = strtoull(argv[i], NULL, 10);
    if (s.widths < 2 || s.width[0] < 2) {
        fprintf(stderr, "usage: bench_data WEIGHTS BATCHES N ROWS LOSS WIDTHS...\n       bench_data BATCHES N ROWS KIND A B\n");
        return 2;
    }
    if (!write_weights(argv[1], &s) || !write_batches(argv[2], &s, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), argv[5])) {
        perror("bench_data");
        return 1;
    }
    return 0;
}
