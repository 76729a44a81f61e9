/* Explain pages: the numbers on them are computed, and are those that others have published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/explain.h"
#include "harness.h"
#include "ops/registry.h"
#include "sema/codes.h"

static Checked library;

static struct {
    const char *name, *text;
} known[1024];
static unsigned n_known;

/* Each page is made once. */
static const char *page(const char *name)
{
    for (unsigned i = 0; i < n_known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].text;
    Text out = {.arena = library.arena};
    Str why = {0};
    if (!check_explain(library.program, str_of(name), &out, &why))
        fail_msg("%s: %s", name, why.p);
    if (n_known < sizeof known / sizeof known[0])
        known[n_known++].name = str_c(library.arena, str_of(name));
    return known[n_known - 1].text = text_str(&out).p;
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

/* What the pages say in numbers that others have published, or that follow from a formula. */
static void test_numbers(void **state)
{
    (void)state;
    has("softmax", "[0.761, 0.188, 0.051]");
    has("softmax", "0.182  -0.143  -0.039");
    has("softmax", "[0.665, 0.245, 0.090]");
    has("softmax", "above 88.7 overflow");
    has("log_softmax", "[-0.273, -1.673, -2.973]");
    has("cross_entropy", "10        2.3026          1.4612");
    has("cross_entropy", "4        1.3863          0.7437");
    has("cross_entropy", "1000        6.9078          5.9095");
    has("cross_entropy", "gradient      -0.239, 0.188, 0.051");
    has("bce_with_logits", "gradient      sigmoid(p) - t");
    has("bce_with_logits", "at the start  0.6931");
    has("bce_with_logits", "not below 0.3133 for a 1 and 0.6931 for a 0");
    has("mse", "gradient      2 * (p - t)");
    has("mse", "at the start  1.0000");
    has("mae", "at the start  0.7979"); /* sqrt(2 / pi) */
    has("sigmoid", "gradient     2.6e-13");
    has("relu", "gradient           1        1        1        1        1        1");
    has("kaiming_normal", "variance      1 gain² / fan_in");
    has("xavier_uniform", "variance      2 / (fan_in + fan_out)");
    has("lecun_normal", "variance      1 / fan_in");
    has("kaiming_normal", "784      128     0.03571     0.05051");
    has("adam", "8 bytes per parameter: m, v");
    has("sgd", "defaults      0 bytes");
    has("sgd", "momentum      4 bytes per parameter: velocity");
    has("adam", "0.001        -0.001        -0.001        -0.001");
    has("cosine", "300: 1, 1500: 0.5874");
    has("linear", "[784] → [128], 100480 parameters");
    has("split", "[10, 48] → [10, 16]");
    has("prelu", "[64]          → [64], 64 parameters");
    has("saturation", "4.595      0.990     0.0099");
    has("initialization", "0.707 per layer, 0.00098 over 20");
    has("initialization", "0.408 per relu layer");
    has("vanishing_gradient", "9.8e-18       2.6e-13       9.3e-11");
    has("gates", "14.3 steps");
    has("four_failures", "starts at 2.303 and cannot fall below 1.461");
    has("four_failures", "0.25^20 = 9.1e-13");
    has("dead_units", "zero for 50 %");
    has("gelu_or_relu", "at most by 0.170");
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
    has("kaiming_normal", "`relu` (1.4142)");
    has("xavier_uniform", "`tanh` (1.5925)");
    has("lecun_normal", "`selu` (1.0000)");
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

/* By other words people use, too. */
static void test_plain_names(void **state)
{
    (void)state;
    has("dying_relu", "dead_units (topic)");
    has("multilabel", "multi_label (topic)");
    has("exploding_gradients", "vanishing_gradient (topic)");
    has("transformers", "gelu_or_relu (topic)");
    has("missing_zero_grad", "cannot be written here");
    has("exp", "derivative    exp(x)");
}

/* The example of a rule, checked when the page is printed. */
static void test_said(void **state)
{
    (void)state;
    has("ACT201", "error[ACT201]: softmax output feeds a loss");
    has("ACT201", "the loss cannot fall below");
    has("ACT1210", "error[ACT1210]: `linear` needs `features`");
}

static void test_all_pages(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < library.program->defs.n; i++)
        assert_true(strlen(page(str_c(library.arena, library.program->defs.at[i].name))) > 40);
    for (unsigned i = 0; i < layer_count(); i++)
        assert_true(strlen(page(layer_at(i)->name)) > 40);
    for (unsigned i = 0; i < check_count(); i++)
        assert_true(strlen(page(check_at(i)->name)) > 200);
    for (unsigned i = 0; i < explain_topic_count(); i++)
        assert_true(strlen(page(explain_topic_name(i))) > 400);
    for (unsigned i = 0; i < SEMA_CODE_COUNT; i++) {
        assert_true(strlen(page(sema_code_at(i)->code)) > 150);
        assert_string_equal(page(sema_code_at(i)->code), page(sema_code_at(i)->name));
    }
}

/* Words and built-in functions, as the editor lists them. */
static void test_words(void **state)
{
    (void)state;
    for (int list = VOCABULARY_SETTING; list <= VOCABULARY_SPECIAL; list++) {
        const char *example, *word;
        for (unsigned i = 0; (word = sema_word((Vocabulary)list, i, &example)); i++)
            assert_true(strlen(page(word)) > 60);
    }
    for (unsigned i = 0; sema_primitive(i); i++)
        assert_true(strlen(page(sema_primitive(i))) > 100);
    has("epochs", "epochs (setting of a `train` block)");
    has("repeat", "repeat(6, block)");
}

/* A whole model, that the checker has nothing against. */
static void test_layer_examples(void **state)
{
    (void)state;
    for (unsigned i = 0; i < layer_count(); i++) {
        if (!layer_at(i)->example)
            fail_msg("the layer %s has no example", layer_at(i)->name);
        assert_non_null(strstr(layer_at(i)->example, layer_at(i)->name));
        assert_clean(layer_at(i)->example);
    }
}

/* The wrong text earns the code and nothing else, the right one no error. Without an example: what no short text shows,
 * or what needs files. */
static void test_error_examples(void **state)
{
    (void)state;
    static const char *const none[] = {"ACT1212", "ACT1218"};
    for (unsigned i = 0; i < SEMA_CODE_COUNT; i++) {
        const char *code = sema_code_at(i)->code;
        const ErrorExample *example = explain_error_example(str_of(code));
        bool exempt = false;
        for (size_t k = 0; k < sizeof none / sizeof none[0]; k++)
            exempt = exempt || strcmp(code, none[k]) == 0;
        if (!example && !exempt)
            fail_msg("the hard error %s has no example", code);
        if (!example)
            continue;
        Checked c = check_text(example->wrong);
        for (uint32_t k = 0; k < c.diags->list.n; k++)
            if (c.diags->list.at[k]->level == LEVEL_ERROR && strcmp(c.diags->list.at[k]->code, code) != 0)
                fail_msg("%s says\n%s", code, checked_lines(&c, LEVEL_NOTE));
        if (!checked_find(&c, code))
            fail_msg("%s says\n%s", code, checked_lines(&c, LEVEL_NOTE));
        arena_free(c.arena);
        if (!example->right)
            continue;
        c = check_text(example->right);
        if (diag_count(c.diags, LEVEL_ERROR))
            fail_msg("%s, put right, says\n%s", code, checked_lines(&c, LEVEL_NOTE));
        arena_free(c.arena);
    }
}

/* ── every page there is ── */
static const char *all[1024];
static unsigned n_all;

static void collect_all(void)
{
    n_all = 0;
    for (uint32_t i = 0; i < library.program->defs.n; i++)
        all[n_all++] = str_c(library.arena, library.program->defs.at[i].name);
    for (unsigned i = 0; i < layer_count(); i++)
        all[n_all++] = layer_at(i)->name;
    for (unsigned i = 0; i < check_count(); i++)
        all[n_all++] = check_at(i)->code;
    for (unsigned i = 0; i < SEMA_CODE_COUNT; i++)
        all[n_all++] = sema_code_at(i)->code;
    for (unsigned i = 0; i < explain_topic_count(); i++)
        all[n_all++] = explain_topic_name(i);
}

static bool is_parameter(const char *word)
{
    for (unsigned i = 0; i < layer_count(); i++)
        for (uint32_t k = 0; k < layer_at(i)->n_param; k++)
            if (strcmp(layer_at(i)->param[k].name, word) == 0)
                return true;
    for (uint32_t i = 0; i < library.program->defs.n; i++) {
        const Ast *ast = library.program->defs.at[i].ast;
        for (uint32_t k = 0; ast && k < ast->n_kid; k++)
            for (uint32_t m = 0; ast->kid[k] && ast->kid[k]->kind == AST_PARAMETERS && m < ast->kid[k]->n_kid; m++)
                if (str_is(ast->kid[k]->kid[m]->text, word))
                    return true;
    }
    return false;
}

/* Words of the language, of the command line and of other systems that stand in backticks and have no page. */
static bool is_word(const char *word)
{
    static const char *const words[] = {"auto",
                                        "train",
                                        "data",
                                        "target",
                                        "input",
                                        "output",
                                        "loss",
                                        "metric",
                                        "share",
                                        "ignore",
                                        "reduction",
                                        "weight",
                                        "bias",
                                        "axis",
                                        "epochs",
                                        "batch",
                                        "seed",
                                        "import",
                                        "schedule",
                                        "state",
                                        "binary",
                                        "delta",
                                        "warmup",
                                        "params",
                                        "model",
                                        "block",
                                        "repeat",
                                        "true",
                                        "false",
                                        "actc",
                                        "report",
                                        "init",
                                        "label",
                                        "optimizer",
                                        "class",
                                        "validation",
                                        "test",
                                        "fan_in",
                                        "fan_out",
                                        "gain",
                                        "lr",
                                        "momentum",
                                        "every",
                                        "factor",
                                        "monitor",
                                        "p",
                                        "k",
                                        "x",
                                        "y",
                                        "z",
                                        "decay",
                                        "decay_on",
                                        "part",
                                        "param",
                                        "as",
                                        "in",
                                        "clip",
                                        "accumulate",
                                        "normalize",
                                        "one",
                                        "final",
                                        "slope",
                                        "alpha",
                                        "to",
                                        "label_smoothing",
                                        "weight_decay",
                                        "eps",
                                        "h",
                                        "classes",
                                        "idx",
                                        "csv",
                                        "npy"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static void mentioned(const char *on, const char *word)
{
    Text out = {.arena = library.arena};
    Str why;
    for (unsigned i = 0; i < n_known; i++)
        if (strcmp(known[i].name, word) == 0)
            return;
    if (!check_explain(library.program, str_of(word), &out, &why))
        fail_msg("the page of %s mentions `%s`, which has none", on, word);
}

/* A name in backticks has a page, or is a word that needs none. Messages of the checker, which are indented, are about
 * their example. */
static void test_names_resolve(void **state)
{
    (void)state;
    collect_all();
    for (unsigned i = 0; i < n_all; i++) {
        const char *text = page(all[i]);
        for (const char *line = text; *line; line = *line ? line + 1 : line) {
            const char *end = strchr(line, '\n');
            end = end ? end : line + strlen(line);
            bool indented = strncmp(line, "    ", 4) == 0;
            for (const char *at = line; !indented && at < end; at++) {
                char word[64];
                unsigned n = 0;
                if (*at != '`')
                    continue;
                const char *q = at + 1;
                for (; q < end && *q != '`'; q++)
                    if (n + 1 < sizeof word)
                        word[n++] = *q;
                word[n] = 0;
                at = q;
                if (n == 0 || strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != n)
                    continue;
                if (!is_word(word) && !is_parameter(word))
                    mentioned(all[i], word);
            }
            line = end;
        }
    }
}

/* Without Unicode not a byte of it; in a narrow terminal no paragraph or plot is wider. */
static void test_terminals(void **state)
{
    (void)state;
    collect_all();
    for (unsigned i = 0; i < n_all; i++) {
        Text out = {.arena = library.arena};
        Str why;
        assert_true(explain_page(library.program, str_of(all[i]), &(ExplainStyle){.columns = 60}, &out, &why));
        uint32_t column = 0, indent = 0;
        bool plain = true;
        for (uint32_t k = 0; k < out.n; k++) {
            if ((unsigned char)out.p[k] >= 0x80)
                fail_msg("the page of %s has a letter beyond ASCII", all[i]);
            if (out.p[k] == '\n') {
                if (plain && column > 60)
                    fail_msg("the page of %s has a line of %u columns", all[i], column);
                column = indent = 0;
                plain = true;
                continue;
            }
            if (out.p[k] == ' ' && column == indent)
                indent++;
            plain = indent == 0;
            column++;
        }
    }
}

/* Values that are not finite, poles and jumps: the plot has gaps, says where, and ends. */
static void test_plots(void **state)
{
    (void)state;
    Checked c = check_text("activation root(x) = sqrt(x)\nactivation pole(x) = 1 / x\n"
                           "activation steps(x) = floor(x)\nactivation tower(x) = exp(exp(exp(x)))\n"
                           "activation none(x) = log(-1 - x^2)\nactivation fast(x) = sin(1000 * x)\n");
    static const char *const expected[][2] = {{"root", "Not a number from -5 to 0\n"},       {"pole", "4.85"},
                                              {"steps", "Its slope is 0 almost everywhere"}, {"tower", "not finite"},
                                              {"none", "Not a number from -5 to 5\n"},       {"fast", "30"}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        Text out = {.arena = c.arena};
        Str why;
        assert_true(check_explain(c.program, str_of(expected[i][0]), &out, &why));
        if (i + 1 < sizeof expected / sizeof expected[0] && !strstr(text_str(&out).p, expected[i][1]))
            fail_msg("%s", text_str(&out).p);
    }
    arena_free(c.arena);
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
            assert_true(column <= 100 || indent >= 4);
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
        cmocka_unit_test(test_moments),        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_own_activation), cmocka_unit_test(test_other_pages),
        cmocka_unit_test(test_all_pages),      cmocka_unit_test(test_width),
        cmocka_unit_test(test_unknown),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_plain_names),    cmocka_unit_test(test_said),
        cmocka_unit_test(test_words),          cmocka_unit_test(test_layer_examples),
        cmocka_unit_test(test_error_examples), cmocka_unit_test(test_names_resolve),
        cmocka_unit_test(test_terminals),      cmocka_unit_test(test_plots),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
