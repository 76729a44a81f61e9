/* A tile's body cut behind its slow instructions.
 *
 * A square root or a quotient takes dozens of cycles. A body that is run one vector at a time between slices of multiply-adds (overlap.c)
 * would have what waits for them stand in the processor's window, and where that is short, because another program runs on the other
 * half of the core, so would the multiply-adds behind. So the body is cut: stage s of a vector runs s slices after its first, on values
 * that the loop carries. */
#ifndef ACT_LLVM_STAGES_H
#define ACT_LLVM_STAGES_H

#include "llvm/kernel.h"

enum { STAGES_MOST = 4, STAGES_CARRIED = 4 };

typedef struct StagesCarried {
    Sx value;
    unsigned made, used; /* stages: made in one, last used in a later one */
} StagesCarried;

typedef struct Stages {
    unsigned n;         /* 1: nothing is cut */
    unsigned n_carried;
    StagesCarried carried[STAGES_CARRIED];
} Stages;

/* Cuts the stores of `body`, all of one vector. What would need more than STAGES_CARRIED values alive from stage to stage stays whole. */
Stages stages_of(const Kernel *k, const LoopStmt *body);
unsigned stages_store(const Kernel *k, const LoopStmt *store); /* the stage in which it is stored when there are several */

#endif
