/* Operators and scalar functions on numbers, symbolic scalars and values of the network. */
#include "ops/build.h"
#include "sema/sema.h"

#include <math.h>

/* ── maps ── */
bool operand_fits(const Operands *o) { return o->n < sizeof o->node / sizeof o->node[0]; }

Sx operand_sx(Sema *s, Operands *o, Value v)
{
    if (v.kind == V_NUMBER)
        return sx_num(s->sx, v.number);
    NodeId node = value_to_node(s, v);
    for (uint32_t i = 0; i < o->n; i++)
        if (o->node[i] == node)
            return sx_arg(s->sx, i);
    ACT_ASSERT(operand_fits(o));
    o->node[o->n] = node;
    o->span[o->n] = v.span;
    return sx_arg(s->sx, o->n++);
}

void origin_set(Sema *s, NodeId from, Span span, Str fn)
{
    for (NodeId id = from; id < s->g->nodes.n; id++) {
        Node *node = graph_node(s->g, id);
        if (!node->span.source)
            node->span = sema_place(s, span);
        if (!node->fn.n)
            node->fn = fn;
        if (!node->layer)
            node->layer = s->layer;
    }
}

/* A value for each of the leading axes of another one: axes of size 1 behind it line the two up. */
static void help_align(Sema *s, Diag *diag, const Operands *o, uint32_t i)
{
    const Type *wide = graph_type(s->g, o->node[0]), *few = graph_type(s->g, o->node[i]);
    bool turned = few->rank > wide->rank;
    if (turned) {
        const Type *swap = wide;
        wide = few;
        few = swap;
    }
    bool leads = few->rank > 0 && few->rank < wide->rank;
    for (uint32_t k = 0; leads && k < few->rank; k++)
        leads = few->dim[k] == wide->dim[k];
    if (!leads)
        return;
    Text text = {.arena = s->arena};
    for (uint32_t k = 0; k < wide->rank; k++)
        text_printf(&text, "%s%u", k ? ", " : "", k < few->rank ? few->dim[k] : 1);
    diag_help(diag, "`|> reshape(" STR_FMT ")` lines the %s up with the leading %s; after a reduction, `keep = true` does",
              STR_ARG(text_str(&text)), turned ? "first" : "second", few->rank == 1 ? "axis" : "axes");
}

static void mismatch(Sema *s, Frame *f, const Operands *o, uint32_t i, Sx sx, Span span)
{
    Str a = sema_shape(s, o->node[0]), b = sema_shape(s, o->node[i]);
    if (f->loss) {
        uint32_t target = target_of(s, o->node[i]), first = target_of(s, o->node[0]);
        if (first && !target)
            loss_shape_error(s, o->node[i], o->span[i], first, o->node[0], o->span[0], span);
        else
            loss_shape_error(s, o->node[0], o->span[0], target, o->node[i], o->span[i], span);
        return;
    }
    if (residual_mismatch(s, o, sx, span))
        return;
    Diag *diag = sema_error(s, CODE_shape_mismatch, span,
                            "the shapes " STR_FMT " and " STR_FMT " do not fit each other", STR_ARG(a), STR_ARG(b));
    diag_label(diag, sema_place(s, o->span[0]), "this has shape " STR_FMT, STR_ARG(a));
    diag_label(diag, sema_place(s, o->span[i]), "this has shape " STR_FMT, STR_ARG(b));
    diag_note(diag, "sizes are compared from the last axis; they must be equal, or one of them 1");
    help_align(s, diag, o, i);
}

static bool same_dims(const Type *a, const Type *b)
{
    bool same = a->rank == b->rank;
    for (uint32_t i = 0; same && i < a->rank; i++)
        same = a->dim[i] == b->dim[i];
    return same;
}

static bool shapes_fit(Sema *s, Frame *f, const Operands *o, Sx sx, Span span)
{
    Type all = *graph_type(s->g, o->node[0]);
    for (uint32_t i = 1; i < o->n; i++) {
        const Type *type = graph_type(s->g, o->node[i]);
        bool scalar = (type->rank == 0 && !type->batch) || (all.rank == 0 && !all.batch);
        bool fits = type_broadcast(&all, type, &all);
        if (f->loss && !scalar && !same_dims(graph_type(s->g, o->node[0]), type))
            fits = false;
        if (!fits) {
            mismatch(s, f, o, i, sx, span);
            return false;
        }
    }
    return true;
}

NodeId operands_map(Sema *s, Frame *f, const Operands *o, Sx sx, Span span, Str fn)
{
    double number;
    if (o->n == 0)
        return sx_is_num(s->sx, sx, &number) ? build_number(s->g, number) : 0;
    if (!shapes_fit(s, f, o, sx, span))
        return 0;
    NodeId from = s->g->nodes.n;
    NodeId node = build_map(s->g, sx, o->node, o->n);
    origin_set(s, from, span, fn);
    return value_small(s, node, span) ? node : 0;
}

/* ── what an operator does to symbolic scalars ── */
static Sx power(Sema *s, Sx a, Sx b)
{
    double n;
    if (sx_is_num(s->sx, b, &n)) {
        if (n == floor(n) && fabs(n) <= 64)
            return sx_powi(s->sx, a, (int)n);
        if (n == 0.5)
            return sx_un(s->sx, SX_SQRT, a);
    }
    return sx_bin(s->sx, SX_POW, a, b);
}

static Sx operate(Sema *s, Str op, Sx a, Sx b)
{
    SxPool *p = s->sx;
    switch (op.p[0]) {
    case '+':
        return sx_add(p, a, b);
    case '-':
        return sx_sub(p, a, b);
    case '*':
        return sx_mul(p, a, b);
    case '/':
        return sx_div(p, a, b);
    case '^':
        return power(s, a, b);
    case '<':
        return sx_bin(p, op.n == 2 ? SX_LE : SX_LT, a, b);
    case '>':
        return sx_bin(p, op.n == 2 ? SX_LE : SX_LT, b, a);
    case '=':
        return sx_bin(p, SX_EQ, a, b);
    default:
        return sx_select(p, sx_bin(p, SX_EQ, a, b), sx_num(p, 0), sx_num(p, 1));
    }
}

static Value numbers(const Ast *e, double a, double b)
{
    bool two = e->text.n == 2;
    switch (e->text.p[0]) {
    case '+':
        return value_number(a + b, e->span);
    case '-':
        return value_number(a - b, e->span);
    case '*':
        return value_number(a * b, e->span);
    case '/':
        return value_number(a / b, e->span);
    case '^':
        return value_number(pow(a, b), e->span);
    case '<':
        return value_flag(two ? a <= b : a < b, e->span);
    case '>':
        return value_flag(two ? a >= b : a > b, e->span);
    case '=':
        return value_flag(a == b, e->span);
    default:
        return value_flag(a != b, e->span);
    }
}

/* ── general ── */
static bool scalar_like(Value v) { return v.kind == V_NUMBER || v.kind == V_SX; }
static bool on_graph(Value v) { return v.kind == V_NUMBER || value_is_graph(v); }
static Sx scalar_sx(Sema *s, Value v) { return v.kind == V_NUMBER ? sx_num(s->sx, v.number) : v.sx; }

/* An initializer used as a value is drawn with the shape of its neighbour. */
static void draw_like(Sema *s, Value *v, Value neighbour)
{
    if (!init_is(*v) || !value_is_graph(neighbour))
        return;
    const Type *type = graph_type(s->g, value_to_node(s, neighbour));
    *v = value_node(random_draw(s, v->fn, type, v->span), v->span);
}

static Value wrong_operand(Sema *s, Value v, Span span)
{
    Diag *diag =
        sema_error(s, CODE_not_a_value, span, STR_FMT " can't be computed with", STR_ARG(value_describe(s, v)));
    if (v.kind == V_FN)
        diag_help(diag, "give it its value: `x |> " STR_FMT "`", STR_ARG(v.fn->name));
    if (v.kind == V_LIST && v.list->results)
        diag_help(diag, "name the results, `a, b = ...`, and use one of them");
    return value_none();
}

/* The map that `make` describes over n values, some of them numbers. */
static Value pointwise(Sema *s, Frame *f, Span span, Sx (*make)(Sema *, const void *, const Sx *), const void *context,
                       Value *v, const Span *at, uint32_t n, Str fn)
{
    Operands o = {0};
    Sx arg[3];
    for (uint32_t i = 0; i < n; i++) {
        v[i].span = at[i];
        arg[i] = operand_sx(s, &o, v[i]);
    }
    NodeId from = s->g->nodes.n;
    NodeId node = operands_map(s, f, &o, make(s, context, arg), span, fn);
    if (f->loss)
        loss_mark(s, from);
    return value_node(node, span);
}

static Sx make_binary(Sema *s, const void *context, const Sx *arg)
{
    return operate(s, ((const Ast *)context)->text, arg[0], arg[1]);
}

static Value compare_words(Sema *s, const Ast *e, Value a, Value b)
{
    bool equal = a.kind == V_WORD ? str_eq(a.word, b.word) : a.flag == b.flag;
    if (e->text.p[0] != '=' && e->text.p[0] != '!')
        return wrong_operand(s, a, e->kid[0]->span);
    return value_flag(e->text.p[0] == '=' ? equal : !equal, e->span);
}

Value op_binary(Sema *s, Frame *f, const Ast *e, Value a, Value b)
{
    draw_like(s, &a, b);
    draw_like(s, &b, a);
    if (a.kind == V_NONE || b.kind == V_NONE)
        return value_none();
    if (a.kind == V_NUMBER && b.kind == V_NUMBER)
        return numbers(e, a.number, b.number);
    if (a.kind == b.kind && (a.kind == V_WORD || a.kind == V_FLAG))
        return compare_words(s, e, a, b);
    if (scalar_like(a) && scalar_like(b))
        return value_sx(operate(s, e->text, scalar_sx(s, a), scalar_sx(s, b)), e->span);
    Value v[2] = {a, b};
    Span at[2] = {e->kid[0]->span, e->kid[1]->span};
    for (uint32_t i = 0; i < 2; i++)
        if (!on_graph(v[i]))
            return wrong_operand(s, v[i], at[i]);
    return pointwise(s, f, e->span, make_binary, e, v, at, 2, (Str){0});
}

static Sx make_negative(Sema *s, const void *context, const Sx *arg)
{
    (void)context;
    return sx_neg(s->sx, arg[0]);
}

Value op_negate(Sema *s, Frame *f, const Ast *e, Value a)
{
    if (a.kind == V_NONE)
        return a;
    if (a.kind == V_NUMBER)
        return value_number(-a.number, e->span);
    if (a.kind == V_SX)
        return value_sx(sx_neg(s->sx, a.sx), e->span);
    if (!value_is_graph(a))
        return wrong_operand(s, a, e->kid[0]->span);
    return pointwise(s, f, e->span, make_negative, NULL, &a, &e->kid[0]->span, 1, (Str){0});
}

static Sx make_select(Sema *s, const void *context, const Sx *arg)
{
    (void)context;
    return sx_select(s->sx, arg[0], arg[1], arg[2]);
}

Value op_select(Sema *s, Frame *f, const Ast *e, Value c, Value a, Value b)
{
    if (c.kind == V_NONE || a.kind == V_NONE || b.kind == V_NONE)
        return value_none();
    if (c.kind == V_SX && scalar_like(a) && scalar_like(b))
        return value_sx(sx_select(s->sx, c.sx, scalar_sx(s, a), scalar_sx(s, b)), e->span);
    Value v[3] = {c, a, b};
    Span at[3] = {e->kid[0]->span, e->kid[1]->span, e->kid[2]->span};
    for (uint32_t i = 0; i < 3; i++)
        if (!on_graph(v[i]))
            return wrong_operand(s, v[i], at[i]);
    return pointwise(s, f, e->span, make_select, NULL, v, at, 3, (Str){0});
}

static Sx make_primitive(Sema *s, const void *context, const Sx *arg)
{
    SxOp op = *(const SxOp *)context;
    if (op == SX_POW)
        return power(s, arg[0], arg[1]);
    unsigned n = sx_op_arity(op);
    return sx_make(s->sx, op, arg[0], n > 1 ? arg[1] : 0, n > 2 ? arg[2] : 0);
}

Value op_primitive(Sema *s, Frame *f, Span span, SxOp op, Value *arg, uint32_t n)
{
    const char *name = sx_op_name(op);
    if (n != sx_op_arity(op)) {
        sema_error(s, n < sx_op_arity(op) ? CODE_missing_argument : CODE_wrong_argument, span,
                   "`%s` takes %u argument%s, not %u", name, sx_op_arity(op), sx_op_arity(op) == 1 ? "" : "s", n);
        return value_none();
    }
    bool scalars = true, graph = true;
    for (uint32_t i = 0; i < n; i++)
        if (arg[i].kind == V_NONE)
            return value_none();
    for (uint32_t i = 0; i < n; i++) {
        scalars = scalars && scalar_like(arg[i]);
        graph = graph && on_graph(arg[i]);
    }
    if (scalars) {
        Sx in[3] = {0};
        for (uint32_t i = 0; i < n; i++)
            in[i] = scalar_sx(s, arg[i]);
        Sx x = make_primitive(s, &op, in);
        double number;
        return sx_is_num(s->sx, x, &number) ? value_number(number, span) : value_sx(x, span);
    }
    for (uint32_t i = 0; i < n && !graph; i++)
        if (!on_graph(arg[i]))
            return wrong_operand(s, arg[i], arg[i].span);
    Span at[3];
    for (uint32_t i = 0; i < n; i++)
        at[i] = arg[i].span;
    return pointwise(s, f, span, make_primitive, &op, arg, at, n, str_of(name));
}
