/* sin and cos: x = n pi/2 + r, reduced in double so that r is good to a float's last bit next to every multiple of
 * pi/2. */
#include "llvm/math.h"

#include <math.h>

/* pi/2 in three parts; the first two have 30 bits, so that their products with n < 2^23 are exact. */
static const double half_pi[] = {0x1.921fb54p0, 0x1.10b46118p-30, 0x1.313198a2e037p-61};
static const double two_over_pi = 0x1.45f306dc9c883p-1;
static const double round_magic = 0x1.8p52; /* leaves round(x) in the low bits */
static const double too_far = 0x1p48;

/* sin(r) = r + r³ s(r²), |r| <= pi/4; greatest error 3.72e-09 = 2^-28.0 */
static const double sin_s[] = {-0x1.555546p-3, 0x1.11077ap-7, -0x1.9954a8p-13};

/* cos(r) = 1 - r²/2 + r⁴ k(r²), |r| <= pi/4; greatest error 1.06e-10 = 2^-33.1 */
static const double cos_k[] = {0x1.55554ap-5, -0x1.6c0c1ap-10, 0x1.99e0ecp-16};

/* r as double and the quarter turn in the low bits of *quarter (i64). NaN for what is too far, infinite or NaN. */
static LLVMValueRef reduce(Cg *c, LLVMValueRef x, LLVMValueRef *quarter)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef magic = cg_num(type, round_magic);
    LLVMValueRef t = cg_fma(c, x, cg_num(type, two_over_pi), magic);
    LLVMValueRef n = cg_fsub(c, t, magic);
    LLVMValueRef r = x;
    for (unsigned i = 0; i < 3; i++)
        r = cg_fma(c, n, cg_num(type, -half_pi[i]), r);
    *quarter = cg_bits(c, t);
    LLVMValueRef near = cg_fcmp(c, LLVMRealOLT, cg_fabs(c, x), cg_num(type, too_far));
    return cg_select(c, near, r, cg_num(type, NAN));
}

/* sin(r) or cos(r) as the quarter says, with its sign. */
static LLVMValueRef turn(Cg *c, LLVMValueRef quarter, LLVMValueRef sine, LLVMValueRef cosine)
{
    LLVMTypeRef type = cg_type(quarter);
    unsigned sign_bit = cg_element(type) == c->i64 ? 63 : 31;
    LLVMValueRef odd = cg_icmp(c, LLVMIntNE, cg_and(c, quarter, cg_int(type, 1)), cg_int(type, 0));
    LLVMValueRef sign = cg_shl(c, cg_and(c, quarter, cg_int(type, 2)), sign_bit - 1);
    return cg_real(c, cg_xor(c, cg_bits(c, cg_select(c, odd, cosine, sine)), sign));
}

static LLVMValueRef sin_f32(Cg *c, LLVMValueRef x, int ahead)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef quarter, wide = reduce(c, cg_cast(c, LLVMFPExt, x, c->f64), &quarter);
    LLVMValueRef r = cg_cast(c, LLVMFPTrunc, wide, c->f32), t = cg_fmul(c, r, r), one = cg_num(type, 1);
    quarter = cg_cast(c, LLVMTrunc, quarter, c->i32);
    LLVMValueRef sine = cg_fmul(c, r, cg_fma(c, t, cg_horner(c, t, sin_s, 3), one));
    LLVMValueRef k = cg_fma(c, t, cg_horner(c, t, cos_k, 3), cg_num(type, -0.5));
    LLVMValueRef cosine = cg_fma(c, t, k, one);
    return turn(c, cg_add(c, quarter, cg_int(cg_type(quarter), ahead)), sine, cosine);
}

LLVMValueRef cg_sin_f32(Cg *c, LLVMValueRef x) { return sin_f32(c, x, 0); }

LLVMValueRef cg_cos_f32(Cg *c, LLVMValueRef x) { return sin_f32(c, x, 1); }

/* In double the Taylor polynomials do: the last term left out is below 1e-18 at pi/4. */
static LLVMValueRef sin_f64(Cg *c, LLVMValueRef x, int ahead)
{
    double odd[8], even[9], factorial = 1;
    for (unsigned i = 0, k = 0; i < 17; i++) {
        factorial *= i ? i : 1;
        double term = (i / 2 % 2 ? -1 : 1) / factorial;
        if (i % 2 == 0)
            even[k] = term;
        else
            odd[k++] = term;
    }
    LLVMValueRef quarter, r = reduce(c, x, &quarter), t = cg_fmul(c, r, r);
    LLVMValueRef sine = cg_fma(c, cg_fmul(c, r, t), cg_horner(c, t, odd + 1, 7), r);
    LLVMValueRef cosine = cg_horner(c, t, even, 9);
    return turn(c, cg_add(c, quarter, cg_int(cg_type(quarter), ahead)), sine, cosine);
}

LLVMValueRef cg_sin_f64(Cg *c, LLVMValueRef x) { return sin_f64(c, x, 0); }

LLVMValueRef cg_cos_f64(Cg *c, LLVMValueRef x) { return sin_f64(c, x, 1); }
