/* The units of whole models, every file of tests/models and examples, for every target: three programs over one set
 * of parameters. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "syntax/parse.h"
#include "units.h"

#include <glob.h>

static void check_file(const char *path)
{
    Arena *arena = arena_new();
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    Str why = {0};
    const Source *source = source_read(&sources, str_of(path), &why);
    if (source == NULL)
        fail_msg("%s", why.p);
    SemaOptions options = {.batch = 0};
    Program *program = sema_run(arena, &sources, &diags, parse_source(arena, &diags, source), &options);
    if (diag_count(&diags, LEVEL_ERROR) != 0)
        fail_msg("%s", diag_render(arena, diags.list.at[0], &(DiagStyle){.format = DIAG_SHORT}).p);
    for (unsigned t = 0; t < target_count(); t++) {
        UnitOptions unit_options = {.target = target_at(t), .verify = true};
        const Unit *unit = unit_build(arena, program, &unit_options);
        assert_non_null(unit);
        for (uint32_t i = 0; i < unit->models.n; i++)
            for (size_t rows = 1; rows <= 5 && rows <= unit->models.at[i].batch; rows += 4) {
                const char *wrong = units_check_model(arena, &unit->models.at[i], target_at(t), rows, 1e-4);
                if (wrong)
                    fail_msg("%s, %s: %s", path, target_at(t)->name, wrong);
            }
    }
    arena_free(arena);
}

static void check_all(const char *pattern)
{
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_file(found.gl_pathv[i]);
    globfree(&found);
}

static void models(void **unused)
{
    (void)unused;
    check_all(ACT_SOURCE_DIR "/tests/models/*.act");
}

static void examples(void **unused)
{
    (void)unused;
    check_all(ACT_SOURCE_DIR "/examples/*.act");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(models), cmocka_unit_test(examples)};
    return cmocka_run_group_tests_name("kernel.units", tests, NULL, NULL);
}
