/* The share of rows whose class is among the k best scores. A score equal to the right one counts as better only when
 * it stands before it. */
#include "host/metric.h"

#include "host/tensor.h"

static ActStatus check(const ActMetricKind *self, const ActMetricCall *call, ActError *error)
{
    uint64_t scores = act_tensor_features(call->prediction);
    if (call->option < 1 || call->option > (double)scores)
        return act_error(error, ACT_E_ARGUMENT, "metric `%s` wants a k from 1 to the number of classes (%s), not %g",
                         self->name, act_text_count(scores).text, call->option);
    if (call->prediction_width == call->target_width * scores) return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT,
                     "metric `%s` wants one score for each class of `%s`; the prediction has %s in a row",
                     self->name, call->target->name, act_text_count(call->prediction_width).text);
}

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t scores = act_tensor_features(call->prediction), places = n * call->target_width, right = 0, ignored = 0;
    for (size_t i = 0; i < places; i++) {
        const float *row = prediction + i * scores;
        double label = act_metric_target(call, target, i);
        if (!act_metric_counts(call, label)) {
            ignored++;
            continue;
        }
        if (!(label >= 0 && label < (double)scores)) continue;
        size_t want = (size_t)label, better = 0;
        for (size_t c = 0; c < scores; c++) better += row[c] > row[want] || (row[c] == row[want] && c < want);
        right += row[want] == row[want] && (double)better < call->option;
    }
    sum[0] += (double)right;
    sum[1] += (double)(places - ignored);
}

ACT_METRIC(top_k) = {
    .name = "top_k",
    .doc = "The share of rows whose class is among the k best scores.",
    .percent = 1,
    .check = check,
    .add = add,
    .finish = act_metric_mean,
};
