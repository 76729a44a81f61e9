#include "balance.h"

#include "metric.h"
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".balance";

int act_balance_is(const ActTensor *tensor)
{
    size_t n = strlen(tensor->name), m = sizeof suffix - 1;
    return tensor->role == ACT_CONSTANT && tensor->rank == 1 && n > m && strcmp(tensor->name + n - m, suffix) == 0;
}

void act_balance_forget(const ActTensor *tensor, void *block)
{
    float *weight = (float *)(void *)((char *)block + tensor->offset);
    for (uint32_t c = 0; c < tensor->dim[0]; c++) weight[c] = 1;
}

const ActTensor *act_balance_of(const ActModel *model, const ActTensor *target)
{
    size_t n = strlen(target->name);
    for (uint32_t i = 0; i < model->n_param; i++) {
        const ActTensor *tensor = &model->param[i];
        int named = strncmp(tensor->name, target->name, n) == 0 && strcmp(tensor->name + n, suffix) == 0;
        if (named && act_balance_is(tensor) && tensor->dim[0] == target->classes) return tensor;
    }
    return NULL;
}

static void count_labels(const ActTensor *target, const int32_t *label, size_t n, uint64_t *count)
{
    for (size_t i = 0; i < n; i++)
        if (label[i] >= 0 && (uint32_t)label[i] < target->classes && !(target->ignores && label[i] == target->ignored)) count[label[i]]++;
}

static void write_weights(const ActTensor *tensor, void *block, const uint64_t *count, uint32_t classes)
{
    float *weight = (float *)(void *)((char *)block + tensor->offset);
    uint64_t all = 0, present = 0;
    for (uint32_t c = 0; c < classes; c++) all += count[c], present += count[c] > 0;
    for (uint32_t c = 0; c < classes; c++)
        weight[c] = count[c] ? (float)((double)all / ((double)present * (double)count[c])) : 1;
}

static ActStatus measure(ActInstance *instance, const ActDataset *set, size_t value, const ActTensor *to, void *const *room,
                         const void **batch, size_t rows, ActError *error)
{
    const ActTensor *target = &instance->model->target_value[value - instance->model->n_input];
    const ActRows *train = &set->part[ACT_TRAIN_PART];
    uint64_t *count = calloc(target->classes + 1, sizeof *count);
    ActStatus status = count ? ACT_OK : act_error_memory(error);
    for (size_t at = 0; status == ACT_OK && at < train->rows; at += rows) {
        size_t n = train->rows - at < rows ? train->rows - at : rows;
        status = act_dataset_batch(set, train, NULL, at, n, set->n_value, room, batch, error);
        if (status == ACT_OK) count_labels(target, batch[value], n * act_tensor_width(target), count);
    }
    if (status == ACT_OK) write_weights(to, instance->param, count, target->classes);
    free(count);
    return status;
}

ActStatus act_balance_measure(ActInstance *instance, const ActDataset *set, void *const *room, const void **batch, size_t rows,
                              ActError *error)
{
    const ActModel *model = instance->model;
    ActStatus status = ACT_OK;
    for (uint32_t v = 0; status == ACT_OK && v < model->n_target; v++) {
        const ActTensor *to = act_balance_of(model, &model->target_value[v]);
        if (to) status = measure(instance, set, model->n_input + v, to, room, batch, rows, error);
    }
    return status;
}
