/* Charts as inline SVG with a legend and, behind "numbers", a table of what is drawn. A place under the pointer says its values. Series
 * differ in hue and in dashes; with `ordered` they go through the shades of one hue. What is not finite leaves a gap. */
#ifndef ACT_PAGE_CHART_H
#define ACT_PAGE_CHART_H

#include "page.h"

typedef enum ActScaleKind { ACT_SCALE_AUTO /* logarithmic where all is positive and spans much */, ACT_SCALE_LINEAR, ACT_SCALE_LOG } ActScaleKind;

/* Points with rising x. */
typedef struct ActSeries {
    const char *name;
    const double *x, *y;
    size_t n;
    const double *low, *high;   /* an area behind the line, such as a band of predictions; NULL: none */
} ActSeries;

typedef struct ActChart {
    const char *title, *note;   /* note: a line below the title, or NULL */
    const char *x_name, *y_name;
    const ActSeries *series; size_t n;
    ActScaleKind y_scale;
    int x_log;                  /* the horizontal axis is logarithmic; else it counts in whole numbers */
    int from_zero;              /* the vertical axis begins at 0 */
    int percent;                /* values are shares of 1 */
    int ordered;                /* series have an order */
    int dots;                   /* points stand for themselves: few, joined by a line */
    const char *const *x_label; size_t n_label; /* names of x = 0, 1, …; NULL: numbers */
    double rule; const char *rule_name;         /* a level to be seen: a floor, a threshold; NULL: none */
} ActChart;

void act_chart_lines(ActPage *page, const ActChart *chart);

/* One bar for each name. */
void act_chart_bars(ActPage *page, const char *title, const char *const *name, const double *value, size_t n);

/* A histogram at each of several places x: counts of equal bins from low to high. Drawn as a picture, time to the right, the value
 * upwards, the denser the stronger; `bins` may differ between places. */
typedef struct ActHistogram {
    double x, low, high;
    const double *count; size_t bins;
} ActHistogram;
void act_chart_heat(ActPage *page, const char *title, const char *note, const char *x_name, const ActHistogram *at, size_t n);

/* ── axes, for the files that draw ── */
enum { ACT_TICKS = 12 };
typedef struct ActAxis {
    double low, high;           /* of values; logarithmic: both above 0 */
    int log;
    double from, to;            /* pixels of low and high */
    double tick[ACT_TICKS]; size_t ticks;
} ActAxis;

/* An axis that holds [low, high], a little more where that makes ends round. */
ActAxis act_axis(double low, double high, int log, double from, double to, size_t ticks);
/* Exactly from low to high, with a tick at whole numbers alone. */
ActAxis act_axis_counts(double low, double high, double from, double to, size_t ticks);
double act_axis_place(const ActAxis *axis, double value);
/* What stands at a tick. */
ActNumber act_axis_label(const ActAxis *axis, double value, int percent);

#endif
