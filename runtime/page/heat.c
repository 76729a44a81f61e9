/* Histograms over time as one picture, and bars. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 420, HEIGHT = 210, TOP = 10, BOTTOM = 40, RIGHT = 10, LEFT = 52, LINES = 48 /* of the picture */, MOST = 200 /* columns */,
       LETTER = 6 };

/* The share of a histogram's counts between two values, bins taken as evenly filled. */
static double share_between(const ActHistogram *at, double low, double high)
{
    double width = (at->high - at->low) / (double)at->bins, total = 0, sum = 0;
    for (size_t b = 0; b < at->bins; b++) {
        double from = at->low + width * (double)b, to = from + width, over = fmin(to, high) - fmax(from, low);
        double count = at->count[b] > 0 && isfinite(at->count[b]) ? at->count[b] : 0;
        total += count;
        if (width > 0 && over > 0) sum += count * over / width;
    }
    return total > 0 ? sum / total : 0;
}

static int drawable(const ActHistogram *at)
{
    return isfinite(at->x) && isfinite(at->low) && isfinite(at->high) && at->high > at->low && at->bins > 0 && isfinite(at->high - at->low);
}

static void put_caption(ActPage *page, const char *title, const char *note)
{
    act_page_raw(page, "<figure><figcaption>");
    act_page_text(page, title);
    if (note) {
        act_page_raw(page, "<small>");
        act_page_text(page, note);
        act_page_raw(page, "</small>");
    }
    act_page_raw(page, "</figcaption>\n");
}

/* Mean and deviation of the bins' middles. */
static void put_moments(ActPage *page, const ActHistogram *at)
{
    double total = 0, sum = 0, square = 0, width = (at->high - at->low) / (double)at->bins;
    for (size_t b = 0; b < at->bins; b++) {
        double middle = at->low + width * ((double)b + 0.5), count = at->count[b] > 0 && isfinite(at->count[b]) ? at->count[b] : 0;
        total += count;
        sum += count * middle;
        square += count * middle * middle;
    }
    if (!(total > 0)) return;
    double mean = sum / total, variance = fmax(square / total - mean * mean, 0);
    act_page_format(page, "\nmean %s, deviation %s\nfrom %s to %s", act_number(mean).text, act_number(sqrt(variance)).text, act_number(at->low).text,
                    act_number(at->high).text);
}

void act_chart_heat(ActPage *page, const char *title, const char *note, const char *x_name, const ActHistogram *given, size_t n_given)
{
    const ActHistogram **at = malloc((n_given + 1) * sizeof *at);
    size_t n = 0;
    put_caption(page, title, note);
    for (size_t i = 0; at && i < n_given; i++)
        if (drawable(&given[i])) at[n++] = &given[i];
    size_t columns = n < MOST ? n : MOST;
    unsigned char *pixel = n ? malloc(LINES * columns * 4) : NULL;
    double *shares = n ? malloc(LINES * columns * sizeof *shares) : NULL;
    if (!pixel || !shares) {
        act_page_raw(page, "<p class=\"note\">there is no histogram to draw</p></figure>\n");
        free(at);
        free(pixel);
        free(shares);
        return;
    }
    double low = at[0]->low, high = at[0]->high, most = 0;
    for (size_t i = 1; i < n; i++) low = fmin(low, at[i]->low), high = fmax(high, at[i]->high);
    ActAxis y = act_axis(low, high, 0, HEIGHT - BOTTOM, TOP, 5);
    double line = (y.high - y.low) / LINES;
    for (size_t c = 0; c < columns; c++)
        for (size_t l = 0; l < LINES; l++) {
            const ActHistogram *h = at[columns > 1 ? c * (n - 1) / (columns - 1) : 0];
            double top = y.high - line * (double)l, share = share_between(h, top - line, top);
            shares[l * columns + c] = share;
            most = fmax(most, share);
        }
    for (size_t i = 0; i < LINES * columns; i++) { /* the root shows thin tails */
        pixel[4 * i] = 57, pixel[4 * i + 1] = 135, pixel[4 * i + 2] = 229;
        pixel[4 * i + 3] = (unsigned char)(most > 0 ? 255 * sqrt(shares[i] / most) : 0);
    }
    double from = at[0]->x, to = at[n - 1]->x;
    ActAxis x = act_axis_counts(from, to, LEFT, WIDTH - RIGHT, 6);
    act_page_format(page, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>", WIDTH, HEIGHT);
    act_page_text(page, title);
    act_page_format(page, ": %zu histograms side by side</title>\n<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" preserveAspectRatio=\"none\" href=\"", n, LEFT, TOP,
                    WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    act_page_png(page, pixel, LINES, columns, 6);
    act_page_raw(page, "\"/>\n");
    for (size_t i = 0; i < y.ticks; i++) {
        double place = act_axis_place(&y, y.tick[i]);
        act_page_format(page, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 4, LEFT, place,
                        place, LEFT - 7, place + 4, act_axis_label(&y, y.tick[i], 0).text);
    }
    act_page_format(page, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
    for (size_t i = 0; i < x.ticks; i++) {
        act_page_format(page, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", act_axis_place(&x, x.tick[i]), HEIGHT - BOTTOM + 16,
                        act_axis_label(&x, x.tick[i], 0).text);
    }
    act_page_format(page, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6);
    act_page_text(page, x_name);
    act_page_raw(page, "</text>\n");
    double width = (double)(WIDTH - LEFT - RIGHT) / (double)columns;
    for (size_t c = 0; c < columns; c++) {
        const ActHistogram *h = at[columns > 1 ? c * (n - 1) / (columns - 1) : 0];
        act_page_format(page, "<rect class=\"hit\" x=\"%.1f\" width=\"%.1f\" y=\"%d\" height=\"%d\"><title>", LEFT + width * (double)c, width, TOP, HEIGHT - TOP - BOTTOM);
        act_page_text(page, x_name);
        act_page_format(page, " %s", act_number(h->x).text);
        put_moments(page, h);
        act_page_raw(page, "</title></rect>\n");
    }
    act_page_raw(page, "</svg>\n</figure>\n");
    free(at);
    free(pixel);
    free(shares);
}

void act_chart_bars(ActPage *page, const char *title, const char *const *name, const double *value, size_t n)
{
    enum { LINE = 22, LONGEST = 22 /* letters of a name */ };
    double low = 0, high = 0;
    size_t letters = 4;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(name[i]);
        if (isfinite(value[i])) low = fmin(low, value[i]), high = fmax(high, value[i]);
        if (length > letters) letters = length < LONGEST ? length : LONGEST;
    }
    double left = (double)(letters * LETTER + 12);
    ActAxis x = act_axis(low, high, 0, left, WIDTH - 64, 5);
    put_caption(page, title, NULL);
    act_page_format(page, "<svg viewBox=\"0 0 %d %zu\" role=\"img\"><title>", WIDTH, n * LINE + 8);
    act_page_text(page, title);
    act_page_raw(page, "</title>\n");
    for (size_t i = 0; i < n; i++) {
        double zero = act_axis_place(&x, 0), end = isfinite(value[i]) ? act_axis_place(&x, value[i]) : zero;
        double top = (double)(i * LINE + 4);
        act_page_format(page, "<rect class=\"bar f0\" rx=\"2\" x=\"%.1f\" width=\"%.1f\" y=\"%.1f\" height=\"%d\"/>", fmin(zero, end), fabs(end - zero), top, LINE - 6);
        act_page_format(page, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", left - 6, top + 12);
        act_page_text(page, name[i]);
        act_page_format(page, "</text><text x=\"%.1f\" y=\"%.1f\">%s</text>\n", fmax(zero, end) + 5, top + 12, act_number(value[i]).text);
    }
    act_page_raw(page, "</svg>\n</figure>\n");
}
