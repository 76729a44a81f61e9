#include "host/monitor.h"

#include <math.h>

static ActLevel level_of(const ActMonitor *m, double x)
{
    if (m->step == m->first_update || !act_step_updates(m, m->step)) return ACT_LEVEL_NONE; /* schedules and averages are just beginning */
    if (x == 0) return ACT_LEVEL_ERROR;
    ActLevel small = act_level_below(x, 1e-4, 1e-5, -INFINITY), large = act_level_above(x, 1e-2, 1e-1, 1);
    return small > large ? small : large;
}

static void measured(ActMonitor *m, void *own)
{
    (void)own;
    for (uint32_t p = 0; p < m->watch->n_point; p++) {
        const ActWatchPoint *point = &m->watch->point[p];
        double x = m->now[p].update;
        act_found(m, level_of(m, x), point->line,
                  x > 1e-3 ? "a lower learning rate, or `schedule cosine(warmup = …)`" : "a higher learning rate; a schedule may have ended",
                  "a step changes the weights of `%s` by %.2g of their size; about 0.001 trains well", point->layer, x);
    }
}

ACT_WATCH(update) = {
    .code = "RT04",
    .name = "update_ratio",
    .summary = "change of weights in a step, against their size: outside 1e-4 to 1e-2, 1e-5 to 1e-1; 0 or above 1",
    .doc = "The norm of what a step adds to a layer's weights, divided by the norm of the weights. Around a thousandth is what trained networks "
           "show; above a hundredth steps jump over what they look for, below 1e-5 nothing happens. Outside 1e-4 to 1e-2 is a note, outside "
           "1e-5 to 1e-1 a warning, above 1 or exactly 0 an error. The first measurement is left out: warm-up and Adam's averages begin there.",
    .meets = { "ACT901", "ACT903" },
    .measured = measured,
};
