/* watched LIBRARY MODEL THREADS STEPS [EVERY]: trains twice from the same weights on the same drawn rows, with plain and with watched steps,
 * and compares losses, parameters and optimizer state byte by byte. With EVERY it prints times instead, as medians of pairs: what a watched
 * step takes against a plain one, and what the monitor adds to a training that measures once in EVERY steps, all that the host does included. */
#define _DEFAULT_SOURCE
#include "act/act.h"

#include "host/training.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIRS = 60 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static uint64_t width(const ActTensor *tensor)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) n *= tensor->dim[i];
    return n;
}

static void draw(const ActTensor *tensor, size_t rows, void *out, uint64_t *state)
{
    double low = tensor->low <= tensor->high ? (double)tensor->low : -1, high = tensor->low <= tensor->high ? (double)tensor->high : 1;
    for (uint64_t i = 0; i < rows * width(tensor); i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        double u = (double)(*state >> 40) / (double)(1 << 24);
        double x = tensor->classes ? (double)(uint32_t)(u * tensor->classes) : low + (high - low) * u;
        if (tensor->type == ACT_I32) ((int32_t *)out)[i] = (int32_t)x;
        else ((float *)out)[i] = (float)x;
    }
}

typedef struct Trainer {
    ActInstance *m;
    const void **value;
    float *loss;
    void **array;
    uint64_t step;
} Trainer;

static ActStatus step(Trainer *t, size_t rows, int watched)
{
    const ActModel *model = t->m->model;
    const ActStep at = { ++t->step, 1, 7 };
    return watched ? model->watch->step(t->m, &at, t->value, t->value + model->n_input, rows, t->loss, t->array)
                   : model->entry.train_step(t->m, &at, t->value, t->value + model->n_input, rows, t->loss);
}

/* Any element of the tensors; what pads panels is nobody's. */
static int differ(const ActTensor *tensor, uint32_t n, const void *a, const void *b)
{
    for (uint32_t i = 0; i < n; i++) {
        const ActTensor *t = &tensor[i];
        uint64_t elements = width(t), cols = t->rank ? t->dim[t->rank - 1] : 1, rows = elements / cols;
        for (uint64_t e = 0; e < elements; e++) {
            uint64_t r = e / cols, c = e % cols, at = t->layout == ACT_ROWS ? e : ((c / t->panel) * rows + r) * t->panel + c % t->panel;
            if (memcmp((const char *)a + t->offset + 4 * at, (const char *)b + t->offset + 4 * at, 4) != 0) return 1;
        }
    }
    return 0;
}

static int compare(Trainer *plain, Trainer *watched, uint64_t steps)
{
    const ActModel *model = plain->m->model;
    for (uint64_t s = 0; s < steps; s++) {
        size_t rows = s % 3 == 1 && model->batch > 1 ? model->batch - 1 : model->batch; /* a short one between */
        if (step(plain, rows, 0) != ACT_OK || step(watched, rows, 1) != ACT_OK) return printf("%s: a step failed\n", model->name), 1;
        int loss = memcmp(plain->loss, watched->loss, model->n_loss * sizeof(float));
        int param = differ(model->param, model->n_param, plain->m->param, watched->m->param);
        int state = differ(model->state, model->n_state, plain->m->state, watched->m->state);
        if (!loss && !param && !state) continue;
        printf("%s: step %lu: other bytes in%s%s%s\n", model->name, (unsigned long)s + 1, loss ? " loss" : "", param ? " parameters" : "", state ? " state" : "");
        return 1;
    }
    return 0;
}

static double median(double *of)
{
    qsort(of, PAIRS, sizeof *of, ascending);
    return of[PAIRS / 2];
}

/* A measurement as the training program makes it: what it keeps, the step, the numbers, the rules. */
static void monitored(ActTraining *t, Trainer *watched)
{
    act_monitor_wants(&t->monitor, t);
    t->step++;
    watched->array = t->monitor.array;
    step(watched, watched->m->model->batch, 1);
    act_monitor_measure(&t->monitor, t, watched->m->model->batch);
}

static void measure(Trainer *plain, Trainer *watched, uint64_t every)
{
    const ActModel *model = plain->m->model;
    static const ActRun run;
    static ActError error;
    ActTraining t = { .m = watched->m, .model = model, .run = &run, .error = &error, .batch = model->batch, .steps_per_epoch = 1 };
    void **own = watched->array;
    double ratio[PAIRS], all[PAIRS];
    if (act_monitor_begin(&t.monitor, &t) != ACT_OK) return;
    t.monitor.lead = 0;
    t.monitor.every = 1;
    t.step = 1;
    for (int i = 0; i < PAIRS; i++) {
        double begin = seconds();
        step(plain, model->batch, 0);
        double one = seconds();
        step(watched, model->batch, 1);
        double two = seconds();
        monitored(&t, watched);
        watched->array = own;
        double end = seconds();
        ratio[i] = (two - one) / (one - begin);
        all[i] = (end - two) / (one - begin);
    }
    double step_ratio = median(ratio), whole = median(all);
    printf("%-8s a watched step takes %.2f plain ones, a measurement with all that belongs to it %.2f: with one in %lu steps, %.1f %%\n", model->name,
           step_ratio, whole, (unsigned long)every, 100 * (whole - 1) / (double)every);
    act_monitor_free(&t.monitor);
}

static int set_up(Trainer *t, const ActModel *model, uint32_t threads)
{
    ActError error;
    uint32_t n = model->n_input + model->n_target;
    uint64_t state = 1;
    t->m = act_instance_new(model, threads, &error);
    t->value = calloc(n + 1, sizeof *t->value);
    t->loss = calloc(model->n_loss + 1, sizeof *t->loss);
    t->array = calloc(model->watch->n_array + 1, sizeof *t->array);
    if (!t->m || !t->value || !t->loss || !t->array || model->entry.init(t->m, 3) != ACT_OK) return 0;
    for (uint32_t i = 0; i < n; i++) {
        const ActTensor *tensor = i < model->n_input ? &model->input[i] : &model->target_value[i - model->n_input];
        void *room = calloc(model->batch, width(tensor) * 4 + 4);
        if (!room) return 0;
        draw(tensor, model->batch, room, &state);
        t->value[i] = room;
    }
    for (uint32_t i = 0; i < model->watch->n_array; i++) {
        size_t size = model->batch;
        for (uint32_t p = 0; p < model->watch->n_point; p++)
            if (model->watch->point[p].stat[ACT_WATCH_ACTIVE] == i) size = model->watch->point[p].units;
        t->array[i] = calloc(size, sizeof(float));
    }
    return 1;
}

static void tear_down(Trainer *t)
{
    const ActModel *model = t->m->model;
    for (uint32_t i = 0; i < model->n_input + model->n_target; i++) free((void *)t->value[i]);
    for (uint32_t i = 0; i < model->watch->n_array; i++) free(t->array[i]);
    free(t->value);
    free(t->loss);
    free(t->array);
    act_instance_free(t->m);
}

int main(int argc, char **argv)
{
    if (argc < 5) return 2;
    char name[256];
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 2;
    snprintf(name, sizeof name, "%s_model", argv[2]);
    const ActModel *model = dlsym(library, name);
    if (!model) return printf("%s: no such model\n", argv[2]), 2;
    if (!model->watch) return printf("%s: nothing to train, nothing to watch\n", argv[2]), 0;
    Trainer plain = { 0 }, watched = { 0 };
    uint32_t threads = (uint32_t)atoi(argv[3]);
    if (!set_up(&plain, model, threads) || !set_up(&watched, model, threads)) return printf("%s: no memory\n", argv[2]), 2;
    int bad = 0;
    if (argc > 5) measure(&plain, &watched, (uint64_t)atoll(argv[5]));
    else bad = compare(&plain, &watched, (uint64_t)atoll(argv[4]));
    tear_down(&plain);
    tear_down(&watched);
    dlclose(library);
    return bad;
}
