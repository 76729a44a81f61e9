/* What a prediction decides: which class has the best score, or which answer to a question of yes or no. */
#ifndef ACT_HOST_DECISION_H
#define ACT_HOST_DECISION_H

#include "metric.h"

/* One score per zero or one: its sign decides, or one half where the prediction is known to be a probability. */
int act_decides_by_sign(const ActMetricCall *call);
float act_decision_threshold(const ActMetricCall *call);
/* The place of the largest of n scores, the first of equals. A NaN wins only when all are. */
size_t act_decision_largest(const float *score, size_t n);
/* ActMetricKind.check: are there as many scores as decisions, or one for each class? */
ActStatus act_decision_check(const ActMetricKind *metric, const ActMetricCall *call, ActError *error);

/* ── how often decisions are right, by class ──
 * With one score per zero or one there is one class, that of the ones. A prediction of NaN decides for none. */
typedef struct ActConfusion {
    double right, predicted, actual; /* decisions for the class that are right, all of them, and how often the class is there */
} ActConfusion;

/* For ActMetricKind: counts in `sum`, three for each class. */
size_t act_confusion_slots(const ActMetricCall *call);
void act_confusion_add(const ActMetricCall *call, const float *prediction, const void *target, size_t n, double *sum);
/* The mean of `of` over the classes that were there or predicted; NaN when there is none. */
double act_confusion_mean(const ActMetricCall *call, const double *sum, double (*of)(const ActConfusion *of_class));

#endif
