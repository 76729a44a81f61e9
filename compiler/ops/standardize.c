/* standardize: values less their mean, over their deviation, both taken over axes of their own sample. The variance is that of the
 * differences from the mean, in a second pass over the values. */
#include "graph/eval.h"
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>
#include <string.h>

ACT_OP(standardize);

enum { AXES, CENTRE, EPS };

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    if (node_attr(node, AXES)->i >> out->rank)
        return "it folds an axis that its input does not have";
    return node_attr(node, EPS)->f >= 0 ? NULL : "its epsilon is negative";
}

/* The numbers of a group, which have one mean. */
static double group_numbers(const Graph *g, const Node *node)
{
    const Type *in = graph_type(g, node->in[0]);
    double n = 1;
    for (uint32_t axis = 0; axis < in->rank; axis++)
        n *= node_attr(node, AXES)->i >> axis & 1 ? in->dim[axis] : 1;
    return n;
}

/* ── as maps and reductions ── */
static Sx arg(Graph *g, unsigned i) { return sx_arg(g->sx, i); }

static NodeId mean_of(Graph *g, const Node *node, NodeId value, double numbers)
{
    return build_scale(g, build_reduce(g, REDUCE_SUM, value, (uint32_t)node_attr(node, AXES)->i, false, true), 1 / numbers);
}

/* The mean (0 where values are not centred) and one over the deviation. */
static void parts_of(Graph *g, const Node *node, NodeId x, double numbers, NodeId *mean, NodeId *inverse)
{
    SxPool *sx = g->sx;
    bool centre = node_attr(node, CENTRE)->i != 0;
    NodeId in[2] = {x, centre ? mean_of(g, node, x, numbers) : 0};
    Sx off = centre ? sx_sub(sx, arg(g, 0), arg(g, 1)) : arg(g, 0);
    NodeId variance = mean_of(g, node, build_map(g, sx_powi(sx, off, 2), in, centre ? 2 : 1), numbers);
    Sx root = sx_un(sx, SX_SQRT, sx_add(sx, arg(g, 0), sx_num(sx, node_attr(node, EPS)->f)));
    *mean = in[1];
    *inverse = build_map(g, sx_div(sx, sx_num(sx, 1), root), &variance, 1);
}

static NodeId expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)train;
    SxPool *sx = to->sx;
    NodeId mean, inverse;
    parts_of(to, node, in[0], group_numbers(from, node), &mean, &inverse);
    if (mean == 0)
        return build_mul(to, in[0], inverse);
    Sx value = sx_mul(sx, sx_sub(sx, arg(to, 0), arg(to, 1)), arg(to, 2));
    return build_map(to, value, (NodeId[]){in[0], mean, inverse}, 3);
}

/* dx = (dy - mean(dy) - y mean(dy y)) / deviation. As y has the mean 0, mean(dy y) is that of (dy - mean(dy)) y: one after the other,
 * in the row's kernel. */
static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    SxPool *sx = g->sx;
    Node node = *graph_node(g, self);
    double numbers = group_numbers(g, &node);
    NodeId mean, inverse;
    parts_of(g, &node, node.in[0], numbers, &mean, &inverse);
    dy = build_expand(g, dy, self);
    NodeId in[5] = {dy, self, 0, inverse};
    Sx left = arg(g, 0);
    if (mean != 0) {
        in[4] = mean_of(g, &node, dy, numbers);
        left = sx_sub(sx, left, arg(g, 4));
    }
    NodeId product[3] = {dy, self, in[4]};
    Sx off = mean != 0 ? sx_sub(sx, arg(g, 0), arg(g, 2)) : arg(g, 0);
    in[2] = mean_of(g, &node, build_map(g, sx_mul(sx, off, arg(g, 1)), product, mean != 0 ? 3 : 2), numbers);
    Sx dx = sx_mul(sx, sx_sub(sx, left, sx_mul(sx, arg(g, 1), arg(g, 2))), arg(g, 3));
    grad->add(grad, node.in[0], build_map(g, dx, in, mean != 0 ? 5 : 4));
}

/* ── the meaning ── */
static void eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]);
    Type type = *in; /* of a mean */
    for (uint32_t axis = 0; axis < in->rank; axis++)
        type.dim[axis] = node_attr(call->node, AXES)->i >> axis & 1 ? 1 : in->dim[axis];
    size_t stride[1 + TYPE_MAX_RANK], n = index_count(&type, call->rows);
    index_broadcast(&type, in, stride);
    Arena *arena = arena_new();
    double *mean = arena_array(arena, double, n + 1), *variance = arena_array(arena, double, n + 1);
    double share = 1 / group_numbers(call->g, call->node);
    Walk walk;
    for (walk_start(&walk, in, call->rows); node_attr(call->node, CENTRE)->i && walk_more(&walk); walk_next(&walk))
        mean[walk_at(&walk, stride)] += share * call->in[0][walk.at];
    for (walk_start(&walk, in, call->rows); walk_more(&walk); walk_next(&walk)) {
        size_t at = walk_at(&walk, stride);
        variance[at] += share * pow(call->in[0][walk.at] - mean[at], 2);
    }
    for (walk_start(&walk, in, call->rows); walk_more(&walk); walk_next(&walk)) {
        size_t at = walk_at(&walk, stride);
        call->out[walk.at] = (call->in[0][walk.at] - mean[at]) / sqrt(variance[at] + node_attr(call->node, EPS)->f);
    }
    arena_free(arena);
}

/* ── signal propagation ── the units of a group share the mean */
static double group_variance(const SignalCall *call)
{
    const Moments *x = call->in[0];
    return fmax(0, x->second - (node_attr(call->node, CENTRE)->i ? x->mean * x->mean : 0));
}

static void signal(const SignalCall *call)
{
    const Moments *x = call->in[0];
    bool centre = node_attr(call->node, CENTRE)->i != 0;
    double variance = group_variance(call), scale = 1 / (variance + node_attr(call->node, EPS)->f);
    double second = variance * scale;
    double shared = fmax(0, x->corr * x->second - (centre ? x->mean * x->mean : 0));
    *call->out = (Moments){centre ? 0 : x->mean * sqrt(scale), second, variance > 0 ? fmin(1, shared / variance) : 1, second, second};
}

/* Two directions of a group get no gradient, one when values are not centred. (Where there are no more, a rule of its own says it.) */
static void signal_back(const SignalCall *call)
{
    double n = group_numbers(call->g, call->node), lost = n > 2 ? (node_attr(call->node, CENTRE)->i ? 2 : 1) / n : 0;
    call->grad_in[0] = call->grad_out / (group_variance(call) + node_attr(call->node, EPS)->f) * (1 - lost);
}

static uint64_t flops(const Graph *g, const Node *node) { return 8 * type_elements(graph_type(g, node->in[0])); }

NodeId build_standardize(Graph *g, NodeId x, uint32_t axes, bool centre, double eps)
{
    AttrValue attr[3] = {{.i = axes}, {.i = centre}, {.f = eps}};
    return graph_add(g, &op_standardize, &x, 1, attr);
}

bool build_is_standardize(const Node *node) { return node->op == &op_standardize; }

static const char *const examples[] = {
    "graph layer batch 3\n"
    "tensor \"x\" input f32[B, 2, 5]\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 5]\n"
    "%2 = standardize %1 {axes = 2, centre = 1, eps = 0.001} : f32[B, 2, 5]\n"
    "%3 = standardize %1 {axes = 2, centre = 0, eps = 0.001} : f32[B, 2, 5]\n"
    "output 0 \"layer\" %2\noutput 1 \"rms\" %3\n",
    "graph group batch 3\n"
    "tensor \"x\" input f32[B, 4, 2, 3]\n"
    "%1 = tensor {tensor = 0} : f32[B, 4, 2, 3]\n"
    "%2 = standardize %1 {axes = 5, centre = 1, eps = 0.001} : f32[B, 4, 2, 3]\n"
    "%3 = standardize %1 {axes = 1, centre = 1, eps = 0.001} : f32[B, 4, 2, 3]\n"
    "output 0 \"group\" %2\noutput 1 \"instance\" %3\n",
    NULL};

ACT_OP(standardize) = {
    .name = "standardize",
    .doc = "Values less their mean over axes (unless centre = 0), over the root of their mean square plus eps.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 3,
    .attr = {{"axes", ATTR_INT}, {"centre", ATTR_INT}, {"eps", ATTR_REAL}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .expand = expand,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = examples,
};
