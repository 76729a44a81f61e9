#include "act/act.h"

#include "core/random.h"
#include "shuffle.h"
#include "training.h"
#include "trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ActStatus nonfinite(ActTraining *t, double loss, uint64_t step_of_epoch)
{
    const ActTrain *block = t->model->train;
    act_error(t->error, ACT_E_NONFINITE,
              "the loss of model `%s` became %s at step %llu (epoch %llu, step %llu of %llu)", t->model->name,
              isnan(loss) ? "NaN" : "infinite", (unsigned long long)t->step, (unsigned long long)t->epoch + 1,
              (unsigned long long)step_of_epoch, (unsigned long long)t->steps_per_epoch);
    if (t->step > 1) act_error_more(t->error, "; it was %s one step before", act_text_metric(t->last_loss, 0).text);
    act_error_more(t->error, ". Take a lower learning rate (`--lr-scale 0.1` tries a tenth");
    if (block && block->lr > 0) act_error_more(t->error, " of lr = %g", block->lr);
    act_error_more(t->error,
                   "), scale inputs and targets to about -1 to 1, or clip the gradient. No weights were written");
    if (t->saved_step)
        act_error_more(t->error, "; `--resume` goes on from the checkpoint of step %llu", (unsigned long long)t->saved_step);
    if (t->monitor.watch) return act_monitor_trace(&t->monitor, t);
    return ACT_E_NONFINITE;
}

void act_training_order(ActTraining *t)
{
    const ActRows *train = &t->set.part[ACT_TRAIN_PART];
    for (size_t i = 0; i < train->rows; i++) t->order[i] = train->index ? train->index[i] : (uint32_t)i;
    act_shuffle(t->order, train->rows, t->seed, ACT_STREAM_SHUFFLE, t->epoch + 1);
}

ActStatus act_training_step(ActTraining *t, void *const *array, size_t *n)
{
    const ActModel *model = t->model;
    double total = (double)(t->epochs * t->steps_per_epoch);
    ActStatus status = act_feed_next(t->feed, &t->given, n, t->error);
    if (status != ACT_OK) return status;
    t->step++;
    t->scale = (model->entry.schedule ? model->entry.schedule((double)t->step, total) : 1) * t->lr_scale;
    const ActStep step = { t->step, t->scale, t->seed };
    const void *const *target = t->given + model->n_input;
    status = array ? model->watch->step(t->m, &step, t->given, target, *n, t->loss, array)
                   : model->entry.train_step(t->m, &step, t->given, target, *n, t->loss);
    if (status == ACT_OK) return status;
    return act_error(t->error, status, "step %llu of model `%s` failed: %s", (unsigned long long)t->step, model->name,
                     act_status_text(status));
}

/* The steps of one epoch, from where it stands; the last may have fewer rows. */
static ActStatus run_epoch(ActTraining *t)
{
    const ActModel *model = t->model;
    size_t rows = t->set.part[ACT_TRAIN_PART].rows, n;
    act_training_order(t);
    act_progress_epoch(&t->progress, t->row);
    act_feed_begin(t->feed, t->order, t->row, t->step + 1);
    while (t->row < rows && !act_training_stopped(t)) {
        uint64_t k = t->row / t->batch + 1;
        int watched = act_monitor_wants(&t->monitor, t);
        ActStatus status = act_training_step(t, watched ? t->monitor.array : NULL, &n);
        if (status != ACT_OK) return status;
        double loss = act_loss_value(model, t->loss, n);
        if (!isfinite(loss)) return nonfinite(t, loss, k);
        if (watched) status = act_monitor_measure(&t->monitor, t, n);
        if (status != ACT_OK) return status;
        act_monitor_stepped(&t->monitor, t->step, t->epoch + 1, loss);
        t->last_loss = loss;
        t->row += n;
        act_loss_add(&t->sum, model, t->loss, n);
        act_progress_step(&t->progress, t->epoch + 1, k, t->sum.rows, t->sum.total / (double)t->sum.rows);
        if (t->row < rows) act_save_after_step(t);
    }
    return ACT_OK;
}

/* Evaluates the validation and test parts, keeps the best weights, writes the epoch's line. ACT_E_STOPPED: nothing of it has happened. */
static ActStatus close_epoch(ActTraining *t)
{
    ActScore score[ACT_PARTS], trained = { 0 };
    size_t n = 0;
    double rate = act_progress_trained(&t->progress, t->set.part[ACT_TRAIN_PART].rows), value;
    act_average_epoch(&t->average, t->epoch + 1);
    act_average_use(&t->average);
    for (int p = ACT_VALIDATION_PART; p < ACT_PARTS; p++) {
        if (!t->set.part[p].rows) continue;
        ActStatus status = act_evaluator_run(&t->evaluator, t->m, &t->set, (ActPartKind)p, &score[n], t->error);
        if (status != ACT_OK) {
            act_average_leave(&t->average);
            return status;
        }
        n++;
    }
    act_loss_score(&trained, t->model, &t->sum);
    t->result.train_loss = value = trained.loss;
    t->epoch++;
    t->row = 0;
    t->sum = (ActLossSum){ 0 };
    if (t->validated) value = score[0].loss;
    int improved = t->validated && value < t->best_loss;
    if (improved) {
        t->best_loss = value;
        t->best_epoch = t->epoch;
        memcpy(t->best, t->m->param, t->model->param_bytes);
    }
    act_average_leave(&t->average);
    act_progress_report(&t->progress, t->epoch, &trained, score, n, rate);
    const ActLogEvent event = { .epoch = t->epoch,
                                .step = t->step,
                                .seconds = act_progress_seconds() - t->progress.begin,
                                .rate = rate,
                                .trained = &trained,
                                .score = score,
                                .n = n };
    act_logs_write(&t->logs, &event, t->run->problems);
    act_monitor_over(&t->monitor, &trained, score, n);
    act_save_after_epoch(t, value, improved);
    return ACT_OK;
}

void act_training_settle(ActTraining *t)
{
    if (t->best_epoch) memcpy(t->m->param, t->best, t->model->param_bytes);
    else act_average_use(&t->average);
}

/* The line that ends a run: the test part, or the nearest thing to it. */
static ActStatus final_score(ActTraining *t)
{
    ActScore *score = &t->result.score;
    ActPartKind part = t->set.part[ACT_TEST_PART].rows ? ACT_TEST_PART : t->validated ? ACT_VALIDATION_PART : ACT_TRAIN_PART;
    act_progress_say(&t->progress, "weights: %s", t->path);
    if (t->logs.n) t->evaluator.answers = &t->answers;
    ActStatus status = act_evaluator_run(&t->evaluator, t->m, &t->set, part, score, t->error);
    if (status == ACT_E_STOPPED)
        return act_error(t->error, status, "interrupted in the last evaluation; the training is done, its weights are in `%s`", t->path);
    if (status != ACT_OK) return status;
    if (t->logs.n) act_answers_log(&t->answers, t->model, &t->facts, t->step, score->part, &t->logs, t->run->problems);
    t->evaluator.answers = NULL;
    if (t->run->folds && part == ACT_VALIDATION_PART) t->result.validation = *score;
    else if (t->run->folds) status = act_evaluator_run(&t->evaluator, t->m, &t->set, ACT_VALIDATION_PART, &t->result.validation, t->error);
    if (status != ACT_OK) return status;
    act_progress_say(&t->progress, "%s (%s row%s%s)", act_text_score(score).text, act_text_count(score->rows).text,
                     score->rows == 1 ? "" : "s",
                     part == ACT_TEST_PART         ? ""
                     : part == ACT_VALIDATION_PART ? "; the data has no test part"
                                                   : "; the data has no validation or test part");
    return ACT_OK;
}

static ActStatus train(ActTraining *t)
{
    ActStatus status = act_training_prepare(t);
    if (status != ACT_OK) return status;
    if (act_trial_is(t->run)) return act_trial(t);
    act_progress_begin(&t->progress, t->run->log, t->epochs, t->steps_per_epoch);
    t->progress.before = t->step;
    status = act_save_begin(t);
    if (status == ACT_OK) status = act_logs_open(&t->logs, t->run->logs, t->run->n_logs, t->step, t->error);
    if (status == ACT_OK && t->logs.n) status = act_answers_new(&t->answers, t->model, t->error);
    if (status != ACT_OK) return status;
    act_training_log(t);
    act_training_introduce(t);
    status = act_monitor_begin(&t->monitor, t);
    if (status != ACT_OK) return status;
    while (!act_training_over(t) && !act_training_stopped(t)) {
        status = run_epoch(t);
        act_feed_end(t->feed);
        if (status == ACT_OK && !act_training_stopped(t)) status = close_epoch(t);
        if (status == ACT_E_STOPPED) break;
        if (status != ACT_OK) return status;
    }
    t->result.epochs = t->epoch + (t->row > 0);
    t->result.steps = t->step;
    t->result.best_epoch = t->best_epoch;
    if (!act_training_over(t)) return act_save_stopped(t);
    if (t->epoch < t->epochs)
        act_progress_say(&t->progress, "stopped early: the validation loss was best in epoch %llu",
                         (unsigned long long)t->best_epoch);
    act_training_settle(t);
    status = act_save_final(t);
    if (status == ACT_OK) status = final_score(t);
    return status;
}

ActStatus act_train(ActInstance *instance, const ActRun *run, ActResult *result, ActError *error)
{
    static const ActRun plain;
    act_error_clear(error);
    if (!instance) return act_error(error, ACT_E_ARGUMENT, "act_train wants an instance");
    ActError here;
    ActTraining t = { .m = instance, .model = instance->model, .run = run ? run : &plain,
                     .error = error ? error : &here };
    ActStatus status = train(&t);
    if (status == ACT_OK || status == ACT_E_STOPPED || status == ACT_E_NONFINITE) act_monitor_end(&t.monitor);
    if (t.progress.dirty) fputc('\n', t.progress.out);
    if (result) *result = t.result;
    act_monitor_free(&t.monitor);
    act_logs_close(&t.logs, t.run->problems);
    act_answers_free(&t.answers);
    act_checkpoint_close(&t.from);
    act_lock_release(&t.lock);
    act_state_free(&t.state);
    act_average_free(&t.average);
    act_facts_free(&t.facts);
    act_feed_free(t.feed);
    act_dataset_free(&t.set);
    act_evaluator_free(&t.evaluator);
    act_rooms_free(t.room, instance->model->n_input + instance->model->n_target);
    free(t.order);
    free(t.value);
    free(t.loss);
    free(t.spare);
    free(t.best);
    free(t.path);
    free(t.owned_directory);
    return status;
}
