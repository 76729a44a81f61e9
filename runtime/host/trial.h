/* Short trainings that leave nothing behind: `train --sanity` and `train --lr-range`. */
#ifndef ACT_HOST_TRIAL_H
#define ACT_HOST_TRIAL_H

#include "training.h"

/* Is the run one of them? Then nothing is written but what they say. */
int act_trial_is(const ActRun *run);
/* Runs it on what has been prepared, fresh weights or those to start from. */
ActStatus act_trial(ActTraining *t);

/* One step on rows first to first + n of t->order, every rate times `scale`; no schedule. The loss is not checked. */
ActStatus act_trial_step(ActTraining *t, size_t first, size_t n, double scale, double *loss);

/* Can the model learn a few rows by heart? ACT_E_DATA and where to look when it can't. */
ActStatus act_sanity(ActTraining *t);
/* How the loss behaves while the rate grows. Table and advice go to the log, a line of JSON for every step to
 * <out>/<model>.lr-range.jsonl or the `--log` that ends so. */
ActStatus act_lr_range(ActTraining *t);

#endif
