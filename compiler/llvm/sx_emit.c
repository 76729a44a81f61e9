#include "llvm/sx_emit.h"

#include "llvm/math.h"

#include <string.h>

void sx_emit_init(SxEmit *e, Cg *c, const SxPool *pool, LLVMTypeRef element,
                  LLVMValueRef (*arg)(void *context, unsigned index), void *context)
{
    *e = (SxEmit){.c = c, .pool = pool, .element = element, .arg = arg, .context = context, .age = 1};
}

void sx_emit_forget(SxEmit *e) { e->age++; }

static SxMade *made_of(SxEmit *e, Sx x)
{
    if (x >= e->cap) {
        uint32_t cap = e->cap ? e->cap : 64;
        while (cap <= x)
            cap *= 2;
        SxMade *made = arena_array(e->c->arena, SxMade, cap);
        if (e->cap)
            memcpy(made, e->made, e->cap * sizeof *made);
        e->made = made;
        e->cap = cap;
    }
    if (e->made[x].age != e->age)
        e->made[x] = (SxMade){.age = e->age};
    return &e->made[x];
}

void sx_emit_known(SxEmit *e, Sx x, LLVMValueRef value) { made_of(e, x)->value = value; }

/* Two additions, which have units of their own on some processors: comparing and choosing takes longer. */
static LLVMValueRef settle(Cg *c, LLVMValueRef a)
{
    LLVMValueRef much = cg_num(cg_type(a), 0x1p-100);
    ACT_ASSERT(cg_element(cg_type(a)) == c->f32);
    return cg_fsub(c, cg_fadd(c, a, much), much);
}

/* ── one row a primitive: how it is made in f32 and in f64; both may stand for a function of either type ── */
typedef LLVMValueRef (*Make1)(Cg *c, LLVMValueRef a);
typedef LLVMValueRef (*Make2)(Cg *c, LLVMValueRef a, LLVMValueRef b);

// clang-format off
static const struct { Make1 f32, f64; } unary[SX_OP_COUNT] = {
    [SX_NEG]     = {cg_fneg, cg_fneg},
    [SX_ABS]     = {cg_fabs, cg_fabs},
    [SX_EXP]     = {cg_exp_f32, cg_exp_f64},
    [SX_LOG]     = {cg_log_f32, cg_log_f64},
    [SX_LOG1P]   = {cg_log1p_f32, cg_log1p_f64},
    [SX_EXPM1]   = {cg_expm1_f32, cg_expm1_f64},
    [SX_SQRT]    = {cg_sqrt, cg_sqrt},
    [SX_TANH]    = {cg_tanh_f32, cg_tanh_f64},
    [SX_SIGMOID] = {cg_sigmoid_f32, cg_sigmoid_f64},
    [SX_ERF]     = {cg_erf_f32, cg_erf_f64},
    [SX_SIN]     = {cg_sin_f32, cg_sin_f64},
    [SX_COS]     = {cg_cos_f32, cg_cos_f64},
    [SX_FLOOR]   = {cg_floor, cg_floor},
    [SX_SETTLE]  = {settle, settle},
};
static const struct { Make2 f32, f64; } binary[SX_OP_COUNT] = {
    [SX_ADD] = {cg_fadd, cg_fadd},
    [SX_SUB] = {cg_fsub, cg_fsub},
    [SX_MUL] = {cg_fmul, cg_fmul},
    [SX_DIV] = {cg_fdiv, cg_fdiv},
    [SX_MIN] = {cg_fmin, cg_fmin},
    [SX_MAX] = {cg_fmax, cg_fmax},
    [SX_POW] = {cg_pow_f32, cg_pow_f64},
};
static const LLVMRealPredicate comparison[SX_OP_COUNT] = {
    [SX_LT] = LLVMRealOLT,
    [SX_LE] = LLVMRealOLE,
    [SX_EQ] = LLVMRealOEQ,
};
// clang-format on

static void same_lanes(Cg *c, LLVMValueRef *a, LLVMValueRef *b)
{
    unsigned la = cg_lanes_of(cg_type(*a)), lb = cg_lanes_of(cg_type(*b)), lanes = la > lb ? la : lb;
    *a = cg_splat(c, *a, lanes);
    *b = cg_splat(c, *b, lanes);
}

/* A condition in i1: a comparison as it is, any other value by being other than zero. */
static LLVMValueRef condition(SxEmit *e, Sx x)
{
    LLVMValueRef v = sx_emit(e, x);
    SxMade *made = made_of(e, x);
    if (!made->mask)
        made->mask = cg_fcmp(e->c, LLVMRealUNE, v, cg_num(cg_type(v), 0));
    return made->mask;
}

static LLVMValueRef select_of(SxEmit *e, const SxNode *node)
{
    Cg *c = e->c;
    LLVMValueRef a = sx_emit(e, node->in[1]), b = sx_emit(e, node->in[2]), cond = condition(e, node->in[0]);
    same_lanes(c, &a, &b);
    unsigned lanes = cg_lanes_of(cg_type(cond)), wide = cg_lanes_of(cg_type(a));
    if (lanes < wide)
        cond = cg_splat(c, cond, wide);
    else
        a = cg_splat(c, a, lanes), b = cg_splat(c, b, lanes);
    return cg_select(c, cond, a, b);
}

static LLVMValueRef multiply_add(SxEmit *e, const SxNode *node)
{
    LLVMValueRef a = sx_emit(e, node->in[0]), b = sx_emit(e, node->in[1]), sum = sx_emit(e, node->in[2]);
    same_lanes(e->c, &a, &b);
    same_lanes(e->c, &a, &sum);
    same_lanes(e->c, &a, &b);
    return cg_fma(e->c, a, b, sum);
}

LLVMValueRef sx_emit(SxEmit *e, Sx x)
{
    SxMade *made = made_of(e, x);
    if (made->value)
        return made->value;
    Cg *c = e->c;
    SxNode node = *sx_node(e->pool, x);
    bool wide = e->element == c->f64;
    LLVMValueRef v, mask = NULL;
    if (node.op == SX_NUM) {
        v = cg_num(e->element, node.number);
    } else if (node.op == SX_ARG) {
        v = e->arg(e->context, (unsigned)node.index);
    } else if (node.op == SX_POWI) {
        v = cg_powi(c, sx_emit(e, node.in[0]), node.index);
    } else if (node.op == SX_SELECT) {
        v = select_of(e, &node);
    } else if (node.op == SX_FMA) {
        v = multiply_add(e, &node);
    } else if (unary[node.op].f32) {
        v = (wide ? unary[node.op].f64 : unary[node.op].f32)(c, sx_emit(e, node.in[0]));
    } else {
        LLVMValueRef a = sx_emit(e, node.in[0]), b = sx_emit(e, node.in[1]);
        same_lanes(c, &a, &b);
        if (binary[node.op].f32) {
            v = (wide ? binary[node.op].f64 : binary[node.op].f32)(c, a, b);
        } else {
            ACT_ASSERT(comparison[node.op]);
            mask = cg_fcmp(c, comparison[node.op], a, b);
            v = cg_select(c, mask, cg_num(cg_type(a), 1), cg_num(cg_type(a), 0));
        }
    }
    made = made_of(e, x); /* the table may have grown */
    made->value = v;
    made->mask = mask;
    return v;
}
