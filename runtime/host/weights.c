#include "weights.h"

#include "core/layout.h"
#include "tensor.h"

#include <stdlib.h>
#include <string.h>

enum { LISTED = 12 }; /* of each kind of mismatch; the rest is counted */

static const ActStored *find_stored(const ActSafetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
    return NULL;
}

static const ActTensor *find_tensor(const ActTensor *tensor, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(tensor[i].name, name) == 0) return &tensor[i];
    return NULL;
}

static ActText stored_shape(const ActStored *t)
{
    char type[16];
    size_t i = 0;
    for (; t->dtype[i] && i + 1 < sizeof type; i++)
        type[i] = t->dtype[i] >= 'A' && t->dtype[i] <= 'Z' ? (char)(t->dtype[i] + 32) : t->dtype[i];
    type[i] = 0;
    return act_text_shape(type, t->dim, t->rank);
}

static int can_become(const ActStored *stored, const ActTensor *tensor)
{
    static const char *const floats[] = { "F32", "F64", "F16", "BF16" }, *const ints[] = { "I32", "I64" };
    for (size_t i = 0; tensor->type == ACT_F32 && i < 4; i++) if (strcmp(stored->dtype, floats[i]) == 0) return 1;
    int count = tensor->type == ACT_I32 || (tensor->role == ACT_CONSTANT && tensor->rank == 0); /* as batches seen */
    for (size_t i = 0; count && i < 2; i++) if (strcmp(stored->dtype, ints[i]) == 0) return 1;
    return 0;
}

/* One line of the list, until the list is long enough. */
static ActError *line(ActError *error, size_t *lines)
{
    return (*lines)++ < LISTED ? error : NULL;
}

/* Everything that does not fit, in one message. */
static ActStatus check_fit(const ActModel *model, const ActSafetensors *file, const char *path, ActError *error)
{
    size_t lines = 0;
    ActError list;
    act_error(&list, ACT_E_DATA, "`%s` does not hold the weights of model `%s`:", path, model->name);
    for (uint32_t i = 0; i < model->n_param; i++) {
        const ActTensor *want = &model->param[i];
        const ActStored *found = find_stored(file, want->name);
        uint32_t shape[ACT_MAX_RANK];
        act_layout_file_shape(want, shape);
        ActText expected = act_text_shape(act_tensor_type(want), shape, want->rank);
        if (!found) {
            const char *near =
                file->n ? act_text_nearest(want->name, &file->tensor[0].name, file->n, sizeof *file->tensor) : NULL;
            ActError *out = line(&list, &lines);
            act_error_more(out, "\n  missing: `%s`, %s", want->name, expected.text);
            if (near) act_error_more(out, " (the file has `%s`)", near);
        } else if (found->rank != want->rank || memcmp(found->dim, shape, want->rank * sizeof *shape) != 0 ||
                   !can_become(found, want)) {
            act_error_more(line(&list, &lines), "\n  `%s`: the model expects %s, the file has %s", want->name,
                           expected.text, stored_shape(found).text);
        }
    }
    for (size_t i = 0; i < file->n; i++) {
        const char *name = file->tensor[i].name;
        if (find_tensor(model->param, model->n_param, name) || find_tensor(model->state, model->n_state, name))
            continue;
        const char *near =
            model->n_param ? act_text_nearest(name, &model->param[0].name, model->n_param, sizeof *model->param) : NULL;
        ActError *out = line(&list, &lines);
        act_error_more(out, "\n  unknown: `%s`, %s", name, stored_shape(&file->tensor[i]).text);
        if (near) act_error_more(out, " (the model has `%s`)", near);
    }
    if (lines == 0) return ACT_OK;
    if (lines > LISTED) act_error_more(&list, "\n  and %llu more", (unsigned long long)(lines - LISTED));
    if (error) *error = list;
    return ACT_E_DATA;
}

ActStatus act_weights_load(ActInstance *instance, const char *path, ActFacts *facts, ActError *error)
{
    const ActModel *model = instance->model;
    ActSafetensors file;
    ActStatus status = act_safetensors_read(path, &file, error);
    if (status != ACT_OK) return status;
    status = check_fit(model, &file, path, error);
    uint64_t largest = 1;
    for (uint32_t i = 0; i < model->n_param; i++) {
        uint64_t n = act_layout_elements(&model->param[i]);
        if (n > largest) largest = n;
    }
    void *scratch = status == ACT_OK ? malloc(largest * 4) : NULL;
    if (status == ACT_OK && !scratch) status = act_error_memory(error);
    if (status == ACT_OK && facts) status = act_facts_read(facts, model, &file, path, error);
    for (uint32_t i = 0; status == ACT_OK && i < model->n_param; i++) {
        const ActTensor *tensor = &model->param[i];
        if (!act_stored_convert(find_stored(&file, tensor->name), tensor->type == ACT_I32, scratch))
            status = act_error(error, ACT_E_DATA, "`%s`: `%s` holds numbers beyond 32 bits", path, tensor->name);
        else act_tensor_from_file(tensor, scratch, instance->param);
    }
    free(scratch);
    act_safetensors_free(&file);
    return status;
}

ActStatus act_weights_save(const ActInstance *instance, const char *path, const ActFacts *facts, const ActStand *stand,
                           ActError *error)
{
    const ActModel *model = instance->model;
    size_t most = 5 + (facts ? 2 * facts->n : 0), n_note = 0, measured = 0;
    ActStoreEntry *entry = calloc(model->n_param + 1, sizeof *entry);
    ActNote *note = calloc(most, sizeof *note);
    char epoch[24], step[24], seed[24];
    ActStatus status = entry && note ? ACT_OK : act_error_memory(error);
    if (status == ACT_OK && facts) {
        status = act_facts_write(facts, note, &n_note, error);
        measured = n_note;
    }
    if (status == ACT_OK) {
        for (uint32_t i = 0; i < model->n_param; i++) entry[i] = (ActStoreEntry){ &model->param[i], instance->param };
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
    for (size_t i = 0; note && i < measured; i++) {
        free((void *)(uintptr_t)note[i].key);
        free((void *)(uintptr_t)note[i].value);
    }
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
