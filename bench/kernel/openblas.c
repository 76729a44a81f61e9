#include "kernel.h"

#ifdef ACT_BENCH_OPENBLAS
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Blas {
    Product p;
    float *c;
} Blas;

static void run(void *context)
{
    const Blas *b = context;
    const Product *p = &b->p;
    CBLAS_TRANSPOSE ta = p->direction == WEIGHT_GRADIENT ? CblasTrans : CblasNoTrans;
    CBLAS_TRANSPOSE tb = p->direction == INPUT_GRADIENT ? CblasTrans : CblasNoTrans;
    int m = (int)product_rows(p), n = (int)product_cols(p), k = (int)product_depth(p);
    int lda = ta == CblasTrans ? m : k, ldb = tb == CblasTrans ? k : n;
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1, p->a, lda, p->b, ldb, 0, b->c, n);
}

static float result(const void *context, size_t row, size_t col)
{
    const Blas *b = context;
    return b->c[row * product_cols(&b->p) + col];
}

bool openblas_product(const Product *p, Kernel *out, const char **why)
{
    Blas *b = malloc(sizeof *b);
    float *c = kernel_memory(4 * product_rows(p) * product_cols(p));
    if (!b || !c) {
        *why = "no memory";
        return false;
    }
    *b = (Blas){*p, c};
    *out = (Kernel){b, run, result};
    return true;
}

const char *openblas_name(void)
{
    static char name[160];
    char version[64] = "";
    sscanf(openblas_get_config(), "%63s%*s", version);
    if (strcmp(version, "OpenBLAS") == 0) sscanf(openblas_get_config(), "%*s %63s", version);
    snprintf(name, sizeof name, "OpenBLAS %s with its kernels for %s", version, openblas_get_corename());
    return name;
}

#else

bool openblas_product(const Product *p, Kernel *out, const char **why)
{
    (void)p;
    (void)out;
    *why = "OpenBLAS was not found when this was built";
    return false;
}

const char *openblas_name(void) { return NULL; }

#endif
