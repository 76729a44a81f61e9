#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/augment.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 400, HEIGHT = 3, WIDTH = 4, CHANNELS = 2, SIZE = HEIGHT * WIDTH * CHANNELS };

static const ActTransform scaling[] = { { ACT_T_AFFINE, 0.5, -7, 0 } };
static const ActField field[] = { { .name = "image", .reader = "idx", .transform = scaling, .n_transform = 1 } };
static const ActPart part[] = { { "train", field, 1 } };

static float value[ROWS][HEIGHT][WIDTH][CHANNELS], before[HEIGHT][WIDTH][CHANNELS];

/* All rows the same image, augmented. */
static void augment(uint32_t flip, uint32_t crop, uint64_t seed, uint64_t step, size_t n)
{
    const ActTensor input[] = { { .name = "image", .rank = 3, .dim = { HEIGHT, WIDTH, CHANNELS } } };
    const ActData data = { .part = part, .n_part = 1, .flip = flip, .crop = crop };
    const ActTrain train = { .data = &data };
    const ActModel model = { .input = input, .n_input = 1, .train = &train };
    float spare[SIZE];
    void *values[] = { value };
    for (int i = 0; i < SIZE; i++) ((float *)before)[i] = (float)(1 + i);
    for (int r = 0; r < ROWS; r++) memcpy(value[r], before, sizeof before);
    assert_int_equal(act_augment_spare(&model), flip || crop ? SIZE : 0);
    act_augment(&model, seed, step, n, values, spare);
}

/* 1 when row r is the image, mirrored or not, moved by (down, right), with -7 around it. */
static int is_moved(int r, int flip, int down, int right)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < CHANNELS; c++) {
                int fy = y + down, fx = x + right;
                int inside = fy >= 0 && fy < HEIGHT && fx >= 0 && fx < WIDTH;
                float wanted = inside ? before[fy][flip ? WIDTH - 1 - fx : fx][c] : -7.0f;
                if (value[r][y][x][c] != wanted) return 0;
            }
    return 1;
}

static void every_row_is_moved_somewhere(void **state)
{
    (void)state;
    int seen[2][3][3] = { { { 0 } } };
    augment(1, 1, 5, 9, ROWS);
    for (int r = 0; r < ROWS; r++) {
        int found = 0;
        for (int flip = 0; flip < 2; flip++)
            for (int down = -1; down <= 1; down++)
                for (int right = -1; right <= 1; right++)
                    if (is_moved(r, flip, down, right)) found++, seen[flip][down + 1][right + 1]++;
        assert_int_equal(found, 1);
    }
    for (int i = 0; i < 18; i++) { /* about 22 each */
        assert_true(((int *)seen)[i] > 5);
        assert_true(((int *)seen)[i] < 50);
    }
}

static void flip_and_crop_alone(void **state)
{
    (void)state;
    int flipped = 0;
    augment(1, 0, 1, 1, ROWS);
    for (int r = 0; r < ROWS; r++) {
        assert_true(is_moved(r, 0, 0, 0) || is_moved(r, 1, 0, 0));
        flipped += is_moved(r, 1, 0, 0);
    }
    assert_in_range(flipped, 150, 250);
    augment(0, 2, 1, 1, ROWS);
    for (int r = 0; r < ROWS; r++) {
        int found = 0;
        for (int down = -2; down <= 2; down++)
            for (int right = -2; right <= 2; right++) found += is_moved(r, 0, down, right);
        assert_int_equal(found, 1);
    }
    augment(0, 0, 1, 1, ROWS);
    for (int r = 0; r < ROWS; r++) assert_true(is_moved(r, 0, 0, 0));
}

static void named_by_seed_step_and_row(void **state)
{
    (void)state;
    static float first[ROWS][SIZE];
    augment(1, 2, 3, 4, ROWS);
    memcpy(first, value, sizeof first);
    augment(1, 2, 3, 4, 7); /* fewer rows: those the same, the others untouched */
    assert_memory_equal(first, value, 7 * sizeof first[0]);
    for (int r = 7; r < ROWS; r++) assert_true(is_moved(r, 0, 0, 0));
    augment(1, 2, 3, 5, ROWS);
    assert_memory_not_equal(first, value, sizeof first);
    augment(1, 2, 4, 4, ROWS);
    assert_memory_not_equal(first, value, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_moved_somewhere),
        cmocka_unit_test(flip_and_crop_alone),
        cmocka_unit_test(named_by_seed_step_and_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
