/* Plans lowered to loop programs mean what the graph means: every op's examples and random networks, in inference and in a
 * training step, at several numbers of rows, run by the loop interpreter against the graph interpreter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "random_graph.h"

static void run_one(Arena *arena, const Graph *source, bool train, const Target *target, const char *what)
{
    PassState state = programs_plan(arena, NULL, source, train, target);
    LoopProgram *program = programs_lower(&state);
    const char *why = loop_verify(program, source->batch, arena);
    if (why != NULL) {
        Text text = {.arena = arena};
        graph_print(source, &text);
        plan_print(state.plan, &text);
        loop_print(program, &text);
        fail_msg("%s: %s\n%s", what, why, text_str(&text).p);
    }
    static const size_t rows[] = {1, 2, 7, 31};
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i] > source->batch)
            continue;
        double **value = programs_values(arena, state.g, rows[i], 5);
        EvalEnv env = programs_env(value, rows[i]);
        double **want = graph_eval(arena, state.g, &env);
        ProgramsCall *call = programs_call(arena, state.g, program->work_bytes, value, rows[i]);
        loop_run(program, &call->memory, arena);
        for (uint32_t k = 0; k < state.g->roots.n; k++) {
            double error = programs_error(state.g, call, &state.g->roots.at[k], want[state.g->roots.at[k].node], rows[i]);
            if (error > 1e-5) {
                Text text = {.arena = arena};
                graph_print(source, &text);
                plan_print(state.plan, &text);
                loop_print(program, &text);
                fail_msg("%s: root %u is off by %g at n = %zu\n%s", what, k, error, rows[i], text_str(&text).p);
            }
        }
    }
}

static void examples(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < op_count(); i++)
        for (const char *const *text = op_at(i)->examples; text != NULL && *text != NULL; text++) {
            Arena *arena = arena_new();
            run_one(arena, programs_read(arena, *text), false, target_find(16, 32), op_at(i)->name);
            run_one(arena, programs_read(arena, *text), false, target_find(4, 16), op_at(i)->name);
            arena_free(arena);
        }
}

static void random_networks(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Arena *arena = arena_new();
        const Target *target = seed % 3 == 0 ? target_find(16, 32) : seed % 3 == 1 ? target_find(8, 16) : target_find(4, 16);
        char what[32];
        snprintf(what, sizeof what, "seed %d", (int)seed);
        Graph *g = random_graph(arena, seed);
        run_one(arena, g, false, target, what);
        run_one(arena, g, true, target, what);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples), cmocka_unit_test(random_networks)};
    return cmocka_run_group_tests_name("kernel.lower", tests, NULL, NULL);
}
