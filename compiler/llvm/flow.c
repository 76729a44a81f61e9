#include "llvm/emit.h"

#include <llvm-c/DebugInfo.h>

#include <string.h>

LLVMValueRef cg_this_function(Cg *c) { return LLVMGetBasicBlockParent(LLVMGetInsertBlock(c->b)); }

LLVMBasicBlockRef cg_block(Cg *c, const char *name)
{
    return LLVMAppendBasicBlockInContext(c->ctx, cg_this_function(c), name);
}

LLVMValueRef cg_jump(Cg *c, const char *name)
{
    LLVMBasicBlockRef next = cg_block(c, name);
    LLVMValueRef branch = LLVMBuildBr(c->b, next);
    LLVMPositionBuilderAtEnd(c->b, next);
    return branch;
}

void cg_return(Cg *c, LLVMValueRef value)
{
    if (value)
        LLVMBuildRet(c->b, value);
    else
        LLVMBuildRetVoid(c->b);
}

/* ── loops ── */

/* The C API has no distinct nodes: a node that holds itself is built around a placeholder. */
static LLVMValueRef plain_loop_metadata(Cg *c)
{
    LLVMMetadataRef no = LLVMValueAsMetadata(LLVMConstInt(c->i1, 0, false));
    LLVMMetadataRef unroll = LLVMMDStringInContext2(c->ctx, "llvm.loop.unroll.disable", 24);
    LLVMMetadataRef vectorize[2] = {LLVMMDStringInContext2(c->ctx, "llvm.loop.vectorize.enable", 26), no};
    LLVMMetadataRef placeholder = LLVMTemporaryMDNode(c->ctx, NULL, 0);
    LLVMMetadataRef part[3] = {placeholder, LLVMMDNodeInContext2(c->ctx, &unroll, 1),
                               LLVMMDNodeInContext2(c->ctx, vectorize, 2)};
    LLVMMetadataRef node = LLVMMDNodeInContext2(c->ctx, part, 3);
    LLVMMetadataReplaceAllUsesWith(placeholder, node); /* and disposes of it */
    return LLVMMetadataAsValue(c->ctx, node);
}

void cg_loop_begin(Cg *c, CgLoop *loop, LLVMValueRef from, LLVMValueRef to, LLVMValueRef step, bool always,
                   const char *name)
{
    loop->from = from;
    loop->to = to;
    loop->step = step;
    loop->always = always;
    loop->plain = false;
    loop->n_phi = 0;
    loop->before = LLVMGetInsertBlock(c->b);
    loop->head = cg_block(c, name);
    loop->done = NULL;
    if (always) {
        LLVMBuildBr(c->b, loop->head);
    } else {
        loop->done = cg_block(c, "done");
        LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntSLT, from, to), loop->head, loop->done);
    }
    LLVMPositionBuilderAtEnd(c->b, loop->head);
    loop->var = LLVMBuildPhi(c->b, LLVMTypeOf(from), name);
}

/* All phis come before the first instruction of the body. */
LLVMValueRef cg_loop_phi(Cg *c, CgLoop *loop, LLVMValueRef first, const char *name)
{
    ACT_ASSERT(loop->n_phi < CG_LOOP_PHIS);
    unsigned i = loop->n_phi++;
    loop->first[i] = first;
    loop->next[i] = NULL;
    return loop->phi[i] = LLVMBuildPhi(c->b, LLVMTypeOf(first), name);
}

void cg_loop_next(CgLoop *loop, unsigned phi, LLVMValueRef value)
{
    ACT_ASSERT(phi < loop->n_phi && LLVMTypeOf(value) == LLVMTypeOf(loop->phi[phi]));
    loop->next[phi] = value;
}

void cg_loop_end(Cg *c, CgLoop *loop)
{
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(c->b);
    LLVMValueRef next = LLVMBuildNSWAdd(c->b, loop->var, loop->step, "");
    if (!loop->done)
        loop->done = cg_block(c, "done");
    else
        LLVMMoveBasicBlockAfter(loop->done, latch);
    LLVMValueRef branch = LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntSLT, next, loop->to), loop->head, loop->done);
    if (loop->plain)
        LLVMSetMetadata(branch, c->md_loop, plain_loop_metadata(c));
    LLVMBasicBlockRef from[2] = {loop->before, latch};
    LLVMAddIncoming(loop->var, (LLVMValueRef[]){loop->from, next}, from, 2);
    for (unsigned i = 0; i < loop->n_phi; i++) {
        ACT_ASSERT(loop->next[i]);
        LLVMAddIncoming(loop->phi[i], (LLVMValueRef[]){loop->first[i], loop->next[i]}, from, 2);
    }
    LLVMPositionBuilderAtEnd(c->b, loop->done);
    for (unsigned i = 0; i < loop->n_phi; i++) {
        loop->out[i] = loop->next[i];
        if (!loop->always) {
            loop->out[i] = LLVMBuildPhi(c->b, LLVMTypeOf(loop->phi[i]), "");
            LLVMAddIncoming(loop->out[i], (LLVMValueRef[]){loop->first[i], loop->next[i]}, from, 2);
        }
    }
}

/* ── branches ── */

void cg_if(Cg *c, CgIf *state, LLVMValueRef cond, const char *name)
{
    state->before = LLVMGetInsertBlock(c->b);
    LLVMBasicBlockRef then = cg_block(c, name);
    state->done = cg_block(c, "end");
    LLVMBuildCondBr(c->b, cond, then, state->done);
    LLVMPositionBuilderAtEnd(c->b, then);
}

void cg_endif(Cg *c, CgIf *state)
{
    state->inside = LLVMGetInsertBlock(c->b);
    LLVMBuildBr(c->b, state->done);
    LLVMMoveBasicBlockAfter(state->done, state->inside);
    LLVMPositionBuilderAtEnd(c->b, state->done);
}

LLVMValueRef cg_if_value(Cg *c, const CgIf *state, LLVMValueRef inside, LLVMValueRef outside)
{
    LLVMValueRef v = LLVMBuildPhi(c->b, LLVMTypeOf(inside), "");
    LLVMBasicBlockRef from[2] = {state->inside, state->before};
    LLVMAddIncoming(v, (LLVMValueRef[]){inside, outside}, from, 2);
    return v;
}
