/* exp and what is made of it, f32: x = n ln 2 + r with |r| <= ln(2) / 2, a polynomial in r, times 2^n. Clamps bound n: they
 * are minima and maxima with a number, which let NaN pass. */
#include "llvm/math.h"

/* ln2 = high + low, the high part of 15 bits: its products with n are exact without a fused multiply-add too. */
static const double ln2_high = 0x1.62e4p-1, ln2_low = 0x1.7f7d1cp-20;
static const double log2_e = 0x1.715476p0;
/* Adding it leaves round(x) + 254 in the low bits: whole halves of that are exponents as a float has them, 127 more. */
static const double round_magic = 0x1.8p23 + 254;
/* exp is infinite above, zero below: n stays within -150 and 128. */
static const double exp_top = 88.8, exp_bottom = -104;

/* exp(r) = 1 + r + r² q(r), |r| <= ln(2)/2; greatest error 1.05e-07 = 2^-23.2 */
static const double exp_q[] = {0x1.fffdfcp-2, 0x1.5557bp-3, 0x1.572a3cp-5, 0x1.10620cp-7};

/* expm1(r) = r + r² q(r), |r| <= ln(2)/2; greatest error 1.37e-08 = 2^-26.1 */
static const double expm1_q[] = {0x1.fffffep-2, 0x1.5554b4p-3, 0x1.5556f2p-5, 0x1.12254ap-7, 0x1.6b9c68p-10};

typedef struct Reduced {
    LLVMValueRef r, n; /* x = n ln 2 + r */
    LLVMValueRef turn; /* bits whose low ones are n + 254 */
} Reduced;

static Reduced reduce(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef magic = cg_num(type, round_magic);
    LLVMValueRef t = cg_fma(c, x, cg_num(type, log2_e), magic);
    LLVMValueRef n = cg_fsub(c, t, magic);
    LLVMValueRef r = cg_fma(c, n, cg_num(type, -ln2_high), x);
    return (Reduced){cg_fma(c, n, cg_num(type, -ln2_low), r), n, cg_bits(c, t)};
}

/* r + r² q(r) */
static LLVMValueRef expm1_core(Cg *c, LLVMValueRef r, const double *q, unsigned n)
{
    LLVMValueRef square = cg_fmul(c, r, r);
    return cg_fma(c, square, cg_even_odd(c, r, square, q, n), r);
}

/* 2^n p, rounded once where it is below the normal numbers. AVX-512 has an instruction for it; elsewhere 2^n is two factors,
 * since neither 2^128 nor 2^-150 is a normal number. */
static LLVMValueRef scale(Cg *c, LLVMValueRef p, const Reduced *x)
{
    if (cg_is_wide(cg_type(p)))
        return cg_wide(c, "llvm.x86.avx512.mask.scalef.ps.512", p, x->n);
    LLVMValueRef half = cg_lshr(c, x->turn, 1), rest = cg_sub(c, x->turn, half);
    p = cg_fmul(c, p, cg_real(c, cg_shl(c, half, 23)));
    return cg_fmul(c, p, cg_real(c, cg_shl(c, rest, 23)));
}

/* exp of what the clamps left. */
static LLVMValueRef exp_inside(Cg *c, LLVMValueRef x)
{
    Reduced part = reduce(c, x);
    LLVMValueRef p = expm1_core(c, part.r, exp_q, 4);
    return scale(c, cg_fadd(c, p, cg_num(cg_type(x), 1)), &part);
}

static LLVMValueRef between(Cg *c, double low, LLVMValueRef x, double high)
{
    LLVMTypeRef type = cg_type(x);
    return cg_fmax(c, cg_num(type, low), cg_fmin(c, cg_num(type, high), x));
}

LLVMValueRef cg_exp_f32(Cg *c, LLVMValueRef x) { return exp_inside(c, between(c, exp_bottom, x, exp_top)); }

/* 1 / (1 + exp(-x)); exp(-x) below 2^-30 does not count any more. */
LLVMValueRef cg_sigmoid_f32(Cg *c, LLVMValueRef x)
{
    LLVMValueRef one = cg_num(cg_type(x), 1);
    LLVMValueRef e = exp_inside(c, between(c, -32, cg_fneg(c, x), exp_top));
    return cg_fdiv(c, one, cg_fadd(c, one, e));
}

/* 2^n p + (2^n - 1) as 2 (2^(n-1) p + (2^(n-1) - 1/2)): the half keeps 2^n finite up to n = 128, the sum makes it infinite
 * where it is. Below -25 the result is -1. -0 has its sign put back. */
LLVMValueRef cg_expm1_f32(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    Reduced part = reduce(c, between(c, -25, x, exp_top));
    LLVMTypeRef bits = cg_type(part.turn);
    LLVMValueRef exponent = cg_add(c, cg_shl(c, part.turn, 23), cg_int(bits, (int32_t)(0u - (128u << 23))));
    LLVMValueRef half = cg_real(c, exponent); /* 2^(n-1) */
    LLVMValueRef p = expm1_core(c, part.r, expm1_q, 5);
    LLVMValueRef y = cg_fma(c, p, half, cg_fsub(c, half, cg_num(type, 0.5)));
    LLVMValueRef sign = cg_and(c, cg_bits(c, x), cg_int(bits, INT32_MIN));
    return cg_real(c, cg_or(c, cg_bits(c, cg_fadd(c, y, y)), sign));
}
