/* Every example of grammar/README.md: ```act is read without a word, is canonical and survives the printer;
 * ```act-error is refused. And every name of the standard library stands in its table. */
#include "tree.h"

typedef struct Example {
    Str text;
    unsigned line;
    bool wrong;
} Example;

typedef VEC(Example) Examples;

static Str next_line(Str *rest)
{
    uint32_t n = 0;
    while (n < rest->n && rest->p[n] != '\n')
        n++;
    Str line = {rest->p, n};
    n += n < rest->n;
    *rest = (Str){rest->p + n, rest->n - n};
    return line;
}

static Examples find_examples(Arena *arena, Str text)
{
    Examples found = {0};
    Str rest = text;
    unsigned number = 0;
    while (rest.n) {
        Str line = next_line(&rest);
        number++;
        if (!str_starts(line, STR("```act")))
            continue;
        Example example = {.line = number, .wrong = str_is(line, "```act-error")};
        assert_true(example.wrong || str_is(line, "```act"));
        example.text.p = rest.p;
        for (;;) {
            assert_true(rest.n > 0);
            Str inner = next_line(&rest);
            number++;
            if (str_is(inner, "```")) {
                example.text.n = (uint32_t)(inner.p - example.text.p);
                break;
            }
        }
        *vec_push(arena, &found) = example;
    }
    return found;
}

static void every_example_is_what_it_claims(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Examples examples = find_examples(arena, project_file(arena, __FILE__, "grammar/README.md"));
    unsigned wrong = 0;
    for (uint32_t i = 0; i < examples.n; i++) {
        const Example *example = &examples.at[i];
        Parsed p;
        parsed_begin(&p, example->text);
        wrong += example->wrong;
        if (example->wrong != (p.diags.list.n > 0))
            fail_msg("README.md:%u: %s", example->line, example->wrong ? "is accepted" : parsed_mistakes(&p).p);
        if (!example->wrong) {
            Str canonical = format_source(p.arena, p.source, p.root);
            assert_string_equal(canonical.p, str_c(p.arena, example->text));
        } else {
            assert_int_equal(p.diags.list.n, 1);
        }
        parsed_end(&p);
    }
    assert_true(examples.n >= 25 && wrong >= 8);
    arena_free(arena);
}

static const char *const library[] = {"activations", "losses", "initializers", "optimizers", "schedules", "blocks"};

static void the_library_is_documented(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str readme = project_file(arena, __FILE__, "grammar/README.md");
    for (unsigned i = 0; i < sizeof library / sizeof *library; i++) {
        Str path = str_printf(arena, "grammar/std/%s.act", library[i]);
        Parsed p;
        parsed_begin(&p, project_file(arena, __FILE__, path.p));
        assert_string_equal(parsed_mistakes(&p).p, "");
        assert_string_equal(format_source(p.arena, p.source, p.root).p, p.source->text.p); /* canonical */
        const char *row = strstr(readme.p, str_printf(arena, "`std/%s.act`", library[i]).p);
        assert_non_null(row);
        Str names = {row, (uint32_t)(strchr(row, '\n') - row)};
        for (uint32_t k = 0; k < p.root->n_kid; k++) {
            const Ast *definition = p.root->kid[k];
            if (!definition->doc.n)
                fail_msg("%s: `" STR_FMT "` has no `##` line", path.p, STR_ARG(definition->text));
            if (!strstr(str_c(arena, names), str_printf(arena, " " STR_FMT, STR_ARG(definition->text)).p))
                fail_msg("README.md does not list `" STR_FMT "`", STR_ARG(definition->text));
        }
        parsed_end(&p);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_what_it_claims),
        cmocka_unit_test(the_library_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
