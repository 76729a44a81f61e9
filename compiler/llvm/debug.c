/* -g: every kernel is a function whose code stands at the line of the layer it came from, so that a debugger or a
 * profiler shows where in the .act file the time goes. So do its register tiles: with -g they are not shared between lines
 * (Cg.by_line), and have the line of whoever calls them. */
#include "llvm/module.h"

#include <llvm-c/DebugInfo.h>
#include <string.h>

typedef struct Debug {
    Module *m;
    LLVMDIBuilderRef di;
    Map files; /* path -> metadata */
} Debug;

static LLVMMetadataRef file_of(Debug *d, Str path)
{
    LLVMMetadataRef file = map_get(&d->files, path);
    if (!file) {
        /* No directory: the path is as the user wrote it, and the same on every machine. */
        file = LLVMDIBuilderCreateFile(d->di, path.p, path.n, "", 0);
        map_set(&d->files, path, file);
    }
    return file;
}

static void place_kernel(Debug *d, const LoopKernel *kernel, LLVMValueRef fn);

/* The functions with a body that this one calls: register tiles. */
static void place_callees(Debug *d, const LoopKernel *kernel, LLVMValueRef fn)
{
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(fn); block; block = LLVMGetNextBasicBlock(block))
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at)) {
            LLVMValueRef callee = LLVMIsACallInst(at) ? LLVMGetCalledValue(at) : NULL;
            if (callee && LLVMIsAFunction(callee) && !LLVMIsDeclaration(callee))
                place_kernel(d, kernel, callee);
        }
}

static void place_kernel(Debug *d, const LoopKernel *kernel, LLVMValueRef fn)
{
    const Source *source = source_get(d->m->unit->program->sources, kernel->span.source);
    if (!fn || !source || LLVMGetSubprogram(fn))
        return;
    unsigned line = source_place(source, kernel->span.begin).line;
    size_t n;
    const char *name = LLVMGetValueName2(fn, &n);
    LLVMMetadataRef file = file_of(d, source->path);
    LLVMMetadataRef type = LLVMDIBuilderCreateSubroutineType(d->di, file, NULL, 0, LLVMDIFlagZero);
    LLVMMetadataRef scope = LLVMDIBuilderCreateFunction(d->di, file, name, n, name, n, file, line, type, true, true,
                                                        line, LLVMDIFlagZero, d->m->options->level > 0);
    LLVMSetSubprogram(fn, scope);
    LLVMMetadataRef place = LLVMDIBuilderCreateDebugLocation(d->m->ctx, line, 0, scope, NULL);
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(fn); block; block = LLVMGetNextBasicBlock(block))
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at; at = LLVMGetNextInstruction(at))
            LLVMInstructionSetDebugLoc(at, place);
    place_callees(d, kernel, fn);
}

static void add_flag(Module *m, const char *name, unsigned value)
{
    LLVMValueRef number = LLVMConstInt(m->cg.i32, value, false);
    LLVMAddModuleFlag(m->mod, LLVMModuleFlagBehaviorWarning, name, strlen(name), LLVMValueAsMetadata(number));
}

void debug_emit(Module *m)
{
    Debug d = {.m = m, .di = LLVMCreateDIBuilder(m->mod), .files = {.arena = m->arena}};
    LLVMDIBuilderCreateCompileUnit(d.di, LLVMDWARFSourceLanguageC11, file_of(&d, m->options->source), "actc", 4,
                                   m->options->level > 0, "", 0, 0, "", 0, LLVMDWARFEmissionFull, 0, false, false, "",
                                   0, "", 0);
    for (uint32_t i = 0; i < m->unit->models.n; i++) {
        const UnitModel *unit = &m->unit->models.at[i];
        const LoopProgram *program[] = {unit->forward, unit->evaluate, unit->train_step};
        static const char *const what[] = {"forward", "evaluate", "train_step"};
        for (unsigned p = 0; p < 3; p++)
            for (uint32_t k = 0; program[p] && k < program[p]->kernels.n; k++) {
                const LoopKernel *kernel = &program[p]->kernels.at[k];
                Str name = str_printf(m->arena, STR_FMT ".%s." STR_FMT, STR_ARG(unit->model->name), what[p],
                                      STR_ARG(kernel->name));
                place_kernel(&d, kernel, LLVMGetNamedFunction(m->mod, name.p));
            }
    }
    add_flag(m, "Debug Info Version", LLVMDebugMetadataVersion());
    add_flag(m, "Dwarf Version", 4);
    LLVMDIBuilderFinalize(d.di);
    LLVMDisposeDIBuilder(d.di);
}
