/* The canonical form: what it changes, what it keeps, and that it says the same. */
#include "tree.h"

static void becomes(const char *text, const char *canonical)
{
    Parsed p;
    parsed_begin(&p, str_of(text));
    assert_string_equal(parsed_mistakes(&p).p, "");
    assert_string_equal(format_source(p.arena, p.source, p.root).p, canonical);
    parsed_end(&p);
}

static void spaces(void **state)
{
    (void)state;
    becomes("param   x=1+2*-3^-2/f( a ,k=b )", "param x = 1 + 2 * -3^-2 / f(a, k = b)\n");
    becomes("param x=if a<b then -c else d . e", "param x = if a < b then -c else d.e\n");
    becomes("param x=[1 ,2 .. 3]", "param x = [1, 2..3]\n");
    becomes("param x=a|>f(b)as c", "param x = a |> f(b) as c\n");
    becomes("param x = f(a,)", "param x = f(a)\n");
    becomes("param x = - a - - b", "param x = -a - -b\n");
    becomes("model m{input x:f32[2]in[0,1]=y;loss for a,b:c}",
            "model m {\n    input x : f32[2] in [0, 1] = y\n    loss  for a, b : c\n}\n");
    becomes("train m{start from\"a\";batch(3);stop early(p=3)[1]}",
            "train m {\n    start from \"a\"\n    batch (3)\n    stop  early(p = 3) [1]\n}\n");
    becomes("", "");
    becomes("\n\n# only\n\n\n", "# only\n");
    becomes("param x = 1\r\nparam y = 2\r\n", "param x = 1\nparam y = 2\n");
}

static void lines_and_blank_lines(void **state)
{
    (void)state;
    becomes("\n\nparam x = 1\n\n\n\nparam y = 2;param z = 3\n\n", "param x = 1\n\nparam y = 2\nparam z = 3\n");
    becomes("block b(x) { x }\nblock c(x) { a = x; a }", "block b(x) { x }\nblock c(x) {\n    a = x\n    a\n}\n");
    becomes("block b(x)\n{\n\nx\n\n}", "block b(x) {\n    x\n}\n");
    becomes("model m { block b(x) { x } }", "model m {\n    block b(x) { x }\n}\n");
    becomes("model m {}", "model m {}\n");
    becomes("param x = a |> f\n|> g\n    |> h", "param x = a |> f\n            |> g\n            |> h\n");
    becomes("param x = a\n|> g\n  |> h", "param x = a\n    |> g\n    |> h\n");
    becomes("param x = f(\na,\n g(b\n, c),\n)", "param x = f(\n    a,\n    g(b\n      , c),\n)\n");
    becomes("param x = f(a,\nb)", "param x = f(a,\n            b)\n");
    becomes("@allow(a, reason = \"r\") param x = 1", "@allow(a, reason = \"r\")\nparam x = 1\n");
}

static void comments_are_kept(void **state)
{
    (void)state;
    becomes("# a\n\n# b\nparam x = 1 # c   \n# d\n", "# a\n\n# b\nparam x = 1  # c\n# d\n");
    becomes("param x = 1 # a\nparam yy = 2 # b\n\nparam z = 3 # c",
            "param x = 1   # a\nparam yy = 2  # b\n\nparam z = 3  # c\n");
    becomes("model m # a\n# b\n{ # c\n# d\ny = 1 # e\n# f\n} # g",
            "model m {  # a\n    # b\n    # c\n    # d\n    y = 1  # e\n    # f\n}  # g\n");
    becomes("param x = f(a, # a\n# b\nb) # c", "param x = f(a,  # a\n            # b\n            b)  # c\n");
    becomes("param x = a # a\n# b\n|> g # c", "param x = a  # a\n    # b\n    |> g  # c\n");
    becomes("## doc\n@allow(a, reason = \"r\") # a\nparam x = 1",
            "## doc\n@allow(a, reason = \"r\")  # a\nparam x = 1\n");
}

static void words_line_up(void **state)
{
    (void)state;
    becomes("train m { a 1; bcd 2\n\nef 3; g; hij 4 }",
            "train m {\n    a   1\n    bcd 2\n\n    ef 3\n    g\n    hij 4\n}\n");
    becomes("model m { input x : f32[1]\ntarget yy : f32[1]\nz = x\nloss f(\nz)\nmetric g(z) }",
            "model m {\n    input  x : f32[1]\n    target yy : f32[1]\n    z = x\n"
            "    loss   f(\n        z)\n    metric g(z)\n}\n");
}

static const char *const files[] = {
    "tests/unit/syntax/language.act", "tests/unit/syntax/layout.act", "grammar/std/activations.act",
    "grammar/std/losses.act",         "grammar/std/initializers.act", "grammar/std/optimizers.act",
    "grammar/std/schedules.act",      "grammar/std/blocks.act",
};

static unsigned count_comments(Str text)
{
    unsigned n = 0;
    bool quoted = false;
    for (uint32_t i = 0; i < text.n; i++) {
        quoted = text.p[i] == '"' ? !quoted : quoted && text.p[i] != '\n';
        if (text.p[i] == '#' && !quoted) {
            n++;
            while (i < text.n && text.p[i] != '\n')
                i++;
        }
    }
    return n;
}

/* All of the language: canonical text means the same, is stable, loses no comment; so does the tree on one line. */
static void round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        Parsed p;
        parsed_begin(&p, STR(""));
        parsed_add(&p, project_file(p.arena, __FILE__, files[i]));
        assert_string_equal(parsed_mistakes(&p).p, "");
        const Ast *first = p.root;
        Str original = p.source->text, canonical = format_source(p.arena, p.source, p.root);
        assert_int_equal(count_comments(original), count_comments(canonical));
        parsed_add(&p, canonical);
        assert_string_equal(parsed_mistakes(&p).p, "");
        assert_true(ast_equal(first, p.root));
        assert_string_equal(format_source(p.arena, p.source, p.root).p, canonical.p);
        for (uint32_t k = 0; k < first->n_kid; k++) { /* documentation survives too */
            assert_true(str_eq(first->kid[k]->doc, p.root->kid[k]->doc));
            Str line = format_expr(p.arena, first->kid[k]);
            assert_null(memchr(line.p, '\n', line.n));
        }
        parsed_add(&p, format_expr(p.arena, first));
        assert_string_equal(parsed_mistakes(&p).p, "");
        assert_true(ast_equal(first, p.root));
        parsed_end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces),
        cmocka_unit_test(lines_and_blank_lines),
        cmocka_unit_test(comments_are_kept),
        cmocka_unit_test(words_line_up),
        cmocka_unit_test(round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
