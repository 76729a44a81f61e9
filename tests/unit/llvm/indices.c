/* Indices beyond a table, whoever passed them: generated code, the loop interpreter and the graph's take the nearest row. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"

enum { ROWS = 5, WIDTH = 3, CALLS = 4 };

static const char text[] = "graph a batch 4\n"
                           "tensor \"table\" param f32[5, 3]\n"
                           "tensor \"index\" input i32[B, 2] classes 5\n"
                           "%1 = tensor {tensor = 0} : f32[5, 3]\n"
                           "%2 = tensor {tensor = 1} : i32[B, 2]\n"
                           "%3 = gather %1, %2 : f32[B, 2, 3]\n"
                           "%4 = map %3 {fn = (mul a0 2)} : f32[B, 2, 3]\n"
                           "output 0 \"y\" %4\n";
static const double index[CALLS * 2] = {-1, 0, 4, 5, -2147483647, 2147483647, 3, 100};
static const unsigned row[CALLS * 2] = {0, 0, 4, 4, 0, 4, 3, 4};

static void compare(const Graph *g, const ProgramsCall *call, const double *table, const char *what)
{
    for (size_t e = 0; e < CALLS * 2 * WIDTH; e++) {
        double got = programs_result(g, call, &g->roots.at[0], e), want = 2 * table[row[e / WIDTH] * WIDTH + e % WIDTH];
        if (got != (double)(float)want)
            fail_msg("%s: index %g gives %g, not %g", what, index[e / WIDTH], got, want);
    }
}

static void nearest_row(void **state)
{
    (void)state;
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        Arena *arena = arena_new();
        const Graph *source = programs_read(arena, text);
        Compiled c;
        compiled_plan(arena, NULL, source, false, &jit_level[l].target, &c);
        double **value = programs_values(arena, c.g, CALLS, 9);
        memcpy(value[1], index, sizeof index);
        EvalEnv env = programs_env(value, CALLS);
        const double *y = graph_eval(arena, c.g, &env)[c.g->roots.at[0].node];
        for (size_t e = 0; e < CALLS * 2 * WIDTH; e++)
            assert_true(y[e] == 2 * value[0][row[e / WIDTH] * WIDTH + e % WIDTH]);
        ProgramsCall *call = programs_call(arena, c.g, c.program->work_bytes, value, CALLS);
        loop_run(c.program, &call->memory, arena);
        compare(c.g, call, value[0], "the loop interpreter");
        if (jit_can_run(&jit_level[l])) {
            Jit jit;
            jit_start(&jit, &jit_level[l]);
            LLVMSetLinkage(cg_program(&jit.cg, c.program, source->batch, "forward"), LLVMExternalLinkage);
            jit_link(&jit);
            c.run = (JitRun)jit_find(&jit, "forward.run");
            call = programs_call(arena, c.g, c.program->work_bytes, value, CALLS);
            compiled_run(&c, call, 0);
            compare(c.g, call, value[0], jit_level[l].name);
            jit_end(&jit);
        }
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nearest_row)};
    return cmocka_run_group_tests_name("llvm.indices", tests, NULL, NULL);
}
