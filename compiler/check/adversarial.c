/* Losses for groups of weights, and two networks against each other: 1221 untrained_group, 1222 agreeing_sides,
 * 1223 range_gives_away. */
#include "check/context.h"

#include <math.h>
#include <string.h>

static bool in_group(Str tensor, const Str *name, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_starts(tensor, name[i]) && (tensor.n == name[i].n || tensor.p[name[i].n] == '.'))
            return true;
    return false;
}

static bool is_trained(const Tensor *tensor) { return tensor->role == ROLE_PARAM && tensor->trainable; }

/* "d" of "d.linear1.weight": the group a parameter would be named by. */
static Str stem(Str tensor)
{
    uint32_t n = 0;
    while (n < tensor.n && tensor.p[n] != '.')
        n++;
    return (Str){tensor.p, n};
}

/* ── ACT1221 ── */
/* Marks the tensors that loss `node` depends on. */
static void mark_behind(const CheckContext *cx, NodeId node, bool *tensor)
{
    bool *behind = arena_array(cx->arena, bool, node + 1);
    behind[node] = true;
    for (NodeId id = node; id > 0; id--) {
        int leaf = behind[id] ? facts_tensor(graph_node(cx->g, id)) : -1;
        if (leaf >= 0)
            tensor[leaf] = true;
        for (uint32_t i = 0; behind[id] && i < graph_node(cx->g, id)->n_in; i++)
            behind[graph_node(cx->g, id)->in[i]] = true;
    }
}

/* Does a loss for a group depend on none of its weights? Then ACT904 says so, and what follows from it is not said again. */
static bool trains_nothing(const CheckContext *cx, const LossUse *use, const bool *behind)
{
    for (uint32_t t = 0; t < cx->g->tensors.n; t++)
        if (behind[t] && is_trained(&cx->g->tensors.at[t]) &&
            in_group(cx->g->tensors.at[t].name, use->group.at, use->group.n))
            return false;
    return use->group.n > 0;
}

/* An optimizer that somebody wrote: where groups have theirs, plain descent for all others was hardly meant. */
static bool is_written(const CheckContext *cx, const OptimizerUse *use)
{
    const Source *source = source_get(cx->program->sources, use->span.source);
    return source && !source->library;
}

static bool has_optimizer(const CheckContext *cx, Str tensor)
{
    const TrainUse *train = cx->model->train;
    bool groups = false;
    for (uint32_t i = 0; i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        if (use->group.n == 0 ? is_written(cx, use) : in_group(tensor, use->group.at, use->group.n))
            return true;
        groups = groups || use->group.n > 0;
    }
    return !groups;
}

static const OptimizerUse *grouped_optimizer(const TrainUse *train)
{
    for (uint32_t i = 0; i < train->optimizers.n; i++)
        if (train->optimizers.at[i]->group.n > 0)
            return train->optimizers.at[i];
    return NULL;
}

/* Of all weights of one stem: are any without a loss, or without an optimizer? One finding for them all. */
static void report_untrained(CheckContext *cx, uint32_t first, const bool *left, bool by_loss)
{
    const TrainUse *train = cx->model->train;
    const Tensor *tensor = &cx->g->tensors.at[first];
    Str group = stem(tensor->name);
    uint64_t parameters = 0;
    for (uint32_t t = first; t < cx->g->tensors.n; t++)
        if (left[t] && str_eq(stem(cx->g->tensors.at[t].name), group))
            parameters += type_elements(&cx->g->tensors.at[t].type);
    Diag *diag;
    if (by_loss) {
        diag = check_report(cx, LEVEL_WARN, tensor->span, "no loss trains `" STR_FMT "`", STR_ARG(group));
        diag_primary(diag, "%llu parameters keep the values they are drawn with", (unsigned long long)parameters);
        for (uint32_t i = 0, n = 0; i < cx->model->loss_uses.n && n < 3; i++) {
            bool *behind = arena_array(cx->arena, bool, cx->g->tensors.n);
            mark_behind(cx, cx->model->loss_uses.at[i].node, behind);
            if (behind[first] && ++n)
                diag_label(diag, cx->model->loss_uses.at[i].span, "depends on it, and trains `" STR_FMT "` only",
                           STR_ARG(cx->model->loss_uses.at[i].group.at[0]));
        }
        diag_help(diag, "name it in a loss: `loss for %.*s, ... : ...`, or freeze it with `trainable = false`",
                  (int)group.n, group.p);
    } else {
        const OptimizerUse *other = grouped_optimizer(train);
        diag = check_report(cx, LEVEL_WARN, other->span, "no optimizer is named for `" STR_FMT "`", STR_ARG(group));
        diag_primary(diag, "for `" STR_FMT "`", STR_ARG(other->group.at[0]));
        diag_label(diag, tensor->span, "plain `sgd` with a rate of 0.01 moves these %llu parameters",
                   (unsigned long long)parameters);
        diag_help(diag, "add `optimizer " STR_FMT " for " STR_FMT "`, or one without `for`, for all the others",
                  STR_ARG(other->text), STR_ARG(group));
    }
    check_spot_tensor(cx, first);
}

static void untrained_group(CheckContext *cx)
{
    const Model *model = cx->model;
    const Graph *g = cx->g;
    if (model->train == NULL || model->loss_uses.n == 0 || model->train->start_from.n)
        return;
    bool *needed = arena_array(cx->arena, bool, g->tensors.n + 1),
         *taught = arena_array(cx->arena, bool, g->tensors.n + 1);
    for (uint32_t i = 0; i < model->loss_uses.n; i++) {
        const LossUse *use = &model->loss_uses.at[i];
        bool *behind = arena_array(cx->arena, bool, g->tensors.n + 1);
        mark_behind(cx, use->node, behind);
        bool nothing = trains_nothing(cx, use, behind);
        for (uint32_t t = 0; t < g->tensors.n; t++) {
            bool ours = use->group.n == 0 || in_group(g->tensors.at[t].name, use->group.at, use->group.n);
            needed[t] = needed[t] || behind[t];
            taught[t] = taught[t] || (ours && (behind[t] || nothing));
        }
    }
    for (unsigned by_loss = 0; by_loss < 2; by_loss++) {
        bool *left = arena_array(cx->arena, bool, g->tensors.n + 1);
        for (uint32_t t = 0; t < g->tensors.n; t++)
            left[t] = is_trained(&g->tensors.at[t]) && needed[t] &&
                      (by_loss ? !taught[t] : taught[t] && !has_optimizer(cx, g->tensors.at[t].name));
        for (uint32_t t = 0; t < g->tensors.n; t++) {
            bool first = left[t];
            for (uint32_t k = 0; k < t && first; k++)
                first = !(left[k] && str_eq(stem(g->tensors.at[k].name), stem(g->tensors.at[t].name)));
            if (first)
                report_untrained(cx, t, left, by_loss != 0);
        }
    }
}

#define PAIR(body)                                                                                                     \
    "model pair {\n"                                                                                                   \
    "    input noise : f32[8] = normal(0, 1)\n"                                                                        \
    "    input image : f32[16] in [-1, 1]\n"                                                                           \
    "    block generator(z) { z |> linear(32) |> relu |> linear(16) |> tanh }\n"                                       \
    "    block discriminator(x) { x |> linear(32) |> leaky_relu(0.2) |> linear(1) }\n"                                 \
    "    share g = generator\n"                                                                                        \
    "    share d = discriminator\n"                                                                                    \
    "    fake = noise |> g\n" body
#define LOSSES(target_of_g)                                                                                            \
    "    loss for d : bce_with_logits(image |> d, 1) + bce_with_logits(fake |> d, 0)\n"                                \
    "    loss for g : bce_with_logits(fake |> d, " target_of_g ")\n"                                                   \
    "    output fake\n"                                                                                                \
    "}\n"

ACT_CHECK(untrained_group) = {
    .code = "ACT1221",
    .name = "untrained_group",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "weights that no loss is for, or no optimizer beside those for other groups",
    .doc = "`loss for d` trains the weights of d and leaves all others alone. When every loss that depends on some "
           "weights is for another group, these weights keep the values they are drawn with, in silence: the run goes "
           "on, and one of two networks learns against a random one.\n\n"
           "`optimizer adam() for g` is for the weights of g. Where groups have optimizers of their own and none is "
           "written for the others, plain `sgd` with its default rate moves them, which is hardly what was meant.\n\n"
           "Weights that shall stay as they are say so with `trainable = false`, or come from a file (`start from`).",
    .wrong = PAIR(LOSSES("1")) "train pair {\n    optimizer adam(lr = 2e-4) for g\n}\n",
    .right =
        PAIR(LOSSES("1")) "train pair {\n    optimizer adam(lr = 2e-4) for g\n    optimizer adam(lr = 2e-4) for d\n}\n",
    .run = untrained_group,
};

/* ── ACT1222 ── */
/* The same computation, written twice: `fake |> d` in two losses. */
static bool same_value(const CheckContext *cx, NodeId a, NodeId b, NodeId *match)
{
    const Node *p = graph_node(cx->g, a), *q = graph_node(cx->g, b);
    if (a == b || match[a] == b)
        return true;
    if (p->op != q->op || p->n_in != q->n_in || p->n_in == 0) {
        int tensor = facts_tensor(p); /* leaves: the same parameter; what is drawn is drawn once for each node */
        return tensor >= 0 && tensor == facts_tensor(q);
    }
    for (unsigned i = 0; i < p->op->n_attr; i++)
        if (p->op->attr[i].kind == ATTR_SX ? node_attr(p, i)->sx != node_attr(q, i)->sx
                                           : memcmp(node_attr(p, i), node_attr(q, i), sizeof *node_attr(p, i)) != 0)
            return false;
    for (uint32_t i = 0; i < p->n_in; i++)
        if (!same_value(cx, p->in[i], q->in[i], match))
            return false;
    match[a] = b;
    return true;
}

static bool apart(const LossUse *a, const LossUse *b)
{
    for (uint32_t i = 0; i < a->group.n; i++)
        if (in_group(a->group.at[i], b->group.at, b->group.n))
            return false;
    for (uint32_t i = 0; i < b->group.n; i++)
        if (in_group(b->group.at[i], a->group.at, a->group.n))
            return false;
    return a->group.n > 0 && b->group.n > 0;
}

/* Is anything subtracted or negated in the statement outside of the call? Then the sides may well be opposed. */
static bool has_minus(const CheckContext *cx, const LossUse *use, const LossCall *call)
{
    Str text = source_slice(cx->program->sources, use->span);
    for (uint32_t i = 0; i < text.n; i++) {
        uint32_t at = use->span.begin + i;
        if (text.p[i] == '-' && (at < call->span.begin || at >= call->span.end))
            return true;
    }
    return false;
}

static bool idle(const CheckContext *cx, const LossUse *use)
{
    bool *behind = arena_array(cx->arena, bool, cx->g->tensors.n + 1);
    mark_behind(cx, use->node, behind);
    return trains_nothing(cx, use, behind);
}

static void agreeing_sides(CheckContext *cx)
{
    const Model *model = cx->model;
    NodeId *match = arena_array(cx->arena, NodeId, cx->g->nodes.n);
    for (uint32_t i = 0; i < model->losses.n; i++)
        for (uint32_t k = i + 1; k < model->losses.n; k++) {
            const LossCall *a = &model->losses.at[i], *b = &model->losses.at[k];
            const LossUse *one = &model->loss_uses.at[a->loss], *other = &model->loss_uses.at[b->loss];
            if (!apart(one, other) || !str_eq(a->fn, b->fn) || isnan(a->target_number) ||
                a->target_number != b->target_number || has_minus(cx, one, a) || has_minus(cx, other, b))
                continue;
            memset(match, 0, cx->g->nodes.n * sizeof *match);
            if (!same_value(cx, a->prediction, b->prediction, match) || idle(cx, one) || idle(cx, other))
                continue;
            Diag *diag = check_report(cx, LEVEL_WARN, b->span,
                                      "`" STR_FMT "` and `" STR_FMT "` want the same: both push this to %g",
                                      STR_ARG(one->group.at[0]), STR_ARG(other->group.at[0]), a->target_number);
            diag_primary(diag, "what `" STR_FMT "` is trained for", STR_ARG(other->group.at[0]));
            diag_label(diag, a->span, "the same, for `" STR_FMT "`", STR_ARG(one->group.at[0]));
            diag_help(diag, "the generator wants to pass for real: its loss asks for the other answer");
            check_spot_loss(cx, b);
        }
}

ACT_CHECK(agreeing_sides) = {
    .code = "ACT1222",
    .name = "agreeing_sides",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "two networks that should be adversaries and are trained towards the same answer",
    .doc = "In an adversarial pair the discriminator's loss asks for 0 on what was made, and the generator's asks for "
           "1 on the very same "
           "value. When both ask for the same number, the generator learns to be found out: both losses fall to zero "
           "within an "
           "epoch, which looks like success, and the samples are noise.\n\n"
           "Two losses are compared when they are for different groups, call the same loss function, and judge the "
           "same value against "
           "the same number. A loss with a minus in front (the minimax form) is left alone.",
    .wrong = PAIR(LOSSES("0")),
    .right = PAIR(LOSSES("1")),
    .run = agreeing_sides,
};

/* ── ACT1223 ── */
static bool bounded(const ValueRange *range) { return isfinite(range->low) && isfinite(range->high); }

/* An input from the data with a declared range: its tensor, or -1. */
static int declared_input(const CheckContext *cx, NodeId value)
{
    NodeId at = facts_skip(cx->facts, value);
    int tensor = facts_tensor(graph_node(cx->g, at));
    if (tensor < 0 || cx->g->tensors.at[tensor].role != ROLE_INPUT || !bounded(&cx->facts->range[at]))
        return -1;
    return tensor;
}

static void report_range(CheckContext *cx, NodeId real, NodeId made)
{
    const ValueRange *a = &cx->facts->range[real], *b = &cx->facts->range[made];
    const Tensor *tensor = &cx->g->tensors.at[declared_input(cx, real)];
    NodeId at = facts_skip(cx->facts, made);
    Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, at), "what is made lies in %.*s, and what is real in %.*s",
                              STR_ARG(check_range_text(cx->arena, b->low, b->high)),
                              STR_ARG(check_range_text(cx->arena, a->low, a->high)));
    diag_primary(diag, "the last function of what is made");
    diag_label(diag, tensor->span, "declared here");
    check_label_outer(cx, diag, at, "in this use");
    diag_note(diag, "one network looks at both, and can tell them apart by their range alone");
    bool symmetric = a->low < 0;
    diag_help(diag,
              symmetric ? "end with `tanh`, which lies in [-1, 1], or read the data in [%g, %g]"
                        : "end with `sigmoid`, which lies in [0, 1], or read the data in [%g, %g]: `* 2 - 1` moves [0, "
                          "1] to [-1, 1]",
              b->low, b->high);
    check_spot_node(cx, at);
}

static void range_gives_away(CheckContext *cx)
{
    const Graph *g = cx->g;
    bool pair = false;
    for (uint32_t i = 0; i < cx->model->loss_uses.n; i++)
        for (uint32_t k = 0; k < i; k++)
            pair = pair || apart(&cx->model->loss_uses.at[i], &cx->model->loss_uses.at[k]);
    NodeId *real = arena_array(cx->arena, NodeId, g->tensors.n + 1); /* by weight: what the data brings to it */
    bool *said = arena_array(cx->arena, bool, g->nodes.n);
    for (unsigned pass = 0; pass < 2 && pair; pass++)
        for (NodeId id = 1; id < g->nodes.n; id++) {
            int weight = cx->facts->live[id] ? facts_weight(g, id) : -1;
            if (weight < 0)
                continue;
            NodeId value = graph_node(g, id)->in[0];
            const ValueRange *range = &cx->facts->range[value];
            bool from_data = declared_input(cx, value) >= 0;
            if (pass == 0 && from_data)
                real[weight] = value;
            if (pass == 0 || from_data || !real[weight] || !bounded(range) || !cx->facts->weighted[value])
                continue;
            const ValueRange *other = &cx->facts->range[real[weight]];
            NodeId at = facts_skip(cx->facts, value);
            if ((fabs(other->low - range->low) > 1e-6 || fabs(other->high - range->high) > 1e-6) && !said[at]) {
                said[at] = true;
                report_range(cx, real[weight], value);
            }
        }
}

ACT_CHECK(range_gives_away) = {
    .code = "ACT1223",
    .name = "range_gives_away",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "a discriminator that can tell made from real by the range of the values",
    .doc = "A discriminator looks for any difference between what is real and what was made. When images are read in "
           "[0, 1] and the "
           "generator ends with `tanh`, everything below zero is made: one unit is enough to see it, the "
           "discriminator's loss is at zero "
           "within a few hundred steps, and no gradient is left that would say how to make a better image.\n\n"
           "Compared are the declared range of an input and the range of what the generator's last function can give, "
           "where the same "
           "weights look at both and the losses are for different groups. A generator without a bounded function at "
           "its end "
           "is left alone.",
    .wrong = "model pair {\n"
             "    input noise : f32[8] = normal(0, 1)\n"
             "    input image : f32[16] in [0, 1]\n"
             "    block generator(z) { z |> linear(32) |> relu |> linear(16) |> tanh }\n"
             "    block discriminator(x) { x |> linear(32) |> leaky_relu(0.2) |> linear(1) }\n"
             "    share g = generator\n"
             "    share d = discriminator\n"
             "    fake = noise |> g\n" LOSSES("1"),
    .right = PAIR(LOSSES("1")),
    .run = range_gives_away,
};
