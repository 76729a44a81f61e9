/* Every rule, as its record shows it: its wrong example earns it and nothing else, the right one earns nothing, a fix
 * leads to a clean file, the page explains it. A rule in a new file is tested here without a line added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

static void test_examples(void **state)
{
    (void)state;
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        Checked wrong = check_text(rule->wrong);
        uint32_t own = 0, other = 0;
        for (uint32_t k = 0; k < wrong.diags->list.n; k++) {
            const Diag *diag = wrong.diags->list.at[k];
            if (diag->level >= LEVEL_WARN)
                *(strcmp(diag->code, rule->code) == 0 ? &own : &other) += 1;
        }
        if (own != 1 || other != 0)
            fail_msg("%s: the wrong example says\n%s", rule->name, checked_lines(&wrong, LEVEL_NOTE));
        arena_free(wrong.arena);
        harness_says(rule->name, 0, rule->right, "", LEVEL_WARN);
    }
}

static void test_fixes_lead_to_clean_files(void **state)
{
    (void)state;
    unsigned fixed = 0;
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        Checked wrong = check_text(rule->wrong);
        const Diag *diag = checked_find(&wrong, rule->code);
        assert_non_null(diag);
        if (diag->edits.n) {
            fixed++;
            harness_says(rule->name, 0, checked_fix(&wrong, diag), "", LEVEL_WARN);
        }
        assert_true(diag->helps.n > 0);
        arena_free(wrong.arena);
    }
    assert_true(fixed >= 15); /* a cross-entropy on a real target can be meant in too many ways */
}

static void test_records(void **state)
{
    (void)state;
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        assert_non_null(rule);
        assert_true(i == 0 || strcmp(check_at(i - 1)->code, rule->code) < 0);
        assert_true(strncmp(rule->code, "ACT", 3) == 0 && strlen(rule->doc) > 200 && strlen(rule->summary) > 10);
        assert_ptr_equal(check_find(str_of(rule->code)), rule);
        assert_ptr_equal(check_find(str_of(rule->name)), rule);
        for (unsigned k = 0; k < RULE_MAX_SILENCES && rule->silences[k]; k++)
            assert_true(strncmp(rule->silences[k], "ACT", 3) == 0);
    }
}

static void test_pages(void **state)
{
    (void)state;
    Checked c = check_text("");
    for (unsigned i = 0; i < check_count(); i++) {
        Text by_code = {.arena = c.arena}, by_name = {.arena = c.arena};
        Str why = {0};
        assert_true(check_explain(c.program, str_of(check_at(i)->code), &by_code, &why));
        assert_true(check_explain(c.program, str_of(check_at(i)->name), &by_name, &why));
        assert_true(str_eq(text_str(&by_code), text_str(&by_name)));
        assert_non_null(strstr(text_str(&by_code).p, "Wrong:\n\n    "));
    }
    arena_free(c.arena);
}

static void test_list(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Text table = {.arena = arena}, json = {.arena = arena};
    check_list(&table, false);
    check_list(&json, true);
    uint32_t rows = 0, objects = 0;
    for (const char *p = text_str(&table).p; *p; p++)
        rows += *p == '\n';
    for (const char *p = text_str(&json).p; *p; p++)
        objects += *p == '\n';
    assert_int_equal(rows, check_count());
    assert_int_equal(objects, check_count());
    assert_non_null(strstr(text_str(&table).p, "ACT201   double_softmax             error    output"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_fixes_lead_to_clean_files),
        cmocka_unit_test(test_records),  cmocka_unit_test(test_pages),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
