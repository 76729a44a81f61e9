/* ACT402: an initializer made for another kind of activation, with the factor per layer and for the whole network. */
#include "check/edit.h"
#include "check/init.h"

#include <math.h>

/* Beyond these the network as a whole is out of range. */
static const double least = 1e-2, most = 1e2;

static bool starts(Str name, const char *with) { return str_starts(name, str_of(with)); }

/* Variance gained per layer; outside these bounds the initializer is made for something else. */
static bool off(double variance) { return variance < 0.6 || variance > 1.6; }

/* Kaiming is made for rectifiers, which let half the signal through; Xavier and LeCun for functions with slope 1 at
 * zero. Named families are judged by their gain, so that a change of width (fan_out, Xavier's mean of both) is not held
 * against them; others by what they do forward and backward, both. */
static bool is_mismatch(CheckContext *cx, const Tensor *tensor, Sx fn)
{
    const SxTraits *traits = check_traits(cx, fn);
    bool kaiming = starts(tensor->init, "kaiming"),
         xavier = starts(tensor->init, "xavier") || starts(tensor->init, "lecun");
    double second = traits->unit.second, slope2 = traits->unit.slope2;
    if ((kaiming || xavier) && traits->saturates)
        /* from Xavier's own gain to the one that keeps the variance */
        return (kaiming && fabs(tensor->gain / M_SQRT2 - 1) < 0.02 && fabs(traits->gain / M_SQRT2 - 1) > 0.03) ||
               tensor->gain < 0.8 || tensor->gain > 1.25 * traits->gain;
    if (kaiming || xavier)
        return off(tensor->gain * tensor->gain * second);
    double forward = tensor->deviation * tensor->deviation * tensor->fan_in * second;
    double backward = tensor->deviation * tensor->deviation * tensor->fan_out * slope2;
    if (traits->saturates) /* too small is as for others; too large only saturates */
        return fmax(forward, backward) < 0.15;
    return off(forward) && off(backward) && (forward < 1) == (backward < 1);
}

static uint32_t find_pairs(CheckContext *cx, InitPair *pair)
{
    /* hidden layers: in front of an output activation a small start is often meant */
    uint32_t all = init_pairs(cx, pair), n = 0;
    for (uint32_t i = 0; i < all; i++) {
        const Tensor *tensor = &cx->g->tensors.at[pair[i].tensor];
        bool small = init_is_plain(tensor) && pair[i].factor < 1 && init_may_start_small(cx, pair[i].product);
        if (is_mismatch(cx, tensor, pair[i].follow.fn) && !small && !init_is_off_scale(cx, &pair[i]))
            pair[n++] = pair[i];
    }
    return n;
}

/* The network beside itself with fitting weights: how much smaller or larger signal and gradient become. */
static void whole_network(CheckContext *cx, const InitPair *pair, uint32_t n, double *signal, double *gradient)
{
    double *deviation = arena_array(cx->arena, double, cx->g->tensors.n + 1);
    NodeId prediction = flow_prediction(cx, pair[0].product);
    *signal = *gradient = 1;
    if (prediction == 0)
        return;
    for (uint32_t i = 0; i < cx->g->tensors.n; i++)
        deviation[i] = NAN;
    for (uint32_t i = 0; i < n; i++)
        deviation[pair[i].tensor] = cx->g->tensors.at[pair[i].tensor].deviation / pair[i].factor;
    Signal *fitting = signal_of_model(cx->arena, cx->facts, cx->model, deviation);
    SignalPath now = signal_path(cx->signal, prediction), then = signal_path(fitting, prediction);
    NodeId last = now.last;
    if (signal_rms(fitting, last) > 0)
        *signal = signal_rms(cx->signal, last) / signal_rms(fitting, last);
    if (then.ratio > 0)
        *gradient = now.ratio / then.ratio;
}

static bool is_far(double factor) { return factor < least || factor > most || isnan(factor); }

static void report(CheckContext *cx, const InitPair *pair, uint32_t n)
{
    const Tensor *tensor = &cx->g->tensors.at[pair[0].tensor];
    const SxTraits *traits = check_traits(cx, pair[0].follow.fn);
    Str activation = check_name(cx, pair[0].follow.node);
    double signal, gradient;
    whole_network(cx, pair, n, &signal, &gradient);
    Span first = check_span(cx, pair[0].product);
    Diag *diag =
        check_report(cx, is_far(signal) || is_far(gradient) ? LEVEL_WARN : LEVEL_NOTE, first,
                     "`" STR_FMT "` does not fit `" STR_FMT "`: each layer changes the signal by a factor of %.2g",
                     STR_ARG(tensor->init), STR_ARG(activation), pair[0].factor);
    diag_primary(diag, "standard deviation %.3g; `" STR_FMT "` keeps the signal with %.3g", tensor->deviation,
                 STR_ARG(activation), tensor->deviation / pair[0].factor);
    diag_label(diag, check_span(cx, pair[0].follow.node), "wants a gain of %.4f", traits->gain);
    uint32_t labels = 0;
    for (uint32_t i = 0; i < n; i++) {
        check_spot_tensor(cx, (uint32_t)pair[i].tensor);
        Span span = check_span(cx, pair[i].product);
        if (span.begin != first.begin && ++labels <= 2)
            diag_label(diag, span, labels == 2 && i + 1 < n ? "and in %u more" : "and here", n - i - 1);
    }
    check_label_outer(cx, diag, pair[0].product, "in this use");
    diag_note(diag,
              "over %u such layer%s the signal changes by " STR_FMT " and the gradient at the first layer by " STR_FMT
              ", against fitting weights",
              n, n == 1 ? "" : "s", STR_ARG(check_number(cx->arena, signal)),
              STR_ARG(check_number(cx->arena, gradient)));
    bool uniform = tensor->init.n > 8 && str_is((Str){tensor->init.p + tensor->init.n - 8, 8}, "_uniform");
    const char *fitting = flow_initializer(cx, pair[0].follow.fn, uniform);
    if (str_is(tensor->init, fitting))
        diag_help(diag, "use plain `%s`, or leave the initializer out: both take the gain of what follows", fitting);
    else
        diag_help(diag, "use `%s`, or leave the initializer out: `auto` takes the gain of what follows", fitting);
    for (uint32_t i = 0; i < n; i++)
        edit_initializer(cx, diag, FIX_UNSAFE, &cx->g->tensors.at[pair[i].tensor], fitting);
}

static void init_activation_mismatch(CheckContext *cx)
{
    InitPair *pair = arena_array(cx->arena, InitPair, cx->g->nodes.n);
    InitPair *group = arena_array(cx->arena, InitPair, cx->g->nodes.n);
    uint32_t n = find_pairs(cx, pair);
    /* one finding for each initializer and function */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t members = 0;
        for (uint32_t k = i; pair[i].product && k < n; k++)
            if (pair[k].product && pair[k].follow.fn == pair[i].follow.fn &&
                str_eq(cx->g->tensors.at[pair[k].tensor].init, cx->g->tensors.at[pair[i].tensor].init)) {
                group[members++] = pair[k];
                pair[k].product = k == i ? pair[k].product : 0;
            }
        if (members)
            report(cx, group, members);
    }
}

ACT_CHECK(init_activation_mismatch) = {
    .code = "ACT402",
    .name = "init_activation_mismatch",
    .group = "init",
    .level = LEVEL_WARN,
    .summary = "an initializer made for another activation, with its factor per layer and for the whole network",
    .doc =
        "Fresh weights of variance g² / fan_in multiply the second moment of the signal by g² E f(Z)² at every "
        "layer, Z being a standard normal number and f the activation. The gain that keeps it is g = 1 / sqrt(E f²): "
        "1.414 for relu, which is Kaiming's; 1 for selu, which is LeCun's; between 1 (Xavier) and 1.59 for tanh. "
        "Crossing them costs a factor per layer: Xavier in front of relu 0.707, and 0.00098 over twenty layers; the "
        "common framework default (variance 1 / (3 fan_in)) 0.408, and 1.6e-8.\n\n"
        "Per layer this is a note. When signal or gradient of the whole network, propagated beside the same network "
        "with fitting weights, end up more than a hundred times too small or too large it is a warning. `auto`, the "
        "default, follows each layer to its activation and takes the computed gain, for your own activations too.",
    .wrong = "block layer(x) { x |> linear(64, weight = xavier_normal) |> relu }\n"
             "model deep {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(14, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .right = "block layer(x) { x |> linear(64, weight = kaiming_normal) |> relu }\n"
             "model deep {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(14, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .silences = {"ACT304", "ACT305", "ACT306", "ACT307", "ACT405", "ACT407"},
    .run = init_activation_mismatch,
};
