/* softmax, log_softmax, logsumexp, pick, one_hot: layers over the classes of a row. */
#include "ops/layer.h"

/* Runs `op` along `axis`: the last one directly, another one by turning it to the end. */
static bool along(LayerCall *call, NodeId (*op)(Graph *, NodeId), bool drops)
{
    const Type type = *layer_type(call, 0);
    uint32_t axis;
    if (!layer_axis(call, 0, call->arg[0].i, type.rank, &axis) || !layer_real(call, 0))
        return false;
    NodeId x = call->value[0].value;
    if (axis == type.rank - 1)
        return layer_done(call, op(call->g, x));
    int64_t there[TYPE_MAX_RANK], back[TYPE_MAX_RANK];
    for (uint32_t i = 0, k = 0; i < type.rank; i++)
        if (i != axis)
            there[k++] = i;
    there[type.rank - 1] = axis;
    for (uint32_t i = 0; i < type.rank; i++)
        back[there[i]] = i;
    NodeId y = op(call->g, build_permute(call->g, x, type.rank, there));
    return layer_done(call, drops ? y : build_permute(call->g, y, type.rank, back));
}

static bool softmax(LayerCall *call) { return along(call, build_softmax, false); }
static bool log_softmax(LayerCall *call) { return along(call, build_log_softmax, false); }
static bool logsumexp(LayerCall *call) { return along(call, build_logsumexp, true); }

/* The one entry of the last axis at a literal index. */
static bool pick_literal(LayerCall *call)
{
    const Type *type = layer_type(call, 0);
    int64_t index = call->arg[0].i;
    if (type->rank == 0 || index < 0 || index >= type->dim[type->rank - 1]) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "there is no entry %lld in the last axis", (long long)index);
        if (type->rank > 0)
            diag_help(diag, "its entries are 0 to %u", type->dim[type->rank - 1] - 1);
        return false;
    }
    uint32_t last = type->rank - 1, dim[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < last; i++)
        dim[i] = type->dim[i];
    NodeId one = build_slice(call->g, call->value[0].value, last, index, index + 1);
    return layer_done(call, build_reshape(call->g, one, last, dim));
}

static bool pick(LayerCall *call)
{
    if (call->n_value == 1 && call->arg[0].kind == ARG_INT)
        return pick_literal(call);
    if (call->n_value == 1) {
        layer_error(call, "ACT1210", "missing_argument", 0, "`pick` needs an index for each row");
        return false;
    }
    NodeId x = call->value[0].value, index = call->value[1].value;
    Type row = *layer_type(call, 0);
    if (layer_type(call, 1)->dtype == DT_F32 && type_same_shape(&row, layer_type(call, 1)) &&
        row.rank) /* soft labels: their mean entry */
        return layer_done(call, build_sum_last(call->g, build_mul(call->g, x, index), false));
    row.rank -= row.rank > 0;
    if (layer_type(call, 0)->rank == 0 || !type_same_shape(&row, layer_type(call, 1))) {
        Diag *diag =
            layer_error(call, "ACT106", "target_shape", 0, "the prediction has shape " STR_FMT ", the target " STR_FMT,
                        STR_ARG(layer_shape(call, x)), STR_ARG(layer_shape(call, index)));
        diag_note(diag, "a target of classes has one index for each row; one of numbers has the prediction's shape");
        return false;
    }
    return layer_done(call, build_pick(call->g, x, index));
}

static bool one_hot(LayerCall *call)
{
    const Type *type = layer_type(call, 0);
    int64_t classes = call->arg[0].i;
    if (classes < 1 || type->rank == TYPE_MAX_RANK) {
        layer_error(call, "ACT1209", "wrong_argument", 0, "`one_hot` needs at least one class");
        return false;
    }
    return layer_done(call, build_one_hot(call->g, call->value[0].value, (uint32_t)classes));
}

#define AXIS {{.name = "axis", .kind = ARG_INT, .def = "-1", .doc = "the axis it runs along"}}

ACT_LAYER(softmax) = {
    .name = "softmax",
    .doc =
        "e^x over its sum along an axis: positive numbers that add up to one, computed after subtracting the maximum.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = AXIS,
    .build = softmax,
    .example = "model example {\n"
               "    input x : f32[64]\n"
               "    output y = x |> linear(10) |> softmax\n"
               "}\n",
};

ACT_LAYER(log_softmax) = {
    .name = "log_softmax",
    .doc = "The logarithm of softmax, computed without forming it.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = AXIS,
    .build = log_softmax,
    .example = "model example {\n"
               "    input x : f32[64]\n"
               "    target label : class(10)\n"
               "    loss nll(x |> linear(10) |> log_softmax, label)\n"
               "}\n",
};

ACT_LAYER(logsumexp) = {
    .name = "logsumexp",
    .doc = "log(sum(e^x)) along an axis, which it drops: a smooth maximum.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = AXIS,
    .build = logsumexp,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> logsumexp\n"
               "}\n",
};

ACT_LAYER(pick) = {
    .name = "pick",
    .doc = "The entry of the last axis at an index, one index for each row: `pick(logits, label)`.",
    .min_value = 1,
    .max_value = 2,
    .n_param = 1,
    .param = {{.name = "index", .kind = ARG_INT, .doc = "a fixed index, instead of a value", .optional = true}},
    .build = pick,
    .example = "model example {\n"
               "    input state : f32[4]\n"
               "    input action : token(2)\n"
               "    target value : f32\n"
               "    q = state |> linear(32) |> relu |> linear(2)\n"
               "    loss mse(pick(q, action), value)\n"
               "}\n",
};

ACT_LAYER(one_hot) = {
    .name = "one_hot",
    .doc = "An index as a vector of `classes` numbers with a one at its place.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "classes", .kind = ARG_INT, .doc = "the length of the vector"}},
    .build = one_hot,
    .example = "model example {\n"
               "    input word : token(500)[8]\n"
               "    output y = word |> one_hot(500) |> linear(16, bias = false)\n"
               "}\n",
};
