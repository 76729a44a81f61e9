/* ACT801: a memory whose gate lets go long before the sequence ends. */
#include "check/edit.h"
#include "check/horizon.h"

#include <math.h>

enum { MOST = 256 };

static const double usual = 1;         /* where gates of a memory usually start (Jozefowicz and others, 2015) */
static const double part = 1.0 / 20;   /* of the sequence: a shorter half-life is worth saying */

/* Writes `forget = value` at the layer, where it takes such an argument and no bias of the user's own stands in its place. */
static void set_gate(const CheckContext *cx, Diag *diag, const LayerUse *use, Str value)
{
    Stage stage;
    bool own_bias = edit_stage(cx, use->span, &stage) && edit_argument(stage.call, "bias");
    if (edit_takes(use, "forget") && !own_bias)
        edit_set_argument(cx, diag, FIX_UNSAFE, use->span, "forget", value);
}

static void report(CheckContext *cx, const Horizon *h, double half, Level level)
{
    const LayerUse *use = &cx->model->layers.at[h->use];
    double wanted = log(h->steps - 1.0);
    Str value = edit_number(cx->arena, round(wanted * 10) / 10);
    Diag *diag = check_report(cx, level, use->span, "`" STR_FMT "` keeps half of what it remembers for %s step%s, of %u",
                              STR_ARG(use->name), check_number(cx->arena, half).p, half < 1.005 && half >= 0.995 ? "" : "s", h->steps);
    check_spot_node(cx, h->end);
    diag_primary(diag, "the gate of its memory starts at %.2g, with a bias of %.2g", h->keep, h->gate);
    check_label_outer(cx, diag, h->end, "in this use");
    HorizonRatio ratio = horizon_ratio(cx->facts, cx->signal, h, false);
    if (ratio.high > 0)
        diag_note(diag, "predicted: %s of the gradient at the last step comes back to the first; nine such layers of ten lie between %s and %s",
                  check_number(cx->arena, ratio.middle).p, check_number(cx->arena, ratio.low).p, check_number(cx->arena, ratio.high).p);
    diag_help(diag, "let the gate's bias start at ln(%u - 1) = " STR_FMT ": then it keeps as long as the sequence is", h->steps,
              STR_ARG(value));
    set_gate(cx, diag, use, value);
}

static void forget_bias(CheckContext *cx)
{
    Horizon found[MOST];
    uint32_t n = horizon_find(cx->facts, cx->model, cx->signal, found, MOST);
    for (uint32_t i = 0; i < n; i++) {
        const Horizon *h = &found[i];
        double half = horizon_half_life(h);
        bool again = i > 0 && found[i - 1].use == h->use; /* the other direction */
        if (!h->apart || again || isnan(h->gate) || half >= h->steps * part)
            continue;
        if (h->gate < usual - 0.05)
            report(cx, h, half, LEVEL_WARN);
        else if (h->end_only)
            report(cx, h, half, LEVEL_NOTE);
    }
}

#define EXAMPLE(layer)                              \
    "model ecg {\n"                                 \
    "    input  signal : f32[100, 4]\n"             \
    "    target rhythm : class(5)\n"                \
    "    h = signal |> " layer "\n"                 \
    "    loss cross_entropy(h |> linear(5), rhythm)\n" \
    "}\n"

ACT_CHECK(lstm_forget_bias) = {
    .code = "ACT801",
    .name = "lstm_forget_bias",
    .group = "recurrent",
    .level = LEVEL_WARN,
    .summary = "a memory that forgets within a fraction of the sequence",
    .doc =
        "A cell goes from step to step as f c: what is left after t steps is f^t, f the mean of the forget gate. With a bias of 0 the gate starts half "
        "open: half of the memory is gone after one step, and of a hundred steps the first has left 1e-30. A bias of 1 holds for 2.2 steps, 2 for 5.5, 3 for 14, 5 for a hundred. It is the "
        "one bias that frameworks got wrong for years: PyTorch starts it at 0 (issue 750), Keras since 2015 at 1, as Jozefowicz and others "
        "(\"An empirical exploration of recurrent network architectures\", 2015) found best.\n\n"
        "Half-lives are predicted: the mean of the gate over fresh weights and the declared data. So is the gradient that comes back, which has a second "
        "way, through the weights, and finds units whose gates stay open: some orders of magnitude more than f^t over a hundred steps. Below a twentieth of the sequence it is a "
        "warning where the bias was set lower than the usual 1, and a note where it starts at 1 and only the last step is used; where "
        "every step has a target of its own, nothing has to be kept so long, and nothing is said. The fix sets the bias to ln(T - 1), "
        "with which the memory's life is the sequence's (Tallec and Ollivier, \"Can recurrent neural networks warp time?\", 2018).\n\n"
        "Every memory counts that goes on under a gate without passing weights, whatever the layer is called. A gru multiplies its state "
        "with weights at each step, too, and is left alone.",
    .wrong = EXAMPLE("lstm(64, last = true, forget = 0)"),
    .right = EXAMPLE("lstm(64, last = true, forget = 4.6)"),
    .silences = {"ACT802"},
    .run = forget_bias,
};
