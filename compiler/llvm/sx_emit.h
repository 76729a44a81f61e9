/* Scalar expressions as IR: f32 in lanes inside kernels, f64 for uniforms and schedules. */
#ifndef ACT_LLVM_SX_EMIT_H
#define ACT_LLVM_SX_EMIT_H

#include "llvm/emit.h"

typedef struct SxMade {       /* what a node became */
    LLVMValueRef value, mask; /* mask: of a comparison, before it is 0 or 1 */
    uint32_t age;
} SxMade;

/* Nodes are emitted once until sx_emit_forget(): the caller forgets wherever an argument may have changed or code
 * emitted before does not dominate what follows. Values are scalar while all arguments are; a vector argument makes
 * vectors. */
typedef struct SxEmit {
    Cg *c;
    const SxPool *pool;
    LLVMTypeRef element;                                /* c->f32 or c->f64 */
    LLVMValueRef (*arg)(void *context, unsigned index); /* of type `element`, in any lanes */
    void *context;
    SxMade *made;
    uint32_t cap, age;
} SxEmit;

void sx_emit_init(SxEmit *e, Cg *c, const SxPool *pool, LLVMTypeRef element,
                  LLVMValueRef (*arg)(void *context, unsigned index), void *context);
void sx_emit_forget(SxEmit *e);
void sx_emit_known(SxEmit *e, Sx x, LLVMValueRef value); /* until then x is `value` */
LLVMValueRef sx_emit(SxEmit *e, Sx x);

#endif
