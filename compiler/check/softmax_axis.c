/* ACT807: a softmax along an axis over which nobody takes its values together. */
#include "check/edit.h"

#include "ops/build.h"

/* The layer turns another axis than the last one to the end, where the op runs, and back: the permutation in front, if it is the layer's
 * own and not one of the network. */
static const Node *own_turn(const CheckContext *cx, const Node *softmax)
{
    const Node *before = graph_node(cx->g, softmax->in[0]);
    return facts_is(before, "permute") && str_is(before->fn, "softmax") ? before : NULL;
}

/* Axis `i` of the op as the user counts. */
static uint32_t asked_axis(const CheckContext *cx, const Node *softmax, uint32_t i)
{
    const Node *turn = own_turn(cx, softmax);
    return turn ? (uint32_t)node_attr(turn, 0)->dims.at[i] : i;
}

static NodeId only_reader(const CheckContext *cx, NodeId id)
{
    return facts_uses(cx->facts, id) == 1 && !cx->facts->root[id] ? cx->facts->consumer[cx->facts->first[id]] : 0;
}

/* Where the axes of `from` are in `to`, which has the same elements and perhaps other axes of size 1; false: they merge or part. */
static bool same_axes(const Type *from, const Type *to, int where[TYPE_MAX_RANK])
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < from->rank; i++) {
        where[i] = -1;
        if (from->dim[i] == 1)
            continue;
        while (k < to->rank && to->dim[k] == 1)
            k++;
        if (k == to->rank || to->dim[k] != from->dim[i])
            return false;
        where[i] = (int)k++;
    }
    while (k < to->rank && to->dim[k] == 1)
        k++;
    return k == to->rank;
}

/* The sum over products of the weights `id` with other data; at[i]: where their axis i is in what is summed, -1 for one of size 1. 0: none. */
static NodeId weighted_sum(const CheckContext *cx, NodeId id, int at[TYPE_MAX_RANK])
{
    uint32_t rank = graph_type(cx->g, id)->rank;
    for (uint32_t i = 0; i < rank; i++)
        at[i] = (int)i;
    for (NodeId next = only_reader(cx, id); next; id = next, next = only_reader(cx, id)) {
        const Node *node = graph_node(cx->g, next);
        const Type *from = graph_type(cx->g, id);
        int where[TYPE_MAX_RANK];
        if (node->op->kind == OP_VIEW) {
            if (!same_axes(from, &node->type, where))
                return 0;
        } else if (facts_is(node, "permute")) {
            for (uint32_t i = 0; i < node->type.rank; i++)
                where[node_attr(node, 0)->dims.at[i]] = (int)i;
        } else if (node->op->kind == OP_MAP) {
            bool gate = false;
            for (uint32_t i = 0; i < node->n_in; i++)
                gate = gate || (node->in[i] == id && facts_read(cx->facts, next, i) == READ_GATE);
            if (!gate)
                return 0;
            for (uint32_t i = 0; i < from->rank; i++)
                where[i] = from->dim[i] == 1 ? -1 : (int)(i + node->type.rank - from->rank);
        } else {
            return node->op->kind == OP_REDUCE && build_fold(node).op == REDUCE_SUM ? next : 0;
        }
        for (uint32_t i = 0; i < rank; i++)
            at[i] = at[i] < 0 ? -1 : where[at[i]];
    }
    return 0;
}

static void report(CheckContext *cx, NodeId id, uint32_t axis, uint32_t right, Span other, const char *what)
{
    Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "softmax runs along axis %u, but %s axis %u", axis, what, right);
    check_spot_node(cx, id);
    diag_primary(diag, "adds up to 1 along axis %u", axis);
    diag_label(diag, other, "goes along axis %u", right);
    check_label_outer(cx, diag, id, "in this use");
    diag_help(diag, "write `softmax(axis = %u)`", right);
    Stage stage;
    if (!edit_stage(cx, check_span(cx, id), &stage))
        return;
    if (stage.call->kind == AST_CALL)
        edit_set_argument(cx, diag, FIX_UNSAFE, check_span(cx, id), "axis", str_printf(cx->arena, "%u", right));
    else if (stage.pipe)
        diag_fix(diag, FIX_UNSAFE, stage.call->span, "softmax(axis = %u)", right);
}

/* Do its values weigh others in a sum along one other axis? */
static bool weighs(CheckContext *cx, NodeId id, uint32_t axis)
{
    int at[TYPE_MAX_RANK];
    const Node *softmax = graph_node(cx->g, id);
    NodeId sum = weighted_sum(cx, id, at);
    if (!sum || at[softmax->type.rank - 1] < 0)
        return false;
    uint32_t folded = build_fold(graph_node(cx->g, sum)).axes, others = 0, right = 0;
    if (folded >> at[softmax->type.rank - 1] & 1)
        return false;
    for (uint32_t i = 0; i + 1 < softmax->type.rank; i++)
        if (at[i] >= 0 && folded >> at[i] & 1) {
            others++;
            right = asked_axis(cx, softmax, i);
        }
    if (others != 1)
        return false;
    report(cx, id, axis, right, check_span(cx, sum), "the sum that its values weigh goes along");
    return true;
}

static void softmax_axis(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        if (!cx->facts->live[id] || !facts_is(node, "softmax") || cx->facts->of_target[id])
            continue;
        uint32_t last = node->type.rank - 1, axis = asked_axis(cx, node, last);
        const Node *turn = own_turn(cx, node);
        if (weighs(cx, id, axis) || axis == last)
            continue;
        for (uint32_t i = 0; i < cx->model->losses.n; i++) {
            const LossCall *loss = &cx->model->losses.at[i];
            if (loss->classes && turn && loss->prediction == turn->in[0]) {
                report(cx, id, axis, last, loss->span, "the classes of the loss lie along");
                break;
            }
        }
    }
}

#define EXAMPLE(axis)                                 \
    "model tagger {\n"                                \
    "    input  x : f32[16, 12]\n"                    \
    "    target tag : class(5)[16]\n"                 \
    "    logits = x |> linear(32) |> relu |> linear(5)\n" \
    "    loss   cross_entropy(logits, tag)\n"         \
    "    output logits |> softmax(axis = " axis ")\n" \
    "}\n"

ACT_CHECK(softmax_axis) = {
    .code = "ACT807",
    .name = "softmax_axis",
    .group = "attention",
    .level = LEVEL_WARN,
    .summary = "softmax along an axis that nobody reads it along",
    .doc = "Softmax makes the numbers along one axis compete: they become positive and add up to 1. That axis has to be the one along "
           "which they are then taken together: the classes of a prediction, the keys whose values attention adds up, the experts of "
           "a mixture. Along another one, places compete instead of classes, or queries instead of keys; the shapes are the same, so "
           "nothing fails, and the network trains to something else than what was meant.\n\n"
           "Reported are softmaxes whose values weigh others in a sum along one other axis, and those of logits whose loss has its "
           "classes, as always, along the last axis.",
    .wrong = EXAMPLE("0"),
    .right = EXAMPLE("1"),
    .run = softmax_axis,
};
