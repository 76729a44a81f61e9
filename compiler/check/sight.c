#include "check/sight.h"

/* The border that node `id` puts around its input, if that is all it does: the input; else 0. */
static NodeId inside_border(const CheckContext *cx, NodeId id, uint32_t layer, Sight *sight)
{
    const Node *node = graph_node(cx->g, id);
    uint32_t axis, before, after;
    if (build_is_pad(node, &axis, &before, &after)) {
        if (axis >= sight->n)
            return 0;
        sight->axis[axis].before += before;
        sight->axis[axis].after += after;
        return node->in[0];
    }
    if (node->layer != layer)
        return 0;
    if (node->op->kind == OP_MAP) /* a pool's border of numbers that never win */
        return type_same_shape(&node->type, graph_type(cx->g, node->in[0])) ? node->in[0] : 0;
    if (!facts_is(node, "concat"))
        return 0;
    axis = (uint32_t)node_attr(node, 0)->i;
    NodeId inner = 0;
    for (uint32_t i = 0; axis < sight->n && i < node->n_in; i++) {
        uint32_t size = graph_type(cx->g, node->in[i])->dim[axis];
        if (!facts_is(graph_node(cx->g, node->in[i]), "reverse"))
            inner = node->in[i];
        else if (inner)
            sight->axis[axis].after += size;
        else
            sight->axis[axis].before += size;
    }
    sight->zeros = false;
    return inner;
}

static void look(SightAxis *a, Arena *arena)
{
    bool *seen = arena_array(arena, bool, a->size + 1), *met = arena_array(arena, bool, a->kernel);
    a->read = a->empty = a->idle = 0;
    for (uint32_t place = 0; place < a->places; place++) {
        bool any = false;
        for (uint32_t k = 0; k < a->kernel; k++) {
            uint64_t at = (uint64_t)place * a->stride + (uint64_t)k * a->dilation;
            if (at < a->before || at >= (uint64_t)a->before + a->size)
                continue;
            any = seen[at - a->before] = met[k] = true;
        }
        a->empty += !any;
    }
    for (uint32_t k = 0; k < a->kernel; k++)
        a->idle += !met[k];
    a->tail = a->size;
    for (uint32_t i = 0; i < a->size; i++)
        if (seen[i]) {
            a->read++;
            a->tail = a->size - 1 - i;
        }
}

bool sight_of(const CheckContext *cx, NodeId id, Sight *sight)
{
    const Node *node = graph_node(cx->g, id);
    Window w;
    *sight = (Sight){.zeros = true};
    if (!cx->facts->live[id] || cx->facts->of_target[id])
        return false;
    sight->maximum = build_is_window_max(node, &w);
    if (!sight->maximum && !build_is_window(node, &w))
        return false;
    sight->n = w.n;
    sight->source = node->in[0];
    for (NodeId inner; (inner = inside_border(cx, sight->source, node->layer, sight)) != 0;)
        sight->source = inner;
    for (uint32_t i = 0; i < w.n; i++) {
        SightAxis *a = &sight->axis[i];
        uint32_t whole = graph_type(cx->g, node->in[0])->dim[i];
        a->size = whole - a->before - a->after;
        a->kernel = w.kernel[i], a->stride = w.stride[i], a->dilation = w.dilation[i];
        a->span = a->dilation * (a->kernel - 1) + 1;
        a->places = window_places(whole, a->kernel, a->stride, a->dilation);
        look(a, cx->arena);
    }
    return true;
}

const char *sight_word(uint32_t n, uint32_t axis) { return n == 1 ? "step" : axis == 0 ? "row" : "column"; }
