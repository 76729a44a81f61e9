/* Runs what would have been written: the object is emitted to memory and linked into this process, so that `actc run`
 * and a compiled program cannot differ. */
#include "llvm/module.h"

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <string.h>

struct BackendRun {
    LLVMOrcLLJITRef jit;
};

static Str error_take(Arena *arena, LLVMErrorRef error)
{
    char *text = LLVMGetErrorMessage(error);
    Str copy = str_copy(arena, str_of(text));
    LLVMDisposeErrorMessage(text);
    return copy;
}

/* What an object may call: the runtime's functions as handed in, and the two of the C library. */
static LLVMErrorRef define_symbols(Arena *arena, LLVMOrcLLJITRef jit, const BackendSymbol *symbols, unsigned n)
{
    const BackendSymbol own[] = {{"memcpy", (void (*)(void))memcpy}, {"memset", (void (*)(void))memset}};
    LLVMOrcCSymbolMapPair *pair = arena_array(arena, LLVMOrcCSymbolMapPair, n + 2);
    for (unsigned i = 0; i < n + 2; i++) {
        const BackendSymbol *symbol = i < n ? &symbols[i] : &own[i - n];
        LLVMJITSymbolFlags flags = {LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable, 0};
        pair[i] = (LLVMOrcCSymbolMapPair){LLVMOrcLLJITMangleAndIntern(jit, symbol->name),
                                          {(LLVMOrcExecutorAddress)(uintptr_t)symbol->address, flags}};
    }
    LLVMOrcMaterializationUnitRef unit = LLVMOrcAbsoluteSymbols(pair, n + 2);
    LLVMErrorRef error = LLVMOrcJITDylibDefine(LLVMOrcLLJITGetMainJITDylib(jit), unit);
    if (error)
        LLVMOrcDisposeMaterializationUnit(unit);
    return error;
}

BackendRun *backend_run_jit(Arena *arena, const Unit *unit, const BackendOptions *options, const BackendSymbol *symbols,
                            unsigned n_symbol, const ActModel **models, Str *why)
{
    BackendCode code;
    if (!backend_emit(arena, unit, options, BACKEND_OBJECT, &code, why))
        return NULL;
    BackendRun *run = arena_new_of(arena, BackendRun);
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&run->jit, NULL);
    if (!error)
        error = define_symbols(arena, run->jit, symbols, n_symbol);
    if (!error) {
        LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(code.bytes.p, code.bytes.n, "model.o");
        error = LLVMOrcLLJITAddObjectFile(run->jit, LLVMOrcLLJITGetMainJITDylib(run->jit), buffer);
    }
    for (uint32_t i = 0; i < unit->models.n && !error; i++) {
        LLVMOrcExecutorAddress address = 0;
        Str name = str_printf(arena, STR_FMT "_model", STR_ARG(unit->models.at[i].model->name));
        error = LLVMOrcLLJITLookup(run->jit, &address, name.p);
        models[i] = (const ActModel *)(uintptr_t)address;
    }
    if (!error)
        return run;
    Str reason = error_take(arena, error);
    *why = str_printf(arena, "cannot link the compiled model into this process: " STR_FMT, STR_ARG(reason));
    backend_run_end(run);
    return NULL;
}

void backend_run_end(BackendRun *run)
{
    if (!run || !run->jit)
        return;
    LLVMErrorRef error = LLVMOrcDisposeLLJIT(run->jit);
    if (error)
        LLVMConsumeError(error);
    run->jit = NULL;
}
