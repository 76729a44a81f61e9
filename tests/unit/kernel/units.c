/* The units of whole models, every file of tests/models and examples, for every target: three programs over one set
 * of parameters. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "networks.h"
#include "units.h"

static void check_file(const char *path)
{
    Arena *arena = arena_new();
    Program *program = networks_read(arena, path, 0);
    for (unsigned t = 0; t < target_count(); t++) {
        UnitOptions unit_options = {.target = target_at(t), .verify = true};
        const Unit *unit = unit_build(arena, program, &unit_options);
        assert_non_null(unit);
        for (uint32_t i = 0; i < unit->models.n; i++)
            for (size_t rows = 1; rows <= 5 && rows <= unit->models.at[i].batch &&
                                  networks_small(program->models.at[i]->graph);
                 rows += 4) {
                const char *wrong = units_check_model(arena, &unit->models.at[i], target_at(t), rows, 1e-4);
                if (wrong)
                    fail_msg("%s, %s: %s", path, target_at(t)->name, wrong);
            }
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(models), cmocka_unit_test(examples)};
    return cmocka_run_group_tests_name("kernel.units", tests, NULL, NULL);
}
