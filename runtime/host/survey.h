/* What the training part is like: how many rows each class has, where the numbers of an input lie. Said as warnings when it is odd. */
#ifndef ACT_HOST_SURVEY_H
#define ACT_HOST_SURVEY_H

#include "view.h"

typedef struct ActSurvey {
    uint64_t rows;
    uint64_t *count; size_t classes;
    size_t features, slots;   /* slots: a multiple of features, one accumulator each */
    double *sum, *square;     /* of differences from the first row, */
    float *base;              /* which is this */
    float *low, *high;
} ActSurvey;

/* Of values for `tensor`. */
ActStatus act_survey_begin(ActSurvey *survey, const ActTensor *tensor, uint64_t width, ActError *error);
void act_survey_add(ActSurvey *survey, const float *rows, size_t n, uint64_t width);
void act_survey_free(ActSurvey *survey);

/* RT16 for targets, RT17 for inputs: lines on `out`. `class_name` may be NULL. Classes that the model weighs (`weight = balanced`)
 * may be as unbalanced as they like. */
void act_survey_tell(const ActSurvey *survey, const ActView *view, const ActTensor *tensor, char *const *class_name, size_t n_class,
                     const ActModel *model, FILE *out);

#endif
