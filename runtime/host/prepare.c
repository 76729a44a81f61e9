/* What happens before the first step. */
#include "training.h"

#include "augment.h"
#include "balance.h"
#include "trial.h"
#include "core/layout.h"

#include <math.h>
#include <stdlib.h>

static const double every_seconds = 600; /* a checkpoint where nobody said when */

static uint64_t parameter_count(const ActModel *model)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < model->n_param; i++)
        if (model->param[i].role == ACT_PARAM) n += act_layout_elements(&model->param[i]);
    return n;
}

int act_training_stopped(const ActTraining *t)
{
    return t->run->stop && *t->run->stop;
}

int act_training_over(const ActTraining *t)
{
    return t->epoch >= t->epochs || (t->validated && t->patience && t->epoch - t->best_epoch >= t->patience);
}

static void read_settings(ActTraining *t)
{
    const ActTrain *block = t->model->train;
    const ActRun *run = t->run;
    t->block_epochs = block && block->epochs ? block->epochs : 10;
    t->block_batch = block && block->batch ? block->batch : t->model->batch;
    t->block_seed = block ? block->seed : 1;
    t->epochs = run->epochs ? run->epochs : t->block_epochs;
    t->batch = run->batch ? run->batch : t->block_batch;
    t->seed = act_run_seed(t->model, run);
    t->patience = block ? block->patience : 0;
    t->lr_scale = run->lr_scale > 0 ? run->lr_scale : 1;
    t->directory = run->out && *run->out ? run->out : ".";

    ActCadence *cadence = &t->cadence;
    *cadence = (ActCadence){ run->checkpoint_epochs, run->checkpoint_steps, run->checkpoint_seconds, 0 };
    int given = cadence->epochs || cadence->steps || cadence->seconds > 0;
    if (!given && block && !run->checkpoint_never) {
        cadence->epochs = block->checkpoint_every;
        cadence->steps = block->checkpoint_steps;
    }
    cadence->asked = cadence->epochs || cadence->steps || cadence->seconds > 0 || run->folds; /* a fold that is over says so */
    if (!cadence->asked && !run->checkpoint_never) cadence->seconds = every_seconds;
}

/* Everything a checkpoint holds beside parameters, optimizer and facts, and all that must be the same there and here. */
static void list_state(ActTraining *t)
{
    const ActTrain *block = t->model->train;
    const ActData *data = block ? block->data : NULL;
    ActState *state = &t->state;
    act_state_counts(state, "train.step", &t->step, 1);
    act_state_counts(state, "train.epoch", &t->epoch, 1);
    act_state_counts(state, "train.row", &t->row, 1);
    act_state_counts(state, "train.rows", &t->rows, 1);
    act_state_counts(state, "train.epochs", &t->epochs, 1);
    act_state_counts(state, "train.finished", &t->finished, 1);
    act_state_numbers(state, "train.lr_scale", &t->lr_scale, 1);
    act_state_numbers(state, "train.loss_total", &t->sum.total, 1);
    act_state_numbers(state, "train.loss_parts", t->sum.part, t->model->n_loss < ACT_MAX_SCORES ? t->model->n_loss : ACT_MAX_SCORES);
    act_state_counts(state, "train.loss_rows", &t->sum.rows, 1);
    act_state_numbers(state, "train.last_loss", &t->last_loss, 1);
    act_state_numbers(state, "train.best_loss", &t->best_loss, 1);
    act_state_counts(state, "train.best_epoch", &t->best_epoch, 1);
    act_state_tensors(state, "best:", t->model->param, t->model->n_param, t->best, &t->best_epoch);
    act_state_counts(state, "train.block_epochs", &t->block_epochs, 1);
    act_state_counts(state, "train.block_batch", &t->block_batch, 1);
    act_state_counts(state, "train.block_seed", &t->block_seed, 1);
    act_keep_state(&t->keep, state);

    act_state_agree(state, "train.batch", "batch", t->batch);
    act_state_agree(state, "train.seed", "seed", t->seed);
    act_state_agree_text(state, "train.optimizer", "optimizer", block ? block->settings : NULL);
    act_state_agree_text(state, "train.schedule", "schedule", block ? block->schedule : NULL);
    act_state_agree_hash(state, "train.recipe", "a formula of the optimizer or of the schedule was changed since", block ? block->recipe : NULL);
    if (t->run->folds) act_state_agree(state, "train.folds", "folds", t->run->folds);
    if (t->run->folds) act_state_agree(state, "train.fold", "fold", t->run->fold);
    act_state_agree(state, "train.flip", "augment flip", data ? data->flip : 0);
    act_state_agree(state, "train.crop", "augment crop", data ? data->crop : 0);
}

static ActStatus prepare_weights(ActTraining *t)
{
    const char *from = t->run->weights ? t->run->weights : NULL;
    char *found = NULL;
    ActStatus status = t->model->entry.init(t->m, t->seed);
    if (status != ACT_OK)
        return act_error(t->error, status, "model `%s` can't be initialized: %s", t->model->name, act_status_text(status));
    if (t->from.path) return act_resume_load(t);
    if (!from && t->model->train && t->model->train->start_from) {
        const ActData *data = t->model->train->data;
        found =
            act_file_find(t->model->train->start_from, data ? data->base : ".", t->run->data, t->run->n_data, 0, t->error);
        if (!found) return ACT_E_IO;
        from = found;
    }
    if (from) status = act_weights_load(t->m, from, &t->facts, t->error);
    free(found);
    return status;
}

static ActStatus allocate(ActTraining *t)
{
    const ActModel *model = t->model;
    t->order = malloc(t->rows * sizeof *t->order);
    t->loss = calloc(model->n_loss + 1, sizeof *t->loss);
    if (!t->order || !t->loss) return act_error_memory(t->error);
    if (!act_trial_is(t->run)) {
        t->feed = act_feed_new(&t->set, (size_t)t->batch, t->m->pool, t->seed, ACT_FEED_BY_RULE, t->error);
        return t->feed ? ACT_OK : ACT_E_MEMORY;
    }
    t->room = act_rooms_new(model, (size_t)t->batch);
    t->value = calloc(t->set.n_value + 1, sizeof *t->value);
    size_t spare = act_augment_spare(model);
    if (spare) t->spare = malloc(spare * sizeof *t->spare);
    return t->room && t->value && (t->spare || !spare) ? ACT_OK : act_error_memory(t->error);
}

ActStatus act_training_prepare(ActTraining *t)
{
    const ActModel *model = t->model;
    const ActRun *run = t->run;
    read_settings(t);
    ActStatus status = act_logs_check(run->logs, run->n_logs, t->error);
    if (status == ACT_OK && run->resume) status = act_resume_open(t);
    if (status != ACT_OK) return status;
    if (t->from.path) act_resume_settle(t);
    if (t->batch > model->batch) {
        act_error(
            t->error, ACT_E_ARGUMENT,
            "a batch of %s is more than the %u rows that model `%s` was compiled for; compile it with `--batch %llu`",
            act_text_count(t->batch).text, model->batch, model->name, (unsigned long long)t->batch);
        if (t->from.path) act_error_more(t->error, ", under which `%s` was written", t->from.path);
        return ACT_E_ARGUMENT;
    }
    t->best = calloc(1, model->param_bytes + 1);
    if (!t->best) return act_error_memory(t->error);
    t->best_loss = t->keep.best = INFINITY;
    t->keep.model = model;
    t->keep.directory = t->directory;
    t->keep.last = run->checkpoint_keep ? run->checkpoint_keep : run->folds ? 1 : 3;
    list_state(t);

    status = act_average_new(&t->average, t->m, &t->state, t->error);
    if (status == ACT_OK) status = act_facts_new(&t->facts, model, t->error);
    if (status == ACT_OK) status = act_evaluator_new(&t->evaluator, model, t->error);
    t->evaluator.seed = t->seed;
    t->evaluator.stop = run->stop;
    if (status == ACT_OK && !act_trial_is(run)) status = act_save_prepare(t);
    if (status == ACT_OK) status = prepare_weights(t);
    const int measured = t->facts.known; /* by the run that wrote these weights */
    if (status == ACT_OK) {
        ActWanted all = { 1u << ACT_TRAIN_PART | 1u << ACT_VALIDATION_PART | 1u << ACT_TEST_PART, 1, NULL, run->fold <= 1 };
        status = act_dataset_load(&t->set, t->m, run, &all, &t->facts, t->error);
        if (status != ACT_OK && t->from.path) act_error_more(t->error, ". Classes and constants are those of `%s`", t->from.path);
    }
    for (unsigned p = 0; status == ACT_OK && p < ACT_PARTS; p++)
        status = act_evaluator_room(&t->evaluator, t->set.part[p].rows, t->error);
    if (status != ACT_OK) return status;
    size_t rows = t->set.part[ACT_TRAIN_PART].rows;
    if (rows == 0) return act_error(t->error, ACT_E_DATA, "the data of model `%s` has no training part", model->name);
    t->steps_per_epoch = (rows + t->batch - 1) / t->batch;
    t->validated = t->set.part[ACT_VALIDATION_PART].rows > 0;
    if (t->from.path) status = act_resume_verify(t);
    t->rows = rows;
    if (status == ACT_OK) status = allocate(t);
    const ActEvaluator *spare = &t->evaluator; /* whose rooms are free */
    if (status == ACT_OK && !measured) status = act_balance_measure(t->m, &t->set, spare->room, spare->value, spare->batch, t->error);
    return status;
}

static void introduce_checkpoints(ActTraining *t)
{
    const ActCadence *every = &t->cadence;
    char text[128] = "";
    if (t->from.path && act_training_over(t))
        act_progress_say(&t->progress, "goes on from `%s`: step %llu; %llu epoch%s over, nothing is left to train (`--epochs N` trains longer)",
                         t->from.path, (unsigned long long)t->step, (unsigned long long)t->epoch, t->epoch == 1 ? " is" : "s are");
    else if (t->from.path)
        act_progress_say(&t->progress, "goes on from `%s`: step %llu, epoch %llu of %llu", t->from.path, (unsigned long long)t->step,
                         (unsigned long long)t->epoch + 1, (unsigned long long)t->epochs);
    if (!every->asked) return;
    size_t at = 0;
    if (every->epochs) at += (size_t)snprintf(text, sizeof text, ", every %s epoch%s",
                                              act_text_count(every->epochs).text, every->epochs == 1 ? "" : "s");
    if (every->steps) at += (size_t)snprintf(text + at, sizeof text - at, ", every %s step%s",
                                             act_text_count(every->steps).text, every->steps == 1 ? "" : "s");
    if (every->seconds > 0) snprintf(text + at, sizeof text - at, ", every %g seconds", every->seconds);
    act_progress_say(&t->progress, "checkpoints in `%s`%s; the last %llu stay, and the best", t->directory, text,
                     (unsigned long long)t->keep.last);
}

void act_training_introduce(ActTraining *t)
{
    const ActTrain *block = t->model->train;
    act_progress_say(&t->progress, "%s: %s parameters%s%s, batch %llu, %u thread%s", t->model->name,
                     act_text_count(parameter_count(t->model)).text, block && block->optimizer ? ", " : "",
                     block && block->optimizer ? block->optimizer : "", (unsigned long long)t->batch, act_pool_threads(t->m->pool),
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
    if (t->patience && !t->validated)
        act_progress_say(&t->progress,
                         "note: stop early looks at the validation part, and the data has none: all epochs are run");
    introduce_checkpoints(t);
}
