/* unit_length: each row over its length. An op with its gradient and meaning, and the layer of the same name. */
#include "ops/build.h"
#include "ops/index.h"
#include "ops/layer.h"

#include <math.h>

ACT_OP(unit_length);

static const double LEAST = 1e-12; /* added to the squared length, so that a row of zeros stays one */

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    return out->rank < 1 ? "it needs an axis to run over" : NULL;
}

static void eval(const EvalCall *call)
{
    const Type *in = graph_type(call->g, call->node->in[0]);
    size_t n = (size_t)type_last(in), rows = index_count(in, call->rows) / n;
    for (size_t r = 0; r < rows; r++) {
        double square = LEAST;
        for (size_t i = 0; i < n; i++)
            square += call->in[0][r * n + i] * call->in[0][r * n + i];
        for (size_t i = 0; i < n; i++)
            call->out[r * n + i] = call->in[0][r * n + i] / sqrt(square);
    }
}

/* x / sqrt(sum x² + LEAST), from ops that lower */
static NodeId over_length(Graph *g, NodeId x, NodeId square_of)
{
    SxPool *sx = g->sx;
    NodeId square = build_sum_last(g, build_mul(g, square_of, square_of), true);
    Sx length = sx_un(sx, SX_SQRT, sx_add(sx, sx_arg(sx, 1), sx_num(sx, LEAST)));
    return build_map(g, sx_div(sx, sx_arg(sx, 0), length), (NodeId[]){x, square}, 2);
}

static NodeId expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)node, (void)train;
    return over_length(to, in[0], in[0]);
}

/* (dy - y sum(dy y)) / length */
static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    NodeId x = graph_node(g, self)->in[0], along = build_sum_last(g, build_mul(g, dy, self), true);
    grad->add(grad, x, over_length(g, build_sub(g, dy, build_mul(g, self, along)), x));
}

static bool build(LayerCall *call)
{
    return layer_real(call, 0) && layer_done(call, graph_add(call->g, &op_unit_length, &call->value[0].value, 1, NULL));
}

ACT_OP(unit_length) = {
    .name = "unit_length",
    .doc = "Each row over its length.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .expand = expand,
};

ACT_LAYER(unit_length) = {
    .name = "unit_length",
    .doc = "Each row over its length: only directions are left.",
    .min_value = 1,
    .max_value = 1,
    .build = build,
};
