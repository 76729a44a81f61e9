/* Functions of doubles: schedules. */
#include "llvm/sx_emit.h"

static LLVMValueRef parameter(void *context, unsigned index)
{
    LLVMValueRef fn = context;
    ACT_ASSERT(index < LLVMCountParams(fn));
    return LLVMGetParam(fn, index);
}

LLVMValueRef cg_scalar_function(Cg *c, SxPool *pool, Sx x, unsigned n_args, const char *name)
{
    LLVMTypeRef params[16];
    ACT_ASSERT(n_args <= 16);
    for (unsigned i = 0; i < n_args; i++)
        params[i] = c->f64;
    LLVMValueRef fn = cg_function(c, name, c->f64, params, n_args, true);
    SxEmit sx;
    sx_emit_init(&sx, c, pool, c->f64, parameter, fn);
    cg_return(c, sx_emit(&sx, x));
    return fn;
}
