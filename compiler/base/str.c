#include "base/str.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Str str_of(const char *text)
{
    return text ? (Str){text, (uint32_t)strlen(text)} : STR("");
}

Str str_copy(Arena *arena, Str s)
{
    char *to = arena_alloc(arena, (size_t)s.n + 1);
    if (s.n)
        memcpy(to, s.p, s.n);
    return (Str){to, s.n};
}

const char *str_c(Arena *arena, Str s)
{
    return str_copy(arena, s).p;
}

Str str_vprintf(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    ACT_ASSERT(n >= 0);
    char *to = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(to, (size_t)n + 1, format, again);
    va_end(again);
    return (Str){to, (uint32_t)n};
}

Str str_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str s = str_vprintf(arena, format, args);
    va_end(args);
    return s;
}

bool str_eq(Str a, Str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(Str a, const char *b)
{
    return str_eq(a, str_of(b));
}

int str_compare(Str a, Str b)
{
    uint32_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? (order < 0 ? -1 : 1) : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(Str s, Str prefix)
{
    return s.n >= prefix.n && str_eq((Str){s.p, prefix.n}, prefix);
}

uint64_t str_hash(Str s)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (uint32_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return hash;
}

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertion, deletion, replacement and exchange of neighbours cost 1 each. */
unsigned str_distance(Str a, Str b, unsigned limit)
{
    enum { LONGEST = 64 };
    unsigned over = limit + 1;
    if ((a.n > b.n ? a.n - b.n : b.n - a.n) > limit)
        return over;
    if (a.n > LONGEST || b.n > LONGEST)
        return str_eq(a, b) ? 0 : over;
    unsigned row[3][LONGEST + 1] = {{0}};
    for (unsigned j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *older = row[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned cost = a.p[i - 1] != b.p[j - 1];
            now[j] = min2(min2(now[j - 1], before[j]) + 1, before[j - 1] + cost);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = min2(now[j], older[j - 2] + 1);
        }
    }
    return min2(row[a.n % 3][b.n], over);
}

int str_nearest(Str name, const Str *candidates, unsigned n)
{
    unsigned best = min2((name.n + 2) / 3, 3) + 1;
    int found = -1;
    for (unsigned i = 0; i < n && best > 0; i++) {
        unsigned distance = str_distance(name, candidates[i], best - 1);
        if (distance < best) {
            best = distance;
            found = (int)i;
        }
    }
    return found;
}

static char *text_room(Text *text, size_t n)
{
    if (text->n + n + 1 > text->cap) {
        size_t cap = text->cap ? text->cap : 64;
        while (cap < text->n + n + 1)
            cap *= 2;
        char *to = arena_alloc(text->arena, cap);
        if (text->n)
            memcpy(to, text->p, text->n);
        text->p = to;
        text->cap = cap;
    }
    return text->p + text->n;
}

void text_add(Text *text, Str s)
{
    char *to = text_room(text, s.n);
    if (s.n)
        memcpy(to, s.p, s.n);
    text->n += s.n;
    text->p[text->n] = 0;
}

void text_putc(Text *text, char c)
{
    text_add(text, (Str){&c, 1});
}

void text_printf(Text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    ACT_ASSERT(n >= 0);
    vsnprintf(text_room(text, (size_t)n), (size_t)n + 1, format, again);
    text->n += (size_t)n;
    va_end(again);
    va_end(args);
}

Str text_str(const Text *text)
{
    return text->p ? (Str){text->p, (uint32_t)text->n} : STR("");
}

void text_number(Text *text, double value)
{
    if (isnan(value)) {
        text_add(text, STR("nan"));
    } else if (isinf(value)) {
        text_add(text, value < 0 ? STR("-inf") : STR("inf"));
    } else if (fabs(value) < 1e15 && value == floor(value)) {
        text_printf(text, "%.0f", value);
    } else {
        char digits[40];
        for (int precision = 1; precision <= 17; precision++) {
            snprintf(digits, sizeof digits, "%.*g", precision, value);
            if (strtod(digits, NULL) == value)
                break;
        }
        text_add(text, str_of(digits));
    }
}
