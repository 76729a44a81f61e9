/* Strings: a pointer and a length, never owning, often a slice of the source text. */
#ifndef ACT_BASE_STR_H
#define ACT_BASE_STR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Str {
    const char *p;
    uint32_t n;
} Str;

#define STR(literal) ((Str){"" literal, sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

Str str_of(const char *text);                    /* of a C string; NULL gives the empty string */
Str str_copy(Arena *arena, Str s);               /* the copy is NUL-terminated */
const char *str_c(Arena *arena, Str s);          /* a NUL-terminated copy */
Str str_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
Str str_vprintf(Arena *arena, const char *format, va_list args);
bool str_eq(Str a, Str b);
bool str_is(Str a, const char *b);
int str_compare(Str a, Str b);                   /* bytewise; a total order */
bool str_starts(Str s, Str prefix);
uint64_t str_hash(Str s);                        /* FNV-1a, 64 bits */
/* Damerau-Levenshtein distance, cut off at `limit` + 1. */
unsigned str_distance(Str a, Str b, unsigned limit);
/* The candidate nearest to `name` if it is close enough to suggest (distance at most a third of the length, rounded
 * up, and at most 3); -1 when none is. Ties go to the earlier one. */
int str_nearest(Str name, const Str *candidates, unsigned n);

/* A text that grows, in an arena. Zero-initialise apart from `arena`. */
typedef struct Text {
    Arena *arena;
    char *p;
    size_t n, cap;
} Text;

void text_add(Text *text, Str s);
void text_putc(Text *text, char c);
void text_printf(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
Str text_str(const Text *text);                  /* NUL-terminated behind its end */
/* The shortest decimal that reads back as the same double: "0.1", "1e-08", "3", "inf", "nan". */
void text_number(Text *text, double value);

#endif
