#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/tiny.h"
#include "graph/fresh.h"

#include <math.h>

/* ── graphs ── */
static void test_walk(void **state)
{
    (void)state;
    Graph *g = graph_new(arena, sx, STR("g"), 4);
    Tensor x = {.name = STR("x"), .role = ROLE_INPUT, .type = type_make(DT_F32, true, 1, (uint32_t[]){3})};
    Tensor w = {.name = STR("w"), .role = ROLE_PARAM, .type = type_scalar()};
    graph_tensor_add(g, &x);
    graph_tensor_add(g, &w);
    NodeId a = graph_add(g, &tiny_leaf, NULL, 0, &(AttrValue){.i = 0});
    NodeId b = graph_add(g, &tiny_leaf, NULL, 0, &(AttrValue){.i = 1});
    NodeId unused = graph_add(g, &tiny_map, &a, 1, &(AttrValue){.sx = sx_un(sx, SX_EXP, sx_arg(sx, 0))});
    NodeId y = graph_add(g, &tiny_map, (NodeId[]){a, b}, 2,
                         &(AttrValue){.sx = sx_mul(sx, sx_arg(sx, 0), sx_arg(sx, 1))});
    NodeId loss = graph_add(g, &tiny_total, &y, 1, NULL);
    graph_root_add(g, ROOT_LOSS, loss, 0, STR(""));
    assert_int_equal(graph_value_count(g, a, 2), 6);
    assert_int_equal(graph_value_count(g, loss, 2), 1);

    double data[] = {1, 2, 3, 4, 5, 6}, weight = 10;
    EvalEnv env = {.rows = 2, .tensor = (const double *[]){data, &weight}};
    double **value = graph_eval(arena, g, &env);
    assert_true(value[loss][0] == 210);
    assert_true(value[y][5] == 60);
    assert_null(value[unused]); /* no root needs it */
    env.rows = 1;
    assert_true(graph_eval(arena, g, &env)[loss][0] == 60);
}

/* ── Philox: the vectors published with Random123 (kat_vectors, philox4x32 10 rounds) ── */
static void check_words(uint64_t seed, uint64_t step, uint32_t stream, uint64_t sample, uint64_t block,
                        const uint32_t *word)
{
    for (uint64_t i = 0; i < 4; i++)
        assert_true(eval_random(seed, step, stream, sample, 4 * block + i) == (double)(word[i] >> 8) * 0x1p-24);
}

static void test_philox(void **state)
{
    (void)state;
    check_words(0, 0, 0, 0, 0, (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_words(UINT64_MAX, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
                (uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_words(0x299f31d0a4093822, 0x13198a2e, 0x03707344, 0x85a308d3, 0x243f6a88,
                (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/* the upper half of the step joins the stream's word */
static void test_philox_high_step(void **state)
{
    (void)state;
    const uint32_t word[] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    check_words(0x299f31d0a4093822, 0x037013198a2e, 0x7344, 0x85a308d3, 0x243f6a88, word);
}

/* ── fills ── */
static Tensor matrix(FillKind kind, double a, double b, uint32_t rows, uint32_t cols)
{
    Tensor t = {.name = STR("w"), .type = type_make(DT_F32, false, 2, (uint32_t[]){rows, cols}), .fill = {kind, a, b}};
    t.file_axis[1] = 1;
    return t;
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static void test_fill_constant(void **state)
{
    (void)state;
    Tensor t = matrix(FILL_CONSTANT, 0.1, 0, 3, 5);
    double out[15];
    eval_fill(&t, 3, 7, out);
    for (int i = 0; i < 15; i++)
        assert_true(out[i] == (double)0.1f);
}

/* The quantile is checked against its inverse, the C library's erfc, at each number drawn. */
static void test_fill_normal(void **state)
{
    (void)state;
    Tensor t = matrix(FILL_NORMAL, 1, 2, 100, 101);
    double *out = arena_array(arena, double, 10100), sum = 0, square = 0;
    eval_fill(&t, 5, 99, out);
    for (uint64_t i = 0; i < 10100; i++) {
        double z = (out[i] - 1) / 2;
        assert_true(fabs(normal_cdf(z) - eval_random(99, 0, 5, 0, i)) < 2e-7);
        sum += z;
        square += z * z;
    }
    assert_true(fabs(sum / 10100) < 0.03);
    assert_true(fabs(square / 10100 - 1) < 0.05);
}

static void test_fill_tails(void **state)
{
    (void)state;
    Tensor t = matrix(FILL_NORMAL, 0, 1, 1000, 1000);
    double *out = arena_array(arena, double, 1000000), far = 0;
    eval_fill(&t, 0, 1, out);
    for (uint64_t i = 0; i < 1000000; i++) {
        double u = eval_random(1, 0, 0, 0, i);
        assert_true(isfinite(out[i]));
        assert_true(fabs(normal_cdf(out[i]) - u) < 2e-7);
        far = fmax(far, fabs(out[i]));
    }
    assert_true(far > 4.4 && far < 6.5); /* a million draws reach about 4.9 */
}

static void test_fill_uniform(void **state)
{
    (void)state;
    Tensor t = matrix(FILL_UNIFORM, -0.5, 0.25, 50, 50);
    double *out = arena_array(arena, double, 2500);
    eval_fill(&t, 2, 11, out);
    for (uint64_t i = 0; i < 2500; i++) {
        assert_true(out[i] >= -0.5 && out[i] < 0.25);
        assert_true(fabs(out[i] - (-0.5 + 0.75 * eval_random(11, 0, 2, 0, i))) < 1e-7);
    }
    /* an interval so narrow, far from 0, that rounding reaches its end */
    Tensor narrow = matrix(FILL_UNIFORM, 1000, 1000.0001, 50, 50);
    eval_fill(&narrow, 2, 11, out);
    for (int i = 0; i < 2500; i++)
        assert_true(out[i] < 1000.0001);
}

static void test_fill_truncated(void **state)
{
    (void)state;
    Tensor t = matrix(FILL_TRUNCATED_NORMAL, 3, 0.5, 100, 100);
    double *out = arena_array(arena, double, 10000), low = 9, high = -9;
    eval_fill(&t, 0, 42, out);
    for (uint64_t i = 0; i < 10000; i++) {
        double z = (out[i] - 3) / 0.5, inside = (normal_cdf(z) - normal_cdf(-2)) / (normal_cdf(2) - normal_cdf(-2));
        assert_true(fabs(inside - eval_random(42, 0, 0, 0, i)) < 5e-7);
        low = fmin(low, z);
        high = fmax(high, z);
    }
    assert_true(low >= -2 && low < -1.99 && high <= 2 && high > 1.99);
}

static void check_orthogonal(uint32_t rows, uint32_t cols, double gain)
{
    Tensor t = matrix(FILL_ORTHOGONAL, gain, 0, rows, cols);
    double *w = arena_array(arena, double, rows * cols);
    eval_fill(&t, 1, 5, w);
    bool tall = rows > cols;
    uint32_t n = tall ? cols : rows, length = tall ? rows : cols;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            double dot = 0;
            for (uint32_t k = 0; k < length; k++)
                dot += tall ? w[k * cols + i] * w[k * cols + j] : w[i * cols + k] * w[j * cols + k];
            assert_true(fabs(dot - (i == j ? gain * gain : 0)) < 1e-6);
        }
}

static void test_fill_orthogonal(void **state)
{
    (void)state;
    check_orthogonal(8, 8, 1);
    check_orthogonal(20, 7, 2);
    check_orthogonal(7, 20, 0.5);
    check_orthogonal(1, 5, 1);
}

/* The numbers belong to elements in file order: a permuted layout holds the same ones elsewhere. */
static void test_fill_order(void **state)
{
    (void)state;
    double file[6], inside[6];
    Tensor plain = matrix(FILL_NORMAL, 0, 1, 3, 2); /* [out 3][in 2], as the file has it */
    Tensor linear = matrix(FILL_NORMAL, 0, 1, 2, 3); /* [in 2][out 3] inside */
    linear.file_axis[0] = 1;
    linear.file_axis[1] = 0;
    eval_fill(&plain, 0, 3, file);
    eval_fill(&linear, 0, 3, inside);
    for (int o = 0; o < 3; o++)
        for (int i = 0; i < 2; i++)
            assert_true(inside[i * 3 + o] == file[o * 2 + i]);
}

/* Behind a flattened image the file's input axis runs over (channel, row, column), the inside one over
 * (row, column, channel). */
static void test_fill_flattened(void **state)
{
    (void)state;
    enum { H = 2, W = 3, C = 4, OUT = 5, IN = H * W * C };
    double file[OUT * IN], inside[OUT * IN];
    Tensor plain = matrix(FILL_UNIFORM, 0, 1, OUT, IN);
    Tensor linear = matrix(FILL_UNIFORM, 0, 1, IN, OUT);
    linear.file_axis[0] = 1;
    linear.file_axis[1] = 0;
    linear.flat_rank = 3;
    linear.flat[0] = H;
    linear.flat[1] = W;
    linear.flat[2] = C;
    eval_fill(&plain, 0, 3, file);
    eval_fill(&linear, 0, 3, inside);
    for (int o = 0; o < OUT; o++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                for (int k = 0; k < C; k++)
                    assert_true(inside[((y * W + x) * C + k) * OUT + o] == file[o * IN + (k * H + y) * W + x]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_philox_high_step),
        cmocka_unit_test(test_fill_constant),
        cmocka_unit_test_setup_teardown(test_fill_normal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fill_tails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fill_uniform, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fill_truncated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fill_orthogonal, setup, teardown),
        cmocka_unit_test(test_fill_order),
        cmocka_unit_test(test_fill_flattened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
