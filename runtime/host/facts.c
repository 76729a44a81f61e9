#include "facts.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

ActStatus act_facts_new(ActFacts *facts, const ActModel *model, ActError *error)
{
    facts->n = model->n_input + model->n_target;
    facts->loaded = facts->other_text = facts->known = 0;
    facts->fact = calloc(facts->n + 1, sizeof *facts->fact);
    if (!facts->fact) return act_error_memory(error);
    for (size_t i = 0; i < facts->n; i++)
        facts->fact[i].value = i < model->n_input ? model->input[i].name : model->target_value[i - model->n_input].name;
    return ACT_OK;
}

void act_facts_free(ActFacts *facts)
{
    for (size_t i = 0; facts->fact && i < facts->n; i++) {
        ActFact *fact = &facts->fact[i];
        for (size_t c = 0; c < fact->n_class; c++) free(fact->class_name[c]);
        free(fact->class_name);
        free(fact->mean);
        free(fact->std);
    }
    free(facts->fact);
    facts->fact = NULL;
    facts->n = 0;
}

static const char *key_of(char *room, size_t size, const char *kind, const char *value)
{
    snprintf(room, size, "%s.%s", kind, value);
    return room;
}

static int read_classes(ActFact *fact, const char *text)
{
    cJSON *list = cJSON_Parse(text);
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0, good = n > 0;
    fact->class_name = good ? calloc((size_t)n, sizeof *fact->class_name) : NULL;
    good = fact->class_name != NULL;
    for (const cJSON *item = good ? list->child : NULL; good && item; item = item->next) {
        char *name = cJSON_IsString(item) ? act_text_copy(item->valuestring, SIZE_MAX) : NULL;
        good = name != NULL;
        if (good) fact->class_name[fact->n_class++] = name;
    }
    cJSON_Delete(list);
    return good;
}

static double *read_numbers(const cJSON *list, size_t *n)
{
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    double *out = count > 0 ? calloc((size_t)count, sizeof *out) : NULL;
    size_t at = 0;
    for (const cJSON *item = out ? list->child : NULL; item; item = item->next)
        out[at++] = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    *n = at;
    return out;
}

static int read_constants(ActFact *fact, const char *text)
{
    cJSON *object = cJSON_Parse(text);
    size_t n_std = 0;
    fact->mean = read_numbers(cJSON_GetObjectItemCaseSensitive(object, "mean"), &fact->n_feature);
    fact->std = read_numbers(cJSON_GetObjectItemCaseSensitive(object, "std"), &n_std);
    cJSON_Delete(object);
    int good = fact->mean && fact->std && n_std == fact->n_feature;
    for (size_t i = 0; good && i < n_std; i++)
        good = isfinite(fact->mean[i]) && fact->std[i] > 0 && isfinite(fact->std[i]);
    return good;
}

ActStatus act_facts_read(ActFacts *facts, const ActModel *model, const ActSafetensors *file, const char *path,
                         ActError *error)
{
    char room[256];
    for (size_t i = 0; i < facts->n; i++) {
        ActFact *fact = &facts->fact[i];
        const char *classes = act_safetensors_note(file, key_of(room, sizeof room, "classes", fact->value));
        if (classes && !read_classes(fact, classes))
            return act_error(error, ACT_E_FORMAT, "`%s`: the metadata `classes.%s` is not a list of names", path,
                             fact->value);
        const char *constants = act_safetensors_note(file, key_of(room, sizeof room, "normalize", fact->value));
        if (constants && !read_constants(fact, constants))
            return act_error(error, ACT_E_FORMAT,
                             "`%s`: the metadata `normalize.%s` is not a pair of lists mean and std", path,
                             fact->value);
    }
    const char *hash = act_safetensors_note(file, "hash");
    facts->loaded = 1;
    facts->other_text = hash && model->hash && strcmp(hash, model->hash) != 0;
    facts->known = act_safetensors_note(file, "step") != NULL;
    return ACT_OK;
}

static cJSON *number_list(const double *x, size_t n)
{
    cJSON *list = cJSON_CreateArray();
    char text[32];
    for (size_t i = 0; list && i < n; i++) {
        snprintf(text, sizeof text, "%.17g", x[i]); /* every bit: cJSON itself may print fewer */
        if (!cJSON_AddItemToArray(list, cJSON_CreateRaw(text))) break;
    }
    return list;
}

static cJSON *class_list(const ActFact *fact)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t c = 0; list && c < fact->n_class; c++)
        if (!cJSON_AddItemToArray(list, cJSON_CreateString(fact->class_name[c]))) break;
    return list;
}

/* takes `json` */
static ActStatus add_note(ActNote *note, size_t *n_note, const char *kind, const char *value, cJSON *json,
                          ActError *error)
{
    char room[256];
    char *key = act_text_copy(key_of(room, sizeof room, kind, value), SIZE_MAX),
         *text = json ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    note[*n_note] = (ActNote){ key, text };
    (*n_note)++;
    return key && text ? ACT_OK : act_error_memory(error);
}

ActStatus act_facts_write(const ActFacts *facts, ActNote *note, size_t *n_note, ActError *error)
{
    ActStatus status = ACT_OK;
    *n_note = 0;
    for (size_t i = 0; status == ACT_OK && i < facts->n; i++) {
        const ActFact *fact = &facts->fact[i];
        if (fact->n_class) status = add_note(note, n_note, "classes", fact->value, class_list(fact), error);
        if (status != ACT_OK || !fact->mean) continue;
        cJSON *object = cJSON_CreateObject();
        cJSON_AddItemToObject(object, "mean", number_list(fact->mean, fact->n_feature));
        cJSON_AddItemToObject(object, "std", number_list(fact->std, fact->n_feature));
        status = add_note(note, n_note, "normalize", fact->value, object, error);
    }
    return status;
}

void act_facts_notes_free(ActNote *note, size_t n)
{
    for (size_t i = 0; note && i < n; i++) {
        free((void *)(uintptr_t)note[i].key);
        free((void *)(uintptr_t)note[i].value);
    }
}
