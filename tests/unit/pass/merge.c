/* Sums over the readers of a value made into few large operations: the same numbers, and nothing left that was added up part by part. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "ops/build.h"
#include "programs.h"

typedef struct Kinds {
    uint32_t pads, concats, products, folds, sums;
} Kinds;

static Kinds kinds(const Graph *g)
{
    Kinds k = {0};
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        uint32_t axis, before, after;
        k.pads += build_is_pad(node, &axis, &before, &after);
        k.concats += str_is(str_of(node->op->name), "concat");
        k.products += node->op->kind == OP_CONTRACT;
        k.folds += node->op->kind == OP_REDUCE;
        k.sums += node->op->kind == OP_MAP;
    }
    return k;
}

/* Runs the pass and compares the first output before and behind it. */
static Kinds merged(const char *text)
{
    Arena *arena = arena_new();
    Graph *g = programs_read(arena, text);
    PassState state = {.arena = arena, .g = g, .target = target_find(16, 32), .train = true};
    pass_merge.run(&state);
    pass_prune.run(&state);
    assert_null(graph_verify(state.g, arena));
    const Graph *both[2] = {g, state.g};
    const double *y[2];
    for (int i = 0; i < 2; i++) {
        EvalEnv env = programs_env(programs_values(arena, both[i], 3, 11), 3);
        y[i] = graph_eval(arena, both[i], &env)[both[i]->roots.at[0].node];
    }
    for (size_t e = 0; e < graph_value_count(g, g->roots.at[0].node, 3); e++)
        if (fabs(y[0][e] - y[1][e]) > 1e-12 * (1 + fabs(y[0][e])))
            fail_msg("element %zu is %g, not %g", e, y[1][e], y[0][e]);
    Kinds k = kinds(state.g);
    arena_free(arena);
    return k;
}

/* The gradients of three slices of one value. */
static void padded_parts_lie_side_by_side(void **state)
{
    (void)state;
    Kinds k = merged("graph a batch 4\n"
                     "tensor \"x\" input f32[B, 2, 3]\n"
                     "tensor \"y\" input f32[B, 1, 3]\n"
                     "tensor \"z\" input f32[B, 3, 3]\n"
                     "%1 = tensor {tensor = 0} : f32[B, 2, 3]\n"
                     "%2 = tensor {tensor = 1} : f32[B, 1, 3]\n"
                     "%3 = tensor {tensor = 2} : f32[B, 3, 3]\n"
                     "%4 = pad %1 {axis = 0, before = 1, after = 3} : f32[B, 6, 3]\n"
                     "%5 = pad %2 {axis = 0, before = 0, after = 5} : f32[B, 6, 3]\n"
                     "%6 = pad %3 {axis = 0, before = 3, after = 0} : f32[B, 6, 3]\n"
                     "%7 = map %4, %5 {fn = (add a0 a1)} : f32[B, 6, 3]\n"
                     "%8 = map %7, %6 {fn = (add a0 a1)} : f32[B, 6, 3]\n"
                     "output 0 \"s\" %8\n");
    assert_int_equal(k.pads, 0);
    assert_int_equal(k.concats, 1);
    assert_int_equal(k.sums, 0);
}

/* A gap, a part twice, and one that lies across two others. */
static void gaps_and_overlaps(void **state)
{
    (void)state;
    Kinds k = merged("graph a batch 4\n"
                     "tensor \"x\" input f32[B, 2, 3]\n"
                     "tensor \"y\" input f32[B, 2, 3]\n"
                     "%1 = tensor {tensor = 0} : f32[B, 2, 3]\n"
                     "%2 = tensor {tensor = 1} : f32[B, 2, 3]\n"
                     "%4 = pad %1 {axis = 0, before = 1, after = 4} : f32[B, 7, 3]\n"
                     "%5 = pad %2 {axis = 0, before = 1, after = 4} : f32[B, 7, 3]\n"
                     "%6 = pad %1 {axis = 0, before = 4, after = 1} : f32[B, 7, 3]\n"
                     "%7 = pad %2 {axis = 0, before = 2, after = 3} : f32[B, 7, 3]\n"
                     "%8 = map %4, %5 {fn = (add a0 a1)} : f32[B, 7, 3]\n"
                     "%9 = map %8, %6 {fn = (add a0 a1)} : f32[B, 7, 3]\n"
                     "%10 = map %9, %7 {fn = (add a0 a1)} : f32[B, 7, 3]\n"
                     "output 0 \"s\" %10\n");
    assert_true(k.concats >= 1);
}

/* The weight's and the bias's gradients of a layer used three times: one product, one sum. */
static void rows_of_all_uses_together(void **state)
{
    (void)state;
    Kinds k = merged("graph a batch 4\n"
                     "tensor \"x\" input f32[B, 5]\n"
                     "tensor \"y\" input f32[B, 5]\n"
                     "tensor \"z\" input f32[B, 2, 5]\n"
                     "tensor \"g\" input f32[B, 3]\n"
                     "tensor \"h\" input f32[B, 2, 3]\n"
                     "%1 = tensor {tensor = 0} : f32[B, 5]\n"
                     "%2 = tensor {tensor = 1} : f32[B, 5]\n"
                     "%3 = tensor {tensor = 2} : f32[B, 2, 5]\n"
                     "%4 = tensor {tensor = 3} : f32[B, 3]\n"
                     "%5 = tensor {tensor = 4} : f32[B, 2, 3]\n"
                     "%6 = contract %1, %4 {form = 2} : f32[5, 3]\n"
                     "%7 = contract %2, %4 {form = 2} : f32[5, 3]\n"
                     "%8 = contract %3, %5 {form = 2} : f32[5, 3]\n"
                     "%9 = map %6, %7 {fn = (add a0 a1)} : f32[5, 3]\n"
                     "%10 = map %9, %8 {fn = (add a0 a1)} : f32[5, 3]\n"
                     "%11 = contract %1, %10 {form = 0} : f32[B, 3]\n"
                     "output 0 \"y\" %11\n");
    assert_int_equal(k.products, 2); /* and the one that reads it */
    assert_int_equal(k.sums, 0);
    k = merged("graph a batch 4\n"
               "tensor \"g\" input f32[B, 3]\n"
               "tensor \"h\" input f32[B, 2, 3]\n"
               "%1 = tensor {tensor = 0} : f32[B, 3]\n"
               "%2 = tensor {tensor = 1} : f32[B, 2, 3]\n"
               "%3 = reduce %1 {op = 0, axes = 0, batch = 1, keep = 0} : f32[3]\n"
               "%4 = reduce %2 {op = 0, axes = 1, batch = 1, keep = 0} : f32[3]\n"
               "%5 = map %3, %4 {fn = (add a0 a1)} : f32[3]\n"
               "%6 = map %1, %5 {fn = (mul a0 a1)} : f32[B, 3]\n"
               "output 0 \"b\" %6\n");
    assert_int_equal(k.folds, 1);
    assert_int_equal(k.sums, 1); /* the one that reads it */
}

static void a_plain_sum_stays(void **state)
{
    (void)state;
    Kinds k = merged("graph a batch 4\n"
                     "tensor \"x\" input f32[B, 3]\n"
                     "tensor \"y\" input f32[B, 3]\n"
                     "%1 = tensor {tensor = 0} : f32[B, 3]\n"
                     "%2 = tensor {tensor = 1} : f32[B, 3]\n"
                     "%3 = map %1, %2 {fn = (add a0 a1)} : f32[B, 3]\n"
                     "output 0 \"s\" %3\n");
    assert_int_equal(k.sums, 1);
    assert_int_equal(k.concats, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padded_parts_lie_side_by_side),
        cmocka_unit_test(gaps_and_overlaps),
        cmocka_unit_test(rows_of_all_uses_together),
        cmocka_unit_test(a_plain_sum_stays),
    };
    return cmocka_run_group_tests_name("pass.merge", tests, NULL, NULL);
}
