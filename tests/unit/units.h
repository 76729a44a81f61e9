/* Whole units against the interpreter: every program's loop programs, as they would be compiled, run in double and
 * compared with the graphs they were made from. */
#ifndef ACT_TESTS_UNITS_H
#define ACT_TESTS_UNITS_H

#include "kernel/unit.h"
#include "programs.h"

/* A root differs when an element is further off than rounding of the values on the way explains. */
static inline bool units_differ(const Graph *g, const ProgramsCall *call, const Root *root, const double *want,
                                size_t rows, double most)
{
    size_t count = graph_value_count(g, root->node, rows);
    double scale = 0;
    for (size_t e = 0; e < count; e++)
        if (isfinite(want[e]) && fabs(want[e]) > scale)
            scale = fabs(want[e]);
    for (size_t e = 0; e < count; e++) {
        double got = programs_result(g, call, root, e);
        if (isnan(got) != isnan(want[e]))
            return true;
        if (!isnan(got) && fabs(want[e]) < 1e37 && !(fabs(got - want[e]) <= most * (scale + 1e-3)))
            return true;
    }
    return false;
}

static inline const char *units_compare(Arena *arena, const Graph *g, const LoopProgram *program, uint64_t work,
                                        double **value, double **want, size_t rows, unsigned kinds, double most)
{
    ProgramsCall *call = programs_call(arena, g, work, value, rows);
    loop_run(program, &call->memory, arena);
    for (uint32_t k = 0; k < g->roots.n; k++) {
        const Root *root = &g->roots.at[k];
        if ((kinds >> root->kind & 1) && units_differ(g, call, root, want[root->node], rows, most))
            return str_printf(arena, STR_FMT ".%s: root %u (\"" STR_FMT "\") is off at n = %zu: %g for %g",
                              STR_ARG(g->name), program->name.p, k, STR_ARG(root->name), rows,
                              programs_result(g, call, root, 0), want[root->node][0])
                .p;
    }
    return NULL;
}

/* The same values, each off in the seventh place: what then comes out differently depends on rounding alone. */
static inline double **units_shaken(Arena *arena, const Graph *g, double **value, size_t rows)
{
    double **out = arena_array(arena, double *, g->tensors.n + 1);
    uint64_t state = 99;
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        const Tensor *tensor = &g->tensors.at[t];
        size_t count = (size_t)type_elements(&tensor->type) * (tensor->type.batch ? rows : 1);
        out[t] = arena_array(arena, double, count + 1);
        for (size_t i = 0; i < count; i++)
            out[t][i] = tensor->type.dtype == DT_I32 ? value[t][i]
                                                     : value[t][i] * (1 + 1e-6 * (programs_uniform(&state) - 0.5));
    }
    return out;
}

/* Is every wanted value well determined, and made of numbers that a float can hold? */
static inline bool units_steady(Arena *arena, const Graph *g, double **value, double **want, size_t rows, double most)
{
    double **shaken = units_shaken(arena, g, value, rows);
    EvalEnv env = programs_env(shaken, rows);
    double **other = graph_eval(arena, g, &env);
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (size_t e = 0; other[id] && e < graph_value_count(g, id, rows); e++)
            if (!(fabs(other[id][e]) < 1e30))
                return false;
    for (uint32_t k = 0; k < g->roots.n; k++) {
        NodeId id = g->roots.at[k].node;
        size_t count = graph_value_count(g, id, rows);
        double scale = 0;
        for (size_t e = 0; e < count; e++)
            scale = fmax(scale, fabs(want[id][e]));
        for (size_t e = 0; e < count; e++)
            if (!(fabs(other[id][e] - want[id][e]) <= 0.1 * most * (scale + 1e-3)))
                return false;
    }
    return true;
}

/* The training step before any pass but the gradients and the updates has touched it. */
static inline Graph *units_train_graph(Arena *arena, const Model *model, const Target *target)
{
    PassState state = programs_start(arena, model, model->graph, true, target);
    PassOptions options = {.stop_after = "expand", .verify = true};
    pass_run(&state, pipeline_train, &options);
    return state.g;
}

/* NULL, or what is wrong with a model's three programs. Values that rounding throws off are no fault. */
static inline const char *units_check_model(Arena *arena, const UnitModel *unit, const Target *target, size_t rows,
                                            double most)
{
    Graph g = *unit->model->graph, train = *units_train_graph(arena, unit->model, target);
    if (train.tensors.n != unit->graph->tensors.n)
        return "the unit has other tensors";
    g.tensors.at = train.tensors.at = unit->graph->tensors.at; /* where they lie */
    double **value = programs_values(arena, &train, rows, 5);
    EvalEnv env = programs_env(value, rows);
    double **want = graph_eval(arena, &g, &env);
    const char *why =
        units_compare(arena, &g, unit->forward, unit->work_bytes, value, want, rows, 1u << ROOT_OUTPUT, most);
    if (!why)
        why = units_compare(arena, &g, unit->evaluate, unit->work_bytes, value, want, rows,
                            1u << ROOT_LOSS | 1u << ROOT_PREDICTION, most);
    if (why)
        return units_steady(arena, &g, value, want, rows, most) ? why : NULL;
    want = graph_eval(arena, &train, &env);
    why = units_compare(arena, &train, unit->train_step, unit->work_bytes, value, want, rows,
                        1u << ROOT_LOSS | 1u << ROOT_UPDATE, most);
    return why && units_steady(arena, &train, value, want, rows, most) ? why : NULL;
}

#endif
