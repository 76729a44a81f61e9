/* A loss that does not fit what the target is: 206 mse_on_classes, 207 ce_on_real, 211 class_count. */
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

static void fix_mse(CheckContext *cx, Diag *diag, const LossCall *loss, const Head *head, TargetKind kind)
{
    if (kind == TARGET_CLASS) {
        /* cross-entropy wants the value before a softmax or a sigmoid */
        if (!head->softmax && !head->activation)
            edit_loss_name(cx, diag, FIX_UNSAFE, loss, "cross_entropy");
        else if (edit_remove_before_loss(cx, diag, FIX_UNSAFE, head, loss))
            edit_loss_name(cx, diag, FIX_UNSAFE, loss, "cross_entropy");
    } else if (head->sigmoid_like) {
        edit_loss_name(cx, diag, FIX_UNSAFE, loss, "bce");
    } else if (!head->activation && !head->softmax) {
        edit_loss_name(cx, diag, FIX_UNSAFE, loss, "bce_with_logits");
    }
}

/* The target of classes whose one-hot vector, written out, is node `id`; NULL: it is none. */
static const Tensor *one_hot_of(const CheckContext *cx, NodeId id)
{
    const Node *node = id ? graph_node(cx->g, facts_skip(cx->facts, id)) : NULL;
    int tensor = node && facts_is(node, "one_hot") ? facts_tensor(graph_node(cx->g, node->in[0])) : -1;
    return tensor >= 0 && cx->g->tensors.at[tensor].role == ROLE_TARGET ? &cx->g->tensors.at[tensor] : NULL;
}

static void mse_on_classes(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Tensor *target;
        TargetKind kind = check_target(cx, loss, &target);
        bool written = kind == TARGET_NONE && (target = one_hot_of(cx, loss->target)) != NULL;
        kind = written ? TARGET_CLASS : kind;
        if ((kind != TARGET_CLASS && kind != TARGET_BINARY) || !check_is_distance_loss(cx, loss))
            continue;
        Head head = check_head(cx, loss->prediction);
        Diag *diag =
            check_report(cx, LEVEL_WARN, loss->span, "`" STR_FMT "` measures a distance, but `" STR_FMT "` is a class",
                         STR_ARG(loss->fn), STR_ARG(target->name));
        check_spot_loss(cx, loss);
        diag_primary(diag, "treats the %s as numbers to come near to",
                     kind == TARGET_CLASS ? "classes' one-hot vectors" : "labels");
        diag_label(diag, target->span, "declared as `" STR_FMT "`", STR_ARG(target->label));
        if (head.softmax || head.sigmoid_like)
            diag_note(
                diag,
                "its gradient carries the factor p (1 - p), at most 0.25: an answer that is wrong with p = 0.99 gets "
                "0.0099 of what cross-entropy gives it");
        else
            diag_note(diag, "an answer that is right and sure, above 1, is punished like one that is wrong");
        if (kind == TARGET_CLASS)
            diag_help(diag, "use `cross_entropy` on logits");
        else
            diag_help(diag,
                      head.sigmoid_like ? "use `bce`" : "use `bce_with_logits` on the value before the activation");
        if (!written)
            fix_mse(cx, diag, loss, &head, kind);
    }
}

ACT_CHECK(mse_on_classes) = {
    .code = "ACT206",
    .name = "mse_on_classes",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "a loss that measures distance on a target of classes",
    .doc =
        "Mean squared and absolute error measure how far a number is from another. A class is no number: class 3 is "
        "not between 2 and 4. Against the one-hot vector the squared error does work, but badly: behind a softmax or "
        "sigmoid its gradient carries the slope p (1 - p), which is at most 0.25 and nearly 0 where the model is "
        "sure and wrong. An output that is wrong with p = 0.99 gets 0.0099 of the gradient that cross-entropy gives "
        "it, so confident mistakes are the last to be corrected. Without an activation the loss punishes being more "
        "than right.\n\n"
        "Any loss with f(p + t, y + t) = f(p, y) counts as a distance, also one of your own.",
    .wrong = EXAMPLE_DIGITS("    p = image |> linear(32) |> relu |> linear(10) |> softmax\n"
                            "    loss mse(p, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = mse_on_classes,
};

static void ce_on_real(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Tensor *target;
        TargetKind kind = check_target(cx, loss, &target);
        if (!loss->wants_logits && !loss->wants_probabilities && !loss->wants_log_probabilities)
            continue;
        if ((kind != TARGET_NONE && kind != TARGET_REAL) || loss->target == 0)
            continue;
        ValueRange range = cx->facts->range[loss->target];
        bool declared = range.known && !range.full && isfinite(range.low) && isfinite(range.high);
        if (declared ? range.low >= -1e-6 && range.high <= 1 + 1e-6 : kind != TARGET_REAL)
            continue;
        Diag *diag =
            check_report(cx, LEVEL_DENY, loss->span,
                         "`" STR_FMT "` needs classes or probabilities, but its target is real", STR_ARG(loss->fn));
        check_spot_loss(cx, loss);
        if (declared)
            diag_primary(diag, "outside [0, 1] it has no least value to reach");
        Span place = target ? target->span : loss->target_span;
        if (declared)
            diag_label(diag, place, "may be anything from %g to %g", range.low, range.high);
        else
            diag_label(diag, place, "declared as `" STR_FMT "`: any real number", STR_ARG(target->label));
        diag_note(diag,
                  "for a target above 1 or below 0 a cross-entropy falls without end while the prediction runs away");
        diag_help(
            diag,
            "for a quantity use `mse`, `mae` or `huber`; for a class declare the target `class(K)` or `binary`; for "
            "soft labels declare its range: `in [0, 1]`");
    }
}

ACT_CHECK(ce_on_real) = {
    .code = "ACT207",
    .name = "ce_on_real",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "a cross-entropy against a target of real numbers",
    .doc =
        "Cross-entropies compare a predicted distribution with a class or with probabilities. A real target is "
        "neither: for y above 1 or below 0 the term -y log p - (1 - y) log(1 - p) has no minimum inside (0, 1), the "
        "prediction runs to an end and the loss below zero. A quantity wants a loss for quantities; a class should "
        "be declared as one. Soft labels are real numbers that are probabilities, and say so by their range: `target "
        "y : f32[10] in [0, 1]`. The same holds where an input is the target: pixels declared to lie in [0, 1] may "
        "stand under a binary cross-entropy, pixels in [0, 255] may not.\n\n"
        "A likelihood of counts or of positive quantities, such as Poisson's `rate - y * log(rate)`, has its least "
        "value at the target and is left alone.",
    .wrong = "model prices {\n"
             "    input  x : f32[8]\n"
             "    target y : f32[1]\n"
             "    z = x |> linear(16) |> relu |> linear(1)\n"
             "    loss bce_with_logits(z, y)\n"
             "}\n",
    .right = "model prices {\n"
             "    input  x : f32[8]\n"
             "    target y : f32[1]\n"
             "    z = x |> linear(16) |> relu |> linear(1)\n"
             "    loss mse(z, y)\n"
             "}\n",
    .silences = {"ACT204", "ACT205", "ACT210", "ACT211"},
    .run = ce_on_real,
};

/* The layer whose units are the logits: behind bias, scale and views. */
static const LayerUse *last_layer(const CheckContext *cx, NodeId id)
{
    for (;;) {
        if (facts_weight(cx->g, id) >= 0)
            return check_use(cx, id);
        const Node *node = graph_node(cx->g, id);
        NodeId next = 0;
        for (uint32_t i = 0; i < node->n_in; i++)
            if (graph_type(cx->g, node->in[i])->batch)
                next = next ? 0 : node->in[i];
        bool one = node->op->kind == OP_MAP || facts_passes(node);
        if (!one || next == 0 || type_last(graph_type(cx->g, next)) != type_last(&node->type))
            return NULL;
        id = next;
    }
}

/* A vocabulary filled up to a round number of units is a common, deliberate choice. */
static bool is_padding(uint32_t units, uint32_t classes)
{
    return classes >= 1000 && units > classes && units % 8 == 0 && units - classes < 256;
}

static void class_count(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Tensor *target;
        TargetKind kind = check_target(cx, loss, &target);
        Head head = check_head(cx, loss->prediction);
        uint32_t classes = kind == TARGET_CLASS ? target->classes : 2;
        bool one_label = kind == TARGET_CLASS || (kind == TARGET_BINARY && type_elements(&target->type) == 1);
        if (!loss->classes || !one_label || head.units == classes || is_padding(head.units, classes))
            continue;
        Diag *diag = check_report(cx, LEVEL_DENY, loss->span, "%u unit%s for %u classes", head.units,
                                  head.units == 1 ? "" : "s", classes);
        check_spot_loss(cx, loss);
        if (head.units == 1)
            diag_primary(diag, "over one unit a softmax is 1 and this loss always 0");
        else if (head.units < classes)
            diag_primary(diag, "labels from %u on have no unit", head.units);
        else
            diag_primary(diag, "units from %u on are never the answer", classes);
        const LayerUse *layer = last_layer(cx, head.source ? head.source : head.value);
        if (layer)
            diag_label(diag, layer->span, "gives %u value%s", head.units, head.units == 1 ? "" : "s");
        diag_label(diag, target->span, "declared as `" STR_FMT "`", STR_ARG(target->label));
        if (kind == TARGET_BINARY && head.units == 1) {
            diag_help(diag, "for yes or no with one unit use `bce_with_logits`");
            edit_loss_name(cx, diag, FIX_UNSAFE, loss, "bce_with_logits");
            continue;
        }
        diag_help(diag, "give the last layer %u units%s", classes,
                  head.units == 1 && classes == 2
                      ? ", or keep one, declare the target `binary` and use `bce_with_logits`"
                      : "");
        if (layer)
            edit_units(cx, diag, FIX_SAFE, layer, classes);
    }
}

ACT_CHECK(class_count) = {
    .code = "ACT211",
    .name = "class_count",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "the number of units is not the number of classes",
    .doc =
        "A loss over classes needs one unit for each class. With fewer, some labels have no unit: their probability "
        "cannot even be asked for. With more, the model carries units that are never the answer, usually because the "
        "number of classes was miscounted (classes count from 0, so labels 0 to 9 are 10 classes). With one unit the "
        "softmax is the constant 1, and the loss 0 for every input. A large vocabulary filled up to a multiple of 8 "
        "is left alone.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(9)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT214"},
    .run = class_count,
};
