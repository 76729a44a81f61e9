/* dropout, spatial_dropout, drop_path, gaussian_noise, stop_gradient: what differs between training and inference, or between
 * forward and backward. */
#include "ops/layer.h"

/* Streams of random numbers by layer: a layer draws from at most four. */
static uint32_t stream(const LayerCall *call, uint32_t i) { return 4 * call->layer + i; }

/* Drops with one draw for all elements along the shared axes. */
static bool drop(LayerCall *call, const char *name, uint32_t shared)
{
    double p = call->arg[0].f;
    if (!(p >= 0 && p < 1)) {
        Span span = call->arg[0].span.source ? call->arg[0].span : call->span;
        Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", span,
                              "the share that is dropped lies between 0 and 1, and this is %g", p);
        diag_help(diag, "`%s(0.5)` drops every second %s", name, shared ? "one" : "number");
        return false;
    }
    return layer_done(call, build_dropout(call->g, call->value[0].value, p, stream(call, 0), shared));
}

static bool dropout(LayerCall *call) { return layer_real(call, 0) && drop(call, "dropout", 0); }

static bool spatial_dropout(LayerCall *call)
{
    uint32_t rank = layer_type(call, 0)->rank;
    if (!layer_real(call, 0))
        return false;
    if (rank < 2) {
        Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0,
                                 "`spatial_dropout` drops channels at all positions, and the value has no positions");
        diag_help(diag, "use `dropout`");
        return false;
    }
    return drop(call, "spatial_dropout", (1u << (rank - 1)) - 1);
}

static bool drop_path(LayerCall *call)
{
    return layer_real(call, 0) && drop(call, "drop_path", (1u << layer_type(call, 0)->rank) - 1);
}

static bool gaussian_noise(LayerCall *call)
{
    Graph *g = call->g;
    SxPool *p = g->sx;
    NodeId x = call->value[0].value;
    Type type = *layer_type(call, 0);
    double std = call->arg[0].f;
    if (!layer_real(call, 0))
        return false;
    if (!(std >= 0)) {
        diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[0].span, "a deviation is at least 0");
        return false;
    }
    if (std == 0)
        return layer_done(call, x);
    /* Box-Muller: the first number, taken from 1, lies in (0, 1] */
    Sx radius = sx_un(p, SX_SQRT, sx_mul(p, sx_num(p, -2), sx_un(p, SX_LOG, sx_sub(p, sx_num(p, 1), sx_arg(p, 1)))));
    Sx normal = sx_mul(p, radius, sx_un(p, SX_COS, sx_mul(p, sx_num(p, 6.283185307179586), sx_arg(p, 2))));
    NodeId in[3] = {x, build_random(g, &type, stream(call, 0)), build_random(g, &type, stream(call, 1))};
    NodeId noisy = build_map(g, sx_add(p, sx_arg(p, 0), sx_mul(p, sx_num(p, std), normal)), in, 3);
    return layer_done(call, build_when_training(g, noisy, x));
}

static bool stop_gradient(LayerCall *call)
{
    return layer_done(call, build_stop_gradient(call->g, call->value[0].value));
}

ACT_LAYER(dropout) = {
    .name = "dropout",
    .doc = "While training, zeroes each number with probability p and divides the others by 1 - p; nothing otherwise.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "p", .kind = ARG_REAL, .def = "0.5", .doc = "the share that is dropped"}},
    .build = dropout,
    .example = "model example {\n"
               "    input x : f32[64]\n"
               "    output y = x |> linear(32) |> relu |> dropout(0.2)\n"
               "}\n",
};

ACT_LAYER(spatial_dropout) = {
    .name = "spatial_dropout",
    .doc = "While training, zeroes whole channels (the last axis) with probability p, at all positions of a sample, and divides the "
           "others by 1 - p; nothing otherwise. Neighbouring positions say nearly the same, so dropping single ones hides little.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "p", .kind = ARG_REAL, .def = "0.5", .doc = "the share that is dropped"}},
    .build = spatial_dropout,
    .example = "model example {\n"
               "    input x : f32[8, 8, 16]\n"
               "    output y = x |> linear(32) |> relu |> spatial_dropout(0.1) |> mean(axis = (0, 1)) |> linear(10)\n"
               "}\n",
};

ACT_LAYER(drop_path) = {
    .name = "drop_path",
    .doc = "While training, zeroes the whole value of a sample with probability p and divides it by 1 - p in the others; nothing "
           "otherwise. At the end of a residual branch: stochastic depth.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "p", .kind = ARG_REAL, .def = "0.1", .doc = "the share that is dropped"}},
    .build = drop_path,
    .example = "model example {\n"
               "    input x : f32[16, 64]\n"
               "    output y = x + (x |> layer_norm |> linear(256) |> gelu |> linear(64) |> drop_path(0.1))\n"
               "}\n",
};

ACT_LAYER(gaussian_noise) = {
    .name = "gaussian_noise",
    .doc = "While training, adds normal noise; nothing otherwise.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "std", .kind = ARG_REAL, .doc = "the deviation of the noise"}},
    .build = gaussian_noise,
    .example = "model example {\n"
               "    input x : f32[64]\n"
               "    output y = x |> gaussian_noise(0.1) |> linear(32)\n"
               "}\n",
};

ACT_LAYER(stop_gradient) = {
    .name = "stop_gradient",
    .doc = "The value itself; no gradient flows back through it.",
    .min_value = 1,
    .max_value = 1,
    .build = stop_gradient,
    .example = "model example {\n"
               "    input x : f32[64]\n"
               "    target y : f32[64]\n"
               "    z = x |> linear(8)\n"
               "    copy = z |> relu |> linear(64)\n"
               "    loss mse(copy, y) + 0.1 * mse(z |> linear(64), copy |> stop_gradient)\n"
               "}\n",
};
