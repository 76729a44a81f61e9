/* oneDNN's matmul and convolution primitives, by the C interface of version 2. */
#include "kernel.h"

#ifdef ACT_BENCH_ONEDNN
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Dnn {
    size_t cols;
    float *c;
    dnnl_primitive_t matmul;
    dnnl_stream_t stream;
    dnnl_exec_arg_t arg[3];
} Dnn;

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static bool begin(void)
{
    return engine || (dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success &&
                      dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success);
}

static void run(void *context)
{
    const Dnn *d = context;
    dnnl_primitive_execute(d->matmul, d->stream, 3, d->arg);
    dnnl_stream_wait(d->stream);
}

static float result(const void *context, size_t row, size_t col)
{
    const Dnn *d = context;
    return d->c[row * d->cols + col];
}

static dnnl_memory_t memory_of(const dnnl_memory_desc_t *desc, const void *at)
{
    dnnl_memory_t memory = NULL;
    void *handle = DNNL_MEMORY_ALLOCATE;
    if (at) *(const void **)(void *)&handle = at; /* oneDNN reads it only: its interface has no const here */
    return dnnl_memory_create(&memory, desc, engine, handle) == dnnl_success ? memory : NULL;
}

/* [rows][cols], or its transpose of which that is the storage. */
static void matrix(dnnl_memory_desc_t *desc, size_t rows, size_t cols, bool transposed)
{
    dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)cols}, strides = {1, 1};
    strides[transposed] = (dnnl_dim_t)(transposed ? rows : cols);
    dnnl_memory_desc_init_by_strides(desc, 2, dims, dnnl_f32, strides);
}

/* The weights in the order the primitive likes best, once. */
static dnnl_memory_t reordered(const dnnl_memory_desc_t *from, const float *at, const dnnl_memory_desc_t *to)
{
    dnnl_memory_t source = memory_of(from, at), target = memory_of(to, NULL);
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_exec_arg_t arg[] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}};
    if (!source || !target || dnnl_reorder_primitive_desc_create(&desc, from, engine, to, engine, NULL) != dnnl_success ||
        dnnl_primitive_create(&reorder, desc) != dnnl_success || dnnl_primitive_execute(reorder, stream, 2, arg) != dnnl_success)
        return NULL;
    dnnl_stream_wait(stream);
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    dnnl_memory_destroy(source);
    return target;
}

static bool build(const Product *p, Dnn *d)
{
    size_t rows = product_rows(p), cols = product_cols(p), depth = product_depth(p);
    bool constant = p->direction != WEIGHT_GRADIENT;
    dnnl_memory_desc_t a, b, any, c;
    matrix(&a, rows, depth, p->direction == WEIGHT_GRADIENT);
    matrix(&b, depth, cols, p->direction == INPUT_GRADIENT);
    matrix(&c, rows, cols, false);
    dnnl_dims_t dims = {(dnnl_dim_t)depth, (dnnl_dim_t)cols};
    dnnl_memory_desc_init_by_tag(&any, 2, dims, dnnl_f32, dnnl_format_tag_any);
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t made = NULL;
    if (dnnl_matmul_desc_init(&desc, &a, constant ? &any : &b, NULL, &c) != dnnl_success ||
        dnnl_primitive_desc_create(&made, &desc, NULL, engine, NULL) != dnnl_success ||
        dnnl_primitive_create(&d->matmul, made) != dnnl_success)
        return false;
    const dnnl_memory_desc_t *liked = dnnl_primitive_desc_query_md(made, dnnl_query_weights_md, 0);
    dnnl_memory_t weights = constant ? reordered(&b, p->b, liked) : memory_of(&b, p->b);
    d->arg[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, memory_of(&a, p->a)};
    d->arg[1] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, weights};
    d->arg[2] = (dnnl_exec_arg_t){DNNL_ARG_DST, memory_of(&c, d->c)};
    return d->arg[0].memory && weights && d->arg[2].memory;
}

bool onednn_product(const Product *p, Kernel *out, const char **why)
{
    Dnn *d = calloc(1, sizeof *d);
    *why = "oneDNN refused the product";
    if (!begin() || !d) return false;
    d->cols = product_cols(p);
    d->stream = stream;
    d->c = kernel_memory(4 * product_rows(p) * d->cols);
    if (!d->c || !build(p, d)) return false;
    *out = (Kernel){d, run, result};
    return true;
}

/* ── convolutions: everything in the order the primitive likes best ── */

/* The result as it is compared: [row][channel]. */
typedef struct Seen {
    dnnl_primitive_t reorder;
    dnnl_exec_arg_t arg[2];
    float *c;
    bool fresh;
} Seen;

typedef struct Conv {
    size_t channels;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arg[3]; /* the result last */
    Seen *seen;
} Conv;

typedef enum ConvOperand { SRC, WEIGHTS, DST } ConvOperand;

static void run_convolution(void *context)
{
    const Conv *v = context;
    dnnl_primitive_execute(v->primitive, stream, 3, v->arg);
    dnnl_stream_wait(stream);
    v->seen->fresh = false;
}

static float result_convolution(const void *context, size_t row, size_t col)
{
    const Conv *v = context;
    if (!v->seen->fresh) {
        dnnl_primitive_execute(v->seen->reorder, stream, 2, v->seen->arg);
        dnnl_stream_wait(stream);
        v->seen->fresh = true;
    }
    return v->seen->c[row * v->channels + col];
}

/* Images and weights with the channels last: as everybody is given them. */
static void plain_desc(dnnl_memory_desc_t *desc, const Convolution *p, ConvOperand which, dnnl_format_tag_t tag)
{
    dnnl_dim_t c = (dnnl_dim_t)p->channels, n = (dnnl_dim_t)p->size;
    dnnl_dims_t images = {(dnnl_dim_t)p->batch, c, n, n}, weights = {c, c, CONV_TAPS, CONV_TAPS};
    dnnl_memory_desc_init_by_tag(desc, 4, which == WEIGHTS ? weights : images, dnnl_f32, tag);
}

static dnnl_primitive_desc_t conv_desc(const Convolution *p)
{
    dnnl_memory_desc_t any[3];
    dnnl_dims_t one = {1, 1};
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t forward = NULL, made = NULL;
    const dnnl_alg_kind_t how = dnnl_convolution_direct;
    for (ConvOperand i = SRC; i <= DST; i++) plain_desc(&any[i], p, i, dnnl_format_tag_any);
    if (dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, how, &any[SRC], &any[WEIGHTS], NULL, &any[DST], one, one,
                                           one) != dnnl_success ||
        dnnl_primitive_desc_create(&forward, &desc, NULL, engine, NULL) != dnnl_success || p->direction == FORWARD)
        return forward;
    dnnl_status_t status = p->direction == INPUT_GRADIENT
        ? dnnl_convolution_backward_data_desc_init(&desc, how, &any[SRC], &any[WEIGHTS], &any[DST], one, one, one)
        : dnnl_convolution_backward_weights_desc_init(&desc, how, &any[SRC], &any[WEIGHTS], NULL, &any[DST], one, one, one);
    if (status == dnnl_success && dnnl_primitive_desc_create(&made, &desc, NULL, engine, forward) != dnnl_success) made = NULL;
    dnnl_primitive_desc_destroy(forward);
    return made;
}

/* Each operand's argument and the layout it has there, operand by operand. */
static const int conv_arg[3][3] = {
    {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
    {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
    {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
};
static const dnnl_query_t conv_query[3][3] = {
    {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
    {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
    {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md},
};
static const ConvOperand conv_result[3] = {DST, SRC, WEIGHTS}, conv_first[3] = {SRC, DST, SRC}, conv_second[3] = {WEIGHTS, WEIGHTS, DST};

static bool build_convolution(const Convolution *p, Conv *v)
{
    dnnl_memory_desc_t plain[3];
    dnnl_primitive_desc_t made = conv_desc(p), back = NULL;
    const dnnl_memory_desc_t *liked[3];
    if (!made || dnnl_primitive_create(&v->primitive, made) != dnnl_success) return false;
    for (ConvOperand i = SRC; i <= DST; i++) {
        liked[i] = dnnl_primitive_desc_query_md(made, conv_query[p->direction][i], 0);
        plain_desc(&plain[i], p, i, i == WEIGHTS ? dnnl_hwio : dnnl_nhwc);
    }
    ConvOperand first = conv_first[p->direction], second = conv_second[p->direction], result = conv_result[p->direction];
    Seen *seen = v->seen;
    v->arg[0] = (dnnl_exec_arg_t){conv_arg[p->direction][first], reordered(&plain[first], p->a, liked[first])};
    v->arg[1] = (dnnl_exec_arg_t){conv_arg[p->direction][second], reordered(&plain[second], p->b, liked[second])};
    v->arg[2] = (dnnl_exec_arg_t){conv_arg[p->direction][result], memory_of(liked[result], NULL)};
    seen->arg[0] = (dnnl_exec_arg_t){DNNL_ARG_FROM, v->arg[2].memory};
    seen->arg[1] = (dnnl_exec_arg_t){DNNL_ARG_TO, memory_of(&plain[result], seen->c)};
    return v->arg[0].memory && v->arg[1].memory && v->arg[2].memory && seen->arg[1].memory &&
           dnnl_reorder_primitive_desc_create(&back, liked[result], engine, &plain[result], engine, NULL) == dnnl_success &&
           dnnl_primitive_create(&seen->reorder, back) == dnnl_success;
}

bool onednn_convolution(const Convolution *p, Kernel *out, const char **why)
{
    Conv *v = calloc(1, sizeof *v);
    Seen *seen = calloc(1, sizeof *seen);
    *why = "oneDNN refused the convolution";
    if (!begin() || !v || !seen) return false;
    *seen = (Seen){.c = kernel_memory(4 * conv_rows(p) * p->channels)};
    *v = (Conv){.channels = p->channels, .seen = seen};
    if (!seen->c || !build_convolution(p, v)) return false;
    *out = (Kernel){v, run_convolution, result_convolution};
    return true;
}

const char *onednn_name(void)
{
    static char name[120];
    const dnnl_version_t *v = dnnl_version();
    snprintf(name, sizeof name, "oneDNN %d.%d.%d, weights of products and all of convolutions in its own order", v->major, v->minor, v->patch);
    return name;
}

#else

bool onednn_product(const Product *p, Kernel *out, const char **why)
{
    (void)p;
    (void)out;
    *why = "oneDNN 2 was not found when this was built";
    return false;
}

bool onednn_convolution(const Convolution *p, Kernel *out, const char **why)
{
    (void)p;
    (void)out;
    *why = "oneDNN 2 was not found when this was built";
    return false;
}

const char *onednn_name(void) { return NULL; }

#endif
