/* tanh and erf, f32, as x a + x P(x²) / Q(x²): with a near what f(x) / x is at the far end, the quotient is small where the
 * errors of its polynomials are greatest, and a power of two makes x a exact. Both functions are exactly odd, and two
 * clamps hold the result within -1 and 1. */
#include "llvm/math.h"

typedef struct OddQuotient {
    double top; /* from here on the result is 1 */
    double a;
    unsigned n_p, n_q;
    double p[6], q[5]; /* the highest coefficient of Q is one more, 1 */
} OddQuotient;

/* tanh(x) = x (1/8 + p(x²) / (q(x²) + x^8)), |x| <= 9.02; greatest relative error 2^-25.3 */
static const OddQuotient tanh_quotient = {
    9.02,
    0.125,
    5,
    4,
    {0x1.1335e8p20, 0x1.7b7e86p16, 0x1.4f6674p8, -0x1.a5b6ap4, -0x1.b9bc7p-4},
    {0x1.3a86cp20, 0x1.25da3ep19, 0x1.04685cp15, 0x1.a70762p8},
};

/* erf(x) = x (1/4 + p(x²) / (q(x²) + x^10)), |x| <= 3.92; greatest relative error 2^-25.3 */
static const OddQuotient erf_quotient = {
    3.92,
    0.25,
    6,
    5,
    {0x1.684cecp14, 0x1.a770ep10, 0x1.3dbef8p9, 0x1.5987a6p-2, -0x1.0c92dp-3, -0x1.91a078p-3},
    {0x1.9a3018p14, 0x1.9b8c26p13, 0x1.75ce44p11, 0x1.87e536p8, 0x1.e61fb8p4},
};

static LLVMValueRef clamp(Cg *c, LLVMValueRef x, double most)
{
    LLVMTypeRef type = cg_type(x);
    return cg_fmax(c, cg_num(type, -most), cg_fmin(c, cg_num(type, most), x));
}

static LLVMValueRef odd_quotient(Cg *c, LLVMValueRef x, const OddQuotient *f)
{
    LLVMTypeRef type = cg_type(x);
    x = clamp(c, x, f->top);
    LLVMValueRef t = cg_fmul(c, x, x), below = cg_fadd(c, t, cg_num(type, f->q[f->n_q - 1]));
    for (unsigned i = f->n_q - 1; i-- > 0;)
        below = cg_fma(c, below, t, cg_num(type, f->q[i]));
    LLVMValueRef quotient = cg_fdiv(c, cg_horner(c, t, f->p, f->n_p), below);
    return clamp(c, cg_fma(c, x, quotient, cg_fmul(c, x, cg_num(type, f->a))), 1);
}

LLVMValueRef cg_tanh_f32(Cg *c, LLVMValueRef x) { return odd_quotient(c, x, &tanh_quotient); }

LLVMValueRef cg_erf_f32(Cg *c, LLVMValueRef x) { return odd_quotient(c, x, &erf_quotient); }
