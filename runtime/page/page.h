/* Pages of charts: one file of HTML with its pictures, style and script inside; it asks nothing of any other place, and a browser shows it
 * from 360 pixels on, in light and in dark.
 *
 *     ActPage page = { 0 };
 *     act_page_begin(&page, "classifier", "trained on Fashion-MNIST");
 *     act_page_section(&page, "Curves", NULL);
 *     act_chart_lines(&page, &(ActChart){ .title = "loss", … });      (chart.h)
 *     act_page_section_end(&page);
 *     act_page_end(&page);
 *     … page.at, page.n; then act_page_free(&page)
 *
 * Text that is given is escaped. Everything is a function of its arguments: no clock, no address. When memory ends the page stays as it
 * is and `failed` is set. */
#ifndef ACT_PAGE_PAGE_H
#define ACT_PAGE_PAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct ActPage {
    char *at;        /* the text, and a zero behind it; NULL while empty */
    size_t n, room;
    int failed;
    unsigned names;  /* given out for parts of the page that others point to */
} ActPage;

void act_page_begin(ActPage *page, const char *title, const char *subtitle);
void act_page_end(ActPage *page);
void act_page_free(ActPage *page);

/* A headline with what belongs to it: charts stand side by side where there is room. `note`: a sentence below it, or NULL. */
void act_page_section(ActPage *page, const char *title, const char *note);
void act_page_section_end(ActPage *page);
/* A row of figures: "accuracy" above "88.7 %". Between act_page_section and its end, or before the first. */
void act_page_figures(ActPage *page, const char *const *name, const char *const *value, size_t n);
void act_page_note(ActPage *page, const char *text);

/* ── tables: cells in reading order ── */
typedef struct ActTable {
    const char *caption;              /* NULL: none */
    const char *const *head;          /* columns */
    size_t columns;
    const char *const *cell; size_t rows; /* rows * columns; NULL: an empty cell */
    unsigned long words;              /* bit c: column c is text, on the left; else numbers, on the right */
    const char *const *level;         /* per row "error", "warning", "note" or NULL; may be NULL */
} ActTable;
void act_page_table(ActPage *page, const ActTable *table);

/* How often each class was answered with each: count[actual * classes + answered]. With few classes a table of shaded numbers, with many
 * a picture and the pairs most often taken for each other. `name` may be NULL: classes are numbers. */
void act_page_confusion(ActPage *page, const char *caption, const char *const *name, size_t classes, const uint64_t *count);

/* ── pictures ── */
/* Small pictures in a row: channels 1 (grey) or 3 of 8 bits each, rows from the top. */
void act_page_pictures_begin(ActPage *page);
void act_page_picture(ActPage *page, const unsigned char *pixel, size_t height, size_t width, size_t channels, const char *caption);
void act_page_pictures_end(ActPage *page);
/* A PNG as a data URL, without quotes. `kind`: 0 grey, 2 RGB, 4 grey and alpha, 6 RGB and alpha; 8 bits a channel. */
void act_page_png(ActPage *page, const unsigned char *pixel, size_t height, size_t width, int kind);

/* ── text ── */
void act_page_put(ActPage *page, const char *text, size_t n);      /* as it stands */
void act_page_raw(ActPage *page, const char *text);                /* likewise */
void act_page_format(ActPage *page, const char *format, ...) __attribute__((format(printf, 2, 3))); /* likewise */
void act_page_text(ActPage *page, const char *text);               /* escaped; bytes that are no UTF-8 become U+FFFD */

/* A number for people, short: "0.0124", "1.2e-12", "60,000", "not a number". Whole numbers up to 15 digits stay whole. */
typedef struct ActNumber { char text[40]; } ActNumber;
ActNumber act_number(double value);

#endif
