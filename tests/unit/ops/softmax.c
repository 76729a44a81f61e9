/* softmax, log_softmax and logsumexp against published values, far out, and on what is no number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/eval.h"
#include "ops/build.h"

#include <math.h>

/* The values of all three for one row. */
static void rows_of(const double x[3], double p[3], double log_p[3], double *lse)
{
    Arena *arena = arena_new();
    Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 1);
    Tensor t = {.name = STR("x"), .role = ROLE_INPUT, .type = {DT_F32, true, 1, {3}}, .low = 1};
    NodeId in = build_tensor(g, graph_tensor_add(g, &t));
    NodeId node[3] = {build_softmax(g, in), build_log_softmax(g, in), build_logsumexp(g, in)};
    for (uint32_t i = 0; i < 2; i++)
        graph_root_add(g, ROOT_OUTPUT, node[i], i, STR("y"));
    graph_root_add(g, ROOT_OUTPUT, build_reshape(g, node[2], 1, (uint32_t[]){1}), 2, STR("lse"));
    const double *tensor[1] = {x};
    EvalEnv env = {.rows = 1, .tensor = tensor};
    double **value = graph_eval(arena, g, &env);
    for (int i = 0; i < 3; i++) {
        p[i] = value[node[0]][i];
        log_p[i] = value[node[1]][i];
    }
    *lse = value[node[2]][0];
    arena_free(arena);
}

static void published(void **unused)
{
    (void)unused;
    double p[3], log_p[3], lse;
    rows_of((const double[]){3.2, 1.8, 0.5}, p, log_p, &lse);
    static const double want[] = {0.761, 0.188, 0.051};
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(p[i] - want[i]) < 5e-4);
        assert_true(fabs(log_p[i] - log(p[i])) < 1e-12);
    }
    assert_true(fabs(p[0] + p[1] + p[2] - 1) < 1e-15);
    assert_true(fabs(lse - log(exp(3.2) + exp(1.8) + exp(0.5))) < 1e-12);
}

static void far_out(void **unused)
{
    (void)unused;
    double p[3], log_p[3], lse;
    rows_of((const double[]){1e4, 0, -1e4}, p, log_p, &lse);
    assert_true(p[0] == 1 && p[1] == 0 && p[2] == 0);
    assert_true(log_p[0] == 0 && log_p[1] == -1e4 && log_p[2] == -2e4 && lse == 1e4);
}

static void no_number(void **unused)
{
    (void)unused;
    double p[3], log_p[3], lse;
    rows_of((const double[]){1, NAN, 2}, p, log_p, &lse);
    assert_true(isnan(p[0]) && isnan(p[1]) && isnan(log_p[2]) && isnan(lse));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published), cmocka_unit_test(far_out), cmocka_unit_test(no_number)};
    return cmocka_run_group_tests_name("ops.softmax", tests, NULL, NULL);
}
