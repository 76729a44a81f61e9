#include "host/training.h"

#include <math.h>

static uint64_t width(const ActTensor *tensor)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) n *= tensor->dim[i];
    return n;
}

/* The targets of the measured batch against what the prediction can be. */
static void measured(ActMonitor *m, void *own)
{
    (void)own;
    const void *const *given = m->training ? m->training->given : NULL;
    for (uint32_t i = 0; given && i < m->model->n_metric; i++) {
        const ActTensor *can = &m->model->metric[i].prediction, *target = &m->model->target_value[m->model->metric[i].target];
        const float *at = given[m->model->n_input + m->model->metric[i].target];
        if (!(can->low < can->high) || target->type != ACT_F32 || width(can) != width(target)) continue;
        double low = INFINITY, high = -INFINITY, slack = 1e-3 * ((double)can->high - (double)can->low);
        for (uint64_t k = 0; k < m->rows * width(target); k++) low = fmin(low, at[k]), high = fmax(high, at[k]);
        if (low < (double)can->low - slack || high > (double)can->high + slack)
            act_found(m, ACT_LEVEL_WARNING, target->line, "leave out the last activation, or bring the targets into its range",
                      "targets of `%s` lie in %.4g to %.4g, and the prediction can only be from %.4g to %.4g", target->name, low, high,
                      (double)can->low, (double)can->high);
    }
}

ACT_WATCH(range) = {
    .code = "RT14",
    .name = "output_range",
    .summary = "targets that the output's range does not reach",
    .doc = "What a prediction can be is certain by its last function: a sigmoid gives 0 to 1, a relu nothing below 0. A warning when targets of a "
           "measured batch lie outside, by more than a thousandth of the range: no training can make these up. It looks at predictions that a metric "
           "compares with targets of the same shape.",
    .meets = { "ACT208", "ACT1104" },
    .measured = measured,
};
