/* tanh and erf, f32: odd rational functions on the interval where they are not 1 yet, one division each. */
#include "llvm/math.h"

static const double tanh_top = 9.02, erf_top = 3.93;

/* tanh(x) = x n(x²) / d(x²), |x| <= 9.02; greatest error 5.96e-08 = 2^-24.0 */
static const double tanh_n[] = {0x1.fffffep-1, 0x1.120442p-3, 0x1.c9f854p-9, 0x1.59555cp-16, 0x1.c9a3ap-27};
static const double tanh_d[] = {0x1p0, 0x1.de576ap-2, 0x1.a7df24p-6, 0x1.5841d6p-12, 0x1.a0b858p-21};

/* erf(x) = x n(x²) / d(x²), |x| <= 3.93; greatest error 5.37e-08 = 2^-24.2 */
static const double erf_n[] = {0x1.20dd74p0,  0x1.86b9aap-3,  0x1.b07544p-5,
                               0x1.ef66a4p-9, 0x1.2aa4c4p-12, 0x1.121198p-19};
static const double erf_d[] = {0x1p0,         0x1.013bf2p-1, 0x1.d3ffb2p-4,
                               0x1.eb6fa2p-7, 0x1.31742p-10, 0x1.3ecd2ap-15};

static LLVMValueRef odd_rational(Cg *c, LLVMValueRef x, double top, const double *n, const double *d, unsigned terms)
{
    LLVMTypeRef type = cg_type(x);
    x = cg_fmin(c, cg_num(type, top), cg_fmax(c, cg_num(type, -top), x));
    LLVMValueRef t = cg_fmul(c, x, x);
    LLVMValueRef above = cg_fmul(c, x, cg_horner(c, t, n, terms));
    return cg_fdiv(c, above, cg_horner(c, t, d, terms));
}

LLVMValueRef cg_tanh_f32(Cg *c, LLVMValueRef x)
{
    return odd_rational(c, x, tanh_top, tanh_n, tanh_d, 5);
}

LLVMValueRef cg_erf_f32(Cg *c, LLVMValueRef x)
{
    return odd_rational(c, x, erf_top, erf_n, erf_d, 6);
}
