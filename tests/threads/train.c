/* Trains every model of an object on drawn rows and shows all that a checkpoint could hold:
 *
 *     train THREADS
 *
 * Two epochs of two full batches and a shorter last one, then steps of 1, 2 and all but one row. Prints a line "loss …" of every step's
 * losses, and for every parameter, every tensor of the optimizer's state, and every output of forward over an odd number of rows a line
 * with its name and a number made from its bytes. */
#include "act/act.h"
#include "act/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const ActModel *const models[]; /* of the object, made by threads.py; NULL ends them */

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static size_t width(const ActTensor *tensor)
{
    size_t n = 1;
    for (uint32_t d = 0; d < tensor->rank; d++)
        n *= tensor->dim[d];
    return n;
}

/* Room for rows of every tensor; drawn when `drawn`. */
static void **rows_of(const ActTensor *tensor, uint32_t n, size_t rows, int drawn)
{
    uint64_t state = 1 + n;
    void **room = calloc(n + 1, sizeof *room);
    for (uint32_t t = 0; room && t < n; t++) {
        size_t count = rows * width(&tensor[t]);
        room[t] = calloc(count + 1, 4);
        if (!room[t])
            exit(1);
        float low = tensor[t].low, high = tensor[t].high;
        if (low > high)
            low = -1, high = 1;
        for (size_t i = 0; drawn && i < count; i++) {
            uint32_t word = draw(&state);
            float x = tensor[t].classes ? (float)(word % tensor[t].classes)
                                        : low + (high - low) * (float)(word >> 7) * 0x1p-24f;
            if (tensor[t].type == ACT_I32)
                ((int32_t *)room[t])[i] = (int32_t)x;
            else
                ((float *)room[t])[i] = x;
        }
    }
    return room;
}

static void rows_free(void **room, uint32_t n)
{
    for (uint32_t t = 0; t < n; t++)
        free(room[t]);
    free(room);
}

typedef struct Training {
    ActInstance *m;
    void **input, **target;
    float *loss;
    uint64_t step;
} Training;

/* One step on the rows [from, from + n). */
static void step(Training *t, size_t from, size_t n)
{
    const ActModel *model = t->m->model;
    const void *input[64], *target[64];
    for (uint32_t i = 0; i < model->n_input; i++)
        input[i] = (char *)t->input[i] + from * width(&model->input[i]) * 4;
    for (uint32_t i = 0; i < model->n_target; i++)
        target[i] = (char *)t->target[i] + from * width(&model->target_value[i]) * 4;
    ActStep how = {.step = ++t->step, .lr_scale = 1, .seed = 5};
    if (model->entry.train_step(t->m, &how, input, target, n, t->loss) != ACT_OK)
        exit(1);
    for (uint32_t i = 0; i < model->n_loss; i++)
        printf(" %.9g", (double)t->loss[i]); /* nine digits tell all floats apart */
}

/* FNV-1a, a word of four bytes at a time. */
static void tell(const char *model, const char *name, const void *bytes, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        uint32_t word;
        memcpy(&word, (const char *)bytes + i, 4);
        hash = (hash ^ word) * 0x100000001b3u;
    }
    printf("%s %s %016llx\n", model, name, (unsigned long long)hash);
}

static void train(const ActModel *model, uint32_t threads)
{
    ActError error;
    size_t batch = model->batch, rows = 2 * batch + (batch > 2 ? batch / 3 | 1 : 1);
    Training t = {.m = act_instance_new(model, threads, &error)};
    if (!t.m || model->entry.init(t.m, 7) != ACT_OK) {
        fprintf(stderr, "%s: %s\n", model->name, t.m ? "init failed" : error.text);
        exit(t.m == NULL && error.status == ACT_E_CPU ? 77 : 1);
    }
    act_pool_least(t.m->pool, 0); /* however small */
    t.input = rows_of(model->input, model->n_input, rows, 1);
    t.target = rows_of(model->target_value, model->n_target, rows, 1);
    t.loss = calloc(model->n_loss + 1, sizeof *t.loss);
    void **output = rows_of(model->output, model->n_output, rows, 0);
    if (!t.input || !t.target || !t.loss || !output)
        exit(1);
    printf("loss");
    if (model->train)
        for (int epoch = 0; epoch < 2; epoch++)
            for (size_t at = 0; at < rows; at += batch)
                step(&t, at, at + batch < rows ? batch : rows - at);
    size_t odd[] = {1, 2, batch - 1};
    for (size_t i = 0; model->train && i < sizeof odd / sizeof *odd; i++)
        if (odd[i] >= 1 && odd[i] <= batch)
            step(&t, 0, odd[i]);
    printf("\n");
    if (model->entry.forward(t.m, (const void *const *)t.input, rows, output) != ACT_OK)
        exit(1);
    for (uint32_t i = 0; i < model->n_param; i++)
        tell(model->name, model->param[i].name, (char *)t.m->param + model->param[i].offset, model->param[i].bytes);
    for (uint32_t i = 0; i < model->n_state; i++)
        tell(model->name, model->state[i].name, (char *)t.m->state + model->state[i].offset, model->state[i].bytes);
    for (uint32_t i = 0; i < model->n_output; i++)
        tell(model->name, model->output[i].name, output[i], rows * width(&model->output[i]) * 4);
    rows_free(output, model->n_output);
    rows_free(t.input, model->n_input);
    rows_free(t.target, model->n_target);
    free(t.loss);
    act_instance_free(t.m);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (size_t i = 0; models[i]; i++)
        train(models[i], (uint32_t)strtoul(argv[1], NULL, 10));
    return 0;
}
