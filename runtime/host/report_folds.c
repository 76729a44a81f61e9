/* What cross-validation came to: each fold's numbers as bars, their mean and deviation below. */
#include "report.h"

#include "page/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FOLDS = 100 };

static const cJSON *line_of(const ActRunLog *log, const char *event)
{
    for (size_t i = 0; i < log->n; i++)
        if (strcmp(act_runlog_event(log->line[i]), event) == 0) return log->line[i];
    return NULL;
}

static void put_bars(ActPage *page, const ActRunLog *log, const char *key)
{
    double value[MOST_FOLDS];
    char names[MOST_FOLDS][24], title[300];
    const char *name[MOST_FOLDS];
    size_t n = 0;
    for (size_t i = 0; i < log->n && n < MOST_FOLDS; i++) {
        if (strcmp(act_runlog_event(log->line[i]), "fold") != 0) continue;
        value[n] = act_runlog_number(log->line[i], key);
        snprintf(names[n], sizeof names[n], "fold %.0f", act_runlog_number(log->line[i], "fold"));
        name[n] = names[n];
        n++;
    }
    double mean = act_runlog_number(line_of(log, "mean"), key), deviation = act_runlog_number(line_of(log, "deviation"), key);
    snprintf(title, sizeof title, isnan(mean) ? "%.80s" : isnan(deviation) ? "%.80s: mean %s" : "%.80s: mean %s, deviation %s", key, act_number(mean).text,
             act_number(deviation).text);
    act_chart_bars(page, title, name, value, n);
}

void act_report_folds(ActPage *page, const ActRunLog *log)
{
    const cJSON *first = line_of(log, "fold"), *item;
    if (!first) return;
    act_page_section(page, "Folds", "Each training is judged by the rows that it did not see.");
    cJSON_ArrayForEach(item, first)
        if (cJSON_IsNumber(item) && strcmp(item->string, "fold") != 0 && strcmp(item->string, "rows") != 0) put_bars(page, log, item->string);
    act_page_section_end(page);
}
