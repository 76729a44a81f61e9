/* reshape: the same elements, in the same order, under another shape. */
#include "ops/build.h"
#include "ops/index.h"

#include <string.h>

ACT_OP(reshape);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *in = graph_type(g, node->in[0]);
    const Dims *dims = &node_attr(node, 0)->dims;
    *out = (Type){.dtype = in->dtype, .batch = in->batch, .rank = dims->n};
    if (dims->n > TYPE_MAX_RANK)
        return "too many axes";
    for (uint32_t i = 0; i < dims->n; i++) {
        if (dims->at[i] < 1 || dims->at[i] > UINT32_MAX)
            return "every axis needs a positive size";
        out->dim[i] = (uint32_t)dims->at[i];
    }
    return type_elements(in) == type_elements(out) ? NULL : "the number of elements differs";
}

static void eval(const EvalCall *call)
{
    memcpy(call->out, call->in[0], index_count(&call->node->type, call->rows) * sizeof(double));
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    NodeId x = graph_node(grad->g, self)->in[0];
    Type in = *graph_type(grad->g, x);
    grad->add(grad, x, build_reshape(grad->g, build_expand(grad->g, dy, self), in.rank, in.dim));
}

static uint64_t flops(const Graph *g, const Node *node)
{
    (void)g, (void)node;
    return 0;
}

NodeId build_reshape(Graph *g, NodeId a, uint32_t rank, const uint32_t *dim)
{
    const Type *in = graph_type(g, a);
    if (in->rank == rank && (rank == 0 || memcmp(in->dim, dim, rank * sizeof *dim) == 0))
        return a;
    AttrValue attr = {.dims = {.n = rank}};
    for (uint32_t i = 0; i < rank; i++)
        attr.dims.at[i] = dim[i];
    return graph_add(g, &op_reshape, &a, 1, &attr);
}

static const char *const examples[] = {"graph a batch 2\n"
                                       "tensor \"x\" input f32[B, 2, 3]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3]\n"
                                       "%2 = reshape %1 {shape = [6]} : f32[B, 6]\n"
                                       "output 0 \"y\" %2\n",
                                       NULL};

ACT_OP(reshape) = {
    .name = "reshape",
    .doc = "The same elements in the same order under another shape; no element moves.",
    .kind = OP_VIEW,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 1,
    .attr = {{"shape", ATTR_DIMS}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .flops = flops,
    .examples = examples,
};
