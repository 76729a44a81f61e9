/* The tokens of the text form, for graph_read.c. A scanner that has met a mistake keeps the first one; every
 * function that can fail returns false then. */
#ifndef ACT_GRAPH_GRAPH_SCAN_H
#define ACT_GRAPH_GRAPH_SCAN_H

#include "graph/graph.h"

typedef struct Scan {
    Arena *arena;
    Str at;         /* the rest of the line */
    uint32_t line;  /* counts from 1 */
    Str why;        /* the first mistake: "line 3: …" */
} Scan;

/* Records the mistake and returns false, for `return scan_fail(…)`. */
bool scan_fail(Scan *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

char scan_peek(Scan *s);                 /* the next character behind blanks; 0 at the end of the line or a comment */
bool scan_take(Scan *s, char c);         /* moves past `c` if it is next */
bool scan_expect(Scan *s, char c);
Str scan_word(Scan *s);                  /* letters, digits and _; empty when none stand here */
bool scan_quoted(Scan *s, Str *out);     /* in the arena, escapes undone */
bool scan_real(Scan *s, double *out);
bool scan_int(Scan *s, int64_t low, int64_t high, int64_t *out);
bool scan_count(Scan *s, uint32_t *out);
bool scan_dims(Scan *s, int64_t low, int64_t high, Dims *out); /* "[1, 2]", every number in [low, high] */

#endif
