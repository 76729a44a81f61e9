/* Dead and saturated units, initial losses and first updates against closed forms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/forecast.h"
#include "harness.h"
#include "stack.h"

static void near(double got, double wanted, double slack)
{
    if (!(fabs(got - wanted) <= slack * fmax(1e-12, fabs(wanted))))
        fail_msg("%.12g, not %.12g", got, wanted);
}

/* One number: E log Σ e^z = E z = 0. Two: E max + E log1p(e^-|d|), d of variance 2 s²; many and small: ln k + s²/2. */
static void test_logsumexp(void **state)
{
    (void)state;
    for (double s = 0.5; s < 40; s *= 3)
        assert_true(fabs(forecast_logsumexp(1, s)) < 1e-3 * s);
    near(forecast_logsumexp(10, 0.01), log(10) + 0.01 * 0.01 * 0.45, 1e-4); /* less the variance of the mean */
    near(forecast_logsumexp(1000, 0.5), log(1000) + 0.125, 1e-3);
    near(forecast_logsumexp(2, 30), 30 / sqrt(3.14159265358979), 1e-2); /* E max of two */
    near(forecast_logsumexp(10, 49), 49 * 1.53875, 1e-2);               /* E max of ten: 1.53875 */
    near(forecast_logsumexp(10, 0), log(10), 1e-6);
}

/* Uncorrelated samples: a relu unit is dead with probability 2^-n. Fully correlated ones: one half. */
static void test_dead(void **state)
{
    (void)state;
    Stack s = stack_new(FN_RELU, M_SQRT2, 1, 32);
    Signal *signal = stack_signal(&s);
    NodeId relu = graph_node(s.g, s.product[1])->in[0];
    for (uint32_t n = 1; n <= 8; n++)
        near(forecast_dead(signal, relu, n), pow(0.5, n), 1e-6);
    signal->value[s.product[0]].corr = 1;
    near(forecast_dead(signal, relu, 256), 0.5, 2e-2);
    signal->value[s.product[0]].corr = 0.5; /* two samples: 1/4 + asin(c) / 2π = 1/3 */
    near(forecast_dead(signal, relu, 2), 1.0 / 3, 1e-5);
    assert_true(forecast_dead(signal, s.product[1], 256) == 0);
    arena_free(s.arena);
    Stack smooth = stack_new(FN_GELU, M_SQRT2, 1, 32);
    assert_true(forecast_dead(stack_signal(&smooth), graph_node(smooth.g, smooth.product[1])->in[0], 1) == 0);
    arena_free(smooth.arena);
}

/* tanh' < 1/100 beyond ±2.993: twice the normal tail. */
static void test_saturated(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    SxPool *sx = sx_pool_new(arena);
    Sx tanh = stack_fn(sx, FN_TANH, arena);
    for (double s = 0.5; s < 20; s *= 2)
        assert_true(fabs(forecast_flat(sx, tanh, 1, 0, s) - erfc(2.9932 / s / M_SQRT2)) < 0.02);
    arena_free(arena);
}

static const LossCall *only_loss(const Checked *c) { return &c->program->models.at[0]->losses.at[0]; }

static double loss_of(const char *text)
{
    Checked c = check_text(text);
    const Model *model = c.program->models.at[0];
    Facts *facts = facts_new(c.arena, model->graph);
    Signal *signal = signal_of_model(c.arena, facts, model, NULL);
    double loss = forecast_loss(model, facts, signal, only_loss(&c));
    arena_free(c.arena);
    return loss;
}

static void test_losses(void **state)
{
    (void)state;
    near(loss_of("model m {\n input x : f32[4]\n target y : class(10)\n"
                 " loss cross_entropy(x |> linear(10, weight = zeros), y)\n}\n"),
         log(10), 1e-4);
    near(loss_of("model m {\n input x : f32[4]\n target y : binary[1]\n"
                 " loss bce_with_logits(x |> linear(1, weight = zeros), y)\n}\n"),
         log(2), 1e-6);
    near(loss_of("model m {\n input x : f32[4]\n target y : f32[1]\n"
                 " loss mse(x |> linear(1, weight = normal(0, 0.5)), y)\n}\n"),
         2, 1e-6); /* variance 1 against variance 1 */
}

/* Adam's first step is its rate, whatever the gradient; SGD's is rate times gradient. */
static void test_updates(void **state)
{
    (void)state;
    static const char *const head = "model m {\n input x : f32[100]\n target y : f32[1]\n"
                                    " loss mse(x |> linear(1, weight = normal(0, 0.1), bias = false), y)\n}\n"
                                    "train m {\n batch 1\n epochs 1\n optimizer ";
    static const struct {
        const char *optimizer;
        double update;
    } row[] = {{"adam(lr = 0.001)\n}\n", 0.001 / 0.1},
               /* dL/dp = 2 (p - y), E² = 4 (1 + 1); the weight's gradient is that times x */
               {"sgd(lr = 0.01)\n}\n", 0.01 * 2.8284271247 / 0.1},
               /* 64 samples with E x² = 1/3 and E x x' = 1/4, so E p p' = 100 0.01 / 4:
                * E² = 4 (1/3 + 1) 1/3 / 64 + 63/64 4 1/4 1/4 */
               {" in [0, 1]", 0.01 * 0.5233274 / 0.1}};
    for (size_t i = 0; i < 3; i++) {
        Arena *arena = arena_new();
        Checked c = check_text(i < 2 ? str_printf(arena, "%s%s", head, row[i].optimizer).p
                                     : "model m {\n input x : f32[100] in [0, 1]\n target y : f32[1]\n"
                                       " loss mse(x |> linear(1, weight = normal(0, 0.1), bias = false), y)\n}\n"
                                       "train m {\n batch 64\n epochs 1\n optimizer sgd(lr = 0.01)\n}\n");
        const Model *model = c.program->models.at[0];
        Facts *facts = facts_new(c.arena, model->graph);
        Signal *signal = signal_of_model(c.arena, facts, model, NULL);
        int weight = -1;
        for (uint32_t t = 0; t < model->graph->tensors.n; t++)
            weight = model->graph->tensors.at[t].weight ? (int)t : weight;
        assert_true(weight >= 0);
        near(forecast_update(model, facts, signal, (uint32_t)weight), row[i].update, 1e-3);
        arena_free(c.arena);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logsumexp), cmocka_unit_test(test_dead),    cmocka_unit_test(test_saturated),
        cmocka_unit_test(test_losses),    cmocka_unit_test(test_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
