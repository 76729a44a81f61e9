#include "llvm/module.h"

#include <llvm-c/Analysis.h>
#include <stdlib.h>
#include <string.h>

const char *module_export(Module *m, Str model, const char *suffix)
{
    Str name = str_printf(m->arena, STR_FMT "%s", STR_ARG(model), suffix);
    *vec_push(m->arena, &m->symbols) = name;
    return name.p;
}

/* LLVM would write to standard error; we keep the first thing it says for the caller's message. */
static void module_hear(LLVMDiagnosticInfoRef info, void *context)
{
    Module *m = context;
    if (LLVMGetDiagInfoSeverity(info) != LLVMDSError || m->error.n)
        return;
    char *text = LLVMGetDiagInfoDescription(info);
    m->error = str_copy(m->arena, str_of(text));
    LLVMDisposeMessage(text);
}

/* Every function says itself which processor it is for, so that a printed module carries it too. */
static void module_set_processor(Module *m)
{
    const Machine *machine = m->options->machine;
    LLVMAttributeRef cpu = LLVMCreateStringAttribute(m->ctx, "target-cpu", 10, machine->cpu.p, machine->cpu.n);
    LLVMAttributeRef tune = LLVMCreateStringAttribute(m->ctx, "tune-cpu", 8, machine->tune.p, machine->tune.n);
    for (LLVMValueRef fn = LLVMGetFirstFunction(m->mod); fn; fn = LLVMGetNextFunction(fn)) {
        if (LLVMIsDeclaration(fn) || LLVMGetStringAttributeAtIndex(fn, LLVMAttributeFunctionIndex, "target-cpu", 10))
            continue;
        LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex, cpu);
        LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex, tune);
    }
}

static bool module_finish(Module *m, Str *why)
{
    char *message = NULL;
    bool bad;
    if (m->options->level > 0)
        bad = !cg_optimize(m->mod, m->machine, &message);
    else
        bad = LLVMVerifyModule(m->mod, LLVMReturnStatusAction, &message);
    if (bad)
        *why =
            str_printf(m->arena, "the generated code is not valid, which is a bug in actc: %s", message ? message : "");
    if (m->options->level > 0)
        free(message);
    else if (message)
        LLVMDisposeMessage(message);
    return !bad;
}

bool module_build(Module *m, Arena *arena, const Unit *unit, const BackendOptions *options, Str *why)
{
    *m = (Module){
        .arena = arena, .unit = unit, .options = options, .strings = {.arena = arena}, .structs = {.arena = arena}};
    m->machine = target_machine_new(arena, options->machine, options->level, why);
    if (!m->machine)
        return false;
    m->ctx = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(m->ctx, module_hear, m);
    const char *source = str_c(arena, options->source);
    m->mod = LLVMModuleCreateWithNameInContext(source, m->ctx);
    LLVMSetSourceFileName(m->mod, source, options->source.n);
    m->layout = LLVMCreateTargetDataLayout(m->machine);
    LLVMSetTarget(m->mod, options->machine->triple.p);
    LLVMSetModuleDataLayout(m->mod, m->layout);
    cg_init(&m->cg, arena, m->ctx, m->mod, options->machine->target);
    m->cg.by_line = options->debug;

    LLVMValueRef *descriptor = arena_array(arena, LLVMValueRef, unit->models.n);
    for (uint32_t i = 0; i < unit->models.n; i++) {
        Interface interface;
        interface_of(arena, &unit->models.at[i], &interface);
        descriptor[i] = descriptor_declare(m, &interface);
        EntryPoints entry = entry_emit(m, &interface, descriptor[i]);
        descriptor_define(m, &interface, descriptor[i], &entry);
    }
    if (options->program)
        entry_emit_main(m, descriptor, unit->models.n);
    module_set_processor(m);
    if (options->debug)
        debug_emit(m);
    return module_finish(m, why);
}

void module_free(Module *m)
{
    if (m->mod) {
        cg_done(&m->cg);
        LLVMDisposeModule(m->mod);
        LLVMDisposeTargetData(m->layout);
    }
    if (m->machine)
        LLVMDisposeTargetMachine(m->machine);
    if (m->ctx)
        LLVMContextDispose(m->ctx);
    m->mod = NULL;
    m->machine = NULL;
    m->ctx = NULL;
}
