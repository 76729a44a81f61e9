/* The tree that the parser builds: its form for every construct, its places, and what the printer makes of it. */
#include "tree.h"

static void builds(const char *text, const char *dump)
{
    Parsed p;
    parsed_begin(&p, str_of(text));
    assert_string_equal(parsed_mistakes(&p).p, "");
    Str found = ast_dump(p.arena, p.root);
    if (strcmp(found.p, dump) != 0)
        print_error("in:\n%s\n", text);
    assert_string_equal(found.p, dump);
    parsed_end(&p);
}

static void definitions(void **state)
{
    (void)state;
    builds("## Doc.\nimport \"a \\\"b\\\".act\"", "FILE\n  IMPORT \"a \\\"b\\\".act\"  ## \"Doc.\"\n");
    builds("param w = 1e-3", "FILE\n  PARAM w\n    NUMBER 1e-3\n");
    builds("activation f(x, a = 2) = x\nloss g = h",
           "FILE\n"
           "  FUNCTION activation f\n"
           "    PARAMETERS\n"
           "      PARAMETER x\n"
           "        -\n"
           "      PARAMETER a\n"
           "        NUMBER 2\n"
           "    NAME x\n"
           "  FUNCTION loss g\n"
           "    -\n"
           "    NAME h\n");
    builds("@allow(a, ACT201, reason = \"r\")\n@allow(b, reason = \"s\") block k() { 1, 2 }",
           "FILE\n"
           "  BLOCK k\n"
           "    ALLOW \"r\"\n"
           "      ALLOW \"s\"\n"
           "        NAME b\n"
           "      NAME a\n"
           "      NAME ACT201\n"
           "    PARAMETERS\n"
           "    RESULT\n"
           "      NUMBER 1\n"
           "      NUMBER 2\n");
    builds("optimizer o(w, g) { state m = 0; w = m }",
           "FILE\n"
           "  OPTIMIZER o\n"
           "    PARAMETERS\n"
           "      PARAMETER w\n"
           "        -\n"
           "      PARAMETER g\n"
           "        -\n"
           "    STATE m\n"
           "      NUMBER 0\n"
           "    ASSIGN\n"
           "      NAMES\n"
           "        NAME w\n"
           "      -\n"
           "      NAME m\n");
    builds("data d { train { x = 1 }; validation = split(0.1) }\ntrain m { checkpoint every 1; optimizer a for g, h }",
           "FILE\n"
           "  DATA d\n"
           "    PART train\n"
           "      ASSIGN\n"
           "        NAMES\n"
           "          NAME x\n"
           "        -\n"
           "        NUMBER 1\n"
           "    ASSIGN\n"
           "      NAMES\n"
           "        NAME validation\n"
           "      -\n"
           "      CALL\n"
           "        NAME split\n"
           "        ARG\n"
           "          NUMBER 0.1\n"
           "  TRAIN m\n"
           "    SETTING checkpoint\n"
           "      NAME every\n"
           "      NUMBER 1\n"
           "    SETTING optimizer\n"
           "      NAME a\n"
           "      FOR\n"
           "        NAME g\n"
           "        NAME h\n");
}

static void statements_of_models(void **state)
{
    (void)state;
    builds("model m {\n"
           "  input x : token(9)[2] in [0, 1] = y\n"
           "  target t : binary\n"
           "  share s = a\n"
           "  loss for s : a\n"
           "  loss l = a\n"
           "  metric a\n"
           "  output o = a\n"
           "  p, q : f32[3] = a when training\n"
           "}",
           "FILE\n"
           "  MODEL m\n"
           "    INPUT x\n"
           "      TYPE token\n"
           "        COUNT\n"
           "          NUMBER 9\n"
           "        SHAPE\n"
           "          NUMBER 2\n"
           "        RANGE\n"
           "          NUMBER 0\n"
           "          NUMBER 1\n"
           "      NAME y\n"
           "    TARGET t\n"
           "      TYPE binary\n"
           "        -\n"
           "        -\n"
           "        -\n"
           "    SHARE s\n"
           "      NAME a\n"
           "    LOSS\n"
           "      NAME a\n"
           "      NAMES\n"
           "        NAME s\n"
           "    LOSS l\n"
           "      NAME a\n"
           "      -\n"
           "    METRIC\n"
           "      NAME a\n"
           "    OUTPUT o\n"
           "      NAME a\n"
           "    ASSIGN training\n"
           "      NAMES\n"
           "        NAME p\n"
           "        NAME q\n"
           "      TYPE f32\n"
           "        -\n"
           "        SHAPE\n"
           "          NUMBER 3\n"
           "        -\n"
           "      NAME a\n");
}

/* The same expression with all its parentheses says how it groups. */
static void groups(const char *text, const char *grouped)
{
    Parsed p;
    parsed_begin(&p, STR(""));
    parsed_add(&p, str_printf(p.arena, "param x = %s", text));
    const Ast *first = p.root;
    parsed_add(&p, str_printf(p.arena, "param x = %s", grouped));
    assert_string_equal(parsed_mistakes(&p).p, "");
    if (!ast_equal(first, p.root))
        fail_msg("%s is not %s\n%s", text, grouped, ast_dump(p.arena, first).p);
    parsed_end(&p);
}

static void precedence(void **state)
{
    (void)state;
    groups("a + b * c", "a + (b * c)");
    groups("a - b - c", "(a - b) - c");
    groups("a / b * c", "(a / b) * c");
    groups("-x^2", "-(x^2)");
    groups("-a * b", "(-a) * b");
    groups("a * -b", "a * (-b)");
    groups("a - -b", "a - (-b)");
    groups("2^-x^2", "2^(-(x^2))");
    groups("a^b^c", "a^(b^c)");
    groups("a + b < c * d", "(a + b) < (c * d)");
    groups("if a < b then c else d + e", "if (a < b) then c else (d + e)");
    groups("if a then b else if c then d else e", "if a then b else (if c then d else e)");
    groups("if a then b else c |> f", "(if a then b else c) |> f");
    groups("a / b |> f |> g", "((a / b) |> f) |> g");
    groups("a + b |> f", "(a + b) |> f");
    groups("1 + a..b - 1", "(1 + a)..(b - 1)");
    groups("a.b(c).d^2", "((a.b)(c).d)^2");
    groups("a |> f(b) as n |> g", "(a |> f(b) as n) |> g");
    groups("f(x) as n + 1", "(f(x) as n) + 1");
}

static void spans_cover_what_was_written(void **state)
{
    (void)state;
    Parsed p;
    parsed_begin(&p, STR("model net {\n  y : f32[2] = a |> linear(8) as fc\n}\n"));
    const Ast *model = p.root->kid[0], *assign = model->kid[0], *pipe = assign->kid[2], *label = pipe->kid[1];
    assert_true(str_is(source_slice(&p.sources, model->name_span), "net"));
    assert_true(str_is(source_slice(&p.sources, model->span), "model net {\n  y : f32[2] = a |> linear(8) as fc\n}"));
    assert_true(str_is(source_slice(&p.sources, assign->span), "y : f32[2] = a |> linear(8) as fc"));
    assert_true(str_is(source_slice(&p.sources, assign->kid[1]->span), "f32[2]"));
    assert_true(str_is(source_slice(&p.sources, pipe->span), "a |> linear(8) as fc"));
    assert_true(str_is(source_slice(&p.sources, label->span), "linear(8) as fc"));
    assert_true(str_is(source_slice(&p.sources, label->name_span), "fc"));
    assert_int_equal(p.root->span.end, p.source->text.n);
    parsed_end(&p);
}

static void equality_sees_what_matters(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"param x = 1", "## doc\nparam  x=(1)  # c", true},
        {"param x = 1", "param x = 1.0", false},
        {"param x = 1", "param y = 1", false},
        {"loss f(x) = x", "activation f(x) = x", false},
        {"param x = f(a)", "param x = f(a, b)", false},
        {"param x = f(a)", "param x = f(k = a)", false},
        {"param x = \"1\"", "param x = 1", false},
        {"@allow(a, reason = \"r\") param x = 1", "param x = 1", false},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        Parsed p;
        parsed_begin(&p, str_of(rows[i].a));
        const Ast *a = p.root;
        parsed_add(&p, str_of(rows[i].b));
        assert_int_equal(ast_equal(a, p.root), rows[i].equal);
        parsed_end(&p);
    }
    assert_true(ast_equal(NULL, NULL));
    assert_string_equal(ast_kind_name(AST_PIPE), "PIPE");
}

/* Trees made by the compiler have no GROUPs: the printer puts parentheses where the meaning needs them. */
static Ast *made(Arena *arena, AstKind kind, const char *text, Ast *a, Ast *b)
{
    Ast *node = arena_new_of(arena, Ast);
    node->kind = kind;
    node->text = str_of(text);
    node->kid = arena_array(arena, Ast *, 2);
    node->kid[0] = a;
    node->kid[1] = b;
    node->n_kid = (a != NULL) + (b != NULL);
    return node;
}

static void the_printer_adds_needed_parentheses(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Ast *x = made(arena, AST_NAME, "x", NULL, NULL), *number = made(arena, AST_NUMBER, "", NULL, NULL);
    number->number = 0.5;
    Ast *sum = made(arena, AST_BINARY, "+", x, number), *minus = made(arena, AST_UNARY, "-", sum, NULL);
    assert_string_equal(format_expr(arena, made(arena, AST_BINARY, "*", sum, x)).p, "(x + 0.5) * x");
    assert_string_equal(format_expr(arena, made(arena, AST_BINARY, "-", x, sum)).p, "x - (x + 0.5)");
    assert_string_equal(format_expr(arena, made(arena, AST_BINARY, "-", sum, x)).p, "x + 0.5 - x");
    assert_string_equal(format_expr(arena, made(arena, AST_BINARY, "^", minus, minus)).p, "(-(x + 0.5))^-(x + 0.5)");
    assert_string_equal(format_expr(arena, made(arena, AST_PIPE, "", sum, x)).p, "x + 0.5 |> x");
    Ast *pipe = made(arena, AST_PIPE, "", x, x);
    assert_string_equal(format_expr(arena, made(arena, AST_BINARY, "+", pipe, x)).p, "(x |> x) + x");
    assert_string_equal(format_expr(arena, made(arena, AST_FIELD, "shape", sum, NULL)).p, "(x + 0.5).shape");
    Ast *text = made(arena, AST_STRING, "a\"b\\\n\t", NULL, NULL);
    assert_string_equal(format_expr(arena, text).p, "\"a\\\"b\\\\\\n\\t\"");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions),
        cmocka_unit_test(statements_of_models),
        cmocka_unit_test(precedence),
        cmocka_unit_test(spans_cover_what_was_written),
        cmocka_unit_test(equality_sees_what_matters),
        cmocka_unit_test(the_printer_adds_needed_parentheses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
