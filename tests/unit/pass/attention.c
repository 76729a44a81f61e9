/* Attention: written out in one piece and in blocks, it means what its op means; what a query does not see weighs exactly nothing; large
 * scores stay finite; the gradient that computes the weights again is the one of differences. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "differences.h"

typedef struct Case {
    uint32_t heads, groups, queries, keys, depth, width; /* groups 0: no such axis */
    double scale;
    bool causal;
    uint32_t start;
} Case;

static uint32_t tensor(Graph *g, const char *name, uint32_t rank, const uint32_t *dim)
{
    return graph_tensor_add(g, &(Tensor){.name = str_of(name), .role = ROLE_INPUT, .type = type_make(DT_F32, true, rank, dim), .low = 1});
}

/* q, k, v as inputs, the result as output 0, the weights before they are divided as output 1. */
static Graph *graph_of(Arena *arena, const Case *c)
{
    Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 2);
    uint32_t q[4] = {c->heads, c->groups, c->queries, c->depth}, k[3] = {c->heads, c->keys, c->depth}, v[3] = {c->heads, c->keys, c->width};
    if (c->groups == 0)
        q[1] = q[2], q[2] = q[3];
    NodeId in[3] = {build_tensor(g, tensor(g, "q", c->groups ? 4 : 3, q)), build_tensor(g, tensor(g, "k", 3, k)),
                    build_tensor(g, tensor(g, "v", 3, v))};
    Attend attend = {c->scale, c->causal, c->start};
    graph_root_add(g, ROOT_OUTPUT, build_attend(g, attend, in[0], in[1], in[2]), 0, STR("y"));
    AttrValue attr[4] = {{.i = 0}, {.f = c->scale}, {.i = c->causal}, {.i = c->start}};
    graph_root_add(g, ROOT_OUTPUT, graph_add(g, op_find(STR("attend_part")), in, 2, attr), 1, STR("e"));
    return g;
}

static const Case cases[] = {
    {2, 0, 5, 5, 4, 4, 0.5, false, 0},      {2, 0, 5, 7, 3, 4, 0.5, true, 2},   {1, 0, 1, 1, 3, 2, 1, true, 0},
    {1, 3, 4, 4, 2, 2, 0.7, true, 0},       {2, 2, 3, 5, 2, 3, 0.7, false, 0},  {1, 0, 257, 257, 2, 2, 0.7, true, 0},
    {1, 2, 300, 40, 2, 3, 0.7, false, 0},   {1, 0, 2100, 3, 2, 1, 1, false, 0}, {1, 0, 6, 6, 3, 2, 1e4, true, 0},
};

static void written_out(void **unused)
{
    (void)unused;
    enum { ROWS = 2 };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena *arena = arena_new();
        Graph *g = graph_of(arena, &cases[i]);
        double **value = programs_values(arena, g, ROWS, i + 1);
        EvalEnv env = programs_env(value, ROWS);
        PassState state = {.arena = arena, .g = g};
        double **meant = graph_eval(arena, g, &env);
        pass_expand.run(&state);
        assert_null(graph_verify(state.g, arena));
        double **got = graph_eval(arena, state.g, &env);
        for (uint32_t r = 0; r < 2; r++) {
            NodeId from = g->roots.at[r].node, to = state.g->roots.at[r].node;
            for (size_t e = 0; e < ROWS * (size_t)type_elements(graph_type(g, from)); e++) {
                assert_true(isfinite(got[to][e]));
                if (!(fabs(meant[from][e] - got[to][e]) <= 1e-12))
                    fail_msg("case %u, output %u, element %zu: %.15g, not %.15g", i, r, e, got[to][e], meant[from][e]);
            }
        }
        for (size_t e = 0; cases[i].causal && e < ROWS * (size_t)type_elements(graph_type(g, g->roots.at[1].node)); e++) {
            size_t row = e / cases[i].keys % cases[i].queries, key = e % cases[i].keys;
            if (key > row + cases[i].start)
                assert_true(got[state.g->roots.at[1].node][e] == 0);
        }
        arena_free(arena);
    }
}

/* Sums of squares of the result: every element matters, each a little differently. */
static Graph *with_loss(Graph *g)
{
    NodeId y = g->roots.at[0].node;
    g->roots.n = 0;
    graph_root_add(g, ROOT_LOSS, build_sum_all(g, build_map(g, sx_powi(g->sx, sx_add(g->sx, sx_arg(g->sx, 0), sx_num(g->sx, 0.3)), 3), &y, 1)), 0,
                   STR("loss"));
    return g;
}

static void gradients(void **unused)
{
    (void)unused;
    static const Case long_ones[] = {
        {1, 0, 259, 259, 2, 1, 0.7, true, 0},
        {1, 2, 258, 7, 2, 3, 0.7, false, 0},
        {2, 0, 257, 9, 2, 2, 0.7, true, 3},
    };
    for (unsigned i = 0; i < 5; i++) {
        Arena *arena = arena_new();
        differences_check(with_loss(graph_of(arena, &cases[i])), arena, "attend", 1);
        arena_free(arena);
    }
    for (unsigned i = 0; i < sizeof long_ones / sizeof long_ones[0]; i++) {
        Arena *arena = arena_new();
        differences_check(with_loss(graph_of(arena, &long_ones[i])), arena, "attend in blocks", 173);
        arena_free(arena);
    }
}

/* No value of a long sequence has a row of scores for every query. */
static void never_whole(void **unused)
{
    (void)unused;
    enum { LENGTH = 1024 };
    Arena *arena = arena_new();
    Case c = {1, 0, LENGTH, LENGTH, 8, 8, 0.35, true, 0};
    Graph *g = with_loss(graph_of(arena, &c));
    differences_train_all(g);
    PassState state = {.arena = arena, .g = g, .train = true};
    pass_gradient.run(&state);
    pass_expand.run(&state);
    pass_prune.run(&state);
    for (NodeId id = 1; id < state.g->nodes.n; id++)
        assert_true(type_elements(graph_type(state.g, id)) <= LENGTH * LENGTH / 8);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(written_out), cmocka_unit_test(gradients), cmocka_unit_test(never_whole)};
    return cmocka_run_group_tests_name("pass.attention", tests, NULL, NULL);
}
