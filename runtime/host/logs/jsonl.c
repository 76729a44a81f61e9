/* JSON lines: an object for each epoch, numbers of a part in an object of their own. What is no number is null. What the monitor measures
 * and finds are objects with an "event": "layer", "histogram", "finding", "forecast"; there a number that makes no sense is left out. */
#include "host/log.h"

#include <cjson/cJSON.h>

#include <stdlib.h>

static uint64_t step_of(const char *line)
{
    cJSON *object = cJSON_Parse(line);
    const cJSON *step = cJSON_GetObjectItem(object, "step");
    uint64_t n = cJSON_IsNumber(step) && step->valuedouble > 0 ? (uint64_t)step->valuedouble : 0;
    cJSON_Delete(object);
    return n;
}

static ActStatus open_lines(ActLog *log, ActError *error)
{
    return act_log_lines(log, step_of, error);
}

static void add(void *context, const char *part, const char *name, double value)
{
    cJSON *object = context, *of_part = cJSON_GetObjectItem(object, part);
    if (!of_part) of_part = cJSON_AddObjectToObject(object, part);
    cJSON_AddNumberToObject(of_part, name, value);
}

static void add_of_layer(void *context, const char *layer, const char *name, double value)
{
    (void)layer;
    cJSON_AddNumberToObject(context, name, value);
}

static void add_layer(cJSON *object, const ActLogLayer *layer)
{
    cJSON_AddStringToObject(object, "layer", layer->name);
    if (layer->line) cJSON_AddNumberToObject(object, "line", layer->line);
    act_log_layer_values(layer, add_of_layer, object);
}

static void add_histogram(cJSON *object, const ActLogHistogram *histogram)
{
    cJSON_AddStringToObject(object, "layer", histogram->layer);
    cJSON_AddStringToObject(object, "what", histogram->what);
    cJSON_AddNumberToObject(object, "low", histogram->low);
    cJSON_AddNumberToObject(object, "high", histogram->high);
    cJSON *counts = cJSON_AddArrayToObject(object, "counts");
    for (size_t i = 0; i < histogram->n; i++)
        cJSON_AddItemToArray(counts, cJSON_CreateNumber((double)histogram->count[i]));
}

static void add_finding(cJSON *object, const ActLogFinding *finding)
{
    cJSON_AddStringToObject(object, "code", finding->code);
    if (finding->line) cJSON_AddNumberToObject(object, "line", finding->line);
    cJSON_AddStringToObject(object, "level", finding->level);
    cJSON_AddStringToObject(object, "message", finding->message);
}

static void put_line(ActLog *log, const cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    if (text) fprintf(log->file, "%s\n", text);
    else log->why = "out of memory";
    cJSON_free(text);
}

static void write_line(ActLog *log, const ActLogEvent *event)
{
    if (event->forecast && log->begun) return; /* it stands there */
    if (event->object) {
        put_line(log, event->object);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    int epoch = act_log_is_epoch(event);
    if (!epoch)
        cJSON_AddStringToObject(object, "event", event->layer ? "layer" : event->histogram ? "histogram" : event->finding ? "finding" : "forecast");
    if (!event->forecast) {
        cJSON_AddNumberToObject(object, "epoch", (double)event->epoch);
        cJSON_AddNumberToObject(object, "step", (double)event->step);
    }
    if (epoch) {
        cJSON_AddNumberToObject(object, "seconds", event->seconds);
        cJSON_AddNumberToObject(object, "rows_per_second", event->rate);
        act_log_values(event, add, object);
    }
    if (event->layer || event->forecast) add_layer(object, event->layer ? event->layer : event->forecast);
    if (event->histogram) add_histogram(object, event->histogram);
    if (event->finding) add_finding(object, event->finding);
    put_line(log, object);
    cJSON_Delete(object);
}

ACT_LOG(jsonl) = {
    .name = "jsonl",
    .ending = ".jsonl",
    .doc = "JSON lines",
    .open = open_lines,
    .write = write_line,
};
