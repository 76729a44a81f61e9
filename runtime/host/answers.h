/* What a network answered on a part of its data, for logs: how often each class was taken for each, and the pictures that it got wrong with
 * the most confidence. It looks over an evaluation's shoulder (evaluate.h). Models without a metric on classes, or on one zero or one a
 * row, have no such answers. */
#ifndef ACT_HOST_ANSWERS_H
#define ACT_HOST_ANSWERS_H

#include "facts.h"
#include "log.h"
#include "metric.h"

enum { ACT_ANSWERS_SHOWN = 24 };

typedef struct ActWrong { uint64_t row; size_t actual, answered; double margin; unsigned char *pixel; } ActWrong;

typedef struct ActAnswers {
    size_t classes;              /* 0: the model has no such answers */
    uint32_t metric;             /* whose predictions are looked at */
    uint64_t *count;             /* [actual][answered] */
    uint32_t picture;            /* the input that is one */
    size_t height, width, channels; /* 0: none is */
    ActWrong wrong[ACT_ANSWERS_SHOWN];
    size_t n_wrong;
} ActAnswers;

ActStatus act_answers_new(ActAnswers *answers, const ActModel *model, ActError *error);
void act_answers_free(ActAnswers *answers);
void act_answers_clear(ActAnswers *answers);
/* n rows from `first` on: the prediction of the metric, its target, and all inputs. */
void act_answers_add(ActAnswers *answers, const ActMetricCall *call, const ActModel *model, const float *prediction, const void *target,
                     const void *const *input, size_t n, uint64_t first);
/* As events "confusion" and "example". */
ActStatus act_answers_log(const ActAnswers *answers, const ActModel *model, const ActFacts *facts, uint64_t step, const char *part, ActLogs *logs,
                          FILE *problems);

#endif
