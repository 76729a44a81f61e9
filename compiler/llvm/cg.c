#include "llvm/emit.h"

#include <string.h>

static LLVMTypeRef call_struct(Cg *c)
{
    LLVMTypeRef field[CALL_FIELDS];
    for (unsigned i = 0; i < CALL_FIELDS; i++)
        field[i] = c->ptr;
    field[CALL_N] = field[CALL_STEP] = field[CALL_SEED] = field[CALL_FIRST] = c->i64;
    field[CALL_LR_SCALE] = c->f64;
    LLVMTypeRef type = LLVMStructCreateNamed(c->ctx, "act.call");
    LLVMStructSetBody(type, field, CALL_FIELDS, false);
    return type;
}

static unsigned metadata_kind(Cg *c, const char *name)
{
    return LLVMGetMDKindIDInContext(c->ctx, name, (unsigned)strlen(name));
}

void cg_init(Cg *c, Arena *arena, LLVMContextRef ctx, LLVMModuleRef mod, const Target *target)
{
    memset(c, 0, sizeof *c);
    c->arena = arena;
    c->target = target;
    c->lanes = target->lanes;
    c->fma = target->fma;
    c->ctx = ctx;
    c->mod = mod;
    c->b = LLVMCreateBuilderInContext(ctx);
    c->void_t = LLVMVoidTypeInContext(ctx);
    c->i1 = LLVMInt1TypeInContext(ctx);
    c->i8 = LLVMInt8TypeInContext(ctx);
    c->i32 = LLVMInt32TypeInContext(ctx);
    c->i64 = LLVMInt64TypeInContext(ctx);
    c->f32 = LLVMFloatTypeInContext(ctx);
    c->f64 = LLVMDoubleTypeInContext(ctx);
    c->ptr = LLVMPointerTypeInContext(ctx, 0);
    c->call_type = call_struct(c);
    c->md_alias_scope = metadata_kind(c, "alias.scope");
    c->md_noalias = metadata_kind(c, "noalias");
    c->md_loop = metadata_kind(c, "llvm.loop");
}

void cg_done(Cg *c)
{
    LLVMDisposeBuilder(c->b);
    c->b = NULL;
}

static LLVMAttributeRef text_attribute(Cg *c, const char *key, const char *value)
{
    return LLVMCreateStringAttribute(c->ctx, key, (unsigned)strlen(key), value, (unsigned)strlen(value));
}

static LLVMAttributeRef flag_attribute(Cg *c, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    ACT_ASSERT(kind != 0);
    return LLVMCreateEnumAttribute(c->ctx, kind, 0);
}

void cg_flag(Cg *c, LLVMValueRef function, unsigned place, const char *name)
{
    LLVMAddAttributeAtIndex(function, place, flag_attribute(c, name));
}

LLVMValueRef cg_function(Cg *c, const char *name, LLVMTypeRef result, const LLVMTypeRef *params, unsigned n,
                         bool internal)
{
    LLVMTypeRef copy[16];
    ACT_ASSERT(n <= 16);
    memcpy(copy, params, n * sizeof *params);
    LLVMValueRef f = LLVMAddFunction(c->mod, name, LLVMFunctionType(result, copy, n, false));
    cg_flag(c, f, (unsigned)LLVMAttributeFunctionIndex, "nounwind");
    /* The tuning of some processors prefers half of the register width, which would cut every vector in two. */
    Str width = str_printf(c->arena, "%u", c->lanes * 32);
    LLVMAddAttributeAtIndex(f, (unsigned)LLVMAttributeFunctionIndex, text_attribute(c, "prefer-vector-width", width.p));
    if (internal)
        LLVMSetLinkage(f, LLVMInternalLinkage);
    LLVMPositionBuilderAtEnd(c->b, LLVMAppendBasicBlockInContext(c->ctx, f, "entry"));
    return f;
}

LLVMValueRef cg_runtime(Cg *c, const char *name)
{
    LLVMValueRef f = LLVMGetNamedFunction(c->mod, name);
    if (f)
        return f;
    LLVMTypeRef pointers[3] = {c->ptr, c->ptr, c->ptr};
    LLVMTypeRef type;
    if (strcmp(name, "act_parallel") == 0) /* void act_parallel(ActPool *pool, ActWork work, void *context) */
        type = LLVMFunctionType(c->void_t, pointers, 3, false);
    else if (strcmp(name, "act_barrier") == 0) /* void act_barrier(ActPool *pool) */
        type = LLVMFunctionType(c->void_t, pointers, 1, false);
    else if (strcmp(name, "act_pool_share") == 0) /* uint32_t act_pool_share(const ActPool *pool, uint64_t nanoseconds) */
        type = LLVMFunctionType(c->i32, (LLVMTypeRef[]){c->ptr, c->i64}, 2, false);
    else
        ACT_BUG("generated code may not call this function");
    f = LLVMAddFunction(c->mod, name, type);
    cg_flag(c, f, (unsigned)LLVMAttributeFunctionIndex, "nounwind");
    return f;
}

LLVMValueRef cg_call(Cg *c, LLVMValueRef function, LLVMValueRef *args, unsigned n)
{
    return LLVMBuildCall2(c->b, LLVMGlobalGetValueType(function), function, args, n, "");
}

LLVMValueRef cg_call_field(Cg *c, LLVMValueRef call, CgCallField field)
{
    return LLVMBuildStructGEP2(c->b, c->call_type, call, field, "");
}

LLVMValueRef cg_call_load(Cg *c, LLVMValueRef call, CgCallField field)
{
    LLVMTypeRef type = LLVMStructGetTypeAtIndex(c->call_type, field);
    return cg_load(c, type, cg_call_field(c, call, field), 8, NULL);
}
