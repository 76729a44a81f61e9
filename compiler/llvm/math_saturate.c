/* tanh and erf, f32, by way of expm1: where they come near 1 the result is 1 less something small, which rounds but
 * once; near 0 they are as good as expm1 is. Both are exactly odd and never beyond 1. */
#include "llvm/math.h"

/* From here on the result rounds to 1. */
static const double tanh_top = 20, erf_top = 3.93;

static const double erf_slope_high = 0x1.20dd76p0, erf_slope_low = -0x1.f7ac92p-25;
/* -log(1 - erf(x)) = x (2/sqrt(pi) + x p(x)), 0 <= x <= 3.93; greatest error 3.77e-08 = 2^-24.7 */
static const double erf_p[] = {0x1.45f2bcp-1,  0x1.a51948p-4,   -0x1.3c3d72p-6, 0x1.75ef6p-13,
                               0x1.4d33b2p-10, -0x1.968186p-12, 0x1.5cf416p-15};

/* The size of y with the sign of x. */
static LLVMValueRef with_sign(Cg *c, LLVMValueRef y, LLVMValueRef x)
{
    LLVMValueRef size = cg_bits(c, cg_fabs(c, y)), bits = cg_bits(c, x);
    return cg_real(c, cg_or(c, size, cg_and(c, bits, cg_int(cg_type(bits), INT32_MIN))));
}

/* e / (e + 2) with e = expm1(2 |x|) */
LLVMValueRef cg_tanh_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef size = cg_fabs(c, x);
    LLVMValueRef e = cg_expm1_inside_f32(c, cg_fmin(c, cg_num(type, tanh_top), cg_fadd(c, size, size)));
    return with_sign(c, cg_fdiv(c, e, cg_fadd(c, e, cg_num(type, 2))), x);
}

/* The slope at 0 in two floats: the product with it is rounded once. */
LLVMValueRef cg_erf_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef size = cg_fmin(c, cg_num(type, erf_top), cg_fabs(c, x));
    LLVMValueRef rest = cg_fma(c, size, cg_estrin(c, size, erf_p, 7), cg_num(type, erf_slope_low));
    LLVMValueRef w = cg_fma(c, size, cg_num(type, erf_slope_high), cg_fmul(c, size, rest));
    return with_sign(c, cg_expm1_inside_f32(c, cg_fneg(c, w)), x);
}
