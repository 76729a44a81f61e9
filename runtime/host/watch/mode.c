#include "host/training.h"

enum { BEFORE = 100 /* steps in which running statistics are still on their way */ };

/* The last batch of the epoch once more, in inference mode, with the weights it led to. */
static void over(ActMonitor *m, void *own, const ActScore *trained, const ActScore *score, size_t n)
{
    (void)own, (void)trained, (void)score, (void)n;
    ActTraining *t = m->training;
    size_t rows = (size_t)((t->rows - 1) % t->batch + 1);
    if (!m->model->entry.evaluate || m->step < BEFORE) return;
    const void *const *value;
    ActError ignored;
    size_t given;
    act_feed_end(t->feed);
    act_feed_begin(t->feed, t->order, t->rows - rows, t->step);
    ActStatus status = act_feed_next(t->feed, &value, &given, &ignored);
    if (status == ACT_OK) status = m->model->entry.evaluate(t->m, value, value + m->model->n_input, given, t->loss, t->evaluator.prediction);
    act_feed_end(t->feed);
    if (status != ACT_OK) return;
    double loss = act_loss_value(m->model, t->loss, given);
    act_found(m, loss > 1.5 * t->last_loss && t->last_loss > 0 ? ACT_LEVEL_WARNING : ACT_LEVEL_NONE,
              act_loss_line(m), "larger batches or a smaller rate for batch norm; less dropout in front of a norm",
              "the same rows have a loss of %.4g while training and of %.4g in inference", t->last_loss, loss);
}

ACT_WATCH(mode) = {
    .code = "RT19",
    .name = "mode_gap",
    .summary = "the loss of the same rows is half as large again in inference as in training",
    .doc = "Batch norm and dropout compute something else in inference than in training. After an epoch its last batch is evaluated once more: "
           "when that loss is above 1.5 times that of the training step, running statistics are not those of the data, or dropout in front of a norm "
           "shifts them. A warning, from step 100 on.",
    .meets = { "ACT503", "ACT603" },
    .over = over,
};
