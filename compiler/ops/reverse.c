/* reverse: axes from their ends; its own gradient. The input gradient of a convolution reads its kernel so. */
#include "ops/build.h"
#include "ops/move.h"

ACT_OP(reverse);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    int64_t axes = node_attr(node, 0)->i;
    return axes < 0 || axes >> out->rank != 0 ? "it names axes that its input does not have" : NULL;
}

static bool locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    (void)g;
    *which = 0;
    for (uint32_t i = 0; i < node->type.rank; i++)
        source[i] = node_attr(node, 0)->i >> i & 1 ? node->type.dim[i] - 1 - index[i] : index[i];
    return true;
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    NodeId full = build_expand(grad->g, dy, self);
    grad->add(grad, node.in[0], build_reverse(grad->g, full, (uint32_t)node_attr(&node, 0)->i));
}

NodeId build_reverse(Graph *g, NodeId a, uint32_t axes)
{
    return axes == 0 ? a : graph_add(g, &op_reverse, &a, 1, &(AttrValue){.i = axes});
}

static const char *const examples[] = {"graph a batch 2\n"
                                       "tensor \"x\" input f32[B, 2, 3, 4]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3, 4]\n"
                                       "%2 = reverse %1 {axes = 5} : f32[B, 2, 3, 4]\n"
                                       "output 0 \"y\" %2\n",
                                       NULL};

ACT_OP(reverse) = {
    .name = "reverse",
    .doc = "The axes whose bits are set in `axes`, from their ends.",
    MOVE_AFFINE,
    .n_attr = 1,
    .attr = {{"axes", ATTR_INT}},
    .infer = infer,
    .vjp = vjp,
    .locate = locate,
    .examples = examples,
};
