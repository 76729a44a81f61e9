/* batch_norm: each channel with the mean and deviation it has over the batch and all positions, running ones in inference. */
#include "ops/norm.h"

enum { MOMENTUM, EPS, WEIGHT, BIAS };

static NodeId running(LayerCall *call, const char *name, double start, bool scalar, NodeId *latest)
{
    uint32_t channels = (uint32_t)type_last(layer_type(call, 0));
    Tensor like = {.type = type_make(DT_F32, false, scalar ? 0 : 1, &channels), .fill = {FILL_CONSTANT, start, 0}};
    return call->running(call, &like, name, latest);
}

/* The running statistic moves towards that of the batch. */
static void follow(LayerCall *call, NodeId tensor, NodeId latest, bool variance)
{
    Graph *g = call->g;
    SxPool *sx = g->sx;
    double momentum = call->arg[MOMENTUM].f;
    NodeId in[2] = {latest, build_batch_moment(g, call->value[0].value, variance)};
    Sx old = sx_mul(sx, sx_num(sx, 1 - momentum), sx_arg(sx, 0));
    call->update(call, tensor, build_map(g, sx_add(sx, old, sx_mul(sx, sx_num(sx, momentum), sx_arg(sx, 1))), in, 2));
}

/* As the running statistics see it, in training too. in: as build_batch_norm. */
static NodeId frozen(Graph *g, const NodeId in[5], double eps)
{
    SxPool *sx = g->sx;
    Sx deviation = sx_un(sx, SX_SQRT, sx_add(sx, sx_arg(sx, 4), sx_num(sx, eps)));
    Sx off = sx_div(sx, sx_sub(sx, sx_arg(sx, 0), sx_arg(sx, 3)), deviation);
    return build_map(g, sx_add(sx, sx_mul(sx, off, sx_arg(sx, 1)), sx_arg(sx, 2)), in, 5);
}

static bool build(LayerCall *call)
{
    double momentum = call->arg[MOMENTUM].f;
    if (!norm_fits(call, EPS))
        return false;
    if (!(momentum >= 0 && momentum <= 1)) {
        Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[MOMENTUM].span,
                              "the momentum of running statistics lies between 0 and 1, and this is %g", momentum);
        diag_help(diag, "it is the share of the new batch: `0.1` is usual (Keras's `momentum = 0.99` is 0.01 here)");
        return false;
    }
    NodeId latest[3];
    NodeId mean = running(call, "running_mean", 0, false, &latest[0]);
    NodeId variance = running(call, "running_var", 1, false, &latest[1]);
    NodeId count = running(call, "num_batches_tracked", 0, true, &latest[2]);
    if (!mean || !variance || !count)
        return false;
    NodeId in[5] = {call->value[0].value, norm_weight(call, WEIGHT), norm_bias(call, BIAS), mean, variance};
    if (!in[1] || !in[2])
        return false;
    if (!call->trainable)
        return layer_done(call, frozen(call->g, in, call->arg[EPS].f));
    follow(call, mean, latest[0], false);
    follow(call, variance, latest[1], true);
    SxPool *sx = call->g->sx;
    call->update(call, count, build_map(call->g, sx_add(sx, sx_arg(sx, 0), sx_num(sx, 1)), &latest[2], 1));
    return layer_done(call, build_batch_norm(call->g, in, call->arg[EPS].f));
}

ACT_LAYER(batch_norm) = {
    .name = "batch_norm",
    .doc = "Takes from every channel (the last axis) its mean and divides by its deviation, over the batch and all "
           "positions, then scales and shifts it. Running averages of both are kept, take their place in inference, and "
           "are saved with the weights. With `trainable = false` they are used in training too, and stay as they are.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 4,
    .param = {{.name = "momentum",
               .kind = ARG_REAL,
               .def = "0.1",
               .doc = "the share of a new batch in the running statistics",
               .named_only = true},
              NORM_EPS("1e-5"), NORM_WEIGHT("ones"), NORM_BIAS("zeros")},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[64]\n"
               "    output y = x |> linear(32, bias = false) |> batch_norm |> relu |> linear(10)\n"
               "}\n",
};
