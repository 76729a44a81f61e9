/* Where the elements of a tensor lie: its shape in files (canonical, PyTorch's) against its place in the block. */
#ifndef ACT_LAYOUT_H
#define ACT_LAYOUT_H

#include "act/abi.h"

/* Elements without padding. */
uint64_t act_layout_elements(const ActTensor *tensor);
/* The shape in files: rank entries. */
void act_layout_file_shape(const ActTensor *tensor, uint32_t shape[ACT_MAX_RANK]);
/* Bytes the tensor takes in its block, padding included, from its shape and layout. */
uint64_t act_layout_bytes(const ActTensor *tensor);

/* Visits the elements in file order: act_layout_next gives the place of one after the other, in elements from the
 * tensor's start. */
typedef struct ActWalk {
    uint32_t rank;
    uint32_t axis[ACT_MAX_RANK];      /* inside axis of file axis i */
    uint32_t size[ACT_MAX_RANK];      /* file axis i */
    uint32_t at[ACT_MAX_RANK];        /* file coordinate */
    uint64_t place[ACT_MAX_RANK];     /* what file axis i contributes now */
    uint64_t step[ACT_MAX_RANK];      /* per inside axis: places between neighbours (last axis of PANELS: see below) */
    uint64_t panel_step;              /* PANELS: places between panels, which the last axis counts; 0 for ROWS */
    uint32_t panel;
    uint32_t pixels, channels;        /* of the flattened image behind inside axis 0; channels 0: none */
} ActWalk;

void act_layout_walk(ActWalk *walk, const ActTensor *tensor);
uint64_t act_layout_next(ActWalk *walk);

#endif
