/* The first input is 0 from the second step on, so what the first step left of its weights' state only fades: 0.9^900 is below all
 * normal numbers. */
#include "fading.h"

#include "check.h"

#include <math.h>

enum { ROWS = 4, INPUTS = 5, STEPS = 1000 };

static void *block(size_t bytes) { return aligned_alloc(64, bytes + 64 - bytes % 64); }

static void check(const ActModel *model)
{
    float x[ROWS][INPUTS], y[ROWS] = { 0.5f, -0.5f, 0.25f, 1 }, loss;
    for (int i = 0; i < ROWS * INPUTS; i++) x[0][i] = (float)sin(i + 1);
    ActMemory memory = { block(model->param_bytes), model->param_bytes, block(model->state_bytes), model->state_bytes,
                         block(model->work_bytes), model->work_bytes };
    ActInstance m;
    CHECK(model->entry.bind(&m, &memory) == ACT_OK && model->entry.init(&m, 3) == ACT_OK);
    const void *input[] = { x }, *target[] = { y };
    for (uint64_t step = 1; step <= STEPS; step++) {
        CHECK(model->entry.train_step(&m, &(ActStep){ step, 1, 1 }, input, target, ROWS, &loss) == ACT_OK);
        for (int r = 0; r < ROWS; r++) x[r][0] = 0;
    }
    int zero = 0, other = 0;
    CHECK(model->n_state > 0);
    for (uint32_t i = 0; i < model->n_state; i++) {
        const float *at = (const float *)(const void *)((const char *)memory.state + model->state[i].offset);
        for (uint64_t e = 0; e < model->state[i].bytes / sizeof *at; e++) {
            CHECK(fpclassify(at[e]) == FP_ZERO || fpclassify(at[e]) == FP_NORMAL);
            zero += at[e] == 0, other += at[e] != 0;
        }
    }
    CHECK(zero > 0 && other > 0);
    free(memory.param);
    free(memory.state);
    free(memory.work);
}

int main(void)
{
    check(&with_adam_model);
    check(&with_momentum_model);
    return 0;
}
