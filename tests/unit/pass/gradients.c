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
                                       cmocka_unit_test(networks)};
    return cmocka_run_group_tests_name("pass.gradients", tests, NULL, NULL);
}
