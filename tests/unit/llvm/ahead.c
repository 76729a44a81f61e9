/* What register tiles ask for before it is needed: rows of the body that lie far apart, and the next chunk of a right side that is packed,
 * where no cache holds them. Nothing of it shows in results. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/product.h"

/* Makes the work block larger than the second-level cache, so that none of it is taken to be there. */
static void make_large(Nest *b, const JitLevel *level) { mem_place(b, "large", BUF_WORK, level->target.l2 / 4); }

/* Calls back for each register tile's function of the program. */
static unsigned sum_tiles(const JitLevel *level, Nest *b, uint32_t batch, unsigned (*count)(LLVMValueRef fn))
{
    Jit jit;
    jit_start(&jit, level);
    cg_program(&jit.cg, &b->program, batch, "test");
    unsigned sum = 0;
    for (LLVMValueRef fn = LLVMGetFirstFunction(jit.cg.mod); fn; fn = LLVMGetNextFunction(fn)) {
        size_t length;
        if (!strncmp(LLVMGetValueName2(fn, &length), "act.tile.", 9))
            sum += count(fn);
    }
    jit_end(&jit);
    return sum;
}

/* ── rows of the body: one line at a term ── */

/* y = x w + z, all [batch][128], w in panels */
static void product(Nest *b, const JitLevel *level, uint32_t batch, uint32_t depth)
{
    uint32_t cols = 128, width = panel_of(level), panels = (cols + width - 1) / width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * depth);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * depth * width);
    uint32_t z = mem_place(b, "z", BUF_WORK, (uint64_t)batch * cols), y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * cols);
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = product_tile(level, x, w, depth, cols, width);
    s->tile.body = nest_store(b, y, at3(0, width, cols, 1), sx_add(b->program.sx, tile_arg(b), nest_load(b, z, at3(0, width, cols, 1))));
    LoopKernel *k = nest_kernel(b, "product", s);
    nest_split(k, (Extent){.per_row = 1}, true);
}

static void near_product(Nest *b, const JitLevel *level, uint32_t batch) { product(b, level, batch, 37); }

static void far_product(Nest *b, const JitLevel *level, uint32_t batch)
{
    product(b, level, batch, 37);
    make_large(b, level);
}

/* Entries of the lists that the function works off: how often the loop around the loop over terms runs. */
static unsigned entries(LLVMValueRef fn)
{
    unsigned n = 0;
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(fn); block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef last = LLVMGetBasicBlockTerminator(block);
        if (LLVMGetNumSuccessors(last) != 2 || strncmp(LLVMGetBasicBlockName(LLVMGetSuccessor(last, 0)), "far", 3) != 0)
            continue;
        LLVMValueRef bound = LLVMGetOperand(LLVMGetCondition(last), 1);
        assert_true(LLVMIsAConstantInt(bound));
        n += (unsigned)LLVMConstIntGetZExtValue(bound);
    }
    return n;
}

static unsigned product_entries(uint32_t depth, bool large)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    const JitLevel *level = &jit_level[0];
    nest_start(b, arena);
    product(b, level, level->target.tile_rows, depth);
    if (large)
        make_large(b, level);
    unsigned n = sum_tiles(level, b, level->target.tile_rows, entries);
    arena_free(arena);
    return n;
}

static void test_rows(void **state)
{
    (void)state;
    mem_check(near_product, 1e-5);
    mem_check(far_product, 1e-5);
    const JitLevel *level = &jit_level[0];
    unsigned lines = panel_of(level) * 4 / 64, heights = 0; /* of a row in a panel; tiles of four rows and more */
    for (uint32_t rows = 8; rows >= 4; rows /= 2)
        heights += rows < level->target.tile_rows;
    assert_int_equal(product_entries(64, true), lines * (1 + heights));
    assert_int_equal(product_entries(64, false), 0);
    assert_int_equal(product_entries(3, true), 0); /* fewer terms than rows */
}

/* ── the next chunk of a right side that is packed ── */

enum { SAMPLES = 600 };

/* x' dy over many samples, rows of dy so far apart that it is packed chunk by chunk */
static void packed(Nest *b, const JitLevel *level, uint32_t batch)
{
    uint32_t rows = 16 * level->target.tile_rows, cols = 128, width = panel_of(level);
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * rows), dy = mem_place(b, "dy", BUF_WORK, (uint64_t)batch * cols);
    uint32_t out = mem_array(b, "out", BUF_OUTPUT, 0, (uint64_t)rows * cols);
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = gradient_tile(level, x, dy, rows, cols, width);
    s->tile.body = nest_store(b, out, at3(0, width, cols, 1), tile_arg(b));
    nest_kernel(b, "packed", s);
}

static unsigned prefetches(LLVMValueRef fn) { return calls_of(fn, "llvm.prefetch"); }

static unsigned packed_prefetches(bool large)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    const JitLevel *level = &jit_level[0];
    nest_start(b, arena);
    packed(b, level, SAMPLES);
    if (large)
        make_large(b, level);
    unsigned n = sum_tiles(level, b, SAMPLES, prefetches);
    arena_free(arena);
    return n;
}

static void test_packed(void **state)
{
    (void)state;
    assert_int_equal(packed_prefetches(true), packed_prefetches(false) + 1);
}

/* ── what the neighbours in a strip touch ── */

enum { LINES = 3, PLACES = 26, CHANNELS = 16 };

/* y = x w at each place of each line, in two kernels of which the first asks for its neighbour's part; a strip of two images. */
static void neighbours(Nest *b, const JitLevel *level, uint32_t batch, uint32_t asked)
{
    uint32_t image = LINES * PLACES * CHANNELS, width = panel_of(level) < CHANNELS ? panel_of(level) : CHANNELS;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * image);
    uint32_t w = mem_place(b, "w", BUF_PARAM, CHANNELS * CHANNELS), z = mem_place(b, "z", BUF_WORK, (uint64_t)batch * image);
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * image);
    for (uint32_t i = 0; i < 2; i++) {
        LoopStmt *s = nest_stmt(b, LOOP_TILE);
        s->tile = product_tile(level, x, w, CHANNELS, CHANNELS, width);
        s->tile.rows = (Extent){.fixed = PLACES};
        s->tile.n_over = 2;
        s->tile.over[0] = (TileAxis){{.per_row = 1}, image, 0};
        s->tile.over[1] = (TileAxis){{.fixed = LINES}, PLACES * CHANNELS, 0};
        Affine at = {.coef = {width, image, PLACES * CHANNELS, CHANNELS, 1}};
        s->tile.body = nest_store(b, i == 0 ? z : y, at, tile_arg(b));
        LoopKernel *k = nest_kernel(b, i == 0 ? "first" : "second", s);
        nest_split(k, (Extent){.per_row = 1}, true);
        k->strip = 2;
        k->strip_back = i;
    }
    LoopAhead *ahead = arena_array(b->arena, LoopAhead, 2);
    ahead[0] = (LoopAhead){.buf = y, .row = image, .bytes = image * 4};
    ahead[1] = (LoopAhead){.buf = x, .row = image, .bytes = image * 4, .next = true};
    b->program.kernels.at[0].ahead = ahead;
    b->program.kernels.at[0].n_ahead = asked;
}

static void ask_for_two(Nest *b, const JitLevel *level, uint32_t batch)
{
    neighbours(b, level, batch, 2);
}

static unsigned neighbours_prefetches(uint32_t asked)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    neighbours(b, &jit_level[0], SAMPLES, asked);
    assert_null(loop_verify(&b->program, SAMPLES, arena));
    unsigned n = sum_tiles(&jit_level[0], b, SAMPLES, prefetches);
    arena_free(arena);
    return n;
}

static void test_neighbours(void **state)
{
    (void)state;
    unsigned none = neighbours_prefetches(0);
    assert_true(neighbours_prefetches(1) > none);
    assert_true(neighbours_prefetches(2) > neighbours_prefetches(1));
    mem_check(ask_for_two, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_packed), cmocka_unit_test(test_neighbours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
