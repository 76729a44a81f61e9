/* Whole models, written in the language, as machine code against the interpreter: every file of tests/models and of examples. A
 * file there is a network that once was, or might be, compiled wrongly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"
#include "networks.h"

/* The interpreter walks every multiplication, in double, for each number of rows and threads: what would take it minutes is left to the
 * tests that train the examples, and to the layers' own. */
static bool small(const Graph *g)
{
    enum { MOST = 2000000 /* operations for a row */ };
    uint64_t flops = 0;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        flops += node->op->flops == NULL ? type_elements(&node->type) : node->op->flops(g, node);
    }
    return flops <= MOST;
}

static void check_file(const char *path)
{
    Arena *arena = arena_new();
    Program *program = networks_read(arena, path, 128);
    for (uint32_t i = 0; i < program->models.n; i++)
        for (unsigned l = 0; l < JIT_LEVELS && small(program->models.at[i]->graph); l++)
            if (jit_can_run(&jit_level[l])) {
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
