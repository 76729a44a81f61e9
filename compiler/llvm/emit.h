/* The vocabulary of code generation: values, memory, loops. Only val.c, mem.c and flow.c call LLVMBuild…; the rest of
 * the floor speaks in these words. A value is a scalar or a vector of any lane count; two operands have the same shape.
 */
#ifndef ACT_LLVM_EMIT_H
#define ACT_LLVM_EMIT_H

#include "llvm/cg.h"

/* ── types and constants (val.c) ── */
LLVMTypeRef cg_vec(LLVMTypeRef element, unsigned lanes); /* 1 lane: the element itself */
unsigned cg_lanes_of(LLVMTypeRef type);
LLVMTypeRef cg_element(LLVMTypeRef type);
LLVMTypeRef cg_like(LLVMTypeRef shape, LLVMTypeRef element); /* `element` in the lanes of `shape` */
LLVMTypeRef cg_type(LLVMValueRef v);
LLVMValueRef cg_num(LLVMTypeRef type, double value);  /* in every lane */
LLVMValueRef cg_int(LLVMTypeRef type, int64_t value); /* in every lane */
LLVMValueRef cg_i64(Cg *c, int64_t value);
LLVMValueRef cg_i32(Cg *c, int64_t value);
LLVMValueRef cg_iota(LLVMTypeRef int_vector, int64_t step);    /* 0, step, 2 step … */
LLVMValueRef cg_lane_mask(Cg *c, unsigned lanes, unsigned on); /* constant: the first `on` lanes */
bool cg_const_int(LLVMValueRef v, int64_t *value);

/* ── arithmetic ── */
LLVMValueRef cg_fadd(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_fsub(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_fmul(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_fdiv(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_fneg(Cg *c, LLVMValueRef a);
/* a * b + x: one rounding where the target has the instruction, two where it has not. */
LLVMValueRef cg_fma(Cg *c, LLVMValueRef a, LLVMValueRef b, LLVMValueRef x);
LLVMValueRef cg_fabs(Cg *c, LLVMValueRef a);
LLVMValueRef cg_sqrt(Cg *c, LLVMValueRef a);
LLVMValueRef cg_fcmp(Cg *c, LLVMRealPredicate p, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_select(Cg *c, LLVMValueRef cond, LLVMValueRef a, LLVMValueRef b);

LLVMValueRef cg_add(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_sub(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_mul(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_udiv(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_and(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_or(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_xor(Cg *c, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_not(Cg *c, LLVMValueRef a);
LLVMValueRef cg_shl(Cg *c, LLVMValueRef a, unsigned by);
LLVMValueRef cg_lshr(Cg *c, LLVMValueRef a, unsigned by);
LLVMValueRef cg_ashr(Cg *c, LLVMValueRef a, unsigned by);
LLVMValueRef cg_icmp(Cg *c, LLVMIntPredicate p, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef cg_imin(Cg *c, LLVMValueRef a, LLVMValueRef b); /* signed */

/* ── conversions ── */
LLVMValueRef cg_bits(Cg *c, LLVMValueRef v); /* float to int of the same width, unchanged bits */
LLVMValueRef cg_real(Cg *c, LLVMValueRef v); /* and back */
LLVMValueRef cg_cast(Cg *c, LLVMOpcode op, LLVMValueRef v, LLVMTypeRef element);
LLVMValueRef cg_bitcast(Cg *c, LLVMValueRef v, LLVMTypeRef type);

/* ── lanes ── */
LLVMValueRef cg_splat(Cg *c, LLVMValueRef scalar, unsigned lanes); /* a vector stays what it is */
LLVMValueRef cg_lane(Cg *c, LLVMValueRef vector, unsigned i);
LLVMValueRef cg_set_lane(Cg *c, LLVMValueRef vector, LLVMValueRef scalar, unsigned i);
LLVMValueRef cg_shuffle(Cg *c, LLVMValueRef v, const int *from, unsigned lanes);
LLVMValueRef cg_shuffle2(Cg *c, LLVMValueRef a, LLVMValueRef b, const int *from,
                         unsigned lanes); /* b's lanes count on from a's */

LLVMValueRef cg_intrinsic(Cg *c, const char *name, const LLVMTypeRef *overload, unsigned n_overload, LLVMValueRef *args,
                          unsigned n);

/* ── memory (mem.c) ── */
/* Which memory an access touches, for alias analysis: the same pair on every access of a buffer. */
typedef struct CgAlias {
    LLVMValueRef scope, noalias; /* metadata lists; NULL: nothing known */
} CgAlias;
/* `n` scopes of one domain, of which only equal ones may overlap; out[i] for scope i. */
void cg_alias_scopes(Cg *c, const char *domain, unsigned n, CgAlias *out);
LLVMValueRef cg_alloca(Cg *c, LLVMValueRef function, LLVMTypeRef type, unsigned align); /* in the entry block */
LLVMValueRef cg_at(Cg *c, LLVMTypeRef element, LLVMValueRef pointer, LLVMValueRef index);
LLVMValueRef cg_load(Cg *c, LLVMTypeRef type, LLVMValueRef pointer, unsigned align, const CgAlias *alias);
void cg_store(Cg *c, LLVMValueRef v, LLVMValueRef pointer, unsigned align, const CgAlias *alias);
/* Lanes where `mask` is false are not touched and read as 0. A NULL mask is all lanes. */
LLVMValueRef cg_load_lanes(Cg *c, LLVMTypeRef type, LLVMValueRef pointer, unsigned align, LLVMValueRef mask,
                           const CgAlias *alias);
void cg_store_lanes(Cg *c, LLVMValueRef v, LLVMValueRef pointer, unsigned align, LLVMValueRef mask,
                    const CgAlias *alias);
/* Lanes `step` elements apart from the first. */
LLVMValueRef cg_gather(Cg *c, LLVMTypeRef type, LLVMValueRef pointer, int64_t step, LLVMValueRef mask,
                       const CgAlias *alias);
void cg_scatter(Cg *c, LLVMValueRef v, LLVMValueRef pointer, int64_t step, LLVMValueRef mask, const CgAlias *alias);

void cg_prefetch(Cg *c, LLVMValueRef pointer, unsigned level); /* for reading, into the cache of that level */

/* ── control flow (flow.c) ──
 *     CgLoop l = cg_loop_begin(c, from, to, step, always, "row");
 *     LLVMValueRef sum = cg_loop_phi(c, &l, zero, "sum");
 *     … l.var …
 *     cg_loop_next(&l, 0, new_sum);
 *     cg_loop_end(c, &l);          // l.out[0] is the sum after the loop
 * Loops are bottom-tested; unless `always` says that they run at least once, a guard stands in front. */
#define CG_LOOP_PHIS 72
typedef struct CgLoop {
    LLVMValueRef var, from, to, step;
    LLVMBasicBlockRef before, head, done;
    unsigned n_phi;
    bool always, plain; /* plain: metadata that keeps the loop as it is */
    LLVMValueRef phi[CG_LOOP_PHIS], first[CG_LOOP_PHIS], next[CG_LOOP_PHIS], out[CG_LOOP_PHIS];
} CgLoop;
void cg_loop_begin(Cg *c, CgLoop *loop, LLVMValueRef from, LLVMValueRef to, LLVMValueRef step, bool always,
                   const char *name);
LLVMValueRef cg_loop_phi(Cg *c, CgLoop *loop, LLVMValueRef first, const char *name);
void cg_loop_next(CgLoop *loop, unsigned phi, LLVMValueRef value);
void cg_loop_end(Cg *c, CgLoop *loop);

/* if (cond) { … } with values that differ afterwards:
 *     CgIf i; cg_if(c, &i, cond, "tail"); … ; v = cg_if_value(c, &i, inside, outside) after cg_endif(). */
typedef struct CgIf {
    LLVMBasicBlockRef before, inside, done;
} CgIf;
void cg_if(Cg *c, CgIf *state, LLVMValueRef cond, const char *name);
void cg_endif(Cg *c, CgIf *state);
LLVMValueRef cg_if_value(Cg *c, const CgIf *state, LLVMValueRef inside, LLVMValueRef outside);

/* An attribute without a value: of the function (LLVMAttributeFunctionIndex), its result (0) or parameter 1, 2 … */
void cg_flag(Cg *c, LLVMValueRef function, unsigned place, const char *name);
LLVMBasicBlockRef cg_block(Cg *c, const char *name); /* appended to the current function */
/* Goes on in a new block; the branch there, before which later things may still be put. */
LLVMValueRef cg_jump(Cg *c, const char *name);
LLVMValueRef cg_this_function(Cg *c);
void cg_return(Cg *c, LLVMValueRef value); /* NULL: void */

#endif
