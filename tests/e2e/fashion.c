/* Trains examples/fashion_mlp.act with its object, its header and the runtime's core: on drawn images, ten kinds of stripes. */
#include "fashion.h"

#include <stdio.h>

enum { ROWS = CLASSIFIER_BATCH, PIXELS = CLASSIFIER_IMAGE_SIZE, CLASSES = CLASSIFIER_OUTPUT_SIZE };
static _Alignas(CLASSIFIER_ALIGN) unsigned char param[CLASSIFIER_PARAM_BYTES], state[CLASSIFIER_STATE_BYTES], work[CLASSIFIER_WORK_BYTES];
static float image[ROWS * PIXELS], probability[ROWS * CLASSES];
static int32_t label[ROWS];

int main(void)
{
    classifier m;
    const classifier_memory memory = {param, sizeof param, state, sizeof state, work, sizeof work};
    unsigned random = 1, right = 0;
    float loss = 0;
    if (classifier_bind(&m, &memory) || classifier_init(&m, 1))
        return 1;
    for (ActStep step = {1, 1.0, 1}; step.step <= 100; step.step++) {
        for (int i = 0; i < ROWS * PIXELS; i++) {
            random = random * 1664525 + 1013904223;
            label[i / PIXELS] = i / PIXELS % CLASSES;
            image[i] = (float)(random >> 24) / 512 + (i % PIXELS % CLASSES == label[i / PIXELS] ? 0.25f : 0);
        }
        size_t rows = step.step % 10 ? ROWS : 77; /* every tenth batch is a short one */
        if (classifier_train_step(&m, &step, image, label, rows, &loss))
            return 2;
    }
    if (classifier_forward(&m, image, ROWS, probability))
        return 3;
    for (int i = 0; i < ROWS; i++) {
        int best = 0;
        for (int k = 1; k < CLASSES; k++)
            best = probability[i * CLASSES + k] > probability[i * CLASSES + best] ? k : best;
        right += best == label[i];
    }
    printf("loss %.4f, %u of %d right\n", (double)loss, right, ROWS);
    return !(loss < 0.1f && right == ROWS);
}
