/* What logs say about a run as such. */
#include "training.h"

#include "core/layout.h"

#include <cjson/cJSON.h>

#include <sys/utsname.h>
#include <unistd.h>

static void put_text(cJSON *settings, const char *key, const char *text)
{
    if (text && *text) cJSON_AddStringToObject(settings, key, text);
}

static void put_count(cJSON *settings, const char *key, uint64_t n) { put_text(settings, key, act_text_count(n).text); }

void act_training_log(ActTraining *t)
{
    const ActModel *model = t->model;
    const ActTrain *block = model->train;
    char text[300];
    struct utsname machine;
    uint64_t parameters = 0;
    if (!t->logs.n) return;
    cJSON *object = cJSON_CreateObject(), *settings;
    cJSON_AddStringToObject(object, "event", "run");
    cJSON_AddNumberToObject(object, "step", (double)t->step);
    settings = cJSON_AddObjectToObject(object, "settings");
    for (uint32_t i = 0; i < model->n_param; i++)
        if (model->param[i].role == ACT_PARAM) parameters += act_layout_elements(&model->param[i]);
    put_text(settings, "model", model->name);
    put_text(settings, "source", model->source);
    put_text(settings, "hash", model->hash);
    put_count(settings, "parameters", parameters);
    put_text(settings, "optimizer", block ? block->settings ? block->settings : block->optimizer : NULL);
    put_text(settings, "schedule", block ? block->schedule : NULL);
    if (t->lr_scale != 1) {
        snprintf(text, sizeof text, "%g", t->lr_scale);
        put_text(settings, "lr scale", text);
    }
    put_count(settings, "batch", t->batch);
    put_count(settings, "epochs", t->epochs);
    snprintf(text, sizeof text, "%llu", (unsigned long long)t->seed);
    put_text(settings, "seed", text);
    put_text(settings, "data", block && block->data ? block->data->name : NULL);
    for (int p = 0; p < ACT_PARTS; p++) {
        snprintf(text, sizeof text, "%s rows", act_part_name[p]);
        if (t->set.part[p].rows) put_count(settings, text, t->set.part[p].rows);
    }
    put_count(settings, "threads", act_pool_threads(t->m->pool));
    if (uname(&machine) == 0) {
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        snprintf(text, sizeof text, "%.60s %.60s, %ld processor%s", machine.sysname, machine.machine, processors, processors == 1 ? "" : "s");
        put_text(settings, "machine", text);
    }
    put_text(settings, "compiled for", model->features && *model->features ? model->features : model->target);
    const ActLogEvent event = { .step = t->step, .object = object };
    act_logs_write(&t->logs, &event, t->run->problems);
    cJSON_Delete(object);
}
