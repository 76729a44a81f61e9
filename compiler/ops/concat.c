/* concat: values side by side along one axis. */
#include "ops/build.h"
#include "ops/move.h"

#include <math.h>

ACT_OP(concat);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    int64_t axis = node_attr(node, 0)->i;
    *out = *graph_type(g, node->in[0]);
    if (axis < 0 || axis >= out->rank)
        return "it joins along an axis that its inputs do not have";
    for (uint32_t i = 1; i < node->n_in; i++) {
        const Type *in = graph_type(g, node->in[i]);
        if (in->rank != out->rank || in->dtype != out->dtype)
            return "its inputs differ in their number of axes";
        for (uint32_t k = 0; k < in->rank; k++)
            if (k != axis && in->dim[k] != out->dim[k])
                return "its inputs differ along another axis";
        out->dim[axis] += in->dim[axis];
        out->batch = out->batch || in->batch;
    }
    return NULL;
}

static void inside(const Graph *g, const Node *node, uint32_t which, uint32_t *corner, uint32_t *step)
{
    for (uint32_t i = 0; i < node->type.rank; i++)
        corner[i] = 0, step[i] = 1;
    for (uint32_t i = 0; i < which; i++)
        corner[node_attr(node, 0)->i] += graph_type(g, node->in[i])->dim[node_attr(node, 0)->i];
}

static bool locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    int64_t axis = node_attr(node, 0)->i;
    uint32_t at = index[axis], i = 0;
    for (; at >= graph_type(g, node->in[i])->dim[axis]; i++)
        at -= graph_type(g, node->in[i])->dim[axis];
    *which = i;
    for (uint32_t k = 0; k < node->type.rank; k++)
        source[k] = k == axis ? at : index[k];
    return true;
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    uint32_t axis = (uint32_t)node_attr(&node, 0)->i;
    int64_t start = 0;
    dy = build_expand(grad->g, dy, self);
    for (uint32_t i = 0; i < node.n_in; i++) {
        int64_t stop = start + graph_type(grad->g, node.in[i])->dim[axis];
        if (grad->wanted(grad, node.in[i]))
            grad->add(grad, node.in[i], build_slice(grad->g, dy, axis, start, stop));
        start = stop;
    }
}

/* Means over the parts, weighted by their width. */
static void signal(const SignalCall *call)
{
    int64_t axis = node_attr(call->node, 0)->i;
    double total = call->node->type.dim[axis];
    *call->out = (Moments){0};
    for (uint32_t i = 0; i < call->node->n_in; i++) {
        double share = graph_type(call->g, call->node->in[i])->dim[axis] / total;
        call->out->mean += share * call->in[i]->mean;
        call->out->second += share * call->in[i]->second;
        call->out->corr += share * call->in[i]->corr * call->in[i]->second;
    }
    call->out->corr = call->out->second > 0 ? fmin(1, call->out->corr / call->out->second) : 1;
    call->out->second_low = call->out->second_high = call->out->second;
}

static void signal_back(const SignalCall *call)
{
    for (uint32_t i = 0; i < call->node->n_in; i++)
        call->grad_in[i] = call->grad_out;
}

NodeId build_concat(Graph *g, const NodeId *in, uint32_t n, uint32_t axis)
{
    AttrValue attr = {.i = axis};
    return n == 1 ? in[0] : graph_add(g, &op_concat, in, n, &attr);
}

bool build_is_concat(const Node *node, uint32_t *axis)
{
    if (node->op != &op_concat)
        return false;
    *axis = (uint32_t)node_attr(node, 0)->i;
    return true;
}

static const char *const examples[] = {"graph a batch 2\n"
                                       "tensor \"x\" input f32[B, 2, 3]\n"
                                       "tensor \"y\" input f32[B, 2, 4]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3]\n"
                                       "%2 = tensor {tensor = 1} : f32[B, 2, 4]\n"
                                       "%3 = concat %1, %2, %1 {axis = 1} : f32[B, 2, 10]\n"
                                       "output 0 \"y\" %3\n",
                                       NULL};

ACT_OP(concat) = {
    .name = "concat",
    .doc = "Values joined along one axis, in order.",
    .kind = OP_MOVE,
    .min_in = 1,
    .max_in = 1 << 16,
    .n_attr = 1,
    .attr = {{"axis", ATTR_INT}},
    .infer = infer,
    .vjp = vjp,
    .eval = move_eval,
    .signal = signal,
    .signal_back = signal_back,
    .locate = locate,
    .inside = inside,
    .flops = move_flops,
    .examples = examples,
};
