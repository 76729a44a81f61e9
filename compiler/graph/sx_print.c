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

/* One step, named or not, to the end of what `open` puts off. */
static void print_from(Printer *p, uint32_t at, void (*open)(Printer *p, Item item))
{
    open(p, (Item){.at = at});
    while (p->todo.n) {
        Item item = p->todo.at[--p->todo.n];
        if (item.words)
            text_add(p->out, str_of(item.words));
        else if (p->name[item.at])
            text_printf(p->out, "t%u", p->name[item.at] - 1);
        else
            open(p, item);
    }
}

/* ── the text form ── */

static void say_integer(Printer *p, const char *before, int32_t n, const char *after)
{
    Text words = {.arena = p->arena};
    text_printf(&words, "%s%d%s", before, n, after);
    say(p, text_str(&words).p);
}

static void open_step(Printer *p, Item item)
{
    const SxStep *s = &p->tape->step[item.at];
    unsigned arity = sx_op_arity(s->op);
    if (arity == 0) {
        if (s->op == SX_NUM)
            text_number(p->out, s->number);
        else
            text_printf(p->out, "a%d", s->index);
        return;
    }
    text_printf(p->out, "(%s", sx_op_name(s->op));
    say(p, ")");
    if (s->op == SX_POWI)
        say_integer(p, " ", s->index, "");
    for (unsigned k = arity; k-- > 0;) {
        show(p, s->in[k], 0);
        say(p, " ");
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
            print_from(&p, i, open_step);
        }
    if (p.n_name)
        text_putc(out, ' ');
    print_from(&p, tape.root[0], open_step);
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

static void show_compare(Printer *p, const SxStep *s, const char *sign, const char *turned)
{
    bool turn = p->tape->step[s->in[0]].op == SX_NUM; /* "x > 0", not "0 < x" */
    show_pair(p, s->in[turn], LEVEL_SUM, turn ? turned : sign, s->in[!turn], LEVEL_SUM, false);
}

static void show_number(Printer *p, const SxStep *s, bool positive)
{
    text_number(p->out, positive ? fabs(s->number) : s->number);
}

static void show_argument(Printer *p, const SxStep *s)
{
    if (p->names && p->names[s->index])
        text_add(p->out, str_of(p->names[s->index]));
    else
        text_printf(p->out, "a%d", s->index);
}

static void show_minus(Printer *p, const SxStep *s)
{
    show(p, s->in[0], LEVEL_MINUS);
    say(p, "-");
}

static void show_sum(Printer *p, const SxStep *s)
{
    bool minus = starts_negative(p, s->in[1]);
    show_pair(p, s->in[0], LEVEL_SUM, minus ? " - " : " + ", s->in[1], LEVEL_PRODUCT, minus);
}

static void show_product(Printer *p, const SxStep *s, bool positive)
{
    show_pair(p, s->in[0], LEVEL_PRODUCT, " * ", s->in[1], LEVEL_MINUS, false);
    p->todo.at[p->todo.n - 1].positive = positive;
}

static void show_powi(Printer *p, const SxStep *s)
{
    bool minus = s->index < 0;
    say_integer(p, minus ? "^(" : "^", s->index, minus ? ")" : "");
    show(p, s->in[0], LEVEL_ATOM);
}

static void show_choice(Printer *p, const SxStep *s)
{
    show_pair(p, s->in[1], LEVEL_COMPARE, " else ", s->in[2], LEVEL_IF, false);
    say(p, " then ");
    show(p, s->in[0], LEVEL_COMPARE);
    say(p, "if ");
}

#define CALL                     show_call(p, s)
#define COMPARED(sign, turned)   show_compare(p, s, sign, turned)
#define INFIX(left, sign, right) show_pair(p, s->in[0], LEVEL_##left, sign, s->in[1], LEVEL_##right, false)

#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, line, level, form, ...) \
    static void write_##op(Printer *p, const SxStep *s, bool positive)                           \
    {                                                                                            \
        (void)positive;                                                                          \
        form;                                                                                    \
    }
#include "graph/sx_prims.inc"

static const struct Form {
    int level;
    void (*write)(Printer *p, const SxStep *s, bool positive);
} forms[] = {
#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, line, level, ...) {LEVEL_##level, write_##op},
#include "graph/sx_prims.inc"
};

static void expand(Printer *p, Item item)
{
    const SxStep *s = &p->tape->step[item.at];
    bool minus = s->op == SX_NUM && negative(s->number) && !item.positive;
    if ((minus ? (int)LEVEL_MINUS : forms[s->op].level) < item.level) {
        text_putc(p->out, '(');
        say(p, ")");
    }
    forms[s->op].write(p, s, item.positive);
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
    print_from(&p, tape.root[0], expand);
    const char *before = " where ";
    for (uint32_t i = 0; i < tape.n; i++)
        if (p.name[i]) {
            text_printf(out, "%st%u = ", before, p.name[i] - 1);
            print_from(&p, i, expand);
            before = ", ";
        }
    arena_free(arena);
}
