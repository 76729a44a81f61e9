/* Precision: how many of the decisions for a class are right. With one score per zero or one the class is that of
 * the ones; of several classes every one that was there or predicted counts the same. */
#include "host/decision.h"

static double of_class(const ActConfusion *of)
{
    return of->predicted > 0 ? of->right / of->predicted : 0;
}

static double finish(const ActMetricCall *call, double *sum)
{
    return act_confusion_mean(call, sum, of_class);
}

ACT_METRIC(precision) = {
    .name = "precision",
    .doc = "The share of right decisions among those for a class; of several classes the mean.",
    .percent = 1,
    .check = act_decision_check,
    .slots = act_confusion_slots,
    .add = act_confusion_add,
    .finish = finish,
};
