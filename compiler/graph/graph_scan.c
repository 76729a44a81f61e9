#include "graph/graph_scan.h"

#include <errno.h>
#include <stdlib.h>

bool scan_fail(Scan *s, const char *format, ...)
{
    if (s->why.n)
        return false;
    va_list args;
    va_start(args, format);
    Str what = str_vprintf(s->arena, format, args);
    va_end(args);
    s->why = str_printf(s->arena, "line %u: " STR_FMT, s->line, STR_ARG(what));
    return false;
}

static void advance(Scan *s, uint32_t n)
{
    s->at.p += n;
    s->at.n -= n;
}

char scan_peek(Scan *s)
{
    while (s->at.n && (*s->at.p == ' ' || *s->at.p == '\t' || *s->at.p == '\r'))
        advance(s, 1);
    if (!s->at.n || *s->at.p == '#')
        return 0;
    return *s->at.p ? *s->at.p : '?'; /* a NUL in the text is no line end */
}

bool scan_take(Scan *s, char c)
{
    if (scan_peek(s) != c)
        return false;
    advance(s, 1);
    return true;
}

bool scan_expect(Scan *s, char c)
{
    return scan_take(s, c) || scan_fail(s, "expected `%c`", c);
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Str scan_word(Scan *s)
{
    scan_peek(s);
    Str word = {s->at.p, 0};
    while (word.n < s->at.n && word_char(word.p[word.n]))
        word.n++;
    advance(s, word.n);
    return word;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character behind a backslash; *used characters of `s` make it up. */
static bool unescape(Str s, char *c, uint32_t *used)
{
    *used = 1;
    switch (s.n ? s.p[0] : 0) {
    case '"':
    case '\\':
        *c = s.p[0];
        return true;
    case 'n':
        *c = '\n';
        return true;
    case 't':
        *c = '\t';
        return true;
    case 'x':
        *used = 3;
        if (s.n < 3 || hex_digit(s.p[1]) < 0 || hex_digit(s.p[2]) < 0)
            return false;
        *c = (char)(hex_digit(s.p[1]) * 16 + hex_digit(s.p[2]));
        return true;
    default:
        return false;
    }
}

bool scan_quoted(Scan *s, Str *out)
{
    if (!scan_expect(s, '"'))
        return false;
    Text text = {.arena = s->arena};
    while (s->at.n && *s->at.p != '"') {
        char c = *s->at.p;
        uint32_t used = 0;
        if (c == '\\' && !unescape((Str){s->at.p + 1, s->at.n - 1}, &c, &used))
            return scan_fail(s, "no character is written like this; \\\" \\\\ \\n \\t and \\x1f are");
        text_putc(&text, c);
        advance(s, 1 + used);
    }
    if (!s->at.n)
        return scan_fail(s, "the string has no end");
    advance(s, 1);
    *out = text_str(&text);
    return true;
}

/* A number as strtod and strtoll take it, copied so that they meet an end. */
static const char *take_number(Scan *s)
{
    scan_peek(s);
    uint32_t n = 0;
    while (n < s->at.n && (word_char(s->at.p[n]) || s->at.p[n] == '-' || s->at.p[n] == '+' || s->at.p[n] == '.'))
        n++;
    const char *text = str_c(s->arena, (Str){s->at.p, n});
    advance(s, n);
    return text;
}

bool scan_real(Scan *s, double *out)
{
    const char *text = take_number(s);
    char *end;
    *out = strtod(text, &end);
    return (*text && !*end) || scan_fail(s, "expected a number, found `%s`", text);
}

bool scan_int(Scan *s, int64_t low, int64_t high, int64_t *out)
{
    const char *text = take_number(s);
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (!*text || *end)
        return scan_fail(s, "expected a whole number, found `%s`", text);
    if (errno || *out < low || *out > high)
        return scan_fail(s, "%s is not between %lld and %lld", text, (long long)low, (long long)high);
    return true;
}

bool scan_count(Scan *s, uint32_t *out)
{
    int64_t value;
    if (!scan_int(s, 0, UINT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool scan_dims(Scan *s, int64_t low, int64_t high, Dims *out)
{
    *out = (Dims){0};
    if (!scan_expect(s, '['))
        return false;
    if (scan_take(s, ']'))
        return true;
    do {
        if (out->n == TYPE_MAX_RANK)
            return scan_fail(s, "a list of more than %d numbers", TYPE_MAX_RANK);
        if (!scan_int(s, low, high, &out->at[out->n++]))
            return false;
    } while (scan_take(s, ','));
    return scan_expect(s, ']');
}
