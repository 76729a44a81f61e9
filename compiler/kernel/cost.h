/* What a loop program costs: arithmetic and memory traffic of every kernel, and the time that both predict on one thread.
 *
 * Compute. A register tile of r rows and v vectors takes r v / u cycles a term, u = flops_cycle / (2 lanes) being the
 * vectors of multiply-adds a cycle, at a fixed share of that; and some cycles to store the sums and begin anew. Padding
 * of columns counts. What runs on elements (an epilogue, a row, an update) takes its expressions' cost (sx_cost, in
 * additions, each shared part once) and a store each, in vectors, at u a cycle. A kernel has to be begun.
 *
 * Memory. What a kernel must touch, each byte once: read and written. Where it comes from follows from all that a call
 * touches: what fits into the second-level cache stays there, then the third, then memory.
 *
 * The greater of the two is the prediction, and which it is the bound. */
#ifndef ACT_KERNEL_COST_H
#define ACT_KERNEL_COST_H

#include "kernel/unit.h"

typedef enum CostLevel { COST_L2, COST_L3, COST_MEMORY } CostLevel;

/* What is assumed of the machine. */
typedef struct CostMachine {
    double ghz;
    double bytes_cycle[3]; /* by CostLevel, one thread */
    uint64_t l2, l3; /* bytes */
    double units; /* vectors of multiply-adds a cycle */
} CostMachine;

typedef struct KernelCost {
    double product_flops; /* multiply-adds of a contraction count 2; padding does not count */
    double element_ops; /* everything else, in additions of one element */
    double read, written; /* bytes, each once */
    double compute_us, memory_us, us;
} KernelCost;

typedef struct ProgramCost {
    KernelCost *kernel; /* by LoopProgram.kernels */
    KernelCost total; /* us: the sum over kernels */
    uint64_t footprint; /* bytes that one call touches */
    CostLevel level;
    uint32_t memory_bound; /* how many kernels are */
} ProgramCost;

CostMachine cost_machine(const Target *target);
const char *cost_level_name(CostLevel level);
ProgramCost cost_program(Arena *arena, const LoopProgram *program, uint32_t batch, const Target *target,
                         const CostMachine *machine);

#endif
