/* lstm: long short-term memory (Hochreiter and Schmidhuber, Neural Computation 9, 1997; with the forget gate of Gers and others, 2000):
 *   c[t] = sigmoid(f) c[t-1] + sigmoid(i) tanh(g)     h[t] = sigmoid(o) tanh(c[t])
 * where i, f, g, o are the four parts of x[t] W + b + h[t-1] U + d. */
#include "ops/recurrent.h"

enum { CELL = REC_OWN, FORGET };

static RecurrentState step(LayerCall *call, NodeId input, RecurrentState before, const RecurrentWeights *weights)
{
    Graph *g = call->g;
    SxPool *sx = g->sx;
    NodeId hidden = recurrent_hidden(g, before.h, weights), gates = hidden ? build_add(g, input, hidden) : input;
    NodeId part[4];
    for (uint32_t i = 0; i < 4; i++)
        part[i] = recurrent_part(g, gates, i, 4);
    Sx a[4];
    for (uint32_t i = 0; i < 4; i++)
        a[i] = sx_arg(sx, i);
    Sx fresh = sx_mul(sx, sx_un(sx, SX_SIGMOID, a[0]), sx_un(sx, SX_TANH, a[1]));
    Sx kept = sx_mul(sx, sx_un(sx, SX_SIGMOID, a[2]), a[3]);
    RecurrentState after;
    after.c = before.c ? build_map(g, sx_add(sx, kept, fresh), (NodeId[]){part[0], part[2], part[1], before.c}, 4)
                       : build_map(g, fresh, (NodeId[]){part[0], part[2]}, 2);
    Sx out = sx_mul(sx, sx_un(sx, SX_SIGMOID, a[0]), sx_un(sx, SX_TANH, a[1]));
    after.h = build_map(g, out, (NodeId[]){part[3], after.c}, 2);
    return after;
}

static bool build(LayerCall *call)
{
    return recurrent_build(call, &(RecurrentCell){.name = "lstm", .gates = 4, .memory = true, .gate = 2,
                                                  .gate_bias = call->arg[FORGET].f, .initial_memory = CELL, .step = step});
}

ACT_LAYER(lstm) = {
    .name = "lstm",
    .doc = "Long short-term memory: gates decide what a cell keeps, takes in and shows. The forget gate's bias starts at 1, so that it keeps.",
    .min_value = 1,
    .max_value = 1,
    .n_param = REC_OWN + 2,
    .param = {RECURRENT_PARAMS("gives the last step and its cell too: `y, h, c = ...`"),
              {.name = "cell",
               .kind = ARG_VALUE,
               .doc = "the cell before the first step; else zeros",
               .optional = true,
               .named_only = true},
              {.name = "forget",
               .kind = ARG_REAL,
               .def = "1",
               .doc = "what the forget gate's bias starts at, unless `bias` is given",
               .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[20, 8]\n"
               "    output y = x |> lstm(32, last = true) |> linear(1)\n"
               "}\n",
};
