/* Random networks compiled to machine code against the double interpreter: forward and a training step, one object for all numbers of
 * rows and threads; the bits of a row depend on neither. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"
#include "random_graph.h"

enum { GRAPHS = 200 };

static void networks(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        const JitLevel *level = &jit_level[seed % JIT_LEVELS];
        if (!jit_can_run(level))
            continue;
        char what[64];
        snprintf(what, sizeof what, "seed %d, %s", (int)seed, level->name);
        Arena *arena = arena_new();
        compiled_check(arena, NULL, random_graph(arena, seed), level, what);
        arena_free(arena);
    }
}

/* What every op's record shows, at two vector widths. */
static void examples(void **unused)
{
    (void)unused;
    unsigned shown = 0;
    for (unsigned i = 0; i < op_count(); i++)
        for (const char *const *text = op_at(i)->examples; text != NULL && *text != NULL; text++, shown++)
            for (unsigned l = 0; l < JIT_LEVELS; l++) {
                if (!jit_can_run(&jit_level[l]) || !jit_in_turn(l, shown))
                    continue;
                char what[64];
                snprintf(what, sizeof what, "%s, %s", op_at(i)->name, jit_level[l].name);
                Arena *arena = arena_new();
                Graph *g = programs_read(arena, *text);
                g->batch = 128;
                compiled_check(arena, NULL, g, &jit_level[l], what);
                arena_free(arena);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples), cmocka_unit_test(networks)};
    return cmocka_run_group_tests_name("llvm.graphs", tests, NULL, NULL);
}
