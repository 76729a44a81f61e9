/* Recall: how many members of a class are found. With one score per zero or one the class is that of
 * the ones; of several classes every one that was there or predicted counts the same. */
#include "host/decision.h"

static double of_class(const ActConfusion *of)
{
    return of->actual > 0 ? of->right / of->actual : 0;
}

static double finish(const ActMetricCall *call, double *sum)
{
    return act_confusion_mean(call, sum, of_class);
}

ACT_METRIC(recall) = {
    .name = "recall",
    .doc = "The share of a class that is found; of several classes the mean.",
    .percent = 1,
    .check = act_decision_check,
    .slots = act_confusion_slots,
    .add = act_confusion_add,
    .finish = finish,
};
