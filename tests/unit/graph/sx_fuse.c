/* Multiply-adds and gathered factors: which sums become one, that the text reads back, and that values stay. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_pool.h" /* last: its names are short */

static Sx z;

static int prepare(void **state)
{
    setup(state);
    z = sx_arg(p, 2);
    return 0;
}

static const char *formula(Sx f)
{
    Text text = {.arena = arena};
    sx_print_formula(p, f, (const char *const[]){"x", "y", "z"}, &text);
    return text_str(&text).p;
}

static const char *fused(Sx f) { return formula(sx_fuse(p, f, 0)); }

static void sums_of_one_product(void **state)
{
    (void)state;
    Sx xy = sx_mul(p, x, y);
    assert_string_equal(fused(sx_add(p, xy, z)), "fma(x, y, z)");
    assert_string_equal(fused(sx_add(p, z, xy)), "fma(x, y, z)");
    assert_string_equal(fused(sx_sub(p, xy, z)), "fma(x, y, -z)");
    assert_string_equal(fused(sx_sub(p, z, xy)), "fma(-x, y, z)");
    assert_string_equal(fused(sx_sub(p, z, sx_mul(p, num(0.01), x))), "fma(-0.01, x, z)");
    assert_string_equal(fused(sx_sub(p, num(1), sx_powi(p, x, 2))), "fma(-x, x, 1)");
    assert_string_equal(fused(sx_add(p, sx_powi(p, x, 3), z)), "x^3 + z");
    assert_string_equal(fused(sx_un(p, SX_SQRT, sx_add(p, xy, num(1e-8)))), "sqrt(fma(x, y, 1e-08))");
}

/* x * x - y * y of equal numbers is 0, and never below. */
static void sums_of_two_products(void **state)
{
    (void)state;
    assert_string_equal(fused(sx_sub(p, sx_powi(p, x, 2), sx_powi(p, y, 2))), "x^2 - y^2");
    assert_string_equal(fused(sx_add(p, sx_mul(p, x, y), sx_mul(p, y, z))), "x * y + y * z");
    Sx mean = sx_add(p, sx_mul(p, num(0.9), x), sx_mul(p, num(0.1), y));
    assert_string_equal(fused(mean), "fma(0.9, x, 0.1 * y)");
    Sx square = sx_add(p, sx_powi(p, x, 2), sx_mul(p, num(3), y));
    assert_string_equal(fused(square), "fma(3, y, x^2)");
}

/* x - m / 128 for a mean m of the row: made once for all x. */
static void products_that_stay(void **state)
{
    (void)state;
    Sx part = sx_mul(p, y, num(0.125));
    assert_string_equal(formula(sx_fuse(p, sx_sub(p, x, part), 2)), "x - y * 0.125");
    assert_string_equal(formula(sx_fuse(p, sx_sub(p, sx_mul(p, x, y), z), 2)), "fma(x, y, -z)");
    assert_string_equal(formula(sx_fuse(p, sx_sub(p, sx_mul(p, x, y), z), 3)), "x * y - z");
}

static void the_same_everywhere(void **state)
{
    (void)state;
    Sx inner = sx_add(p, sx_mul(p, x, y), z), outer = sx_un(p, SX_TANH, inner);
    assert_int_equal(sx_node(p, sx_fuse(p, outer, 0))->in[0], sx_fuse(p, inner, 0));
    assert_int_equal(sx_fuse(p, outer, 0), sx_fuse(p, outer, 0));
}

static void factors(void **state)
{
    (void)state;
    /* z is a uniform: 0.5 * (z * x / y) */
    Sx chain = sx_mul(p, num(0.5), sx_div(p, sx_mul(p, z, x), y));
    assert_string_equal(formula(sx_factor(p, chain, 4)), "0.5 * z * (x / y)");
    assert_string_equal(formula(sx_factor(p, sx_sub(p, x, chain), 4)), "x - 0.5 * z * (x / y)");
    assert_string_equal(formula(sx_factor(p, sx_div(p, z, x), 4)), "z / x");
    assert_string_equal(formula(sx_factor(p, sx_mul(p, z, num(2)), 4)), "z * 2");
    assert_string_equal(formula(sx_factor(p, sx_mul(p, x, y), 4)), "x * y");
    assert_string_equal(formula(sx_factor(p, sx_mul(p, x, sx_mul(p, y, z)), 4)), "z * (x * y)");
}

static bool tame(SxOp op)
{
    return op == SX_ADD || op == SX_SUB || op == SX_MUL || op == SX_NEG || op == SX_TANH || op == SX_MAX || op == SX_POWI || op == SX_DIV;
}

static void values_stay(void **state)
{
    (void)state;
    Dice dice = {11};
    unsigned made = 0;
    for (unsigned i = 0; i < 2000; i++) {
        Sx f = dice_expression(p, &dice, 3 + i % 12, tame), g = sx_fuse(p, f, i % 4), h = sx_factor(p, f, i % 8);
        made += f != g;
        for (unsigned k = 0; k < 4; k++) {
            double at[3] = {dice_in(&dice, 0.5, 2), dice_in(&dice, -2, -0.5), dice_in(&dice, 0.5, 2)};
            double want = sx_eval(p, f, at), slack = 1e-9 * (1 + fabs(want));
            if (!(fabs(want) < 1e6))
                continue;
            assert_true(fabs(sx_eval(p, g, at) - want) <= slack);
            assert_true(fabs(sx_eval(p, h, at) - want) <= slack);
        }
    }
    assert_true(made > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_of_one_product, prepare, teardown),
        cmocka_unit_test_setup_teardown(sums_of_two_products, prepare, teardown),
        cmocka_unit_test_setup_teardown(products_that_stay, prepare, teardown),
        cmocka_unit_test_setup_teardown(the_same_everywhere, prepare, teardown),
        cmocka_unit_test_setup_teardown(factors, prepare, teardown),
        cmocka_unit_test_setup_teardown(values_stay, prepare, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
