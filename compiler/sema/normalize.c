/* A `normalize` that is measured on the training data becomes part of the model: its constants are parameters that are
 * not trained, so that a model embedded elsewhere takes values as they come and predicts as it did in training.
 *
 * The model is complete when this runs: the graph is copied with each such input read through (x - mean) / std, and
 * what refers to nodes is moved along. */
#include "act/abi.h"
#include "ops/build.h"
#include "sema/sema.h"

/* Does the training part end in a measured normalize for this input? */
static bool is_measured(const TrainUse *train, uint32_t tensor)
{
    for (uint32_t p = 0; train->data != NULL && p < train->data->parts.n; p++) {
        const PartUse *part = &train->data->parts.at[p];
        for (uint32_t i = 0; str_is(part->name, "train") && i < part->fields.n; i++) {
            const FieldUse *field = &part->fields.at[i];
            if (field->tensor == 1 + tensor && field->transforms.n > 0 &&
                field->transforms.at[field->transforms.n - 1].kind == ACT_T_NORMALIZE)
                return true;
        }
    }
    return false;
}

/* One number for each feature (the last axis). */
static NodeId constant(Graph *g, uint32_t input, const char *what, double start)
{
    const Tensor *x = &g->tensors.at[input];
    Tensor t = {.role = ROLE_CONSTANT, .span = x->span, .low = 1, .high = 0};
    t.name = str_printf(g->arena, STR_FMT ".%s", STR_ARG(x->name), what);
    t.type = (Type){DT_F32, false, x->type.rank > 0, {(uint32_t)type_last(&x->type)}};
    t.fill = (Fill){FILL_CONSTANT, start, 0};
    t.init = STR("constant");
    return build_tensor(g, graph_tensor_add(g, &t));
}

static void move(NodeId *id, const NodeId *map) { *id = map[*id]; }

/* Everything in the model that names a node. */
static void move_all(Model *model, const NodeId *map)
{
    for (uint32_t i = 0; i < model->layers.n; i++) {
        move(&model->layers.at[i].in, map);
        move(&model->layers.at[i].out, map);
    }
    for (uint32_t i = 0; i < model->losses.n; i++) {
        move(&model->losses.at[i].prediction, map);
        move(&model->losses.at[i].target, map);
    }
    for (uint32_t i = 0; i < model->loss_uses.n; i++)
        move(&model->loss_uses.at[i].node, map);
    for (uint32_t i = 0; i < model->metrics.n; i++)
        move(&model->metrics.at[i].prediction, map);
    for (uint32_t i = 0; i < model->outputs.n; i++)
        move(&model->outputs.at[i].value, map);
}

void normalize_inputs(Sema *s, Model *model)
{
    const Graph *from = model->graph;
    uint32_t n = 0;
    for (uint32_t t = 0; model->train != NULL && t < from->tensors.n; t++)
        n += from->tensors.at[t].role == ROLE_INPUT && is_measured(model->train, t);
    if (n == 0 || model->poisoned)
        return;
    Graph *g = graph_like(from);
    SxPool *sx = g->sx;
    NodeId *map = arena_array(s->arena, NodeId, from->nodes.n);
    for (NodeId id = 1; id < from->nodes.n; id++) {
        uint32_t tensor;
        map[id] = graph_copy_node(g, from, id, map);
        if (!build_is_tensor(graph_node(from, id), &tensor) || from->tensors.at[tensor].role != ROLE_INPUT ||
            !is_measured(model->train, tensor))
            continue;
        int mean = graph_tensor_find(g, str_printf(g->arena, STR_FMT ".mean", STR_ARG(from->tensors.at[tensor].name)));
        NodeId in[3] = {map[id]}; /* a second leaf of the input reads the same constants */
        in[1] = mean >= 0 ? build_tensor(g, (uint32_t)mean) : constant(g, tensor, "mean", 0);
        in[2] = mean >= 0 ? build_tensor(g, (uint32_t)mean + 1) : constant(g, tensor, "std", 1);
        Sx scaled = sx_div(sx, sx_sub(sx, sx_arg(sx, 0), sx_arg(sx, 1)), sx_arg(sx, 2));
        map[id] = build_map(g, scaled, in, 3);
        Node *node = graph_node(g, map[id]);
        node->span = graph_node(from, id)->span;
        node->fn = STR("normalize");
    }
    for (uint32_t i = 0; i < from->roots.n; i++) {
        const Root *root = &from->roots.at[i];
        graph_root_add(g, root->kind, map[root->node], root->index, root->name);
    }
    move_all(model, map);
    model->graph = g;
}
