/* The scanner and the filter: what a text is as tokens. A TERM is shown as `;`, a JUXT as `~`, keywords in capitals. */
#include "tree.h"

#include "syntax/act_parse.h"
#include "syntax/token.h"

#include <ctype.h>

static const char *mark(int kind)
{
    switch (kind) {
    case TOK_TERM:
        return ";";
    case TOK_JUXT:
        return "~";
    case TOK_YYEOF:
        return "$";
    case TOK_ACT_YYerror:
        return "?";
    case TOK_BIND:
        return "bind:";
    case TOK_KEY:
        return "key:";
    case TOK_PART:
        return "part:";
    case TOK_DEFINE:
        return "define:";
    default:
        return "";
    }
}

static bool is_keyword(int kind)
{
    return (kind >= TOK_IMPORT && kind <= TOK_AS);
}

static Str token_line(Arena *arena, const char *text, Diags *diags, Sources *sources)
{
    const Source *source = source_add(sources, STR("t.act"), str_of(text), false);
    Docs docs = {0};
    Tokens raw = scan_source(arena, diags, source), tokens = filter_tokens(arena, diags, source, &raw, &docs);
    Text out = {.arena = arena};
    for (uint32_t i = 0; i < tokens.n; i++) {
        const Token *token = &tokens.at[i];
        text_printf(&out, "%s%s", i ? " " : "", mark(token->kind));
        if (token->made && !*mark(token->kind))
            text_printf(&out, "<%s>", token->kind == TOK_RBRACE ? "}" : token->kind == TOK_LBRACE ? "{" : ")");
        if (token->made || token->kind == TOK_ACT_YYerror)
            continue;
        Str word = token_text(source, token);
        for (uint32_t k = 0; k < word.n; k++)
            text_putc(&out, (char)(is_keyword(token->kind) ? toupper(word.p[k]) : word.p[k]));
    }
    return text_str(&out);
}

typedef struct Row {
    const char *text, *tokens;
} Row;

static void check_rows(const Row *rows, size_t n, bool clean)
{
    for (size_t i = 0; i < n; i++) {
        Arena *arena = arena_new();
        Sources sources = {.arena = arena};
        Diags diags = {.arena = arena, .sources = &sources};
        Str line = token_line(arena, rows[i].text, &diags, &sources);
        if (strcmp(line.p, rows[i].tokens) != 0)
            print_error("in: %s\n", rows[i].text);
        assert_string_equal(line.p, rows[i].tokens);
        assert_int_equal(diags.list.n == 0, clean);
        arena_free(arena);
    }
}

#define CHECK(rows, clean) check_rows(rows, sizeof rows / sizeof *rows, clean)

static void scans_every_kind(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"", "$"},
        {"param x = 1", "PARAM x = 1 ; $"},
        {"param x = 1e-3 + 12.5E+2 - 7", "PARAM x = 1e-3 + 12.5E+2 - 7 ; $"},
        {"param x = 1..4", "PARAM x = 1 .. 4 ; $"},
        {"param x = \"a\\\"b\" ^ a.b", "PARAM x = \"a\\\"b\" ^ a . b ; $"},
        {"param x = a<=b>=c==d!=e<f>g|>h", "PARAM x = a <= b >= c == d != e < f > g |> h ; $"},
        {"param x=[1,2]*(3/4)", "PARAM x = [ 1 , 2 ] * ( 3 / 4 ) ; $"},
        {"\xef\xbb\xbfparam x = 1\r\n", "PARAM x = 1 ; $"},
        {"# only a comment", "$"},
        {"## only a doc", "$"},
    };
    CHECK(rows, true);
}

static void newlines_end_statements_where_they_should(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"param x = 1\n\n\n# c\nparam y = 2", "PARAM x = 1 ; PARAM y = 2 ; $"},
        {"param x = 1;;param y = 2;", "PARAM x = 1 ; PARAM y = 2 ; $"},
        {"param x =\n1 +\n2 *\n# c\n3", "PARAM x = 1 + 2 * 3 ; $"},
        {"param x = a\n|> b\n  # c\n\n  |> c", "PARAM x = a |> b |> c ; $"},
        {"param x = a\n+ b\n* c\n/ d\n^ e\n< f", "PARAM x = a + b * c / d ^ e < f ; $"},
        {"param x = if a\nthen b\nelse\nc", "PARAM x = IF a THEN b ELSE c ; $"},
        {"param x = f(\na,\n\nb\n)", "PARAM x = f ( a , b ) ; $"},
        {"param x = f(a # c\n, b)", "PARAM x = f ( a , b ) ; $"},
        {"block b(x) {\na\n- b }", "BLOCK b ( x ) { a ; - b ; } ; $"}, /* not before a minus */
        {"block b(x)\n{ a, \n b }", "BLOCK b ( x ) { a , b ; } ; $"},
        {"block b(x) { a,\n b = c }", "BLOCK b ( x ) { bind:a , bind:b = c ; } ; $"},
        {"model m { } model n { }", "MODEL m { } ; MODEL n { } ; $"},
        {"@allow(a, reason = \"r\")\n\nparam x = 1", "@allow ( a , reason = \"r\" ) PARAM x = 1 ; $"},
        {"@allow(a, reason = \"r\") param x = 1", "@allow ( a , reason = \"r\" ) PARAM x = 1 ; $"},
    };
    CHECK(rows, true);
}

static void words_are_reserved_by_their_place(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"model m { input x : f32[3] in [0, 1] }", "MODEL m { INPUT x : f32 [ 3 ] IN [ 0 , 1 ] ; } ; $"},
        {"block b(input) { input = input |> input }", "BLOCK b ( input ) { bind:input = input |> input ; } ; $"},
        {"block b(x) { input |> relu }", "BLOCK b ( x ) { input |> relu ; } ; $"},
        {"block b(x) { loss, share }", "BLOCK b ( x ) { loss , share ; } ; $"},
        {"block b(x) { output }", "BLOCK b ( x ) { output ; } ; $"},
        {"model m { loss mean(loss) }", "MODEL m { LOSS mean ( loss ) ; } ; $"},
        {"model m { loss -x; loss (x); metric [x] }", "MODEL m { LOSS - x ; LOSS ( x ) ; METRIC [ x ] ; } ; $"},
        {"model m { loss for g, d : x }", "MODEL m { LOSS FOR g , d : x ; } ; $"},
        {"model m { loss fit = x }", "MODEL m { LOSS fit = x ; } ; $"},
        {"model m { x : f32[2] = y when training }", "MODEL m { bind:x : f32 [ 2 ] = y WHEN training ; } ; $"},
        {"model m { a, b = c as d; as = in }", "MODEL m { bind:a , bind:b = c AS d ; bind:as = in ; } ; $"},
        {"loss mse(p, t) = p", "define:loss mse ( p , t ) = p ; $"},
        {"schedule loss(input, for) = input.if", "define:schedule loss ( input , for ) = input . if ; $"},
        {"train m { data d; batch 2 * 3; seed -1 }", "TRAIN m { key:data d ; key:batch 2 * 3 ; key:seed - 1 ; } ; $"},
        {"train m { checkpoint every 1 epoch }", "TRAIN m { key:checkpoint every ~ 1 ~ epoch ; } ; $"},
        {"train m { stop early(patience = 3) [1] }", "TRAIN m { key:stop early ( patience = 3 ) ~ [ 1 ] ; } ; $"},
        {"train m { optimizer adam() for g, d }", "TRAIN m { key:optimizer adam ( ) FOR g , d ; } ; $"},
        {"train m { model x; loss y }", "TRAIN m { key:model x ; key:loss y ; } ; $"},
        {"data d { train { x = 1 } validation = split(2) }",
         "DATA d { part:train { bind:x = 1 ; } ; bind:validation = split ( 2 ) ; } ; $"},
        {"data d { train { augment flip, crop(4) } }",
         "DATA d { part:train { key:augment flip , crop ( 4 ) ; } ; } ; $"},
        {"optimizer o(w, g) { state m = 0; m = step }", "OPTIMIZER o ( w , g ) { STATE m = 0 ; bind:m = step ; } ; $"},
    };
    CHECK(rows, true);
}

static void brackets_always_balance_for_the_parser(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"param x = f(a\nparam y = 1", "PARAM x = f ( a <)> ; PARAM y = 1 ; $"},
        {"param x = f(a,\nparam y = 1", "PARAM x = f ( a , ? ; PARAM y = 1 ; $"},
        {"param x = f([a, b)", "PARAM x = f ( [ a , b <)> ) ; $"},
        {"param x = f(a]", "PARAM x = f ( a ] ; $"},
        {"param x = f(a))", "PARAM x = f ( a ) ; $"},
        {"param x = a }", "PARAM x = a ; $"},
        {"model m {\n  x = 1\n", "MODEL m { bind:x = 1 ; <}> ; $"},
        {"model m {\n  x = 1\nparam y = 1", "MODEL m { bind:x = 1 ; <}> ; PARAM y = 1 ; $"},
        {"model m {\n  block b(x) {\n    x\n}\nparam y = 1",
         "MODEL m { BLOCK b ( x ) { x ; <}> ; } ; PARAM y = 1 ; $"},
        {"model m\n  x = 1\n}", "MODEL m <{> bind:x = 1 ; } ; $"},
        {"param x = 1 +\nparam y = 2", NULL},
    };
    check_rows(rows, sizeof rows / sizeof *rows - 1, false);
}

static void unfinished_lines_do_not_take_the_next(void **state)
{
    (void)state;
    static const Row rows[] = {
        {"param x = 1 +\nparam y = 2", "PARAM x = 1 + ; PARAM y = 2 ; $"},
        {"model m {\nx = a |>\ny = b\nloss c }", "MODEL m { bind:x = a |> ; bind:y = b ; LOSS c ; } ; $"},
        {"model m {\nx =\nloss c\n}", "MODEL m { bind:x = ; LOSS c ; } ; $"},
        {"model m {\nx = a +\nb\n}", "MODEL m { bind:x = a + b ; } ; $"},
    };
    CHECK(rows, true); /* the parser reports them */
}

static void docs_go_to_the_next_statement(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const char *text = "## lost\n\n## one\n##two\n\nparam x = 1 ## no doc\n@allow(a, reason = \"r\")\nparam y = 2\n"
                       "## of z\n# between\n@allow(a, reason = \"r\")\nparam z = 3\n## nobody\n";
    const Source *source = source_add(&sources, STR("t.act"), str_of(text), false);
    Docs docs = {0};
    Tokens raw = scan_source(arena, &diags, source);
    filter_tokens(arena, &diags, source, &raw, &docs);
    assert_int_equal(docs.n, 2);
    assert_string_equal(docs.at[0].text.p, "one\ntwo");
    assert_int_equal(docs.at[0].offset, strstr(text, "param x") - text);
    assert_string_equal(docs.at[1].text.p, "of z");
    assert_int_equal(docs.at[1].offset, strstr(text, "@allow(a, reason = \"r\")\nparam z") - text);
    arena_free(arena);
}

/* A message never says TOK_SOMETHING: every token of the grammar has words of its own. */
static void every_token_has_words(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str grammar = project_file(arena, __FILE__, "grammar/act.y");
    unsigned tokens = 0, words = 0, lines = 0;
    for (const char *line = grammar.p; (line = strstr(line, "\n%token")); lines++) {
        line += 7;
        bool quoted = false, type = false;
        for (const char *c = line; *c != '\n'; c++) {
            words += *c == '"' && !quoted;
            quoted ^= *c == '"';
            type = !quoted && (*c == '<' || (type && c[-1] != '>'));
            tokens += !quoted && !type && isupper((unsigned char)*c) && c[-1] == ' ';
        }
    }
    assert_true(lines > 10 && tokens > 50);
    assert_int_equal(tokens, words);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_every_kind),
        cmocka_unit_test(newlines_end_statements_where_they_should),
        cmocka_unit_test(words_are_reserved_by_their_place),
        cmocka_unit_test(brackets_always_balance_for_the_parser),
        cmocka_unit_test(unfinished_lines_do_not_take_the_next),
        cmocka_unit_test(docs_go_to_the_next_statement),
        cmocka_unit_test(every_token_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
