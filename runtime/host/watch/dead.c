#include "host/monitor.h"

#include <math.h>

static void measured(ActMonitor *m, void *own)
{
    (void)own;
    uint32_t worst = 0;
    double most = 0;
    for (uint32_t p = 0; p < m->watch->n_point; p++)
        if (m->now[p].dead > most) most = m->now[p].dead, worst = p;
    const ActWatchPoint *point = &m->watch->point[worst];
    ActText before = { "" };
    if (!isnan(point->dead)) snprintf(before.text, sizeof before.text, "; %.0f %% were predicted before training", 100 * point->dead);
    act_found(m, act_level_above(most, 0.1, 0.2, 0.3), act_point_line(point),
              "take a lower learning rate, or a function with a slope everywhere: `leaky_relu`, `elu`, `gelu`",
              "%.0f %% of the units of %s were off for all of %u samples and more%s", 100 * most, act_point_name(point).text,
              m->watch->window, before.text);
}

ACT_WATCH(dead) = {
    .code = "RT01",
    .name = "dead_units",
    .summary = "units whose slope is 0 for every sample of a window: above 10 %, 20 %, 30 %",
    .doc = "A relu that is zero for half of its samples is healthy. A unit that is zero for every one of 256 samples (a batch, where that is "
           "larger) gets no gradient from any of them: it is dead, and only a change in the layers in front of it can bring it back. Units die "
           "when one large step moves a bias far down, and in deep plain networks they are dead from the start.\n\n"
           "More than 10 % is a note, more than 20 % a warning, more than 30 % an error. Windows are gathered over several measurements.",
    .meets = { "ACT308" },
    .measured = measured,
};
