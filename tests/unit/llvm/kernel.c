/* Row and column kernels, compiled for every vector width, against loop_run. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/memory.h"

/* ── softmax of odd widths: maximum, sum, quotient; rows cut between threads ── */
static void build_softmax(Nest *b, uint32_t batch, uint32_t cols)
{
    SxPool *sx = b->program.sx;
    uint32_t z = mem_array(b, "z", BUF_INPUT, 0, (uint64_t)batch * cols),
             p = mem_array(b, "p", BUF_OUTPUT, 0, (uint64_t)batch * cols);
    Affine at = at3(0, cols, 1, 0);
    Sx value = sx_mul(sx, nest_load(b, z, at), sx_num(sx, 30)), most = nest_acc(b, 0), sum = nest_acc(b, 1);
    Sx power = sx_un(sx, SX_EXP, sx_sub(sx, value, most));
    LoopStmt *row =
        LIST(nest_new(b, 0, FOLD_MAX), nest_for(b, FIXED(cols), LOOP_VECTOR, nest_add(b, 0, FOLD_MAX, value)),
             nest_new(b, 1, FOLD_SUM), nest_for(b, FIXED(cols), LOOP_VECTOR, nest_add(b, 1, FOLD_SUM, power)),
             nest_for(b, FIXED(cols), LOOP_VECTOR, nest_store(b, p, at, sx_div(sx, power, sum))));
    LoopKernel *k = nest_kernel(b, "softmax", nest_for(b, ROWS, LOOP_SERIAL, row));
    nest_split(k, ROWS, true);
    k->grain = 4;
}

static void softmax_10(Nest *b, const JitLevel *level, uint32_t batch)
{
    (void)level;
    build_softmax(b, batch, 10);
}
static void softmax_16(Nest *b, const JitLevel *level, uint32_t batch)
{
    (void)level;
    build_softmax(b, batch, 16);
}
static void softmax_103(Nest *b, const JitLevel *level, uint32_t batch)
{
    (void)level;
    build_softmax(b, batch, 103);
}

static void test_softmax(void **state)
{
    (void)state;
    mem_check(softmax_10, 2e-6);
    mem_check(softmax_16, 2e-6);
    mem_check(softmax_103, 2e-6);
}

/* ── sums over the batch: lanes are columns, and the columns are cut between threads ── */
static void build_columns(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { COLS = 45 };
    SxPool *sx = b->program.sx;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * COLS), s = mem_place(b, "s", BUF_WORK, COLS);
    uint32_t most = mem_place(b, "most", BUF_WORK, COLS);
    (void)level;
    Sx value = nest_load(b, x, at3(0, 1, COLS, 0));
    LoopStmt *adds = LIST(nest_add(b, 0, FOLD_SUM, sx_mul(sx, value, value)), nest_add(b, 1, FOLD_MAX, value));
    LoopStmt *column =
        LIST(nest_new(b, 0, FOLD_SUM), nest_new(b, 1, FOLD_MAX), nest_for(b, ROWS, LOOP_SERIAL, adds),
             nest_store(b, s, at3(0, 1, 0, 0), nest_acc(b, 0)), nest_store(b, most, at3(0, 1, 0, 0), nest_acc(b, 1)));
    nest_split(nest_kernel(b, "columns", nest_for(b, FIXED(COLS), LOOP_VECTOR, column)), FIXED(COLS), false);
}

static void test_columns(void **state)
{
    (void)state;
    mem_check(build_columns, 2e-6);
}

/* ── a bias and its momentum behind the sum of a column: the bias reads the momentum as it was ── */
static void build_bias(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { COLS = 37 };
    SxPool *sx = b->program.sx;
    uint32_t g = mem_array(b, "g", BUF_INPUT, 0, (uint64_t)batch * COLS);
    uint32_t w = mem_place(b, "w", BUF_PARAM, COLS), m = mem_place(b, "m", BUF_STATE, COLS);
    (void)level;
    Affine at = at3(0, 1, 0, 0);
    Sx next = sx_add(sx, sx_mul(sx, sx_num(sx, 0.9), nest_load(b, m, at)), nest_acc(b, 0));
    Sx update = sx_sub(sx, nest_load(b, w, at), sx_mul(sx, sx_num(sx, 0.5), next));
    LoopStmt *column =
        LIST(nest_new(b, 0, FOLD_SUM),
             nest_for(b, ROWS, LOOP_SERIAL, nest_add(b, 0, FOLD_SUM, nest_load(b, g, at3(0, 1, COLS, 0)))),
             nest_store(b, m, at, next), nest_store(b, w, at, update));
    nest_split(nest_kernel(b, "bias", nest_for(b, FIXED(COLS), LOOP_VECTOR, column)), FIXED(COLS), false);
}

static void test_bias(void **state)
{
    (void)state;
    mem_check(build_bias, 2e-6);
}

/* ── a loss: classes as integers, an index compared with them, a sum over rows by one thread, a uniform ── */
static void build_loss(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { COLS = 10 };
    SxPool *sx = b->program.sx;
    uint32_t z = mem_array(b, "z", BUF_INPUT, 0, (uint64_t)batch * COLS),
             label = mem_array(b, "label", BUF_TARGET, 0, batch);
    b->program.bufs.at[label].dtype = DT_I32;
    uint32_t term = mem_place(b, "term", BUF_WORK, batch),
             grad = mem_array(b, "grad", BUF_OUTPUT, 0, (uint64_t)batch * COLS);
    uint32_t loss = mem_array(b, "loss", BUF_LOSS, 1, 1);
    (void)level;
    *vec_push(b->arena, &b->program.uniforms) = sx_div(sx, sx_arg(sx, 1), sx_num(sx, 3)); /* lr_scale / 3 */

    Sx hot = sx_make(sx, SX_EQ, nest_load(b, label, at3(0, 1, 0, 0)),
                     nest_arg(b, (LoopArg){.kind = LARG_INDEX, .at = at3(0, 0, 1, 0)}), 0);
    Sx value = nest_load(b, z, at3(0, COLS, 1, 0)), sum = nest_acc(b, 0), picked = nest_acc(b, 1);
    Sx scale = nest_arg(b, (LoopArg){.kind = LARG_UNIFORM, .index = 0});
    LoopStmt *adds = LIST(nest_add(b, 0, FOLD_SUM, sx_un(sx, SX_EXP, value)),
                          nest_add(b, 1, FOLD_SUM, sx_select(sx, hot, value, sx_num(sx, 0))));
    Sx slope = sx_mul(sx, sx_sub(sx, sx_div(sx, sx_un(sx, SX_EXP, value), sum), hot), scale);
    LoopStmt *row =
        LIST(nest_new(b, 0, FOLD_SUM), nest_new(b, 1, FOLD_SUM), nest_for(b, FIXED(COLS), LOOP_VECTOR, adds),
             nest_store(b, term, at3(0, 1, 0, 0), sx_sub(sx, sx_un(sx, SX_LOG, sum), picked)),
             nest_for(b, FIXED(COLS), LOOP_VECTOR, nest_store(b, grad, at3(0, COLS, 1, 0), slope)));
    nest_split(nest_kernel(b, "rows", nest_for(b, ROWS, LOOP_SERIAL, row)), ROWS, true);

    Sx one = nest_load(b, term, at3(0, 1, 0, 0)), total = nest_acc(b, 0);
    LoopStmt *all = LIST(nest_new(b, 0, FOLD_SUM), nest_for(b, ROWS, LOOP_VECTOR, nest_add(b, 0, FOLD_SUM, one)),
                         nest_store(b, loss, at3(0, 0, 0, 0), total));
    nest_kernel(b, "total", all)->barrier = true;
}

static void test_loss(void **state)
{
    (void)state;
    mem_check(build_loss, 2e-5);
}

/* ── lanes that are apart, panels whose last lanes are missing, a vector loop cut anywhere, in place ── */
static void build_moves(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { R = 37, C = 45, W = 16, PANELS = 3 };
    SxPool *sx = b->program.sx;
    uint32_t w = mem_place(b, "w", BUF_PARAM, R * C), t = mem_place(b, "t", BUF_WORK, R * C),
             q = mem_place(b, "q", BUF_WORK, R * C);
    uint32_t panels = mem_place(b, "panels", BUF_WORK, PANELS * R * W), s = mem_place(b, "s", BUF_STATE, R * C);
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * 3),
             x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * 3);
    (void)level;
    LoopStmt *inner =
        nest_for(b, FIXED(C), LOOP_VECTOR, nest_store(b, t, at3(0, 1, R, 0), nest_load(b, w, at3(0, C, 1, 0))));
    nest_split(nest_kernel(b, "scatter", nest_for(b, FIXED(R), LOOP_SERIAL, inner)), FIXED(R), false);

    inner = nest_for(b, FIXED(R), LOOP_VECTOR, nest_store(b, q, at3(0, R, 1, 0), nest_load(b, w, at3(0, 1, C, 0))));
    nest_split(nest_kernel(b, "gather", nest_for(b, FIXED(C), LOOP_SERIAL, inner)), FIXED(C), false);

    LoopStmt *lanes = nest_for(b, FIXED(W), LOOP_VECTOR,
                               nest_store(b, panels, at3(0, R * W, W, 1), nest_load(b, w, at3(0, W, C, 1))));
    lanes->loop.clamp = C;
    lanes->loop.clamp_depth = 0;
    LoopStmt *rows = nest_for(b, FIXED(R), LOOP_SERIAL, lanes);
    nest_kernel(b, "panels", nest_for(b, FIXED(PANELS), LOOP_SERIAL, rows));

    Sx old = nest_load(b, s, at3(0, 1, 0, 0)),
       grown = sx_add(sx, sx_mul(sx, old, sx_num(sx, 0.9)), nest_load(b, w, at3(0, 1, 0, 0)));
    LoopStmt *update =
        LIST(nest_store(b, s, at3(0, 1, 0, 0), grown), nest_store(b, w, at3(0, 1, 0, 0), sx_sub(sx, grown, old)));
    LoopKernel *k = nest_kernel(b, "update", nest_for(b, FIXED(R * C), LOOP_VECTOR, update));
    nest_split(k, FIXED(R * C), false);
    k->grain = 5;
    k->barrier = true;

    Sx third = nest_load(b, x, at3(2, 3, 0, 0)),
       index = nest_arg(b, (LoopArg){.kind = LARG_INDEX, .at = at3(1, 2, 0, 0)});
    LoopStmt *by_row = nest_store(b, y, at3(1, 3, 0, 0), sx_bin(sx, SX_MAX, third, sx_un(sx, SX_NEG, index)));
    k = nest_kernel(b, "strided", nest_for(b, ROWS, LOOP_VECTOR, by_row));
    nest_split(k, ROWS, true);
    k->grain = 8;
}

static void test_moves(void **state)
{
    (void)state;
    mem_check(build_moves, 1e-6);
}

/* ── the second copy of a weight: panels to panels with the axes exchanged, whole panels and a last one that is not ──
 */
static void build_exchange(Nest *b, uint32_t rows, uint32_t cols, uint32_t from_width, uint32_t to_width)
{
    /* from [rows][cols] in panels of from_width; to [cols][rows] in panels of to_width; cols is a multiple of
     * from_width */
    uint32_t from_panels = cols / from_width, to_panels = (rows + to_width - 1) / to_width;
    uint32_t w = mem_place(b, "w", BUF_PARAM, (uint64_t)from_panels * rows * from_width);
    uint32_t t = mem_place(b, "t", BUF_WORK, (uint64_t)to_panels * cols * to_width);
    Affine to = {0, {cols * to_width, from_width * to_width, to_width, 1}};
    Affine from = {0, {(int64_t)to_width * from_width, rows * from_width, 1, from_width}};
    LoopStmt *lanes = nest_for(b, FIXED(to_width), LOOP_VECTOR, nest_store(b, t, to, nest_load(b, w, from)));
    lanes->loop.clamp = rows % to_width ? rows : 0;
    LoopStmt *panel = nest_for(b, FIXED(from_panels), LOOP_SERIAL, nest_for(b, FIXED(from_width), LOOP_SERIAL, lanes));
    nest_split(nest_kernel(b, "exchange", nest_for(b, FIXED(to_panels), LOOP_SERIAL, panel)), FIXED(to_panels), false);
}

static void exchange_even(Nest *b, const JitLevel *l, uint32_t n)
{
    (void)l, (void)n;
    build_exchange(b, 64, 64, 32, 32);
}
static void exchange_odd(Nest *b, const JitLevel *l, uint32_t n)
{
    (void)l, (void)n;
    build_exchange(b, 75, 40, 20, 37);
}
static void exchange_thin(Nest *b, const JitLevel *l, uint32_t n)
{
    (void)l, (void)n;
    build_exchange(b, 33, 3, 3, 5);
}

static void test_exchange(void **state)
{
    (void)state;
    mem_check(exchange_even, 0);
    mem_check(exchange_odd, 0);
    mem_check(exchange_thin, 0);
}

/* ── every primitive, vector and scalar ── */
static void build_primitives(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { COLS = 21 };
    SxPool *sx = b->program.sx;
    (void)level;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, (uint64_t)batch * COLS), r = mem_array(b, "r", BUF_INPUT, 1, batch);
    static const SxOp one[] = {SX_NEG,  SX_ABS,     SX_EXP, SX_LOG, SX_LOG1P, SX_EXPM1, SX_SQRT,
                               SX_TANH, SX_SIGMOID, SX_ERF, SX_SIN, SX_COS,   SX_FLOOR};
    static const SxOp two[] = {SX_ADD, SX_SUB, SX_MUL, SX_DIV, SX_MIN, SX_MAX, SX_POW, SX_LT, SX_LE, SX_EQ};
    Affine at = at3(0, COLS, 1, 0);
    Sx sum = sx_num(sx, 0), a = nest_load(b, x, at), s = nest_load(b, r, at3(0, 1, 0, 0)), shape[2] = {a, s};
    for (unsigned i = 0; i < sizeof one / sizeof *one; i++)
        for (unsigned v = 0; v < 2; v++) {
            bool positive = one[i] == SX_LOG || one[i] == SX_LOG1P || one[i] == SX_SQRT;
            Sx in = sx_mul(sx, shape[v], sx_num(sx, 3));
            sum =
                sx_add(sx, sum, sx_un(sx, one[i], positive ? sx_add(sx, sx_un(sx, SX_ABS, in), sx_num(sx, 0.1)) : in));
        }
    for (unsigned i = 0; i < sizeof two / sizeof *two; i++)
        for (unsigned v = 0; v < 4; v++) {
            Sx left = sx_add(sx, sx_un(sx, SX_ABS, shape[v & 1]), sx_num(sx, 0.5));
            Sx right = sx_add(sx, sx_un(sx, SX_ABS, shape[v >> 1]), sx_num(sx, 0.5));
            sum = sx_add(sx, sum, sx_bin(sx, two[i], left, right));
        }
    for (int e = -3; e <= 5; e++)
        sum = sx_add(sx, sum, sx_powi(sx, sx_add(sx, sx_un(sx, SX_ABS, a), sx_num(sx, 0.75)), e));
    sum = sx_add(sx, sum, sx_select(sx, sx_bin(sx, SX_LT, a, s), sx_num(sx, 2), a));
    sum = sx_add(sx, sum, sx_select(sx, sx_bin(sx, SX_LT, s, sx_num(sx, 0.1)), a, s));
    uint32_t y = mem_array(b, "y", BUF_OUTPUT, 0, (uint64_t)batch * COLS);
    LoopStmt *row = nest_for(b, FIXED(COLS), LOOP_VECTOR, nest_store(b, y, at, sum));
    nest_split(nest_kernel(b, "all", nest_for(b, ROWS, LOOP_SERIAL, row)), ROWS, true);
}

static void test_primitives(void **state)
{
    (void)state;
    mem_check(build_primitives, 3e-5);
}

/* z = 2 x, y = z + x for a few rows at a time, behind a barrier and before one; then v = y z for all at once. */
static void build_strips(Nest *b, const JitLevel *level, uint32_t batch)
{
    enum { COLS = 21 };
    (void)level;
    SxPool *sx = b->program.sx;
    uint64_t size = (uint64_t)batch * COLS;
    uint32_t x = mem_array(b, "x", BUF_INPUT, 0, size), y = mem_place(b, "y", BUF_WORK, size), z = mem_place(b, "z", BUF_WORK, size);
    uint32_t v = mem_array(b, "v", BUF_OUTPUT, 0, size), u = mem_place(b, "u", BUF_WORK, size);
    Affine at = at3(0, COLS, 1, 0);
    Sx value[] = {nest_load(b, x, at), 0, 0, 0};
    uint32_t to[] = {u, z, y, v};
    for (unsigned i = 0; i < 4; i++) {
        value[1] = sx_mul(sx, nest_load(b, u, at), sx_num(sx, 2));
        value[2] = i < 2 ? 0 : sx_add(sx, nest_load(b, z, at), nest_load(b, u, at));
        value[3] = i < 3 ? 0 : sx_mul(sx, nest_load(b, z, at), nest_load(b, y, at));
        LoopStmt *columns = nest_for(b, FIXED(COLS), LOOP_VECTOR, nest_store(b, to[i], at, value[i]));
        LoopKernel *k = nest_kernel(b, i == 0 ? "u" : i == 1 ? "z" : i == 2 ? "y" : "v", nest_for(b, ROWS, LOOP_SERIAL, columns));
        nest_split(k, ROWS, true);
        k->barrier = i == 1 || i == 3;
        k->strip = i == 1 || i == 2 ? 3 : 0;
        k->strip_back = i == 2;
    }
}

static void test_strips(void **state)
{
    (void)state;
    mem_check(build_strips, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),    cmocka_unit_test(test_columns), cmocka_unit_test(test_bias),
        cmocka_unit_test(test_loss),       cmocka_unit_test(test_moves),   cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_primitives),
        cmocka_unit_test(test_strips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
