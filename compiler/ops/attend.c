/* attend: scaled dot-product attention, softmax(scale q k') v, and the parts of it that its gradient needs again.
 *
 * Written out only when composites are: then the scores are a product for each sample and head, their maximum, exponentials and sum run
 * along the row, and the sum divides the result, not the weights. */
#include "ops/attend.h"
#include "ops/index.h"

#include <math.h>
#include <string.h>

ACT_OP(attend);
ACT_OP(attend_part);

#define LOWEST (-3.0e38) /* stands for a score that is not seen while the maximum is looked for */

Attend attend_of(const Node *node)
{
    uint32_t at = node->op == &op_attend ? 0 : 1;
    return (Attend){node_attr(node, at)->f, node_attr(node, at + 1)->i != 0, (uint32_t)node_attr(node, at + 2)->i};
}

AttendShape attend_shape(const Graph *g, const Node *node)
{
    const Type *q = graph_type(g, node->in[0]), *k = graph_type(g, node->in[1]);
    AttendShape s = {.outer = k->rank - 2, .groups = q->rank - k->rank, .each = k->batch, .products = 1, .rows = 1};
    s.queries = q->dim[q->rank - 2];
    s.keys = k->dim[k->rank - 2];
    s.depth = q->dim[q->rank - 1];
    s.width = node->n_in > 2 ? graph_type(g, node->in[2])->dim[k->rank - 1] : 0;
    for (uint32_t i = 0; i < s.outer; i++)
        s.products *= k->dim[i];
    for (uint32_t i = s.outer; i + 1 < q->rank; i++)
        s.rows *= q->dim[i];
    return s;
}

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *q = graph_type(g, node->in[0]), *k = graph_type(g, node->in[1]);
    const Type *v = node->n_in > 2 ? graph_type(g, node->in[2]) : k;
    if (k->rank < 2 || v->rank != k->rank || (q->rank != k->rank && q->rank != k->rank + 1))
        return "queries, keys and values differ in their axes";
    if (q->batch != k->batch || v->batch != k->batch)
        return "only some of queries, keys and values have the batch";
    for (uint32_t i = 0; i + 2 < k->rank; i++)
        if (q->dim[i] != k->dim[i] || v->dim[i] != k->dim[i])
            return "queries, keys and values differ in their heads";
    if (q->dim[q->rank - 1] != k->dim[k->rank - 1] || v->dim[v->rank - 2] != k->dim[k->rank - 2])
        return "queries do not fit the keys, or keys do not fit the values";
    Attend attend = attend_of(node);
    if (!isfinite(attend.scale) || node_attr(node, node->n_in > 2 ? 2 : 3)->i < 0)
        return "the scale must be finite and the first place at least 0";
    *out = *q;
    out->dtype = DT_F32;
    if (node->op == &op_attend)
        out->dim[q->rank - 1] = v->dim[v->rank - 1];
    else
        out->dim[q->rank - 1] = node_attr(node, 0)->i == ATTEND_WEIGHTS ? k->dim[k->rank - 2] : 1;
    return NULL;
}

/* ── meaning ── */
/* e^(s - m) of one query in `weight`, 0 for keys it does not see; the maximum and the sum. */
static void weigh(const AttendShape *s, const Attend *attend, const double *q, const double *k, uint32_t row,
                  double *weight, double *max, double *sum)
{
    uint64_t seen = attend->causal ? (uint64_t)attend->start + row + 1 : s->keys;
    *max = -INFINITY;
    *sum = 0;
    for (uint32_t j = 0; j < s->keys && j < seen; j++) {
        weight[j] = 0;
        for (uint32_t d = 0; d < s->depth; d++)
            weight[j] += q[d] * k[(size_t)j * s->depth + d];
        weight[j] *= attend->scale;
        *max = isnan(weight[j]) || weight[j] > *max ? weight[j] : *max;
    }
    for (uint32_t j = 0; j < s->keys; j++) {
        weight[j] = j < seen ? exp(weight[j] - *max) : 0;
        *sum += weight[j];
    }
}

static void eval(const EvalCall *call)
{
    const Node *node = call->node;
    AttendShape s = attend_shape(call->g, node);
    Attend attend = attend_of(node);
    bool whole = node->op == &op_attend;
    size_t samples = (s.each ? call->rows : 1) * s.products, width = (size_t)type_last(&node->type);
    Arena *arena = arena_new();
    double *weight = arena_array(arena, double, s.keys), max, sum;
    for (size_t p = 0; p < samples; p++)
        for (size_t r = 0; r < s.rows; r++) {
            const double *q = call->in[0] + (p * s.rows + r) * s.depth, *k = call->in[1] + p * s.keys * s.depth;
            double *out = call->out + (p * s.rows + r) * width;
            weigh(&s, &attend, q, k, (uint32_t)(r % s.queries), weight, &max, &sum);
            if (!whole) {
                int64_t part = node_attr(node, 0)->i;
                if (part == ATTEND_WEIGHTS)
                    memcpy(out, weight, width * sizeof *out);
                else
                    out[0] = part == ATTEND_TOTAL ? sum : max + log(sum);
                continue;
            }
            const double *v = call->in[2] + p * s.keys * width;
            memset(out, 0, width * sizeof *out);
            for (uint32_t j = 0; j < s.keys; j++)
                for (size_t e = 0; e < width; e++)
                    out[e] += weight[j] / sum * v[j * width + e];
        }
    arena_free(arena);
}

/* ── writing it out ── */
uint32_t attend_blocks(uint32_t queries, uint32_t *rows)
{
    enum { STEP = 16 };
    if (queries <= ATTEND_WHOLE) {
        *rows = queries;
        return 1;
    }
    uint32_t least = (queries + ATTEND_BLOCKS - 1) / ATTEND_BLOCKS;
    *rows = least <= ATTEND_ROWS ? ATTEND_ROWS : (least + STEP - 1) / STEP * STEP;
    return (queries + *rows - 1) / *rows;
}

uint32_t attend_seen(const AttendShape *shape, const Attend *attend, uint32_t stop)
{
    uint64_t seen = (uint64_t)attend->start + stop;
    return attend->causal && seen < shape->keys ? (uint32_t)seen : shape->keys;
}

Sx attend_sees(Graph *g, const Attend *attend, unsigned row, unsigned column)
{
    Sx place = sx_add(g->sx, sx_arg(g->sx, row), sx_num(g->sx, attend->start));
    return sx_bin(g->sx, SX_LE, sx_arg(g->sx, column), place);
}

NodeId attend_places(Graph *g, uint32_t count, uint32_t axis, uint32_t rank)
{
    uint32_t dim[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++)
        dim[i] = i == axis ? count : 1;
    return build_reshape(g, build_iota(g, count), rank, dim);
}

/* The maximum of every row of scores, e^(s - m), and the sum of these. A query sees at least one key, the first: so the maximum is one of a
 * score, and no sum is 0. */
static void rows_of(Graph *g, const Attend *attend, NodeId q, NodeId k, NodeId *max, NodeId *e, NodeId *sum)
{
    SxPool *sx = g->sx;
    const Type *queries = graph_type(g, q);
    Contract contract = {.form = CONTRACT_NT, .outer = graph_type(g, k)->rank - 2, .depth = 1, .each = graph_type(g, k)->batch};
    uint32_t last = queries->rank - 1, n = queries->dim[last - 1];
    NodeId in[4] = {build_product(g, contract, q, k)};
    uint32_t n_in = 1;
    Sx s = sx_mul(sx, sx_arg(sx, 0), sx_num(sx, attend->scale)), seen = 0;
    if (attend->causal) {
        uint32_t keys = graph_type(g, in[0])->dim[last];
        in[n_in++] = attend_places(g, n, 0, 2);
        in[n_in++] = attend_places(g, keys, 0, 1);
        seen = attend_sees(g, attend, 1, 2);
    }
    NodeId shown = build_map(g, seen ? sx_select(sx, seen, s, sx_num(sx, LOWEST)) : s, in, n_in);
    *max = build_reduce(g, REDUCE_MAX, shown, 1u << last, false, true);
    Sx above = sx_un(sx, SX_EXP, sx_sub(sx, sx_arg(sx, 0), sx_arg(sx, n_in)));
    in[0] = shown;
    in[n_in] = *max;
    *e = build_map(g, seen ? sx_select(sx, seen, above, sx_num(sx, 0)) : above, in, n_in + 1);
    *sum = build_sum_last(g, *e, true);
}

static NodeId part_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)train;
    Attend attend = attend_of(node);
    NodeId max, e, sum;
    rows_of(to, &attend, in[0], in[1], &max, &e, &sum);
    if (node_attr(node, 0)->i != ATTEND_LOGSUM)
        return node_attr(node, 0)->i == ATTEND_WEIGHTS ? e : sum;
    Sx logsum = sx_add(to->sx, sx_arg(to->sx, 0), sx_un(to->sx, SX_LOG, sx_arg(to->sx, 1)));
    return build_map(to, logsum, (NodeId[]){max, sum}, 2);
}

static NodeId block(Graph *g, const Attend *attend, NodeId q, NodeId k, NodeId v)
{
    NodeId max, e, sum;
    rows_of(g, attend, q, k, &max, &e, &sum);
    Contract contract = {.form = CONTRACT_NN, .outer = graph_type(g, k)->rank - 2, .depth = 1, .each = graph_type(g, k)->batch};
    return build_div(g, build_product(g, contract, e, v), sum);
}

static NodeId expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)train;
    AttendShape s = attend_shape(from, node);
    Attend attend = attend_of(node), own = attend;
    uint32_t rows, n = attend_blocks(s.queries, &rows), axis = node->type.rank - 2, key_axis = s.outer;
    NodeId part[ATTEND_BLOCKS];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t start = i * rows, stop = i + 1 < n ? start + rows : s.queries, seen = attend_seen(&s, &attend, stop);
        own.start = attend.start + start;
        part[i] = block(to, &own, build_slice(to, in[0], axis, start, stop), build_slice(to, in[1], key_axis, 0, seen),
                        build_slice(to, in[2], key_axis, 0, seen));
    }
    return build_concat(to, part, n, axis);
}

/* ── signal ── */
/* The sum of a query's squared weights, on average over the queries. Weights are log-normal: with g = e to the variance of the scores, n of
 * them have E w^2 = g (E w)^2 and E (sum w)^2 = (n g + n (n - 1)) (E w)^2, so the sum of squared shares is g / (g + n - 1). What all keys
 * share moves all scores alike and does not count. */
static double concentration(const AttendShape *s, const Attend *attend, const Moments *q, const Moments *k)
{
    double share = 0, apart = fmax(0, 1 - k->corr);
    double g = exp(fmin(300, attend->scale * attend->scale * s->depth * q->second * k->second * apart));
    for (uint32_t i = 0; i < s->queries; i++)
        share += g / (g + attend_seen(s, attend, i + 1) - 1);
    return share / s->queries;
}

static void signal(const SignalCall *call)
{
    AttendShape s = attend_shape(call->g, call->node);
    Attend attend = attend_of(call->node);
    const Moments *v = call->in[2];
    double w = concentration(&s, &attend, call->in[0], call->in[1]), shared = fmin(1, fmax(0, v->corr));
    double second = v->second * (shared + (1 - shared) * w);
    double corr = second > 0 ? v->second * shared / second : 1;
    *call->out = (Moments){v->mean, second, corr, second, second};
}

/* A value is read by every query with its weight; a score moves the result by what its value differs from the mean one. */
static void signal_back(const SignalCall *call)
{
    AttendShape s = attend_shape(call->g, call->node);
    Attend attend = attend_of(call->node);
    const Moments *q = call->in[0], *k = call->in[1], *v = call->in[2];
    double w = concentration(&s, &attend, q, k), apart = fmax(0, 1 - v->corr), scale2 = attend.scale * attend.scale;
    double score = w / s.keys * s.width * call->grad_out * v->second * apart * (1 - w);
    call->grad_in[0] = scale2 * s.keys * score * k->second * fmax(0, 1 - k->corr);
    call->grad_in[1] = scale2 * (double)s.rows * score * q->second;
    call->grad_in[2] = call->grad_out * (double)s.rows * w / s.keys;
}

static uint64_t flops(const Graph *g, const Node *node)
{
    AttendShape s = attend_shape(g, node);
    return s.products * s.rows * s.keys * (2ull * (s.depth + s.width) + 16);
}

/* ── building ── */
NodeId attend_part(Graph *g, AttendPart part, const Attend *a, NodeId q, NodeId k)
{
    AttrValue attr[4] = {{.i = part}, {.f = a->scale}, {.i = a->causal}, {.i = a->start}};
    return graph_add(g, &op_attend_part, (NodeId[]){q, k}, 2, attr);
}

NodeId build_attend(Graph *g, Attend a, NodeId q, NodeId k, NodeId v)
{
    AttrValue attr[3] = {{.f = a.scale}, {.i = a.causal}, {.i = a.start}};
    return graph_add(g, &op_attend, (NodeId[]){q, k, v}, 3, attr);
}

bool build_is_attend(const Node *node, Attend *attend)
{
    if (node->op != &op_attend)
        return false;
    *attend = attend_of(node);
    return true;
}

static const char *const examples[] = {"graph a batch 2\n"
                                       "tensor \"q\" input f32[B, 2, 3, 4]\n"
                                       "tensor \"k\" input f32[B, 2, 5, 4]\n"
                                       "tensor \"v\" input f32[B, 2, 5, 3]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3, 4]\n"
                                       "%2 = tensor {tensor = 1} : f32[B, 2, 5, 4]\n"
                                       "%3 = tensor {tensor = 2} : f32[B, 2, 5, 3]\n"
                                       "%4 = attend %1, %2, %3 {scale = 0.5} : f32[B, 2, 3, 3]\n"
                                       "%5 = attend %1, %2, %3 {scale = 2, causal = 1, start = 1} : f32[B, 2, 3, 3]\n"
                                       "output 0 \"a\" %4\noutput 1 \"b\" %5\n",
                                       "graph grouped batch 2\n"
                                       "tensor \"q\" input f32[B, 2, 3, 4, 2]\n"
                                       "tensor \"k\" input f32[B, 2, 4, 2]\n"
                                       "%1 = tensor {tensor = 0} : f32[B, 2, 3, 4, 2]\n"
                                       "%2 = tensor {tensor = 1} : f32[B, 2, 4, 2]\n"
                                       "%3 = attend %1, %2, %2 {scale = 0.7, causal = 1} : f32[B, 2, 3, 4, 2]\n"
                                       "output 0 \"a\" %3\n",
                                       NULL};

ACT_OP(attend) = {
    .name = "attend",
    .doc = "Attention: softmax(scale q k') v for every head and sample; `causal`: query i sees the keys up to and with start + i.",
    .kind = OP_COMPOSITE,
    .min_in = 3,
    .max_in = 3,
    .n_attr = 3,
    .attr = {{"scale", ATTR_REAL}, {"causal", ATTR_INT, true}, {"start", ATTR_INT, true}},
    .infer = infer,
    .vjp = attend_vjp,
    .eval = eval,
    .expand = expand,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = examples,
};

ACT_OP(attend_part) = {
    .name = "attend_part",
    .doc = "Of a row of attention's scores s, with m its maximum: part 0 exp(s - m), part 1 the sum of these, part 2 log(sum(exp(s))).",
    .kind = OP_COMPOSITE,
    .min_in = 2,
    .max_in = 2,
    .n_attr = 4,
    .attr = {{"part", ATTR_INT}, {"scale", ATTR_REAL}, {"causal", ATTR_INT, true}, {"start", ATTR_INT, true}},
    .infer = infer,
    .eval = eval,
    .expand = part_expand,
    .flops = flops,
};
