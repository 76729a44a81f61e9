/* The share of right answers. Scores against class indices, or against soft labels: the largest wins, the first of
 * equals. One score per zero or one: its sign decides, or one half where the prediction is known to be a probability.
 */
#include "host/metric.h"

#include "host/tensor.h"

static size_t largest(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best] || (x[best] != x[best] && x[i] == x[i])) best = i; /* a NaN wins only when all are */
    return best;
}

static int by_sign(const ActMetricCall *call)
{
    return call->prediction_width == call->target_width &&
           (call->target->classes == 2 || act_tensor_features(call->prediction) == 1);
}

static ActStatus check(const ActMetricCall *call, ActError *error)
{
    uint64_t scores = act_tensor_features(call->prediction);
    if (call->prediction_width == call->target_width) return ACT_OK;
    if (call->prediction_width == call->target_width * scores &&
        (call->target->classes == 0 || call->target->classes <= scores))
        return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT,
                     "metric `accuracy` wants one score for each class of `%s` (%s); the prediction has %s in a row",
                     call->target->name, call->target->label ? call->target->label : "a class",
                     act_text_count(call->prediction_width).text);
}

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t right = 0, places = n * call->target_width, scores = act_tensor_features(call->prediction);
    if (by_sign(call)) {
        float low = call->prediction->low, high = call->prediction->high; /* low > high: not known */
        float threshold = low <= high && low >= 0 && high <= 1 ? 0.5f : 0;
        for (size_t i = 0; i < places; i++) {
            int finite = prediction[i] == prediction[i];
            right += finite && (prediction[i] > threshold) == (act_metric_target(call, target, i) > 0.5);
        }
    } else if (call->prediction_width == call->target_width && call->target->type == ACT_F32) {
        const float *soft = target;
        places /= scores;
        for (size_t i = 0; i < places; i++)
            right += largest(prediction + i * scores, scores) == largest(soft + i * scores, scores);
    } else {
        for (size_t i = 0; i < places; i++)
            right += (double)largest(prediction + i * scores, scores) == act_metric_target(call, target, i);
    }
    sum[0] += (double)right;
    sum[1] += (double)places;
}

ACT_METRIC(accuracy) = {
    .name = "accuracy",
    .doc = "The share of right answers; for one logit, its sign against 0 or 1.",
    .percent = 1,
    .check = check,
    .add = add,
    .finish = act_metric_mean,
};
