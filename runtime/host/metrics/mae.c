#include "host/metric.h"

#include <math.h>

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t count = n * call->target_width;
    double total = 0;
    for (size_t i = 0; i < count; i++) total += fabs((double)prediction[i] - act_metric_target(call, target, i));
    sum[0] += total;
    sum[1] += (double)count;
}

ACT_METRIC(mae) = {
    .name = "mae",
    .doc = "The mean of absolute differences over all elements.",
    .add = add,
    .finish = act_metric_mean,
};
