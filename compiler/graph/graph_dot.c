/* Graphviz: one box a node, one ellipse a root; leaves and roots carry the names people know. */
#include "graph/graph.h"

#include "graph/graph_text.h"

#define LABEL_MAX 40 /* longer expressions make boxes nobody can read */

/* Inside a quoted label: quotes and backslashes escaped, control characters dropped. */
static void put(Str s, Text *out)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            text_putc(out, '\\');
        if ((unsigned char)s.p[i] >= 0x20)
            text_putc(out, s.p[i]);
    }
}

static void put_attrs(const Graph *g, const Node *node, Text *out)
{
    for (uint32_t i = 0; i < node->op->n_attr; i++) {
        const AttrDef *def = &node->op->attr[i];
        if (def->kind == ATTR_SX && node->attr[i].sx && sx_size(g->sx, node->attr[i].sx) > LABEL_MAX) {
            text_printf(out, "\\n%s: %u operations", def->name, sx_size(g->sx, node->attr[i].sx));
            continue;
        }
        Text value = {.arena = out->arena};
        graph_print_attr(g, def, &node->attr[i], &value);
        text_printf(out, "\\n%s: ", def->name);
        put(text_str(&value), out);
    }
}

static void put_node(const Graph *g, NodeId id, Text *out)
{
    const Node *node = graph_node(g, id);
    int tensor = graph_node_tensor(g, node->op, node->attr);
    text_printf(out, "  n%u [shape = box, label = \"%%%u ", id, id);
    if (tensor >= 0) {
        put(g->tensors.at[tensor].name, out);
    } else {
        put(node->fn.n ? node->fn : str_of(node->op->name), out);
        if (node->name.n) {
            text_add(out, STR(" "));
            put(node->name, out);
        }
        put_attrs(g, node, out);
    }
    text_add(out, STR("\\n"));
    type_print(&node->type, out);
    text_add(out, node->op->kind == OP_LEAF ? STR("\", style = filled, fillcolor = lightgrey];\n") : STR("\"];\n"));
    for (uint32_t i = 0; i < node->n_in; i++)
        text_printf(out, "  n%u -> n%u;\n", node->in[i], id);
}

void graph_print_dot(const Graph *g, Text *out)
{
    text_add(out, STR("digraph \""));
    put(g->name, out);
    text_add(out, STR("\" {\n  rankdir = TB;\n  node [fontname = \"monospace\", fontsize = 10];\n"));
    for (NodeId id = 1; id < g->nodes.n; id++)
        put_node(g, id, out);
    for (uint32_t i = 0; i < g->roots.n; i++) {
        const Root *root = &g->roots.at[i];
        text_printf(out, "  r%u [shape = ellipse, label = \"%s %u ", i, graph_root_word[root->kind], root->index);
        put(root->name, out);
        text_printf(out, "\"];\n  n%u -> r%u;\n", root->node, i);
    }
    text_add(out, STR("}\n"));
}
