/* exp of the mean cross-entropy: among how many equally likely classes the model is as unsure as here. A row that has none below 0 and adds
 * up to 1 is taken as probabilities, any other as logits. */
#include "host/metric.h"

#include "host/tensor.h"

#include <math.h>

static ActStatus check(const ActMetricKind *self, const ActMetricCall *call, ActError *error)
{
    uint64_t scores = act_tensor_features(call->prediction);
    if (scores > 1 && call->prediction_width == call->target_width * scores && call->target->classes <= scores) return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT, "metric `%s` wants one score for each class of `%s`; the prediction has %s in a row",
                     self->name, call->target->name, act_text_count(call->prediction_width).text);
}

/* -log p of class `want` */
static double surprise(const float *row, size_t n, size_t want)
{
    double top = -INFINITY, sum = 0;
    if (act_probabilities(row, n)) return -log((double)row[want]);
    for (size_t c = 0; c < n; c++) top = fmax(top, (double)row[c]);
    for (size_t c = 0; c < n; c++) sum += exp((double)row[c] - top);
    return top + log(sum) - (double)row[want];
}

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    size_t scores = act_tensor_features(call->prediction), places = n * call->target_width;
    for (size_t i = 0; i < places; i++) {
        double label = act_metric_target(call, target, i);
        if (!(label >= 0 && label < (double)scores) || !act_metric_counts(call, label)) continue;
        sum[0] += surprise(prediction + i * scores, scores, (size_t)label);
        sum[1] += 1;
    }
}

static double finish(const ActMetricCall *call, double *sum)
{
    (void)call;
    return exp(sum[0] / sum[1]);
}

ACT_METRIC(perplexity) = {
    .name = "perplexity",
    .doc = "The exponential of the mean cross-entropy: among how many equally likely classes one would be as unsure.",
    .check = check,
    .add = add,
    .finish = finish,
};
