/* The coefficient of determination, 1 - residual squares / squares around the target's mean, per element of the target,
 * averaged over elements. A target that never changes scores 1 when it is met exactly and 0 otherwise. */
#include "host/metric.h"

#include <math.h>

/* sum[0]: rows; then per element: residual squares, mean of the target so far, its squared deviations (Welford) */
static size_t slots(const ActMetricCall *call)
{
    return 1 + 3 * (size_t)call->target_width;
}

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t width = call->target_width;
    for (size_t r = 0; r < n; r++) {
        sum[0] += 1;
        for (size_t e = 0; e < width; e++) {
            double y = act_metric_target(call, target, r * width + e), d = y - (double)prediction[r * width + e];
            double *at = sum + 1 + 3 * e, off = y - at[1];
            at[0] += d * d;
            at[1] += off / sum[0];
            at[2] += off * (y - at[1]);
        }
    }
}

static double finish(const ActMetricCall *call, double *sum)
{
    size_t width = call->target_width;
    double total = 0;
    if (sum[0] == 0) return NAN;
    for (size_t e = 0; e < width; e++) {
        const double *at = sum + 1 + 3 * e;
        total += at[2] > 0 ? 1 - at[0] / at[2] : at[0] == 0 ? 1 : 0;
    }
    return total / (double)width;
}

ACT_METRIC(r2) = {
    .name = "r2",
    .doc = "The coefficient of determination: 1 is perfect, 0 is as good as the mean.",
    .slots = slots,
    .add = add,
    .finish = finish,
};
