#include "llvm/math.h"

#include <math.h>

/* ── polynomials ── */

LLVMValueRef cg_horner(Cg *c, LLVMValueRef x, const double *a, unsigned n)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef sum = cg_num(type, a[n - 1]);
    for (unsigned i = n - 1; i-- > 0;)
        sum = cg_fma(c, sum, x, cg_num(type, a[i]));
    return sum;
}

LLVMValueRef cg_even_odd(Cg *c, LLVMValueRef x, LLVMValueRef square, const double *a, unsigned n)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef part[2];
    ACT_ASSERT(n >= 2);
    for (unsigned i = n; i-- > 0;) {
        LLVMValueRef number = cg_num(type, a[i]);
        part[i % 2] = i + 2 < n ? cg_fma(c, part[i % 2], square, number) : number;
    }
    return cg_fma(c, part[1], x, part[0]);
}

/* ── 16 lanes ── */

bool cg_is_wide(LLVMTypeRef type) { return cg_lanes_of(type) == 16 && LLVMGetTypeKind(cg_element(type)) == LLVMFloatTypeKind; }

LLVMValueRef cg_wide(Cg *c, const char *name, LLVMValueRef x, LLVMValueRef b)
{
    enum { EVERY_LANE = 0xffff, ROUNDING_AS_SET = 4 };
    LLVMValueRef arg[5] = {x, b};
    unsigned n = b ? 2 : 1;
    arg[n++] = cg_num(cg_type(x), 0);
    arg[n++] = LLVMConstInt(LLVMInt16TypeInContext(c->ctx), EVERY_LANE, false);
    arg[n++] = cg_i32(c, ROUNDING_AS_SET);
    return cg_intrinsic(c, name, NULL, 0, arg, n);
}

/* ── minimum and maximum ── */

/* A number, the same in all lanes, and not NaN? */
static bool is_plain_constant(LLVMValueRef v)
{
    LLVMValueRef one = v;
    if (LLVMIsConstant(v) && LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMVectorTypeKind)
        one = LLVMGetAggregateElement(v, 0);
    LLVMBool lossy;
    return one && LLVMIsAConstantFP(one) && !isnan(LLVMConstRealGetDouble(one, &lossy));
}

/* "a beats b ? a : b" is one instruction that gives b when either is NaN; a itself must be asked only when it can be
 * NaN. */
static LLVMValueRef extreme(Cg *c, LLVMRealPredicate beats, LLVMValueRef a, LLVMValueRef b)
{
    if (is_plain_constant(b)) {
        LLVMValueRef t = a;
        a = b;
        b = t;
    }
    LLVMValueRef m = cg_select(c, cg_fcmp(c, beats, a, b), a, b);
    return is_plain_constant(a) ? m : cg_select(c, cg_fcmp(c, LLVMRealUNO, a, a), a, m);
}

LLVMValueRef cg_fmin(Cg *c, LLVMValueRef a, LLVMValueRef b) { return extreme(c, LLVMRealOLT, a, b); }

LLVMValueRef cg_fmax(Cg *c, LLVMValueRef a, LLVMValueRef b) { return extreme(c, LLVMRealOGT, a, b); }

/* ── floor ── */

/* Without a rounding instruction the intrinsic would call the library. Numbers from 2^23 (2^52) on are whole already;
 * below, adding and taking away that number rounds, and what was rounded up goes down by one. The sign is put back for
 * -0. */
static LLVMValueRef floor_by_hand(Cg *c, LLVMValueRef x)
{
    LLVMTypeRef type = cg_type(x);
    bool wide = cg_element(type) == c->f64;
    LLVMValueRef whole = cg_num(type, wide ? 0x1p52 : 0x1p23), size = cg_fabs(c, x);
    LLVMTypeRef bits = cg_type(cg_bits(c, x));
    LLVMValueRef sign = cg_and(c, cg_bits(c, x), cg_int(bits, wide ? INT64_MIN : INT32_MIN));
    LLVMValueRef near = cg_fsub(c, cg_fadd(c, size, whole), whole);
    near = cg_real(c, cg_or(c, cg_bits(c, near), sign));
    LLVMValueRef lower = cg_fsub(c, near, cg_num(type, 1));
    LLVMValueRef down = cg_select(c, cg_fcmp(c, LLVMRealOGT, near, x), lower, near);
    return cg_select(c, cg_fcmp(c, LLVMRealOLT, size, whole), down, x);
}

LLVMValueRef cg_floor(Cg *c, LLVMValueRef x)
{
    if (!c->fma) /* processors with the one instruction have the other */
        return floor_by_hand(c, x);
    LLVMTypeRef type = cg_type(x);
    return cg_intrinsic(c, "llvm.floor", &type, 1, &x, 1);
}

/* ── integer powers ── */

LLVMValueRef cg_powi(Cg *c, LLVMValueRef x, int exponent)
{
    LLVMTypeRef type = cg_type(x);
    LLVMValueRef product = NULL, square = x;
    for (unsigned e = exponent < 0 ? 0u - (unsigned)exponent : (unsigned)exponent; e; e >>= 1) {
        if (e & 1)
            product = product ? cg_fmul(c, product, square) : square;
        if (e > 1)
            square = cg_fmul(c, square, square);
    }
    if (!product)
        return cg_num(type, 1);
    return exponent < 0 ? cg_fdiv(c, cg_num(type, 1), product) : product;
}
