/* ACT802: a recurrent layer through whose steps no gradient comes back, or too much. */
#include "check/horizon.h"

#include "check/flow.h"

#include <math.h>

enum { MOST = 256 };

static void report(CheckContext *cx, const Horizon *h, double ratio)
{
    const LayerUse *use = &cx->model->layers.at[h->use];
    const Tensor *tensor = &cx->g->tensors.at[h->weight];
    bool fades = ratio < 1;
    double step = pow(ratio, 1.0 / (h->steps - 2)), reach = log(fades ? signal_vanish : signal_explode) / log(step);
    Diag *diag = check_report(cx, h->end_only || !fades ? LEVEL_WARN : LEVEL_NOTE, use->span,
                              "the gradient %s over the %u steps of `" STR_FMT "`: the first gets %s of the last",
                              fades ? "vanishes" : "explodes", h->steps, STR_ARG(use->name), check_number(cx->arena, ratio).p);
    check_spot_node(cx, h->end);
    check_spot_tensor(cx, h->weight);
    diag_primary(diag, "a factor of %.3g at every step back", step);
    check_label_outer(cx, diag, h->end, "in this use");
    diag_note(diag, fades ? "predicted from the initial weights; what happened more than %.0f steps ago teaches it less than a thousandth"
                          : "predicted from the initial weights; beyond %.0f steps the sum is what the far past says", floor(reach));
    double best = tensor->fill.kind == FILL_ORTHOGONAL && fabs(tensor->deviation * sqrt(tensor->fan_in) - 1) < 0.01
                      ? NAN
                      : horizon_ratio(cx->facts, cx->signal, h, true).middle;
    if (best >= signal_vanish && best <= signal_explode)
        diag_help(diag, "with `recurrent = orthogonal` it would be %s", check_number(cx->arena, best).p);
    else
        diag_help(diag, "a gated layer keeps a memory beside its state: `lstm` or `gru`; or see fewer steps, by windows over time in front");
}

static void rnn_horizon(CheckContext *cx)
{
    Horizon found[MOST];
    uint32_t n = horizon_find(cx->facts, cx->model, cx->signal, found, MOST);
    for (uint32_t i = 0; i < n; i++) {
        bool again = i > 0 && found[i - 1].use == found[i].use;
        double ratio = found[i].gated || again ? 1 : horizon_ratio(cx->facts, cx->signal, &found[i], false).middle;
        if (ratio < signal_vanish || ratio > signal_explode)
            report(cx, &found[i], ratio);
    }
}

#define EXAMPLE(layer)                              \
    "model ecg {\n"                                 \
    "    input  signal : f32[60, 4]\n"              \
    "    target rhythm : class(5)\n"                \
    "    h = signal |> " layer "\n"                 \
    "    loss cross_entropy(h |> linear(5), rhythm)\n" \
    "}\n"

ACT_CHECK(rnn_horizon) = {
    .code = "ACT802",
    .name = "rnn_horizon",
    .group = "recurrent",
    .level = LEVEL_WARN,
    .summary = "the gradient vanishes or explodes over the steps of a recurrent layer, as predicted",
    .doc =
        "The state of a simple recurrent layer passes the same weights and the same non-linearity at every step, and so does its "
        "gradient on the way back: each step multiplies its square by χ = n v E f'(z)², n units, weights of variance v, z what goes into "
        "f. After T steps χ^(T/2) is left. Orthogonal weights have n v = 1 and keep lengths exactly; tanh takes a part away wherever its "
        "input is not near zero (Bengio, Simard and Frasconi, \"Learning long-term dependencies with gradient descent is difficult\", 1994).\n\n"
        "Predicted is the L2 norm of the gradient of the last state with respect to what the first product between the steps gives, "
        "over that at the last product: the geometric mean over layers that are drawn as this one will be, with inputs that differ from step to "
        "step. Compiled layers of 128 units over 20, 60 and 120 steps, lstm and gru among them, measure within a factor of two of that on average, and nine of "
        "ten lie in the band that `actc report` "
        "prints. Above 70 or below 0.001 it is a warning where the last state alone is used, else a note: targets at every step "
        "teach each step something.",
    .wrong = EXAMPLE("rnn(64, last = true)"),
    .right = EXAMPLE("lstm(64, last = true, forget = 4)"),
    .silences = {"ACT304", "ACT305", "ACT306", "ACT407"},
    .run = rnn_horizon,
};
