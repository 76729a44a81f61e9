/* Which kernels threads go through a few rows at a time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "programs.h"

/* A product at 4096 places of each sample and the sum over these; then one whose weights are more than what it reads. */
static const char wide[] = "graph a batch 64\n"
                           "tensor \"x\" input f32[B, 4096, 8]\n"
                           "tensor \"w\" param f32[8, 16] fill normal 0 0.2\n"
                           "tensor \"v\" param f32[16, 2048] fill normal 0 0.2\n"
                           "%1 = tensor {tensor = 0} : f32[B, 4096, 8]\n"
                           "%2 = tensor {tensor = 1} : f32[8, 16]\n"
                           "%3 = tensor {tensor = 2} : f32[16, 2048]\n"
                           "%4 = contract %1, %2 {form = 0} : f32[B, 4096, 16]\n"
                           "%5 = reduce %4 {op = 0, axes = 1, batch = 0, keep = 0} : f32[B, 16]\n"
                           "%6 = contract %5, %3 {form = 0} : f32[B, 2048]\n"
                           "output 0 \"y\" %6\n";

/* The same with values that all fit into the cache. */
static const char small[] = "graph a batch 64\n"
                            "tensor \"x\" input f32[B, 32, 8]\n"
                            "tensor \"w\" param f32[8, 16] fill normal 0 0.2\n"
                            "%1 = tensor {tensor = 0} : f32[B, 32, 8]\n"
                            "%2 = tensor {tensor = 1} : f32[8, 16]\n"
                            "%3 = contract %1, %2 {form = 0} : f32[B, 32, 16]\n"
                            "%4 = reduce %3 {op = 0, axes = 1, batch = 0, keep = 0} : f32[B, 16]\n"
                            "output 0 \"y\" %4\n";

/* One step of a sequence: of the 64 steps that lie side by side it reads one. */
static const char step[] = "graph net batch 32\n"
                           "tensor \"x\" input f32[B, 64, 1024]\n"
                           "tensor \"w\" param f32[1024, 16] fill normal 0 0.2\n"
                           "%1 = tensor {tensor = 0} : f32[B, 64, 1024]\n"
                           "%2 = tensor {tensor = 1} : f32[1024, 16]\n"
                           "%3 = slice %1 {axis = 0, start = 1, stop = 2} : f32[B, 1, 1024]\n"
                           "%4 = contract %3, %2 {form = 0} : f32[B, 1, 16]\n"
                           "%5 = reduce %3 {op = 0, axes = 2, batch = 0, keep = 0} : f32[B, 1]\n"
                           "output 0 \"y\" %4\n"
                           "output 1 \"z\" %5\n";

/* Two convolutions, each behind a map that is too large for a cache: one that what two products leave goes into, so that it stays a map. */
static const char images[] =
    "graph a batch 64\n"
    "tensor \"x\" input f32[B, 32, 32, 16]\n"
    "tensor \"v\" param f32[3, 3, 16, 16] fill normal 0 0.1\n"
    "%1 = tensor {tensor = 0} : f32[B, 32, 32, 16]\n"
    "%2 = tensor {tensor = 1} : f32[3, 3, 16, 16]\n"
    "%3 = map %1 {fn = (mul a0 a0)}\n"
    "%4 = pad %3 {axis = 0, before = 1, after = 1}\n"
    "%5 = pad %4 {axis = 1, before = 1, after = 1}\n"
    "%6 = window %5 {kernel = [3, 3], stride = [1, 1], dilation = [1, 1]}\n"
    "%7 = contract %6, %2 {form = 0, depth = 3}\n"
    "%8 = map %7, %1 {fn = (mul a0 a1)}\n"
    "%9 = reduce %8 {op = 0, axes = 3, batch = 0, keep = 0} : f32[B, 16]\n"
    "output 0 \"y\" %7\n"
    "output 1 \"z\" %9\n";

static LoopProgram *lowered(Arena *arena, const char *text)
{
    const Graph *source = programs_read(arena, text);
    PassState pass = programs_plan(arena, NULL, source, false, target_find(16, 32));
    LoopProgram *program = programs_lower(&pass);
    assert_null(loop_verify(program, source->batch, arena));
    return program;
}

static void large_values_go_a_row_at_a_time(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const LoopProgram *program = lowered(arena, wide);
    assert_int_equal(program->kernels.n, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(program->kernels.at[i].by_rows);
        assert_int_equal(program->kernels.at[i].strip, i < 2);
        assert_int_equal(program->kernels.at[i].strip_back, i == 1);
    }
    arena_free(arena);
}

static void what_a_cache_holds_goes_at_once(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const LoopProgram *program = lowered(arena, small);
    for (uint32_t i = 0; i < program->kernels.n; i++)
        assert_int_equal(program->kernels.at[i].strip, 0);
    arena_free(arena);
}

static void a_step_counts_what_it_touches(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const LoopProgram *program = lowered(arena, step);
    assert_true(program->kernels.n >= 2);
    for (uint32_t i = 0; i < program->kernels.n; i++) {
        assert_true(program->kernels.at[i].by_rows);
        assert_int_equal(program->kernels.at[i].strip, 0);
    }
    arena_free(arena);
}

static const char *name_of(const LoopProgram *program, const LoopAhead *ahead)
{
    return str_c(program->arena, program->bufs.at[ahead->buf].name);
}

static void products_ask_for_their_neighbours(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    const LoopProgram *program = lowered(arena, images);
    const LoopKernel *product = NULL;
    for (uint32_t i = 0; i < program->kernels.n; i++) {
        const LoopKernel *k = &program->kernels.at[i];
        if (tile_of_places(k->body))
            product = k;
        else
            assert_int_equal(k->n_ahead, 0);
    }
    assert_non_null(product);
    assert_true(product->strip > 0);
    /* the map in front reads x and writes the image for the rows of the next strip; what the sum behind reads is near */
    assert_int_equal(product->n_ahead, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const LoopAhead *ahead = &product->ahead[i];
        bool x = !strcmp(name_of(program, ahead), "x");
        assert_int_equal(x, i == 0);
        assert_true(ahead->next);
        assert_in_range(ahead->row, x ? 32 * 32 * 16 : 34 * 34 * 16, x ? 32 * 32 * 16 : 35 * 34 * 16); /* rows of images may stand apart */
        assert_in_range(ahead->bytes, ahead->row * 4 - 1024, ahead->row * 4);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_values_go_a_row_at_a_time),
                                       cmocka_unit_test(what_a_cache_holds_goes_at_once),
                                       cmocka_unit_test(a_step_counts_what_it_touches),
                                       cmocka_unit_test(products_ask_for_their_neighbours)};
    return cmocka_run_group_tests_name("kernel.strips", tests, NULL, NULL);
}
