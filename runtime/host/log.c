#include "log.h"

#include "file.h"
#include "output.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOG(name) extern const ActLogKind act_log_##name;
#include "logs.inc"
#undef LOG

static const ActLogKind *const kinds[] = {
#define LOG(name) &act_log_##name,
#include "logs.inc"
#undef LOG
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static const ActLogKind *kind_of(const char *path, ActError *error)
{
    size_t n = strlen(path);
    int folder = act_file_is_directory(path);
    for (size_t i = 0; i < KINDS; i++) {
        size_t m = strlen(kinds[i]->ending);
        if (n > m && strcmp(path + n - m, kinds[i]->ending) == 0) return kinds[i];
        if (folder && strcmp(kinds[i]->ending, "/") == 0) return kinds[i];
    }
    act_error(error, ACT_E_ARGUMENT, "`--log %s`: the ending says what is written, and this is none of", path);
    for (size_t i = 0; i < KINDS; i++)
        act_error_more(error, "%s %s (%s)", i ? "," : "", kinds[i]->ending, kinds[i]->doc);
    return NULL;
}

ActStatus act_logs_check(const char *const *paths, size_t n, ActError *error)
{
    for (size_t i = 0; i < n; i++) {
        if (!kind_of(paths[i], error)) return ACT_E_ARGUMENT;
        for (size_t j = 0; j < i; j++)
            if (strcmp(paths[i], paths[j]) == 0)
                return act_error(error, ACT_E_ARGUMENT, "`--log %s` is given twice", paths[i]);
    }
    return ACT_OK;
}

ActStatus act_logs_open(ActLogs *logs, const char *const *paths, size_t n, uint64_t from, ActError *error)
{
    logs->log = calloc(n + 1, sizeof *logs->log);
    if (!logs->log) return act_error_memory(error);
    for (size_t i = 0; i < n; i++) {
        ActLog *log = &logs->log[logs->n++];
        *log = (ActLog){ .kind = kind_of(paths[i], error), .path = paths[i], .from = from };
        ActStatus status = log->kind ? log->kind->open(log, error) : ACT_E_ARGUMENT;
        if (status != ACT_OK) return status;
    }
    return ACT_OK;
}

static void close_log(ActLog *log)
{
    if (log->kind->close) log->kind->close(log);
    else fclose(log->file);
    log->file = NULL;
}

void act_logs_write(ActLogs *logs, const ActLogEvent *event, FILE *problems)
{
    for (size_t i = 0; i < logs->n; i++) {
        ActLog *log = &logs->log[i];
        if (!log->file) continue;
        errno = 0;
        log->kind->write(log, event);
        int failed = log->why || fflush(log->file) != 0 || ferror(log->file);
        if (!failed) continue;
        if (problems)
            fprintf(problems, "warning: the log `%s` ends at epoch %llu: %s. The training goes on without it\n", log->path,
                    (unsigned long long)event->epoch, log->why ? log->why : strerror(errno));
        close_log(log);
    }
}

void act_logs_close(ActLogs *logs, FILE *problems)
{
    for (size_t i = 0; i < logs->n; i++) {
        ActLog *log = &logs->log[i];
        const char *why = log->file && log->kind->end ? log->kind->end(log) : NULL;
        if (why && problems) fprintf(problems, "warning: the log `%s` is not up to date: %s\n", log->path, why);
        if (log->file) close_log(log);
    }
    free(logs->log);
    *logs = (ActLogs){ 0 };
}

/* ── for formats ── */

static ActStatus cannot_open(const ActLog *log, ActError *error)
{
    return act_error(error, ACT_E_IO, "the log `%s` can't be written: %s", log->path, strerror(errno));
}

/* The lines that stay, in a file that takes the old one's place. A last line without an end was cut off by whatever stopped the run. */
static ActStatus keep_lines(ActLog *log, uint64_t (*step)(const char *line), ActError *error)
{
    ActBytes old = { 0 };
    ActFileOut out;
    ActStatus status = act_file_read(log->path, &old, error);
    if (status != ACT_OK) return status;
    status = act_file_begin(&out, log->path, error);
    if (status == ACT_OK) {
        for (char *line = (char *)old.data, *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            if (step(line) > log->from) continue;
            act_file_put(&out, line, strlen(line));
            act_file_put(&out, "\n", 1);
            log->begun = 1;
        }
        status = act_file_finish(&out, error);
    }
    free(old.data);
    return status;
}

ActStatus act_log_lines(ActLog *log, uint64_t (*step)(const char *line), ActError *error)
{
    int goes_on = log->from > 0 && act_file_exists(log->path);
    if (goes_on) {
        ActStatus status = keep_lines(log, step, error);
        if (status != ACT_OK) return status;
    }
    log->file = fopen(log->path, goes_on ? "a" : "w");
    return log->file ? ACT_OK : cannot_open(log, error);
}

static void values_of(const ActScore *score, const char *part, ActLogEach each, void *context)
{
    each(context, part, "loss", score->loss);
    for (uint32_t i = 0; i < score->n_loss; i++) each(context, part, score->part_loss[i].name, score->part_loss[i].value);
    for (uint32_t i = 0; i < score->n_metric; i++) each(context, part, score->metric[i].name, score->metric[i].value);
}

void act_log_values(const ActLogEvent *event, ActLogEach each, void *context)
{
    values_of(event->trained, "train", each, context);
    for (size_t i = 0; i < event->n; i++) values_of(&event->score[i], event->score[i].part, each, context);
}

int act_log_is_epoch(const ActLogEvent *event)
{
    return !event->layer && !event->histogram && !event->finding && !event->forecast && !event->object;
}

void act_log_layer_values(const ActLogLayer *layer, ActLogEach each, void *context)
{
    const struct { const char *name; double value; } number[] = {
        { "mean", layer->mean }, { "deviation", layer->deviation }, { "zeros", layer->zeros }, { "dead", layer->dead },
        { "saturated", layer->saturated }, { "gradient", layer->gradient }, { "update", layer->update },
    };
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        if (!isnan(number[i].value)) each(context, layer->name, number[i].name, number[i].value);
}
