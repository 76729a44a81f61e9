/* Line charts. Long series are thinned by keeping the least and the greatest of every few points, so that no peak is lost. */
#include "chart.h"

#include "style.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 2 /* points that want a dot to be seen */, WIDTH = 420, HEIGHT = 230, TOP = 10, BOTTOM = 40, RIGHT = 10, POINTS = 400 /* of a line */, COLUMNS = 150 /* that say their values */,
       ROWS = 40 /* of a table */, LETTER = 6 /* pixels */ };

typedef struct Extent { double low, high, least_positive; int positive, any; } Extent;

static void widen(Extent *extent, double value)
{
    if (!isfinite(value)) return;
    if (!extent->any || value < extent->low) extent->low = value;
    if (!extent->any || value > extent->high) extent->high = value;
    if (value > 0 && (!extent->positive || value < extent->least_positive)) extent->least_positive = value, extent->positive = 1;
    extent->any = 1;
}

static Extent extent_of(const ActChart *chart, int vertical)
{
    Extent extent = { .any = 0 };
    for (size_t s = 0; s < chart->n; s++) {
        const ActSeries *series = &chart->series[s];
        for (size_t i = 0; i < series->n; i++) {
            widen(&extent, vertical ? series->y[i] : series->x[i]);
            if (vertical && series->low) widen(&extent, series->low[i]);
            if (vertical && series->high) widen(&extent, series->high[i]);
        }
    }
    if (vertical && chart->rule_name) widen(&extent, chart->rule);
    return extent;
}

/* Logarithmic when asked and possible, or when linear would press most of it against an edge. */
static int wants_log(ActScaleKind kind, const Extent *extent)
{
    if (!extent->positive || kind == ACT_SCALE_LINEAR) return 0;
    return kind == ACT_SCALE_LOG || (extent->low > 0 && extent->high / extent->low > 50);
}

static int shown(const ActAxis *axis, double value) { return isfinite(value) && (!axis->log || value > 0); }

/* The class of series s: hue and dashes, or a shade. */
static void put_class(ActPage *page, const ActChart *chart, size_t s, int fill)
{
    size_t shades = ACT_PAGE_SHADES - 1;
    if (chart->ordered) act_page_format(page, "%c%zu", fill ? 'g' : 'q', chart->n > 1 ? s * shades / (chart->n - 1) : shades / 2);
    else if (fill) act_page_format(page, "f%zu", s % ACT_PAGE_HUES);
    else act_page_format(page, "s%zu d%zu", s % ACT_PAGE_HUES, (s + s / ACT_PAGE_HUES) % ACT_PAGE_HUES);
}

static void put_axes(ActPage *page, const ActChart *chart, const ActAxis *x, const ActAxis *y)
{
    for (size_t i = 0; i < y->ticks; i++) {
        double at = act_axis_place(y, y->tick[i]);
        act_page_format(page, "<line class=\"grid-line\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                        x->from, x->to, at, at, x->from - 6, at + 4, act_axis_label(y, y->tick[i], chart->percent).text);
    }
    act_page_format(page, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", x->from, x->to, y->from, y->from);
    double free_from = -1e9; /* labels do not run into each other */
    size_t labels = chart->x_label ? chart->n_label : x->ticks;
    for (size_t i = 0; i < labels; i++) {
        double value = chart->x_label ? (double)i : x->tick[i], at = act_axis_place(x, value);
        const char *text = chart->x_label ? chart->x_label[i] : act_axis_label(x, value, 0).text;
        double half = (double)(strlen(text) * LETTER) / 2;
        if (chart->x_label && (value < x->low || value > x->high)) continue;
        int over = at + half > WIDTH;
        if ((over ? WIDTH - 2 * half : at - half) < free_from) continue;
        free_from = at + half + 8;
        act_page_format(page, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", at, at, y->from,
                        y->from + 4, over ? WIDTH : at, y->from + 16, over ? "end" : "middle");
        act_page_text(page, text);
        act_page_raw(page, "</text>\n");
    }
    act_page_format(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", (x->from + x->to) / 2, HEIGHT - 6);
    act_page_text(page, chart->x_name);
    act_page_raw(page, "</text>\n");
}

typedef struct Pen { ActPage *page; const ActAxis *x, *y; int down; } Pen;

static void draw_to(Pen *pen, double x, double y)
{
    if (!shown(pen->x, x) || !shown(pen->y, y)) {
        pen->down = 0;
        return;
    }
    act_page_format(pen->page, "%s%.1f %.1f", pen->down ? "L" : "M", act_axis_place(pen->x, x), act_axis_place(pen->y, y));
    pen->down = 1;
}

/* A single point between gaps is a line of no length, which round ends make a dot. */
static void put_line(ActPage *page, const ActChart *chart, size_t s, const ActAxis *x, const ActAxis *y)
{
    const ActSeries *series = &chart->series[s];
    size_t every = series->n > POINTS ? (2 * series->n + POINTS - 1) / POINTS : 1;
    act_page_raw(page, "<path class=\"line ");
    put_class(page, chart, s, 0);
    act_page_raw(page, "\" d=\"");
    Pen pen = { page, x, y, 0 };
    for (size_t i = 0; i < series->n; i += every) {
        size_t end = i + every < series->n ? i + every : series->n, least = i, most = i;
        for (size_t k = i; k < end; k++) {
            if (!shown(y, series->y[k])) least = most = k;
            if (!shown(y, series->y[least])) break;
            if (series->y[k] < series->y[least]) least = k;
            if (series->y[k] > series->y[most]) most = k;
        }
        size_t first = least < most ? least : most, second = least < most ? most : least;
        int alone = !pen.down;
        draw_to(&pen, series->x[first], series->y[first]);
        if (second != first) draw_to(&pen, series->x[second], series->y[second]);
        else if (alone && pen.down && (end == series->n || !shown(y, series->y[end]))) act_page_raw(page, "h0");
    }
    act_page_raw(page, "\"/>\n");
    int dots = series->n <= (chart->dots ? POINTS : FEW);
    for (size_t i = 0; dots && i < series->n; i++) {
        if (!shown(y, series->y[i]) || !shown(x, series->x[i])) continue;
        act_page_format(page, "<circle r=\"4\" cx=\"%.1f\" cy=\"%.1f\" class=\"dot ", act_axis_place(x, series->x[i]), act_axis_place(y, series->y[i]));
        put_class(page, chart, s, 1);
        act_page_raw(page, "\"/>");
    }
}

static void put_area(ActPage *page, const ActChart *chart, size_t s, const ActAxis *x, const ActAxis *y)
{
    const ActSeries *series = &chart->series[s];
    if (!series->low || !series->high) return;
    act_page_raw(page, "<path class=\"area ");
    put_class(page, chart, s, 1);
    act_page_raw(page, "\" d=\"");
    Pen pen = { page, x, y, 0 };
    for (size_t i = 0; i < 2 * series->n; i++) {
        size_t k = i < series->n ? i : 2 * series->n - 1 - i;
        double value = i < series->n ? series->high[k] : series->low[k];
        if (!shown(y, series->low[k]) || !shown(y, series->high[k])) continue;
        draw_to(&pen, series->x[k], value);
    }
    act_page_raw(page, pen.down ? "Z\"/>\n" : "\"/>\n");
}

static void put_name(ActPage *page, const ActChart *chart, const ActSeries *series)
{
    act_page_text(page, series->name && *series->name ? series->name : chart->y_name);
}

static void put_legend(ActPage *page, const ActChart *chart)
{
    if (chart->n < 2) return;
    size_t most = ACT_PAGE_SHADES; /* of many in an order: some */
    size_t every = chart->ordered && chart->n > most ? (chart->n + most - 1) / most : 1;
    act_page_raw(page, "<ul class=\"key\">");
    for (size_t s = 0; s < chart->n; s++) {
        if (s % every != 0 && s + 1 != chart->n) continue;
        act_page_raw(page, "<li><svg viewBox=\"0 0 26 8\" aria-hidden=\"true\"><path class=\"line ");
        put_class(page, chart, s, 0);
        act_page_raw(page, "\" d=\"M1 4H25\"/></svg>");
        put_name(page, chart, &chart->series[s]);
        act_page_raw(page, "</li>");
    }
    act_page_raw(page, "</ul>\n");
}

/* ── what stands at each place, for pointers and tables ── */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Every x that a series has, once, thinned to at most `most`, the last among them. */
static size_t places_of(const ActChart *chart, size_t most, double **out)
{
    size_t n = 0, kept = 0;
    for (size_t s = 0; s < chart->n; s++) n += chart->series[s].n;
    double *x = *out = malloc((n + 1) * sizeof *x);
    if (!x) return 0;
    n = 0;
    for (size_t s = 0; s < chart->n; s++)
        for (size_t i = 0; i < chart->series[s].n; i++)
            if (isfinite(chart->series[s].x[i])) x[n++] = chart->series[s].x[i];
    qsort(x, n, sizeof *x, ascending);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || x[i] != x[kept - 1]) x[kept++] = x[i];
    if (kept <= most) return kept;
    for (size_t i = 0; i < most; i++) x[i] = x[(i * (kept - 1)) / (most - 1)];
    return most;
}

/* The series' value at x, or the one nearest to it within `reach`. */
static double value_at(const ActSeries *series, double x, double reach)
{
    size_t low = 0, high = series->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (series->x[middle] < x) low = middle + 1;
        else high = middle;
    }
    if (low < series->n && low > 0 && x - series->x[low - 1] < series->x[low] - x) low--;
    if (low == series->n && low > 0) low--;
    return low < series->n && fabs(series->x[low] - x) <= reach ? series->y[low] : NAN;
}

static void put_value(ActPage *page, const ActChart *chart, double value)
{
    if (chart->percent && isfinite(value)) act_page_format(page, "%.4g %%", 100 * value);
    else act_page_raw(page, act_number(value).text);
}

static void put_place(ActPage *page, const ActChart *chart, double x)
{
    if (chart->x_label && x >= 0 && x < (double)chart->n_label) act_page_text(page, chart->x_label[(size_t)x]);
    else act_page_raw(page, act_number(x).text);
}

static void put_hits(ActPage *page, const ActChart *chart, const ActAxis *x, const ActAxis *y)
{
    double *place, reach = 0;
    size_t n = places_of(chart, COLUMNS, &place);
    if (n > 1) reach = (place[n - 1] - place[0]) / (double)COLUMNS;
    for (size_t i = 0; i < n; i++) {
        if (!shown(x, place[i])) continue;
        double here = act_axis_place(x, place[i]);
        double left = i > 0 && shown(x, place[i - 1]) ? (here + act_axis_place(x, place[i - 1])) / 2 : x->from - 4;
        double right = i + 1 < n ? (here + act_axis_place(x, place[i + 1])) / 2 : x->to + 4;
        act_page_format(page, "<rect class=\"hit\" x=\"%.1f\" width=\"%.1f\" y=\"%.1f\" height=\"%.1f\"><title>", left, fmax(right - left, 0.1), y->to,
                        y->from - y->to);
        if (!chart->x_label) {
            act_page_text(page, chart->x_name);
            act_page_raw(page, " ");
        }
        put_place(page, chart, place[i]);
        for (size_t s = 0; s < chart->n; s++) {
            double value = value_at(&chart->series[s], place[i], chart->x_label ? 0 : reach);
            if (isnan(value)) continue;
            act_page_raw(page, "\n");
            put_name(page, chart, &chart->series[s]);
            act_page_raw(page, ": ");
            put_value(page, chart, value);
        }
        act_page_raw(page, "</title></rect>\n");
    }
    free(place);
}

static void put_numbers(ActPage *page, const ActChart *chart)
{
    double *place, reach = 0;
    size_t n = places_of(chart, chart->x_label ? 4 * ROWS : ROWS, &place);
    if (n > 1 && !chart->x_label) reach = (place[n - 1] - place[0]) / (double)COLUMNS;
    act_page_raw(page, "<details><summary>numbers</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">");
    act_page_text(page, chart->x_name);
    act_page_raw(page, "</th>");
    for (size_t s = 0; s < chart->n; s++) {
        act_page_raw(page, "<th scope=\"col\">");
        put_name(page, chart, &chart->series[s]);
        act_page_raw(page, "</th>");
    }
    act_page_raw(page, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        act_page_raw(page, "<tr><th scope=\"row\">");
        put_place(page, chart, place[i]);
        act_page_raw(page, "</th>");
        for (size_t s = 0; s < chart->n; s++) {
            double value = value_at(&chart->series[s], place[i], reach);
            act_page_raw(page, "<td>");
            if (!isnan(value)) put_value(page, chart, value);
            act_page_raw(page, "</td>");
        }
        act_page_raw(page, "</tr>\n");
    }
    act_page_raw(page, "</tbody></table></div></details>\n");
    free(place);
}

void act_chart_lines(ActPage *page, const ActChart *chart)
{
    Extent over_x = extent_of(chart, 0), over_y = extent_of(chart, 1);
    act_page_raw(page, "<figure><figcaption>");
    act_page_text(page, chart->title);
    if (chart->note) {
        act_page_raw(page, "<small>");
        act_page_text(page, chart->note);
        act_page_raw(page, "</small>");
    }
    act_page_raw(page, "</figcaption>\n");
    if (!over_y.any) {
        act_page_raw(page, "<p class=\"note\">there is no number to draw</p></figure>\n");
        return;
    }
    int log_y = wants_log(chart->y_scale, &over_y), log_x = chart->x_log && over_x.positive;
    if (log_y) over_y.low = over_y.least_positive;
    else if (chart->from_zero) over_y.low = fmin(over_y.low, 0);
    if (chart->percent && !log_y && over_y.high <= 1 && over_y.high - over_y.low < 0.01) over_y.high = fmin(over_y.low + 0.01, 1);
    ActAxis y = act_axis(over_y.low, over_y.high, log_y, HEIGHT - BOTTOM, TOP, 5);
    size_t letters = 1;
    for (size_t i = 0; i < y.ticks; i++) {
        size_t n = strlen(act_axis_label(&y, y.tick[i], chart->percent).text);
        if (n > letters) letters = n;
    }
    double left = (double)(letters * LETTER + 14);
    ActAxis x = log_x ? act_axis(over_x.least_positive, over_x.high, 1, left, WIDTH - RIGHT, 6) : act_axis_counts(over_x.low, over_x.high, left, WIDTH - RIGHT, 6);
    put_legend(page, chart);
    act_page_format(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>", WIDTH, HEIGHT);
    act_page_text(page, chart->title);
    act_page_format(page, ", %s scale, by ", log_y ? "logarithmic" : "linear");
    act_page_text(page, chart->x_name);
    act_page_raw(page, "; the numbers stand below</title>\n");
    put_axes(page, chart, &x, &y);
    for (size_t s = 0; s < chart->n; s++) put_area(page, chart, s, &x, &y);
    for (size_t s = 0; s < chart->n; s++) put_line(page, chart, s, &x, &y);
    if (chart->rule_name && shown(&y, chart->rule)) {
        double at = act_axis_place(&y, chart->rule);
        act_page_format(page, "<line class=\"rule\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"rule-name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                        x.from, x.to, at, at, x.to, at + 16 < HEIGHT - BOTTOM ? at + 13 : at - 5);
        act_page_text(page, chart->rule_name);
        act_page_raw(page, "</text>\n");
    }
    put_hits(page, chart, &x, &y);
    act_page_raw(page, "</svg>\n");
    put_numbers(page, chart);
    act_page_raw(page, "</figure>\n");
}
