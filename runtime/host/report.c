#include "report.h"

#include "page/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTS = 3, FIGURES = 12 };

int act_report_has(const ActRunLog *log, const char *event)
{
    for (size_t i = 0; i < log->n; i++)
        if (strcmp(act_runlog_event(log->line[i]), event) == 0) return 1;
    return 0;
}

const cJSON *act_report_level(const ActRunLog *log, const char *of)
{
    for (size_t i = log->n; i-- > 0;)
        if (strcmp(act_runlog_event(log->line[i]), "level") == 0 && strcmp(act_runlog_text(log->line[i], "of"), of) == 0) return log->line[i];
    return NULL;
}

static const cJSON *last_epoch(const ActRunLog *log)
{
    for (size_t i = log->n; i-- > 0;)
        if (strcmp(act_runlog_event(log->line[i]), "epoch") == 0) return log->line[i];
    return NULL;
}

/* ── the head ── */

static void put_head(ActPage *page, const ActRunLog *log)
{
    static const char *const keys[] = { "source", "optimizer", "schedule", "data" };
    const char *model = act_runlog_setting(log, "model");
    for (size_t i = 0; !model && i < log->n; i++) model = act_runlog_text(log->line[i], "model");
    char subtitle[600] = "";
    size_t at = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = act_runlog_setting(log, keys[i]);
        if (value && at < sizeof subtitle) at += (size_t)snprintf(subtitle + at, sizeof subtitle - at, "%s%s", at ? " · " : "", value);
    }
    act_page_begin(page, model ? model : "a training", subtitle);
}

/* The newest epoch's numbers of the part that says most: test, else validation, else train. */
static void put_figures(ActPage *page, const ActRunLog *log)
{
    static const char *const parts[] = { "test", "validation", "train" };
    const cJSON *line = last_epoch(log), *part = NULL, *item;
    const char *name[FIGURES], *value[FIGURES], *of = "";
    char names[FIGURES][80], values[FIGURES][40], epochs[40];
    size_t n = 0;
    if (!line) return;
    const char *all = act_runlog_setting(log, "epochs");
    snprintf(epochs, sizeof epochs, all ? "%s of %.20s" : "%s", act_number(act_runlog_number(line, "epoch")).text, all);
    name[n] = "epochs";
    value[n++] = epochs;
    for (size_t p = 0; p < MOST_PARTS && !part; p++) part = cJSON_GetObjectItemCaseSensitive(line, of = parts[p]);
    cJSON_ArrayForEach(item, part) {
        if (n + 1 >= FIGURES) break;
        snprintf(names[n], sizeof names[n], "%.60s, %s", item->string, of);
        snprintf(values[n], sizeof values[n], "%s", cJSON_IsNumber(item) ? act_number(item->valuedouble).text : "not a number");
        name[n] = names[n];
        value[n] = values[n];
        n++;
    }
    double seconds = act_runlog_number(line, "seconds");
    if (seconds >= 0 && seconds < 1e9) {
        if (seconds < 100) snprintf(values[n], sizeof values[n], "%.1f s", seconds);
        else if (seconds < 6000) snprintf(values[n], sizeof values[n], "%.0f min", seconds / 60);
        else snprintf(values[n], sizeof values[n], "%.1f h", seconds / 3600);
        name[n] = "time";
        value[n] = values[n];
        n++;
    }
    act_page_figures(page, name, value, n);
}

/* ── curves ── */

static void put_curves(ActPage *page, const ActRunLog *log)
{
    ActCurves curves;
    int good = act_curves_scores(&curves, log);
    if (good && curves.n) {
        act_page_section(page, "Curves", "The training part's numbers are means over an epoch, as they were before each update; the others are taken at its end.");
        for (size_t i = 0; i < curves.n; i++) {
            ActSeries series[MOST_PARTS];
            size_t n = 0, before = 0;
            while (before < i && strcmp(curves.at[before].name, curves.at[i].name) != 0) before++;
            if (before < i) continue; /* drawn */
            for (size_t k = i; k < curves.n && n < MOST_PARTS; k++)
                if (strcmp(curves.at[k].name, curves.at[i].name) == 0)
                    series[n++] = (ActSeries){ .name = curves.at[k].part, .x = curves.at[k].x, .y = curves.at[k].y, .n = curves.at[k].n };
            const cJSON *level = act_report_level(log, curves.at[i].name);
            act_chart_lines(page, &(ActChart){ .title = curves.at[i].name, .x_name = "epoch", .y_name = curves.at[i].part, .series = series, .n = n,
                                               .rule = level ? act_runlog_number(level, "value") : 0, .rule_name = level ? act_runlog_text(level, "name") : NULL });
        }
        act_page_section_end(page);
    }
    page->failed |= !good;
    act_curves_free(&curves);
}

/* ── the learning-rate range test ── */

void act_report_rates(ActPage *page, const ActRunLog *const *log, const char *const *name, size_t n_log)
{
    ActSeries *series = calloc(2 * n_log + 1, sizeof *series);
    size_t n = 0;
    for (size_t l = 0; series && l < n_log; l++) {
        size_t lines = log[l]->n, points = 0;
        double *room = calloc(3 * lines + 1, sizeof *room);
        if (!room) continue;
        for (size_t i = 0; i < lines; i++) {
            const cJSON *line = log[l]->line[i];
            if (strcmp(act_runlog_event(line), "lr") != 0) continue;
            double rate = act_runlog_number(line, "lr");
            if (points && rate <= room[points - 1]) continue;
            room[points] = rate;
            room[lines + points] = act_runlog_number(line, "loss");
            room[2 * lines + points++] = act_runlog_number(line, "smoothed");
        }
        int smooth = 0;
        for (size_t i = 0; i < points; i++) smooth |= isfinite(room[2 * lines + i]);
        if (points && smooth) series[n++] = (ActSeries){ .name = n_log > 1 ? name[l] : "smoothed", .x = room, .y = room + 2 * lines, .n = points };
        if (points && (n_log == 1 || !smooth)) series[n++] = (ActSeries){ .name = n_log > 1 ? name[l] : "loss of the step", .x = room, .y = room + lines, .n = points };
        if (!points) free(room);
    }
    if (n) {
        act_page_section(page, "Learning-rate range", "The rate rises step by step. A good one is where the loss falls fastest; where it is lowest is already too much.");
        char note[160] = "";
        for (size_t i = 0; n_log == 1 && i < log[0]->n; i++) {
            double steepest = act_runlog_number(log[0]->line[i], "steepest"), lowest = act_runlog_number(log[0]->line[i], "lowest");
            if (strcmp(act_runlog_event(log[0]->line[i]), "lr_range") == 0 && isfinite(steepest) && isfinite(lowest))
                snprintf(note, sizeof note, "falls fastest at %s, lowest at %s", act_number(steepest).text, act_number(lowest).text);
        }
        act_chart_lines(page, &(ActChart){ .title = "loss by learning rate", .note = *note ? note : NULL, .x_name = "learning rate", .y_name = "loss", .series = series, .n = n, .x_log = 1 });
        act_page_section_end(page);
    }
    for (size_t s = 0; series && s < n; s++)
        if (s == 0 || series[s].x != series[s - 1].x) free((void *)(uintptr_t)series[s].x);
    page->failed |= !series;
    free(series);
}

/* ── settings ── */

static void put_settings(ActPage *page, const ActRunLog *log)
{
    const cJSON *settings = NULL, *item;
    size_t n = 0;
    for (size_t i = 0; i < log->n; i++)
        if (strcmp(act_runlog_event(log->line[i]), "run") == 0) settings = cJSON_GetObjectItemCaseSensitive(log->line[i], "settings");
    const char *head[] = { "setting", "value" };
    const char **cell = calloc(2 * (size_t)cJSON_GetArraySize(settings) + 1, sizeof *cell);
    page->failed |= !cell;
    if (cell && settings) {
        cJSON_ArrayForEach(item, settings) {
            cell[2 * n] = item->string;
            cell[2 * n++ + 1] = item->valuestring;
        }
        act_page_section(page, "Settings and machine", NULL);
        act_page_table(page, &(ActTable){ .head = head, .columns = 2, .cell = cell, .rows = n, .words = 3 });
        act_page_section_end(page);
    }
    free(cell);
}

/* JSON says `<` otherwise inside of its texts, and has none outside. */
static void put_log(ActPage *page, const char *text)
{
    act_page_raw(page, ACT_RUNLOG_BEGIN);
    while (*text) {
        size_t n = strcspn(text, "<");
        act_page_put(page, text, n);
        text += n;
        if (*text) {
            act_page_raw(page, "\\u003c");
            text++;
        }
    }
    act_page_raw(page, ACT_RUNLOG_END);
}

void act_report_draw(ActPage *page, const ActRunLog *log, const char *text)
{
    put_head(page, log);
    put_figures(page, log);
    put_curves(page, log);
    act_report_rates(page, &log, NULL, 1);
    act_report_folds(page, log);
    act_report_checks(page, log);
    act_report_findings(page, log);
    act_report_forecast(page, log);
    act_report_layers(page, log);
    act_report_histograms(page, log);
    act_report_answers(page, log);
    put_settings(page, log);
    if (text) put_log(page, text);
    act_page_end(page);
}
