#include "graph/eval.h"

/* Which nodes a root needs. Inputs have smaller numbers than their node, so one walk downward is enough. */
static bool *mark_needed(Arena *arena, const Graph *g)
{
    bool *needed = arena_array(arena, bool, g->nodes.n);
    for (uint32_t i = 0; i < g->roots.n; i++)
        needed[g->roots.at[i].node] = true;
    for (NodeId id = g->nodes.n - 1; id > 0; id--) {
        const Node *node = &g->nodes.at[id];
        for (uint32_t i = 0; needed[id] && i < node->n_in; i++)
            needed[node->in[i]] = true;
    }
    return needed;
}

size_t graph_value_count(const Graph *g, NodeId id, size_t rows)
{
    const Type *type = graph_type(g, id);
    return (size_t)type_elements(type) * (type->batch ? rows : 1);
}

double **graph_eval(Arena *arena, const Graph *g, const EvalEnv *env)
{
    bool *needed = mark_needed(arena, g);
    double **value = arena_array(arena, double *, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        if (!needed[id])
            continue;
        const Node *node = graph_node(g, id);
        const double **in = arena_array(arena, const double *, node->n_in ? node->n_in : 1);
        for (uint32_t i = 0; i < node->n_in; i++)
            in[i] = value[node->in[i]];
        size_t count = graph_value_count(g, id, env->rows);
        value[id] = arena_array(arena, double, count ? count : 1);
        EvalCall call = {.g = g, .node = node, .in = in, .out = value[id], .rows = env->rows, .env = env};
        node->op->eval(&call);
    }
    return value;
}
