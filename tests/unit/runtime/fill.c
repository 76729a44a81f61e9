#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/core/layout.h"
#include "../../../runtime/core/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* a linear layer's weight: inside [in][out], in files [out][in] */
static ActTensor weight(uint32_t in, uint32_t out, ActLayout layout, uint32_t panel)
{
    ActTensor t = { .name = "w",
                    .role = ACT_PARAM,
                    .layout = layout,
                    .rank = 2,
                    .dim = { in, out },
                    .file_axis = { 1, 0 },
                    .panel = panel };
    t.bytes = act_layout_bytes(&t);
    return t;
}

static float *filled(const ActTensor *t, const ActFill *fill, uint64_t seed)
{
    float *block = malloc(t->bytes);
    assert_non_null(block);
    memset(block, 0x7f, t->bytes);
    assert_int_equal(act_fill(t, block, fill, seed), ACT_OK);
    return block;
}

/* element (r, c) of the inside matrix, straight from the formula of abi.h */
static float at(const ActTensor *t, const float *block, uint32_t r, uint32_t c)
{
    uint32_t rows = t->dim[0], cols = t->dim[1], panel = t->panel;
    return t->layout == ACT_ROWS ? block[r * cols + c] : block[((c / panel) * rows + r) * panel + c % panel];
}

static void values_follow_file_order_in_every_layout(void **state)
{
    (void)state;
    const ActFill fill = { ACT_FILL_NORMAL, 3, 0.5, 2.0 };
    const uint32_t panels[] = { 4, 8, 16 };
    for (size_t p = 0; p <= 3; p++) {
        ActTensor t = p == 3 ? weight(7, 10, ACT_ROWS, 0) : weight(7, 10, ACT_PANELS, panels[p]);
        float *block = filled(&t, &fill, 42);
        for (uint32_t o = 0; o < 10; o++)
            for (uint32_t i = 0; i < 7; i++) {
                double u = act_random_open(act_random_word(42, 3, 0, 0, (uint64_t)o * 7 + i));
                assert_true(at(&t, block, i, o) == (float)(0.5 + 2.0 * act_random_normal(u)));
            }
        free(block);
    }
}

static void padding_is_zero(void **state)
{
    (void)state;
    ActTensor t = weight(3, 5, ACT_PANELS, 4);
    assert_int_equal(t.bytes, 3 * 8 * 4);
    float *block = filled(&t, &(ActFill){ ACT_FILL_CONSTANT, 0, 7, 0 }, 1);
    int sevens = 0;
    for (size_t i = 0; i < t.bytes / 4; i++) {
        assert_true(block[i] == 7 || block[i] == 0);
        sevens += block[i] == 7;
    }
    assert_int_equal(sevens, 15);
    free(block);
}

/* behind a flattened image of 2 x 3 pixels and 4 channels, the file runs over (channel, y, x) */
static void flattened_images_are_permuted(void **state)
{
    (void)state;
    const ActFill fill = { ACT_FILL_UNIFORM, 0, 0, 1 };
    ActTensor t = weight(24, 5, ACT_PANELS, 4);
    t.flat_rank = 3;
    t.flat[0] = 2, t.flat[1] = 3, t.flat[2] = 4;
    float *block = filled(&t, &fill, 9);
    for (uint32_t o = 0; o < 5; o++)
        for (uint32_t y = 0; y < 2; y++)
            for (uint32_t x = 0; x < 3; x++)
                for (uint32_t k = 0; k < 4; k++) {
                    uint64_t file = (uint64_t)o * 24 + (k * 2 + y) * 3 + x;
                    float expected = act_random_unit(act_random_word(9, 0, 0, 0, file));
                    assert_true(at(&t, block, (y * 3 + x) * 4 + k, o) == expected);
                }
    free(block);
}

/* a convolution's weight: inside [kh][kw][in][out], in files [out][in][kh][kw] */
static void four_axes_are_permuted(void **state)
{
    (void)state;
    ActTensor t = {
        .name = "conv", .layout = ACT_PANELS, .rank = 4, .dim = { 3, 2, 5, 6 }, .file_axis = { 3, 2, 0, 1 }, .panel = 4
    };
    t.bytes = act_layout_bytes(&t);
    float *block = filled(&t, &(ActFill){ ACT_FILL_UNIFORM, 1, 0, 1 }, 5);
    uint64_t file = 0;
    for (uint32_t o = 0; o < 6; o++)
        for (uint32_t i = 0; i < 5; i++)
            for (uint32_t y = 0; y < 3; y++)
                for (uint32_t x = 0; x < 2; x++, file++) {
                    uint32_t row = (y * 2 + x) * 5 + i;
                    float got = block[((o / 4) * 30 + row) * 4 + o % 4];
                    assert_true(got == act_random_unit(act_random_word(5, 1, 0, 0, file)));
                }
    free(block);
}

static void moments_are_as_asked(void **state)
{
    (void)state;
    ActTensor t = weight(400, 500, ACT_PANELS, 16);
    const struct { ActFill fill; double mean, deviation, low, high; } want[] = {
        { { ACT_FILL_NORMAL, 0, 1, 3 }, 1, 3, -INFINITY, INFINITY },
        { { ACT_FILL_UNIFORM, 0, -2, 4 }, 1, 6 / sqrt(12), -2, 3.9999998 },
        { { ACT_FILL_TRUNCATED_NORMAL, 0, -1, 2 }, -1, 2 * 0.8796256610342398, -5, 3 },
    };
    for (size_t k = 0; k < 3; k++) {
        float *block = filled(&t, &want[k].fill, 11);
        double sum = 0, square = 0;
        for (uint32_t r = 0; r < 400; r++)
            for (uint32_t c = 0; c < 500; c++) {
                double x = (double)at(&t, block, r, c);
                assert_true(x >= want[k].low && x <= want[k].high);
                sum += x;
                square += x * x;
            }
        double mean = sum / 200000, deviation = sqrt(square / 200000 - mean * mean);
        assert_true(fabs(mean - want[k].mean) < 0.02);
        assert_true(fabs(deviation - want[k].deviation) < 0.02);
        free(block);
    }
}

static void uniform_excludes_its_upper_end(void **state)
{
    (void)state;
    ActTensor t = weight(100, 100, ACT_ROWS, 0);
    float *block =
        filled(&t, &(ActFill){ ACT_FILL_UNIFORM, 0, 1000.0, 1000.0001220703125 }, 1); /* two floats wide at most */
    for (size_t i = 0; i < 10000; i++) assert_true(block[i] >= 1000.0f && block[i] < 1000.0001220703125f);
    free(block);
}

static void orthogonal_is_orthogonal(void **state)
{
    (void)state;
    const uint32_t sizes[][2] = { { 6, 6 }, { 10, 4 }, { 4, 10 }, { 1, 5 }, { 5, 1 }, { 1, 1 } };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t in = sizes[s][0], out = sizes[s][1];
        ActTensor t = weight(in, out, ACT_PANELS, 8);
        float *block = filled(&t, &(ActFill){ ACT_FILL_ORTHOGONAL, 2, 1.5, 0 }, 3);
        int by_rows = out < in; /* the shorter side, of the file's [out][in], is orthonormal */
        uint32_t n = by_rows ? out : in, length = by_rows ? in : out;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < n; b++) {
                double sum = 0;
                for (uint32_t i = 0; i < length; i++)
                    sum += by_rows ? (double)at(&t, block, i, a) * (double)at(&t, block, i, b)
                                   : (double)at(&t, block, a, i) * (double)at(&t, block, b, i);
                assert_true(fabs(sum - (a == b ? 2.25 : 0)) < 1e-6);
            }
        free(block);
    }
}

/* Q's columns span the Gaussian's with a positive diagonal: gaussian column 0 is a positive multiple of Q's */
static void orthogonal_keeps_the_sign_of_the_draw(void **state)
{
    (void)state;
    ActTensor t = weight(2, 8, ACT_ROWS, 0); /* in files [8][2]: tall */
    for (uint64_t seed = 0; seed < 20; seed++) {
        float *block = filled(&t, &(ActFill){ ACT_FILL_ORTHOGONAL, 2, 1, 0 }, seed);
        for (uint32_t o = 0; o < 8; o++) {
            double g = act_random_normal(act_random_open(act_random_word(seed, 2, 0, 0, (uint64_t)o * 2)));
            assert_true((double)at(&t, block, 0, o) * g > 0);
        }
        free(block);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    ActTensor t = weight(2, 2, ACT_ROWS, 0), small = t, vector = t;
    float block[4];
    ActFill fill = { ACT_FILL_CONSTANT, 0, 1, 0 };
    small.bytes = 12;
    vector.rank = 1;
    vector.file_axis[0] = 0;
    assert_int_equal(act_fill(NULL, block, &fill, 0), ACT_E_ARGUMENT);
    assert_int_equal(act_fill(&t, NULL, &fill, 0), ACT_E_ARGUMENT);
    assert_int_equal(act_fill(&small, block, &fill, 0), ACT_E_ARGUMENT);
    fill.kind = ACT_FILL_ORTHOGONAL;
    assert_int_equal(act_fill(&vector, block, &fill, 0), ACT_E_ARGUMENT);
    fill.kind = 99;
    assert_int_equal(act_fill(&t, block, &fill, 0), ACT_E_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_file_order_in_every_layout),
        cmocka_unit_test(padding_is_zero),
        cmocka_unit_test(flattened_images_are_permuted),
        cmocka_unit_test(four_axes_are_permuted),
        cmocka_unit_test(moments_are_as_asked),
        cmocka_unit_test(uniform_excludes_its_upper_end),
        cmocka_unit_test(orthogonal_is_orthogonal),
        cmocka_unit_test(orthogonal_keeps_the_sign_of_the_draw),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
