/* exp and what is made of it, f32: x = n ln 2 + r with |r| <= ln(2) / 2, a polynomial in r, and n added to the
 * exponent. */
#include "llvm/math.h"

#include <math.h>

/* ln2 = high + low, the high part of 15 bits: its products with n are exact without a fused multiply-add too. */
static const double ln2_high = 0x1.62e4p-1, ln2_low = 0x1.7f7d1cp-20;
static const double log2_e = 0x1.715476p0;
/* Adding it leaves round(x) in the low bits. */
static const double round_magic = 0x1.8p23;
/* The greatest float whose exp is finite, and the least whose exp is normal. */
static const double exp_top = 0x1.62e42ep6, exp_bottom = -0x1.5d589ep6;

/* exp(r) = 1 + r + r² q(r), |r| <= ln(2)/2; greatest error 1.05e-07 = 2^-23.2 */
static const double exp_q[] = {0x1.fffdfcp-2, 0x1.5557bp-3, 0x1.572a3cp-5, 0x1.10620cp-7};

/* expm1(r) = r + r² q(r), |r| <= ln(2)/2; greatest error 1.37e-08 = 2^-26.1 */
static const double expm1_q[] = {0x1.fffffep-2, 0x1.5554b4p-3, 0x1.5556f2p-5, 0x1.12254ap-7, 0x1.6b9c68p-10};

static LLVMValueRef reduce(Cg *c, LLVMValueRef x, LLVMValueRef *turn)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef magic = cg_num(type, round_magic);
    LLVMValueRef t = cg_fma(c, x, cg_num(type, log2_e), magic);
    LLVMValueRef n = cg_fsub(c, t, magic);
    LLVMValueRef r = cg_fma(c, n, cg_num(type, -ln2_high), x);
    *turn = cg_bits(c, t);
    return cg_fma(c, n, cg_num(type, -ln2_low), r);
}

/* exp where the result is a normal number; anything elsewhere. */
static LLVMValueRef exp_inside(Cg *c, LLVMValueRef x)
{
    LLVMValueRef turn, r = reduce(c, x, &turn);
    LLVMValueRef q = cg_estrin(c, r, exp_q, 4);
    LLVMValueRef p = cg_fadd(c, cg_fma(c, cg_fmul(c, r, r), q, r), cg_num(cg_type(x), 1));
    return cg_real(c, cg_add(c, cg_bits(c, p), cg_shl(c, turn, 23)));
}

/* Infinity above, and NaN for NaN: x + inf is both. */
static LLVMValueRef open_top(Cg *c, LLVMValueRef x, LLVMValueRef y)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef inside = cg_fcmp(c, LLVMRealOLE, x, cg_num(type, exp_top));
    return cg_select(c, inside, y, cg_fadd(c, x, cg_num(type, INFINITY)));
}

LLVMValueRef cg_exp_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef tiny = cg_fcmp(c, LLVMRealOLT, x, cg_num(type, exp_bottom));
    return open_top(c, x, cg_select(c, tiny, cg_num(type, 0), exp_inside(c, x)));
}

/* 1 / (1 + exp(-x)); exp(-x) below 2^-30 does not count any more. */
LLVMValueRef cg_sigmoid_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef z = cg_fmax(c, cg_num(type, -32), cg_fneg(c, x));
    LLVMValueRef e = open_top(c, z, exp_inside(c, z)), one = cg_num(type, 1);
    return cg_fdiv(c, one, cg_fadd(c, one, e));
}

/* expm1(r) for the reduced r. */
static LLVMValueRef expm1_core(Cg *c, LLVMValueRef r)
{
    return cg_fma(c, cg_fmul(c, r, r), cg_horner(c, r, expm1_q, 5), r);
}

/* 2^(n + bias), n being the low bits of turn. */
static LLVMValueRef power_of_two(Cg *c, LLVMValueRef turn, int bias)
{
    return cg_real(c, cg_add(c, cg_shl(c, turn, 23), cg_int(cg_type(turn), (int64_t)(127 + bias) << 23)));
}

/* 2^n p + (2^n - 1) */
LLVMValueRef cg_expm1_inside_f32(Cg *c, LLVMValueRef x)
{
    LLVMValueRef turn, r = reduce(c, x, &turn), scale = power_of_two(c, turn, 0);
    return cg_fma(c, expm1_core(c, r), scale, cg_fsub(c, scale, cg_num(cg_type(x), 1)));
}

/* The same as 2 (2^(n-1) p + (2^(n-1) - 1/2)): the half keeps 2^n finite up to n = 128. Below -25 the result is -1. */
LLVMValueRef cg_expm1_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef turn, r = reduce(c, cg_fmax(c, cg_num(type, -25), x), &turn), scale = power_of_two(c, turn, -1);
    LLVMValueRef y = cg_fma(c, expm1_core(c, r), scale, cg_fsub(c, scale, cg_num(type, 0.5)));
    y = open_top(c, x, cg_fadd(c, y, y));
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, x, cg_num(type, 0)), x, y); /* -0 stays */
}
