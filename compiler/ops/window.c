/* window: what a kernel sees at each of its places; overlap_add: the other way, adding up. Each is the other's gradient.
 * Convolutions are products of windows, pooling folds them; neither is ever copied where strides can say the same. */
#include "ops/build.h"
#include "ops/index.h"
#include "ops/move.h"

#include <math.h>
#include <string.h>

ACT_OP(window);
ACT_OP(overlap_add);

enum { KERNEL, STRIDE, DILATION, SIZE };

Window build_window_of(const Node *node)
{
    ACT_ASSERT(node->op == &op_window || node->op == &op_overlap_add);
    Window w = {.n = node_attr(node, KERNEL)->dims.n};
    for (uint32_t i = 0; i < w.n; i++) {
        w.kernel[i] = (uint32_t)node_attr(node, KERNEL)->dims.at[i];
        w.stride[i] = (uint32_t)node_attr(node, STRIDE)->dims.at[i];
        w.dilation[i] = (uint32_t)node_attr(node, DILATION)->dims.at[i];
    }
    return w;
}

bool build_is_window(const Node *node, Window *window)
{
    if (node->op == &op_window)
        *window = build_window_of(node);
    return node->op == &op_window;
}

bool build_is_overlap_add(const Node *node, Window *window)
{
    if (node->op == &op_overlap_add)
        *window = build_window_of(node);
    return node->op == &op_overlap_add;
}

uint32_t window_places(uint32_t size, uint32_t kernel, uint32_t stride, uint32_t dilation)
{
    uint64_t span = (uint64_t)dilation * (kernel - 1) + 1;
    return span > size ? 0 : (uint32_t)((size - span) / stride + 1);
}

static const char *attributes(const Node *node)
{
    uint32_t n = node_attr(node, KERNEL)->dims.n;
    if (n == 0 || node_attr(node, STRIDE)->dims.n != n || node_attr(node, DILATION)->dims.n != n)
        return "its kernel, stride and dilation do not have the same number of axes";
    for (int i = KERNEL; i <= DILATION; i++)
        for (uint32_t k = 0; k < n; k++)
            if (node_attr(node, (uint32_t)i)->dims.at[k] < 1 || node_attr(node, (uint32_t)i)->dims.at[k] > INT32_MAX)
                return "its kernel, stride and dilation are not all at least 1";
    return NULL;
}

static const char *window_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *in = graph_type(g, node->in[0]);
    const char *why = attributes(node);
    if (why != NULL)
        return why;
    Window w = build_window_of(node);
    if (w.n > in->rank || in->rank + w.n > TYPE_MAX_RANK)
        return "its input has too few or too many axes";
    *out = *in;
    out->rank = in->rank + w.n;
    for (uint32_t i = 0; i < w.n; i++) {
        out->dim[i] = window_places(in->dim[i], w.kernel[i], w.stride[i], w.dilation[i]);
        out->dim[w.n + i] = w.kernel[i];
        if (out->dim[i] == 0)
            return "its kernel is wider than its input";
    }
    for (uint32_t i = w.n; i < in->rank; i++)
        out->dim[w.n + i] = in->dim[i];
    return NULL;
}

/* Where element `index` of [O…, K…, rest] stands in [S…, rest]. */
static void place(const Window *w, uint32_t rank, const uint32_t *index, uint32_t *at)
{
    for (uint32_t i = 0; i < w->n; i++)
        at[i] = index[i] * w->stride[i] + index[w->n + i] * w->dilation[i];
    for (uint32_t i = 2 * w->n; i < rank; i++)
        at[i - w->n] = index[i];
}

static bool window_locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source)
{
    (void)g;
    Window w = build_window_of(node);
    *which = 0;
    place(&w, node->type.rank, index, source);
    return true;
}

static void window_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    Window w = build_window_of(&node);
    Type in = *graph_type(grad->g, node.in[0]);
    grad->add(grad, node.in[0], build_overlap_add(grad->g, build_expand(grad->g, dy, self), &w, in.dim));
}

double window_real(const Graph *g, NodeId value, const Window *w, double *share)
{
    uint32_t first[TYPE_MAX_RANK] = {0}, rest[TYPE_MAX_RANK] = {0}, axis, before, after;
    const Type *type = graph_type(g, value);
    for (NodeId at = value;;) { /* a map may stand between: numbers that a maximum passes by */
        const Node *node = graph_node(g, at);
        bool pad = build_is_pad(node, &axis, &before, &after);
        if (pad) {
            first[axis] += before;
            rest[axis] += after;
        }
        if (!pad && (node->op->kind != OP_MAP || !build_is_pad(graph_node(g, node->in[0]), &axis, &before, &after)))
            break;
        at = node->in[0];
    }
    double real = 1;
    *share = 1;
    for (uint32_t i = 0; i < type->rank; i++) {
        uint32_t size = type->dim[i], seen = 0, places = i < w->n ? window_places(size, w->kernel[i], w->stride[i], w->dilation[i]) : 0;
        *share *= (double)(size - first[i] - rest[i]) / size;
        for (uint32_t place = 0; place < places; place++)
            for (uint32_t k = 0; k < w->kernel[i]; k++) {
                uint64_t at = (uint64_t)place * w->stride[i] + (uint64_t)k * w->dilation[i];
                seen += at >= first[i] && at < (uint64_t)size - rest[i];
            }
        real *= places ? (double)seen / ((double)places * w->kernel[i]) : 1;
    }
    return real;
}

/* Windows see less of a border than of the rest. */
static void window_signal(const SignalCall *call)
{
    Window w = build_window_of(call->node);
    double share, more = window_real(call->g, call->node->in[0], &w, &share) / share;
    const Moments *x = call->in[0];
    *call->out = (Moments){more * x->mean, more * x->second, x->corr, more * x->second_low, more * x->second_high};
}

/* Every element of a window hands back what it gets; what is not border shares it. */
static void window_signal_back(const SignalCall *call)
{
    Window w = build_window_of(call->node);
    const Type *in = graph_type(call->g, call->node->in[0]);
    double share, real = window_real(call->g, call->node->in[0], &w, &share);
    call->grad_in[0] = call->grad_out * real * (double)type_elements(&call->node->type) / (share * (double)type_elements(in));
}

static const char *add_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *in = graph_type(g, node->in[0]);
    const Dims *size = &node_attr(node, SIZE)->dims;
    const char *why = attributes(node);
    if (why != NULL)
        return why;
    Window w = build_window_of(node);
    if (size->n != w.n || in->rank < 2 * w.n)
        return "its size or its input has the wrong number of axes";
    *out = (Type){DT_F32, in->batch, in->rank - w.n, {0}};
    for (uint32_t i = 0; i < w.n; i++) {
        if (size->at[i] < 1 || size->at[i] > INT32_MAX || in->dim[w.n + i] != w.kernel[i] ||
            window_places((uint32_t)size->at[i], w.kernel[i], w.stride[i], w.dilation[i]) != in->dim[i])
            return "its input is not made of such windows of its size";
        out->dim[i] = (uint32_t)size->at[i];
    }
    for (uint32_t i = 2 * w.n; i < in->rank; i++)
        out->dim[i - w.n] = in->dim[i];
    return NULL;
}

static bool add_locate(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *target)
{
    Window w = build_window_of(node);
    *which = 0;
    place(&w, graph_type(g, node->in[0])->rank, index, target);
    return true;
}

static void add_eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]), *out = &call->node->type;
    Window w = build_window_of(call->node);
    Walk walk;
    memset(call->out, 0, index_count(out, call->rows) * sizeof(double));
    for (walk_start(&walk, in, call->rows); walk_more(&walk); walk_next(&walk)) {
        uint32_t target[TYPE_MAX_RANK] = {0};
        place(&w, in->rank, walk.index, target);
        size_t at = out->batch ? walk.row : 0;
        for (uint32_t axis = 0; axis < out->rank; axis++)
            at = at * out->dim[axis] + target[axis];
        call->out[at] += call->in[0][walk.at];
    }
}

static void add_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    Window w = build_window_of(&node);
    grad->add(grad, node.in[0], build_window(grad->g, build_expand(grad->g, dy, self), &w));
}

/* Sums of as many independent terms as windows overlap. */
static void add_signal(const SignalCall *call)
{
    const Moments *x = call->in[0];
    const Type *in = graph_type(call->g, call->node->in[0]);
    double k = (double)type_elements(in) / (double)type_elements(&call->node->type), mean = k * x->mean;
    double second = k * (x->second - x->mean * x->mean) + mean * mean;
    double shared = k * (x->corr * x->second - x->mean * x->mean) + mean * mean;
    *call->out = (Moments){mean, second, second > 0 ? fmin(1, fmax(0, shared / second)) : 1, second, second};
}

static uint64_t add_flops(const Graph *g, const Node *node) { return type_elements(graph_type(g, node->in[0])); }

static void fill_attr(AttrValue *attr, const Window *window)
{
    for (int i = KERNEL; i <= DILATION; i++)
        attr[i].dims = (Dims){.n = window->n};
    for (uint32_t i = 0; i < window->n; i++) {
        attr[KERNEL].dims.at[i] = window->kernel[i];
        attr[STRIDE].dims.at[i] = window->stride[i];
        attr[DILATION].dims.at[i] = window->dilation[i];
    }
}

NodeId build_window(Graph *g, NodeId a, const Window *window)
{
    AttrValue attr[3];
    fill_attr(attr, window);
    return graph_add(g, &op_window, &a, 1, attr);
}

NodeId build_overlap_add(Graph *g, NodeId a, const Window *window, const uint32_t *size)
{
    AttrValue attr[4];
    fill_attr(attr, window);
    attr[SIZE].dims = (Dims){.n = window->n};
    for (uint32_t i = 0; i < window->n; i++)
        attr[SIZE].dims.at[i] = size[i];
    return graph_add(g, &op_overlap_add, &a, 1, attr);
}

static const char *const window_examples[] = {
    "graph a batch 2\n"
    "tensor \"x\" input f32[B, 6, 7, 2]\n"
    "%1 = tensor {tensor = 0} : f32[B, 6, 7, 2]\n"
    "%2 = window %1 {kernel = [3, 2], stride = [2, 1], dilation = [1, 3]} : f32[B, 2, 4, 3, 2, 2]\n"
    "%3 = window %1 {kernel = [2], stride = [1], dilation = [2]} : f32[B, 4, 2, 7, 2]\n"
    "output 0 \"y\" %2\noutput 1 \"z\" %3\n",
    NULL};
static const char *const add_examples[] = {
    "graph a batch 2\n"
    "tensor \"x\" input f32[B, 2, 4, 3, 2, 2]\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 4, 3, 2, 2]\n"
    "%2 = overlap_add %1 {kernel = [3, 2], stride = [2, 1], dilation = [1, 3], size = [6, 7]} : f32[B, 6, 7, 2]\n"
    "%3 = overlap_add %2 {kernel = [7], stride = [2], dilation = [1], size = [17]} : f32[B, 17, 2]\n"
    "output 0 \"y\" %2\noutput 1 \"z\" %3\n",
    "graph a batch 2\n"
    "tensor \"x\" input f32[B, 3, 2, 2, 3, 5]\n" /* side by side: a copy; with gaps */
    "%1 = tensor {tensor = 0} : f32[B, 3, 2, 2, 3, 5]\n"
    "%2 = overlap_add %1 {kernel = [2, 3], stride = [2, 3], dilation = [1, 1], size = [6, 6]} : f32[B, 6, 6, 5]\n"
    "%3 = overlap_add %1 {kernel = [2, 3], stride = [3, 4], dilation = [1, 1], size = [8, 8]} : f32[B, 8, 8, 5]\n"
    "output 0 \"y\" %2\noutput 1 \"z\" %3\n",
    NULL};

ACT_OP(window) = {
    .name = "window",
    .doc = "What a kernel sees: [S…, rest] -> [O…, K…, rest], element (o, k) from o * stride + k * dilation of the leading axes.",
    MOVE_AFFINE,
    .n_attr = 3,
    .attr = {{"kernel", ATTR_DIMS}, {"stride", ATTR_DIMS}, {"dilation", ATTR_DIMS}},
    .infer = window_infer,
    .vjp = window_vjp,
    .signal = window_signal,
    .signal_back = window_signal_back,
    .locate = window_locate,
    .examples = window_examples,
};

ACT_OP(overlap_add) = {
    .name = "overlap_add",
    .doc = "The other way round from `window`: what windows hold is added up where they were taken from.",
    .kind = OP_SCATTER,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 4,
    .attr = {{"kernel", ATTR_DIMS}, {"stride", ATTR_DIMS}, {"dilation", ATTR_DIMS}, {"size", ATTR_DIMS}},
    .infer = add_infer,
    .vjp = add_vjp,
    .eval = add_eval,
    .signal = add_signal,
    .locate = add_locate,
    .flops = add_flops,
    .examples = add_examples,
};
