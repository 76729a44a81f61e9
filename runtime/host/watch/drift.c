#include "host/monitor.h"

#include <math.h>

static void measured(ActMonitor *m, void *own)
{
    (void)own;
    for (uint32_t p = 0; p < m->watch->n_point; p++) {
        const ActWatchPoint *point = &m->watch->point[p];
        const ActMeasured *now = &m->now[p];
        if (!*point->function || !(point->deviation > 0)) continue; /* logits are free to grow */
        double ratio = now->deviation / point->deviation, far = ratio < 1 ? 1 / fmax(ratio, 1e-30) : ratio;
        act_found(m, act_level_above(far, 2, 10, 100), point->line, "a norm in front of the activation keeps the size",
                  "the values of `%s` have a deviation of %.3g; %.3g was predicted before training", point->layer, now->deviation,
                  point->deviation);
        if (fabs(now->mean) > 2 * now->deviation)
            act_found(m, now->deviation > 0 ? ACT_LEVEL_WARNING : ACT_LEVEL_NONE, point->line,
                      "samples look alike to this layer: centre what comes in (`normalize`), or put a norm in front of it",
                      "the values of `%s` have a mean of %.3g and a deviation of %.3g", point->layer, now->mean, now->deviation);
    }
}

ACT_WATCH(drift) = {
    .code = "RT06",
    .name = "activation_drift",
    .summary = "pre-activations against their predicted size: by a factor of 2, 10, 100; a mean beyond two deviations",
    .doc = "The deviation of the values in front of an activation, against the checker's prediction for the fresh network. Training moves it; a "
           "factor of two is a note, ten a warning, a hundred an error. A mean further from 0 than two deviations is a warning: then all samples "
           "look alike to the layer. Layers without an activation behind them are left out: logits grow as they should.",
    .meets = { "ACT306", "ACT403", "ACT406", "ACT1101" },
    .measured = measured,
};
