/* Shared by the movement ops: evaluation through `locate`. */
#ifndef ACT_OPS_MOVE_H
#define ACT_OPS_MOVE_H

#include "graph/op.h"

void move_eval(const EvalCall *call);
uint64_t move_flops(const Graph *g, const Node *node);

#endif
