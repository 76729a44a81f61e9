/* What stands between the last weights and a loss and should not: 209 relu_on_logits, 212 redundant_log_softmax,
 * 213 norm_or_dropout_on_logits. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

#include <math.h>

/* A rectifier: straight for large inputs (or up to a stop, as relu6), flat for small ones. */
static bool is_rectifier(CheckContext *cx, const Head *head)
{
    Sx slope;
    double far = 50, near = -50;
    if (!head->activation || head->sigmoid_like || !isfinite(head->range.low) || !head->range.known)
        return false;
    const SxTraits *traits = check_traits(cx, head->fn);
    sx_gradient(cx->sx, head->fn, 1, &slope);
    double right = sx_eval(cx->sx, slope, &far), left = sx_eval(cx->sx, slope, &near);
    bool stops = traits->dies && right == 0 && traits->range.low > -1e-9;
    return fabs(left) < 1e-2 && ((right > 0.5 && right < 2) || stops);
}

/* The one value that a map reads; 0: none or several. */
static NodeId only_input(const CheckContext *cx, NodeId id)
{
    const Node *node = graph_node(cx->g, id);
    NodeId found = 0;
    for (uint32_t i = 0; i < node->n_in; i++)
        if (graph_type(cx->g, node->in[i])->batch && node->in[i] != found)
            found = found ? 0 : node->in[i];
    return found;
}

/* Where a rectifier stands right in front of what makes probabilities. */
typedef struct Cut {
    Head head;         /* of the rectifier; head.value 0: there is none */
    Span by;           /* what makes probabilities of its values */
    Str name;          /* … and is called so */
    bool each;         /* each on its own: a sigmoid */
    const LossCall *loss; /* NULL: an output */
} Cut;

static Cut find_cut(CheckContext *cx, NodeId value, const LossCall *loss)
{
    Cut cut = {.loss = loss};
    Head top = check_head(cx, value);
    NodeId below = 0;
    if (facts_is(graph_node(cx->g, top.value), "softmax") || facts_is(graph_node(cx->g, top.value), "log_softmax")) {
        below = graph_node(cx->g, top.value)->in[0];
    } else if (top.sigmoid_like) {
        below = only_input(cx, top.at);
        cut.each = true;
    }
    if (below) {
        cut.head = check_head(cx, below);
        cut.by = top.span;
        cut.name = top.name;
    } else if (loss && loss->wants_logits) {
        cut.head = top;
        cut.by = loss->span;
        cut.name = loss->fn;
        cut.each = !loss->classes;
    }
    NodeId source = cut.head.source;
    bool free = source && cx->facts->weighted[source] && isinf(cx->facts->range[source].low);
    if (cut.head.value && (!free || !is_rectifier(cx, &cut.head)))
        cut.head.value = 0;
    return cut;
}

/* The share of the values that a fresh network leaves without a slope. */
static double share_off(CheckContext *cx, const Head *head)
{
    enum { POINTS = 4001 };
    double mean = cx->signal->value[head->source].mean, deviation = signal_deviation(cx->signal, head->source);
    double off = 0, all = 0;
    Sx slope;
    sx_gradient(cx->sx, head->fn, 1, &slope);
    for (unsigned i = 0; i < POINTS; i++) {
        double z = 6 * (2 * (i + 0.5) / POINTS - 1), weight = exp(-z * z / 2), at = mean + deviation * z;
        all += weight;
        off += sx_eval(cx->sx, slope, &at) == 0 ? weight : 0;
    }
    return off / all;
}

static void report_cut(CheckContext *cx, const Cut *cut)
{
    const Head *head = &cut->head;
    double least = 1 / (1 + exp(-head->range.low)), off = share_off(cx, head);
    bool never = cut->each && least >= 0.5 - 1e-9;
    Diag *diag =
        cut->each ? check_report(cx, never ? LEVEL_DENY : LEVEL_WARN, head->span,
                                 "behind `" STR_FMT "` a probability is never below %s", STR_ARG(head->name),
                                 check_number(cx->arena, least).p)
                  : check_report(cx, LEVEL_WARN, head->span, "`" STR_FMT "` cuts off the logits of `" STR_FMT "`",
                                 STR_ARG(head->name), STR_ARG(cut->name));
    if (cut->loss)
        check_spot_loss(cx, cut->loss);
    check_spot_node(cx, head->at);
    check_spot_node(cx, head->value);
    diag_primary(diag, "gives no logit below %.3g", head->range.low == 0 ? 0.0 : head->range.low);
    diag_label(diag, cut->by, cut->each ? "reads 0 as a probability of 0.5" : "takes any real number");
    check_label_outer(cx, diag, head->at, "in this use");
    if (cut->each)
        diag_note(diag, never ? "the model can never say no: where the answer is no, the loss stays at %.4f or above"
                              : "where the answer is no, the loss stays at %.4f or above",
                  log1p(exp(head->range.low)));
    else
        diag_note(diag, "an unlikely class can only be pushed down to %.3g", head->range.low);
    if (off > 0)
        diag_note(diag, "at the start %.0f %% of the logits are cut off; their gradient is 0, right or wrong",
                  100 * off);
    diag_help(diag, "remove `" STR_FMT "`: logits are the plain values of the last layer", STR_ARG(head->name));
    /* elsewhere it only shows probabilities of the same logits */
    if (!cut->loss || !edit_remove_before_loss(cx, diag, FIX_SAFE, head, cut->loss))
        edit_remove(cx, diag, cut->loss ? FIX_UNSAFE : FIX_SAFE, head->span);
}

static void relu_on_logits(CheckContext *cx)
{
    bool *seen = arena_array(cx->arena, bool, cx->g->nodes.n);
    for (uint32_t i = 0; i < cx->model->losses.n + cx->model->outputs.n; i++) {
        const LossCall *loss = i < cx->model->losses.n ? &cx->model->losses.at[i] : NULL;
        NodeId value = loss ? loss->prediction : cx->model->outputs.at[i - cx->model->losses.n].value;
        Cut cut = value ? find_cut(cx, value, loss) : (Cut){0};
        if (cut.head.value == 0 || seen[cut.head.at])
            continue;
        seen[cut.head.at] = true;
        report_cut(cx, &cut);
    }
}

ACT_CHECK(relu_on_logits) = {
    .code = "ACT209",
    .name = "relu_on_logits",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "a rectifier between the last layer and the softmax or sigmoid",
    .doc =
        "Logits are any real numbers: a softmax compares them, a sigmoid makes a probability of each. A relu in front "
        "cuts them off at 0. Behind a sigmoid, its own or that of `bce_with_logits`, 0 is a probability of 0.5, so the "
        "model can never say no, which is an error. Behind a softmax an unlikely class can only be pushed down to 0, "
        "the likely one has to rise against all of them, and where a logit is cut off it has no gradient: a class "
        "that is off and right stays off. At the start that is half of the logits.\n\n"
        "Any rectifier counts: what is straight for large inputs and flat for small ones, such as gelu, softplus or "
        "elu. The official beginner's tutorials of two frameworks had this mistake.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10) |> relu\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT309"},
    .run = relu_on_logits,
};

static void redundant_log_softmax(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        Head head = check_head(cx, loss->prediction);
        if (!loss->wants_logits || !loss->classes || !head.log_softmax || head.kept < 1)
            continue;
        Diag *diag =
            check_report(cx, LEVEL_NOTE, head.span, "`" STR_FMT "` changes nothing in front of `" STR_FMT "`",
                         STR_ARG(facts_is(graph_node(cx->g, head.value), "log_softmax") ? head.name
                                                                                         : STR("z - logsumexp(z)")),
                         STR_ARG(loss->fn));
        check_spot_loss(cx, loss);
        check_spot_node(cx, head.value);
        diag_primary(diag, "normalises the logits");
        diag_label(diag, loss->span, "normalises them itself");
        check_label_outer(cx, diag, head.at, "in this use");
        diag_note(diag, "the log-sum-exp of its values is 0, so taking it away again leaves them as they are");
        diag_help(diag, "give the loss the value before it, or use `nll`, which takes log-probabilities");
        edit_remove_before_loss(cx, diag, FIX_SAFE, &head, loss);
    }
}

ACT_CHECK(redundant_log_softmax) = {
    .code = "ACT212",
    .name = "redundant_log_softmax",
    .group = "output",
    .level = LEVEL_NOTE,
    .summary = "log_softmax in front of a loss that normalises logits itself",
    .doc =
        "log_softmax subtracts from the logits of a row their log-sum-exp; `cross_entropy` does the same. Done twice "
        "it is done once: the log-sum-exp of log-probabilities is log 1 = 0. So this is not the bug that a softmax "
        "in the same place would be, loss and gradient are right, and only work is wasted. Either the loss gets the "
        "logits, or the log-probabilities go to `nll`.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss   cross_entropy(z |> log_softmax, label)\n"
                            "    output softmax(z)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss   cross_entropy(z, label)\n"
                            "    output softmax(z)\n"),
    .run = redundant_log_softmax,
};

/* Layers that train hidden values better and spoil a prediction. */
static bool is_for_hidden(const Node *node) { return facts_is(node, "dropout") || facts_norm(node) != NORM_NONE; }

/* The map that scales and shifts what the norm made is passed on the way. */
static NodeId behind_scale(const CheckContext *cx, NodeId id)
{
    const Node *node = graph_node(cx->g, id);
    for (uint32_t i = 0; node->op->kind == OP_MAP && i < node->n_in; i++)
        if (facts_norm(graph_node(cx->g, node->in[i])) != NORM_NONE && facts_read(cx->facts, id, i) == READ_AFFINE)
            return node->in[i];
    return 0;
}

/* Such a layer behind the last weights, with nothing but pointwise functions up to the prediction; 0: none. */
static NodeId find_behind_weights(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    while (id && f->weighted[id] && facts_weight(cx->g, id) < 0) {
        const Node *node = graph_node(cx->g, id);
        if (is_for_hidden(node))
            return id;
        NodeId norm = behind_scale(cx, id);
        if (f->base[id] != id)
            id = f->base[id];
        else if (norm)
            id = norm;
        else if (facts_passes(node) || facts_is(node, "softmax") || facts_is(node, "log_softmax"))
            id = node->in[0];
        else
            return 0;
    }
    return 0;
}

/* Says what node `id` does to the predictions, or logits (`what`), that the loss judges; a rate above 0: it drops some of them. */
static void report_behind(CheckContext *cx, const LossCall *loss, NodeId id, const char *what, double rate)
{
    bool drops = rate > 0;
    Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "%s of the %s themselves", drops ? "dropout" : "a norm", what);
    check_spot_loss(cx, loss);
    check_spot_node(cx, id);
    diag_primary(diag, "behind the last weights");
    diag_label(diag, loss->span, "judges what is left");
    check_label_outer(cx, diag, id, "in this use");
    if (drops)
        diag_note(diag, "in training %s %% of the %s are 0 whatever the input, the others are %s times as large",
                  check_number(cx->arena, 100 * rate).p, what, check_number(cx->arena, 1 / (1 - rate)).p);
    else if (facts_norm(graph_node(cx->g, id)) == NORM_BATCH)
        diag_note(diag, "every prediction depends on the other samples of the batch, and over a batch each of the %s has one "
                        "mean and one size, whatever the inputs are", what);
    else
        diag_note(diag, "the %s of every sample get the same size: none can be surer than another", what);
    diag_help(diag, drops ? "remove it; dropout belongs in front of a layer, which learns to do without some of its inputs"
                          : "remove it; a norm belongs behind hidden layers");
    Head at = {.at = id};
    if (!edit_is_shared(cx, &at, loss))
        edit_remove(cx, diag, FIX_UNSAFE, check_span(cx, id));
}

static void norm_or_dropout_on_logits(CheckContext *cx)
{
    bool *seen = arena_array(cx->arena, bool, cx->g->nodes.n);
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        NodeId id = find_behind_weights(cx, loss->prediction);
        if (id == 0 || seen[id])
            continue;
        seen[id] = true;
        bool norm = facts_norm(graph_node(cx->g, id)) != NORM_NONE;
        double rate = norm ? 0 : node_attr(graph_node(cx->g, id), 0)->f;
        Head head = check_head(cx, loss->prediction);
        bool logits = loss->wants_logits || head.softmax || head.log_softmax || head.sigmoid_like;
        if (norm || rate > 0)
            report_behind(cx, loss, id, logits ? "logits" : "predictions", rate);
    }
}

ACT_CHECK(norm_or_dropout_on_logits) = {
    .code = "ACT213",
    .name = "norm_or_dropout_on_logits",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "dropout or a norm behind the last weights, on the prediction itself",
    .doc =
        "Dropout makes a layer do without some of its inputs, so that it does not rely on any single one. Behind the "
        "last weights there is no such layer any more: what is dropped is the answer. With share p the logit of the "
        "right class is 0 in p of the samples, whatever the network knows, and the others are 1 / (1 - p) times too "
        "large; the loss punishes both, and no weight can do anything about it. A regression learns to hit its target "
        "with values that are zeroed at random.\n\n"
        "A norm there gives the predictions one mean and one size. Batch norm makes an answer depend on the other "
        "samples of the batch, and where classes or targets are not equally frequent or large, that is the wrong mean; "
        "layer norm takes from every sample how sure it is.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10) |> dropout(0.3)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> dropout(0.3) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT602", "ACT605"},
    .run = norm_or_dropout_on_logits,
};
