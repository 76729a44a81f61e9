/* Outputs whose range does not fit: 208 bounded_regression, 210 missing_output_activation. */
#include "check/edit.h"

#include <math.h>

static void bounded_regression(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Tensor *target;
        TargetKind kind = check_target(cx, loss, &target);
        Head head = check_head(cx, loss->prediction);
        if ((kind != TARGET_REAL && kind != TARGET_NONE) || !check_is_distance_loss(cx, loss) ||
            (!head.activation && !head.softmax))
            continue;
        ValueRange out = head.range, wanted = cx->facts->range[loss->target];
        bool known = wanted.known && !wanted.full && isfinite(wanted.low) && isfinite(wanted.high);
        double slack = 1e-3 * (1 + fabs(wanted.high - wanted.low));
        bool outside = known && out.known && (wanted.low < out.low - slack || wanted.high > out.high + slack);
        bool bounded = isfinite(out.low) && isfinite(out.high);
        bool half = isfinite(out.low) || isfinite(out.high);
        bool dies = half && head.activation && check_traits(cx, head.fn)->dies;
        /* A target of unknown range earns a warning where the bound is surely not meant: not behind a scale, and only
         * for what is declared as a target (a decoder that imitates its input is not). */
        bool doubtful = !known && kind == TARGET_REAL && head.at == head.value && (bounded || dies);
        if (!outside && !doubtful)
            continue;
        Str range = check_range_text(cx->arena, out.low, out.high);
        Str place = target ? target->name : edit_text(cx, loss->target_span);
        double miss = out.low > wanted.low + slack ? wanted.low : wanted.high;
        Diag *diag = outside ? check_report(cx, LEVEL_DENY, head.span,
                                            "`" STR_FMT "` output cannot be %g, which `" STR_FMT "` may be",
                                            STR_ARG(head.name), miss, STR_ARG(place))
                             : check_report(cx, LEVEL_WARN, head.span,
                                            "`" STR_FMT "` bounds the output of a regression", STR_ARG(head.name));
        check_spot_loss(cx, loss);
        check_spot_node(cx, head.value);
        diag_primary(diag, "gives values in " STR_FMT " only", STR_ARG(range));
        check_label_outer(cx, diag, head.at, "in this use");
        if (outside)
            diag_label(diag, target ? target->span : loss->target_span, "declared to lie in [%g, %g]", wanted.low,
                       wanted.high);
        else
            diag_label(diag, target->span, "any real number");
        if (dies)
            diag_note(diag, "where the unit is off its gradient is 0, so a wrong zero is never corrected");
        if (doubtful)
            diag_help(diag,
                      "remove the activation, or declare the target's range if it does lie there: `in " STR_FMT "`",
                      STR_ARG(bounded ? range : STR("[0, 100]")));
        else
            diag_help(diag, "remove the activation, or scale its output to the target's range");
        if (!edit_is_shared(cx, &head, loss))
            edit_remove(cx, diag, FIX_UNSAFE, head.span);
    }
}

ACT_CHECK(bounded_regression) = {
    .code = "ACT208",
    .name = "bounded_regression",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "an output activation that cannot reach the target's values",
    .doc =
        "The output of a regression is a quantity, and a quantity has the range of the world, not of an activation: "
        "sigmoid ends at 1, tanh at -1 and 1, relu at 0, and a softmax makes several quantities share a sum of 1. "
        "Values beyond can never be predicted; near the ends the slope vanishes, and below relu's zero there is "
        "none, so wrong outputs stay wrong.\n\n"
        "When the target declares a range that the activation does not cover this is an error, since some targets "
        "are out of reach. Without a declared range it is a warning; with a range that fits (an image in [0, 1] "
        "behind a sigmoid) there is nothing to say. An activation that is scaled afterwards, `3 * tanh(x)`, is taken "
        "as meant.",
    .wrong = "model temperature {\n"
             "    input  x : f32[12]\n"
             "    target y : f32[1] in [-40, 50]\n"
             "    p = x |> linear(32) |> relu |> linear(1) |> sigmoid\n"
             "    loss mse(p, y)\n"
             "}\n",
    .right = "model temperature {\n"
             "    input  x : f32[12]\n"
             "    target y : f32[1] in [-40, 50]\n"
             "    p = x |> linear(32) |> relu |> linear(1)\n"
             "    loss mse(p, y)\n"
             "}\n",
    .run = bounded_regression,
};

static void fix_missing(CheckContext *cx, Diag *diag, const Head *head, const LossCall *loss)
{
    if ((head->activation || head->softmax) && edit_is_shared(cx, head, loss))
        return;
    if (loss->wants_log_probabilities) {
        if (head->softmax)
            edit_replace(cx, diag, FIX_SAFE, head->span, "log_softmax");
        else if (!head->activation)
            edit_loss_name(cx, diag, FIX_SAFE, loss, "cross_entropy");
    } else if (check_is_binary_loss(cx, loss)) {
        if (head->activation)
            edit_replace(cx, diag, FIX_UNSAFE, head->span, "sigmoid");
        else
            edit_loss_name(cx, diag, FIX_SAFE, loss, "bce_with_logits");
    }
}

static void missing_output_activation(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        if (!loss->wants_probabilities && !loss->wants_log_probabilities)
            continue;
        Head head = check_head(cx, loss->prediction);
        double most = loss->wants_log_probabilities ? 0 : 1, least = loss->wants_log_probabilities ? -INFINITY : 0;
        if (!head.range.known || (head.range.low >= least - 1e-6 && head.range.high <= most + 1e-6))
            continue;
        const char *wants = loss->wants_log_probabilities ? "logarithms of probabilities" : "probabilities";
        bool softmax = head.softmax && loss->wants_log_probabilities;
        Diag *diag = check_report(cx, LEVEL_DENY, loss->span,
                                  softmax ? "`" STR_FMT "` is given probabilities instead of their logarithms"
                                          : "`" STR_FMT "` is given values that are not probabilities",
                                  STR_ARG(loss->fn));
        check_spot_loss(cx, loss);
        diag_primary(diag, "wants %s", wants);
        diag_label(diag, head.span, "gives values in " STR_FMT,
                   STR_ARG(check_range_text(cx->arena, head.range.low, head.range.high)));
        if (!loss->wants_log_probabilities)
            diag_note(diag,
                      "below 0 there is no logarithm and no gradient to come back by, above 1 the loss turns negative");
        else if (softmax)
            diag_note(diag, "the loss falls no lower than -1 and its gradient does not grow where the model is wrong");
        else
            diag_note(diag, "nothing keeps the values at or below 0: the loss falls without end");
        if (loss->wants_log_probabilities)
            diag_help(diag, softmax ? "use `log_softmax`, or `cross_entropy` on the logits"
                                    : "use `cross_entropy`, which takes the logits themselves");
        else if (check_is_binary_loss(cx, loss))
            diag_help(diag,
                      head.activation ? "use `sigmoid`" : "use `bce_with_logits`, which takes the logits themselves");
        else
            diag_help(diag, "put a `softmax` in front of the loss");
        fix_missing(cx, diag, &head, loss);
    }
}

ACT_CHECK(missing_output_activation) = {
    .code = "ACT210",
    .name = "missing_output_activation",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "a loss over probabilities fed by something else",
    .doc =
        "`bce` and `kl` take probabilities and `nll` takes their logarithms; they compute log p and log(1 - p) as "
        "given. The output of a linear layer can be any number: below 0 there is no logarithm (and no gradient to "
        "come back by), above 1 the loss turns negative, and under `nll` it falls without end because nothing makes "
        "the scores compete. The forms that take logits, `bce_with_logits` and `cross_entropy`, apply the activation "
        "themselves and are the numerically safe way to write the same.",
    .wrong = "model spam {\n"
             "    input  x : f32[57]\n"
             "    target y : binary\n"
             "    z = x |> linear(16) |> relu |> linear(1)\n"
             "    loss bce(z, y)\n"
             "}\n",
    .right = "model spam {\n"
             "    input  x : f32[57]\n"
             "    target y : binary\n"
             "    z = x |> linear(16) |> relu |> linear(1)\n"
             "    loss bce_with_logits(z, y)\n"
             "}\n",
    .silences = {"ACT1002"},
    .run = missing_output_activation,
};
