/* What happened in the layers. */
#include "report.h"

#include "page/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { APART = 8 /* layers told apart by hue; more go through shades */, HISTOGRAMS = 24 /* layers */ };

static ActSeries *series_of(const ActCurves *curves)
{
    ActSeries *series = calloc(curves->n + 1, sizeof *series);
    for (size_t i = 0; series && i < curves->n; i++)
        series[i] = (ActSeries){ .name = curves->at[i].part, .x = curves->at[i].x, .y = curves->at[i].y, .n = curves->at[i].n };
    return series;
}

static const struct { const char *key, *title, *note; int percent, zero; } quantities[] = {
    { "gradient", "gradient", "its norm at the layer's pre-activations", 0, 0 },
    { "update", "update of the weights", "the step's change against the weights' size", 0, 0 },
    { "dead", "dead units", "zero for every row of the window", 1, 1 },
    { "saturated", "saturated units", "where the activation is flat", 1, 1 },
    { "zeros", "zero activations", "units and rows", 1, 1 },
    { "deviation", "deviation of the pre-activations", NULL, 0, 0 },
    { "mean", "mean of the pre-activations", NULL, 0, 0 },
};

void act_report_layers(ActPage *page, const ActRunLog *log)
{
    if (!act_report_has(log, "layer")) return;
    act_page_section(page, "Layers", "As the monitor measured them, by step.");
    for (size_t q = 0; q < sizeof quantities / sizeof *quantities; q++) {
        ActCurves curves;
        int good = act_curves_layers(&curves, log, "layer", quantities[q].key);
        ActSeries *series = good ? series_of(&curves) : NULL;
        page->failed |= !series;
        if (series && curves.n)
            act_chart_lines(page, &(ActChart){ .title = quantities[q].title, .note = quantities[q].note, .x_name = "step", .y_name = quantities[q].title, .series = series,
                                               .n = curves.n, .percent = quantities[q].percent, .from_zero = quantities[q].zero, .ordered = curves.n > APART,
                                               .y_scale = quantities[q].percent ? ACT_SCALE_LINEAR : ACT_SCALE_AUTO });
        free(series);
        act_curves_free(&curves);
    }
    act_page_section_end(page);
}

/* ── prediction and measurement ── */

/* The layers that both know, in the order of the forecast. */
typedef struct Pair { const char *layer; unsigned line; double predicted, first, last; } Pair;

static size_t pairs_of(const ActCurves *forecast, const ActCurves *measured, Pair *pair)
{
    size_t n = 0;
    for (size_t i = 0; i < forecast->n; i++)
        for (size_t k = 0; k < measured->n; k++)
            if (strcmp(forecast->at[i].part, measured->at[k].part) == 0) {
                const ActCurve *m = &measured->at[k];
                pair[n++] = (Pair){ m->part, m->line, forecast->at[i].y[0], m->y[0], m->y[m->n - 1] };
                break;
            }
    return n;
}

/* Against the last layer's, which says nothing by itself: losses and batches have sizes of their own. */
static void make_relative(Pair *pair, size_t n)
{
    const Pair end = n ? pair[n - 1] : (Pair){ 0 };
    for (size_t i = 0; i < n; i++) {
        pair[i].predicted /= end.predicted;
        pair[i].first /= end.first;
        pair[i].last /= end.last;
    }
}

static void draw_pairs(ActPage *page, const char *title, const char *note, const Pair *pair, size_t n, int percent)
{
    double *room = calloc(4 * n + 1, sizeof *room);
    const char **label = calloc(n + 1, sizeof *label);
    page->failed |= !room || !label;
    for (size_t i = 0; room && label && i < n; i++) {
        label[i] = pair[i].layer;
        room[i] = (double)i;
        room[n + i] = pair[i].predicted;
        room[2 * n + i] = pair[i].first;
        room[3 * n + i] = pair[i].last;
    }
    if (room && label) {
        const ActSeries series[] = {
            { .name = "predicted", .x = room, .y = room + n, .n = n },
            { .name = "measured first", .x = room, .y = room + 2 * n, .n = n },
            { .name = "measured last", .x = room, .y = room + 3 * n, .n = n },
        };
        act_chart_lines(page, &(ActChart){ .title = title, .note = note, .x_name = "layer", .y_name = title, .series = series, .n = 3, .dots = n <= 30, .x_label = label,
                                           .n_label = n, .percent = percent, .from_zero = percent,
                                           .y_scale = percent ? ACT_SCALE_LINEAR : ACT_SCALE_AUTO });
    }
    free(room);
    free(label);
}

static void put_quantity(ActPage *page, const ActRunLog *log, const char *key, const char *title, const char *note, int relative, int percent)
{
    ActCurves forecast = { 0 }, measured = { 0 };
    int good = act_curves_layers(&forecast, log, "forecast", key) && act_curves_layers(&measured, log, "layer", key);
    Pair *pair = calloc(forecast.n + 1, sizeof *pair);
    page->failed |= !good || !pair;
    size_t n = good && pair ? pairs_of(&forecast, &measured, pair) : 0;
    if (relative) make_relative(pair, n);
    if (n) draw_pairs(page, title, note, pair, n, percent);
    free(pair);
    act_curves_free(&forecast);
    act_curves_free(&measured);
}

void act_report_forecast(ActPage *page, const ActRunLog *log)
{
    if (!act_report_has(log, "forecast") || !act_report_has(log, "layer")) return;
    act_page_section(page, "Predicted and measured", "The checker predicts what fresh weights do; the first measurement is held against that, the last shows what training made of it.");
    put_quantity(page, log, "gradient", "gradient, layer by layer", "against that of the last layer", 1, 0);
    put_quantity(page, log, "deviation", "deviation of the pre-activations, layer by layer", NULL, 0, 0);
    put_quantity(page, log, "dead", "dead units, layer by layer", NULL, 0, 1);
    put_quantity(page, log, "saturated", "saturated units, layer by layer", NULL, 0, 1);
    act_page_section_end(page);
}

/* ── histograms ── */

static void put_histogram(ActPage *page, const ActRunLog *log, const char *layer, const char *what)
{
    size_t n = 0;
    ActHistogram *at = calloc(log->n + 1, sizeof *at);
    page->failed |= !at;
    for (size_t i = 0; at && i < log->n; i++) {
        const cJSON *line = log->line[i], *counts = cJSON_GetObjectItemCaseSensitive(line, "counts"), *one;
        if (strcmp(act_runlog_event(line), "histogram") != 0 || strcmp(act_runlog_text(line, "layer"), layer) != 0 ||
            strcmp(act_runlog_text(line, "what"), what) != 0) continue;
        double *count = calloc((size_t)cJSON_GetArraySize(counts) + 1, sizeof *count);
        if (!count) break;
        at[n] = (ActHistogram){ act_runlog_number(line, "step"), act_runlog_number(line, "low"), act_runlog_number(line, "high"), count, 0 };
        cJSON_ArrayForEach(one, counts) count[at[n].bins++] = one->valuedouble;
        n++;
    }
    char title[200];
    snprintf(title, sizeof title, "%.80s: %.80ss", layer, what);
    if (at) act_chart_heat(page, title, NULL, "step", at, n);
    for (size_t i = 0; i < n; i++) free((void *)(uintptr_t)at[i].count);
    free(at);
}

void act_report_histograms(ActPage *page, const ActRunLog *log)
{
    size_t layers = 0;
    if (!act_report_has(log, "histogram")) return;
    act_page_section(page, "Histograms over time", "The darker or brighter, the more values lie there.");
    for (size_t i = 0; i < log->n && layers < HISTOGRAMS; i++) {
        const cJSON *line = log->line[i];
        const char *layer = act_runlog_text(line, "layer"), *what = act_runlog_text(line, "what");
        if (strcmp(act_runlog_event(line), "histogram") != 0) continue;
        int drawn = 0;
        for (size_t k = 0; k < i && !drawn; k++)
            drawn = strcmp(act_runlog_event(log->line[k]), "histogram") == 0 && strcmp(act_runlog_text(log->line[k], "layer"), layer) == 0 &&
                    strcmp(act_runlog_text(log->line[k], "what"), what) == 0;
        if (drawn) continue;
        put_histogram(page, log, layer, what);
        layers++;
    }
    act_page_section_end(page);
}

/* ── findings ── */

void act_report_findings(ActPage *page, const ActRunLog *log)
{
    static const char *const head[] = { "level", "code", "step", "line", "what was found" };
    enum { COLUMNS = 5 };
    size_t n = 0, most = log->n;
    if (!act_report_has(log, "finding")) return;
    const char **cell = calloc(COLUMNS * most + 1, sizeof *cell), **level = calloc(most + 1, sizeof *level);
    ActNumber *number = calloc(2 * most + 1, sizeof *number);
    for (size_t i = 0; cell && level && number && i < log->n; i++) {
        const cJSON *line = log->line[i];
        if (strcmp(act_runlog_event(line), "finding") != 0) continue;
        double step = act_runlog_number(line, "step"), source = act_runlog_number(line, "line");
        if (!isnan(step)) number[2 * n] = act_number(step);
        if (!isnan(source)) snprintf(number[2 * n + 1].text, sizeof number->text, "%.0f", source);
        const char *row[COLUMNS] = { act_runlog_text(line, "level"), act_runlog_text(line, "code"), number[2 * n].text, number[2 * n + 1].text, act_runlog_text(line, "message") };
        memcpy(cell + COLUMNS * n, row, sizeof row);
        level[n++] = row[0];
    }
    page->failed |= !cell || !level || !number;
    act_page_section(page, "Findings", "What the monitor found while the network was trained.");
    if (!page->failed) act_page_table(page, &(ActTable){ .head = head, .columns = COLUMNS, .cell = cell, .rows = n, .words = 1 | 2 | 16, .level = level });
    act_page_section_end(page);
    free(cell);
    free(level);
    free(number);
}

/* ── the checker's warnings ── */

/* Of a training that was gone on with, the newest verdict on each. */
static int is_newest(const ActRunLog *log, size_t at)
{
    const cJSON *line = log->line[at];
    for (size_t i = at + 1; i < log->n; i++) {
        const cJSON *other = log->line[i];
        double a = act_runlog_number(line, "line"), b = act_runlog_number(other, "line");
        if (strcmp(act_runlog_event(other), "check") == 0 && strcmp(act_runlog_text(other, "code"), act_runlog_text(line, "code")) == 0 && (a == b || (isnan(a) && isnan(b)))) return 0;
    }
    return 1;
}

void act_report_checks(ActPage *page, const ActRunLog *log)
{
    static const char *const head[] = { "code", "rule", "line", "what the checker said", "in the run", "why" };
    enum { COLUMNS = 6 };
    size_t n = 0;
    if (!act_report_has(log, "check")) return;
    const char **cell = calloc(COLUMNS * log->n + 1, sizeof *cell);
    ActNumber *number = calloc(log->n + 1, sizeof *number);
    page->failed |= !cell || !number;
    for (size_t i = 0; cell && number && i < log->n; i++) {
        const cJSON *line = log->line[i];
        if (strcmp(act_runlog_event(line), "check") != 0 || !is_newest(log, i)) continue;
        double source = act_runlog_number(line, "line");
        if (!isnan(source)) snprintf(number[n].text, sizeof number->text, "%.0f", source);
        const char *row[COLUMNS] = { act_runlog_text(line, "code"), act_runlog_text(line, "name"), number[n].text, act_runlog_text(line, "message"),
                                     act_runlog_text(line, "verdict"), act_runlog_text(line, "why") };
        memcpy(cell + COLUMNS * n++, row, sizeof row);
    }
    act_page_section(page, "The checker's warnings", "Said before training, and held against the run.");
    if (!page->failed) act_page_table(page, &(ActTable){ .head = head, .columns = COLUMNS, .cell = cell, .rows = n, .words = 1 | 2 | 8 | 16 | 32 });
    act_page_section_end(page);
    free(cell);
    free(number);
}
