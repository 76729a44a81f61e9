/* random: uniform numbers in [0, 1), drawn anew each training step from a counter (stream, step, sample, element); never stored,
 * so forward and backward recompute the same bits. */
#include "graph/eval.h"
#include "ops/build.h"
#include "ops/index.h"

ACT_OP(random);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)g, (void)arena;
    const Dims *dims = &node_attr(node, 1)->dims;
    *out = (Type){.dtype = DT_F32, .batch = node_attr(node, 2)->i != 0, .rank = dims->n};
    if (dims->n > TYPE_MAX_RANK)
        return "too many axes";
    for (uint32_t i = 0; i < dims->n; i++) {
        if (dims->at[i] < 1 || dims->at[i] > UINT32_MAX)
            return "every axis needs a positive size";
        out->dim[i] = (uint32_t)dims->at[i];
    }
    return NULL;
}

static void eval(const EvalCall *call)
{
    const Type *type = &call->node->type;
    size_t elements = (size_t)type_elements(type), rows = type->batch ? call->rows : 1;
    uint32_t stream = (uint32_t)node_attr(call->node, 0)->i;
    for (size_t row = 0; row < rows; row++)
        for (size_t e = 0; e < elements; e++)
            call->out[row * elements + e] = eval_random(call->env->seed, (uint64_t)call->env->step, stream, row, e);
}

static void signal(const SignalCall *call) { *call->out = (Moments){0.5, 1.0 / 3, 0.75, 1.0 / 3, 1.0 / 3}; }

bool build_is_random(const Node *node, uint32_t *stream)
{
    if (node->op == &op_random)
        *stream = (uint32_t)node_attr(node, 0)->i;
    return node->op == &op_random;
}

NodeId build_random(Graph *g, const Type *type, uint32_t stream)
{
    AttrValue attr[3] = {{.i = stream}, {.dims = {.n = type->rank}}, {.i = type->batch}};
    for (uint32_t i = 0; i < type->rank; i++)
        attr[1].dims.at[i] = type->dim[i];
    return graph_add(g, &op_random, NULL, 0, attr);
}

ACT_OP(random) = {
    .name = "random",
    .doc = "Uniform numbers in [0, 1): Philox4x32-10 over (stream, step, sample, element).",
    .kind = OP_LEAF,
    .n_attr = 3,
    .attr = {{"stream", ATTR_INT}, {"shape", ATTR_DIMS}, {"batch", ATTR_INT}},
    .infer = infer,
    .eval = eval,
    .signal = signal,
};
