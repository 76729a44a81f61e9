/* Weights that no gradient reaches: 1202 unreachable_layer (no loss depends on them), 1207 gradient_blocked (one does,
 * but with a derivative of zero). */
#include "check/edit.h"
#include "check/example.h"

enum { MAX_SLOPES = 64 };

/* By node: does a loss depend on it, and with a derivative that is not zero everywhere? */
typedef struct Behind {
    bool *loss, *gradient;
} Behind;

/* The gradient that node `id` hands to its input number `i`. */
typedef enum Hands {
    HANDS_SOME,
    HANDS_NONE,     /* it stops it: that is what it is for */
    HANDS_FLAT,     /* its derivative is 0 everywhere */
    HANDS_FLAT_HERE /* … at every value that it can get */
} Hands;
static Hands hands_back(const CheckContext *cx, NodeId id, uint32_t i)
{
    const Node *node = graph_node(cx->g, id);
    Sx slope[MAX_SLOPES];
    SxInterval box[MAX_SLOPES];
    double number;
    if (node->op->vjp == NULL || (facts_is(node, "when_training") && i > 0))
        return HANDS_NONE;
    if (node->op->kind != OP_MAP || node->n_in > MAX_SLOPES)
        return HANDS_SOME;
    sx_gradient(cx->sx, node_attr(node, 0)->sx, node->n_in, slope);
    Sx d = sx_simplify(cx->sx, slope[i]);
    if (sx_is_num(cx->sx, d, &number))
        return number != 0 ? HANDS_SOME : HANDS_FLAT;
    for (uint32_t k = 0; k < node->n_in; k++)
        box[k] = (SxInterval){cx->facts->range[node->in[k]].low, cx->facts->range[node->in[k]].high, false};
    SxInterval bounds = sx_bounds(cx->sx, d, box, node->n_in);
    return bounds.maybe_nan || bounds.low != 0 || bounds.high != 0 ? HANDS_SOME : HANDS_FLAT_HERE;
}

static Behind look_behind(const CheckContext *cx)
{
    const Graph *g = cx->g;
    Behind b = {arena_array(cx->arena, bool, g->nodes.n), arena_array(cx->arena, bool, g->nodes.n)};
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_LOSS)
            b.loss[g->roots.at[i].node] = b.gradient[g->roots.at[i].node] = true;
    for (NodeId id = g->nodes.n; id-- > 1;)
        for (uint32_t i = 0; b.loss[id] && i < g->nodes.at[id].n_in; i++) {
            NodeId in = g->nodes.at[id].in[i];
            b.loss[in] = true;
            b.gradient[in] = b.gradient[in] || (b.gradient[id] && hands_back(cx, id, i) == HANDS_SOME);
        }
    return b;
}

static bool is_trained(const CheckContext *cx, NodeId id)
{
    int tensor = facts_tensor(graph_node(cx->g, id));
    return tensor >= 0 && cx->g->tensors.at[tensor].role == ROLE_PARAM && cx->g->tensors.at[tensor].trainable;
}

/* ── ACT1207 ── */
/* Marks the trained weights behind input `i` of `at` that get no gradient; how many are new. */
static uint32_t blocked_behind(const CheckContext *cx, const Behind *b, NodeId at, NodeId in, bool *said, NodeId *first)
{
    bool *behind = arena_array(cx->arena, bool, at + 1);
    uint32_t n = 0;
    behind[in] = true;
    for (NodeId id = in; id > 0; id--) {
        if (!behind[id] || b->gradient[id])
            continue;
        if (is_trained(cx, id) && !said[id]) {
            said[id] = true;
            *first = id;
            n++;
        }
        for (uint32_t i = 0; i < graph_node(cx->g, id)->n_in; i++)
            behind[graph_node(cx->g, id)->in[i]] = true;
    }
    return n;
}

static const LayerUse *layer_of(const CheckContext *cx, NodeId param)
{
    uint32_t tensor = (uint32_t)facts_tensor(graph_node(cx->g, param));
    for (uint32_t i = 0; i < cx->model->layers.n; i++)
        for (uint32_t k = 0; k < cx->model->layers.at[i].n_tensor; k++)
            if (cx->model->layers.at[i].tensor[k] == tensor)
                return &cx->model->layers.at[i];
    return NULL;
}

static void report_blocked(CheckContext *cx, NodeId at, NodeId in, Hands hands, NodeId param, uint32_t n)
{
    const LayerUse *layer = layer_of(cx, param);
    Str tensor = cx->g->tensors.at[facts_tensor(graph_node(cx->g, param))].name;
    Str name = check_name(cx, at), what = layer ? layer->name : tensor;
    Span span = check_span(cx, at);
    Diag *diag = check_report(cx, hands == HANDS_NONE ? LEVEL_WARN : LEVEL_DENY, span,
                              "no gradient reaches `" STR_FMT "`", STR_ARG(what));
    check_spot_node(cx, at);
    diag_primary(diag, "%s, and there is no other way",
                 hands == HANDS_NONE   ? "stops it"
                 : hands == HANDS_FLAT ? "its derivative is 0 everywhere"
                                       : "its derivative is 0 at every value it gets");
    check_label_outer(cx, diag, at, "in this use");
    if (layer && (layer->span.begin != span.begin || layer->span.source != span.source))
        diag_label(diag, layer->span, n > 1 ? "%u parameters up to here are never trained" : "never trained", n);
    ValueRange range = cx->facts->range[in];
    if (hands == HANDS_FLAT)
        diag_note(diag, "`" STR_FMT "` is constant between its jumps", STR_ARG(name));
    else if (hands == HANDS_FLAT_HERE)
        diag_note(diag, "what it works on lies in [%.3g, %.3g]", range.low, range.high);
    diag_help(diag, hands == HANDS_NONE
                        ? "freeze what shall stay as it is with `trainable = false`, or let another loss train it"
                    : hands == HANDS_FLAT
                        ? "use a function with a slope in its place, such as `sigmoid`, or hand the value on beside "
                          "it: `x + stop_gradient(step(x) - x)`"
                        : "use a function that is not flat there");
}

static void gradient_blocked(CheckContext *cx)
{
    const Graph *g = cx->g;
    const TrainUse *train = cx->model->train;
    if (cx->model->loss_uses.n == 0)
        return;
    Behind b = look_behind(cx);
    bool *said = arena_array(cx->arena, bool, g->nodes.n);
    for (NodeId id = g->nodes.n; id-- > 1;) {
        const Node *node = &g->nodes.at[id];
        for (uint32_t i = 0; b.gradient[id] && i < node->n_in; i++) {
            NodeId first = 0;
            Hands hands = hands_back(cx, id, i);
            uint32_t n = b.gradient[node->in[i]] ? 0 : blocked_behind(cx, &b, id, node->in[i], said, &first);
            if (n && !(hands == HANDS_NONE && train && train->start_from.n))
                report_blocked(cx, id, node->in[i], hands, first, n);
        }
    }
}

ACT_CHECK(gradient_blocked) = {
    .code = "ACT1207",
    .name = "gradient_blocked",
    .group = "graph",
    .level = LEVEL_DENY,
    .summary = "weights whose gradient is zero, because every path passes a flat function",
    .doc =
        "Training moves a weight along the derivative of the loss. A step, a sign, a rounding or a comparison is "
        "constant between its jumps: its derivative is zero wherever it exists, and everything in front of it is "
        "given a gradient of zero in every step. The loss goes on falling for a while, by what stands behind the "
        "flat function, and the layers in front keep the values they were drawn with.\n\n"
        "Reported are weights for which every path from a loss crosses such a function, by the derivative of its "
        "formula, or by the range its argument can have. A second path, as in `x + stop_gradient(step(x) - x)`, is "
        "enough. A `stop_gradient` that cuts weights off from every loss is a warning: they should be frozen, unless "
        "they come from a file (`start from`).",
    .wrong = "activation step(x) = if x > 0 then 1 else 0\n"
             "model digits {\n"
             "    input  image : f32[64]\n"
             "    target label : class(10)\n"
             "    z = image |> linear(64) |> step |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .right = EXAMPLE_DIGITS("    z = image |> linear(64) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT302", "ACT304", "ACT305", "ACT307"},
    .run = gradient_blocked,
};

/* ── ACT1202 ── */
/* Do any weights of the layer stand behind a loss? */
static bool is_judged(const CheckContext *cx, const Behind *b, const LayerUse *use)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int tensor = b->loss[id] ? facts_tensor(graph_node(cx->g, id)) : -1;
        for (uint32_t k = 0; tensor >= 0 && k < use->n_tensor; k++)
            if (use->tensor[k] == (uint32_t)tensor)
                return true;
    }
    return false;
}

static bool is_frozen(const CheckContext *cx, const LayerUse *use)
{
    for (uint32_t k = 0; k < use->n_tensor; k++) {
        const Tensor *t = &cx->g->tensors.at[use->tensor[k]];
        if (t->role == ROLE_PARAM && t->trainable)
            return false;
    }
    return true;
}

static void unreachable_layer(CheckContext *cx)
{
    const Model *model = cx->model;
    if (model->train == NULL || model->loss_uses.n == 0 || model->train->start_from.n)
        return;
    Behind b = look_behind(cx);
    Diag *diag = NULL;
    uint32_t more = 0;
    for (uint32_t i = 0; i < model->layers.n; i++) {
        const LayerUse *use = &model->layers.at[i];
        if (use->n_tensor == 0 || !use->out || !cx->facts->live[use->out] || is_frozen(cx, use) ||
            is_judged(cx, &b, use))
            continue;
        if (diag && ++more <= 3) {
            diag_label(diag, use->span, "nor `" STR_FMT "`", STR_ARG(use->name));
        } else if (!diag) {
            diag = check_report(cx, LEVEL_WARN, use->span, "no loss depends on `" STR_FMT "`: it is never trained",
                                STR_ARG(use->name));
            check_spot_node(cx, use->out);
            diag_primary(diag, "keeps the weights it is drawn with");
            check_label_outer(cx, diag, use->out, "in this use");
        }
    }
    if (diag)
        diag_help(diag, "give what it leads to a loss, or freeze it with `trainable = false`");
}

ACT_CHECK(unreachable_layer) = {
    .code = "ACT1202",
    .name = "unreachable_layer",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "a layer that leads to an output or metric, and to no loss",
    .doc =
        "An output or a metric looks at a layer on which no loss depends. The run trains everything else; this layer "
        "keeps the weights it was drawn with, and what it shows is noise. A head that was added without its loss, or "
        "a loss that was taken away, leaves such a layer.\n\n"
        "Asked of models with a `train` block only. Frozen layers, and weights that come from a file (`start from`), "
        "are meant to stay as they are. A value that nothing reads at all is ACT1203.",
    .wrong = EXAMPLE_DIGITS("    h = image |> linear(64) |> relu\n"
                            "    loss   cross_entropy(h |> linear(10), label)\n"
                            "    output h |> linear(10)\n")
             "train digits {\n"
             "    optimizer adam\n"
             "}\n",
    .right = EXAMPLE_DIGITS("    z = image |> linear(64) |> relu |> linear(10)\n"
                            "    loss   cross_entropy(z, label)\n"
                            "    output z\n")
             "train digits {\n"
             "    optimizer adam\n"
             "}\n",
    .run = unreachable_layer,
};
