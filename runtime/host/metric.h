/* A metric: one file in host/metrics/, found by the build through its line `ACT_METRIC(kind) = {…};`. It sees
 * (prediction, target) batch by batch and says one number at the end. Sums are kept in double, in the order of the
 * rows. */
#ifndef ACT_HOST_METRIC_H
#define ACT_HOST_METRIC_H

#include "act/abi.h"
#include "text.h"

/* What a metric is asked about. Targets are float, or int32 for classes, as target->type says. */
typedef struct ActMetricCall {
    const ActTensor *prediction, *target;
    double option;                       /* top_k's k */
    uint64_t prediction_width, target_width; /* elements of a row */
} ActMetricCall;

typedef struct ActMetricKind ActMetricKind;
struct ActMetricKind {
    const char *name, *doc;
    int percent;                         /* shown as a percentage */
    /* Does it fit these shapes? NULL: prediction and target must have equally many elements. */
    ActStatus (*check)(const ActMetricKind *self, const ActMetricCall *call, ActError *error);
    /* Doubles of memory it needs, zeroed before a pass over the data. NULL: 2. */
    size_t (*slots)(const ActMetricCall *call);
    /* … and for each row of the data, behind them. NULL: none. */
    size_t (*row_slots)(const ActMetricCall *call);
    void (*add)(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum);
    double (*finish)(const ActMetricCall *call, double *sum); /* may change the sums */
};

#define ACT_METRIC(name) const ActMetricKind act_metric_##name

/* NULL and a message with the nearest name when there is none. */
const ActMetricKind *act_metric_find(const char *kind, ActError *error);
ActStatus act_metric_check(const ActMetricKind *kind, const ActMetricCall *call, ActError *error);
size_t act_metric_slots(const ActMetricKind *kind, const ActMetricCall *call, size_t rows);

/* Element i of a target as a number. */
static inline double act_metric_target(const ActMetricCall *call, const void *target, size_t i)
{
    return call->target->type == ACT_I32 ? (double)((const int32_t *)target)[i] : (double)((const float *)target)[i];
}

/* Does a label count? */
static inline int act_metric_counts(const ActMetricCall *call, double label)
{
    return !(call->target->ignores && label == (double)call->target->ignored);
}

/* sum[0] += a mean's numerator, sum[1] += its denominator */
double act_metric_mean(const ActMetricCall *call, double *sum);

#endif
