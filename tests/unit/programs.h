/* Helpers of the tests that compile graphs: reading one from text, filling its tensors, running its plan, comparing. */
#ifndef ACT_TESTS_PROGRAMS_H
#define ACT_TESTS_PROGRAMS_H

#include "graph/eval.h"
#include "graph/loop.h"
#include "kernel/lower.h"
#include "ops/registry.h"
#include "pass/pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline Graph *programs_read(Arena *arena, const char *text)
{
    Str why = {0};
    Graph *g = graph_read(arena, sx_pool_new(arena), str_of(text), op_find, &why);
    if (g == NULL)
        fail_msg("%.*s\n%s", STR_ARG(why), text);
    return g;
}

/* A small generator of its own, so that test data do not depend on what is under test. */
static inline double programs_uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / (double)(1 << 24);
}

/* Values for every tensor: indices below their classes, weights as wide as their initializer makes them, else numbers between -1
 * and 1; all rounded to floats. */
static inline double **programs_values(Arena *arena, const Graph *g, size_t rows, uint64_t seed)
{
    double **value = arena_array(arena, double *, g->tensors.n + 1);
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        const Tensor *tensor = &g->tensors.at[t];
        size_t count = (size_t)type_elements(&tensor->type) * (tensor->type.batch ? rows : 1);
        value[t] = arena_array(arena, double, count + 1);
        double wide = tensor->deviation > 0 ? 1.7 * tensor->deviation : 1;
        uint64_t state = seed * 977 + t * 131 + 7;
        for (size_t i = 0; i < count; i++) {
            double u = programs_uniform(&state);
            value[t][i] = tensor->type.dtype == DT_I32 ? floor(u * (tensor->classes ? tensor->classes : 2))
                          : tensor->role == ROLE_STATE ? 0.25 * u
                                                       : (double)(float)((2 * u - 1) * wide);
        }
    }
    return value;
}

/* A graph with the roots of a training step (losses and running statistics) or of a forward pass (all others), before its pipeline; model may be NULL. */
static inline PassState programs_start(Arena *arena, const Model *model, const Graph *source, bool train, const Target *target)
{
    PassState state = {.arena = arena, .target = target, .train = train, .model = model};
    state.g = graph_like(source);
    NodeId *map = arena_array(arena, NodeId, source->nodes.n);
    for (NodeId id = 1; id < source->nodes.n; id++)
        map[id] = graph_copy_node(state.g, source, id, map);
    for (uint32_t i = 0; i < source->roots.n; i++) {
        const Root *root = &source->roots.at[i];
        if (train ? root->kind == ROOT_LOSS || root->kind == ROOT_UPDATE : root->kind != ROOT_UPDATE)
            graph_root_add(state.g, root->kind, map[root->node], root->index, root->name);
    }
    layout_mark_rows(state.g, source);
    return state;
}

/* The same through its pipeline, every pass verified: a graph and its plan. */
static inline PassState programs_plan(Arena *arena, const Model *model, const Graph *source, bool train, const Target *target)
{
    PassState state = programs_start(arena, model, source, train, target);
    PassOptions options = {.verify = true};
    if (!pass_run(&state, train ? pipeline_train : pipeline_inference, &options))
        fail_msg("the pipeline has stopped");
    state.plan->g = state.g;
    return state;
}

/* Places of tensors in blocks, as kernel/unit.c does it. */
static inline void programs_place(Graph *g)
{
    uint64_t param = 0, state = 0;
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        Tensor *t = &g->tensors.at[i];
        uint64_t *block = t->role == ROLE_STATE ? &state : &param, elements = type_elements(&t->type);
        if (t->role == ROLE_INPUT || t->role == ROLE_TARGET)
            continue;
        if (t->layout == LAYOUT_PANELS)
            elements = elements / type_last(&t->type) * ((type_last(&t->type) + t->panel - 1) / t->panel) * t->panel;
        t->offset = *block;
        t->bytes = 4 * elements;
        *block += (t->bytes + 63) / 64 * 64;
    }
}

/* Down to loops. */
static inline LoopProgram *programs_lower(const PassState *state)
{
    programs_place(state->g);
    return lower_plan(state->arena, state->plan, state->target, STR("p"));
}

static inline size_t programs_place_of(const Tensor *t, size_t e)
{
    if (t->layout != LAYOUT_PANELS)
        return e;
    size_t last = type_last(&t->type), rows = type_elements(&t->type) / last, r = e / last, c = e % last;
    return ((c / t->panel) * rows + r) * t->panel + c % t->panel;
}

/* The memory of one call: blocks filled from `value`, arrays of the caller of exactly n rows. */
typedef struct ProgramsCall {
    LoopMemory memory;
    void *input[16], *target[16], *output[32], *prediction[16];
    float loss[16];
} ProgramsCall;

static inline void *programs_block(Arena *arena, size_t bytes)
{
    return arena_alloc_aligned(arena, bytes + 64, 64);
}

static inline ProgramsCall *programs_call(Arena *arena, const Graph *g, uint64_t work, double **value, size_t rows)
{
    ProgramsCall *call = arena_new_of(arena, ProgramsCall);
    uint64_t bytes[2] = {0, 0};
    uint32_t inputs = 0, targets = 0;
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        const Tensor *t = &g->tensors.at[i];
        if (t->role != ROLE_INPUT && t->role != ROLE_TARGET && t->offset + t->bytes > bytes[t->role == ROLE_STATE])
            bytes[t->role == ROLE_STATE] = t->offset + t->bytes;
    }
    call->memory.param = programs_block(arena, bytes[0]);
    call->memory.state = programs_block(arena, bytes[1]);
    call->memory.work = programs_block(arena, work);
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        const Tensor *t = &g->tensors.at[i];
        size_t count = (size_t)type_elements(&t->type) * (t->type.batch ? rows : 1);
        unsigned char *to;
        if (t->role == ROLE_INPUT)
            to = call->input[inputs++] = programs_block(arena, 4 * count);
        else if (t->role == ROLE_TARGET)
            to = call->target[targets++] = programs_block(arena, 4 * count);
        else
            to = (t->role == ROLE_STATE ? call->memory.state : call->memory.param) + t->offset;
        for (size_t e = 0; e < count; e++)
            if (t->type.dtype == DT_I32)
                ((int32_t *)(void *)to)[e] = (int32_t)value[i][e];
            else
                ((float *)(void *)to)[programs_place_of(t, e)] = (float)value[i][e];
    }
    for (uint32_t i = 0; i < g->roots.n; i++) {
        const Root *root = &g->roots.at[i];
        size_t count = graph_value_count(g, root->node, rows);
        if (root->kind == ROOT_OUTPUT)
            call->output[root->index] = programs_block(arena, 4 * count);
        if (root->kind == ROOT_PREDICTION)
            call->prediction[root->index] = programs_block(arena, 4 * count);
    }
    call->memory.input = (const void *const *)call->input;
    call->memory.target = (const void *const *)call->target;
    call->memory.output = call->output;
    call->memory.prediction = call->prediction;
    call->memory.loss = call->loss;
    call->memory.n = rows;
    call->memory.step = 3;
    call->memory.lr_scale = 0.5;
    call->memory.seed = 42;
    return call;
}

/* What a root holds after the call, element by element in inside order. */
static inline double programs_result(const Graph *g, const ProgramsCall *call, const Root *root, size_t e)
{
    switch (root->kind) {
    case ROOT_OUTPUT:
    case ROOT_WATCH: return ((const float *)call->output[root->index])[e];
    case ROOT_PREDICTION: return ((const float *)call->prediction[root->index])[e];
    case ROOT_LOSS: return call->loss[root->index];
    case ROOT_UPDATE: break;
    }
    const Tensor *t = &g->tensors.at[root->index];
    const unsigned char *block = (t->role == ROLE_STATE ? call->memory.state : call->memory.param) + t->offset;
    return ((const float *)(const void *)block)[programs_place_of(t, e)];
}

/* Norm-wise relative difference between a root's values and the interpreter's. */
static inline double programs_error(const Graph *g, const ProgramsCall *call, const Root *root, const double *want, size_t rows)
{
    double difference = 0, norm = 0;
    size_t count = graph_value_count(g, root->node, rows);
    for (size_t e = 0; e < count; e++) {
        double got = programs_result(g, call, root, e);
        if (isnan(got) != isnan(want[e]))
            return INFINITY;
        if (isnan(got) || got == want[e])
            continue;
        difference += (got - want[e]) * (got - want[e]);
        norm += want[e] * want[e];
    }
    return difference == 0 ? 0 : sqrt(difference / (norm > 0 ? norm : 1e-30));
}

static inline EvalEnv programs_env(double **value, size_t rows)
{
    return (EvalEnv){.rows = rows, .tensor = (const double *const *)value, .step = 3, .lr_scale = 0.5, .seed = 42};
}

#endif
