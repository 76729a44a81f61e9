/* Contractions with epilogues: the three products of a layer, dropout, and what must not differ between shapes, rows
 * and threads. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/product.h"

static Sx gelu(SxPool *sx, Sx x)
{
    Sx half = sx_mul(sx, x, sx_num(sx, 0.5));
    return sx_mul(sx, half,
                  sx_add(sx, sx_num(sx, 1), sx_un(sx, SX_ERF, sx_mul(sx, x, sx_num(sx, 0.70710678118654752)))));
}

/* y = gelu(x w + bias) at `places` places of each sample, w in panels; z = the sum before it */
static void linear_at(Nest *b, const JitLevel *level, uint32_t batch, uint32_t places, uint32_t depth, uint32_t cols, uint32_t width)
{
    SxPool *sx = b->program.sx;
    uint32_t panels = (cols + width - 1) / width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * places * depth);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * depth * width),
             bias = mem_place(b, "bias", BUF_PARAM, cols);
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * places * cols),
             z = mem_place(b, "z", BUF_WORK, (uint64_t)batch * places * cols);
    Sx sum = sx_add(sx, tile_arg(b), nest_load(b, bias, at3(0, width, 0, 1)));
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = product_tile(level, x, w, depth, cols, width);
    s->tile.rows = (Extent){.per_row = places};
    s->tile.body =
        LIST(nest_store(b, y, at3(0, width, cols, 1), gelu(sx, sum)), nest_store(b, z, at3(0, width, cols, 1), sum));
    LoopKernel *k = nest_kernel(b, "linear", s);
    nest_split(k, (Extent){.per_row = places}, true);
    k->grain = level->target.tile_rows;
}

static void linear(Nest *b, const JitLevel *level, uint32_t batch, uint32_t depth, uint32_t cols, uint32_t width)
{
    linear_at(b, level, batch, 1, depth, cols, width);
}

static void linear_wide(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 37, 101, panel_of(l)); }
static void linear_even(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 20, 128, panel_of(l)); }
static void linear_ten(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 33, 10, l->target.lanes); }
static void linear_narrow(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 5, 3, 3); }
static void linear_column(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 37, 1, l->target.lanes); }
static void linear_one(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 1, 1, 1); }
/* rows that no second-level cache holds, for weights that each does: so many rows at a time, through all blocks */
static void linear_near(Nest *b, const JitLevel *l, uint32_t batch) { linear_at(b, l, batch, 29, 61, 101, panel_of(l)); }

static void test_linear(void **state)
{
    (void)state;
    mem_check(linear_wide, 1e-5);
    mem_check(linear_even, 1e-5);
    mem_check(linear_ten, 1e-5);
    mem_check(linear_narrow, 1e-5);
    mem_check(linear_column, 1e-5); /* rows are the lanes */
    mem_check(linear_one, 1e-5);
    mem_check(linear_near, 1e-5);
}

/* dx = (dy wᵀ) * f'(h): B is the weight as the forward product reads it, in panels of `turn` of its columns, or in rows
 * when that is all of them; the epilogue reads what it replaces */
static void input_gradient(Nest *b, const JitLevel *level, uint32_t batch, uint32_t out, uint32_t in, uint32_t turn)
{
    SxPool *sx = b->program.sx;
    uint32_t width = panel_of(level), panels = (out + turn - 1) / turn;
    uint32_t dy = mem_array(b, "dy", BUF_INPUT, 0, (uint64_t)batch * out);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * in * turn);
    uint32_t h = mem_place(b, "h", BUF_WORK, (uint64_t)batch * in);
    Affine at = at3(0, width, in, 1);
    Sx old = nest_load(b, h, at), slope = sx_sub(sx, sx_num(sx, 1), sx_mul(sx, old, old));
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = (LoopTile){.rows = ROWS,
                         .depth = FIXED(out),
                         .cols = in,
                         .width = width,
                         .a = dy,
                         .b = w,
                         .a_row = out,
                         .a_k = 1,
                         .b_block = turn,
                         .b_k = (int64_t)in * turn,
                         .b_turn = turn,
                         .b_padded = turn != out,
                         .tile_rows = level->target.tile_rows};
    s->tile.body = nest_store(b, h, at, sx_mul(sx, tile_arg(b), slope));
    nest_split(nest_kernel(b, "input_gradient", s), ROWS, true);
}

static void turned_panels(Nest *b, const JitLevel *l, uint32_t batch) { input_gradient(b, l, batch, 83, 45, panel_of(l)); }
static void turned_rows(Nest *b, const JitLevel *l, uint32_t batch) { input_gradient(b, l, batch, 23, 45, 23); }
static void turned_chunks(Nest *b, const JitLevel *l, uint32_t batch) { input_gradient(b, l, batch, 2050, 7, 2050); }
static void turned_one(Nest *b, const JitLevel *l, uint32_t batch) { input_gradient(b, l, batch, 1, 1, 1); }

/* one column, turned: lanes along the terms, in one run or in panels of a few of them */
static void dot(Nest *b, const JitLevel *l, uint32_t batch, uint32_t depth, uint32_t turn)
{
    linear(b, l, batch, depth, 1, l->target.lanes);
    LoopTile *t = &b->program.kernels.at[0].body->tile;
    t->b_block = t->b_turn = t->b_k = turn;
    t->b_padded = false;
}

static void dot_short(Nest *b, const JitLevel *l, uint32_t batch) { dot(b, l, batch, 5, 5); }
static void dot_even(Nest *b, const JitLevel *l, uint32_t batch) { dot(b, l, batch, 64, 16); }
static void dot_long(Nest *b, const JitLevel *l, uint32_t batch) { dot(b, l, batch, 301, 301); }

/* Register tiles that a kernel has. */
static unsigned micro_kernels(const JitLevel *level, MemBuild build)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    build(b, level, 33);
    Jit jit;
    jit_start(&jit, level);
    cg_program(&jit.cg, &b->program, 33, "test");
    unsigned n = calls_of(LLVMGetNamedFunction(jit.cg.mod, "test.linear"), "act.tile.");
    jit_end(&jit);
    arena_free(arena);
    return n;
}

static void test_single_column(void **state)
{
    (void)state;
    mem_check(dot_short, 1e-5);
    mem_check(dot_even, 1e-5);
    mem_check(dot_long, 1e-4);
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        assert_int_equal(micro_kernels(&jit_level[l], dot_even), 0);
        assert_true(micro_kernels(&jit_level[l], linear_column) > 0); /* its column has gaps */
    }
}

static void test_input_gradient(void **state)
{
    (void)state;
    mem_check(turned_panels, 1e-5);
    mem_check(turned_rows, 1e-5);
    mem_check(turned_chunks, 1e-4);
    mem_check(turned_one, 1e-5);
}

/* dw = xᵀ dy, updated where it stands: B in rows without padding, the depth is n, the epilogue is Adam into panels */
static void weight_gradient_of(Nest *b, const JitLevel *level, uint32_t batch, uint32_t i)
{
    enum { IN = 53, OUT = 45 };
    SxPool *sx = b->program.sx;
    uint32_t width = panel_of(level), panels = (OUT + width - 1) / width;
    uint64_t size = (uint64_t)panels * IN * width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 2 * i, (uint64_t)batch * IN),
             dy = mem_array(b, "dy", BUF_INPUT, 2 * i + 1, (uint64_t)batch * OUT);
    uint32_t w = mem_place(b, "w", BUF_PARAM, size), m = mem_place(b, "m", BUF_STATE, size),
             v = mem_place(b, "v", BUF_STATE, size);
    *vec_push(b->arena, &b->program.uniforms) =
        sx_sub(sx, sx_num(sx, 1), sx_bin(sx, SX_POW, sx_num(sx, 0.9 - 0.1 * i), sx_arg(sx, 0)));
    Affine at = at3(0, (int64_t)IN * width, width, 1);
    Sx g = sx_div(sx, tile_arg(b), sx_num(sx, 100)), one = sx_num(sx, 0.1), keep = sx_num(sx, 0.9);
    Sx m2 = sx_add(sx, sx_mul(sx, keep, nest_load(b, m, at)), sx_mul(sx, one, g));
    Sx old = sx_un(sx, SX_ABS, nest_load(b, v, at));
    Sx v2 = sx_add(sx, sx_mul(sx, keep, old), sx_mul(sx, one, sx_mul(sx, g, g)));
    Sx fix = nest_arg(b, (LoopArg){.kind = LARG_UNIFORM, .index = i});
    Sx step = sx_div(sx, sx_div(sx, m2, fix), sx_add(sx, sx_un(sx, SX_SQRT, sx_div(sx, v2, fix)), sx_num(sx, 0.1)));
    Sx w2 = sx_sub(sx, nest_load(b, w, at), sx_mul(sx, sx_num(sx, 0.01), step));
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = gradient_tile(level, x, dy, IN, OUT, width);
    s->tile.body = LIST(nest_store(b, m, at, m2), nest_store(b, v, at, v2), nest_store(b, w, at, w2));
    LoopKernel *k = nest_kernel(b, i == 0 ? "weight_gradient" : "another", s);
    nest_split(k, FIXED(IN), false);
    k->grain = level->target.tile_rows;
}

static void weight_gradient(Nest *b, const JitLevel *l, uint32_t batch) { weight_gradient_of(b, l, batch, 0); }

/* Of equal shape: one function with a table of places. */
static void weight_gradients(Nest *b, const JitLevel *l, uint32_t batch)
{
    weight_gradient_of(b, l, batch, 0);
    weight_gradient_of(b, l, batch, 1);
}

/* Register tiles that do the body of the tile before. */
static unsigned overlapped(const JitLevel *level, MemBuild build, uint32_t batch)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    build(b, level, batch);
    Jit jit;
    jit_start(&jit, level);
    cg_program(&jit.cg, &b->program, batch, "test");
    unsigned n = 0;
    for (LLVMValueRef fn = LLVMGetFirstFunction(jit.cg.mod); fn; fn = LLVMGetNextFunction(fn)) {
        size_t length;
        const char *name = LLVMGetValueName2(fn, &length);
        n += !strncmp(name, "act.tile.", 9) && strstr(name, ".test.") != NULL;
    }
    jit_end(&jit);
    arena_free(arena);
    return n;
}

static void test_weight_gradient(void **state)
{
    (void)state;
    mem_check(weight_gradient, 1e-5);
    mem_check(weight_gradients, 1e-5);
    for (unsigned l = 0; l < JIT_LEVELS; l++) { /* of full columns; too few terms; an erf in the body */
        unsigned wanted = jit_level[l].target.registers >= 32;
        assert_int_equal(overlapped(&jit_level[l], weight_gradient, 128), wanted);
        assert_int_equal(overlapped(&jit_level[l], weight_gradients, 128), wanted);
        assert_int_equal(overlapped(&jit_level[l], weight_gradient, 7), 0);
        assert_int_equal(overlapped(&jit_level[l], linear_even, 128), 0);
    }
}

/* ── threads that share tiles: whole blocks, and parts of one ── */
static void by_tiles(Nest *b)
{
    LoopKernel *k = &b->program.kernels.at[b->program.kernels.n - 1];
    k->split = SPLIT_TILES;
    k->by_rows = false;
}

static void tiles_wide(Nest *b, const JitLevel *l, uint32_t batch)
{
    linear_wide(b, l, batch);
    by_tiles(b);
}

static void tiles_even(Nest *b, const JitLevel *l, uint32_t batch)
{
    linear_even(b, l, batch);
    by_tiles(b);
}

static void tiles_narrow(Nest *b, const JitLevel *l, uint32_t batch)
{
    linear_narrow(b, l, batch);
    by_tiles(b);
}

static void tiles_one(Nest *b, const JitLevel *l, uint32_t batch)
{
    linear(b, l, batch, 37, panel_of(l), panel_of(l));
    b->program.kernels.at[0].grain = 3; /* tiles that are cut */
    by_tiles(b);
}

static void tiles_turned(Nest *b, const JitLevel *l, uint32_t batch)
{
    turned_panels(b, l, batch);
    by_tiles(b);
}

static void tiles_gradient(Nest *b, const JitLevel *l, uint32_t batch)
{
    weight_gradient(b, l, batch);
    by_tiles(b);
}

static void test_split_tiles(void **state)
{
    (void)state;
    mem_check(tiles_wide, 1e-5);
    mem_check(tiles_even, 1e-5);
    mem_check(tiles_narrow, 1e-5);
    mem_check(tiles_one, 1e-5);
    mem_check(tiles_turned, 1e-5);
    mem_check(tiles_gradient, 1e-5);
}

/* ── random numbers, in a tile and in a row loop, at elements that are and are not multiples of four ── */
static void dropout(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { DEPTH = 9, COLS = 45 };
    SxPool *sx = b->program.sx;
    uint32_t width = panel_of(level), panels = (COLS + width - 1) / width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * DEPTH);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * DEPTH * width);
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * COLS),
             z = mem_array(b, "z", BUF_OUTPUT, 1, (uint64_t)batch * COLS);
    uint32_t one = mem_array(b, "one", BUF_OUTPUT, 2, batch),
             turned = mem_place(b, "turned", BUF_WORK, (uint64_t)batch * COLS);
    Sx half = sx_num(sx, 0.5);
    Sx random =
        nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .index = 3, .at = at3(0, 0, 1, 0), .at2 = at3(0, width, 0, 1)});
    Sx sum = tile_arg(b);
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = product_tile(level, x, w, DEPTH, COLS, width);
    s->tile.tile_rows = 4;
    Sx kept = sx_select(sx, sx_bin(sx, SX_LT, random, half), sx_num(sx, 0), sx_add(sx, sum, sum));
    s->tile.body = nest_store(b, y, at3(0, width, COLS, 1), kept);
    nest_split(nest_kernel(b, "tile", s), ROWS, true);

    /* the number itself, lanes from element 2 on; and one number a row */
    Sx raw = nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .index = 4, .at = at3(1, 1, 0, 0), .at2 = at3(2, 0, 1, 0)});
    Sx single = nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .index = 5, .at = at3(0, 1, 0, 0), .at2 = at3(7, 0, 0, 0)});
    LoopStmt *row = LIST(nest_for(b, FIXED(COLS), LOOP_VECTOR, nest_store(b, z, at3(0, COLS, 1, 0), raw)),
                         nest_store(b, one, at3(0, 1, 0, 0), single));
    nest_split(nest_kernel(b, "rows", nest_for(b, ROWS, LOOP_SERIAL, row)), ROWS, true);

    /* lanes are samples, and elements far apart */
    Sx across =
        nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .index = 0x1234, .at = at3(0, 0, 1, 0), .at2 = at3(0, 1, 3, 0)});
    LoopStmt *lanes = nest_for(b, ROWS, LOOP_VECTOR, nest_store(b, turned, at3(0, batch, 1, 0), across));
    nest_kernel(b, "across", nest_for(b, FIXED(COLS), LOOP_SERIAL, lanes))->barrier = true;
}

static void test_dropout(void **state)
{
    (void)state;
    mem_check(dropout, 2e-6);
}

/* A seed and step beyond 32 bits, against the runtime's known answer: Philox4x32-10 of counter and key all ones. */
static void test_philox(void **state)
{
    (void)state;
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Arena *arena = arena_new();
        Nest *b = arena_new_of(arena, Nest);
        nest_start(b, arena);
        uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, 4);
        /* element / 4, sample, step and stream make the counter 0xffffffff four times */
        Affine element = at3((int64_t)0xffffffff * 4, 1, 0, 0), sample = at3(0xffffffff, 0, 0, 0);
        Sx r = nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .index = 0xffff, .at = sample, .at2 = element});
        nest_kernel(b, "philox", nest_for(b, FIXED(4), LOOP_VECTOR, nest_store(b, y, at3(0, 1, 0, 0), r)));
        Jit jit;
        jit_start(&jit, &jit_level[l]);
        JitRun run = jit_program(&jit, &b->program, 1);
        float out[4];
        void *outputs[1] = {out};
        CgCall call = {.output = outputs, .n = 1, .step = 0xffffffffffff, .seed = 0xffffffffffffffff};
        run(&call);
        static const uint32_t want[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
        for (int i = 0; i < 4; i++)
            assert_true(out[i] == (float)(want[i] >> 8) * 0x1p-24f);
        jit_end(&jit);
        arena_free(arena);
    }
}

/* ── a row's bits do not depend on the height of the tile it falls into: rows 0 … n - 1 alone and among others ── */
static void row_bits(MemBuild build, size_t cols)
{
    enum { BATCH = 128 };
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Arena *arena = arena_new();
        Nest *b = arena_new_of(arena, Nest);
        nest_start(b, arena);
        build(b, &jit_level[l], BATCH);
        Jit jit;
        jit_start(&jit, &jit_level[l]);
        JitRun run = jit_program(&jit, &b->program, BATCH);
        Mem all;
        mem_make(&all, &b->program, BATCH, BATCH);
        mem_run(&all, run, 0);
        for (size_t n = 1; n <= 40; n++) {
            Mem some;
            mem_make(&some, &b->program, BATCH, n);
            mem_run(&some, run, 0);
            assert_memory_equal(some.start[BUF_OUTPUT][0], all.start[BUF_OUTPUT][0], n * cols * 4);
            assert_memory_equal(some.start[BUF_WORK][0], all.start[BUF_WORK][0], n * cols * 4);
            mem_free(&some);
        }
        mem_free(&all);
        jit_end(&jit);
        arena_free(arena);
    }
}

static void linear_bits(Nest *b, const JitLevel *l, uint32_t batch) { linear(b, l, batch, 64, 101, panel_of(l)); }

static void test_row_bits(void **state)
{
    (void)state;
    row_bits(linear_bits, 101);
    row_bits(dot_long, 1);
    row_bits(dot_short, 1);
}

/* ── the arithmetic is exactly the one that is written: one fused multiply-add a term, k ascending from 0 (two
 * roundings where the processor has no such instruction); a product and a sum of the user's own are never fused ── */
enum { EXACT_COLS = 41 };

static void exact(Nest *b, const JitLevel *level, uint32_t batch, uint32_t depth, bool turned)
{
    enum { COLS = EXACT_COLS };
    SxPool *sx = b->program.sx;
    uint32_t width = panel_of(level), across = turned ? depth : COLS, panels = (across + width - 1) / width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * depth);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * (turned ? COLS : depth) * width);
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * COLS);
    uint32_t bias = mem_place(b, "bias", BUF_STATE, COLS);
    Sx add = nest_load(b, bias, at3(0, width, 0, 1));
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = product_tile(level, x, w, depth, COLS, width);
    if (turned) {
        s->tile.b_block = s->tile.b_turn = width;
        s->tile.b_k = (int64_t)COLS * width;
    }
    Sx value = sx_add(sx, sx_mul(sx, tile_arg(b), sx_num(sx, 0.1)), add);
    s->tile.body = nest_store(b, y, at3(0, width, COLS, 1), value);
    nest_split(nest_kernel(b, "exact", s), ROWS, true);
}

/* The sum in element (r, c), by the rule above. */
static float exact_sum(const Mem *m, const JitLevel *level, size_t r, size_t c, size_t depth, bool turned)
{
    size_t width = panel_of(level);
    float sum = 0;
    for (size_t k = 0; k < depth; k++) {
        size_t at = turned ? (k / width * EXACT_COLS + c) * width + k % width : (c / width * depth + k) * width + c % width;
        float x = mem_at(m, BUF_INPUT, 0, r * depth + k), w = mem_at(m, BUF_PARAM, 0, at), product = x * w;
        sum = level->target.fma ? fmaf(x, w, sum) : product + sum;
    }
    return sum;
}

static void check_exact(const JitLevel *level, uint32_t depth, bool turned)
{
    enum { BATCH = 29 };
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    exact(b, level, BATCH, depth, turned);
    Jit jit;
    jit_start(&jit, level);
    JitRun run = jit_program(&jit, &b->program, BATCH);
    Mem m;
    mem_make(&m, &b->program, BATCH, BATCH);
    mem_run(&m, run, 0);
    for (size_t r = 0; r < BATCH; r++)
        for (size_t c = 0; c < EXACT_COLS; c++) {
            float scaled = exact_sum(&m, level, r, c, depth, turned) * 0.1f, want = scaled + mem_at(&m, BUF_STATE, 0, c);
            float got = mem_at(&m, BUF_OUTPUT, 0, r * EXACT_COLS + c);
            if (got != want)
                fail_msg("%s, depth %u%s: element (%zu, %zu) is %a, not %a", level->name, depth,
                         turned ? " turned" : "", r, c, (double)got, (double)want);
        }
    mem_free(&m);
    jit_end(&jit);
    arena_free(arena);
}

/* 67 terms pass in one go; 5000 are more than any level's chunk of panels, 1100 than a packed one of some. */
static void test_exact(void **state)
{
    (void)state;
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        check_exact(&jit_level[l], 67, false);
        check_exact(&jit_level[l], 5000, false);
        check_exact(&jit_level[l], 67, true);
        check_exact(&jit_level[l], 5000, true);
        check_exact(&jit_level[l], 1100, true);
    }
}

/* ── kernels that differ in their places, uniforms and streams alone are one function ── */
static void twin(Nest *b, const JitLevel *level, uint32_t batch, uint32_t i)
{
    enum { DEPTH = 9, COLS = 21 };
    SxPool *sx = b->program.sx;
    uint32_t width = panel_of(level), panels = (COLS + width - 1) / width;
    uint32_t x = mem_array(b, "x", BUF_INPUT, i, (uint64_t)batch * DEPTH);
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)panels * DEPTH * width);
    uint32_t y = mem_place(b, "y", BUF_WORK, (uint64_t)batch * COLS);
    *vec_push(b->arena, &b->program.uniforms) = sx_num(sx, 1.5 + i);
    LoopArg random = {.kind = LARG_RANDOM, .index = 3 + i, .at = at3(0, 0, 1, 0), .at2 = at3(0, width, 0, 1)};
    Sx noise = nest_arg(b, random), scale = nest_arg(b, (LoopArg){.kind = LARG_UNIFORM, .index = i});
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = product_tile(level, x, w, DEPTH, COLS, width);
    Sx value = sx_add(sx, sx_mul(sx, tile_arg(b), scale), noise);
    s->tile.body = nest_store(b, y, at3(0, width, COLS, 1), value);
    static const char *const name[] = {"twin0", "twin1", "twin2"};
    LoopKernel *k = nest_kernel(b, name[i], s);
    k->span.begin = i;
    nest_split(k, ROWS, true);
}

static void twins(Nest *b, const JitLevel *level, uint32_t batch)
{
    for (uint32_t i = 0; i < 3; i++)
        twin(b, level, batch, i);
}

static unsigned twin_functions(const JitLevel *level, bool by_line)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    twins(b, level, 8);
    Jit jit;
    jit_start(&jit, level);
    jit.cg.by_line = by_line;
    cg_program(&jit.cg, &b->program, 8, "test");
    unsigned n = 0;
    for (LLVMValueRef fn = LLVMGetFirstFunction(jit.cg.mod); fn; fn = LLVMGetNextFunction(fn)) {
        size_t length;
        n += !strncmp(LLVMGetValueName2(fn, &length), "test.twin", 9);
    }
    jit_end(&jit);
    arena_free(arena);
    return n;
}

static void test_shared(void **state)
{
    (void)state;
    mem_check(twins, 1e-5);
    assert_int_equal(twin_functions(&jit_level[0], false), 1);
    assert_int_equal(twin_functions(&jit_level[0], true), 3);
}

/* ── what is asked for ahead: rows of the caller's that a body reads a few lines of ── */
static unsigned prefetches(const JitLevel *level, BufSpace space)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    linear_even(b, level, 8);
    LoopKernel *k = &b->program.kernels.at[0];
    LoopStmt *store = k->body->tile.body;
    b->args.at = k->arg;
    b->args.n = b->args.cap = k->n_arg;
    uint32_t from = space == BUF_WORK ? mem_place(b, "from", space, 8 * 128) : mem_array(b, "from", space, 0, 8 * 128);
    store->store.value = sx_add(b->program.sx, store->store.value, nest_load(b, from, store->store.at));
    k->arg = b->args.at;
    k->n_arg = b->args.n;
    const char *why = loop_verify(&b->program, 8, arena);
    if (why)
        fail_msg("%s", why);
    Jit jit;
    jit_start(&jit, level);
    cg_program(&jit.cg, &b->program, 8, "test");
    unsigned n = calls_of(LLVMGetNamedFunction(jit.cg.mod, "test.linear"), "llvm.prefetch");
    jit_end(&jit);
    arena_free(arena);
    return n;
}

static void test_ahead(void **state)
{
    (void)state;
    const JitLevel *level = &jit_level[0];
    assert_int_equal(prefetches(level, BUF_WORK), 0);
    assert_int_equal(prefetches(level, BUF_TARGET), panel_of(level) * 4 / 64); /* the lines of the next block's row */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),  cmocka_unit_test(test_input_gradient), cmocka_unit_test(test_weight_gradient),
        cmocka_unit_test(test_dropout), cmocka_unit_test(test_philox),         cmocka_unit_test(test_row_bits),
        cmocka_unit_test(test_exact),   cmocka_unit_test(test_shared),
        cmocka_unit_test(test_split_tiles), cmocka_unit_test(test_ahead),      cmocka_unit_test(test_single_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
