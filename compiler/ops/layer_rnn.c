/* rnn: the simple recurrent layer, h[t] = tanh(x[t] W + b + h[t-1] U + d). */
#include "ops/recurrent.h"

enum { NONLINEARITY = REC_OWN };

static RecurrentState step(LayerCall *call, NodeId input, RecurrentState before, const RecurrentWeights *weights)
{
    SxPool *sx = call->g->sx;
    NodeId hidden = recurrent_hidden(call->g, before.h, weights), in[2] = {input, hidden};
    Sx sum = hidden ? sx_add(sx, sx_arg(sx, 0), sx_arg(sx, 1)) : sx_arg(sx, 0);
    bool relu = str_is(call->arg[NONLINEARITY].word, "relu");
    Sx f = relu ? sx_bin(sx, SX_MAX, sum, sx_num(sx, 0)) : sx_un(sx, SX_TANH, sum);
    return (RecurrentState){.h = build_map(call->g, f, in, hidden ? 2 : 1)};
}

static bool build(LayerCall *call)
{
    return recurrent_build(call, &(RecurrentCell){.name = "rnn", .gates = 1, .step = step});
}

ACT_LAYER(rnn) = {
    .name = "rnn",
    .doc = "The simple recurrent layer: each step is tanh of a weighted sum of its input and of the step before.",
    .min_value = 1,
    .max_value = 1,
    .n_param = REC_OWN + 1,
    .param = {RECURRENT_PARAMS("gives the last step too: `y, h = ...`"),
              {.name = "nonlinearity",
               .kind = ARG_WORD,
               .def = "tanh",
               .words = "tanh|relu",
               .doc = "what bounds a step",
               .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[12, 8]\n"
               "    output y = x |> rnn(32, last = true) |> linear(1)\n"
               "}\n",
};
