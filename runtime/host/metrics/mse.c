#include "host/metric.h"

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t count = n * call->target_width;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)prediction[i] - act_metric_target(call, target, i);
        squares += d * d;
    }
    sum[0] += squares;
    sum[1] += (double)count;
}

ACT_METRIC(mse) = {
    .name = "mse",
    .doc = "The mean of squared differences over all elements.",
    .add = add,
    .finish = act_metric_mean,
};
