/* reduce: sums or maxima over axes, the batch among them. */
#include "graph/op.h"
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>

ACT_OP(reduce);

/* attributes: 0 op, 1 axes (bit per axis of the shape without batch), 2 batch, 3 keep */
static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *in = graph_type(g, node->in[0]);
    uint64_t axes = (uint64_t)node_attr(node, 1)->i;
    bool keep = node_attr(node, 3)->i != 0;
    if (axes >> in->rank)
        return "it folds an axis that its input does not have";
    if (node_attr(node, 2)->i && !in->batch)
        return "it folds a batch that its input does not have";
    if (node_attr(node, 0)->i != REDUCE_SUM && node_attr(node, 0)->i != REDUCE_MAX)
        return "it folds in an unknown way";
    *out = (Type){.dtype = DT_F32, .batch = in->batch && !node_attr(node, 2)->i};
    for (uint32_t axis = 0; axis < in->rank; axis++) {
        bool folded = axes >> axis & 1;
        if (!folded || keep)
            out->dim[out->rank++] = folded ? 1 : in->dim[axis];
    }
    return NULL;
}

/* Strides with which the output is read by a walk over the input. */
static void out_strides(const Type *in, uint64_t axes, bool batch, size_t stride[1 + TYPE_MAX_RANK])
{
    size_t step = 1;
    for (uint32_t axis = in->rank; axis-- > 0;) {
        stride[1 + axis] = axes >> axis & 1 ? 0 : step;
        step *= axes >> axis & 1 ? 1 : in->dim[axis];
    }
    stride[0] = batch || !in->batch ? 0 : step;
}

static void eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]);
    bool max = node_attr(call->node, 0)->i == REDUCE_MAX;
    size_t stride[1 + TYPE_MAX_RANK], count = index_count(&call->node->type, call->rows);
    out_strides(in, (uint64_t)node_attr(call->node, 1)->i, node_attr(call->node, 2)->i != 0, stride);
    for (size_t i = 0; i < count; i++)
        call->out[i] = max ? -INFINITY : 0;
    Walk walk;
    for (walk_start(&walk, in, call->rows); walk_more(&walk); walk_next(&walk)) {
        double *out = &call->out[walk_at(&walk, stride)], x = call->in[0][walk.at];
        *out = !max ? *out + x : isnan(x) || x > *out ? x : *out;
    }
}

/* y, shaped like the input with folded axes of size 1, so that it broadcasts back. */
static NodeId kept(Graph *g, const Type *in, uint64_t axes, NodeId y)
{
    uint32_t dim[TYPE_MAX_RANK];
    for (uint32_t axis = 0; axis < in->rank; axis++)
        dim[axis] = axes >> axis & 1 ? 1 : in->dim[axis];
    return build_reshape(g, y, in->rank, dim);
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    SxPool *sx = g->sx;
    Node node = *graph_node(g, self);
    Type in = *graph_type(g, node.in[0]);
    uint64_t axes = (uint64_t)node_attr(&node, 1)->i;
    NodeId wide = kept(g, &in, axes, build_expand(g, dy, self));
    if (node_attr(&node, 0)->i == REDUCE_SUM) {
        grad->add(grad, node.in[0], wide); /* every element gets dy: its broadcast */
        return;
    }
    /* the maximum: to the elements that reach it, shared equally between ties */
    NodeId top = kept(g, &in, axes, self);
    Sx hit = sx_bin(sx, SX_EQ, sx_arg(sx, 0), sx_arg(sx, 1));
    NodeId is_max = build_map(g, sx_select(sx, hit, sx_num(sx, 1), sx_num(sx, 0)), (NodeId[]){node.in[0], top}, 2);
    NodeId ties = build_reduce(g, REDUCE_SUM, is_max, (uint32_t)axes, node_attr(&node, 2)->i != 0, false);
    NodeId parts[3] = {wide, is_max, kept(g, &in, axes, ties)};
    Sx share = sx_select(sx, sx_arg(sx, 1), sx_div(sx, sx_arg(sx, 0), sx_arg(sx, 2)), sx_num(sx, 0));
    grad->add(grad, node.in[0], build_map(g, share, parts, 3));
}

static double folded_count(const Graph *g, const Node *node)
{
    const Type *in = graph_type(g, node->in[0]);
    double count = node_attr(node, 2)->i ? g->batch : 1;
    for (uint32_t axis = 0; axis < in->rank; axis++)
        if (node_attr(node, 1)->i >> axis & 1)
            count *= in->dim[axis];
    return count;
}

static void signal(const SignalCall *call)
{
    const Moments *x = call->in[0];
    double k = folded_count(call->g, call->node), var = fmax(0, x->second - x->mean * x->mean);
    if (node_attr(call->node, 0)->i == REDUCE_SUM) {
        double mean = k * x->mean, second = mean * mean + k * var;
        double shared = mean * mean + k * fmax(0, x->corr * x->second - x->mean * x->mean);
        *call->out = (Moments){mean, second, second > 0 ? fmin(1, shared / second) : 1, second, second};
        return;
    }
    /* the maximum of k independent normal numbers, to first order in 1/log k (Gumbel) */
    double width = k > 1 ? sqrt(2 * log(k)) : 0;
    double mean = x->mean + sqrt(var) * width, spread = k > 1 ? var / (1 + width * width / 2) : var;
    *call->out = (Moments){mean, mean * mean + spread, x->corr, mean * mean + spread, mean * mean + spread};
}

static void signal_back(const SignalCall *call)
{
    double k = folded_count(call->g, call->node);
    call->grad_in[0] = node_attr(call->node, 0)->i == REDUCE_SUM ? call->grad_out : call->grad_out / k;
}

static uint64_t flops(const Graph *g, const Node *node) { return type_elements(graph_type(g, node->in[0])); }

Fold build_fold(const Node *reduce)
{
    ACT_ASSERT(reduce->op == &op_reduce);
    return (Fold){(ReduceOp)node_attr(reduce, 0)->i, (uint32_t)node_attr(reduce, 1)->i, node_attr(reduce, 2)->i != 0};
}

NodeId build_reduce(Graph *g, ReduceOp op, NodeId a, uint32_t axes, bool batch, bool keep)
{
    AttrValue attr[4] = {{.i = op}, {.i = axes}, {.i = batch}, {.i = keep}};
    return graph_add(g, &op_reduce, &a, 1, attr);
}

NodeId build_sum_last(Graph *g, NodeId a, bool keep)
{
    uint32_t rank = graph_type(g, a)->rank;
    return rank == 0 ? a : build_reduce(g, REDUCE_SUM, a, 1u << (rank - 1), false, keep);
}

NodeId build_sum_all(Graph *g, NodeId a)
{
    const Type *type = graph_type(g, a);
    if (type->rank == 0 && !type->batch)
        return a;
    return build_reduce(g, REDUCE_SUM, a, (1u << type->rank) - 1, type->batch, false);
}

static const char *const examples[] = {
    "graph a batch 4\n"
    "tensor \"x\" input f32[B, 3, 5]\n"
    "%1 = tensor {tensor = 0} : f32[B, 3, 5]\n"
    "%2 = reduce %1 {op = 0, axes = 2, batch = 0, keep = 0} : f32[B, 3]\n"
    "%3 = reduce %1 {op = 1, axes = 1, batch = 0, keep = 1} : f32[B, 1, 5]\n"
    "%4 = reduce %1 {op = 0, axes = 3, batch = 1, keep = 0} : f32[]\n"
    "%5 = map %3, %4 {fn = (mul a0 a1)} : f32[B, 1, 5]\n"
    "output 0 \"a\" %2\noutput 1 \"b\" %3\noutput 2 \"c\" %5\n",
    NULL};

ACT_OP(reduce) = {
    .name = "reduce",
    .doc = "Sums (op = 0) or maxima (op = 1) over the axes whose bits are set, and over the batch.",
    .kind = OP_REDUCE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 4,
    .attr = {{"op", ATTR_INT}, {"axes", ATTR_INT}, {"batch", ATTR_INT}, {"keep", ATTR_INT}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = examples,
};
