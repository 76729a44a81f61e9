/* The properties of every activation, computed from its expression. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_zoo.h"

#include "sx_pool.h" /* last: its names are parameters in the others */

#include <math.h>

#define ZC 1
#define SMOOTH 2
#define MONO 4
#define DIES 8
#define SAT 16
#define ODD 32
#define IDEM 64
#define INF INFINITY

static const struct {
    const char *name;
    double low, high, slope_low, slope_high, gain, chi;
    unsigned flags;
} row[] = {
    {"identity", -INF, INF, 1, 1, 1, 1, ZC | SMOOTH | MONO | ODD | IDEM},
    {"relu", 0, INF, 0, 1, 1.4142, 1, MONO | DIES | IDEM},
    {"leaky_relu", -INF, INF, 0.01, 1, 1.4141, 1, MONO},
    {"leaky_02", -INF, INF, 0.2, 1, 1.3868, 1, MONO},
    {"elu", -1, INF, 0, 1, 1.2452, 1.036, SMOOTH | MONO},
    {"selu", -1.75809934, INF, 0, 1.75809934, 1, 1.0716, MONO | ZC},
    {"gelu", -0.16997121, INF, -0.12890415, 1.12890415, 1.5335, 1.072, SMOOTH},
    {"gelu_tanh", -0.17004075, INF, -0.12899307, 1.12899307, 1.5336, 1.072, SMOOTH},
    {"sigmoid", 0, 1, 0, 0.25, 1.8462, 0.153, SMOOTH | MONO | SAT},
    {"tanh", -1, 1, 0, 1, 1.5925, 1.178, ZC | SMOOTH | MONO | SAT | ODD},
    {"silu", -0.27846454, INF, -0.09983932, 1.09983932, 1.6765, 1.067, SMOOTH},
    {"softplus", 0, INF, 0, 1, 1.0419, 0.319, SMOOTH | MONO},
    {"mish", -0.30884341, INF, -0.11252612, 1.08849816, 1.4868, 1.059, SMOOTH},
    {"log_sigmoid", -INF, 0, 0, 1, 1.0419, 0.319, SMOOTH | MONO},
    {"relu6", 0, 6, 0, 1, 1.4142, 1, MONO | DIES | IDEM},
    {"hard_sigmoid", 0, 1, 0, 1.0 / 6, 1.8978, 0.0998, MONO | DIES | SAT},
    {"hard_swish", -0.375, INF, -0.5, 1.5, 1.7367, 1.081, DIES},
    {"hard_tanh", -1, 1, 0, 1, 1.3920, 1.323, ZC | MONO | DIES | SAT | ODD | IDEM},
    {"softsign", -1, 1, 0, 1, 2.3375, 1.244, ZC | SMOOTH | MONO | SAT | ODD},
};

static void near(const char *name, const char *what, double got, double wanted, double slack)
{
    if (!(fabs(got - wanted) <= slack || got == wanted))
        fail_msg("%s: %s is %.12g, not %.12g", name, what, got, wanted);
}

static void flag(const char *name, const char *what, bool got, bool wanted)
{
    if (got != wanted)
        fail_msg("%s: %s is %s", name, what, got ? "true" : "false");
}

static void every_activation(void **state)
{
    (void)state;
    assert_int_equal(sizeof row / sizeof *row, ZOO_COUNT);
    for (unsigned i = 0; i < ZOO_COUNT; i++) {
        const char *name = row[i].name;
        assert_string_equal(zoo[i].name, name);
        Sx f = zoo[i].make(p, x);
        SxTraits t = sx_traits(p, f);
        near(name, "range.low", t.range.low, row[i].low, 1e-7);
        near(name, "range.high", t.range.high, row[i].high, 1e-6);
        near(name, "slope_range.low", t.slope_range.low, row[i].slope_low, 1e-6);
        near(name, "slope_range.high", t.slope_range.high, row[i].slope_high, 1e-6);
        near(name, "max_slope", t.max_slope, fmax(fabs(row[i].slope_low), fabs(row[i].slope_high)), 1e-6);
        near(name, "gain", t.gain, row[i].gain, 6e-5);
        near(name, "chi", t.gain * t.gain * t.unit.slope2, row[i].chi, 6e-4);
        flag(name, "zero_centred", t.zero_centred, row[i].flags & ZC);
        flag(name, "smooth", t.smooth, row[i].flags & SMOOTH);
        flag(name, "monotone", t.monotone, row[i].flags & MONO);
        flag(name, "dies", t.dies, row[i].flags & DIES);
        flag(name, "saturates", t.saturates, row[i].flags & SAT);
        flag(name, "odd", t.odd, row[i].flags & ODD);
        flag(name, "idempotent", t.idempotent, row[i].flags & IDEM);
        assert_false(t.range.maybe_nan);
        assert_int_equal(t.cost, sx_cost(p, f));
    }
}

static void functions_of_ones_own(void **state)
{
    (void)state;
    SxTraits sine = sx_traits(p, sx_un(p, SX_SIN, x));
    near("sin", "range.low", sine.range.low, -1, 1e-9);
    assert_true(sine.odd && sine.smooth && sine.zero_centred && !sine.monotone && !sine.saturates && !sine.dies);
    SxTraits bell = sx_traits(p, sx_un(p, SX_EXP, sx_neg(p, sx_powi(p, x, 2))));
    assert_true(bell.saturates && !bell.dies && !bell.monotone && !bell.odd);
    assert_true(bell.range.high == 1 && bell.range.low == 0);
    SxTraits square = sx_traits(p, sx_powi(p, x, 2));
    assert_true(square.range.low == 0 && square.range.high == INF && square.max_slope == INF && !square.monotone);
    SxTraits step = sx_traits(p, zoo_positive(p, x, sx_num(p, 1), sx_num(p, 0)));
    assert_true(!step.smooth && step.monotone && step.range.low == 0 && step.range.high == 1);
    SxTraits down = sx_traits(p, sx_neg(p, zoo_relu(p, x)));
    assert_true(down.monotone && down.dies && down.range.high == 0);
    SxTraits saw = sx_traits(p, sx_sub(p, x, sx_un(p, SX_FLOOR, x))); /* slope 1 everywhere, and jumps down */
    assert_true(!saw.monotone && !saw.smooth && saw.max_slope == 1);
    SxTraits fixed = sx_traits(p, sx_num(p, 3));
    assert_true(fixed.dies && fixed.range.low == 3 && fixed.range.high == 3 && fixed.idempotent);
    Sx above = zoo_max(p, zoo_plus(p, x, -0.5), 0), below = zoo_max(p, sx_sub(p, sx_num(p, -0.5), x), 0);
    SxTraits barely = sx_traits(p, zoo_positive(p, x, x, zoo_times(p, 1e-6, x)));
    assert_false(barely.dies);
    SxTraits shrink = sx_traits(p, sx_sub(p, above, below));
    assert_true(shrink.odd && !shrink.dies && !shrink.saturates); /* flat in the middle only */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_activation, setup, teardown),
        cmocka_unit_test_setup_teardown(functions_of_ones_own, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
