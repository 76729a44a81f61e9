/* ACT403: weights whose deviation, given as a number, is far from what their layer needs. */
#include "check/edit.h"
#include "check/init.h"

#include <math.h>

static const double far_off = 3;

static double mean_of(const Tensor *tensor)
{
    switch (tensor->fill.kind) {
    case FILL_NORMAL:
    case FILL_TRUNCATED_NORMAL:
        return tensor->fill.a;
    case FILL_UNIFORM:
        return (tensor->fill.a + tensor->fill.b) / 2;
    default:
        return 0;
    }
}

static double size_of(const Tensor *tensor) { return hypot(mean_of(tensor), tensor->deviation); }

bool init_is_plain(const Tensor *tensor)
{
    /* an initializer without a gain gets the one its deviation amounts to */
    return fabs(tensor->gain - tensor->deviation * sqrt(fmax(tensor->fan_in, 1))) <= 1e-12 * tensor->gain &&
           tensor->fill.kind != FILL_ORTHOGONAL && !str_starts(tensor->init, STR("kaiming")) &&
           !str_starts(tensor->init, STR("xavier")) && !str_starts(tensor->init, STR("lecun"));
}

double init_variance(const Tensor *tensor)
{
    return init_is_plain(tensor) ? tensor->deviation * tensor->deviation * tensor->fan_in
                                 : tensor->gain * tensor->gain;
}

uint32_t init_pairs(CheckContext *cx, InitPair *pair)
{
    uint32_t n = 0;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int index = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        const Tensor *tensor = index >= 0 ? &cx->g->tensors.at[index] : NULL;
        /* what the compiler chose fits by construction; constants are symmetric_init's */
        if (!tensor || !tensor->trainable || !(tensor->deviation > 0) || tensor->init.n == 0 ||
            str_is(tensor->init, "auto"))
            continue;
        Follow follow = flow_follow(cx, id);
        if (follow.end != FOLLOW_ACTIVATION || !flow_reach(cx, follow.node).layer)
            continue;
        double gain = check_traits(cx, follow.fn)->gain;
        pair[n++] = (InitPair){index, id, follow, size_of(tensor) * sqrt(fmax(tensor->fan_in, 1)) / gain};
    }
    return n;
}

bool init_may_start_small(const CheckContext *cx, NodeId product)
{
    for (unsigned steps = 0; steps < 16; steps++) {
        Follow follow = flow_follow(cx, product);
        if (follow.end == FOLLOW_RESIDUAL || follow.end == FOLLOW_GATE)
            return true;
        NodeId next = follow.end == FOLLOW_LAYER ? follow.node : 0;
        if (follow.end == FOLLOW_ACTIVATION) {
            Reach reach = flow_reach(cx, follow.node);
            if (reach.gate)
                return true;
            next = reach.first;
        }
        if (next == 0)
            return false;
        product = next;
    }
    return false;
}

static bool is_far(double factor) { return factor > far_off || factor < 1 / far_off; }

/* What a layer of these weights does to a unit signal, and to the gradient, against weights of the fitting size. */
static void effect(CheckContext *cx, Sx fn, double sigma, double gain, double *signal, double *gradient)
{
    SxMoments now = sx_gauss(cx->sx, fn, 0, NULL, 0, sigma), then = sx_gauss(cx->sx, fn, 0, NULL, 0, gain);
    *signal = sqrt(now.second / then.second);
    *gradient = sigma * sqrt(now.slope2) / (gain * sqrt(then.slope2));
}

bool init_is_off_scale(CheckContext *cx, const InitPair *pair)
{
    const Tensor *tensor = &cx->g->tensors.at[pair->tensor];
    const SxTraits *traits = check_traits(cx, pair->follow.fn);
    double sigma = size_of(tensor) * sqrt(fmax(tensor->fan_in, 1)), gain = traits->gain, signal, gradient;
    if (!init_is_plain(tensor) || !is_far(pair->factor))
        return false;
    bool large = pair->factor > 1;
    if (traits->saturates && !is_far(sigma)) /* from Xavier's gain to the one that keeps the variance */
        return false;
    double back = size_of(tensor) * sqrt(fmax(tensor->fan_out, 1) * traits->unit.slope2);
    if (!is_far(back) || (back > 1) != large) /* made for the way back */
        return false;
    /* data of another size may ask for other weights */
    NodeId in = graph_node(cx->g, pair->product)->in[0];
    double seen = signal_rms(cx->signal, pair->follow.before) / gain;
    if (!cx->facts->weighted[in] && (!is_far(seen) || (seen > 1) != large))
        return false;
    if (!large && init_may_start_small(cx, pair->product))
        return false;
    effect(cx, pair->follow.fn, sigma, gain, &signal, &gradient);
    return (large && traits->saturates) || is_far(signal) || is_far(gradient);
}

static void report(CheckContext *cx, const InitPair *pair, uint32_t n)
{
    const Tensor *tensor = &cx->g->tensors.at[pair[0].tensor];
    Sx fn = pair[0].follow.fn;
    const SxTraits *traits = check_traits(cx, fn);
    double fitting = size_of(tensor) / pair[0].factor, mean = mean_of(tensor), signal, gradient;
    Str name = check_name(cx, pair[0].product), activation = check_name(cx, pair[0].follow.node);
    Span first = check_span(cx, pair[0].product);
    Diag *diag = check_report(cx, LEVEL_WARN, first, "the weights of `" STR_FMT "` start %s times too %s",
                              STR_ARG(name), check_number(cx->arena, fmax(pair[0].factor, 1 / pair[0].factor)).p,
                              pair[0].factor > 1 ? "large" : "small");
    if (fabs(mean) > tensor->deviation / 4)
        diag_primary(diag, "mean %.3g and deviation %.3g; %.0f inputs in front of `" STR_FMT "` need deviation %.3g",
                     mean, tensor->deviation, tensor->fan_in, STR_ARG(activation), fitting);
    else
        diag_primary(diag, "deviation %.3g; %.0f inputs in front of `" STR_FMT "` need %.3g", tensor->deviation,
                     tensor->fan_in, STR_ARG(activation), fitting);
    uint32_t labels = 0;
    for (uint32_t i = 0; i < n; i++) {
        check_spot_tensor(cx, (uint32_t)pair[i].tensor);
        Span span = check_span(cx, pair[i].product);
        if (span.begin != first.begin && ++labels <= 2)
            diag_label(diag, span, labels == 2 && i + 1 < n ? "and in %u more" : "and here", n - i - 1);
    }
    check_label_outer(cx, diag, pair[0].product, "in this use");
    effect(cx, fn, size_of(tensor) * sqrt(fmax(tensor->fan_in, 1)), traits->gain, &signal, &gradient);
    if (isfinite(signal) && isfinite(gradient)) /* weights of 1e30 behind an exp: beyond all numbers */
        diag_note(diag, "of a unit signal the layer makes %s times what fitting weights make, of the gradient %s times",
                  check_number(cx->arena, signal).p, check_number(cx->arena, gradient).p);
    if (fabs(mean) > tensor->deviation / 4)
        diag_note(diag, "with a mean of %.3g all units begin as nearly the same sum of their inputs", mean);
    const char *use = flow_initializer(cx, fn, tensor->fill.kind == FILL_UNIFORM);
    diag_help(diag, "use `%s`, or leave the initializer out: `auto` follows inputs and activation", use);
    for (uint32_t i = 0; i < n; i++)
        edit_initializer(cx, diag, FIX_UNSAFE, &cx->g->tensors.at[pair[i].tensor], use);
}

static void init_scale(CheckContext *cx)
{
    InitPair *pair = arena_array(cx->arena, InitPair, cx->g->nodes.n),
             *group = arena_array(cx->arena, InitPair, cx->g->nodes.n);
    uint32_t all = init_pairs(cx, pair), n = 0;
    for (uint32_t i = 0; i < all; i++)
        if (init_is_off_scale(cx, &pair[i]))
            pair[n++] = pair[i];
    /* one finding for each deviation and function; the layer that is off most speaks */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t members = 0;
        for (uint32_t k = i; pair[i].product && k < n; k++) {
            const Tensor *a = &cx->g->tensors.at[pair[i].tensor], *b = &cx->g->tensors.at[pair[k].tensor];
            if (pair[k].product == 0 || pair[k].follow.fn != pair[i].follow.fn || !str_eq(a->init, b->init) ||
                a->fill.a != b->fill.a || a->fill.b != b->fill.b || (pair[k].factor > 1) != (pair[i].factor > 1))
                continue;
            group[members++] = pair[k];
            if (k != i)
                pair[k].product = 0;
        }
        for (uint32_t k = 1; k < members; k++)
            if (fabs(log(group[k].factor)) > fabs(log(group[0].factor)) + 1e-9) {
                InitPair most = group[k];
                group[k] = group[0];
                group[0] = most;
            }
        if (members)
            report(cx, group, members);
    }
}

ACT_CHECK(init_scale) = {
    .code = "ACT403",
    .name = "init_scale",
    .group = "init",
    .level = LEVEL_WARN,
    .summary = "weights whose deviation is off by more than a factor of three",
    .doc =
        "A unit adds up fan_in products, so its value grows with the square root of fan_in times the deviation of its "
        "weights. To hand the signal on at its size, the deviation has to be gain / sqrt(fan_in), where the gain is "
        "1 / sqrt(E f(Z)²) for the activation f: 0.0505 for 784 inputs in front of relu. A number that does not know "
        "fan_in, such as normal(0, 1) or normal(0, 0.01), is right for one width only. Too large, and the signal "
        "explodes from layer to layer, or every tanh saturates; too small, and signal and gradient fade.\n\n"
        "Reported beyond a factor of three, in hidden layers, when the signal or the gradient really changes so much "
        "(a sine does not mind), neither fan explains the number, and the data are not of another size. Not "
        "reported: the last layer, the layers of a residual branch or gate that start small, rows of a table that are "
        "chosen rather than summed.",
    .wrong = "model digits {\n"
             "    input  image : f32[784]\n"
             "    target label : class(10)\n"
             "    h = image |> linear(256, weight = normal(0, 1)) |> relu\n"
             "    loss cross_entropy(h |> linear(10), label)\n"
             "}\n",
    .right = "model digits {\n"
             "    input  image : f32[784]\n"
             "    target label : class(10)\n"
             "    h = image |> linear(256, weight = normal(0, 0.05)) |> relu\n"
             "    loss cross_entropy(h |> linear(10), label)\n"
             "}\n",
    .silences = {"ACT304", "ACT305", "ACT306", "ACT307", "ACT308", "ACT402", "ACT407"},
    .run = init_scale,
};
