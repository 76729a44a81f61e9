#include "pass/pass.h"

void pass_copy_roots(Graph *to, const Graph *from, const NodeId *map)
{
    for (uint32_t i = 0; i < from->roots.n; i++) {
        const Root *root = &from->roots.at[i];
        graph_root_add(to, root->kind, map[root->node], root->index, root->name);
    }
}

void pass_rewrite(PassState *state, PassRewrite each)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    for (NodeId id = 1; id < from->nodes.n; id++) {
        const Node *node = graph_node(from, id);
        uint32_t first = g->nodes.n;
        map[id] = each(state, g, node, map);
        if (map[id] == 0) {
            map[id] = graph_copy_node(g, from, id, map);
            continue;
        }
        for (NodeId made = first; made < g->nodes.n; made++) {
            Node *part = graph_node(g, made);
            part->span = node->span;
            part->layer = node->layer;
            part->fn = part->fn.n ? part->fn : node->fn;
        }
        if (map[id] >= first)
            graph_node(g, map[id])->name = node->name;
    }
    pass_copy_roots(g, from, map);
    state->g = g;
}
