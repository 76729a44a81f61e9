/* The learning-rate range test (Smith, "Cyclical learning rates for training neural networks", 2017): the rate grows by the same factor
 * from step to step; where the loss falls fastest is a good rate to train with, where it turns up is too much. */
#include "trial.h"

#include "command.h"
#include "core/random.h"
#include "output.h"
#include "shuffle.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 200, WINDOW = 8 /* steps on either side that smooth a loss */, LINES = 25, BAR = 32 };
static const double calm = 0.9; /* of the running mean that tells when to stop */

typedef struct Curve {
    double rate[STEPS], loss[STEPS], smoothed[STEPS];
    size_t n, lowest, steepest;
    int falls, diverged;
} Curve;

/* A weighted mean of the neighbours, those next to it most: unlike a running mean it does not lag, which would make every rate seem lower
 * than it was. */
static void smooth(Curve *curve)
{
    for (size_t i = 0; i < curve->n; i++) {
        size_t from = i > WINDOW ? i - WINDOW : 0, to = i + WINDOW < curve->n ? i + WINDOW : curve->n - 1;
        double sum = 0, weight = 0;
        for (size_t k = from; k <= to; k++) {
            double w = WINDOW + 1 - fabs((double)k - (double)i);
            sum += w * curve->loss[k];
            weight += w;
        }
        curve->smoothed[i] = sum / weight;
    }
}

/* The lowest place, and the steepest before it: there the loss falls most for a factor in the rate. */
static void find_places(Curve *curve)
{
    double most = 0;
    for (size_t i = 0; i < curve->n; i++)
        if (curve->smoothed[i] < curve->smoothed[curve->lowest]) curve->lowest = i;
    for (size_t i = WINDOW / 2; i + WINDOW / 2 < curve->n && i <= curve->lowest; i++) {
        double fall = curve->smoothed[i - WINDOW / 2] - curve->smoothed[i + WINDOW / 2];
        if (fall > most) most = fall, curve->steepest = i;
    }
    double fell = curve->smoothed[0] - curve->smoothed[curve->lowest], noise = 0;
    for (size_t i = 0; i <= curve->lowest; i++) noise += pow(curve->loss[i] - curve->smoothed[i], 2);
    noise = sqrt(noise / (double)(curve->lowest + 1)); /* batches differ, whatever the rate is */
    curve->falls = most > 0 && fell > fmax(2 * noise, 0.02 * fabs(curve->smoothed[0]));
}

static ActStatus measure(ActTraining *t, double low, double high, double unit, Curve *curve)
{
    const ActRows *train = &t->set.part[ACT_TRAIN_PART];
    double running = 0, share = 1, first = 0, best = INFINITY;
    size_t row = train->rows;
    uint64_t epoch = 0;
    for (size_t i = 0; i < STEPS && !act_training_stopped(t); i++) {
        if (row >= train->rows) {
            for (size_t k = 0; k < train->rows; k++) t->order[k] = train->index ? train->index[k] : (uint32_t)k;
            act_shuffle(t->order, train->rows, t->seed, ACT_STREAM_SHUFFLE, ++epoch);
            row = 0;
        }
        size_t n = train->rows - row < t->batch ? train->rows - row : (size_t)t->batch;
        double rate = low * pow(high / low, (double)i / (STEPS - 1)), loss;
        ActStatus status = act_trial_step(t, row, n, rate / unit, &loss);
        if (status != ACT_OK) return status;
        row += n;
        curve->diverged = !isfinite(loss);
        if (curve->diverged) break;
        curve->rate[curve->n] = rate;
        curve->loss[curve->n++] = loss;
        running = calm * running + (1 - calm) * loss;
        share *= calm;
        double mean = running / (1 - share);
        if (i == 0) first = mean;
        if (mean < best) best = mean;
        curve->diverged = i > WINDOW && mean > best + fmax(first - best, fabs(first) / 2);
        if (curve->diverged) break;
    }
    return ACT_OK;
}

/* ── what it says ── */

static void put_line(ActFileOut *out, cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    if (text) act_file_put(out, text, strlen(text)), act_file_put(out, "\n", 1);
    else out->why = out->why ? out->why : 12; /* ENOMEM */
    cJSON_free(text);
    cJSON_Delete(object);
}

static ActStatus write_lines(ActTraining *t, const Curve *curve, const char *path)
{
    ActFileOut out;
    ActStatus status = act_file_make_directory(t->directory, t->error);
    if (status == ACT_OK) status = act_file_begin(&out, path, t->error);
    if (status != ACT_OK) return status;
    for (size_t i = 0; i < curve->n; i++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "event", "lr");
        cJSON_AddNumberToObject(object, "step", (double)(i + 1));
        cJSON_AddNumberToObject(object, "lr", curve->rate[i]);
        cJSON_AddNumberToObject(object, "loss", curve->loss[i]);
        cJSON_AddNumberToObject(object, "smoothed", curve->smoothed[i]);
        put_line(&out, object);
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "event", "lr_range");
    cJSON_AddStringToObject(object, "model", t->model->name);
    if (curve->falls) cJSON_AddNumberToObject(object, "steepest", curve->rate[curve->steepest]);
    else cJSON_AddNullToObject(object, "steepest");
    if (curve->n) cJSON_AddNumberToObject(object, "lowest", curve->rate[curve->lowest]);
    cJSON_AddBoolToObject(object, "diverged", curve->diverged);
    put_line(&out, object);
    return act_file_finish(&out, t->error);
}

/* Every eighth step or so, and the two that matter: rate, loss, and the loss again as a bar. */
static void draw(ActTraining *t, const Curve *curve)
{
    double low = curve->smoothed[curve->lowest], high = low;
    for (size_t i = 0; i < curve->lowest; i++) /* what is far above the beginning would leave the rest no room */
        if (curve->smoothed[i] > high) high = curve->smoothed[i];
    size_t every = (curve->n + LINES - 1) / LINES;
    act_progress_say(&t->progress, "      rate        loss");
    for (size_t i = 0; i < curve->n; i++) {
        int steepest = curve->falls && i == curve->steepest, lowest = curve->falls && i == curve->lowest;
        if (i % every && !steepest && !lowest) continue;
        char bar[BAR + 1] = "";
        int length = high > low ? (int)lround(fmin((curve->smoothed[i] - low) / (high - low), 1) * BAR) : 0;
        memset(bar, '#', (size_t)length);
        bar[length] = 0;
        act_progress_say(&t->progress, "%10.2e  %10s  %s%s%s", curve->rate[i], act_text_metric(curve->smoothed[i], 0).text, bar,
                         steepest ? "  <- falls fastest" : "", lowest ? "  <- lowest" : "");
    }
}

static void advise(ActTraining *t, const Curve *curve, double unit)
{
    const ActTrain *block = t->model->train;
    if (curve->diverged) act_progress_say(&t->progress, "stopped behind %.2g, where the loss was back where it began",
                                          curve->n ? curve->rate[curve->n - 1] : 0);
    if (!curve->falls) {
        act_progress_say(&t->progress, "no rate in this range lowers the loss by itself: take another range, or see whether the model "
                                       "can learn anything at all with `train --sanity`");
        return;
    }
    act_progress_say(&t->progress, "the loss falls fastest at a rate of %.2g, and is lowest at %.2g: `lr = %.1g` is a good start%s",
                     curve->rate[curve->steepest], curve->rate[curve->lowest], curve->rate[curve->steepest],
                     block && block->schedule ? ", as the peak of the schedule" : "");
    if (block && block->lr > 0)
        act_progress_say(&t->progress, "the block says lr = %g; `--lr-scale %.2g` makes it that", block->lr,
                         curve->rate[curve->steepest] / unit);
}

static char *lines_path(const ActTraining *t)
{
    const char *name = t->model->name;
    if (t->run->n_logs) return act_text_copy(t->run->logs[0], SIZE_MAX);
    size_t length = strlen(t->directory) + strlen(name) + 24;
    char *path = malloc(length);
    if (path) snprintf(path, length, "%s/%s.lr-range.jsonl", t->directory, name);
    return path;
}

ActStatus act_lr_range(ActTraining *t)
{
    const ActTrain *block = t->model->train;
    double unit = block && block->lr > 0 ? block->lr : 1, low = t->run->lr_low, high = t->run->lr_high;
    Curve *curve = calloc(1, sizeof *curve);
    char *path = lines_path(t);
    ActStatus status = curve && path ? ACT_OK : act_error_memory(t->error);
    if (status == ACT_OK) {
        act_progress_say(&t->progress, "%s: the rate grows from %g to %g in %d steps of up to %llu rows", t->model->name, low, high, STEPS,
                         (unsigned long long)t->batch);
        if (unit == 1 && !(block && block->lr > 0))
            act_progress_say(&t->progress, "note: the optimizer has no rate of its own; these are factors on its steps");
        status = measure(t, low, high, unit, curve);
    }
    char *word = status == ACT_OK ? act_command_word(path) : NULL;
    if (status == ACT_OK && !act_training_stopped(t)) {
        smooth(curve);
        if (curve->n) find_places(curve);
        draw(t, curve);
        status = write_lines(t, curve, path);
        if (status == ACT_OK) advise(t, curve, unit);
        if (status == ACT_OK) act_progress_say(&t->progress, "every step: `%s`; `actc plot %s -o lr.html` draws it", path, word ? word : path);
    }
    free(word);
    free(curve);
    free(path);
    return status;
}
