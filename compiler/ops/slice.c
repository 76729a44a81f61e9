/* slice: a range of one axis; pad: zeros around one axis. Each is the other's gradient. */
#include "ops/build.h"
#include "ops/move.h"

ACT_OP(slice);
ACT_OP(pad);

static const char *slice_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    int64_t axis = node_attr(node, 0)->i, start = node_attr(node, 1)->i, stop = node_attr(node, 2)->i;
    if (axis < 0 || axis >= out->rank)
        return "it cuts an axis that its input does not have";
    if (start < 0 || stop <= start || stop > out->dim[axis])
        return "its range is empty or outside the axis";
    out->dim[axis] = (uint32_t)(stop - start);
    return NULL;
}

static bool slice_locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    const Type *in = graph_type(g, node->in[0]);
    *which = 0;
    for (uint32_t i = 0; i < in->rank; i++)
        source[i] = index[i] + (i == node_attr(node, 0)->i ? (uint32_t)node_attr(node, 1)->i : 0);
    return true;
}

static void slice_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    uint32_t axis = (uint32_t)node_attr(&node, 0)->i;
    int64_t size = graph_type(grad->g, node.in[0])->dim[axis];
    grad->add(grad, node.in[0], build_pad(grad->g, build_expand(grad->g, dy, self), axis, node_attr(&node, 1)->i,
                                          size - node_attr(&node, 2)->i));
}

static const char *pad_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    int64_t axis = node_attr(node, 0)->i, before = node_attr(node, 1)->i, after = node_attr(node, 2)->i;
    if (axis < 0 || axis >= out->rank)
        return "it pads an axis that its input does not have";
    if (before < 0 || after < 0 || before + after + out->dim[axis] > UINT32_MAX)
        return "its padding is negative or too wide";
    out->dim[axis] += (uint32_t)(before + after);
    return NULL;
}

static bool pad_locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    const Type *in = graph_type(g, node->in[0]);
    *which = 0;
    for (uint32_t i = 0; i < in->rank; i++) {
        int64_t at = index[i] - (i == node_attr(node, 0)->i ? node_attr(node, 1)->i : 0);
        if (at < 0 || at >= in->dim[i])
            return false;
        source[i] = (uint32_t)at;
    }
    return true;
}

static void pad_inside(const Graph *g, const Node *node, uint32_t which, uint32_t *corner, uint32_t *step)
{
    (void)g, (void)which;
    for (uint32_t i = 0; i < node->type.rank; i++) {
        corner[i] = i == node_attr(node, 0)->i ? (uint32_t)node_attr(node, 1)->i : 0;
        step[i] = 1;
    }
}

static void pad_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    uint32_t axis = (uint32_t)node_attr(&node, 0)->i;
    int64_t before = node_attr(&node, 1)->i, size = graph_type(grad->g, node.in[0])->dim[axis];
    grad->add(grad, node.in[0], build_slice(grad->g, build_expand(grad->g, dy, self), axis, before, before + size));
}

/* The other elements of the axis get nothing from here. */
static void slice_signal_back(const SignalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]);
    call->grad_in[0] = call->grad_out * (double)type_elements(&call->node->type) / (double)type_elements(in);
}

/* An element of the result is one of the input or a zero. */
static void pad_signal(const SignalCall *call)
{
    const Moments *x = call->in[0];
    double share = (double)type_elements(graph_type(call->g, call->node->in[0])) / (double)type_elements(&call->node->type);
    *call->out = (Moments){share * x->mean, share * x->second, x->corr, share * x->second_low, share * x->second_high};
}

bool build_is_slice(const Node *node, uint32_t *axis, int64_t *start, int64_t *stop)
{
    if (node->op != &op_slice)
        return false;
    *axis = (uint32_t)node_attr(node, 0)->i;
    *start = node_attr(node, 1)->i;
    *stop = node_attr(node, 2)->i;
    return true;
}

NodeId build_slice(Graph *g, NodeId a, uint32_t axis, int64_t start, int64_t stop)
{
    if (start == 0 && stop == graph_type(g, a)->dim[axis])
        return a;
    AttrValue attr[3] = {{.i = axis}, {.i = start}, {.i = stop}};
    return graph_add(g, &op_slice, &a, 1, attr);
}

NodeId build_pad(Graph *g, NodeId a, uint32_t axis, int64_t before, int64_t after)
{
    if (before == 0 && after == 0)
        return a;
    AttrValue attr[3] = {{.i = axis}, {.i = before}, {.i = after}};
    return graph_add(g, &op_pad, &a, 1, attr);
}

bool build_is_pad(const Node *node, uint32_t *axis, uint32_t *before, uint32_t *after)
{
    if (node->op != &op_pad)
        return false;
    *axis = (uint32_t)node_attr(node, 0)->i;
    *before = (uint32_t)node_attr(node, 1)->i;
    *after = (uint32_t)node_attr(node, 2)->i;
    return true;
}

static const char *const slice_examples[] = {"graph a batch 2\n"
                                             "tensor \"x\" input f32[B, 5, 3]\n"
                                             "%1 = tensor {tensor = 0} : f32[B, 5, 3]\n"
                                             "%2 = slice %1 {axis = 0, start = 1, stop = 4} : f32[B, 3, 3]\n"
                                             "output 0 \"y\" %2\n",
                                             NULL};
static const char *const pad_examples[] = {"graph a batch 2\n"
                                           "tensor \"x\" input f32[B, 5, 3]\n"
                                           "%1 = tensor {tensor = 0} : f32[B, 5, 3]\n"
                                           "%2 = pad %1 {axis = 1, before = 1, after = 2} : f32[B, 5, 6]\n"
                                           "output 0 \"y\" %2\n",
                                           NULL};

ACT_OP(slice) = {
    .name = "slice",
    .doc = "The elements start <= i < stop of one axis.",
    MOVE_AFFINE,
    .n_attr = 3,
    .attr = {{"axis", ATTR_INT}, {"start", ATTR_INT}, {"stop", ATTR_INT}},
    .infer = slice_infer,
    .vjp = slice_vjp,
    .signal_back = slice_signal_back,
    .locate = slice_locate,
    .examples = slice_examples,
};

ACT_OP(pad) = {
    .name = "pad",
    .doc = "Zeros before and after one axis.",
    .kind = OP_MOVE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 3,
    .attr = {{"axis", ATTR_INT}, {"before", ATTR_INT}, {"after", ATTR_INT}},
    .infer = pad_infer,
    .vjp = pad_vjp,
    .eval = move_eval,
    .signal = pad_signal,
    .locate = pad_locate,
    .inside = pad_inside,
    .flops = move_flops,
    .examples = pad_examples,
};
