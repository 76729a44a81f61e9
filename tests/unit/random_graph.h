/* Random networks as graphs, for comparing compiled code with the interpreter: chains and branches of products, activations,
 * normalising rows, residual sums, cuts and joins, under every loss; odd widths on purpose. */
#ifndef ACT_TESTS_RANDOM_GRAPH_H
#define ACT_TESTS_RANDOM_GRAPH_H

#include "ops/build.h"
#include "programs.h"

typedef struct RandomGraph {
    Graph *g;
    uint64_t state;
    uint32_t streams;
} RandomGraph;

static inline uint32_t random_below(RandomGraph *r, uint32_t n) { return (uint32_t)(programs_uniform(&r->state) * n) % n; }

static inline uint32_t random_width(RandomGraph *r)
{
    static const uint32_t width[] = {1, 2, 3, 5, 7, 10, 13, 16, 17, 31, 32, 33, 47, 64, 65, 97};
    return width[random_below(r, sizeof width / sizeof width[0])];
}

static inline uint32_t random_tensor(RandomGraph *r, const char *name, Role role, Type type, uint32_t classes)
{
    Tensor t = {.role = role, .type = type, .classes = classes, .low = 1, .high = 0, .trainable = role == ROLE_PARAM};
    t.name = str_printf(r->g->arena, "%s%u", name, r->g->tensors.n);
    t.fill = (Fill){FILL_NORMAL, 0, 0.3};
    for (uint32_t i = 0; i < TYPE_MAX_RANK; i++)
        t.file_axis[i] = i;
    return graph_tensor_add(r->g, &t);
}

static inline NodeId random_linear(RandomGraph *r, NodeId x, uint32_t out)
{
    Graph *g = r->g;
    uint32_t in = (uint32_t)type_last(graph_type(g, x));
    NodeId w = build_tensor(g, random_tensor(r, "w", ROLE_PARAM, (Type){DT_F32, false, 2, {in, out}}, 0));
    NodeId b = build_tensor(g, random_tensor(r, "b", ROLE_PARAM, (Type){DT_F32, false, 1, {out}}, 0));
    NodeId scaled = build_scale(g, build_contract(g, CONTRACT_NN, x, w), 1 / sqrt((double)in));
    return random_below(r, 4) ? build_add(g, scaled, b) : scaled;
}

static inline NodeId random_activation(RandomGraph *r, NodeId x)
{
    SxPool *sx = r->g->sx;
    Sx a = sx_arg(sx, 0), one = sx_num(sx, 1), half = sx_num(sx, 0.5);
    Sx choice[] = {
        sx_bin(sx, SX_MAX, a, sx_num(sx, 0)), sx_un(sx, SX_TANH, a), sx_un(sx, SX_SIGMOID, a),
        sx_mul(sx, a, sx_un(sx, SX_SIGMOID, a)),
        sx_mul(sx, sx_mul(sx, half, a), sx_add(sx, one, sx_un(sx, SX_ERF, sx_mul(sx, a, sx_num(sx, M_SQRT1_2))))),
        sx_add(sx, sx_bin(sx, SX_MAX, a, sx_num(sx, 0)), sx_un(sx, SX_LOG1P, sx_un(sx, SX_EXP, sx_neg(sx, sx_un(sx, SX_ABS, a))))),
        sx_select(sx, sx_bin(sx, SX_LT, sx_num(sx, 0), a), a, sx_un(sx, SX_EXPM1, sx_bin(sx, SX_MIN, a, sx_num(sx, 0)))),
        sx_div(sx, a, sx_add(sx, one, sx_un(sx, SX_ABS, a)))};
    return build_map(r->g, choice[random_below(r, sizeof choice / sizeof choice[0])], &x, 1);
}

static inline NodeId random_step(RandomGraph *r, NodeId x)
{
    Graph *g = r->g;
    const Type type = *graph_type(g, x);
    uint32_t last = (uint32_t)type_last(&type), axis = type.rank - 1;
    switch (random_below(r, 10)) {
    case 0: return build_add(g, x, random_activation(r, random_linear(r, x, last)));
    case 1: return build_mul(g, x, build_softmax(g, x));
    case 2: return build_dropout(g, x, 0.3, r->streams++, 0);
    case 3: {
        NodeId y = random_activation(r, random_linear(r, x, random_width(r)));
        return build_concat(g, (NodeId[]){x, y, x}, 3, axis);
    }
    case 4: return last > 3 ? build_slice(g, x, axis, 1, last - 1) : x;
    case 5: return build_sub(g, x, build_scale(g, build_sum_last(g, x, true), 1.0 / last));
    case 6: {
        NodeId w = build_tensor(g, random_tensor(r, "s", ROLE_PARAM, (Type){DT_F32, false, 1, {last}}, 0));
        return build_mul(g, build_map1(g, SX_TANH, x), w);
    }
    case 7: return build_log_softmax(g, x);
    default: return random_activation(r, random_linear(r, x, random_width(r)));
    }
}

static inline NodeId random_mean(Graph *g, NodeId per_row)
{
    double elements = (double)type_elements(graph_type(g, per_row));
    SxPool *sx = g->sx;
    Sx count = sx_mul(sx, sx_arg(sx, 2), sx_num(sx, elements));
    return build_div(g, build_sum_all(g, per_row), build_uniform(g, count));
}

/* A network with a loss and an output; seed says all. */
static inline Graph *random_graph(Arena *arena, uint64_t seed)
{
    RandomGraph r = {.g = graph_new(arena, sx_pool_new(arena), STR("random"), 128), .state = seed * 2654435761u + 12345};
    Graph *g = r.g;
    bool sequence = random_below(&r, 5) == 0;
    Type in = {DT_F32, true, 1, {random_width(&r)}};
    if (sequence)
        in = (Type){DT_F32, true, 2, {3, random_width(&r)}};
    NodeId x = build_tensor(g, random_tensor(&r, "x", ROLE_INPUT, in, 0));
    x = random_linear(&r, x, random_width(&r));
    for (uint32_t i = 0, n = 1 + random_below(&r, 4); i < n; i++)
        x = random_step(&r, x);
    if (sequence && random_below(&r, 2))
        x = build_reduce(g, random_below(&r, 2) ? REDUCE_SUM : REDUCE_MAX, x, 1, false, false);
    uint32_t classes = 2 + random_below(&r, 20);
    NodeId logits = random_linear(&r, x, classes), loss;
    Type row = *graph_type(g, logits);
    if (random_below(&r, 2)) {
        Type label = row;
        label.dtype = DT_I32;
        label.rank--;
        NodeId y = build_tensor(g, random_tensor(&r, "label", ROLE_TARGET, label, classes));
        loss = random_mean(g, build_sub(g, build_logsumexp(g, logits), build_pick(g, logits, y)));
        graph_root_add(g, ROOT_OUTPUT, build_softmax(g, logits), 0, STR("p"));
    } else {
        NodeId y = build_tensor(g, random_tensor(&r, "y", ROLE_TARGET, row, 0));
        SxPool *sx = g->sx;
        NodeId in2[2] = {logits, y};
        loss = random_mean(g, build_map(g, sx_powi(sx, sx_sub(sx, sx_arg(sx, 0), sx_arg(sx, 1)), 2), in2, 2));
        graph_root_add(g, ROOT_OUTPUT, logits, 0, STR("y"));
    }
    graph_root_add(g, ROOT_LOSS, loss, 0, STR("loss"));
    graph_root_add(g, ROOT_PREDICTION, logits, 0, STR("logits"));
    return g;
}

#endif
