#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/type.h"

static Arena *arena;

static Type shape(bool batch, uint32_t rank, uint32_t a, uint32_t b, uint32_t c)
{
    return type_make(DT_F32, batch, rank, (uint32_t[]){a, b, c});
}

static Type parse(const char *text)
{
    Str s = str_of(text);
    Type type;
    assert_true(type_read(&s, &type));
    assert_int_equal(s.n, 0);
    return type;
}

static const char *printed(Type type)
{
    Text text = {.arena = arena};
    type_print(&type, &text);
    return text_str(&text).p;
}

static void test_print(void **state)
{
    (void)state;
    assert_string_equal(printed(shape(true, 3, 28, 28, 1)), "f32[B, 28, 28, 1]");
    assert_string_equal(printed(shape(true, 0, 0, 0, 0)), "f32[B]");
    assert_string_equal(printed(type_scalar()), "f32[]");
    assert_string_equal(printed(type_make(DT_I32, false, 1, (uint32_t[]){7})), "i32[7]");
    Type image = shape(true, 3, 28, 28, 1);
    Text text = {.arena = arena};
    type_print_shape(&image, &text);
    assert_string_equal(text_str(&text).p, "[28, 28, 1]");
}

static void test_read(void **state)
{
    (void)state;
    const char *texts[] = {"f32[]",       "f32[B]",                "f32[10]",
                           "i32[B, 128]", "f32[1, 2, 3, 4, 5, 6]", "f32[B, 1, 2, 3, 4, 5, 6]"};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_string_equal(printed(parse(texts[i])), texts[i]);
    assert_string_equal(printed(parse(" f32[ B ,3,  4 ]")), "f32[B, 3, 4]");
    Str rest = STR("f32[2] name");
    Type type;
    assert_true(type_read(&rest, &type));
    assert_true(str_is(rest, " name"));
}

static void test_read_refuses(void **state)
{
    (void)state;
    const char *texts[] = {"",         "f64[2]",     "f32",          "f32[",     "f32[2",       "f32[2,",
                           "f32[2,]",  "f32[0]",     "f32[-1]",      "f32[B, B]", "f32[2, B]",   "f32[4294967296]",
                           "f32[2 3]", "f32[99999999999999999999]", "f32[1, 1, 1, 1, 1, 1, 1]", "f32[,]"};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        Str s = str_of(texts[i]);
        Type type;
        assert_false(type_read(&s, &type));
        assert_ptr_equal(s.p, texts[i]); /* not moved */
    }
}

static void test_counts(void **state)
{
    (void)state;
    Type image = shape(true, 3, 28, 28, 3), scalar = type_scalar();
    assert_int_equal(type_elements(&image), 28 * 28 * 3);
    assert_int_equal(type_last(&image), 3);
    assert_int_equal(type_elements(&scalar), 1);
    assert_int_equal(type_last(&scalar), 1);
    Type huge = type_make(DT_F32, false, 3, (uint32_t[]){UINT32_MAX, UINT32_MAX, UINT32_MAX});
    assert_true(type_elements(&huge) == UINT64_MAX);
}

static void test_equal(void **state)
{
    (void)state;
    Type a = parse("f32[B, 3]"), b = parse("i32[B, 3]"), c = parse("f32[3]"), d = parse("f32[B, 4]");
    assert_true(type_equal(&a, &a));
    assert_false(type_equal(&a, &b));
    assert_true(type_same_shape(&a, &b));
    assert_false(type_same_shape(&a, &c));
    assert_false(type_same_shape(&a, &d));
}

static void test_broadcast(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *out;
    } rows[] = {
        {"f32[B, 10]", "f32[10]", "f32[B, 10]"},   {"f32[]", "f32[B, 4, 5]", "f32[B, 4, 5]"},
        {"f32[3, 1]", "f32[1, 4]", "f32[3, 4]"},   {"f32[B, 10]", "f32[3, 10]", "f32[B, 3, 10]"},
        {"f32[B]", "f32[5]", "f32[B, 5]"},         {"i32[B, 2]", "i32[]", "i32[B, 2]"},
        {"i32[B, 2]", "f32[2]", "f32[B, 2]"},      {"f32[2]", "f32[3]", NULL},
        {"f32[2, 1]", "f32[3, 2]", NULL},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        Type a = parse(rows[i].a), b = parse(rows[i].b), out, back;
        assert_int_equal(type_broadcast(&a, &b, &out), rows[i].out != NULL);
        assert_int_equal(type_broadcast(&b, &a, &back), rows[i].out != NULL);
        if (!rows[i].out)
            continue;
        assert_string_equal(printed(out), rows[i].out);
        assert_true(type_equal(&out, &back));
    }
    Type a = parse("f32[B, 10]"), b = parse("f32[10]");
    assert_true(type_broadcast(&a, &b, &a)); /* the result may be an operand */
    assert_string_equal(printed(a), "f32[B, 10]");
}

int main(void)
{
    arena = arena_new();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),  cmocka_unit_test(test_read),  cmocka_unit_test(test_read_refuses),
        cmocka_unit_test(test_counts), cmocka_unit_test(test_equal), cmocka_unit_test(test_broadcast),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
