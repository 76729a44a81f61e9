#include "average.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".average";

static int32_t average_of(const ActModel *model, const char *parameter)
{
    size_t n = strlen(parameter);
    for (uint32_t i = 0; i < model->n_state; i++)
        if (strncmp(model->state[i].name, parameter, n) == 0 && strcmp(model->state[i].name + n, suffix) == 0) return (int32_t)i;
    return -1;
}

static ActStatus new_window(ActAverage *average, ActState *state, ActError *error)
{
    const ActModel *model = average->m->model;
    average->end = calloc(average->last, sizeof *average->end);
    average->there = calloc(average->last, sizeof *average->there);
    average->prefix = calloc(average->last, sizeof *average->prefix);
    if (!average->end || !average->there || !average->prefix) return act_error_memory(error);
    act_state_counts(state, "train.average_there", average->there, average->last);
    for (uint32_t i = 0; i < average->last; i++) {
        average->end[i] = calloc(1, model->param_bytes + 1);
        if (!average->end[i]) return act_error_memory(error);
        snprintf(average->prefix[i], sizeof average->prefix[i], "average%u:", i);
        act_state_tensors(state, average->prefix[i], model->param, model->n_param, average->end[i], &average->there[i]);
    }
    return ACT_OK;
}

ActStatus act_average_new(ActAverage *average, ActInstance *m, ActState *state, ActError *error)
{
    const ActModel *model = m->model;
    const ActTrain *block = model->train;
    *average = (ActAverage){ .m = m };
    if (!block || !(block->average_ema || block->average_last)) return ACT_OK;
    average->last = block->average_last;
    average->own = malloc(model->param_bytes + 1);
    if (!average->own) return act_error_memory(error);
    if (average->last) return new_window(average, state, error);
    average->at = malloc((model->n_param + 1) * sizeof *average->at);
    if (!average->at) return act_error_memory(error);
    for (uint32_t i = 0; i < model->n_param; i++) average->at[i] = average_of(model, model->param[i].name);
    return ACT_OK;
}

void act_average_free(ActAverage *average)
{
    for (uint32_t i = 0; average->end && i < average->last; i++) free(average->end[i]);
    free(average->own);
    free(average->at);
    free(average->end);
    free(average->there);
    free(average->prefix);
    *average = (ActAverage){ 0 };
}

void act_average_epoch(ActAverage *average, uint64_t epoch)
{
    if (!average->last) return;
    memcpy(average->end[epoch % average->last], average->m->param, average->m->model->param_bytes);
    average->there[epoch % average->last] = 1;
}

/* Counts, such as the batches that running statistics have seen, stay what they are. */
static int can_be_averaged(const ActTensor *tensor)
{
    return tensor->type == ACT_F32 && (tensor->role == ACT_PARAM || tensor->rank > 0);
}

static void mean_of_ends(const ActAverage *average, const ActTensor *tensor)
{
    float *to = (float *)(void *)((char *)average->m->param + tensor->offset);
    uint32_t n = 0;
    for (uint32_t e = 0; e < average->last; e++) n += average->there[e] != 0;
    if (n == 0) return;
    for (uint64_t i = 0; i < tensor->bytes / sizeof *to; i++) {
        double sum = 0;
        for (uint32_t e = 0; e < average->last; e++)
            if (average->there[e]) sum += (double)((const float *)(const void *)((const char *)average->end[e] + tensor->offset))[i];
        to[i] = (float)(sum / n);
    }
}

void act_average_use(ActAverage *average)
{
    if (!average->own || average->in_use) return;
    const ActModel *model = average->m->model;
    memcpy(average->own, average->m->param, model->param_bytes);
    average->in_use = 1;
    for (uint32_t i = 0; i < model->n_param; i++) {
        const ActTensor *tensor = &model->param[i];
        if (average->last && can_be_averaged(tensor)) mean_of_ends(average, tensor);
        if (!average->at || average->at[i] < 0) continue;
        const ActTensor *mean = &model->state[average->at[i]];
        memcpy((char *)average->m->param + tensor->offset, (const char *)average->m->state + mean->offset, tensor->bytes);
    }
}

void act_average_leave(ActAverage *average)
{
    if (!average->in_use) return;
    memcpy(average->m->param, average->own, average->m->model->param_bytes);
    average->in_use = 0;
}
