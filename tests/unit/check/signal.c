/* Signal propagation against published tables, against real random networks, and on what inputs look like. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "act/abi.h"
#include "graph/eval.h"
#include "stack.h"

static const double lecun = 1, he = M_SQRT2;

/* The gradient at the first weight layer against the last, for plain stacks of constant width and an input of second
 * moment 1. */
typedef struct Row {
    const char *name, *fn;
    double gain;
    uint32_t hidden;
    double ratio, tolerance; /* relative */
} Row;

static const Row rows[] = {
    {"sigmoid xavier", FN_SIGMOID, lecun, 5, 6.5e-4, 0.02},
    {"sigmoid xavier", FN_SIGMOID, lecun, 10, 4.8e-7, 0.02},
    {"sigmoid xavier", FN_SIGMOID, lecun, 20, 2.6e-13, 0.02},
    {"sigmoid xavier", FN_SIGMOID, lecun, 50, 4e-32, 0.1},
    {"sigmoid he", FN_SIGMOID, he, 20, 9.3e-11, 0.02},
    {"tanh xavier", FN_TANH, lecun, 5, 0.37, 0.02},
    {"tanh xavier", FN_TANH, lecun, 20, 0.19, 0.04},
    {"tanh 5/3", FN_TANH, 5.0 / 3, 20, 5.0, 0.02},
    {"tanh 5/3", FN_TANH, 5.0 / 3, 50, 88, 0.02},
    {"relu he", FN_RELU, he, 50, 1, 1e-6},
    {"relu xavier", FN_RELU, lecun, 5, 0.18, 0.03},
    {"relu xavier", FN_RELU, lecun, 20, 9.8e-4, 0.01},
    {"relu 1/(3n)", FN_RELU, 0.57735026919, 20, 1.6e-8, 0.04},
    {"elu he", FN_ELU, he, 20, 4.4, 0.02},
    /* lecun: (1.0507² (1/2 + 1.67326² e² Phi(-2)))^10 in closed form; he: by quadrature split at 0 */
    {"selu lecun", FN_SELU, lecun, 20, 1.9966, 1e-3},
    {"selu he", FN_SELU, he, 20, 23.840, 1e-3},
    {"gelu he", FN_GELU, he, 20, 0.062, 0.05},
    {"silu he", FN_SILU, he, 10, 0.13, 0.05},
    {"silu he", FN_SILU, he, 20, 4.3e-3, 0.03},
    {"softplus he", FN_SOFTPLUS, he, 20, 0.053, 0.03},
};

static void test_published_ratios(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Stack s = stack_new(rows[i].fn, rows[i].gain, rows[i].hidden, 64);
        SignalPath path = signal_path(stack_signal(&s), s.prediction);
        if (!(fabs(path.ratio / rows[i].ratio - 1) <= rows[i].tolerance))
            fail_msg("%s, %u layers: predicted %.4g, published %.4g", rows[i].name, rows[i].hidden, path.ratio,
                     rows[i].ratio);
        assert_int_equal(path.layers, rows[i].hidden + 1);
        arena_free(s.arena);
    }
}

/* ── a real network of the same kind: forward and backward by hand ── */
enum { WIDTH = 96, SAMPLES = 16, NETWORKS = 5 };

static double normal(uint64_t seed, uint32_t stream, uint64_t element)
{
    double a = eval_random(seed, 0, stream, 0, 2 * element), b = eval_random(seed, 0, stream, 0, 2 * element + 1);
    return sqrt(-2 * log(a + 1e-12)) * cos(2 * M_PI * b);
}

static void measure(const Stack *s, uint64_t seed, double gain, uint32_t hidden, double *ratio, double *rms)
{
    static double w[64][WIDTH][WIDTH], z[64][WIDTH], d[WIDTH], up[WIDTH];
    Sx slope;
    sx_gradient(s->g->sx, s->fn, 1, &slope);
    for (uint32_t l = 0; l <= hidden; l++)
        for (uint32_t i = 0; i < WIDTH * WIDTH; i++)
            w[l][i / WIDTH][i % WIDTH] = gain / sqrt(WIDTH) * normal(seed, l + 1, i);
    double first = 0, last = 0, square = 0;
    for (uint32_t k = 0; k < SAMPLES; k++) {
        double x[WIDTH];
        for (uint32_t i = 0; i < WIDTH; i++)
            x[i] = normal(seed, 100 + k, i);
        for (uint32_t l = 0; l <= hidden; l++) {
            for (uint32_t j = 0; j < WIDTH; j++) {
                z[l][j] = 0;
                for (uint32_t i = 0; i < WIDTH; i++)
                    z[l][j] += x[i] * w[l][i][j];
            }
            for (uint32_t j = 0; j < WIDTH; j++)
                x[j] = sx_eval(s->g->sx, s->fn, &z[l][j]);
        }
        for (uint32_t j = 0; j < WIDTH; j++) {
            square += z[hidden][j] * z[hidden][j];
            d[j] = normal(seed, 200 + k, j);
            last += d[j] * d[j];
        }
        for (uint32_t l = hidden; l > 0; l--) {
            for (uint32_t i = 0; i < WIDTH; i++) {
                up[i] = 0;
                for (uint32_t j = 0; j < WIDTH; j++)
                    up[i] += w[l][i][j] * d[j];
            }
            for (uint32_t i = 0; i < WIDTH; i++)
                d[i] = up[i] * sx_eval(s->g->sx, slope, &z[l - 1][i]);
        }
        for (uint32_t j = 0; j < WIDTH; j++)
            first += d[j] * d[j];
    }
    *ratio = sqrt(first / last);
    *rms = sqrt(square / (SAMPLES * WIDTH));
}

static void test_real_networks(void **state)
{
    (void)state;
    static const Row real[] = {
        {"sigmoid xavier", FN_SIGMOID, 1, 10, 0, 0}, {"tanh xavier", FN_TANH, 1, 20, 0, 0},
        {"relu he", FN_RELU, M_SQRT2, 20, 0, 0},     {"relu 1/(3n)", FN_RELU, 0.57735026919, 20, 0, 0},
        {"elu he", FN_ELU, M_SQRT2, 20, 0, 0},       {"selu lecun", FN_SELU, 1, 20, 0, 0},
    };
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        Stack s = stack_new(real[i].fn, real[i].gain, real[i].hidden, WIDTH);
        Signal *signal = stack_signal(&s);
        double predicted = signal_path(signal, s.prediction).ratio, size = signal_rms(signal, s.prediction);
        double ratio = 0, rms = 0; /* in decades, the mean over a few networks */
        for (uint64_t seed = 0; seed < NETWORKS; seed++) {
            double one_ratio, one_rms;
            measure(&s, seed, real[i].gain, real[i].hidden, &one_ratio, &one_rms);
            ratio += log10(one_ratio / predicted) / NETWORKS;
            rms += log10(one_rms / size) / NETWORKS;
        }
        if (!(fabs(ratio) < 0.3) || !(fabs(rms) < 0.3))
            fail_msg("%s: the gradient is off by %.2f decades, the signal by %.2f", real[i].name, ratio, rms);
        arena_free(s.arena);
    }
}

/* Norms, not values per element: a change of width is no change of the gradient. */
static void test_widths_do_not_count(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 8);
    uint32_t widths[] = {784, 512, 16, 300, 10};
    NodeId x = build_tensor(g, stack_tensor(g, "x", ROLE_INPUT, type_make(DT_F32, true, 1, widths), 0));
    for (int i = 0; i < 4; i++) {
        double deviation = (i == 3 ? 1 : M_SQRT2) / sqrt(widths[i]);
        const char *name = str_printf(arena, "w%d", i).p;
        NodeId w =
            build_tensor(g, stack_tensor(g, name, ROLE_PARAM, type_make(DT_F32, false, 2, widths + i), deviation));
        x = build_contract(g, CONTRACT_NN, x, w);
        if (i < 3)
            x = build_map(g, stack_fn(g->sx, FN_RELU, arena), &x, 1);
    }
    graph_root_add(g, ROOT_OUTPUT, x, 0, STR("y"));
    Signal *signal = signal_run(arena, facts_new(arena, g), &(SignalOptions){.prediction = &x, .n_prediction = 1});
    /* two relu layers of gain sqrt(2) keep the norm; the last, of gain 1, and the relu before it halve its square */
    assert_true(fabs(signal_path(signal, x).ratio - M_SQRT1_2) < 1e-6);
    assert_true(fabs(signal->value[x].second - 1) < 1e-6); /* the first layer doubles what each relu halves */
    arena_free(arena);
}

/* x + f(x), f of gain 1: the signal doubles, and so does the gradient's square. */
static void test_residual(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 8);
    uint32_t shape[] = {32, 32};
    NodeId x = build_tensor(g, stack_tensor(g, "x", ROLE_INPUT, type_make(DT_F32, true, 1, shape), 0)), input = x;
    for (int i = 0; i < 3; i++) {
        const char *name = str_printf(arena, "w%d", i).p;
        NodeId w = build_tensor(g, stack_tensor(g, name, ROLE_PARAM, type_make(DT_F32, false, 2, shape), 1 / sqrt(32)));
        x = build_add(g, x, build_contract(g, CONTRACT_NN, x, w));
    }
    graph_root_add(g, ROOT_OUTPUT, x, 0, STR("y"));
    Signal *signal = signal_run(arena, facts_new(arena, g), &(SignalOptions){.prediction = &x, .n_prediction = 1});
    assert_true(fabs(signal->value[x].second - 8) < 1e-9);
    assert_true(fabs(signal->gradient[input] - 8) < 1e-9);
    arena_free(arena);
}

/* x * sigmoid(x) written in two maps is silu, not a product of independent values. */
static void test_self_gate(void **state)
{
    (void)state;
    Stack s = stack_new(FN_SILU, 1.6765, 1, 32);
    NodeId gate = build_map1(s.g, SX_SIGMOID, s.product[0]), gated = build_mul(s.g, s.product[0], gate);
    graph_root_add(s.g, ROOT_OUTPUT, gated, 1, STR("gated"));
    NodeId two[] = {s.prediction, gated};
    Signal *signal =
        signal_run(s.arena, facts_new(s.arena, s.g), &(SignalOptions){.prediction = two, .n_prediction = 2});
    NodeId whole = graph_node(s.g, s.product[1])->in[0];
    assert_true(fabs(signal->value[gated].second - signal->value[whole].second) < 1e-9);
    assert_true(fabs(signal->value[gated].mean - signal->value[whole].mean) < 1e-9);
    arena_free(s.arena);
}

static void test_deviation_to_try(void **state)
{
    (void)state;
    Stack s = stack_new(FN_RELU, 1, 20, 64);
    double *deviation = arena_array(s.arena, double, s.g->tensors.n);
    for (uint32_t i = 0; i < s.g->tensors.n; i++)
        deviation[i] = i == 0 ? NAN : sqrt(2.0 / 64);
    SignalOptions options = {.prediction = &s.prediction, .n_prediction = 1, .deviation = deviation};
    Signal *signal = signal_run(s.arena, facts_new(s.arena, s.g), &options);
    assert_true(fabs(signal_path(signal, s.prediction).ratio - 1) < 1e-6);
    assert_true(signal_path(stack_signal(&s), s.prediction).ratio < 1e-2);
    arena_free(s.arena);
}

static void test_one_layer(void **state)
{
    (void)state;
    Stack s = stack_new(FN_RELU, 1, 0, 8);
    SignalPath path = signal_path(stack_signal(&s), s.prediction);
    assert_int_equal(path.layers, 1);
    assert_int_equal(path.first, path.last);
    assert_true(path.ratio == 1);
    arena_free(s.arena);
}

/* ── inputs ── */
static Moments input_of(double low, double high, const TransformUse *transform, uint32_t n)
{
    Arena *arena = arena_new();
    Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 8);
    uint32_t shape[] = {4};
    uint32_t index = stack_tensor(g, "x", ROLE_INPUT, type_make(DT_F32, true, 1, shape), 0);
    g->tensors.at[index].low = low;
    g->tensors.at[index].high = high;
    TrainUse train = {0};
    DataUse data = {0};
    train.data = &data;
    PartUse *part = vec_push(arena, &data.parts);
    part->name = STR("train");
    FieldUse *field = vec_push(arena, &part->fields);
    field->tensor = index + 1;
    for (uint32_t i = 0; i < n; i++)
        *vec_push(arena, &field->transforms) = transform[i];
    Moments m = signal_input(g, index, &train);
    arena_free(arena);
    return m;
}

static void test_inputs(void **state)
{
    (void)state;
    Moments m = input_of(1, 0, NULL, 0); /* nothing known */
    assert_true(m.mean == 0 && m.second == 1 && m.corr == 0);
    m = input_of(0, 1, NULL, 0);
    assert_true(fabs(m.mean - 0.5) < 1e-12 && fabs(m.second - 1.0 / 3) < 1e-12 && fabs(m.corr - 0.75) < 1e-12);
    m = input_of(-1, 1, NULL, 0);
    assert_true(m.mean == 0 && fabs(m.second - 1.0 / 3) < 1e-12 && m.corr == 0);
    m = input_of(0, 255, &(TransformUse){.kind = ACT_T_NORMALIZE}, 1);
    assert_true(m.mean == 0 && m.second == 1);
    m = input_of(1, 0, (TransformUse[]){{.kind = ACT_T_NORMALIZE}, {.kind = ACT_T_AFFINE, .a = 2, .b = 3}}, 2);
    assert_true(m.mean == 3 && m.second == 13);
    m = input_of(0, 1, &(TransformUse){.kind = ACT_T_AFFINE, .a = 1.0 / 255},
                 1); /* the range is what the model receives */
    assert_true(fabs(m.mean - 0.5) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_ratios),    cmocka_unit_test(test_real_networks),
        cmocka_unit_test(test_widths_do_not_count), cmocka_unit_test(test_residual),
        cmocka_unit_test(test_self_gate),           cmocka_unit_test(test_deviation_to_try),
        cmocka_unit_test(test_one_layer),           cmocka_unit_test(test_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
