/* The share of right answers. Scores against class indices, or against soft labels: the largest wins, the first of
 * equals. One score per zero or one: its sign decides, or one half where the prediction is known to be a probability.
 */
#include "host/decision.h"

#include "host/tensor.h"

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t right = 0, places = n * call->target_width, scores = act_tensor_features(call->prediction);
    if (act_decides_by_sign(call)) {
        float threshold = act_decision_threshold(call);
        for (size_t i = 0; i < places; i++) {
            int finite = prediction[i] == prediction[i];
            right += finite && (prediction[i] > threshold) == (act_metric_target(call, target, i) > 0.5);
        }
    } else if (call->prediction_width == call->target_width && call->target->type == ACT_F32) {
        const float *soft = target;
        places /= scores;
        for (size_t i = 0; i < places; i++)
            right += act_decision_largest(prediction + i * scores, scores) ==
                     act_decision_largest(soft + i * scores, scores);
    } else {
        size_t counted = 0;
        for (size_t i = 0; i < places; i++) {
            double label = act_metric_target(call, target, i);
            counted += act_metric_counts(call, label) != 0;
            right += act_metric_counts(call, label) && (double)act_decision_largest(prediction + i * scores, scores) == label;
        }
        places = counted;
    }
    sum[0] += (double)right;
    sum[1] += (double)places;
}

ACT_METRIC(accuracy) = {
    .name = "accuracy",
    .doc = "The share of right answers; for one logit, its sign against 0 or 1.",
    .percent = 1,
    .check = act_decision_check,
    .add = add,
    .finish = act_metric_mean,
};
