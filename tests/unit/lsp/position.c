#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lsp/position.h"
#include "lsp/uri.h"

/* a, ä (2 bytes), 😀 (4 bytes, 2 units), z; then \r\n, an empty line, a lone \r, a byte that is no text */
static const char text[] = "a\xC3\xA4\xF0\x9F\x98\x80z\r\n\nb\rc\xFF"
                           "d";

static int setup(void **state)
{
    Arena *arena = arena_new();
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void check(const Lines *lines, Encoding encoding, uint32_t line, uint32_t character, uint32_t offset)
{
    assert_int_equal(position_offset(lines, encoding, (Position){line, character}), offset);
    Position back = position_at(lines, encoding, offset);
    assert_int_equal(back.line, line);
    assert_int_equal(back.character, character);
}

static void lines_end_three_ways(void **state)
{
    Lines lines = lines_of(*state, str_of(text));
    assert_int_equal(lines.n, 4);
    assert_int_equal(lines.start[1], 10);
    assert_int_equal(lines.start[2], 11);
    assert_int_equal(lines.start[3], 13);
    assert_int_equal(lines_of(*state, STR("")).n, 1);
    assert_int_equal(lines_of(*state, STR("\r")).n, 2);
}

static void units_of_each_encoding(void **state)
{
    Lines lines = lines_of(*state, str_of(text));
    check(&lines, ENCODING_UTF16, 0, 1, 1);
    check(&lines, ENCODING_UTF16, 0, 2, 3);
    check(&lines, ENCODING_UTF16, 0, 4, 7);
    check(&lines, ENCODING_UTF16, 0, 5, 8);
    check(&lines, ENCODING_UTF8, 0, 3, 3);
    check(&lines, ENCODING_UTF8, 0, 7, 7);
    check(&lines, ENCODING_UTF32, 0, 2, 3);
    check(&lines, ENCODING_UTF32, 0, 3, 7);
    check(&lines, ENCODING_UTF16, 1, 0, 10);
    check(&lines, ENCODING_UTF16, 2, 1, 12);
    check(&lines, ENCODING_UTF16, 3, 2, 15); /* the bad byte is one character … */
    check(&lines, ENCODING_UTF8, 3, 4, 15);  /* … of three bytes, as it was sent */
}

static void places_that_are_none(void **state)
{
    Lines lines = lines_of(*state, str_of(text));
    assert_int_equal(position_offset(&lines, ENCODING_UTF16, (Position){0, 3}), 3); /* half of a pair */
    assert_int_equal(position_offset(&lines, ENCODING_UTF8, (Position){0, 2}), 1);
    assert_int_equal(position_offset(&lines, ENCODING_UTF16, (Position){0, 99}), 8); /* the end of the line */
    assert_int_equal(position_offset(&lines, ENCODING_UTF16, (Position){99, 0}), sizeof text - 1);
    assert_int_equal(position_offset(&lines, ENCODING_UTF16, (Position){UINT32_MAX, UINT32_MAX}), sizeof text - 1);
    assert_int_equal(position_at(&lines, ENCODING_UTF16, 5).character, 2); /* inside a character */
    assert_int_equal(position_at(&lines, ENCODING_UTF16, 9).character, 5); /* between \r and \n */
    assert_int_equal(position_at(&lines, ENCODING_UTF16, 9999).line, 3);
}

static void paths(void **state)
{
    Arena *arena = *state;
    assert_true(str_is(uri_path(arena, STR("file:///a%20b/%C3%A4.act")), "/a b/\xC3\xA4.act"));
    assert_true(str_is(uri_path(arena, STR("file://host/x//y/./../z.act?q#f")), "/x/z.act"));
    assert_true(str_is(uri_path(arena, STR("file:///a%2")), "/a%2"));
    assert_true(str_is(uri_path(arena, STR("file:///a%00b")), "/a%00b"));
    assert_true(str_is(uri_path(arena, STR("untitled:Untitled-1")), "untitled:Untitled-1"));
    assert_true(str_is(uri_of_path(arena, STR("/a b/\xC3\xA4.act")), "file:///a%20b/%C3%A4.act"));
    assert_true(str_is(uri_path(arena, uri_of_path(arena, STR("/%25 #?.act"))), "/%25 #?.act"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_end_three_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(units_of_each_encoding, setup, teardown),
        cmocka_unit_test_setup_teardown(places_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(paths, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
