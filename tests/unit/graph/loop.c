/* Small loop programs written by hand: what they compute, and how they print. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/eval.h"
#include "graph/nest.h"

#include <math.h>
#include <string.h>

enum { BATCH = 4 };

static int setup(void **state)
{
    Arena *arena = arena_new();
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
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

/* Numbers that look random and are the same everywhere. */
static float some(int i)
{
    return (float)sin(1.7 * i + 0.3);
}

static void test_product(void **state)
{
    Nest *b = *state;
    enum { DEPTH = 5, COLS = 11, WIDTH = 4, PANELS = 3 };
    uint32_t x = nest_buf(b, "x", BUF_INPUT, 0, BATCH * DEPTH);
    uint32_t w = nest_buf(b, "w", BUF_PARAM, 0, PANELS * DEPTH * WIDTH);
    uint32_t bias = nest_buf(b, "bias", BUF_PARAM, 4 * PANELS * DEPTH * WIDTH, COLS);
    uint32_t h = nest_buf(b, "h", BUF_WORK, 0, BATCH * COLS);
    b->program.work_bytes = 4 * BATCH * COLS;
    nest_product(b, x, w, bias, h, DEPTH, COLS, WIDTH);
    sound(b);

    float input[BATCH * DEPTH], param[PANELS * DEPTH * WIDTH + COLS] = {0}, dense[DEPTH][COLS], out[BATCH * COLS];
    for (int i = 0; i < BATCH * DEPTH; i++)
        input[i] = some(i);
    for (int k = 0; k < DEPTH; k++)
        for (int c = 0; c < COLS; c++)
            dense[k][c] = param[(c / WIDTH * DEPTH + k) * WIDTH + c % WIDTH] = some(100 + k * COLS + c);
    for (int c = 0; c < COLS; c++)
        param[PANELS * DEPTH * WIDTH + c] = some(500 + c);
    for (int rows = 1; rows <= BATCH; rows += 3) {
        for (int i = 0; i < BATCH * COLS; i++)
            out[i] = -7;
        LoopMemory memory = {.param = (unsigned char *)param, .work = (unsigned char *)out,
                             .input = (const void *[]){input}, .n = (size_t)rows};
        loop_run(&b->program, &memory, b->arena);
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < COLS; c++) {
                double sum = (double)param[PANELS * DEPTH * WIDTH + c];
                for (int k = 0; k < DEPTH; k++)
                    sum += (double)input[r * DEPTH + k] * (double)dense[k][c];
                assert_float_equal(out[r * COLS + c], (float)fmax(sum, 0), 1e-6);
            }
        for (int i = rows * COLS; i < BATCH * COLS; i++)
            assert_true(out[i] == -7); /* rows beyond n are left alone */
    }
}

static void test_softmax(void **state)
{
    Nest *b = *state;
    uint32_t z = nest_buf(b, "z", BUF_WORK, 0, BATCH * 10), p = nest_buf(b, "p", BUF_OUTPUT, 0, BATCH * 10);
    b->program.work_bytes = 4 * BATCH * 10;
    nest_softmax(b, z, p);
    sound(b);
    float work[BATCH * 10], out[BATCH * 10];
    for (int i = 0; i < BATCH * 10; i++)
        work[i] = 30 * some(i) + (i < 10 ? 1000 : 0); /* overflows without the maximum */
    LoopMemory memory = {.work = (unsigned char *)work, .output = (void *[]){out}, .n = BATCH};
    loop_run(&b->program, &memory, b->arena);
    for (int r = 0; r < BATCH; r++) {
        double sum = 0, most = -INFINITY;
        for (int j = 0; j < 10; j++)
            most = fmax(most, (double)work[r * 10 + j]);
        for (int j = 0; j < 10; j++)
            sum += exp((double)work[r * 10 + j] - most);
        for (int j = 0; j < 10; j++)
            assert_float_equal(out[r * 10 + j], (float)(exp((double)work[r * 10 + j] - most) / sum), 1e-6);
    }
}

static void test_max_keeps_nan(void **state)
{
    Nest *b = *state;
    uint32_t x = nest_buf(b, "x", BUF_INPUT, 0, BATCH * 3), y = nest_buf(b, "y", BUF_OUTPUT, 0, BATCH);
    Sx value = nest_load(b, x, at3(0, 3, 1, 0)), m = nest_acc(b, 0);
    LoopStmt *row = LIST(nest_new(b, 0, FOLD_MAX), nest_for(b, FIXED(3), LOOP_VECTOR, nest_add(b, 0, FOLD_MAX, value)),
                         nest_store(b, y, at3(0, 1, 0, 0), m));
    nest_kernel(b, "max", nest_for(b, ROWS, LOOP_SERIAL, row));
    sound(b);
    float in[BATCH * 3] = {NAN, 1, 2, 1, NAN, 2, 1, 2, NAN, -3, -1, -2}, out[BATCH];
    LoopMemory memory = {.input = (const void *[]){in}, .output = (void *[]){out}, .n = BATCH};
    loop_run(&b->program, &memory, b->arena);
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
    assert_true(out[3] == -1);
}

/* Lanes are columns: an accumulator inside the vector loop, the rows a serial loop in it. */
static void test_column_sum(void **state)
{
    Nest *b = *state;
    enum { COLS = 6 };
    uint32_t g = nest_buf(b, "g", BUF_WORK, 0, BATCH * COLS);
    uint32_t out = nest_buf(b, "bias.g", BUF_WORK, 4 * BATCH * COLS, COLS);
    b->program.work_bytes = 4 * (BATCH + 1) * COLS;
    Sx value = nest_load(b, g, at3(0, 1, COLS, 0)), sum = nest_acc(b, 0);
    LoopStmt *column = LIST(nest_new(b, 0, FOLD_SUM), nest_for(b, ROWS, LOOP_SERIAL, nest_add(b, 0, FOLD_SUM, value)),
                            nest_store(b, out, at3(0, 1, 0, 0), sum));
    nest_split(nest_kernel(b, "columns", nest_for(b, FIXED(COLS), LOOP_VECTOR, column)), FIXED(COLS), false);
    sound(b);
    float work[(BATCH + 1) * COLS];
    for (int i = 0; i < BATCH * COLS; i++)
        work[i] = some(i);
    LoopMemory memory = {.work = (unsigned char *)work, .n = 3};
    loop_run(&b->program, &memory, b->arena);
    for (int c = 0; c < COLS; c++)
        assert_float_equal(work[BATCH * COLS + c], work[c] + work[COLS + c] + work[2 * COLS + c], 1e-6);
}

/* y = x / 0.75 where a number of stream 9 is at least 0.25: what the graph's dropout means, element by element. */
static void test_dropout(void **state)
{
    Nest *b = *state;
    SxPool *sx = b->program.sx;
    enum { COLS = 50 };
    uint32_t x = nest_buf(b, "x", BUF_INPUT, 0, BATCH * COLS), y = nest_buf(b, "y", BUF_OUTPUT, 0, BATCH * COLS);
    Affine at = at3(0, COLS, 1, 0);
    Sx u = nest_arg(b, (LoopArg){.kind = LARG_RANDOM, .index = 9, .at = at3(0, 1, 0, 0), .at2 = at3(0, 0, 1, 0)});
    Sx kept = sx_div(sx, nest_load(b, x, at), sx_num(sx, 0.75));
    Sx value = sx_select(sx, sx_bin(sx, SX_LT, u, sx_num(sx, 0.25)), sx_num(sx, 0), kept);
    LoopStmt *columns = nest_for(b, FIXED(COLS), LOOP_VECTOR, nest_store(b, y, at, value));
    nest_kernel(b, "dropout", nest_for(b, ROWS, LOOP_SERIAL, columns));
    sound(b);
    float in[BATCH * COLS], out[BATCH * COLS];
    for (int i = 0; i < BATCH * COLS; i++)
        in[i] = some(i);
    LoopMemory memory = {.input = (const void *[]){in}, .output = (void *[]){out}, .n = BATCH, .step = 17, .seed = 5};
    loop_run(&b->program, &memory, b->arena);
    int dropped = 0;
    for (int i = 0; i < BATCH * COLS; i++) {
        bool drop = eval_random(5, 17, 9, (uint64_t)i / COLS, (uint64_t)i % COLS) < 0.25;
        assert_float_equal(out[i], drop ? 0 : (float)((double)in[i] / 0.75), 1e-6);
        dropped += drop;
    }
    assert_in_range(dropped, 25, 80);
}

/* Panels of 4 over 10 columns: the last has 2 lanes, and what lies behind them is not touched. */
static void test_clamp(void **state)
{
    Nest *b = *state;
    uint32_t x = nest_buf(b, "x", BUF_PARAM, 0, 12), y = nest_buf(b, "y", BUF_WORK, 0, 10);
    b->program.work_bytes = 40;
    Affine at = at3(0, 4, 1, 0);
    LoopStmt *lanes = nest_for(b, FIXED(4), LOOP_VECTOR, nest_store(b, y, at, nest_load(b, x, at)));
    lanes->loop.clamp = 10;
    lanes->loop.clamp_depth = 0;
    nest_kernel(b, "panels", nest_for(b, FIXED(3), LOOP_SERIAL, lanes));
    sound(b);
    float in[12], out[12];
    for (int i = 0; i < 12; i++) {
        in[i] = (float)i;
        out[i] = -1;
    }
    LoopMemory memory = {.param = (unsigned char *)in, .work = (unsigned char *)out, .n = 1};
    loop_run(&b->program, &memory, b->arena);
    for (int i = 0; i < 12; i++)
        assert_true(out[i] == (i < 10 ? (float)i : -1));
}

/* m = 0.9 m + g; w = w - lr m, where the new w reads the old m: stores of an iteration wait for its loads. */
static void test_in_place(void **state)
{
    Nest *b = *state;
    SxPool *sx = b->program.sx;
    uint32_t w = nest_buf(b, "w", BUF_PARAM, 0, 6), m = nest_buf(b, "w.m", BUF_STATE, 0, 6);
    uint32_t g = nest_buf(b, "g", BUF_WORK, 0, 6);
    b->program.work_bytes = 24;
    *vec_push(b->arena, &b->program.uniforms) = sx_mul(sx, sx_num(sx, 0.5), sx_arg(sx, 1)); /* lr * lr_scale */
    Affine at = at3(0, 1, 0, 0);
    Sx lr = nest_arg(b, (LoopArg){.kind = LARG_UNIFORM}), old = nest_load(b, m, at);
    Sx next = sx_add(sx, sx_mul(sx, sx_num(sx, 0.9), old), nest_load(b, g, at));
    Sx update = sx_sub(sx, nest_load(b, w, at), sx_mul(sx, lr, next));
    LoopStmt *element = LIST(nest_store(b, m, at, next), nest_store(b, w, at, update));
    nest_kernel(b, "sgd", nest_for(b, FIXED(6), LOOP_VECTOR, element));
    sound(b);
    float weight[6], state_m[6], grad[6], w0[6], m0[6];
    for (int i = 0; i < 6; i++) {
        w0[i] = weight[i] = some(i);
        m0[i] = state_m[i] = some(10 + i);
        grad[i] = some(20 + i);
    }
    LoopMemory memory = {.param = (unsigned char *)weight, .state = (unsigned char *)state_m,
                         .work = (unsigned char *)grad, .n = 1, .step = 3, .lr_scale = 0.1};
    loop_run(&b->program, &memory, b->arena);
    for (int i = 0; i < 6; i++) {
        double moment = 0.9 * (double)m0[i] + (double)grad[i];
        assert_float_equal(state_m[i], (float)moment, 1e-6);
        assert_float_equal(weight[i], (float)((double)w0[i] - 0.05 * moment), 1e-6);
    }
}

/* The same behind a sum, as for a bias: g is the sum of a column. */
static void test_in_place_behind_a_sum(void **state)
{
    Nest *b = *state;
    SxPool *sx = b->program.sx;
    uint32_t w = nest_buf(b, "w", BUF_PARAM, 0, 3), m = nest_buf(b, "w.m", BUF_STATE, 0, 3), g = nest_buf(b, "g", BUF_WORK, 0, 6);
    b->program.work_bytes = 24;
    Affine at = at3(0, 1, 0, 0);
    Sx next = sx_add(sx, nest_load(b, m, at), nest_acc(b, 0)), update = sx_add(sx, nest_load(b, w, at), next);
    LoopStmt *terms = nest_for(b, FIXED(2), LOOP_SERIAL, nest_add(b, 0, FOLD_SUM, nest_load(b, g, at3(0, 1, 3, 0))));
    LoopStmt *column = LIST(nest_new(b, 0, FOLD_SUM), terms, nest_store(b, m, at, next), nest_store(b, w, at, update));
    nest_kernel(b, "bias", nest_for(b, FIXED(3), LOOP_VECTOR, column));
    sound(b);
    float weight[3] = {1, 2, 3}, state_m[3] = {10, 20, 30}, grad[6] = {100, 200, 300, 400, 500, 600};
    LoopMemory memory = {.param = (unsigned char *)weight, .state = (unsigned char *)state_m, .work = (unsigned char *)grad, .n = 1};
    loop_run(&b->program, &memory, b->arena);
    for (int i = 0; i < 3; i++) {
        float moment = (float)(10 * (i + 1) + 500 + 200 * i);
        assert_float_equal(state_m[i], moment, 0);
        assert_float_equal(weight[i], (float)(i + 1) + moment, 0);
    }
}

/* Integers become numbers, indices too; a loss is a plain store; kernels see what earlier ones stored. */
static void test_labels(void **state)
{
    Nest *b = *state;
    SxPool *sx = b->program.sx;
    uint32_t label = nest_buf(b, "label", BUF_TARGET, 0, BATCH), hits = nest_buf(b, "hits", BUF_WORK, 0, BATCH * 3);
    uint32_t loss = nest_buf(b, "loss", BUF_LOSS, 0, 1);
    b->program.bufs.at[label].dtype = DT_I32;
    b->program.bufs.at[loss].index = 1;
    b->program.work_bytes = 4 * BATCH * 3;
    Sx column = nest_arg(b, (LoopArg){.kind = LARG_INDEX, .at = at3(0, 0, 1, 0)});
    Sx same = sx_bin(sx, SX_EQ, nest_load(b, label, at3(0, 1, 0, 0)), column);
    nest_kernel(b, "one_hot", nest_for(b, ROWS, LOOP_SERIAL,
                nest_for(b, FIXED(3), LOOP_VECTOR, nest_store(b, hits, at3(0, 3, 1, 0), same))));
    Sx hit = nest_load(b, hits, at3(2, 3, 0, 0)), sum = nest_acc(b, 0);
    LoopStmt *count = nest_for(b, ROWS, LOOP_VECTOR, nest_add(b, 0, FOLD_SUM, hit));
    LoopStmt *total = nest_store(b, loss, at3(0, 0, 0, 0), sum);
    nest_kernel(b, "count", LIST(nest_new(b, 0, FOLD_SUM), count, total));
    sound(b);
    int32_t labels[BATCH] = {2, 0, 2, 1};
    float work[BATCH * 3], losses[2] = {-1, -1};
    LoopMemory memory = {.target = (const void *[]){labels}, .work = (unsigned char *)work, .loss = losses, .n = BATCH};
    loop_run(&b->program, &memory, b->arena);
    for (int i = 0; i < BATCH * 3; i++)
        assert_true(work[i] == (labels[i / 3] == i % 3 ? 1.0f : 0.0f));
    assert_true(losses[1] == 2 && losses[0] == -1);
}

static void test_print(void **state)
{
    Nest *b = *state;
    uint32_t x = nest_buf(b, "x", BUF_INPUT, 0, BATCH * 5), w = nest_buf(b, "w", BUF_PARAM, 0, 60);
    uint32_t bias = nest_buf(b, "bias", BUF_PARAM, 240, 12), h = nest_buf(b, "h", BUF_WORK, 0, BATCH * 10);
    uint32_t p = nest_buf(b, "h", BUF_OUTPUT, 0, BATCH * 10);
    b->program.work_bytes = 4 * BATCH * 10;
    nest_product(b, x, w, bias, h, 5, 10, 4);
    nest_softmax(b, h, p)->barrier = true;
    sound(b);
    Text text = {.arena = b->arena};
    loop_print(&b->program, &text);
    assert_string_equal(text_str(&text).p,
        "program test work 160\n"
        "buffer x input 0 f32 bytes 80 align 4\n"
        "buffer w param at 0 f32 bytes 240 align 4\n"
        "buffer bias param at 240 f32 bytes 48 align 4\n"
        "buffer h@3 work at 0 f32 bytes 160 align 4\n"
        "buffer h@4 output 0 f32 bytes 160 align 4\n"
        "kernel linear1_relu split n grain 1 by rows\n"
        "  tile rows n depth 5 cols 10 width 4 by 6 rows\n"
        "    i0 block, i1 row, i2 column, i3 term: tile <- x[5*i1 + i3] * w[20*i0 + i2 + 4*i3] padded\n"
        "    h@3[4*i0 + 10*i1 + i2] = max(tile + bias[4*i0 + i2], 0)\n"
        "kernel softmax split n grain 1 by rows barrier\n"
        "  for i0 < n\n"
        "    acc m0 = max\n"
        "    for i1 < 10 vector\n"
        "      m0 <- max h@3[10*i0 + i1]\n"
        "    acc m1 = sum\n"
        "    for i1 < 10 vector\n"
        "      m1 <- + exp(h@3[10*i0 + i1] - m0)\n"
        "    for i1 < 10 vector\n"
        "      h@4[10*i0 + i1] = exp(h@3[10*i0 + i1] - m0) / m1\n");
}

/* A formula that shares so much that it would not fit on a page is printed with its shared parts. */
static void test_print_large(void **state)
{
    Nest *b = *state;
    uint32_t x = nest_buf(b, "x", BUF_INPUT, 0, BATCH), y = nest_buf(b, "y", BUF_OUTPUT, 0, BATCH);
    Sx value = nest_load(b, x, at3(0, 1, 0, 0));
    for (int i = 0; i < 40; i++) /* a tree of 2^40 operations */
        value = sx_add(b->program.sx, sx_un(b->program.sx, SX_EXP, value), value);
    nest_kernel(b, "large", nest_for(b, ROWS, LOOP_VECTOR, nest_store(b, y, at3(0, 1, 0, 0), value)));
    sound(b);
    Text text = {.arena = b->arena};
    loop_print(&b->program, &text);
    assert_in_range(text.n, 200, 4000);
    assert_non_null(strstr(text_str(&text).p, " with a0 = x[i0]\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_product), TEST(test_softmax),  TEST(test_max_keeps_nan), TEST(test_column_sum),
        TEST(test_dropout), TEST(test_clamp),    TEST(test_in_place),      TEST(test_labels),
        TEST(test_print),   TEST(test_print_large), TEST(test_in_place_behind_a_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
