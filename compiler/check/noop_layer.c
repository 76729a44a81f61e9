/* ACT1208: a layer that changes nothing, whatever its input. */
#include "check/edit.h"
#include "check/example.h"

/* Every argument is a number in the text: not the off-switch of a block or a param. */
static bool is_literal(const Ast *e)
{
    if (e->kind == AST_UNARY || e->kind == AST_GROUP)
        return is_literal(e->kid[0]);
    return e->kind == AST_NUMBER;
}

static bool has_literals(const Ast *call, const Ast *value)
{
    for (uint32_t i = 1; call->kind == AST_CALL && i < call->n_kid; i++)
        if (call->kid[i]->kid[0] != value && !is_literal(call->kid[i]->kid[0]))
            return false;
    return true;
}

static double first_number(const Ast *call, const Ast *value)
{
    for (uint32_t i = 1; call->kind == AST_CALL && i < call->n_kid; i++)
        if (call->kid[i]->kid[0] != value && call->kid[i]->kid[0]->kind == AST_NUMBER)
            return call->kid[i]->kid[0]->number;
    return -1;
}

/* What it would have to do to matter; NULL: it does something. */
static const char *does_nothing(const CheckContext *cx, const LayerUse *use, const Stage *stage)
{
    const Type *in = graph_type(cx->g, use->in), *out = graph_type(cx->g, use->out);
    if (!has_literals(stage->call, stage->value))
        return NULL;
    if (str_is(use->kind, "dropout") || str_is(use->kind, "gaussian_noise"))
        return first_number(stage->call, stage->value) == 0 ? "drops and disturbs nothing" : NULL;
    if (str_is(use->kind, "reshape") || str_is(use->kind, "flatten"))
        return type_same_shape(in, out) ? "its input has this shape already" : NULL;
    if (!str_is(use->kind, "permute"))
        return NULL;
    double before = -1;
    for (uint32_t i = 1; stage->call->kind == AST_CALL && i < stage->call->n_kid; i++) {
        const Ast *e = stage->call->kid[i]->kid[0];
        if (e == stage->value)
            continue;
        if (e->kind != AST_NUMBER || e->number != before + 1)
            return NULL;
        before = e->number;
    }
    return "every axis stays where it is";
}

static void noop_layer(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        Stage stage;
        bool direct = use->outer.source == use->span.source && use->outer.begin == use->span.begin;
        if (!direct || use->repeat || !use->in || !use->out || use->n_tensor || !edit_stage(cx, use->span, &stage) ||
            stage.value == NULL)
            continue;
        const char *why = does_nothing(cx, use, &stage);
        if (why == NULL)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, use->span, "`" STR_FMT "` does nothing here", STR_ARG(use->kind));
        check_spot_node(cx, use->out);
        diag_primary(diag, "%s", why);
        diag_help(diag, "remove it");
        edit_remove(cx, diag, FIX_SAFE, use->span);
    }
}

ACT_CHECK(noop_layer) = {
    .code = "ACT1208",
    .name = "noop_layer",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "a layer that changes nothing",
    .doc =
        "A dropout or noise of 0, a reshape to the shape the value has, a flatten of a row, a permute that leaves "
        "every axis where it is: they compute nothing, and a reader who trusts the text thinks they do. Usually a "
        "number was left over from an experiment, or a layer in front has changed.\n\n"
        "Only numbers written at the layer count, in the model itself: a block with a rate of 0 as its default, or a "
        "param that switches dropout off, is a choice.",
    .wrong = EXAMPLE_DIGITS("    z = image |> flatten |> linear(64) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(64) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = noop_layer,
};
