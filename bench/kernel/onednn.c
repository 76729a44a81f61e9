/* oneDNN's matmul primitive, by the C interface of version 2. */
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
    if (!engine && (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
                    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success))
        return false;
    if (!d) return false;
    d->cols = product_cols(p);
    d->stream = stream;
    d->c = kernel_memory(4 * product_rows(p) * d->cols);
    if (!d->c || !build(p, d)) return false;
    *out = (Kernel){d, run, result};
    return true;
}

const char *onednn_name(void)
{
    static char name[80];
    const dnnl_version_t *v = dnnl_version();
    snprintf(name, sizeof name, "oneDNN %d.%d.%d, weights in its own order", v->major, v->minor, v->patch);
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

const char *onednn_name(void) { return NULL; }

#endif
