#include "check/explain_plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 9, LABEL = 8, MAX_CELLS = 60, SAMPLES = 8, SIDE_BY_SIDE = 72, LINES = ROWS + 2, LINE_BYTES = 512 };

/* Dots of a cell, by column and row of the cell; ASCII cells have one column and two rows. */
static const unsigned char braille[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};

typedef struct Panel {
    const PlotCurve *curve;
    double low, high;      /* x */
    double bottom, top;    /* y of the lowest and the highest dot */
    unsigned cells;        /* across */
    unsigned across, down; /* dots in a cell */
    bool unicode;
    unsigned char dot[ROWS][MAX_CELLS];
    char line[LINES][LINE_BYTES];
} Panel;

static double value(const Panel *p, double x) { return p->curve->at(p->curve->context, x); }

/* ── the range of y ── */
static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void choose_range(Panel *p)
{
    enum { N = 801 };
    double seen[N];
    unsigned n = 0;
    for (unsigned i = 0; i < N; i++) {
        double y = value(p, p->low + (p->high - p->low) * i / (N - 1));
        if (isfinite(y))
            seen[n++] = y;
    }
    if (n == 0) {
        p->bottom = -1, p->top = 1;
        return;
    }
    qsort(seen, n, sizeof *seen, by_value);
    double low = seen[0], high = seen[n - 1], first = seen[n / 25], last = seen[n - 1 - n / 25], core = last - first;
    if (core > 0 && high - low > 8 * core) { /* a pole: what stands out of all proportion is cut */
        low = fmax(low, first - core / 2);
        high = fmin(high, last + core / 2);
    }
    if (low > 0 && low < 0.4 * high)
        low = 0;
    if (high < 0 && high > 0.4 * low)
        high = 0;
    if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high)))) { /* a constant */
        double around = fmax(fabs(low), 1);
        low -= around, high += around;
    }
    p->bottom = low;
    p->top = high;
}

/* ── the curve ── */
static void set_dot(Panel *p, unsigned column, double y)
{
    unsigned dots = ROWS * p->down;
    double place = (p->top - y) / (p->top - p->bottom) * (dots - 1);
    if (!(place >= -0.5 && place < dots - 0.5))
        return;
    unsigned row = (unsigned)lround(fmax(place, 0));
    unsigned char *cell = &p->dot[row / p->down][column / p->across];
    *cell |= p->unicode ? braille[column % p->across][row % p->down] : (unsigned char)(1 << row % p->down);
}

/* Everything between two values that belong together. */
static void set_stretch(Panel *p, unsigned column, double from, double to)
{
    double step = (p->top - p->bottom) / (ROWS * p->down - 1);
    double low = fmax(fmin(from, to), p->bottom - step), high = fmin(fmax(from, to), p->top + step);
    for (double y = low; y < high; y += step)
        set_dot(p, column, y);
    if (high >= low)
        set_dot(p, column, high);
}

/* Is there a jump between a and b? Halving the distance does not make it smaller. */
static bool jumps(const Panel *p, double a, double b)
{
    double left = value(p, a), right = value(p, b), gap = fabs(right - left), least = 0.01 * (p->top - p->bottom);
    if (!(gap > least))
        return false;
    for (int i = 0; i < 40; i++) {
        double middle = (a + b) / 2, y = value(p, middle);
        if (!isfinite(y))
            return true;
        if (fabs(y - left) > fabs(right - y))
            b = middle, right = y;
        else
            a = middle, left = y;
    }
    return fabs(right - left) > gap / 2;
}

static void draw_curve(Panel *p)
{
    unsigned columns = p->cells * p->across;
    for (unsigned i = 0; i < columns; i++)
        for (unsigned k = 0; k < SAMPLES; k++) {
            double step = (p->high - p->low) / columns / SAMPLES;
            double a = p->low + (p->high - p->low) * i / columns + k * step, b = a + step;
            double from = value(p, a), to = value(p, b);
            if (isfinite(from))
                set_dot(p, i, from);
            if (isfinite(to))
                set_dot(p, i, to);
            if (isfinite(from) && isfinite(to) && !jumps(p, a, b))
                set_stretch(p, i, from, to);
        }
}

/* ── characters ── */
static void add(char *line, const char *text) { strncat(line, text, LINE_BYTES - strlen(line) - 1); }

static void add_cell(Panel *p, char *line, unsigned char dots, bool across, bool along)
{
    if (!p->unicode) {
        static const char *const marks[] = {" ", "'", ".", ":"};
        add(line, dots ? marks[dots & 3] : across && along ? "+" : along ? "-" : across ? "|" : " ");
    } else if (dots) {
        char utf8[4] = {(char)0xE2, (char)(0xA0 | dots >> 6), (char)(0x80 | (dots & 0x3F)), 0};
        add(line, utf8);
    } else {
        add(line, across && along ? "┼" : along ? "─" : across ? "│" : " ");
    }
}

static void label(char *out, double y) { snprintf(out, 16, "%.3g", fabs(y) < 1e-12 ? 0 : y); }

/* The row in which a value lies; ROWS when it lies in none. */
static unsigned row_of(const Panel *p, double y)
{
    double place = (p->top - y) / (p->top - p->bottom) * (ROWS * p->down - 1);
    return place >= -0.5 && place < ROWS * p->down - 0.5 ? (unsigned)lround(fmax(place, 0)) / p->down : ROWS;
}

static unsigned cell_of(const Panel *p, double x)
{
    return x >= p->low && x <= p->high ? (unsigned)((x - p->low) / (p->high - p->low) * (p->cells - 0.001)) : p->cells;
}

/* Numbers under the panel, where there is room. */
static void draw_scale(Panel *p, char *line)
{
    char row[MAX_CELLS + 32];
    memset(row, ' ', sizeof row);
    double at[3] = {p->low, p->high, 0};
    for (unsigned i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "%.4g", at[i]);
        unsigned n = (unsigned)strlen(text), cell = cell_of(p, at[i]);
        if (cell >= p->cells && i == 2)
            continue;
        unsigned from = i == 0 ? 0 : i == 1 ? p->cells - n : cell;
        bool room = true;
        for (unsigned k = from ? from - 1 : 0; k <= from + n; k++)
            room = room && row[k] == ' ';
        for (unsigned k = 0; room && k < n; k++)
            row[from + k] = text[k];
    }
    row[p->cells] = 0;
    snprintf(line, LINE_BYTES, "%*s%s", LABEL + 1, "", row);
}

static void draw(Panel *p)
{
    choose_range(p);
    draw_curve(p);
    snprintf(p->line[0], LINE_BYTES, "%*s%-*s", LABEL + 1, "", (int)p->cells, p->curve->title);
    unsigned zero = row_of(p, 0), axis = cell_of(p, 0);
    for (unsigned r = 0; r < ROWS; r++) {
        char text[16] = "";
        if (r == zero)
            label(text, 0);
        else if (r == 0)
            label(text, p->top);
        else if (r == ROWS - 1)
            label(text, p->bottom);
        snprintf(p->line[r + 1], LINE_BYTES, "%*s ", LABEL, text);
        for (unsigned c = 0; c < p->cells; c++)
            add_cell(p, p->line[r + 1], p->dot[r][c], c == axis, r == zero);
    }
    draw_scale(p, p->line[ROWS + 1]);
}

/* ── where there is no value ── */
static double edge(const Panel *p, double inside, double outside)
{
    for (int i = 0; i < 60; i++) {
        double middle = (inside + outside) / 2;
        *(isnan(value(p, middle)) ? &outside : &inside) = middle;
    }
    return fabs(inside) < 1e-9 ? 0 : inside;
}

static void report_gaps(Text *out, const Panel *p)
{
    enum { N = 400 };
    double from = 0, last = p->low;
    bool gap = false, any = false;
    for (unsigned i = 0; i <= N + 1; i++) {
        double x = p->low + (p->high - p->low) * (i > N ? N : i) / N;
        bool none = i <= N && isnan(value(p, x));
        if (none && !gap)
            from = i ? edge(p, last, x) : p->low;
        if (!none && gap) {
            double to = i <= N ? edge(p, x, last) : p->high;
            text_printf(out, "%s%.3g to %.3g", any ? ", " : "  Not a number from ", from, to);
            any = true;
        }
        gap = none;
        last = x;
    }
    if (any)
        text_putc(out, '\n');
}

static void add_trimmed(Text *out, const char *line)
{
    size_t n = strlen(line);
    while (n && line[n - 1] == ' ')
        n--;
    text_add(out, (Str){line, (uint32_t)n});
}

void plot_curves(Text *out, const PlotCurve *curve, unsigned n, double low, double high, unsigned width, bool unicode)
{
    bool beside = n == 2 && width >= SIDE_BY_SIDE;
    unsigned cells = (beside ? width / 2 : width) - LABEL - 2;
    Panel *panel = arena_array(out->arena, Panel, n);
    for (unsigned i = 0; i < n; i++) {
        panel[i] = (Panel){.curve = &curve[i], .low = low, .high = high, .unicode = unicode};
        panel[i].cells = cells < MAX_CELLS ? cells : MAX_CELLS;
        panel[i].across = unicode ? 2 : 1;
        panel[i].down = unicode ? 4 : 2;
        draw(&panel[i]);
    }
    for (unsigned first = 0; first < n; first += beside ? 2 : 1)
        for (unsigned r = 0; r < LINES; r++) {
            Text line = {.arena = out->arena};
            text_printf(&line, "%s%s", panel[first].line[r], beside ? panel[first + 1].line[r] : "");
            text_putc(&line, 0);
            add_trimmed(out, line.p);
            text_putc(out, '\n');
        }
    report_gaps(out, &panel[0]);
}
