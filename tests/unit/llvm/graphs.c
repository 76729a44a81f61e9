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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks)};
    return cmocka_run_group_tests_name("llvm.graphs", tests, NULL, NULL);
}
