/* A finished module as bytes: object, assembly, IR, bitcode. */
#include "llvm/module.h"

#include <llvm-c/BitWriter.h>
#include <string.h>

static Str bytes_of(Arena *arena, LLVMMemoryBufferRef buffer)
{
    size_t size = LLVMGetBufferSize(buffer);
    ACT_ASSERT(size < UINT32_MAX);
    Str bytes = str_copy(arena, (Str){LLVMGetBufferStart(buffer), (uint32_t)size});
    LLVMDisposeMemoryBuffer(buffer);
    return bytes;
}

static bool emit_machine_code(Module *m, LLVMCodeGenFileType type, Str *bytes, Str *why)
{
    char *message = NULL;
    LLVMMemoryBufferRef buffer = NULL;
    bool refused = LLVMTargetMachineEmitToMemoryBuffer(m->machine, m->mod, type, &message, &buffer);
    if (refused || m->error.n) {
        *why =
            str_printf(m->arena, "LLVM could not make code for `" STR_FMT "`: %s", STR_ARG(m->options->machine->triple),
                       m->error.n ? m->error.p
                       : message  ? message
                                  : "no reason given");
        LLVMDisposeMessage(message);
        if (buffer)
            LLVMDisposeMemoryBuffer(buffer);
        return false;
    }
    *bytes = bytes_of(m->arena, buffer);
    return true;
}

bool backend_emit(Arena *arena, const Unit *unit, const BackendOptions *options, BackendKind kind, BackendCode *code,
                  Str *why)
{
    Module m;
    *code = (BackendCode){0};
    bool ok = module_build(&m, arena, unit, options, why);
    if (ok) {
        switch (kind) {
        case BACKEND_OBJECT:
            ok = emit_machine_code(&m, LLVMObjectFile, &code->bytes, why);
            break;
        case BACKEND_ASM:
            ok = emit_machine_code(&m, LLVMAssemblyFile, &code->bytes, why);
            break;
        case BACKEND_BITCODE:
            code->bytes = bytes_of(arena, LLVMWriteBitcodeToMemoryBuffer(m.mod));
            break;
        case BACKEND_IR: {
            char *text = LLVMPrintModuleToString(m.mod);
            code->bytes = str_copy(arena, str_of(text));
            LLVMDisposeMessage(text);
            break;
        }
        }
        for (uint32_t i = 0; i < m.symbols.n; i++)
            *vec_push(arena, &code->symbols) = m.symbols.at[i];
    }
    module_free(&m);
    return ok;
}
