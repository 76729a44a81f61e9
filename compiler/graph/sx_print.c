/* Text of expressions. Both printers keep a stack of what is still to be written, so that depth costs no C stack,
 * and give shared sub-expressions a name, so that the text is linear in the DAG. */
#include "graph/sx_inner.h"

#include "base/vec.h"

#include <math.h>

/* How tightly a form binds, loosest first (the precedence of the language). */
enum { LEVEL_IF, LEVEL_COMPARE, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_MINUS, LEVEL_POWER, LEVEL_ATOM };

typedef struct Item {
    const char *words; /* written as it is; or, when NULL, */
    uint32_t at;       /* the step at this position, */
    int level;         /* in parentheses when it binds less than this, */
    bool positive;     /* without its leading minus */
} Item;

typedef struct Printer {
    const SxTape *tape;
    const char *const *names;
    uint32_t *name; /* by position: 1 + the number of its name t0, t1, …; 0 has none */
    uint32_t n_name;
    VEC(Item) todo;
    Arena *arena;
    Text *out;
} Printer;

static void say(Printer *p, const char *words) { *vec_push(p->arena, &p->todo) = (Item){.words = words}; }

static void show(Printer *p, uint32_t at, int level)
{
    *vec_push(p->arena, &p->todo) = (Item){.at = at, .level = level};
}

/* Names for what is used twice and worth it. `once` false: for none. */
static void name_shared(Printer *p, bool wanted)
{
    const SxTape *tape = p->tape;
    uint32_t *uses = arena_array(p->arena, uint32_t, tape->n);
    p->name = arena_array(p->arena, uint32_t, tape->n);
    for (uint32_t i = 0; i < tape->n; i++)
        for (unsigned k = 0; k < sx_op_arity(tape->step[i].op); k++)
            uses[tape->step[i].in[k]]++;
    for (uint32_t i = 0; i < tape->n && wanted; i++)
        if (uses[i] > 1 && sx_op_arity(tape->step[i].op) > 0)
            p->name[i] = ++p->n_name;
}

/* ── the text form ── */

static void open_step(Printer *p, uint32_t at)
{
    const SxStep *s = &p->tape->step[at];
    unsigned arity = sx_op_arity(s->op);
    if (s->op == SX_NUM) {
        text_number(p->out, s->number);
        return;
    }
    if (s->op == SX_ARG) {
        text_printf(p->out, "a%d", s->index);
        return;
    }
    text_printf(p->out, "(%s", sx_op_name(s->op));
    say(p, ")");
    if (s->op == SX_POWI) {
        Text exponent = {.arena = p->arena};
        text_printf(&exponent, " %d", s->index);
        say(p, text_str(&exponent).p);
    }
    for (unsigned k = arity; k-- > 0;) {
        show(p, s->in[k], 0);
        say(p, " ");
    }
}

static void print_body(Printer *p, uint32_t at)
{
    open_step(p, at);
    while (p->todo.n) {
        Item item = p->todo.at[--p->todo.n];
        if (item.words)
            text_add(p->out, str_of(item.words));
        else if (p->name[item.at])
            text_printf(p->out, "t%u", p->name[item.at] - 1);
        else
            open_step(p, item.at);
    }
}

void sx_print(const SxPool *pool, Sx x, Text *out)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Printer p = {.tape = &tape, .arena = arena, .out = out};
    name_shared(&p, true);
    if (p.n_name)
        text_add(out, STR("(let"));
    for (uint32_t i = 0; i < tape.n; i++)
        if (p.name[i]) {
            text_printf(out, " t%u ", p.name[i] - 1);
            print_body(&p, i);
        }
    if (p.n_name)
        text_putc(out, ' ');
    print_body(&p, tape.root[0]);
    if (p.n_name)
        text_putc(out, ')');
    arena_free(arena);
}

/* ── for people ── */

static bool negative(double x) { return signbit(x) && !isnan(x); }

/* Does it start with a minus that a sum in front of it can take? -3, -3 * x */
static bool starts_negative(const Printer *p, uint32_t at)
{
    const SxStep *s = &p->tape->step[at];
    if (p->name[at])
        return false;
    if (s->op == SX_MUL && !p->name[s->in[0]])
        s = &p->tape->step[s->in[0]];
    return s->op == SX_NUM && negative(s->number);
}

static int level_of(const SxStep *s, bool positive)
{
    switch (s->op) {
    case SX_NUM: return negative(s->number) && !positive ? LEVEL_MINUS : LEVEL_ATOM;
    case SX_NEG: return LEVEL_MINUS;
    case SX_ADD:
    case SX_SUB: return LEVEL_SUM;
    case SX_MUL:
    case SX_DIV: return LEVEL_PRODUCT;
    case SX_POWI:
    case SX_POW: return LEVEL_POWER;
    case SX_LT:
    case SX_LE:
    case SX_EQ: return LEVEL_COMPARE;
    case SX_SELECT: return LEVEL_IF;
    default: return LEVEL_ATOM;
    }
}

static void show_call(Printer *p, const SxStep *s)
{
    unsigned arity = sx_op_arity(s->op);
    say(p, ")");
    for (unsigned k = arity; k-- > 0;) {
        show(p, s->in[k], LEVEL_IF);
        if (k)
            say(p, ", ");
    }
    say(p, "(");
    say(p, sx_op_name(s->op));
}

/* Left operand, sign, right operand: pushed in reverse. */
static void show_pair(Printer *p, uint32_t left, int left_level, const char *sign, uint32_t right, int right_level,
                      bool positive)
{
    *vec_push(p->arena, &p->todo) = (Item){.at = right, .level = right_level, .positive = positive};
    say(p, sign);
    show(p, left, left_level);
}

static void show_compare(Printer *p, const SxStep *s)
{
    static const char *const sign[2][3] = {{" < ", " <= ", " == "}, {" > ", " >= ", " == "}};
    unsigned which = s->op == SX_LT ? 0 : s->op == SX_LE ? 1 : 2;
    bool turn = p->tape->step[s->in[0]].op == SX_NUM; /* "x > 0", not "0 < x" */
    show_pair(p, s->in[turn], LEVEL_SUM, sign[turn][which], s->in[!turn], LEVEL_SUM, false);
}

static void show_leaf(Printer *p, const SxStep *s, bool positive)
{
    if (s->op == SX_NUM)
        text_number(p->out, positive ? fabs(s->number) : s->number);
    else if (p->names && p->names[s->index])
        text_add(p->out, str_of(p->names[s->index]));
    else
        text_printf(p->out, "a%d", s->index);
}

static void show_power(Printer *p, const SxStep *s)
{
    if (s->op == SX_POW) {
        show_pair(p, s->in[0], LEVEL_ATOM, "^", s->in[1], LEVEL_ATOM, false);
        return;
    }
    Text exponent = {.arena = p->arena};
    text_printf(&exponent, s->index < 0 ? "^(%d)" : "^%d", s->index);
    say(p, text_str(&exponent).p);
    show(p, s->in[0], LEVEL_ATOM);
}

static void expand(Printer *p, Item item)
{
    const SxStep *s = &p->tape->step[item.at];
    bool bracket = level_of(s, item.positive) < item.level, minus;
    if (bracket) {
        text_putc(p->out, '(');
        say(p, ")");
    }
    switch (s->op) {
    case SX_NUM:
    case SX_ARG: show_leaf(p, s, item.positive); break;
    case SX_NEG:
        show(p, s->in[0], LEVEL_MINUS);
        say(p, "-");
        break;
    case SX_ADD:
        minus = starts_negative(p, s->in[1]);
        show_pair(p, s->in[0], LEVEL_SUM, minus ? " - " : " + ", s->in[1], LEVEL_PRODUCT, minus);
        break;
    case SX_SUB: show_pair(p, s->in[0], LEVEL_SUM, " - ", s->in[1], LEVEL_PRODUCT, false); break;
    case SX_MUL:
        show_pair(p, s->in[0], LEVEL_PRODUCT, " * ", s->in[1], LEVEL_MINUS, false);
        p->todo.at[p->todo.n - 1].positive = item.positive;
        break;
    case SX_DIV: show_pair(p, s->in[0], LEVEL_PRODUCT, " / ", s->in[1], LEVEL_MINUS, false); break;
    case SX_POWI:
    case SX_POW: show_power(p, s); break;
    case SX_LT:
    case SX_LE:
    case SX_EQ: show_compare(p, s); break;
    case SX_SELECT:
        show_pair(p, s->in[1], LEVEL_COMPARE, " else ", s->in[2], LEVEL_IF, false);
        say(p, " then ");
        show(p, s->in[0], LEVEL_COMPARE);
        say(p, "if ");
        break;
    default: show_call(p, s); break;
    }
}

static void print_formula(Printer *p, uint32_t at)
{
    expand(p, (Item){.at = at});
    while (p->todo.n) {
        Item item = p->todo.at[--p->todo.n];
        if (item.words)
            text_add(p->out, str_of(item.words));
        else if (p->name[item.at])
            text_printf(p->out, "t%u", p->name[item.at] - 1);
        else
            expand(p, item);
    }
}

#define TREE_LIMIT 200 /* a formula of more nodes, written out, is not read by anybody */

static bool is_long(const SxTape *tape, Arena *arena)
{
    uint32_t *size = arena_array(arena, uint32_t, tape->n);
    for (uint32_t i = 0; i < tape->n; i++) {
        size[i] = 1;
        for (unsigned k = 0; k < sx_op_arity(tape->step[i].op); k++)
            size[i] += size[tape->step[i].in[k]];
        if (size[i] > TREE_LIMIT)
            return true;
    }
    return false;
}

void sx_print_formula(const SxPool *pool, Sx x, const char *const *names, Text *out)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Printer p = {.tape = &tape, .names = names, .arena = arena, .out = out};
    name_shared(&p, is_long(&tape, arena));
    print_formula(&p, tape.root[0]);
    const char *before = " where ";
    for (uint32_t i = 0; i < tape.n; i++)
        if (p.name[i]) {
            text_printf(out, "%st%u = ", before, p.name[i] - 1);
            print_formula(&p, i);
            before = ", ";
        }
    arena_free(arena);
}
