/* upsample, pixel_shuffle: larger images from smaller ones, without weights. */
#include "ops/spatial.h"

#include <string.h>

enum { FACTOR, MODE };

/* Every element of `axis` so many times, side by side. */
static NodeId repeat(Graph *g, NodeId x, uint32_t axis, uint32_t times)
{
    Type type = *graph_type(g, x);
    uint32_t dim[TYPE_MAX_RANK], n = 0;
    NodeId copy[LAYER_MAX_RESULT * 4];
    for (uint32_t i = 0; i < type.rank; i++) {
        dim[n++] = type.dim[i];
        if (i == axis)
            dim[n++] = 1;
    }
    NodeId one = build_reshape(g, x, n, dim);
    for (uint32_t i = 0; i < times; i++)
        copy[i] = one;
    memcpy(dim, type.dim, sizeof dim);
    dim[axis] *= times;
    return build_reshape(g, build_concat(g, copy, times, axis + 1), type.rank, dim);
}

/* Between neighbours on a line through the middles of pixels (PyTorch's align_corners = False): a product with a matrix that is a
 * function of two indices. */
static NodeId interpolate(Graph *g, NodeId x, uint32_t axis, uint32_t times)
{
    SxPool *sx = g->sx;
    Type type = *graph_type(g, x);
    uint32_t size = type.dim[axis], large = size * times, last = type.rank - 1, dim[2] = {size, 1};
    int64_t order[TYPE_MAX_RANK];
    NodeId from = build_reshape(g, build_iota(g, size), 2, dim), to = build_iota(g, large);
    Sx middle = sx_sub(sx, sx_div(sx, sx_add(sx, sx_arg(sx, 1), sx_num(sx, 0.5)), sx_num(sx, times)), sx_num(sx, 0.5));
    Sx inside = sx_bin(sx, SX_MIN, sx_bin(sx, SX_MAX, middle, sx_num(sx, 0)), sx_num(sx, size - 1));
    Sx near = sx_sub(sx, sx_num(sx, 1), sx_un(sx, SX_ABS, sx_sub(sx, inside, sx_arg(sx, 0))));
    NodeId matrix = build_map(g, sx_bin(sx, SX_MAX, near, sx_num(sx, 0)), (NodeId[]){from, to}, 2);
    for (uint32_t i = 0; i < type.rank; i++)
        order[i] = i == axis ? last : i == last ? axis : i;
    NodeId y = build_contract(g, CONTRACT_NN, build_permute(g, x, type.rank, order), matrix);
    return build_permute(g, y, type.rank, order);
}

static bool upsample(LayerCall *call)
{
    Spatial s = {.layer = "upsample"};
    uint32_t factor[2];
    if (!spatial_value(call, &s, 1, 2) || !spatial_numbers(call, &s, FACTOR, "factor", 1, factor))
        return false;
    NodeId x = call->value[0].value;
    for (uint32_t axis = 0; axis < s.axes; axis++) {
        if (factor[axis] > LAYER_MAX_RESULT * 4) {
            diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[FACTOR].span,
                     "`factor` of `upsample` is at most %d", LAYER_MAX_RESULT * 4);
            return false;
        }
        if (factor[axis] > 1)
            x = (str_is(call->arg[MODE].word, "nearest") ? repeat : interpolate)(call->g, x, axis, factor[axis]);
    }
    return layer_done(call, x);
}

static bool pixel_shuffle(LayerCall *call)
{
    Spatial s = {.layer = "pixel_shuffle"};
    int64_t r = call->arg[FACTOR].i;
    if (!spatial_value(call, &s, 2, 2))
        return false;
    Type type = *layer_type(call, 0);
    if (r < 1 || r > 1024 || type.dim[2] % (r * r) != 0) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0,
                                 "%u channels are no multiple of %lld x %lld", type.dim[2], (long long)r, (long long)r);
        diag_note(diag, "`pixel_shuffle(r)` makes a square of r x r pixels out of r² channels");
        return false;
    }
    uint32_t n = (uint32_t)r, channels = type.dim[2] / (n * n);
    uint32_t dim[5] = {type.dim[0], type.dim[1], channels, n, n};
    NodeId y = build_reshape(call->g, call->value[0].value, 5, dim);
    y = build_permute(call->g, y, 5, (int64_t[]){0, 3, 1, 4, 2});
    uint32_t large[3] = {type.dim[0] * n, type.dim[1] * n, channels};
    return layer_done(call, build_reshape(call->g, y, 3, large));
}

ACT_LAYER(upsample) = {
    .name = "upsample",
    .doc = "An image or a sequence made larger by a whole factor.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = {{.name = "factor", .kind = ARG_DIMS, .doc = "how many times as large; one number, or a pair"},
              {.name = "mode",
               .kind = ARG_WORD,
               .def = "nearest",
               .words = "nearest|bilinear",
               .doc = "every pixel repeated, or lines between their middles",
               .named_only = true}},
    .build = upsample,
    .example = "model example {\n"
               "    input x : f32[6, 6, 4]\n"
               "    output y = x |> upsample(2) |> conv2d(3, 3, padding = same)\n"
               "}\n",
};

ACT_LAYER(pixel_shuffle) = {
    .name = "pixel_shuffle",
    .doc = "r² channels as squares of r x r pixels: an image r times as large.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 1,
    .param = {{.name = "factor", .kind = ARG_INT, .doc = "how many times as large"}},
    .build = pixel_shuffle,
    .example = "model example {\n"
               "    input x : f32[6, 6, 12]\n"
               "    output y = x |> pixel_shuffle(2)\n"
               "}\n",
};
