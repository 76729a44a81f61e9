#include "act/act.h"

#include "augment.h"
#include "core/layout.h"
#include "core/random.h"
#include "evaluate.h"
#include "progress.h"
#include "shuffle.h"
#include "weights.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A training run. Everything is allocated before the first step. */
typedef struct Training {
    ActInstance *m;
    const ActModel *model;
    const ActRun *run;
    ActError *error;
    ActFacts facts;
    ActDataset set;
    ActEvaluator evaluator;
    ActProgress progress;
    uint64_t epochs, seed, steps_per_epoch, step, epoch, patience;
    size_t batch;
    uint32_t *order;          /* of the training rows in this epoch */
    void **room;              /* per value: a batch of rows */
    const void **value;
    float *loss;
    float *spare;             /* of an image, where images are moved */
    double last_loss;         /* of the step before, for the message about NaN */
    void *best;               /* the parameters of the best epoch; NULL without a validation part */
    double best_loss;
    uint64_t best_epoch;
    char *path;               /* of the weights */
    ActResult result;
} Training;

static uint64_t parameter_count(const ActModel *model)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < model->n_param; i++)
        if (model->param[i].role == ACT_PARAM) n += act_layout_elements(&model->param[i]);
    return n;
}

/* The files a run will write must be writable before it computes for hours. */
static ActStatus prepare_output(Training *t)
{
    const char *directory = t->run->out && *t->run->out ? t->run->out : ".";
    t->path = act_weights_path(t->model, t->run->out);
    if (!t->path) return act_error_memory(t->error);
    ActStatus status = act_file_make_directory(directory, t->error);
    if (status == ACT_OK && access(directory, W_OK) != 0)
        status = act_error(t->error, ACT_E_IO, "the directory `%s` can't be written to: %s; `--out DIR` names another",
                           directory, strerror(errno));
    return status;
}

static ActStatus prepare_weights(Training *t)
{
    const char *from = t->run->weights ? t->run->weights : NULL;
    char *found = NULL;
    if (!from && t->model->train && t->model->train->start_from) {
        const ActData *data = t->model->train->data;
        found =
            act_file_find(t->model->train->start_from, data ? data->base : ".", t->run->data, t->run->n_data, t->error);
        if (!found) return ACT_E_IO;
        from = found;
    }
    ActStatus status = t->model->entry.init(t->m, t->seed);
    if (status != ACT_OK)
        act_error(t->error, status, "model `%s` can't be initialized: %s", t->model->name, act_status_text(status));
    else if (from) status = act_weights_load(t->m, from, &t->facts, t->error);
    free(found);
    return status;
}

static ActStatus prepare(Training *t)
{
    const ActModel *model = t->model;
    const ActTrain *block = model->train;
    const ActRun *run = t->run;
    t->epochs = run->epochs ? run->epochs : block && block->epochs ? block->epochs : 10;
    t->seed = act_run_seed(model, run);
    t->patience = block ? block->patience : 0;
    uint64_t batch = run->batch ? run->batch : block && block->batch ? block->batch : model->batch;
    if (batch > model->batch)
        return act_error(
            t->error, ACT_E_ARGUMENT,
            "a batch of %s is more than the %u rows that model `%s` was compiled for; compile it with `--batch %llu`",
            act_text_count(batch).text, model->batch, model->name, (unsigned long long)batch);
    t->batch = (size_t)batch;

    ActStatus status = act_facts_new(&t->facts, model, t->error);
    if (status == ACT_OK) status = act_evaluator_new(&t->evaluator, model, t->error);
    t->evaluator.seed = t->seed;
    if (status == ACT_OK) status = prepare_output(t);
    if (status == ACT_OK) status = prepare_weights(t);
    if (status == ACT_OK) {
        ActWanted all = { 1u << ACT_TRAIN_PART | 1u << ACT_VALIDATION_PART | 1u << ACT_TEST_PART, 1, NULL };
        status = act_dataset_load(&t->set, t->m, run, &all, &t->facts, t->error);
    }
    if (status != ACT_OK) return status;
    size_t rows = t->set.part[ACT_TRAIN_PART].rows;
    if (rows == 0) return act_error(t->error, ACT_E_DATA, "the data of model `%s` has no training part", model->name);
    t->steps_per_epoch = (rows + batch - 1) / batch;

    t->order = malloc(rows * sizeof *t->order);
    t->room = act_rooms_new(model, t->batch);
    t->value = calloc(t->set.n_value + 1, sizeof *t->value);
    t->loss = calloc(model->n_loss + 1, sizeof *t->loss);
    size_t spare = act_augment_spare(model);
    if (spare) t->spare = malloc(spare * sizeof *t->spare);
    int validated = t->set.part[ACT_VALIDATION_PART].rows > 0;
    if (validated) t->best = malloc(model->param_bytes + 1);
    t->best_loss = INFINITY;
    return t->order && t->room && t->value && t->loss && (t->spare || !spare) && (t->best || !validated) ? ACT_OK : act_error_memory(t->error);
}

static void introduce(Training *t)
{
    const ActTrain *block = t->model->train;
    act_progress_say(&t->progress, "%s: %s parameters%s%s, batch %zu, %u thread%s", t->model->name,
                     act_text_count(parameter_count(t->model)).text, block && block->optimizer ? ", " : "",
                     block && block->optimizer ? block->optimizer : "", t->batch, act_pool_threads(t->m->pool),
                     act_pool_threads(t->m->pool) == 1 ? "" : "s");
    char text[256];
    size_t at =
        (size_t)snprintf(text, sizeof text, "%s: %s training row%s", block && block->data ? block->data->name : "data",
                         act_text_count(t->set.part[ACT_TRAIN_PART].rows).text,
                         t->set.part[ACT_TRAIN_PART].rows == 1 ? "" : "s");
    for (int p = ACT_VALIDATION_PART; p < ACT_PARTS && at < sizeof text; p++)
        if (t->set.part[p].rows)
            at += (size_t)snprintf(text + at, sizeof text - at, ", %s %s row%s",
                                   act_text_count(t->set.part[p].rows).text, act_part_name[p],
                                   t->set.part[p].rows == 1 ? "" : "s");
    act_progress_say(&t->progress, "%s", text);
    if (t->patience && !t->best)
        act_progress_say(&t->progress,
                         "note: stop early looks at the validation part, and the data has none: all epochs are run");
}

static ActStatus nonfinite(Training *t, double loss, uint64_t step_of_epoch)
{
    const ActTrain *block = t->model->train;
    act_error(t->error, ACT_E_NONFINITE,
              "the loss of model `%s` became %s at step %llu (epoch %llu, step %llu of %llu)", t->model->name,
              isnan(loss) ? "NaN" : "infinite", (unsigned long long)t->step, (unsigned long long)t->epoch,
              (unsigned long long)step_of_epoch, (unsigned long long)t->steps_per_epoch);
    if (t->step > 1) act_error_more(t->error, "; it was %s one step before", act_text_metric(t->last_loss, 0).text);
    act_error_more(t->error, ". Take a lower learning rate (`--lr-scale 0.1` tries a tenth");
    if (block && block->lr > 0) act_error_more(t->error, " of lr = %g", block->lr);
    act_error_more(t->error,
                   "), scale inputs and targets to about -1 to 1, or clip the gradient. No weights were written");
    return ACT_E_NONFINITE;
}

static int stopped(const Training *t)
{
    return t->run->stop && *t->run->stop;
}

/* The steps of one epoch; the last may have fewer rows. */
static ActStatus run_epoch(Training *t, ActScore *trained)
{
    const ActModel *model = t->model;
    const ActRows *train = &t->set.part[ACT_TRAIN_PART];
    double total = (double)(t->epochs * t->steps_per_epoch), extra = t->run->lr_scale > 0 ? t->run->lr_scale : 1;
    ActLossSum sum = { 0 };
    for (size_t i = 0; i < train->rows; i++) t->order[i] = train->index ? train->index[i] : (uint32_t)i;
    act_shuffle(t->order, train->rows, t->seed, ACT_STREAM_SHUFFLE, t->epoch);
    act_progress_epoch(&t->progress);
    uint64_t k = 0;
    for (size_t at = 0; at < train->rows && !stopped(t); at += t->batch) {
        size_t n = train->rows - at < t->batch ? train->rows - at : t->batch;
        act_dataset_batch(&t->set, train, t->order, at, n, t->set.n_value, t->room, t->value);
        t->step++;
        k++;
        if (t->spare) act_augment(model, t->seed, t->step, n, t->room, t->spare); /* in shuffled order all lies in rooms */
        double scale = model->entry.schedule ? model->entry.schedule((double)t->step, total) : 1;
        const ActStep step = { t->step, scale * extra, t->seed };
        ActStatus status = model->entry.train_step(t->m, &step, t->value, t->value + model->n_input, n, t->loss);
        if (status != ACT_OK)
            return act_error(t->error, status, "step %llu of model `%s` failed: %s", (unsigned long long)t->step,
                             model->name, act_status_text(status));
        double loss = act_loss_value(model, t->loss, n);
        if (!isfinite(loss)) return nonfinite(t, loss, k);
        t->last_loss = loss;
        act_loss_add(&sum, model, t->loss, n);
        act_progress_step(&t->progress, t->epoch, k, sum.rows, sum.total / (double)sum.rows);
    }
    act_loss_score(trained, model, &sum);
    return ACT_OK;
}

static ActStatus save(Training *t)
{
    const ActStand stand = { t->epoch, t->step, t->seed };
    return act_weights_save(t->m, t->path, &t->facts, &stand, t->error);
}

/* Evaluates the validation and test parts, keeps the best weights, writes the epoch's line. `give_up`: patience has run
 * out. */
static ActStatus close_epoch(Training *t, const ActScore *trained, int *give_up)
{
    ActScore score[ACT_PARTS];
    size_t n = 0;
    double rate = act_progress_trained(&t->progress, t->set.part[ACT_TRAIN_PART].rows);
    for (int p = ACT_VALIDATION_PART; p < ACT_PARTS; p++) {
        if (!t->set.part[p].rows) continue;
        ActStatus status = act_evaluator_run(&t->evaluator, t->m, &t->set, (ActPartKind)p, &score[n], t->error);
        if (status != ACT_OK) return status;
        if (p == ACT_VALIDATION_PART && score[n].loss < t->best_loss) {
            t->best_loss = score[n].loss;
            t->best_epoch = t->epoch;
            memcpy(t->best, t->m->param, t->model->param_bytes);
        }
        n++;
    }
    act_progress_report(&t->progress, t->epoch, trained, score, n, rate);
    *give_up = t->best && t->patience && t->epoch - t->best_epoch >= t->patience;
    uint64_t every = t->model->train ? t->model->train->checkpoint_every : 0;
    return every && t->epoch % every == 0 && t->epoch < t->epochs ? save(t) : ACT_OK;
}

/* The line that ends a run: the test part, or the nearest thing to it. */
static ActStatus final_score(Training *t)
{
    ActScore *score = &t->result.score;
    ActPartKind part = t->set.part[ACT_TEST_PART].rows         ? ACT_TEST_PART
                       : t->set.part[ACT_VALIDATION_PART].rows ? ACT_VALIDATION_PART
                                                               : ACT_TRAIN_PART;
    ActStatus status = act_evaluator_run(&t->evaluator, t->m, &t->set, part, score, t->error);
    if (status != ACT_OK) return status;
    act_progress_say(&t->progress, "weights: %s", t->path);
    act_progress_say(&t->progress, "%s (%s row%s%s)", act_text_score(score).text, act_text_count(score->rows).text,
                     score->rows == 1 ? "" : "s",
                     part == ACT_TEST_PART         ? ""
                     : part == ACT_VALIDATION_PART ? "; the data has no test part"
                                                   : "; the data has no validation or test part");
    return ACT_OK;
}

static ActStatus train(Training *t)
{
    int give_up = 0;
    ActStatus status = prepare(t);
    if (status != ACT_OK) return status;
    act_progress_begin(&t->progress, t->run->log, t->epochs, t->steps_per_epoch);
    introduce(t);
    while (t->epoch < t->epochs && !give_up && !stopped(t)) {
        t->epoch++;
        ActScore trained = { 0 };
        status = run_epoch(t, &trained);
        t->result.train_loss = trained.loss;
        if (status == ACT_OK && !stopped(t)) status = close_epoch(t, &trained, &give_up);
        if (status != ACT_OK) return status;
    }
    if (give_up && t->epoch < t->epochs)
        act_progress_say(&t->progress, "stopped early: the validation loss was best in epoch %llu",
                         (unsigned long long)t->best_epoch);
    if (t->best_epoch) memcpy(t->m->param, t->best, t->model->param_bytes);
    t->result.epochs = t->epoch;
    t->result.steps = t->step;
    t->result.best_epoch = t->best_epoch;
    status = save(t);
    if (status != ACT_OK) return status;
    if (stopped(t))
        return act_error(t->error, ACT_E_STOPPED,
                         "interrupted after step %llu (epoch %llu of %llu); the weights%s are in `%s`",
                         (unsigned long long)t->step, (unsigned long long)t->epoch, (unsigned long long)t->epochs,
                         t->best_epoch ? " of the best epoch" : "", t->path);
    return final_score(t);
}

ActStatus act_train(ActInstance *instance, const ActRun *run, ActResult *result, ActError *error)
{
    static const ActRun plain;
    act_error_clear(error);
    if (!instance) return act_error(error, ACT_E_ARGUMENT, "act_train wants an instance");
    ActError here;
    Training t = { .m = instance, .model = instance->model, .run = run ? run : &plain, .error = error ? error : &here };
    ActStatus status = train(&t);
    if (t.progress.dirty) fputc('\n', t.progress.out);
    if (result) *result = t.result;
    act_facts_free(&t.facts);
    act_dataset_free(&t.set);
    act_evaluator_free(&t.evaluator);
    act_rooms_free(t.room, instance->model->n_input + instance->model->n_target);
    free(t.order);
    free(t.value);
    free(t.loss);
    free(t.spare);
    free(t.best);
    free(t.path);
    return status;
}
