/* Words on a page: paragraphs, rows, code, numbers. */
#include "check/explain.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void page_ascii(Text *out, Str text)
{
    static const char *const plain[][2] = {{"²", "^2"}, {"³", "^3"},   {"·", "*"},  {"…", "..."}, {"→", "->"},
                                           {"–", "-"},  {"—", "-"},    {"≤", "<="}, {"≥", ">="},  {"×", "x"},
                                           {"π", "pi"}, {"−", "-"},    {"ü", "u"},  {"é", "e"},   {"√", "sqrt"},
                                           {"≈", "~"},  {"σ", "sigma"}};
    for (uint32_t i = 0; i < text.n; i++) {
        if (!((unsigned char)text.p[i] & 0x80)) {
            text_putc(out, text.p[i]);
            continue;
        }
        uint32_t n = 1;
        while (i + n < text.n && ((unsigned char)text.p[i + n] & 0xC0) == 0x80)
            n++;
        const char *with = "?";
        for (unsigned k = 0; k < sizeof plain / sizeof plain[0]; k++)
            if (str_is((Str){text.p + i, n}, plain[k][0]))
                with = plain[k][1];
        text_printf(out, "%s", with);
        i += n - 1;
    }
}

static unsigned width_of(Str word)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < word.n; i++)
        n += ((unsigned char)word.p[i] & 0xC0) != 0x80; /* code points */
    return n;
}

static void paragraph(Page *page, Str text, unsigned indent)
{
    unsigned column = 0;
    for (uint32_t at = 0; at < text.n;) {
        while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\n'))
            at++;
        uint32_t end = at;
        while (end < text.n && text.p[end] != ' ' && text.p[end] != '\n')
            end++;
        Str word = {text.p + at, end - at};
        if (word.n == 0)
            break;
        if (column > 0 && column + 1 + width_of(word) > page->width) {
            text_putc(page->out, '\n');
            column = 0;
        }
        text_printf(page->out, "%*s", column ? 1 : (int)indent, "");
        text_add(page->out, word);
        column += (column ? 1 : indent) + width_of(word);
        at = end;
    }
    text_putc(page->out, '\n');
}

void page_paragraphs(Page *page, Str text, unsigned indent)
{
    if (!page->unicode) { /* before it is measured: ² takes two places then */
        Text plain = {.arena = page->out->arena};
        page_ascii(&plain, text);
        text = text_str(&plain);
    }
    for (uint32_t at = 0; at < text.n;) {
        uint32_t end = at;
        while (end < text.n && !(text.p[end] == '\n' && end + 1 < text.n && text.p[end + 1] == '\n'))
            end++;
        if (at > 0)
            text_putc(page->out, '\n');
        paragraph(page, (Str){text.p + at, end - at}, indent);
        at = end;
        while (at < text.n && text.p[at] == '\n')
            at++;
    }
}

void page_text(Page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(page->out->arena, format, args);
    va_end(args);
    page_paragraphs(page, text, 0);
}

void page_heading(Page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(page->out->arena, format, args);
    va_end(args);
    text_putc(page->out, '\n');
    page_paragraphs(page, str_printf(page->out->arena, STR_FMT ":", STR_ARG(text)), 0);
}

void page_row(Page *page, const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(page->out->arena, format, args);
    va_end(args);
    text_printf(page->out, "  %-13s ", label);
    /* what is too long goes on below, behind the labels */
    unsigned column = 16;
    for (uint32_t at = 0; at < text.n;) {
        uint32_t end = at;
        while (end < text.n && text.p[end] != ' ')
            end++;
        while (end < text.n && text.p[end] == ' ')
            end++;
        uint32_t letters = end;
        while (letters > at && text.p[letters - 1] == ' ')
            letters--;
        unsigned wide = width_of((Str){text.p + at, letters - at});
        if (column > 16 && column + wide > page->width) {
            while (page->out->n && page->out->p[page->out->n - 1] == ' ')
                page->out->n--;
            text_printf(page->out, "\n%16s", "");
            column = 16;
        }
        text_add(page->out, (Str){text.p + at, end - at});
        column += width_of((Str){text.p + at, end - at});
        at = end;
    }
    text_putc(page->out, '\n');
}

void page_code(Page *page, Str code)
{
    uint32_t at = 0;
    while (at < code.n) {
        uint32_t end = at;
        while (end < code.n && code.p[end] != '\n')
            end++;
        if (end > at)
            text_printf(page->out, "    ");
        text_add(page->out, (Str){code.p + at, end - at});
        text_putc(page->out, '\n');
        at = end + 1;
    }
}

static uint32_t summary_end(Str doc)
{
    uint32_t end = 0;
    while (end < doc.n && !(doc.p[end] == '\n' && (end + 1 == doc.n || doc.p[end + 1] == '\n')))
        end++;
    return end;
}

Str doc_summary(Str doc) { return (Str){doc.p, summary_end(doc)}; }

Str doc_advice(Str doc)
{
    uint32_t at = summary_end(doc);
    while (at < doc.n && doc.p[at] == '\n')
        at++;
    return (Str){doc.p + at, doc.n - at};
}

void page_definition(Page *page, const Def *def, const char *kind)
{
    text_printf(page->out, STR_FMT " (%s%s)\n", STR_ARG(def->name), kind, def->library ? "" : ", defined here");
    if (def->doc.n)
        page_paragraphs(page, doc_summary(def->doc), 0);
    if (def->ast) {
        text_putc(page->out, '\n');
        page_code(page, source_slice(page->program->sources, def->ast->span));
    }
    if (doc_advice(def->doc).n) {
        text_putc(page->out, '\n');
        page_paragraphs(page, doc_advice(def->doc), 0);
    }
}

void page_parameters(Page *page, const Ast *ast)
{
    for (uint32_t i = 0; ast && i < ast->n_kid; i++) {
        const Ast *list = ast->kid[i];
        if (list == NULL || list->kind != AST_PARAMETERS || list->n_kid == 0)
            continue;
        page_heading(page, "Parameters");
        for (uint32_t k = 0; k < list->n_kid; k++) {
            const Ast *p = list->kid[k];
            text_printf(page->out, "  " STR_FMT, STR_ARG(p->text));
            if (p->n_kid > 0 && p->kid[0])
                text_printf(page->out, " = " STR_FMT, STR_ARG(source_slice(page->program->sources, p->kid[0]->span)));
            text_putc(page->out, '\n');
        }
    }
}

Str page_number(Arena *arena, double value)
{
    if (isnan(value))
        return STR("not a number");
    if (isinf(value))
        return value > 0 ? STR("inf") : STR("-inf");
    if (fabs(value) < 5e-7)
        value = fabs(value) < 1e-15 || value == 0 ? 0 : value;
    return str_printf(arena, "%.4g", value);
}

Str page_interval(Arena *arena, SxInterval range)
{
    double low = fabs(range.low) < 5e-7 ? 0 : range.low, high = fabs(range.high) < 5e-7 ? 0 : range.high;
    return str_printf(arena, "%c" STR_FMT ", " STR_FMT "%c", isinf(low) ? '(' : '[', STR_ARG(page_number(arena, low)),
                      STR_ARG(page_number(arena, high)), isinf(high) ? ')' : ']');
}

/* 1.4142135623730951 -> 1.41421 */
static void add_short(Text *out, Str digits)
{
    char copy[64];
    if (digits.n < 9 || digits.n >= sizeof copy) {
        text_add(out, digits);
        return;
    }
    memcpy(copy, digits.p, digits.n);
    copy[digits.n] = 0;
    text_printf(out, "%.6g", strtod(copy, NULL));
}

Str page_formula(const SxPool *sx, Sx fn, const char *const *names, Arena *arena)
{
    Text whole = {.arena = arena}, out = {.arena = arena};
    sx_print_formula(sx, fn, names, &whole);
    Str text = text_str(&whole);
    for (uint32_t i = 0; i < text.n;) {
        bool starts = isdigit((unsigned char)text.p[i]) &&
                      (i == 0 || (!isalnum((unsigned char)text.p[i - 1]) && text.p[i - 1] != '_'));
        uint32_t end = i;
        while (starts && end < text.n &&
               (isdigit((unsigned char)text.p[end]) || text.p[end] == '.' || text.p[end] == 'e' ||
                (text.p[end] == '-' && text.p[end - 1] == 'e')))
            end++;
        if (starts)
            add_short(&out, (Str){text.p + i, end - i});
        else
            text_putc(&out, text.p[i]);
        i = starts ? end : i + 1;
    }
    return text_str(&out);
}
