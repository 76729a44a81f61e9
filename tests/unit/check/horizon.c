/* The signal through the steps of recurrent layers: gates with moments of their own, half-lives, gradients, against closed forms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/horizon.h"
#include "harness.h"
#include "ops/build.h"

typedef struct Looked {
    Checked c;
    const Model *model;
    Facts *facts;
    Signal *signal;
    Horizon horizon[4];
    uint32_t n;
} Looked;

/* A sequence of `steps` steps of eight numbers through the layer. */
static Looked look(const char *layer, unsigned steps)
{
    char text[512];
    snprintf(text, sizeof text,
             "model m {\n    input x : f32[%u, 8]\n    target y : f32[1]\n    loss mse(x |> %s |> linear(1), y)\n}\n", steps, layer);
    Looked l = {.c = check_text(text)};
    assert_int_equal(l.c.program->models.n, 1);
    l.model = l.c.program->models.at[0];
    assert_false(l.model->poisoned);
    l.facts = facts_new(l.c.arena, l.model->graph);
    l.signal = signal_of_model(l.c.arena, l.facts, l.model, NULL);
    l.n = horizon_find(l.facts, l.model, l.signal, l.horizon, 4);
    return l;
}

static double ratio(const Looked *l) { return horizon_ratio(l->facts, l->signal, &l->horizon[0], false).middle; }

static double ratio_of(const char *layer, unsigned steps)
{
    Looked l = look(layer, steps);
    double value = ratio(&l);
    arena_free(l.c.arena);
    return value;
}

#define near(a, b, relative) \
    do { \
        double got = (a), want = (b); \
        if (!(fabs(got - want) <= (relative) * fabs(want) + 1e-12)) \
            fail_msg("%s is %.6g, not %.6g", #a, got, want); \
    } while (0)

static void test_gates_have_moments_of_their_own(void **state)
{
    (void)state;
    Looked l = look("lstm(16, last = true, forget = 2)", 4);
    const Graph *g = l.model->graph;
    unsigned seen[4] = {0};
    for (NodeId id = 1; id < g->nodes.n; id++) {
        uint32_t axis;
        int64_t start, stop;
        if (!l.facts->live[id] || !build_is_slice(graph_node(g, id), &axis, &start, &stop) || axis != 0 || graph_type(g, id)->rank != 1)
            continue;
        assert_int_equal(stop - start, 16);
        near(l.signal->value[id].mean, start == 16 ? 2.0 : 0.0, 1e-9);
        assert_true(signal_deviation(l.signal, id) > 0.5);
        seen[start / 16]++;
    }
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(seen[i], i == 1 ? 3 : 4); /* before the first step there is nothing to forget */
    arena_free(l.c.arena);
}

/* With next to no weights a gate is the sigmoid of its bias: ln 2 / ln(1 + e^-b) steps. */
static void test_half_lives(void **state)
{
    static const double row[][2] = {{0, 1.0}, {1, 2.213}, {2, 5.461}, {3, 14.266}, {5, 103.2}};
    (void)state;
    for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
        char layer[128];
        snprintf(layer, sizeof layer, "lstm(8, weight = normal(0, 1e-6), recurrent = normal(0, 1e-6), forget = %g) |> flatten", row[i][0]);
        Looked l = look(layer, 6);
        assert_int_equal(l.n, 1);
        assert_true(l.horizon[0].gated && l.horizon[0].apart && !l.horizon[0].end_only);
        assert_int_equal(l.horizon[0].steps, 6);
        near(l.horizon[0].gate, row[i][0], 1e-9);
        near(horizon_half_life(&l.horizon[0]), row[i][1], 1e-3);
        arena_free(l.c.arena);
    }
}

/* relu hands back half of the square at every step, give or take what eleven drawn layers wander; weights of gain sqrt 2 make up for it. */
static void test_simple_layers(void **state)
{
    (void)state;
    Looked l = look("rnn(32, last = true, nonlinearity = relu)", 12);
    assert_int_equal(l.n, 1);
    assert_true(l.horizon[0].end_only && !l.horizon[0].gated);
    near(ratio(&l), pow(0.5, 10 / 2.0), 0.3);
    HorizonRatio band = horizon_ratio(l.facts, l.signal, &l.horizon[0], false);
    assert_true(band.low < band.middle && band.middle < band.high);
    arena_free(l.c.arena);
    near(ratio_of("rnn(128, last = true, nonlinearity = relu, recurrent = orthogonal(sqrt(2)))", 12), 1, 0.3);
    /* lengths are kept where f is next to a straight line */
    near(ratio_of("rnn(32, last = true, weight = normal(0, 1e-4))", 20), 1, 1e-4);
    near(ratio_of("rnn(32, last = true, weight = normal(0, 1e-4), recurrent = orthogonal(0.5))", 20), pow(0.5, 18), 1e-3);
}

/* With gates at their biases an lstm is linear, c += f c and a second way through the weights: (0.5 + a U)^k, of which both ways' sums of
 * squares add up for each number of times that the weights were taken, not for each of its ways. */
static void test_gated_layers_add_up_their_ways(void **state)
{
    (void)state;
    /* nothing from the inputs: i = f = o = 1/2, g' = 1, so a = 1/4; rows of U are orthonormal over four gates, a quarter of which is g's */
    double ways = 0, apart = 0, binomial = 1, k = 18;
    for (int j = 0; j <= (int)k; j++) {
        double term = pow(0.25, k - j) * pow(0.25 * 0.25 / 4, j);
        ways += binomial * binomial * term;
        apart += binomial * term;
        binomial *= (k - j) / (j + 1);
    }
    double measured = ratio_of("lstm(64, last = true, forget = 0, weight = normal(0, 1e-4))", 20);
    near(measured, sqrt(ways), 0.25);
    assert_true(measured > 2 * sqrt(apart));
    assert_true(ratio_of("lstm(16, last = true, forget = 6, weight = normal(0, 1e-4))", 60) > 0.8); /* a gate of 0.9975 keeps */
}

/* More steps, wider layers: a ratio is always a number, and work stays bounded. */
static void test_long_and_wide(void **state)
{
    (void)state;
    double far = ratio_of("lstm(200, last = true, forget = 2)", 400);
    assert_true(far > 1e-30 && far < 1e-8);
    assert_true(ratio_of("gru(1, last = true)", 5) > 0);
    assert_true(ratio_of("rnn(3, last = true, bias = false, bidirectional = true)", 5) > 0);
}

static void test_what_is_recurrent(void **state)
{
    (void)state;
    Looked l = look("gru(16, bidirectional = true) |> flatten", 5);
    assert_int_equal(l.n, 2);
    assert_true(l.horizon[0].gated && !l.horizon[0].apart); /* weights read its state */
    assert_int_not_equal(l.horizon[0].weight, l.horizon[1].weight);
    arena_free(l.c.arena);
    l = look("linear(8) |> relu |> linear(8) |> flatten", 5);
    assert_int_equal(l.n, 0);
    arena_free(l.c.arena);
    l = look("rnn(8, last = true)", 2); /* one product between two steps */
    assert_int_equal(l.n, 0);
    arena_free(l.c.arena);
}

/* What is cut off gets no gradient, and a border takes no part in the size of values. */
static void test_borders_and_slices(void **state)
{
    (void)state;
    Looked l = look("slice(2, 4) |> pad(1, 1) |> flatten", 8);
    const Graph *g = l.model->graph;
    double cut = 0, whole = 0, padded = 0;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        if (str_is(str_of(node->op->name), "slice")) {
            cut = signal_gradient_norm(l.signal, id);
            whole = signal_gradient_norm(l.signal, node->in[0]);
        }
        if (str_is(str_of(node->op->name), "pad"))
            padded = l.signal->value[id].second;
    }
    near(whole, cut, 1e-9);
    near(padded, 0.5, 1e-9);
    arena_free(l.c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gates_have_moments_of_their_own), cmocka_unit_test(test_half_lives),
        cmocka_unit_test(test_simple_layers),                   cmocka_unit_test(test_what_is_recurrent),
        cmocka_unit_test(test_borders_and_slices),             cmocka_unit_test(test_gated_layers_add_up_their_ways),
        cmocka_unit_test(test_long_and_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
