/* Every op's gradient against central differences in the double interpreter, on its examples and on random networks; and every
 * op is documented and has an example. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "random_graph.h"

/* loss = sum over outputs of output * fixed random weights, so that every output element matters */
static Graph *with_loss(Graph *g)
{
    NodeId total = 0;
    SxPool *sx = g->sx;
    for (uint32_t i = 0; i < g->roots.n; i++) {
        if (g->roots.at[i].kind != ROOT_OUTPUT)
            continue;
        NodeId y = g->roots.at[i].node;
        Sx wave = sx_mul(sx, sx_arg(sx, 0), sx_un(sx, SX_COS, sx_add(sx, sx_arg(sx, 1), sx_num(sx, i))));
        NodeId weighted = y;
        if (graph_type(g, y)->rank > 0)
            weighted = build_map(g, wave, (NodeId[]){y, build_iota(g, (uint32_t)type_last(graph_type(g, y)))}, 2);
        NodeId sum = build_sum_all(g, weighted);
        total = total == 0 ? sum : build_add(g, total, sum);
    }
    graph_root_add(g, ROOT_LOSS, total, 0, STR("loss"));
    return g;
}

/* Inputs become parameters: everything of type float is differentiated. */
static void all_trained(Graph *g)
{
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        Tensor *tensor = &g->tensors.at[t];
        if (tensor->type.dtype != DT_F32 || tensor->role == ROLE_STATE)
            continue;
        tensor->trainable = true;
    }
}

static double loss_at(Arena *arena, const Graph *g, double **value, size_t rows)
{
    EvalEnv env = programs_env(value, rows);
    double **at = graph_eval(arena, g, &env);
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_LOSS)
            return at[g->roots.at[i].node][0];
    fail_msg("there is no loss");
    return 0;
}

static void check(Graph *g, Arena *arena, const char *what, uint32_t every)
{
    enum { ROWS = 3 };
    all_trained(g);
    PassState state = {.arena = arena, .g = g, .train = true};
    pass_gradient.run(&state);
    pass_expand.run(&state);
    double **value = programs_values(arena, state.g, ROWS, 11);
    EvalEnv env = programs_env(value, ROWS);
    double **at = graph_eval(arena, state.g, &env);
    uint32_t checked = 0;
    for (uint32_t i = 0; i < state.g->roots.n; i++) {
        const Root *root = &state.g->roots.at[i];
        if (root->kind != ROOT_UPDATE)
            continue;
        double *x = value[root->index];
        size_t count = (size_t)type_elements(&state.g->tensors.at[root->index].type) *
                       (state.g->tensors.at[root->index].type.batch ? ROWS : 1);
        for (size_t e = 0; e < count; e += every) {
            double keep = x[e], h = 1e-5, g4[4];
            for (int k = 0; k < 4; k++) {
                x[e] = keep + h * (k < 2 ? k - 2 : k - 1); /* -2 -1 1 2: fourth order */
                g4[k] = loss_at(arena, state.g, value, ROWS);
            }
            x[e] = keep;
            double want = (g4[0] - 8 * g4[1] + 8 * g4[2] - g4[3]) / (12 * h), got = at[root->node][e];
            double one_sided = fabs((g4[2] - g4[1]) / (2 * h) - (g4[3] - g4[0]) / (4 * h));
            if (one_sided > 1e-4 * fmax(1, fabs(want)))
                continue; /* a kink within the step */
            if (!(fabs(got - want) <= 1e-6 * fmax(1, fabs(want))))
                fail_msg("%s: tensor %u element %zu: gradient %.12g, differences %.12g", what, root->index, e, got, want);
            checked++;
        }
    }
    assert_true(checked > 0);
}

static void every_op(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < op_count(); i++) {
        const Op *op = op_at(i);
        for (const char *const *text = op->examples; op->vjp != NULL && text != NULL && *text != NULL; text++) {
            Arena *arena = arena_new();
            check(with_loss(programs_read(arena, *text)), arena, op->name, 1);
            arena_free(arena);
        }
    }
}

static void networks(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        Arena *arena = arena_new();
        char what[32];
        snprintf(what, sizeof what, "seed %d", (int)seed);
        check(random_graph(arena, seed), arena, what, 17);
        arena_free(arena);
    }
}

static void documented(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < op_count(); i++) {
        const Op *op = op_at(i);
        assert_non_null(op->doc);
        assert_non_null(op->infer);
        assert_non_null(op->eval);
        assert_true((op->kind == OP_COMPOSITE) == (op->expand != NULL));
        assert_true((op->kind == OP_MOVE) == (op->locate != NULL));
        assert_ptr_equal(op_find(str_of(op->name)), op);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(documented), cmocka_unit_test(every_op), cmocka_unit_test(networks)};
    return cmocka_run_group_tests_name("pass.gradients", tests, NULL, NULL);
}
