/* Enclosures are sound on random expressions and boxes, and tight where it matters; ranges of functions of one
 * argument. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"

#include "sx_pool.h" /* last: its names are parameters in the others */

static SxInterval over(Sx f, double low, double high)
{
    return sx_bounds(p, f, (SxInterval[]){{low, high, false}, {low, high, false}}, 2);
}

static void is_interval(SxInterval got, double low, double high, double slack)
{
    if (!(fabs(got.low - low) <= slack || got.low == low) || !(fabs(got.high - high) <= slack || got.high == high))
        fail_msg("[%.17g, %.17g] is not [%.17g, %.17g]", got.low, got.high, low, high);
}

static double draw(Dice *dice)
{
    static const double special[] = {0, 1, -1, 3, 6, 1e-300, -1e-300, 1e160, -1e160, 1e308, -1e308, 710, -746, 0.5};
    uint32_t kind = dice_below(dice, 4);
    if (kind == 0)
        return special[dice_below(dice, sizeof special / sizeof *special)];
    return dice_in(dice, -5, 5) * (kind == 1 ? 20 : 1);
}

static SxInterval draw_box(Dice *dice)
{
    double a = draw(dice), b = dice_below(dice, 5) ? draw(dice) : a;
    SxInterval box = {fmin(a, b), fmax(a, b), false};
    if (!dice_below(dice, 6))
        box.low = -INFINITY;
    if (!dice_below(dice, 6))
        box.high = INFINITY;
    return box;
}

static double point_in(Dice *dice, SxInterval box, unsigned k)
{
    double low = fmax(box.low, -1.7e308), high = fmin(box.high, 1.7e308);
    if (k < 2)
        return k ? high : low;
    double x0 = k & 1 ? draw(dice) : low + (high / 2 - low / 2) * 2 * dice_unit(dice);
    return fmin(fmax(x0, low), high);
}

static void random_boxes(void **state)
{
    (void)state;
    Dice dice = {23};
    unsigned finite = 0;
    for (unsigned i = 0; i < 20000; i++) {
        Sx f = dice_expression(p, &dice, 1 + dice_below(&dice, 10), NULL);
        SxInterval box[3] = {draw_box(&dice), draw_box(&dice), draw_box(&dice)}, bound = sx_bounds(p, f, box, 3);
        finite += isfinite(bound.low) || isfinite(bound.high);
        for (unsigned k = 0; k < 24; k++) {
            double at[3];
            for (unsigned j = 0; j < 3; j++)
                at[j] = point_in(&dice, box[j], k < 8 ? k >> j & 1 : 2 + dice_below(&dice, 100));
            double value = sx_eval(p, f, at);
            if (isnan(value) ? bound.maybe_nan : bound.low <= value && value <= bound.high)
                continue;
            Text text = {.arena = arena};
            sx_print(p, f, &text);
            fail_msg("%s at (%.17g, %.17g, %.17g) is %.17g, not in [%.17g, %.17g]%s", text_str(&text).p, at[0], at[1],
                     at[2], value, bound.low, bound.high, bound.maybe_nan ? " or NaN" : "");
        }
    }
    assert_true(finite > 5000); /* the line and NaN for everything would be sound too */
}

static void tight(void **state)
{
    (void)state;
    is_interval(over(sx_powi(p, x, 2), -3, 2), 0, 9, 0);
    is_interval(over(sx_mul(p, x, x), -3, 2), 0, 9, 0); /* one node: correlated */
    is_interval(over(sx_mul(p, x, y), -3, 2), -6, 9, 0);
    is_interval(over(sx_sub(p, x, x), -3, 2), 0, 0, 0);
    is_interval(over(sx_powi(p, x, 3), -3, 2), -27, 8, 0);
    is_interval(over(sx_powi(p, x, -2), 1, 2), 0.25, 1, 0);
    is_interval(over(sx_un(p, SX_SIGMOID, x), -INFINITY, INFINITY), 0, 1, 0);
    is_interval(over(sx_un(p, SX_SIN, x), 1, 2), sin(1), 1, 1e-15);
    is_interval(over(sx_un(p, SX_COS, x), 3, 3.5), -1, cos(3.5), 1e-15);
    is_interval(over(sx_un(p, SX_SIN, x), -INFINITY, INFINITY), -1, 1, 0);
    is_interval(over(zoo_relu(p, x), -INFINITY, INFINITY), 0, INFINITY, 0);
    is_interval(over(zoo_relu6(p, x), -INFINITY, INFINITY), 0, 6, 0);
    is_interval(over(sx_un(p, SX_EXP, x), -INFINITY, 0), 0, 1, 1e-15);
    Sx known = sx_bin(p, SX_LT, x, sx_num(p, 5));
    is_interval(over(sx_select(p, known, sx_num(p, 2), x), 1, 4), 2, 2, 0);
    is_interval(over(sx_bin(p, SX_LT, x, y), 1, 4), 0, 1, 0);
    is_interval(over(sx_div(p, x, y), 2, 4), 0.5, 2, 0);
    is_interval(over(sx_un(p, SX_FLOOR, x), -0.5, 1.5), -1, 1, 0);
}

static void nan_is_announced(void **state)
{
    (void)state;
    SxInterval root = over(sx_un(p, SX_SQRT, x), -1, 4), log0 = over(sx_un(p, SX_LOG, x), 0, 1);
    assert_true(root.maybe_nan && root.low == 0);
    assert_true(!log0.maybe_nan && log0.low == -INFINITY);
    assert_false(over(sx_un(p, SX_SQRT, x), 0, 4).maybe_nan);
    assert_false(over(zoo_silu(p, x), -INFINITY, INFINITY).maybe_nan); /* x is finite: no inf * 0 */
    assert_true(over(sx_mul(p, sx_un(p, SX_EXP, x), sx_un(p, SX_EXP, sx_neg(p, x))), 0, 800).maybe_nan);
    assert_false(over(sx_mul(p, sx_un(p, SX_EXP, x), sx_un(p, SX_EXP, sx_neg(p, x))), 0, 700).maybe_nan);
    assert_true(over(sx_div(p, x, y), -1, 1).maybe_nan);
    SxInterval never = over(sx_un(p, SX_LOG, x), -3, -2);
    assert_true(never.maybe_nan && never.low > never.high); /* always NaN */
    is_interval(over(sx_bin(p, SX_LT, sx_un(p, SX_LOG, x), sx_num(p, 1)), -3, -2), 0, 0, 0);
    Sx perhaps = sx_un(p, SX_LOG, x); /* NaN below 0 */
    assert_true(over(sx_bin(p, SX_POW, sx_num(p, -1), sx_sub(p, perhaps, perhaps)), -1, 1).maybe_nan);
    SxInterval from_nan = sx_bounds(p, x, (SxInterval[]){{0, 1, true}}, 1);
    assert_true(from_nan.maybe_nan);
}

static void ranges(void **state)
{
    (void)state;
    double inf = INFINITY;
    is_interval(sx_range(p, zoo_gelu(p, x), 0, -inf, inf), -0.16997120747990369, inf, 1e-7);
    is_interval(sx_range(p, zoo_silu(p, x), 0, -inf, inf), -0.27846454276107379, inf, 1e-7);
    is_interval(sx_range(p, zoo_mish(p, x), 0, -inf, inf), -0.30884341301725, inf, 1e-7);
    is_interval(sx_range(p, zoo_softsign(p, x), 0, -inf, inf), -1, 1, 1e-6);
    is_interval(sx_range(p, zoo_silu(p, x), 0, -1, 2), -0.26894142136999512, 1.7615941559557649, 1e-9);
    is_interval(sx_range(p, sx_un(p, SX_LOG, x), 0, 0, inf), -inf, inf, 0);
    is_interval(sx_range(p, sx_un(p, SX_SQRT, x), 0, 0, inf), 0, inf, 0);
    is_interval(sx_range(p, sx_un(p, SX_SIN, x), 0, -inf, inf), -1, 1, 1e-9);
    is_interval(sx_range(p, sx_div(p, sx_num(p, 1), x), 0, -1, 1), -inf, inf, 0);
    is_interval(sx_range(p, sx_div(p, sx_num(p, 1), zoo_plus(p, sx_powi(p, x, 2), 1)), 0, -inf, inf), 0, 1, 1e-9);
    is_interval(sx_range(p, sx_sub(p, x, sx_un(p, SX_FLOOR, x)), 0, -3, 3), 0, 1, 1e-6);
    is_interval(sx_range(p, sx_sub(p, sx_powi(p, x, 3), x), 0, -1, 1), -0.38490017945975, 0.38490017945975, 1e-9);
    is_interval(sx_range(p, sx_num(p, 4), 0, -inf, inf), 4, 4, 0);
    is_interval(sx_range(p, x, 0, 2, 2), 2, 2, 0);
    assert_false(sx_range(p, zoo_gelu(p, x), 0, -inf, inf).maybe_nan);
    assert_true(sx_range(p, sx_un(p, SX_SQRT, x), 0, -1, 1).maybe_nan);
    /* a narrow dip between the samples: 1 - exp(-((x - 0.3) * 1e5)^2) */
    Sx dip = sx_un(p, SX_EXP, sx_neg(p, sx_powi(p, zoo_times(p, 1e5, zoo_plus(p, x, -0.3)), 2)));
    is_interval(sx_range(p, sx_sub(p, sx_num(p, 1), dip), 0, -1, 1), 0, 1, 1e-6);
    /* a long formula is enclosed at once: a tower of 300 roots, 0.5^0.5^…^x, which settles near 0.6412 */
    Sx tower = x;
    for (unsigned i = 0; i < 300; i++)
        tower = sx_bin(p, SX_POW, sx_num(p, 0.5), tower);
    is_interval(sx_range(p, tower, 0, 0, 1), 0.64118574450498, 0.64118574450498, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_boxes, setup, teardown),
        cmocka_unit_test_setup_teardown(tight, setup, teardown),
        cmocka_unit_test_setup_teardown(nan_is_announced, setup, teardown),
        cmocka_unit_test_setup_teardown(ranges, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
