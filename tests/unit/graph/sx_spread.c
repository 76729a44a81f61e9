/* Moments for signal propagation: against the adaptive rule, closed forms, and the correlation map of relu. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"

#include "sx_pool.h" /* last: its names are parameters in the others */

static void near(const char *what, double got, double wanted, double slack)
{
    if (!(fabs(got - wanted) <= slack * fmax(1e-3, fabs(wanted))))
        fail_msg("%s is %.15g, not %.15g", what, got, wanted);
}

static void as_the_adaptive_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++)
        for (double mean = -1; mean <= 1; mean += 0.5)
            for (double deviation = 0.125; deviation <= 8; deviation *= 2) {
                Sx f = zoo[i].make(p, x);
                SxMoments exact = sx_gauss(p, f, 0, NULL, mean, deviation);
                SxMoments square = sx_gauss(p, sx_mul(p, f, f), 0, NULL, mean, deviation);
                SxSpread got = sx_spread(p, f, 0, NULL, mean, deviation, 0.5);
                if (!isfinite(exact.second) || exact.second > 1e12)
                    continue; /* exp of an exp has no moments to speak of */
                near(zoo[i].name, got.mean, exact.mean, 1e-6);
                near(zoo[i].name, got.second, exact.second, 1e-6);
                near(zoo[i].name, got.fourth, square.second, 1e-6);
                near(zoo[i].name, got.slope2, exact.slope2, 1e-6);
            }
}

/* E relu(Z) relu(Z') = (sqrt(1 - c²) + c (π - acos c)) / 2π (Cho and Saul 2009). */
static void correlation_of_relu(void **state)
{
    (void)state;
    for (double c = 0; c <= 1; c += 1.0 / 64) {
        double wanted = (sqrt(1 - c * c) + c * (3.14159265358979323846 - acos(c))) / (2 * 3.14159265358979323846);
        SxSpread got = sx_spread(p, zoo_relu(p, x), 0, NULL, 0, 1, c);
        near("cross", got.cross, wanted, 1e-4);
        near("what is not shared", 0.5 - got.cross, 0.5 - wanted, 2e-2);
    }
    for (double gap = 0.1; gap > 1e-5; gap /= 4) {
        double c = 1 - gap;
        double wanted = (sqrt(1 - c * c) + c * (3.14159265358979323846 - acos(c))) / (2 * 3.14159265358979323846);
        double got = sx_spread(p, zoo_relu(p, x), 0, NULL, 0, 1, c).cross;
        if (!(fabs((0.5 - got) / (0.5 - wanted) - 1) < 2e-2))
            fail_msg("at 1 - %g the difference is %g, not %g", gap, 0.5 - got, 0.5 - wanted);
    }
}

/* E sign(Z) sign(Z') = 2 / π asin c: a jump. */
static void correlation_of_a_step(void **state)
{
    (void)state;
    Sx step = zoo_positive(p, x, sx_num(p, 1), sx_num(p, -1));
    for (double c = 0; c < 1; c += 1.0 / 16)
        near("cross", sx_spread(p, step, 0, NULL, 0, 1, c).cross, 2 / 3.14159265358979323846 * asin(c), 1e-2);
}

/* E Z² Z'² = 1 + 2 c², and with a mean m the linear term 4 m² c comes in. */
static void correlation_of_a_square(void **state)
{
    (void)state;
    for (double c = 0; c <= 1; c += 0.125)
        for (double m = -2; m <= 2; m += 1)
            near("cross", sx_spread(p, sx_mul(p, x, x), 0, NULL, m, 1, c).cross,
                 (m * m + 1) * (m * m + 1) + 4 * m * m * c + 2 * c * c, 1e-9);
}

static void at_a_point(void **state)
{
    (void)state;
    SxSpread got = sx_spread(p, zoo_sigmoid(p, x), 0, NULL, 0, 0, 0.5);
    near("mean", got.mean, 0.5, 1e-12);
    near("cross", got.cross, 0.25, 1e-12);
    near("slope4", got.slope4, 1.0 / 256, 1e-12);
}

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++)
        for (double deviation = 1e-3; deviation < 20; deviation *= 1.37) {
            Sx f = zoo[i].make(p, x);
            SxSpread exact = sx_spread(p, f, 0, NULL, 0, deviation, 0), got = sx_spread_near(p, f, deviation);
            if (!isfinite(exact.second) || exact.fourth > 1e12)
                continue;
            near(zoo[i].name, got.second, exact.second, 1e-3);
            near(zoo[i].name, got.slope2, exact.slope2, 1e-3);
        }
}

/* Answers are kept; more of them than there is room for, and the first ones once more. */
static void asked_again(void **state)
{
    (void)state;
    Sx f = sx_un(p, SX_TANH, x), other = sx_un(p, SX_TANH, sx_arg(p, 1)); /* of another argument: never kept */
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 5000; i += round ? 500 : 1) {
            double mean = i % 7 * 0.1, deviation = 0.5 + i * 1e-4;
            SxSpread got = sx_spread(p, f, 0, NULL, mean, deviation, 0.5);
            if (i % 500 != 0)
                continue;
            SxSpread exact = sx_spread(p, other, 1, (double[]){0, 0}, mean, deviation, 0.5);
            assert_true(got.mean == exact.mean && got.second == exact.second && got.slope4 == exact.slope4);
            assert_true(got.cross == exact.cross);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_the_adaptive_rule, setup, teardown),
        cmocka_unit_test_setup_teardown(correlation_of_relu, setup, teardown),
        cmocka_unit_test_setup_teardown(correlation_of_a_step, setup, teardown),
        cmocka_unit_test_setup_teardown(correlation_of_a_square, setup, teardown),
        cmocka_unit_test_setup_teardown(at_a_point, setup, teardown),
        cmocka_unit_test_setup_teardown(table, setup, teardown),
        cmocka_unit_test_setup_teardown(asked_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
