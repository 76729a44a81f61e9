#include "host/monitor.h"

#include <stddef.h>

static void measured(ActMonitor *m, void *own)
{
    (void)own;
    double most;
    const ActWatchPoint *point = act_point_with_most(m, offsetof(ActMeasured, zeros), &most);
    act_found(m, act_level_above(most, 0.9, 0.98, 2), act_point_line(point),
              "few values carry the signal: look at the biases and the scale of what comes in",
              "%.1f %% of the values of %s are 0", 100 * most, act_point_name(point).text);
}

ACT_WATCH(sparse) = {
    .code = "RT02",
    .name = "sparse_activations",
    .summary = "activations that are 0 now: above 90 %, 98 %",
    .doc = "How many activations are 0 at this moment. Half is what a relu does to values around 0, and says nothing. Above 90 % (a note) "
           "little of the signal is left, above 98 % (a warning) hardly any. It is not the share of dead units: those are 0 for every sample (RT01).",
    .measured = measured,
};
