/* Sixteen rows by heart. A network of any use does it in a few hundred steps; one that can't has a fault between its data and its update,
 * and no hours of training will mend it. */
#include "trial.h"

#include "core/random.h"
#include "shuffle.h"

#include <math.h>
#include <string.h>

enum { ROWS = 16, STEPS = 1000, LOOK = 10 /* steps between two looks */ };
static const double wanted = 0.05; /* of the answers wrong, of the variance or of the first loss left */

typedef struct Look {
    ActScore score;
    double error;             /* against `wanted` */
    const char *of;           /* what it is */
    int percent;
} Look;

/* The error that matters: wrong answers where the model counts right ones, what is left of the variance, or of the first loss. */
static void judge(const ActTraining *t, double first_loss, Look *look)
{
    const char *kinds[] = { "accuracy", "r2" }, *of[] = { "wrong answers", "variance that is left (1 - r2)" };
    for (int k = 0; k < 2; k++) {
        double worst = -INFINITY;
        for (uint32_t i = 0; i < t->model->n_metric; i++)
            if (strcmp(t->model->metric[i].kind, kinds[k]) == 0 && !(1 - look->score.metric[i].value <= worst))
                worst = 1 - look->score.metric[i].value; /* NaN is the worst */
        if (worst == -INFINITY) continue;
        look->error = worst;
        look->of = of[k];
        return;
    }
    look->error = look->score.loss / first_loss;
    look->of = "of the first loss left";
}

static ActStatus look_at(ActTraining *t, const ActDataset *few, double first_loss, Look *look)
{
    ActStatus status = act_evaluator_run(&t->evaluator, t->m, few, ACT_TRAIN_PART, &look->score, t->error);
    look->score.part = NULL;
    if (status == ACT_OK) judge(t, first_loss, look);
    return status;
}

static ActStatus fail(ActTraining *t, const Look *first, const Look *last, size_t rows)
{
    const ActModel *model = t->model;
    act_error(t->error, ACT_E_DATA, "RT20: model `%s` can't learn %zu row%s of its training part by heart: after %llu steps %.3g %% %s, "
              "and below %g %% is wanted (before: %s; after: %s).\n", model->name, rows, rows == 1 ? "" : "s", (unsigned long long)t->step,
              100 * last->error, last->of, 100 * wanted, act_text_score(&first->score).text, act_text_score(&last->score).text);
    act_error_more(t->error,
        "More data or time will not help: something between the data and the update is wrong. Look at\n"
        "  the rate:      `train --lr-range 1e-6:10` shows which rates work (`actc explain lr_range`)\n"
        "  the loss:      does it fit the last layer? `actc explain double_softmax`, `relu_on_logits`, `missing_output_activation`\n"
        "  the gradient:  does it reach the first layers? `actc explain vanishing_gradient`, `dead_relu`, `saturating_hidden`\n"
        "  what is held back: strong dropout, weight decay, `clip`, a frozen layer (`actc explain dropout_high`, `untrained_group`)\n"
        "  the data:      do labels belong to their rows, and are inputs about -1 to 1 (`actc explain unnormalised_input`)?");
    return ACT_E_DATA;
}

static ActStatus nonfinite(ActTraining *t, double loss)
{
    return act_error(t->error, ACT_E_NONFINITE,
                     "RT20: the loss of model `%s` became %s in step %llu of learning a few rows by heart. Take a lower learning rate "
                     "(`train --lr-range 1e-6:1` shows which work), and look at the range of inputs and targets", t->model->name,
                     isnan(loss) ? "NaN" : "infinite", (unsigned long long)t->step);
}

/* What learns against itself, or towards a distribution, has a loss that need not fall to nothing. */
static int says_nothing(const ActModel *model)
{
    int counts = 0;
    for (uint32_t i = 0; i < model->n_metric; i++)
        counts |= strcmp(model->metric[i].kind, "accuracy") == 0 || strcmp(model->metric[i].kind, "r2") == 0;
    return model->n_drawn > 0 && !counts;
}

ActStatus act_sanity(ActTraining *t)
{
    if (says_nothing(t->model))
        return act_error(t->error, ACT_E_ARGUMENT,
                         "model `%s` draws some of its inputs, so its loss need not fall to nothing when it learns, and `--sanity` can't "
                         "tell; a metric `accuracy` or `r2` would", t->model->name);
    ActRows *train = &t->set.part[ACT_TRAIN_PART];
    size_t n = train->rows < ROWS ? train->rows : ROWS;
    if (n > t->batch) n = (size_t)t->batch;
    for (size_t i = 0; i < train->rows; i++) t->order[i] = train->index ? train->index[i] : (uint32_t)i;
    act_shuffle(t->order, train->rows, t->seed, ACT_STREAM_SHUFFLE, 1);
    ActDataset few = t->set;
    few.part[ACT_TRAIN_PART].rows = n;
    few.part[ACT_TRAIN_PART].index = t->order;
    Look first = { 0 }, now;
    ActStatus status = look_at(t, &few, NAN, &first);
    if (status != ACT_OK) return status;
    now = first;
    act_progress_say(&t->progress, "%s: %zu rows again and again; before the first step: %s", t->model->name, n,
                     act_text_score(&first.score).text);
    while (t->step < STEPS && !act_training_stopped(t)) {
        double loss;
        status = act_trial_step(t, 0, n, t->lr_scale, &loss);
        if (status != ACT_OK) return status;
        if (!isfinite(loss)) return nonfinite(t, loss);
        if (t->step % LOOK) continue;
        status = look_at(t, &few, first.score.loss, &now);
        if (status != ACT_OK) return status;
        if (t->step % 100 == 0)
            act_progress_say(&t->progress, "step %4llu: %s", (unsigned long long)t->step, act_text_score(&now.score).text);
        if (!(now.error < wanted)) continue;
        act_progress_say(&t->progress, "learnt by heart in %llu steps (%s): %.3g %% %s. Data, loss and update work together",
                         (unsigned long long)t->step, act_text_score(&now.score).text, 100 * now.error, now.of);
        return ACT_OK;
    }
    return act_training_stopped(t) ? ACT_OK : fail(t, &first, &now, n);
}
