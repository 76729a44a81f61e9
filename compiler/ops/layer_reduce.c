/* sum, mean, max over axes of a value; without `axis` over all of them, for each sample. */
#include "ops/layer.h"

static bool axes_of(LayerCall *call, uint32_t *axes, double *count)
{
    const Type *type = layer_type(call, 0);
    const LayerArg *arg = &call->arg[0];
    *axes = 0;
    if (arg->kind == ARG_NONE) {
        *axes = (1u << type->rank) - 1;
    } else {
        for (uint32_t i = 0; i < arg->dims.n; i++) {
            uint32_t axis;
            if (!layer_axis(call, 0, arg->dims.at[i], type->rank, &axis))
                return false;
            if (*axes >> axis & 1) {
                Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", arg->span,
                                      "axis %u is named twice", axis);
                diag_label(diag, call->value[0].span, "this has shape " STR_FMT,
                           STR_ARG(layer_shape(call, call->value[0].value)));
                return false;
            }
            *axes |= 1u << axis;
        }
    }
    *count = 1;
    for (uint32_t i = 0; i < type->rank; i++)
        *count *= *axes >> i & 1 ? type->dim[i] : 1;
    return layer_real(call, 0);
}

static bool reduce(LayerCall *call, ReduceOp op, bool mean)
{
    uint32_t axes;
    double count;
    if (!axes_of(call, &axes, &count))
        return false;
    NodeId y = call->value[0].value;
    if (axes)
        y = build_reduce(call->g, op, y, axes, false, call->arg[1].flag);
    return layer_done(call, mean && count > 1 ? build_scale(call->g, y, 1 / count) : y);
}

static bool sum(LayerCall *call) { return reduce(call, REDUCE_SUM, false); }
static bool mean(LayerCall *call) { return reduce(call, REDUCE_SUM, true); }
static bool max(LayerCall *call) { return reduce(call, REDUCE_MAX, false); }

#define PARAMS                                                                                                         \
    {                                                                                                                  \
        {.name = "axis", .kind = ARG_DIMS, .doc = "the axis, or several; all when it is not given", .optional = true}, \
        {                                                                                                              \
            .name = "keep", .kind = ARG_FLAG, .def = "false", .doc = "the axes stay, with size 1", .named_only = true  \
        }                                                                                                              \
    }

ACT_LAYER(sum) = {
    .name = "sum",
    .doc = "The sum along axes of a value; inside a loss, and without `axis`, over the batch too.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = PARAMS,
    .build = sum,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> sum(axis = 0)\n"
               "}\n",
};

ACT_LAYER(mean) = {
    .name = "mean",
    .doc = "The mean along axes of a value; inside a loss, and without `axis`, over the batch too.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = PARAMS,
    .build = mean,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> mean(axis = 0)\n"
               "}\n",
};

ACT_LAYER(max) = {
    .name = "max",
    .doc = "The greatest number along axes of a value.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = PARAMS,
    .build = max,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> max(axis = 0)\n"
               "}\n",
};
