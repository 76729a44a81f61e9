#include "compare.h"

#include "output.h"
#include "page/chart.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMES = 64 /* of losses and metrics */, MOST_SETTINGS = 32 };

/* ── losses and metrics ── */

typedef struct Score { const char *part, *name; } Score;

/* What any run has, by name, then by part: test before validation before train. */
static size_t scores_of(const ActCurves *curves, size_t runs, Score *score)
{
    static const char *const parts[] = { "test", "validation", "train" };
    const char *name[MOST_NAMES];
    size_t names = 0, n = 0;
    for (size_t r = 0; r < runs; r++)
        for (size_t i = 0; i < curves[r].n; i++) {
            size_t k = 0;
            while (k < names && strcmp(name[k], curves[r].at[i].name) != 0) k++;
            if (k == names && names < MOST_NAMES) name[names++] = curves[r].at[i].name;
        }
    for (size_t k = 0; k < names; k++)
        for (size_t p = 0; p < 3; p++)
            for (size_t r = 0, found = 0; r < runs && !found; r++)
                for (size_t i = 0; i < curves[r].n && !found; i++)
                    if (strcmp(curves[r].at[i].name, name[k]) == 0 && strcmp(curves[r].at[i].part, parts[p]) == 0) {
                        score[n++] = (Score){ parts[p], name[k] };
                        found = 1;
                    }
    return n;
}

static const ActCurve *curve_of(const ActCurves *curves, const Score *score)
{
    for (size_t i = 0; i < curves->n; i++)
        if (strcmp(curves->at[i].name, score->name) == 0 && strcmp(curves->at[i].part, score->part) == 0) return &curves->at[i];
    return NULL;
}

static void put_scores(ActPage *page, const ActRunNameds *runs, const ActCurves *curves, const Score *score, size_t n, ActSeries *series)
{
    if (!n) return;
    act_page_section(page, "Curves", NULL);
    for (size_t s = 0; s < n; s++) {
        size_t lines = 0;
        char title[120];
        const cJSON *level = NULL;
        for (size_t r = 0; r < runs->n; r++) {
            const ActCurve *curve = curve_of(&curves[r], &score[s]);
            if (!level) level = act_report_level(&runs->at[r].log, score[s].name);
            if (curve) series[lines++] = (ActSeries){ .name = runs->at[r].name, .x = curve->x, .y = curve->y, .n = curve->n };
        }
        snprintf(title, sizeof title, "%.80s, %s", score[s].name, score[s].part);
        act_chart_lines(page, &(ActChart){ .title = title, .x_name = "epoch", .y_name = score[s].name, .series = series, .n = lines,
                                           .rule = level ? act_runlog_number(level, "value") : 0, .rule_name = level ? act_runlog_text(level, "name") : NULL });
    }
    act_page_section_end(page);
}

/* ── the table ── */

/* Settings in which the runs differ; what a run does not say is another value. */
static size_t differing(const ActRunNameds *runs, const char *key[MOST_SETTINGS])
{
    size_t n = 0;
    for (size_t r = 0; r < runs->n; r++)
        for (size_t i = 0; i < runs->at[r].log.n; i++) {
            const cJSON *line = runs->at[r].log.line[i], *item;
            if (strcmp(act_runlog_event(line), "run") != 0) continue;
            cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(line, "settings")) {
                const char *first = act_runlog_setting(&runs->at[0].log, item->string);
                size_t k = 0, differ = 0;
                while (k < n && strcmp(key[k], item->string) != 0) k++;
                for (size_t other = 1; other < runs->n; other++) {
                    const char *value = act_runlog_setting(&runs->at[other].log, item->string);
                    differ |= !first != !value || (first && strcmp(first, value) != 0);
                }
                if (differ && k == n && n < MOST_SETTINGS) key[n++] = item->string;
            }
        }
    return n;
}

static void put_table(ActPage *page, const ActRunNameds *runs, const ActCurves *curves, const Score *score, size_t n_score)
{
    const char *key[MOST_SETTINGS], *head[2 + MOST_SETTINGS + 3 * MOST_NAMES] = { "run" };
    char(*title)[120] = calloc(n_score + 1, sizeof *title);
    size_t settings = differing(runs, key), columns = 2 + settings + n_score;
    const char **cell = calloc(columns * runs->n + 1, sizeof *cell);
    ActNumber *number = calloc((n_score + 1) * runs->n + 1, sizeof *number);
    unsigned long words = 1;
    page->failed |= !title || !cell || !number;
    head[1] = "epochs";
    for (size_t k = 0; k < settings; k++) {
        size_t c = 2 + n_score + k;
        head[c] = key[k];
        if (c < 8 * sizeof words) words |= 1ul << c;
    }
    for (size_t s = 0; title && s < n_score; s++) {
        snprintf(title[s], sizeof title[s], "%s %s", score[s].part, score[s].name);
        head[2 + s] = title[s];
    }
    for (size_t r = 0; !page->failed && r < runs->n; r++) {
        const char **row = cell + r * columns;
        ActNumber *here = number + r * (n_score + 1);
        double epochs = NAN;
        row[0] = runs->at[r].name;
        for (size_t k = 0; k < settings; k++) row[2 + n_score + k] = act_runlog_setting(&runs->at[r].log, key[k]);
        for (size_t s = 0; s < n_score; s++) {
            const ActCurve *curve = curve_of(&curves[r], &score[s]);
            if (!curve || !curve->n) continue;
            here[s] = act_number(curve->y[curve->n - 1]);
            row[2 + s] = here[s].text;
            epochs = fmax(epochs, curve->x[curve->n - 1]);
        }
        if (!isnan(epochs)) here[n_score] = act_number(epochs);
        row[1] = here[n_score].text;
    }
    act_page_section(page, "Final values", settings ? "Behind them the settings in which the runs differ." : NULL);
    if (!page->failed) act_page_table(page, &(ActTable){ .head = head, .columns = columns, .cell = cell, .rows = runs->n, .words = words });
    act_page_section_end(page);
    free(title);
    free(cell);
    free(number);
}

/* ── layers ── */

/* Of all layers by step: the mean, or the first against the last. Points are those of the first layer. */
static size_t over_layers(const ActCurves *layers, int ratio, double *y)
{
    const ActCurve *first = &layers->at[0], *last = &layers->at[layers->n - 1];
    size_t n = first->n;
    for (size_t l = 0; l < layers->n; l++)
        if (layers->at[l].n < n) n = layers->at[l].n;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t l = 0; l < layers->n; l++) sum += layers->at[l].y[i];
        y[i] = ratio ? first->y[i] / last->y[i] : sum / (double)layers->n;
    }
    return n;
}

static void put_quantity(ActPage *page, const ActRunNameds *runs, const char *key, const char *title, int ratio, ActSeries *series)
{
    ActCurves *layers = calloc(runs->n, sizeof *layers);
    size_t n = 0;
    page->failed |= !layers;
    for (size_t r = 0; layers && r < runs->n; r++) {
        if (!act_curves_layers(&layers[r], &runs->at[r].log, "layer", key) || layers[r].n == 0 || (ratio && layers[r].n < 2)) continue;
        double *y = calloc(layers[r].at[0].n + 1, sizeof *y);
        if (!y) continue;
        size_t points = over_layers(&layers[r], ratio, y);
        series[n++] = (ActSeries){ .name = runs->at[r].name, .x = layers[r].at[0].x, .y = y, .n = points };
    }
    if (n) act_chart_lines(page, &(ActChart){ .title = title, .x_name = "step", .y_name = title, .series = series, .n = n, .percent = !ratio, .from_zero = !ratio,
                                              .y_scale = ratio ? ACT_SCALE_AUTO : ACT_SCALE_LINEAR });
    for (size_t s = 0; s < n; s++) free((void *)(uintptr_t)series[s].y);
    for (size_t r = 0; layers && r < runs->n; r++) act_curves_free(&layers[r]);
    free(layers);
}

/* Each run's gradient layer by layer at the first measurement, and what was predicted; layers are those of the run that has most. */
static void put_profile(ActPage *page, const ActRunNameds *runs)
{
    size_t n = 0, labels = 0;
    ActCurves *layers = calloc(2 * runs->n, sizeof *layers);
    ActSeries *series = calloc(2 * runs->n + 1, sizeof *series);
    char(*name)[160] = calloc(2 * runs->n + 1, sizeof *name);
    const char **label = NULL;
    page->failed |= !layers || !series || !name;
    for (size_t r = 0; !page->failed && r < 2 * runs->n; r++) {
        if (!act_curves_layers(&layers[r], &runs->at[r / 2].log, r % 2 ? "forecast" : "layer", "gradient") || layers[r].n < 2) continue;
        double *x = calloc(2 * layers[r].n, sizeof *x);
        if (!x) continue;
        for (size_t l = 0; l < layers[r].n; l++) {
            x[l] = (double)l;
            x[layers[r].n + l] = layers[r].at[l].y[0] / layers[r].at[layers[r].n - 1].y[0];
        }
        snprintf(name[n], sizeof name[n], "%.120s%s", runs->at[r / 2].name, r % 2 ? ", predicted" : ", measured");
        series[n] = (ActSeries){ .name = name[n], .x = x, .y = x + layers[r].n, .n = layers[r].n };
        n++;
        if (layers[r].n <= labels) continue;
        free(label);
        labels = layers[r].n;
        label = calloc(labels, sizeof *label);
        for (size_t l = 0; label && l < labels; l++) label[l] = layers[r].at[l].part;
    }
    if (n && label) act_chart_lines(page, &(ActChart){ .title = "gradient, layer by layer", .note = "before training, against that of the last layer", .x_name = "layer",
                                                       .y_name = "gradient", .series = series, .n = n, .dots = labels <= 30, .x_label = label, .n_label = labels });
    for (size_t s = 0; series && s < n; s++) free((void *)(uintptr_t)series[s].x);
    for (size_t r = 0; layers && r < 2 * runs->n; r++) act_curves_free(&layers[r]);
    free(label);
    free(layers);
    free(series);
    free(name);
}

static void put_layers(ActPage *page, const ActRunNameds *runs, ActSeries *series)
{
    int any = 0;
    for (size_t r = 0; r < runs->n; r++) any |= act_report_has(&runs->at[r].log, "layer");
    if (!any) return;
    act_page_section(page, "Layers", NULL);
    put_profile(page, runs);
    put_quantity(page, runs, "gradient", "gradient of the first layer against the last", 1, series);
    put_quantity(page, runs, "dead", "dead units, mean of the layers", 0, series);
    put_quantity(page, runs, "saturated", "saturated units, mean of the layers", 0, series);
    act_page_section_end(page);
}

/* ── the page ── */

void act_compare_draw(ActPage *page, const ActRunNameds *runs)
{
    size_t n = runs->n;
    char title[64];
    ActCurves *curves = calloc(n + 1, sizeof *curves);
    ActSeries *series = calloc(n + 1, sizeof *series);
    Score *score = calloc(3 * MOST_NAMES, sizeof *score);
    const ActRunLog **log = calloc(n + 1, sizeof *log);
    const char **name = calloc(n + 1, sizeof *name);
    page->failed |= !curves || !series || !score || !log || !name;
    snprintf(title, sizeof title, "%zu run%s", n, n == 1 ? "" : "s");
    act_page_begin(page, title, NULL);
    for (size_t r = 0; !page->failed && r < n; r++) {
        page->failed |= !act_curves_scores(&curves[r], &runs->at[r].log);
        log[r] = &runs->at[r].log;
        name[r] = runs->at[r].name;
    }
    if (!page->failed) {
        size_t scores = scores_of(curves, n, score);
        put_scores(page, runs, curves, score, scores, series);
        act_report_rates(page, log, name, n);
        put_layers(page, runs, series);
        put_table(page, runs, curves, score, scores);
    }
    act_page_end(page);
    for (size_t r = 0; curves && r < n; r++) act_curves_free(&curves[r]);
    free(curves);
    free(series);
    free(score);
    free((void *)log);
    free((void *)name);
}

ActStatus act_plot(const char *const *path, size_t n, const char *to, ActError *error)
{
    ActRunNameds runs;
    ActPage page = { 0 };
    ActFileOut out;
    act_error_clear(error);
    ActStatus status = act_runs_find(&runs, path, n, error);
    if (status != ACT_OK) return status;
    if (runs.n == 1) act_report_draw(&page, &runs.at[0].log, NULL);
    else act_compare_draw(&page, &runs);
    status = page.failed ? act_error_memory(error) : act_file_begin(&out, to, error);
    if (status == ACT_OK) {
        act_file_put(&out, page.at, page.n);
        status = act_file_finish(&out, error);
    }
    act_page_free(&page);
    act_runs_free(&runs);
    if (status == ACT_OK) act_error_clear(error); /* what was passed over in folders */
    return status;
}
