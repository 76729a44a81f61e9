#include "host/monitor.h"

#include <math.h>

enum { MOST = 256 };

static void measured(ActMonitor *m, void *room)
{
    unsigned char *still = room;
    for (uint32_t p = 0; p < m->watch->n_point && p < MOST; p++) {
        const ActWatchPoint *point = &m->watch->point[p];
        if (isnan(m->now[p].update)) continue;
        still[p] = m->now[p].update < 1e-9 ? (unsigned char)(still[p] + (still[p] < 3)) : 0;
        act_found(m, still[p] == 3 ? ACT_LEVEL_WARNING : ACT_LEVEL_NONE, point->line,
                  "no gradient arrives, or the learning rate is 0; a layer that should stay as it is says `trainable = false`",
                  "the weights of `%s` did not change in three measurements", point->layer);
    }
}

ACT_WATCH(unchanged) = {
    .code = "RT18",
    .name = "unchanged_weights",
    .summary = "weights that do not change in three measurements",
    .doc = "Steps change a layer's weights by less than 1e-9 of their size, three measurements in a row: it does not train.",
    .meets = { "ACT903", "ACT1207" },
    .room = MOST,
    .measured = measured,
};
