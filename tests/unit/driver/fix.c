/* Fixes applied to a text: which, in what order, and which wait. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "driver/fix.h"

#include <string.h>

typedef struct Case {
    Arena *arena;
    Sources sources;
    Diags diags;
    const Source *source;
} Case;

static Case begin(const char *text)
{
    Case c = {.arena = arena_new()};
    c.sources.arena = c.arena;
    c.source = source_add(&c.sources, STR("m.act"), str_of(text), false);
    c.diags = (Diags){.arena = c.arena};
    return c;
}

/* The place of `what` in the text; an empty one in front of it for an insertion. */
static Span at(const Case *c, const char *what, bool insert)
{
    const char *found = strstr(c->source->text.p, what);
    assert_non_null(found);
    uint32_t from = (uint32_t)(found - c->source->text.p);
    return (Span){c->source->id, from, insert ? from : from + (uint32_t)strlen(what)};
}

static Diag *problem(Case *c)
{
    c->diags.sources = &c->sources;
    return diag_new(&c->diags, LEVEL_WARN, "ACT201", "x", (Span){c->source->id, 0, 1}, "x");
}

static void expect(Case *c, bool unsafe, unsigned want_applied, const char *want)
{
    unsigned applied = 0;
    assert_string_equal(fix_apply(c->arena, &c->diags, c->source, unsafe, &applied).p, want);
    assert_int_equal(applied, want_applied);
}

static void test_in_order(void **state)
{
    (void)state;
    Case c = begin("one two three");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "three", false), "3");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "one", false), "1");
    expect(&c, false, 2, "1 two 3");
    arena_free(c.arena);
}

static void test_unsafe_waits_to_be_asked(void **state)
{
    (void)state;
    Case c = begin("one two");
    diag_fix(problem(&c), FIX_UNSAFE, at(&c, "two", false), "2");
    expect(&c, false, 0, "one two");
    expect(&c, true, 1, "one 2");
    arena_free(c.arena);
}

static void test_overlap_takes_the_first(void **state)
{
    (void)state;
    Case c = begin("one two three");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "one two", false), "12");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "two three", false), "23");
    expect(&c, false, 1, "12 three");
    arena_free(c.arena);
}

/* Replaced parts may touch; insertions there wait. */
static void test_touching(void **state)
{
    (void)state;
    Case c = begin("one\ntwo\nthree\n");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "one\n", false), "%s", "");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "two\n", false), "%s", "");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "three", true), "3 ");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "three", true), "3 ");
    expect(&c, false, 2, "three\n");
    arena_free(c.arena);
}

/* All edits of one fix, or none. */
static void test_edits_together(void **state)
{
    (void)state;
    Case c = begin("f(x) g(y)");
    Diag *d = problem(&c);
    diag_fix(d, FIX_SAFE, at(&c, "f(", false), "%s", "");
    diag_fix(d, FIX_SAFE, at(&c, ") g", true), "|> h");
    Diag *e = problem(&c);
    diag_fix(e, FIX_SAFE, at(&c, "y", false), "z");
    diag_fix(e, FIX_SAFE, at(&c, "f(x)", false), "%s", "");
    expect(&c, false, 1, "x|> h) g(y)");
    arena_free(c.arena);
}

static void test_elsewhere_and_silenced(void **state)
{
    (void)state;
    Case c = begin("one");
    Span other = at(&c, "one", false);
    other.source = 9;
    diag_fix(problem(&c), FIX_SAFE, other, "1");
    Diag *silent = problem(&c);
    silent->level = LEVEL_ALLOW;
    diag_fix(silent, FIX_SAFE, at(&c, "one", false), "2");
    expect(&c, true, 0, "one");
    arena_free(c.arena);
}

/* A new line in a file of another system ends as the others do. */
static void test_line_ends(void **state)
{
    (void)state;
    Case c = begin("one\r\ntwo\r\n");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "one", false), "1\n1\r\n1");
    expect(&c, false, 1, "1\r\n1\r\n1\r\ntwo\r\n");
    arena_free(c.arena);
    c = begin("one\ntwo\r\n");
    diag_fix(problem(&c), FIX_SAFE, at(&c, "one", false), "1\n1");
    expect(&c, false, 1, "1\n1\ntwo\r\n");
    arena_free(c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_unsafe_waits_to_be_asked),
        cmocka_unit_test(test_overlap_takes_the_first),
        cmocka_unit_test(test_touching),
        cmocka_unit_test(test_edits_together),
        cmocka_unit_test(test_elsewhere_and_silenced),
        cmocka_unit_test(test_line_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
