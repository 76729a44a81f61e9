#include "page.h"

#include "style.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ── text ── */

static int grow(ActPage *page, size_t more)
{
    if (page->failed) return 0;
    if (page->n + more + 1 > page->room) {
        size_t room = page->room ? page->room : 4096;
        while (room < page->n + more + 1) room *= 2;
        char *longer = realloc(page->at, room);
        if (!longer) {
            page->failed = 1;
            return 0;
        }
        page->at = longer;
        page->room = room;
    }
    return 1;
}

void act_page_put(ActPage *page, const char *text, size_t n)
{
    if (!grow(page, n)) return;
    memcpy(page->at + page->n, text, n);
    page->n += n;
    page->at[page->n] = 0;
}

void act_page_raw(ActPage *page, const char *text) { act_page_put(page, text, strlen(text)); }

void act_page_format(ActPage *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !grow(page, (size_t)n)) return;
    va_start(args, format);
    vsnprintf(page->at + page->n, (size_t)n + 1, format, args);
    va_end(args);
    page->n += (size_t)n;
}

/* The length of the UTF-8 character at `s`; 0 when it is none. */
static size_t character(const unsigned char *s)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (*s < 0x80) return 1;
    size_t n = *s >= 0xf0 && *s < 0xf8 ? 4 : *s >= 0xe0 ? 3 : 2;
    if (*s < 0xc0 || *s >= 0xf8) return 0;
    unsigned code = *s & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

void act_page_text(ActPage *page, const char *text)
{
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    while (*s) {
        size_t n = character(s);
        if (n == 0 || (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f) act_page_raw(page, "\xef\xbf\xbd");
        else if (*s == '&') act_page_raw(page, "&amp;");
        else if (*s == '<') act_page_raw(page, "&lt;");
        else if (*s == '>') act_page_raw(page, "&gt;");
        else if (*s == '"') act_page_raw(page, "&quot;");
        else if (*s == '\'') act_page_raw(page, "&#39;");
        else act_page_put(page, (const char *)s, n);
        s += n ? n : 1;
    }
}

static ActNumber grouped(double value)
{
    char digits[24];
    ActNumber out;
    snprintf(digits, sizeof digits, "%.0f", fabs(value));
    size_t n = strlen(digits), at = 0;
    if (value < 0) out.text[at++] = '-';
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0) out.text[at++] = ',';
        out.text[at++] = digits[i];
    }
    out.text[at] = 0;
    return out;
}

ActNumber act_number(double value)
{
    ActNumber out;
    if (isnan(value)) strcpy(out.text, "not a number");
    else if (isinf(value)) strcpy(out.text, value > 0 ? "infinite" : "-infinite");
    else if (value == 0) strcpy(out.text, "0");
    else if (value == nearbyint(value) && fabs(value) < 1e15) return grouped(value);
    else if (fabs(value) >= 1e6 || fabs(value) < 1e-4) snprintf(out.text, sizeof out.text, "%.2e", value);
    else snprintf(out.text, sizeof out.text, "%.4g", value);
    return out;
}

/* ── the frame ── */

void act_page_begin(ActPage *page, const char *title, const char *subtitle)
{
    act_page_raw(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"color-scheme\" content=\"light dark\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                       "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>");
    act_page_text(page, title);
    act_page_raw(page, "</title>\n<style>\n");
    act_page_raw(page, act_page_style);
    act_page_raw(page, "</style>\n</head>\n<body>\n<header>\n<h1>");
    act_page_text(page, title);
    act_page_raw(page, "</h1>\n");
    if (subtitle && *subtitle) {
        act_page_raw(page, "<p>");
        act_page_text(page, subtitle);
        act_page_raw(page, "</p>\n");
    }
    act_page_raw(page, "</header>\n<main>\n");
}

void act_page_end(ActPage *page)
{
    act_page_raw(page, "</main>\n<div id=\"tip\" role=\"status\" hidden></div>\n<script>\n");
    act_page_raw(page, act_page_script);
    act_page_raw(page, "</script>\n</body>\n</html>\n");
}

void act_page_free(ActPage *page)
{
    free(page->at);
    *page = (ActPage){ 0 };
}

void act_page_section(ActPage *page, const char *title, const char *note)
{
    unsigned id = ++page->names;
    act_page_format(page, "<section aria-labelledby=\"s%u\">\n<h2 id=\"s%u\">", id, id);
    act_page_text(page, title);
    act_page_raw(page, "</h2>\n");
    if (note) act_page_note(page, note);
    act_page_raw(page, "<div class=\"grid\">\n");
}

void act_page_section_end(ActPage *page) { act_page_raw(page, "</div>\n</section>\n"); }

void act_page_note(ActPage *page, const char *text)
{
    act_page_raw(page, "<p class=\"note\">");
    act_page_text(page, text);
    act_page_raw(page, "</p>\n");
}

void act_page_figures(ActPage *page, const char *const *name, const char *const *value, size_t n)
{
    act_page_raw(page, "<dl class=\"figures\">\n");
    for (size_t i = 0; i < n; i++) {
        act_page_raw(page, "<div><dt>");
        act_page_text(page, name[i]);
        act_page_raw(page, "</dt><dd>");
        act_page_text(page, value[i]);
        act_page_raw(page, "</dd></div>\n");
    }
    act_page_raw(page, "</dl>\n");
}
