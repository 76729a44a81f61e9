/* A model as the compiler would describe it, written by hand in plain C: logistic regression from 4 values to 3
 * classes with SGD and momentum. The weight lies in panels of 8. With `normalize` the model holds x.mean and x.std. */
#ifndef TEST_RUNTIME_TOY_MODEL_H
#define TEST_RUNTIME_TOY_MODEL_H

#include <math.h>
#include <string.h>

#include "act/abi.h"

enum { TOY_IN = 4, TOY_OUT = 3, TOY_BATCH = 32, TOY_PANEL = 8 };
enum { TOY_WEIGHT, TOY_BIAS, TOY_MEAN, TOY_STD, TOY_PARAMS };

typedef struct ToyModel {
    ActModel model;
    ActTensor input, target, output, param[TOY_PARAMS], state[2];
    ActLoss loss;
    ActMetric metric;
    ActTrain train;
    ActData data;
    ActPart part[3];
    ActField field[6];
    ActTransform transform[2];
} ToyModel;

/* What the steps saw; tests set and read it. */
static struct {
    uint64_t steps, rows, last_n, nan_at, stop_at;
    double last_scale;
    volatile int *stop;
    void (*on_step)(uint64_t step);
    float first_row[TOY_IN];
} toy;

static float *toy_values(const ActInstance *m, uint32_t i)
{
    return (float *)(void *)((char *)m->param + m->model->param[i].offset);
}

/* weight (in, out): a single panel */
static float *toy_weight(float *w, size_t in, size_t out) { return &w[in * TOY_PANEL + out]; }

static ActStatus toy_bind(ActInstance *m, const ActMemory *memory)
{
    if (memory->param_bytes < 320 || memory->state_bytes < 192 ||
        ((uintptr_t)memory->param | (uintptr_t)memory->state) % ACT_ALIGN)
        return ACT_E_MEMORY;
    m->param = memory->param;
    m->state = memory->state;
    m->work = memory->work;
    return ACT_OK;
}

static ActStatus toy_entry_init(ActInstance *m, uint64_t seed)
{
    ActStatus status =
        act_fill(&m->model->param[TOY_WEIGHT], m->param, &(ActFill){ ACT_FILL_UNIFORM, 0, -0.5, 0.5 }, seed);
    if (status == ACT_OK)
        status = act_fill(&m->model->param[TOY_BIAS], m->param, &(ActFill){ ACT_FILL_CONSTANT, 1, 0, 0 }, seed);
    if (m->model->n_param > TOY_STD) {
        act_fill(&m->model->param[TOY_MEAN], m->param, &(ActFill){ ACT_FILL_CONSTANT, 2, 0, 0 }, seed);
        act_fill(&m->model->param[TOY_STD], m->param, &(ActFill){ ACT_FILL_CONSTANT, 3, 1, 0 }, seed);
    }
    memset(m->state, 0, 192);
    return status;
}

static void toy_scaled(const ActInstance *m, const float *row, float *x)
{
    int holds = m->model->n_param > TOY_STD;
    for (int i = 0; i < TOY_IN; i++)
        x[i] = holds ? (row[i] - toy_values(m, TOY_MEAN)[i]) / toy_values(m, TOY_STD)[i] : row[i];
}

/* logits and probabilities of a row; returns log of the sum of exponentials */
static double toy_row(const ActInstance *m, const float *x, float *logit, float *p)
{
    double sum = 0, top = -INFINITY;
    for (size_t o = 0; o < TOY_OUT; o++) {
        double z = (double)toy_values(m, TOY_BIAS)[o];
        for (size_t i = 0; i < TOY_IN; i++) z += (double)x[i] * (double)*toy_weight(toy_values(m, TOY_WEIGHT), i, o);
        logit[o] = (float)z;
        top = fmax(top, z);
    }
    for (size_t o = 0; o < TOY_OUT; o++) sum += exp((double)logit[o] - top);
    for (size_t o = 0; o < TOY_OUT; o++) p[o] = (float)(exp((double)logit[o] - top) / sum);
    return top + log(sum);
}

static ActStatus toy_forward(const ActInstance *m, const void *const *input, size_t n, void *const *output)
{
    for (size_t r = 0; r < n; r++) {
        float x[TOY_IN], logit[TOY_OUT];
        toy_scaled(m, (const float *)input[0] + r * TOY_IN, x);
        toy_row(m, x, logit, (float *)output[0] + r * TOY_OUT);
    }
    return ACT_OK;
}

static ActStatus toy_evaluate(const ActInstance *m, const void *const *input, const void *const *target, size_t n,
                              float *loss, void *const *prediction)
{
    double sum = 0;
    if (n == 0 || n > TOY_BATCH) return ACT_E_ARGUMENT;
    for (size_t r = 0; r < n; r++) {
        float x[TOY_IN], p[TOY_OUT], *logit = (float *)prediction[0] + r * TOY_OUT;
        toy_scaled(m, (const float *)input[0] + r * TOY_IN, x);
        sum += toy_row(m, x, logit, p) - (double)logit[((const int32_t *)target[0])[r]];
    }
    loss[0] = (float)(sum / (double)n);
    return ACT_OK;
}

static ActStatus toy_train_step(const ActInstance *m, const ActStep *step, const void *const *input,
                                const void *const *target, size_t n, float *loss)
{
    float gradient[TOY_IN + 1][TOY_OUT] = { { 0 } }, *velocity = m->state, *bias_velocity = velocity + 32;
    double sum = 0;
    if (n == 0 || n > TOY_BATCH) return ACT_E_ARGUMENT;
    if (toy.steps++ == 0) memcpy(toy.first_row, input[0], sizeof toy.first_row);
    toy.rows += n;
    toy.last_n = n;
    toy.last_scale = step->lr_scale;
    if (toy.on_step) toy.on_step(step->step);
    if (toy.stop && step->step == toy.stop_at) *toy.stop = 1;
    for (size_t r = 0; r < n; r++) {
        float x[TOY_IN], p[TOY_OUT], logit[TOY_OUT];
        int32_t label = ((const int32_t *)target[0])[r];
        toy_scaled(m, (const float *)input[0] + r * TOY_IN, x);
        sum += toy_row(m, x, logit, p) - (double)logit[label];
        for (int o = 0; o < TOY_OUT; o++) {
            float d = (p[o] - (o == label)) / (float)n;
            for (int i = 0; i < TOY_IN; i++) gradient[i][o] += d * x[i];
            gradient[TOY_IN][o] += d;
        }
    }
    float lr = (float)(0.1 * step->lr_scale);
    for (size_t i = 0; i <= TOY_IN; i++)
        for (size_t o = 0; o < TOY_OUT; o++) {
            float *v = i < TOY_IN ? toy_weight(velocity, i, o) : &bias_velocity[o];
            float *w = i < TOY_IN ? toy_weight(toy_values(m, TOY_WEIGHT), i, o) : &toy_values(m, TOY_BIAS)[o];
            *v = 0.9f * *v + gradient[i][o];
            *w -= lr * *v;
        }
    loss[0] = step->step == toy.nan_at ? NAN : (float)(sum / (double)n);
    return ACT_OK;
}

static double toy_schedule(double step, double total) { return 1 - 0.5 * step / total; }

/* in rows, 64 bytes of its block, its range not known */
static ActTensor toy_vector(const char *name, ActRole role, uint32_t n, uint64_t offset)
{
    return (ActTensor){
        .name = name, .role = role, .rank = 1, .dim = { n }, .offset = offset, .bytes = 64, .low = 1, .high = -1
    };
}

/* Data: train.csv and test.csv in `base`, columns 1..4 and `species`. */
static void toy_make(ToyModel *t, const char *base, int normalize)
{
    memset(t, 0, sizeof *t);
    memset(&toy, 0, sizeof toy);
    t->input = toy_vector("x", ACT_INPUT, 4, 0);
    t->input.label = "f32[4]";
    t->output = toy_vector("p", ACT_OUTPUT, 3, 0);
    t->output.low = 0, t->output.high = 1;
    t->target = (ActTensor){ .name = "species", .label = "class(3)", .role = ACT_TARGET, .type = ACT_I32, .classes = 3 };
    t->target.low = 1, t->target.high = -1;
    ActTensor weight = { .name = "linear1.weight", .role = ACT_PARAM, .layout = ACT_PANELS, .rank = 2, .dim = { 4, 3 },
                         .file_axis = { 1, 0 }, .panel = TOY_PANEL, .bytes = 128, .low = 1, .high = -1 };
    t->param[TOY_WEIGHT] = weight;
    t->param[TOY_BIAS] = toy_vector("linear1.bias", ACT_PARAM, 3, 128);
    t->param[TOY_MEAN] = toy_vector("x.mean", ACT_CONSTANT, 4, 192);
    t->param[TOY_STD] = toy_vector("x.std", ACT_CONSTANT, 4, 256);
    t->state[0] = t->param[TOY_WEIGHT], t->state[0].name = "linear1.weight.v", t->state[0].role = ACT_STATE;
    t->state[1] = t->param[TOY_BIAS], t->state[1].name = "linear1.bias.v", t->state[1].role = ACT_STATE;
    t->loss = (ActLoss){ "cross_entropy", 1, 1, 1 };
    t->metric = (ActMetric){ .name = "accuracy", .kind = "accuracy", .prediction = t->output };
    t->metric.prediction.low = 1, t->metric.prediction.high = -1; /* logits */

    const char *files[2] = { "train.csv", "test.csv" }, *parts[2] = { "train", "test" };
    t->transform[0] = (ActTransform){ .kind = ACT_T_NORMALIZE };
    for (int p = 0; p < 2; p++) {
        t->field[2 * p] = (ActField){ .name = "x",
                                      .reader = "csv",
                                      .path = files[p],
                                      .columns = "1..4",
                                      .transform = t->transform,
                                      .n_transform = 1 };
        t->field[2 * p + 1] = (ActField){ .name = "species", .reader = "csv", .path = files[p], .columns = "species" };
        t->part[p] = (ActPart){ parts[p], &t->field[2 * p], 2 };
    }
    t->data = (ActData){ .name = "flowers", .base = base, .part = t->part, .n_part = 2 };
    t->train = (ActTrain){
        .data = &t->data, .epochs = 20, .seed = 1, .batch = 16, .optimizer = "sgd(lr = 0.1, momentum = 0.9)", .lr = 0.1
    };
    t->model = (ActModel){
        .abi = ACT_ABI_VERSION,
        .batch = TOY_BATCH,
        .name = "toy",
        .source = "toy.act",
        .hash = "00ff",
        .target = "any",
        .features = "",
        .param_bytes = 320,
        .state_bytes = 192,
        .work_bytes = 0,
        .input = &t->input,
        .target_value = &t->target,
        .output = &t->output,
        .param = t->param,
        .state = t->state,
        .n_input = 1,
        .n_target = 1,
        .n_output = 1,
        .n_param = normalize ? TOY_PARAMS : 2,
        .n_state = 2,
        .loss = &t->loss,
        .n_loss = 1,
        .metric = &t->metric,
        .n_metric = 1,
        .train = &t->train,
        .entry = { toy_bind, toy_entry_init, toy_forward, toy_evaluate, toy_train_step, toy_schedule },
        .flops_forward = 24,
        .flops_step = 72,
    };
}

/* The same on the flowers of examples/data. */
static inline void toy_iris(ToyModel *t, const char *base, int normalize)
{
    toy_make(t, base, normalize);
    t->field[0].path = t->field[1].path = "iris-train.csv";
    t->field[2].path = t->field[3].path = "iris-test.csv";
}

#endif
