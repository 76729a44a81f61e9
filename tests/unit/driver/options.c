/* The command line: where values may stand, and that every row of the table can be used. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "driver/options.h"

#include <string.h>

static int parse(Arena *arena, Options *options, const char *const *words)
{
    int n = 0;
    while (words[n])
        n++;
    return options_parse(arena, n, (char **)(uintptr_t)words, options); /* argv, which nobody writes to */
}
#define PARSE(...) parse(arena, &options, (const char *const[]){"actc", __VA_ARGS__, NULL})

static void test_forms_of_a_value(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Options options;
    assert_int_equal(PARSE("m.act", "-o", "m.o"), EXIT_CLEAN);
    assert_true(str_is(options.output, "m.o") && options.files.n == 1);
    assert_int_equal(PARSE("-om.o", "m.act"), EXIT_CLEAN);
    assert_true(str_is(options.output, "m.o"));
    assert_int_equal(PARSE("--output=a=b", "m.act"), EXIT_CLEAN);
    assert_true(str_is(options.output, "a=b"));
    assert_int_equal(PARSE("--output", "m.o", "m.act"), EXIT_CLEAN);
    assert_true(str_is(options.output, "m.o") && str_is(options.files.at[0], "m.act"));
    arena_free(arena);
}

static void test_commands(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Options options;
    assert_int_equal(PARSE("check", "a.act", "b.act"), EXIT_CLEAN);
    assert_string_equal(options.command->name, "check");
    assert_int_equal(options.files.n, 2);
    assert_int_equal(PARSE("--color", "never", "fmt", "-"), EXIT_CLEAN);
    assert_string_equal(options.command->name, "fmt");
    assert_true(options.files.n == 1 && str_is(options.files.at[0], "-"));
    assert_int_equal(PARSE("m.act", "-o", "check"), EXIT_CLEAN); /* the value of an option is no command */
    assert_string_equal(options.command->name, "compile");
    assert_int_equal(PARSE("run", "m.act", "--", "--epochs", "3", "check"), EXIT_CLEAN);
    assert_string_equal(options.command->name, "run");
    assert_int_equal(options.rest.n, 3);
    arena_free(arena);
}

static void test_defaults_and_levels(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Options options;
    assert_int_equal(PARSE("m.act"), EXIT_CLEAN);
    assert_true(options.level == 2 && options.max_warnings == UINT32_MAX && !options.batch);
    assert_int_equal(PARSE("m.act", "-O0", "-g", "--batch", "7", "--set", "a=1", "--set=b=2"), EXIT_CLEAN);
    assert_true(options.level == 0 && options.debug && options.batch == 7 && options.set.n == 2);
    assert_true(str_is(options.set.at[1], "b=2"));
    assert_int_equal(PARSE("check", "-Werror", "-D", "all", "-Aall", "m.act"), EXIT_CLEAN);
    assert_true(options.check.werror && options.check.settings.n == 2);
    assert_int_equal(options.check.settings.at[0].level, LEVEL_DENY);
    assert_int_equal(options.check.settings.at[1].level, LEVEL_ALLOW);
    arena_free(arena);
}

/* A row nobody can reach, or two rows that want the same letter in one command, are mistakes in the table. */
static void test_table(void **state)
{
    (void)state;
    for (unsigned i = 0; i < option_count; i++) {
        const OptionRow *row = &option_row[i];
        if (row->kind == OPTION_GROUP)
            continue;
        assert_true(row->help[0] != 0);
        assert_true(row->letter || row->name[0]);
        unsigned takers = 0;
        for (unsigned c = 0; c < command_count(); c++) {
            if (!option_for(row, command_at(c)))
                continue;
            takers++;
            for (unsigned k = 0; k < i; k++) {
                const OptionRow *other = &option_row[k];
                if (other->kind == OPTION_GROUP || !option_for(other, command_at(c)))
                    continue;
                assert_true(!row->letter || row->letter != other->letter);
                assert_true(!row->name[0] || strcmp(row->name, other->name) != 0);
            }
        }
        assert_true(takers > 0);
    }
}

static void test_commands_say_what_they_do(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    for (unsigned i = 0; i < command_count(); i++) {
        const Command *command = command_at(i);
        assert_ptr_equal(command_find(str_of(command->name)), command);
        assert_true(command->summary[0] && command->doc[0] && command->run);
        assert_non_null(strstr(command->examples, "actc "));
        Text text = {.arena = arena};
        options_help(command, &text);
        assert_non_null(strstr(text_str(&text).p, command->usage));
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_a_value),    cmocka_unit_test(test_commands),
        cmocka_unit_test(test_defaults_and_levels), cmocka_unit_test(test_table),
        cmocka_unit_test(test_commands_say_what_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
