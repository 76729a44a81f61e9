/* number: a literal as a value of its own; uniform: a number computed once a call, in double. */
#include "graph/eval.h"
#include "ops/build.h"

#include <math.h>

ACT_OP(number);
ACT_OP(uniform);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)g, (void)node, (void)arena;
    *out = type_scalar();
    return NULL;
}

static uint64_t flops(const Graph *g, const Node *node)
{
    (void)g, (void)node;
    return 0;
}

static void number_eval(const EvalCall *call) { call->out[0] = node_attr(call->node, 0)->f; }

static void number_signal(const SignalCall *call)
{
    double value = node_attr(call->node, 0)->f;
    *call->out = (Moments){value, value * value, 1, value * value, value * value};
}

/* The greatest step a prediction is made for is the first. */
static double uniform_value(const Graph *g, const Node *node, double step, double lr_scale, double rows)
{
    double args[] = {step, lr_scale, rows};
    return sx_eval(g->sx, node_attr(node, 0)->sx, args);
}

static void uniform_eval(const EvalCall *call)
{
    call->out[0] = uniform_value(call->g, call->node, call->env->step, call->env->lr_scale, (double)call->rows);
}

static void uniform_signal(const SignalCall *call)
{
    double value = uniform_value(call->g, call->node, 1, 1, call->g->batch);
    *call->out = (Moments){value, value * value, 1, value * value, value * value};
}

bool build_is_number(const Node *node, double *value)
{
    if (node->op == &op_number)
        *value = node_attr(node, 0)->f;
    return node->op == &op_number;
}

bool build_is_uniform(const Node *node, Sx *sx)
{
    if (node->op == &op_uniform)
        *sx = node_attr(node, 0)->sx;
    return node->op == &op_uniform;
}

NodeId build_number(Graph *g, double value)
{
    AttrValue attr = {.f = value};
    return graph_add(g, &op_number, NULL, 0, &attr);
}

NodeId build_uniform(Graph *g, Sx sx)
{
    AttrValue attr = {.sx = sx};
    return graph_add(g, &op_uniform, NULL, 0, &attr);
}

NodeId build_rows(Graph *g) { return build_uniform(g, sx_arg(g->sx, 2)); }

ACT_OP(number) = {
    .name = "number",
    .doc = "A literal number.",
    .kind = OP_LEAF,
    .n_attr = 1,
    .attr = {{"value", ATTR_REAL}},
    .infer = infer,
    .eval = number_eval,
    .signal = number_signal,
    .flops = flops,
};

ACT_OP(uniform) = {
    .name = "uniform",
    .doc = "A number computed once a call in double precision from the step a0, the learning-rate scale a1 and the rows a2.",
    .kind = OP_LEAF,
    .n_attr = 1,
    .attr = {{"fn", ATTR_SX}},
    .infer = infer,
    .eval = uniform_eval,
    .signal = uniform_signal,
    .flops = flops,
};
