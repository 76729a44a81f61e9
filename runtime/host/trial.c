#include "trial.h"

#include "augment.h"

int act_trial_is(const ActRun *run)
{
    return run->sanity || run->lr_high > 0;
}

ActStatus act_trial_step(ActTraining *t, size_t first, size_t n, double scale, double *loss)
{
    const ActModel *model = t->model;
    ActStatus status = act_dataset_batch(&t->set, &t->set.part[ACT_TRAIN_PART], t->order, first, n, t->set.n_value, t->room, t->value,
                                         t->error);
    if (status != ACT_OK) return status;
    t->step++;
    if (t->spare && !t->run->sanity) act_augment(model, t->seed, t->step, n, t->room, t->spare);
    uint64_t apart = model->train && model->train->accumulate ? model->train->accumulate : 1;
    const ActStep step = { t->step * apart, scale, t->seed }; /* every one is a step that updates */
    status = model->entry.train_step(t->m, &step, t->value, t->value + model->n_input, n, t->loss);
    if (status != ACT_OK)
        return act_error(t->error, status, "step %llu of model `%s` failed: %s", (unsigned long long)t->step, model->name,
                         act_status_text(status));
    *loss = act_loss_value(model, t->loss, n);
    return ACT_OK;
}

ActStatus act_trial(ActTraining *t)
{
    act_progress_begin(&t->progress, t->run->log, 1, 1);
    ActStatus status = t->run->sanity ? act_sanity(t) : act_lr_range(t);
    if (act_training_stopped(t)) status = act_error(t->error, ACT_E_STOPPED, "interrupted; nothing was written");
    t->result.steps = t->step;
    return status;
}
