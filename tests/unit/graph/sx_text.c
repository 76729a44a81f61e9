/* Text: formulas for people, the text form and its reader. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"
#include "sx_pool.h" /* last: its names are short */

#include <string.h>

static const char *formula(Sx f)
{
    Text text = {.arena = arena};
    sx_print_formula(p, f, (const char *const[]){"x", "y"}, &text);
    return text_str(&text).p;
}

static const char *form(const SxPool *pool, Sx f)
{
    Text text = {.arena = arena};
    sx_print(pool, f, &text);
    return text_str(&text).p;
}

static void formulas(void **state)
{
    (void)state;
    assert_string_equal(formula(zoo_relu(p, x)), "max(x, 0)");
    assert_string_equal(formula(zoo_silu(p, x)), "x * sigmoid(x)");
    assert_string_equal(formula(zoo_leaky_relu(p, x)), "if x > 0 then x else 0.01 * x");
    assert_string_equal(formula(zoo_softplus(p, x)), "max(x, 0) + log1p(exp(-abs(x)))");
    assert_string_equal(formula(sx_sub(p, x, num(3))), "x - 3");
    assert_string_equal(formula(sx_sub(p, x, sx_sub(p, y, num(3)))), "x - (y - 3)");
    assert_string_equal(formula(sx_sub(p, sx_sub(p, x, y), num(3))), "x - y - 3");
    assert_string_equal(formula(sx_mul(p, sx_add(p, x, y), x)), "(x + y) * x");
    assert_string_equal(formula(sx_add(p, sx_mul(p, x, y), x)), "x * y + x");
    assert_string_equal(formula(sx_div(p, x, sx_mul(p, x, y))), "x / (x * y)");
    assert_string_equal(formula(sx_div(p, sx_mul(p, x, y), num(2))), "x * y / 2");
    assert_string_equal(formula(sx_neg(p, sx_powi(p, x, 2))), "-x^2");
    assert_string_equal(formula(sx_powi(p, sx_neg(p, x), 2)), "(-x)^2");
    assert_string_equal(formula(sx_neg(p, sx_mul(p, x, y))), "-(x * y)");
    assert_string_equal(formula(sx_mul(p, x, sx_neg(p, y))), "x * -y");
    assert_string_equal(formula(sx_powi(p, sx_powi(p, x, 2), 3)), "(x^2)^3");
    assert_string_equal(formula(sx_powi(p, x, -2)), "x^(-2)");
    assert_string_equal(formula(sx_bin(p, SX_POW, x, num(-0.5))), "x^(-0.5)");
    assert_string_equal(formula(sx_bin(p, SX_POW, num(-2), x)), "(-2)^x");
    assert_string_equal(formula(sx_add(p, x, sx_mul(p, num(-2), y))), "x - 2 * y");
    assert_string_equal(formula(sx_bin(p, SX_LE, num(1), x)), "x >= 1");
    assert_string_equal(formula(sx_bin(p, SX_EQ, x, y)), "x == y");
    assert_string_equal(formula(sx_add(p, num(1), sx_select(p, x, y, num(2)))), "1 + (if x then y else 2)");
    assert_string_equal(formula(sx_select(p, x, y, sx_select(p, y, x, num(2)))), "if x then y else if y then x else 2");
    assert_string_equal(formula(sx_arg(p, 0)), "x");
    Text bare = {.arena = arena};
    sx_print_formula(p, sx_add(p, x, y), NULL, &bare);
    assert_string_equal(text_str(&bare).p, "a0 + a1");
}

static void long_formulas_name_their_parts(void **state)
{
    (void)state;
    Sx f = x;
    for (unsigned i = 0; i < 50; i++)
        f = sx_mul(p, f, sx_add(p, f, y)); /* 2^50 nodes as a tree */
    const char *text = formula(f);
    assert_true(str_of(text).n < 4000);
    assert_true(str_starts(str_of(text), STR("t48 * (t48 + y) where t0 = x * (x + y), t1 = t0 * (t0 + y)")));
}

static void text_form(void **state)
{
    (void)state;
    assert_string_equal(form(p, zoo_relu(p, x)), "(max a0 0)");
    assert_string_equal(form(p, sx_powi(p, x, -3)), "(powi a0 -3)");
    Sx e = sx_un(p, SX_EXP, x);
    assert_string_equal(form(p, sx_div(p, e, zoo_plus(p, e, 1))), "(let t0 (exp a0) (div t0 (add t0 1)))");
    assert_string_equal(form(p, num(-INFINITY)), "-inf");
    assert_string_equal(form(p, x), "a0");
}

static Sx read_in(SxPool *pool, const char *words, Str *rest)
{
    Str text = str_of(words), why = {0};
    Sx f = sx_read(pool, &text, &why, arena);
    if (!f)
        fail_msg("%s: " STR_FMT, words, STR_ARG(why));
    *rest = text;
    return f;
}

static void reading(void **state)
{
    (void)state;
    Str rest;
    assert_int_equal(read_in(p, " (max\n a0 0) tail", &rest), zoo_relu(p, x));
    assert_true(str_is(rest, " tail"));
    assert_int_equal(read_in(p, "a1}", &rest), y);
    assert_true(str_is(rest, "}"));
    assert_int_equal(read_in(p, "-2.5e-3", &rest), num(-2.5e-3));
    assert_int_equal(read_in(p, "(powi a0 2)", &rest), sx_powi(p, x, 2));
    Sx e = sx_un(p, SX_EXP, x), both = sx_div(p, e, zoo_plus(p, e, 1));
    assert_int_equal(read_in(p, "(let t0 (exp a0) (div t0 (add t0 1)))", &rest), both);
    assert_int_equal(read_in(p, "(let t0 (exp a0) (let t1 (add t0 1) (div t0 t1)))", &rest), both);
    assert_int_equal(read_in(p, "(let t0 (exp a0) t1 (add t0 1) (div t0 t1))", &rest), both);
    assert_int_equal(read_in(p, "(let t0 (exp a0) t0)", &rest), e);
    assert_int_equal(read_in(p, "(sub (let t0 a0 (mul t0 t0)) (let t0 a1 (mul t0 t0)))", &rest),
                     sx_sub(p, sx_mul(p, x, x), sx_mul(p, y, y)));
}

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } bad[] = {{"", "at the end of the text"},
               {"(", "expected an operation"},
               {"(tan a0)", "expected an operation at `tan a0)`"},
               {"(num a0)", "expected an operation"},
               {"(max a0)", "expected a number, an argument, a name or `(`"},
               {"(max a0 0 1)", "expected `)` at `1)`"},
               {"(exp a0", "expected `)` at the end of the text"},
               {"a64", "expected a number"},
               {"a", "expected a number"},
               {"t0", "a name that no `let` gives"},
               {"(let (exp a0) t0)", "expected a name such as `t0`"},
               {"(let t0)", "expected a number"},
               {"(let t0 a0 t0 a1 t0)", "a name is given twice"},
               {"(add (let t0 a0 t0) t0)", "a name that no `let` gives"},
               {"(powi a0 1.5)", "expected a whole exponent at `1.5)`"},
               {"(powi a0 99999999999)", "expected a whole exponent"},
               {"(powi a0 -2147483648)", "expected a whole exponent"},
               {"1.2.3", "expected a number"},
               {"t99999999999999999999", "expected a number"}};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        Str text = str_of(bad[i].text), why = {0};
        assert_int_equal(sx_read(p, &text, &why, arena), 0);
        assert_ptr_equal(text.p, bad[i].text); /* not moved */
        const char *said = str_c(arena, why);
        if (!strstr(said, bad[i].why))
            fail_msg("%s: said \"%s\"", bad[i].text, said);
    }
}

static void round_trip(void **state)
{
    (void)state;
    Dice dice = {31};
    for (unsigned i = 0; i < 5000; i++) {
        Sx f = dice_expression(p, &dice, dice_below(&dice, 40), NULL);
        const char *text = form(p, f);
        Str rest;
        assert_int_equal(read_in(p, text, &rest), f);
        assert_int_equal(rest.n, 0);
        SxPool *other = sx_pool_new(arena); /* and a pool that has seen nothing else prints the same */
        assert_string_equal(form(other, read_in(other, text, &rest)), text);
    }
    double hard[] = {0.1,     1e-300,   5e-324,    1.7976931348623157e308, -0.0,
                     1.0 / 3, INFINITY, -INFINITY, NAN,                    123456789012345678.0};
    for (unsigned i = 0; i < sizeof hard / sizeof *hard; i++) {
        Str rest;
        assert_int_equal(read_in(p, form(p, num(hard[i])), &rest), num(hard[i]));
    }
}

static void depth(void **state)
{
    (void)state;
    Sx f = x, g = x;
    for (unsigned i = 0; i < 20000; i++)
        f = sx_un(p, i & 1 ? SX_EXP : SX_SIN, f), g = sx_mul(p, g, sx_add(p, g, y));
    Str rest;
    assert_int_equal(read_in(p, form(p, f), &rest), f);
    assert_int_equal(read_in(p, form(p, g), &rest), g);
    assert_true(str_of(formula(f)).n > 100000);
    /* hostile: a million open brackets */
    Text open = {.arena = arena};
    for (unsigned i = 0; i < 1000000; i++)
        text_add(&open, STR("(exp "));
    Str text = text_str(&open), why = {0};
    assert_int_equal(sx_read(p, &text, &why, arena), 0);
    assert_true(why.n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(formulas, setup, teardown),
        cmocka_unit_test_setup_teardown(long_formulas_name_their_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(text_form, setup, teardown),
        cmocka_unit_test_setup_teardown(reading, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes, setup, teardown),
        cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(depth, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
