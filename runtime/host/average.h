/* Averaged weights: what is evaluated and saved where the `train` block says `average`. Steps go on from the weights themselves.
 *
 * `average ema(decay)` is part of a compiled step, which keeps the average of every parameter in the optimizer's state (PyTorch's
 * AveragedModel with get_ema_multi_avg_fn, buffers too). `average last(n)` is the mean of the weights at the ends of the last n epochs
 * (its get_swa_avg_fn, over a window), kept here. */
#ifndef ACT_HOST_AVERAGE_H
#define ACT_HOST_AVERAGE_H

#include "act/act.h"
#include "state.h"

typedef struct ActAverage {
    ActInstance *m;
    void *own;                /* the weights themselves, while the averages stand in their place */
    int in_use;
    int32_t *at;              /* ema: of each parameter its average among the states; -1: none */
    uint32_t last;            /* epochs of the window; 0: none */
    void **end;               /* the weights at the ends of epochs: those of epoch e at e % last */
    uint64_t *there;          /* which of them there are */
    char (*prefix)[24];       /* in a checkpoint */
} ActAverage;

/* Nothing without `average`. What must survive goes to `state`. */
ActStatus act_average_new(ActAverage *average, ActInstance *m, ActState *state, ActError *error);
void act_average_free(ActAverage *average);
/* The steps of an epoch (from 1) are over. Calling it again for the same epoch changes nothing. */
void act_average_epoch(ActAverage *average, uint64_t epoch);
/* The averages become the parameters of the instance, where there are any yet, and stop being it. */
void act_average_use(ActAverage *average);
void act_average_leave(ActAverage *average);

#endif
