/* position: adds to every step of a sequence a vector that says where it stands. */
#include "ops/layer.h"

#include <math.h>

enum { KIND, WEIGHT };

/* sin(t / 10000^(2 i / C)) in the even columns and the cosine in the odd ones (Vaswani and others, 2017). */
static NodeId waves(Graph *g, uint32_t steps, uint32_t features)
{
    SxPool *sx = g->sx;
    NodeId t = build_reshape(g, build_iota(g, steps), 2, (uint32_t[]){steps, 1});
    Sx half = sx_un(sx, SX_FLOOR, sx_mul(sx, sx_arg(sx, 1), sx_num(sx, 0.5)));
    Sx angle = sx_mul(sx, sx_arg(sx, 0), sx_un(sx, SX_EXP, sx_mul(sx, half, sx_num(sx, -2 * log(10000) / features))));
    Sx even = sx_bin(sx, SX_EQ, sx_add(sx, half, half), sx_arg(sx, 1));
    Sx wave = sx_select(sx, even, sx_un(sx, SX_SIN, angle), sx_un(sx, SX_COS, angle));
    return build_map(g, wave, (NodeId[]){t, build_iota(g, features)}, 2);
}

static bool build(LayerCall *call)
{
    Graph *g = call->g;
    NodeId x = call->value[0].value;
    if (!layer_real(call, 0))
        return false;
    const Type *type = layer_type(call, 0);
    if (type->rank != 2) {
        layer_error(call, "ACT101", "shape_mismatch", 0, "`position` takes a sequence: steps, and the features of each");
        return false;
    }
    uint32_t shape[2] = {type->dim[0], type->dim[1]};
    if (str_is(call->arg[KIND].word, "sinusoidal"))
        return layer_done(call, build_add(g, x, waves(g, shape[0], shape[1])));
    Tensor like = {.type = type_make(DT_F32, false, 2, shape), .fan_in = 1, .fan_out = shape[1]};
    like.file_axis[1] = 1;
    LayerArg own = call->arg[WEIGHT];
    bool given = own.span.source != 0;
    if (!given) /* small beside what it is added to, as GPT-2 and BERT have it */
        like.fill = (Fill){FILL_NORMAL, 0, 0.02}, like.deviation = 0.02;
    NodeId table = call->param(call, &like, "weight", given ? &own : NULL);
    return table && layer_done(call, build_add(g, x, table));
}

ACT_LAYER(position) = {
    .name = "position",
    .doc = "Adds to every step a vector that says where it stands: learned, or made of sines. Attention sees no order without it.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 2,
    .param = {{.name = "kind", .kind = ARG_WORD, .def = "learned", .words = "learned|sinusoidal", .doc = "where the vectors come from"},
              {.name = "weight",
               .kind = ARG_INIT,
               .def = "auto",
               .doc = "how learned vectors start, or a table to use; else normal(0, 0.02)",
               .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input tokens : token(65)[32]\n"
               "    output y = tokens |> embedding(48) |> position\n"
               "}\n",
};
