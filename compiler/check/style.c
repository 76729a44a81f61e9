/* Matters of style, silent unless asked for with `-W style`: STY03 widening_dense, STY05 nonzero_bias,
 * STY07 mixed_activations, STY10 deep_without_residual. The counterparts of NeuraLint's rules for dense networks. */
#include "check/example.h"
#include "check/flow.h"

/* The product with weights whose value arrives at `id` through nothing but activations, dropout and views; 0: none. */
static NodeId layer_before(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    while (facts_weight(cx->g, id) < 0) {
        const Node *node = graph_node(cx->g, id);
        NodeId next = 0;
        for (uint32_t i = 0; i < node->n_in; i++)
            if (graph_type(cx->g, node->in[i])->batch && node->in[i] != next) {
                if (next && f->base[next] != f->base[node->in[i]])
                    return 0; /* other data joins */
                next = node->in[i];
            }
        if (next == 0)
            return 0;
        id = next;
    }
    return id;
}

/* Does it lead to a loss over classes, and through another layer first? */
static bool is_hidden_in_classifier(const CheckContext *cx, NodeId product)
{
    Reach reach = flow_reach(cx, product);
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const Tensor *target;
        TargetKind kind = check_target(cx, &cx->model->losses.at[i], &target);
        if ((kind == TARGET_CLASS || kind == TARGET_BINARY) && reach.layer && !reach.gate && !reach.head)
            return true;
    }
    return false;
}

static void widening_dense(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        if (!cx->facts->live[id] || facts_weight(cx->g, id) < 0 || !is_hidden_in_classifier(cx, id))
            continue;
        NodeId before = layer_before(cx, graph_node(cx->g, id)->in[0]);
        uint64_t from = before ? type_last(graph_type(cx->g, before)) : 0, to = type_last(graph_type(cx->g, id));
        if (before == 0 || to <= from)
            continue;
        Diag *diag = check_report(cx, LEVEL_ALLOW, check_span(cx, id),
                                  "`" STR_FMT "` is wider than the layer before it", STR_ARG(check_name(cx, id)));
        check_spot_node(cx, id);
        diag_primary(diag, "%llu units", (unsigned long long)to);
        Span other = check_span(cx, before);
        if (other.begin != check_span(cx, id).begin)
            diag_label(diag, other, "%llu units", (unsigned long long)from);
        check_label_outer(cx, diag, id, "in this use");
        diag_help(diag, "let the layers of a classifier grow narrower towards its output");
    }
}

ACT_CHECK(widening_dense) = {
    .code = "STY03",
    .name = "widening_dense",
    .group = "style",
    .level = LEVEL_ALLOW,
    .summary = "hidden layers of a classifier that grow wider towards the output",
    .doc =
        "A classifier throws information away on its way to a few classes, and a layer that is wider than the one "
        "before it has nothing new to say with its further units. NeuraLint counts this as bad practice (its rule "
        "f019). Many good networks do it all the same, in blocks that widen and narrow again, so the rule is silent "
        "unless it is asked for with `-W style` or `-W widening_dense`.\n\n"
        "The output layer, autoencoders and other models without classes, gates and joined values do not count.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(128) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(128) |> relu |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = widening_dense,
};

static const Tensor *bias_of(const CheckContext *cx, const LayerUse *use)
{
    for (uint32_t k = 0; k < use->n_tensor; k++) {
        const Tensor *t = &cx->g->tensors.at[use->tensor[k]];
        if (t->role == ROLE_PARAM && t->trainable && !t->weight && t->type.rank == 1)
            return t;
    }
    return NULL;
}

static void nonzero_bias(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        const Tensor *bias = str_is(use->kind, "linear") ? bias_of(cx, use) : NULL;
        if (bias == NULL || !use->out || !cx->facts->live[use->out] || !flow_reach(cx, use->out).layer ||
            (bias->deviation == 0 && bias->fill.a == 0))
            continue;
        Diag *diag = check_report(cx, LEVEL_ALLOW, bias->init_span.source ? bias->init_span : use->span,
                                  "the bias of `" STR_FMT "` does not start at zero", STR_ARG(use->name));
        check_spot_tensor(cx, (uint32_t)(bias - cx->g->tensors.at));
        diag_primary(diag, "`" STR_FMT "`", STR_ARG(bias->init));
        diag_help(diag, "leave the initializer of the bias out: zeros");
    }
}

ACT_CHECK(nonzero_bias) = {
    .code = "STY05",
    .name = "nonzero_bias",
    .group = "style",
    .level = LEVEL_ALLOW,
    .summary = "a hidden layer whose bias does not start at zero",
    .doc =
        "Random weights break the symmetry between units; a bias has nothing to break and starts at zero. A small "
        "positive bias was once recommended for relu, and gives no consistent gain. NeuraLint counts it as bad "
        "practice (its rule f024); silent unless asked for with `-W style` or `-W nonzero_bias`.\n\n"
        "The bias of an output layer is not asked: starting at the logarithm of the classes' shares is good practice.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32, bias = constant(0.1)) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10, bias = constant(0.1))\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = nonzero_bias,
};

static bool is_hidden_activation(const CheckContext *cx, const LayerUse *use)
{
    if (!use->activation || !use->out || !cx->facts->live[use->out] || !cx->facts->weighted[use->out])
        return false;
    Reach reach = flow_reach(cx, use->out);
    return reach.layer && !reach.gate && !reach.head;
}

static void mixed_activations(CheckContext *cx)
{
    const LayerUse *first = NULL;
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        if (!is_hidden_activation(cx, use))
            continue;
        if (first == NULL || cx->facts->fn[use->out] == cx->facts->fn[first->out]) {
            first = first ? first : use;
            continue;
        }
        Diag *diag = check_report(cx, LEVEL_ALLOW, use->span, "hidden layers with different activations");
        check_spot_node(cx, use->out);
        diag_primary(diag, "`" STR_FMT "` here", STR_ARG(use->kind));
        diag_label(diag, first->span, "`" STR_FMT "` before it", STR_ARG(first->kind));
        check_label_outer(cx, diag, use->out, "in this use");
        diag_help(diag, "use one activation for all hidden layers");
        return;
    }
}

ACT_CHECK(mixed_activations) = {
    .code = "STY07",
    .name = "mixed_activations",
    .group = "style",
    .level = LEVEL_ALLOW,
    .summary = "hidden layers with different activations",
    .doc =
        "The hidden layers of a plain network usually repeat one pattern: a layer and the same activation. Another "
        "activation in one of them is often a leftover of an experiment; when it is meant, the reader would like to "
        "know. NeuraLint asks for blocks of one kind (its rule f026); silent unless asked for with `-W style` or `-W "
        "mixed_activations`.\n\n"
        "Activations are compared by their formula. Gates and the activation of the output do not count.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(64) |> relu |> linear(32) |> gelu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(64) |> gelu |> linear(32) |> gelu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = mixed_activations,
};

enum { DEEP = 8 }; /* weight layers from which a plain stack is called deep (Neurarch's rule) */

static bool has_shortcut(const CheckContext *cx, NodeId prediction)
{
    for (NodeId id = 1; id <= prediction; id++) {
        const Node *node = graph_node(cx->g, id);
        if (!cx->facts->live[id] || cx->facts->of_target[id] || node->n_in < 2)
            continue;
        uint32_t least = UINT32_MAX, most = 0; /* depths that meet here: a path that goes round layers */
        for (uint32_t i = 0; i < node->n_in; i++)
            if (graph_type(cx->g, node->in[i])->batch) {
                uint32_t depth = cx->facts->depth[node->in[i]];
                least = depth < least ? depth : least;
                most = depth > most ? depth : most;
            }
        if (least < most && least != UINT32_MAX)
            return true;
    }
    return false;
}

static void deep_without_residual(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        NodeId prediction = cx->model->losses.at[i].prediction;
        uint32_t layers = prediction ? cx->facts->depth[prediction] : 0;
        if (layers < DEEP || has_shortcut(cx, prediction))
            continue;
        SignalPath path = signal_path(cx->signal, prediction);
        Diag *diag = check_report(cx, LEVEL_ALLOW, path.first ? check_span(cx, path.first) : cx->model->name_span,
                                  "%u layers in a row without a shortcut", layers);
        check_spot_loss(cx, &cx->model->losses.at[i]);
        diag_primary(diag, "the first of them");
        diag_note(diag, "the first layer starts with " STR_FMT " of the gradient at the last",
                  STR_ARG(check_number(cx->arena, path.ratio)));
        diag_help(diag, "add shortcuts: `h + (h |> linear(64) |> relu |> linear(64))`");
        return;
    }
}

ACT_CHECK(deep_without_residual) = {
    .code = "STY10",
    .name = "deep_without_residual",
    .group = "style",
    .level = LEVEL_ALLOW,
    .summary = "eight layers and more in a row without a shortcut",
    .doc =
        "From about eight layers on a plain stack is harder to train than one with shortcuts, in which every block "
        "adds to what it gets: the gradient has a short way back, and a block that is not needed can stay near zero. "
        "With an initializer that fits, deeper plain stacks do train, which is why ACT304 predicts the gradient "
        "instead of counting, and this rule is silent unless asked for with `-W style` or "
        "`-W deep_without_residual`.\n\n"
        "A sum or a concatenation of values of different depth is a shortcut.",
    .wrong = "block layer(x) { x |> linear(64) |> relu }\n"
             "model digits {\n"
             "    input  image : f32[64]\n"
             "    target label : class(10)\n"
             "    z = image |> repeat(9, layer) |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .right = "block layer(x) { x + (x |> linear(64) |> relu |> linear(64)) / 3 }\n"
             "model digits {\n"
             "    input  image : f32[64]\n"
             "    target label : class(10)\n"
             "    z = image |> repeat(9, layer) |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .run = deep_without_residual,
};
