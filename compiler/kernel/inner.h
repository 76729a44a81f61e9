/* What a fold or a scatter takes in: its input, or the maps of the group that make it, computed where they are needed. All of them have
 * the shape of `space`; their operands are read from memory by strides along its axes. */
#ifndef ACT_KERNEL_INNER_H
#define ACT_KERNEL_INNER_H

#include "kernel/lower.h"

typedef struct InnerOperand {
    NodeId value;         /* as the user names it (a view, perhaps) */
    bool index;           /* it counts: nothing is read */
    Reach reach;
} InnerOperand;

typedef struct Inner {
    const Type *space;
    Nest nest;                             /* its loops; each axis (0: the batch) that is longer than one has one */
    uint32_t loop[1 + TYPE_MAX_RANK];      /* by axis: 1 + its loop; 0: none */
    VEC(InnerOperand) operand;
    /* where an expression stands: loop d of the nest is loop d of the kernel, times step[d], plus at[d] */
    int64_t step[LOOP_MAX_DEPTH], at[LOOP_MAX_DEPTH];
} Inner;

/* Appends the loop of `axis` to the nest. */
void inner_loop(Inner *inner, uint32_t axis);
/* Finds the operands behind `value`; the nest has all its loops. */
void inner_collect(Lower *l, Inner *inner, NodeId value);
/* Joins loop d with the one inside it when everything that is read, and `also` (of `n`), runs evenly through both. */
bool inner_join(Inner *inner, uint32_t d, Reach **also, uint32_t n);
/* Exchanges loop d and the one inside it. */
void inner_swap(Inner *inner, uint32_t d, Reach **also, uint32_t n);
Affine inner_affine(const Inner *inner, const Reach *reach);
/* `value` where the nest stands. */
Sx inner_value(Lower *l, Inner *inner, NodeId value);

#endif
