#include "weights.h"

#include "balance.h"
#include "core/layout.h"
#include "fit.h"
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

/* The parameters in their block, as entries of a file; in new memory. */
static ActStoreEntry *parameters(const ActInstance *instance)
{
    const ActModel *model = instance->model;
    ActStoreEntry *entry = calloc(model->n_param + 1, sizeof *entry);
    for (uint32_t i = 0; entry && i < model->n_param; i++)
        entry[i] = (ActStoreEntry){ &model->param[i], instance->param, NULL };
    return entry;
}

/* A file of weights, or a checkpoint, of which only the weights are taken. */
ActStatus act_weights_load(ActInstance *instance, const char *path, ActFacts *facts, ActError *error)
{
    const ActModel *model = instance->model;
    ActSafetensors file;
    ActStatus status = act_safetensors_read(path, &file, error);
    if (status != ACT_OK) return status;
    ActStoreEntry *entry = parameters(instance);
    uint64_t largest = 1;
    for (uint32_t i = 0; i < model->n_param; i++) {
        uint64_t n = act_layout_elements(&model->param[i]);
        if (n > largest) largest = n;
    }
    void *scratch = malloc(largest * 4);
    if (!scratch || !entry) status = act_error_memory(error);
    if (status == ACT_OK) {
        ActMisfit misfit;
        act_misfit_begin(&misfit, "`%s` does not hold the weights of model `%s`:", path, model->name);
        act_fit_tensors(&misfit, entry, model->n_param, &file, ACT_FIT_TRAINING);
        status = act_misfit_end(&misfit, NULL, error);
    }
    if (status == ACT_OK && facts) status = act_facts_read(facts, model, &file, path, error);
    for (uint32_t i = 0; status == ACT_OK && i < model->n_param; i++) {
        const ActTensor *tensor = &model->param[i];
        const ActStored *found = act_fit_find(&file, &entry[i]);
        if (!found) act_balance_forget(tensor, instance->param);
        else if (!act_stored_convert(found, tensor->type == ACT_I32, scratch))
            status = act_error(error, ACT_E_DATA, "`%s`: `%s` holds numbers beyond 32 bits", path, tensor->name);
        else act_tensor_from_file(tensor, scratch, instance->param);
    }
    free(scratch);
    free(entry);
    act_safetensors_free(&file);
    return status;
}

ActStatus act_weights_save(const ActInstance *instance, const char *path, const ActFacts *facts, const ActStand *stand,
                           ActError *error)
{
    const ActModel *model = instance->model;
    size_t most = 5 + (facts ? 2 * facts->n : 0), n_note = 0, measured = 0;
    ActStoreEntry *entry = parameters(instance);
    ActNote *note = calloc(most, sizeof *note);
    char epoch[24], step[24], seed[24];
    ActStatus status = entry && note ? ACT_OK : act_error_memory(error);
    if (status == ACT_OK && facts) {
        status = act_facts_write(facts, note, &n_note, error);
        measured = n_note;
    }
    if (status == ACT_OK) {
        note[n_note++] = (ActNote){ "model", model->name };
        if (model->hash) note[n_note++] = (ActNote){ "hash", model->hash };
        if (stand && stand->step) {
            snprintf(epoch, sizeof epoch, "%llu", (unsigned long long)stand->epoch);
            snprintf(step, sizeof step, "%llu", (unsigned long long)stand->step);
            snprintf(seed, sizeof seed, "%llu", (unsigned long long)stand->seed);
            note[n_note++] = (ActNote){ "epoch", epoch };
            note[n_note++] = (ActNote){ "step", step };
            note[n_note++] = (ActNote){ "seed", seed };
        }
        status = act_safetensors_write(path, entry, model->n_param, note, n_note, error);
    }
    act_facts_notes_free(note, measured);
    free(note);
    free(entry);
    return status;
}

char *act_weights_path(const ActModel *model, const char *directory)
{
    const char *base = directory && *directory ? directory : ".";
    size_t length = strlen(base) + strlen(model->name) + sizeof "/.safetensors";
    char *path = malloc(length);
    if (path && strcmp(base, ".") == 0) snprintf(path, length, "%s.safetensors", model->name);
    else if (path) snprintf(path, length, "%s/%s.safetensors", base, model->name);
    return path;
}

ActStatus act_load_weights(ActInstance *instance, const char *path, ActError *error)
{
    act_error_clear(error);
    if (!instance || !path) return act_error(error, ACT_E_ARGUMENT, "act_load_weights wants an instance and a path");
    return act_weights_load(instance, path, NULL, error);
}

ActStatus act_save_weights(const ActInstance *instance, const char *path, ActError *error)
{
    act_error_clear(error);
    if (!instance || !path) return act_error(error, ACT_E_ARGUMENT, "act_save_weights wants an instance and a path");
    return act_weights_save(instance, path, NULL, NULL, error);
}
