#include "check/facts.h"

#include "ops/build.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

enum { MAX_ARGS = 64, MAX_FN_SIZE = 400 };

bool facts_is(const Node *node, const char *op)
{
    const char *name = node->op->name; /* asked about every value by every rule: most differ in the first letter */
    return name[0] == op[0] && strcmp(name, op) == 0;
}

int facts_tensor(const Node *node) { return facts_is(node, "tensor") ? (int)node_attr(node, 0)->i : -1; }

bool facts_passes(const Node *node) { return node->op->kind == OP_VIEW || facts_is(node, "permute"); }

bool facts_is_param(const Graph *g, NodeId id)
{
    /* Values without the batch are weights, numbers, and what is computed from them. */
    return !graph_type(g, id)->batch;
}

int facts_weight(const Graph *g, NodeId id)
{
    const Node *node = graph_node(g, id);
    if (node->op->kind != OP_CONTRACT || node->n_in != 2 || !graph_type(g, node->in[0])->batch ||
        graph_type(g, node->in[1])->batch)
        return -1;
    NodeId w = node->in[1];
    while (facts_passes(graph_node(g, w)))
        w = graph_node(g, w)->in[0];
    int tensor = facts_tensor(graph_node(g, w));
    /* frozen weights are constants */
    bool weights =
        tensor >= 0 && (g->tensors.at[tensor].role == ROLE_PARAM || g->tensors.at[tensor].role == ROLE_CONSTANT);
    return weights ? tensor : -1;
}

NodeId facts_skip(const Facts *f, NodeId id)
{
    while (facts_passes(graph_node(f->g, id)))
        id = graph_node(f->g, id)->in[0];
    return id;
}

/* The same value, though computed in two places. */
static bool same_value(const Facts *f, NodeId a, NodeId b)
{
    return a == b || (f->base[a] == f->base[b] && f->fn[a] == f->fn[b] &&
                      type_equal(graph_type(f->g, a), graph_type(f->g, b)));
}

/* Does node `b` have one number for each row of `a`? */
static bool one_for_each_row(const Facts *f, NodeId b, NodeId a)
{
    const Type *type = graph_type(f->g, a);
    return type_last(type) > 1 && type_elements(graph_type(f->g, b)) * type_last(type) == type_elements(type);
}

bool facts_is_log_softmax(const Facts *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    if (facts_is(node, "log_softmax"))
        return true;
    /* z - logsumexp(z), written by hand */
    if (node->op->kind != OP_MAP || node->n_in != 2)
        return false;
    Sx a = sx_arg(f->sx, 0), b = sx_arg(f->sx, 1), fn = node_attr(node, 0)->sx;
    uint32_t part = fn == sx_sub(f->sx, a, b) ? 0 : fn == sx_sub(f->sx, b, a) ? 1 : 2;
    if (part == 2)
        return false;
    NodeId row = facts_skip(f, node->in[1 - part]);
    return facts_is(graph_node(f->g, row), "logsumexp") && one_for_each_row(f, row, id) &&
           same_value(f, graph_node(f->g, row)->in[0], node->in[part]);
}

NormKind facts_norm(const Node *node)
{
    return facts_is(node, "batch_norm") ? NORM_BATCH : facts_is(node, "standardize") ? NORM_SAMPLE : NORM_NONE;
}

bool facts_norm_channels(const Node *node) { return !(node_attr(node, 0)->i >> (node->type.rank - 1) & 1); }

uint64_t facts_norm_numbers(const Graph *g, const Node *node)
{
    if (facts_norm(node) == NORM_BATCH)
        return g->batch * (type_elements(&node->type) / type_last(&node->type));
    uint64_t n = 1;
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        n *= node_attr(node, 0)->i >> axis & 1 ? node->type.dim[axis] : 1;
    return n;
}

bool facts_is_softmax(const Facts *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    if (facts_is(node, "softmax"))
        return true;
    if (node->op->kind != OP_MAP)
        return false;
    Sx a = sx_arg(f->sx, 0), b = sx_arg(f->sx, 1), fn = node_attr(node, 0)->sx;
    /* exp(log_softmax(z)), in one step or in two */
    if (node->n_in == 1 && fn == sx_un(f->sx, SX_EXP, a))
        return facts_is_log_softmax(f, facts_skip(f, node->in[0]));
    /* e / sum(e), written by hand */
    uint32_t part = fn == sx_div(f->sx, a, b) ? 0 : fn == sx_div(f->sx, b, a) ? 1 : 2;
    if (node->n_in != 2 || part == 2)
        return false;
    NodeId row = facts_skip(f, node->in[1 - part]);
    const Node *sum = graph_node(f->g, row);
    return facts_is(sum, "reduce") && node_attr(sum, 0)->i == REDUCE_SUM && one_for_each_row(f, row, id) &&
           same_value(f, sum->in[0], node->in[part]) && f->range[node->in[part]].low >= 0;
}

/* What only running statistics need is no part of what the network says. */
static void find_live(Facts *f)
{
    const Graph *g = f->g;
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind != ROOT_UPDATE)
            f->root[g->roots.at[i].node] = f->live[g->roots.at[i].node] = true;
    for (NodeId id = g->nodes.n; id-- > 1;)
        for (uint32_t i = 0; f->live[id] && i < g->nodes.at[id].n_in; i++)
            f->live[g->nodes.at[id].in[i]] = true;
}

static bool reads_again(const Node *node, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (node->in[k] == node->in[i])
            return true;
    return false;
}

static void find_consumers(Facts *f)
{
    const Graph *g = f->g;
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; f->live[id] && i < g->nodes.at[id].n_in; i++)
            if (!reads_again(&g->nodes.at[id], i))
                f->first[g->nodes.at[id].in[i] + 1]++;
    for (NodeId id = 1; id <= g->nodes.n; id++)
        f->first[id] += f->first[id - 1];
    f->consumer = arena_array(f->arena, NodeId, f->first[g->nodes.n] + 1);
    uint32_t *at = arena_array(f->arena, uint32_t, g->nodes.n + 1);
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; f->live[id] && i < g->nodes.at[id].n_in; i++)
            if (!reads_again(&g->nodes.at[id], i)) {
                NodeId in = g->nodes.at[id].in[i];
                f->consumer[f->first[in] + at[in]++] = id;
            }
}

/* A map whose data inputs are all functions of one value is a function of that value: x * sigmoid(x) is silu, in
 * however many steps it was written. */
static void find_pointwise(Facts *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    f->base[id] = id;
    f->fn[id] = f->identity;
    if (facts_is(node, "number")) {
        f->base[id] = 0;
        f->fn[id] = sx_num(f->sx, node_attr(node, 0)->f);
        return;
    }
    if (node->op->kind != OP_MAP || node->n_in > MAX_ARGS)
        return;
    NodeId base = 0;
    Sx to[MAX_ARGS];
    for (uint32_t i = 0; i < node->n_in; i++) {
        NodeId in = node->in[i];
        to[i] = f->fn[in];
        if (f->base[in] == 0)
            continue;
        /* A narrower value that broadcasts is not the same element. */
        if ((base && base != f->base[in]) || !type_same_shape(&node->type, graph_type(f->g, f->base[in])))
            return;
        base = f->base[in];
    }
    Sx fn = sx_substitute(f->sx, node_attr(node, 0)->sx, to, node->n_in);
    if (sx_size(f->sx, fn) > MAX_FN_SIZE)
        return;
    f->base[id] = base;
    f->fn[id] = fn;
}

static const ValueRange unknown = {-INFINITY, INFINITY, false, false};

static ValueRange hull(ValueRange a, ValueRange b)
{
    return (ValueRange){fmin(a.low, b.low), fmax(a.high, b.high), a.full && b.full, a.known && b.known};
}

/* Does another input depend on input i? In z - logsumexp(z) nothing is free. */
static bool follows(const Facts *f, const Node *node, uint32_t i)
{
    for (uint32_t k = 0; k < node->n_in; k++)
        if (k != i && facts_reaches(f, node->in[i], node->in[k]))
            return true;
    return false;
}

static ValueRange range_of_map(const Facts *f, const Node *node, NodeId id)
{
    NodeId base = f->base[id];
    if (base == 0) {
        double value = 0;
        sx_is_num(f->sx, f->fn[id], &value);
        return (ValueRange){value, value, false, true};
    }
    if (facts_is_softmax(f, id))
        return (ValueRange){0, 1, false, true};
    if (facts_is_log_softmax(f, id))
        return (ValueRange){-INFINITY, 0, false, true};
    if (base != id) {
        ValueRange in = f->range[base];
        SxInterval out = sx_range(f->sx, f->fn[id], 0, in.low, in.high);
        return (ValueRange){out.low, out.high, in.full && isinf(out.low) && isinf(out.high), in.known};
    }
    SxInterval box[MAX_ARGS];
    Sx slope[MAX_ARGS];
    Sx fn = node_attr(node, 0)->sx;
    sx_gradient(f->sx, fn, node->n_in, slope);
    for (uint32_t i = 0; i < node->n_in; i++) {
        ValueRange in = f->range[node->in[i]];
        double number;
        if (in.full && sx_is_num(f->sx, sx_simplify(f->sx, slope[i]), &number) && number != 0 && !follows(f, node, i))
            return (ValueRange){-INFINITY, INFINITY, true, true}; /* a free value is added */
        box[i] = (SxInterval){in.low, in.high, false};
    }
    SxInterval out = sx_bounds(f->sx, fn, box, node->n_in);
    return (ValueRange){out.low, out.high, false, false};
}

static ValueRange range_of_tensor(const Tensor *tensor)
{
    if (tensor->role == ROLE_PARAM && tensor->trainable)
        return (ValueRange){-INFINITY, INFINITY, false, false};
    if (tensor->binary)
        return (ValueRange){0, 1, false, true};
    if (tensor->low <= tensor->high && (tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET))
        return (ValueRange){tensor->low, tensor->high, false, true};
    return unknown;
}

static ValueRange range_of(const Facts *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    int tensor = facts_tensor(node);
    if (tensor >= 0)
        return range_of_tensor(&f->g->tensors.at[tensor]);
    int weight = facts_weight(f->g, id);
    if (weight >= 0)
        return f->g->tensors.at[weight].trainable ? (ValueRange){-INFINITY, INFINITY, true, true} : unknown;
    if (node->op->kind == OP_MAP || facts_is(node, "number"))
        return range_of_map(f, node, id);
    if (facts_is(node, "softmax"))
        return (ValueRange){0, 1, false, true};
    if (facts_is(node, "log_softmax"))
        return (ValueRange){-INFINITY, 0, false, true};
    if (facts_is(node, "one_hot"))
        return (ValueRange){0, 1, false, true};
    bool keeps =
        facts_passes(node) || facts_is(node, "slice") || facts_is(node, "stop_gradient") || facts_is(node, "dropout");
    if (keeps) /* dropout: the range of inference, where values pass */
        return f->range[node->in[0]];
    if (facts_is(node, "pad"))
        return hull(f->range[node->in[0]], (ValueRange){0, 0, false, true});
    if (facts_is(node, "concat") || facts_is(node, "when_training")) {
        ValueRange out = f->range[node->in[0]];
        for (uint32_t i = 1; i < node->n_in; i++)
            out = hull(out, f->range[node->in[i]]);
        return out;
    }
    return unknown;
}

static void find_origin(Facts *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    int tensor = facts_tensor(node);
    f->of_target[id] = tensor >= 0 && f->g->tensors.at[tensor].role == ROLE_TARGET;
    for (uint32_t i = 0; i < node->n_in; i++) {
        f->of_target[id] |= f->of_target[node->in[i]];
        if (f->weighted[node->in[i]] > f->weighted[id])
            f->weighted[id] = f->weighted[node->in[i]];
        if (f->depth[node->in[i]] > f->depth[id])
            f->depth[id] = f->depth[node->in[i]];
    }
    if (facts_weight(f->g, id) >= 0) {
        f->weighted[id] = id;
        f->depth[id]++;
    }
    f->last[id] = id;
    if (f->live[id])
        f->last[f->base[id]] = id;
}

Facts *facts_new(Arena *arena, const Graph *g)
{
    Facts *f = arena_new_of(arena, Facts);
    uint32_t n = g->nodes.n + 1;
    *f = (Facts){.arena = arena, .g = g, .sx = g->sx, .identity = sx_arg(g->sx, 0)};
    f->live = arena_array(arena, bool, n);
    f->root = arena_array(arena, bool, n);
    f->first = arena_array(arena, uint32_t, n + 1);
    f->base = arena_array(arena, NodeId, n);
    f->fn = arena_array(arena, Sx, n);
    f->range = arena_array(arena, ValueRange, n);
    f->last = arena_array(arena, NodeId, n);
    f->weighted = arena_array(arena, NodeId, n);
    f->depth = arena_array(arena, uint32_t, n);
    f->of_target = arena_array(arena, bool, n);
    find_live(f);
    find_consumers(f);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        find_pointwise(f, id);
        f->range[id] = range_of(f, id);
        find_origin(f, id);
    }
    return f;
}

ReadKind facts_read(const Facts *f, NodeId id, uint32_t i)
{
    const Node *node = graph_node(f->g, id);
    Sx slope[MAX_ARGS];
    double scale, shift;
    if (f->base[id] != id)
        return sx_is_affine(f->sx, f->fn[id], 0, &scale, &shift) ? READ_AFFINE : READ_NONLINEAR;
    ACT_ASSERT(node->n_in <= MAX_ARGS);
    sx_gradient(f->sx, node_attr(node, 0)->sx, node->n_in, slope);
    Sx d = sx_simplify(f->sx, slope[i]);
    bool gate = false, sum = false, self = false;
    for (uint32_t k = 0; k < node->n_in; k++) {
        if (!graph_type(f->g, node->in[k])->batch)
            continue;
        if (node->in[k] == node->in[i])
            self |= sx_uses_arg(f->sx, d, k);
        else if (sx_uses_arg(f->sx, d, k))
            gate = true;
        else if (k != i)
            sum = true;
    }
    return gate ? READ_GATE : self ? READ_NONLINEAR : sum ? READ_SUM : READ_AFFINE;
}

NodeId facts_pointwise_end(const Facts *f, NodeId id)
{
    /* The values that are functions of `id`: all of them but one must be read only by others of them. */
    NodeId end = f->last[id];
    if (end == id)
        return id;
    for (NodeId at = id; at < end; at++) {
        if (!f->live[at] || (at != id && f->base[at] != id))
            continue;
        if (f->root[at])
            return id;
        for (uint32_t k = f->first[at]; k < f->first[at + 1]; k++)
            if (f->base[f->consumer[k]] != id)
                return id;
    }
    return end;
}

bool facts_reaches(const Facts *f, NodeId from, NodeId to)
{
    if (from > to)
        return false;
    bool *reached = arena_array(f->arena, bool, to - from + 1);
    reached[0] = true;
    for (NodeId id = from + 1; id <= to; id++)
        for (uint32_t i = 0; i < f->g->nodes.at[id].n_in; i++)
            reached[id - from] |= f->g->nodes.at[id].in[i] >= from && reached[f->g->nodes.at[id].in[i] - from];
    return reached[to - from];
}

Sx facts_loss_term(const Facts *f, const LossCall *loss)
{
    NodeId prediction = facts_skip(f, loss->prediction);
    for (NodeId id = loss->prediction + 1; id < f->g->nodes.n; id++) {
        const Node *node = graph_node(f->g, id);
        if (node->op->kind != OP_MAP || node->n_in != 2 || !str_eq(node->fn, loss->fn))
            continue;
        uint32_t at = facts_skip(f, node->in[0]) == prediction ? 0 : 1;
        if (facts_skip(f, node->in[at]) != prediction)
            continue;
        Sx to[2];
        to[at] = sx_arg(f->sx, 0);
        to[1 - at] = sx_arg(f->sx, 1);
        return sx_substitute(f->sx, node_attr(node, 0)->sx, to, 2);
    }
    return 0;
}
