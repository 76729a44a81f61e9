/* Activations that are used so that they do little or harm: 309 repeated_activation, 310 activation_parameter. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

#include <math.h>

/* The function a use applies to its input, as written there; 0: not one map of one value. */
static Sx function_of(const CheckContext *cx, const LayerUse *use)
{
    if (!use->activation || use->out == 0 || use->in == 0 || !cx->facts->live[use->out])
        return 0;
    const Node *node = graph_node(cx->g, use->out);
    bool one = node->op->kind == OP_MAP && node->n_in == 1 && node->in[0] == use->in;
    return one ? node_attr(node, 0)->sx : 0;
}

/* ── 309 ── */
/* Inputs of all sizes, and both sides of the places where functions have their corners. */
static unsigned sample(double *at)
{
    static const double large[] = {25, 50, 100, 1e3, 1e4, 1e6};
    unsigned n = 0;
    for (int i = -160; i <= 160; i++)
        at[n++] = i / 16.0 + 1e-3;
    for (unsigned i = 0; i < sizeof large / sizeof large[0]; i++) {
        at[n++] = large[i];
        at[n++] = -large[i];
    }
    return n;
}

/* f = g for every input? */
static bool same_function(const CheckContext *cx, Sx f, Sx g)
{
    double at[400];
    unsigned n = sample(at);
    if (f == g)
        return true;
    for (unsigned i = 0; i < n; i++) {
        double a = sx_eval(cx->sx, f, &at[i]), b = sx_eval(cx->sx, g, &at[i]);
        if (!(a == b || fabs(a - b) <= 1e-12 * (1 + fabs(a))))
            return false;
    }
    return true;
}

/* The activation whose value this one takes directly, and nobody else does; NULL: none. */
static const LayerUse *activation_before(const CheckContext *cx, const LayerUse *use)
{
    const Facts *f = cx->facts;
    NodeId id = use->in;
    while (facts_passes(graph_node(cx->g, id)) && facts_uses(f, id) == 1 && !f->root[id])
        id = graph_node(cx->g, id)->in[0];
    const LayerUse *before = check_use(cx, id);
    bool only = before && before->out == id && facts_uses(f, id) == 1 && !f->root[id];
    return only ? before : NULL;
}

/* Does the value multiply another, be it the one it was made from (x * tanh(softplus(x)))? */
static bool is_gate(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    for (uint32_t k = f->first[id]; k < f->first[id + 1]; k++) {
        const Node *reader = graph_node(cx->g, f->consumer[k]);
        Sx slope[64];
        if (reader->op->kind != OP_MAP || reader->n_in > 64)
            continue;
        sx_gradient(cx->sx, node_attr(reader, 0)->sx, reader->n_in, slope);
        for (uint32_t i = 0; i < reader->n_in; i++)
            for (uint32_t other = 0; reader->in[i] == id && other < reader->n_in; other++)
                if (reader->in[other] != id && graph_type(cx->g, reader->in[other])->batch &&
                    sx_uses_arg(cx->sx, slope[i], other))
                    return true;
    }
    return false;
}

/* Takes away one of two that stand side by side in the text. */
static void fix_repeated(CheckContext *cx, Diag *diag, const LayerUse *first, const LayerUse *second, bool keep_first)
{
    Stage a, b;
    if (edit_stage(cx, first->span, &a) && edit_stage(cx, second->span, &b) && b.value &&
        (b.value == a.pipe || b.value == a.outer))
        edit_remove(cx, diag, FIX_SAFE, keep_first ? second->span : first->span);
}

static void repeated_activation(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        Sx g = function_of(cx, use);
        const LayerUse *before = g ? activation_before(cx, use) : NULL;
        Sx f = before ? function_of(cx, before) : 0;
        if (f == 0 || is_gate(cx, use->out))
            continue;
        Sx both = sx_substitute(cx->sx, g, &f, 1);
        bool no_second = same_function(cx, both, f), no_first = same_function(cx, both, g);
        const SxTraits *traits = check_traits(cx, f);
        Diag *diag = check_report(cx, no_second || no_first ? LEVEL_NOTE : LEVEL_WARN, use->span,
                                  "`" STR_FMT "` of `" STR_FMT "`: two activations and no layer between them",
                                  STR_ARG(use->kind), STR_ARG(before->kind));
        check_spot_node(cx, use->out);
        diag_primary(diag, no_second ? "changes none of the values it gets" : "the second");
        diag_label(diag, before->span, no_first && !no_second ? "makes no difference to the one behind it"
                                                              : "the first");
        check_label_outer(cx, diag, use->out, "in this use");
        if (no_second && str_eq(use->kind, before->kind))
            diag_note(diag, "`" STR_FMT "` of `" STR_FMT "` is `" STR_FMT "`", STR_ARG(use->kind),
                      STR_ARG(before->kind), STR_ARG(use->kind));
        else if (!no_second && !no_first)
            diag_note(diag,
                      "the second sees only values in " STR_FMT
                      "; for a normal input both together pass on %s of the gradient, `" STR_FMT "` alone %s",
                      STR_ARG(check_range_text(cx->arena, traits->range.low, traits->range.high)),
                      check_number(cx->arena, sqrt(check_traits(cx, both)->unit.slope2)).p, STR_ARG(use->kind),
                      check_number(cx->arena, sqrt(check_traits(cx, g)->unit.slope2)).p);
        diag_help(diag, no_second || no_first ? "keep one" : "keep one of them, or put a layer between them");
        if (no_second || no_first)
            fix_repeated(cx, diag, before, use, no_second);
    }
}

ACT_CHECK(repeated_activation) = {
    .code = "ACT309",
    .name = "repeated_activation",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "two activations in a row",
    .doc =
        "An activation bends the output of a layer so that the next layer has something new to combine. A second one "
        "directly behind it adds no weights to train, only another bend, and usually a narrower one: tanh behind "
        "relu never sees a negative value, sigmoid behind sigmoid turns (0, 1) into (0.5, 0.73). Usually a block ends "
        "with an activation and what follows begins with one.\n\n"
        "Whether the second, or the first, makes any difference is computed from the formulas. When it makes none "
        "(relu of relu is relu, relu of sigmoid is sigmoid) it is a note, with a fix that leaves the network as it is. "
        "Not reported: gates, whose value multiplies another, and an activation whose value something else reads too.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> tanh |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = repeated_activation,
};

/* ── 310 ── */
static bool is_straight(const CheckContext *cx, Sx f)
{
    static const double at[] = {-3, -1, -0.25, 0, 0.5, 2, 7};
    double zero = 0, one = 1, shift = sx_eval(cx->sx, f, &zero), scale = sx_eval(cx->sx, f, &one) - shift;
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++)
        if (!(fabs(sx_eval(cx->sx, f, &at[i]) - shift - scale * at[i]) <= 1e-9 * (1 + fabs(at[i]))))
            return false;
    return true;
}

/* Two straight lines that meet at zero: the slope of the left over that of the right; NaN for all else. */
static double leak(const CheckContext *cx, Sx f)
{
    static const double at[] = {-8, -3, -1, -0.125, 0, 0.125, 1, 3, 8};
    double one = 1, minus = -1, right = sx_eval(cx->sx, f, &one), left = -sx_eval(cx->sx, f, &minus);
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++)
        if (!(fabs(sx_eval(cx->sx, f, &at[i]) - (at[i] > 0 ? right : left) * at[i]) <= 1e-9))
            return NAN;
    return right == 0 ? NAN : left / right;
}

/* How much of the variance of f(Z) the best straight line explains. */
static double straight_share(const SxTraits *traits)
{
    double variance = traits->unit.second - traits->unit.mean * traits->unit.mean;
    return variance > 0 ? traits->unit.slope * traits->unit.slope / variance : 1;
}

static Diag *judge_parameter(CheckContext *cx, Span span, Str name, Sx f, Sx usual)
{
    const SxTraits *traits = check_traits(cx, f), *normal = check_traits(cx, usual);
    double one = 1, minus = -1, s = leak(cx, f), usual_leak = leak(cx, usual);
    Diag *diag = NULL;
    if (is_straight(cx, f) && !is_straight(cx, usual)) {
        diag = check_report(cx, LEVEL_DENY, span, "with this parameter `" STR_FMT "` is a straight line",
                            STR_ARG(name));
        diag_primary(diag, "gives %.3g at -1 and %.3g at 1", sx_eval(cx->sx, f, &minus), sx_eval(cx->sx, f, &one));
        diag_note(diag, "nothing non-linear is left of it: the layers around it are one linear map");
    } else if (normal->monotone && !traits->monotone) {
        diag = check_report(cx, LEVEL_DENY, span, "with this parameter `" STR_FMT "` falls where it should rise",
                            STR_ARG(name));
        diag_primary(diag, "gives %.3g at -1 and %.3g at 1", sx_eval(cx->sx, f, &minus), sx_eval(cx->sx, f, &one));
        diag_note(diag, "a large input and a small one give the same value: the sign of what a unit found is lost");
    } else if (traits->dies && !normal->dies) {
        diag = check_report(cx, LEVEL_WARN, span, "with this parameter a unit of `" STR_FMT "` can die",
                            STR_ARG(name));
        diag_primary(diag, "leaves no slope on one side");
        diag_note(diag, "`" STR_FMT "` is there to leave some; without it, it is as `relu`", STR_ARG(name));
    } else if (s > 1 && !(usual_leak > 1)) {
        diag = check_report(cx, LEVEL_WARN, span, "`" STR_FMT "` lets more of a negative input through than of a "
                            "positive one", STR_ARG(name));
        diag_primary(diag, "%.3g of a negative input", s);
        diag_note(diag, "the signal grows by a factor of %.3g, where the usual slope leaves %.3g",
                  sqrt(traits->unit.second), sqrt(normal->unit.second));
    } else if (s > 0.5 && s < 1 && !(usual_leak > 0.5)) {
        diag = check_report(cx, LEVEL_WARN, span, "with this slope `" STR_FMT "` is nearly a straight line",
                            STR_ARG(name));
        diag_primary(diag, "%.3g of a negative input", s);
        diag_note(diag,
                  "a straight line explains %.1f %% of what it makes of a normal input (%.1f %% with its default)",
                  100 * straight_share(traits), 100 * straight_share(normal));
    }
    return diag;
}

static void activation_parameter(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        Sx f = function_of(cx, use);
        const Def *def = f ? sema_find(cx->program, DEF_ACTIVATION, use->kind) : NULL;
        Sx usual = def ? sema_activation(cx->program, def) : 0;
        if (usual == 0 || f == usual) /* no parameter, or its default */
            continue;
        Diag *diag = judge_parameter(cx, edit_given(cx, use->span), use->kind, f, usual);
        if (diag == NULL)
            continue;
        check_spot_node(cx, use->out);
        if (cx->facts->weighted[use->in]) /* that nothing non-linear stands between two layers follows from it */
            check_spot_node(cx, cx->facts->weighted[use->in]);
        check_label_outer(cx, diag, use->out, "in this use");
        diag_help(diag, "leave the parameter at its default, or choose another activation");
        edit_replace(cx, diag, FIX_UNSAFE, use->span, str_c(cx->arena, use->kind));
    }
}

ACT_CHECK(activation_parameter) = {
    .code = "ACT310",
    .name = "activation_parameter",
    .group = "hidden",
    .level = LEVEL_DENY,
    .summary = "a parameter that makes an activation useless",
    .doc =
        "Some parameters turn an activation into something else. A leaky relu with slope 1 is the identity, and the "
        "layers around it are one linear map; with a negative slope it falls on the left, as elu does with a negative "
        "alpha, and -1 and 1 give values of the same sign: the unit no longer tells large from small. Both are errors. "
        "A warning: elu with alpha 0 or leaky_relu with slope 0 is relu, whose units can die; a slope above 1 lets "
        "more of a negative input through than of a positive one; and one above 0.5 is so nearly a straight line that "
        "little is left for depth to build on.\n\n"
        "All this is judged by the function that results, compared with the same activation at its defaults, so it "
        "holds for your own activations with parameters too.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> leaky_relu(-0.2) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> leaky_relu(0.2) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT301", "ACT309"},
    .run = activation_parameter,
};
