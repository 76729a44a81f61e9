/* Derivatives against finite differences, and what they do where those cannot look: at ties, at NaN, far out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"
#include "sx_pool.h" /* last: its names are short */

static double at(Sx f, double a, double b) { return sx_eval(p, f, (double[]){a, b, 0}); }

static Sx slope_of(Sx f)
{
    Sx d;
    sx_gradient(p, f, 1, &d);
    return d;
}

/* Central differences in argument k; false when a kink of f as a function of x is near. */
static void check_point(const char *name, Sx f, const Sx *gradient, double a, double b)
{
    for (unsigned k = 0; k < 2; k++) {
        double at_a[2] = {a, b}, step = 1e-5 * fmax(1, fabs(at_a[k])), up[2] = {a, b}, down[2] = {a, b};
        up[k] += step, down[k] -= step;
        double measured = (at(f, up[0], up[1]) - at(f, down[0], down[1])) / (up[k] - down[k]);
        double derived = at(gradient[k], a, b), lean = at(sx_simplify(p, gradient[k]), a, b);
        double allowed = 1e-6 * fmax(1, fabs(derived));
        if (!(fabs(measured - derived) <= allowed) || !(fabs(lean - derived) <= 1e-3 * allowed))
            fail_msg("%s, argument %u at (%g, %g): measured %.12g, derived %.12g, simplified %.12g", name, k, a, b,
                     measured, derived, lean);
    }
}

typedef struct Domain {
    SxOp op;
    double low, high;       /* of x */
    double low_y, high_y;   /* of y */
} Domain;

static void primitives(void **state)
{
    (void)state;
    static const Domain domain[] = {
        {SX_NEG, -5, 5, 0, 1},      {SX_ABS, -5, 5, 0, 1},      {SX_EXP, -5, 5, 0, 1},   {SX_LOG, 0.1, 9, 0, 1},
        {SX_LOG1P, -0.8, 9, 0, 1},  {SX_EXPM1, -5, 5, 0, 1},    {SX_SQRT, 0.1, 9, 0, 1}, {SX_TANH, -5, 5, 0, 1},
        {SX_SIGMOID, -9, 9, 0, 1},  {SX_ERF, -4, 4, 0, 1},      {SX_SIN, -9, 9, 0, 1},   {SX_COS, -9, 9, 0, 1},
        {SX_FLOOR, 0.1, 0.9, 0, 1}, {SX_ADD, -5, 5, -5, 5},     {SX_SUB, -5, 5, -5, 5},  {SX_MUL, -5, 5, -5, 5},
        {SX_DIV, -5, 5, 0.3, 5},    {SX_MIN, -5, 5, -5, 5},     {SX_MAX, -5, 5, -5, 5},  {SX_POW, 0.2, 4, -3, 3},
        {SX_LT, -5, 5, -5, 5},      {SX_LE, -5, 5, -5, 5},      {SX_EQ, -5, 0, 1, 5}};
    Dice dice = {3};
    unsigned seen = 0;
    for (unsigned i = 0; i < sizeof domain / sizeof *domain; i++) {
        const Domain *d = &domain[i];
        Sx f = sx_make(p, d->op, x, sx_op_arity(d->op) > 1 ? y : 0, 0), gradient[2];
        sx_gradient(p, f, 2, gradient);
        seen |= 1u << d->op;
        for (unsigned k = 0; k < 500; k++) {
            double a = dice_in(&dice, d->low, d->high), b = dice_in(&dice, d->low_y, d->high_y);
            if (fabs(a - b) > 2e-4 && fabs(a) > 2e-4)
                check_point(sx_op_name(d->op), f, gradient, a, b);
        }
    }
    for (int n = -3; n <= 9; n++) {
        Sx f = sx_powi(p, x, n), gradient[2];
        sx_gradient(p, f, 2, gradient);
        for (double a = 0.4; a < 3; a += 0.1)
            check_point("powi", f, gradient, a, 0), check_point("powi", f, gradient, -a, 0);
    }
    Sx choose = sx_select(p, sx_bin(p, SX_LT, x, y), sx_mul(p, x, y), sx_powi(p, x, 3)), gradient[2];
    sx_gradient(p, choose, 2, gradient);
    for (double a = -2; a < 2; a += 0.07)
        check_point("select", choose, gradient, a, 0.123456);
    Sx sum = sx_make(p, SX_FMA, x, y, sx_powi(p, x, 3));
    sx_gradient(p, sum, 2, gradient);
    for (double a = -2; a < 2; a += 0.07)
        check_point("fma", sum, gradient, a, 0.123456);
    Sx settled = sx_un(p, SX_SETTLE, sx_mul(p, x, y));
    sx_gradient(p, settled, 2, gradient);
    for (double a = 0.01; a < 2; a += 0.07)
        check_point("settle", settled, gradient, a, 0.123456);
    seen |= 1u << SX_POWI | 1u << SX_SELECT | 1u << SX_FMA | 1u << SX_SETTLE;
    assert_int_equal(seen, (1u << SX_OP_COUNT) - (1u << SX_NEG)); /* every primitive */
}

static void activations(void **state)
{
    (void)state;
    Dice dice = {5};
    for (unsigned i = 0; i < ZOO_COUNT; i++) {
        Sx f = zoo[i].make(p, x), gradient[2];
        sx_gradient(p, f, 2, gradient);
        double kink[8];
        unsigned n = sx_kinks(p, f, 0, -20, 20, kink, 8);
        for (unsigned k = 0; k < 2000; k++) {
            double a = k < 1000 ? dice_in(&dice, -8, 8) : dice_in(&dice, -0.5, 0.5);
            bool near = false;
            for (unsigned j = 0; j < n; j++)
                near |= fabs(a - kink[j]) < 1e-4;
            if (!near)
                check_point(zoo[i].name, f, gradient, a, 0);
        }
    }
    Sx loss[] = {zoo_huber(p, x, y), zoo_bce_with_logits(p, x, y), zoo_bce_reordered(p, x, y)};
    for (unsigned i = 0; i < 3; i++) {
        Sx gradient[2];
        sx_gradient(p, loss[i], 2, gradient);
        for (unsigned k = 0; k < 500; k++) {
            double a = dice_in(&dice, -4, 4), b = dice_in(&dice, -4, 4);
            if (fabs(fabs(a - b) - 1) > 1e-4 && fabs(a - b) > 1e-4 && fabs(a) > 1e-4)
                check_point("loss", loss[i], gradient, a, b);
        }
    }
}

static bool smooth_enough(SxOp op)
{
    return op != SX_POW && op != SX_LOG && op != SX_SQRT && op != SX_DIV && op != SX_POWI && op != SX_EXP &&
           op != SX_EXPM1;
}

/* Two steps of different length agree: no kink between them, and no more curvature than differences can follow. */
static bool measurable(Sx f, double a, double b, double *slope)
{
    double h = 1e-5, wide = (at(f, a + 4 * h, b) - at(f, a - 4 * h, b)) / (8 * h);
    double left = (at(f, a, b) - at(f, a - h, b)) / h, right = (at(f, a + h, b) - at(f, a, b)) / h;
    *slope = (at(f, a + h, b) - at(f, a - h, b)) / (2 * h);
    double size = fmax(1, fabs(*slope));
    return isfinite(*slope) && fabs(wide - *slope) < 1e-7 * size && fabs(left - right) < 1e-3 * size &&
           fabs(at(f, a, b)) < 1e3;
}

static void random_expressions(void **state)
{
    (void)state;
    Dice dice = {11};
    unsigned checked = 0;
    for (unsigned i = 0; i < 3000; i++) {
        Sx f = dice_expression(p, &dice, 2 + dice_below(&dice, 14), smooth_enough), d = slope_of(f);
        for (unsigned k = 0; k < 5; k++) {
            double a = dice_in(&dice, -2, 2), b = dice_in(&dice, -2, 2), measured;
            if (!measurable(f, a, b, &measured))
                continue;
            checked++;
            double derived = at(d, a, b), lean = at(sx_simplify(p, d), a, b), size = fmax(1, fabs(derived));
            if (!(fabs(derived - measured) < 2e-6 * size) || !(fabs(lean - derived) < 1e-9 * size)) {
                Text text = {.arena = arena};
                sx_print(p, f, &text);
                fail_msg("%s at (%g, %g): measured %.12g, derived %.12g, simplified %.12g", text_str(&text).p, a, b,
                         measured, derived, lean);
            }
        }
    }
    assert_true(checked > 5000);
}

static void ties(void **state)
{
    (void)state;
    assert_true(at(slope_of(zoo_relu(p, x)), 0, 0) == 0);
    assert_true(at(slope_of(sx_un(p, SX_ABS, x)), 0, 0) == 0);
    for (int op = SX_MIN; op <= SX_MAX; op++) {
        Sx d[2];
        sx_gradient(p, sx_bin(p, (SxOp)op, x, y), 2, d);
        assert_true(at(d[0], 1, 1) == 0 && at(d[1], 1, 1) == 1); /* to the second */
        for (unsigned k = 0; k < 3; k++) {                      /* where the output is NaN too, and to it alone */
            double a = k == 1 ? 1 : NAN, b = k == 0 ? 1 : NAN;
            assert_true(at(d[0], a, b) == 0 && at(d[1], a, b) == 1);
        }
    }
    assert_true(at(slope_of(zoo_softplus(p, x)), 0, 0) == 0.5); /* the two kinks cancel */
    assert_true(at(slope_of(zoo_log_sigmoid(p, x)), 0, 0) == 0.5);
    assert_true(at(slope_of(zoo_bce_with_logits(p, x, y)), 0, 1) == -0.5);
    assert_true(at(slope_of(zoo_bce_reordered(p, x, y)), 0, 1) == -0.5);
    assert_true(at(slope_of(zoo_elu(p, x)), 0, 0) == 1);
}

/* log(e^x + e^y), and its mirror image, in the stable form. */
static void smooth_maximum(void **state)
{
    (void)state;
    Sx gap = sx_sub(p, y, x);
    Sx tail = sx_un(p, SX_LOG1P, sx_un(p, SX_EXP, sx_neg(p, sx_un(p, SX_ABS, gap)))), d[2];
    sx_gradient(p, sx_add(p, tail, sx_bin(p, SX_MAX, x, y)), 2, d);
    assert_int_equal(d[0], sx_un(p, SX_SIGMOID, sx_sub(p, x, y)));
    assert_int_equal(d[1], sx_un(p, SX_SIGMOID, sx_sub(p, y, x)));
    sx_gradient(p, sx_sub(p, sx_bin(p, SX_MIN, x, y), tail), 2, d);
    assert_int_equal(d[0], sx_un(p, SX_SIGMOID, sx_sub(p, y, x)));
    assert_int_equal(d[1], sx_un(p, SX_SIGMOID, sx_sub(p, x, y)));
    /* not the same adjoint: each by its own rule */
    Sx uneven = sx_add(p, sx_mul(p, num(2), tail), sx_bin(p, SX_MAX, x, y));
    sx_gradient(p, uneven, 2, d);
    for (double a = -3; a < 3; a += 0.37)
        check_point("uneven", uneven, d, a, 0.5), check_point("tail", uneven, d, 0.25, a);
    /* max(x, 3) + log1p(exp(-|x - 3|)) */
    Sx far = sx_un(p, SX_LOG1P, sx_un(p, SX_EXP, sx_neg(p, sx_un(p, SX_ABS, sx_sub(p, x, num(3))))));
    assert_int_equal(slope_of(sx_add(p, zoo_max(p, x, 3), far)), sx_un(p, SX_SIGMOID, sx_sub(p, x, num(3))));
}

static void the_arm_not_taken_is_silent(void **state)
{
    (void)state;
    Sx d = slope_of(zoo_elu(p, x));
    assert_true(at(d, 1000, 0) == 1); /* exp(1000) * 0 would be NaN */
    Sx guarded = sx_select(p, sx_bin(p, SX_LT, num(0), x), sx_un(p, SX_SQRT, x), num(0));
    d = slope_of(guarded);
    assert_true(at(d, 0, 0) == 0 && at(d, -1, 0) == 0 && at(d, 4, 0) == 0.25);
    Sx safe_log = sx_mul(p, y, sx_un(p, SX_LOG, zoo_max(p, x, 1e-12)));
    assert_true(at(slope_of(safe_log), 0, 1) == 0);
    Sx outer = zoo_positive(p, sx_add(p, x, num(1)), sx_un(p, SX_LOG1P, x), num(5));
    d = slope_of(zoo_positive(p, x, sx_un(p, SX_LOG, x), outer));
    assert_true(at(d, -3, 0) == 0 && at(d, -0.5, 0) == 2 && at(d, 0.5, 0) == 2);
    d = slope_of(zoo_positive(p, x, num(5), sx_un(p, SX_EXP, x)));
    assert_true(at(d, 1000, 0) == 0 && at(d, 0, 0) == 1);
    d = slope_of(zoo_positive(p, x, sx_un(p, SX_EXP, sx_neg(p, x)), num(5)));
    assert_true(at(d, -1000, 0) == 0);
    Sx contradiction = zoo_positive(p, x, num(1), zoo_positive(p, x, sx_un(p, SX_EXP, x), x));
    assert_true(at(slope_of(contradiction), 1000, 0) == 0 && at(slope_of(contradiction), -1, 0) == 1);
}

static void outputs_are_used(void **state)
{
    (void)state;
    static const SxOp by_output[] = {SX_EXP, SX_TANH, SX_SIGMOID, SX_SQRT, SX_EXPM1};
    for (unsigned i = 0; i < 5; i++) {
        Sx f = sx_un(p, by_output[i], x);
        assert_int_equal(sx_args_used(p, sx_replace(p, slope_of(f), f, y)), 2); /* y alone */
    }
    Sx relu = zoo_relu(p, x), elsewhere = sx_replace(p, sx_simplify(p, slope_of(relu)), relu, y);
    assert_int_equal(sx_args_used(p, elsewhere), 2);
}

static void what_does_not_matter_is_zero(void **state)
{
    (void)state;
    Sx d[4];
    sx_gradient(p, sx_un(p, SX_FLOOR, sx_mul(p, x, y)), 4, d);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(d[i], num(0));
    sx_gradient(p, sx_add(p, x, sx_arg(p, 3)), 2, d); /* argument 3 is not asked for */
    assert_int_equal(d[0], num(1));
    assert_int_equal(d[1], num(0));
    sx_gradient(p, num(4), 2, d);
    assert_int_equal(d[1], num(0));
}

/* Time and size linear in the DAG: ten thousand nested maxima make ten thousand guards. */
static void deep_chains(void **state)
{
    (void)state;
    Sx f = x, g = x, h = x;
    for (unsigned i = 0; i < 10000; i++) {
        f = sx_mul(p, num(1.0001), sx_bin(p, SX_MAX, f, num(-1 - (double)i)));
        /* y has ten thousand uses, each under its own guard */
        g = sx_bin(p, SX_MAX, sx_mul(p, g, y), num(-2 - (double)i));
        h = sx_un(p, SX_LOG1P, sx_un(p, SX_EXP, sx_neg(p, sx_un(p, SX_ABS, h))));
    }
    Sx d[2];
    sx_gradient(p, f, 2, d);
    assert_true(fabs(at(d[0], 0.5, 0) - pow(1.0001, 10000)) < 1e-8);
    assert_true(sx_size(p, d[0]) < 80000);
    sx_gradient(p, g, 2, d);
    assert_true(at(d[0], 0.5, 1) == 1 && fabs(at(d[1], 0.5, 1) - 5000) < 1e-9);
    assert_true(sx_size(p, d[1]) < 120000);
    sx_gradient(p, h, 2, d);
    assert_true(isfinite(at(d[0], 0.5, 0)));
    assert_true(at(sx_simplify(p, d[0]), 0.5, 0) == at(d[0], 0.5, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(primitives, setup, teardown),
        cmocka_unit_test_setup_teardown(activations, setup, teardown),
        cmocka_unit_test_setup_teardown(random_expressions, setup, teardown),
        cmocka_unit_test_setup_teardown(ties, setup, teardown),
        cmocka_unit_test_setup_teardown(smooth_maximum, setup, teardown),
        cmocka_unit_test_setup_teardown(the_arm_not_taken_is_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(outputs_are_used, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_matter_is_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(deep_chains, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
