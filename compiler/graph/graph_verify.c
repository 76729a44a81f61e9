/* The rules of a graph, each with its own sentence. What types and shapes an op takes is its own business: infer is
 * asked again. */
#include "graph/graph.h"

#include "graph/graph_text.h"

#include <math.h>
#include <string.h>

/* More elements than any machine of today holds in memory, few enough that byte counts cannot overflow. */
#define MAX_ELEMENTS (UINT64_C(1) << 40)

typedef struct Verify {
    const Graph *g;
    Arena *arena;
} Verify;

static const char *__attribute__((format(printf, 2, 3))) broken(Verify *v, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str s = str_vprintf(v->arena, format, args);
    va_end(args);
    return s.p;
}

static const char *shown(Verify *v, const Type *type)
{
    Text text = {.arena = v->arena};
    type_print(type, &text);
    return text_str(&text).p;
}

static const char *type_rule(const Type *type)
{
    if (type->dtype != DT_F32 && type->dtype != DT_I32)
        return "has no element type";
    if (type->rank > TYPE_MAX_RANK)
        return "has too many dimensions";
    for (uint32_t i = 0; i < type->rank; i++) {
        if (type->dim[i] == 0)
            return "has a dimension of size 0";
    }
    return type_elements(type) > MAX_ELEMENTS ? "has too many elements" : NULL;
}

/* ── tensors ── */
static bool permutation(const uint32_t *axis, uint32_t n)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (axis[i] >= n || (seen & (1u << axis[i])))
            return false;
        seen |= 1u << axis[i];
    }
    return true;
}

static const char *flat_rule(const Tensor *t)
{
    if (t->flat_rank == 0)
        return NULL;
    if (t->flat_rank > TYPE_MAX_RANK || t->type.rank == 0)
        return "has a flattened axis it can't have";
    Type image = {.rank = t->flat_rank};
    memcpy(image.dim, t->flat, sizeof image.dim);
    return type_elements(&image) == t->type.dim[0] ? NULL : "has a first axis that is not the product of `flat`";
}

static const char *fill_rule(const Fill *fill)
{
    if ((unsigned)fill->kind >= GRAPH_FILLS)
        return "has an unknown fill";
    if (!isfinite(fill->a) || !isfinite(fill->b))
        return "has a fill that is not finite";
    bool spread = fill->kind == FILL_NORMAL || fill->kind == FILL_TRUNCATED_NORMAL;
    if (spread && fill->b < 0)
        return "has a fill of negative deviation";
    return fill->kind == FILL_UNIFORM && fill->a > fill->b ? "has a fill whose interval is empty" : NULL;
}

static const char *state_rule(const Graph *g, const Tensor *t)
{
    if (t->role != ROLE_STATE)
        return t->of ? "belongs to a parameter, but is no state" : NULL;
    if (t->of == 0) /* of the whole model: a count, a norm */
        return NULL;
    Role of = t->of > g->tensors.n ? ROLE_INPUT : g->tensors.at[t->of - 1].role;
    if (of != ROLE_PARAM && of != ROLE_CONSTANT) /* running statistics are averaged, too */
        return "is the state of something that is no parameter";
    return NULL;
}

static const char *tensor_rule(const Graph *g, uint32_t index)
{
    const Tensor *t = &g->tensors.at[index];
    const char *why = type_rule(&t->type);
    if (why)
        return why;
    bool data = t->role == ROLE_INPUT || t->role == ROLE_TARGET;
    if (!t->name.n)
        return "has no name";
    if (graph_tensor_find(g, t->name) != (int)index)
        return "has the name of another tensor";
    if (t->type.batch != data)
        return data ? "is data without a batch" : "has a batch, which only inputs and targets have";
    if ((t->role == ROLE_PARAM || t->role == ROLE_STATE) && t->type.dtype != DT_F32)
        return "is not of floats";
    if (!permutation(t->file_axis, t->type.rank))
        return "has file axes that are no permutation";
    if (t->trainable && t->role != ROLE_PARAM)
        return "is trainable, but no parameter";
    if (t->layout == LAYOUT_PANELS && (t->panel == 0 || t->type.rank < 2 || data))
        return "is in panels, but no weight of the model with a panel width";
    if (t->layout == LAYOUT_PANELS && t->rows_only)
        return "is in panels, but read in rows";
    if ((why = flat_rule(t)) || (why = fill_rule(&t->fill)))
        return why;
    return state_rule(g, t);
}

/* ── nodes ── */
int graph_node_tensor(const Graph *g, const Op *op, const AttrValue *attr)
{
    for (uint32_t i = 0; i < op->n_attr; i++) {
        if (op->attr[i].kind == ATTR_INT && str_is(STR("tensor"), op->attr[i].name))
            return attr[i].i >= 0 && attr[i].i < g->tensors.n ? (int)attr[i].i : -1;
    }
    return -1;
}

static const char *sx_rule(const Graph *g, const Op *op, uint32_t i, Sx sx, uint32_t n_in, Verify *v)
{
    if (op->kind != OP_MAP || i > 0)
        return NULL;
    if (!sx)
        return broken(v, "the map has no expression");
    unsigned limit = sx_arg_limit(g->sx, sx);
    return limit > n_in ? broken(v, "the expression reads a%u of %u inputs", limit - 1, n_in) : NULL;
}

const char *graph_attr_rule(const Graph *g, const Op *op, const AttrValue *attr, uint32_t n_in, Arena *arena)
{
    Verify v = {g, arena};
    for (uint32_t i = 0; i < op->n_attr; i++) {
        const char *name = op->attr[i].name, *why = NULL;
        switch (op->attr[i].kind) {
        case ATTR_INT:
            if (str_is(STR("tensor"), name) && (attr[i].i < 0 || attr[i].i >= g->tensors.n))
                why = broken(&v, "there is no tensor %lld", (long long)attr[i].i);
            break;
        case ATTR_REAL:
            if (isnan(attr[i].f))
                why = broken(&v, "`%s` is not a number", name);
            break;
        case ATTR_SX:
            why = sx_rule(g, op, i, attr[i].sx, n_in, &v);
            break;
        case ATTR_DIMS:
            if (attr[i].dims.n > TYPE_MAX_RANK)
                why = broken(&v, "`%s` has %u numbers, more than %d", name, attr[i].dims.n, TYPE_MAX_RANK);
            break;
        case ATTR_STR:
            break;
        }
        if (why)
            return why;
    }
    return NULL;
}

static const char *node_rule(Verify *v, NodeId id)
{
    const Node *node = graph_node(v->g, id);
    const Op *op = node->op;
    if (!op)
        return "has no op";
    if (node->n_in < op->min_in || node->n_in > op->max_in)
        return broken(v, "has %u inputs, not %u to %u", node->n_in, op->min_in, op->max_in);
    for (uint32_t i = 0; i < node->n_in; i++) {
        if (node->in[i] == 0 || node->in[i] >= id)
            return broken(v, "uses %%%u, which does not come before it", node->in[i]);
    }
    const char *why = type_rule(&node->type);
    if (why)
        return why;
    if ((why = graph_attr_rule(v->g, op, node->attr, node->n_in, v->arena)))
        return why;
    Type type = {0};
    if ((why = op->infer(v->g, node, &type, v->arena)))
        return why;
    if (type_equal(&type, &node->type))
        return NULL;
    return broken(v, "is %s, but should be %s", shown(v, &node->type), shown(v, &type));
}

/* ── roots ── */
static bool same_root_before(const Graph *g, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++) {
        if (g->roots.at[j].kind == g->roots.at[i].kind && g->roots.at[j].index == g->roots.at[i].index)
            return true;
    }
    return false;
}

static const char *update_rule(Verify *v, const Root *root, const Type *type)
{
    if (root->index >= v->g->tensors.n)
        return broken(v, "there is no tensor %u", root->index);
    const Tensor *t = &v->g->tensors.at[root->index];
    if (t->role == ROLE_INPUT || t->role == ROLE_TARGET)
        return "data can't be updated";
    if (type_equal(type, &t->type))
        return NULL;
    return broken(v, "%s for a tensor of type %s", shown(v, type), shown(v, &t->type));
}

static const char *root_rule(Verify *v, uint32_t i)
{
    const Root *root = &v->g->roots.at[i];
    if (root->node == 0 || root->node >= v->g->nodes.n)
        return broken(v, "there is no node %%%u", root->node);
    if (same_root_before(v->g, i))
        return "there is another one with this number";
    const Type *type = graph_type(v->g, root->node);
    switch (root->kind) {
    case ROOT_OUTPUT:
    case ROOT_PREDICTION: /* dense [n][shape] in the caller's memory */
        if (!type->batch || type->dtype != DT_F32)
            return broken(v, "%s is no row of floats for every sample", shown(v, type));
        return NULL;
    case ROOT_WATCH:
        return type->dtype == DT_F32 ? NULL : broken(v, "%s is no float", shown(v, type));
    case ROOT_LOSS: {
        Type scalar = type_scalar();
        return type_equal(type, &scalar) ? NULL : broken(v, "%s is no scalar", shown(v, type));
    }
    case ROOT_UPDATE:
        return update_rule(v, root, type);
    }
    return "it is of no kind";
}

const char *graph_verify(const Graph *g, Arena *arena)
{
    Verify v = {g, arena};
    const char *why;
    if (g->batch == 0)
        return "the graph has a batch of 0 rows";
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        if ((why = tensor_rule(g, i)))
            return broken(&v, "tensor %u \"" STR_FMT "\" %s", i, STR_ARG(g->tensors.at[i].name), why);
    }
    for (NodeId id = 1; id < g->nodes.n; id++) {
        if ((why = node_rule(&v, id)))
            return broken(&v, "%%%u (%s): %s", id, g->nodes.at[id].op ? g->nodes.at[id].op->name : "?", why);
    }
    for (uint32_t i = 0; i < g->roots.n; i++) {
        if ((why = root_rule(&v, i))) {
            const Root *root = &g->roots.at[i];
            const char *word = (unsigned)root->kind < GRAPH_ROOTS ? graph_root_word[root->kind] : "root";
            return broken(&v, "%s %u: %%%u: %s", word, root->index, root->node, why);
        }
    }
    return NULL;
}
