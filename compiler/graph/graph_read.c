/* The text form, read line by line. A text comes from a hand or a fuzzer as often as from graph_print: every
 * mistake becomes "line N: …", and nothing is handed to op->infer that graph_attr_rule has not seen. */
#include "graph/graph.h"

#include "graph/graph_scan.h"
#include "graph/graph_text.h"

typedef struct Label { /* %number in the text is node id */
    uint32_t number;
    NodeId id;
} Label;

typedef struct Reader {
    Scan scan;
    Graph *g;
    const Op *(*find)(Str name);
    VEC(Label) labels; /* ascending by number */
} Reader;

static bool read_type(Reader *r, Type *out)
{
    scan_peek(&r->scan);
    return type_read(&r->scan.at, out) || scan_fail(&r->scan, "expected a type like f32[B, 10]");
}

static int find_word(const char *const *words, unsigned n, Str word)
{
    for (unsigned i = 0; i < n; i++) {
        if (str_is(word, words[i]))
            return (int)i;
    }
    return -1;
}

/* ── tensor "linear1.weight" param f32[784, 10] fill normal 0 0.05 ── */
static bool read_axes(Reader *r, uint32_t *n, uint32_t *at)
{
    Dims dims;
    if (!scan_dims(&r->scan, 0, UINT32_MAX, &dims))
        return false;
    *n = dims.n;
    for (uint32_t i = 0; i < dims.n; i++)
        at[i] = (uint32_t)dims.at[i];
    return true;
}

static bool read_file_axes(Reader *r, Tensor *t)
{
    uint32_t n;
    if (!read_axes(r, &n, t->file_axis))
        return false;
    return n == t->type.rank || scan_fail(&r->scan, "`file` names %u axes of a tensor that has %u", n, t->type.rank);
}

static bool read_fill(Reader *r, Fill *fill)
{
    Str word = scan_word(&r->scan);
    int kind = find_word(graph_fill_word, GRAPH_FILLS, word);
    if (kind < 0)
        return scan_fail(&r->scan, "`" STR_FMT "` is no fill", STR_ARG(word));
    fill->kind = (FillKind)kind;
    char next = 0;
    if (!scan_real(&r->scan, &fill->a))
        return false;
    if (fill->kind == FILL_CONSTANT || fill->kind == FILL_ORTHOGONAL) {
        next = scan_peek(&r->scan); /* the second number is optional */
        if (!((next >= '0' && next <= '9') || next == '-'))
            return true;
    }
    return scan_real(&r->scan, &fill->b);
}

static bool read_bytes(Reader *r, uint64_t *out)
{
    int64_t value;
    if (!scan_int(&r->scan, 0, INT64_MAX, &value))
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool read_of(Reader *r, uint32_t *of)
{
    if (!scan_count(&r->scan, of))
        return false;
    *of += 1; /* the field counts from 1 */
    return *of != 0 || scan_fail(&r->scan, "no tensor has this number");
}

static bool read_tensor_fact(Reader *r, Tensor *t, Str word)
{
    bool *flag = str_is(word, "binary")                                ? &t->binary
                 : str_is(word, "weight")                              ? &t->weight
                 : str_is(word, "turned")                              ? &t->turned
                 : str_is(word, "rows_only")                           ? &t->rows_only
                 : str_is(word, "trainable") || str_is(word, "frozen") ? &t->trainable
                                                                       : NULL;
    if (flag) {
        *flag = !str_is(word, "frozen");
        return true;
    }
    if (str_is(word, "label"))
        return scan_quoted(&r->scan, &t->label);
    if (str_is(word, "classes"))
        return scan_count(&r->scan, &t->classes);
    if (str_is(word, "range"))
        return scan_real(&r->scan, &t->low) && scan_real(&r->scan, &t->high);
    if (str_is(word, "fill"))
        return read_fill(r, &t->fill);
    if (str_is(word, "init"))
        return scan_quoted(&r->scan, &t->init);
    if (str_is(word, "fan"))
        return scan_real(&r->scan, &t->fan_in) && scan_real(&r->scan, &t->fan_out);
    if (str_is(word, "gain"))
        return scan_real(&r->scan, &t->gain);
    if (str_is(word, "deviation"))
        return scan_real(&r->scan, &t->deviation);
    if (str_is(word, "of"))
        return read_of(r, &t->of);
    if (str_is(word, "file"))
        return read_file_axes(r, t);
    if (str_is(word, "flat"))
        return read_axes(r, &t->flat_rank, t->flat);
    if (str_is(word, "at"))
        return read_bytes(r, &t->offset);
    if (str_is(word, "bytes"))
        return read_bytes(r, &t->bytes);
    if (str_is(word, "panels")) {
        t->layout = LAYOUT_PANELS;
        return scan_count(&r->scan, &t->panel);
    }
    return scan_fail(&r->scan, "a tensor has no `" STR_FMT "`", STR_ARG(word));
}

static bool read_tensor(Reader *r)
{
    Tensor t = {.low = 1};
    if (!scan_quoted(&r->scan, &t.name))
        return false;
    if (graph_tensor_find(r->g, t.name) >= 0)
        return scan_fail(&r->scan, "the tensor \"" STR_FMT "\" is there already", STR_ARG(t.name));
    Str word = scan_word(&r->scan);
    int role = find_word(graph_role_word, GRAPH_ROLES, word);
    if (role < 0)
        return scan_fail(&r->scan, "`" STR_FMT "` is no role of a tensor", STR_ARG(word));
    t.role = (Role)role;
    t.trainable = t.role == ROLE_PARAM;
    if (!read_type(r, &t.type))
        return false;
    for (uint32_t i = 0; i < t.type.rank; i++)
        t.file_axis[i] = i;
    while (scan_peek(&r->scan)) {
        word = scan_word(&r->scan);
        if (!word.n)
            return scan_fail(&r->scan, "unexpected `%c`", scan_peek(&r->scan));
        if (!read_tensor_fact(r, &t, word))
            return false;
    }
    graph_tensor_add(r->g, &t);
    return true;
}

/* ── %4 = map %2, %3 {fn = (max (add a0 a1) 0)} : f32[B, 10] name "logits" fn "relu" layer 3 ── */
static bool read_use(Reader *r, NodeId *id)
{
    uint32_t number;
    if (!scan_expect(&r->scan, '%') || !scan_count(&r->scan, &number))
        return false;
    uint32_t low = 0, high = r->labels.n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->labels.at[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == r->labels.n || r->labels.at[low].number != number)
        return scan_fail(&r->scan, "%%%u is not defined above", number);
    *id = r->labels.at[low].id;
    return true;
}

static bool read_sx(Reader *r, Sx *out)
{
    Str before = r->scan.at;
    if (str_is(scan_word(&r->scan), "none"))
        return true;
    r->scan.at = before;
    Str why = STR("it can't be read");
    *out = sx_read(r->g->sx, &r->scan.at, &why, r->scan.arena);
    return *out || scan_fail(&r->scan, "in the expression: " STR_FMT, STR_ARG(why));
}

static bool read_attr_value(Reader *r, const AttrDef *def, AttrValue *value)
{
    switch (def->kind) {
    case ATTR_INT:
        if (str_is(STR("tensor"), def->name) && scan_peek(&r->scan) == '"') { /* by name, for graphs written by hand */
            Str name;
            if (!scan_quoted(&r->scan, &name))
                return false;
            value->i = graph_tensor_find(r->g, name);
            return value->i >= 0 || scan_fail(&r->scan, "there is no tensor \"" STR_FMT "\"", STR_ARG(name));
        }
        return scan_int(&r->scan, INT64_MIN, INT64_MAX, &value->i);
    case ATTR_REAL:
        return scan_real(&r->scan, &value->f);
    case ATTR_SX:
        return read_sx(r, &value->sx);
    case ATTR_STR:
        return scan_quoted(&r->scan, &value->s);
    case ATTR_DIMS:
        return scan_dims(&r->scan, INT64_MIN, INT64_MAX, &value->dims);
    }
    return scan_fail(&r->scan, "`%s` can't be read", def->name);
}

static bool read_attrs(Reader *r, const Op *op, AttrValue *attr)
{
    bool given[OP_MAX_ATTR] = {0};
    if (scan_take(&r->scan, '{')) {
        do {
            Str name = scan_word(&r->scan);
            uint32_t i = 0;
            while (i < op->n_attr && !str_is(name, op->attr[i].name))
                i++;
            if (i == op->n_attr)
                return scan_fail(&r->scan, "`%s` has no attribute `" STR_FMT "`", op->name, STR_ARG(name));
            if (given[i])
                return scan_fail(&r->scan, "`" STR_FMT "` is given twice", STR_ARG(name));
            given[i] = true;
            if (!scan_expect(&r->scan, '=') || !read_attr_value(r, &op->attr[i], &attr[i]))
                return false;
        } while (scan_take(&r->scan, ','));
        if (!scan_expect(&r->scan, '}'))
            return false;
    }
    for (uint32_t i = 0; i < op->n_attr; i++) {
        if (!given[i] && !op->attr[i].optional)
            return scan_fail(&r->scan, "`%s` needs the attribute `%s`", op->name, op->attr[i].name);
    }
    return true;
}

static bool check_type(Reader *r, NodeId id)
{
    Type said;
    if (!read_type(r, &said))
        return false;
    if (type_equal(&said, graph_type(r->g, id)))
        return true;
    Text found = {.arena = r->scan.arena};
    type_print(graph_type(r->g, id), &found);
    return scan_fail(&r->scan, "the value is of type " STR_FMT, STR_ARG(text_str(&found)));
}

static bool read_notes(Reader *r, NodeId id)
{
    Node *node = graph_node(r->g, id);
    while (scan_peek(&r->scan)) {
        Str word = scan_word(&r->scan);
        bool good = true;
        if (str_is(word, "name"))
            good = scan_quoted(&r->scan, &node->name);
        else if (str_is(word, "fn"))
            good = scan_quoted(&r->scan, &node->fn);
        else if (str_is(word, "layer"))
            good = scan_count(&r->scan, &node->layer);
        else if (word.n)
            return scan_fail(&r->scan, "a node has no `" STR_FMT "`", STR_ARG(word));
        else
            return scan_fail(&r->scan, "unexpected `%c`", scan_peek(&r->scan));
        if (!good)
            return false;
    }
    return true;
}

static bool read_node(Reader *r)
{
    uint32_t number;
    if (!scan_count(&r->scan, &number))
        return false;
    if (number == 0 || (r->labels.n && number <= r->labels.at[r->labels.n - 1].number))
        return scan_fail(&r->scan, "%%%u: numbers must ascend from 1", number);
    if (!scan_expect(&r->scan, '='))
        return false;
    Str name = scan_word(&r->scan);
    const Op *op = r->find(name);
    if (!op)
        return scan_fail(&r->scan, "there is no op `" STR_FMT "`", STR_ARG(name));
    VEC(NodeId) in = {0};
    if (scan_peek(&r->scan) == '%') {
        do {
            NodeId id;
            if (!read_use(r, &id))
                return false;
            *vec_push(r->scan.arena, &in) = id;
        } while (scan_take(&r->scan, ','));
    }
    AttrValue attr[OP_MAX_ATTR] = {0};
    if (!read_attrs(r, op, attr))
        return false;
    const char *rule = graph_attr_rule(r->g, op, attr, in.n, r->scan.arena);
    if (rule)
        return scan_fail(&r->scan, "%s", rule);
    Str why = {0};
    NodeId id = graph_try(r->g, op, in.at, in.n, attr, &why);
    if (!id)
        return scan_fail(&r->scan, "`%s`: " STR_FMT, op->name, STR_ARG(why));
    *vec_push(r->scan.arena, &r->labels) = (Label){number, id};
    if (scan_take(&r->scan, ':') && !check_type(r, id)) /* hand-written graphs may leave the type to infer */
        return false;
    return read_notes(r, id);
}

/* ── output 0 "logits" %4 ── */
static bool read_root(Reader *r, RootKind kind)
{
    uint32_t index;
    Str name = {0};
    NodeId id;
    if (!scan_count(&r->scan, &index))
        return false;
    if (scan_peek(&r->scan) == '"' && !scan_quoted(&r->scan, &name))
        return false;
    if (!read_use(r, &id))
        return false;
    graph_root_add(r->g, kind, id, index, name);
    return !scan_peek(&r->scan) || scan_fail(&r->scan, "unexpected `%c`", scan_peek(&r->scan));
}

/* ── graph classifier batch 128 ── */
static bool read_head(Reader *r, SxPool *sx)
{
    Str name;
    uint32_t batch;
    if (!str_is(scan_word(&r->scan), "graph"))
        return scan_fail(&r->scan, "a graph starts with `graph NAME batch N`");
    if (scan_peek(&r->scan) != '"')
        name = scan_word(&r->scan);
    else if (!scan_quoted(&r->scan, &name))
        return false;
    if (!str_is(scan_word(&r->scan), "batch"))
        return scan_fail(&r->scan, "a graph starts with `graph NAME batch N`");
    if (!scan_count(&r->scan, &batch))
        return false;
    r->g = graph_new(r->scan.arena, sx, name, batch);
    return !scan_peek(&r->scan) || scan_fail(&r->scan, "unexpected `%c`", scan_peek(&r->scan));
}

static bool read_line(Reader *r, SxPool *sx)
{
    if (!scan_peek(&r->scan))
        return true;
    if (!r->g)
        return read_head(r, sx);
    if (scan_take(&r->scan, '%'))
        return read_node(r);
    Str word = scan_word(&r->scan);
    if (str_is(word, "tensor"))
        return read_tensor(r);
    int root = find_word(graph_root_word, GRAPH_ROOTS, word);
    if (root >= 0)
        return read_root(r, (RootKind)root);
    return scan_fail(&r->scan, "expected a tensor, a node or a root");
}

Graph *graph_read(Arena *arena, SxPool *sx, Str text, const Op *(*find)(Str name), Str *why)
{
    Reader r = {.scan = {.arena = arena}, .find = find};
    while (text.n || r.scan.line == 0) {
        Str line = {text.p, 0};
        while (line.n < text.n && line.p[line.n] != '\n')
            line.n++;
        uint32_t used = line.n < text.n ? line.n + 1 : line.n;
        text.p += used;
        text.n -= used;
        r.scan.line++;
        r.scan.at = line;
        if (!read_line(&r, sx)) {
            *why = r.scan.why;
            return NULL;
        }
    }
    if (!r.g) {
        *why = STR("line 1: a graph starts with `graph NAME batch N`");
        return NULL;
    }
    return r.g;
}
