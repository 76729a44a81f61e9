/* F1: the harmonic mean of precision and recall, 2 right / (predicted + actual). With one score per zero or one the class is that of
 * the ones; of several classes every one that was there or predicted counts the same. */
#include "host/decision.h"

static double of_class(const ActConfusion *of)
{
    return 2 * of->right / (of->predicted + of->actual);
}

static double finish(const ActMetricCall *call, double *sum)
{
    return act_confusion_mean(call, sum, of_class);
}

ACT_METRIC(f1) = {
    .name = "f1",
    .doc = "The harmonic mean of precision and recall; of several classes the mean.",
    .check = act_decision_check,
    .slots = act_confusion_slots,
    .add = act_confusion_add,
    .finish = finish,
};
