/* window_max: the greatest number that a window sees, channel by channel. Its gradient goes to the first of those that reach it, in the
 * order of rows and columns; `reduce` would share it between ties, and after a relu whole windows of zeros tie. */
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>

ACT_OP(window_max);

static Window window_of(const Node *node)
{
    Window w = {.n = node_attr(node, 0)->dims.n};
    for (uint32_t i = 0; i < w.n; i++) {
        w.kernel[i] = (uint32_t)node_attr(node, 0)->dims.at[i];
        w.stride[i] = (uint32_t)node_attr(node, 1)->dims.at[i];
        w.dilation[i] = (uint32_t)node_attr(node, 2)->dims.at[i];
    }
    return w;
}

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    for (uint32_t i = 0; i < 3; i++) {
        const Dims *dims = &node_attr(node, i)->dims;
        if (dims->n == 0 || dims->n >= out->rank || dims->n != node_attr(node, 0)->dims.n || out->rank + dims->n > TYPE_MAX_RANK)
            return "its kernel, stride and dilation do not fit its input's axes";
        for (uint32_t k = 0; k < dims->n; k++)
            if (dims->at[k] < 1 || dims->at[k] > INT32_MAX)
                return "its kernel, stride and dilation are not all at least 1";
    }
    Window w = window_of(node);
    for (uint32_t i = 0; i < w.n; i++) {
        out->dim[i] = window_places(out->dim[i], w.kernel[i], w.stride[i], w.dilation[i]);
        if (out->dim[i] == 0)
            return "its kernel is wider than its input";
    }
    return NULL;
}

static uint32_t kernel_axes(const Window *w) { return ((1u << w->n) - 1) << w->n; }

static NodeId expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)train;
    Window w = window_of(node);
    return build_reduce(to, REDUCE_MAX, build_window(to, in[0], &w), kernel_axes(&w), false, false);
}

/* A value of the result's shape, its kernel axes there with size one. */
static NodeId beside_kernel(Graph *g, NodeId value, const Window *w)
{
    Type type = *graph_type(g, value);
    uint32_t dim[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < w->n; i++)
        dim[i] = type.dim[i], dim[w->n + i] = 1;
    for (uint32_t i = w->n; i < type.rank; i++)
        dim[w->n + i] = type.dim[i];
    return build_reshape(g, value, type.rank + w->n, dim);
}

/* The places of a window count down from its size, so that the first one that holds the maximum has the greatest number. */
static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    SxPool *sx = g->sx;
    Node node = *graph_node(g, self);
    Window w = window_of(&node);
    Type in = *graph_type(g, node.in[0]);
    uint32_t count = 1, dim[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < w.n; i++)
        count *= dim[i] = w.kernel[i];
    for (uint32_t i = w.n; i < in.rank; i++)
        dim[i] = 1;
    NodeId seen = build_window(g, node.in[0], &w), place = build_reshape(g, build_iota(g, count), in.rank, dim);
    Sx from_last = sx_sub(sx, sx_num(sx, count), sx_arg(sx, 2));
    Sx hit = sx_select(sx, sx_bin(sx, SX_EQ, sx_arg(sx, 0), sx_arg(sx, 1)), from_last, sx_num(sx, 0));
    NodeId of_max = build_map(g, hit, (NodeId[]){seen, beside_kernel(g, self, &w), place}, 3);
    NodeId first = build_reduce(g, REDUCE_MAX, of_max, kernel_axes(&w), false, false);
    Sx is_first = sx_bin(sx, SX_EQ, sx_arg(sx, 0), sx_sub(sx, sx_num(sx, count), sx_arg(sx, 1)));
    Sx share = sx_select(sx, is_first, sx_arg(sx, 2), sx_num(sx, 0));
    NodeId wide = beside_kernel(g, build_expand(g, dy, self), &w);
    NodeId parts = build_map(g, share, (NodeId[]){beside_kernel(g, first, &w), place, wide}, 3);
    grad->add(grad, node.in[0], build_overlap_add(g, parts, &w, in.dim));
}

static void eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]), *out = &call->node->type;
    Window w = window_of(call->node);
    Type seen = *out;
    seen.rank = out->rank + w.n;
    for (uint32_t i = 0; i < w.n; i++)
        seen.dim[w.n + i] = w.kernel[i];
    for (uint32_t i = w.n; i < out->rank; i++)
        seen.dim[w.n + i] = out->dim[i];
    for (size_t i = 0; i < index_count(out, call->rows); i++)
        call->out[i] = -INFINITY;
    Walk walk;
    for (walk_start(&walk, &seen, call->rows); walk_more(&walk); walk_next(&walk)) {
        size_t from = in->batch ? walk.row : 0, to = from;
        for (uint32_t axis = 0; axis < in->rank; axis++) {
            bool slid = axis < w.n;
            uint32_t place = slid ? walk.index[axis] : walk.index[axis + w.n];
            from = from * in->dim[axis] + (slid ? place * w.stride[axis] + walk.index[w.n + axis] * w.dilation[axis] : place);
            to = to * out->dim[axis] + place;
        }
        double x = call->in[0][from];
        call->out[to] = x > call->out[to] || isnan(x) ? x : call->out[to];
    }
}

/* The greatest of k: between one number (neighbours alike) and k independent normal ones, E max = integral of x k pdf cdf^(k-1). */
static void signal(const SignalCall *call)
{
    enum { STEPS = 400 };
    Window w = window_of(call->node);
    double share, k = 1;
    (void)window_real(call->g, call->node->in[0], &w, &share);
    Moments inner = *call->in[0], *x = &inner; /* its border never wins */
    inner.mean /= share;
    inner.second /= share;
    double mean = 0, square = 0, deviation = sqrt(fmax(0, x->second - x->mean * x->mean));
    for (uint32_t i = 0; i < w.n; i++)
        k *= w.kernel[i];
    for (int i = 0; i < STEPS; i++) {
        double z = -8 + 16 * (i + 0.5) / STEPS, pdf = exp(-z * z / 2) / 2.5066282746310002;
        double weight = k * pdf * pow(0.5 * erfc(-z / 1.4142135623730951), k - 1) * 16 / STEPS;
        mean += weight * z;
        square += weight * z * z;
    }
    double apart = x->mean * x->mean + 2 * x->mean * deviation * mean + deviation * deviation * square;
    double low = fmin(x->second, apart), high = fmax(x->second, apart);
    *call->out = (Moments){x->mean + deviation * mean / 2, sqrt(low * high), x->corr, low, high};
}

/* Every gradient goes to one place. */
static void signal_back(const SignalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]);
    Window w = window_of(call->node);
    double share;
    (void)window_real(call->g, call->node->in[0], &w, &share);
    call->grad_in[0] = call->grad_out * (double)type_elements(&call->node->type) / (share * (double)type_elements(in));
}

static uint64_t flops(const Graph *g, const Node *node)
{
    (void)g;
    Window w = window_of(node);
    uint64_t count = type_elements(&node->type);
    for (uint32_t i = 0; i < w.n; i++)
        count *= w.kernel[i];
    return count;
}

bool build_is_window_max(const Node *node, Window *window)
{
    if (node->op == &op_window_max)
        *window = window_of(node);
    return node->op == &op_window_max;
}

NodeId build_window_max(Graph *g, NodeId a, const Window *window)
{
    AttrValue attr[3];
    for (int i = 0; i < 3; i++)
        attr[i].dims = (Dims){.n = window->n};
    for (uint32_t i = 0; i < window->n; i++) {
        attr[0].dims.at[i] = window->kernel[i];
        attr[1].dims.at[i] = window->stride[i];
        attr[2].dims.at[i] = window->dilation[i];
    }
    return graph_add(g, &op_window_max, &a, 1, attr);
}

static const char *const examples[] = {
    "graph a batch 2\n"
    "tensor \"x\" input f32[B, 7, 6, 3]\n"
    "%1 = tensor {tensor = 0} : f32[B, 7, 6, 3]\n"
    "%2 = window_max %1 {kernel = [3, 2], stride = [2, 2], dilation = [1, 1]} : f32[B, 3, 3, 3]\n"
    "%3 = window_max %1 {kernel = [3], stride = [1], dilation = [2]} : f32[B, 3, 6, 3]\n"
    "output 0 \"y\" %2\noutput 1 \"z\" %3\n",
    NULL};

ACT_OP(window_max) = {
    .name = "window_max",
    .doc = "The greatest number in each window over the leading axes: [S…, rest] -> [O…, rest]; its gradient goes to the first one.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 3,
    .attr = {{"kernel", ATTR_DIMS}, {"stride", ATTR_DIMS}, {"dilation", ATTR_DIMS}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .signal = signal,
    .signal_back = signal_back,
    .expand = expand,
    .flops = flops,
    .examples = examples,
};
