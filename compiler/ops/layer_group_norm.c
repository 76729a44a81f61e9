/* group_norm, instance_norm: channels by the mean and deviation they have over the positions of their own sample. */
#include "ops/norm.h"

enum { GROUPS, EPS, WEIGHT, BIAS };         /* of group_norm */
enum { INSTANCE_EPS, INSTANCE_WEIGHT, INSTANCE_BIAS };

/* "1, 2, 4, 8" */
static Str divisors(Arena *arena, uint32_t n)
{
    Text text = {.arena = arena};
    for (uint32_t i = 1; i <= n; i++)
        if (n % i == 0)
            text_printf(&text, "%s%u", i == 1 ? "" : i == n ? " or " : ", ", i);
    return text_str(&text);
}

static bool divides(LayerCall *call)
{
    int64_t groups = call->arg[GROUPS].i;
    uint32_t channels = (uint32_t)type_last(layer_type(call, 0));
    if (groups >= 1 && channels % groups == 0)
        return true;
    Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT505", "group_divisibility", call->arg[GROUPS].span,
                          "%u channels cannot be divided into %lld equal groups", channels, (long long)groups);
    if (call->value[0].span.source)
        diag_label(diag, call->value[0].span, "this has shape " STR_FMT,
                   STR_ARG(layer_shape(call, call->value[0].value)));
    diag_help(diag, "with %u channels there are " STR_FMT " groups", channels, STR_ARG(divisors(call->arena, channels)));
    return false;
}

/* [positions …, channels] as [positions, groups, channels of a group]. */
static NodeId grouped(LayerCall *call, uint32_t groups)
{
    Graph *g = call->g;
    NodeId x = call->value[0].value;
    Type type = *graph_type(g, x);
    uint32_t channels = (uint32_t)type_last(&type);
    uint32_t dim[3] = {(uint32_t)(type_elements(&type) / channels), groups, channels / groups};
    NodeId y = build_standardize(g, build_reshape(g, x, 3, dim), 1u << 0 | 1u << 2, true, call->arg[EPS].f);
    return build_reshape(g, y, type.rank, type.dim);
}

static bool group_norm(LayerCall *call)
{
    if (!norm_fits(call, EPS) || !divides(call))
        return false;
    NodeId y = norm_affine(call, grouped(call, (uint32_t)call->arg[GROUPS].i), WEIGHT, BIAS);
    return y && layer_done(call, y);
}

static bool instance_norm(LayerCall *call)
{
    if (!norm_fits(call, INSTANCE_EPS))
        return false;
    uint32_t positions = (1u << (layer_type(call, 0)->rank - 1)) - 1;
    NodeId y = build_standardize(call->g, call->value[0].value, positions, true, call->arg[INSTANCE_EPS].f);
    y = norm_affine(call, y, INSTANCE_WEIGHT, INSTANCE_BIAS);
    return y && layer_done(call, y);
}

ACT_LAYER(group_norm) = {
    .name = "group_norm",
    .doc = "Divides the channels (the last axis) into groups, takes from each group its mean over all positions of the sample "
           "and divides by its deviation, then scales and shifts every channel. It does not look at the batch.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 4,
    .param = {{.name = "groups", .kind = ARG_INT, .doc = "how many groups; a divisor of the channels"},
              NORM_EPS("1e-5"), NORM_WEIGHT("ones"), NORM_BIAS("zeros")},
    .weighted = true,
    .build = group_norm,
    .example = "model example {\n"
               "    input x : f32[8, 8, 16]\n"
               "    output y = x |> linear(32) |> group_norm(8) |> relu |> mean(axis = (0, 1)) |> linear(10)\n"
               "}\n",
};

ACT_LAYER(instance_norm) = {
    .name = "instance_norm",
    .doc = "Takes from every channel (the last axis) its mean over the positions of the sample and divides by its deviation. "
           "It has no weights unless they are asked for: `weight = ones, bias = zeros`.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 3,
    .param = {NORM_EPS("1e-5"), NORM_WEIGHT("false"), NORM_BIAS("false")},
    .weighted = true,
    .build = instance_norm,
    .example = "model example {\n"
               "    input x : f32[8, 8, 16]\n"
               "    output y = x |> linear(32) |> instance_norm |> relu |> mean(axis = (0, 1)) |> linear(10)\n"
               "}\n",
};
