/* Explain pages: the numbers on them are computed, and are those that others have published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"
#include "ops/registry.h"

static Checked library;

static const char *page(const char *name)
{
    Text out = {.arena = library.arena};
    Str why = {0};
    if (!check_explain(library.program, str_of(name), &out, &why))
        fail_msg("%s: %s", name, why.p);
    return text_str(&out).p;
}

static void has(const char *name, const char *part)
{
    const char *text = page(name);
    if (!strstr(text, part))
        fail_msg("the page of %s lacks \"%s\":\n%s", name, part, text);
}

/* E f, E f², E f'² and the gain under a standard normal input. */
static void test_moments(void **state)
{
    (void)state;
    static const struct {
        const char *name, *mean, *second, *slope2, *gain;
    } published[] = {
        {"relu", "E f(Z)        0.3989", "E f(Z)^2      0.5000", "E f'(Z)^2     0.5000", "gain          1.4142"},
        {"elu", "E f(Z)        0.1605", "E f(Z)^2      0.6449", "E f'(Z)^2     0.6681", "gain          1.2452"},
        {"gelu", "E f(Z)        0.2821", "E f(Z)^2      0.4252", "E f'(Z)^2     0.4559", "gain          1.5335"},
        {"silu", "E f(Z)        0.2066", "E f(Z)^2      0.3558", "E f'(Z)^2     0.3795", "gain          1.6765"},
        {"mish", "E f(Z)        0.2404", "E f(Z)^2      0.4523", "E f'(Z)^2     0.4791", "gain          1.4868"},
        {"softplus", "E f(Z)        0.8061", "E f(Z)^2      0.9212", "E f'(Z)^2     0.2934", "gain          1.0419"},
        {"sigmoid", "E f(Z)        0.5000", "E f(Z)^2      0.2934", "E f'(Z)^2     0.0448", "gain          1.8462"},
        {"tanh", "E f(Z)        ", "E f(Z)^2      0.3943", "E f'(Z)^2     0.4644", "gain          1.5925"},
        {"hard_tanh", "E f(Z)        ", "E f(Z)^2      0.5161", "E f'(Z)^2     0.6827", "gain          1.3920"},
        {"softsign", "E f(Z)        ", "E f(Z)^2      0.1830", "E f'(Z)^2     0.2277", "gain          2.3375"},
        {"hard_swish", "E f(Z)        0.1662", "E f(Z)^2      0.3316", "E f'(Z)^2     0.3585", "gain          1.7367"},
    };
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        has(published[i].name, published[i].mean);
        has(published[i].name, published[i].second);
        has(published[i].name, published[i].slope2);
        has(published[i].name, published[i].gain);
    }
}

static void test_properties(void **state)
{
    (void)state;
    has("relu", "range         [0, inf)");
    has("relu", "dies          yes");
    has("relu", "saturates     no");
    has("relu", "initializer   kaiming_normal");
    has("relu", "kink at 0");
    has("sigmoid", "range         [0, 1]");
    has("sigmoid", "slope         [0, 0.25]");
    has("sigmoid", "zero-centred  no");
    has("sigmoid", "saturates     yes");
    has("sigmoid", "0.0099");
    has("tanh", "zero-centred  yes");
    has("tanh", "initializer   xavier_normal");
    has("gelu", "smooth        yes");
    has("gelu", "monotone      no");
    has("gelu", "initializer   auto");
    has("selu", "initializer   lecun_normal");
    has("silu", "range         [-0.2785, inf)");
    has("leaky_relu", "dies          no");
}

/* A user's activation gets the same page as a built-in one. */
static void test_own_activation(void **state)
{
    (void)state;
    Checked c = check_text("## Half of a silu.\nactivation mine(x) = 0.5 * x * sigmoid(x)\n");
    Text out = {.arena = c.arena};
    Str why = {0};
    assert_true(check_explain(c.program, STR("mine"), &out, &why));
    const char *text = text_str(&out).p;
    assert_non_null(strstr(
        text, "mine (activation, defined here)\nHalf of a silu.\n\n    activation mine(x) = 0.5 * x * sigmoid(x)\n"));
    assert_non_null(strstr(text, "E f(Z)^2      0.0889"));
    assert_non_null(strstr(text, "gain          3.353"));
    arena_free(c.arena);
}

static void test_other_pages(void **state)
{
    (void)state;
    has("kaiming_normal", "kaiming_normal (initializer)");
    has("kaiming_normal", "relu (1.4142)");
    has("xavier_uniform", "tanh (1.5925)");
    has("lecun_normal", "selu (1.0000)");
    has("mse", "mse (loss)");
    has("cross_entropy", "label_smoothing = 0");
    has("adamw", "adamw (optimizer)");
    has("adamw", "lr = 1e-3");
    has("linear", "linear (layer, has parameters)");
    has("linear", "linear (schedule)"); /* both are called so */
    has("ACT101", "ACT101 shape_mismatch (hard error)");
    has("unknown_name", "ACT1206 unknown_name (hard error)");
    has("ACT0002", "ACT0002 syntax (hard error)");
    has("multi_label", "share a sum of 1");
    has("initialization", "1 / sqrt(E f(Z)²)");
    has("vanishing_gradient", "2.6e-13");
}

/* Everything there is has a page. */
static void test_all_pages(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < library.program->defs.n; i++)
        assert_true(strlen(page(str_c(library.arena, library.program->defs.at[i].name))) > 40);
    for (unsigned i = 0; i < layer_count(); i++)
        assert_true(strlen(page(layer_at(i)->name)) > 40);
}

/* No line of a page is wider than a terminal, source text apart. */
static void test_width(void **state)
{
    (void)state;
    for (unsigned i = 0; i < check_count(); i++) {
        uint32_t column = 0, indent = 0;
        for (const char *p = page(check_at(i)->code); *p; p++) {
            indent = *p == ' ' && column == indent ? indent + 1 : indent;
            column = *p == '\n' ? 0 : column + (((unsigned char)*p & 0xC0) != 0x80);
            indent = *p == '\n' ? 0 : indent;
            assert_true(column <= 120 && (column <= 100 || indent >= 4));
        }
    }
}

static void test_unknown(void **state)
{
    (void)state;
    Text out = {.arena = library.arena};
    Str why = {0};
    assert_false(check_explain(library.program, STR("rellu"), &out, &why));
    assert_string_equal(why.p, "nothing is called `rellu`; there is `relu`");
    assert_false(check_explain(library.program, STR("photosynthesis"), &out, &why));
    assert_int_equal(out.n, 0);
}

static int start(void **state)
{
    (void)state;
    library = check_text("");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_free(library.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),     cmocka_unit_test(test_properties), cmocka_unit_test(test_own_activation),
        cmocka_unit_test(test_other_pages), cmocka_unit_test(test_all_pages),  cmocka_unit_test(test_width),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
