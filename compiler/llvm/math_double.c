/* Doubles: uniforms, schedules, and the inside of pow. Speed does not matter here, so the polynomials are Taylor's and
 * one or two terms longer than they need be. */
#include "llvm/math.h"

#include <math.h>

/* ln2 = high + low, the high part of 42 bits: its products with |n| <= 1100 are exact. */
static const double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45;
static const double log2_e = 0x1.71547652b82fep0;
static const double round_magic = 0x1.8p52;

static LLVMValueRef like(LLVMValueRef x, double value) { return cg_num(cg_type(x), value); }

/* r in [-ln(2)/2, ln(2)/2], and n in the low bits of *turn. */
static LLVMValueRef reduce(Cg *c, LLVMValueRef x, LLVMValueRef *turn)
{
    LLVMValueRef magic = like(x, round_magic);
    LLVMValueRef t = cg_fma(c, x, like(x, log2_e), magic), n = cg_fsub(c, t, magic);
    *turn = cg_bits(c, t);
    return cg_fma(c, n, like(x, -ln2_low), cg_fma(c, n, like(x, -ln2_high), x));
}

/* (exp(r) - 1 - r) / r² = 1/2 + r/6 + … */
static LLVMValueRef exp_rest(Cg *c, LLVMValueRef r)
{
    double a[13], factorial = 1;
    for (unsigned i = 0; i < 13; i++) {
        factorial *= i + 2;
        a[i] = 1 / factorial;
    }
    return cg_horner(c, r, a, 13);
}

LLVMValueRef cg_exp_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef turn, r = reduce(c, x, &turn);
    LLVMValueRef p = cg_fadd(c, cg_fma(c, cg_fmul(c, r, r), exp_rest(c, r), r), like(x, 1));
    LLVMValueRef y = cg_real(c, cg_add(c, cg_bits(c, p), cg_shl(c, turn, 52)));
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, x, like(x, -708.39)), like(x, 0), y);
    LLVMValueRef inside = cg_fcmp(c, LLVMRealOLE, x, like(x, 0x1.62e42fefa39efp9));
    return cg_select(c, inside, y, cg_fadd(c, x, like(x, INFINITY)));
}

LLVMValueRef cg_expm1_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef turn, r = reduce(c, cg_fmax(c, like(x, -50), x), &turn);
    LLVMValueRef p = cg_fma(c, cg_fmul(c, r, r), exp_rest(c, r), r);
    LLVMValueRef half = cg_real(c, cg_add(c, cg_shl(c, turn, 52), cg_int(cg_type(turn), (int64_t)1022 << 52)));
    LLVMValueRef y = cg_fma(c, p, half, cg_fsub(c, half, like(x, 0.5)));
    LLVMValueRef inside = cg_fcmp(c, LLVMRealOLE, x, like(x, 0x1.62e42fefa39efp9));
    y = cg_select(c, inside, cg_fadd(c, y, y), cg_fadd(c, x, like(x, INFINITY)));
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, x, like(x, 0)), x, y);
}

/* log(2^e m) + log(1 + f), f small: 2 atanh(s) with s = f / (2 + f). */
static LLVMValueRef log_parts(Cg *c, LLVMValueRef f, LLVMValueRef e)
{
    double a[12];
    for (unsigned i = 0; i < 12; i++)
        a[i] = 2.0 / (2 * i + 3);
    LLVMValueRef s = cg_fdiv(c, f, cg_fadd(c, like(f, 2), f)), t = cg_fmul(c, s, s);
    /* 2 s = f - s f: f itself carries the leading bits exactly */
    LLVMValueRef rest = cg_fmul(c, s, cg_fsub(c, cg_fmul(c, t, cg_horner(c, t, a, 12)), f));
    LLVMValueRef low = cg_fadd(c, cg_fma(c, e, like(f, ln2_low), rest), f);
    return cg_fma(c, e, like(f, ln2_high), low);
}

static LLVMValueRef log_edges(Cg *c, LLVMValueRef u, LLVMValueRef y)
{
    LLVMValueRef zero = like(u, 0);
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, u, like(u, INFINITY)), y, u);
    y = cg_select(c, cg_fcmp(c, LLVMRealOLT, u, zero), like(u, NAN), y);
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, u, zero), like(u, -INFINITY), y);
}

static LLVMValueRef exponent_of(Cg *c, LLVMValueRef bits)
{
    return cg_ashr(c, cg_sub(c, bits, cg_int(cg_type(bits), 0x3fe6a09e667f3bcd)), 52); /* of the root of 1/2 */
}

/* Without a wide conversion instruction: the exponent is small, so 32 bits do. */
static LLVMValueRef exponent_real(Cg *c, LLVMValueRef e)
{
    return cg_cast(c, LLVMSIToFP, cg_cast(c, LLVMTrunc, e, c->i32), c->f64);
}

LLVMValueRef cg_log_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef subnormal = cg_fcmp(c, LLVMRealOLT, x, like(x, 0x1p-1022));
    LLVMValueRef bits = cg_bits(c, cg_select(c, subnormal, cg_fmul(c, x, like(x, 0x1p54)), x));
    LLVMValueRef e = exponent_of(c, bits);
    LLVMValueRef f = cg_fsub(c, cg_real(c, cg_sub(c, bits, cg_shl(c, e, 52))), like(x, 1));
    LLVMValueRef whole = cg_fadd(c, exponent_real(c, e), cg_select(c, subnormal, like(x, -54), like(x, 0)));
    return log_edges(c, x, log_parts(c, f, whole));
}

LLVMValueRef cg_log1p_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef one = like(x, 1), u = cg_fadd(c, one, x), bits = cg_bits(c, u), e = exponent_of(c, bits);
    LLVMValueRef scale = cg_real(c, cg_sub(c, cg_int(cg_type(bits), 0x3ff0000000000000), cg_shl(c, e, 52)));
    LLVMValueRef near = cg_fma(c, x, scale, cg_fsub(c, scale, one));
    LLVMValueRef far = cg_fsub(c, cg_real(c, cg_sub(c, bits, cg_shl(c, e, 52))), one);
    LLVMValueRef f = cg_select(c, cg_fcmp(c, LLVMRealOGT, x, like(x, 0x1p54)), far, near);
    LLVMValueRef y = log_edges(c, u, log_parts(c, f, exponent_real(c, e)));
    return cg_select(c, cg_fcmp(c, LLVMRealOEQ, x, like(x, 0)), x, y);
}

LLVMValueRef cg_tanh_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef inside = cg_fmin(c, like(x, 20), cg_fmax(c, like(x, -20), x));
    LLVMValueRef e = cg_expm1_f64(c, cg_fadd(c, inside, inside));
    return cg_fdiv(c, e, cg_fadd(c, e, like(x, 2)));
}

LLVMValueRef cg_sigmoid_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef one = like(x, 1);
    return cg_fdiv(c, one, cg_fadd(c, one, cg_exp_f64(c, cg_fneg(c, x))));
}

/* erf(x) = 2/sqrt(pi) exp(-x²) sum of 2^k x^(2k+1) / (2k+1)!!: no term is negative. From 6 on it is 1. */
LLVMValueRef cg_erf_f64(Cg *c, LLVMValueRef x)
{
    LLVMValueRef inside = cg_fmin(c, like(x, 6), cg_fmax(c, like(x, -6), x)), square = cg_fmul(c, inside, inside);
    LLVMValueRef twice = cg_fadd(c, square, square);
    CgLoop loop;
    cg_loop_begin(c, &loop, cg_i64(c, 1), cg_i64(c, 180), cg_i64(c, 1), true, "erf");
    LLVMValueRef term = cg_loop_phi(c, &loop, inside, "term"), sum = cg_loop_phi(c, &loop, inside, "sum");
    LLVMValueRef k = cg_cast(c, LLVMSIToFP, loop.var, c->f64);
    LLVMValueRef odd = cg_fma(c, k, like(x, 2), like(x, 1));
    term = cg_fdiv(c, cg_fmul(c, term, twice), odd);
    cg_loop_next(&loop, 0, term);
    cg_loop_next(&loop, 1, cg_fadd(c, sum, term));
    cg_loop_end(c, &loop);
    LLVMValueRef scale = cg_fmul(c, like(x, 0x1.20dd750429b6dp0), cg_exp_f64(c, cg_fneg(c, square)));
    LLVMValueRef below = cg_fcmp(c, LLVMRealOLT, cg_fabs(c, x), like(x, 6));
    return cg_select(c, below, cg_fmul(c, scale, loop.out[1]), cg_fdiv(c, inside, like(x, 6)));
}

/* ── powers ── */

/* What C's pow gives where exp(y log |x|) is not enough; `magnitude` is that. */
static LLVMValueRef pow_edges(Cg *c, LLVMValueRef x, LLVMValueRef y, LLVMValueRef magnitude)
{
    LLVMValueRef zero = like(x, 0), one = like(x, 1), half = cg_fmul(c, y, like(y, 0.5));
    LLVMValueRef integer = cg_fcmp(c, LLVMRealOEQ, cg_floor(c, y), y);
    LLVMValueRef even = cg_fcmp(c, LLVMRealOEQ, cg_floor(c, half), half);
    LLVMTypeRef bits = cg_type(cg_bits(c, x));
    LLVMValueRef sign = cg_and(c, cg_bits(c, x), cg_int(bits, INT64_MIN));
    LLVMValueRef odd = cg_and(c, integer, cg_not(c, even));
    LLVMValueRef signed_value = cg_real(c, cg_xor(c, cg_bits(c, magnitude), sign));
    LLVMValueRef result = cg_select(c, odd, signed_value, magnitude);
    LLVMValueRef infinite = like(x, INFINITY);
    /* a negative finite base with a fractional exponent */
    LLVMValueRef root = cg_and(c, cg_fcmp(c, LLVMRealOLT, x, zero), cg_not(c, integer));
    root = cg_and(c, root, cg_fcmp(c, LLVMRealOGT, x, like(x, -INFINITY)));
    root = cg_and(c, root, cg_fcmp(c, LLVMRealOLT, cg_fabs(c, y), infinite));
    result = cg_select(c, root, like(x, NAN), result);
    LLVMValueRef unit =
        cg_and(c, cg_fcmp(c, LLVMRealOEQ, cg_fabs(c, x), one), cg_fcmp(c, LLVMRealOEQ, cg_fabs(c, y), infinite));
    unit = cg_or(c, unit, cg_fcmp(c, LLVMRealOEQ, x, one));
    unit = cg_or(c, unit, cg_fcmp(c, LLVMRealOEQ, y, zero));
    return cg_select(c, unit, one, result);
}

LLVMValueRef cg_pow_f32(Cg *c, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef wide = cg_cast(c, LLVMFPExt, x, c->f64), power = cg_cast(c, LLVMFPExt, y, c->f64);
    LLVMValueRef magnitude = cg_exp_f64(c, cg_fmul(c, power, cg_log_f64(c, cg_fabs(c, wide))));
    return cg_cast(c, LLVMFPTrunc, pow_edges(c, wide, power, magnitude), c->f32);
}

/* Whole exponents below 2^20 by repeated squaring, 20 times through a loop; others through the logarithm. */
LLVMValueRef cg_pow_f64(Cg *c, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef size = cg_fabs(c, y), limit = like(y, 0x1p20), one = like(x, 1);
    LLVMValueRef small = cg_fcmp(c, LLVMRealOLT, size, limit);
    LLVMValueRef count = cg_cast(c, LLVMFPToSI, cg_select(c, small, size, like(y, 0)), c->i64);
    CgLoop loop;
    cg_loop_begin(c, &loop, cg_i64(c, 0), cg_i64(c, 20), cg_i64(c, 1), true, "power");
    LLVMValueRef product = cg_loop_phi(c, &loop, one, "product"), square = cg_loop_phi(c, &loop, x, "square");
    LLVMValueRef left = cg_loop_phi(c, &loop, count, "left");
    LLVMValueRef odd = cg_icmp(c, LLVMIntNE, cg_and(c, left, cg_i64(c, 1)), cg_i64(c, 0));
    cg_loop_next(&loop, 0, cg_select(c, odd, cg_fmul(c, product, square), product));
    cg_loop_next(&loop, 1, cg_fmul(c, square, square));
    cg_loop_next(&loop, 2, cg_lshr(c, left, 1));
    cg_loop_end(c, &loop);
    LLVMValueRef squared = loop.out[0];
    squared = cg_select(c, cg_fcmp(c, LLVMRealOLT, y, like(y, 0)), cg_fdiv(c, one, squared), squared);
    LLVMValueRef general = pow_edges(c, x, y, cg_exp_f64(c, cg_fmul(c, y, cg_log_f64(c, cg_fabs(c, x)))));
    LLVMValueRef whole = cg_and(c, small, cg_fcmp(c, LLVMRealOEQ, cg_floor(c, y), y));
    return cg_select(c, whole, squared, general);
}
