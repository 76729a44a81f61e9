/* concat, split, slice, pad, crop: putting values together along an axis and taking them apart. */
#include "ops/spatial.h"

/* Value `i` does not lie beside the first one along `axis`: says why. */
static bool refuse(LayerCall *call, uint32_t i, uint32_t axis)
{
    const Type *first = layer_type(call, 0), *type = layer_type(call, i);
    Diag *diag;
    if (type->dtype != first->dtype)
        diag = layer_error(call, "ACT105", "concat_axis", 0, "numbers and indices can't be joined");
    else if (type->rank != first->rank)
        diag = layer_error(call, "ACT105", "concat_axis", 0,
                           "values that are joined have equally many axes, and these have %u and %u", first->rank,
                           type->rank);
    else
        diag = layer_error(call, "ACT105", "concat_axis", 0,
                           "values joined along axis %u must agree along all others", axis);
    diag_label(diag, call->value[i].span, "this has shape " STR_FMT,
               STR_ARG(layer_shape(call, call->value[i].value)));
    if (type->dtype != first->dtype) {
        diag_help(diag, "turn the indices into vectors first: `|> one_hot(...)` or `|> embedding(...)`");
    } else if (type->rank != first->rank) {
        diag_help(diag, "`|> reshape(...)` adds or removes an axis of size 1");
    } else {
        for (uint32_t other = 0; other < type->rank; other++) { /* the one axis that does differ, when it is one */
            bool alone = type->dim[other] != first->dim[other] && type->dim[axis] == first->dim[axis];
            for (uint32_t k = 0; alone && k < type->rank; k++)
                alone = k == other || type->dim[k] == first->dim[k];
            if (alone)
                diag_help(diag, "they agree along all axes but %u: `axis = %u`", other, other);
        }
    }
    return false;
}

static bool concat(LayerCall *call)
{
    const Type *first = layer_type(call, 0);
    uint32_t axis;
    NodeId in[LAYER_MAX_RESULT];
    uint64_t total = 0;
    if (!layer_axis(call, 0, call->arg[0].i, first->rank, &axis))
        return false;
    for (uint32_t i = 0; i < call->n_value; i++) {
        const Type *type = layer_type(call, i);
        bool fits = type->rank == first->rank && type->dtype == first->dtype;
        for (uint32_t k = 0; fits && k < type->rank; k++)
            fits = k == axis || type->dim[k] == first->dim[k];
        if (!fits)
            return refuse(call, i, axis);
        in[i] = call->value[i].value;
        total += type_elements(type);
    }
    if (total > INT32_MAX) {
        layer_error(call, "ACT1216", "too_large", 0, "together these have %llu numbers; the most is 2147483647",
                    (unsigned long long)total);
        return false;
    }
    return layer_done(call, build_concat(call->g, in, call->n_value, axis));
}

static void refuse_split(LayerCall *call, int64_t have, uint32_t axis)
{
    const Dims *sizes = &call->arg[0].dims;
    Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0, "%lld numbers can't be split this way",
                             (long long)have);
    int64_t total = 0;
    bool positive = true;
    for (uint32_t i = 0; i < sizes->n; i++) {
        total += sizes->at[i];
        positive = positive && sizes->at[i] > 0;
    }
    if (!positive)
        diag_note(diag, "every part has at least 1 number");
    else if (sizes->n > 1)
        diag_note(diag, "the sizes add up to %lld, and axis %u has %lld", (long long)total, axis, (long long)have);
    else
        diag_note(diag, "`split(%lld)` makes %lld equal parts, at most %d", (long long)total, (long long)total,
                  LAYER_MAX_RESULT);
}

static bool split(LayerCall *call)
{
    const Dims *sizes = &call->arg[0].dims;
    const Type type = *layer_type(call, 0);
    uint32_t axis;
    if (!layer_axis(call, 1, call->arg[1].i, type.rank, &axis))
        return false;
    int64_t have = type.dim[axis], total = 0, part[LAYER_MAX_RESULT];
    uint32_t n =
        sizes->n == 1 && sizes->at[0] > 0 && sizes->at[0] <= LAYER_MAX_RESULT ? (uint32_t)sizes->at[0] : sizes->n;
    for (uint32_t i = 0; i < n; i++) {
        part[i] = sizes->n == 1 ? have / (int64_t)n : sizes->at[i];
        total += part[i] < 1 ? have + 1 : part[i];
    }
    if (total != have || (sizes->n == 1 && n != sizes->at[0])) {
        refuse_split(call, have, axis);
        return false;
    }
    int64_t start = 0;
    for (uint32_t i = 0; i < n; start += part[i++])
        call->result[i] = build_slice(call->g, call->value[0].value, axis, start, start + part[i]);
    call->n_result = n;
    return true;
}

static bool slice(LayerCall *call)
{
    const Type *type = layer_type(call, 0);
    uint32_t axis;
    if (!layer_axis(call, 2, call->arg[2].i, type->rank, &axis))
        return false;
    int64_t n = type->dim[axis], start = call->arg[0].i, stop = call->arg[1].i;
    start += start < 0 ? n : 0;
    stop += stop < 0 ? n : 0;
    if (start < 0 || start >= stop || stop > n) {
        layer_error(call, "ACT1209", "wrong_argument", 0,
                    "the axis has %lld numbers, and %lld to %lld is no part of them", (long long)n,
                    (long long)call->arg[0].i, (long long)call->arg[1].i);
        return false;
    }
    return layer_done(call, build_slice(call->g, call->value[0].value, axis, start, stop));
}

static bool pad(LayerCall *call)
{
    const Type *type = layer_type(call, 0);
    uint32_t axis;
    if (!layer_axis(call, 2, call->arg[2].i, type->rank, &axis))
        return false;
    int64_t before = call->arg[0].i, after = call->arg[1].i;
    if (!layer_real(call, 0))
        return false;
    if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX || before + after + type->dim[axis] > INT32_MAX) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "a padding is at least 0, and at most what memory holds");
        if (before < 0 || after < 0)
            diag_help(diag, "`crop` makes a value smaller");
        return false;
    }
    bool reflect = str_is(call->arg[3].word, "reflect");
    if (reflect && (before >= type->dim[axis] || after >= type->dim[axis])) {
        layer_error(call, "ACT1209", "wrong_argument", 0, "a reflection of an axis of %u is at most %u wide", type->dim[axis],
                    type->dim[axis] - 1);
        return false;
    }
    return layer_done(call, (reflect ? spatial_reflect : build_pad)(call->g, call->value[0].value, axis, before, after));
}

static bool crop(LayerCall *call)
{
    const Type *type = layer_type(call, 0);
    uint32_t axis;
    if (!layer_axis(call, 2, call->arg[2].i, type->rank, &axis))
        return false;
    int64_t n = type->dim[axis], before = call->arg[0].i, after = call->arg[1].i;
    if (before < 0 || after < 0) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "what is cut off is at least 0");
        diag_help(diag, "`pad` makes a value larger");
        return false;
    }
    if (before >= n || after >= n || before + after >= n) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "nothing is left of %lld numbers", (long long)n);
        diag_help(diag, "cut off at most %lld along axis %u", (long long)n - 1, axis);
        return false;
    }
    return layer_done(call, build_slice(call->g, call->value[0].value, axis, before, n - after));
}

ACT_LAYER(concat) = {
    .name = "concat",
    .doc = "Values side by side along one axis; they agree along all others.",
    .min_value = 2,
    .max_value = 16,
    .n_param = 1,
    .param = {{.name = "axis", .kind = ARG_INT, .def = "-1", .doc = "the axis that grows", .named_only = true}},
    .build = concat,
    .example = "model example {\n"
               "    input a : f32[10, 4]\n"
               "    input b : f32[10, 12]\n"
               "    output y = concat(a, b)\n"
               "}\n",
};

ACT_LAYER(split) = {
    .name = "split",
    .doc = "A value in parts along one axis: a number makes equal parts, several are the sizes.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = {{.name = "parts", .kind = ARG_DIMS, .doc = "how many equal parts, or their sizes", .variadic = true},
              {.name = "axis", .kind = ARG_INT, .def = "-1", .doc = "the axis that is divided", .named_only = true}},
    .build = split,
    .example = "model example {\n"
               "    input x : f32[10, 48]\n"
               "    q, k, v = x |> split(3)\n"
               "    output y = q * k + v\n"
               "}\n",
};

ACT_LAYER(slice) = {
    .name = "slice",
    .doc = "The positions from `start` up to but without `stop` of one axis; negative ones count from the end.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 3,
    .param = {{.name = "start", .kind = ARG_INT, .doc = "the first position"},
              {.name = "stop", .kind = ARG_INT, .doc = "the position behind the last"},
              {.name = "axis", .kind = ARG_INT, .def = "0", .doc = "the axis"}},
    .build = slice,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> slice(2, -1)\n"
               "}\n",
};

ACT_LAYER(pad) = {
    .name = "pad",
    .doc = "Zeros, or the value's own reflection, before and after along one axis.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 4,
    .param = {{.name = "before", .kind = ARG_INT, .doc = "how many in front"},
              {.name = "after", .kind = ARG_INT, .doc = "how many behind"},
              {.name = "axis", .kind = ARG_INT, .def = "0", .doc = "the axis"},
              {.name = "mode",
               .kind = ARG_WORD,
               .def = "zero",
               .words = "zero|reflect",
               .doc = "what is put there",
               .named_only = true}},
    .build = pad,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> pad(1, 2)\n"
               "}\n",
};

ACT_LAYER(crop) = {
    .name = "crop",
    .doc = "Leaves out positions at both ends of one axis.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 3,
    .param = {{.name = "before", .kind = ARG_INT, .doc = "left out in front"},
              {.name = "after", .kind = ARG_INT, .doc = "left out behind"},
              {.name = "axis", .kind = ARG_INT, .def = "0", .doc = "the axis"}},
    .build = crop,
    .example = "model example {\n"
               "    input x : f32[10, 4]\n"
               "    output y = x |> crop(1, 2)\n"
               "}\n",
};
