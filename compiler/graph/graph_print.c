#include "graph/graph.h"

#include "graph/graph_text.h"

const char *const graph_role_word[GRAPH_ROLES] = {
    [ROLE_INPUT] = "input",       [ROLE_TARGET] = "target", [ROLE_PARAM] = "param",
    [ROLE_CONSTANT] = "constant", [ROLE_STATE] = "state",
};
const char *const graph_fill_word[GRAPH_FILLS] = {[FILL_CONSTANT] = "constant",
                                                  [FILL_NORMAL] = "normal",
                                                  [FILL_UNIFORM] = "uniform",
                                                  [FILL_TRUNCATED_NORMAL] = "truncated_normal",
                                                  [FILL_ORTHOGONAL] = "orthogonal"};
const char *const graph_root_word[GRAPH_ROOTS] = {
    [ROOT_OUTPUT] = "output", [ROOT_LOSS] = "loss", [ROOT_PREDICTION] = "prediction", [ROOT_UPDATE] = "update",
    [ROOT_WATCH] = "watch"};

void graph_print_quoted(Str s, Text *out)
{
    text_putc(out, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c == '\n')
            text_add(out, STR("\\n"));
        else if (c == '\t')
            text_add(out, STR("\\t"));
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            text_printf(out, "\\x%02x", (unsigned char)c);
        else
            text_putc(out, c);
    }
    text_putc(out, '"');
}

static bool is_word(Str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return s.n > 0;
}

/* ── tensors ── */
static void print_list(const char *word, const uint32_t *at, uint32_t n, Text *out)
{
    text_printf(out, " %s [", word);
    for (uint32_t i = 0; i < n; i++)
        text_printf(out, "%s%u", i ? ", " : "", at[i]);
    text_putc(out, ']');
}

static void print_string(const char *word, Str s, Text *out)
{
    if (!s.n)
        return;
    text_printf(out, " %s ", word);
    graph_print_quoted(s, out);
}

static void print_reals(const char *word, unsigned n, double a, double b, Text *out)
{
    text_printf(out, " %s ", word);
    text_number(out, a);
    if (n > 1) {
        text_putc(out, ' ');
        text_number(out, b);
    }
}

static bool moves_axes(const Tensor *t)
{
    for (uint32_t i = 0; i < t->type.rank; i++) {
        if (t->file_axis[i] != i)
            return true;
    }
    return false;
}

/* Only what differs from a tensor that says nothing: the reader starts from the same one. */
static void print_tensor(const Tensor *t, Text *out)
{
    text_add(out, STR("tensor "));
    graph_print_quoted(t->name, out);
    text_printf(out, " %s ", graph_role_word[t->role]);
    type_print(&t->type, out);
    print_string("label", t->label, out);
    if (t->classes)
        text_printf(out, " classes %u", t->classes);
    if (t->binary)
        text_add(out, STR(" binary"));
    if (t->low <= t->high)
        print_reals("range", 2, t->low, t->high, out);
    if (t->fill.kind != FILL_CONSTANT || t->fill.a != 0 || t->fill.b != 0) {
        text_add(out, STR(" fill"));
        print_reals(graph_fill_word[t->fill.kind], graph_fill_numbers(&t->fill), t->fill.a, t->fill.b, out);
    }
    print_string("init", t->init, out);
    if (t->fan_in != 0 || t->fan_out != 0)
        print_reals("fan", 2, t->fan_in, t->fan_out, out);
    if (t->gain != 0)
        print_reals("gain", 1, t->gain, 0, out);
    if (t->deviation != 0)
        print_reals("deviation", 1, t->deviation, 0, out);
    if (t->weight)
        text_add(out, STR(" weight"));
    if (t->turned)
        text_add(out, STR(" turned"));
    if (t->trainable != (t->role == ROLE_PARAM))
        text_add(out, t->trainable ? STR(" trainable") : STR(" frozen"));
    if (t->of)
        text_printf(out, " of %u", t->of - 1);
    if (moves_axes(t))
        print_list("file", t->file_axis, t->type.rank, out);
    if (t->flat_rank)
        print_list("flat", t->flat, t->flat_rank, out);
    if (t->rows_only)
        text_add(out, STR(" rows_only"));
    if (t->layout == LAYOUT_PANELS)
        text_printf(out, " panels %u", t->panel);
    if (t->offset)
        text_printf(out, " at %llu", (unsigned long long)t->offset);
    if (t->bytes)
        text_printf(out, " bytes %llu", (unsigned long long)t->bytes);
    text_putc(out, '\n');
}

/* ── nodes ── */
void graph_print_attr(const Graph *g, const AttrDef *def, const AttrValue *value, Text *out)
{
    switch (def->kind) {
    case ATTR_INT:
        text_printf(out, "%lld", (long long)value->i);
        break;
    case ATTR_REAL:
        text_number(out, value->f);
        break;
    case ATTR_SX:
        if (value->sx)
            sx_print(g->sx, value->sx, out);
        else
            text_add(out, STR("none"));
        break;
    case ATTR_STR:
        graph_print_quoted(value->s, out);
        break;
    case ATTR_DIMS:
        text_putc(out, '[');
        for (uint32_t i = 0; i < value->dims.n; i++)
            text_printf(out, "%s%lld", i ? ", " : "", (long long)value->dims.at[i]);
        text_putc(out, ']');
        break;
    }
}

static void print_node(const Graph *g, NodeId id, Text *out)
{
    const Node *node = graph_node(g, id);
    text_printf(out, "%%%u = %s", id, node->op->name);
    for (uint32_t i = 0; i < node->n_in; i++)
        text_printf(out, "%s%%%u", i ? ", " : " ", node->in[i]);
    for (uint32_t i = 0; i < node->op->n_attr; i++) {
        bool dims = node->op->attr[i].kind == ATTR_DIMS;
        if (node->op->attr[i].optional && (dims ? node->attr[i].dims.n == 0 : node->attr[i].i == 0))
            continue;
        text_printf(out, "%s%s = ", i ? ", " : " {", node->op->attr[i].name);
        graph_print_attr(g, &node->op->attr[i], &node->attr[i], out);
    }
    text_add(out, node->op->n_attr ? STR("} : ") : STR(" : "));
    type_print(&node->type, out);
    print_string("name", node->name, out);
    print_string("fn", node->fn, out);
    if (node->layer)
        text_printf(out, " layer %u", node->layer);
    int tensor = graph_node_tensor(g, node->op, node->attr);
    if (tensor >= 0) { /* a comment: the number alone tells a reader little */
        text_add(out, STR("  # "));
        graph_print_quoted(g->tensors.at[tensor].name, out);
    }
    text_putc(out, '\n');
}

void graph_print(const Graph *g, Text *out)
{
    text_add(out, STR("graph "));
    if (is_word(g->name))
        text_add(out, g->name);
    else
        graph_print_quoted(g->name, out);
    text_printf(out, " batch %u\n", g->batch);
    for (uint32_t i = 0; i < g->tensors.n; i++)
        print_tensor(&g->tensors.at[i], out);
    for (NodeId id = 1; id < g->nodes.n; id++)
        print_node(g, id, out);
    for (uint32_t i = 0; i < g->roots.n; i++) {
        const Root *root = &g->roots.at[i];
        text_printf(out, "%s %u", graph_root_word[root->kind], root->index);
        if (root->name.n) {
            text_putc(out, ' ');
            graph_print_quoted(root->name, out);
        }
        text_printf(out, " %%%u\n", root->node);
    }
}
