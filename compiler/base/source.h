/* Source texts and places in them. */
#ifndef ACT_BASE_SOURCE_H
#define ACT_BASE_SOURCE_H

#include "base/str.h"
#include "base/vec.h"

/* A range of bytes [begin, end) of one source. source 0 is "nowhere" (a value the compiler made). */
typedef struct Span {
    uint32_t source, begin, end;
} Span;

typedef struct Source {
    Str path;       /* as the user wrote it; "<stdin>" for "-", "<std>/loss.act" for the built-in library */
    Str text;       /* NUL-terminated behind its end; not required to be valid UTF-8 */
    uint32_t id;    /* from 1 */
    bool library;   /* part of the standard library: diagnostics do not point into it when they can avoid it */
    uint32_t *line; /* byte offset of each line's start */
    uint32_t n_line;
} Source;

typedef struct Sources {
    Arena *arena;
    VEC(Source *) list;
} Sources;

Source *source_add(Sources *sources, Str path, Str text, bool library);
/* Reads a file ("-" is standard input). NULL and a sentence in *why when it can't be read. */
Source *source_read(Sources *sources, Str path, Str *why);
Source *source_get(const Sources *sources, uint32_t id); /* NULL for 0 */

/* Line and column count from 1; a column is a Unicode code point, a byte that is not UTF-8 counts as one. */
typedef struct Place {
    uint32_t line, column;
} Place;

Place source_place(const Source *source, uint32_t offset);
Str source_line(const Source *source, uint32_t line); /* without its line end */
Str source_slice(const Sources *sources, Span span);
Span span_join(Span a, Span b); /* the smallest span that covers both; an empty one (source 0) is ignored */

#endif
