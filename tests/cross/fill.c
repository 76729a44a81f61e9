/* Random numbers and initial values: the interpreter's against the runtime's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "act/abi.h"
#include "core/layout.h"
#include "core/random.h"
#include "graph/eval.h"

#include <math.h>
#include <stdlib.h>

_Static_assert((int)FILL_CONSTANT == ACT_FILL_CONSTANT && (int)FILL_NORMAL == ACT_FILL_NORMAL &&
                   (int)FILL_UNIFORM == ACT_FILL_UNIFORM && (int)FILL_TRUNCATED_NORMAL == ACT_FILL_TRUNCATED_NORMAL &&
                   (int)FILL_ORTHOGONAL == ACT_FILL_ORTHOGONAL,
               "the numbers of a fill go into files as they are");
_Static_assert((int)LAYOUT_ROWS == ACT_ROWS && (int)LAYOUT_PANELS == ACT_PANELS && TYPE_MAX_RANK == ACT_MAX_RANK,
               "a tensor's layout is described in the same words");

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

static void test_random(void **state)
{
    (void)state;
    uint64_t s = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t seed = next(&s) * 2048 + next(&s) % 2048, step = next(&s) % (UINT64_C(1) << 48);
        uint32_t stream = (uint32_t)(next(&s) % 65536), sample = (uint32_t)next(&s);
        uint64_t element = next(&s) % (UINT64_C(1) << 34);
        float unit = act_random_unit(act_random_word(seed, stream, step, sample, element));
        assert_true(eval_random(seed, step, stream, sample, element) == (double)unit);
    }
}

/* The inside value (r, c) of a matrix is where the layout says. */
static float placed(const ActTensor *t, const float *block, uint32_t r, uint32_t c)
{
    if (t->layout == ACT_ROWS)
        return block[r * t->dim[1] + c];
    return block[(c / t->panel * t->dim[0] + r) * t->panel + c % t->panel];
}

/* The same fill of a linear layer's weight [rows][cols] behind an image, in rows and in panels. `exact`: bit for bit.
 * Gram and Schmidt here, Householder there: orthogonal matrices agree up to rounding only. */
static void compare(FillKind kind, double a, double b, uint32_t rows, uint32_t cols, bool flat, uint32_t panel,
                    bool exact)
{
    Tensor tensor = {.type = type_make(DT_F32, false, 2, (uint32_t[]){rows, cols}), .fill = {kind, a, b}};
    ActTensor there = {.type = ACT_F32, .rank = 2, .dim = {rows, cols}, .file_axis = {1, 0}};
    tensor.file_axis[0] = 1;
    tensor.file_axis[1] = 0;
    if (flat) {
        tensor.flat_rank = there.flat_rank = 3;
        tensor.flat[0] = there.flat[0] = 2;
        tensor.flat[1] = there.flat[1] = 3;
        tensor.flat[2] = there.flat[2] = rows / 6;
    }
    there.layout = panel ? ACT_PANELS : ACT_ROWS;
    there.panel = panel;
    there.bytes = act_layout_bytes(&there);
    float *block = malloc(there.bytes);
    double *value = malloc(sizeof(double) * rows * cols);
    ActFill fill = {(uint32_t)kind, 3, a, b};
    assert_int_equal(act_fill(&there, block, &fill, 0x123456789abcdef), ACT_OK);
    eval_fill(&tensor, 3, 0x123456789abcdef, value);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = 0; c < cols; c++) {
            double other = (double)placed(&there, block, r, c);
            assert_true(exact ? value[r * cols + c] == other : fabs(value[r * cols + c] - other) < 1e-6);
        }
    free(value);
    free(block);
}

static void test_fill(void **state)
{
    (void)state;
    static const struct {
        FillKind kind;
        double a, b;
    } fills[] = {{FILL_CONSTANT, 0.1, 0},   {FILL_NORMAL, 0, 0.05},      {FILL_NORMAL, 3, 2},
                 {FILL_UNIFORM, -0.3, 0.3}, {FILL_UNIFORM, 1000, 1000.0001}, {FILL_TRUNCATED_NORMAL, 0, 0.02}};
    for (unsigned i = 0; i < sizeof fills / sizeof *fills; i++)
        for (uint32_t panel = 0; panel <= 16; panel += 16) {
            compare(fills[i].kind, fills[i].a, fills[i].b, 7, 5, false, panel, true);
            compare(fills[i].kind, fills[i].a, fills[i].b, 30, 37, true, panel, true);
            compare(fills[i].kind, fills[i].a, fills[i].b, 300, 101, false, panel, true);
        }
}

static void test_orthogonal(void **state)
{
    (void)state;
    for (uint32_t panel = 0; panel <= 16; panel += 16) {
        compare(FILL_ORTHOGONAL, 1, 0, 12, 12, true, panel, false);
        compare(FILL_ORTHOGONAL, 2, 0, 60, 33, true, panel, false);
        compare(FILL_ORTHOGONAL, 0.5, 0, 33, 60, false, panel, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_orthogonal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
