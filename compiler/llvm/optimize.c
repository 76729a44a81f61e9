/* The passes over finished IR. The order of arithmetic and the loops stay as emitted: no vectoriser, no unroller, no
 * inliner, no reassociation. What is left to do is to share addresses and loads, and to fold. Nothing is moved out of
 * loops: code generation does that for addresses and constants as far as registers go, while a vector loaded ahead of
 * a loop that has no register for it comes back from the stack. */
#include "llvm/cg.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <stdlib.h>
#include <string.h>

static const char pipeline[] =
    "function(early-cse<memssa>,instcombine<no-verify-fixpoint>,gvn<no-pre;no-load-pre>,"
    "instcombine<no-verify-fixpoint>,simplifycfg,dse)";

static char *copy_of(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (!copy)
        base_out_of_memory(n);
    return memcpy(copy, text, n);
}

bool cg_optimize(LLVMModuleRef mod, LLVMTargetMachineRef machine, char **why)
{
    char *message = NULL;
    if (LLVMVerifyModule(mod, LLVMReturnStatusAction, &message)) {
        *why = copy_of(message);
        LLVMDisposeMessage(message);
        return false;
    }
    LLVMDisposeMessage(message);
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(mod, pipeline, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error)
        return true;
    char *text = LLVMGetErrorMessage(error);
    *why = copy_of(text);
    LLVMDisposeErrorMessage(text);
    return false;
}
