#include "evaluate.h"

#include "keep.h"
#include "tensor.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>

void **act_rooms_new(const ActModel *model, size_t rows)
{
    size_t n = model->n_input + model->n_target;
    void **rooms = calloc(n + 1, sizeof *rooms);
    for (size_t v = 0; rooms && v < n; v++) {
        const ActTensor *t = v < model->n_input ? &model->input[v] : &model->target_value[v - model->n_input];
        rooms[v] = calloc(rows * act_tensor_width(t) + 1, 4);
        if (!rooms[v]) {
            act_rooms_free(rooms, n);
            return NULL;
        }
    }
    return rooms;
}

void act_rooms_free(void **rooms, size_t n)
{
    for (size_t v = 0; rooms && v < n; v++) free(rooms[v]);
    free(rooms);
}

static double one_loss(const ActModel *model, const float *loss, uint32_t i, size_t n)
{
    return (double)model->loss[i].weight * (double)loss[i] / (model->loss[i].mean ? 1 : (double)n);
}

double act_loss_value(const ActModel *model, const float *loss, size_t n)
{
    double value = 0;
    for (uint32_t i = 0; i < model->n_loss; i++) value += one_loss(model, loss, i, n);
    return value;
}

void act_loss_add(ActLossSum *sum, const ActModel *model, const float *loss, size_t n)
{
    sum->total += act_loss_value(model, loss, n) * (double)n;
    for (uint32_t i = 0; i < model->n_loss && i < ACT_MAX_SCORES; i++)
        sum->part[i] += one_loss(model, loss, i, n) * (double)n;
    sum->rows += n;
}

void act_loss_score(ActScore *score, const ActModel *model, const ActLossSum *sum)
{
    double rows = sum->rows ? (double)sum->rows : 1;
    score->loss = sum->total / rows;
    score->n_loss = model->n_loss < 2 ? 0 : model->n_loss < ACT_MAX_SCORES ? model->n_loss : ACT_MAX_SCORES;
    for (uint32_t i = 0; i < score->n_loss; i++) {
        score->part_loss[i].name = model->loss[i].name;
        score->part_loss[i].value = sum->part[i] / rows;
    }
}

static ActStatus new_metric(ActEvaluator *evaluator, uint32_t i, ActError *error)
{
    const ActModel *model = evaluator->model;
    const ActMetric *metric = &model->metric[i];
    ActMetricCall *call = &evaluator->call[i];
    evaluator->kind[i] = act_metric_find(metric->kind, error);
    if (!evaluator->kind[i]) return ACT_E_ARGUMENT;
    if (metric->target >= model->n_target)
        return act_error(error, ACT_E_ARGUMENT, "metric `%s` has no target", metric->name);
    *call = (ActMetricCall){ .prediction = &metric->prediction,
                             .target = &model->target_value[metric->target],
                             .option = metric->option };
    call->prediction_width = act_tensor_width(call->prediction);
    call->target_width = act_tensor_width(call->target);
    ActStatus status = act_metric_check(evaluator->kind[i], call, error);
    if (status != ACT_OK) return status;
    evaluator->prediction[i] = calloc(evaluator->batch * call->prediction_width + 1, 4);
    return evaluator->prediction[i] ? ACT_OK : act_error_memory(error);
}

ActStatus act_evaluator_new(ActEvaluator *evaluator, const ActModel *model, ActError *error)
{
    uint32_t n = model->n_metric;
    memset(evaluator, 0, sizeof *evaluator);
    evaluator->model = model;
    evaluator->n_value = model->n_input + model->n_target;
    evaluator->batch = model->batch;
    if (n > ACT_MAX_SCORES)
        return act_error(error, ACT_E_ARGUMENT, "model `%s` has %u metrics; %d are supported", model->name, n,
                         ACT_MAX_SCORES);
    evaluator->room = act_rooms_new(model, model->batch);
    evaluator->value = calloc(evaluator->n_value + 1, sizeof *evaluator->value);
    evaluator->loss = calloc(model->n_loss + 1, sizeof *evaluator->loss);
    evaluator->kind = calloc(n + 1, sizeof *evaluator->kind);
    evaluator->call = calloc(n + 1, sizeof *evaluator->call);
    evaluator->sum = calloc(n + 1, sizeof *evaluator->sum);
    evaluator->slots = calloc(n + 1, sizeof *evaluator->slots);
    evaluator->prediction = calloc(n + 1, sizeof *evaluator->prediction);
    ActStatus status = evaluator->room && evaluator->value && evaluator->loss && evaluator->kind && evaluator->call &&
                               evaluator->sum && evaluator->slots && evaluator->prediction
                           ? ACT_OK
                           : act_error_memory(error);
    for (uint32_t i = 0; status == ACT_OK && i < n; i++) status = new_metric(evaluator, i, error);
    if (status != ACT_OK) act_evaluator_free(evaluator);
    return status;
}

void act_evaluator_free(ActEvaluator *evaluator)
{
    uint32_t n = evaluator->model ? evaluator->model->n_metric : 0;
    for (uint32_t i = 0; i < n; i++) {
        if (evaluator->sum) free(evaluator->sum[i]);
        if (evaluator->prediction) free(evaluator->prediction[i]);
    }
    act_rooms_free(evaluator->room, evaluator->n_value);
    free(evaluator->value);
    free(evaluator->loss);
    free(evaluator->kind);
    free(evaluator->call);
    free(evaluator->sum);
    free(evaluator->slots);
    free(evaluator->prediction);
    memset(evaluator, 0, sizeof *evaluator);
}

ActStatus act_evaluator_room(ActEvaluator *evaluator, size_t rows, ActError *error)
{
    for (uint32_t i = 0; i < evaluator->model->n_metric; i++) {
        size_t slots = act_metric_slots(evaluator->kind[i], &evaluator->call[i], rows) + 1;
        if (slots <= evaluator->slots[i]) continue;
        free(evaluator->sum[i]);
        evaluator->slots[i] = 0;
        evaluator->sum[i] = calloc(slots, sizeof **evaluator->sum);
        if (!evaluator->sum[i]) return act_error_memory(error);
        evaluator->slots[i] = slots;
    }
    return ACT_OK;
}

ActStatus act_evaluator_run(ActEvaluator *evaluator, const ActInstance *instance, const ActDataset *set,
                            ActPartKind part, ActScore *score, ActError *error)
{
    const ActModel *model = evaluator->model;
    const ActRows *rows = &set->part[part];
    ActInstance drawing = *instance; /* with the seed of this run */
    drawing.seed = evaluator->seed;
    ActLossSum loss = { 0 };
    ActStatus room = act_evaluator_room(evaluator, rows->rows, error);
    if (room != ACT_OK) return room;
    ActAnswers *answers = evaluator->answers && evaluator->answers->classes ? evaluator->answers : NULL;
    if (answers) act_answers_clear(answers);
    for (uint32_t i = 0; i < model->n_metric; i++)
        memset(evaluator->sum[i], 0, evaluator->slots[i] * sizeof **evaluator->sum);
    for (size_t at = 0; at < rows->rows; at += evaluator->batch) {
        size_t n = rows->rows - at < evaluator->batch ? rows->rows - at : evaluator->batch;
        if (evaluator->stop && *evaluator->stop) return act_error(error, ACT_E_STOPPED, "interrupted");
        ActStatus status = act_dataset_batch(set, rows, NULL, at, n, evaluator->n_value, evaluator->room, evaluator->value, error);
        if (status != ACT_OK) return status;
        const void *const *target = evaluator->value + model->n_input;
        drawing.first = at;
        status = model->entry.evaluate(&drawing, evaluator->value, target, n, evaluator->loss, evaluator->prediction);
        if (status != ACT_OK)
            return act_error(error, status, "evaluation of `%s` failed: %s", model->name, act_status_text(status));
        act_loss_add(&loss, model, evaluator->loss, n);
        for (uint32_t i = 0; i < model->n_metric; i++)
            evaluator->kind[i]->add(&evaluator->call[i], evaluator->prediction[i], target[model->metric[i].target], n,
                                    evaluator->sum[i]);
        if (answers) {
            uint32_t i = answers->metric;
            act_answers_add(answers, &evaluator->call[i], model, evaluator->prediction[i], target[model->metric[i].target], evaluator->value, n, at);
        }
    }
    *score = (ActScore){ .part = act_part_name[part], .rows = rows->rows, .n_metric = model->n_metric };
    act_loss_score(score, model, &loss);
    for (uint32_t i = 0; i < model->n_metric; i++) {
        score->metric[i].name = model->metric[i].name;
        score->metric[i].value = evaluator->kind[i]->finish(&evaluator->call[i], evaluator->sum[i]);
        score->metric[i].percent = evaluator->kind[i]->percent;
    }
    return ACT_OK;
}

static ActStatus no_weights(const ActModel *model, const ActRun *run, const char *path, ActError *error)
{
    size_t n;
    uint64_t *steps = act_keep_steps(model, run->out, &n);
    char *newest = n ? act_keep_path(model, run->out, steps[0]) : NULL;
    act_error(error, ACT_E_IO, "there are no trained weights: `%s` does not exist; ", path);
    if (newest) act_error_more(error, "a training that did not end left `%s`, which `--weights` takes, and `train --resume` goes on with", newest);
    else act_error_more(error, "run `train` first, or name a file with `--weights`");
    free(newest);
    free(steps);
    return ACT_E_IO;
}

ActStatus act_run_load(ActInstance *instance, const ActRun *run, ActFacts *facts, ActError *error)
{
    if (run->keep) {
        facts->loaded = 1;
        return ACT_OK;
    }
    if (run->weights) return act_weights_load(instance, run->weights, facts, error);
    char *path = act_weights_path(instance->model, run->out);
    if (!path) return act_error_memory(error);
    ActStatus status = ACT_OK; /* a model without parameters needs no file */
    if (act_file_exists(path))
        status = act_weights_load(instance, path, facts, error);
    else if (instance->model->n_param > 0)
        status = no_weights(instance->model, run, path, error);
    free(path);
    return status;
}

uint64_t act_run_seed(const ActModel *model, const ActRun *run)
{
    return run->has_seed ? run->seed : model->train ? model->train->seed : 1;
}

void act_run_note(const ActInstance *instance, const ActRun *run, const ActFacts *facts)
{
    if (run->log && facts->other_text)
        fprintf(
            run->log,
            "note: the weights were trained by another text of model `%s`; their shapes fit, whether their meaning "
                "does is for you to say\n",
            instance->model->name);
}

/* Is there such a part, written out or as a split of the training part? Without a `data` block the files decide. */
static int has_part(const ActModel *model, int kind)
{
    const ActData *data = model->train ? model->train->data : NULL;
    for (uint32_t p = 0; data && p < data->n_part; p++)
        if (strcmp(data->part[p].name, act_part_name[kind]) == 0) return 1;
    return !data || (kind == ACT_VALIDATION_PART && data->validation_split > 0);
}

ActStatus act_run_part(const ActModel *model, const ActRun *run, ActPartKind *part, ActError *error)
{
    for (int p = ACT_PARTS; p-- > 0;)
        if (has_part(model, p) && (!run->part || strcmp(run->part, act_part_name[p]) == 0)) {
            *part = (ActPartKind)p;
            return ACT_OK;
        }
    act_error(error, ACT_E_ARGUMENT, "the data of model `%s` has no part `%s`; there is", model->name,
              run->part ? run->part : "test");
    for (int p = 0, n = 0; p < ACT_PARTS; p++)
        if (has_part(model, p)) act_error_more(error, "%s `%s`", n++ ? "," : "", act_part_name[p]);
    return ACT_E_ARGUMENT;
}

ActStatus act_evaluate(ActInstance *instance, const ActRun *given, ActResult *result, ActError *error)
{
    static const ActRun plain;
    const ActRun *run = given ? given : &plain;
    act_error_clear(error);
    if (!instance) return act_error(error, ACT_E_ARGUMENT, "act_evaluate wants an instance");
    ActFacts facts = { 0 };
    ActDataset set = { 0 };
    ActEvaluator evaluator = { 0 };
    ActResult here = { 0 };
    ActPartKind part = ACT_TEST_PART;
    ActStatus status = act_facts_new(&facts, instance->model, error);
    if (status == ACT_OK) status = act_run_part(instance->model, run, &part, error);
    if (status == ACT_OK) status = act_run_load(instance, run, &facts, error);
    if (status == ACT_OK) act_run_note(instance, run, &facts);
    if (status == ACT_OK) status = act_evaluator_new(&evaluator, instance->model, error);
    evaluator.seed = act_run_seed(instance->model, run);
    if (status == ACT_OK) {
        ActWanted wanted = { 1u << part, 1, NULL, 0 };
        status = act_dataset_load(&set, instance, run, &wanted, &facts, error);
    }
    if (status == ACT_OK && set.part[part].rows == 0)
        status = act_error(error, ACT_E_DATA, "the data of model `%s` has no `%s` part; `--part` names another",
                           instance->model->name, act_part_name[part]);
    if (status == ACT_OK) status = act_evaluator_run(&evaluator, instance, &set, part, &here.score, error);
    if (status == ACT_OK && run->log)
        fprintf(run->log, "%s (%s row%s)\n", act_text_score(&here.score).text, act_text_count(here.score.rows).text,
                here.score.rows == 1 ? "" : "s");
    if (status == ACT_OK && result) *result = here;
    act_evaluator_free(&evaluator);
    act_dataset_free(&set);
    act_facts_free(&facts);
    return status;
}
