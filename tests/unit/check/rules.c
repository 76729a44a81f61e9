/* Every rule, as its record shows it: its wrong example earns it and nothing else, the right one earns nothing, a fix
 * leads to a clean file, the page explains it. A rule in a new file is tested here without a line added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness.h"

/* A rule that is off by default is asked for. */
static Checked check_asked(const Rule *rule, const char *text)
{
    Arena *arena = arena_new();
    CheckOptions options = {0};
    Str why;
    if (rule->level == LEVEL_ALLOW)
        assert_true(check_set(arena, &options, LEVEL_WARN, str_of(rule->code), &why));
    Checked c = check_text_with(text, &options);
    arena_free(arena);
    return c;
}

/* What the text earns: of this rule, at any level that shows; of others, from a warning on. */
static void count(const Checked *c, const Rule *rule, uint32_t *own, uint32_t *other)
{
    *own = *other = 0;
    for (uint32_t k = 0; k < c->diags->list.n; k++) {
        const Diag *diag = c->diags->list.at[k];
        if (strcmp(diag->code, rule->code) == 0)
            *own += diag->level >= LEVEL_WARN || rule->level == LEVEL_NOTE;
        else
            *other += diag->level >= LEVEL_WARN;
    }
}

static void test_examples(void **state)
{
    (void)state;
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        Checked wrong = check_asked(rule, rule->wrong), right = check_asked(rule, rule->right);
        uint32_t own, other;
        count(&wrong, rule, &own, &other);
        if (own != 1 || other != 0)
            fail_msg("%s: the wrong example says\n%s", rule->name, checked_lines(&wrong, LEVEL_NOTE));
        count(&right, rule, &own, &other);
        if (own != 0 || other != 0)
            fail_msg("%s: the right example says\n%s", rule->name, checked_lines(&right, LEVEL_NOTE));
        arena_free(wrong.arena);
        arena_free(right.arena);
    }
}

static void test_fixes_lead_to_clean_files(void **state)
{
    (void)state;
    unsigned fixed = 0;
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        Checked wrong = check_asked(rule, rule->wrong);
        const Diag *diag = checked_find(&wrong, rule->code);
        assert_non_null(diag);
        if (diag->edits.n) {
            Checked right = check_asked(rule, checked_fix(&wrong, diag));
            uint32_t own, other;
            fixed++;
            count(&right, rule, &own, &other);
            if (own != 0 || other != 0)
                fail_msg("%s: fixed to\n%s\nit says\n%s", rule->name, right.source->text.p,
                         checked_lines(&right, LEVEL_NOTE));
            arena_free(right.arena);
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
        if (i > 0) { /* by letters, then by number */
            const char *before = check_at(i - 1)->code;
            assert_true(strncmp(before, rule->code, 3) < 0 || atoi(before + 3) < atoi(rule->code + 3));
        }
        assert_true(strncmp(rule->code, strcmp(rule->group, "style") == 0 ? "STY" : "ACT", 3) == 0);
        assert_true(strlen(rule->doc) > 200 && strlen(rule->summary) > 10);
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
