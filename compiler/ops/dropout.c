/* dropout: zeroes elements with probability p while training and divides the rest by 1 - p; nothing in inference. Along shared axes
 * one draw decides for all. */
#include "graph/eval.h"
#include "ops/build.h"
#include "ops/index.h"

#include <string.h>

ACT_OP(dropout);

/* attributes: 0 p, 1 stream, 2 shared axes (bits) */
static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    double p = node_attr(node, 0)->f;
    if (node_attr(node, 2)->i >> out->rank)
        return "it shares an axis that its input does not have";
    return p >= 0 && p < 1 ? NULL : "the probability must be at least 0 and below 1";
}

/* The interpreter meets a dropout that was not expanded only in inference. */
static void eval(const EvalCall *call)
{
    memcpy(call->out, call->in[0], index_count(&call->node->type, call->rows) * sizeof(double));
}

/* What x becomes in a training step; the counter-based numbers are the same wherever they are drawn again. */
static NodeId drop(Graph *g, const Node *node, NodeId x)
{
    SxPool *sx = g->sx;
    double p = node_attr(node, 0)->f;
    Type drawn = node->type;
    for (uint32_t axis = 0; axis < drawn.rank; axis++)
        drawn.dim[axis] = node_attr(node, 2)->i >> axis & 1 ? 1 : drawn.dim[axis];
    NodeId args[2] = {x, build_random(g, &drawn, (uint32_t)node_attr(node, 1)->i)};
    Sx dropped = sx_bin(sx, SX_LT, sx_arg(sx, 1), sx_num(sx, p));
    Sx scaled = sx_mul(sx, sx_arg(sx, 0), sx_num(sx, 1 / (1 - p)));
    return build_map(g, sx_select(sx, dropped, sx_num(sx, 0), scaled), args, 2);
}

/* Gradients exist only in a training step: dy is dropped where x was. */
static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    grad->add(grad, node.in[0], node_attr(&node, 0)->f == 0 ? dy : drop(grad->g, &node, dy));
}

static NodeId expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from;
    return !train || node_attr(node, 0)->f == 0 ? in[0] : drop(to, node, in[0]);
}

static void signal(const SignalCall *call)
{
    const Moments *x = call->in[0];
    double keep = call->inference ? 1 : 1 - node_attr(call->node, 0)->f, second = x->second / keep;
    *call->out = (Moments){x->mean, second, x->corr * keep, x->second_low / keep, x->second_high / keep};
}

static void signal_back(const SignalCall *call)
{
    call->grad_in[0] = call->grad_out / (call->inference ? 1 : 1 - node_attr(call->node, 0)->f);
}

NodeId build_dropout(Graph *g, NodeId a, double p, uint32_t stream, uint32_t shared)
{
    AttrValue attr[3] = {{.f = p}, {.i = stream}, {.i = shared}};
    return graph_add(g, &op_dropout, &a, 1, attr);
}

ACT_OP(dropout) = {
    .name = "dropout",
    .doc = "While training, zeroes each element with probability p and divides the others by 1 - p.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 3,
    .attr = {{"p", ATTR_REAL}, {"stream", ATTR_INT}, {"shared", ATTR_INT, true}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .expand = expand,
    .signal = signal,
    .signal_back = signal_back,
};
