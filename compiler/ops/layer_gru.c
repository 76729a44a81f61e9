/* gru: gated recurrent unit (Cho and others, EMNLP 2014), as PyTorch and cuDNN have it: the reset gate acts behind the product.
 *   r = sigmoid(xr + hr)   z = sigmoid(xz + hz)   n = tanh(xn + r hn)   h[t] = (1 - z) n + z h[t-1]
 * with the three parts of x[t] W + b and of h[t-1] U + d. */
#include "ops/recurrent.h"

static RecurrentState step(LayerCall *call, NodeId input, RecurrentState before, const RecurrentWeights *weights)
{
    Graph *g = call->g;
    SxPool *sx = g->sx;
    NodeId hidden = recurrent_hidden(g, before.h, weights), in[7];
    uint32_t n = 0;
    Sx x[3], h[3];
    for (uint32_t i = 0; i < 3; i++) {
        in[n] = recurrent_part(g, input, i, 3);
        x[i] = sx_arg(sx, n++);
    }
    for (uint32_t i = 0; i < 3 && hidden; i++) {
        in[n] = recurrent_part(g, hidden, i, 3);
        h[i] = sx_arg(sx, n++);
    }
    Sx r = sx_un(sx, SX_SIGMOID, hidden ? sx_add(sx, x[0], h[0]) : x[0]);
    Sx z = sx_un(sx, SX_SIGMOID, hidden ? sx_add(sx, x[1], h[1]) : x[1]);
    Sx fresh = sx_un(sx, SX_TANH, hidden ? sx_add(sx, x[2], sx_mul(sx, r, h[2])) : x[2]);
    Sx after = sx_mul(sx, sx_sub(sx, sx_num(sx, 1), z), fresh);
    if (before.h) {
        in[n] = before.h;
        after = sx_add(sx, after, sx_mul(sx, z, sx_arg(sx, n++)));
    }
    return (RecurrentState){.h = build_map(g, after, in, n)};
}

static bool build(LayerCall *call)
{
    return recurrent_build(call, &(RecurrentCell){.name = "gru", .gates = 3, .bias_inside = true, .step = step});
}

ACT_LAYER(gru) = {
    .name = "gru",
    .doc = "Gated recurrent unit: one gate decides how much of the past goes into a new value, one how much of it stays.",
    .min_value = 1,
    .max_value = 1,
    .n_param = REC_OWN,
    .param = {RECURRENT_PARAMS("gives the last step too: `y, h = ...`")},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[20, 8]\n"
               "    output y = x |> gru(32, last = true) |> linear(1)\n"
               "}\n",
};
