#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG = 30 /* letters of a cell that goes over lines */ };

void act_page_table(ActPage *page, const ActTable *table)
{
    act_page_raw(page, "<div class=\"table wide\"><div class=\"scroll\" tabindex=\"0\"><table>\n");
    if (table->caption) {
        act_page_raw(page, "<caption>");
        act_page_text(page, table->caption);
        act_page_raw(page, "</caption>\n");
    }
    act_page_raw(page, "<thead><tr>");
    for (size_t c = 0; c < table->columns; c++) {
        act_page_format(page, "<th scope=\"col\"%s>", table->words >> c & 1 ? " class=\"w\"" : "");
        act_page_text(page, table->head[c]);
        act_page_raw(page, "</th>");
    }
    act_page_raw(page, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < table->rows; r++) {
        const char *level = table->level ? table->level[r] : NULL;
        act_page_raw(page, "<tr>");
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->cell[r * table->columns + c];
            int word = table->words >> c & 1, is_long = word && cell && strlen(cell) > LONG;
            act_page_format(page, "<td class=\"%s", is_long ? "w long" : word ? "w" : "");
            if (c == 0 && level) {
                act_page_raw(page, " ");
                act_page_text(page, level);
            }
            act_page_raw(page, "\">");
            act_page_text(page, cell);
            act_page_raw(page, "</td>");
        }
        act_page_raw(page, "</tr>\n");
    }
    act_page_raw(page, "</tbody></table></div></div>\n");
}

/* ── confusion ── */

enum { AS_TABLE = 20 /* classes */, PAIRS = 20 };

static const char *class_of(const char *const *name, size_t i, char room[24])
{
    if (name && name[i]) return name[i];
    snprintf(room, 24, "%zu", i);
    return room;
}

static uint64_t sum_of(const uint64_t *count, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += count[i];
    return sum;
}

static void as_table(ActPage *page, const char *const *name, size_t classes, const uint64_t *count)
{
    char room[24];
    act_page_format(page, "<div class=\"scroll\" tabindex=\"0\"><table class=\"confusion\">\n<thead><tr><th></th><th colspan=\"%zu\">answered</th>"
                          "<th rowspan=\"2\">found</th></tr>\n<tr><th>actual</th>", classes);
    for (size_t c = 0; c < classes; c++) {
        const char *text = class_of(name, c, room);
        act_page_raw(page, "<th scope=\"col\" title=\"");
        act_page_text(page, text);
        act_page_raw(page, "\">");
        act_page_text(page, text);
        act_page_raw(page, "</th>");
    }
    act_page_raw(page, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < classes; r++) {
        uint64_t sum = sum_of(count + r * classes, classes);
        act_page_raw(page, "<tr><th scope=\"row\">");
        act_page_text(page, class_of(name, r, room));
        act_page_raw(page, "</th>");
        for (size_t c = 0; c < classes; c++) {
            uint64_t n = count[r * classes + c];
            double share = sum ? (double)n / (double)sum : 0;
            act_page_format(page, "<td%s style=\"--v:%.3f\">", r == c ? " class=\"right\"" : "", share);
            if (n) act_page_raw(page, act_number((double)n).text);
            act_page_raw(page, "</td>");
        }
        if (sum) act_page_format(page, "<th>%.1f %%</th></tr>\n", 100 * (double)count[r * classes + r] / (double)sum);
        else act_page_raw(page, "<th></th></tr>\n");
    }
    act_page_raw(page, "</tbody></table></div>\n");
}

/* One pixel a pair, as dark as its share of the row. */
static void as_picture(ActPage *page, size_t classes, const uint64_t *count)
{
    unsigned char *pixel = malloc(classes * classes * 4);
    if (!pixel) {
        page->failed = 1;
        return;
    }
    for (size_t r = 0; r < classes; r++) {
        uint64_t sum = sum_of(count + r * classes, classes);
        for (size_t c = 0; c < classes; c++) {
            unsigned char *p = pixel + (r * classes + c) * 4;
            p[0] = 57, p[1] = 135, p[2] = 229;
            p[3] = (unsigned char)(sum ? 255 * count[r * classes + c] / sum : 0);
        }
    }
    act_page_format(page, "<svg viewBox=\"0 0 420 430\" role=\"img\" style=\"max-width:520px\"><title>%zu classes: a row for each, a column for each answer</title>"
                          "<rect x=\"18\" y=\"1\" width=\"400\" height=\"400\" fill=\"none\" class=\"axis\"/>"
                          "<image x=\"18\" y=\"1\" width=\"400\" height=\"400\" preserveAspectRatio=\"none\" href=\"", classes);
    act_page_png(page, pixel, classes, classes, 6);
    act_page_raw(page, "\"/><text x=\"218\" y=\"420\" text-anchor=\"middle\">answered</text>"
                       "<text transform=\"translate(11 201) rotate(-90)\" text-anchor=\"middle\">actual</text></svg>\n");
    free(pixel);
}

/* The pairs most often taken for each other; of equals the first. */
static void worst_pairs(ActPage *page, const char *const *name, size_t classes, const uint64_t *count)
{
    size_t best[PAIRS], n = 0;
    for (size_t i = 0; i < classes * classes; i++) {
        if (i / classes == i % classes || !count[i]) continue;
        size_t at = n;
        while (at > 0 && count[best[at - 1]] < count[i]) at--;
        if (at == PAIRS) continue;
        if (n < PAIRS) n++;
        for (size_t k = n - 1; k > at; k--) best[k] = best[k - 1];
        best[at] = i;
    }
    act_page_raw(page, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th class=\"w\" scope=\"col\">actual</th>"
                       "<th class=\"w\" scope=\"col\">answered</th><th scope=\"col\">rows</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < n; i++) {
        char room[24];
        act_page_raw(page, "<tr><td class=\"w\">");
        act_page_text(page, class_of(name, best[i] / classes, room));
        act_page_raw(page, "</td><td class=\"w\">");
        act_page_text(page, class_of(name, best[i] % classes, room));
        act_page_format(page, "</td><td>%s</td></tr>\n", act_number((double)count[best[i]]).text);
    }
    act_page_raw(page, "</tbody></table></div>\n");
}

void act_page_confusion(ActPage *page, const char *caption, const char *const *name, size_t classes, const uint64_t *count)
{
    act_page_raw(page, "<figure class=\"wide\"><figcaption>");
    act_page_text(page, caption);
    act_page_raw(page, "</figcaption>\n");
    if (classes <= AS_TABLE) as_table(page, name, classes, count);
    else {
        as_picture(page, classes, count);
        worst_pairs(page, name, classes, count);
    }
    act_page_raw(page, "</figure>\n");
}
