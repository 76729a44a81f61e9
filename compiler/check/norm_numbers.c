/* Norms over too few numbers: 502 norm_degenerate, 503 tiny_norm_batch. */
#include "check/data_rows.h"
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

enum { FEW = 8 }; /* the deviation of so many numbers is a third off, and worse with less */

/* The norm at `id`, if its numbers are known: those over the batch want a train block. */
static NormKind norm_at(const CheckContext *cx, NodeId id)
{
    NormKind kind = cx->facts->live[id] ? facts_norm(graph_node(cx->g, id)) : NORM_NONE;
    return kind == NORM_BATCH && !cx->model->train ? NORM_NONE : kind;
}

static uint64_t positions_of(const CheckContext *cx, NodeId id)
{
    const Type *type = graph_type(cx->g, id);
    return type_elements(type) / type_last(type);
}

static Span batch_span(const CheckContext *cx)
{
    const Ast *setting = edit_setting(cx->model->train, "batch");
    return setting ? setting->span : (Span){0};
}

static void norm_degenerate(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        NormKind kind = norm_at(cx, id);
        if (kind == NORM_NONE || facts_norm_numbers(cx->g, node) != 1)
            continue;
        bool sign = kind == NORM_SAMPLE && !node_attr(node, 1)->i;
        Diag *diag = check_report(cx, LEVEL_DENY, check_span(cx, id), "`" STR_FMT "` of a single number says nothing about it",
                                  STR_ARG(check_name(cx, id)));
        check_spot_node(cx, id);
        diag_primary(diag, sign ? "leaves only the sign" : "always 0, then the bias");
        check_label_outer(cx, diag, id, "in this use");
        if (kind == NORM_BATCH && batch_span(cx).source)
            diag_label(diag, batch_span(cx), "one sample a step");
        diag_note(diag, sign ? "a number over its own size is 1 or -1, and no gradient passes"
                             : "a number less its own mean is 0 whatever the input, and no gradient passes");
        diag_help(diag, kind == NORM_BATCH ? "train with a batch of at least 16, or use `layer_norm`"
                        : facts_norm_channels(node) ? "leave it out, or use `batch_norm`, which looks at the other samples"
                                                    : "leave it out, or make groups of several channels");
    }
}

ACT_CHECK(norm_degenerate) = {
    .code = "ACT502",
    .name = "norm_degenerate",
    .group = "normalisation",
    .level = LEVEL_DENY,
    .summary = "a norm over a single number, whose result is constant",
    .doc =
        "A norm takes the mean away and divides by the deviation. Of one number the mean is the number itself: what is left is "
        "0, whatever the input, and the gradient is 0 too. Nothing in front of it can learn. So it is with batch norm "
        "at `batch 1` where values have no positions, with instance norm of a single position, with layer norm of one "
        "feature, and with as many groups as channels where there are no positions. rms_norm leaves the sign.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32, bias = false) |> batch_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n")
        "train digits { batch 1; epochs 10; optimizer sgd(lr = 0.01) }\n",
    .right = EXAMPLE_DIGITS("    z = image |> linear(32, bias = false) |> batch_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n")
        "train digits { batch 32; epochs 10; optimizer sgd(lr = 0.01) }\n",
    .run = norm_degenerate,
};

/* Every row is trained, so the last batch has what is left. */
static void last_batch(CheckContext *cx)
{
    uint64_t rows = data_rows_train(cx);
    uint32_t batch = cx->model->train ? cx->model->train->batch : 0;
    for (NodeId id = 1; id < cx->g->nodes.n && batch > 1 && rows % batch == 1; id++) {
        if (norm_at(cx, id) != NORM_BATCH || positions_of(cx, id) > 1)
            continue;
        Span span = batch_span(cx);
        Diag *diag = check_report(cx, LEVEL_WARN, span.source ? span : check_span(cx, id),
                                  "the last step of every epoch has one sample");
        check_spot_node(cx, id);
        diag_primary(diag, "%llu rows are %llu times %u, and one", (unsigned long long)rows, (unsigned long long)(rows / batch), batch);
        diag_label(diag, check_span(cx, id), "has nothing to measure a deviation on");
        diag_note(diag, "its result is the bias whatever the sample is, and the running variance is pulled towards 0");
        uint32_t other = batch;
        while (other > 2 && rows % other == 1)
            other--;
        diag_help(diag, "choose another batch, such as `batch %u`", other);
        return;
    }
}

static void tiny_norm_batch(CheckContext *cx)
{
    last_batch(cx);
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        uint64_t n = norm_at(cx, id) == NORM_BATCH ? facts_norm_numbers(cx->g, graph_node(cx->g, id)) : FEW;
        if (n < 2 || n >= FEW)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "`" STR_FMT "` measures each channel on %llu numbers",
                                  STR_ARG(check_name(cx, id)), (unsigned long long)n);
        check_spot_node(cx, id);
        diag_primary(diag, "mean and deviation of %llu numbers", (unsigned long long)n);
        if (batch_span(cx).source)
            diag_label(diag, batch_span(cx), "so many samples a step");
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "such a deviation is off by some %.0f %%, so training sees another network in every step, and inference, "
                        "with running statistics, a third", 100 / sqrt(2.0 * (double)(n - 1)));
        diag_help(diag, "use a batch of at least 16, or a norm that does not look at the batch: `group_norm` or `layer_norm`");
    }
}

ACT_CHECK(tiny_norm_batch) = {
    .code = "ACT503",
    .name = "tiny_norm_batch",
    .group = "normalisation",
    .level = LEVEL_WARN,
    .summary = "batch norm over fewer than eight numbers a channel",
    .doc =
        "Batch norm divides by the deviation that a channel has over the batch and its positions. Measured on n numbers, a deviation "
        "is off by about 1 / sqrt(2 (n - 1)): with four numbers by 40 %. Each step then trains another network, "
        "and none of them is the one "
        "that predicts, which divides by the running average. Accuracy falls quickly below a batch of 16.\n\n"
        "Positions count: a batch of 2 images of 32 x 32 has 2048 numbers a channel.\n\n"
        "Every row of an epoch is trained, so the last batch has what is left. Where that is one sample without positions, which is said "
        "when the number of rows can be read off the data's files, the norm has one number for each channel: "
        "less its mean it is 0, the step "
        "teaches the layers in front nothing, and its variance, 0, goes into the running one. PyTorch refuses such a step.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32, bias = false) |> batch_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n")
        "train digits { batch 4; epochs 10; optimizer sgd(lr = 0.01) }\n",
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> layer_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n")
        "train digits { batch 4; epochs 10; optimizer sgd(lr = 0.01) }\n",
    .run = tiny_norm_batch,
};

