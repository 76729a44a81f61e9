/* ACT304 vanishing_gradient, ACT305 exploding_gradient: the gradient at the first weight layer against the last, as
 * predicted from the initial weights. */
#include "check/flow.h"

#include <math.h>

/* Thresholds beside those of signal.h: notes at a factor of ten, errors where float has no digits left to learn with. */
static const double vanish_note = 1e-1, vanish_deny = 1e-7;
static const double explode_note = 1e1, explode_deny = 1e6;
/* A band wider than this (high over low) is printed: the prediction is one of many. */
static const double unstable = 10;

/* Weights in front of a norm: whatever their size, the same value comes out. A large gradient lets them grow, and their gradient is
 * one over their size: they find their own rate (Arora, Li and Lyu, "Theoretical analysis of auto rate-tuning by batch
 * normalization", 2019). So more is needed to do harm; a ResNet-50 starts at 70, measured. */
static const double normalised_more = 10;

static bool is_normalised(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    while (facts_uses(f, id) == 1 && !f->root[id]) {
        const Node *node = graph_node(cx->g, f->consumer[f->first[id]]);
        id = f->consumer[f->first[id]];
        if (facts_norm(node) != NORM_NONE)
            return true;
        if (node->op->kind != OP_VIEW && (node->op->kind != OP_MAP || facts_read(f, id, 0) != READ_AFFINE))
            return false;
    }
    return false;
}

static Level level_of(SignalBand band, bool vanishing, bool normalised)
{
    if (vanishing) /* the whole band must be beyond the threshold */
        return band.high < vanish_deny   ? LEVEL_DENY
               : band.high < signal_vanish ? LEVEL_WARN
               : band.high < vanish_note ? LEVEL_NOTE
                                         : LEVEL_ALLOW;
    return band.low > explode_deny                                          ? LEVEL_DENY
           : band.low > signal_explode * (normalised ? normalised_more : 1) ? LEVEL_WARN
           : band.low > explode_note ? LEVEL_NOTE
                                     : LEVEL_ALLOW;
}

/* The stretch between two neighbouring weight layers that changes the gradient most, per step back. */
typedef struct Worst {
    NodeId product; /* the layer in front of it; 0: there is none */
    double factor;
} Worst;

static Worst worst_step(const CheckContext *cx, const Signal *signal, const SignalPath *path, bool vanishing)
{
    Worst worst = {0, 1};
    for (NodeId id = path->first + 1; id <= path->last; id++) {
        NodeId before = graph_node(cx->g, id)->n_in ? cx->facts->weighted[graph_node(cx->g, id)->in[0]] : 0;
        if (!cx->facts->live[id] || facts_weight(cx->g, id) < 0 || before < path->first || before == 0 ||
            cx->prediction[id] != cx->prediction[path->last])
            continue;
        double factor = signal_gradient_norm(signal, before) / signal_gradient_norm(signal, id);
        if (isfinite(factor) && factor > 0 && (vanishing ? factor < worst.factor : factor > worst.factor))
            worst = (Worst){before, factor};
    }
    return worst;
}

/* The smallest change that helps: the same network with other weights. */
static void advise(CheckContext *cx, Diag *diag, const SignalPath *path, NodeId prediction)
{
    double *deviation = arena_array(cx->arena, double, cx->g->tensors.n + 1);
    bool any = false;
    for (uint32_t i = 0; i < cx->g->tensors.n; i++)
        deviation[i] = NAN;
    for (NodeId id = path->first; id < path->last; id++) {
        int index = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        Follow follow = index >= 0 ? flow_follow(cx, id) : (Follow){.end = FOLLOW_END};
        if (follow.end != FOLLOW_ACTIVATION)
            continue;
        const Tensor *tensor = &cx->g->tensors.at[index];
        deviation[index] = check_traits(cx, follow.fn)->gain / sqrt(tensor->fan_in);
        any |= !str_is(tensor->init, "auto") && fabs(tensor->deviation / deviation[index] - 1) > 0.01;
    }
    SignalOptions options = signal_options_of(cx->arena, cx->model, deviation);
    options.prediction = &prediction;
    options.n_prediction = 1;
    const Signal *then = any ? signal_run(cx->arena, cx->facts, &options) : NULL;
    double ratio = then ? signal_gradient_norm(then, path->first) / signal_gradient_norm(then, path->last) : NAN;
    if (ratio > vanish_note && ratio < explode_note)
        diag_help(diag, "with `auto` weights, which keep the size of each activation's values, it would be " STR_FMT,
                  STR_ARG(check_number(cx->arena, ratio)));
    else
        diag_help(diag, "add residual connections (`x + layer(x)`), fewer layers, or another activation; `actc report` "
                        "shows every layer");
}

static Diag *report(CheckContext *cx, const Signal *signal, const SignalPath *path, SignalBand band, bool vanishing,
                   Level level)
{
    Str ratio = check_number(cx->arena, path->ratio);
    Str first = check_name(cx, path->first), last = check_name(cx, path->last);
    Diag *diag = check_report(cx, level, check_span(cx, path->first),
                              "the gradient %s: `" STR_FMT "` gets " STR_FMT " of the gradient at `" STR_FMT "`",
                              vanishing ? "vanishes" : "explodes", STR_ARG(first), STR_ARG(ratio), STR_ARG(last));
    diag_primary(diag, "%s", vanishing ? "hardly learns" : "its updates dwarf those of the last layer");
    check_label_outer(cx, diag, path->first, "in this use");
    diag_label(diag, check_span(cx, path->last), "%u weight layers on", path->layers - 1);
    Worst worst = worst_step(cx, signal, path, vanishing);
    if (worst.product) {
        Follow follow = flow_follow(cx, worst.product);
        NodeId at = follow.end == FOLLOW_ACTIVATION ? follow.node : worst.product;
        diag_note(diag, "the worst step, a factor of %.2g, lies behind `" STR_FMT "`, at `" STR_FMT "`", worst.factor,
                  STR_ARG(check_name(cx, worst.product)), STR_ARG(check_name(cx, at)));
    }
    if (band.high / band.low > unstable)
        diag_note(diag,
                  "the size of the signal is not stable here: nine networks of ten lie between " STR_FMT
                  " and " STR_FMT,
                  STR_ARG(check_number(cx->arena, band.low)), STR_ARG(check_number(cx->arena, band.high)));
    else
        diag_note(diag, "predicted from the initial weights; a factor of %.2g per layer",
                  pow(path->ratio, 1.0 / (path->layers - 1)));
    advise(cx, diag, path, cx->prediction[path->last]);
    check_spot_causes(cx, path->last);
    for (NodeId id = path->first; id <= path->last; id++)
        if (cx->facts->live[id])
            check_spot_node(cx, id);
    return diag;
}

static bool is_new(const CheckContext *cx, const NodeId *seen, uint32_t n, NodeId prediction)
{
    for (uint32_t i = 0; i < n; i++)
        if (seen[i] == prediction)
            return false;
    return prediction != 0 && prediction < cx->g->nodes.n;
}

static void gradient_ratio(CheckContext *cx, bool vanishing)
{
    const Model *model = cx->model;
    uint32_t most = model->losses.n + model->outputs.n, n = 0;
    NodeId *seen = arena_array(cx->arena, NodeId, most + 1), *said = arena_array(cx->arena, NodeId, most + 1);
    Diag **diag = arena_array(cx->arena, Diag *, most + 1);
    uint32_t n_said = 0;
    for (uint32_t i = 0; i < most; i++) {
        bool loss = i < model->losses.n;
        NodeId prediction = loss ? model->losses.at[i].prediction : model->outputs.at[i - model->losses.n].value;
        if ((!loss && model->losses.n > 0) || !is_new(cx, seen, n, prediction))
            continue;
        seen[n++] = prediction;
        /* Each prediction for itself: the gradient of another head is no growth of this one's. A last layer, or the
         * last of a residual branch, that starts small keeps the gradient small on purpose. */
        SignalOptions options = signal_options_of(cx->arena, model, vanishing ? flow_deviation(cx) : NULL);
        options.prediction = &prediction;
        options.n_prediction = 1;
        bool known = (model->losses.n ? model->losses.n : model->outputs.n) == 1 && options.deviation == NULL;
        const Signal *signal = known ? cx->signal : signal_run(cx->arena, cx->facts, &options);
        SignalPath path = signal_path(signal, prediction);
        if (path.layers < 2 || !(path.ratio > 0) ||
            (vanishing ? path.ratio >= vanish_note : path.ratio <= explode_note))
            continue;
        SignalBand band = signal_band(cx->arena, cx->facts, &options, &path);
        Level level = level_of(band, vanishing, is_normalised(cx, path.first));
        uint32_t k = 0;
        while (k < n_said && said[k] != path.first)
            k++;
        if (level != LEVEL_ALLOW && k < n_said) { /* one cause, seen from another head */
            diag_label(diag[k], check_span(cx, path.last), STR_FMT " of the gradient here",
                       STR_ARG(check_number(cx->arena, path.ratio)));
            diag[k]->level = level > diag[k]->level ? level : diag[k]->level;
        } else if (level != LEVEL_ALLOW) {
            said[n_said] = path.first;
            diag[n_said++] = report(cx, signal, &path, band, vanishing, level);
        }
    }
}

static void vanishing_gradient(CheckContext *cx) { gradient_ratio(cx, true); }
static void exploding_gradient(CheckContext *cx) { gradient_ratio(cx, false); }

ACT_CHECK(vanishing_gradient) = {
    .code = "ACT304",
    .name = "vanishing_gradient",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "the first layer gets a vanishing part of the gradient, as predicted from the initial weights",
    .doc =
        "On its way back the gradient is multiplied, at every layer, by the weights and by the slope of the "
        "activation: "
        "in the mean square by χ = n v E f'(z)², n outputs, v the variance of the weights (Schoenholz et al. 2016). "
        "χ below 1 and many layers leave nothing: twenty layers of sigmoid behind Xavier weights 2.6e-13. The rule "
        "propagates the size of the signal forward and of the "
        "gradient backward through the network as it is initialised, with its widths, skips and activations, and "
        "compares the L2 norms of the gradient at the outputs of the first and of the last weight layer.\n\n"
        "Below 0.1 that is a note, below 1e-3 a warning, below 1e-7, where single precision has no digits left to "
        "learn "
        "with, an error. gelu and silu behind Kaiming weights have no size of the signal to settle at: a network of "
        "finite width wanders, and the rule draws a few dozen such networks and prints where nine of ten lie; it "
        "speaks "
        "when the whole band is beyond a threshold. A last layer, or the last of a residual branch, that starts small "
        "on purpose does not count.\n\n"
        "Where the reason is known (a saturating activation, an initializer for another one) the rule for it speaks "
        "instead.",
    .wrong = "block layer(x) { 0.4 * (x |> linear(64) |> relu) }\n"
             "model deep {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(10, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .right = "block layer(x) { x |> linear(64) |> relu }\n"
             "model deep {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(6, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .silences = {"ACT306"},
    .run = vanishing_gradient,
};

ACT_CHECK(exploding_gradient) = {
    .code = "ACT305",
    .name = "exploding_gradient",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "the gradient grows on its way to the first layer, as predicted from the initial weights",
    .doc =
        "The other side of vanishing_gradient: a factor above 1 at every layer. The updates of the first layers are "
        "then "
        "far larger than those of the last; one learning rate cannot suit both, and the loss jumps or becomes NaN. "
        "Above "
        "10 it is a note, above 70 a warning (700 where the first layer stands in front of a norm, so that the size of its weights "
        "does not matter), above a million an error.\n\n"
        "Usual reasons are weights that start too large, tanh with a gain of 5/3 in a deep network (a factor of 1.08 a "
        "layer), and residual branches that are added without a norm or a scale. Norms of the gradient are compared, "
        "not values per element, so that a change of width, a flatten or a pooling layer is no explosion.",
    .wrong = "block layer(x) { 2 * (x |> linear(64) |> elu) }\n"
             "model deep {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(12, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .right = "block layer(x) { x |> linear(64) |> elu }\n"
             "model deep {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(12, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .silences = {"ACT306", "ACT407"},
    .run = exploding_gradient,
};
