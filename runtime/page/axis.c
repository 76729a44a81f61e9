#include "chart.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* 1, 2 or 5 times a power of ten, at least `least`. */
static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    for (int i = 0; i < 3; i++) {
        double step = power * (i == 0 ? 1 : i == 1 ? 2 : 5);
        if (step >= least * (1 - 1e-9)) return step;
    }
    return power * 10;
}

static void linear_ticks(ActAxis *axis, size_t ticks)
{
    double step = round_step((axis->high - axis->low) / (double)ticks);
    double first = floor(axis->low / step + 1e-9), last = ceil(axis->high / step - 1e-9);
    axis->low = first * step;
    axis->high = last * step;
    for (double i = first; i <= last && axis->ticks < ACT_TICKS; i++) axis->tick[axis->ticks++] = i * step;
}

/* Powers of ten; where there are fewer than two of them also their double and fivefold. */
static void log_ticks(ActAxis *axis, size_t ticks)
{
    double first = floor(log10(axis->low) + 1e-9), last = ceil(log10(axis->high) - 1e-9);
    double every = ceil((last - first) / (double)ticks);
    if (last - first < 3) {
        static const double in_between[] = { 1, 2, 5 };
        for (double d = first; d <= last; d++)
            for (int i = 0; i < 3; i++) {
                double value = in_between[i] * pow(10, d);
                if (value >= axis->low * (1 - 1e-9) && value <= axis->high * (1 + 1e-9) && axis->ticks < ACT_TICKS)
                    axis->tick[axis->ticks++] = value;
            }
        if (axis->ticks >= 2) return;
        axis->ticks = 0;
        every = 1;
    }
    axis->low = fmax(pow(10, first), DBL_MIN);
    axis->high = fmin(pow(10, last), DBL_MAX);
    for (double d = first; d <= last && axis->ticks < ACT_TICKS; d += every) axis->tick[axis->ticks++] = pow(10, d);
}

ActAxis act_axis(double low, double high, int log, double from, double to, size_t ticks)
{
    enum { FARTHEST = 300 }; /* powers of ten that leave room for what is added and taken here */
    double far = pow(10, FARTHEST);
    ActAxis axis = { .log = log, .from = from, .to = to };
    if (ticks > ACT_TICKS - 2) ticks = ACT_TICKS - 2;
    if (!(low <= high)) low = log ? 1 : 0, high = log ? 10 : 1;
    low = fmin(fmax(low, log ? 1 / far : -far), far);
    high = fmin(fmax(high, log ? 1 / far : -far), far);
    if (log && high / low < 1.2) low /= 1.5, high *= 1.5;
    double least = fabs(high) * 1e-9 + 1e-300;
    if (!log && high - low < least) { /* one value */
        double around = fabs(high) < 1e-290 ? 1 : fabs(high) * 0.5;
        low -= around;
        high += around;
    }
    axis.low = low;
    axis.high = high;
    if (log) log_ticks(&axis, ticks);
    else linear_ticks(&axis, ticks);
    return axis;
}

ActAxis act_axis_counts(double low, double high, double from, double to, size_t ticks)
{
    ActAxis axis = { .from = from, .to = to, .low = low, .high = high > low ? high : low + 1 };
    double step = fmax(round_step(fmax((axis.high - axis.low) / (double)ticks, 1e-300)), 1);
    for (double at = ceil(low / step - 1e-9) * step; at <= axis.high * (1 + 1e-12) && axis.ticks < ACT_TICKS; at += step) axis.tick[axis.ticks++] = at;
    return axis;
}

double act_axis_place(const ActAxis *axis, double value)
{
    double share = axis->log ? (log10(value) - log10(axis->low)) / (log10(axis->high) - log10(axis->low))
                             : (value - axis->low) / (axis->high - axis->low);
    return axis->from + fmin(fmax(share, 0), 1) * (axis->to - axis->from);
}

ActNumber act_axis_label(const ActAxis *axis, double value, int percent)
{
    ActNumber out;
    double step = axis->ticks > 1 && !axis->log ? axis->tick[1] - axis->tick[0] : 0;
    if (fabs(value) < step * 1e-6) value = 0; /* 0.1 + 0.2 - 0.3 */
    if (percent) snprintf(out.text, sizeof out.text, "%.4g %%", 100 * value);
    else if (fabs(value) >= 1e4 && fabs(value) < 1e15 && (axis->log || step >= 1)) {
        static const struct { double unit; const char *name; } units[] = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } };
        size_t i = 0;
        while (fabs(value) < units[i].unit) i++;
        snprintf(out.text, sizeof out.text, "%.5g%s", value / units[i].unit, units[i].name);
    } else {
        double digits = step > 0 && value != 0 ? floor(log10(fabs(value))) - floor(log10(step) + 1e-9) + 1 : 0; /* ticks are told apart */
        snprintf(out.text, sizeof out.text, "%.*g", (int)fmin(fmax(digits, 5), 15), value);
        char *e = strstr(out.text, "e-0"); /* 1e-05 */
        if (e) memmove(e + 2, e + 3, strlen(e + 3) + 1);
    }
    return out;
}
