/* What the code generator must know of a processor: one row per family, filled by target_find(). No LLVM here. */
#ifndef ACT_BASE_TARGET_H
#define ACT_BASE_TARGET_H

#include "base/str.h"

typedef struct Target {
    const char *name;      /* "x86-64-v4" */
    unsigned lanes;        /* floats in a vector register: 4, 8, 16 */
    unsigned registers;    /* vector registers: 16 or 32 */
    unsigned tile_rows;    /* micro-kernel: rows held in registers (broadcast operand) … */
    unsigned tile_vectors; /* … times this many vectors; the panel width is tile_vectors * lanes */
    unsigned l1, l2;       /* bytes */
    bool fma;              /* fused multiply-add in one instruction */
    unsigned flops_cycle;  /* most a core does, for predictions: of a Zen 4, a Haswell, a core with two units of 128 bits */
} Target;

/* By lanes and register count; the tile follows from them (24 accumulators of 32 registers, 12 of 16). The
 * widest row that fits when none is exact; NULL for fewer than 4 lanes or 16 registers. */
const Target *target_find(unsigned lanes, unsigned registers);
unsigned target_count(void);
const Target *target_at(unsigned i);

#endif
