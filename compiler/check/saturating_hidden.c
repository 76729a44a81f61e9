/* ACT302: sigmoid- or tanh-shaped activations in the hidden layers of a feed-forward network, with the predicted
 * factor. */
#include "check/edit.h"
#include "check/flow.h"

#include <math.h>

/* More than this is harmless: tanh in a network of a few layers. */
static const double harmless = 0.1;
enum { long_stack = 10 };

/* A latent code, narrower than the layer it comes from and the layer it goes to, may well be bounded. */
static bool is_bottleneck(const CheckContext *cx, NodeId id, NodeId next)
{
    NodeId layer = cx->facts->weighted[id];
    uint64_t width = type_last(graph_type(cx->g, id)),
             in = type_last(graph_type(cx->g, graph_node(cx->g, layer)->in[0]));
    return width < in && width < type_last(graph_type(cx->g, next));
}

/* What is handed out is no hidden layer, though another network may look at it, as a discriminator does at what a generator made. */
static bool is_output(const CheckContext *cx, NodeId id)
{
    for (uint32_t i = 0; i < cx->g->roots.n; i++) {
        NodeId at = cx->g->roots.at[i].node;
        while (at != id && graph_node(cx->g, at)->op->kind == OP_VIEW)
            at = graph_node(cx->g, at)->in[0];
        if (cx->g->roots.at[i].kind == ROOT_OUTPUT && at == id)
            return true;
    }
    return false;
}

/* Made by a layer with weights inside itself, as the states of a recurrent one are: nobody chose it, nobody can take it away. */
static bool is_inside_layer(const CheckContext *cx, NodeId id)
{
    const LayerUse *use = check_use(cx, id);
    return use && !use->activation && use->n_tensor > 0;
}

static bool is_saturating_hidden(CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    double scale, shift;
    if (!f->live[id] || graph_node(cx->g, id)->op->kind != OP_MAP || f->base[id] == id || f->base[id] == 0 ||
        sx_is_affine(cx->sx, f->fn[id], 0, &scale, &shift))
        return false;
    /* the last of a chain of maps speaks for it */
    for (uint32_t k = f->first[id]; k < f->first[id + 1]; k++)
        if (f->base[f->consumer[k]] == f->base[id])
            return false;
    const SxTraits *traits = check_traits(cx, f->fn[id]);
    if (!traits->saturates || !f->weighted[f->base[id]] || is_output(cx, id) ||
        is_inside_layer(cx, id))
        return false;
    Reach reach = flow_reach(cx, id);
    return reach.layer && !reach.gate && !is_bottleneck(cx, id, reach.first);
}

/* The activation that saturates, in a chain of maps that ends in `id`: the first whose value does. */
static NodeId culprit(CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    double scale, shift;
    NodeId found = id;
    for (NodeId at = id; at && at != f->base[id];) {
        if (!sx_is_affine(cx->sx, f->fn[at], 0, &scale, &shift) && check_traits(cx, f->fn[at])->saturates)
            found = at;
        const Node *node = graph_node(cx->g, at);
        NodeId next = 0;
        for (uint32_t i = 0; i < node->n_in; i++)
            if (f->base[node->in[i]] == f->base[id] && node->in[i] > next)
                next = node->in[i];
        at = next;
    }
    return found;
}

/* The weights in front of the activation: an initializer made for it must go with it. */
static void fix_initializer(CheckContext *cx, Diag *diag, NodeId activation)
{
    const Tensor *tensor = &cx->g->tensors.at[facts_weight(cx->g, cx->facts->weighted[activation])];
    edit_initializer(cx, diag, FIX_UNSAFE, tensor, "kaiming_normal");
}

/* What the activations let through, and nothing else: from the product in front of each to the next one behind it.
 * Those at one depth stand side by side and count once. */
static double passed(CheckContext *cx, const Signal *signal, const NodeId *node, uint32_t n, uint32_t *layers)
{
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < n; i++)
        deepest = cx->facts->depth[node[i]] > deepest ? cx->facts->depth[node[i]] : deepest;
    double *sum = arena_array(cx->arena, double, deepest + 1), total = 0;
    uint32_t *count = arena_array(cx->arena, uint32_t, deepest + 1);
    for (uint32_t i = 0; i < n; i++) {
        double before = signal_gradient_norm(signal, cx->facts->weighted[node[i]]);
        NodeId first = flow_reach(cx, node[i]).first;
        double behind = signal_gradient_norm(signal, first);
        /* A part of what the layer behind reads (a concat) gets its part of the gradient: no loss. */
        double part = (double)type_elements(graph_type(cx->g, node[i])) /
                      (double)type_elements(graph_type(cx->g, graph_node(cx->g, first)->in[0]));
        behind *= sqrt(fmin(part, 1));
        sum[cx->facts->depth[node[i]]] += log(before / behind);
        count[cx->facts->depth[node[i]]]++;
    }
    *layers = 0;
    for (uint32_t d = 0; d <= deepest; d++) {
        *layers += count[d] > 0;
        total += count[d] ? sum[d] / count[d] : 0;
    }
    return exp(total);
}

static void report(CheckContext *cx, const Signal *signal, const NodeId *node, uint32_t n, NodeId prediction)
{
    uint32_t layers;
    double factor = passed(cx, signal, node, n, &layers);
    if (isnan(factor))
        return; /* no gradient passes here at all: not for this reason */
    NodeId *at = arena_array(cx->arena, NodeId, n);
    for (uint32_t i = 0; i < n; i++)
        at[i] = culprit(cx, node[i]);
    Str name = check_name(cx, at[0]), through = check_number(cx->arena, factor);
    Span first = check_span(cx, at[0]);
    Diag *diag = check_report(cx, factor > harmless ? LEVEL_NOTE : LEVEL_WARN, first,
                              "`" STR_FMT "` in %u hidden layer%s lets " STR_FMT " of the gradient through",
                              STR_ARG(name), n, n == 1 ? "" : "s", STR_ARG(through));
    double most = check_traits(cx, cx->facts->fn[node[0]])->max_slope;
    diag_primary(diag, "its slope is at most %.3g and vanishes where it saturates", most);
    uint32_t labels = 0;
    for (uint32_t i = 0; i < n; i++) {
        check_spot_node(cx, node[i]);
        Span span = check_span(cx, at[i]);
        bool other = span.begin != first.begin && (i == 0 || span.begin != check_span(cx, at[i - 1]).begin);
        if (other && ++labels <= 3)
            diag_label(diag, span, labels == 3 && i + 1 < n ? "and in %u more" : "and here", n - i - 1);
    }
    check_label_outer(cx, diag, at[0], "in this use");
    diag_note(diag,
              "predicted from the initial weights: a factor of %.2g per layer; the first layer of the network gets "
              STR_FMT " of the gradient at the last",
              pow(factor, 1.0 / layers), STR_ARG(check_number(cx->arena, signal_path(signal, prediction).ratio)));
    /* In a long plain stack relu would trade one ill for another: samples grow alike and units die. */
    const char *better = layers > long_stack ? "elu" : "relu";
    diag_help(diag, layers > long_stack ? "in a deep stack use `elu` or `selu`, or add residual connections"
                                        : "in hidden layers use `relu` or `gelu`; their gradient keeps its size");
    for (uint32_t i = 0; i < n; i++) {
        edit_replace(cx, diag, FIX_UNSAFE, check_span(cx, at[i]), better);
        fix_initializer(cx, diag, node[i]);
    }
}

static void saturating_hidden(CheckContext *cx)
{
    NodeId *found = arena_array(cx->arena, NodeId, cx->g->nodes.n);
    uint32_t n = 0;
    for (NodeId id = 1; id < cx->g->nodes.n; id++)
        if (is_saturating_hidden(cx, id))
            found[n++] = id;
    const Signal *signal = n ? flow_signal(cx) : NULL;
    /* one finding for each function and prediction */
    for (uint32_t i = 0; i < n; i++) {
        if (found[i] == 0)
            continue;
        NodeId *group = arena_array(cx->arena, NodeId, n), prediction = flow_prediction(cx, found[i]);
        Sx fn = cx->facts->fn[found[i]];
        uint32_t members = 0;
        for (uint32_t k = i; k < n; k++)
            if (found[k] && cx->facts->fn[found[k]] == fn && flow_prediction(cx, found[k]) == prediction) {
                group[members++] = found[k];
                found[k] = 0;
            }
        if (prediction)
            report(cx, signal, group, members, prediction);
    }
}

ACT_CHECK(saturating_hidden) = {
    .code = "ACT302",
    .name = "saturating_hidden",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "an activation that saturates in deep hidden layers, with the predicted factor",
    .doc =
        "The slope of a sigmoid is at most 0.25, and on its way back to the first layer the gradient is multiplied "
        "by such a slope at every layer: 0.25^20 is about 1e-12. The bound is not the prediction. This rule "
        "propagates the variance of the signal forward and of the gradient backward through the network as it is "
        "initialised, with the widths, initializers and skips it has, and multiplies what the layers with such an "
        "activation do to the norm of the gradient. For twenty layers of sigmoid behind Xavier weights it predicts "
        "2.6e-13; measured networks show the same within a factor of two. tanh, with slope 1 at zero, loses far "
        "less: 0.19 over twenty layers.\n\n"
        "When they let less than a tenth through it is a warning, otherwise a note: a tanh network of three layers "
        "is fine. Any function that is flat at both ends counts, also your own. Exempt are gates (a "
        "sigmoid that multiplies other values), outputs, and a latent code that is narrower than its neighbours.",
    .wrong =
        "model deep {\n"
        "    input  x : f32[20]\n"
        "    target y : class(3)\n"
        "    h = x |> linear(32) |> sigmoid |> linear(32) |> sigmoid |> linear(32) |> sigmoid |> linear(32) |> "
        "sigmoid\n"
        "    loss cross_entropy(h |> linear(3), y)\n"
        "}\n",
    .right = "model deep {\n"
             "    input  x : f32[20]\n"
             "    target y : class(3)\n"
             "    h = x |> linear(32) |> relu |> linear(32) |> relu |> linear(32) |> relu |> linear(32) |> relu\n"
             "    loss cross_entropy(h |> linear(3), y)\n"
             "}\n",
    .silences = {"ACT304", "ACT306"},
    .run = saturating_hidden,
};
