#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/page/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static ActPage page;

static int end(void **state)
{
    (void)state;
    act_page_free(&page);
    return 0;
}

static void assert_page_has(const char *part)
{
    if (!page.at || !strstr(page.at, part)) fail_msg("the page does not have `%s`:\n%.3000s", part, page.at ? page.at : "");
}

static void assert_page_lacks(const char *part)
{
    if (page.at && strstr(page.at, part)) fail_msg("the page has `%s`", part);
}

static void text_is_escaped(void **state)
{
    (void)state;
    act_page_text(&page, "<a href=\"x\" id='y'>&\xc3\xa4\xe2\x88\x9e");
    assert_string_equal(page.at, "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;\xc3\xa4\xe2\x88\x9e");
    act_page_free(&page);
    /* a lone byte, an overlong form, half a surrogate pair, a control character, a character cut off */
    act_page_text(&page, "\xff|\xc0\xaf|\xed\xa0\x80|\x01|\xe2\x88");
    assert_string_equal(page.at, "\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd\xef\xbf\xbd");
}

static void numbers_are_short(void **state)
{
    (void)state;
    assert_string_equal(act_number(0).text, "0");
    assert_string_equal(act_number(60000).text, "60,000");
    assert_string_equal(act_number(-1234567).text, "-1,234,567");
    assert_string_equal(act_number(0.012345).text, "0.01235");
    assert_string_equal(act_number(1.234e-12).text, "1.23e-12");
    assert_string_equal(act_number(NAN).text, "not a number");
    assert_string_equal(act_number(-INFINITY).text, "-infinite");
}

static void axes_have_round_ends(void **state)
{
    (void)state;
    ActAxis axis = act_axis(0.13, 0.87, 0, 0, 100, 5);
    assert_true(axis.low == 0 && fabs(axis.high - 1) < 1e-12 && axis.ticks == 6);
    assert_string_equal(act_axis_label(&axis, axis.tick[1], 0).text, "0.2");
    assert_string_equal(act_axis_label(&axis, axis.tick[1], 1).text, "20 %");
    axis = act_axis(2.30461, 2.30469, 0, 0, 100, 5);
    for (size_t i = 1; i < axis.ticks; i++) assert_string_not_equal(act_axis_label(&axis, axis.tick[i], 0).text, act_axis_label(&axis, axis.tick[i - 1], 0).text);
    axis = act_axis(3e-12, 0.5, 1, 100, 0, 5);
    assert_true(axis.low <= 3e-12 && axis.high >= 0.5 && axis.ticks >= 3);
    assert_true(act_axis_place(&axis, axis.high) == 0 && act_axis_place(&axis, axis.low) == 100);
    axis = act_axis_counts(1, 3, 0, 100, 6);
    assert_true(axis.low == 1 && axis.high == 3 && axis.ticks == 3);
    /* whatever is asked, there is an axis */
    const double odd[] = { 0, -0.0, 1e308, -1e308, 5e-324, NAN, INFINITY, -INFINITY, 1, 1 + 1e-15 };
    for (size_t i = 0; i < 10; i++)
        for (size_t k = 0; k < 10; k++)
            for (int log = 0; log < 2; log++) {
                axis = act_axis(odd[i], odd[k], log, 0, 100, 5);
                assert_true(axis.ticks <= ACT_TICKS && axis.high > axis.low && isfinite(axis.high) && isfinite(axis.low));
                double at = act_axis_place(&axis, log ? fabs(odd[i]) + 1e-300 : odd[i]);
                assert_true(isnan(odd[i]) || (at >= 0 && at <= 100));
            }
}

static void charts_leave_gaps(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 3, 4, 5 }, y[] = { 1, 0.5, NAN, 0.25, INFINITY }, other[] = { 2, 2, 2, 2, 2 };
    const ActSeries series[] = { { .name = "a<b", .x = x, .y = y, .n = 5 }, { .name = "flat", .x = x, .y = other, .n = 5, .low = y, .high = other } };
    act_chart_lines(&page, &(ActChart){ .title = "a & b", .x_name = "epoch", .y_name = "loss", .series = series, .n = 2, .rule = 1.5, .rule_name = "floor" });
    assert_page_has("a &amp; b");
    assert_page_has("a&lt;b");
    assert_page_has(">floor<");
    assert_page_has("h0\"/>"); /* a point between gaps */
    assert_page_has("<title>epoch 2\na&lt;b: 0.5\nflat: 2</title>");
    assert_page_has("<td>infinite</td>");
    assert_page_lacks("nan\"");
    assert_page_lacks("inf\"");
    assert_page_lacks("nan ");
}

static void charts_of_nothing_say_so(void **state)
{
    (void)state;
    act_chart_lines(&page, &(ActChart){ .title = "t", .x_name = "x", .y_name = "y" });
    act_chart_heat(&page, "t", NULL, "step", NULL, 0);
    const double none[] = { NAN };
    const ActSeries series = { .name = "a", .x = none, .y = none, .n = 1 };
    act_chart_lines(&page, &(ActChart){ .title = "t", .x_name = "x", .y_name = "y", .series = &series, .n = 1 });
    assert_page_has("there is no number to draw");
    assert_page_has("there is no histogram to draw");
    assert_false(page.failed);
}

static void long_series_are_thinned_and_keep_their_peaks(void **state)
{
    (void)state;
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    for (int i = 0; i < N; i++) x[i] = i, y[i] = i == 77777 ? 9 : 1;
    const ActSeries series = { .name = "a", .x = x, .y = y, .n = N };
    act_chart_lines(&page, &(ActChart){ .title = "t", .x_name = "step", .y_name = "y", .series = &series, .n = 1, .y_scale = ACT_SCALE_LINEAR });
    assert_true(page.n < 60000);
    const char *path = strstr(page.at, "class=\"line s0");
    assert_non_null(path);
    char *end_of_path = strstr(path, "/>");
    double top = 1e9;
    for (const char *at = path; at && at < end_of_path; at = strpbrk(at + 1, "ML")) {
        double px, py;
        if (sscanf(at + 1, "%lf %lf", &px, &py) == 2 && py < top) top = py;
    }
    assert_true(top < 40); /* of 190: the peak is near the upper edge */
    free(x);
    free(y);
}

static unsigned value_of(char c)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return (unsigned)(strchr(digit, c) - digit);
}

static void pictures_are_png(void **state)
{
    (void)state;
    const unsigned char pixel[] = { 0, 128, 255, 1, 2, 3 };
    act_page_png(&page, pixel, 2, 3, 0);
    const char *text = strchr(page.at, ',') + 1;
    unsigned char file[400];
    size_t n = 0;
    for (; text[0] && text[1]; text += 4) {
        unsigned three = value_of(text[0]) << 18 | value_of(text[1]) << 12 | (text[2] == '=' ? 0 : value_of(text[2])) << 6 | (text[3] == '=' ? 0 : value_of(text[3]));
        for (int i = 0; i < 3 - (text[2] == '=') - (text[3] == '='); i++) file[n++] = (unsigned char)(three >> (16 - 8 * i));
    }
    assert_memory_equal(file, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\0\0\0\0", 29);
    uLong crc = crc32(crc32(0, NULL, 0), file + 12, 17);
    assert_true(file[29] == (crc >> 24 & 255) && file[32] == (crc & 255));
    unsigned length = (unsigned)file[35] << 8 | file[36];
    assert_memory_equal(file + 37, "IDAT", 4);
    unsigned char lines[8];
    uLongf got = sizeof lines;
    assert_int_equal(uncompress(lines, &got, file + 41, length), Z_OK);
    const unsigned char wanted[] = { 0, 0, 128, 255, 0, 1, 2, 3 };
    assert_memory_equal(lines, wanted, 8);
}

static void confusion_of_few_and_of_many(void **state)
{
    (void)state;
    const uint64_t few[] = { 8, 2, 0, 0 };
    act_page_confusion(&page, "c", (const char *const[]){ "cat", "d<g" }, 2, few);
    assert_page_has("80.0 %");
    assert_page_has("d&lt;g");
    uint64_t *many = calloc(50 * 50, sizeof *many);
    many[3 * 50 + 4] = 7;
    act_page_confusion(&page, "c", NULL, 50, many);
    assert_page_has("<td class=\"w\">3</td><td class=\"w\">4</td><td>7</td>");
    free(many);
}

static void pages_ask_nothing_of_others(void **state)
{
    (void)state;
    act_page_begin(&page, "t<", "s&");
    act_page_section(&page, "one", "note");
    act_chart_bars(&page, "bars", (const char *const[]){ "a", "b" }, (const double[]){ -1, NAN }, 2);
    act_page_section_end(&page);
    act_page_end(&page);
    assert_page_has("<title>t&lt;</title>");
    assert_page_has("default-src 'none'");
    assert_page_lacks("http:");
    assert_page_lacks("https:");
    assert_page_lacks("url(");
    assert_page_lacks("@import");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(text_is_escaped, end),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(axes_have_round_ends),
        cmocka_unit_test_teardown(charts_leave_gaps, end),
        cmocka_unit_test_teardown(charts_of_nothing_say_so, end),
        cmocka_unit_test_teardown(long_series_are_thinned_and_keep_their_peaks, end),
        cmocka_unit_test_teardown(pictures_are_png, end),
        cmocka_unit_test_teardown(confusion_of_few_and_of_many, end),
        cmocka_unit_test_teardown(pages_ask_nothing_of_others, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
