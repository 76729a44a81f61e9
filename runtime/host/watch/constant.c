#include "host/monitor.h"

#include <math.h>

/* The variance of an array of a number a row, relative to its mean square. */
static double spread(const ActMonitor *m, uint32_t array)
{
    const float *at = m->array[array];
    double sum = 0, squares = 0, n = (double)m->rows;
    for (size_t i = 0; i < m->rows; i++) sum += at[i], squares += (double)at[i] * at[i];
    return squares > 0 ? fmax(0, squares / n - sum / n * (sum / n)) / (squares / n) : 0;
}

static void measured(ActMonitor *m, void *own)
{
    uint64_t *times = own;
    if (!m->watch->last || m->rows < 2 || m->step == m->first_step) return;
    const ActWatchPoint *point = &m->watch->point[m->watch->last - 1];
    double most = fmax(spread(m, point->stat[ACT_WATCH_SUM]), spread(m, point->stat[ACT_WATCH_SQUARES]));
    *times = most < 1e-12 ? *times + 1 : 0;
    act_found(m, *times > 2 ? ACT_LEVEL_ERROR : most < 1e-9 ? ACT_LEVEL_WARNING : ACT_LEVEL_NONE, point->line,
              "see whether units are dead (RT01) or saturated (RT05), and whether inputs differ at all",
              "`%s` gives the same for every row of the batch", point->layer);
}

ACT_WATCH(constant) = {
    .code = "RT13",
    .name = "constant_output",
    .summary = "the output layer gives the same for all rows of a batch",
    .doc = "The values of the output layer no longer depend on the input: their sums and sums of squares are the same for all rows of the batch, to "
           "a part in 30,000. Everything in front of it is dead, saturated or blocked. A warning; an error when three measurements show it. The "
           "first measurement is left out: an output layer may start at zero.",
    .meets = { "ACT203", "ACT303" },
    .room = sizeof(uint64_t),
    .measured = measured,
};
