#include "check/flow.h"

#include "base/map.h"

#include <math.h>

static bool keeps(const Node *node)
{
    return facts_passes(node) || facts_is(node, "dropout") || facts_is(node, "slice") || facts_is(node, "pad") ||
           facts_is(node, "concat") || facts_norm(node) != NORM_NONE;
}

static uint32_t input_of(const Node *node, NodeId in)
{
    uint32_t i = 0;
    while (i + 1 < node->n_in && node->in[i] != in)
        i++;
    return i;
}

Follow flow_follow(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    Follow follow = {.end = FOLLOW_END, .before = id};
    for (;;) {
        NodeId at = follow.before, end = facts_pointwise_end(f, at);
        double scale, shift;
        if (end != at && !sx_is_affine(f->sx, f->fn[end], 0, &scale, &shift)) {
            follow.end = FOLLOW_ACTIVATION;
            follow.node = end;
            follow.fn = f->fn[end];
            return follow;
        }
        if (end != at) {
            follow.before = end;
            continue;
        }
        if (facts_uses(f, at) != 1 || f->root[at])
            return follow;
        NodeId next = f->consumer[f->first[at]];
        const Node *node = graph_node(f->g, next);
        follow.node = next;
        if (facts_weight(f->g, next) >= 0) {
            follow.end = FOLLOW_LAYER;
            return follow;
        }
        if (node->op->kind == OP_MAP) {
            ReadKind kind = facts_read(f, next, input_of(node, at));
            follow.end = kind == READ_SUM ? FOLLOW_RESIDUAL : kind == READ_GATE ? FOLLOW_GATE : FOLLOW_END;
            if (kind != READ_AFFINE)
                return follow;
            follow.end = FOLLOW_END;
        } else if (!keeps(node)) {
            return follow;
        }
        follow.random |= facts_is(node, "dropout");
        follow.before = next;
    }
}

bool flow_is_constant(const Tensor *tensor) { return tensor->deviation == 0; }

bool flow_is_head(const CheckContext *cx, NodeId id)
{
    for (uint32_t i = 0; i < cx->g->roots.n; i++)
        if (cx->g->roots.at[i].node == id && cx->g->roots.at[i].kind == ROOT_OUTPUT)
            return true;
    for (uint32_t i = 0; i < cx->model->losses.n; i++)
        if (cx->model->losses.at[i].prediction == id)
            return true;
    return false;
}

/* How `reader` takes the carried value; true when the search goes on behind it. */
static bool reach_through(const CheckContext *cx, Reach *reach, NodeId reader, NodeId value)
{
    const Node *node = graph_node(cx->g, reader);
    uint32_t i = input_of(node, value);
    int weight = i == 0 ? facts_weight(cx->g, reader) : -1;
    if (weight >= 0) {
        reach->layer = true;
        reach->first = reach->first && reach->first < reader ? reach->first : reader;
        reach->constant &= flow_is_constant(&cx->g->tensors.at[weight]);
        return false;
    }
    bool data = node->op->kind == OP_CONTRACT; /* data times data: attention */
    if (data || (node->op->kind == OP_MAP && facts_read(cx->facts, reader, i) == READ_GATE)) {
        reach->gate = true;
        return false;
    }
    reach->random |= facts_is(node, "dropout");
    return true;
}

Reach flow_reach(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    Reach reach = {.constant = true};
    Map seen = {.arena = cx->arena};
    VEC(NodeId) queue = {0};
    *vec_push(cx->arena, &queue) = id;
    for (uint32_t k = 0; k < queue.n; k++) {
        NodeId at = queue.at[k];
        reach.head |= flow_is_head(cx, at);
        for (uint32_t c = f->first[at]; c < f->first[at + 1]; c++) {
            NodeId reader = f->consumer[c];
            Str key = {(const char *)&f->consumer[c], sizeof(NodeId)};
            if (f->of_target[reader] || !reach_through(cx, &reach, reader, at) || map_has(&seen, key))
                continue;
            map_set(&seen, key, &queue);
            *vec_push(cx->arena, &queue) = reader;
        }
    }
    return reach;
}

NodeId flow_prediction(const CheckContext *cx, NodeId id) { return cx->prediction[id]; }

const double *flow_deviation(CheckContext *cx)
{
    if (cx->hidden_signal)
        return cx->hidden_deviation;
    double *deviation = arena_array(cx->arena, double, cx->g->tensors.n + 1);
    bool small = false;
    for (uint32_t i = 0; i < cx->g->tensors.n; i++)
        deviation[i] = NAN;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int index = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        const Tensor *tensor = index >= 0 ? &cx->g->tensors.at[index] : NULL;
        if (tensor == NULL || tensor->fan_in < 1 || tensor->deviation * sqrt(tensor->fan_in) >= 1)
            continue;
        Follow follow = flow_follow(cx, id);
        if (follow.end == FOLLOW_LAYER || (follow.end == FOLLOW_ACTIVATION && flow_reach(cx, follow.node).layer))
            continue;
        deviation[index] = 1 / sqrt(tensor->fan_in);
        small = true;
    }
    cx->hidden_deviation = small ? deviation : NULL;
    cx->hidden_signal = small ? signal_of_model(cx->arena, cx->facts, cx->model, deviation) : cx->signal;
    return cx->hidden_deviation;
}

const Signal *flow_signal(CheckContext *cx)
{
    flow_deviation(cx);
    return cx->hidden_signal;
}

Str flow_hidden_activation(const CheckContext *cx)
{
    Str best = STR("relu");
    uint32_t most = 0;
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        if (!use->activation || use->out == 0 || !cx->facts->live[use->out] ||
            isfinite(cx->facts->range[use->out].high))
            continue;
        uint32_t count = 0;
        for (uint32_t k = 0; k < cx->model->layers.n; k++)
            count += cx->model->layers.at[k].activation && str_eq(cx->model->layers.at[k].kind, use->kind);
        if (count > most) {
            most = count;
            best = use->kind;
        }
    }
    return best;
}

const char *flow_fitting(const SxTraits *traits, bool uniform)
{
    if (traits->saturates)
        return uniform ? "xavier_uniform" : "xavier_normal";
    if (fabs(traits->gain / M_SQRT2 - 1) < 0.03)
        return uniform ? "kaiming_uniform" : "kaiming_normal";
    if (fabs(traits->gain - 1) < 0.02)
        return uniform ? "lecun_uniform" : "lecun_normal";
    return "auto";
}

const char *flow_initializer(CheckContext *cx, Sx fn, bool uniform)
{
    return flow_fitting(check_traits(cx, fn), uniform);
}
