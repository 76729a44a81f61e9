/* A loss `for d` moves d alone and one `for g` g alone; a step of both is the two steps side by side, each with its gradient at the
 * weights before. */
#include "sides.h"

#include "check.h"

#include <math.h>
#include <string.h>

enum { ROWS = 6, MOST = 8192 };

/* The parameter block before and after one step. */
static void step(const ActModel *model, unsigned char before[MOST], unsigned char after[MOST])
{
    static float noise[ROWS][3], point[ROWS][4];
    for (int i = 0; i < ROWS * 3; i++) noise[0][i] = (float)sin(i + 1);
    for (int i = 0; i < ROWS * 4; i++) point[0][i] = (float)cos(2 * i);
    ActMemory memory = { aligned_alloc(64, model->param_bytes + 64 - model->param_bytes % 64), model->param_bytes,
                         aligned_alloc(64, model->state_bytes + 64 - model->state_bytes % 64), model->state_bytes,
                         aligned_alloc(64, model->work_bytes + 64 - model->work_bytes % 64), model->work_bytes };
    ActInstance m;
    CHECK(model->entry.bind(&m, &memory) == ACT_OK && model->entry.init(&m, 4) == ACT_OK && model->param_bytes <= MOST);
    memcpy(before, memory.param, model->param_bytes);
    const void *input[] = { noise, point };
    float loss[4];
    CHECK(model->entry.train_step(&m, &(ActStep){ 1, 1, 1 }, input, NULL, ROWS, loss) == ACT_OK);
    memcpy(after, memory.param, model->param_bytes);
    free(memory.param);
    free(memory.state);
    free(memory.work);
}

int main(void)
{
    static unsigned char before[3][MOST], after[3][MOST];
    const ActModel *model[3] = { &both_model, &first_model, &second_model };
    for (int i = 0; i < 3; i++) step(model[i], before[i], after[i]);
    CHECK(both_model.n_param == 8);
    for (uint32_t p = 0; p < both_model.n_param; p++) {
        const ActTensor *t[3] = { &model[0]->param[p], &model[1]->param[p], &model[2]->param[p] };
        for (int i = 1; i < 3; i++) {
            CHECK(strcmp(t[0]->name, t[i]->name) == 0 && t[0]->bytes == t[i]->bytes);
            CHECK(memcmp(before[0] + t[0]->offset, before[i] + t[i]->offset, t[0]->bytes) == 0);
        }
        int mine = t[0]->name[0] == 'd' ? 1 : 2, other = 3 - mine;
        CHECK(memcmp(before[other] + t[other]->offset, after[other] + t[other]->offset, t[0]->bytes) == 0);
        CHECK(memcmp(before[mine] + t[mine]->offset, after[mine] + t[mine]->offset, t[0]->bytes) != 0);
        const float *a = (const float *)(const void *)(after[0] + t[0]->offset);
        const float *b = (const float *)(const void *)(after[mine] + t[mine]->offset);
        for (uint64_t e = 0; e < t[0]->bytes / 4; e++) CHECK(fabsf(a[e] - b[e]) <= 1e-6f * (1 + fabsf(b[e])));
    }
    return 0;
}
