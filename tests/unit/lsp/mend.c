#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lsp/mend.h"

#include <string.h>

static void mended(const char *text, const char *wanted)
{
    Arena *arena = arena_new();
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const Source *source = source_add(&sources, STR("m.act"), str_of(text), false);
    Str got = mend_text(arena, source, parse_source(arena, &diags, source));
    assert_string_equal(str_c(arena, got), wanted);
    if (got.n)
        assert_int_equal(got.n, strlen(text));
    arena_free(arena);
}

static void statements_are_cut(void **state)
{
    (void)state;
    mended("model m {\n    h = x |> linear(3) |>\n    z = h\n}\n",
           "model m {\n    h = x |> linear(3)   \n    z = h\n}\n");
    mended("model m {\n    h = x + |> relu\n}\n", "model m {\n    h = x          \n}\n");
    mended("model m {\n    loss mse(a,\n      b) +\n}\n", "model m {\n    loss mse(a,\n      b)  \n}\n");
    mended("train m {\n    epochs 3 = 4\n}\n", "train m {\n    epochs 3    \n}\n");
    mended("block b(x) {\n    x +\n}\n", "block b(x) {\n    x  \n}\n");
    mended("data d {\n    train {\n        x = csv(\"a\") |>\n    }\n}\n",
           "data d {\n    train {\n        x = csv(\"a\")   \n    }\n}\n");
    mended("param a = 3 +\nparam b = 2\n", "param a = 3  \nparam b = 2\n");
}

static void what_can_not_be_cut_is_blank(void **state)
{
    (void)state;
    mended("model m {\n    input x :\n    h = \n    y = 1\n}\n", "model m {\n             \n        \n    y = 1\n}\n");
    mended("data\n", "    \n");
}

static void what_is_whole_stays(void **state)
{
    (void)state;
    mended("model m {\n    input x : f32[3]\n}\n", "");
    mended("", "");
    mended("model m {\n    h = x |> linear(3\n}\n", ""); /* the parser closes it by itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_cut),
        cmocka_unit_test(what_can_not_be_cut_is_blank),
        cmocka_unit_test(what_is_whole_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
