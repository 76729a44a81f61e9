/* interleave: parts that take turns along the first axes. The gradient of a convolution with strides is computed in such parts: each place
 * of the image, counted modulo the stride, is reached by taps of its own. */
#include "ops/build.h"
#include "ops/move.h"

ACT_OP(interleave);

static uint32_t parts(const Node *node)
{
    const Dims *step = &node_attr(node, 0)->dims;
    uint32_t n = 1;
    for (uint32_t i = 0; i < step->n; i++)
        n *= (uint32_t)step->at[i];
    return n;
}

/* Where a part begins along each axis. */
static void phase(const Node *node, uint32_t which, uint32_t *at)
{
    const Dims *step = &node_attr(node, 0)->dims;
    for (uint32_t i = step->n; i-- > 0; which /= (uint32_t)step->at[i])
        at[i] = which % (uint32_t)step->at[i];
}

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Dims *step = &node_attr(node, 0)->dims;
    *out = *graph_type(g, node->in[0]);
    if (step->n == 0 || step->n > out->rank)
        return "it has too few or too many axes";
    uint64_t n = 1;
    for (uint32_t i = 0; i < step->n; i++) {
        if (step->at[i] < 1 || step->at[i] > 64)
            return "its steps are not between 1 and 64";
        n *= (uint64_t)step->at[i];
    }
    if (n != node->n_in)
        return "it has another number of parts than its steps say";
    for (uint32_t i = 0; i < step->n; i++) { /* along each axis: of all parts, with the others at their first */
        uint32_t stride = 1, size = 0;
        for (uint32_t k = i + 1; k < step->n; k++)
            stride *= (uint32_t)step->at[k];
        for (uint32_t p = 0; p < (uint32_t)step->at[i]; p++)
            size += graph_type(g, node->in[p * stride])->dim[i];
        out->dim[i] = size;
    }
    for (uint32_t k = 0; k < node->n_in; k++) {
        const Type *part = graph_type(g, node->in[k]);
        uint32_t at[TYPE_MAX_RANK];
        phase(node, k, at);
        if (part->batch != out->batch || part->rank != out->rank)
            return "its parts do not have the same axes";
        for (uint32_t i = 0; i < out->rank; i++) {
            uint32_t every = i < step->n ? (uint32_t)step->at[i] : 1, first = i < step->n ? at[i] : 0;
            if (out->dim[i] <= first || part->dim[i] != (out->dim[i] - first - 1) / every + 1)
                return "its parts do not fit between each other";
        }
    }
    return NULL;
}

static bool locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    (void)g;
    const Dims *step = &node_attr(node, 0)->dims;
    *which = 0;
    for (uint32_t i = 0; i < node->type.rank; i++) {
        uint32_t every = i < step->n ? (uint32_t)step->at[i] : 1;
        if (i < step->n)
            *which = *which * every + index[i] % every;
        source[i] = index[i] / every;
    }
    return true;
}

static void inside(const Graph *g, const Node *node, uint32_t which, uint32_t *corner, uint32_t *step)
{
    (void)g;
    const Dims *steps = &node_attr(node, 0)->dims;
    for (uint32_t i = 0; i < node->type.rank; i++) {
        corner[i] = 0;
        step[i] = i < steps->n ? (uint32_t)steps->at[i] : 1;
    }
    phase(node, which, corner);
}

/* A part's gradient: every step-th element. */
static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    const Dims *step = &node_attr(&node, 0)->dims;
    dy = build_expand(grad->g, dy, self);
    for (uint32_t k = 0; k < parts(&node); k++) {
        uint32_t at[TYPE_MAX_RANK];
        Window w = {.n = step->n};
        NodeId part = dy;
        phase(&node, k, at);
        for (uint32_t i = 0; i < step->n; i++) {
            w.kernel[i] = w.dilation[i] = 1;
            w.stride[i] = (uint32_t)step->at[i];
            part = at[i] ? build_slice(grad->g, part, i, at[i], node.type.dim[i]) : part;
        }
        Type type = *graph_type(grad->g, node.in[k]);
        grad->add(grad, node.in[k], build_reshape(grad->g, build_window(grad->g, part, &w), type.rank, type.dim));
    }
}

NodeId build_interleave(Graph *g, const NodeId *in, uint32_t n, const uint32_t *step)
{
    AttrValue attr = {.dims = {.n = n}};
    uint32_t count = 1;
    for (uint32_t i = 0; i < n; i++) {
        attr.dims.at[i] = step[i];
        count *= step[i];
    }
    return graph_add(g, &op_interleave, in, count, &attr);
}

static const char *const examples[] = {"graph a batch 2\n"
                                       "tensor \"x\" input f32[B, 2, 3, 4]\n"
                                       "tensor \"y\" input f32[B, 2, 2, 4]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3, 4]\n"
                                       "%2 = tensor {tensor = 1} : f32[B, 2, 2, 4]\n"
                                       "%3 = map %1 {fn = (mul a0 a0)} : f32[B, 2, 3, 4]\n"
                                       "%4 = map %2 {fn = (exp a0)} : f32[B, 2, 2, 4]\n"
                                       "%5 = interleave %3, %4, %1, %2 {step = [2, 2]} : f32[B, 4, 5, 4]\n"
                                       "output 0 \"z\" %5\n",
                                       NULL};

ACT_OP(interleave) = {
    .name = "interleave",
    .doc = "Parts that take turns along the first axes, `step` of them along each.",
    .kind = OP_MOVE,
    .min_in = 1,
    .max_in = 64,
    .n_attr = 1,
    .attr = {{"step", ATTR_DIMS}},
    .infer = infer,
    .vjp = vjp,
    .eval = move_eval,
    .locate = locate,
    .inside = inside,
    .flops = move_flops,
    .examples = examples,
};
