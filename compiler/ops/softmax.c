/* softmax, log_softmax and logsumexp over the last axis, each computed after subtracting the maximum. */
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>

ACT_OP(softmax);
ACT_OP(log_softmax);
ACT_OP(logsumexp);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    out->dtype = DT_F32;
    if (out->rank < 1)
        return "it needs an axis to run over";
    if (node->op == &op_logsumexp)
        out->rank--;
    return NULL;
}

static double row_logsumexp(const double *x, size_t n)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        max = isnan(x[i]) || x[i] > max ? x[i] : max;
    if (isinf(max) && max < 0)
        return max;
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - max);
    return max + log(sum);
}

static void eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]);
    size_t n = (size_t)type_last(in), rows = index_count(in, call->rows) / n;
    for (size_t r = 0; r < rows; r++) {
        const double *x = call->in[0] + r * n;
        double lse = row_logsumexp(x, n);
        if (call->node->op == &op_logsumexp) {
            call->out[r] = lse;
            continue;
        }
        for (size_t i = 0; i < n; i++)
            call->out[r * n + i] = call->node->op == &op_softmax ? exp(x[i] - lse) : x[i] - lse;
    }
}

/* row values with a last axis of 1, so that they broadcast along the row */
static NodeId column(Graph *g, NodeId a)
{
    Type type = *graph_type(g, a);
    type.dim[type.rank++] = 1;
    return build_reshape(g, a, type.rank, type.dim);
}

static Sx arg(Graph *g, unsigned i) { return sx_arg(g->sx, i); }

/* p (dy - sum(dy p)) */
static void softmax_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    NodeId x = graph_node(g, self)->in[0];
    NodeId dot = build_sum_last(g, build_mul(g, dy, self), true);
    Sx f = sx_mul(g->sx, arg(g, 0), sx_sub(g->sx, arg(g, 1), arg(g, 2)));
    grad->add(grad, x, build_map(g, f, (NodeId[]){self, dy, dot}, 3));
}

/* dy - exp(y) sum(dy) */
static void log_softmax_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    NodeId x = graph_node(g, self)->in[0];
    dy = build_expand(g, dy, self);
    NodeId sum = build_sum_last(g, dy, true);
    Sx f = sx_sub(g->sx, arg(g, 1), sx_mul(g->sx, sx_un(g->sx, SX_EXP, arg(g, 0)), arg(g, 2)));
    grad->add(grad, x, build_map(g, f, (NodeId[]){self, dy, sum}, 3));
}

/* dy exp(x - y) */
static void logsumexp_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    NodeId x = graph_node(g, self)->in[0];
    Sx p = sx_un(g->sx, SX_EXP, sx_sub(g->sx, arg(g, 1), arg(g, 2)));
    NodeId in[3] = {column(g, build_expand(g, dy, self)), x, column(g, self)};
    grad->add(grad, x, build_map(g, sx_mul(g->sx, arg(g, 0), p), in, 3));
}

/* max, then exp(x - max) and its sum: everything else is a map of these */
static void parts(Graph *g, NodeId x, NodeId *max, NodeId *e, NodeId *sum)
{
    uint32_t last = graph_type(g, x)->rank - 1;
    *max = build_reduce(g, REDUCE_MAX, x, 1u << last, false, true);
    Sx f = sx_un(g->sx, SX_EXP, sx_sub(g->sx, arg(g, 0), arg(g, 1)));
    *e = build_map(g, f, (NodeId[]){x, *max}, 2);
    *sum = build_sum_last(g, *e, true);
}

static NodeId softmax_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)node, (void)train;
    NodeId max, e, sum;
    parts(to, in[0], &max, &e, &sum);
    return build_div(to, e, sum);
}

static NodeId log_softmax_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)node, (void)train;
    NodeId max, e, sum;
    parts(to, in[0], &max, &e, &sum);
    Sx f = sx_sub(to->sx, sx_sub(to->sx, arg(to, 0), arg(to, 1)), sx_un(to->sx, SX_LOG, arg(to, 2)));
    return build_map(to, f, (NodeId[]){in[0], max, sum}, 3);
}

static NodeId logsumexp_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)train;
    NodeId max, e, sum;
    parts(to, in[0], &max, &e, &sum);
    Sx f = sx_add(to->sx, arg(to, 0), sx_un(to->sx, SX_LOG, arg(to, 1)));
    NodeId y = build_map(to, f, (NodeId[]){max, sum}, 2);
    return build_reshape(to, y, node->type.rank, node->type.dim);
}

/* E p² of a softmax over k logits of variance q (log-normal weights): exp(q) / k², at most 1 / k. */
static double square_share(double k, double q) { return fmin(exp(q) / (k * k), 1 / k); }

static void signal(const SignalCall *call)
{
    const Moments *x = call->in[0];
    double k = (double)type_last(graph_type(call->g, call->node->in[0])), q = fmax(0, x->second - x->mean * x->mean);
    double shared = fmax(0, x->corr * x->second - x->mean * x->mean), lse = x->mean + log(k) + q / 2;
    if (call->node->op == &op_softmax) {
        double second = square_share(k, q), cross = square_share(k, shared);
        *call->out = (Moments){1 / k, second, fmin(1, cross / second), second, second};
    } else if (call->node->op == &op_log_softmax) {
        double mean = x->mean - lse, second = mean * mean + q;
        *call->out = (Moments){mean, second, fmin(1, (mean * mean + shared) / second), second, second};
    } else {
        double second = lse * lse + q / k;
        *call->out = (Moments){lse, second, 1, second, second};
    }
}

static void signal_back(const SignalCall *call)
{
    const Moments *x = call->in[0];
    double k = (double)type_last(graph_type(call->g, call->node->in[0])), q = fmax(0, x->second - x->mean * x->mean);
    double p2 = square_share(k, q);
    if (call->node->op == &op_log_softmax)
        call->grad_in[0] = call->grad_out * (1 - 2 / k + k * p2);
    else if (call->node->op == &op_softmax)
        call->grad_in[0] = call->grad_out * p2 * fmax(0, 1 - 1 / k);
    else
        call->grad_in[0] = call->grad_out * p2;
}

static uint64_t flops(const Graph *g, const Node *node) { return 16 * type_elements(graph_type(g, node->in[0])); }

static NodeId add(Graph *g, const Op *op, NodeId a) { return graph_add(g, op, &a, 1, NULL); }
NodeId build_softmax(Graph *g, NodeId a) { return add(g, &op_softmax, a); }
NodeId build_log_softmax(Graph *g, NodeId a) { return add(g, &op_log_softmax, a); }
NodeId build_logsumexp(Graph *g, NodeId a) { return add(g, &op_logsumexp, a); }

#define EXAMPLE(op, type)                                                                                       \
    {"graph a batch 3\ntensor \"x\" input f32[B, 2, 5]\n%1 = tensor {tensor = 0} : f32[B, 2, 5]\n%2 = " op \
     " %1 : " type "\noutput 0 \"y\" %2\n",                                                                  \
     NULL}
static const char *const softmax_examples[] = EXAMPLE("softmax", "f32[B, 2, 5]");
static const char *const log_softmax_examples[] = EXAMPLE("log_softmax", "f32[B, 2, 5]");
static const char *const logsumexp_examples[] = EXAMPLE("logsumexp", "f32[B, 2]");

ACT_OP(softmax) = {
    .name = "softmax",
    .doc = "e^x over its sum along the last axis: positive numbers that add up to one.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .infer = infer,
    .vjp = softmax_vjp,
    .eval = eval,
    .expand = softmax_expand,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = softmax_examples,
};

ACT_OP(log_softmax) = {
    .name = "log_softmax",
    .doc = "The logarithm of softmax along the last axis, computed without forming it.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .infer = infer,
    .vjp = log_softmax_vjp,
    .eval = eval,
    .expand = log_softmax_expand,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = log_softmax_examples,
};

ACT_OP(logsumexp) = {
    .name = "logsumexp",
    .doc = "log(sum(e^x)) along the last axis, which it drops.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .infer = infer,
    .vjp = logsumexp_vjp,
    .eval = eval,
    .expand = logsumexp_expand,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = logsumexp_examples,
};
