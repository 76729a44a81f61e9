/* What is wrong, and where: one message for one mistake, and the neighbours of a broken statement are read. */
#include "tree.h"

typedef struct Row {
    const char *text, *mistakes;
} Row;

static void check_rows(const Row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Parsed p;
        parsed_begin(&p, str_of(rows[i].text));
        Str found = parsed_mistakes(&p);
        if (strcmp(found.p, rows[i].mistakes) != 0)
            print_error("in:\n%s\n", rows[i].text);
        assert_string_equal(found.p, rows[i].mistakes);
        parsed_end(&p);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof *rows)

static void definitions(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"modle m { }", "1:1: ACT0002: `modle` begins no definition\n"},
        {"def f(x) { }", "1:1: ACT0002: `def` begins no definition\n"},
        {"zzz yyy", "1:1: ACT0002: `zzz` begins no definition\n"},
        {"3", "1:1: ACT0007: a value does not belong at the top level of a file\n"},
        {"x = 3", "1:1: ACT0007: a named value does not belong at the top level of a file\n"},
        {"param x", "1:8: ACT0002: expected `=`, found the end of the file\n"},
        {"param 3 = 3", "1:7: ACT0002: expected a name, found `3`\n"},
        {"param = 3", "1:1: ACT0007: a named value does not belong at the top level of a file\n"},
        {"model { }", "1:7: ACT0002: expected a name, found `{`\n"},
        {"model m", "1:8: ACT0002: expected `{`, found the end of the file\n"},
        {"block b { x }", "1:9: ACT0002: expected `(`, found `{`\n"},
        {"block b(3) { x }", "1:9: ACT0002: expected a name or `)`, found `3`\n"},
        {"block b(x y) { x }", "1:11: ACT0002: expected `=`, `,` or `)`, found `y`\n"},
        {"block b(x) { }", "1:7: ACT0007: the block `b` has no value\n"},
        {"block b(x) { y = x }", "1:7: ACT0007: the block `b` has no value\n"},
        {"block b(x) { x; x }", "1:14: ACT0007: only the last line of a block is its value\n"},
        {"activation f x = x", "1:14: ACT0002: expected `=` or `(`, found `x`\n"},
        {"activation f(x) { x }", "1:17: ACT0002: expected `=`, found `{`\n"},
        {"import blocks", "1:8: ACT0002: expected a text in quotes, found `blocks`\n"},
        {"import \"a\" as b", "1:12: ACT0002: expected the end of the line, found `as`\n"},
        {"optimizer o(w, g) { input x : f32[1] }", "1:21: ACT0007: `input` does not belong in an optimizer\n"},
        {"model m { param x = 1 }", "1:11: ACT0007: `param` does not belong in a model\n"},
        {"model m { state x = 1 }", "1:11: ACT0007: `state` does not belong in a model\n"},
        {"input x : f32[3]", "1:1: ACT0007: `input` does not belong at the top level of a file\n"},
    };
    CHECK(rows);
}

static void statements(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"model m { imput x : f32[3] }", "1:11: ACT0002: `imput` begins no statement\n"},
        {"block b(x) { return x }", "1:14: ACT0002: `return` begins no statement\n"},
        {"model m { input x f32[3] }", "1:19: ACT0002: expected `:`, found `f32`\n"},
        {"model m { input x : [3] }", "1:21: ACT0002: expected a name, found `[`\n"},
        {"model m { input x : f32[] }", "1:25: ACT0002: expected a value, found `]`\n"},
        {"model m { input x : f32[1] in 0, 1 }", "1:31: ACT0002: expected `[`, found `0`\n"},
        {"model m { input x : f32[1] in [0] }", "1:33: ACT0002: expected `,`, found `]`\n"},
        {"model m { loss }", "1:11: ACT0002: nothing stands behind `loss`\n"},
        {"model m { loss for g mse(x) }", "1:22: ACT0002: expected `:` or `,`, found `mse`\n"},
        {"model m { share = 3\n share x }", "2:10: ACT0002: expected `=`, found `}`\n"},
        {"model m { x : f32[3] }", "1:22: ACT0002: expected `=`, found `}`\n"},
        {"model m { x |> relu }", "1:11: ACT0007: this value is computed and not used\n"},
        {"model m { a = b\n - c }", "2:2: ACT0007: this value is computed and not used\n"},
        {"model m { a = b when testing }", "1:22: ACT0002: expected `training` after `when`, found `testing`\n"},
        {"train m { batch = 3 }", "1:11: ACT0007: a named value does not belong in a train definition\n"},
        {"train m { batch: 3 }", "1:16: ACT0002: expected a value or the end of the line, found `:`\n"},
        {"train m { 3 }", "1:11: ACT0007: a value does not belong in a train definition\n"},
        {"data d { train x = 1 }", "1:18: ACT0002: expected `,` or the end of the line, found `=`\n"},
        {"@allow(a) model m { }", "1:1: ACT0002: `@allow` gives no reason\n"},
        {"@allow(reason = \"r\") model m { }", "1:1: ACT0002: `@allow` names no rule\n"},
        {"@allow(\"a\", reason = \"r\") model m { }",
         "1:8: ACT0002: `@allow` takes names of rules and a reason in quotes\n"},
        {"model m { @allow(a, reason = \"r\") }", "1:35: ACT0002: expected a statement, found `}`\n"},
        {"@deny(a) model m { }", "1:1: ACT0003: `@deny` means nothing here\n"},
    };
    CHECK(rows);
}

static void expressions(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"param x = ", "1:10: ACT0002: expected a value, found the end of the file\n"},
        {"param x = 1 +", "1:14: ACT0002: expected a value, found the end of the file\n"},
        {"param x = 1 + * 2", "1:15: ACT0002: expected a value, found `*`\n"},
        {"param x = a b", "1:13: ACT0002: expected the end of the line, found `b`\n"},
        {"param x = f(a b)", "1:15: ACT0002: expected `,` or `)`, found `b`\n"},
        {"param x = f(, a)", "1:13: ACT0002: expected a value or `)`, found `,`\n"},
        {"param x = f(a,, b)", "1:15: ACT0002: expected a value or `)`, found `,`\n"},
        {"param x = [1 2]", "1:14: ACT0002: expected `,` or `]`, found `2`\n"},
        {"param x = ()", "1:12: ACT0002: expected a value, found `)`\n"},
        {"param x = a |> 3", "1:16: ACT0002: expected a layer, found `3`\n"},
        {"param x = a |>", "1:15: ACT0002: expected a layer, found the end of the file\n"},
        {"param x = 1 < 2 < 3", "1:17: ACT0002: comparisons do not chain\n"},
        {"param x = if a = b then c else d", "1:16: ACT0002: expected `then`, found `=`\n"},
        {"param x = if a then b", "1:22: ACT0002: expected `else`, found the end of the file\n"},
        {"param x = if a else b", "1:16: ACT0002: expected `then`, found `else`\n"},
        {"param x = then", "1:11: ACT0002: expected a value, found `then`\n"},
        {"param x = a = b", "1:13: ACT0002: expected the end of the line, found `=`\n"},
        {"param x = a and b", "1:13: ACT0002: expected the end of the line, found `and`\n"},
        {"param x = a.3", "1:12: ACT0008: `.3` is neither a number nor a field\n"},
        {"train m { batch.5 }", "1:16: ACT0008: `.5` is neither a number nor a field\n"},
        {"param x = 1.2.3", "1:14: ACT0008: `.3` is neither a number nor a field\n"},
        {"param x = 1..2..3", "1:15: ACT0002: expected the end of the line, found `..`\n"},
        {"param x = f(x) as 3", "1:19: ACT0002: expected a name, found `3`\n"},
        {"param x = \"a\"(b)", "1:14: ACT0002: expected the end of the line, found `(`\n"},
    };
    CHECK(rows);
}

static void characters(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"param x = $", "1:11: ACT0003: `$` means nothing here\n"},
        {"param x = \xc3\xa9\xc3\xa8\xc3\xa9", "1:11: ACT0003: `\xc3\xa9` (U+00E9) cannot stand here\n"},
        {"param x = 1 \xe2\x88\x92 2", "1:13: ACT0003: `\xe2\x88\x92` (U+2212) only looks like `-`\n"},
        {"param\xc2\xa0x = 1", "1:6: ACT0003: `\xc2\xa0` (U+00A0) only looks like ` `\n"},
        {"param x = \x01 3", "1:11: ACT0003: the control character 0x01 means nothing here\n"},
        {"param x = a ** 2", "1:13: ACT0003: `**` is no operator\n"},
        {"param x = a -> b", "1:13: ACT0003: `->` is no operator\n"},
        {"param x = a && b", "1:13: ACT0003: `&&` means nothing here\n"},
        {"param x = 'a'", "1:11: ACT0003: a text stands in double quotes\n"},
        {"param x = \"\\q\"", "1:12: ACT0003: this escape means nothing\n"},
        {"param x = 1 // c", "1:13: ACT0003: `//` starts no comment\n"},
        {"param x = .5", "1:11: ACT0008: `.5` is no number\n"},
        {"param x = 5. + 1", "1:11: ACT0008: `5.` is no number\n"},
        {"param x = 1_000", "1:11: ACT0008: `1_000` is neither a number nor a name\n"},
        {"param x = 3x", "1:11: ACT0008: `3x` is neither a number nor a name\n"},
        {"param x = 1e999", "1:11: ACT0008: this number is too large\n"},
        {"param x = \"a", "1:11: ACT0004: this text has no closing quote\n"},
        {"param x = f(\"a)\nparam y = 1", "1:13: ACT0004: this text has no closing quote\n"},
        {"param x = f(\n\"a,\n3)\nparam y = 1", "2:1: ACT0004: this text has no closing quote\n"},
        {"# \xff\n\xfe param x = \"\xff\"", "1:3: ACT0003: the byte 0xFF is not UTF-8 text\n"},
    };
    CHECK(rows);
    Parsed p;
    parsed_begin(&p, STR("param x = 1\n\0\0 } } )"));
    assert_string_equal(parsed_mistakes(&p).p, "2:1: ACT0003: this is not a text file: it holds a zero byte\n");
    parsed_end(&p);
    char noise[4000];
    for (unsigned i = 0; i < sizeof noise; i++)
        noise[i] = (char)(0x80 + i * 7919 % 127);
    parsed_begin(&p, (Str){noise, sizeof noise});
    assert_int_equal(p.diags.list.n, 1);
    parsed_end(&p);
}

static void brackets(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"param x = f(a\nparam y = 1", "1:12: ACT0006: this `(` is never closed\n"},
        {"param x = f(a,\nparam y = 1", "1:12: ACT0006: this `(` is never closed\n"},
        {"param x = f(a\n  , b\nparam y = [",
         "1:12: ACT0006: this `(` is never closed\n3:11: ACT0006: this `[` is never closed\n"},
        {"param x = f(a\n  b)\nparam y = 1", "2:3: ACT0002: expected `,` or `)`, found `b`\n"},
        {"param x = f([a)", "1:13: ACT0006: this `[` is never closed\n"},
        {"param x = f(a]", "1:14: ACT0006: this `]` closes a `(`\n"},
        {"param x = f(a))", "1:15: ACT0006: this `)` closes nothing\n"},
        {"param x = 1 }", "1:13: ACT0006: this `}` closes nothing\n"},
        {"model m {\n  x = 1", "1:9: ACT0006: this `{` is never closed\n"},
        {"model m {\n  x = 1\n\ntrain m {\n  seed 1\n}", "1:9: ACT0006: this `{` is never closed\n"},
        {"data d {\n  train {\n    x = 1\n  test {\n    x = 1\n  }\n}", "2:9: ACT0006: this `{` is never closed\n"},
        {"model m\n  x = 1\n}", "1:8: ACT0006: expected `{`, found the end of the line\n"},
        {"block b(x {\n  x\n}", "1:8: ACT0006: this `(` is never closed\n"},
    };
    CHECK(rows);
}

static void ten_mistakes_give_ten_messages(void **state)
{
    (void)state;
    static const Row rows[] = {{"model m {\n"
                                "    input x f32[3]\n"
                                "    a = 1 +\n"
                                "    b = (1, 2\n"
                                "    c = 1 < 2 < 3\n"
                                "    d = if a then\n"
                                "    e = \"abc\n"
                                "    f = $\n"
                                "    x |> relu\n"
                                "    g = x |> 3\n"
                                "}\n"
                                "train m {\n"
                                "    batch = 3\n"
                                "}\n",
                                "2:13: ACT0002: expected `:`, found `f32`\n"
                                "3:12: ACT0002: expected a value, found the end of the line\n"
                                "4:9: ACT0006: this `(` is never closed\n"
                                "5:15: ACT0002: comparisons do not chain\n"
                                "6:18: ACT0002: expected a value, found the end of the line\n"
                                "7:9: ACT0004: this text has no closing quote\n"
                                "8:9: ACT0003: `$` means nothing here\n"
                                "9:5: ACT0007: this value is computed and not used\n"
                                "10:14: ACT0002: expected a layer, found `3`\n"
                                "13:5: ACT0007: a named value does not belong in a train definition\n"}};
    CHECK(rows);
}

/* Every way to break one statement leaves the one before and the one after in the tree. */
static void neighbours_are_read(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "x = ",        "x = 1 +",      "x = f(",         "x = f(a,",       "x = [1",        "x = \"abc",  "x = f(\"abc",
        "x = $",       "input y",      "loss",           "x = if a then",  "x = a |>",      "= 3",        "x = (1, 2]",
        "x = a b c",   "imput y : f32", "x = f(a))",     "block b { y }",  "model",         "|> relu",    "@allow(a",
        "x = 3x",      "x = 'a'",      "share",          "x, y",           "x : = 3",       ")",          "x = a.",
    };
    for (unsigned i = 0; i < sizeof broken / sizeof *broken; i++) {
        Parsed p;
        parsed_begin(&p, STR(""));
        parsed_add(&p, str_printf(p.arena, "model m {\n    before = 1\n    %s\n    after = 2\n}\nparam last = 3\n",
                                  broken[i]));
        Str dump = ast_dump(p.arena, p.root);
        bool joined = broken[i][0] == '|'; /* this line belongs to the one before */
        if (p.diags.list.n != 1 && !joined)
            print_error("%s\n" STR_FMT, broken[i], STR_ARG(parsed_mistakes(&p)));
        assert_true(p.diags.list.n == 1 || joined);
        if (!strstr(dump.p, "NAME before") || !strstr(dump.p, "NAME after") || !strstr(dump.p, "PARAM last"))
            fail_msg("%s\n%s", broken[i], dump.p);
        parsed_end(&p);
    }
}

static Str nest(Arena *arena, const char *open, const char *inside, const char *close, unsigned n)
{
    Text text = {.arena = arena};
    text_add(&text, STR("block b(x) {\n    y = "));
    for (unsigned i = 0; i < n; i++)
        text_add(&text, str_of(open));
    text_add(&text, str_of(inside));
    for (unsigned i = 0; i < n; i++)
        text_add(&text, str_of(close));
    text_add(&text, STR("\n    x\n}\n"));
    return text_str(&text);
}

static void deep_nesting_is_a_message(void **state)
{
    (void)state;
    static const struct {
        const char *open, *inside, *close;
        unsigned good, bad;
    } rows[] = {
        {"(", "x", ")", 190, 210},
        {"f([", "x", "])", 95, 110},
        {"-", "x", "", 190, 210},
        {"if a then b else ", "x", "", 190, 210},
        {"2^", "x", "", 190, 210},
        {"(", "x", "", 0, 300},
        {"f(", "x", ")", 100, 100000},
        {"- ", "x", "", 100, 100000},
        {"x |> ", "f", "", 1900, 2100},
        {"x + ", "y", "", 1900, 100000},
        {"x", "", ".a", 1, 1},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int deep = 0; deep < 2; deep++) {
            unsigned n = deep ? rows[i].bad : rows[i].good;
            Parsed p;
            parsed_begin(&p, STR(""));
            parsed_add(&p, nest(p.arena, rows[i].open, rows[i].inside, rows[i].close, n));
            unsigned expected = deep && rows[i].bad > 1;
            if (p.diags.list.n != expected)
                print_error("%s %u times:\n" STR_FMT, rows[i].open, n, STR_ARG(parsed_mistakes(&p)));
            assert_int_equal(p.diags.list.n, expected);
            if (expected && rows[i].close[0])
                assert_string_equal(p.diags.list.at[0]->code, "ACT0005");
            assert_non_null(strstr(ast_dump(p.arena, p.root).p, "RESULT")); /* the line behind it is read */
            parsed_end(&p);
        }
    }
    Parsed p; /* bodies in bodies */
    parsed_begin(&p, STR(""));
    Text text = {.arena = p.arena};
    for (int i = 0; i < 5000; i++)
        text_add(&text, STR("block b(x) { "));
    for (int i = 0; i < 5000; i++)
        text_add(&text, STR("x }"));
    text_add(&text, STR("\nparam last = 1\n"));
    parsed_add(&p, text_str(&text));
    assert_int_equal(p.diags.list.n, 1);
    assert_string_equal(p.diags.list.at[0]->code, "ACT0005");
    assert_non_null(strstr(ast_dump(p.arena, p.root).p, "PARAM last"));
    parsed_end(&p);
}

static void every_message_has_a_place_and_most_a_way_out(void **state)
{
    (void)state;
    static const char *const texts[] = {"model m {", "modle m { }", "param x = if a = b then c else d",
                                        "train m { batch = 3 }",
                                        "param x = 1 \xe2\x88\x92 2", "param x = .5", "x = 3", "param x = 'a'"};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        Parsed p;
        parsed_begin(&p, str_of(texts[i]));
        assert_int_equal(p.diags.list.n, 1);
        const Diag *d = p.diags.list.at[0];
        assert_int_equal(d->primary.span.source, p.source->id);
        assert_true(d->helps.n + d->labels.n > 0);
        if (d->fix == FIX_SAFE) { /* and what it says helps */
            const DiagEdit *edit = &d->edits.at[0];
            Str fixed = str_printf(p.arena, "%.*s" STR_FMT "%s", (int)edit->span.begin, texts[i], STR_ARG(edit->text),
                                   texts[i] + edit->span.end);
            Parsed q;
            parsed_begin(&q, fixed);
            assert_string_equal(parsed_mistakes(&q).p, "");
            parsed_end(&q);
        }
        parsed_end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions),
        cmocka_unit_test(statements),
        cmocka_unit_test(expressions),
        cmocka_unit_test(characters),
        cmocka_unit_test(brackets),
        cmocka_unit_test(ten_mistakes_give_ten_messages),
        cmocka_unit_test(neighbours_are_read),
        cmocka_unit_test(deep_nesting_is_a_message),
        cmocka_unit_test(every_message_has_a_place_and_most_a_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
