/* layer_norm, rms_norm: the features of each position, by their own mean and deviation. */
#include "ops/norm.h"

enum { EPS, WEIGHT, BIAS };

static bool build_rows_norm(LayerCall *call, bool centre)
{
    if (!norm_fits(call, EPS))
        return false;
    uint32_t last = 1u << (layer_type(call, 0)->rank - 1);
    NodeId y = build_standardize(call->g, call->value[0].value, last, centre, call->arg[EPS].f);
    y = norm_affine(call, y, WEIGHT, centre ? BIAS : LAYER_MAX_PARAM);
    return y && layer_done(call, y);
}

static bool layer_norm(LayerCall *call) { return build_rows_norm(call, true); }
static bool rms_norm(LayerCall *call) { return build_rows_norm(call, false); }

ACT_LAYER(layer_norm) = {
    .name = "layer_norm",
    .doc = "Takes from the features of every position (the last axis) their mean and divides by their deviation, then "
           "scales and shifts each. It does the same in training and in inference, whatever the batch.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 3,
    .param = {NORM_EPS("1e-5"), NORM_WEIGHT("ones"), NORM_BIAS("zeros")},
    .weighted = true,
    .build = layer_norm,
    .example = "model example {\n"
               "    input x : f32[16, 64]\n"
               "    output y = x + (x |> layer_norm |> linear(256) |> gelu |> linear(64))\n"
               "}\n",
};

ACT_LAYER(rms_norm) = {
    .name = "rms_norm",
    .doc = "Divides the features of every position (the last axis) by the root of their mean square, then scales each: "
           "layer_norm without taking the mean away.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = {NORM_EPS("1e-6"), NORM_WEIGHT("ones")},
    .weighted = true,
    .build = rms_norm,
    .example = "model example {\n"
               "    input x : f32[16, 64]\n"
               "    output y = x + (x |> rms_norm |> linear(256) |> silu |> linear(64))\n"
               "}\n",
};
