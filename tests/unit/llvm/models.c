/* Whole models, written in the language, as machine code against the interpreter: every file of tests/models and of examples. A
 * file there is a network that once was, or might be, compiled wrongly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"
#include "syntax/parse.h"

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
    SemaOptions options = {.batch = 128};
    Program *program = sema_run(arena, &sources, &diags, parse_source(arena, &diags, source), &options);
    if (diag_count(&diags, LEVEL_ERROR) != 0)
        fail_msg("%s", diag_render(arena, diags.list.at[0], &(DiagStyle){.format = DIAG_SHORT}).p);
    for (uint32_t i = 0; i < program->models.n; i++)
        for (unsigned l = 0; l < JIT_LEVELS; l++)
            if (jit_can_run(&jit_level[l])) {
                char what[256];
                snprintf(what, sizeof what, "%s, %s", path, jit_level[l].name);
                compiled_check(arena, program->models.at[i], program->models.at[i]->graph, &jit_level[l], what);
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
