/* Shared by the movement ops: evaluation through `locate`. */
#ifndef ACT_OPS_MOVE_H
#define ACT_OPS_MOVE_H

#include "graph/op.h"

void move_eval(const EvalCall *call);
uint64_t move_flops(const Graph *g, const Node *node);

/* What the records of movements say that have one input, and whose source's index is an affine function of the result's. */
#define MOVE_AFFINE .kind = OP_MOVE, .min_in = 1, .max_in = 1, .eval = move_eval, .affine = true, .flops = move_flops

#endif
