#include "decision.h"

#include "tensor.h"

#include <math.h>

int act_decides_by_sign(const ActMetricCall *call)
{
    return call->prediction_width == call->target_width &&
           (call->target->classes == 2 || act_tensor_features(call->prediction) == 1);
}

float act_decision_threshold(const ActMetricCall *call)
{
    float low = call->prediction->low, high = call->prediction->high; /* low > high: not known */
    return low <= high && low >= 0 && high <= 1 ? 0.5f : 0;
}

size_t act_decision_largest(const float *score, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (score[i] > score[best] || (score[best] != score[best] && score[i] == score[i])) best = i;
    return best;
}

ActStatus act_decision_check(const ActMetricKind *metric, const ActMetricCall *call, ActError *error)
{
    uint64_t scores = act_tensor_features(call->prediction);
    if (call->prediction_width == call->target_width) return ACT_OK;
    if (call->prediction_width == call->target_width * scores &&
        (call->target->classes == 0 || call->target->classes <= scores))
        return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT,
                     "metric `%s` wants one score for each class of `%s` (%s); the prediction has %s in a row",
                     metric->name, call->target->name, call->target->label ? call->target->label : "a class",
                     act_text_count(call->prediction_width).text);
}

/* ── by class ── */

static size_t classes(const ActMetricCall *call)
{
    return act_decides_by_sign(call) ? 1 : act_tensor_features(call->prediction);
}

size_t act_confusion_slots(const ActMetricCall *call)
{
    return 3 * classes(call);
}

static void count(ActConfusion *of, int predicted, int actual)
{
    of->right += predicted && actual;
    of->predicted += predicted;
    of->actual += actual;
}

void act_confusion_add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    ActConfusion *of = (ActConfusion *)sum;
    size_t places = n * call->target_width, scores = act_tensor_features(call->prediction);
    if (act_decides_by_sign(call)) {
        float threshold = act_decision_threshold(call);
        for (size_t i = 0; i < places; i++) count(of, prediction[i] > threshold, act_metric_target(call, target, i) > 0.5);
        return;
    }
    int soft = call->prediction_width == call->target_width && call->target->type == ACT_F32;
    for (size_t i = 0; i < (soft ? places / scores : places); i++) {
        const float *row = prediction + i * scores;
        double label = soft ? (double)act_decision_largest((const float *)target + i * scores, scores)
                            : act_metric_target(call, target, i);
        if (!(label >= 0 && label < (double)scores) || !act_metric_counts(call, label)) continue;
        size_t best = act_decision_largest(row, scores);
        of[(size_t)label].actual += 1;
        of[best].predicted += row[best] == row[best];
        of[best].right += row[best] == row[best] && (double)best == label;
    }
}

double act_confusion_mean(const ActMetricCall *call, const double *sum, double (*of)(const ActConfusion *of_class))
{
    const ActConfusion *by_class = (const ActConfusion *)sum;
    double total = 0, n = 0;
    for (size_t c = 0; c < classes(call); c++)
        if (by_class[c].predicted + by_class[c].actual > 0) {
            total += of(&by_class[c]);
            n += 1;
        }
    return n > 0 ? total / n : NAN;
}
