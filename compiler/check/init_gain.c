/* Gains and contracts: 404 selu_contract, 405 gain_slope. */
#include "check/edit.h"
#include "check/init.h"

#include <math.h>

/* ── 404 ── */
/* Mean 0 and variance 1 in, mean 0 and variance 1 out: selu, whatever it is called. */
static bool is_self_normalising(CheckContext *cx, Sx fn)
{
    double scale, shift;
    if (sx_is_affine(cx->sx, fn, 0, &scale, &shift))
        return false;
    const SxTraits *traits = check_traits(cx, fn);
    return fabs(traits->unit.mean) < 1e-3 && fabs(traits->unit.second - 1) < 1e-3;
}

/* Layers of such an activation in hidden places. */
static uint32_t count_layers(CheckContext *cx)
{
    uint32_t n = 0;
    for (NodeId id = 1; id < cx->g->nodes.n; id++)
        if (cx->facts->live[id] && facts_weight(cx->g, id) >= 0) {
            Follow follow = flow_follow(cx, id);
            n += follow.end == FOLLOW_ACTIVATION && is_self_normalising(cx, follow.fn) &&
                 flow_reach(cx, follow.node).layer;
        }
    return n;
}

static Level contract_level(uint32_t layers) { return layers > 1 ? LEVEL_WARN : LEVEL_NOTE; }

static bool keeps_variance(const Tensor *tensor)
{
    double variance = init_variance(tensor);
    return variance > 0.8 && variance < 1.25;
}

static void contract_of_weights(CheckContext *cx, uint32_t layers)
{
    InitPair *pair = arena_array(cx->arena, InitPair, cx->g->nodes.n);
    uint32_t n = init_pairs(cx, pair), broken = 0;
    Diag *diag = NULL;
    const Tensor *tensor = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const Tensor *own = &cx->g->tensors.at[pair[i].tensor];
        if (!is_self_normalising(cx, pair[i].follow.fn) || keeps_variance(own))
            continue;
        bool small = init_variance(own) < 1 && init_may_start_small(cx, pair[i].product);
        if (small)
            continue;
        if (diag == NULL) {
            Str activation = check_name(cx, pair[i].follow.node);
            tensor = own;
            diag = check_report(cx, contract_level(layers), check_span(cx, pair[i].product),
                                "`" STR_FMT "` keeps mean 0 and variance 1 only with weights of variance 1 / fan_in",
                                STR_ARG(activation));
            diag_primary(diag, "`" STR_FMT "` has %s / fan_in", STR_ARG(own->init),
                         check_number(cx->arena, init_variance(own)).p);
            diag_label(diag, check_span(cx, pair[i].follow.node), "hands on what it gets, if that is normal");
            check_label_outer(cx, diag, pair[i].product, "in this use");
        }
        broken++;
        check_spot_tensor(cx, (uint32_t)pair[i].tensor);
        edit_initializer(cx, diag, FIX_UNSAFE, own, "lecun_normal");
    }
    if (diag == NULL)
        return;
    double second = 1, gradient = 1;
    for (uint32_t i = 0; i < broken; i++) {
        Sx fn = 0;
        for (uint32_t k = 0; k < n && !fn; k++)
            if (is_self_normalising(cx, pair[k].follow.fn))
                fn = pair[k].follow.fn;
        SxMoments m = sx_gauss(cx->sx, fn, 0, NULL, 0, sqrt(init_variance(tensor) * second));
        second = m.second;
        gradient *= sqrt(init_variance(tensor) * m.slope2);
    }
    diag_note(diag, "behind %u such layer%s the second moment is %s instead of 1, and the gradient has changed by %s",
              broken, broken == 1 ? "" : "s", check_number(cx->arena, second).p,
              check_number(cx->arena, gradient).p);
    diag_help(diag, "use `lecun_normal`, or leave the initializer out");
}

static void contract_of_dropout(CheckContext *cx, uint32_t layers)
{
    const Facts *f = cx->facts;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        if (!f->live[id] || !facts_is(node, "dropout") || node_attr(node, 0)->f <= 0)
            continue;
        NodeId in = facts_skip(f, node->in[0]), base = f->base[in];
        if (base == in || base == 0 || !f->weighted[base] || !is_self_normalising(cx, f->fn[in]) ||
            !flow_reach(cx, id).layer)
            continue;
        double p = node_attr(node, 0)->f;
        Diag *diag =
            check_report(cx, contract_level(layers), check_span(cx, id),
                         "ordinary dropout behind `" STR_FMT "` takes away the variance it keeps",
                         STR_ARG(check_name(cx, in)));
        check_spot_node(cx, id);
        diag_primary(diag, "makes the variance %s", check_number(cx->arena, 1 / (1 - p)).p);
        diag_label(diag, check_span(cx, in), "hands on mean 0 and variance 1");
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag,
                  "a value that is dropped becomes 0, and for `" STR_FMT "` an input that says nothing is %.4f instead",
                  STR_ARG(check_name(cx, in)), check_traits(cx, f->fn[in])->range.low);
        diag_help(diag, "leave the dropout out, or use another activation, such as `elu` or `gelu`");
        edit_remove(cx, diag, FIX_UNSAFE, check_span(cx, id));
    }
}

static void selu_contract(CheckContext *cx)
{
    uint32_t layers = count_layers(cx);
    if (layers == 0)
        return;
    contract_of_weights(cx, layers);
    contract_of_dropout(cx, layers);
}

ACT_CHECK(selu_contract) = {
    .code = "ACT404",
    .name = "selu_contract",
    .group = "init",
    .level = LEVEL_WARN,
    .summary = "a self-normalising activation without what it needs",
    .doc =
        "selu is made so that a normal input of mean 0 and variance 1 comes out with mean 0 and variance 1, layer "
        "after layer, and small errors shrink. That is a contract: the weights in front must hand the variance on, "
        "which means variance 1 / fan_in (LeCun's, and what `auto` computes), and nothing may stand in between that "
        "changes mean or variance. With He's weights, 2 / fan_in, the second moment behind twenty layers is 70 and "
        "the gradient has grown by 24. Ordinary dropout sets values to 0, where selu's own value for \"off\" is "
        "-1.758, and multiplies the variance by 1 / (1 - p).\n\n"
        "Recognised by the formula, E f(Z) = 0 and E f(Z)² = 1, not by the name. In a network with a single such "
        "layer it is a note.",
    .wrong = "model tabular {\n"
             "    input  x : f32[64]\n"
             "    target y : class(3)\n"
             "    h = x |> linear(64, weight = kaiming_normal(gain = 1.4142)) |> selu\n"
             "          |> linear(64, weight = kaiming_normal(gain = 1.4142)) |> selu\n"
             "    loss cross_entropy(h |> linear(3), y)\n"
             "}\n",
    .right = "model tabular {\n"
             "    input  x : f32[64]\n"
             "    target y : class(3)\n"
             "    h = x |> linear(64, weight = lecun_normal) |> selu\n"
             "          |> linear(64, weight = lecun_normal) |> selu\n"
             "    loss cross_entropy(h |> linear(3), y)\n"
             "}\n",
    .silences = {"ACT304", "ACT305", "ACT306", "ACT402", "ACT405", "ACT407"},
    .run = selu_contract,
};

/* ── 405 ── */
/* The gain as an argument of a family that would compute it; NULL: not written. `alone`: the only argument. */
static const Ast *written_gain(const CheckContext *cx, const Tensor *tensor, bool *alone)
{
    const Ast *call = edit_find(cx, tensor->init_span);
    if (call && call->kind == AST_ARG)
        call = call->kid[0];
    if (call == NULL || call->kind != AST_CALL || init_is_plain(tensor) ||
        !str_eq(edit_text(cx, call->kid[0]->span), tensor->init))
        return NULL;
    *alone = call->n_kid == 2;
    for (uint32_t i = 1; i < call->n_kid; i++)
        if (str_is(call->kid[i]->text, "gain") || (i == 1 && call->kid[i]->text.n == 0))
            return call->kid[i];
    return NULL;
}

/* By which n layers of this gain multiply the gradient: from a unit signal on, the signal follows. */
static double change(CheckContext *cx, Sx fn, double gain, uint32_t n)
{
    double second = 1, gradient = 1;
    for (uint32_t i = 0; i < n; i++) {
        SxMoments m = sx_gauss(cx->sx, fn, 0, NULL, 0, gain * sqrt(second));
        gradient *= gain * sqrt(m.slope2);
        second = m.second;
    }
    return gradient;
}

static bool same_gain(double a, double b) { return fabs(a / b - 1) <= 5e-3; }

static void gain_slope(CheckContext *cx)
{
    InitPair *pair = arena_array(cx->arena, InitPair, cx->g->nodes.n);
    uint32_t n = init_pairs(cx, pair);
    for (uint32_t i = 0; i < n; i++) {
        const Tensor *tensor = &cx->g->tensors.at[pair[i].tensor];
        const SxTraits *traits = check_traits(cx, pair[i].follow.fn);
        double gain = tensor->gain, own = traits->gain;
        bool alone = false, between = traits->saturates && gain >= 1 - 5e-3 && gain <= own * (1 + 5e-3);
        const Ast *written = written_gain(cx, tensor, &alone);
        if (!written || same_gain(gain, own) || between || (gain < own && init_may_start_small(cx, pair[i].product)))
            continue;
        uint32_t same = 0;
        bool again = false; /* the same gain and function, in other layers */
        for (uint32_t k = 0; k < n; k++) {
            bool alike = pair[k].follow.fn == pair[i].follow.fn && cx->g->tensors.at[pair[k].tensor].gain == gain &&
                         !init_is_plain(&cx->g->tensors.at[pair[k].tensor]);
            same += alike;
            again |= alike && k < i;
        }
        if (again)
            continue;
        Str activation = check_name(cx, pair[i].follow.node);
        Diag *diag = check_report(cx, LEVEL_NOTE, written->span, "a gain of %.4g is not that of `" STR_FMT "`, %.4f",
                                  gain, STR_ARG(activation), own);
        diag_primary(diag, "given by hand");
        diag_label(diag, check_span(cx, pair[i].follow.node), "keeps the signal with %.4f", own);
        check_label_outer(cx, diag, pair[i].product, "in this use");
        check_spot_tensor(cx, (uint32_t)pair[i].tensor);
        diag_note(diag, "over %u such layer%s the gradient changes by a factor of %s; with its own gain by %s", same,
                  same == 1 ? "" : "s", check_number(cx->arena, change(cx, pair[i].follow.fn, gain, same)).p,
                  check_number(cx->arena, change(cx, pair[i].follow.fn, own, same)).p);
        diag_help(diag, "leave `gain` out: it is computed from the formula of the activation, its slope included");
        bool computed = str_starts(tensor->init, STR("kaiming")); /* for the others plain means 1 */
        for (uint32_t k = i; k < n && computed; k++) {
            const Tensor *other = &cx->g->tensors.at[pair[k].tensor];
            if (pair[k].follow.fn == pair[i].follow.fn && other->gain == gain && written_gain(cx, other, &alone) &&
                alone)
                edit_initializer(cx, diag, FIX_SAFE, other, str_c(cx->arena, other->init));
        }
    }
}

ACT_CHECK(gain_slope) = {
    .code = "ACT405",
    .name = "gain_slope",
    .group = "init",
    .level = LEVEL_NOTE,
    .summary = "a gain given by hand that is not the activation's",
    .doc =
        "The gain of an initializer makes up for what the activation behind takes: 1 / sqrt(E f(Z)²). It depends on "
        "the formula, and so on a leaky slope: 1.4142 is relu's, and leaky_relu with slope 0.2 has 1.3868. Copied by "
        "hand the two easily part when the slope is changed. For tanh the number 5/3, which many tables give, is above "
        "the 1.5925 that keeps the variance and lets the gradient grow by 8 % at every layer, 88 times over fifty; "
        "between 1, which is Xavier's, and 1.5925 nothing is said.\n\n"
        "The kaiming family here takes the gain of what follows when none is given, for your own activations too.",
    .wrong = "model picture {\n"
             "    input  x : f32[64]\n"
             "    target y : binary\n"
             "    h = x |> linear(64, weight = kaiming_normal(gain = 1.4142)) |> leaky_relu(0.2)\n"
             "    loss bce_with_logits(h |> linear(1), y)\n"
             "}\n",
    .right = "model picture {\n"
             "    input  x : f32[64]\n"
             "    target y : binary\n"
             "    h = x |> linear(64, weight = kaiming_normal) |> leaky_relu(0.2)\n"
             "    loss bce_with_logits(h |> linear(1), y)\n"
             "}\n",
    .silences = {"ACT304", "ACT305", "ACT306"},
    .run = gain_slope,
};
