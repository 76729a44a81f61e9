#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int drop_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void compares(void **state)
{
    (void)state;
    assert_true(str_eq(STR("ab"), STR("ab")) && !str_eq(STR("ab"), STR("abc")) && !str_eq(STR("ab"), STR("ac")));
    assert_true(str_eq((Str){NULL, 0}, STR("")) && str_eq(str_of(NULL), STR("")));
    assert_true(str_is(STR("relu"), "relu") && !str_is(STR("relu6"), "relu"));
    assert_int_equal(str_compare(STR("a"), STR("b")), -1);
    assert_int_equal(str_compare(STR("b"), STR("a")), 1);
    assert_int_equal(str_compare(STR("a"), STR("ab")), -1);
    assert_int_equal(str_compare(STR("\xff"), STR("a")), 1);
    assert_int_equal(str_compare(STR("x"), STR("x")), 0);
    assert_true(str_starts(STR("linear1"), STR("linear")) && !str_starts(STR("lin"), STR("linear")));
    assert_true(str_hash(STR("")) == 0xcbf29ce484222325u && str_hash(STR("a")) == 0xaf63dc4c8601ec8cu);
}

static void measures_distance(void **state)
{
    (void)state;
    assert_int_equal(str_distance(STR("relu"), STR("relu"), 3), 0);
    assert_int_equal(str_distance(STR("rleu"), STR("relu"), 3), 1); /* an exchange is one mistake */
    assert_int_equal(str_distance(STR("sigmod"), STR("sigmoid"), 3), 1);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 5), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3); /* cut off at the limit plus one */
    assert_int_equal(str_distance(STR(""), STR("abc"), 9), 3);
    static char many[500];
    memset(many, 'x', sizeof many);
    Str same = {many, 500}, other = {many, 499};
    assert_int_equal(str_distance(same, same, 3), 0);
    assert_int_equal(str_distance(same, other, 3), 4); /* too long to measure: not near */
}

static void suggests(void **state)
{
    (void)state;
    Str names[] = {STR("relu"), STR("gelu"), STR("sigmoid"), STR("tanh")};
    assert_int_equal(str_nearest(STR("sigmod"), names, 4), 2);
    assert_int_equal(str_nearest(STR("elu"), names, 4), 0); /* two are as near: the earlier */
    assert_int_equal(str_nearest(STR("conv2d"), names, 4), -1);
    assert_int_equal(str_nearest(STR("x"), names, 4), -1);
    assert_int_equal(str_nearest(STR("x"), NULL, 0), -1);
}

static void builds_text(void **state)
{
    (void)state;
    Text text = {.arena = arena};
    assert_true(str_eq(text_str(&text), STR("")));
    for (int i = 0; i < 1000; i++)
        text_printf(&text, "%d,", i % 10);
    text_putc(&text, '!');
    Str s = text_str(&text);
    assert_int_equal(s.n, 2001);
    assert_int_equal(s.p[2001], 0);
    assert_int_equal(s.p[1999], ',');
    assert_string_equal(str_c(arena, STR("ab")), "ab");
    assert_string_equal(str_printf(arena, "%s-%d", "x", 3).p, "x-3");
}

static void writes_the_shortest_number(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"},         {3, "3"},          {-2.5, "-2.5"}, {0.1, "0.1"},     {1e-8, "1e-08"},
        {100, "100"},     {65536, "65536"},  {1e20, "1e+20"}, {1.0 / 3, "0.3333333333333333"},
        {INFINITY, "inf"}, {-INFINITY, "-inf"}, {NAN, "nan"}, {-NAN, "nan"},   {123456.75, "123456.75"},
        {5e-324, "5e-324"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        Text text = {.arena = arena};
        text_number(&text, rows[i].value);
        assert_string_equal(text_str(&text).p, rows[i].text);
    }
    uint64_t bits = 1;
    for (int i = 0; i < 2000; i++) { /* and it always reads back */
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        Text text = {.arena = arena};
        text_number(&text, value);
        assert_true(strtod(text_str(&text).p, NULL) == value);
    }
}

static void maps_keep_the_order_of_insertion(void **state)
{
    (void)state;
    Map map = {.arena = arena};
    assert_null(map_get(&map, STR("x")));
    int values[500];
    for (int i = 0; i < 500; i++)
        map_set(&map, str_printf(arena, "key%d", (i * 7919) % 500), &values[i]);
    assert_int_equal(map.n, 500);
    assert_true(str_is(map.item[1].key, "key419"));
    for (int i = 0; i < 500; i++)
        assert_ptr_equal(map_get(&map, str_printf(arena, "key%d", (i * 7919) % 500)), &values[i]);
    map_set(&map, STR("key419"), NULL);
    assert_int_equal(map.n, 500);
    assert_true(map_has(&map, STR("key419")) && !map_get(&map, STR("key419")));
    assert_true(!map_has(&map, STR("key500")) && !map_has(&map, STR("")));
}

static void decodes_utf8_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        unsigned length;
        uint32_t code;
        bool bad;
    } rows[] = {
        {"a", 1, 'a', false},
        {"\xc3\xa9", 2, 0xE9, false},
        {"\xe2\x82\xac", 3, 0x20AC, false},
        {"\xf0\x9f\x98\x80", 4, 0x1F600, false},
        {"\xff", 1, UTF8_BAD, true},
        {"\xc0\x80", 1, UTF8_BAD, true},         /* overlong */
        {"\xe0\x80\x80", 1, UTF8_BAD, true},     /* overlong */
        {"\xed\xa0\x80", 1, UTF8_BAD, true},     /* a surrogate */
        {"\xf4\x90\x80\x80", 1, UTF8_BAD, true}, /* above U+10FFFF */
        {"\xe2\x82", 1, UTF8_BAD, true},         /* cut off */
        {"\x80", 1, UTF8_BAD, true},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t code;
        bool bad;
        assert_int_equal(utf8_decode(rows[i].bytes, strlen(rows[i].bytes), &code, &bad), rows[i].length);
        assert_int_equal(code, rows[i].code);
        assert_int_equal(bad, rows[i].bad);
        char out[4];
        if (!bad) {
            assert_int_equal(utf8_encode(code, out), rows[i].length);
            assert_memory_equal(out, rows[i].bytes, rows[i].length);
        }
    }
    assert_int_equal(utf8_cells('a'), 1);
    assert_int_equal(utf8_cells(0x301), 0);
    assert_int_equal(utf8_cells(0x4E2D), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(measures_distance),
        cmocka_unit_test(suggests),
        cmocka_unit_test(builds_text),
        cmocka_unit_test(writes_the_shortest_number),
        cmocka_unit_test(maps_keep_the_order_of_insertion),
        cmocka_unit_test(decodes_utf8_strictly),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
