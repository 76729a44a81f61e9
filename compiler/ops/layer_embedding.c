/* embedding: every index has a row of a learned table. */
#include "ops/layer.h"

enum { FEATURES, CLASSES, PADDING, WEIGHT };

/* How many different indices a value can hold: what its input declares. 0: unknown. */
static uint32_t classes_of(const Graph *g, NodeId value)
{
    uint32_t tensor;
    const Node *node = graph_node(g, value);
    while (!build_is_tensor(node, &tensor)) {
        if (node->n_in == 0)
            return 0;
        node = graph_node(g, node->in[0]);
    }
    return g->tensors.at[tensor].classes;
}

static bool refuse(LayerCall *call, uint32_t arg, const char *why)
{
    diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[arg].span, "%s", why);
    return false;
}

static bool too_few(LayerCall *call, int64_t classes, int64_t known)
{
    Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT808", "embedding_range", call->arg[CLASSES].span,
                          "the indices go up to %lld, and `embedding` has %lld row%s", (long long)known - 1, (long long)classes,
                          classes == 1 ? "" : "s");
    diag_help(diag, "leave `classes` out: there is a row for each index that the input's type allows");
    return false;
}

static bool build(LayerCall *call)
{
    Graph *g = call->g;
    NodeId index = call->value[0].value;
    const Type *type = layer_type(call, 0);
    if (type->dtype != DT_I32) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "`embedding` looks indices up, and these are numbers");
        diag_help(diag, "declare the input as `token(65)[128]`; numbers go through `linear`");
        return false;
    }
    if (type->rank + 1 >= TYPE_MAX_RANK) {
        layer_error(call, "ACT1209", "wrong_argument", 0, "`embedding` adds an axis, and this has too many already");
        return false;
    }
    if (call->arg[FEATURES].i < 1)
        return refuse(call, FEATURES, "`embedding` needs at least one feature");
    int64_t known = classes_of(g, index);
    int64_t classes = call->arg[CLASSES].kind == ARG_INT ? call->arg[CLASSES].i : known;
    if (classes < known)
        return too_few(call, classes, known);
    if (classes < 1 || classes > INT32_MAX)
        return refuse(call, CLASSES, "`embedding` needs at least one row: say how many with `classes`");
    uint32_t shape[2] = {(uint32_t)classes, (uint32_t)call->arg[FEATURES].i};
    Tensor like = {.type = type_make(DT_F32, false, 2, shape), .fan_in = 1, .fan_out = shape[1]};
    like.file_axis[1] = 1;
    NodeId table = call->param(call, &like, "weight", &call->arg[WEIGHT]);
    if (!table)
        return false;
    if (call->arg[WEIGHT].kind == ARG_TENSOR && g->tensors.at[call->arg[WEIGHT].tensor].file_axis[0] != 0)
        table = build_permute(g, table, 2, (int64_t[]){1, 0}); /* of a linear layer, which keeps its weight turned */
    NodeId rows = build_gather(g, table, index);
    if (call->arg[PADDING].kind != ARG_INT)
        return layer_done(call, rows);
    int64_t padding = call->arg[PADDING].i;
    if (padding < 0 || padding >= classes) {
        Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT808", "embedding_range", call->arg[PADDING].span,
                              "the padding is no index of the table");
        diag_help(diag, "its %lld rows are 0 to %lld", (long long)classes, (long long)classes - 1);
        return false;
    }
    Type wide = *graph_type(g, index);
    wide.dim[wide.rank++] = 1;
    SxPool *sx = g->sx;
    Sx is = sx_bin(sx, SX_EQ, sx_arg(sx, 1), sx_num(sx, (double)padding));
    NodeId in[2] = {rows, build_reshape(g, index, wide.rank, wide.dim)};
    return layer_done(call, build_map(g, sx_select(sx, is, sx_num(sx, 0), sx_arg(sx, 0)), in, 2));
}

ACT_LAYER(embedding) = {
    .name = "embedding",
    .doc = "A learned vector for each index: the row of a table. The number of rows comes from the token's type.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 4,
    .param = {{.name = "features", .kind = ARG_INT, .doc = "length of a vector"},
              {.name = "classes", .kind = ARG_INT, .doc = "rows of the table; else as many as the input declares", .optional = true},
              {.name = "padding",
               .kind = ARG_INT,
               .doc = "an index that means nothing: its vector is zero and stays so",
               .optional = true,
               .named_only = true},
              {.name = "weight",
               .kind = ARG_INIT,
               .def = "normal",
               .doc = "how the table starts, or a table to use",
               .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input tokens : token(65)[32]\n"
               "    output y = tokens |> embedding(48)\n"
               "}\n",
};
