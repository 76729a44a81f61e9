/* From a text to what the checker says about it: parse, sema, check, render; and the text with the fixes applied. */
#ifndef TEST_CHECK_HARNESS_H
#define TEST_CHECK_HARNESS_H

#include "check/check.h"
#include "syntax/parse.h"

#include <stdlib.h>
#include <string.h>

typedef struct Checked {
    Arena *arena;
    Sources *sources;
    Diags *diags;
    Program *program;
    const Source *source;
} Checked;

static inline Checked check_text_with(const char *text, const CheckOptions *options)
{
    Checked c = {.arena = arena_new()};
    c.sources = arena_new_of(c.arena, Sources);
    c.sources->arena = c.arena;
    c.diags = arena_new_of(c.arena, Diags);
    *c.diags = (Diags){.arena = c.arena, .sources = c.sources};
    c.source = source_add(c.sources, STR("m.act"), str_copy(c.arena, str_of(text)), false);
    Ast *file = parse_source(c.arena, c.diags, c.source);
    c.program = sema_run(c.arena, c.sources, c.diags, file, &(SemaOptions){0});
    check_run(c.program, options);
    diag_sort(c.diags);
    return c;
}

static inline Checked check_text(const char *text) { return check_text_with(text, NULL); }

/* One line for each diagnostic that is at least `least`: "m.act:4:12: error[ACT201]: …" */
static inline const char *checked_lines(const Checked *c, Level least)
{
    Text out = {.arena = c->arena};
    for (uint32_t i = 0; i < c->diags->list.n; i++)
        if (c->diags->list.at[i]->level >= least)
            text_add(&out,
                     diag_render(c->arena, c->diags->list.at[i], &(DiagStyle){.format = DIAG_SHORT, .notes = true}));
    return text_str(&out).p;
}

static inline const Diag *checked_find(const Checked *c, const char *code)
{
    for (uint32_t i = 0; i < c->diags->list.n; i++)
        if (strcmp(c->diags->list.at[i]->code, code) == 0)
            return c->diags->list.at[i];
    return NULL;
}

static inline int edit_backwards(const void *a, const void *b)
{
    const DiagEdit *x = *(const DiagEdit *const *)a, *y = *(const DiagEdit *const *)b;
    if (x->span.begin != y->span.begin)
        return x->span.begin < y->span.begin ? 1 : -1;
    return x < y ? 1 : -1;
}

/* The text after the edits of this one diagnostic. */
static inline const char *checked_fix(const Checked *c, const Diag *diag)
{
    const DiagEdit **edit = arena_array(c->arena, const DiagEdit *, diag->edits.n + 1);
    for (uint32_t i = 0; i < diag->edits.n; i++)
        edit[i] = &diag->edits.at[i];
    qsort(edit, diag->edits.n, sizeof edit[0], edit_backwards);
    Str text = c->source->text;
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        Text next = {.arena = c->arena};
        text_add(&next, (Str){text.p, edit[i]->span.begin});
        text_add(&next, edit[i]->text);
        text_add(&next, (Str){text.p + edit[i]->span.end, text.n - edit[i]->span.end});
        text = text_str(&next);
    }
    return str_c(c->arena, text);
}

/* ── assertions, with the text and what was said on failure ── */
#define assert_says(text, expected)  harness_says(__FILE__, __LINE__, text, expected, LEVEL_WARN)
#define assert_notes(text, expected) harness_says(__FILE__, __LINE__, text, expected, LEVEL_NOTE)
#define assert_clean(text)           harness_says(__FILE__, __LINE__, text, "", LEVEL_WARN)

static inline void harness_says(const char *file, int line, const char *text, const char *expected, Level least)
{
    Checked c = check_text(text);
    const char *said = checked_lines(&c, least);
    if (strcmp(said, expected) != 0) {
        print_error("%s:%d: in\n%s\nexpected\n%s\nsaid\n%s\n", file, line, text, expected, said);
        _fail(file, line);
    }
    arena_free(c.arena);
}

/* The diagnostic `code` has a fix of this kind, and the text after it is `fixed` and checks clean. */
#define assert_fix(text, code, kind, fixed) harness_fix(__FILE__, __LINE__, text, code, kind, fixed)

static inline void harness_fix(const char *file, int line, const char *text, const char *code, FixKind kind,
                               const char *fixed)
{
    Checked c = check_text(text);
    const Diag *diag = checked_find(&c, code);
    if (diag == NULL || diag->fix != kind || diag->edits.n == 0) {
        print_error("%s:%d: no %s with such a fix in\n%s\nsaid\n%s\n", file, line, code, text,
                    checked_lines(&c, LEVEL_NOTE));
        _fail(file, line);
    }
    const char *after = checked_fix(&c, diag);
    if (strcmp(after, fixed) != 0) {
        print_error("%s:%d: fixed to\n%s\nexpected\n%s\n", file, line, after, fixed);
        _fail(file, line);
    }
    harness_says(file, line, after, "", LEVEL_WARN);
    arena_free(c.arena);
}

#endif
