/* Losses and metrics of a model over a part of its data. */
#ifndef ACT_HOST_EVALUATE_H
#define ACT_HOST_EVALUATE_H

#include "answers.h"
#include "dataset.h"
#include "metric.h"

/* Memory for passes over data, allocated once. */
typedef struct ActEvaluator {
    const ActModel *model;
    size_t n_value, batch;
    void **room;                 /* per value: a batch of rows */
    const void **value;
    void **prediction;           /* per metric */
    float *loss;
    const ActMetricKind **kind;
    ActMetricCall *call;
    double **sum;
    size_t *slots; /* how many each `sum` has room for */
    uint64_t seed;               /* of what the model draws */
    ActAnswers *answers;         /* looks at the predictions of a pass; NULL: nobody does */
    const volatile sig_atomic_t *stop; /* when it becomes non-zero, a pass ends with ACT_E_STOPPED; may be NULL */
} ActEvaluator;

/* Checks that every metric exists and fits. After a failure the evaluator is empty. */
ActStatus act_evaluator_new(ActEvaluator *evaluator, const ActModel *model, ActError *error);
void act_evaluator_free(ActEvaluator *evaluator);
/* Room for passes over so many rows. */
ActStatus act_evaluator_room(ActEvaluator *evaluator, size_t rows, ActError *error);
/* Allocates nothing where there is room. Values of a pass that was stopped are not to be used. */
ActStatus act_evaluator_run(ActEvaluator *evaluator, const ActInstance *instance, const ActDataset *set,
                            ActPartKind part, ActScore *score, ActError *error);

/* Room for a batch of each value, per value one block; NULL without memory. Freed with act_rooms_free. */
void **act_rooms_new(const ActModel *model, size_t rows);
void act_rooms_free(void **rooms, size_t n);

/* Losses over batches as one number a row: means count by their rows. */
typedef struct ActLossSum { double total, part[ACT_MAX_SCORES]; uint64_t rows; } ActLossSum;
void act_loss_add(ActLossSum *sum, const ActModel *model, const float *loss, size_t n);
/* As the loss of a score, all of it and each. */
void act_loss_score(ActScore *score, const ActModel *model, const ActLossSum *sum);
/* The weighted sum of one step's losses, per row where they are sums. */
double act_loss_value(const ActModel *model, const float *loss, size_t n);

/* Weights for evaluate and predict: run->weights, or the file a training run left in run->out; run->keep: none. */
ActStatus act_run_load(ActInstance *instance, const ActRun *run, ActFacts *facts, ActError *error);
/* Says in run->log when the weights are those of a model with another hash. */
void act_run_note(const ActInstance *instance, const ActRun *run, const ActFacts *facts);
/* The seed of this run: run->seed, the block's, or 1. */
uint64_t act_run_seed(const ActModel *model, const ActRun *run);
/* The part of run->part, or the last that the dataset has; the message lists what there is. */
ActStatus act_run_part(const ActModel *model, const ActRun *run, ActPartKind *part, ActError *error);

#endif
