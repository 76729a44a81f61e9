/* batch_norm: each channel (the last axis) less its mean, over its deviation, over the batch and all positions, times a weight plus a bias;
 * in inference with running statistics. batch_moment: the mean or the variance alone, to run on with. The variance is that of the
 * differences from the mean (of the batch, or of the sample, and then those of the samples' means), in a second pass over the values. */
#include "graph/eval.h"
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>
#include <string.h>

ACT_OP(batch_norm);
ACT_OP(batch_moment);

enum { X, WEIGHT, BIAS, MEAN, VARIANCE }; /* inputs; the last two may be missing */

static bool is_channels(const Type *type, const Type *in)
{
    return !type->batch && (type->rank == 0 || (type->rank == 1 && type->dim[0] == type_last(in)));
}

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *in = graph_type(g, node->in[X]);
    if (in->rank == 0 || !in->batch)
        return "its input has no batch, or no channels";
    if (node->op == &op_batch_moment) {
        *out = type_make(DT_F32, false, 1, &in->dim[in->rank - 1]);
        return NULL;
    }
    *out = *in;
    for (uint32_t i = WEIGHT; i < node->n_in; i++)
        if (!is_channels(graph_type(g, node->in[i]), in))
            return "its weights and statistics have one number for each channel";
    if (node->n_in == MEAN + 1)
        return "a running mean comes with a running variance";
    return node_attr(node, 0)->f >= 0 ? NULL : "its epsilon is negative";
}

/* ── as maps and reductions ── */
static Sx arg(Graph *g, unsigned i) { return sx_arg(g->sx, i); }

static double positions(const Type *in) { return (double)type_elements(in) / (double)type_last(in); }

/* The sum over batch and positions: [C]. */
static NodeId sum_of(Graph *g, NodeId value)
{
    return build_reduce(g, REDUCE_SUM, value, (1u << (graph_type(g, value)->rank - 1)) - 1, true, false);
}

/* The numbers of a channel, from `rows`, the argument that holds the rows of the call. */
static Sx numbers(Graph *g, double of_row) { return sx_mul(g->sx, arg(g, 2), sx_num(g->sx, of_row)); }

/* One over the numbers of a channel, computed once a call. */
static NodeId share_of(Graph *g, NodeId x)
{
    return build_uniform(g, sx_div(g->sx, sx_num(g->sx, 1), numbers(g, positions(graph_type(g, x)))));
}

static NodeId squares(Graph *g, NodeId x, NodeId mean)
{
    return build_map(g, sx_powi(g->sx, sx_sub(g->sx, arg(g, 0), arg(g, 1)), 2), (NodeId[]){x, mean}, 2);
}

/* Where a sample has many places its own moments come first, while it is near; the variance is the mean of theirs and that of their means. */
static void moments_of_samples(Graph *g, NodeId x, NodeId share, NodeId *mean, NodeId *variance)
{
    const Type *in = graph_type(g, x);
    double places = positions(in);
    uint32_t axes = (1u << (in->rank - 1)) - 1;
    NodeId own = build_scale(g, build_reduce(g, REDUCE_SUM, x, axes, false, true), 1 / places);
    NodeId within = sum_of(g, build_reduce(g, REDUCE_SUM, squares(g, x, own), axes, false, true));
    *mean = build_mul(g, build_scale(g, sum_of(g, own), places), share);
    NodeId between = build_scale(g, sum_of(g, squares(g, own, *mean)), places);
    *variance = build_mul(g, build_add(g, within, between), share);
}

static void moments_of(Graph *g, NodeId x, NodeId *mean, NodeId *variance)
{
    enum { MANY_PLACES = 16 };
    NodeId share = share_of(g, x);
    if (positions(graph_type(g, x)) >= MANY_PLACES) {
        moments_of_samples(g, x, share, mean, variance);
        return;
    }
    *mean = build_mul(g, sum_of(g, x), share);
    *variance = build_mul(g, sum_of(g, squares(g, x, *mean)), share);
}

static NodeId inverse_deviation(Graph *g, NodeId variance, double eps)
{
    SxPool *sx = g->sx;
    Sx root = sx_un(sx, SX_SQRT, sx_add(sx, arg(g, 0), sx_num(sx, eps)));
    return build_map(g, sx_div(sx, sx_num(sx, 1), root), &variance, 1);
}

static NodeId norm_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from;
    SxPool *sx = to->sx;
    NodeId mean = 0, variance = 0;
    if (node->n_in > MEAN && !train)
        mean = in[MEAN], variance = in[VARIANCE];
    else
        moments_of(to, in[X], &mean, &variance);
    NodeId factor = build_mul(to, in[WEIGHT], inverse_deviation(to, variance, node_attr(node, 0)->f));
    Sx value = sx_add(sx, sx_mul(sx, sx_sub(sx, arg(to, 0), arg(to, 1)), arg(to, 2)), arg(to, 3));
    return build_map(to, value, (NodeId[]){in[X], mean, factor, in[BIAS]}, 4);
}

/* With x^ = (x - mean) / deviation: dbias = sum(dy), dweight = sum(dy x^), and from these two sums alone
 * dx = (dy - dbias / N - x^ dweight / N) weight / deviation. Running statistics are constants. */
static void norm_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    SxPool *sx = g->sx;
    Node node = *graph_node(g, self);
    NodeId mean, variance, x = node.in[X];
    moments_of(g, x, &mean, &variance);
    NodeId inverse = inverse_deviation(g, variance, node_attr(&node, 0)->f);
    dy = build_expand(g, dy, self);
    NodeId along[3] = {dy, x, mean};
    Sx product = sx_mul(sx, arg(g, 0), sx_sub(sx, arg(g, 1), arg(g, 2)));
    NodeId dbias = sum_of(g, dy), dweight = build_mul(g, sum_of(g, build_map(g, product, along, 3)), inverse);
    grad->add(grad, node.in[BIAS], dbias);
    grad->add(grad, node.in[WEIGHT], dweight);
    if (!grad->wanted(grad, x))
        return;
    /* what is one number a channel is computed once a channel */
    NodeId share = share_of(g, x), factor = build_mul(g, node.in[WEIGHT], inverse);
    NodeId slope_in[3] = {dweight, inverse, share};
    NodeId slope = build_map(g, sx_mul(sx, sx_mul(sx, arg(g, 0), arg(g, 1)), arg(g, 2)), slope_in, 3);
    NodeId in[6] = {dy, x, mean, slope, build_mul(g, dbias, share), factor};
    Sx off = sx_mul(sx, sx_sub(sx, arg(g, 1), arg(g, 2)), arg(g, 3));
    Sx dx = sx_mul(sx, sx_sub(sx, sx_sub(sx, arg(g, 0), arg(g, 4)), off), arg(g, 5));
    grad->add(grad, x, build_map(g, dx, in, 6));
}

/* The variance is an estimate for more than the batch: over one number less, where there are two. */
static NodeId moment_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)train;
    SxPool *sx = to->sx;
    NodeId mean, variance;
    moments_of(to, in[X], &mean, &variance);
    if (!node_attr(node, 0)->i)
        return mean;
    Sx n = numbers(to, positions(graph_type(from, node->in[X]))), one = sx_num(sx, 1);
    return build_mul(to, variance, build_uniform(to, sx_div(sx, n, sx_bin(sx, SX_MAX, sx_sub(sx, n, one), one))));
}

/* ── the meaning ── */
static void eval_moments(const EvalCall *call, double *mean, double *variance)
{
    const Type *in = graph_type(call->g, call->node->in[X]);
    size_t channels = (size_t)type_last(in), count = index_count(in, call->rows);
    double share = (double)channels / (double)count;
    memset(mean, 0, channels * sizeof *mean);
    memset(variance, 0, channels * sizeof *variance);
    for (size_t i = 0; i < count; i++)
        mean[i % channels] += share * call->in[X][i];
    for (size_t i = 0; i < count; i++)
        variance[i % channels] += share * pow(call->in[X][i] - mean[i % channels], 2);
}

static double channel_value(const EvalCall *call, uint32_t input, size_t channel)
{
    return call->in[input][graph_type(call->g, call->node->in[input])->rank == 0 ? 0 : channel];
}

/* One that was not expanded is met in inference only. */
static void norm_eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[X]);
    size_t channels = (size_t)type_last(in), count = index_count(in, call->rows);
    Arena *arena = arena_new();
    double *mean = arena_array(arena, double, channels), *variance = arena_array(arena, double, channels);
    if (call->node->n_in == MEAN)
        eval_moments(call, mean, variance);
    for (size_t i = 0; i < channels && call->node->n_in > MEAN; i++) {
        mean[i] = channel_value(call, MEAN, i);
        variance[i] = channel_value(call, VARIANCE, i);
    }
    for (size_t i = 0; i < count; i++) {
        size_t c = i % channels;
        double off = (call->in[X][i] - mean[c]) / sqrt(variance[c] + node_attr(call->node, 0)->f);
        call->out[i] = off * channel_value(call, WEIGHT, c) + channel_value(call, BIAS, c);
    }
    arena_free(arena);
}

static void moment_eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[X]);
    size_t channels = (size_t)type_last(in);
    double n = (double)index_count(in, call->rows) / (double)channels;
    Arena *arena = arena_new();
    double *mean = arena_array(arena, double, channels), *variance = arena_array(arena, double, channels);
    eval_moments(call, mean, variance);
    for (size_t i = 0; i < channels; i++)
        call->out[i] = node_attr(call->node, 0)->i ? variance[i] * n / fmax(1, n - 1) : mean[i];
    arena_free(arena);
}

/* ── signal propagation ──
 * A value is seen against the other samples of its channel, with which it has `corr` of its second moment in common. */
static double batch_variance(const SignalCall *call)
{
    const Moments *x = call->in[X];
    return fmax(0, x->second - fmax(x->corr * x->second, x->mean * x->mean));
}

static double batch_numbers(const SignalCall *call)
{
    return positions(graph_type(call->g, call->node->in[X])) * call->g->batch;
}

static void norm_signal(const SignalCall *call)
{
    const Moments *weight = call->in[WEIGHT], *bias = call->in[BIAS];
    double variance = batch_variance(call);
    double kept = variance / (variance + node_attr(call->node, 0)->f);
    double second = kept * weight->second + bias->second;
    *call->out = (Moments){bias->mean, second, second > 0 ? fmin(1, bias->second / second) : 1, second, second};
}

/* Two directions of a channel's numbers get no gradient. (Where there are no more, a rule of its own says it.) */
static void norm_signal_back(const SignalCall *call)
{
    double scale = call->in[WEIGHT]->second / (batch_variance(call) + node_attr(call->node, 0)->f);
    double n = positions(graph_type(call->g, call->node->in[X])), all = batch_numbers(call);
    call->grad_in[X] = call->grad_out * scale * (all > 2 ? 1 - 2 / all : 1);
    call->grad_in[WEIGHT] = call->grad_out * n;
    call->grad_in[BIAS] = call->grad_out * n;
}

static uint64_t flops(const Graph *g, const Node *node) { return 8 * type_elements(graph_type(g, node->in[X])); }

NodeId build_batch_norm(Graph *g, const NodeId in[5], double eps)
{
    AttrValue attr = {.f = eps};
    return graph_add(g, &op_batch_norm, in, 5, &attr);
}

NodeId build_batch_moment(Graph *g, NodeId x, bool variance)
{
    AttrValue attr = {.i = variance};
    return graph_add(g, &op_batch_moment, &x, 1, &attr);
}

bool build_is_batch_norm(const Node *node) { return node->op == &op_batch_norm; }

static const char *const norm_examples[] = {
    "graph batch batch 4\n"
    "tensor \"x\" input f32[B, 3]\n"
    "tensor \"y\" input f32[B, 2, 2, 3]\n"
    "tensor \"weight\" param f32[3]\n"
    "tensor \"bias\" param f32[3]\n"
    "%1 = tensor {tensor = 0} : f32[B, 3]\n"
    "%2 = tensor {tensor = 1} : f32[B, 2, 2, 3]\n"
    "%3 = tensor {tensor = 2} : f32[3]\n"
    "%4 = tensor {tensor = 3} : f32[3]\n"
    "%5 = batch_norm %1, %3, %4 {eps = 0.1} : f32[B, 3]\n"
    "%6 = batch_norm %2, %4, %3 {eps = 0.1} : f32[B, 2, 2, 3]\n"
    "output 0 \"a\" %5\noutput 1 \"b\" %6\n",
    "graph images batch 3\n" /* many places: summed within the samples first, several vectors of channels at once */
    "tensor \"x\" input f32[B, 5, 4, 64]\n"
    "tensor \"y\" input f32[B, 5, 7, 12]\n"
    "tensor \"weight\" param f32[64]\n"
    "tensor \"bias\" param f32[64]\n"
    "tensor \"narrow\" param f32[12]\n"
    "%1 = tensor {tensor = 0} : f32[B, 5, 4, 64]\n"
    "%2 = tensor {tensor = 1} : f32[B, 5, 7, 12]\n"
    "%3 = tensor {tensor = 2} : f32[64]\n"
    "%4 = tensor {tensor = 3} : f32[64]\n"
    "%5 = tensor {tensor = 4} : f32[12]\n"
    "%6 = batch_norm %1, %3, %4 {eps = 0.1} : f32[B, 5, 4, 64]\n"
    "%7 = batch_norm %2, %5, %5 {eps = 0.1} : f32[B, 5, 7, 12]\n"
    "output 0 \"a\" %6\noutput 1 \"b\" %7\n",
    NULL};
static const char *const moment_examples[] = {
    "graph moments batch 4\n"
    "tensor \"x\" input f32[B, 2, 3]\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 3]\n"
    "%2 = batch_moment %1 {variance = 0} : f32[3]\n"
    "%3 = batch_moment %1 {variance = 1} : f32[3]\n"
    "%4 = map %1, %2, %3 {fn = (add a0 (mul a1 a2))} : f32[B, 2, 3]\n"
    "output 0 \"y\" %4\n",
    NULL};

ACT_OP(batch_norm) = {
    .name = "batch_norm",
    .doc = "Each channel less its mean, over its deviation, over the batch and all positions, times a weight plus a bias; in "
           "inference with the running mean and variance, where there are some.",
    .kind = OP_COMPOSITE,
    .min_in = 3,
    .max_in = 5,
    .n_attr = 1,
    .attr = {{"eps", ATTR_REAL}},
    .infer = infer,
    .vjp = norm_vjp,
    .eval = norm_eval,
    .expand = norm_expand,
    .signal = norm_signal,
    .signal_back = norm_signal_back,
    .flops = flops,
    .examples = norm_examples,
};

ACT_OP(batch_moment) = {
    .name = "batch_moment",
    .doc = "The mean of each channel over the batch and all positions, or its variance, over the numbers less one. No gradient passes.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 1,
    .attr = {{"variance", ATTR_INT}},
    .infer = infer,
    .eval = moment_eval,
    .expand = moment_expand,
    .flops = flops,
    .examples = moment_examples,
};
