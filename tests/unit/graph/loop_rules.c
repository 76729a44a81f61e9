/* Every rule of loop_verify, broken once; and sound programs of the awkward kinds that it must let pass. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/nest.h"

enum { BATCH = 4 };

/* Buffers 0 x[n, 10] input, 1 y[n, 10] output, 2 w[12] param, 3 t[40] work, 4 label[n] target of integers. */
static int setup(void **state)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    nest_buf(b, "x", BUF_INPUT, 0, BATCH * 10);
    nest_buf(b, "y", BUF_OUTPUT, 0, BATCH * 10);
    nest_buf(b, "w", BUF_PARAM, 0, 12);
    nest_buf(b, "t", BUF_WORK, 0, 40);
    nest_buf(b, "label", BUF_TARGET, 0, BATCH);
    b->program.bufs.at[4].dtype = DT_I32;
    b->program.work_bytes = 160;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    arena_free(((Nest *)*state)->arena);
    return 0;
}

static void sound(const Nest *b)
{
    const char *why = loop_verify(&b->program, BATCH, b->arena);
    if (why)
        fail_msg("%s", why);
}

static void broken(const Nest *b, const char *sentence)
{
    const char *why = loop_verify(&b->program, BATCH, b->arena);
    assert_non_null(why);
    assert_string_equal(why, sentence);
}

static Sx number(Nest *b)
{
    return sx_num(b->program.sx, 1);
}

/* for i0 < n, for i1 < 10 vector: y[10*i0 + i1] = value, as kernel "k" */
static LoopKernel *rows(Nest *b, Affine at, Sx value)
{
    LoopStmt *columns = nest_for(b, FIXED(10), LOOP_VECTOR, nest_store(b, 1, at, value));
    return nest_kernel(b, "k", nest_for(b, ROWS, LOOP_SERIAL, columns));
}

static void drop_kernels(Nest *b)
{
    b->program.kernels.n = 0;
}

static void test_strip(void **state)
{
    Nest *b = *state;
    for (uint32_t i = 0; i < 3; i++) {
        LoopKernel *k = rows(b, at3(0, 10, 1, 0), number(b));
        k->name = str_of(i == 0 ? "k" : i == 1 ? "l" : "m");
        nest_split(k, ROWS, true);
        k->strip = 2;
    }
    LoopKernel *k = b->program.kernels.at;
    k[2].strip_back = 2;
    sound(b);
    k[1].strip = 1;
    broken(b, "kernel `m`: goes back over 2 kernels that are not all of its strip");
    k[1].strip = 2;
    k[1].barrier = true;
    broken(b, "kernel `m`: goes back over 2 kernels that are not all of its strip");
    k[1].barrier = false;
    k[1].ahead = &(LoopAhead){.row = 10, .bytes = 40};
    k[1].n_ahead = 1;
    broken(b, "kernel `l`: asks ahead, but is no product over places of the rows");
    k[1].n_ahead = 0;
    k[2].strip_back = 3; /* before the first one */
    broken(b, "kernel `m`: goes back over 3 kernels that are not all of its strip");
    drop_kernels(b);
}

/* ── buffers ── */
static void test_buffers(void **state)
{
    Nest *b = *state;
    LoopBuf *t = &b->program.bufs.at[3], good = *t;
    sound(b);
    t->offset = 4;
    broken(b, "buffer `t` leaves the 160 bytes of the work block");
    t->offset = 2;
    broken(b, "buffer `t` does not lie at a multiple of its alignment 4");
    *t = good;
    t->align = 12;
    broken(b, "buffer `t` does not lie at a multiple of its alignment 12");
    t->align = 4;
    t->bytes = 0;
    broken(b, "buffer `t` has 0 bytes");
    t->bytes = 6;
    broken(b, "buffer `t` has 6 bytes");
    *t = good;
    t->space = (BufSpace)40;
    broken(b, "buffer `t` is of no kind");
    *t = good;
    b->program.bufs.at[0].bytes = 164;
    broken(b, "buffer `x` does not hold 4 equal rows");
    b->program.bufs.at[0].bytes = 160;
    b->program.bufs.at[0].offset = 8;
    broken(b, "buffer `x` is an array of the caller and has no offset");
}

static void test_uniforms(void **state)
{
    Nest *b = *state;
    *vec_push(b->arena, &b->program.uniforms) = sx_arg(b->program.sx, 3);
    broken(b, "uniform u0 is not of the step, the learning rate and n");
    b->program.uniforms.at[0] = 0;
    broken(b, "uniform u0 is not of the step, the learning rate and n");
}

/* ── kernels ── */
static void test_kernels(void **state)
{
    Nest *b = *state;
    Affine at = at3(0, 10, 1, 0);
    rows(b, at, number(b));
    rows(b, at, number(b));
    broken(b, "two kernels are called `k`");
    b->program.kernels.at[1].name = STR("");
    broken(b, "kernel 1 has no name");
    b->program.kernels.n = 1;
    sound(b);
    b->program.kernels.at[0].body = NULL;
    broken(b, "kernel `k`: does nothing");
    assert_string_equal(loop_verify(&b->program, 0, b->arena), "the batch has no rows");
}

static void test_split(void **state)
{
    Nest *b = *state;
    LoopKernel *k = rows(b, at3(0, 10, 1, 0), number(b));
    k->by_rows = true;
    broken(b, "kernel `k`: goes by rows, but is not split");
    nest_split(k, ROWS, true);
    sound(b);
    k->grain = 0;
    broken(b, "kernel `k`: is split in grains of 0");
    k->grain = 1;
    nest_split(k, FIXED(4), true);
    broken(b, "kernel `k`: goes by rows or in strips of them, but its extent does not");
    nest_split(k, FIXED(4), false);
    broken(b, "kernel `k`: is split, but not all of its outer statements are loops of that extent");
    k->split = (LoopSplit)5;
    broken(b, "kernel `k`: is split in no known way");
    drop_kernels(b);
    /* an accumulator of all rows can't be shared by threads */
    Sx x = nest_load(b, 0, at3(0, 10, 0, 0));
    nest_split(nest_kernel(b, "k", LIST(nest_new(b, 0, FOLD_SUM),
               nest_for(b, ROWS, LOOP_VECTOR, nest_add(b, 0, FOLD_SUM, x)))), ROWS, true);
    broken(b, "kernel `k`: is split, but not all of its outer statements are loops of that extent");
}

static void test_split_shares(void **state)
{
    Nest *b = *state;
    LoopStmt *columns = nest_for(b, FIXED(10), LOOP_VECTOR, nest_store(b, 3, at3(0, 0, 1, 0), number(b)));
    nest_split(nest_kernel(b, "k", nest_for(b, FIXED(1), LOOP_SERIAL, columns)), FIXED(1), false);
    sound(b); /* one iteration is one thread's */
    b->program.kernels.at[0].split_extent = ROWS;
    b->program.kernels.at[0].body->loop.extent = ROWS;
    broken(b, "kernel `k`: writes a place of `t` twice");
}

/* ── loops ── */
static void test_depth(void **state)
{
    Nest *b = *state;
    LoopStmt *s = nest_store(b, 3, at3(0, 0, 0, 0), number(b));
    for (int d = 0; d < LOOP_MAX_DEPTH; d++)
        s = nest_for(b, FIXED(1), LOOP_SERIAL, s);
    LoopKernel *k = nest_kernel(b, "k", s);
    sound(b);
    k->body = nest_for(b, FIXED(1), LOOP_SERIAL, s);
    broken(b, "kernel `k`: loops are nested deeper than 10");
}

static void test_extents(void **state)
{
    Nest *b = *state;
    LoopStmt *loop = rows(b, at3(0, 10, 1, 0), number(b))->body;
    loop->loop.extent = (Extent){1, 1};
    broken(b, "kernel `k`: a loop has an extent both fixed and by rows");
    loop->loop.extent = (Extent){0, 0};
    broken(b, "kernel `k`: a loop never runs");
    loop->loop.extent = (Extent){-1, 0};
    broken(b, "kernel `k`: a loop runs an impossible number of times");
    loop->loop.extent = (Extent){INT64_MAX, 0};
    broken(b, "kernel `k`: a loop runs an impossible number of times");
}

static void test_vectors(void **state)
{
    Nest *b = *state;
    LoopStmt *loop = rows(b, at3(0, 10, 1, 0), number(b))->body;
    loop->loop.mode = LOOP_VECTOR;
    broken(b, "kernel `k`: a vector loop stands inside another");
    loop->loop.body->loop.mode = LOOP_SERIAL;
    sound(b);
}

static void test_clamps(void **state)
{
    Nest *b = *state;
    LoopStmt *lanes = nest_for(b, FIXED(4), LOOP_VECTOR, nest_store(b, 3, at3(0, 4, 1, 0), number(b)));
    nest_kernel(b, "k", nest_for(b, FIXED(11), LOOP_SERIAL, lanes));
    broken(b, "kernel `k`: writes `t` from 0 to 43, but it has 40 elements at n = 4");
    lanes->loop.clamp = 40;
    sound(b);
    lanes->loop.clamp = 41;
    broken(b, "kernel `k`: writes `t` from 0 to 40, but it has 40 elements at n = 4");
    lanes->loop.clamp_depth = 1;
    broken(b, "kernel `k`: a loop is clamped by a loop that is not around it");
    lanes->loop.clamp = -1;
    broken(b, "kernel `k`: a loop is clamped by a loop that is not around it");
    lanes->loop.clamp = 40;
    lanes->loop.clamp_depth = 0;
    lanes->loop.extent = ROWS;
    broken(b, "kernel `k`: only loops of fixed extent inside loops without a clamp are clamped");
}

/* ── places ── */
static void test_ranges(void **state)
{
    Nest *b = *state;
    rows(b, at3(1, 10, 1, 0), number(b));
    broken(b, "kernel `k`: writes `y` from 1 to 40, but it has 40 elements at n = 4");
    drop_kernels(b);
    rows(b, at3(-1, 10, 1, 0), number(b));
    broken(b, "kernel `k`: writes `y` from -1 to 38, but it has 40 elements at n = 4");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_load(b, 0, at3(0, 11, 1, 0)));
    broken(b, "kernel `k`: reads `x` from 0 to 42, but it has 40 elements at n = 4");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_load(b, 0, at3(9, 10, -1, 0))); /* backwards */
    sound(b);
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_load(b, 9, at3(0, 0, 0, 0)));
    broken(b, "kernel `k`: there is no buffer 9");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_load(b, 2, at3(0, INT64_MAX, 0, 0)));
    broken(b, "kernel `k`: an index is too large");
}

/* A caller's array has n rows, not the batch's. */
static void test_short_batch(void **state)
{
    Nest *b = *state;
    LoopStmt *loop = rows(b, at3(0, 10, 1, 0), number(b))->body;
    loop->loop.extent = FIXED(4);
    broken(b, "kernel `k`: writes `y` from 0 to 39, but it has 10 elements at n = 1");
}

static void test_depths_of_indices(void **state)
{
    Nest *b = *state;
    rows(b, at3(0, 10, 1, 0), nest_load(b, 2, at3(0, 0, 0, 1)));
    broken(b, "kernel `k`: an index uses i2 outside that loop");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_arg(b, (LoopArg){.kind = LARG_INDEX, .at = at3(0, 0, 0, 1)}));
    broken(b, "kernel `k`: an index uses i2 outside that loop");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .at2 = at3(0, 0, 0, 1)}));
    broken(b, "kernel `k`: an index uses i2 outside that loop");
}

static void test_writes(void **state)
{
    Nest *b = *state;
    LoopStmt *store = rows(b, at3(0, 10, 1, 0), number(b))->body->loop.body->loop.body;
    store->store.buf = 0;
    broken(b, "kernel `k`: writes `x`, which belongs to the caller");
    b->program.bufs.at[1].dtype = DT_I32;
    store->store.buf = 1;
    broken(b, "kernel `k`: writes `y`, which holds integers");
    b->program.bufs.at[1].dtype = DT_F32;
    store->store.at = at3(0, 9, 1, 0); /* rows of ten, nine apart */
    broken(b, "kernel `k`: writes a place of `y` twice");
    store->store.at = at3(0, 10, 0, 0);
    broken(b, "kernel `k`: writes a place of `y` twice");
}

static void test_two_writes(void **state)
{
    Nest *b = *state;
    Affine at = at3(0, 10, 1, 0);
    LoopStmt *list = LIST(nest_store(b, 1, at, number(b)), nest_store(b, 1, at, number(b)));
    nest_kernel(b, "k", nest_for(b, ROWS, LOOP_SERIAL, nest_for(b, FIXED(10), LOOP_VECTOR, list)));
    broken(b, "kernel `k`: two statements write element 0 of `y`");
}

/* for i0 < n: zero ten elements of y, then for i1 < 5, lanes i2 < `width`: y[10 i0 + i1 + i2] = y[…] + x[10 i0 + i1 + i2] */
static LoopKernel *adding(Nest *b, int64_t row, int64_t width, LoopMode steps, LoopMode lanes, Affine read)
{
    LoopStmt *zero = nest_for(b, FIXED(10), LOOP_VECTOR, nest_store(b, 1, at3(0, row, 1, 0), sx_num(b->program.sx, 0)));
    Sx sum = sx_add(b->program.sx, nest_load(b, 1, read), nest_load(b, 0, at3(0, 10, 1, 1)));
    LoopStmt *add = nest_for(b, FIXED(width), lanes, nest_store(b, 1, at3(0, row, 1, 1), sum));
    LoopStmt *list = LIST(zero, nest_for(b, FIXED(5), steps, add));
    LoopKernel *k = nest_kernel(b, "k", nest_for(b, ROWS, LOOP_SERIAL, list));
    nest_split(k, ROWS, true);
    return k;
}

/* What overlaps is added up in memory, in order: not in lanes, not by two threads, and not by chance. */
static void test_adding(void **state)
{
    Nest *b = *state;
    Affine at = at3(0, 10, 1, 1);
    adding(b, 10, 3, LOOP_SERIAL, LOOP_VECTOR, at);
    sound(b);
    drop_kernels(b);
    adding(b, 10, 3, LOOP_VECTOR, LOOP_SERIAL, at); /* lanes one element apart, each three long */
    broken(b, "kernel `k`: writes a place of `y` twice");
    drop_kernels(b);
    adding(b, 10, 3, LOOP_SERIAL, LOOP_VECTOR, at3(1, 10, 1, 1)); /* it reads a neighbour */
    broken(b, "kernel `k`: writes a place of `y` twice");
    drop_kernels(b);
    LoopKernel *k = adding(b, 6, 3, LOOP_SERIAL, LOOP_VECTOR, at3(0, 6, 1, 1)); /* rows overlap: two threads meet */
    broken(b, "kernel `k`: writes a place of `y` twice");
    k->body->loop.body->loop.extent = FIXED(6); /* the zeros no longer do, but the sums still end in the next row */
    broken(b, "kernel `k`: writes a place of `y` twice");
    drop_kernels(b);
    k = adding(b, 10, 3, LOOP_SERIAL, LOOP_VECTOR, at);
    LoopStmt *store = k->body->loop.body->next->loop.body->loop.body;
    store->next = nest_store(b, 1, at, store->store.value); /* two sums at once */
    broken(b, "kernel `k`: two statements write element 0 of `y`");
}

/* Halves of a row written by two loops: different places of one buffer. */
static void test_halves(void **state)
{
    Nest *b = *state;
    LoopStmt *row = LIST(nest_for(b, FIXED(5), LOOP_VECTOR, nest_store(b, 1, at3(0, 10, 1, 0), number(b))),
                         nest_for(b, FIXED(5), LOOP_VECTOR, nest_store(b, 1, at3(5, 10, 1, 0), number(b))));
    nest_kernel(b, "k", nest_for(b, ROWS, LOOP_SERIAL, row));
    sound(b);
}

static void test_in_place(void **state)
{
    Nest *b = *state;
    rows(b, at3(0, 10, 1, 0), nest_load(b, 1, at3(0, 10, 1, 0)));
    sound(b);
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_load(b, 1, at3(9, 10, -1, 0)));
    broken(b, "kernel `k`: reads places of `y` that other iterations write");
    drop_kernels(b);
    LoopStmt *half = nest_for(b, FIXED(5), LOOP_VECTOR, nest_store(b, 1, at3(0, 10, 1, 0), nest_load(b, 1, at3(9, 10, -1, 0))));
    nest_kernel(b, "k", nest_for(b, ROWS, LOOP_SERIAL, half)); /* one half of each row from the other */
    sound(b);
    half->loop.extent = FIXED(6);
    broken(b, "kernel `k`: reads places of `y` that other iterations write");
}

static void test_overlap(void **state)
{
    Nest *b = *state;
    uint32_t part = nest_buf(b, "part", BUF_WORK, 40, 10), same = nest_buf(b, "same", BUF_WORK, 0, 10);
    LoopStmt *store = nest_store(b, part, at3(0, 1, 0, 0), nest_load(b, 3, at3(0, 1, 0, 0)));
    nest_kernel(b, "k", nest_for(b, FIXED(10), LOOP_VECTOR, store));
    broken(b, "kernel `k`: writes `part`, a part of `t`, which it reads");
    store->store.buf = same; /* another name for the same place: in place */
    sound(b);
}

/* ── accumulators and arguments ── */
static void test_scopes(void **state)
{
    Nest *b = *state;
    Sx m = nest_acc(b, 0), x = nest_load(b, 0, at3(0, 10, 0, 0));
    LoopStmt *fresh = nest_new(b, 0, FOLD_SUM);
    LoopStmt *loop = nest_for(b, FIXED(10), LOOP_VECTOR, nest_add(b, 0, FOLD_SUM, x));
    LoopStmt *store = nest_store(b, 3, at3(0, 1, 0, 0), m);
    LoopKernel *k = nest_kernel(b, "k", nest_for(b, ROWS, LOOP_SERIAL, LIST(fresh, loop, store)));
    sound(b);
    k->body->loop.body = LIST(fresh, store);
    sound(b);
    k->body->loop.body = store;
    broken(b, "kernel `k`: accumulator m0 is read outside its scope");
    k->body->loop.body = LIST(loop, store);
    broken(b, "kernel `k`: accumulator m0 is added to outside its scope");
    LoopStmt *twice = nest_new(b, 0, FOLD_SUM);
    k->body->loop.body = LIST(fresh, twice, store);
    broken(b, "kernel `k`: accumulator m0 is declared inside its own scope");
    twice->acc.acc = 7;
    broken(b, "kernel `k`: there is no accumulator m7");
    k->body->loop.body = LIST(fresh, loop, store);
    loop->loop.body->acc.fold = FOLD_MAX;
    broken(b, "kernel `k`: accumulator m0 is folded in two ways");
    loop->loop.body->acc.fold = FOLD_SUM;
    loop->loop.body->acc.value = m; /* lanes hold parts of it only */
    broken(b, "kernel `k`: accumulator m0 is read inside a loop that adds to it");
    /* declared in an inner list, read outside */
    loop->loop.body = LIST(fresh, nest_add(b, 0, FOLD_SUM, x));
    k->body->loop.body = LIST(loop, store);
    broken(b, "kernel `k`: accumulator m0 is read outside its scope");
}

static void test_arguments(void **state)
{
    Nest *b = *state;
    LoopKernel *k = rows(b, at3(0, 10, 1, 0), sx_arg(b->program.sx, 1));
    broken(b, "kernel `k`: an expression reads a1 of 0 arguments");
    LoopStmt *store = k->body->loop.body->loop.body;
    store->store.value = 0;
    broken(b, "kernel `k`: a statement has no value");
    k->n_arg = 65;
    broken(b, "kernel `k`: has 65 arguments; expressions have at most 64");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_arg(b, (LoopArg){.kind = LARG_UNIFORM}));
    broken(b, "kernel `k`: there is no uniform u0");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_arg(b, (LoopArg){.kind = LARG_TILE}));
    broken(b, "kernel `k`: the sum of a tile is read outside a tile");
    drop_kernels(b);
    rows(b, at3(0, 10, 1, 0), nest_arg(b, (LoopArg){.kind = (LoopArgKind)77}));
    broken(b, "kernel `k`: argument a0 is of no kind");
    b->program.kernels.at[0].body->kind = (LoopStmtKind)77;
    broken(b, "kernel `k`: a statement is of no kind");
}

/* ── tiles: y[n, 10] = x[n, 10] w[10, 10] in panels of 4 ── */
static LoopKernel *product(Nest *b)
{
    uint32_t w = nest_buf(b, "w3", BUF_PARAM, 0, 120), bias = nest_buf(b, "b", BUF_PARAM, 480, 10);
    return nest_product(b, 0, w, bias, 1, 10, 10, 4);
}

static void test_tile(void **state)
{
    Nest *b = *state;
    LoopKernel *k = product(b);
    LoopTile *t = &k->body->tile, good = *t;
    sound(b);
    t->a_row = 11;
    broken(b, "kernel `linear1_relu`: reads `x` from 0 to 42, but it has 40 elements at n = 4");
    *t = good;
    t->b_k = 5;
    broken(b, "kernel `linear1_relu`: reads `w3` from 0 to 128, but it has 120 elements at n = 4");
    *t = good;
    t->cols = 0;
    broken(b, "kernel `linear1_relu`: a tile has no columns, no width or no rows");
    *t = good;
    t->depth = (Extent){0, 0};
    broken(b, "kernel `linear1_relu`: a tile's depth never runs");
    *t = good;
    t->rows = (Extent){0, -1};
    k->split_extent = t->rows;
    broken(b, "kernel `linear1_relu`: a tile's rows runs an impossible number of times");
    *t = good;
    k->split_extent = ROWS;
    t->b = 77;
    broken(b, "kernel `linear1_relu`: there is no buffer 77");
    *t = good;
    t->body->store.at = at3(0, 4, 0, 1);
    broken(b, "kernel `linear1_relu`: writes a place of `y` twice");
}

static void test_tile_border(void **state)
{
    Nest *b = *state;
    LoopTile *t = &product(b)->body->tile;
    t->cut = 1;
    broken(b, "kernel `linear1_relu`: a tile is shared along an axis that it does not have");
    t->cut = 0;
    t->border = (TileBorder){.over_step = 1, .deep_step = 1, .begin = 1, .end = 2};
    broken(b, "kernel `linear1_relu`: a tile has a border along axes that it does not have");
    t->n_over = t->n_deep = t->cut = 1;
    t->over[0] = t->deep[0] = (TileAxis){FIXED(2), 0, 0};
    t->border.begin = 2;
    t->border.end = 3;
    broken(b, "kernel `linear1_relu`: a tile has places with nothing but border");
}

/* Without padding behind it, the last block must not be read in full width. */
static void test_tile_padding(void **state)
{
    Nest *b = *state;
    LoopTile *t = &product(b)->body->tile;
    b->program.bufs.at[t->b].bytes = 4 * 118;
    broken(b, "kernel `linear1_relu`: reads `w3` from 0 to 119, but it has 118 elements at n = 4");
    t->b_padded = false;
    sound(b);
}

static void test_tile_body(void **state)
{
    Nest *b = *state;
    LoopKernel *k = product(b);
    LoopTile *t = &k->body->tile;
    LoopStmt *store = t->body;
    t->body = nest_for(b, FIXED(1), LOOP_SERIAL, store);
    broken(b, "kernel `linear1_relu`: a tile's body does more than store");
    t->body = store;
    t->a = 1;
    broken(b, "kernel `linear1_relu`: a tile writes `y` while it reads it");
    Affine at = store->store.at;
    uint64_t bytes = b->program.bufs.at[1].bytes;
    b->program.bufs.at[1].bytes = 2 * bytes; /* a row has what is read, and behind it what is written */
    t->a_row = store->store.at.coef[1] = 20;
    store->store.at.base = 10;
    sound(b);
    store->store.at.base = 9;
    broken(b, "kernel `linear1_relu`: a tile writes `y` while it reads it");
    b->program.bufs.at[1].bytes = bytes;
    store->store.at = at;
    t->a_row = 10;
    t->a = 0;
    k->split = SPLIT_NONE;
    k->by_rows = false;
    LoopStmt *tile = k->body;
    k->body = nest_for(b, FIXED(1), LOOP_VECTOR, tile);
    broken(b, "kernel `linear1_relu`: a tile stands inside a vector loop");
    for (int d = 0; d < LOOP_MAX_DEPTH - 2; d++)
        tile = nest_for(b, FIXED(1), LOOP_SERIAL, tile);
    k->body = tile;
    broken(b, "kernel `linear1_relu`: loops are nested deeper than 10");
}

/* The result in panels: rows apart by the width, blocks by rows * width, lanes clamped to ten columns. */
static void test_tile_panels(void **state)
{
    Nest *b = *state;
    LoopTile *t = &product(b)->body->tile;
    uint32_t out = nest_buf(b, "panels", BUF_WORK, 0, 48);
    b->program.work_bytes = 192;
    t->body->store.buf = out;
    t->body->store.at = at3(0, 16, 4, 1);
    sound(b);
    t->body->store.at = at3(0, 12, 4, 1); /* three rows to a block: the next block overlaps */
    broken(b, "kernel `linear1_relu`: writes a place of `panels` twice");
}

static void test_split_tiles(void **state)
{
    Nest *b = *state;
    LoopKernel *k = product(b);
    k->split = SPLIT_TILES;
    broken(b, "kernel `linear1_relu`: goes by rows or in strips of them, but its extent does not");
    k->by_rows = false;
    sound(b);
    k->split_extent = FIXED(3);
    broken(b, "kernel `linear1_relu`: is split by tiles, but is not one tile of that many rows");
    k->split_extent = ROWS;
    k->body->next = nest_for(b, ROWS, LOOP_SERIAL, k->body->tile.body);
    broken(b, "kernel `linear1_relu`: is split by tiles, but is not one tile of that many rows");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_buffers),  TEST(test_uniforms),     TEST(test_kernels),    TEST(test_split),
        TEST(test_strip),
        TEST(test_split_shares), TEST(test_depth),    TEST(test_extents),    TEST(test_vectors),
        TEST(test_clamps),   TEST(test_ranges),       TEST(test_short_batch), TEST(test_depths_of_indices),
        TEST(test_writes),   TEST(test_two_writes),   TEST(test_halves),     TEST(test_in_place),
        TEST(test_adding),
        TEST(test_overlap),  TEST(test_scopes),       TEST(test_arguments),  TEST(test_tile),
        TEST(test_tile_padding), TEST(test_tile_border), TEST(test_tile_body), TEST(test_tile_panels), TEST(test_split_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
