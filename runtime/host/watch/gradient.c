#include "host/monitor.h"

#include <math.h>

static void measured(ActMonitor *m, void *own)
{
    (void)own;
    const ActWatch *watch = m->watch;
    if (!watch->first || !watch->last || watch->first == watch->last) return;
    const ActWatchPoint *first = &watch->point[watch->first - 1], *last = &watch->point[watch->last - 1];
    double at_first = m->now[watch->first - 1].gradient, at_last = m->now[watch->last - 1].gradient;
    if (!(at_last > 0)) return;
    double ratio = at_first / at_last;
    ActLevel small = act_level_below(ratio, 0.1, 1e-3, 1e-7), large = act_level_above(ratio, 10, 70, 1e6);
    act_found(m, small > large ? small : large, first->line,
              small > large ? "residual connections, a norm, or an activation and an initializer that belong together keep it alive"
                            : "a norm, smaller initial weights, or `clip norm(1)` hold it",
              "the gradient at `%s` is %.3g of that at `%s`; %.3g was predicted before training", first->layer, ratio, last->layer, watch->ratio);
}

ACT_WATCH(gradient) = {
    .code = "RT03",
    .name = "gradient_ratio",
    .summary = "gradient at the first layer against the output layer: outside 0.1 to 10, 1e-3 to 70, 1e-7 to 1e6",
    .doc = "The norm of the gradient with respect to the pre-activations of the first layer with weights, divided by that at the output layer: "
           "how much of the error's signal arrives. Below 0.1 or above 10 is a note, below 1e-3 or above 70 a warning, below 1e-7 or above 1e6 "
           "an error. Before training the checker predicts the same number (`actc report`); both are printed.",
    .meets = { "ACT302", "ACT304", "ACT305", "ACT402" },
    .measured = measured,
};
