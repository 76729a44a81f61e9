/* JSON lines: an object for each epoch, numbers of a part in an object of their own. What is no number is null. */
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

static void write_line(ActLog *log, const ActLogEvent *event)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "epoch", (double)event->epoch);
    cJSON_AddNumberToObject(object, "step", (double)event->step);
    cJSON_AddNumberToObject(object, "seconds", event->seconds);
    cJSON_AddNumberToObject(object, "rows_per_second", event->rate);
    act_log_values(event, add, object);
    char *text = cJSON_PrintUnformatted(object);
    if (text) fprintf(log->file, "%s\n", text);
    else log->why = "out of memory";
    cJSON_free(text);
    cJSON_Delete(object);
}

ACT_LOG(jsonl) = {
    .name = "jsonl",
    .ending = ".jsonl",
    .doc = "JSON lines",
    .open = open_lines,
    .write = write_line,
};
