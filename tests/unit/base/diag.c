#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/diag.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;
static Sources sources;
static Diags diags;
static Source *file;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    sources = (Sources){.arena = arena};
    diags = (Diags){.arena = arena, .sources = &sources};
    file = source_add(&sources, STR("mnist.act"),
                      STR("model m {\n"
                          "    dense 10 softmax\n"
                          "\tx = \xc3\xa9 + b(c, d)\n"
                          "\n"
                          "    y\n"
                          "\n"
                          "    loss cross_entropy\n"
                          "}\n"),
                      false);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* The span of the n-th (from 0) occurrence of `what`. */
static Span at(const char *what)
{
    const char *found = strstr(file->text.p, what);
    assert_non_null(found);
    uint32_t begin_at = (uint32_t)(found - file->text.p);
    return (Span){file->id, begin_at, begin_at + (uint32_t)strlen(what)};
}

static void renders(const Diag *diag, DiagStyle style, const char *expected)
{
    Str text = diag_render(arena, diag, &style);
    assert_string_equal(text.p, expected);
}

static void human_form_points_at_what_it_means(void **state)
{
    (void)state;
    Diag *d = diag_new(&diags, LEVEL_DENY, "ACT201", "double_softmax", at("softmax"),
                       "softmax output feeds a loss that applies softmax itself");
    diag_primary(d, "produces probabilities");
    diag_label(d, at("cross_entropy"), "expects logits and normalises them again");
    diag_note(d, "with %d classes the loss cannot fall below %.4f", 10, 1.4612);
    diag_note(d, "two\nlines");
    diag_help(d, "remove the activation; `predict` still reports probabilities");
    Span fix = at(" softmax");
    diag_fix(d, FIX_SAFE, fix, "%s", "");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "error[ACT201]: softmax output feeds a loss that applies softmax itself\n"
            " --> mnist.act:2:14\n"
            "  |\n"
            "2 |     dense 10 softmax\n"
            "  |              ^^^^^^^ produces probabilities\n"
            "...\n"
            "7 |     loss cross_entropy\n"
            "  |          ------------- expects logits and normalises them again\n"
            "  |\n"
            "  = note: with 10 classes the loss cannot fall below 1.4612\n"
            "  = note: two\n"
            "          lines\n"
            "help: remove the activation; `predict` still reports probabilities\n"
            "  |\n"
            "2 -     dense 10 softmax\n"
            "2 +     dense 10\n");
    renders(d, (DiagStyle){.format = DIAG_SHORT},
            "mnist.act:2:14: error[ACT201]: softmax output feeds a loss that applies softmax itself\n");
}

static void several_labels_share_a_line(void **state)
{
    (void)state;
    Diag *d = diag_new(&diags, LEVEL_WARN, "ACT304", "vanishing_gradient", at("\xc3\xa9"), "gradient vanishes");
    diag_primary(d, "here");
    diag_label(d, at("c,"), "first");
    diag_label(d, at("d)"), "second");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "warning[ACT304]: gradient vanishes\n"
            " --> mnist.act:3:6\n"
            "  |\n"
            "3 |     x = \xc3\xa9 + b(c, d)\n"
            "  |         ^     -- -- second\n"
            "  |         |     |\n"
            "  |         |     first\n"
            "  |         here\n");
}

static void spans_over_lines_show_their_ends(void **state)
{
    (void)state;
    Span whole = {file->id, at("model").begin, at("}").end};
    Diag *d = diag_new(&diags, LEVEL_NOTE, "ACT108", "x", whole, "long");
    diag_primary(d, "all of it");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "note[ACT108]: long\n"
            " --> mnist.act:1:1\n"
            "  |\n"
            "1 | model m {\n"
            "  | ^^^^^^^^^\n"
            "...\n"
            "8 | }\n"
            "  | ^ all of it\n");
    Span two = {file->id, at("b(c").begin, at("    y").end};
    d = diag_new(&diags, LEVEL_NOTE, "ACT108", "x", two, "short");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "note[ACT108]: short\n"
            " --> mnist.act:3:10\n"
            "  |\n"
            "3 |     x = \xc3\xa9 + b(c, d)\n"
            "  |             ^^^^^^^\n"
            "4 |\n"
            "5 |     y\n"
            "  |     ^\n");
}

static void other_files_and_no_file(void **state)
{
    (void)state;
    Source *other = source_add(&sources, STR("other.act"), STR("block b\n"), false);
    Diag *d = diag_new(&diags, LEVEL_ERROR, "ACT1205", "duplicate_name", at("y"), "`y` is defined twice");
    diag_label(d, (Span){other->id, 6, 7}, "first here");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "error[ACT1205]: `y` is defined twice\n"
            " --> mnist.act:5:5\n"
            "  |\n"
            "5 |     y\n"
            "  |     ^\n"
            " ::: other.act:1:7\n"
            "  |\n"
            "1 | block b\n"
            "  |       - first here\n");
    d = diag_new(&diags, LEVEL_ERROR, "ACT0001", "no_cc", (Span){0, 0, 0}, "there is no `cc`");
    diag_help(d, "install one");
    renders(d, (DiagStyle){.format = DIAG_HUMAN}, "error[ACT0001]: there is no `cc`\nhelp: install one\n");
    renders(d, (DiagStyle){.format = DIAG_SHORT}, "error[ACT0001]: there is no `cc`\n");
}

static void fixes_of_several_lines(void **state)
{
    (void)state;
    Diag *d = diag_new(&diags, LEVEL_WARN, "ACT102", "missing_flatten", at("y"), "m");
    diag_help(d, "first help");
    diag_help(d, "second help");
    Span y = at("    y"), loss = at("loss");
    diag_fix(d, FIX_UNSAFE, (Span){file->id, loss.begin, loss.end}, "metric");
    diag_fix(d, FIX_UNSAFE, (Span){file->id, y.begin, y.begin}, "    x |> flatten\n    z\n");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "warning[ACT102]: m\n"
            " --> mnist.act:5:5\n"
            "  |\n"
            "5 |     y\n"
            "  |     ^\n"
            "help: first help\n"
            "  |\n"
            "5 +     x |> flatten\n"
            "6 +     z\n"
            "...\n"
            "7 -     loss cross_entropy\n"
            "7 +     metric cross_entropy\n"
            "help: second help\n");
}

static void narrow_terminals_see_the_mark(void **state)
{
    (void)state;
    Text text = {.arena = arena};
    for (int i = 0; i < 30; i++)
        text_add(&text, STR("abcdefghi "));
    Source *wide = source_add(&sources, STR("wide.act"), text_str(&text), false);
    for (uint32_t column = 0; column < 290; column += 10) {
        Diag *d = diag_new(&diags, LEVEL_WARN, "ACT1", "x", (Span){wide->id, column, column + 9}, "m");
        Str shown = diag_render(arena, d, &(DiagStyle){.format = DIAG_HUMAN, .columns = 60});
        Str row = {shown.p, 0};
        unsigned line = 0, caret = 0, word = 0;
        for (uint32_t i = 0, start = 0; i < shown.n; i++) {
            if (shown.p[i] != '\n')
                continue;
            row = (Str){shown.p + start, i - start};
            assert_true(row.n <= 60);
            const char *c = memchr(row.p, '^', row.n);
            if (line == 3)
                word = row.n;
            if (c)
                caret = (unsigned)(c - row.p);
            start = i + 1;
            line++;
        }
        assert_true(caret >= 4 && caret < word); /* under something that is shown */
        const char *source_row = strstr(shown.p, "\n1 |") + 1;
        assert_memory_equal(source_row + caret, "abcdefghi", 9);
    }
}

static void dangerous_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    Source *evil = source_add(&sources, STR("evil.act"), STR("a\033[31m\xff\x7f z"), false);
    Diag *d = diag_new(&diags, LEVEL_ERROR, "ACT0003", "bad_character", (Span){evil->id, 9, 10}, "m");
    renders(d, (DiagStyle){.format = DIAG_HUMAN},
            "error[ACT0003]: m\n"
            " --> evil.act:1:10\n"
            "  |\n"
            "1 | a\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd z\n"
            "  |          ^\n");
    assert_null(strchr(diag_render(arena, d, &(DiagStyle){.format = DIAG_HUMAN}).p, '\033'));
    assert_non_null(strchr(diag_render(arena, d, &(DiagStyle){.format = DIAG_HUMAN, .colour = true}).p, '\033'));
}

static void json_is_what_tools_expect(void **state)
{
    (void)state;
    Diag *d = diag_new(&diags, LEVEL_WARN, "ACT1", "a_name", at("\xc3\xa9 + b"), "say \"x\" \\ \n\t\001 \xc3\xa9 \xff");
    diag_primary(d, "p");
    diag_label(d, at("y"), "l");
    diag_note(d, "n1");
    diag_note(d, "n2");
    diag_help(d, "h");
    diag_fix(d, FIX_UNSAFE, at("b(c, d)\n"), "t\"");
    Str text = diag_render(arena, d, &(DiagStyle){.format = DIAG_JSON, .colour = true});
    assert_ptr_equal(memchr(text.p, '\n', text.n), text.p + text.n - 1); /* one line */
    cJSON *root = cJSON_Parse(text.p);
    assert_non_null(root);
    assert_string_equal(cJSON_GetObjectItem(root, "code")->valuestring, "ACT1");
    assert_string_equal(cJSON_GetObjectItem(root, "name")->valuestring, "a_name");
    assert_string_equal(cJSON_GetObjectItem(root, "level")->valuestring, "warning");
    assert_string_equal(cJSON_GetObjectItem(root, "message")->valuestring,
                        "say \"x\" \\ \n\t\001 \xc3\xa9 \xef\xbf\xbd");
    assert_string_equal(cJSON_GetObjectItem(root, "help")->valuestring, "h");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "notes")), 2);
    cJSON *span = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "spans"), 0);
    static const char *const keys[] = {"line", "column", "end_line", "end_column"};
    static const int values[] = {3, 6, 3, 11}, edit_values[] = {3, 10, 4, 1};
    for (int i = 0; i < 4; i++)
        assert_int_equal(cJSON_GetObjectItem(span, keys[i])->valueint, values[i]);
    assert_string_equal(cJSON_GetObjectItem(span, "file")->valuestring, "mnist.act");
    assert_string_equal(cJSON_GetObjectItem(span, "label")->valuestring, "p");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(span, "primary")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(span->next, "primary")));
    cJSON *fix = cJSON_GetObjectItem(root, "fix"), *edit = cJSON_GetArrayItem(cJSON_GetObjectItem(fix, "edits"), 0);
    assert_string_equal(cJSON_GetObjectItem(fix, "applicability")->valuestring, "unsafe");
    for (int i = 0; i < 4; i++)
        assert_int_equal(cJSON_GetObjectItem(edit, keys[i])->valueint, edit_values[i]);
    assert_string_equal(cJSON_GetObjectItem(edit, "text")->valuestring, "t\"");
    cJSON_Delete(root);
    d = diag_new(&diags, LEVEL_ERROR, "ACT2", "b", (Span){0, 0, 0}, "m");
    assert_string_equal(diag_render(arena, d, &(DiagStyle){.format = DIAG_JSON}).p,
                        "{\"code\":\"ACT2\",\"name\":\"b\",\"level\":\"error\",\"message\":\"m\",\"spans\":[],"
                        "\"notes\":[],\"help\":\"\"}\n");
}

static void sorts_and_drops_doubles(void **state)
{
    (void)state;
    diag_new(&diags, LEVEL_WARN, "ACT3", "c", at("y"), "later");
    diag_new(&diags, LEVEL_WARN, "ACT2", "b", at("model"), "b");
    diag_new(&diags, LEVEL_WARN, "ACT1", "a", at("model"), "a");
    diag_new(&diags, LEVEL_ERROR, "ACT9", "z", (Span){0, 0, 0}, "nowhere");
    diag_new(&diags, LEVEL_WARN, "ACT2", "b", at("model"), "b");
    diag_new(&diags, LEVEL_WARN, "ACT2", "b", at("model"), "another text");
    diag_sort(&diags);
    assert_int_equal(diags.list.n, 5);
    static const char *const order[] = {"nowhere", "a", "b", "another text", "later"};
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(diags.list.at[i]->message.p, order[i]);
    assert_int_equal(diag_count(&diags, LEVEL_WARN), 5);
    assert_int_equal(diag_count(&diags, LEVEL_ERROR), 1);
}

static void prints_all_with_a_summary(void **state)
{
    (void)state;
    diag_new(&diags, LEVEL_ERROR, "ACT1", "a", at("model"), "one");
    diag_fix(diag_new(&diags, LEVEL_WARN, "ACT2", "b", at("y"), "two"), FIX_SAFE, at("y"), "z");
    diag_new(&diags, LEVEL_NOTE, "ACT3", "c", at("y"), "hidden");
    diag_new(&diags, LEVEL_ALLOW, "ACT4", "d", at("y"), "allowed");
    static const struct {
        DiagStyle style;
        const char *last, *absent;
    } rows[] = {
        {{.format = DIAG_HUMAN}, "\n\n1 error, 1 warning (1 fixable with `--fix`); `actc explain ACT1` says more\n",
         "hidden"},
        {{.format = DIAG_HUMAN, .notes = true},
         "\n\n1 error, 1 warning, 1 note (1 fixable with `--fix`); `actc explain ACT1` says more\n",
         "allowed"},
        {{.format = DIAG_HUMAN, .fixing = FIX_SAFE, .fixed = 3, .files = 2},
         "\n\n3 fixed in 2 files; left: 1 error, 1 warning; `actc explain ACT1` says more\n",
         "hidden"},
        {{.format = DIAG_HUMAN, .error_limit = 1},
         "]: one\n --> mnist.act:1:1\n  |\n1 | model m {\n  | ^^^^^\n\n1 more is not shown behind error 1 (--error-limit)\n"
         "1 error, 1 warning (1 fixable with `--fix`); `actc explain ACT1` says more\n",
         "two"},
        {{.format = DIAG_SHORT}, "mnist.act:5:5: warning[ACT2]: two\n", "hidden"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&text, &n);
        diag_print_all(&diags, &rows[i].style, out);
        fclose(out);
        assert_string_equal(text + n - strlen(rows[i].last), rows[i].last);
        assert_null(strstr(text, rows[i].absent));
        free(text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(human_form_points_at_what_it_means),
        TEST(several_labels_share_a_line),
        TEST(spans_over_lines_show_their_ends),
        TEST(other_files_and_no_file),
        TEST(fixes_of_several_lines),
        TEST(narrow_terminals_see_the_mark),
        TEST(dangerous_characters_do_not_reach_the_terminal),
        TEST(json_is_what_tools_expect),
        TEST(sorts_and_drops_doubles),
        TEST(prints_all_with_a_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
