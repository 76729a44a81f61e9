/* Places in the work block: which values may lie in the same bytes, and where each lies. */
#ifndef ACT_PASS_PLACE_H
#define ACT_PASS_PLACE_H

#include "graph/plan.h"

enum { PLACE_ALIGN = 64 };

/* Gives each value an offset (and, where it has a batch, the bytes of `batch` rows). Returns the size of the block. The plan's
 * groups, stretches and stages must stand; its slots are not read. */
uint64_t place_values(Arena *arena, const Plan *plan, WorkValue *value, uint32_t n, uint32_t batch);
/* What the work block of the plan would take with another batch. */
uint64_t place_bytes(Arena *arena, const Plan *plan, uint32_t batch);

#endif
