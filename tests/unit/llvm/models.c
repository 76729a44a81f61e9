/* Whole models, written in the language, as machine code against the interpreter: every file of tests/models and of examples. A
 * file there is a network that once was, or might be, compiled wrongly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"
#include "networks.h"

/* At two of the levels: all of them train every model in the tests of threads. */
static void check_file(const char *path)
{
    static unsigned file;
    Arena *arena = arena_new();
    Program *program = networks_read(arena, path, 128);
    file++;
    for (uint32_t i = 0; i < program->models.n; i++)
        for (unsigned l = 0; l < JIT_LEVELS && networks_small(program->models.at[i]->graph); l++)
            if (jit_can_run(&jit_level[l]) && jit_in_turn(l, file)) {
                char what[256];
                snprintf(what, sizeof what, "%s, %s", path, jit_level[l].name);
                compiled_check(arena, program->models.at[i], program->models.at[i]->graph, &jit_level[l], what);
            }
    arena_free(arena);
}

static void models(void **unused)
{
    (void)unused;
    networks_each(ACT_SOURCE_DIR "/tests/models/*.act", check_file);
}

static void examples(void **unused)
{
    (void)unused;
    networks_each(ACT_SOURCE_DIR "/examples/*.act", check_file);
}

/* unit_llvm_models FILES…: only these. */
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        check_file(argv[i]);
    if (argc > 1)
        return 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(models), cmocka_unit_test(examples)};
    return cmocka_run_group_tests_name("llvm.models", tests, NULL, NULL);
}
