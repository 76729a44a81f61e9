/* A few ops small enough to be obviously right, for the tests of the graph floor: the real ones live a floor higher. */
#ifndef ACT_TEST_TINY_H
#define ACT_TEST_TINY_H

#include "graph/eval.h"

#include <string.h>

/* leaf {tensor}: a tensor's value. */
static const char *leaf_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = g->tensors.at[node_attr(node, 0)->i].type;
    return NULL;
}

static void leaf_eval(const EvalCall *call)
{
    size_t count = (size_t)type_elements(&call->node->type) * (call->node->type.batch ? call->rows : 1);
    memcpy(call->out, call->env->tensor[node_attr(call->node, 0)->i], count * sizeof(double));
}

static const Op tiny_leaf = {.name = "leaf", .kind = OP_LEAF, .n_attr = 1, .attr = {{"tensor", ATTR_INT}},
                             .infer = leaf_infer, .eval = leaf_eval};

/* map {fn}: an expression over inputs of the same shape, or without batch and axes. */
static const char *map_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    for (uint32_t i = 1; i < node->n_in; i++)
        if (!type_broadcast(out, graph_type(g, node->in[i]), out))
            return "the shapes do not broadcast";
    out->dtype = DT_F32;
    return NULL;
}

static void map_eval(const EvalCall *call)
{
    size_t count = (size_t)type_elements(&call->node->type) * (call->node->type.batch ? call->rows : 1);
    double arg[8];
    for (size_t k = 0; k < count; k++) {
        for (uint32_t i = 0; i < call->node->n_in; i++) {
            const Type *type = graph_type(call->g, call->node->in[i]);
            arg[i] = call->in[i][type_same_shape(type, &call->node->type) ? k : 0];
        }
        call->out[k] = sx_eval(call->g->sx, node_attr(call->node, 0)->sx, arg);
    }
}

static const Op tiny_map = {.name = "map", .kind = OP_MAP, .min_in = 1, .max_in = 8, .n_attr = 1,
                            .attr = {{"fn", ATTR_SX}}, .infer = map_infer, .eval = map_eval};

/* total: the sum of everything. */
static const char *total_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)g, (void)node, (void)arena;
    *out = type_scalar();
    return NULL;
}

static void total_eval(const EvalCall *call)
{
    const Type *type = graph_type(call->g, call->node->in[0]);
    size_t count = (size_t)type_elements(type) * (type->batch ? call->rows : 1);
    for (size_t k = 0; k < count; k++)
        call->out[0] += call->in[0][k];
}

static const Op tiny_total = {.name = "total", .kind = OP_REDUCE, .min_in = 1, .max_in = 1, .infer = total_infer,
                              .eval = total_eval};

/* mixed {count, scale, word, shape, fn}: one attribute of every kind; a value of that shape. */
static const char *mixed_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)g;
    const Dims *shape = &node_attr(node, 3)->dims;
    Type type = {.batch = true, .rank = shape->n};
    for (uint32_t i = 0; i < shape->n; i++) {
        if (shape->at[i] < 1 || shape->at[i] > 1000)
            return str_printf(arena, "axis %u of size %lld", i, (long long)shape->at[i]).p;
        type.dim[i] = (uint32_t)shape->at[i];
    }
    *out = type;
    return NULL;
}

static void mixed_eval(const EvalCall *call)
{
    size_t count = (size_t)type_elements(&call->node->type) * call->rows;
    for (size_t k = 0; k < count; k++)
        call->out[k] = node_attr(call->node, 1)->f;
}

static const Op tiny_mixed = {
    .name = "mixed",
    .kind = OP_LEAF,
    .n_attr = 5,
    .attr = {{"count", ATTR_INT}, {"scale", ATTR_REAL}, {"word", ATTR_STR}, {"shape", ATTR_DIMS}, {"fn", ATTR_SX}},
    .infer = mixed_infer,
    .eval = mixed_eval};

static inline const Op *tiny_find(Str name)
{
    const Op *ops[] = {&tiny_leaf, &tiny_map, &tiny_total, &tiny_mixed};
    for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_is(name, ops[i]->name))
            return ops[i];
    return NULL;
}

#endif
