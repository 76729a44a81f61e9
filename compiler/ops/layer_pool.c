/* max_pool, avg_pool, global_avg_pool, adaptive_avg_pool: what a window sees, folded channel by channel. */
#include "ops/spatial.h"

enum { KERNEL, STRIDE, PADDING, DILATION };

/* Padding is no pixel: it must not win against negative ones. */
static NodeId below_all(LayerCall *call, const Spatial *s)
{
    Graph *g = call->g;
    SxPool *sx = g->sx;
    NodeId x = spatial_pad(call, s);
    for (uint32_t axis = 0; axis < s->axes && !s->reflect; axis++) {
        uint32_t size = graph_type(g, x)->dim[axis], dim[3] = {size, 1, 1};
        if (s->before[axis] == 0 && s->after[axis] == 0)
            continue;
        NodeId place = build_reshape(g, build_iota(g, size), s->axes + 1 - axis, dim);
        Sx first = sx_num(sx, (double)s->before[axis]), behind = sx_num(sx, (double)(size - s->after[axis]));
        Sx low = sx_num(sx, -3.4028234663852886e38), at = sx_arg(sx, 1);
        Sx inside = sx_select(sx, sx_bin(sx, SX_LT, at, behind), sx_arg(sx, 0), low);
        x = build_map(g, sx_select(sx, sx_bin(sx, SX_LT, at, first), low, inside), (NodeId[]){x, place}, 2);
    }
    return x;
}

static bool read(LayerCall *call, Spatial *s, int dilation)
{
    if (!spatial_value(call, s, 1, 2) || !spatial_read(call, s, (SpatialArgs){KERNEL, STRIDE, dilation, PADDING}))
        return false;
    for (uint32_t axis = 0; axis < s->axes; axis++) {
        int64_t span = (int64_t)s->window.dilation[axis] * (s->window.kernel[axis] - 1) + 1;
        if (s->before[axis] < span && s->after[axis] < span)
            continue;
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0,
                                 "some windows of this pool see nothing but its padding");
        diag_help(diag, "the padding is less than the kernel, here at most %lld", (long long)span - 1);
        return false;
    }
    return true;
}

static bool max_pool(LayerCall *call)
{
    Spatial s = {.layer = "max_pool"};
    return read(call, &s, DILATION) && layer_done(call, build_window_max(call->g, below_all(call, &s), &s.window));
}

static bool avg_pool(LayerCall *call)
{
    Spatial s = {.layer = "avg_pool"};
    if (!read(call, &s, -1))
        return false;
    NodeId seen = build_window(call->g, spatial_pad(call, &s), &s.window);
    double count = 1;
    uint32_t folded = 0;
    for (uint32_t axis = 0; axis < s.axes; axis++) {
        count *= s.window.kernel[axis];
        folded |= 1u << (s.axes + axis);
    }
    NodeId sum = build_reduce(call->g, REDUCE_SUM, seen, folded, false, false);
    return layer_done(call, build_scale(call->g, sum, 1 / count));
}

static bool global_avg_pool(LayerCall *call)
{
    Spatial s = {.layer = "global_avg_pool"};
    if (!spatial_value(call, &s, 1, 2))
        return false;
    const Type *type = layer_type(call, 0);
    double count = type->dim[0] * (s.axes == 2 ? (double)type->dim[1] : 1);
    NodeId sum = build_reduce(call->g, REDUCE_SUM, call->value[0].value, (1u << s.axes) - 1, false, false);
    return layer_done(call, build_scale(call->g, sum, 1 / count));
}

static bool adaptive_avg_pool(LayerCall *call)
{
    Spatial s = {.layer = "adaptive_avg_pool"};
    uint32_t places[2], dim[TYPE_MAX_RANK], folded = 0, n = 0;
    if (!spatial_value(call, &s, 1, 2) || !spatial_numbers(call, &s, 0, "size", 1, places))
        return false;
    Type type = *layer_type(call, 0);
    double count = 1;
    for (uint32_t axis = 0; axis < s.axes; axis++) {
        if (type.dim[axis] % places[axis] != 0) {
            Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "%u can't be cut into %u equal windows",
                                     type.dim[axis], places[axis]);
            uint32_t fits = places[axis] < type.dim[axis] ? places[axis] : type.dim[axis];
            while (type.dim[axis] % fits != 0)
                fits--;
            diag_help(diag, "%u would do; or name the windows: `avg_pool(kernel, stride = ...)`", fits);
            return false;
        }
        dim[n++] = places[axis];
        folded |= 1u << n;
        dim[n++] = type.dim[axis] / places[axis];
        count *= dim[n - 1];
    }
    dim[n++] = type.dim[s.axes];
    NodeId cut = build_reshape(call->g, call->value[0].value, n, dim);
    NodeId sum = build_reduce(call->g, REDUCE_SUM, cut, folded, false, false);
    return layer_done(call, build_scale(call->g, sum, 1 / count));
}

#define POOL_PARAMS                                                                                                    \
    {.name = "kernel", .kind = ARG_DIMS, .doc = "the size of the window; one number, or a pair"},                      \
        {.name = "stride", .kind = ARG_DIMS, .doc = "from one window to the next; the kernel when it is not given",    \
         .optional = true},                                                                                            \
    {                                                                                                                  \
        .name = "padding", .kind = ARG_DIMS, .def = "valid", .words = "valid|same|reflect()",                          \
        .doc = "what is put around, as for `conv2d`"                                                                   \
    }

ACT_LAYER(max_pool) = {
    .name = "max_pool",
    .doc = "The greatest number in each window of an image or a sequence, channel by channel. The gradient goes to the first one.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 4,
    .param = {POOL_PARAMS,
              {.name = "dilation", .kind = ARG_DIMS, .def = "1", .doc = "from one element of a window to the next"}},
    .build = max_pool,
    .example = "model example {\n"
               "    input x : f32[12, 12, 3]\n"
               "    output y = x |> max_pool(2)\n"
               "}\n",
};

ACT_LAYER(avg_pool) = {
    .name = "avg_pool",
    .doc = "The mean of each window of an image or a sequence, channel by channel; padding counts as zeros.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 3,
    .param = {POOL_PARAMS},
    .build = avg_pool,
    .example = "model example {\n"
               "    input x : f32[12, 12, 3]\n"
               "    output y = x |> avg_pool(3, stride = 2, padding = same)\n"
               "}\n",
};

ACT_LAYER(global_avg_pool) = {
    .name = "global_avg_pool",
    .doc = "The mean of each channel over the whole image or sequence.",
    .min_value = 1,
    .max_value = 1,
    .build = global_avg_pool,
    .example = "model example {\n"
               "    input x : f32[7, 7, 64]\n"
               "    output y = x |> global_avg_pool |> linear(10)\n"
               "}\n",
};

ACT_LAYER(adaptive_avg_pool) = {
    .name = "adaptive_avg_pool",
    .doc = "The means of so many equal windows: the result has the size that is asked for.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "size", .kind = ARG_DIMS, .doc = "the size of the result; one number, or (height, width)"}},
    .build = adaptive_avg_pool,
    .example = "model example {\n"
               "    input x : f32[12, 12, 16]\n"
               "    output y = x |> adaptive_avg_pool(6)\n"
               "}\n",
};
