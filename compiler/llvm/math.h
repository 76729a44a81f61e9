/* Vector mathematics as straight-line IR, for any lane count: own polynomials, no library call, no table, no branch.
 *
 * The f32 functions take and give floats. exp, log, log1p, expm1, tanh, sigmoid, erf are within 4 ULP (with a
 * fused multiply-add, exp, expm1, log, log1p, tanh and erf within 3) wherever the result is a normal number and give NaN
 * for NaN, the right infinities and zeros, for every float; the slow test compares all of them. With a fused multiply-add
 * the bits are the same in every lane count. Coefficients: tests/tools/minimax.py.
 *
 * The f64 functions are for what is computed once a call (uniforms, schedules) and inside pow; relative error about
 * 1e-15. */
#ifndef ACT_LLVM_MATH_H
#define ACT_LLVM_MATH_H

#include "llvm/emit.h"

LLVMValueRef cg_exp_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_expm1_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_sigmoid_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_log_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_log1p_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_tanh_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_erf_f32(Cg *c, LLVMValueRef x);
/* Within 2 ULP for |x| < 2^23 pi / 2 (everywhere below 2^48 with a fused multiply-add); NaN beyond 2^48. */
LLVMValueRef cg_sin_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_cos_f32(Cg *c, LLVMValueRef x);
LLVMValueRef cg_pow_f32(Cg *c, LLVMValueRef x, LLVMValueRef y);

LLVMValueRef cg_exp_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_expm1_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_log_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_log1p_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_tanh_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_sigmoid_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_erf_f64(Cg *c, LLVMValueRef x); /* scalar only */
LLVMValueRef cg_sin_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_cos_f64(Cg *c, LLVMValueRef x);
LLVMValueRef cg_pow_f64(Cg *c, LLVMValueRef x, LLVMValueRef y); /* scalar only */

/* ── either type ── */
LLVMValueRef cg_floor(Cg *c, LLVMValueRef x);
/* NaN when either is NaN. */
LLVMValueRef cg_fmin(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_fmax(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_powi(Cg *c, LLVMValueRef x, int exponent);
/* Instructions that only 16 floats have (AVX-512): those without an equal among LLVM's own. `name` is an intrinsic of
 * arguments x, b unless that is NULL, and what every such one takes beside: what masked lanes become, a mask, a rounding. */
bool cg_is_wide(LLVMTypeRef type);
LLVMValueRef cg_wide(Cg *c, const char *name, LLVMValueRef x, LLVMValueRef b);
/* sum a[i] x^i, lowest first: one after the other, or the even and the odd powers apart, which takes half as long and no
 * instruction more where x² is at hand. */
LLVMValueRef cg_horner(Cg *c, LLVMValueRef x, const double *a, unsigned n);
LLVMValueRef cg_even_odd(Cg *c, LLVMValueRef x, LLVMValueRef square, const double *a, unsigned n);

#endif
