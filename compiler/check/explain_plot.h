/* Curves drawn with characters: Braille dots (two by four in a cell), or marks that any terminal has. */
#ifndef ACT_CHECK_EXPLAIN_PLOT_H
#define ACT_CHECK_EXPLAIN_PLOT_H

#include "base/str.h"

typedef struct PlotCurve {
    const char *title;
    double (*at)(const void *context, double x);
    const void *context;
} PlotCurve;

/* The curves over [low, high], side by side when `width` columns are enough, else one above the other. Values that are
 * not finite leave a gap, and a line below says where there are none; a jump or a pole is not bridged; what lies far
 * beyond the rest (a pole's values) is cut. */
void plot_curves(Text *out, const PlotCurve *curve, unsigned n, double low, double high, unsigned width, bool unicode);

#endif
