#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lsp/cursor.h"

#include <string.h>

typedef struct Case {
    const char *text; /* the cursor stands at § */
    CursorPlace place;
    Body body;
    const char *prefix, *callee;
    uint32_t index;
} Case;

static const Case cases[] = {
    {"§", PLACE_STATEMENT, BODY_FILE, "", "", 0},
    {"mod§", PLACE_STATEMENT, BODY_FILE, "mod", "", 0},
    {"model §", PLACE_NOTHING, BODY_FILE, "", "", 0},
    {"model m {\n    §", PLACE_STATEMENT, BODY_MODEL, "", "", 0},
    {"model m { # a { b\n h = x |> li§", PLACE_STAGE, BODY_MODEL, "li", "", 0},
    {"model m {\n h = x |>\n    §\n}", PLACE_STAGE, BODY_MODEL, "", "", 0},
    {"model m {\n h = x\n   |> §", PLACE_STAGE, BODY_MODEL, "", "", 0},
    {"model m {\n h = §", PLACE_VALUE, BODY_MODEL, "", "", 0},
    {"model m {\n h = x + §", PLACE_VALUE, BODY_MODEL, "", "", 0},
    {"model m {\n h = x §", PLACE_NOTHING, BODY_MODEL, "", "", 0},
    {"model m {\n input x : §", PLACE_TYPE, BODY_MODEL, "", "", 0},
    {"model m {\n h = x |> linear(§", PLACE_ARGUMENT, BODY_MODEL, "", "linear", 0},
    {"model m {\n h = x |> f(1, (2, 3), b§)", PLACE_ARGUMENT, BODY_MODEL, "b", "f", 2},
    {"model m {\n h = x |> f(1) |> g(2, §", PLACE_ARGUMENT, BODY_MODEL, "", "g", 1},
    {"model m {\n h = x |> linear(\n loss §", PLACE_LOSS, BODY_MODEL, "", "", 0},
    {"model m {\n @allow(§", PLACE_RULE, BODY_MODEL, "", "", 0},
    {"model m {\n @allow(a, reason = §", PLACE_NOTHING, BODY_MODEL, "", "", 0},
    {"model m {\n h = x.§", PLACE_FIELD, BODY_MODEL, "", "", 0},
    {"model m {\n h = \"te§xt\"", PLACE_NOTHING, BODY_MODEL, "", "", 0},
    {"model m {\n h = x # co§mment", PLACE_NOTHING, BODY_MODEL, "", "", 0},
    {"model m {\n metric §", PLACE_METRIC, BODY_MODEL, "", "", 0},
    {"model m {\n loss for §", PLACE_GROUP, BODY_MODEL, "", "", 0},
    {"model m {\n block b(x, §", PLACE_NOTHING, BODY_MODEL, "", "b", 1},
    {"model m {\n block b(x) {\n §", PLACE_STATEMENT, BODY_BLOCK, "", "", 0},
    {"model m {\n}\n§", PLACE_STATEMENT, BODY_FILE, "", "", 0},
    {"train §", PLACE_MODEL, BODY_FILE, "", "", 0},
    {"train m {\n §", PLACE_STATEMENT, BODY_TRAIN, "", "", 0},
    {"train m {\n optimizer a§", PLACE_SETTING, BODY_TRAIN, "a", "", 0},
    {"train m {\n optimizer adam(lr = 1, §", PLACE_ARGUMENT, BODY_TRAIN, "", "adam", 1},
    {"data d {\n train {\n x = §", PLACE_VALUE, BODY_PART, "", "", 0},
    {"data d {\n train {\n x = csv(\"a\") |> §", PLACE_STAGE, BODY_PART, "", "", 0},
    {"data d {\n train {\n }\n §", PLACE_STATEMENT, BODY_DATA, "", "", 0},
    {"activation a(x) = §", PLACE_VALUE, BODY_FILE, "", "", 0},
    {"activation a(§", PLACE_NOTHING, BODY_FILE, "", "a", 0},
    {"activation a(x, y = §", PLACE_VALUE, BODY_FILE, "", "a", 1},
    {"}}))]) model m {\n §", PLACE_STATEMENT, BODY_MODEL, "", "", 0},
};

static void every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Case *c = &cases[i];
        Arena *arena = arena_new();
        const char *mark = strstr(c->text, "§");
        Str text = str_printf(arena, "%.*s%s", (int)(mark - c->text), c->text, mark + strlen("§"));
        Cursor cursor = cursor_at(arena, text, (uint32_t)(mark - c->text));
        if (cursor.place != c->place || cursor.body != c->body)
            fail_msg("`%s`: place %d, body %d", c->text, (int)cursor.place, (int)cursor.body);
        assert_true(str_is(cursor.prefix, c->prefix));
        if (!str_is(cursor.callee, c->callee) || (cursor.callee.n && cursor.index != c->index))
            fail_msg("`%s`: callee `" STR_FMT "`, argument %u", c->text, STR_ARG(cursor.callee), cursor.index);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
