/* Comma-separated values: a headline, then a line for each epoch, without what is measured inside of it. Columns are called part_name, as in test_accuracy. */
#include "host/log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The second column; 0 in a headline. */
static uint64_t step_of(const char *line)
{
    const char *comma = strchr(line, ',');
    return comma && comma[1] >= '0' && comma[1] <= '9' ? strtoull(comma + 1, NULL, 10) : 0;
}

static ActStatus open_lines(ActLog *log, ActError *error)
{
    return act_log_lines(log, step_of, error);
}

static void head(void *context, const char *part, const char *name, double value)
{
    (void)value;
    fprintf(context, ",%s_%s", part, name);
}

static void number(void *context, const char *part, const char *name, double value)
{
    (void)part;
    (void)name;
    if (isnan(value)) fputs(",nan", context);
    else fprintf(context, ",%.9g", value);
}

static void write_line(ActLog *log, const ActLogEvent *event)
{
    if (!act_log_is_epoch(event)) return; /* a table has one kind of row */
    if (!log->begun) {
        fputs("epoch,step,seconds,rows_per_second", log->file);
        act_log_values(event, head, log->file);
        fputc('\n', log->file);
        log->begun = 1;
    }
    fprintf(log->file, "%llu,%llu,%.9g,%.9g", (unsigned long long)event->epoch, (unsigned long long)event->step,
            event->seconds, event->rate);
    act_log_values(event, number, log->file);
    fputc('\n', log->file);
}

ACT_LOG(csv) = {
    .name = "csv",
    .ending = ".csv",
    .doc = "a table",
    .open = open_lines,
    .write = write_line,
};
