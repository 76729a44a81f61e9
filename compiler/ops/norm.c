#include "ops/norm.h"

bool norm_fits(LayerCall *call, uint32_t eps)
{
    if (!layer_real(call, 0))
        return false;
    if (layer_type(call, 0)->rank == 0) {
        Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0,
                                 "a norm has a scale for each channel, along the last axis, and the value has no axis");
        diag_help(diag, "declare it as `f32[1]`");
        return false;
    }
    const LayerArg *arg = &call->arg[eps];
    if (arg->f > 0)
        return true;
    Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", arg->span,
                          "`eps` keeps a norm from dividing by zero, so it is above zero, and this is %g", arg->f);
    diag_help(diag, "leave it out: `1e-5` is usual");
    return false;
}

static NodeId part(LayerCall *call, uint32_t arg, const char *name, double neutral)
{
    if (arg == LAYER_MAX_PARAM || call->arg[arg].kind == ARG_FLAG)
        return build_number(call->g, neutral);
    uint32_t channels = (uint32_t)type_last(layer_type(call, 0));
    Tensor tensor = {.type = type_make(DT_F32, false, 1, &channels), .fan_in = channels, .fan_out = channels};
    return call->param(call, &tensor, name, &call->arg[arg]);
}

NodeId norm_weight(LayerCall *call, uint32_t arg) { return part(call, arg, "weight", 1); }
NodeId norm_bias(LayerCall *call, uint32_t arg) { return part(call, arg, "bias", 0); }

NodeId norm_affine(LayerCall *call, NodeId y, uint32_t weight, uint32_t bias)
{
    Graph *g = call->g;
    NodeId in[3] = {y, norm_weight(call, weight), norm_bias(call, bias)};
    if (!in[1] || !in[2])
        return 0;
    double number;
    bool scaled = !build_is_number(graph_node(g, in[1]), &number), shifted = !build_is_number(graph_node(g, in[2]), &number);
    Sx value = scaled ? sx_mul(g->sx, sx_arg(g->sx, 0), sx_arg(g->sx, 1)) : sx_arg(g->sx, 0);
    value = shifted ? sx_add(g->sx, value, sx_arg(g->sx, 2)) : value;
    if (!scaled && shifted) {
        in[1] = in[2];
        value = sx_add(g->sx, sx_arg(g->sx, 0), sx_arg(g->sx, 1));
    }
    return scaled || shifted ? build_map(g, value, in, 1 + scaled + shifted) : y;
}
