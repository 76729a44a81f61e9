/* Gradients of a graph's losses against central differences of fourth order in the double interpreter. */
#ifndef ACT_TESTS_DIFFERENCES_H
#define ACT_TESTS_DIFFERENCES_H

#include "ops/build.h"
#include "programs.h"

/* Inputs become parameters: everything of type float is differentiated. */
static inline void differences_train_all(Graph *g)
{
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        Tensor *tensor = &g->tensors.at[t];
        if (tensor->type.dtype != DT_F32 || tensor->role == ROLE_STATE)
            continue;
        tensor->trainable = true;
    }
}

static inline double differences_loss(Arena *arena, const Graph *g, double **value, size_t rows)
{
    EvalEnv env = programs_env(value, rows);
    double **at = graph_eval(arena, g, &env);
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_LOSS)
            return at[g->roots.at[i].node][0];
    fail_msg("there is no loss");
    return 0;
}

static inline void differences_check(Graph *g, Arena *arena, const char *what, uint32_t every)
{
    enum { ROWS = 3 };
    differences_train_all(g);
    PassState state = {.arena = arena, .g = g, .train = true};
    pass_gradient.run(&state);
    pass_expand.run(&state);
    double **value = programs_values(arena, state.g, ROWS, 11);
    EvalEnv env = programs_env(value, ROWS);
    double **at = graph_eval(arena, state.g, &env);
    uint32_t checked = 0;
    for (uint32_t i = 0; i < state.g->roots.n; i++) {
        const Root *root = &state.g->roots.at[i];
        if (root->kind != ROOT_UPDATE)
            continue;
        double *x = value[root->index];
        size_t count = (size_t)type_elements(&state.g->tensors.at[root->index].type) *
                       (state.g->tensors.at[root->index].type.batch ? ROWS : 1);
        for (size_t e = 0; e < count; e += every) {
            double keep = x[e], h = 1e-5, g4[4];
            for (int k = 0; k < 4; k++) {
                x[e] = keep + h * (k < 2 ? k - 2 : k - 1); /* -2 -1 1 2: fourth order */
                g4[k] = differences_loss(arena, state.g, value, ROWS);
            }
            x[e] = keep;
            double want = (g4[0] - 8 * g4[1] + 8 * g4[2] - g4[3]) / (12 * h), got = at[root->node][e];
            double one_sided = fabs((g4[2] - g4[1]) / (2 * h) - (g4[3] - g4[0]) / (4 * h));
            if (one_sided > 1e-4 * fmax(1, fabs(want)))
                continue; /* a kink within the step */
            if (!(fabs(got - want) <= 1e-6 * fmax(1, fabs(want))))
                fail_msg("%s: tensor %u element %zu: gradient %.12g, differences %.12g", what, root->index, e, got, want);
            checked++;
        }
    }
    assert_true(checked > 0);
}

#endif
