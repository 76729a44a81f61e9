#include "ops/spatial.h"

Str spatial_size(const LayerCall *call, const Spatial *s, const uint32_t *size)
{
    Text text = {.arena = call->arena};
    for (uint32_t i = 0; i < s->axes; i++)
        text_printf(&text, "%s%u", i ? " x " : "", size[i]);
    return text_str(&text);
}

static bool refuse(LayerCall *call, int arg, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(LayerCall *call, int arg, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str message = str_vprintf(call->arena, format, args);
    va_end(args);
    Span span = call->arg[arg].span.source ? call->arg[arg].span : call->span;
    diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", span, STR_FMT, STR_ARG(message));
    return false;
}

bool spatial_value(LayerCall *call, Spatial *s, uint32_t least, uint32_t most)
{
    const Type *type = layer_type(call, 0);
    if (!layer_real(call, 0))
        return false;
    s->axes = type->rank - 1;
    if (type->rank >= 1 + least && type->rank <= 1 + most)
        return true;
    static const char *const shape[] = {"sequences, [time, channels]", "images, [height, width, channels]",
                                        "sequences [time, channels] and images [height, width, channels]"};
    Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0, "`%s` works on %s", s->layer,
                             shape[least == most ? least - 1 : 2]);
    if (type->rank == least) { /* the channels were forgotten */
        Text text = {.arena = call->arena};
        for (uint32_t i = 0; i < type->rank; i++)
            text_printf(&text, "%u, ", type->dim[i]);
        diag_help(diag, "one channel is an axis, too: `|> reshape(" STR_FMT "1)`", STR_ARG(text_str(&text)));
    }
    return false;
}

bool spatial_numbers(LayerCall *call, const Spatial *s, int arg, const char *name, int64_t least, uint32_t *out)
{
    const Dims *dims = &call->arg[arg].dims;
    if (dims->n != 1 && dims->n != s->axes)
        return refuse(call, arg, s->axes == 1 ? "`%s` of `%s` is one number" : "`%s` of `%s` is one number, or a pair", name,
                      s->layer);
    for (uint32_t i = 0; i < s->axes; i++) {
        int64_t value = dims->at[dims->n == 1 ? 0 : i];
        if (value < least || value > INT32_MAX / 4)
            return refuse(call, arg, "`%s` of `%s` is at least %lld, not %lld", name, s->layer, (long long)least,
                          (long long)value);
        out[i] = (uint32_t)value;
    }
    return true;
}

bool spatial_groups(LayerCall *call, uint32_t channels, uint32_t filters, int64_t groups, uint32_t *out)
{
    *out = (uint32_t)groups;
    if (groups >= 1 && channels % groups == 0 && filters % groups == 0)
        return true;
    Diag *diag = layer_error(call, "ACT505", "group_divisibility", 0,
                             "%u channels and %u filters can't be shared out among %lld groups", channels, filters, (long long)groups);
    int64_t fits = groups < 1 ? 1 : groups < channels ? groups : channels;
    while (channels % fits != 0 || filters % fits != 0)
        fits--;
    diag_help(diag, "`groups` must divide both, as %lld does", (long long)fits);
    return false;
}

static int64_t span_of(const Spatial *s, uint32_t axis)
{
    return (int64_t)s->window.dilation[axis] * (s->window.kernel[axis] - 1) + 1;
}

/* As many places as strides fit into the value, rounded up; the odd one goes after. */
static void same(const Spatial *s, const Type *type, uint32_t axis, int64_t *before, int64_t *after)
{
    int64_t size = type->dim[axis], stride = s->window.stride[axis], places = (size + stride - 1) / stride;
    int64_t border = (places - 1) * stride + span_of(s, axis) - size;
    border = border > 0 ? border : 0;
    *before = border / 2;
    *after = border - border / 2;
}

static bool border(LayerCall *call, Spatial *s, int arg)
{
    const LayerArg *given = &call->arg[arg];
    const Type *type = layer_type(call, 0);
    const Dims *dims = &given->dims;
    s->reflect = str_is(given->word, "reflect()");
    for (uint32_t axis = 0; axis < s->axes; axis++) {
        int64_t *before = &s->before[axis], *after = &s->after[axis];
        if (given->kind == ARG_WORD) {
            if (str_is(given->word, "same"))
                same(s, type, axis, before, after);
            else if (str_is(given->word, "causal"))
                *before = span_of(s, axis) - 1;
            continue;
        }
        if (dims->n == 1)
            *before = *after = dims->at[0];
        else if (dims->n == 2 * s->axes)
            *before = dims->at[2 * axis], *after = dims->at[2 * axis + 1];
        else if (dims->n == s->axes)
            *before = *after = dims->at[axis];
        else
            return refuse(call, arg, s->axes == 1 ? "`padding` is one number, or (before, after)"
                                                  : "`padding` is one number, a pair, or (top, bottom, left, right)");
        if (*before < 0 || *after < 0 || *before > INT32_MAX / 4 || *after > INT32_MAX / 4)
            return refuse(call, arg, "`padding` is at least 0; `crop` makes a value smaller");
        if (s->reflect && (*before >= type->dim[axis] || *after >= type->dim[axis]))
            return refuse(call, arg, "a reflection of %lld does not fit into an axis of %u: it is at most %u",
                          (long long)(*before > *after ? *before : *after), type->dim[axis], type->dim[axis] - 1);
    }
    return true;
}

/* Says which kernel would fit, or which border would make room. */
static bool too_large(LayerCall *call, const Spatial *s, int padding)
{
    const Type *type = layer_type(call, 0);
    uint32_t size[2] = {0}, most = UINT32_MAX;
    bool dilated = false, padded = false;
    for (uint32_t axis = 0; axis < s->axes; axis++) {
        size[axis] = type->dim[axis] + (uint32_t)(s->before[axis] + s->after[axis]);
        padded = padded || s->before[axis] + s->after[axis] > 0;
        dilated = dilated || s->window.dilation[axis] > 1;
        uint32_t fits = (size[axis] - 1) / s->window.dilation[axis] + 1;
        most = fits < most ? fits : most;
    }
    Diag *diag = layer_error(call, "ACT701", "kernel_exceeds_input", 0,
                             "a kernel of " STR_FMT "%s does not fit into " STR_FMT "%s",
                             STR_ARG(spatial_size(call, s, s->window.kernel)), dilated ? ", spread by its dilation," : "",
                             STR_ARG(spatial_size(call, s, size)), padded ? ", its border included" : "");
    diag_help(diag, padding < 0 ? "the largest that fits is %u" : "the largest that fits is %u; or `padding = same`", most);
    return false;
}

bool spatial_read(LayerCall *call, Spatial *s, SpatialArgs args)
{
    Window *w = &s->window;
    w->n = s->axes;
    for (uint32_t axis = 0; axis < s->axes; axis++)
        w->dilation[axis] = 1;
    if (!spatial_numbers(call, s, args.kernel, "kernel", 1, w->kernel))
        return false;
    for (uint32_t axis = 0; axis < s->axes; axis++)
        w->stride[axis] = w->kernel[axis];
    if (args.stride >= 0 && call->arg[args.stride].kind == ARG_DIMS &&
        !spatial_numbers(call, s, args.stride, "stride", 1, w->stride))
        return false;
    if (args.dilation >= 0 && !spatial_numbers(call, s, args.dilation, "dilation", 1, w->dilation))
        return false;
    if (args.padding >= 0 && !border(call, s, args.padding))
        return false;
    for (uint32_t axis = 0; axis < s->axes; axis++) {
        int64_t size = layer_type(call, 0)->dim[axis] + s->before[axis] + s->after[axis];
        if (span_of(s, axis) > size)
            return too_large(call, s, args.padding);
    }
    return true;
}

NodeId spatial_reflect(Graph *g, NodeId x, uint32_t axis, int64_t before, int64_t after)
{
    int64_t size = graph_type(g, x)->dim[axis];
    NodeId part[3];
    uint32_t n = 0;
    if (before > 0)
        part[n++] = build_reverse(g, build_slice(g, x, axis, 1, 1 + before), 1u << axis);
    part[n++] = x;
    if (after > 0)
        part[n++] = build_reverse(g, build_slice(g, x, axis, size - 1 - after, size - 1), 1u << axis);
    return n == 1 ? x : build_concat(g, part, n, axis);
}

NodeId spatial_pad(LayerCall *call, const Spatial *s)
{
    NodeId x = call->value[0].value;
    for (uint32_t axis = 0; axis < s->axes; axis++)
        x = (s->reflect ? spatial_reflect : build_pad)(call->g, x, axis, s->before[axis], s->after[axis]);
    return x;
}
