/* conv1d, conv2d, depthwise_conv2d: every place of the result is a weighted sum of what a window sees there. */
#include "ops/spatial.h"

#include <string.h>

enum { FILTERS, KERNEL, STRIDE, PADDING, DILATION, GROUPS, WEIGHT, BIAS };
enum { D_KERNEL, D_STRIDE, D_PADDING, D_DILATION, D_MULTIPLIER, D_WEIGHT, D_BIAS };

typedef struct Conv {
    Spatial s;
    uint32_t in, out, groups; /* channels */
} Conv;

/* Inside [KH, KW, C / groups, N]; in files [N, C / groups, KH, KW]. */
static NodeId weight(LayerCall *call, const Conv *c, int arg)
{
    uint32_t n = c->s.axes, dim[4] = {0}, window = 1;
    for (uint32_t i = 0; i < n; i++) {
        dim[i] = c->s.window.kernel[i];
        window *= dim[i];
    }
    dim[n] = c->in / c->groups;
    dim[n + 1] = c->out;
    Tensor like = {.type = type_make(DT_F32, false, n + 2, dim), .weight = true};
    like.fan_in = (double)window * dim[n];
    like.fan_out = (double)window * c->out;
    like.file_axis[0] = n + 1;
    like.file_axis[1] = n;
    for (uint32_t i = 0; i < n; i++)
        like.file_axis[2 + i] = i;
    return call->param(call, &like, "weight", &call->arg[arg]);
}

static bool plain_window(const Spatial *s)
{
    for (uint32_t i = 0; i < s->axes; i++)
        if (s->window.kernel[i] != 1 || s->window.stride[i] != 1)
            return false;
    return true;
}

/* [O…, K…, C]; of a 1 x 1 kernel a view. */
static NodeId windows(LayerCall *call, const Conv *c)
{
    NodeId x = spatial_pad(call, &c->s);
    if (!plain_window(&c->s))
        return build_window(call->g, x, &c->s.window);
    Type type = *graph_type(call->g, x);
    uint32_t n = c->s.axes, dim[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < n; i++) {
        dim[i] = type.dim[i];
        dim[n + i] = 1;
    }
    dim[2 * n] = type.dim[n];
    return build_reshape(call->g, x, 2 * n + 1, dim);
}

/* [O…, K…, C] and [K…, 1, N], N a multiple of C: no sum over channels, so maps and a fold. */
static NodeId depthwise(Graph *g, const Conv *c, NodeId seen, NodeId w)
{
    uint32_t n = c->s.axes, dim[TYPE_MAX_RANK], each = c->out / c->in, folded = 0;
    Type type = *graph_type(g, seen);
    for (uint32_t i = 0; i < n; i++) {
        dim[i] = c->s.window.kernel[i];
        folded |= 1u << (n + i);
    }
    dim[n] = each == 1 ? c->out : c->in;
    dim[n + 1] = each;
    NodeId wide = build_reshape(g, w, each == 1 ? n + 1 : n + 2, dim);
    if (each > 1) {
        memcpy(dim, type.dim, sizeof dim);
        dim[2 * n + 1] = 1;
        seen = build_reshape(g, seen, 2 * n + 2, dim);
    }
    NodeId y = build_reduce(g, REDUCE_SUM, build_mul(g, seen, wide), folded, false, false);
    memcpy(dim, type.dim, sizeof dim);
    dim[n] = c->out;
    return build_reshape(g, y, n + 1, dim);
}

/* Groups of channels have products of their own: they go in front, [G, O…, K…, C / G] and [G, K…, C / G, N / G]. */
static NodeId grouped(Graph *g, const Conv *c, NodeId seen, NodeId w)
{
    uint32_t n = c->s.axes, dim[TYPE_MAX_RANK];
    int64_t axes[TYPE_MAX_RANK];
    memcpy(dim, graph_type(g, seen)->dim, sizeof dim);
    dim[2 * n] = c->groups;
    dim[2 * n + 1] = c->in / c->groups;
    seen = build_reshape(g, seen, 2 * n + 2, dim);
    axes[0] = 2 * n;
    for (uint32_t i = 0; i < 2 * n; i++)
        axes[1 + i] = i;
    axes[2 * n + 1] = 2 * n + 1;
    seen = build_permute(g, seen, 2 * n + 2, axes);
    memcpy(dim, graph_type(g, w)->dim, sizeof dim);
    dim[n + 1] = c->groups;
    dim[n + 2] = c->out / c->groups;
    w = build_reshape(g, w, n + 3, dim);
    axes[0] = n + 1;
    for (uint32_t i = 0; i <= n; i++)
        axes[1 + i] = i;
    axes[n + 2] = n + 2;
    w = build_permute(g, w, n + 3, axes);
    NodeId y = build_product(g, (Contract){.form = CONTRACT_NN, .outer = 1, .depth = n + 1}, seen, w);
    for (uint32_t i = 0; i < n; i++)
        axes[i] = 1 + i;
    axes[n] = 0;
    axes[n + 1] = n + 1;
    y = build_permute(g, y, n + 2, axes);
    memcpy(dim, graph_type(g, y)->dim, sizeof dim);
    dim[n] = c->out;
    return build_reshape(g, y, n + 1, dim);
}

static bool convolve(LayerCall *call, Conv *c, int weight_arg, int bias_arg)
{
    NodeId w = weight(call, c, weight_arg);
    if (!w)
        return false;
    NodeId seen = windows(call, c), y;
    if (c->groups == c->in && c->groups > 1)
        y = depthwise(call->g, c, seen, w);
    else if (c->groups > 1)
        y = grouped(call->g, c, seen, w);
    else
        y = build_product(call->g, (Contract){.form = CONTRACT_NN, .depth = c->s.axes + 1}, seen, w);
    if (call->arg[bias_arg].kind == ARG_FLAG)
        return layer_done(call, y);
    Tensor bias = {.type = type_make(DT_F32, false, 1, &c->out)};
    bias.fan_in = (double)c->s.window.kernel[0] * (c->s.axes > 1 ? c->s.window.kernel[1] : 1) * (c->in / c->groups);
    bias.fan_out = c->out;
    NodeId b = call->param(call, &bias, "bias", &call->arg[bias_arg]);
    return b && layer_done(call, build_add(call->g, y, b));
}

static bool conv(LayerCall *call, const char *name, uint32_t axes)
{
    Conv c = {.s = {.layer = name}};
    if (!spatial_value(call, &c.s, axes, axes))
        return false;
    int64_t filters = call->arg[FILTERS].i;
    if (filters < 1) {
        diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[FILTERS].span,
                 "`%s` needs at least one filter", name);
        return false;
    }
    c.in = layer_type(call, 0)->dim[axes];
    c.out = (uint32_t)filters;
    if (!spatial_groups(call, c.in, c.out, call->arg[GROUPS].i, &c.groups))
        return false;
    if (!spatial_read(call, &c.s, (SpatialArgs){KERNEL, STRIDE, DILATION, PADDING}))
        return false;
    return convolve(call, &c, WEIGHT, BIAS);
}

static bool conv1d(LayerCall *call) { return conv(call, "conv1d", 1); }
static bool conv2d(LayerCall *call) { return conv(call, "conv2d", 2); }

static bool depthwise_conv2d(LayerCall *call)
{
    Conv c = {.s = {.layer = "depthwise_conv2d"}};
    if (!spatial_value(call, &c.s, 2, 2))
        return false;
    int64_t each = call->arg[D_MULTIPLIER].i;
    c.in = c.groups = layer_type(call, 0)->dim[2];
    if (each < 1 || each * c.in > INT32_MAX) {
        diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[D_MULTIPLIER].span,
                 "`multiplier` is the number of filters of each channel, at least 1");
        return false;
    }
    c.out = c.in * (uint32_t)each;
    return spatial_read(call, &c.s, (SpatialArgs){D_KERNEL, D_STRIDE, D_DILATION, D_PADDING}) &&
           convolve(call, &c, D_WEIGHT, D_BIAS);
}

#define STRIDE_PARAM {.name = "stride", .kind = ARG_DIMS, .def = "1", .doc = "from one window to the next; one number, or a pair"}
#define DILATION_PARAM {.name = "dilation", .kind = ARG_DIMS, .def = "1", .doc = "from one element of a window to the next"}
#define WEIGHT_PARAM                                                                                                   \
    {.name = "weight", .kind = ARG_INIT, .def = "auto", .doc = "how the weights start, or weights to use", .named_only = true}
#define BIAS_PARAM                                                                                                     \
    {.name = "bias", .kind = ARG_INIT, .def = "zeros", .doc = "how the bias starts; `false` leaves it out", .named_only = true}

ACT_LAYER(conv1d) = {
    .name = "conv1d",
    .doc = "A convolution over time: every filter is a weighted sum of what a window of a sequence [time, channels] sees, plus a bias.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 8,
    .param = {{.name = "filters", .kind = ARG_INT, .doc = "how many channels come out"},
              {.name = "kernel", .kind = ARG_DIMS, .doc = "how long the window is"},
              STRIDE_PARAM,
              {.name = "padding",
               .kind = ARG_DIMS,
               .def = "valid",
               .words = "valid|same|causal|reflect()",
               .doc = "what is put around: nothing, zeros so that the length stays, zeros in front only, a number, (before, after), or "
                      "`reflect(1)`"},
              DILATION_PARAM,
              {.name = "groups", .kind = ARG_INT, .def = "1", .doc = "parts of the channels that are convolved each on its own"},
              WEIGHT_PARAM,
              BIAS_PARAM},
    .weighted = true,
    .build = conv1d,
    .example = "model example {\n"
               "    input x : f32[50, 4]\n"
               "    output y = x |> conv1d(8, 3, padding = causal, dilation = 2)\n"
               "}\n",
};

ACT_LAYER(conv2d) = {
    .name = "conv2d",
    .doc = "A convolution: every filter is a weighted sum of what a window of an image [height, width, channels] sees, plus a bias.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 8,
    .param = {{.name = "filters", .kind = ARG_INT, .doc = "how many channels come out"},
              {.name = "kernel", .kind = ARG_DIMS, .doc = "the size of the window; one number, or (height, width)"},
              STRIDE_PARAM,
              {.name = "padding",
               .kind = ARG_DIMS,
               .def = "valid",
               .words = "valid|same|reflect()",
               .doc = "what is put around: nothing, zeros so that the result is the input over the stride, a number, a pair, (top, bottom, "
                      "left, right), or `reflect(1)`"},
              DILATION_PARAM,
              {.name = "groups", .kind = ARG_INT, .def = "1", .doc = "parts of the channels that are convolved each on its own"},
              WEIGHT_PARAM,
              BIAS_PARAM},
    .weighted = true,
    .build = conv2d,
    .example = "model example {\n"
               "    input x : f32[12, 12, 3]\n"
               "    output y = x |> conv2d(8, 3, stride = 2, padding = same)\n"
               "}\n",
};

ACT_LAYER(depthwise_conv2d) = {
    .name = "depthwise_conv2d",
    .doc = "A convolution of each channel on its own: as many groups as channels.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 7,
    .param = {{.name = "kernel", .kind = ARG_DIMS, .doc = "the size of the window; one number, or (height, width)"},
              STRIDE_PARAM,
              {.name = "padding",
               .kind = ARG_DIMS,
               .def = "valid",
               .words = "valid|same|reflect()",
               .doc = "what is put around, as for `conv2d`"},
              DILATION_PARAM,
              {.name = "multiplier", .kind = ARG_INT, .def = "1", .doc = "filters of each channel", .named_only = true},
              WEIGHT_PARAM,
              BIAS_PARAM},
    .weighted = true,
    .build = depthwise_conv2d,
    .example = "model example {\n"
               "    input x : f32[12, 12, 8]\n"
               "    output y = x |> depthwise_conv2d(3, padding = same)\n"
               "}\n",
};
