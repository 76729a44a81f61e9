#include "act/act.h"

#include "core/random.h"
#include "evaluate.h"
#include "progress.h"
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 20, STEPS = 300 };

/* Rows that look like the model's own: classes below their count, numbers in the declared range, or in [-1, 1). */
static void draw(const ActTensor *tensor, uint64_t number, uint64_t seed, size_t rows, void *out)
{
    uint64_t n = rows * act_tensor_width(tensor);
    int known = tensor->low <= tensor->high;
    double low = known ? (double)tensor->low : -1, high = known ? (double)tensor->high : 1;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t word = act_random_word(seed, ACT_STREAM_SYNTHETIC, number, 0, i);
        double u = (double)act_random_unit(word);
        double x =
            tensor->classes ? (double)(uint32_t)(((uint64_t)word * tensor->classes) >> 32) : low + (high - low) * u;
        if (tensor->type == ACT_I32) ((int32_t *)out)[i] = (int32_t)x;
        else ((float *)out)[i] = (float)x;
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* One batch, the same in every step: the time of a step is asked for, not that of fetching rows. */
static ActStatus fill_batch(ActInstance *m, const ActRun *run, uint64_t seed, size_t batch, void *const *room,
                            ActError *error)
{
    const ActModel *model = m->model;
    size_t values = model->n_input + model->n_target;
    for (size_t v = 0; v < values; v++)
        draw(v < model->n_input ? &model->input[v] : &model->target_value[v - model->n_input], v, seed, batch, room[v]);
    if (run->synthetic || ((!model->train || !model->train->data) && run->n_data == 0)) return ACT_OK;

    ActFacts facts;
    ActDataset set;
    ActStatus status = act_facts_new(&facts, model, error);
    if (status != ACT_OK) return status;
    ActWanted wanted = { 1u << ACT_TRAIN_PART, 1, NULL, 0 };
    status = act_dataset_load(&set, m, run, &wanted, &facts, error);
    if (status == ACT_OK) {
        const ActRows *rows = &set.part[ACT_TRAIN_PART];
        uint32_t *pick = malloc(batch * sizeof *pick);
        const void **value = calloc(values + 1, sizeof *value);
        if (!pick || !value) status = act_error_memory(error);
        for (size_t i = 0; status == ACT_OK && rows->rows > 0 && i < batch; i++)
            pick[i] = rows->index ? rows->index[i % rows->rows] : (uint32_t)(i % rows->rows);
        if (status == ACT_OK && rows->rows > 0) status = act_dataset_batch(&set, rows, pick, 0, batch, values, room, value, error);
        free(pick);
        free(value);
        act_dataset_free(&set);
    } else {
        act_error_more(error, " (`--synthetic` measures with drawn data)");
    }
    act_facts_free(&facts);
    return status;
}

static ActStatus measure(ActInstance *m, size_t batch, uint64_t steps, uint64_t seed, void *const *room, float *loss,
                         double *seconds, ActError *error)
{
    const ActModel *model = m->model;
    const void *const *value = (const void *const *)room;
    for (uint64_t s = 1; s <= WARM_UP + steps; s++) {
        const ActStep step = { s, 1e-3, seed }; /* small updates: the same batch again and again must not run away */
        double begin = act_progress_seconds();
        ActStatus status = model->entry.train_step(m, &step, value, value + model->n_input, batch, loss);
        if (s > WARM_UP) seconds[s - WARM_UP - 1] = act_progress_seconds() - begin;
        if (status != ACT_OK)
            return act_error(error, status, "a step of model `%s` failed: %s", model->name, act_status_text(status));
    }
    qsort(seconds, steps, sizeof *seconds, ascending);
    return ACT_OK;
}

static void report(const ActRun *run, const ActInstance *m, size_t batch, uint64_t steps, const double *seconds)
{
    const ActModel *model = m->model;
    double median = seconds[steps / 2], gflops = (double)model->flops_step * (double)batch / median * 1e-9;
    if (run->format && strcmp(run->format, "json") == 0)
        fprintf(
            run->log,
            "{\"model\": \"%s\", \"threads\": %u, \"batch\": %zu, \"steps\": %llu, \"step_us\": %.3f, "
            "\"fastest_us\": %.3f, "
            "\"rows_per_second\": %.0f, \"gflops\": %.2f}\n",
            model->name, act_pool_threads(m->pool), batch, (unsigned long long)steps, median * 1e6, seconds[0] * 1e6,
            (double)batch / median, gflops);
    else
        fprintf(run->log,
                "%s: %.1f us a step (median of %s; fastest %.1f), %s rows/s, %.1f GFLOP/s, batch %zu, %u thread%s\n",
                model->name, median * 1e6, act_text_count(steps).text, seconds[0] * 1e6,
                act_text_count((uint64_t)((double)batch / median)).text, gflops, batch, act_pool_threads(m->pool),
                act_pool_threads(m->pool) == 1 ? "" : "s");
}

ActStatus act_bench(ActInstance *instance, const ActRun *given, ActResult *result, ActError *error)
{
    static const ActRun plain;
    const ActRun *run = given ? given : &plain;
    act_error_clear(error);
    if (!instance) return act_error(error, ACT_E_ARGUMENT, "act_bench wants an instance");
    const ActModel *model = instance->model;
    uint64_t steps = run->steps ? run->steps : STEPS, seed = run->has_seed ? run->seed : 1;
    uint64_t batch = run->batch ? run->batch : model->batch;
    if (batch > model->batch || steps > 100000000)
        return act_error(error, ACT_E_ARGUMENT,
                         "the batch is at most %u, what the model was compiled for, and the steps 100,000,000",
                         model->batch);
    void **room = act_rooms_new(model, (size_t)batch);
    float *loss = calloc(model->n_loss + 1, sizeof *loss);
    double *seconds = calloc(steps, sizeof *seconds);
    ActStatus status = room && loss && seconds ? model->entry.init(instance, seed) : ACT_E_MEMORY;
    if (status != ACT_OK) act_error(error, status, "%s", act_status_text(status));
    if (status == ACT_OK) status = fill_batch(instance, run, seed, (size_t)batch, room, error);
    if (status == ACT_OK) status = measure(instance, (size_t)batch, steps, seed, room, loss, seconds, error);
    if (status == ACT_OK && run->log) report(run, instance, (size_t)batch, steps, seconds);
    if (status == ACT_OK && result)
        *result = (ActResult){ .steps = steps, .step_microseconds = seconds[steps / 2] * 1e6 };
    act_rooms_free(room, model->n_input + model->n_target);
    free(loss);
    free(seconds);
    return status;
}
