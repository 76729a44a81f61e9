/* The standard library's activations and losses, as the language defines them: their gradients against central differences. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "differences.h"
#include "sema/model.h"
#include "syntax/parse.h"

typedef struct Compiled {
    Arena *arena;
    Program *program;
} Compiled;

static Compiled compile(const char *text)
{
    Arena *arena = arena_new();
    Sources *sources = arena_new_of(arena, Sources);
    Diags *diags = arena_new_of(arena, Diags);
    sources->arena = diags->arena = arena;
    diags->sources = sources;
    const Source *source = source_add(sources, STR("test.act"), str_of(text), false);
    SemaOptions options = {.batch = 0};
    Program *program = sema_run(arena, sources, diags, parse_source(arena, diags, source), &options);
    if (diag_count(diags, LEVEL_ERROR) != 0)
        fail_msg("%s\n%s", text, diag_render(arena, diags->list.at[0], &(DiagStyle){.format = DIAG_SHORT}).p);
    return (Compiled){arena, program};
}

static void activations(void **unused)
{
    (void)unused;
    unsigned n = 0;
    Arena *library_arena = arena_new();
    Sources sources = {.arena = library_arena};
    Diags diags = {.arena = library_arena, .sources = &sources};
    Program *library = sema_library(library_arena, &sources, &diags);
    for (uint32_t i = 0; i < library->defs.n; i++) {
        const Def *def = &library->defs.at[i];
        if (def->kind != DEF_ACTIVATION || sema_activation(library, def) == 0)
            continue;
        char text[512];
        snprintf(text, sizeof text,
                 "model m {\n  input x : f32[41]\n  target t : f32[41]\n  y = 3.7 * x |> %.*s\n  loss mse(y, t)\n}\n",
                 STR_ARG(def->name));
        Compiled c = compile(text);
        differences_check(c.program->models.at[0]->graph, c.arena, text, 1);
        arena_free(c.arena);
        n++;
    }
    assert_true(n >= 17);
    arena_free(library_arena);
}

static void losses(void **unused)
{
    (void)unused;
    /* what each loss is fed: the value behind a linear layer, and the type of the target */
    static const struct {
        const char *name, *value, *target;
    } fed[] = {{"mse", "z", "f32[5]"}, {"mae", "z", "f32[5]"}, {"huber", "z", "f32[5]"},
               {"bce", "z |> sigmoid", "f32[5] in [0, 1]"}, {"bce_with_logits", "z", "binary[5]"},
               {"cross_entropy", "z", "class(5)"}, {"nll", "z |> log_softmax", "class(5)"},
               {"kl", "z |> log_softmax", "f32[5] in [0, 1]"}};
    Arena *library_arena = arena_new();
    Sources sources = {.arena = library_arena};
    Diags diags = {.arena = library_arena, .sources = &sources};
    Program *library = sema_library(library_arena, &sources, &diags);
    for (uint32_t i = 0; i < library->defs.n; i++) {
        const Def *def = &library->defs.at[i];
        bool known = def->kind != DEF_LOSS;
        for (uint32_t k = 0; k < sizeof fed / sizeof fed[0] && !known; k++) {
            if (!str_is(def->name, fed[k].name))
                continue;
            char text[512];
            snprintf(text, sizeof text,
                     "model m {\n  input x : f32[7]\n  target t : %s\n  z = x |> linear(5)\n  p = %s\n  loss %s(p, t)\n}\n",
                     fed[k].target, fed[k].value, fed[k].name);
            Compiled c = compile(text);
            differences_check(c.program->models.at[0]->graph, c.arena, text, 1);
            arena_free(c.arena);
            known = true;
        }
        if (!known)
            fail_msg("the loss `%.*s` has no case here", STR_ARG(def->name));
    }
    arena_free(library_arena);
}

static void options(void **unused)
{
    (void)unused;
    static const char *const loss[] = {"cross_entropy(z, t, label_smoothing = 0.1)", "cross_entropy(z, t, reduction = sum)",
                                       "cross_entropy(z, t, weight = [1, 2, 3, 4, 5])", "mse(z, t)"};
    for (uint32_t i = 0; i < sizeof loss / sizeof loss[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "model m {\n  input x : f32[7]\n  target t : class(5)\n  z = x |> linear(5)\n  loss %s\n}\n",
                 loss[i]);
        Compiled c = compile(text);
        differences_check(c.program->models.at[0]->graph, c.arena, text, 1);
        arena_free(c.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(activations), cmocka_unit_test(losses), cmocka_unit_test(options)};
    return cmocka_run_group_tests_name("pass.library", tests, NULL, NULL);
}
