/* What the machine code must look like: sums stay in registers through the loop over k, broadcasts come from memory in
 * one instruction, multiply-adds are fused where the processor can, and no library function is called. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/product.h"

enum { BATCH = 128 };

/* One product with an epilogue that uses many functions. */
static void product(Nest *b, const JitLevel *level, uint32_t rows, uint32_t cols, uint32_t depth, bool transposed)
{
    SxPool *sx = b->program.sx;
    uint32_t lanes = level->target.lanes, wide = level->target.tile_vectors * lanes, width = cols < wide ? lanes : wide;
    uint32_t panels = (cols + width - 1) / width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)rows * depth);
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    if (transposed) {
        uint32_t y = mem_array(b, "y", BUF_INPUT, 1, (uint64_t)rows * cols);
        s->tile = gradient_tile(level, x, y, depth, cols, width);
    } else {
        uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * depth * width);
        s->tile = product_tile(level, x, w, depth, cols, width);
    }
    uint32_t out = mem_place(b, "out", BUF_WORK, (uint64_t)(transposed ? depth : rows) * cols);
    Sx sum = nest_arg(b, (LoopArg){.kind = LARG_TILE}), value = sum;
    static const SxOp op[] = {SX_EXP,     SX_LOG, SX_LOG1P, SX_EXPM1, SX_SQRT,  SX_TANH,
                              SX_SIGMOID, SX_ERF, SX_SIN,   SX_COS,   SX_FLOOR, SX_ABS};
    for (unsigned i = 0; i < sizeof op / sizeof *op; i++)
        value = sx_add(sx, value, sx_un(sx, op[i], sum));
    value = sx_add(sx, value, sx_bin(sx, SX_POW, sum, value));
    s->tile.body = nest_store(b, out, at3(0, width, cols, 1), value);
    nest_kernel(b, "product", s);
}

/* The assembly of one function, from its label to its end. */
static const char *function_end(const char *at)
{
    const char *end = strstr(at, ".Lfunc_end");
    return end ? end : at + strlen(at);
}

static unsigned count(const char *from, const char *to, const char *word)
{
    unsigned n = 0;
    for (const char *p = from; (p = strstr(p, word)) && p < to; p++)
        n++;
    return n;
}

/* The loop of a micro-kernel: from its only loop label to the jump back to it. */
static void check_micro(const char *name, const char *end, const JitLevel *level, unsigned rows, unsigned cols)
{
    unsigned vectors = cols / level->target.lanes;
    const char *head = strstr(name, "\n.LBB");
    assert_true(head && head < end);
    head++;
    char label[32];
    size_t n = strcspn(head, ":");
    assert_true(n < sizeof label);
    memcpy(label, head, n);
    label[n] = 0;
    const char *back = strstr(head + n, label);
    assert_true(back && back < end);
    if (count(head, back, "%rsp") || count(head, back, "%rbp"))
        fail_msg("%s: the loop of a tile of %u x %u uses the stack:\n%.*s", level->name, rows, cols, (int)(back - head),
                 head);
#if defined(__x86_64__)
    unsigned fused = count(head, back, "vfmadd"), products = count(head, back, "mulps");
    if (level->target.fma ? fused != rows * vectors || products != 0 : products != rows * vectors)
        fail_msg("%s: a tile of %u x %u has %u fused and %u plain products", level->name, rows, cols, fused, products);
    if (level->target.fma && level->target.lanes > 4 && vectors > 1 && count(head, back, "vbroadcastss") != rows)
        fail_msg("%s: a tile of %u x %u has %u broadcasts", level->name, rows, cols, count(head, back, "vbroadcastss"));
#endif
}

static unsigned check_program(const JitLevel *level, uint32_t rows, uint32_t cols, uint32_t depth, bool transposed)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    product(b, level, rows, cols, depth, transposed);
    const char *why = loop_verify(&b->program, rows, arena);
    if (why)
        fail_msg("%s", why);
    Jit jit;
    jit_start(&jit, level);
    LLVMSetLinkage(cg_program(&jit.cg, &b->program, rows, "test"), LLVMExternalLinkage);
    jit_optimize(&jit);
    const char *text = jit_assembly(&jit);
    unsigned found = 0;
    for (const char *at = text; (at = strstr(at, "\nact.tile.")); at++) {
        unsigned tile_rows, tile_cols;
        if (sscanf(at, "\nact.tile.%ux%u.", &tile_rows, &tile_cols) != 2)
            continue;
        check_micro(at, function_end(at), level, tile_rows, tile_cols);
        found++;
    }
#if defined(__x86_64__)
    for (const char *at = text; (at = strstr(at, "call")); at++) { /* callq name, callq *register */
        const char *name = at + strcspn(at, " \t\n");
        name += strspn(name, " \t");
        /* the worker walks a list of kernels */
        bool ours = *name == '*' || !strncmp(name, "act.tile.", 9) || !strncmp(name, "test.", 5) || !strncmp(name, "act_p", 5) ||
                    !strncmp(name, "act_b", 5);
        if (at[-1] == '\t' && !ours)
            fail_msg("%s: generated code calls %.*s", level->name, (int)strcspn(name, "\n"), name);
    }
#endif
    jit_end(&jit);
    arena_free(arena);
    return found;
}

static void test_tiles(void **state)
{
    (void)state;
    static const uint32_t shape[][2] = {{128, 784}, {10, 128}, {45, 37}, {1, 5}, {512, 4096}};
    for (int l = 0; l < JIT_LEVELS; l++)
        for (unsigned i = 0; i < sizeof shape / sizeof *shape; i++) {
            assert_true(check_program(&jit_level[l], BATCH, shape[i][0], shape[i][1], false) >= 3);
            assert_true(check_program(&jit_level[l], BATCH, shape[i][0], shape[i][1], true) >= 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tiles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
