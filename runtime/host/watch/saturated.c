#include "host/monitor.h"

#include <stddef.h>

static void measured(ActMonitor *m, void *own)
{
    (void)own;
    double most;
    const ActWatchPoint *point = act_point_with_most(m, offsetof(ActMeasured, saturated), &most);
    act_found(m, act_level_above(most, 0.1, 0.25, 0.5), act_point_line(point),
              "smaller weights or a norm in front of it bring values back to where it is steep",
              "%.0f %% of the values in front of %s lie where its slope is below a hundredth of the greatest", 100 * most,
              act_point_name(point).text);
}

ACT_WATCH(saturated) = {
    .code = "RT05",
    .name = "saturated_units",
    .summary = "values where an activation's slope is below 1 % of its greatest: above 10 %, 25 %, 50 %",
    .doc = "A sigmoid beyond 5.3 or a tanh beyond 3.0 is flat: its slope is below a hundredth of its greatest, and so is the gradient that passes. "
           "The place is computed from the activation's formula, one's own too. More than 10 % of the values there is a note, more than 25 % a "
           "warning, more than 50 % an error.",
    .meets = { "ACT307", "ACT302", "ACT1101" },
    .measured = measured,
};
