/* Compiling texts in tests: the program, its diagnostics, and mistakes planted with marks.
 *
 *     x |> «ACT1206|flaten»        an error of this code whose carets are exactly under `flaten`
 *
 * A text without marks must earn no error at all. */
#ifndef ACT_TESTS_SEMA_HARNESS_H
#define ACT_TESTS_SEMA_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sema/model.h"
#include "syntax/parse.h"

typedef struct Planted {
    Str code;
    uint32_t begin, end;
} Planted;

typedef struct Run {
    Arena *arena;
    Sources sources;
    Diags diags;
    Program *program;
    VEC(Planted) planted;
} Run;

/* Takes the marks out of `marked`. */
static inline Str run_unmark(Run *run, const char *marked)
{
    Text text = {.arena = run->arena};
    for (const char *at = marked; *at;) {
        if (strncmp(at, "«", 2) == 0) {
            const char *bar = strchr(at, '|');
            Planted planted = {{at + 2, (uint32_t)(bar - at - 2)}, (uint32_t)text.n, 0};
            *vec_push(run->arena, &run->planted) = planted;
            at = bar + 1;
        } else if (strncmp(at, "»", 2) == 0) {
            uint32_t open = run->planted.n;
            while (run->planted.at[open - 1].end)
                open--;
            run->planted.at[open - 1].end = (uint32_t)text.n;
            at += 2;
        } else {
            text_putc(&text, *at++);
        }
    }
    return text_str(&text);
}

static inline Run *run_with(const char *marked, const SemaOptions *options)
{
    Arena *arena = arena_new();
    Run *run = arena_new_of(arena, Run);
    run->arena = arena;
    run->sources.arena = arena;
    run->diags = (Diags){.arena = arena, .sources = &run->sources};
    const Source *source = source_add(&run->sources, STR("test.act"), run_unmark(run, marked), false);
    const Ast *file = parse_source(arena, &run->diags, source);
    run->program = sema_run(arena, &run->sources, &run->diags, file, options);
    diag_sort(&run->diags);
    return run;
}

static inline Run *run_text(const char *marked) { return run_with(marked, NULL); }
static inline void run_end(Run *run) { arena_free(run->arena); }

static inline void run_show(const Run *run)
{
    DiagStyle style = {.format = DIAG_HUMAN};
    diag_print_all(&run->diags, &style, stderr);
}

static inline unsigned run_errors(const Run *run) { return diag_count(&run->diags, LEVEL_ERROR); }

/* Every planted mistake is reported at its place, and nothing else. */
static inline void expect_planted(const char *marked)
{
    Run *run = run_text(marked);
    bool good = run_errors(run) == run->planted.n;
    for (uint32_t i = 0; i < run->planted.n; i++) {
        const Planted *planted = &run->planted.at[i];
        bool found = false;
        for (uint32_t k = 0; k < run->diags.list.n; k++) {
            const Diag *diag = run->diags.list.at[k];
            Span at = diag->primary.span;
            found = found || (str_eq(str_of(diag->code), planted->code) && at.begin == planted->begin &&
                              at.end == planted->end && source_get(&run->sources, at.source) &&
                              str_is(source_get(&run->sources, at.source)->path, "test.act"));
        }
        if (!found)
            fprintf(stderr, "not reported: %.*s at %u..%u\n", (int)planted->code.n, planted->code.p, planted->begin,
                    planted->end);
        good = good && found;
    }
    if (!good) {
        fprintf(stderr, "in:\n%s\n", marked);
        run_show(run);
    }
    assert_true(good);
    run_end(run);
}

/* The one model of a text without mistakes. */
static inline Model *run_model(Run *run)
{
    if (run_errors(run))
        run_show(run);
    assert_int_equal(run_errors(run), 0);
    assert_true(run->program->models.n > 0);
    Model *model = run->program->models.at[0];
    assert_false(model->poisoned);
    const char *wrong = graph_verify(model->graph, run->arena);
    if (wrong)
        fprintf(stderr, "%s\n", wrong);
    assert_null(wrong);
    return model;
}

static inline const Tensor *model_tensor(const Model *model, const char *name)
{
    int at = graph_tensor_find(model->graph, str_of(name));
    if (at < 0)
        fprintf(stderr, "no tensor `%s`\n", name);
    assert_true(at >= 0);
    return &model->graph->tensors.at[at];
}

#endif
