/* forward takes no noise and no image; rows are named by seed and number; evaluate draws the same. */
#include "drawn.h"

#include "check.h"

#include <string.h>

enum { ROWS = 21 };

int main(void)
{
    static float fake[4][ROWS][2], picture[ROWS][4][6];
    drawn m;
    drawn_memory memory = { aligned_alloc(64, DRAWN_PARAM_BYTES), DRAWN_PARAM_BYTES,
                            aligned_alloc(64, DRAWN_STATE_BYTES), DRAWN_STATE_BYTES,
                            aligned_alloc(64, DRAWN_WORK_BYTES),  DRAWN_WORK_BYTES };
    CHECK(drawn_bind(&m, &memory) == ACT_OK && drawn_init(&m, 3) == ACT_OK);
    CHECK(m.seed == 0 && m.first == 0);

    m.seed = 7;
    CHECK(drawn_forward(&m, ROWS, fake[0][0], picture[0][0]) == ACT_OK);
    for (int i = 1; i < ROWS; i++) CHECK(memcmp(fake[0][i], fake[0][0], sizeof fake[0][0]) != 0);
    for (m.first = 0; m.first < ROWS; m.first++) /* row by row, by number */
        CHECK(drawn_forward(&m, 1, fake[1][m.first], picture[m.first][0]) == ACT_OK);
    CHECK(memcmp(fake[0], fake[1], sizeof fake[0]) == 0);
    m.first = 0;
    m.seed = 8;
    CHECK(drawn_forward(&m, ROWS, fake[2][0], picture[0][0]) == ACT_OK);
    CHECK(memcmp(fake[0], fake[2], sizeof fake[0]) != 0);

    /* Through the descriptor: an input that no output needs may be NULL. */
    const void *input[] = { NULL };
    void *output[] = { fake[3], picture };
    CHECK(drawn_model.n_input == 1 && drawn_model.input[0].unread && drawn_model.n_drawn == 1);
    CHECK(strcmp(drawn_model.drawn[0].label, "f32[3] = normal(0, 1)") == 0);
    CHECK(drawn_model.entry.forward(&m, input, ROWS, output) == ACT_OK);
    CHECK(memcmp(fake[2], fake[3], sizeof fake[2]) == 0);
    CHECK(drawn_model.entry.forward(&m, NULL, ROWS, output) == ACT_OK);

    /* A step trains, and the data is needed for it. */
    float point[4][2] = { { 0, 1 }, { 1, 0 }, { 1, 1 }, { 0, 0 } }, loss[2][3];
    const ActStep step = { 1, 1, 5 };
    CHECK(drawn_evaluate(&m, point[0], 4, loss[0]) == ACT_OK && drawn_evaluate(&m, point[0], 4, loss[1]) == ACT_OK);
    CHECK(memcmp(loss[0], loss[1], sizeof loss[0]) == 0);
    m.seed = 9;
    CHECK(drawn_evaluate(&m, point[0], 4, loss[1]) == ACT_OK);
    CHECK(loss[0][0] == loss[1][0] && loss[0][1] != loss[1][1]); /* the real ones are not drawn */
    CHECK(drawn_train_step(&m, &step, NULL, 4, loss[0]) == ACT_E_ARGUMENT);
    CHECK(drawn_train_step(&m, &step, point[0], 4, loss[0]) == ACT_OK);
    free(memory.param);
    free(memory.state);
    free(memory.work);
    return 0;
}
