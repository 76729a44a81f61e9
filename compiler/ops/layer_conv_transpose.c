/* conv_transpose2d: the way back of a convolution. Every pixel paints its own window, scaled; where windows overlap they are added up. */
#include "ops/spatial.h"

enum { FILTERS, KERNEL, STRIDE, PADDING, OUTPUT_PADDING, DILATION, GROUPS, WEIGHT, BIAS };

typedef struct Transpose {
    Spatial s;
    uint32_t in, out, groups; /* channels */
    uint32_t size[2];    /* of what the windows paint together */
    uint32_t start[2], stop[2]; /* the part that is kept */
} Transpose;

static bool refuse(LayerCall *call, int arg, const char *message)
{
    Span span = call->arg[arg].span.source ? call->arg[arg].span : call->span;
    diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", span, "%s", message);
    return false;
}

/* PyTorch's sizes: (size - 1) stride + span - border + output_padding. `same` gives size times stride. */
static bool sizes(LayerCall *call, Transpose *t)
{
    const Spatial *s = &t->s;
    const LayerArg *padding = &call->arg[PADDING];
    uint32_t extra[2];
    if (!spatial_numbers(call, s, OUTPUT_PADDING, "output_padding", 0, extra))
        return false;
    for (uint32_t i = 0; i < s->axes; i++) {
        int64_t size = layer_type(call, 0)->dim[i], stride = s->window.stride[i], before = 0, after = 0;
        int64_t span = (int64_t)s->window.dilation[i] * (s->window.kernel[i] - 1) + 1, full = (size - 1) * stride + span;
        if (extra[i] != 0 && extra[i] >= stride && extra[i] >= s->window.dilation[i])
            return refuse(call, OUTPUT_PADDING, "`output_padding` is smaller than the stride or the dilation");
        if (str_is(padding->word, "same") && padding->kind == ARG_WORD) {
            before = full > size * stride ? (full - size * stride) / 2 : 0;
            after = full - size * stride - before;
        } else if (padding->kind == ARG_DIMS) {
            const Dims *dims = &padding->dims;
            if (dims->n != 1 && dims->n != s->axes && dims->n != 2 * s->axes)
                return refuse(call, PADDING, "`padding` is one number, a pair, or (top, bottom, left, right)");
            before = dims->at[dims->n == 1 ? 0 : dims->n == s->axes ? i : 2 * i];
            after = dims->n == 2 * s->axes ? dims->at[2 * i + 1] : before;
            if (before < 0 || after < 0 || before > INT32_MAX / 4 || after > INT32_MAX / 4)
                return refuse(call, PADDING, "`padding` is at least 0");
        }
        int64_t stop = full - after + extra[i];
        if (stop <= before)
            return refuse(call, PADDING, "this padding leaves nothing of the result");
        if (stop > INT32_MAX / 4)
            return refuse(call, STRIDE, "the result is too large");
        t->start[i] = (uint32_t)before;
        t->stop[i] = (uint32_t)stop;
        t->size[i] = (uint32_t)(stop > full ? stop : full);
    }
    return true;
}

/* Inside [KH, KW, N / groups, C]; in files [C, N / groups, KH, KW]. */
static NodeId weight(LayerCall *call, const Transpose *t)
{
    const uint32_t *kernel = t->s.window.kernel, dim[4] = {kernel[0], kernel[1], t->out / t->groups, t->in};
    Tensor like = {.type = type_make(DT_F32, false, 4, dim), .weight = true, .file_axis = {3, 2, 0, 1}};
    like.fan_in = (double)kernel[0] * kernel[1] * dim[2];
    like.fan_out = (double)kernel[0] * kernel[1] * t->in;
    return call->param(call, &like, "weight", &call->arg[WEIGHT]);
}

/* What every pixel paints, [H, W, KH, KW, N]. Groups of channels have products of their own: they go in front. */
static NodeId windows(Graph *g, const Transpose *t, NodeId x, NodeId w)
{
    Contract contract = {.form = CONTRACT_NT, .depth = 3};
    if (t->groups == 1)
        return build_product(g, contract, x, w);
    const uint32_t *size = graph_type(g, x)->dim, *kernel = t->s.window.kernel, n = t->groups;
    uint32_t apart[4] = {size[0], size[1], n, t->in / n}, weights[5] = {kernel[0], kernel[1], t->out / n, n, t->in / n};
    uint32_t joined[5] = {size[0], size[1], kernel[0], kernel[1], t->out};
    x = build_permute(g, build_reshape(g, x, 4, apart), 4, (int64_t[]){2, 0, 1, 3});
    w = build_permute(g, build_reshape(g, w, 5, weights), 5, (int64_t[]){3, 0, 1, 2, 4});
    contract.outer = 1;
    NodeId y = build_permute(g, build_product(g, contract, x, w), 6, (int64_t[]){1, 2, 3, 4, 0, 5});
    return build_reshape(g, y, 5, joined);
}

/* A window's stride may leave less behind the last place than its own length: what lies further is zero. */
static NodeId paint(Graph *g, const Transpose *t, NodeId painted)
{
    uint32_t size[2];
    const Window *w = &t->s.window;
    for (uint32_t i = 0; i < t->s.axes; i++) {
        uint32_t places = graph_type(g, painted)->dim[i], most = t->size[i];
        while (window_places(most, w->kernel[i], w->stride[i], w->dilation[i]) > places)
            most--;
        size[i] = most;
    }
    NodeId y = build_overlap_add(g, painted, w, size);
    for (uint32_t i = 0; i < t->s.axes; i++) {
        y = build_pad(g, y, i, 0, t->size[i] - size[i]);
        y = build_slice(g, y, i, t->start[i], t->stop[i]);
    }
    return y;
}

static bool build(LayerCall *call)
{
    Transpose t = {.s = {.layer = "conv_transpose2d"}};
    if (!spatial_value(call, &t.s, 2, 2))
        return false;
    Window *w = &t.s.window;
    w->n = t.s.axes;
    if (call->arg[FILTERS].i < 1)
        return refuse(call, FILTERS, "`conv_transpose2d` needs at least one filter");
    if (!spatial_numbers(call, &t.s, KERNEL, "kernel", 1, w->kernel) ||
        !spatial_numbers(call, &t.s, STRIDE, "stride", 1, w->stride) ||
        !spatial_numbers(call, &t.s, DILATION, "dilation", 1, w->dilation) || !sizes(call, &t))
        return false;
    t.in = layer_type(call, 0)->dim[2];
    t.out = (uint32_t)call->arg[FILTERS].i;
    if (!spatial_groups(call, t.in, t.out, call->arg[GROUPS].i, &t.groups))
        return false;
    NodeId weights = weight(call, &t);
    if (!weights)
        return false;
    NodeId y = paint(call->g, &t, windows(call->g, &t, call->value[0].value, weights));
    if (call->arg[BIAS].kind == ARG_FLAG)
        return layer_done(call, y);
    Tensor bias = {.type = type_make(DT_F32, false, 1, &t.out), .fan_out = t.out};
    bias.fan_in = (double)w->kernel[0] * w->kernel[1] * (t.out / t.groups);
    NodeId b = call->param(call, &bias, "bias", &call->arg[BIAS]);
    return b && layer_done(call, build_add(call->g, y, b));
}

ACT_LAYER(conv_transpose2d) = {
    .name = "conv_transpose2d",
    .doc = "The way back of a strided convolution: every pixel paints a window of the result, and overlaps are added up.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 9,
    .param = {{.name = "filters", .kind = ARG_INT, .doc = "how many channels come out"},
              {.name = "kernel", .kind = ARG_DIMS, .doc = "the size of a window; a multiple of the stride paints evenly"},
              {.name = "stride", .kind = ARG_DIMS, .def = "1", .doc = "from one window to the next: how much larger the result is"},
              {.name = "padding",
               .kind = ARG_DIMS,
               .def = "valid",
               .words = "valid|same",
               .doc = "what is cut off at the border: nothing, so much that the result is the input times the stride, a number, a pair, or "
                      "(top, bottom, left, right)"},
              {.name = "output_padding", .kind = ARG_DIMS, .def = "0", .doc = "rows and columns more, at the bottom and the right"},
              {.name = "dilation", .kind = ARG_DIMS, .def = "1", .doc = "from one element of a window to the next"},
              {.name = "groups", .kind = ARG_INT, .def = "1", .doc = "parts of the channels that paint each on their own"},
              {.name = "weight", .kind = ARG_INIT, .def = "auto", .doc = "how the weights start, or weights to use", .named_only = true},
              {.name = "bias", .kind = ARG_INIT, .def = "zeros", .doc = "how the bias starts; `false` leaves it out", .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[7, 7, 16]\n"
               "    output y = x |> conv_transpose2d(8, 4, stride = 2, padding = 1)\n"
               "}\n",
};
