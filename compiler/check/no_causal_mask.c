/* ACT806: a model of the next word that sees it. */
#include "check/edit.h"

#include "act/abi.h"
#include "ops/build.h"

/* A target of one word for each place of the input `words`, under a loss over all places. */
static const LossCall *next_word(const CheckContext *cx, const Tensor *words)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        if (!loss->classes || !loss->target_tensor || !loss->prediction)
            continue;
        const Tensor *target = &cx->g->tensors.at[loss->target_tensor - 1];
        bool fits = target->type.rank == 1 && words->type.rank == 1 && target->type.dim[0] == words->type.dim[0] &&
                    target->classes == words->classes;
        const Ast *call = fits ? edit_find(cx, loss->span) : NULL;
        /* masked words: only some places count */
        if (fits && (call == NULL || (!edit_argument(call, "ignore") && !edit_argument(call, "weight"))))
            return loss;
    }
    return NULL;
}

/* Is the target, by the data, the words one place later? */
static bool is_shifted(const CheckContext *cx, uint32_t target)
{
    const TrainUse *train = cx->model->train;
    for (uint32_t i = 0; train && train->data && i < train->data->parts.n; i++)
        for (uint32_t k = 0; k < train->data->parts.at[i].fields.n; k++) {
            const FieldUse *field = &train->data->parts.at[i].fields.at[k];
            for (uint32_t t = 0; field->tensor == target && t < field->transforms.n; t++)
                if (field->transforms.at[t].kind == ACT_T_SHIFT && field->transforms.at[t].a > 0)
                    return true;
        }
    return false;
}

static void fix(CheckContext *cx, Diag *diag, NodeId id, FixKind kind)
{
    Stage stage;
    const Ast *given = edit_stage(cx, check_span(cx, id), &stage) ? edit_argument(stage.call, "causal") : NULL;
    if (!given || (given->kid[0]->kind == AST_NAME && str_is(given->kid[0]->text, "false")))
        edit_set_argument(cx, diag, kind, check_span(cx, id), "causal", STR("true"));
}

static void no_causal_mask(CheckContext *cx)
{
    for (uint32_t t = 0; t < cx->g->tensors.n; t++) {
        const Tensor *words = &cx->g->tensors.at[t];
        const LossCall *loss = words->role == ROLE_INPUT && words->type.dtype == DT_I32 ? next_word(cx, words) : NULL;
        if (loss == NULL)
            continue;
        bool sure = is_shifted(cx, loss->target_tensor);
        bool *from = arena_array(cx->arena, bool, cx->g->nodes.n);
        for (NodeId id = 1; id < cx->g->nodes.n; id++) {
            const Node *node = graph_node(cx->g, id);
            Attend attend;
            from[id] = facts_tensor(node) == (int)t;
            for (uint32_t i = 0; i < node->n_in; i++)
                from[id] = from[id] || from[node->in[i]];
            bool open = cx->facts->live[id] && build_is_attend(node, &attend) && !attend.causal && from[node->in[0]] && from[node->in[1]];
            if (!open || !facts_reaches(cx->facts, id, loss->prediction))
                continue;
            Diag *diag = check_report(cx, sure ? LEVEL_DENY : LEVEL_WARN, check_span(cx, id), "attention sees the words it is to predict");
            check_spot_node(cx, id);
            diag_primary(diag, "every place looks at all %u", words->type.dim[0]);
            diag_label(diag, loss->target_span, sure ? "each place's next word" : "a word for each place");
            check_label_outer(cx, diag, id, "in this use");
            diag_note(diag, "the loss falls by copying the word from one place later; where nothing follows yet, the model knows nothing");
            diag_help(diag, sure ? "no place may see a later one: `causal = true`"
                                 : "no place may see a later one: `causal = true`; if only masked words count, give the loss `ignore`");
            fix(cx, diag, id, sure ? FIX_SAFE : FIX_UNSAFE);
        }
    }
}

#define EXAMPLE(causal)                                                          \
    "model letters {\n"                                                         \
    "    input  letters : token(65)[32]\n"                                      \
    "    target next : class(65)[32]\n"                                         \
    "    h = letters |> one_hot(65) |> linear(64, bias = false)\n"              \
    "    g = h + (h |> attention(4" causal ", position = rotary))\n"            \
    "    z = g |> linear(128) |> gelu |> linear(65)\n"                          \
    "    loss cross_entropy(z, next)\n"                                         \
    "}\n"

ACT_CHECK(no_causal_mask) = {
    .code = "ACT806",
    .name = "no_causal_mask",
    .group = "attention",
    .level = LEVEL_WARN,
    .summary = "a model of the next word whose attention sees it",
    .doc = "A model of the next word has a prediction at every place, all trained at once. Without a mask the attention at a place also "
           "looks at later places, and the next word stands there: the loss falls to almost nothing by copying it. Used to write a "
           "text, where nothing follows yet, the model has learnt nothing. With `causal = true` no place sees a later one.\n\n"
           "Reported is attention without the mask between a sequence of words and a target that has one of the same words for each "
           "place: an error when the data say that the target is the input shifted (`|> shift(1)`), a warning otherwise. A loss with "
           "`ignore` or `weight` counts only some places, as masked words do, and is left alone.",
    .wrong = EXAMPLE(""),
    .right = EXAMPLE(", causal = true"),
    .run = no_causal_mask,
};
