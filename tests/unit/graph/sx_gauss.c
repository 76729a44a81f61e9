/* Moments under a Gaussian: closed forms, the table of activations, kinks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"

#include "sx_pool.h" /* last: its names are parameters in the others */

static void near(const char *what, double got, double wanted, double slack)
{
    if (!(fabs(got - wanted) <= slack * fmax(1, fabs(wanted))))
        fail_msg("%s is %.15g, not %.15g", what, got, wanted);
}

static double density(double z) { return exp(-z * z / 2) / sqrt(2 * 3.14159265358979323846); }
static double below(double z) { return erfc(-z / sqrt(2)) / 2; } /* Phi */

/* E max(Z, 0) = m Phi(m/s) + s phi(m/s), E max(Z, 0)² = (m² + s²) Phi(m/s) + m s phi(m/s). */
static void relu_in_closed_form(void **state)
{
    (void)state;
    for (double m = -6; m <= 6; m += 1.5)
        for (double s = 0.01; s < 2000; s *= 7) {
            SxMoments got = sx_gauss(p, zoo_relu(p, x), 0, NULL, m, s);
            double cut = m / s, scale = fmax(1, s * s);
            near("mean", got.mean / scale, (m * below(cut) + s * density(cut)) / scale, 1e-10);
            near("second", got.second / scale, ((m * m + s * s) * below(cut) + m * s * density(cut)) / scale, 1e-10);
            near("slope", got.slope, below(cut), 1e-10);
            near("slope2", got.slope2, below(cut), 1e-10);
        }
}

static void other_closed_forms(void **state)
{
    (void)state;
    for (double m = -1; m <= 1; m += 0.5)
        for (double s = 0.25; s <= 4; s *= 2) {
            SxMoments e = sx_gauss(p, sx_un(p, SX_EXP, x), 0, NULL, m, s); /* E exp(kZ) = exp(km + k² s² / 2) */
            near("exp", e.mean / exp(m + s * s / 2), 1, 1e-9);
            near("exp²", e.second / exp(2 * m + 2 * s * s), 1, 1e-9);
            SxMoments w = sx_gauss(p, sx_un(p, SX_SIN, x), 0, NULL, m, s);
            near("sin", w.mean, sin(m) * exp(-s * s / 2), 1e-10);
            near("sin²", w.second, (1 - cos(2 * m) * exp(-2 * s * s)) / 2, 1e-10);
            near("cos", w.slope, cos(m) * exp(-s * s / 2), 1e-10);
            SxMoments q = sx_gauss(p, sx_powi(p, x, 2), 0, NULL, m, s);
            near("x²", q.mean, m * m + s * s, 1e-10);
            near("x⁴", q.second, m * m * m * m + 6 * m * m * s * s + 3 * s * s * s * s, 1e-10);
            SxMoments n = sx_gauss(p, sx_un(p, SX_ERF, x), 0, NULL, m, s); /* E erf(Z) = erf(m / sqrt(1 + 2 s²)) */
            near("erf", n.mean, erf(m / sqrt(1 + 2 * s * s)), 1e-10);
            SxMoments a = sx_gauss(p, sx_un(p, SX_ABS, x), 0, NULL, m, s);
            near("|x|", a.mean, m * (1 - 2 * below(-m / s)) + 2 * s * density(m / s), 1e-10);
            near("|x|'", a.slope, 1 - 2 * below(-m / s), 1e-10);
        }
    double l = 1.0507009873554804934, al = 1.6732632423543772848; /* selu, in pieces */
    SxMoments u = sx_gauss(p, zoo_selu(p, x), 0, NULL, 0, 1);
    near("selu", u.mean, 0, 1e-9);
    near("selu²", u.second, 1, 1e-9);
    near("selu'²", u.slope2, l * l * (0.5 + al * al * exp(2) * below(-2)), 1e-9);
    /* a steep step, nearly a jump: symmetric about 0.5, so E s(60 (Z - 0.5)) is half for a Z centred there */
    Sx steep = sx_un(p, SX_SIGMOID, zoo_times(p, 60, zoo_plus(p, x, -0.5)));
    near("steep", sx_gauss(p, steep, 0, NULL, 0.5, 3).mean, 0.5, 1e-10);
    /* and 0.3 aside: E Phi(L - 0.3) with L logistic of scale 1 / 60, by the moments of L */
    double s2 = 3.14159265358979323846 * 3.14159265358979323846 / 3600, phi = density(0.3);
    double series = below(-0.3) + s2 / 3 / 2 * 0.3 * phi + 7.0 / 15 * s2 * s2 / 24 * (0.027 - 0.9) * phi;
    near("steep, aside", sx_gauss(p, steep, 0, NULL, 0.2, 1).mean, series, 1e-8);
    /* a jump: E [Z < 0.3] */
    SxMoments step = sx_gauss(p, sx_bin(p, SX_LT, x, sx_num(p, 0.3)), 0, NULL, 0, 1);
    near("step", step.mean, below(0.3), 1e-10);
}

static void table(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double mean, second, slope2, gain;
    } row[] = {{"relu", .3989, .5, .5, 1.4142},          {"leaky_relu", .3949, .50005, .50005, 1.4141},
               {"leaky_02", .3192, .52, .52, 1.3868},    {"elu", .1605, .6449, .6681, 1.2452},
               {"gelu", .2821, .4252, .4559, 1.5335},    {"silu", .2066, .3558, .3795, 1.6765},
               {"mish", .2404, .4523, .4791, 1.4868},    {"softplus", .8061, .9212, .2934, 1.0419},
               {"sigmoid", .5, .2934, .0448, 1.8462},    {"tanh", 0, .3943, .4644, 1.5925},
               {"hard_tanh", 0, .5161, .6827, 1.3920},   {"softsign", 0, .1830, .2277, 2.3375},
               {"hard_swish", .1662, .3316, .3585, 1.7367}};
    unsigned seen = 0;
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++)
        for (unsigned k = 0; k < ZOO_COUNT; k++) {
            if (!str_eq(str_of(zoo[k].name), str_of(row[i].name)))
                continue;
            SxMoments m = sx_gauss(p, zoo[k].make(p, x), 0, NULL, 0, 1);
            near(row[i].name, m.mean, row[i].mean, 6e-5);
            near(row[i].name, m.second, row[i].second, 6e-5);
            near(row[i].name, m.slope2, row[i].slope2, 6e-5);
            near(row[i].name, 1 / sqrt(m.second), row[i].gain, 6e-5);
            seen++;
        }
    assert_int_equal(seen, sizeof row / sizeof *row);
}

/* The plain rule the quadrature must agree with: a million points. */
static void fine_trapezoid(void **state)
{
    (void)state;
    static double at[1 << 17], out[1 << 17];
    const double m = 0.4, s = 3, step = 20.0 / (1 << 17);
    for (unsigned k = 0; k < 1 << 17; k++)
        at[k] = m + s * (-10 + step * (k + 0.5));
    for (unsigned i = 0; i < ZOO_COUNT; i++) {
        Sx f = zoo[i].make(p, x);
        sx_eval_many(p, f, (const double *const[]){at}, 1, 1 << 17, out);
        double mean = 0, second = 0;
        for (unsigned k = 0; k < 1 << 17; k++) {
            double weight = density((at[k] - m) / s) * step;
            mean += weight * out[k], second += weight * out[k] * out[k];
        }
        SxMoments got = sx_gauss(p, f, 0, NULL, m, s);
        near(zoo[i].name, got.mean, mean, 1e-8);
        near(zoo[i].name, got.second, second, 1e-8);
    }
}

static void a_point_and_other_arguments(void **state)
{
    (void)state;
    SxMoments point = sx_gauss(p, zoo_silu(p, x), 0, NULL, 1, 0);
    near("point", point.mean, 0.73105857863000488, 1e-15);
    near("point²", point.second, point.mean * point.mean, 1e-15);
    near("point'", point.slope * point.slope, point.slope2, 1e-15);
    Sx f = sx_add(p, sx_mul(p, x, y), sx_num(p, 1)); /* over argument 1, with argument 0 a number */
    SxMoments m = sx_gauss(p, f, 1, (double[]){3, 0}, 2, 0.5);
    near("mean", m.mean, 7, 1e-12);
    near("second", m.second, 49 + 9 * 0.25, 1e-12);
    near("slope", m.slope, 3, 1e-12);
    Sx shifted = zoo_relu(p, sx_add(p, x, y)); /* the kink moves with the other argument */
    for (double b = -2; b <= 2; b += 0.37) {
        m = sx_gauss(p, shifted, 0, (double[]){0, b}, 0, 1);
        near("shifted", m.mean, b * below(b) + density(b), 1e-10);
        near("shifted'", m.slope2, below(b), 1e-10);
    }
}

static void has_kinks(Sx f, unsigned n, const double *wanted)
{
    double at[16];
    assert_int_equal(sx_kinks(p, f, 0, -INFINITY, INFINITY, at, 16), n);
    for (unsigned i = 0; i < n; i++)
        near("kink", at[i], wanted[i], 1e-12);
}

static void kinks(void **state)
{
    (void)state;
    has_kinks(zoo_relu(p, x), 1, (double[]){0});
    has_kinks(zoo_relu6(p, x), 2, (double[]){0, 6});
    has_kinks(zoo_hard_swish(p, x), 2, (double[]){-3, 3});
    has_kinks(zoo_hard_tanh(p, x), 2, (double[]){-1, 1});
    has_kinks(zoo_silu(p, x), 0, NULL);
    has_kinks(sx_un(p, SX_ABS, zoo_plus(p, sx_un(p, SX_ABS, x), -1)), 3, (double[]){-1, 0, 1});
    has_kinks(zoo_max(p, zoo_plus(p, sx_powi(p, x, 3), -0.2), 0), 1, (double[]){0.58480354764257324});
    has_kinks(zoo_max(p, sx_sub(p, sx_num(p, 1), sx_powi(p, x, 2)), 0), 2, (double[]){-1, 1});
    has_kinks(sx_add(p, zoo_max(p, x, 0.26), zoo_max(p, x, 0.27)), 2, (double[]){0.26, 0.27}); /* between two samples */
    double at[4];
    assert_int_equal(sx_kinks(p, zoo_relu6(p, x), 0, 0, 6, at, 4), 0);   /* the ends are not inside */
    assert_int_equal(sx_kinks(p, zoo_relu6(p, x), 0, -1, 7, at, 1), 2);  /* the count, whatever the room */
    assert_int_equal(sx_kinks(p, zoo_max(p, x, 1000.25), 0, 1000, 1001, at, 4), 1);
    near("far", at[0], 1000.25, 1e-12);
    assert_int_equal(sx_kinks(p, sx_un(p, SX_FLOOR, x), 0, -2.5, 1.5, at, 4), 4);
    near("floor", at[0], -2, 1e-12);
}

/* One function for each row that branches. */
static void a_kink_for_each_row(void **state)
{
    (void)state;
    Sx one = sx_num(p, 1), two = sx_num(p, 2), above = sx_sub(p, x, one);
    Sx not_a_number = sx_un(p, SX_FLOOR, sx_sub(p, sx_un(p, SX_SQRT, x), one)); /* from NaN to -1 and on to 0 */
    has_kinks(sx_un(p, SX_ABS, above), 1, (double[]){1});
    has_kinks(sx_bin(p, SX_MIN, x, two), 1, (double[]){2});
    has_kinks(sx_bin(p, SX_MAX, x, two), 1, (double[]){2});
    has_kinks(sx_bin(p, SX_DIV, one, above), 1, (double[]){1});
    has_kinks(sx_bin(p, SX_LT, x, two), 1, (double[]){2});
    has_kinks(sx_bin(p, SX_LE, x, two), 1, (double[]){2});
    has_kinks(sx_bin(p, SX_EQ, x, two), 1, (double[]){2});
    has_kinks(sx_select(p, x, one, two), 1, (double[]){0});
    has_kinks(sx_un(p, SX_SQRT, above), 1, (double[]){1});
    has_kinks(sx_un(p, SX_LOG, above), 1, (double[]){1});
    has_kinks(sx_un(p, SX_LOG1P, x), 1, (double[]){-1});
    has_kinks(sx_bin(p, SX_POW, above, sx_num(p, 0.5)), 1, (double[]){1});
    double at[4];
    assert_int_equal(sx_kinks(p, not_a_number, 0, -1, 2, at, 4), 2);
    near("domain", at[0], 0, 1e-12);
    near("floor", at[1], 1, 1e-12);
    static const SxOp smooth[] = {SX_NEG, SX_EXP, SX_EXPM1, SX_TANH, SX_SIGMOID, SX_ERF, SX_SIN, SX_COS};
    for (unsigned i = 0; i < sizeof smooth / sizeof *smooth; i++)
        has_kinks(sx_un(p, smooth[i], x), 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(relu_in_closed_form, setup, teardown),
        cmocka_unit_test_setup_teardown(other_closed_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(table, setup, teardown),
        cmocka_unit_test_setup_teardown(fine_trapezoid, setup, teardown),
        cmocka_unit_test_setup_teardown(a_point_and_other_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(kinks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kink_for_each_row, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
