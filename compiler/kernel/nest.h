/* Loops for a shape, and how values are addressed by them. */
#ifndef ACT_KERNEL_NEST_H
#define ACT_KERNEL_NEST_H

#include "kernel/lower.h"

/* The loops over `space` (its last `columns` axes are columns of a row); when `panel` is not 0 the last axis is cut into panels of
 * that width: a loop over panels and one over lanes, clamped. Axes of size one have no loop. */
typedef struct Frame {
    Nest nest;
    const Type *space;
    uint32_t columns, panel;
    /* by axis of space (0: the batch): 1 + its loop; the last axis under panels: the loop over panels, lanes in the next column */
    uint32_t loop[1 + TYPE_MAX_RANK];
    uint32_t lane_loop;      /* 1 + loop over lanes; 0: no panels */
} Frame;

void frame_make(Frame *frame, const Type *space, uint32_t columns, uint32_t panel);
/* Strides of a value of `type` in memory laid out in rows, or in panels of `panel` columns, as `user` broadcasts it. `user` is space itself
 * or a row value of it. */
Reach frame_reach(const Frame *frame, const Type *type, const Type *user, uint32_t panel);
/* The same of a value where it lies in memory. */
Reach frame_reach_value(const Lower *l, const Frame *frame, NodeId value, const Type *user);
/* Joins neighbouring loops through which every reach runs evenly, and drops the clamp when all walk the padding too. */
void frame_collapse(Frame *frame, Reach **reach, uint32_t n, bool padding);
Extent frame_extent(const Frame *frame, uint32_t loop);
/* Opens the d-th loop of the frame. */
LoopStmt **lower_for_dim(Lower *l, const Frame *frame, uint32_t d, bool vector);
Affine reach_affine(const Frame *frame, const Reach *reach);

#endif
