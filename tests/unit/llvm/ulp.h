/* The error of the compiled functions against the double library, in units in the last place, over floats in order of
 * their bits. */
#ifndef ACT_TEST_ULP_H
#define ACT_TEST_ULP_H

#include "llvm/jit.h"
#include "llvm/math.h"

#include <math.h>

typedef void (*UlpRun)(const float *in, float *out, int64_t n);

typedef struct UlpFunction {
    const char *name;
    LLVMValueRef (*make)(Cg *c, LLVMValueRef x);
    /* The double library's value; for speed a polynomial where two or three terms are as good, and the limit where it
     * is one. */
    double (*reference)(double x);
    double most; /* the error allowed with a fused multiply-add; ULP_MOST without */
} UlpFunction;

static inline double ulp_exp(double x)
{
    return x > 89 ? (double)INFINITY : x < -120 ? 0 : fabs(x) < 0x1p-27 ? 1 + x : exp(x);
}

static inline double ulp_expm1(double x)
{
    if (fabs(x) < 0x1p-18)
        return x == 0 ? x : x + x * x * (0.5 + x / 6);
    return x > 89 ? (double)INFINITY : x < -60 ? -1 : expm1(x);
}

static inline double ulp_sigmoid(double x)
{
    return x > 60 ? 1 : x < -120 ? 0 : fabs(x) < 0x1p-27 ? 0.5 + x / 4 : 1 / (1 + exp(-x));
}

static inline double ulp_log1p(double x)
{
    return fabs(x) < 0x1p-18 ? (x == 0 ? x : x - x * x * (0.5 - x / 3)) : log1p(x);
}

static inline double ulp_tanh(double x)
{
    double t = x * x;
    return t < 0x1p-18 ? x * (1 - t * (1.0 / 3 - t * 2 / 15)) : fabs(x) > 20 ? copysign(1, x) : tanh(x);
}

static inline double ulp_erf(double x)
{
    double t = x * x;
    return t < 0x1p-18 ? 0x1.20dd750429b6dp0 * x * (1 - t * (1.0 / 3 - t / 10)) : fabs(x) > 6 ? copysign(1, x) : erf(x);
}

// clang-format off
static const UlpFunction ulp_function[] = {
    {"exp", cg_exp_f32, ulp_exp, 2.4},       {"expm1", cg_expm1_f32, ulp_expm1, 2}, {"sigmoid", cg_sigmoid_f32, ulp_sigmoid, 3.5},
    {"log", cg_log_f32, log, 2},             {"log1p", cg_log1p_f32, ulp_log1p, 2}, {"tanh", cg_tanh_f32, ulp_tanh, 3},
    {"erf", cg_erf_f32, ulp_erf, 3},
};
// clang-format on
enum { ULP_FUNCTIONS = sizeof ulp_function / sizeof *ulp_function, ULP_BLOCK = 1 << 14 };
#define ULP_MOST 4.0

static inline double ulp_most(unsigned function, const JitLevel *level)
{
    return level->target.fma ? ulp_function[function].most : ULP_MOST;
}

/* void name(ptr in, ptr out, i64 n): n a multiple of the lanes */
static inline void ulp_emit(Cg *c, const char *name, LLVMValueRef (*make)(Cg *c, LLVMValueRef x))
{
    LLVMValueRef f = cg_function(c, name, c->void_t, (LLVMTypeRef[]){c->ptr, c->ptr, c->i64}, 3, false);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), LLVMGetParam(f, 2), cg_i64(c, c->lanes), true, "x");
    LLVMValueRef from = cg_at(c, c->f32, LLVMGetParam(f, 0), loop->var),
                 to = cg_at(c, c->f32, LLVMGetParam(f, 1), loop->var);
    cg_store(c, make(c, cg_load(c, cg_vec(c->f32, c->lanes), from, 4, NULL)), to, 4, NULL);
    cg_loop_end(c, loop);
    cg_return(c, NULL);
}

static inline void ulp_start(Jit *jit, const JitLevel *level, UlpRun *run)
{
    jit_start(jit, level);
    for (unsigned i = 0; i < ULP_FUNCTIONS; i++)
        ulp_emit(&jit->cg, ulp_function[i].name, ulp_function[i].make);
    jit_link(jit);
    for (unsigned i = 0; i < ULP_FUNCTIONS; i++)
        run[i] = (UlpRun)jit_find(jit, ulp_function[i].name);
}

typedef struct UlpWorst {
    double error;
    float at;
} UlpWorst;

/* 2^(23 - exponent of the positive normal number): what turns a difference into units in the last place. */
static inline double ulp_scale(double size)
{
    uint64_t bits;
    memcpy(&bits, &size, 8);
    bits = (uint64_t)(1023 + 23 + 1023) * ((uint64_t)1 << 52) - (bits & 0x7ff0000000000000u);
    memcpy(&size, &bits, 8);
    return size;
}

/* |y - ref| in units in the last place of the result; special values must be met exactly, and what is below the normal
 * numbers within 2^-126: else the error is infinite. */
static inline double ulp_error(float y, double ref)
{
    const double wrong = (double)INFINITY;
    double size = fabs(ref);
    if (ref != ref)
        return y != y ? 0 : wrong;
    if (size >= 0x1.ffffffp127)
        return (double)y == (ref > 0 ? wrong : -wrong) ? 0 : wrong;
    if (size == 0)
        return y == 0 && !signbit(y) == !signbit(ref) ? 0 : wrong;
    if (size < 0x1p-126)
        return fabs((double)y - ref) <= 0x1p-126 ? 0 : wrong;
    double error = fabs((double)y - ref) * ulp_scale(size);
    return error >= 0 ? error : wrong;
}

/* Most values pass by the first line: normal, finite, and no worse than what was seen. */
static inline void ulp_measure(const float *in, const float *out, const double *ref, unsigned n, UlpWorst *worst)
{
    for (unsigned i = 0; i < n; i++) {
        double size = fabs(ref[i]);
        if (fabs((double)out[i] - ref[i]) * ulp_scale(size) <= worst->error && size >= 0x1p-126 && size < 0x1p127)
            continue;
        double error = ulp_error(out[i], ref[i]);
        if (error > worst->error)
            *worst = (UlpWorst){error, in[i]};
    }
}

#endif
