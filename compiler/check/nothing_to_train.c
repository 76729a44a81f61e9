/* ACT904: a training run that has no weights to train. */
#include "check/context.h"

/* By tensor: does the loss depend on it? Whether a gradient arrives is another question (ACT1207). */
static bool *weights_behind(const CheckContext *cx, NodeId loss)
{
    const Graph *g = cx->g;
    bool *behind = arena_array(cx->arena, bool, loss + 1), *tensor = arena_array(cx->arena, bool, g->tensors.n + 1);
    behind[loss] = true;
    for (NodeId id = loss; id > 0; id--) {
        const Node *node = graph_node(g, id);
        int leaf = behind[id] ? facts_tensor(node) : -1;
        if (leaf >= 0)
            tensor[leaf] = g->tensors.at[leaf].role == ROLE_PARAM && g->tensors.at[leaf].trainable;
        for (uint32_t i = 0; behind[id] && i < node->n_in; i++)
            behind[node->in[i]] = true;
    }
    return tensor;
}

static bool in_group(const LossUse *use, Str tensor)
{
    for (uint32_t i = 0; i < use->group.n; i++) {
        Str name = use->group.at[i];
        if (str_eq(tensor, name) || (str_starts(tensor, name) && tensor.n > name.n && tensor.p[name.n] == '.'))
            return true;
    }
    return use->group.n == 0;
}

static bool trains(const CheckContext *cx, const LossUse *use)
{
    const bool *tensor = weights_behind(cx, use->node);
    for (uint32_t i = 0; i < cx->g->tensors.n; i++)
        if (tensor[i] && in_group(use, cx->g->tensors.at[i].name))
            return true;
    return false;
}

static uint32_t frozen(const CheckContext *cx)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < cx->g->tensors.n; i++) {
        const Tensor *t = &cx->g->tensors.at[i];
        bool weight = t->role == ROLE_PARAM || (t->role == ROLE_CONSTANT && t->fan_in > 0);
        n += weight && !(t->role == ROLE_PARAM && t->trainable);
    }
    return n;
}

static void nothing_to_train(CheckContext *cx)
{
    const Model *model = cx->model;
    uint32_t training = 0;
    if (model->train == NULL || model->loss_uses.n == 0)
        return;
    for (uint32_t i = 0; i < model->loss_uses.n; i++)
        training += trains(cx, &model->loss_uses.at[i]);
    if (training == 0) {
        Diag *diag = check_report(cx, LEVEL_DENY, model->train->span, "`" STR_FMT "` has nothing to train",
                                  STR_ARG(model->name));
        diag_primary(diag, "no weight that may change stands behind a loss");
        diag_label(diag, model->loss_uses.at[0].span, "depends on no trained weight");
        if (frozen(cx))
            diag_note(diag, "%u of its parameters are frozen", frozen(cx));
        diag_help(diag, frozen(cx) ? "take `trainable = false` from a layer that shall learn"
                                   : "give the model a layer, or leave the `train` block out");
        return;
    }
    for (uint32_t i = 0; i < model->loss_uses.n; i++) {
        const LossUse *use = &model->loss_uses.at[i];
        if (use->group.n == 0 || trains(cx, use))
            continue;
        Diag *diag = check_report(cx, LEVEL_DENY, use->span, "this loss depends on no weight of `" STR_FMT "`",
                                  STR_ARG(use->group.at[0]));
        diag_primary(diag, "trains nothing");
        diag_help(diag, "name the group whose weights stand behind the loss");
    }
}

ACT_CHECK(nothing_to_train) = {
    .code = "ACT904",
    .name = "nothing_to_train",
    .group = "optimiser",
    .level = LEVEL_DENY,
    .summary = "a training run without a weight that could change",
    .doc =
        "Training changes weights so that the loss falls. Here no loss depends on a weight that may change: every "
        "layer is frozen with `trainable = false`, or the losses are computed from inputs alone, or a `loss for "
        "NAME` names a group whose weights do not stand behind it. The run would take its steps and end as it "
        "began.\n\n"
        "Only models with a `train` block are asked: one that is only evaluated needs nothing to train. Weights that "
        "do stand behind a loss but get no gradient are the matter of ACT1207.",
    .wrong = "model probe {\n"
             "    input  x : f32[12]\n"
             "    target y : class(3)\n"
             "    loss cross_entropy(x |> linear(3, trainable = false), y)\n"
             "}\n"
             "train probe {\n"
             "    epochs 3\n"
             "}\n",
    .right = "model probe {\n"
             "    input  x : f32[12]\n"
             "    target y : class(3)\n"
             "    loss cross_entropy(x |> linear(3), y)\n"
             "}\n"
             "train probe {\n"
             "    epochs 3\n"
             "}\n",
    .run = nothing_to_train,
};
