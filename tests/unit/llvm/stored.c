/* Products with which nothing is done: their sums go where they belong, with no scratch tile in between. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/product.h"

enum { DEPTH = 13, GAP = 3 };

/* y = x w in rows `GAP` elements apart, or twice that. */
static void product(Nest *b, const JitLevel *level, uint32_t batch, uint32_t cols, bool twice)
{
    uint32_t width = cols < panel_of(level) ? cols : panel_of(level);
    uint32_t panels = (cols + width - 1) / width, row = cols + GAP;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * DEPTH);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * DEPTH * width);
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * row);
    Sx sum = tile_arg(b);
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = product_tile(level, x, w, DEPTH, cols, width);
    s->tile.body = nest_store(b, y, at3(0, width, row, 1), twice ? sx_add(b->program.sx, sum, sum) : sum);
    LoopKernel *k = nest_kernel(b, "product", s);
    nest_split(k, ROWS, true);
    k->grain = level->target.tile_rows;
}

static void columns_101(Nest *b, const JitLevel *l, uint32_t batch) { product(b, l, batch, 101, false); }
static void columns_128(Nest *b, const JitLevel *l, uint32_t batch) { product(b, l, batch, 128, false); }
static void columns_10(Nest *b, const JitLevel *l, uint32_t batch) { product(b, l, batch, 10, false); }
static void columns_2(Nest *b, const JitLevel *l, uint32_t batch) { product(b, l, batch, 2, false); }
static void columns_1(Nest *b, const JitLevel *l, uint32_t batch) { product(b, l, batch, 1, false); }

static void test_numbers(void **state)
{
    (void)state;
    mem_check(columns_101, 1e-5);
    mem_check(columns_128, 1e-5);
    mem_check(columns_10, 1e-5);
    mem_check(columns_2, 1e-5);
    mem_check(columns_1, 1e-5);
}

/* Stores outside the micro-kernels. */
static unsigned stores(bool twice)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    product(b, &jit_level[0], 8, 101, twice);
    Jit jit;
    jit_start(&jit, &jit_level[0]);
    cg_program(&jit.cg, &b->program, 8, "test");
    unsigned n = 0;
    LLVMValueRef fn = LLVMGetNamedFunction(jit.cg.mod, "test.product");
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(fn); block; block = LLVMGetNextBasicBlock(block))
        for (LLVMValueRef i = LLVMGetFirstInstruction(block); i; i = LLVMGetNextInstruction(i))
            n += LLVMIsAStoreInst(i) != NULL;
    jit_end(&jit);
    arena_free(arena);
    return n;
}

static void test_no_scratch(void **state)
{
    (void)state;
    assert_int_equal(stores(false), 0);
    assert_true(stores(true) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_no_scratch)};
    return cmocka_run_group_tests_name("llvm.stored", tests, NULL, NULL);
}
