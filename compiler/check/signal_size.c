/* ACT306 activation_drift: values that have grown or shrunk out of range before training; ACT307 saturated_at_init:
 * units that sit on the flat parts of their activation. */
#include "check/flow.h"
#include "check/forecast.h"

#include <math.h>

/* Standard deviations of pre-activations: beyond the outer pair learning suffers; the inner pair is what one aims at.
 */
static const double warn_low = 1e-2, warn_high = 1e2, note_low = 0.5, note_high = 2;
static const double saturated_most = 0.5;

static double off_by(double deviation) { return fabs(log(deviation)); }

/* The pre-activation furthest from 1 in front of an activation, or 0. */
static NodeId worst_drift(CheckContext *cx, const Signal *signal)
{
    NodeId worst = 0;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int index = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        if (index < 0 || signal->gradient[id] == 0 || flow_is_constant(&cx->g->tensors.at[index]))
            continue;
        Follow follow = flow_follow(cx, id);
        double deviation = signal_deviation(signal, follow.before);
        bool hidden = follow.end == FOLLOW_ACTIVATION && flow_reach(cx, follow.node).layer;
        if (!hidden || !(deviation > 0) || !isfinite(deviation))
            continue;
        if (worst == 0 || off_by(deviation) > off_by(signal_deviation(signal, worst)))
            worst = follow.before;
    }
    return worst;
}

static void activation_drift(CheckContext *cx)
{
    const Signal *signal = cx->signal;
    NodeId at = worst_drift(cx, signal);
    double deviation = at ? signal_deviation(signal, at) : 1;
    if (deviation >= note_low && deviation <= note_high)
        return;
    bool far = deviation < warn_low || deviation > warn_high;
    NodeId product = cx->facts->weighted[at];
    const Tensor *tensor = &cx->g->tensors.at[facts_weight(cx->g, product)];
    Diag *diag = check_report(cx, far ? LEVEL_WARN : LEVEL_NOTE, check_span(cx, product),
                              "the signal %s: the values of `" STR_FMT "` start with a standard deviation of " STR_FMT,
                              deviation < 1 ? "fades" : "blows up", STR_ARG(check_name(cx, product)),
                              STR_ARG(check_number(cx->arena, deviation)));
    diag_primary(diag, "weights of deviation %.3g on inputs of size %.3g", tensor->deviation,
                 signal_rms(signal, graph_node(cx->g, product)->in[0]));
    check_label_outer(cx, diag, product, "in this use");
    diag_note(diag,
              "predicted from the initial weights and the declared data; activations are made for values around 1");
    diag_help(diag, str_is(tensor->init, "auto")
                        ? "scale the data, add residual connections (`x + layer(x)`), or take fewer layers; `actc "
                          "report` shows every layer"
                        : "leave the initializers out (`auto` keeps the size of the signal), scale the data, or put a "
                          "norm in between; `actc report` shows every layer");
    check_spot_causes(cx, at);
}

ACT_CHECK(activation_drift) = {
    .code = "ACT306",
    .name = "activation_drift",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "pre-activations that start far too small or too large, as predicted",
    .doc =
        "A layer of n inputs and weights of variance v makes values of variance n v E x². Over some layers that fades "
        "or blows up by powers, unless n v E f(Z)² is 1. Activations have their features around 1: far below, every "
        "smooth one is a straight line and the network is linear; far above, tanh is a step and softmax a choice of "
        "one.\n\n"
        "The rule propagates the second moment from the declared data through the initial weights. Outside 0.5 to 2 it "
        "is a note, outside 0.01 to 100 a warning. Where the gradient is ruined too, or the reason is known (an "
        "initializer for another activation, data that is not scaled), that is said instead.",
    .wrong = "model m {\n"
             "    input  x : f32[8]\n"
             "    target y : f32[1]\n"
             "    h = x * 1000 |> linear(32) |> relu |> linear(32) |> relu\n"
             "    loss mse(h |> linear(1), y)\n"
             "}\n",
    .right = "model m {\n"
             "    input  x : f32[8]\n"
             "    target y : f32[1]\n"
             "    h = x |> linear(32) |> relu |> linear(32) |> relu\n"
             "    loss mse(h |> linear(1), y)\n"
             "}\n",
    .silences = {"ACT407"},
    .run = activation_drift,
};

static void saturated_at_init(CheckContext *cx)
{
    NodeId worst = 0;
    double most = saturated_most;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Facts *f = cx->facts;
        double scale, shift;
        if (!f->live[id] || f->of_target[id] || f->base[id] == id || f->base[id] == 0 ||
            cx->signal->gradient[id] == 0 || !f->weighted[f->base[id]] ||
            sx_is_affine(cx->sx, f->fn[id], 0, &scale, &shift))
            continue;
        const SxTraits *traits = check_traits(cx, f->fn[id]);
        double part = traits->saturates && traits->monotone && isfinite(traits->max_slope)
                          ? forecast_saturated(cx->signal, id, traits)
                          : 0;
        /* not one that is flat by nature, as tanh(relu(z)) is on its half line */
        if (part > most && forecast_flat(cx->sx, f->fn[id], traits->max_slope, 0, 1) < saturated_most / 2) {
            most = part;
            worst = id;
        }
    }
    if (worst == 0)
        return;
    NodeId base = cx->facts->base[worst], product = cx->facts->weighted[base];
    const Tensor *tensor = &cx->g->tensors.at[facts_weight(cx->g, product)];
    Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, worst),
                              "%.0f %% of the units of `" STR_FMT "` are saturated before training", 100 * most,
                              STR_ARG(check_name(cx, worst)));
    diag_primary(diag, "slope below 1 %% of its greatest");
    diag_label(diag, check_span(cx, product), "gives it values of deviation %.3g", signal_deviation(cx->signal, base));
    check_label_outer(cx, diag, worst, "in this use");
    diag_note(diag,
              "predicted from the initial weights (deviation %.3g) and inputs of size %.3g; a saturated unit gets "
              "next to no gradient",
              tensor->deviation, signal_rms(cx->signal, graph_node(cx->g, product)->in[0]));
    diag_help(diag, "smaller weights (leave the initializer out for `auto`) or scaled inputs keep it in its middle");
    check_spot_node(cx, worst);
    check_spot_causes(cx, base);
}

ACT_CHECK(saturated_at_init) = {
    .code = "ACT307",
    .name = "saturated_at_init",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "sigmoid- or tanh-shaped units that start on their flat parts",
    .doc = "A sigmoid is flat beyond about ±5.3, tanh beyond ±3.0: there the slope is below a hundredth of its "
           "greatest, and "
           "the unit hardly learns. When weights or inputs are too large, most units start there. The rule takes the "
           "predicted distribution of the values in front of the activation and warns when more than half of the units "
           "lie "
           "on the flat parts before the first step.\n\n"
           "Any function that is flat at both ends counts, also your own. Gates and outputs count too: a gate that is "
           "shut for good passes nothing on.",
    .wrong = "model m {\n"
             "    input  x : f32[100] in [-1, 1]\n"
             "    target y : f32[1] in [-1, 1]\n"
             "    loss mse(x |> linear(1, weight = normal(0, 2)) |> tanh, y)\n"
             "}\n",
    .right = "model m {\n"
             "    input  x : f32[100] in [-1, 1]\n"
             "    target y : f32[1] in [-1, 1]\n"
             "    loss mse(x |> linear(1) |> tanh, y)\n"
             "}\n",
    .silences = {"ACT302", "ACT306"},
    .run = saturated_at_init,
};
