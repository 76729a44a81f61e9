/* permute: the axes in another order (the batch stays in front). */
#include "ops/build.h"
#include "ops/move.h"

ACT_OP(permute);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *in = graph_type(g, node->in[0]);
    const Dims *axes = &node_attr(node, 0)->dims;
    uint32_t seen = 0;
    if (axes->n != in->rank)
        return "it names another number of axes than its input has";
    *out = *in;
    for (uint32_t i = 0; i < axes->n; i++) {
        if (axes->at[i] < 0 || axes->at[i] >= in->rank || seen >> axes->at[i] & 1)
            return "its axes are not a permutation";
        seen |= 1u << axes->at[i];
        out->dim[i] = in->dim[axes->at[i]];
    }
    return NULL;
}

static bool locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    (void)g;
    const Dims *axes = &node_attr(node, 0)->dims;
    *which = 0;
    for (uint32_t i = 0; i < axes->n; i++)
        source[axes->at[i]] = index[i];
    return true;
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    const Dims *axes = &node_attr(&node, 0)->dims;
    int64_t back[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < axes->n; i++)
        back[axes->at[i]] = i;
    grad->add(grad, node.in[0], build_permute(grad->g, build_expand(grad->g, dy, self), axes->n, back));
}

NodeId build_permute(Graph *g, NodeId a, uint32_t n, const int64_t *axes)
{
    AttrValue attr = {.dims = {.n = n}};
    bool same = true;
    for (uint32_t i = 0; i < n; i++) {
        attr.dims.at[i] = axes[i];
        same = same && axes[i] == i;
    }
    return same ? a : graph_add(g, &op_permute, &a, 1, &attr);
}

static const char *const examples[] = {"graph a batch 2\n"
                                       "tensor \"x\" input f32[B, 2, 3, 4]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3, 4]\n"
                                       "%2 = permute %1 {axes = [2, 0, 1]} : f32[B, 4, 2, 3]\n"
                                       "output 0 \"y\" %2\n",
                                       NULL};

ACT_OP(permute) = {
    .name = "permute",
    .doc = "The axes in another order: axis i of the result is axis axes[i] of the input.",
    MOVE_AFFINE,
    .n_attr = 1,
    .attr = {{"axes", ATTR_DIMS}},
    .infer = infer,
    .vjp = vjp,
    .locate = locate,
    .examples = examples,
};
