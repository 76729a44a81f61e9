/* Products, convolutions and functions in isolation, for each contestant: what bench/kernels measures. */
#ifndef ACT_BENCH_KERNEL_H
#define ACT_BENCH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The three products of a linear layer with weights W [in][out]; everything dense, row after row. */
typedef enum Direction {
    FORWARD,         /* c [batch][out] = a [batch][in] W,             b is W */
    INPUT_GRADIENT,  /* c [batch][in]  = a [batch][out] W transposed, b is W */
    WEIGHT_GRADIENT  /* c [in][out]    = a [batch][in] transposed b [batch][out] */
} Direction;

typedef struct Product {
    Direction direction;
    size_t batch, out, in;
    const float *a, *b;
} Product;

/* c has so many rows and columns; each of its elements sums over so many products. */
static inline size_t product_rows(const Product *p) { return p->direction == WEIGHT_GRADIENT ? p->in : p->batch; }
static inline size_t product_cols(const Product *p) { return p->direction == INPUT_GRADIENT ? p->in : p->out; }
static inline size_t product_depth(const Product *p)
{
    return p->direction == FORWARD ? p->in : p->direction == INPUT_GRADIENT ? p->out : p->batch;
}

/* A convolution of 3 x 3 taps W [3][3][channels][channels], the last for what comes out, over [batch][size][size][channels] with a border of
 * zeros, so that as many places come out: its three products. */
typedef struct Convolution {
    Direction direction;
    size_t batch, size, channels;
    const float *a, *b; /* as for a product; the weight gradient is [3][3][channels][channels] */
} Convolution;

enum { CONV_TAPS = 3 };

/* In rows of `channels`. */
static inline size_t conv_rows(const Convolution *p)
{
    return p->direction == WEIGHT_GRADIENT ? CONV_TAPS * CONV_TAPS * p->channels : p->batch * p->size * p->size;
}
static inline size_t conv_depth(const Convolution *p)
{
    return p->direction == WEIGHT_GRADIENT ? p->batch * p->size * p->size : CONV_TAPS * CONV_TAPS * p->channels;
}

/* Memory for every contestant alike, zero: from large pages where there are some, as a training program takes its own from. NULL when there is
 * none. */
static inline void *kernel_memory(size_t bytes)
{
    enum { LARGE = 2 << 20 };
    size_t unit = bytes < LARGE ? 64 : LARGE, size = (bytes / unit + 1) * unit;
    void *at = aligned_alloc(unit, size);
#ifdef MADV_HUGEPAGE
    if (at && unit == LARGE) madvise(at, size, MADV_HUGEPAGE);
#endif
    if (at) memset(at, 0, size);
    return at;
}

/* What a contestant has made of a product or a function. Operands that do not change from step to step, which are the weights, may be kept
 * in whatever order it likes; that is done before run. */
typedef struct Kernel {
    void *context;
    void (*run)(void *context);
    float (*result)(const void *context, size_t row, size_t col); /* of the last run */
} Kernel;

/* False when it is not built in or refuses; then *why is a sentence. */
bool openblas_product(const Product *p, Kernel *out, const char **why);
bool onednn_product(const Product *p, Kernel *out, const char **why);
bool onednn_convolution(const Convolution *p, Kernel *out, const char **why);
/* "OpenBLAS 0.3.21 SkylakeX"; NULL when it is not built in. */
const char *openblas_name(void);
const char *onednn_name(void);

/* actc's: the graph of the one product, through the same passes and the same code generation as any network, linked into this process.
 * A weight lies in panels, for the input gradient transposed, as it does in a training step. */
bool actc_product(const Product *p, Kernel *out, const char **why);
bool actc_convolution(const Convolution *p, Kernel *out, const char **why);
/* c = f(a) for n numbers, f an expression of a0 in the text form of compiler/graph/sx.h. */
bool actc_function(const char *f, const float *a, size_t n, Kernel *out, const char **why);
const char *actc_name(void);

#endif
