/* Functions of doubles (schedules, uniforms) against the library and the evaluator of expressions; no call leaves them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/jit.h"

#include <math.h>

typedef double (*Scalar1)(double);
typedef double (*Scalar2)(double, double);

static const struct {
    SxOp op;
    double (*library)(double);
    double tolerance;
} row[] = {
    {SX_EXP, exp, 5e-16}, {SX_LOG, log, 5e-16},   {SX_LOG1P, log1p, 7e-16}, {SX_EXPM1, expm1, 7e-16},
    {SX_SQRT, sqrt, 0},   {SX_TANH, tanh, 1e-15}, {SX_SIN, sin, 1e-15},     {SX_COS, cos, 1e-15},
    {SX_ERF, erf, 8e-15}, {SX_FLOOR, floor, 0},   {SX_ABS, fabs, 0},
};
enum { ROWS_OF_TABLE = sizeof row / sizeof *row };

static bool close_to(double got, double want, double tolerance)
{
    if (isnan(want))
        return isnan(got);
    if (got == want)
        return true;
    if (fabs(want) < 0x1p-1022)
        return fabs(got) <= 0x1p-1022;
    return fabs(got - want) <= tolerance * fabs(want);
}

static void test_functions(void **state)
{
    (void)state;
    static const double place[] = {0,
                                   -0.0,
                                   1,
                                   -1,
                                   0.5,
                                   -0.5,
                                   2,
                                   10,
                                   -10,
                                   1e-300,
                                   1e-310,
                                   1e-10,
                                   -1e-10,
                                   700,
                                   -700,
                                   709.78,
                                   709.79,
                                   -708,
                                   -745,
                                   -746,
                                   1e5,
                                   -1e5,
                                   123456.7,
                                   1e300,
                                   -1e300,
                                   3.14159265358979,
                                   1.5707963267948966,
                                   4.71238898038469,
                                   0.7071067811865475,
                                   1.41421356237309,
                                   5.9,
                                   6.1,
                                   0.3465735902799726};
    for (int l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Jit jit;
        jit_start(&jit, &jit_level[l]);
        SxPool *sx = sx_pool_new(jit.arena);
        for (unsigned f = 0; f < ROWS_OF_TABLE; f++)
            LLVMSetLinkage(
                cg_scalar_function(&jit.cg, sx, sx_un(sx, row[f].op, sx_arg(sx, 0)), 1, sx_op_name(row[f].op)),
                LLVMExternalLinkage);
        jit_link(&jit);
        for (unsigned f = 0; f < ROWS_OF_TABLE; f++) {
            Scalar1 run = (Scalar1)jit_find(&jit, sx_op_name(row[f].op));
            assert_true(isnan(run(NAN)));
            for (int i = -3000; i < 3000 + (int)(sizeof place / sizeof *place); i++) {
                double x = i < 3000 ? i * 0.0101 * (i % 7 == 0 ? 20 : 1) : place[i - 3000];
                bool turns = row[f].op == SX_SIN || row[f].op == SX_COS;
                if (turns && fabs(x) > 1e6)
                    continue;
                double got = run(x), want = row[f].library(x);
                bool near_zero =
                    turns && fabs(got - want) < 1e-17; /* next to a zero the argument itself is not exact */
                if (!close_to(got, want, row[f].tolerance) && !near_zero)
                    fail_msg("%s, %s(%.17g) is %.17g, not %.17g", jit_level[l].name, sx_op_name(row[f].op), x, got,
                             want);
            }
            if (row[f].op != SX_SIN && row[f].op != SX_COS) {
                assert_true(close_to(run(INFINITY), row[f].library(INFINITY), 0));
                assert_true(close_to(run(-INFINITY), row[f].library(-INFINITY), 0));
            }
        }
        jit_end(&jit);
    }
}

static void test_pow(void **state)
{
    (void)state;
    static const double place[] = {0,     -0.0, 1,  -1,   2,     -2,       3,         0.5, -0.5,
                                   0.999, 1000, -7, 1e-3, 1e300, INFINITY, -INFINITY, NAN, 1048577};
    enum { N = sizeof place / sizeof *place };
    for (int l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Jit jit;
        jit_start(&jit, &jit_level[l]);
        SxPool *sx = sx_pool_new(jit.arena);
        Sx x = sx_bin(sx, SX_POW, sx_arg(sx, 0), sx_arg(sx, 1));
        LLVMSetLinkage(cg_scalar_function(&jit.cg, sx, x, 2, "power"), LLVMExternalLinkage);
        jit_link(&jit);
        Scalar2 run = (Scalar2)jit_find(&jit, "power");
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                double got = run(place[i], place[k]), want = pow(place[i], place[k]);
                if (!close_to(got, want, 3e-13))
                    fail_msg("%s, pow(%g, %g) is %.17g, not %.17g", jit_level[l].name, place[i], place[k], got, want);
            }
        for (int step = 1; step < 20000; step += 37) /* what Adam's corrections are made of */
            assert_true(close_to(run(0.999, step), pow(0.999, step), 1e-15 * step + 1e-15));
        jit_end(&jit);
    }
}

/* A cosine schedule with warm-up as a user would write it. */
static void test_schedule(void **state)
{
    (void)state;
    Jit jit;
    jit_start(&jit, &jit_level[JIT_LEVELS - 1]);
    SxPool *sx = sx_pool_new(jit.arena);
    Sx now = sx_arg(sx, 0), total = sx_arg(sx, 1), warm = sx_num(sx, 100);
    Sx part = sx_div(sx, sx_sub(sx, now, warm), sx_sub(sx, total, warm));
    Sx wave = sx_mul(sx, sx_num(sx, 0.5),
                     sx_add(sx, sx_num(sx, 1), sx_un(sx, SX_COS, sx_mul(sx, part, sx_num(sx, 3.141592653589793)))));
    Sx x = sx_select(sx, sx_bin(sx, SX_LT, now, warm), sx_div(sx, now, warm), wave);
    LLVMSetLinkage(cg_scalar_function(&jit.cg, sx, x, 2, "schedule"), LLVMExternalLinkage);
    jit_link(&jit);
    Scalar2 run = (Scalar2)jit_find(&jit, "schedule");
    for (int step = 0; step <= 5000; step++) {
        double args[2] = {step, 5000};
        assert_true(fabs(run(step, 5000) - sx_eval(sx, x, args)) < 1e-15);
    }
    jit_end(&jit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_pow),
        cmocka_unit_test(test_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
