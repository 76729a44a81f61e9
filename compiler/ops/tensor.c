/* tensor: a value that lives outside the graph: an input, a target, a parameter, optimizer state. */
#include "graph/eval.h"
#include "ops/build.h"
#include "ops/index.h"

#include <string.h>

ACT_OP(tensor);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    int64_t index = node_attr(node, 0)->i;
    if (index < 0 || index >= g->tensors.n)
        return "no such tensor";
    *out = g->tensors.at[index].type;
    return NULL;
}

static void eval(const EvalCall *call)
{
    size_t count = index_count(&call->node->type, call->rows);
    memcpy(call->out, call->env->tensor[node_attr(call->node, 0)->i], count * sizeof(double));
}

static void signal(const SignalCall *call)
{
    const Tensor *tensor = &call->g->tensors.at[node_attr(call->node, 0)->i];
    if (tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET)
        return; /* the caller knows the data and has filled it in */
    double share = tensor->fill.kind == FILL_CONSTANT && tensor->fill.b > 0 ? 0.25 : 1; /* one quarter holds a number */
    double mean = tensor->fill.kind == FILL_CONSTANT ? tensor->fill.a : 0;
    if (tensor->fill.kind == FILL_NORMAL || tensor->fill.kind == FILL_TRUNCATED_NORMAL)
        mean = tensor->fill.a;
    if (tensor->fill.kind == FILL_UNIFORM)
        mean = (tensor->fill.a + tensor->fill.b) / 2;
    double second = share * mean * mean + tensor->deviation * tensor->deviation;
    mean *= share;
    *call->out = (Moments){mean, second, 1, second, second}; /* the same for every sample: correlation one */
}

static uint64_t flops(const Graph *g, const Node *node)
{
    (void)g, (void)node;
    return 0;
}

bool build_is_tensor(const Node *node, uint32_t *tensor)
{
    if (node->op == &op_tensor)
        *tensor = (uint32_t)node_attr(node, 0)->i;
    return node->op == &op_tensor;
}

NodeId build_tensor(Graph *g, uint32_t tensor)
{
    AttrValue attr = {.i = tensor};
    return graph_add(g, &op_tensor, NULL, 0, &attr);
}

ACT_OP(tensor) = {
    .name = "tensor",
    .doc = "A value from outside the graph: an input, a target, a parameter or a state of the optimizer.",
    .kind = OP_LEAF,
    .n_attr = 1,
    .attr = {{"tensor", ATTR_INT}},
    .infer = infer,
    .eval = eval,
    .signal = signal,
    .flops = flops,
};
