/* Shapes that do not fit under a loss: the two reasons people meet, and their fixes. */
#include "sema/sema.h"

static bool only_ones_differ(const Type *a, const Type *b)
{
    uint32_t i = 0, k = 0;
    while (i < a->rank || k < b->rank) {
        if (i < a->rank && a->dim[i] == 1) {
            i++;
        } else if (k < b->rank && b->dim[k] == 1) {
            k++;
        } else {
            if (i == a->rank || k == b->rank || a->dim[i] != b->dim[k])
                return false;
            i++;
            k++;
        }
    }
    return true;
}

/* The first layer on the way to `prediction` that works on the last axis of a value with more axes. */
static LayerUse *first_wide_linear(Sema *s, NodeId prediction)
{
    bool *behind = arena_array(s->arena, bool, s->g->nodes.n);
    behind[prediction] = true;
    for (NodeId id = prediction; id > 0; id--)
        for (uint32_t k = 0; behind[id] && k < graph_node(s->g, id)->n_in; k++)
            behind[graph_node(s->g, id)->in[k]] = true;
    for (uint32_t i = 0; i < s->model->layers.n; i++) {
        LayerUse *use = &s->model->layers.at[i];
        if (str_is(use->kind, "linear") && use->out && behind[use->out] && use->in &&
            graph_type(s->g, use->in)->rank > 1)
            return use;
    }
    return NULL;
}

bool flatten_missing(Sema *s, NodeId prediction, uint32_t target, Span span)
{
    if (!target)
        return false;
    const Tensor *t = &s->g->tensors.at[target - 1];
    uint32_t want = t->type.dtype == DT_I32 ? t->type.rank + 1 : t->type.rank;
    if (want != 1 || graph_type(s->g, prediction)->rank < 2)
        return false;
    LayerUse *use = first_wide_linear(s, prediction);
    if (!use || graph_type(s->g, prediction)->rank != graph_type(s->g, use->in)->rank)
        return false;
    Diag *diag =
        sema_error(s, CODE_missing_flatten, use->span, "`linear` works on every position of a value of shape " STR_FMT,
                   STR_ARG(sema_shape(s, use->in)));
    diag_primary(diag, "gives shape " STR_FMT, STR_ARG(sema_shape(s, use->out)));
    diag_label(diag, sema_place(s, span), "the loss takes one row of numbers for each sample");
    diag_help(diag, "make one row of all positions first: `|> flatten`");
    Span place = sema_place(s, use->span);
    if (place.begin == use->span.begin && place.source == use->span.source)
        diag_fix(diag, FIX_SAFE, (Span){place.source, place.begin, place.begin}, "flatten |> ");
    return true;
}

/* Where the target's declared shape stands, or would stand. */
static Span shape_span(Sema *s, uint32_t target)
{
    const Ast *type = target && target <= s->declared.n ? s->declared.at[target - 1] : NULL;
    if (!type || !str_is(type->text, "f32"))
        return (Span){0};
    for (uint32_t i = 0; i < type->n_kid; i++)
        if (type->kid[i] && type->kid[i]->kind == AST_SHAPE)
            return type->kid[i]->span;
    return (Span){type->name_span.source, type->name_span.end, type->name_span.end};
}

void loss_shape_error(Sema *s, NodeId prediction, Span prediction_span, uint32_t target, NodeId target_node,
                      Span target_span, Span span)
{
    if (flatten_missing(s, prediction, target, span))
        return;
    const Type *p = graph_type(s->g, prediction), *t = graph_type(s->g, target_node);
    Str shape = sema_shape(s, prediction), of = sema_shape(s, target_node);
    const Tensor *tensor = target ? &s->g->tensors.at[target - 1] : NULL;
    Diag *diag = sema_error(s, CODE_target_shape, span, "the prediction has shape " STR_FMT ", the target " STR_FMT,
                            STR_ARG(shape), STR_ARG(of));
    if (prediction_span.source)
        diag_label(diag, sema_place(s, prediction_span), "shape " STR_FMT, STR_ARG(shape));
    if (tensor)
        diag_label(diag, tensor->span, "declared as `" STR_FMT "`", STR_ARG(tensor->label));
    else if (target_span.source)
        diag_label(diag, sema_place(s, target_span), "shape " STR_FMT, STR_ARG(of));
    diag_note(diag, "nothing is broadcast inside a loss");
    if (tensor && tensor->type.dtype == DT_I32) {
        Text want = {.arena = s->arena};
        Type logits = tensor->type;
        if (logits.rank < TYPE_MAX_RANK)
            logits.dim[logits.rank++] = tensor->classes;
        type_print_shape(&logits, &want);
        diag_help(diag, "a target `" STR_FMT "` takes a prediction of shape " STR_FMT, STR_ARG(tensor->label),
                  STR_ARG(text_str(&want)));
        return;
    }
    Span at = shape_span(s, target);
    if (only_ones_differ(p, t) && at.source) {
        diag_help(diag, "declare the target as `f32" STR_FMT "`: data without the axis of size 1 still fits it",
                  STR_ARG(shape));
        Str text = p->rank ? shape : (Str){"", 0};
        diag_fix(diag, FIX_SAFE, at, STR_FMT, STR_ARG(text));
    } else if (p->rank == 1 && t->rank == 1) {
        diag_help(diag, "the last layer gives %u number%s, and the target has %u", p->dim[0],
                  p->dim[0] == 1 ? "" : "s", t->dim[0]);
    } else {
        diag_help(diag, "bring the prediction to shape " STR_FMT, STR_ARG(of));
    }
}
