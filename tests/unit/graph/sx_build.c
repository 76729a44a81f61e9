/* The pool: equal expressions are one node, the laws of building, and what can be asked of an expression. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "sx_random.h"
#include "sx_zoo.h"
#include "sx_pool.h" /* last: its names are short */

static void equal_expressions_are_one_node(void **state)
{
    (void)state;
    assert_int_equal(sx_add(p, x, y), sx_add(p, x, y));
    assert_int_equal(sx_add(p, x, y), sx_add(p, y, x));
    assert_int_equal(sx_mul(p, x, y), sx_mul(p, y, x));
    assert_int_not_equal(sx_sub(p, x, y), sx_sub(p, y, x));
    assert_int_not_equal(sx_bin(p, SX_MAX, x, y), sx_bin(p, SX_MAX, y, x)); /* a tie tells them apart */
    assert_int_equal(num(NAN), num(NAN));
    assert_int_not_equal(num(0.0), num(-0.0));
    assert_int_not_equal(sx_powi(p, x, 2), sx_powi(p, x, 3));
    for (unsigned i = 0; i < ZOO_COUNT; i++)
        assert_int_equal(zoo[i].make(p, x), zoo[i].make(p, x));
}

static void nodes_never_move(void **state)
{
    (void)state;
    const SxNode *first = sx_node(p, x);
    for (unsigned i = 0; i < 100000; i++)
        sx_num(p, i);
    assert_ptr_equal(first, sx_node(p, x));
    assert_int_equal(sx_num(p, 77777), sx_num(p, 77777));
}

static void laws(void **state)
{
    (void)state;
    assert_int_equal(sx_add(p, x, num(0)), x);
    assert_int_equal(sx_add(p, num(0), x), x);
    assert_int_equal(sx_sub(p, x, num(0)), x);
    assert_int_equal(sx_sub(p, num(0), x), sx_neg(p, x));
    assert_int_equal(sx_mul(p, x, num(1)), x);
    assert_int_equal(sx_mul(p, num(-1), x), sx_neg(p, x));
    assert_int_equal(sx_div(p, x, num(1)), x);
    assert_int_equal(sx_sub(p, x, num(3)), sx_add(p, x, num(-3)));
    assert_int_equal(sx_neg(p, sx_neg(p, x)), x);
    assert_int_equal(sx_neg(p, sx_sub(p, x, y)), sx_sub(p, y, x));
    assert_int_equal(sx_add(p, x, sx_neg(p, y)), sx_sub(p, x, y));
    assert_int_equal(sx_sub(p, x, sx_neg(p, y)), sx_add(p, x, y));
    assert_int_equal(sx_select(p, num(1), x, y), x);
    assert_int_equal(sx_select(p, num(0), x, y), y);
    assert_int_equal(sx_select(p, x, y, y), y);
    assert_int_equal(sx_powi(p, x, 1), x);
    assert_int_equal(sx_powi(p, x, 0), num(1));
    assert_int_equal(sx_un(p, SX_ABS, sx_neg(p, x)), sx_un(p, SX_ABS, x));
    assert_int_equal(sx_un(p, SX_EXP, num(0)), num(1));
    assert_int_equal(sx_powi(p, num(2), -2), num(0.25));
    /* 1 / (1 + exp(-x)) is the meaning of sigmoid, in either order of the sum */
    Sx e = sx_un(p, SX_EXP, sx_neg(p, x));
    assert_int_equal(sx_div(p, num(1), sx_add(p, e, num(1))), sx_un(p, SX_SIGMOID, x));
}

static void not_laws(void **state)
{
    (void)state;
    Sx zero = num(0);
    assert_int_not_equal(sx_mul(p, x, zero), zero);                              /* NaN, inf */
    assert_int_not_equal(sx_sub(p, x, x), zero);                                 /* inf - inf */
    assert_int_not_equal(sx_div(p, x, x), num(1));                               /* 0 / 0 */
    assert_int_not_equal(sx_bin(p, SX_LE, x, x), num(1));                        /* NaN <= NaN is false */
    assert_int_not_equal(sx_add(p, sx_add(p, x, num(1e16)), num(-1e16)), x);     /* rounding */
    assert_int_equal(sx_bin(p, SX_LT, x, x), zero);
}

static void names(void **state)
{
    (void)state;
    for (int op = SX_NEG; op < SX_OP_COUNT; op++)
        assert_int_equal(sx_op_find(str_of(sx_op_name((SxOp)op))), op);
    assert_int_equal(sx_op_find(STR("num")), -1);
    assert_int_equal(sx_op_find(STR("tan")), -1);
    assert_string_equal(sx_op_name(SX_LOG1P), "log1p");
    assert_int_equal(sx_op_arity(SX_SELECT), 3);
}

static void count_visit(void *context, Sx node, const SxNode *what)
{
    Sx *last = context;
    for (unsigned k = 0; k < sx_op_arity(what->op); k++)
        assert_true(what->in[k] < node);
    *last += 1;
}

static void questions(void **state)
{
    (void)state;
    Sx z = sx_arg(p, 5), f = sx_mul(p, sx_add(p, x, z), sx_add(p, x, z));
    assert_int_equal(sx_args_used(p, f), 1 | 1 << 5);
    assert_int_equal(sx_arg_limit(p, f), 6);
    assert_int_equal(sx_arg_limit(p, num(3)), 0);
    assert_true(sx_uses_arg(p, f, 5) && !sx_uses_arg(p, f, 1));
    assert_int_equal(sx_size(p, f), 4);
    assert_int_equal(sx_cost(p, f), 2);
    assert_int_equal(sx_cost(p, sx_powi(p, x, 8)), 3);
    assert_int_equal(sx_cost(p, zoo_silu(p, x)), 21);
    unsigned index;
    double value;
    assert_true(sx_is_arg(p, z, &index) && index == 5);
    assert_true(sx_is_num(p, num(2.5), &value) && value == 2.5);
    assert_false(sx_is_num(p, x, &value));
    Sx seen = 0;
    sx_walk(p, f, count_visit, &seen);
    assert_int_equal(seen, 4);
}

static void affine(void **state)
{
    (void)state;
    double scale, shift;
    Sx f = sx_div(p, sx_sub(p, num(1), sx_mul(p, num(3), sx_add(p, x, x))), num(2));
    assert_true(sx_is_affine(p, f, 0, &scale, &shift));
    assert_true(scale == -3 && shift == 0.5);
    assert_true(sx_is_affine(p, num(7), 0, &scale, &shift) && scale == 0 && shift == 7);
    assert_false(sx_is_affine(p, sx_mul(p, x, x), 0, &scale, &shift));
    assert_false(sx_is_affine(p, sx_add(p, x, y), 0, &scale, &shift));
    assert_false(sx_is_affine(p, sx_div(p, num(1), x), 0, &scale, &shift));
    assert_false(sx_is_affine(p, zoo_relu(p, x), 0, &scale, &shift));
}

static void rewriting(void **state)
{
    (void)state;
    Sx f = zoo_silu(p, x);
    assert_int_equal(sx_substitute(p, f, (Sx[]){y}, 1), zoo_silu(p, y));
    assert_int_equal(sx_substitute(p, sx_add(p, x, y), (Sx[]){y, x}, 2), sx_add(p, x, y)); /* at once, not in turn */
    assert_int_equal(sx_substitute(p, sx_sub(p, x, y), (Sx[]){0, x}, 2), sx_sub(p, x, x)); /* 0 keeps */
    assert_int_equal(sx_substitute(p, zoo_relu(p, x), (Sx[]){num(-2)}, 1), num(0));
    Sx s = sx_un(p, SX_SIGMOID, x), slope = sx_mul(p, s, sx_sub(p, num(1), s));
    assert_int_equal(sx_replace(p, slope, s, y), sx_mul(p, y, sx_sub(p, num(1), y)));
    assert_int_equal(sx_replace(p, slope, slope, y), y);
}

static void depth_is_free(void **state)
{
    (void)state;
    Sx f = x;
    for (unsigned i = 0; i < 20000; i++)
        f = sx_un(p, i & 1 ? SX_TANH : SX_SIN, f);
    assert_int_equal(sx_size(p, f), 20001);
    assert_true(fabs(sx_eval(p, f, (double[]){0.5})) < 0.5);
    assert_int_not_equal(sx_substitute(p, f, (Sx[]){y}, 1), f);
    Sx slope;
    sx_gradient(p, f, 1, &slope);
    assert_true(sx_eval(p, slope, (double[]){0.5}) > 0);
    assert_true(sx_bounds(p, f, (SxInterval[]){{-1, 1, false}}, 1).high <= 1);
    /* 2^60 paths through 60 nodes: only a walk over the DAG comes to an end */
    f = x;
    for (unsigned i = 0; i < 60; i++)
        f = sx_mul(p, f, sx_add(p, f, num(0.5)));
    sx_gradient(p, f, 1, &slope);
    assert_true(sx_size(p, slope) < 600);
    assert_true(sx_cost(p, sx_simplify(p, slope)) < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_expressions_are_one_node, setup, teardown),
        cmocka_unit_test_setup_teardown(nodes_never_move, setup, teardown),
        cmocka_unit_test_setup_teardown(laws, setup, teardown),
        cmocka_unit_test_setup_teardown(not_laws, setup, teardown),
        cmocka_unit_test_setup_teardown(names, setup, teardown),
        cmocka_unit_test_setup_teardown(questions, setup, teardown),
        cmocka_unit_test_setup_teardown(affine, setup, teardown),
        cmocka_unit_test_setup_teardown(rewriting, setup, teardown),
        cmocka_unit_test_setup_teardown(depth_is_free, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
