/* The tape of an expression, and what is read off it: size, cost, arguments; substitution. */
#include "graph/sx_inner.h"

#include "base/vec.h"

/* The nodes met so far and their places: a small hash table, so that the work is linear in the DAG and not in the
 * pool. */
typedef struct Met {
    Sx *key;
    uint32_t *place;
    uint32_t n, n_slot;
    Arena *arena;
} Met;

static uint32_t *met_slot(const Met *met, Sx x, bool *found)
{
    uint32_t mask = met->n_slot - 1, i = (x * 2654435769u) >> 7 & mask;
    while (met->key[i] && met->key[i] != x)
        i = (i + 1) & mask;
    *found = met->key[i] == x;
    return &met->place[i];
}

static void met_grow(Met *met)
{
    Met old = *met;
    met->n_slot = old.n_slot ? 2 * old.n_slot : 64;
    met->key = arena_array(met->arena, Sx, met->n_slot);
    met->place = arena_array(met->arena, uint32_t, met->n_slot);
    for (uint32_t i = 0; i < old.n_slot; i++)
        if (old.key[i]) {
            bool found;
            uint32_t *place = met_slot(met, old.key[i], &found);
            met->key[place - met->place] = old.key[i];
            *place = old.place[i];
        }
}

static bool met_find(const Met *met, Sx x, uint32_t *place)
{
    bool found;
    uint32_t *slot = met_slot(met, x, &found);
    *place = *slot;
    return found;
}

static void met_add(Met *met, Sx x, uint32_t place)
{
    if (2 * (met->n + 1) > met->n_slot)
        met_grow(met);
    bool found;
    uint32_t *slot = met_slot(met, x, &found);
    met->key[slot - met->place] = x;
    *slot = place;
    met->n++;
}

typedef VEC(SxStep) Steps;
typedef VEC(Sx) Stack;

/* Depth first with a stack of its own: chains of any depth do not use the C stack. A node is on the stack once for
 * each use at most; it is placed when all its operands are. */
static void place(const SxPool *pool, Sx root, Met *met, Steps *steps, Stack *stack, Arena *arena)
{
    *vec_push(arena, stack) = root;
    while (stack->n) {
        Sx x = stack->at[stack->n - 1];
        uint32_t where, in[3] = {0};
        if (met_find(met, x, &where)) {
            stack->n--;
            continue;
        }
        const SxNode *node = sx_node(pool, x);
        unsigned arity = sx_op_arity(node->op);
        bool ready = true;
        for (unsigned k = arity; k-- > 0;) /* last first, so that the first operand is placed first */
            if (!met_find(met, node->in[k], &in[k])) {
                *vec_push(arena, stack) = node->in[k];
                ready = false;
            }
        if (!ready)
            continue;
        stack->n--;
        met_add(met, x, steps->n);
        *vec_push(arena, steps) = (SxStep){node->op, node->index, {in[0], in[1], in[2]}, node->number, x};
    }
}

SxTape sx_tape(const SxPool *pool, const Sx *roots, unsigned n, Arena *arena)
{
    Met met = {.arena = arena};
    met_grow(&met);
    Steps steps = {0};
    Stack stack = {0};
    SxTape tape = {.root = arena_array(arena, uint32_t, n + 1)};
    for (unsigned i = 0; i < n; i++) {
        place(pool, roots[i], &met, &steps, &stack, arena);
        met_find(&met, roots[i], &tape.root[i]);
    }
    tape.step = steps.at;
    tape.n = steps.n;
    return tape;
}

/* ── asking ── */

void sx_walk(const SxPool *pool, Sx x, void (*visit)(void *context, Sx node, const SxNode *what), void *context)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    for (uint32_t i = 0; i < tape.n; i++)
        visit(context, tape.step[i].self, sx_node(pool, tape.step[i].self));
    arena_free(arena);
}

uint64_t sx_args_used(const SxPool *pool, Sx x) { return sx_node(pool, x)->args; }

bool sx_uses_arg(const SxPool *pool, Sx x, unsigned index)
{
    return index < 64 && (sx_args_used(pool, x) >> index & 1);
}

unsigned sx_arg_limit(const SxPool *pool, Sx x)
{
    unsigned limit = 0;
    for (uint64_t used = sx_args_used(pool, x); used; used >>= 1)
        limit++;
    return limit;
}

unsigned sx_powi_cost(int32_t exponent)
{
    uint32_t left = exponent < 0 ? 0u - (uint32_t)exponent : (uint32_t)exponent;
    unsigned products = 0;
    for (; left > 1; left >>= 1)
        products += 1 + (left & 1);
    return products + (exponent < 0 ? 8 : 0); /* and one division */
}

#define SX_PRIM(op, name, arity, cost, ...) \
    static unsigned cost_of_##op(int32_t n) \
    {                                       \
        (void)n;                            \
        return cost;                        \
    }
#include "graph/sx_prims.inc"

static unsigned (*const cost_of[])(int32_t n) = {
#define SX_PRIM(op, ...) cost_of_##op,
#include "graph/sx_prims.inc"
};

static void visit_cost(void *context, Sx x, const SxNode *node)
{
    (void)x;
    *(unsigned *)context += cost_of[node->op](node->index);
}

unsigned sx_cost(const SxPool *pool, Sx x)
{
    unsigned cost = 0;
    sx_walk(pool, x, visit_cost, &cost);
    return cost;
}

static void visit_size(void *context, Sx x, const SxNode *node)
{
    (void)x, (void)node;
    ++*(unsigned *)context;
}

unsigned sx_size(const SxPool *pool, Sx x)
{
    unsigned size = 0;
    sx_walk(pool, x, visit_size, &size);
    return size;
}

typedef struct Line { /* scale * argument + shift, where known */
    double scale, shift;
    bool known;
} Line;

#define CURVED ((Line){0})

static Line line_neg(Line a) { return (Line){-a.scale, -a.shift, a.known}; }

static Line line_add(Line a, Line b) { return (Line){a.scale + b.scale, a.shift + b.shift, a.known && b.known}; }

static Line line_sub(Line a, Line b) { return line_add(a, line_neg(b)); }

static Line line_mul(Line a, Line b)
{
    if (!a.known || !b.known || (a.scale != 0 && b.scale != 0))
        return CURVED;
    return a.scale == 0 ? (Line){a.shift * b.scale, a.shift * b.shift, true}
                        : (Line){b.shift * a.scale, b.shift * a.shift, true};
}

static Line line_div(Line a, Line b)
{
    return a.known && b.known && b.scale == 0 ? (Line){a.scale / b.shift, a.shift / b.shift, true} : CURVED;
}

#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, line, ...) \
    static Line line_of_##op(Line a, Line b)                                        \
    {                                                                               \
        (void)a, (void)b;                                                           \
        return line;                                                                \
    }
#include "graph/sx_prims.inc"

static Line (*const line_of[])(Line a, Line b) = {
#define SX_PRIM(op, ...) line_of_##op,
#include "graph/sx_prims.inc"
};

static Line find_line(const SxPool *pool, Sx x, unsigned index)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Line *line = arena_array(arena, Line, tape.n);
    for (uint32_t i = 0; i < tape.n; i++) {
        const SxStep *s = &tape.step[i];
        if (s->op == SX_NUM)
            line[i] = (Line){0, s->number, true};
        else if (s->op == SX_ARG)
            line[i] = (Line){1, 0, s->index == (int32_t)index};
        else
            line[i] = line_of[s->op](line[s->in[0]], line[s->in[1]]);
    }
    Line whole = line[tape.root[0]];
    arena_free(arena);
    return whole;
}

bool sx_is_affine(const SxPool *pool, Sx x, unsigned index, double *scale, double *shift)
{
    static const char key[64]; /* asked about every value, by every rule */
    const Line *known = sx_recall(pool, x, &key[index]);
    if (!known) {
        Line line = find_line(pool, x, index);
        known = arena_copy(sx_pool_arena(pool), &line, sizeof line);
        sx_remember(sx_pool_growing(pool), x, &key[index], (void *)(uintptr_t)known);
    }
    if (known->known)
        *scale = known->scale, *shift = known->shift;
    return known->known;
}

/* ── rewriting ── */

/* Each node anew over its rewritten operands, but *to for `from` (0: for none), and to[i] for argument i < n. */
static Sx rewrite(SxPool *pool, Sx x, Sx from, const Sx *to, unsigned n)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Sx *made = arena_array(arena, Sx, tape.n);
    for (uint32_t i = 0; i < tape.n; i++) {
        const SxStep *s = &tape.step[i];
        unsigned arity = sx_op_arity(s->op);
        Sx in[3] = {arity > 0 ? made[s->in[0]] : 0, arity > 1 ? made[s->in[1]] : 0, arity > 2 ? made[s->in[2]] : 0};
        bool argument = s->op == SX_ARG && (unsigned)s->index < n && to[s->index];
        made[i] = argument          ? to[s->index]
                  : s->self == from ? *to
                                    : sx_rebuild(pool, sx_node(pool, s->self), in);
    }
    Sx result = made[tape.root[0]];
    arena_free(arena);
    return result;
}

Sx sx_substitute(SxPool *pool, Sx x, const Sx *to, unsigned n) { return rewrite(pool, x, 0, to, n); }

Sx sx_replace(SxPool *pool, Sx x, Sx from, Sx to) { return rewrite(pool, x, from, &to, 0); }
