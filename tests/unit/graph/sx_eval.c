/* Values: published numbers, NaN rules, stability far out, many points at once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"

#include "sx_pool.h" /* last: its names are parameters in the others */

static double at(Sx f, double a) { return sx_eval(p, f, (double[]){a, 0, 0}); }
static double at2(Sx f, double a, double b) { return sx_eval(p, f, (double[]){a, b}); }

static void near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 1e-12 * fmax(1, fabs(wanted))))
        fail_msg("%.17g is not %.17g", value, wanted);
}

/* Closed forms and values from tables of the functions involved (erf(1) = 0.84270079…, Phi(1) = 0.84134474…). */
static void published_values(void **state)
{
    (void)state;
    near(at(zoo_relu(p, x), -3), 0);
    near(at(zoo_relu(p, x), 3), 3);
    near(at(zoo_leaky_relu(p, x), -2), -0.02);
    near(at(zoo_elu(p, x), -1), -0.63212055882855767840);
    near(at(zoo_selu(p, x), 1), 1.0507009873554804934);
    near(at(zoo_selu(p, x), -1), -1.1113307378125627);
    near(at(zoo_gelu(p, x), 1), 0.84134474606854292578);
    near(at(zoo_gelu(p, x), -1), -0.15865525393145705142);
    near(at(zoo_gelu_tanh(p, x), 1), 0.84119199060827672);
    near(at(zoo_sigmoid(p, x), 1), 0.73105857863000487926);
    near(at(zoo_sigmoid(p, x), -5), 0.0066928509242848556);
    near(at(zoo_tanh(p, x), 1), 0.76159415595576488812);
    near(at(zoo_silu(p, x), 1), 0.73105857863000487926);
    near(at(zoo_silu(p, x), -1), -0.26894142136999512074);
    near(at(zoo_softplus(p, x), 0), 0.69314718055994530942);
    near(at(zoo_softplus(p, x), 1), 1.3132616875182228341);
    near(at(zoo_mish(p, x), 1), 0.86509838826731034612);
    near(at(zoo_mish(p, x), -1), -0.30340146137410895146);
    near(at(zoo_log_sigmoid(p, x), 0), -0.69314718055994530942);
    near(at(zoo_relu6(p, x), 8), 6);
    near(at(zoo_hard_sigmoid(p, x), 1), 4.0 / 6);
    near(at(zoo_hard_swish(p, x), 1), 4.0 / 6);
    near(at(zoo_hard_swish(p, x), -1.5), -0.375);
    near(at(zoo_hard_tanh(p, x), -7), -1);
    near(at(zoo_softsign(p, x), -3), -0.75);
    near(at2(zoo_bce_with_logits(p, x, y), 0, 1), 0.69314718055994530942);
    near(at2(zoo_huber(p, x, y), 3, 1), 1.5);
    near(at2(zoo_huber(p, x, y), 1.5, 1), 0.125);
}

static void primitives(void **state)
{
    (void)state;
    assert_true(at(sx_un(p, SX_FLOOR, x), -1.5) == -2);
    assert_true(at(sx_powi(p, x, 3), -2) == -8);
    assert_true(at(sx_powi(p, x, -2), 4) == 0.0625);
    assert_true(at(sx_powi(p, x, 13), 2) == 8192);
    assert_true(at2(sx_bin(p, SX_POW, x, y), 2, 0.5) == sqrt(2));
    assert_true(at2(sx_bin(p, SX_LT, x, y), 1, 2) == 1 && at2(sx_bin(p, SX_LT, x, y), 2, 2) == 0);
    assert_true(at2(sx_bin(p, SX_LE, x, y), 2, 2) == 1 && at2(sx_bin(p, SX_EQ, x, y), 2, 2) == 1);
    assert_true(at(sx_un(p, SX_EXPM1, x), 1e-20) == 1e-20);
    assert_true(at(sx_un(p, SX_LOG1P, x), 1e-20) == 1e-20);
    near(at(sx_un(p, SX_ERF, x), 1), 0.84270079294971486934);
}

static void nan_rules(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++)
        for (int op = SX_MIN; op <= SX_MAX; op++) {
            Sx f = sx_bin(p, (SxOp)op, x, y);
            assert_true(isnan(side ? at2(f, NAN, 1) : at2(f, 1, NAN)));
            assert_true(isnan(side ? at2(f, NAN, INFINITY) : at2(f, -INFINITY, NAN)));
        }
    for (int op = SX_LT; op <= SX_EQ; op++)
        assert_true(at2(sx_bin(p, (SxOp)op, x, y), NAN, NAN) == 0 && at2(sx_bin(p, (SxOp)op, x, y), 1, NAN) == 0);
    Sx choose = sx_select(p, x, sx_num(p, 1), sx_num(p, 2));
    assert_true(at(choose, NAN) == 1); /* not zero */
    assert_true(at(choose, -0.0) == 2);
    assert_true(at(zoo_leaky_relu(p, x), NAN) != at(zoo_leaky_relu(p, x), NAN));
    for (unsigned i = 0; i < ZOO_COUNT; i++) /* no activation swallows a NaN */
        assert_true(isnan(at(zoo[i].make(p, x), NAN)));
}

static void stable_far_out(void **state)
{
    (void)state;
    Sx softplus = zoo_softplus(p, x), gelu = zoo_gelu(p, x);
    near(at(softplus, 100), 100);
    assert_true(at(softplus, -100) > 3.7e-44 && at(softplus, -100) < 3.8e-44);
    assert_true(at(softplus, 1e6) == 1e6 && at(softplus, -1e6) == 0);
    assert_true(at(gelu, 100) == 100 && at(gelu, -100) == 0);
    for (unsigned i = 0; i < ZOO_COUNT; i++) {
        Sx f = zoo[i].make(p, x), slope;
        sx_gradient(p, f, 1, &slope);
        Sx lean = sx_simplify(p, slope);
        for (double a = 100; a < 2e5; a *= 10) /* 1000: exp overflows */
            for (int side = -1; side < 2; side += 2) {
                assert_true(isfinite(at(f, side * a)));
                assert_true(isfinite(at(slope, side * a)) && fabs(at(slope, side * a)) < 1.1);
                assert_true(isfinite(at(lean, side * a)) && fabs(at(lean, side * a)) < 1.1);
            }
    }
    Sx slope;
    sx_gradient(p, softplus, 1, &slope);
    assert_true(at(slope, 100) == 1 && at(slope, -100) > 3.7e-44 && at(slope, 0) == 0.5);
    sx_gradient(p, gelu, 1, &slope);
    assert_true(at(slope, 100) == 1 && at(slope, -100) == 0);
}

static void many_points(void **state)
{
    (void)state;
    Dice dice = {7};
    double a[200], b[200], c[200], out[200];
    for (unsigned k = 0; k < 200; k++)
        a[k] = dice_in(&dice, -3, 3), b[k] = dice_in(&dice, -3, 3), c[k] = dice_in(&dice, 0, 2);
    for (unsigned i = 0; i < 300; i++) {
        Sx f = dice_expression(p, &dice, 1 + dice_below(&dice, 20), NULL);
        size_t count = i % 201;
        sx_eval_many(p, f, (const double *const[]){a, b, c}, 3, count, out);
        for (size_t k = 0; k < count; k++) {
            double one = sx_eval(p, f, (double[]){a[k], b[k], c[k]});
            assert_true(out[k] == one || (isnan(out[k]) && isnan(one)));
        }
    }
    sx_eval_many(p, y, (const double *const[]){a}, 1, 3, out); /* an argument that is not there */
    assert_true(isnan(out[0]) && isnan(out[2]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(published_values, setup, teardown),
        cmocka_unit_test_setup_teardown(primitives, setup, teardown),
        cmocka_unit_test_setup_teardown(nan_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(stable_far_out, setup, teardown),
        cmocka_unit_test_setup_teardown(many_points, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
