/* iota: 0, 1, 2 … along one axis, for comparing positions with indices (pick, one_hot). */
#include "ops/build.h"

ACT_OP(iota);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)g, (void)arena;
    int64_t count = node_attr(node, 0)->i;
    if (count < 1 || count > UINT32_MAX)
        return "the count must be a positive number";
    *out = (Type){DT_F32, false, 1, {(uint32_t)count}};
    return NULL;
}

static void eval(const EvalCall *call)
{
    for (int64_t i = 0; i < node_attr(call->node, 0)->i; i++)
        call->out[i] = (double)i;
}

static void signal(const SignalCall *call)
{
    double n = (double)node_attr(call->node, 0)->i, mean = (n - 1) / 2, second = (n - 1) * (2 * n - 1) / 6;
    *call->out = (Moments){mean, second, 1, second, second};
}

static uint64_t flops(const Graph *g, const Node *node)
{
    (void)g, (void)node;
    return 0;
}

bool build_is_iota(const Node *node) { return node->op == &op_iota; }

NodeId build_iota(Graph *g, uint32_t count)
{
    AttrValue attr = {.i = count};
    return graph_add(g, &op_iota, NULL, 0, &attr);
}

ACT_OP(iota) = {
    .name = "iota",
    .doc = "The whole numbers 0, 1, … below `count`.",
    .kind = OP_LEAF,
    .n_attr = 1,
    .attr = {{"count", ATTR_INT}},
    .infer = infer,
    .eval = eval,
    .signal = signal,
    .flops = flops,
};
