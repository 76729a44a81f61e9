/* Trains from PyTorch's initial weights on PyTorch's batches and holds each loss against PyTorch's:
 *     curves FOLDER      the folder with mlp.safetensors and losses.txt, tests/fixtures/torch */
#include "mlp.h"

#include "act/act.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 64, STEPS = 100, PIXELS = 784, CURVES = 3 };

static uint32_t mix(uint32_t n)
{
    n ^= n >> 16;
    n *= 0x85ebca6bu;
    n ^= n >> 13;
    n *= 0xc2b2ae35u;
    return n ^ n >> 16;
}

/* The formulas of make.py. */
static void fill(uint32_t step, float *x, int32_t *y)
{
    for (uint32_t r = 0; r < BATCH; r++) {
        uint32_t row = BATCH * step + r, label = mix(row) % 10;
        y[r] = (int32_t)label;
        for (uint32_t i = 0; i < PIXELS; i++) {
            uint32_t common = mix(0x10000000u + PIXELS * label + i) % 64, own = mix(0x20000000u + PIXELS * row + i) % 256;
            x[r * PIXELS + i] = (float)(common + own) / 512;
        }
    }
}

static int read_losses(const char *folder, double loss[STEPS][CURVES])
{
    char path[4096], line[256];
    snprintf(path, sizeof path, "%s/losses.txt", folder);
    FILE *in = fopen(path, "r");
    int n = 0;
    while (in && n < STEPS && fgets(line, sizeof line, in))
        if (line[0] != '#')
            n += sscanf(line, "%lf %lf %lf", &loss[n][0], &loss[n][1], &loss[n][2]) == CURVES;
    if (in)
        fclose(in);
    return n == STEPS;
}

/* The largest relative difference; above 1 when something failed. */
static double follow(const ActModel *model, unsigned curve, const char *folder, double loss[STEPS][CURVES])
{
    static float x[BATCH * PIXELS];
    static int32_t y[BATCH];
    char path[4096];
    ActError error;
    snprintf(path, sizeof path, "%s/mlp.safetensors", folder);
    ActInstance *m = act_instance_new(model, 1, &error);
    ActStatus status = m ? model->entry.init(m, 1) : error.status;
    if (status == ACT_OK)
        status = act_load_weights(m, path, &error);
    double worst = 0;
    for (uint32_t step = 0; status == ACT_OK && step < STEPS; step++) {
        const void *input[] = {x}, *target[] = {y};
        const ActStep at = {step + 1, 1.0, 1};
        float got = NAN;
        fill(step, x, y);
        status = model->entry.train_step(m, &at, input, target, BATCH, &got);
        double off = fabs((double)got - loss[step][curve]) / loss[step][curve];
        if (!(off <= 1e-4) && worst <= 1e-4) /* the first of them tells most */
            printf("%s, step %u: %.9g, PyTorch has %.9g\n", model->name, step + 1, (double)got, loss[step][curve]);
        worst = isnan(off) ? 2 : fmax(worst, off);
    }
    if (status != ACT_OK)
        printf("%s: %s\n", model->name, error.text);
    act_instance_free(m);
    return status == ACT_OK ? worst : 2;
}

int main(int argc, char **argv)
{
    static double loss[STEPS][CURVES];
    const ActModel *const model[CURVES] = {&by_sgd_model, &by_adam_model, &by_adamw_model};
    if (argc != 2 || !read_losses(argv[1], loss))
        return 2;
    int bad = 0;
    for (unsigned c = 0; c < CURVES; c++) {
        double worst = follow(model[c], c, argv[1], loss);
        printf("%s: off PyTorch's loss by at most %.1e in %d steps\n", model[c]->name, worst, STEPS);
        bad |= !(worst <= 1e-4);
    }
    return bad;
}
