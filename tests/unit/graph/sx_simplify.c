/* Simplifying: gradients come out as a person writes them, values stay. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"
#include "sx_pool.h" /* last: its names are short */

static const char *formula(Sx f)
{
    Text text = {.arena = arena};
    sx_print_formula(p, f, (const char *const[]){"x", "y", "g"}, &text);
    return text_str(&text).p;
}

static const char *slope(Sx f)
{
    Sx d;
    sx_gradient(p, f, 1, &d);
    return formula(sx_simplify(p, d));
}

static void lean_gradients(void **state)
{
    (void)state;
    assert_string_equal(slope(zoo_relu(p, x)), "if max(x, 0) > 0 then 1 else 0");
    assert_string_equal(slope(zoo_leaky_relu(p, x)), "if x > 0 then 1 else 0.01");
    assert_string_equal(slope(zoo_elu(p, x)), "if x > 0 then 1 else exp(x)");
    assert_string_equal(slope(zoo_sigmoid(p, x)), "sigmoid(x) * (1 - sigmoid(x))");
    assert_string_equal(slope(zoo_tanh(p, x)), "1 - tanh(x)^2");
    assert_string_equal(slope(zoo_silu(p, x)), "sigmoid(x) + x * (sigmoid(x) * (1 - sigmoid(x)))");
    assert_string_equal(slope(zoo_softplus(p, x)), "sigmoid(x)");
    assert_string_equal(slope(zoo_log_sigmoid(p, x)), "sigmoid(-x)");
    assert_string_equal(slope(zoo_gelu(p, x)),
                        "0.39894228040143265 * (x * exp(-(0.7071067811865475 * x)^2)) + "
                        "0.5 * (erf(0.7071067811865475 * x) + 1)");
    assert_string_equal(slope(zoo_bce_with_logits(p, x, y)), "sigmoid(x) - y");
    assert_string_equal(slope(zoo_bce_reordered(p, x, y)), "sigmoid(x) - y");
    assert_string_equal(slope(zoo_huber(p, x, y)),
                        "if abs(x - y) <= 1 then x - y else if x - y > 0 then 1 else if x - y < 0 then -1 else 0");
    assert_string_equal(slope(sx_powi(p, sx_sub(p, x, y), 2)), "2 * (x - y)");
    assert_string_equal(slope(zoo_hard_sigmoid(p, x)),
                        "if min(max(x + 3, 0), 6) < 6 then (if max(x + 3, 0) > 0 then 0.16666666666666666 else 0) "
                        "else 0");
}

/* Not more than a person's: the costs of the formulas written by hand. */
static void cheap_gradients(void **state)
{
    (void)state;
    static const struct {
        Sx (*make)(SxPool *, Sx);
        unsigned cost;
    } known[] = {{zoo_relu, 3}, {zoo_elu, 14}, {zoo_selu, 15}, {zoo_gelu, 44}, {zoo_silu, 24}, {zoo_softplus, 20},
                 {zoo_mish, 77}, {zoo_relu6, 6}, {zoo_hard_swish, 10}, {zoo_gelu_tanh, 36}};
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        Sx d;
        sx_gradient(p, known[i].make(p, x), 1, &d);
        assert_true(sx_cost(p, sx_simplify(p, d)) <= known[i].cost);
    }
}

static void chain_rule_into_arms(void **state)
{
    (void)state;
    Sx g = sx_arg(p, 2), d;
    sx_gradient(p, zoo_relu(p, x), 1, &d);
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, g, d))), "if max(x, 0) > 0 then g else 0");
    sx_gradient(p, sx_un(p, SX_ABS, x), 1, &d);
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, g, d))), "if x > 0 then g else if x < 0 then -g else 0");
    Sx masked = sx_simplify(p, sx_mul(p, g, d)); /* an infinite g at the kink: selected, not multiplied by 0 */
    assert_true(sx_eval(p, masked, (double[]){0, 0, INFINITY}) == 0);
}

static void laws(void **state)
{
    (void)state;
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, num(2), sx_mul(p, num(3), x)))), "6 * x");
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, sx_mul(p, num(2), x), sx_mul(p, y, num(3))))), "6 * (x * y)");
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, sx_neg(p, x), sx_neg(p, y)))), "x * y");
    assert_string_equal(formula(sx_simplify(p, sx_neg(p, sx_mul(p, num(2), sx_neg(p, x))))), "2 * x");
    assert_string_equal(formula(sx_simplify(p, sx_div(p, x, num(4)))), "0.25 * x");
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, x, x))), "x^2");
    assert_string_equal(formula(sx_simplify(p, sx_add(p, x, sx_mul(p, num(-2), y)))), "x - 2 * y");
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, x, sx_div(p, num(1), y)))), "x / y");
    assert_string_equal(formula(sx_simplify(p, sx_bin(p, SX_POW, x, num(3)))), "x^3");
    Sx e = sx_un(p, SX_EXP, sx_neg(p, x));
    assert_string_equal(formula(sx_simplify(p, sx_div(p, x, sx_add(p, num(1), e)))), "x * sigmoid(x)");
    Sx c = sx_bin(p, SX_LT, x, y);
    Sx halves = sx_add(p, sx_select(p, c, x, num(0)), sx_select(p, c, num(0), y));
    assert_string_equal(formula(sx_simplify(p, halves)), "if x < y then x else y");
    Sx nested = sx_select(p, c, sx_select(p, c, x, num(2)), y);
    assert_string_equal(formula(sx_simplify(p, nested)), "if x < y then x else y");
    Sx quarter = sx_div(p, num(0.25), y);
    assert_string_equal(formula(sx_simplify(p, sx_mul(p, num(2), sx_mul(p, quarter, x)))), "0.5 * (x / y)");
    assert_string_equal(formula(sx_simplify(p, sx_add(p, num(1), sx_add(p, x, num(-1))))), "x");
    assert_string_equal(formula(sx_simplify(p, sx_neg(p, sx_div(p, sx_sub(p, x, num(1)), y)))), "(1 - x) / y");
    assert_string_equal(formula(sx_simplify(p, sx_neg(p, sx_select(p, c, x, num(0))))), "if x < y then -x else 0");
    /* what a comparison says in its arms; at x = 0 min(x, 0) differentiates to 0, so it stays in the second */
    Sx positive = sx_bin(p, SX_LT, num(0), x), low = sx_bin(p, SX_MIN, num(0), x), tie = sx_bin(p, SX_MIN, x, num(0));
    assert_int_equal(sx_simplify(p, sx_select(p, positive, low, sx_un(p, SX_EXP, low))),
                     sx_select(p, positive, num(0), sx_un(p, SX_EXP, x)));
    assert_int_equal(sx_simplify(p, sx_select(p, positive, tie, sx_un(p, SX_EXP, tie))),
                     sx_select(p, positive, num(0), sx_un(p, SX_EXP, tie)));
    Sx least = sx_bin(p, SX_MIN, x, y), greatest = sx_bin(p, SX_MAX, x, y); /* y may be NaN */
    assert_int_equal(sx_simplify(p, sx_select(p, c, least, greatest)), sx_select(p, c, x, greatest));
    Sx big = sx_add(p, sx_add(p, x, num(0x1p52)), num(-0x1p52)); /* rounds to whole numbers: meant */
    assert_int_equal(sx_simplify(p, big), big);
    /* what is shared is not computed twice */
    Sx inverse = sx_div(p, num(1), y), both = sx_add(p, sx_mul(p, x, inverse), sx_mul(p, sx_arg(p, 2), inverse));
    assert_int_equal(sx_cost(p, sx_simplify(p, both)), sx_cost(p, both));
    Sx shared = sx_mul(p, num(2), x), twice = sx_add(p, sx_mul(p, shared, y), sx_un(p, SX_EXP, shared));
    assert_true(sx_cost(p, sx_simplify(p, twice)) <= sx_cost(p, twice));
}

static void what_stays(void **state)
{
    (void)state;
    Sx zero_times = sx_mul(p, num(0), x);
    assert_int_equal(sx_simplify(p, zero_times), zero_times);
    Sx e = sx_un(p, SX_EXP, x);
    assert_true(isnan(sx_eval(p, sx_simplify(p, sx_sub(p, e, e)), (double[]){1000})));
    Sx big = sx_mul(p, num(1e-200), sx_mul(p, num(1e-200), sx_mul(p, num(1e250), x)));
    double value = sx_eval(p, big, (double[]){1e40});
    assert_true(fabs(sx_eval(p, sx_simplify(p, big), (double[]){1e40}) - value) <= 1e-12 * fabs(value));
    Sx less = sx_sub(p, sx_mul(p, num(3), e), sx_mul(p, num(2), e)); /* inf - inf where e overflows */
    assert_true(isnan(sx_eval(p, sx_simplify(p, less), (double[]){800})));
}

static bool tame(SxOp op)
{
    return op != SX_FLOOR && op != SX_EQ && op != SX_LT && op != SX_LE && op != SX_SIN && op != SX_COS &&
           op != SX_POW && op != SX_SELECT;
}

static bool tame_or_select(SxOp op) { return tame(op) || op == SX_SELECT; }

/* How far the value moves when the arguments move in the last places: what rounding alone may change. */
static double wobble(Sx f, const double *at, double value)
{
    double most = 0;
    for (unsigned k = 0; k < 6; k++) {
        double moved[3] = {at[0], at[1], at[2]};
        moved[k % 3] *= k < 3 ? 1 + 1e-14 : 1 - 1e-14;
        most = fmax(most, fabs(sx_eval(p, f, moved) - value));
    }
    return most;
}

static void random_expressions(void **state)
{
    (void)state;
    Dice dice = {17};
    unsigned changed = 0;
    for (unsigned i = 0; i < 20000; i++) {
        Sx f = dice_expression(p, &dice, 2 + dice_below(&dice, 16), i & 1 ? tame : tame_or_select);
        Sx s = sx_simplify(p, f);
        changed += s != f;
        assert_true(sx_cost(p, s) <= sx_cost(p, f));
        assert_int_equal(sx_simplify(p, s), s);
        for (unsigned k = 0; k < 6; k++) {
            double at[3] = {dice_in(&dice, -3, 3), dice_in(&dice, -3, 3), k ? dice_in(&dice, -3, 3) : 0};
            double a = sx_eval(p, f, at), b = sx_eval(p, s, at), drift = isfinite(a) ? wobble(f, at, a) : 0;
            if (isnan(a) && !(i & 1))
                continue; /* the arm not taken counts for nothing: a NaN may go, none may come */
            bool same = a == b || (isnan(a) && isnan(b)) || isnan(drift) ||
                        fabs(a - b) <= 1e-12 * fmax(1, fabs(a)) + 10 * drift;
            if (!same) {
                Text text = {.arena = arena};
                sx_print(p, f, &text), text_add(&text, STR(" -> ")), sx_print(p, s, &text);
                fail_msg("%s at (%.17g, %.17g, %.17g): %.17g and %.17g", text_str(&text).p, at[0], at[1], at[2], a, b);
            }
        }
    }
    assert_true(changed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lean_gradients, setup, teardown),
        cmocka_unit_test_setup_teardown(cheap_gradients, setup, teardown),
        cmocka_unit_test_setup_teardown(chain_rule_into_arms, setup, teardown),
        cmocka_unit_test_setup_teardown(laws, setup, teardown),
        cmocka_unit_test_setup_teardown(what_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(random_expressions, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
