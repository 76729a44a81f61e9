/* log and log1p, f32: x = 2^e m with m in [3/4, 3/2), a polynomial in f = m - 1, and e ln 2 added in two parts. */
#include "llvm/math.h"

#include <math.h>

static const double ln2_high = 0x1.62e4p-1, ln2_low = 0x1.7f7d1cp-20;
enum { THREE_QUARTERS = 0x3f400000, ONE = 0x3f800000 }; /* as bits */

/* log(1 + f) = f + f² p(f), -1/4 <= f <= 1/2; greatest error 4.05e-08 = 2^-24.6 */
static const double log_p[] = {-0x1p-1,        0x1.5555b2p-2, -0x1.ffeceep-3, 0x1.993cc6p-3,
                               -0x1.57d554p-3, 0x1.313f0cp-3, -0x1.f03a7cp-4, 0x1.c7839p-5};

static LLVMValueRef exponent_of(Cg *c, LLVMValueRef bits)
{
    return cg_ashr(c, cg_sub(c, bits, cg_int(cg_type(bits), THREE_QUARTERS)), 23);
}

/* m as bits, given e. */
static LLVMValueRef mantissa_of(Cg *c, LLVMValueRef bits, LLVMValueRef e)
{
    return cg_real(c, cg_sub(c, bits, cg_shl(c, e, 23)));
}

static LLVMValueRef assemble(Cg *c, LLVMValueRef f, LLVMValueRef e)
{
    LLVMTypeRef type = cg_type(f);
    LLVMValueRef square = cg_fmul(c, f, f), s = cg_fmul(c, square, cg_even_odd(c, f, square, log_p, 8));
    LLVMValueRef low = cg_fadd(c, cg_fma(c, e, cg_num(type, ln2_low), s), f);
    return cg_fma(c, e, cg_num(type, ln2_high), low);
}

/* y where 0 < u < inf; u itself above (infinity, NaN), -infinity at 0, NaN below: the one that processors make. */
static LLVMValueRef log_edges(Cg *c, LLVMValueRef u, LLVMValueRef y)
{
    LLVMTypeRef type = cg_type(u);
    LLVMValueRef zero = cg_num(type, 0), infinite = cg_num(type, INFINITY);
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, u, infinite), y, cg_fadd(c, u, u));
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, u, zero), cg_num(type, -NAN), y);
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, u, zero), cg_num(type, -INFINITY), y);
}

/* The parts by two instructions, which know subnormal numbers, and give what makes log of 0, of infinity and of what is
 * negative: exponents of either infinity, a mantissa of 1 or NaN. */
static LLVMValueRef log_by_parts(Cg *c, LLVMValueRef x)
{
    enum { IN_3_4_TO_3_2 = 3, POSITIVE_ZERO = 4, NAN_BELOW = 8 };
    static const char exponent[] = "llvm.x86.avx512.mask.getexp.ps.512";
    LLVMValueRef m = cg_wide(c, "llvm.x86.avx512.mask.getmant.ps.512", x,
                             cg_i32(c, IN_3_4_TO_3_2 | POSITIVE_ZERO | NAN_BELOW));
    LLVMValueRef e = cg_fsub(c, cg_wide(c, exponent, x, NULL), cg_wide(c, exponent, m, NULL));
    return assemble(c, cg_fsub(c, m, cg_num(cg_type(x), 1)), e);
}

LLVMValueRef cg_log_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    if (cg_is_wide(type))
        return log_by_parts(c, x);
    LLVMValueRef subnormal = cg_fcmp(c, LLVMRealOLT, x, cg_num(type, 0x1p-126));
    LLVMValueRef bits = cg_bits(c, cg_select(c, subnormal, cg_fmul(c, x, cg_num(type, 0x1p23)), x));
    LLVMValueRef e = exponent_of(c, bits);
    LLVMValueRef f = cg_fsub(c, mantissa_of(c, bits, e), cg_num(type, 1));
    LLVMValueRef shift = cg_select(c, subnormal, cg_num(type, -23), cg_num(type, 0));
    LLVMValueRef whole = cg_fadd(c, cg_cast(c, LLVMSIToFP, e, c->f32), shift);
    return log_edges(c, x, assemble(c, f, whole));
}

/* With u = 1 + x = 2^e m the f that belongs to 1 + x itself, not to the rounded u, is 2^-e x + (2^-e - 1), rounded
 * once. Beyond 2^25 the 1 does not count, and 2^-e may not be a normal number. */
LLVMValueRef cg_log1p_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef one = cg_num(type, 1), u = cg_fadd(c, one, x), bits = cg_bits(c, u);
    LLVMValueRef e = exponent_of(c, bits);
    LLVMValueRef scale = cg_real(c, cg_sub(c, cg_int(cg_type(bits), ONE), cg_shl(c, e, 23)));
    LLVMValueRef near = cg_fma(c, x, scale, cg_fsub(c, scale, one));
    LLVMValueRef far = cg_fsub(c, mantissa_of(c, bits, e), one);
    LLVMValueRef f = cg_select(c, cg_fcmp(c, LLVMRealOGT, x, cg_num(type, 0x1p25)), far, near);
    LLVMValueRef y = log_edges(c, u, assemble(c, f, cg_cast(c, LLVMSIToFP, e, c->f32)));
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, x, cg_num(type, 0)), x, y); /* -0 stays */
}
