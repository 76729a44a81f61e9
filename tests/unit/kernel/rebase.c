/* Slices of a work buffer as buffers of their own: the kernels of equal steps differ in nothing but where their buffers begin. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "programs.h"

enum { STEPS = 4, ROWS = 5 };

/* A product over four steps, taken apart, and each step through the same weights. */
static const char *text_of(Arena *arena)
{
    Text text = {.arena = arena};
    text_add(&text, STR("graph a batch 8\n"
                        "tensor \"x\" input f32[B, 4, 16]\n"
                        "tensor \"w\" param f32[16, 32] fill normal 0 0.2\n"
                        "tensor \"u\" param f32[32, 32] fill normal 0 0.2\n"
                        "%1 = tensor {tensor = 0} : f32[B, 4, 16]\n"
                        "%2 = tensor {tensor = 1} : f32[16, 32]\n"
                        "%3 = tensor {tensor = 2} : f32[32, 32]\n"
                        "%4 = contract %1, %2 {form = 0} : f32[B, 4, 32]\n"
                        "%5 = map %4 {fn = (tanh a0)} : f32[B, 4, 32]\n"));
    for (unsigned i = 0; i < STEPS; i++) {
        text_printf(&text, "%%%u = slice %%5 {axis = 0, start = %u, stop = %u} : f32[B, 1, 32]\n", 10 + 4 * i, i, i + 1);
        text_printf(&text, "%%%u = reshape %%%u {shape = [32]} : f32[B, 32]\n", 11 + 4 * i, 10 + 4 * i);
        text_printf(&text, "%%%u = contract %%%u, %%3 {form = 0} : f32[B, 32]\n", 12 + 4 * i, 11 + 4 * i);
        text_printf(&text, "%%%u = map %%%u {fn = (tanh a0)} : f32[B, 32]\n", 13 + 4 * i, 12 + 4 * i);
    }
    for (unsigned i = 0; i < STEPS; i++)
        text_printf(&text, "output %u \"y%u\" %%%u\n", i, i, 13 + 4 * i);
    return text_str(&text).p;
}

/* The one product of a kernel; NULL: it has none. */
static const LoopTile *tile_of(const LoopStmt *list)
{
    for (const LoopStmt *s = list; s; s = s->next) {
        const LoopTile *inner = s->kind == LOOP_FOR ? tile_of(s->loop.body) : s->kind == LOOP_TILE ? &s->tile : NULL;
        if (inner)
            return inner;
    }
    return NULL;
}

static void steps_begin_where_their_buffers_do(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const Graph *source = programs_read(arena, text_of(arena));
    PassState pass = programs_plan(arena, NULL, source, false, target_find(16, 32));
    LoopProgram *program = programs_lower(&pass);
    assert_null(loop_verify(program, source->batch, arena));
    uint32_t steps = 0;
    uint64_t first = 0;
    const LoopTile *one = NULL;
    for (uint32_t i = 0; i < program->kernels.n; i++) {
        const LoopTile *tile = tile_of(program->kernels.at[i].body);
        if (!tile || program->bufs.at[tile->a].space != BUF_WORK)
            continue;
        const LoopBuf *buf = &program->bufs.at[tile->a];
        assert_int_equal(tile->a_base, 0);
        if (steps == 0)
            first = buf->offset;
        assert_int_equal(buf->offset, first + 4 * 32 * steps); /* a step behind the one before */
        if (one) {
            assert_int_equal(tile->a_row, one->a_row);
            assert_int_equal(tile->a_k, one->a_k);
        }
        one = tile;
        steps++;
    }
    assert_int_equal(steps, STEPS);
    double **value = programs_values(arena, pass.g, ROWS, 5);
    EvalEnv env = programs_env(value, ROWS);
    double **want = graph_eval(arena, pass.g, &env);
    ProgramsCall *call = programs_call(arena, pass.g, program->work_bytes, value, ROWS);
    loop_run(program, &call->memory, arena);
    for (uint32_t k = 0; k < pass.g->roots.n; k++)
        assert_true(programs_error(pass.g, call, &pass.g->roots.at[k], want[pass.g->roots.at[k].node], ROWS) < 1e-6);
    arena_free(arena);
}

/* Two slices of one value, side by side, are read as one part of it: one pointer, and the rest is displacement. */
static void slices_side_by_side_are_one_part(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const Graph *source = programs_read(arena, "graph a batch 8\n"
                                               "tensor \"x\" input f32[B, 16]\n"
                                               "tensor \"w\" param f32[16, 64] fill normal 0 0.2\n"
                                               "%1 = tensor {tensor = 0} : f32[B, 16]\n"
                                               "%2 = tensor {tensor = 1} : f32[16, 64]\n"
                                               "%3 = contract %1, %2 {form = 0} : f32[B, 64]\n"
                                               "%4 = map %3 {fn = (tanh a0)} : f32[B, 64]\n"
                                               "%5 = slice %4 {axis = 0, start = 16, stop = 32} : f32[B, 16]\n"
                                               "%6 = slice %4 {axis = 0, start = 48, stop = 64} : f32[B, 16]\n"
                                               "%7 = map %5, %6 {fn = (mul a0 a1)} : f32[B, 16]\n"
                                               "output 0 \"y\" %7\n");
    PassState pass = programs_plan(arena, NULL, source, false, target_find(16, 32));
    LoopProgram *program = programs_lower(&pass);
    assert_null(loop_verify(program, source->batch, arena));
    const LoopKernel *last = &program->kernels.at[program->kernels.n - 1];
    uint32_t loads = 0, buf = 0;
    for (uint32_t i = 0; i < last->n_arg; i++) {
        if (last->arg[i].kind != LARG_LOAD)
            continue;
        assert_int_equal(program->bufs.at[last->arg[i].index].space, BUF_WORK);
        assert_true(loads == 0 || last->arg[i].index == buf);
        assert_int_equal(last->arg[i].at.base, loads == 0 ? 0 : 32);
        buf = last->arg[i].index;
        loads++;
    }
    assert_int_equal(loads, 2);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_begin_where_their_buffers_do),
                                       cmocka_unit_test(slices_side_by_side_are_one_part)};
    return cmocka_run_group_tests_name("kernel.rebase", tests, NULL, NULL);
}
