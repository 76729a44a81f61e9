/* Softmax where the loss does not want it: 201 double_softmax, 203 softmax_one_unit, 205 softmax_with_bce. */
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

/* The least cross-entropy of k logits that lie within an interval of this length: one at its top, the others below. */
static double least_loss(double spread, double k) { return log(exp(spread) + k - 1) - spread; }

/* A softmax that is scaled afterwards can say what it wants when the scale is large (30 * softmax(z)); a temperature
 * or a clamp leaves it as it is. */
static const double scale_helps = 0.25; /* of ln K */

/* A softmax of the rows of a softmax on the way to a loss that is written out: nll(log_softmax(p), y). */
static void twice_by_hand(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        if (!cx->facts->live[id] ||
            (!facts_is(node, "softmax") && !facts_is(node, "log_softmax") && !facts_is(node, "logsumexp")))
            continue;
        Head head = check_head(cx, node->in[0]);
        double k = head.units, spread = head.range.high - head.range.low, least = least_loss(spread / head.kept, k);
        bool leads = false, known = false; /* to a loss; read by a loss that double_softmax asks */
        for (uint32_t i = 0; i < cx->model->loss_uses.n; i++)
            leads = leads || facts_reaches(cx->facts, id, cx->model->loss_uses.at[i].node);
        for (uint32_t i = 0; i < cx->model->losses.n; i++)
            known = known || (cx->model->losses.at[i].wants_logits && id > cx->model->losses.at[i].prediction &&
                              check_head(cx, cx->model->losses.at[i].prediction).value == head.value);
        if (!leads || known || !head.scaled_softmax || head.units < 2 || !(least > scale_helps * log(k)))
            continue;
        Diag *diag = check_report(cx, LEVEL_DENY, check_span(cx, head.scaled_softmax),
                                  "softmax output is normalised once more on its way to the loss");
        check_spot_node(cx, head.scaled_softmax);
        check_spot_node(cx, id);
        diag_primary(diag, "produces probabilities");
        diag_label(diag, check_span(cx, id), "takes them for logits");
        check_label_outer(cx, diag, head.scaled_softmax, "in this use");
        diag_note(diag,
                  "of %u classes none can get a probability above %.4f, and a cross-entropy cannot fall below %.4f (a "
                  "guess scores %.4f)",
                  head.units, exp(-least), least, log(k));
        diag_help(diag, "take the softmax once, of the logits");
    }
}

static void double_softmax(CheckContext *cx)
{
    twice_by_hand(cx);
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        Head head = check_head(cx, loss->prediction);
        NodeId softmax = head.scaled_softmax;
        if (!loss->wants_logits || !loss->classes || !softmax || head.units < 2)
            continue;
        double k = head.units, spread = head.range.high - head.range.low;
        if (!head.softmax && !(least_loss(spread, k) > scale_helps * log(k)))
            continue;
        head.at = softmax;
        head.span = check_span(cx, softmax);
        Diag *diag = check_report(cx, LEVEL_DENY, head.span, "softmax output feeds a loss that applies softmax itself");
        check_spot_loss(cx, loss);
        check_spot_node(cx, softmax);
        check_spot_node(cx, head.value);
        diag_primary(diag, "produces probabilities");
        diag_label(diag, loss->span, "expects logits and normalises them again");
        check_label_outer(cx, diag, softmax, "in this use");
        if (!head.softmax || head.kept < 1)
            diag_label(diag, check_span(cx, head.softmax ? loss->prediction : head.value),
                       "here its values differ by at most %.4g", spread / head.kept);
        diag_note(diag, "with %u classes the loss cannot fall below %.4f (an untrained model scores %.4f)", head.units,
                  least_loss(spread / head.kept, k), log(k));
        diag_help(diag,
                  "give the loss the value before the softmax; `output softmax(…)` still reports probabilities");
        double scale, shift;
        if (head.softmax || sx_is_affine(cx->sx, head.fn, 0, &scale, &shift)) /* behind a clamp logits are no use */
            edit_remove_before_loss(cx, diag, head.softmax ? FIX_SAFE : FIX_UNSAFE, &head, loss);
    }
}

ACT_CHECK(double_softmax) = {
    .code = "ACT201",
    .name = "double_softmax",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "softmax in front of a loss that applies softmax itself",
    .doc =
        "`cross_entropy` takes logits: it forms the softmax itself, together with the logarithm, in the numerically "
        "safe way. Given probabilities, it takes their softmax once more. Probabilities lie between 0 and 1, so the "
        "second softmax can never make one class much likelier than the others: with K classes the best it can reach "
        "is e / (e + K - 1), and the loss cannot fall below ln(e + K - 1) - 1. For 4 classes that is 0.744, for 10 "
        "classes 1.461 (against ln 10 = 2.303 of a guess), for 1000 classes 5.909 against 6.908. Training goes on, "
        "slowly and nowhere, because the gradient has passed through both.\n\n"
        "Only softmax is a bug here. log_softmax in front of a cross-entropy is merely superfluous: its log-sum-exp "
        "is 0. Views and permutations between the softmax and the loss change nothing; a dropout, a temperature or a "
        "clamp do not mend it, and the floor printed is the one they leave. A softmax written by hand, e / sum(e), is "
        "recognised. A large factor behind it, such as 30, gives back what the softmax took and is not reported.",
    .wrong = EXAMPLE_DIGITS("    p = image |> linear(32) |> relu |> linear(10) |> softmax\n"
                            "    loss cross_entropy(p, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss   cross_entropy(z, label)\n"
                            "    output softmax(z)\n"),
    .silences = {"ACT204"},
    .run = double_softmax,
};

/* The fix: one logit, a sigmoid, a binary target. */
static void fix_one_unit(CheckContext *cx, Diag *diag, const Head *head, const LossCall *loss)
{
    const Tensor *target;
    TargetKind kind = check_target(cx, loss, &target);
    bool binary = kind == TARGET_BINARY || (kind == TARGET_CLASS && target->classes == 2);
    if (!loss->classes) {
        if (loss->wants_logits)
            edit_remove(cx, diag, FIX_UNSAFE, head->span);
        else
            edit_replace(cx, diag, FIX_UNSAFE, head->span, "sigmoid");
        return;
    }
    if (!binary || !edit_replace(cx, diag, FIX_UNSAFE, head->span, "sigmoid"))
        return;
    edit_loss_name(cx, diag, FIX_UNSAFE, loss, "bce");
    if (kind == TARGET_CLASS)
        edit_target_type(cx, diag, FIX_UNSAFE, target, "binary");
}

static void softmax_one_unit(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        if (!cx->facts->live[id] || !facts_is(graph_node(cx->g, id), "softmax") ||
            type_last(graph_type(cx->g, id)) != 1)
            continue;
        Diag *diag = check_report(cx, LEVEL_DENY, check_span(cx, id), "softmax over a single unit always gives 1");
        check_spot_node(cx, id);
        diag_primary(diag, "one unit: the result is the constant 1");
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "its gradient is exactly 0, so nothing in front of it learns");
        diag_help(
            diag,
            "for a yes or no use `sigmoid` with `bce` and a `binary` target; for K classes give the layer K units");
        bool fixed = false;
        for (uint32_t i = 0; i < cx->model->losses.n; i++) {
            const LossCall *loss = &cx->model->losses.at[i];
            Head head = check_head(cx, loss->prediction);
            if (head.value != id)
                continue;
            check_spot_loss(cx, loss);
            diag_label(diag, loss->span, "sees the same value for every sample");
            if (!fixed && !edit_is_shared(cx, &head, loss))
                fix_one_unit(cx, diag, &head, loss);
            fixed = true;
        }
    }
}

ACT_CHECK(softmax_one_unit) = {
    .code = "ACT203",
    .name = "softmax_one_unit",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "softmax over one unit: the constant 1",
    .doc =
        "Softmax divides each exponential by the sum of all of them. With a single unit that is e^x / e^x = 1, "
        "whatever x is: the model predicts the same for every input, and the gradient is exactly zero, so it can "
        "never learn otherwise. A binary decision with one unit wants a sigmoid, which is the softmax over the two "
        "logits x and 0.\n\n"
        "What other rules would say about the loss behind such an output follows from this and is not said.",
    .wrong = "model diagnosis {\n"
             "    input  x : f32[30]\n"
             "    target y : binary\n"
             "    p = x |> linear(16) |> relu |> linear(1) |> softmax\n"
             "    loss bce(p, y)\n"
             "}\n",
    .right = "model diagnosis {\n"
             "    input  x : f32[30]\n"
             "    target y : binary\n"
             "    p = x |> linear(16) |> relu |> linear(1) |> sigmoid\n"
             "    loss bce(p, y)\n"
             "}\n",
    .silences = {"ACT201", "ACT204", "ACT205", "ACT206", "ACT208", "ACT210", "ACT211", "ACT303"},
    .run = softmax_one_unit,
};

static void softmax_with_bce(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Tensor *target;
        TargetKind kind = check_target(cx, loss, &target);
        Head head = check_head(cx, loss->prediction);
        if (loss->classes || !head.softmax || head.units < 2 || !check_is_binary_loss(cx, loss))
            continue;
        bool many = kind == TARGET_BINARY;
        Diag *diag = check_report(cx, many ? LEVEL_DENY : LEVEL_WARN, head.span,
                                  "softmax output feeds `" STR_FMT "`, which asks about each unit on its own",
                                  STR_ARG(loss->fn));
        check_spot_loss(cx, loss);
        check_spot_node(cx, head.value);
        diag_primary(diag, "the %u values share a sum of 1", head.units);
        diag_label(diag, loss->span, "wants an independent probability for each");
        if (many)
            diag_note(
                diag,
                "two labels that are both present can get at most 0.5 each: their loss cannot fall below %.4f each",
                log(2.0));
        if (kind == TARGET_CLASS) {
            diag_help(diag, "one class of %u is a task for `cross_entropy`, on the value before the softmax",
                      target->classes);
            if (edit_remove_before_loss(cx, diag, FIX_UNSAFE, &head, loss))
                edit_loss_name(cx, diag, FIX_UNSAFE, loss, "cross_entropy");
        } else if (loss->wants_logits) {
            diag_help(diag, "give the loss the logits: it applies a sigmoid to each");
            edit_remove_before_loss(cx, diag, FIX_UNSAFE, &head, loss);
        } else {
            diag_help(diag, "use `sigmoid`, one probability per label");
            if (!edit_is_shared(cx, &head, loss))
                edit_replace(cx, diag, FIX_UNSAFE, head.span, "sigmoid");
        }
    }
}

ACT_CHECK(softmax_with_bce) = {
    .code = "ACT205",
    .name = "softmax_with_bce",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "softmax in front of a binary cross-entropy: labels compete",
    .doc =
        "Binary cross-entropy asks about every unit on its own: is this label present or not? Softmax makes the "
        "units share a sum of 1, so that one label can only rise when the others fall. With a target of many labels "
        "(`binary[K]`) that is a contradiction and therefore an error: two labels that are both present can get at "
        "most 0.5 each. Many labels want a sigmoid per label; one class of many wants `cross_entropy` on logits.\n\n"
        "In front of `bce_with_logits` the softmax is wrong twice: its values in [0, 1] are taken as logits.",
    .wrong = "model tags {\n"
             "    input  x : f32[50]\n"
             "    target y : binary[8]\n"
             "    p = x |> linear(32) |> relu |> linear(8) |> softmax\n"
             "    loss bce(p, y)\n"
             "}\n",
    .right = "model tags {\n"
             "    input  x : f32[50]\n"
             "    target y : binary[8]\n"
             "    p = x |> linear(32) |> relu |> linear(8) |> sigmoid\n"
             "    loss bce(p, y)\n"
             "}\n",
    .silences = {"ACT202", "ACT210"},
    .run = softmax_with_bce,
};
