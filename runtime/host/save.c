/* What a training writes: checkpoints on the way, weights at the end. */
#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <errno.h>

ActStatus act_save_prepare(ActTraining *t)
{
    t->path = act_weights_path(t->model, t->directory);
    if (!t->path) return act_error_memory(t->error);
    ActStatus status = act_file_make_directory(t->directory, t->error);
    if (status == ACT_OK && access(t->directory, W_OK) != 0)
        status = act_error(t->error, ACT_E_IO, "the directory `%s` can't be written to: %s; `--out DIR` names another", t->directory,
                           strerror(errno));
    if (status == ACT_OK) status = act_file_replaceable(t->path, t->error);
    if (status == ACT_OK) status = act_lock_take(&t->lock, t->model, t->directory, t->error);
    if (status != ACT_OK && t->error && !strstr(t->error->text, "--out")) act_error_more(t->error, "; `--out DIR` names another directory");
    return status;
}

ActStatus act_save_checkpoint(ActTraining *t, double value, ActError *error)
{
    if (t->saved_step == t->step && t->saved_row == t->row && t->step) return ACT_OK;
    char *path = act_keep_path(t->model, t->directory, t->step);
    if (!path) return act_error_memory(error);
    const double best = t->keep.best;
    const uint64_t best_step = t->keep.best_step;
    if (value < best) t->keep.best = value, t->keep.best_step = t->step;
    t->finished = t->row == 0 && act_training_over(t);
    const ActStand stand = { t->epoch, t->step, t->seed };
    ActStatus status = act_file_make_directory(t->directory, error); /* somebody may have tidied up */
    if (status == ACT_OK) status = act_checkpoint_write(path, t->m, &t->facts, &t->state, &stand, error);
    free(path);
    t->saved_at = act_progress_seconds(); /* of the attempt: a full disk is not asked after every step */
    if (status != ACT_OK) {
        t->keep.best = best;
        t->keep.best_step = best_step;
        return status;
    }
    t->saved_step = t->step;
    t->saved_row = t->row;
    act_keep_prune(&t->keep, t->step);
    return ACT_OK;
}

ActStatus act_save_begin(ActTraining *t)
{
    t->saved_at = act_progress_seconds();
    if (t->from.path) {
        char *path = act_keep_path(t->model, t->directory, t->step);
        if (!path) return act_error_memory(t->error);
        if (strcmp(path, t->from.path) == 0) t->saved_step = t->step, t->saved_row = t->row;
        free(path);
        ActStatus status = t->step ? act_save_checkpoint(t, INFINITY, t->error) : ACT_OK;
        if (status != ACT_OK) return status;
    }
    act_keep_begin(&t->keep, t->step, t->run->log);
    return ACT_OK;
}

/* A checkpoint that can't be written costs no training: it is told, once for each reason, and tried again when the next is due. */
static void try_checkpoint(ActTraining *t, double value)
{
    ActError here;
    if (act_save_checkpoint(t, value, &here) == ACT_OK) {
        t->unsaved.text[0] = 0;
        return;
    }
    const char *reason = strrchr(here.text, ':');
    int told = t->unsaved.text[0] && reason && strcmp(t->unsaved.text, reason) == 0;
    snprintf(t->unsaved.text, sizeof t->unsaved.text, "%s", reason ? reason : here.text);
    if (told || !t->run->problems) return;
    if (t->progress.dirty) fputc('\n', t->progress.out);
    t->progress.dirty = 0;
    fprintf(t->run->problems, "warning: %s; the training goes on, and tries again with the next checkpoint", here.text);
    if (t->saved_step) fprintf(t->run->problems, " (the last good one is of step %llu)", (unsigned long long)t->saved_step);
    fputc('\n', t->run->problems);
}

static int time_has_come(const ActTraining *t)
{
    return t->cadence.seconds > 0 && act_progress_seconds() - t->saved_at >= t->cadence.seconds;
}

void act_save_after_step(ActTraining *t)
{
    if ((t->cadence.steps && t->step % t->cadence.steps == 0) || time_has_come(t)) try_checkpoint(t, INFINITY);
}

void act_save_after_epoch(ActTraining *t, double value, int improved)
{
    const ActCadence *every = &t->cadence;
    int by_count = (every->epochs && t->epoch % every->epochs == 0) || (every->steps && t->step % every->steps == 0);
    int last = act_training_over(t) && (every->asked || t->saved_step); /* else the newest says the run is unfinished */
    int due = by_count || last || (every->asked && improved) || time_has_come(t);
    if (due) try_checkpoint(t, value);
}

ActStatus act_save_final(ActTraining *t)
{
    const ActStand stand = { t->epoch, t->step, t->seed };
    ActStatus status = act_file_make_directory(t->directory, t->error);
    if (status == ACT_OK) status = act_weights_save(t->m, t->path, &t->facts, &stand, t->error);
    if (status != ACT_OK && t->saved_step)
        act_error_more(t->error, ". The checkpoint of step %llu is there, and `--resume` goes on from it",
                       (unsigned long long)t->saved_step);
    return status;
}

ActStatus act_save_stopped(ActTraining *t)
{
    if (t->step == 0) return act_error(t->error, ACT_E_STOPPED, "interrupted before the first step; nothing was written");
    ActStatus status = act_save_checkpoint(t, INFINITY, t->error);
    if (status != ACT_OK) {
        if (t->saved_step)
            act_error_more(t->error,
                           ". The training was interrupted after step %llu; `--resume` goes on from step %llu", (unsigned long long)t->step,
                           (unsigned long long)t->saved_step);
        return status;
    }
    act_training_settle(t);
    status = act_save_final(t);
    if (status != ACT_OK) return status;
    act_error(t->error, ACT_E_STOPPED, "interrupted after step %llu (epoch %llu of %llu); the weights%s are in `%s`",
              (unsigned long long)t->step,
              (unsigned long long)(t->epoch + (t->row > 0)), (unsigned long long)t->epochs, 
              t->best_epoch ? " of the best epoch" : "", t->path);
    if (t->run->resume_command) act_error_more(t->error, ". It goes on with\n    %s", t->run->resume_command);
    return ACT_E_STOPPED;
}
