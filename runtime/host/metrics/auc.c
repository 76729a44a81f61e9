/* The area under the curve of the receiver: how often a one has a greater score than a zero, where a tie counts half. Exact, by ranks
 * (Mann and Whitney's U), so all scores of a pass are kept. NaN unless there are both ones and zeros; a NaN among the scores makes it NaN. */
#include "host/metric.h"

#include "host/tensor.h"

#include <math.h>
#include <stdlib.h>

/* sum[0]: how many, sum[1]: a score was NaN; then score and answer of each. */
typedef struct Answer {
    double score, one;
} Answer;

/* One score for each answer, or one for each side of it, whose difference counts. */
static int two_sided(const ActMetricCall *call)
{
    return call->prediction_width == 2 * call->target_width && act_tensor_features(call->prediction) == 2;
}

static ActStatus check(const ActMetricKind *self, const ActMetricCall *call, ActError *error)
{
    if (call->target->classes == 0 || call->target->classes == 2)
        if (call->prediction_width == call->target_width || two_sided(call)) return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT,
                     "metric `%s` wants a score for each zero or one of `%s`; for several classes there are `f1` and `accuracy`",
                     self->name, call->target->name);
}

static size_t slots(const ActMetricCall *call)
{
    (void)call;
    return 2;
}

static size_t row_slots(const ActMetricCall *call)
{
    return 2 * (size_t)call->target_width;
}

static void add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum)
{
    Answer *answer = (Answer *)(sum + 2) + (size_t)sum[0];
    size_t places = n * call->target_width, taken = 0;
    for (size_t i = 0; i < places; i++) {
        if (!act_metric_counts(call, act_metric_target(call, target, i))) continue;
        double score = two_sided(call) ? (double)prediction[2 * i + 1] - (double)prediction[2 * i] : (double)prediction[i];
        answer[taken++] = (Answer){ score, act_metric_target(call, target, i) > 0.5 };
        if (score != score) sum[1] = 1;
    }
    sum[0] += (double)taken;
}

static int by_score(const void *a, const void *b)
{
    const Answer *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

static double finish(const ActMetricCall *call, double *sum)
{
    (void)call;
    Answer *answer = (Answer *)(sum + 2);
    size_t n = (size_t)sum[0];
    if (sum[1] != 0) return NAN;
    qsort(answer, n, sizeof *answer, by_score);
    double ones = 0, ranks = 0;
    for (size_t i = 0, end; i < n; i = end) {
        double here = 0;
        for (end = i; end < n && answer[end].score == answer[i].score; end++) here += answer[end].one;
        ranks += here * ((double)(i + 1 + end) / 2); /* equals share their mean rank */
        ones += here;
    }
    double zeros = (double)n - ones;
    return ones > 0 && zeros > 0 ? (ranks - ones * (ones + 1) / 2) / (ones * zeros) : NAN;
}

ACT_METRIC(auc) = {
    .name = "auc",
    .doc = "The area under the ROC curve: how often a one has a greater score than a zero.",
    .check = check,
    .slots = slots,
    .row_slots = row_slots,
    .add = add,
    .finish = finish,
};
