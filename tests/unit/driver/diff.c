/* Unified diffs, as patch(1) reads them. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "driver/diff.h"

static void expect(const char *before, const char *after, const char *want)
{
    Arena *arena = arena_new();
    Text out = {.arena = arena};
    diff_unified(&out, STR("m.act"), str_of(before), str_of(after), false);
    assert_string_equal(out.n ? text_str(&out).p : "", want);
    arena_free(arena);
}

#define HEAD "--- m.act\n+++ m.act\n"

static void test_equal(void **state)
{
    (void)state;
    expect("", "", "");
    expect("a\nb\n", "a\nb\n", "");
}

static void test_one_line(void **state)
{
    (void)state;
    expect("a\nb\nc\n", "a\nB\nc\n", HEAD "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
    expect("a\n", "", HEAD "@@ -1 +0,0 @@\n-a\n");
    expect("", "a\n", HEAD "@@ -0,0 +1 @@\n+a\n");
}

static void test_no_newline_at_end(void **state)
{
    (void)state;
    expect("a", "a\n", HEAD "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

static void test_context(void **state)
{
    (void)state;
    expect("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
           HEAD "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

/* Six equal lines between two changes keep them in one hunk, seven part them. */
static void test_hunks(void **state)
{
    (void)state;
    expect("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
           HEAD "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
    expect("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
           HEAD "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

static void test_moved_block(void **state)
{
    (void)state;
    expect("a\nb\nc\nd\n", "b\nc\na\nd\n", HEAD "@@ -1,4 +1,4 @@\n-a\n b\n c\n+a\n d\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),   cmocka_unit_test(test_one_line), cmocka_unit_test(test_no_newline_at_end),
        cmocka_unit_test(test_context), cmocka_unit_test(test_hunks),    cmocka_unit_test(test_moved_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
