/* Levels, @allow, suppression between rules, several models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

static const char twice[] = "model m {\n"
                            "    input  x : f32[8]\n"
                            "    target y : class(4)\n"
                            "    h = x |> linear(8)\n" /* 301, a warning */
                            "    z = h |> linear(4) |> softmax\n"
                            "    loss cross_entropy(z, y)\n" /* 201, an error */
                            "}\n";

typedef struct Flag {
    Level level;
    const char *name;
} Flag;

static void says_with(const Flag *flag, unsigned n, bool werror, const char *text, const char *expected)
{
    Arena *arena = arena_new();
    CheckOptions options = {.werror = werror};
    for (unsigned i = 0; i < n; i++) {
        Str why = {0};
        assert_true(check_set(arena, &options, flag[i].level, str_of(flag[i].name), &why));
    }
    Checked c = check_text_with(text, &options);
    assert_string_equal(checked_lines(&c, LEVEL_NOTE), expected);
    arena_free(c.arena);
    arena_free(arena);
}

#define LINEAR  "`linear1` and `linear2` are one linear map: nothing non-linear stands between them\n"
#define SOFTMAX "softmax output feeds a loss that applies softmax itself\n"

static void test_levels(void **state)
{
    (void)state;
    says_with(NULL, 0, false, twice, "m.act:4:14: warning[ACT301]: " LINEAR "m.act:5:27: error[ACT201]: " SOFTMAX);
    says_with(&(Flag){LEVEL_WARN, "double_softmax"}, 1, false, twice,
              "m.act:4:14: warning[ACT301]: " LINEAR "m.act:5:27: warning[ACT201]: " SOFTMAX);
    says_with(&(Flag){LEVEL_ALLOW, "ACT201"}, 1, false, twice, "m.act:4:14: warning[ACT301]: " LINEAR);
    says_with(&(Flag){LEVEL_DENY, "hidden"}, 1, false, twice,
              "m.act:4:14: error[ACT301]: " LINEAR "m.act:5:27: error[ACT201]: " SOFTMAX);
    says_with(&(Flag){LEVEL_ALLOW, "ACT2"}, 1, false, twice, "m.act:4:14: warning[ACT301]: " LINEAR);
    says_with(&(Flag){LEVEL_ALLOW, "all"}, 1, false, twice, "");
    says_with((Flag[]){{LEVEL_ALLOW, "all"}, {LEVEL_WARN, "collapsed-linear"}}, 2, false, twice,
              "m.act:4:14: warning[ACT301]: " LINEAR);
    says_with((Flag[]){{LEVEL_WARN, "collapsed_linear"}, {LEVEL_ALLOW, "all"}}, 2, false, twice, "");
    says_with(NULL, 0, true, twice, "m.act:4:14: error[ACT301]: " LINEAR "m.act:5:27: error[ACT201]: " SOFTMAX);
    /* what was set to warn is an error under -Werror too; what is allowed stays so */
    says_with((Flag[]){{LEVEL_ALLOW, "output"}, {LEVEL_WARN, "act301"}}, 2, true, twice,
              "m.act:4:14: error[ACT301]: " LINEAR);
}

/* A finding that is a note stays one under a group, and moves under its own name. */
static void test_notes(void **state)
{
    (void)state;
    static const char narrow[] = "model m {\n    input x : f32[8]\n    loss mse(x |> linear(2) |> linear(8), x)\n}\n";
    says_with(&(Flag){LEVEL_DENY, "hidden"}, 1, true, narrow, "m.act:3:19: note[ACT301]: " LINEAR);
    says_with(&(Flag){LEVEL_DENY, "collapsed_linear"}, 1, false, narrow, "m.act:3:19: error[ACT301]: " LINEAR);
    says_with(&(Flag){LEVEL_ALLOW, "collapsed_linear"}, 1, false, narrow, "");
}

static void test_unknown_names(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    CheckOptions options = {0};
    Str why = {0};
    assert_false(check_set(arena, &options, LEVEL_WARN, STR("double_softmex"), &why));
    assert_string_equal(why.p, "no rule or group is called `double_softmex`; there is `double_softmax`");
    assert_false(check_set(arena, &options, LEVEL_ALLOW, STR("shape_mismatch"), &why));
    assert_string_equal(why.p, "`shape_mismatch` is a hard error: it has no level");
    assert_false(check_set(arena, &options, LEVEL_ALLOW, STR("ACT101"), &why));
    assert_false(check_set(arena, &options, LEVEL_ALLOW, STR(""), &why));
    assert_false(check_set(arena, &options, LEVEL_ALLOW, STR("AC"), &why));
    assert_false(check_set(arena, &options, LEVEL_ALLOW, STR("quite something else"), &why));
    assert_string_equal(why.p, "no rule or group is called `quite something else`; see `actc list rules`");
    assert_int_equal(options.settings.n, 0);
    arena_free(arena);
}

#define MODEL(before_h, before_z, before_loss)                                                                         \
    "model m {\n    input  x : f32[8]\n    target y : class(4)\n" before_h "    h = x |> linear(8)\n" before_z         \
    "    z = h |> linear(4) |> softmax\n" before_loss "    loss cross_entropy(z, y)\n}\n"

static void test_allow(void **state)
{
    (void)state;
    assert_says(MODEL("    @allow(collapsed_linear, reason = \"wide on purpose\")\n", "", ""),
                "m.act:6:27: error[ACT201]: " SOFTMAX);
    /* by code; in front of what a label points at; in front of the whole model */
    assert_says(MODEL("    @allow(ACT301, reason = \"wide on purpose\")\n", "", ""),
                "m.act:6:27: error[ACT201]: " SOFTMAX);
    assert_says(MODEL("", "", "    @allow(double_softmax, reason = \"to show it\")\n"),
                "m.act:4:14: warning[ACT301]: " LINEAR);
    assert_says("@allow(double_softmax, reason = \"to show it\")\n" MODEL("", "", ""),
                "m.act:5:14: warning[ACT301]: " LINEAR);
    assert_says("@allow(double_softmax, collapsed_linear, reason = \"to show it\")\n" MODEL("", "", ""), "");
    /* in a block: for every use of the block */
    assert_clean(
        "@allow(collapsed_linear, reason = \"a study of it\")\nblock two(x) { x |> linear(8) |> linear(8) |> relu }\n"
        "model m {\n    input x : f32[8]\n    target y : f32[1]\n    loss mse(x |> two |> two |> linear(1), y)\n}\n");
}

static void test_unused_allow(void **state)
{
    (void)state;
    /* in the wrong place */
    assert_says(MODEL("", "    @allow(ACT303, reason = \"?\")\n", ""),
                "m.act:4:14: warning[ACT301]: " LINEAR
                "m.act:5:5: warning[ACT0001]: `@allow(softmax_hidden)` silences nothing\n"
                "m.act:6:27: error[ACT201]: " SOFTMAX);
    assert_says(
        "model m {\n    input x : f32[8]\n    @allow(saturated_hidden, reason = \"?\")\n"
        "    h = x |> linear(8) |> relu\n"
        "    output h\n}\n",
        "m.act:3:5: warning[ACT0001]: no rule is called `saturated_hidden`\n");
    assert_says(
        "model m {\n    input x : f32[8]\n    @allow(shape_mismatch, reason = \"?\")\n    h = x |> linear(8) |> relu\n"
        "    output h\n}\n",
        "m.act:3:5: warning[ACT0001]: `shape_mismatch` is a hard error and cannot be allowed\n");
    /* a rule that is off for this run still uses its @allow */
    says_with(&(Flag){LEVEL_ALLOW, "ACT2"}, 1, false,
              MODEL("", "    @allow(double_softmax, reason = \"to show it\")\n", ""),
              "m.act:4:14: warning[ACT301]: " LINEAR);
    says_with(
        &(Flag){LEVEL_ALLOW, "unused_allow"}, 1, false,
        "model m {\n    input x : f32[8]\n    @allow(ACT303, reason = \"?\")\n    h = x |> linear(8) |> relu\n"
        "    output h\n}\n",
        "");
    /* removing it leaves the rest of the line structure alone */
    assert_fix(
        "model m {\n    input x : f32[8]\n    @allow(ACT303, reason = \"?\")\n    h = x |> linear(8) |> relu\n"
        "    output h\n}\n",
        "ACT0001", FIX_SAFE, "model m {\n    input x : f32[8]\n    h = x |> linear(8) |> relu\n    output h\n}\n");
}

/* A model with a hard error is not checked, the others are; its @allow is not called unused. */
static void test_poisoned(void **state)
{
    (void)state;
    Checked c = check_text(
        "model broken {\n    input x : f32[8]\n    @allow(softmax_hidden, reason = \"?\")\n"
        "    h = x |> linar(8) |> softmax\n"
        "    loss mse(h, x)\n}\nmodel sound {\n    input  x : f32[8]\n    target y : class(4)\n"
        "    loss mse(x |> linear(4), y)\n}\n");
    const char *lines = checked_lines(&c, LEVEL_WARN);
    assert_non_null(strstr(lines, "m.act:4:14: error[ACT1206]"));
    assert_non_null(strstr(lines, "m.act:10:10: warning[ACT206]"));
    assert_null(strstr(lines, "ACT0001"));
    assert_null(strstr(lines, "ACT303"));
    assert_int_equal(c.diags->list.n, 2);
    arena_free(c.arena);
}

/* Two models, each with its own findings; a finding in a block that both use is one. */
static void test_models(void **state)
{
    (void)state;
    assert_says("model a {\n    input  x : f32[8]\n    target y : class(4)\n    loss mse(x |> linear(4), y)\n}\n"
                "model b {\n    input  x : f32[8]\n    target y : class(4)\n    loss mae(x |> linear(4), y)\n}\n",
                "m.act:4:10: warning[ACT206]: `mse` measures a distance, but `y` is a class\n"
                "m.act:9:10: warning[ACT206]: `mae` measures a distance, but `y` is a class\n");
    assert_says(
        "block two(x) { x |> linear(8) |> linear(8) |> relu }\n"
        "model a {\n    input  x : f32[8]\n    target y : f32[1]\n    h = x |> two\n    loss mse(h |> linear(1), y)\n"
        "}\n"
        "model b {\n    input  x : f32[8]\n    target y : f32[1]\n    h = x |> two\n    loss mae(h |> linear(1), y)\n"
        "}\n",
        "m.act:1:21: warning[ACT301]: `two1.linear1` and `two1.linear2` are one linear map: nothing non-linear "
        "stands between them\n");
}

/* The same text gives the same diagnostics, byte for byte. */
static void test_deterministic(void **state)
{
    (void)state;
    Checked a = check_text(twice), b = check_text(twice);
    assert_int_equal(a.diags->list.n, b.diags->list.n);
    for (uint32_t i = 0; i < a.diags->list.n; i++) {
        Str x = diag_render(a.arena, a.diags->list.at[i], &(DiagStyle){.format = DIAG_JSON});
        Str y = diag_render(b.arena, b.diags->list.at[i], &(DiagStyle){.format = DIAG_JSON});
        assert_string_equal(x.p, y.p);
    }
    arena_free(a.arena);
    arena_free(b.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels), cmocka_unit_test(test_notes),         cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_allow),  cmocka_unit_test(test_unused_allow),  cmocka_unit_test(test_poisoned),
        cmocka_unit_test(test_models), cmocka_unit_test(test_deterministic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
