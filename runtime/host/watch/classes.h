/* What a classifier's loss is held against. */
#ifndef ACT_HOST_WATCH_CLASSES_H
#define ACT_HOST_WATCH_CLASSES_H

#include "host/monitor.h"

#include <math.h>

/* Of the one target of a model with one loss; 0: it has none, or several. */
static inline uint32_t act_classes(const ActMonitor *m)
{
    return m->model->n_target == 1 && m->model->n_loss == 1 ? m->model->target_value[0].classes : 0;
}

/* ln K, where the loss is such that a guess gives that; else NaN. A checker that expects much less sees another loss (a squared distance). */
static inline double act_guess_loss(const ActMonitor *m)
{
    uint32_t k = act_classes(m);
    return k >= 2 && m->watch->loss > 0.9 * log(k) ? log(k) : NAN;
}

#endif
