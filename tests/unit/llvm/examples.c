/* The examples of every op compiled to machine code against the double interpreter, at every vector width, forward and as a training
 * step. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"

#include "ops/build.h"
#include "ops/registry.h"

static void with_loss(Graph *g)
{
    NodeId total = 0;
    for (uint32_t i = 0; i < g->roots.n; i++) {
        if (g->roots.at[i].kind != ROOT_OUTPUT)
            continue;
        NodeId y = g->roots.at[i].node, part = build_sum_all(g, build_mul(g, y, y));
        total = total == 0 ? part : build_add(g, total, part);
    }
    graph_root_add(g, ROOT_LOSS, build_scale(g, total, 1e-3), 0, STR("loss"));
}

static void every_op(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < op_count(); i++)
        for (const char *const *text = op_at(i)->examples; text != NULL && *text != NULL; text++)
            for (unsigned k = 0; k < JIT_LEVELS; k++) {
                if (!jit_can_run(&jit_level[k]))
                    continue;
                char what[80];
                snprintf(what, sizeof what, "%s %d, %s", op_at(i)->name, (int)(text - op_at(i)->examples), jit_level[k].name);
                Arena *arena = arena_new();
                Graph *g = programs_read(arena, *text);
                g->batch = 128;
                with_loss(g);
                compiled_check(arena, NULL, g, &jit_level[k], what);
                arena_free(arena);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_op)};
    return cmocka_run_group_tests_name("llvm.examples", tests, NULL, NULL);
}
