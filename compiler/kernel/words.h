/* Kernels in words: what each is made of, its tiles, what it reads and writes, how threads share it.
 * For --emit=kernel and the reports. */
#ifndef ACT_KERNEL_WORDS_H
#define ACT_KERNEL_WORDS_H

#include "kernel/unit.h"

/* "product + bias + gelu", in the order of computation. */
Str words_of_kernel(Arena *arena, const UnitModel *unit, const Plan *plan, const LoopKernel *kernel);
/* The layer a kernel works for: "fc1"; empty when it is none's. */
Str words_layer(const UnitModel *unit, const Plan *plan, const LoopKernel *kernel);
/* 0: it has no place in the text. */
uint32_t words_line(const Sources *sources, const LoopKernel *kernel);
/* All kernels of a program, each in a paragraph, with the barriers between them. */
void words_print(const Sources *sources, const UnitModel *unit, const Plan *plan, const LoopProgram *program,
                 const Target *target, Text *out);

#endif
