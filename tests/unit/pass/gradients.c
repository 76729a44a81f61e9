/* Every op's gradient against central differences in the double interpreter, on its examples and on random networks; and every
 * op is documented and has an example. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "differences.h"
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

static void every_op(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < op_count(); i++) {
        const Op *op = op_at(i);
        for (const char *const *text = op->examples; op->vjp != NULL && text != NULL && *text != NULL; text++) {
            Arena *arena = arena_new();
            differences_check(with_loss(programs_read(arena, *text)), arena, op->name, 1);
            arena_free(arena);
        }
    }
}

/* Products of their own for each sample and each group of axes. */
static void products(void **unused)
{
    (void)unused;
    static const char *const text[] = {
        "graph attention batch 2\n"
        "tensor \"q\" input f32[B, 2, 3, 5]\n"
        "tensor \"k\" input f32[B, 2, 4, 5]\n"
        "%1 = tensor {tensor = 0} : f32[B, 2, 3, 5]\n"
        "%2 = tensor {tensor = 1} : f32[B, 2, 4, 5]\n"
        "%3 = contract %1, %2 {form = 1, outer = 1, each = 1} : f32[B, 2, 3, 4]\n"
        "%4 = contract %3, %2 {form = 0, outer = 1, each = 1} : f32[B, 2, 3, 5]\n"
        "%5 = contract %3, %4 {form = 2, outer = 1, each = 1} : f32[B, 2, 4, 5]\n"
        "output 0 \"a\" %4\noutput 1 \"b\" %5\n",
        "graph convolution batch 3\n"
        "tensor \"x\" input f32[B, 2, 4, 3, 5]\n"
        "tensor \"w\" param f32[2, 3, 5, 4] fill normal 0 1\n"
        "%1 = tensor {tensor = 0} : f32[B, 2, 4, 3, 5]\n"
        "%2 = tensor {tensor = 1} : f32[2, 3, 5, 4]\n"
        "%3 = contract %1, %2 {form = 0, outer = 1, depth = 2} : f32[B, 2, 4, 4]\n"
        "%4 = contract %3, %2 {form = 1, outer = 1, depth = 2} : f32[B, 2, 4, 3, 5]\n"
        "%5 = contract %1, %3 {form = 2, outer = 1, depth = 2} : f32[2, 3, 5, 4]\n"
        "%6 = contract %4, %5 {form = 0, outer = 1, depth = 2} : f32[B, 2, 4, 4]\n"
        "output 0 \"a\" %3\noutput 1 \"b\" %6\n",
    };
    for (unsigned i = 0; i < sizeof text / sizeof text[0]; i++) {
        Arena *arena = arena_new();
        differences_check(with_loss(programs_read(arena, text[i])), arena, "contract", 1);
        arena_free(arena);
    }
}

static void networks(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        Arena *arena = arena_new();
        char what[32];
        snprintf(what, sizeof what, "seed %d", (int)seed);
        differences_check(random_graph(arena, seed), arena, what, 17);
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
        assert_true((op->kind == OP_MOVE || op->kind == OP_SCATTER) == (op->locate != NULL));
        assert_ptr_equal(op_find(str_of(op->name)), op);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(documented), cmocka_unit_test(every_op),
                                       cmocka_unit_test(products), cmocka_unit_test(networks)};
    return cmocka_run_group_tests_name("pass.gradients", tests, NULL, NULL);
}
