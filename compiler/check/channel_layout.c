/* ACT107: an image whose axes look like (channels, height, width). */
#include "check/edit.h"

/* One, three or four channels (grey, colour, colour with transparency), and sides that an image has. */
static bool looks_channels_first(const Type *type)
{
    enum { LEAST_SIDE = 8 }; /* the smallest images in use: 8 x 8 digits */
    if (!type->batch || type->dtype != DT_F32 || type->rank != 3)
        return false;
    uint32_t c = type->dim[0], h = type->dim[1], w = type->dim[2];
    return (c == 1 || c == 3 || c == 4) && h == w && w >= LEAST_SIDE;
}

/* Every reader turns it, or looks at single elements: then the order of the axes is known to whoever wrote it. */
static bool is_turned(const Facts *f, NodeId id)
{
    for (uint32_t k = f->first[id]; k < f->first[id + 1]; k++)
        if (!facts_is(graph_node(f->g, f->consumer[k]), "permute"))
            return false;
    return facts_uses(f, id) > 0;
}

static void fix(CheckContext *cx, Diag *diag, const Tensor *input)
{
    const Ast *reader = edit_only_reader(cx, input->name);
    const Ast *parent = reader ? edit_parent(cx, reader) : NULL;
    if (parent && ((parent->kind == AST_PIPE && parent->kid[0] == reader) || parent->kind == AST_ASSIGN))
        diag_fix(diag, FIX_UNSAFE, reader->span, STR_FMT " |> permute(1, 2, 0)", STR_ARG(input->name));
}

static void channel_layout(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int index = facts_tensor(graph_node(cx->g, id));
        if (index < 0 || !cx->facts->live[id] || cx->g->tensors.at[index].role != ROLE_INPUT)
            continue;
        const Tensor *input = &cx->g->tensors.at[index];
        if (!looks_channels_first(&input->type) || is_turned(cx->facts, id))
            continue;
        const uint32_t *dim = input->type.dim;
        Diag *diag = check_report(cx, LEVEL_WARN, input->span,
                                  "`" STR_FMT "` looks like an image with its channels first", STR_ARG(input->name));
        check_spot_tensor(cx, (uint32_t)index);
        diag_primary(diag, "read as %u high, %u wide, %u channels", dim[0], dim[1], dim[2]);
        diag_note(diag, "images are [height, width, channels] here; exchanged weights are permuted by that reading");
        diag_help(diag,
                  "declare it as `f32[%u, %u, %u]` if the data comes so, else turn it with `|> permute(1, 2, 0)`",
                  dim[1], dim[2], dim[0]);
        fix(cx, diag, input);
    }
}

ACT_CHECK(channel_layout) = {
    .code = "ACT107",
    .name = "channel_layout",
    .group = "shapes",
    .level = LEVEL_WARN,
    .summary = "an image that seems to have its channels first",
    .doc =
        "Images are [height, width, channels] in this language, whatever files and other frameworks do. An input of "
        "[3, 32, 32] is therefore an image 3 pixels high, 32 wide, with 32 channels: `normalize` measures each of "
        "the 32 \"channels\", and layers over windows slide along the wrong axes. A dense layer behind `flatten` "
        "does not care, but its weights are permuted when they are saved for PyTorch, by the same wrong reading, so "
        "that they mean another network there.\n\n"
        "Reported are inputs of three axes with 1, 3 or 4 in front and two equal sides behind, unless every reader "
        "permutes them.",
    .wrong = "model digits {\n"
             "    input  image : f32[3, 32, 32]\n"
             "    target label : class(10)\n"
             "    z = image |> flatten |> linear(64) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .right = "model digits {\n"
             "    input  image : f32[32, 32, 3]\n"
             "    target label : class(10)\n"
             "    z = image |> flatten |> linear(64) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .run = channel_layout,
};
