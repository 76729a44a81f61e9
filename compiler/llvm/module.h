/* The module of one unit while it is being made. Private to the object side of this floor. */
#ifndef ACT_LLVM_MODULE_H
#define ACT_LLVM_MODULE_H

#include "base/map.h"
#include "llvm/cg.h"
#include "llvm/interface.h"
#include "llvm/target_machine.h"

typedef struct Module {
    Arena *arena;
    const Unit *unit;
    const BackendOptions *options;
    LLVMContextRef ctx;
    LLVMModuleRef mod;
    LLVMTargetMachineRef machine;
    LLVMTargetDataRef layout;
    Cg cg;
    Map strings;      /* text -> global */
    Map structs;      /* name of a structure of abi.h -> its LLVM type */
    VEC(Str) symbols; /* what others may link to, in order */
    Str error;        /* what LLVM's handler was told */
} Module;

/* The whole unit as an optimised, verified module. False with a sentence in *why; module_free() in either case. */
bool module_build(Module *m, Arena *arena, const Unit *unit, const BackendOptions *options, Str *why);
void module_free(Module *m);
/* Notes a symbol for the index and returns its NUL-terminated name "model_suffix". */
const char *module_export(Module *m, Str model, const char *suffix);

/* ── debug.c: -g ── */
void debug_emit(Module *m);

/* ── entry.c: the functions of a model ── */
typedef struct EntryPoints {
    LLVMValueRef bind, init, forward, evaluate, train_step, watch_step, schedule; /* NULL: the model has none */
} EntryPoints;
/* `descriptor` is the global that bind() stores and init() reads the tensors through. */
EntryPoints entry_emit(Module *m, const Interface *interface, LLVMValueRef descriptor);
/* `int main`, for executables; descriptors[0..n) of all models. */
void entry_emit_main(Module *m, LLVMValueRef *descriptors, unsigned n);

/* ── descriptor.c: the constants of a model ── */
/* Declares `const ActModel NAME_model`, which refers to the entry points and is referred to by them. */
LLVMValueRef descriptor_declare(Module *m, const Interface *interface);
void descriptor_define(Module *m, const Interface *interface, LLVMValueRef global, const EntryPoints *entry);

#endif
