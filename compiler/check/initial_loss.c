/* ACT407 initial_loss: a classifier that starts far worse than a guess. */
#include "check/flow.h"
#include "check/forecast.h"

#include <math.h>

static void initial_loss(CheckContext *cx)
{
    const Signal *signal = NULL;
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        if (!loss->prediction || !loss->classes || !loss->wants_logits)
            continue;
        double k = (double)type_last(graph_type(cx->g, loss->prediction)), guess = log(k);
        double widest = signal_deviation(cx->signal, loss->prediction);
        if (guess + widest * widest / 2 <= 2 * guess + 1) /* E log Σ e^z is at most this */
            continue;
        signal = signal ? signal : signal_of_inference(cx->arena, cx->facts, cx->model); /* dropout widens logits */
        double expected = forecast_loss(cx->model, cx->facts, signal, loss);
        if (k < 2 || !(expected > 2 * guess + 1))
            continue;
        double deviation = signal_deviation(signal, loss->prediction);
        NodeId product = cx->facts->weighted[loss->prediction];
        Diag *diag =
            check_report(cx, LEVEL_WARN, product ? check_span(cx, product) : loss->prediction_span,
                         "`" STR_FMT "` starts at " STR_FMT ", where a guess scores " STR_FMT, STR_ARG(loss->fn),
                         STR_ARG(check_number(cx->arena, expected)), STR_ARG(check_number(cx->arena, guess)));
        diag_primary(diag, "logits with a standard deviation of %.3g", deviation);
        diag_label(diag, loss->span, "sees a network that is sure of random answers");
        diag_note(diag, "predicted from the initial weights; the first steps only unlearn it");
        diag_help(diag,
                  "let the last layer start smaller (leave its initializer out for `auto`, or `zeros`), and scale "
                  "the inputs");
        check_spot_loss(cx, loss);
        check_spot_causes(cx, loss->prediction);
    }
}

ACT_CHECK(initial_loss) = {
    .code = "ACT407",
    .name = "initial_loss",
    .group = "init",
    .level = LEVEL_WARN,
    .summary = "a classifier whose first loss is far above that of a guess",
    .doc =
        "Before training a classifier knows nothing and should say so: equal probabilities for K classes cost ln K, "
        "2.30 "
        "for ten. Logits of standard deviation s make it E log Σ e^z, which is ln K + s²/2 while s is small and grows "
        "with s beyond: a network that is sure of random answers. Its first epochs go into shrinking the last layer, "
        "and "
        "with a saturated softmax there is little gradient to do it with.\n\n"
        "The rule predicts s from the initial weights and the declared data, and the loss from it, and warns above "
        "2 ln K + 1. The reason is nearly always weights or inputs that are too large.",
    .wrong = "model m {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    loss cross_entropy(x |> linear(10, weight = normal(0, 1)), y)\n"
             "}\n",
    .right = "model m {\n"
             "    input  x : f32[64]\n"
             "    target y : class(10)\n"
             "    loss cross_entropy(x |> linear(10), y)\n"
             "}\n",
    .run = initial_loss,
};
