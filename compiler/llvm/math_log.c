/* log and log1p, f32: x = 2^e m with m in [2/3, 4/3), a polynomial in f = m - 1, and e ln 2 added in two parts. */
#include "llvm/math.h"

#include <math.h>

static const double ln2_high = 0x1.62e4p-1, ln2_low = 0x1.7f7d1cp-20;
enum { TWO_THIRDS = 0x3f2aaaab, ONE = 0x3f800000 }; /* as bits */

/* log(1 + f) = f + f² p(f), |f| <= 1/3; greatest error 4.64e-09 = 2^-27.7 */
static const double log_p[] = {-0x1p-1,       0x1.555506p-2,  -0x1.fffefcp-3, 0x1.99d044p-3, -0x1.559c44p-3,
                               0x1.1ed662p-3, -0x1.f332fep-4, 0x1.1e678cp-3,  -0x1.07c878p-3};

static LLVMValueRef exponent_of(Cg *c, LLVMValueRef bits)
{
    return cg_ashr(c, cg_sub(c, bits, cg_int(cg_type(bits), TWO_THIRDS)), 23);
}

/* m as bits, given e. */
static LLVMValueRef mantissa_of(Cg *c, LLVMValueRef bits, LLVMValueRef e)
{
    return cg_real(c, cg_sub(c, bits, cg_shl(c, e, 23)));
}

static LLVMValueRef assemble(Cg *c, LLVMValueRef f, LLVMValueRef e)
{
    LLVMTypeRef type = cg_type(f);
    LLVMValueRef s = cg_fmul(c, cg_fmul(c, f, f), cg_estrin(c, f, log_p, 9));
    LLVMValueRef low = cg_fadd(c, cg_fma(c, e, cg_num(type, ln2_low), s), f);
    return cg_fma(c, e, cg_num(type, ln2_high), low);
}

/* y where 0 < u < inf; u itself above (infinity, NaN), -infinity at 0, NaN below. */
static LLVMValueRef log_edges(Cg *c, LLVMValueRef u, LLVMValueRef y)
{
    LLVMTypeRef type = cg_type(u);
    LLVMValueRef zero = cg_num(type, 0), infinite = cg_num(type, INFINITY);
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, u, infinite), y, u);
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, u, zero), cg_num(type, NAN), y);
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, u, zero), cg_num(type, -INFINITY), y);
}

LLVMValueRef cg_log_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
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
