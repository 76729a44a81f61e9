/* A training goes on from a checkpoint. */
#include "training.h"

#include "command.h"
#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The folder a file lies in, in new memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? act_text_copy(path, slash == path ? 1 : (size_t)(slash - path)) : act_text_copy(".", 1);
}

static ActStatus open_named(ActTraining *t)
{
    const char *path = t->run->resume;
    if (act_file_is_directory(path)) {
        char *word = act_command_word(path);
        act_error(t->error, ACT_E_IO,
                  "`%s` is a directory, and `--resume` wants a checkpoint; `--out %s --resume` goes on with the newest one in it", path,
                  word ? word : path);
        free(word);
        return ACT_E_IO;
    }
    ActStatus status = act_checkpoint_open(&t->from, path, t->error);
    if (status == ACT_OK && !(t->run->out && *t->run->out)) { /* the run's folder is where its checkpoint lies */
        t->owned_directory = folder_of(path);
        if (!t->owned_directory) return act_error_memory(t->error);
        t->directory = t->owned_directory;
    }
    return status;
}

static ActStatus open_none(ActTraining *t)
{
    char *previous = act_keep_previous(t->model, t->directory);
    act_error(t->error, ACT_E_IO,
              "there is no checkpoint of model `%s` in `%s`; without `--resume` the training begins anew", t->model->name, t->directory);
    char *word = previous ? act_command_word(previous) : NULL;
    if (word && act_file_exists(previous))
        act_error_more(t->error, ". An earlier run's is `%s`: `--resume %s` goes on with that", previous, word);
    free(word);
    free(previous);
    return ACT_E_IO;
}

/* The newest that can be read. One that can't is told, and passed over: it may have been cut off by a copy or a full disk. */
static ActStatus open_newest(ActTraining *t)
{
    size_t n;
    uint64_t *steps = act_keep_steps(t->model, t->directory, &n);
    ActStatus status = n ? ACT_E_FORMAT : open_none(t);
    ActError bad = { ACT_OK, "" };
    for (size_t i = 0; i < n && (status == ACT_E_FORMAT || status == ACT_E_IO); i++) {
        char *path = act_keep_path(t->model, t->directory, steps[i]);
        act_checkpoint_close(&t->from);
        ActError here;
        status = path ? act_checkpoint_open(&t->from, path, &here) : act_error_memory(&here);
        if (status != ACT_OK && i + 1 < n && t->run->problems) fprintf(t->run->problems,
                "warning: %s; the one before it is taken\n", here.text);
        if (status != ACT_OK) bad = here;
        free(path);
    }
    if (n && status != ACT_OK)
        act_error(t->error, status, "%s. %s; without `--resume` the training begins anew", bad.text,
                  n > 1 ? "No older checkpoint can be read either" : "There is no other checkpoint");
    free(steps);
    return status;
}

ActStatus act_resume_open(ActTraining *t)
{
    if (t->run->weights)
        return act_error(t->error, ACT_E_ARGUMENT,
                         "`--resume` and `--weights` exclude each other: one goes on with a training, the other begins a new one");
    ActStatus status = *t->run->resume ? open_named(t) : open_newest(t);
    if (status != ACT_OK) act_checkpoint_close(&t->from);
    return status;
}

/* What is in force: what is given now; else what the block says, if that is not what it said then; else what was in force then. */
static uint64_t settled(const ActCheckpoint *from, const char *key, const char *block_key, int given, uint64_t now,
                        uint64_t block)
{
    if (given || act_checkpoint_count(from, block_key, block) != block) return now;
    return act_checkpoint_count(from, key, now);
}

void act_resume_settle(ActTraining *t)
{
    const ActRun *run = t->run;
    t->epochs = settled(&t->from, "train.epochs", "train.block_epochs", run->epochs != 0, t->epochs, t->block_epochs);
    t->batch = settled(&t->from, "train.batch", "train.block_batch", run->batch != 0, t->batch, t->block_batch);
    t->seed = settled(&t->from, "train.seed", "train.block_seed", run->has_seed, t->seed, t->block_seed);
    if (t->epochs == 0) t->epochs = t->block_epochs; /* in a file that nobody wrote */
    if (t->batch == 0) t->batch = t->block_batch;
    double scale = act_checkpoint_number(&t->from, "train.lr_scale", 1);
    if (run->lr_scale <= 0 && scale > 0 && isfinite(scale)) t->lr_scale = scale;
}

ActStatus act_resume_load(ActTraining *t)
{
    const uint64_t epochs = t->epochs, block_epochs = t->block_epochs, block_batch = t->block_batch, block_seed = t->block_seed;
    const double lr_scale = t->lr_scale;
    ActStatus status = act_checkpoint_load(&t->from, t->m, &t->facts, &t->state, t->error);
    act_safetensors_free(&t->from.file);
    if (status != ACT_OK) return status;
    FILE *log = t->run->log;
    if (t->epochs != epochs && epochs > t->epoch && log)
        fprintf(log, "note: the run was begun for %llu epochs, and goes on to %llu%s\n", (unsigned long long)t->epochs,
                (unsigned long long)epochs,
                t->model->entry.schedule ? "; its schedule is that of the new total from here on" : "");
    if (t->lr_scale != lr_scale && log)
        fprintf(log, "note: the run had `--lr-scale %g` so far, and goes on with %g\n", t->lr_scale, lr_scale);
    t->epochs = epochs; /* what is settled now holds */
    t->lr_scale = lr_scale;
    t->block_epochs = block_epochs;
    t->block_batch = block_batch;
    t->block_seed = block_seed;
    return ACT_OK;
}

ActStatus act_resume_verify(ActTraining *t)
{
    uint64_t rows = t->set.part[ACT_TRAIN_PART].rows;
    ActMisfit misfit;
    act_misfit_begin(&misfit, "`%s` is not a checkpoint of this training of model `%s`:", t->from.path, t->model->name);
    if (t->rows != rows)
        act_misfit_add(&misfit, "training rows: %llu here, %llu in the file", (unsigned long long)rows,
                       (unsigned long long)t->rows);
    if (t->best_epoch && !t->validated) act_misfit_add(&misfit, "validation part: none here, one in the file");
    ActStatus status = act_misfit_end(&misfit, "It goes on with the data it was begun with", t->error);
    if (status != ACT_OK) return status;
    uint64_t done = (t->row + t->batch - 1) / t->batch;
    int inside = t->row <= rows && (t->row % t->batch == 0 || t->row == rows) && t->epoch < UINT32_MAX;
    int one_story = t->sum.rows == t->row && t->best_epoch <= t->epoch && t->step == t->epoch * t->steps_per_epoch + done;
    if (inside && one_story) return ACT_OK;
    return act_error(t->error, ACT_E_FORMAT,
                     "`%s`: the metadata does not hang together: train.step %llu, train.epoch %llu, train.row %llu, "
                     "train.loss_rows %llu, train.best_epoch %llu, with %llu rows in batches of %llu",
                     t->from.path, (unsigned long long)t->step, (unsigned long long)t->epoch, (unsigned long long)t->row,
                     (unsigned long long)t->sum.rows, (unsigned long long)t->best_epoch, (unsigned long long)rows,
                     (unsigned long long)t->batch);
}
