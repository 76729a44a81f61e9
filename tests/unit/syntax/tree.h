/* What the tests of this floor share: a text in, tree and diagnostics out. */
#ifndef ACT_TESTS_SYNTAX_TREE_H
#define ACT_TESTS_SYNTAX_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "syntax/parse.h"

#include <stdlib.h>
#include <string.h>

typedef struct Parsed {
    Arena *arena;
    Sources sources;
    Diags diags;
    const Source *source;
    Ast *root;
} Parsed;

static inline void parsed_add(Parsed *p, Str text)
{
    p->source = source_add(&p->sources, STR("t.act"), text, false);
    p->root = parse_source(p->arena, &p->diags, p->source);
}

/* In place: `diags` points into the structure. */
static inline void parsed_begin(Parsed *p, Str text)
{
    *p = (Parsed){.arena = arena_new()};
    p->sources.arena = p->diags.arena = p->arena;
    p->diags.sources = &p->sources;
    parsed_add(p, text);
}

static inline void parsed_end(Parsed *p)
{
    arena_free(p->arena);
}

/* All diagnostics, one a line, without the file's name: "3:5: ACT0002: message". */
static inline Str parsed_mistakes(Parsed *p)
{
    Text out = {.arena = p->arena};
    diag_sort(&p->diags);
    for (uint32_t i = 0; i < p->diags.list.n; i++) {
        const Diag *d = p->diags.list.at[i];
        Place place = source_place(p->source, d->primary.span.begin);
        text_printf(&out, "%u:%u: %s: " STR_FMT "\n", place.line, place.column, d->code, STR_ARG(d->message));
    }
    return text_str(&out);
}

/* A file of the project, by its path from the top; `here` is the test's __FILE__. */
static inline Str project_file(Arena *arena, const char *here, const char *path)
{
    const char *tests = strstr(here, "tests/unit/syntax/");
    assert_non_null(tests);
    Str top = {here, (uint32_t)(tests - here)}, text, why;
    if (!file_read(arena, path_join(arena, top, str_of(path)), &text, &why))
        fail_msg("%s", why.p);
    return text;
}

#endif
