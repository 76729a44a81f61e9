/* flatten, reshape, permute: the same numbers under another shape. */
#include "ops/layer.h"

static bool flatten(LayerCall *call)
{
    uint64_t elements = type_elements(layer_type(call, 0));
    uint32_t dim = (uint32_t)elements;
    return layer_done(call, build_reshape(call->g, call->value[0].value, 1, &dim));
}

static bool reshape(LayerCall *call)
{
    const Dims *dims = &call->arg[0].dims;
    uint64_t have = type_elements(layer_type(call, 0)), product = 1;
    int free_axis = -1;
    uint32_t dim[TYPE_MAX_RANK] = {0};
    for (uint32_t i = 0; i < dims->n; i++) {
        if (dims->at[i] == -1 && free_axis < 0) {
            free_axis = (int)i;
            continue;
        }
        if (dims->at[i] < 1) {
            diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[0].span,
                     "a size is at least 1, and one of them may be -1");
            return false;
        }
        dim[i] = (uint32_t)dims->at[i];
        product = product > INT32_MAX ? product : product * dim[i];
    }
    if (free_axis >= 0 && product <= have && have % product == 0) {
        dim[free_axis] = (uint32_t)(have / product);
        product = have;
    }
    if (product != have) {
        Text text = {.arena = call->arena};
        for (uint32_t i = 0; i < dims->n; i++)
            text_printf(&text, "%s%lld", i ? " x " : "", (long long)dims->at[i]);
        if (free_axis < 0 && product <= INT32_MAX)
            text_printf(&text, " = %llu", (unsigned long long)product);
        Diag *diag = layer_error(call, "ACT103", "reshape_count", 0, "%llu numbers can't be arranged as " STR_FMT,
                                 (unsigned long long)have, STR_ARG(text_str(&text)));
        diag_help(diag, "the product of the sizes must be %llu", (unsigned long long)have);
        return false;
    }
    return layer_done(call, build_reshape(call->g, call->value[0].value, dims->n, dim));
}

static bool permute(LayerCall *call)
{
    const Dims *dims = &call->arg[0].dims;
    const Type *type = layer_type(call, 0);
    int64_t axes[TYPE_MAX_RANK];
    uint32_t seen = 0;
    for (uint32_t i = 0; i < dims->n; i++) {
        uint32_t axis;
        if (!layer_axis(call, 0, dims->at[i], type->rank, &axis))
            return false;
        axes[i] = axis;
        seen |= 1u << axis;
    }
    if (dims->n != type->rank || seen != (1u << type->rank) - 1) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "`permute` names each of the %u axes once",
                                 type->rank);
        if (type->rank > 1) { /* the last two turned, as an example of a whole list */
            Text text = {.arena = call->arena};
            for (uint32_t i = 0; i < type->rank; i++)
                text_printf(&text, "%s%u", i ? ", " : "", i + 2 < type->rank ? i : 2 * type->rank - 3 - i);
            diag_help(diag, "`permute(" STR_FMT ")` turns the last two", STR_ARG(text_str(&text)));
        }
        return false;
    }
    return layer_done(call, build_permute(call->g, call->value[0].value, dims->n, axes));
}

ACT_LAYER(flatten) = {
    .name = "flatten",
    .doc = "All numbers of a sample as one row; (height, width, channels) in this order.",
    .min_value = 1,
    .max_value = 1,
    .build = flatten,
    .example = "model example {\n"
               "    input x : f32[28, 28, 1]\n"
               "    output y = x |> flatten\n"
               "}\n",
};

ACT_LAYER(reshape) = {
    .name = "reshape",
    .doc = "The same numbers, in the same order, under another shape. One size may be -1: what the others leave.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "shape", .kind = ARG_DIMS, .doc = "the sizes, without the batch", .variadic = true}},
    .build = reshape,
    .example = "model example {\n"
               "    input x : f32[784]\n"
               "    output y = x |> reshape(28, -1, 1)\n"
               "}\n",
};

ACT_LAYER(permute) = {
    .name = "permute",
    .doc = "The axes in another order: `permute(1, 0)` turns a matrix.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "axes", .kind = ARG_DIMS, .doc = "which axis comes where", .variadic = true}},
    .build = permute,
    .example = "model example {\n"
               "    input x : f32[64, 48]\n"
               "    output y = x |> permute(1, 0)\n"
               "}\n",
};
