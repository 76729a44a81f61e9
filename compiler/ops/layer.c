#include "ops/layer.h"

Str layer_shape(const LayerCall *call, NodeId value)
{
    Text text = {.arena = call->arena};
    type_print_shape(graph_type(call->g, value), &text);
    return text_str(&text);
}

Diag *layer_error(LayerCall *call, const char *code, const char *name, uint32_t value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str message = str_vprintf(call->arena, format, args);
    va_end(args);
    Diag *diag = diag_new(call->diags, LEVEL_ERROR, code, name, call->span, STR_FMT, STR_ARG(message));
    const LayerArg *arg = &call->value[value];
    if (arg->span.source)
        diag_label(diag, arg->span, "this has shape " STR_FMT, STR_ARG(layer_shape(call, arg->value)));
    return diag;
}

bool layer_axis(LayerCall *call, uint32_t arg, int64_t axis, uint32_t rank, uint32_t *out)
{
    int64_t at = axis < 0 ? axis + rank : axis;
    if (at >= 0 && at < rank) {
        *out = (uint32_t)at;
        return true;
    }
    Span span = call->arg[arg].span.source ? call->arg[arg].span : call->span;
    Diag *diag =
        diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", span, "there is no axis %lld", (long long)axis);
    if (call->value[0].span.source)
        diag_label(diag, call->value[0].span, "this has shape " STR_FMT,
                   STR_ARG(layer_shape(call, call->value[0].value)));
    if (rank)
        diag_note(diag, "axes count from 0 without the batch; -1 is the last");
    return false;
}

bool layer_real(LayerCall *call, uint32_t value)
{
    if (layer_type(call, value)->dtype == DT_F32)
        return true;
    Diag *diag = layer_error(call, "ACT1209", "wrong_argument", value, "indices are not numbers to compute with");
    diag_help(diag, "turn them into vectors first: `|> one_hot(...)`");
    return false;
}

bool layer_done(LayerCall *call, NodeId result)
{
    call->result[0] = result;
    call->n_result = 1;
    return true;
}
