/* LLVM's side of a Machine. Private to this floor. */
#ifndef ACT_LLVM_TARGET_MACHINE_H
#define ACT_LLVM_TARGET_MACHINE_H

#include "llvm/backend.h"

#include <llvm-c/TargetMachine.h>

/* Registers the code generators this LLVM was built with, once. */
void target_machine_init(void);
/* The caller disposes of it. NULL with a sentence in *why. */
LLVMTargetMachineRef target_machine_new(Arena *arena, const Machine *machine, int level, Str *why);
/* The instructions every machine of the triple has: for the code that finds out about the others. */
const char *target_machine_baseline(const Machine *machine);

#endif
