/* linear: every output a weighted sum of all inputs along the last axis, plus a bias. */
#include "ops/layer.h"

#include <string.h>

enum { FEATURES, WEIGHT, BIAS };

/* Is `value` a flattened image, possibly behind activations and dropout? Its (height, width, channels). */
static bool flattened(const Graph *g, NodeId value, uint32_t *flat)
{
    for (int steps = 0; steps < 32; steps++) {
        const Node *node = graph_node(g, value);
        NodeId from = 0;
        for (uint32_t i = 0; i < node->n_in && !from; i++)
            if (graph_type(g, node->in[i])->batch)
                from = node->in[i];
        if (!from || node->type.rank != 1)
            return false;
        const Type *in = graph_type(g, from);
        if (node->op->kind == OP_VIEW && in->rank == 3) {
            for (uint32_t i = 0; i < 3; i++)
                flat[i] = in->dim[i];
            return true;
        }
        bool along = node->op->kind == OP_MAP || node->op->kind == OP_COMPOSITE;
        if (!along || !type_same_shape(in, &node->type))
            return false;
        value = from;
    }
    return false;
}

static bool build(LayerCall *call)
{
    NodeId x = call->value[0].value;
    int64_t features = call->arg[FEATURES].i;
    if (features < 1) {
        diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[FEATURES].span,
                 "`linear` needs at least one feature");
        return false;
    }
    if (!layer_real(call, 0))
        return false;
    const Type *in = layer_type(call, 0);
    if (in->rank == 0) {
        Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0,
                                 "`linear` works along the last axis, and the value has none");
        diag_help(diag, "declare it as `f32[1]`");
        return false;
    }
    uint32_t k = in->dim[in->rank - 1], n = (uint32_t)features;
    uint32_t flat[TYPE_MAX_RANK] = {0}, shape[] = {k, n}, across[] = {n, k};
    bool image = flattened(call->g, x, flat);
    /* Of an image's pixels the inputs stay the first axis, whose order files give another way. */
    bool turned = n < LAYER_NARROW && n < k && !image && call->arg[WEIGHT].kind == ARG_INIT;
    Tensor weight = {.type = type_make(DT_F32, false, 2, turned ? across : shape), .fan_in = k, .fan_out = n, .weight = true,
                     .turned = turned};
    weight.file_axis[0] = !turned;
    weight.file_axis[1] = turned;
    if (image) {
        memcpy(weight.flat, flat, sizeof flat);
        weight.flat_rank = 3;
    }
    NodeId w = call->param(call, &weight, "weight", &call->arg[WEIGHT]);
    if (!w)
        return false;
    /* A weight of somebody else, tied or shared, lies as that one has it: an embedding's table is turned. */
    uint32_t index;
    if (call->arg[WEIGHT].kind != ARG_VALUE && build_is_tensor(graph_node(call->g, w), &index))
        turned = call->g->tensors.at[index].file_axis[0] == 0;
    NodeId y = build_contract(call->g, turned ? CONTRACT_NT : CONTRACT_NN, x, w);
    if (call->arg[BIAS].kind == ARG_FLAG)
        return layer_done(call, y);
    Tensor bias = {.type = type_make(DT_F32, false, 1, &n), .fan_in = k, .fan_out = n};
    NodeId b = call->param(call, &bias, "bias", &call->arg[BIAS]);
    return b && layer_done(call, build_add(call->g, y, b));
}

ACT_LAYER(linear) = {
    .name = "linear",
    .doc = "Every output is a weighted sum of all inputs along the last axis, plus a bias: x W + b.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 3,
    .param = {{.name = "features", .kind = ARG_INT, .doc = "how many numbers come out"},
              {.name = "weight",
               .kind = ARG_INIT,
               .def = "auto",
               .doc = "how the weights start, or weights to use",
               .named_only = true},
              {.name = "bias",
               .kind = ARG_INIT,
               .def = "zeros",
               .doc = "how the bias starts; `false` leaves it out",
               .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[28, 28, 1]\n"
               "    output y = x |> flatten |> linear(128)\n"
               "}\n",
};
