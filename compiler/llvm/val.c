#include "llvm/emit.h"

#include <string.h>

/* ── types and constants ── */

LLVMTypeRef cg_vec(LLVMTypeRef element, unsigned lanes)
{
    return lanes == 1 ? element : LLVMVectorType(element, lanes);
}

unsigned cg_lanes_of(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetVectorSize(type) : 1;
}

LLVMTypeRef cg_element(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetElementType(type) : type;
}

LLVMTypeRef cg_like(LLVMTypeRef shape, LLVMTypeRef element) { return cg_vec(element, cg_lanes_of(shape)); }

LLVMTypeRef cg_type(LLVMValueRef v) { return LLVMTypeOf(v); }

static LLVMValueRef splat_constant(LLVMTypeRef type, LLVMValueRef scalar)
{
    LLVMValueRef lane[64];
    unsigned n = cg_lanes_of(type);
    if (n == 1)
        return scalar;
    ACT_ASSERT(n <= 64);
    for (unsigned i = 0; i < n; i++)
        lane[i] = scalar;
    return LLVMConstVector(lane, n);
}

LLVMValueRef cg_num(LLVMTypeRef type, double value)
{
    return splat_constant(type, LLVMConstReal(cg_element(type), value));
}

LLVMValueRef cg_int(LLVMTypeRef type, int64_t value)
{
    return splat_constant(type, LLVMConstInt(cg_element(type), (unsigned long long)value, true));
}

LLVMValueRef cg_i64(Cg *c, int64_t value) { return LLVMConstInt(c->i64, (unsigned long long)value, true); }

LLVMValueRef cg_i32(Cg *c, int64_t value) { return LLVMConstInt(c->i32, (unsigned long long)value, true); }

LLVMValueRef cg_iota(LLVMTypeRef int_vector, int64_t step)
{
    LLVMValueRef lane[64];
    unsigned n = cg_lanes_of(int_vector);
    for (unsigned i = 0; i < n; i++)
        lane[i] = LLVMConstInt(cg_element(int_vector), (unsigned long long)(step * i), true);
    return n == 1 ? lane[0] : LLVMConstVector(lane, n);
}

LLVMValueRef cg_lane_mask(Cg *c, unsigned lanes, unsigned on)
{
    LLVMValueRef lane[64];
    for (unsigned i = 0; i < lanes; i++)
        lane[i] = LLVMConstInt(c->i1, i < on, false);
    return LLVMConstVector(lane, lanes);
}

bool cg_const_int(LLVMValueRef v, int64_t *value)
{
    if (!LLVMIsAConstantInt(v))
        return false;
    *value = LLVMConstIntGetSExtValue(v);
    return true;
}

/* ── arithmetic ── */

/* LLVM is built without assertions here: a mismatch would be silent nonsense. */
static void same_shape(LLVMValueRef a, LLVMValueRef b) { ACT_ASSERT(LLVMTypeOf(a) == LLVMTypeOf(b)); }

static LLVMValueRef binary(Cg *c, LLVMOpcode op, LLVMValueRef a, LLVMValueRef b)
{
    same_shape(a, b);
    return LLVMBuildBinOp(c->b, op, a, b, "");
}

LLVMValueRef cg_fadd(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMFAdd, a, b); }
LLVMValueRef cg_fsub(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMFSub, a, b); }
LLVMValueRef cg_fmul(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMFMul, a, b); }
LLVMValueRef cg_fdiv(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMFDiv, a, b); }
LLVMValueRef cg_fneg(Cg *c, LLVMValueRef a) { return LLVMBuildFNeg(c->b, a, ""); }

LLVMValueRef cg_add(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMAdd, a, b); }
LLVMValueRef cg_sub(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMSub, a, b); }
LLVMValueRef cg_mul(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMMul, a, b); }
LLVMValueRef cg_udiv(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMUDiv, a, b); }
LLVMValueRef cg_and(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMAnd, a, b); }
LLVMValueRef cg_or(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMOr, a, b); }
LLVMValueRef cg_xor(Cg *c, LLVMValueRef a, LLVMValueRef b) { return binary(c, LLVMXor, a, b); }
LLVMValueRef cg_not(Cg *c, LLVMValueRef a) { return LLVMBuildNot(c->b, a, ""); }
LLVMValueRef cg_shl(Cg *c, LLVMValueRef a, unsigned by) { return binary(c, LLVMShl, a, cg_int(LLVMTypeOf(a), by)); }
LLVMValueRef cg_lshr(Cg *c, LLVMValueRef a, unsigned by) { return binary(c, LLVMLShr, a, cg_int(LLVMTypeOf(a), by)); }
LLVMValueRef cg_ashr(Cg *c, LLVMValueRef a, unsigned by) { return binary(c, LLVMAShr, a, cg_int(LLVMTypeOf(a), by)); }

LLVMValueRef cg_intrinsic(Cg *c, const char *name, const LLVMTypeRef *overload, unsigned n_overload, LLVMValueRef *args,
                          unsigned n)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    ACT_ASSERT(id != 0);
    LLVMTypeRef types[4];
    ACT_ASSERT(n_overload <= 4);
    for (unsigned i = 0; i < n_overload; i++)
        types[i] = overload[i];
    return cg_call(c, LLVMGetIntrinsicDeclaration(c->mod, id, types, n_overload), args, n);
}

/* The intrinsic is asked for only where it is an instruction: elsewhere it would become a library call for each lane.
 */
LLVMValueRef cg_fma(Cg *c, LLVMValueRef a, LLVMValueRef b, LLVMValueRef x)
{
    same_shape(a, b);
    same_shape(a, x);
    if (!c->fma)
        return cg_fadd(c, cg_fmul(c, a, b), x);
    LLVMTypeRef type = LLVMTypeOf(a);
    return cg_intrinsic(c, "llvm.fma", &type, 1, (LLVMValueRef[]){a, b, x}, 3);
}

LLVMValueRef cg_fabs(Cg *c, LLVMValueRef a)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    return cg_intrinsic(c, "llvm.fabs", &type, 1, &a, 1);
}

LLVMValueRef cg_sqrt(Cg *c, LLVMValueRef a)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    return cg_intrinsic(c, "llvm.sqrt", &type, 1, &a, 1);
}

LLVMValueRef cg_fcmp(Cg *c, LLVMRealPredicate p, LLVMValueRef a, LLVMValueRef b)
{
    same_shape(a, b);
    return LLVMBuildFCmp(c->b, p, a, b, "");
}

LLVMValueRef cg_icmp(Cg *c, LLVMIntPredicate p, LLVMValueRef a, LLVMValueRef b)
{
    same_shape(a, b);
    return LLVMBuildICmp(c->b, p, a, b, "");
}

LLVMValueRef cg_select(Cg *c, LLVMValueRef cond, LLVMValueRef a, LLVMValueRef b)
{
    same_shape(a, b);
    return LLVMBuildSelect(c->b, cond, a, b, "");
}

LLVMValueRef cg_imin(Cg *c, LLVMValueRef a, LLVMValueRef b) { return cg_select(c, cg_icmp(c, LLVMIntSLT, a, b), a, b); }

/* ── conversions ── */

LLVMValueRef cg_bitcast(Cg *c, LLVMValueRef v, LLVMTypeRef type) { return LLVMBuildBitCast(c->b, v, type, ""); }

LLVMValueRef cg_bits(Cg *c, LLVMValueRef v)
{
    LLVMTypeRef type = LLVMTypeOf(v);
    return cg_bitcast(c, v, cg_like(type, cg_element(type) == c->f64 ? c->i64 : c->i32));
}

LLVMValueRef cg_real(Cg *c, LLVMValueRef v)
{
    LLVMTypeRef type = LLVMTypeOf(v);
    return cg_bitcast(c, v, cg_like(type, cg_element(type) == c->i64 ? c->f64 : c->f32));
}

LLVMValueRef cg_cast(Cg *c, LLVMOpcode op, LLVMValueRef v, LLVMTypeRef element)
{
    LLVMTypeRef to = cg_like(LLVMTypeOf(v), element);
    return LLVMTypeOf(v) == to ? v : LLVMBuildCast(c->b, op, v, to, "");
}

/* ── lanes ── */

LLVMValueRef cg_set_lane(Cg *c, LLVMValueRef vector, LLVMValueRef scalar, unsigned i)
{
    return LLVMBuildInsertElement(c->b, vector, scalar, cg_i32(c, i), "");
}

LLVMValueRef cg_lane(Cg *c, LLVMValueRef vector, unsigned i)
{
    return LLVMBuildExtractElement(c->b, vector, cg_i32(c, i), "");
}

/* insertelement and a zero shuffle: the shape that instruction selection folds into a broadcast from memory. */
LLVMValueRef cg_splat(Cg *c, LLVMValueRef scalar, unsigned lanes)
{
    LLVMTypeRef type = LLVMTypeOf(scalar);
    if (lanes == 1 || LLVMGetTypeKind(type) == LLVMVectorTypeKind)
        return scalar;
    if (LLVMIsConstant(scalar) && (LLVMIsAConstantFP(scalar) || LLVMIsAConstantInt(scalar)))
        return splat_constant(cg_vec(type, lanes), scalar);
    LLVMTypeRef vector = cg_vec(type, lanes);
    LLVMValueRef one = cg_set_lane(c, LLVMGetPoison(vector), scalar, 0);
    return LLVMBuildShuffleVector(c->b, one, LLVMGetPoison(vector), LLVMConstNull(cg_vec(c->i32, lanes)), "");
}

LLVMValueRef cg_shuffle2(Cg *c, LLVMValueRef a, LLVMValueRef b, const int *from, unsigned lanes)
{
    LLVMValueRef at[64];
    ACT_ASSERT(lanes <= 64);
    for (unsigned i = 0; i < lanes; i++)
        at[i] = cg_i32(c, from[i]);
    return LLVMBuildShuffleVector(c->b, a, b, LLVMConstVector(at, lanes), "");
}

LLVMValueRef cg_shuffle(Cg *c, LLVMValueRef v, const int *from, unsigned lanes)
{
    return cg_shuffle2(c, v, LLVMGetPoison(LLVMTypeOf(v)), from, lanes);
}
