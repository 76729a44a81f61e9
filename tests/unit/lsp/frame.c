#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lsp/frame.h"

#include <stdlib.h>
#include <string.h>

static void feed(Frames *frames, const char *text) { frames_feed(frames, text, strlen(text)); }

static void expect(Frames *frames, const char *text)
{
    char *body;
    size_t n;
    const char *why = NULL;
    assert_int_equal(frames_next(frames, &body, &n, &why), FRAME_MESSAGE);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(body, text, n);
}

static void expect_result(Frames *frames, FrameResult result)
{
    char *body;
    size_t n;
    const char *why = NULL;
    assert_int_equal(frames_next(frames, &body, &n, &why), result);
    assert_true(result != FRAME_BAD || why != NULL);
}

static void messages_come_in_order(void **state)
{
    (void)state;
    Frames frames = {0};
    feed(&frames, "Content-Length: 2\r\n\r\n{}Content-Type: x\r\ncontent-length:3 \r\n\r\n[1]");
    expect(&frames, "{}");
    expect(&frames, "[1]");
    expect_result(&frames, FRAME_NONE);
    feed(&frames, "Content-Length: 0\n\n");
    expect(&frames, "");
    frames_free(&frames);
}

static void a_message_in_single_bytes(void **state)
{
    (void)state;
    Frames frames = {0};
    const char *text = "Content-Length: 4\r\n\r\nabcd";
    for (size_t i = 0; text[i]; i++) {
        expect_result(&frames, FRAME_NONE);
        frames_feed(&frames, text + i, 1);
    }
    expect(&frames, "abcd");
    frames_free(&frames);
}

static void damage_costs_one_message(void **state)
{
    (void)state;
    static const char *const bad[] = {"Content-Length: 12x\r\n\r\n{}",
                                      "Content-Length:\r\n\r\n",
                                      "Content-Length: -1\r\n\r\n",
                                      "no header\r\n\r\n",
                                      "Content-Type: a\r\n\r\n",
                                      "Content-Length: 67108865\r\n\r\n",
                                      "Content-Length: 18446744073709551618\r\n\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Frames frames = {0};
        feed(&frames, bad[i]);
        expect_result(&frames, FRAME_BAD);
        expect_result(&frames, FRAME_NONE);
        feed(&frames, "Content-Length: 2\r\n\r\n{}");
        expect(&frames, "{}");
        frames_free(&frames);
    }
}

static void a_header_without_end_is_given_up(void **state)
{
    (void)state;
    Frames frames = {0};
    char *long_line = calloc(1, FRAME_HEADER_MAX + 2);
    memset(long_line, 'x', FRAME_HEADER_MAX + 1);
    feed(&frames, long_line);
    expect_result(&frames, FRAME_BAD);
    feed(&frames, "\r\n\r\nContent-Len");
    expect_result(&frames, FRAME_NONE);
    feed(&frames, "gth: 1\r\n\r\n7");
    expect(&frames, "7");
    free(long_line);
    frames_free(&frames);
}

static void a_length_that_was_too_great(void **state)
{
    (void)state;
    Frames frames = {0};
    feed(&frames, "Content-Length: 10\r\n\r\n{}Content-Length: 3\r\n\r\n[5]");
    expect(&frames, "{}Content-");
    expect_result(&frames, FRAME_BAD); /* the rest of the header is none … */
    frames_free(&frames);
    feed(&frames, "Content-Length: 40\r\n\r\n{}Content-Length: 3\r\n\r\n[5]Content-Length: 1\r\n\r\n8");
    char *body;
    size_t n;
    const char *why;
    assert_int_equal(frames_next(&frames, &body, &n, &why), FRAME_MESSAGE);
    frames_reject(&frames); /* … and a whole one inside is found again */
    expect(&frames, "[5]");
    expect(&frames, "8");
    frames_free(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order),      cmocka_unit_test(a_message_in_single_bytes),
        cmocka_unit_test(damage_costs_one_message),    cmocka_unit_test(a_header_without_end_is_given_up),
        cmocka_unit_test(a_length_that_was_too_great),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
