/* when_training: one value in a training step, another in inference; stop_gradient: a value that passes no gradient back. */
#include "ops/build.h"
#include "ops/index.h"

#include <string.h>

ACT_OP(when_training);
ACT_OP(stop_gradient);

static const char *when_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[1]);
    return type_equal(graph_type(g, node->in[0]), out) ? NULL : "its two values differ in type";
}

static void when_eval(const EvalCall *call)
{
    memcpy(call->out, call->in[1], index_count(&call->node->type, call->rows) * sizeof(double));
}

static void when_vjp(Grad *grad, NodeId self, NodeId dy) { grad->add(grad, graph_node(grad->g, self)->in[0], dy); }

static NodeId when_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)to, (void)from, (void)node;
    return in[train ? 0 : 1];
}

static const char *stop_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    return NULL;
}

static void stop_eval(const EvalCall *call)
{
    memcpy(call->out, call->in[0], index_count(&call->node->type, call->rows) * sizeof(double));
}

static NodeId stop_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)to, (void)from, (void)node, (void)train;
    return in[0];
}

static void stop_signal_back(const SignalCall *call) { call->grad_in[0] = 0; }

NodeId build_when_training(Graph *g, NodeId train, NodeId infer)
{
    return graph_add(g, &op_when_training, (NodeId[]){train, infer}, 2, NULL);
}

NodeId build_stop_gradient(Graph *g, NodeId a) { return graph_add(g, &op_stop_gradient, &a, 1, NULL); }

ACT_OP(when_training) = {
    .name = "when_training",
    .doc = "Its first input in a training step, its second in inference.",
    .kind = OP_COMPOSITE,
    .min_in = 2,
    .max_in = 2,
    .infer = when_infer,
    .vjp = when_vjp,
    .eval = when_eval,
    .expand = when_expand,
};

ACT_OP(stop_gradient) = {
    .name = "stop_gradient",
    .doc = "Its input, as a constant for the gradient.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .infer = stop_infer,
    .eval = stop_eval,
    .expand = stop_expand,
    .signal_back = stop_signal_back,
};
