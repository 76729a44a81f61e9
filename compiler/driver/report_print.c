/* The report as tables for people and as JSON. */
#include "driver/report.h"

#include "driver/table.h"

#include <math.h>
#include <string.h>

enum { BAR = 12 };

static Str number(Arena *arena, double value) { return isnan(value) ? (Str){0} : str_printf(arena, "%.3g", value); }

static Str percent(Arena *arena, double value)
{
    return isnan(value) ? (Str){0} : str_printf(arena, "%.3g %%", 100 * value < 0.005 ? 0 : 100 * value);
}

/* A bar on a logarithmic scale: `most` fills it, and what lies `decades` below is empty. */
static Str bar(Arena *arena, double value, double most, double decades)
{
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (!(value > 0) || !(most > 0))
        return (Str){0};
    double share = 1 + log10(value / most) / decades;
    int parts = (int)lround(8 * BAR * fmax(0, fmin(1, share)));
    Text text = {.arena = arena};
    for (int i = 0; i < parts / 8; i++)
        text_add(&text, STR("█"));
    text_add(&text, str_of(eighth[parts % 8]));
    return parts ? text_str(&text) : STR("▏");
}

typedef struct Scale {
    double most, decades;
} Scale;

static Scale scale_of(const Report *report, bool gradient)
{
    double least = INFINITY, most = 0;
    for (uint32_t i = 0; i < report->n; i++) {
        double value = gradient ? report->row[i].gradient : report->row[i].deviation;
        if (value > 0 && isfinite(value)) {
            least = fmin(least, value);
            most = fmax(most, value);
        }
    }
    return (Scale){most, fmax(2, ceil(log10(most / least) + 0.5))};
}

static void print_facts(Arena *arena, const Report *report, Text *out)
{
    Table table = table_new(arena, report->n + 1);
    uint64_t parameters = 0, flops = 0, bytes = 0;
    table_column(&table, "layer", true);
    table_column(&table, "line", false);
    table_column(&table, "shape", true);
    table_column(&table, "parameters", false);
    table_column(&table, "FLOPs", false);
    table_column(&table, "bytes", false);
    table_column(&table, "weights", true);
    for (uint32_t i = 0; i < report->n; i++) {
        const ReportRow *row = &report->row[i];
        Str cells[] = {row->use->name,
                       str_printf(arena, "%u", row->line),
                       row->shape,
                       table_grouped(arena, row->parameters),
                       table_grouped(arena, row->flops),
                       table_grouped(arena, row->bytes),
                       row->initializer};
        memcpy(table_cell(&table, i, 0), cells, sizeof cells);
        parameters += row->parameters;
        flops += row->flops;
        bytes += row->bytes;
    }
    Str total[] = {STR("total"),          (Str){0}, (Str){0}, table_grouped(arena, parameters), table_grouped(arena, flops),
                   table_grouped(arena, bytes), (Str){0}};
    memcpy(table_cell(&table, report->n, 0), total, sizeof total);
    table_print(&table, out);
    text_add(out, STR("  FLOPs and bytes are of one row, forward.\n"));
    if (report->running)
        text_printf(out, "  %s running statistics of norms are kept beside the parameters, and not trained.\n",
                    table_grouped(arena, report->running).p);
    for (uint32_t i = 0; i < report->model->draws.n; i++) {
        const DrawUse *draw = &report->model->draws.at[i];
        const Node *node = graph_node(report->model->graph, draw->node);
        Text shape = {.arena = arena};
        type_print_shape(&node->type, &shape);
        text_printf(out, "  drawn: " STR_FMT "%s" STR_FMT " = " STR_FMT "%s\n", STR_ARG(node->name), node->name.n ? " " : "",
                    STR_ARG(text_str(&shape)), STR_ARG(draw->text), draw->training ? " when training" : "");
    }
}

static bool has_prediction(const ReportRow *row) { return row->use->out && !isnan(row->gradient); }

enum { SHOWN_DEAD = 1, SHOWN_SATURATED = 2, SHOWN_UPDATE = 4 };

/* A column in which nothing would stand is left out, and what would explain it, too. */
static unsigned shown_of(const Report *report)
{
    unsigned shown = 0;
    for (uint32_t i = 0; i < report->n; i++) {
        const ReportRow *row = &report->row[i];
        if (has_prediction(row))
            shown |= (isnan(row->dead) ? 0u : SHOWN_DEAD) | (isnan(row->saturated) ? 0u : SHOWN_SATURATED) |
                     (isnan(row->update) ? 0u : SHOWN_UPDATE);
    }
    return shown;
}

static void print_legend(Arena *arena, const Report *report, unsigned shown, double deviation, double gradient,
                         Text *out)
{
    enum { WIDTH = 98 };
    Text text = {.arena = arena};
    text_printf(&text, "Bars are logarithmic: %g and %g decades. Gradients are norms against the last weight layer's",
                deviation, gradient);
    if (shown & SHOWN_DEAD)
        text_printf(&text, "; dead: flat on all of %u samples", report->window);
    if (shown & SHOWN_SATURATED)
        text_add(&text, STR("; saturated: a slope below 1 % of the greatest"));
    if (shown & SHOWN_UPDATE)
        text_add(&text, STR("; update: the first step at the full rate, against the size of the weights"));
    text_putc(&text, '.');
    Str rest = text_str(&text);
    while (rest.n) {
        uint32_t n = rest.n;
        if (n > WIDTH)
            for (n = WIDTH; n > 0 && rest.p[n] != ' '; n--)
                ;
        text_printf(out, "  %.*s\n", (int)n, rest.p);
        n += n < rest.n;
        rest = (Str){rest.p + n, rest.n - n};
    }
}

static void print_predictions(Arena *arena, const Report *report, Text *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < report->n; i++)
        n += has_prediction(&report->row[i]);
    Table table = table_new(arena, n);
    Scale deviation = scale_of(report, false), gradient = scale_of(report, true);
    unsigned shown = shown_of(report);
    table_column(&table, "layer", true);
    table_column(&table, "std", false);
    table_column(&table, "", true);
    table_column(&table, "gradient", false);
    table_column(&table, "", true);
    if (shown & SHOWN_DEAD)
        table_column(&table, "dead", false);
    if (shown & SHOWN_SATURATED)
        table_column(&table, "saturated", false);
    if (shown & SHOWN_UPDATE)
        table_column(&table, "update", false);
    n = 0;
    for (uint32_t i = 0; i < report->n; i++) {
        const ReportRow *row = &report->row[i];
        if (!has_prediction(row))
            continue;
        Str cells[TABLE_COLUMNS] = {row->use->name, number(arena, row->deviation),
                                 bar(arena, row->deviation, deviation.most, deviation.decades),
                                 number(arena, row->gradient),
                                 bar(arena, row->gradient, gradient.most, gradient.decades)};
        uint32_t column = 5;
        if (shown & SHOWN_DEAD)
            cells[column++] = percent(arena, row->dead);
        if (shown & SHOWN_SATURATED)
            cells[column++] = percent(arena, row->saturated);
        if (shown & SHOWN_UPDATE)
            cells[column++] = number(arena, row->update);
        memcpy(table_cell(&table, n++, 0), cells, sizeof cells);
    }
    if (n == 0)
        return;
    text_add(out, STR("  Predicted from the initial weights:\n"));
    table_print(&table, out);
    print_legend(arena, report, shown, deviation.decades, gradient.decades, out);
}

static void print_summary(const Report *report, Text *out)
{
    const Model *model = report->model;
    if (report->path.first != report->path.last && !isnan(report->path.ratio)) {
        text_printf(out, "  gradient at `" STR_FMT "` against `" STR_FMT "`: %.3g", STR_ARG(report->first),
                    STR_ARG(report->last), report->path.ratio);
        text_printf(out, " (nine networks of ten: %.2g to %.2g)\n", report->band.low, report->band.high);
    }
    for (uint32_t i = 0; i < report->n; i++) {
        const ReportRow *row = &report->row[i];
        if (isnan(row->horizon.middle))
            continue;
        text_printf(out, "  gradient behind the %u steps of `" STR_FMT "`: %.3g", row->steps, STR_ARG(row->use->name), row->horizon.middle);
        text_printf(out, " (nine networks of ten: %.2g to %.2g)", row->horizon.low, row->horizon.high);
        if (isnan(row->half_life))
            text_putc(out, '\n');
        else
            text_printf(out, "; its memory keeps half for %.3g\n", row->half_life);
    }
    for (uint32_t i = 0; i < model->losses.n; i++) {
        const LossCall *loss = &model->losses.at[i];
        if (isnan(report->loss[i]))
            continue;
        text_printf(out, "  " STR_FMT " before training: %.4g", STR_ARG(loss->fn), report->loss[i]);
        if (loss->classes)
            text_printf(out, " (a guess over %u classes: %.4g)",
                        (uint32_t)type_last(graph_type(model->graph, loss->prediction)),
                        log((double)type_last(graph_type(model->graph, loss->prediction))));
        text_putc(out, '\n');
    }
}

void report_print_table(Arena *arena, const Report *report, Text *out)
{
    text_printf(out, STR_FMT ", batch %u\n", STR_ARG(report->model->name), report->model->graph->batch);
    print_facts(arena, report, out);
    print_predictions(arena, report, out);
    print_summary(report, out);
}

static void json_number(Text *out, const char *key, double value)
{
    if (isfinite(value))
        text_printf(out, ",\"%s\":%.6g", key, value);
    else
        text_printf(out, ",\"%s\":null", key);
}

void report_print_json(const Report *report, Text *out)
{
    const Model *model = report->model;
    for (uint32_t i = 0; i < report->n; i++) {
        const ReportRow *row = &report->row[i];
        text_printf(out,
                    "{\"model\":\"" STR_FMT "\",\"name\":\"" STR_FMT "\",\"kind\":\"" STR_FMT
                    "\",\"line\":%u,\"shape\":" STR_FMT,
                    STR_ARG(model->name), STR_ARG(row->use->name), STR_ARG(row->use->kind), row->line,
                    STR_ARG(row->shape));
        text_printf(out, ",\"parameters\":%llu,\"flops\":%llu,\"bytes\":%llu", (unsigned long long)row->parameters,
                    (unsigned long long)row->flops, (unsigned long long)row->bytes);
        if (row->initializer.n)
            text_printf(out, ",\"initializer\":\"" STR_FMT "\"", STR_ARG(row->initializer));
        json_number(out, "std", row->deviation);
        json_number(out, "gradient", row->gradient);
        json_number(out, "dead", row->dead);
        json_number(out, "saturated", row->saturated);
        json_number(out, "update", row->update);
        if (row->steps) {
            text_printf(out, ",\"steps\":%u", row->steps);
            json_number(out, "horizon", row->horizon.middle);
            json_number(out, "horizon_low", row->horizon.low);
            json_number(out, "horizon_high", row->horizon.high);
            json_number(out, "half_life", row->half_life);
        }
        text_add(out, STR("}\n"));
    }
    uint64_t parameters = 0;
    for (uint32_t i = 0; i < report->n; i++)
        parameters += report->row[i].parameters;
    text_printf(out, "{\"model\":\"" STR_FMT "\",\"batch\":%u,\"samples\":%u,\"parameters\":%llu",
                STR_ARG(model->name), model->graph->batch, report->window, (unsigned long long)parameters);
    if (report->running)
        text_printf(out, ",\"running\":%llu", (unsigned long long)report->running);
    json_number(out, "gradient_ratio", report->path.ratio);
    json_number(out, "gradient_low", report->band.low);
    json_number(out, "gradient_high", report->band.high);
    text_add(out, STR(",\"losses\":["));
    for (uint32_t i = 0; i < model->losses.n; i++) {
        text_printf(out, "%s{\"name\":\"" STR_FMT "\"", i ? "," : "", STR_ARG(model->losses.at[i].fn));
        json_number(out, "initial", report->loss[i]);
        text_putc(out, '}');
    }
    text_add(out, STR("]}\n"));
}
