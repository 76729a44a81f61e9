/* ACT1208 noop_layer, ACT705 conv_noop: a layer that changes nothing, whatever its input. */
#include "check/edit.h"
#include "check/example.h"

#include "ops/build.h"

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

/* What the node passes on unchanged: the input; 0: it changes something. *why: what it does not do; *folds: it
 * looks at windows, or takes a sum or maximum. */
static NodeId passes(const CheckContext *cx, NodeId id, const char **why, bool *folds)
{
    const Node *node = graph_node(cx->g, id);
    Window w = {0};
    if (node->n_in == 0)
        return 0;
    if (node->op->kind == OP_VIEW) {
        *why = *why ? *why : "its input has this shape already";
        return node->in[0];
    }
    if (facts_is(node, "permute")) {
        *why = "every axis stays where it is";
        for (uint32_t i = 0; i < node->type.rank; i++)
            if (node_attr(node, 0)->dims.at[i] != i)
                return 0;
        return node->in[0];
    }
    if (facts_is(node, "dropout")) {
        *why = "drops nothing";
        return node_attr(node, 0)->f == 0 ? node->in[0] : 0;
    }
    for (uint32_t i = 0; node->op->kind == OP_MAP && i < node->n_in; i++)
        if (sx_simplify(cx->sx, build_fn(node)) == sx_arg(cx->sx, i) && type_equal(&node->type, graph_type(cx->g, node->in[i])))
            return node->in[i];
    if (facts_is(node, "reduce")) {
        *folds = true;
        for (uint32_t i = 0; i < graph_type(cx->g, node->in[0])->rank; i++)
            if ((build_fold(node).axes >> i & 1) && graph_type(cx->g, node->in[0])->dim[i] > 1)
                return 0;
        return build_fold(node).batch ? 0 : node->in[0];
    }
    if (!build_is_window(node, &w) && !build_is_window_max(node, &w))
        return 0;
    *folds = true;
    for (uint32_t i = 0; i < w.n; i++)
        if (w.kernel[i] != 1 || w.stride[i] != 1)
            return 0;
    return node->in[0];
}

/* Is what the layer gives what it got? */
static bool changes_nothing(const CheckContext *cx, const LayerUse *use, const char **why, bool *folds)
{
    NodeId at = use->out;
    *folds = false;
    *why = NULL;
    while (at > use->in)
        at = passes(cx, at, why, folds);
    return at == use->in && type_same_shape(graph_type(cx->g, use->in), graph_type(cx->g, use->out));
}

static void report_noops(CheckContext *cx, bool folding)
{
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        Stage stage;
        const char *why;
        bool direct = use->outer.source == use->span.source && use->outer.begin == use->span.begin, folds;
        if (!direct || use->repeat || !use->in || !use->out || use->n_tensor || use->activation ||
            !changes_nothing(cx, use, &why, &folds) || folds != folding || !edit_stage(cx, use->span, &stage) ||
            stage.value == NULL || !has_literals(stage.call, stage.value))
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, use->span, "`" STR_FMT "` does nothing here", STR_ARG(use->kind));
        check_spot_node(cx, use->out);
        diag_primary(diag, "%s", folds ? "windows of a single element, one at every place" : why != NULL ? why : "gives what it gets");
        diag_help(diag, "remove it");
        edit_remove(cx, diag, FIX_SAFE, use->span);
    }
}

static void noop_layer(CheckContext *cx) { report_noops(cx, false); }
static void conv_noop(CheckContext *cx) { report_noops(cx, true); }

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

ACT_CHECK(conv_noop) = {
    .code = "ACT705",
    .name = "conv_noop",
    .group = "convolution",
    .level = LEVEL_WARN,
    .summary = "a pool over windows of one element",
    .doc =
        "A pool of 1 with a stride of 1 takes the greatest, or the mean, of a single number: the number. So does an adaptive pool to the "
        "size the image has already. Nothing is computed and nothing gets smaller, though the text looks as if it did; usually the kernel was "
        "left over from an experiment, or the image has become smaller since.\n\n"
        "Only sizes written at the layer count, in the model itself. A 1 x 1 convolution is no such thing: it mixes channels.",
    .wrong = "model digits {\n"
             "    input  image : f32[16, 16, 1]\n"
             "    target label : class(10)\n"
             "    h = image |> conv2d(16, 3, padding = same) |> relu |> max_pool(1)\n"
             "    loss cross_entropy(h |> flatten |> linear(10), label)\n"
             "}\n",
    .right = "model digits {\n"
             "    input  image : f32[16, 16, 1]\n"
             "    target label : class(10)\n"
             "    h = image |> conv2d(16, 3, padding = same) |> relu |> max_pool(2)\n"
             "    loss cross_entropy(h |> flatten |> linear(10), label)\n"
             "}\n",
    .run = conv_noop,
};
