/* ACT805: attention over the words of a text that does not know in which order they stand. */
#include "check/context.h"

#include "ops/build.h"

/* Does node `id` treat all places of a sequence alike? What is not known to do so is taken to tell them apart. Attention's own heads
 * and positions are nodes of its layer. */
static bool tells_places(const CheckContext *cx, NodeId id)
{
    const Node *node = graph_node(cx->g, id);
    Attend attend;
    if (build_is_attend(node, &attend))
        return attend.causal; /* a first place that sees one word, a second that sees two … */
    OpKind kind = node->op->kind;
    if (kind == OP_LEAF || kind == OP_REDUCE || kind == OP_COMPOSITE)
        return false;
    if (kind == OP_CONTRACT)
        return build_contract_of(node).depth > 1 || build_contract_of(node).outer > 0;
    if (kind != OP_MAP)
        return !str_is(node->fn, "attention");
    for (uint32_t i = 0; i < node->n_in; i++) { /* a table with a row for each place */
        const Type *in = graph_type(cx->g, node->in[i]);
        if (!in->batch && in->rank >= 2 && in->dim[in->rank - 2] > 1)
            return true;
    }
    return false;
}

/* The sequence of indices that `id` is computed from, all places alike. *told: something tells them apart. */
static uint32_t sequence_of(const CheckContext *cx, NodeId id, bool *told)
{
    bool *behind = arena_array(cx->arena, bool, id + 1);
    uint32_t found = 0;
    behind[id] = true;
    *told = false;
    for (NodeId at = id; at > 0; at--) {
        if (!behind[at] || !graph_type(cx->g, at)->batch)
            continue;
        int tensor = facts_tensor(graph_node(cx->g, at));
        const Tensor *t = tensor >= 0 ? &cx->g->tensors.at[tensor] : NULL;
        if (t && t->role == ROLE_INPUT && t->type.dtype == DT_I32 && t->type.rank == 1 && t->type.dim[0] > 1 && t->classes > 2)
            found = (uint32_t)tensor + 1;
        *told = *told || (at != id && tells_places(cx, at));
        for (uint32_t i = 0; i < graph_node(cx->g, at)->n_in; i++)
            behind[graph_node(cx->g, at)->in[i]] = true;
    }
    return found;
}

static void no_position(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        Attend attend;
        bool told;
        if (!cx->facts->live[id] || !build_is_attend(graph_node(cx->g, id), &attend) || attend.causal)
            continue;
        uint32_t tensor = sequence_of(cx, id, &told);
        if (!tensor || told)
            continue;
        const Tensor *input = &cx->g->tensors.at[tensor - 1];
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "attention that cannot tell in which order `" STR_FMT "` comes",
                                  STR_ARG(input->name));
        check_spot_node(cx, id);
        diag_primary(diag, "treats all %u places alike", input->type.dim[0]);
        diag_label(diag, input->span, "the same words in another order mean the same to it");
        check_label_outer(cx, diag, id, "in this use");
        diag_help(diag, "write `attention(..., position = rotary)`, or add a position to the embedding: `|> embedding(...) |> position`");
        return; /* the layers behind it follow */
    }
}

#define EXAMPLE(arguments)                                                   \
    "model topic {\n"                                                        \
    "    input  words : token(500)[32]\n"                                    \
    "    target topic : class(4)\n"                                          \
    "    h = words |> one_hot(500) |> linear(64, bias = false)\n"            \
    "    g = h + (h |> attention(4" arguments "))\n"                         \
    "    z = g |> mean(axis = 0) |> linear(32) |> relu |> linear(4)\n"       \
    "    loss cross_entropy(z, topic)\n"                                     \
    "}\n"

ACT_CHECK(no_position) = {
    .code = "ACT805",
    .name = "no_position",
    .group = "attention",
    .level = LEVEL_WARN,
    .summary = "attention over a text without positions",
    .doc = "Attention compares the content of places and nothing else: with the words in another order every word gets the same result. "
           "For a set that is wanted; a text means something else in another order, so the place of a word has to be told: a "
           "position added to its embedding, rotary positions in the attention, a recurrent or convolutional layer in front. A causal "
           "mask tells it too, since the third word sees three and the second two.\n\n"
           "Reported is attention without a causal mask over a sequence of indices, with nothing on the way that tells places apart. "
           "Sequences of real numbers may be sets and are left alone.",
    .wrong = EXAMPLE(""),
    .right = EXAMPLE(", position = rotary"),
    .run = no_position,
};
