#include "ops/move.h"

#include "ops/index.h"

void move_eval(const EvalCall *call)
{
    Walk walk;
    for (walk_start(&walk, &call->node->type, call->rows); walk_more(&walk); walk_next(&walk)) {
        uint32_t which = 0, source[TYPE_MAX_RANK] = {0};
        if (!call->node->op->locate(call->g, call->node, walk.index, &which, source)) {
            call->out[walk.at] = 0;
            continue;
        }
        const Type *from = graph_type(call->g, call->node->in[which]);
        size_t at = from->batch ? walk.row : 0;
        for (uint32_t axis = 0; axis < from->rank; axis++)
            at = at * from->dim[axis] + source[axis];
        call->out[walk.at] = call->in[which][at];
    }
}

uint64_t move_flops(const Graph *g, const Node *node)
{
    (void)g, (void)node;
    return 0;
}
