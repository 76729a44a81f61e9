/* A unit: every model of a program down to loop programs, over one set of tensors. */
#include "kernel/unit.h"

#include "kernel/lower.h"
#include "pass/pass.h"

#include <stdio.h>

enum { ALIGN = 64 };

typedef struct Build {
    Arena *arena;
    const UnitOptions *options;
    const Target *target;
    const Program *program;
    UnitModel *out;
    Graph *shared;        /* whose tensors all programs take over; NULL for the first */
} Build;

static uint64_t round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

/* Places of parameters and state in their blocks, padding of panels included. */
static void place_tensors(Graph *g, UnitModel *out)
{
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        Tensor *t = &g->tensors.at[i];
        uint64_t *block = t->role == ROLE_STATE ? &out->state_bytes : &out->param_bytes;
        if (t->role == ROLE_INPUT || t->role == ROLE_TARGET)
            continue;
        uint64_t elements = type_elements(&t->type);
        if (t->layout == LAYOUT_PANELS)
            elements = elements / type_last(&t->type) * round_up(type_last(&t->type), t->panel);
        t->offset = *block;
        t->bytes = 4 * elements;
        *block += round_up(t->bytes, ALIGN);
    }
}

/* The part of the model's graph that has the wanted roots. */
static Graph *with_roots(const Build *b, const Watch *watch, bool (*wanted)(RootKind kind))
{
    const Graph *from = b->out->model->graph;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(b->arena, NodeId, from->nodes.n);
    if (b->shared != NULL) {
        g->tensors.n = 0;
        for (uint32_t i = 0; i < b->shared->tensors.n; i++) {
            uint32_t t = graph_tensor_add(g, &b->shared->tensors.at[i]);
            g->tensors.at[t].rows_only |= g->tensors.at[t].layout == LAYOUT_ROWS; /* decided once for all programs */
        }
    }
    for (NodeId id = 1; id < from->nodes.n; id++)
        map[id] = graph_copy_node(g, from, id, map);
    for (uint32_t i = 0; i < from->roots.n; i++)
        if (wanted(from->roots.at[i].kind))
            graph_root_add(g, from->roots.at[i].kind, map[from->roots.at[i].node], from->roots.at[i].index,
                           from->roots.at[i].name);
    for (uint32_t i = 0; watch != NULL && i < watch->points.n; i++) { /* the watch pass makes its numbers of these */
        const WatchPoint *point = &watch->points.at[i];
        graph_root_add(g, ROOT_WATCH, map[point->value], 2 * i, (Str){0});
        if (point->result != 0)
            graph_root_add(g, ROOT_WATCH, map[point->result], 2 * i + 1, (Str){0});
    }
    return g;
}

static bool is_output(RootKind kind) { return kind == ROOT_OUTPUT; }
static bool is_trained(RootKind kind) { return kind == ROOT_LOSS || kind == ROOT_UPDATE; }
static bool is_measured(RootKind kind) { return kind == ROOT_LOSS || kind == ROOT_PREDICTION; }

/* One program through its pipeline and down to loops. NULL: stopped. */
static LoopProgram *build_program(Build *b, const char *name, bool train, Watch *watch, bool (*wanted)(RootKind kind),
                                  const Plan **plan)
{
    PassState state = {.arena = b->arena, .model = b->out->model, .target = b->target, .train = train, .watch = watch};
    state.diags = b->program->diags;
    state.g = with_roots(b, watch, wanted);
    layout_mark_rows(state.g, b->out->model->graph);
    Str label = str_printf(b->arena, STR_FMT ".%s", STR_ARG(b->out->model->name), name);
    PassOptions options = {.dump_after = b->options->dump_after, .stop_after = b->options->stop_after,
                           .label = label.p, .time = b->options->time_passes, .verify = b->options->verify};
    if (!pass_run(&state, watch != NULL ? pipeline_watch : train ? pipeline_train : pipeline_inference, &options))
        return NULL;
    if (b->shared == NULL) {
        place_tensors(state.g, b->out);
        b->shared = state.g;
    }
    state.plan->g = state.g;
    *plan = state.plan;
    LoopProgram *program = lower_plan(b->arena, state.plan, b->target, str_of(name));
    const char *why = loop_verify(program, state.g->batch, b->arena);
    if (why != NULL) {
        Text text = {.arena = b->arena};
        loop_print(program, &text);
        fprintf(stderr, "%s" STR_FMT ": %s\n", text_str(&text).p, STR_ARG(label), why);
        ACT_BUG("the kernel generator wrote a program that breaks a rule");
    }
    if (program->work_bytes > b->out->work_bytes)
        b->out->work_bytes = program->work_bytes;
    return program;
}

static uint64_t flops_row(const LoopProgram *program, uint32_t batch)
{
    uint64_t flops = 0;
    for (uint32_t i = 0; i < program->kernels.n; i++)
        flops += program->kernels.at[i].flops_row + program->kernels.at[i].flops_fixed / batch;
    return flops;
}

/* Of the network and its shapes, not of the machine: what a checkpoint must agree with. */
static Str model_hash(Arena *arena, const Model *model)
{
    Text text = {.arena = arena};
    Graph any_batch = *model->graph;
    any_batch.batch = 1;
    graph_print(&any_batch, &text);
    return str_printf(arena, "%016llx", (unsigned long long)str_hash(text_str(&text)));
}

static void print_updates(const SxPool *sx, const char *which, const OptimizerUpdate *update, uint32_t n, Text *text)
{
    for (uint32_t i = 0; i < n; i++) {
        text_printf(text, "%s %u = ", which, update[i].target);
        sx_print(sx, update[i].value, text);
        text_printf(text, "\n");
    }
}

/* Optimizers, schedule, clipping and accumulation with all their numbers: a training goes on from a checkpoint only under the same. */
static Str recipe_hash(Arena *arena, const Model *model)
{
    const TrainUse *train = model->train;
    const SxPool *sx = model->graph->sx;
    Text text = {.arena = arena};
    if (train == NULL)
        return (Str){0};
    for (uint32_t i = 0; i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        for (uint32_t k = 0; k < use->group.n; k++)
            text_printf(&text, "for " STR_FMT "\n", STR_ARG(use->group.at[k]));
        for (uint32_t k = 0; k < use->state.n; k++)
            text_printf(&text, "state " STR_FMT " = %.17g\n", STR_ARG(use->state.at[k]), use->state_init.at[k]);
        print_updates(sx, "update", use->update.at, use->update.n, &text);
        print_updates(sx, "plain", use->update_plain.at, use->decay_matrices_only ? use->update_plain.n : 0, &text);
    }
    if (train->schedule)
        sx_print(sx, train->schedule, &text);
    text_printf(&text, "clip %.17g %.17g accumulate %u average %.17g\n", train->clip_norm, train->clip_value, train->accumulate,
                train->average_decay);
    return str_printf(arena, "%016llx", (unsigned long long)str_hash(text_str(&text)));
}

static bool build_model(Build *b, const Model *model)
{
    b->out->model = model;
    b->out->batch = model->graph->batch;
    b->shared = NULL;
    b->out->train_step = build_program(b, "train_step", true, NULL, is_trained, &b->out->train_plan);
    if (b->out->train_step == NULL)
        return false;
    b->out->graph = b->shared;
    b->out->forward = build_program(b, "forward", false, NULL, is_output, &b->out->forward_plan);
    b->out->evaluate = b->out->forward == NULL ? NULL : build_program(b, "evaluate", false, NULL, is_measured, &b->out->evaluate_plan);
    if (b->out->evaluate == NULL)
        return false;
    if (b->out->watch != NULL) {
        b->out->watch_step = build_program(b, "watch_step", true, b->out->watch, is_trained, &b->out->watch_plan);
        if (b->out->watch_step == NULL)
            return false;
    }
    b->out->schedule = model->train == NULL ? 0 : model->train->schedule;
    b->out->flops_forward = flops_row(b->out->forward, b->out->batch);
    b->out->flops_step = flops_row(b->out->train_step, b->out->batch);
    b->out->hash = model_hash(b->arena, model);
    b->out->recipe = recipe_hash(b->arena, model);
    return true;
}

Unit *unit_build(Arena *arena, const Program *program, const UnitOptions *options)
{
    Unit *unit = arena_new_of(arena, Unit);
    unit->arena = arena;
    unit->program = program;
    unit->target = options->target;
    for (uint32_t i = 0; i < program->models.n; i++) {
        if (program->models.at[i]->poisoned)
            continue;
        UnitModel *out = vec_push(arena, &unit->models);
        out->watch = options->watch == NULL ? NULL : options->watch[i];
        Build b = {.arena = arena, .options = options, .target = options->target, .program = program, .out = out};
        if (!build_model(&b, program->models.at[i]))
            return NULL;
    }
    return unit;
}
