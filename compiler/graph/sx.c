#include "graph/sx.h"

#include "graph/sx_inner.h"

#include <math.h>
#include <string.h>

/* The rows stand in the order of the enum: a row out of place does not compile. */
enum {
#define SX_PRIM(op, ...) ROW_##op,
#include "graph/sx_prims.inc"
    ROW_COUNT
};
#define SX_PRIM(op, name, ...) \
    _Static_assert((int)ROW_##op == (int)SX_##op, "row " name " stands in the place of another");
#include "graph/sx_prims.inc"
_Static_assert((int)ROW_COUNT == (int)SX_OP_COUNT, "every SxOp has a row");

static const char *const op_name[] = {
#define SX_PRIM(op, name, ...) name,
#include "graph/sx_prims.inc"
};
static const unsigned char op_arity[] = {
#define SX_PRIM(op, name, arity, ...) arity,
#include "graph/sx_prims.inc"
};

const char *sx_op_name(SxOp op) { return op_name[op]; }
unsigned sx_op_arity(SxOp op) { return op_arity[op]; }

int sx_op_find(Str name)
{
    for (int op = SX_NEG; op < SX_OP_COUNT; op++) /* literals and arguments have no name to call */
        if (str_is(name, op_name[op]))
            return op;
    return -1;
}

/* ── the pool ── */

#define CHUNK 1024 /* nodes never move: a pointer from sx_node stays good while the pool grows */

typedef struct Known {
    Sx x;
    const void *key;
    void *value;
} Known;

struct SxPool {
    Arena *arena;
    SxNode **chunk;
    uint32_t n_chunk;
    uint32_t n; /* nodes and the unused node 0 */
    Sx *slot;   /* open addressing; 0 is free */
    uint32_t n_slot;
    struct SxKnown *known;
};

struct SxKnown {
    Known *slot;
    uint32_t n, n_slot;
};

static SxNode *node_at(const SxPool *pool, Sx x) { return &pool->chunk[x / CHUNK][x % CHUNK]; }

static uint64_t args_below(const SxPool *pool, const SxNode *node)
{
    uint64_t args = node->op == SX_ARG ? 1ull << (node->index & 63) : 0;
    for (unsigned i = 0; i < 3; i++)
        args |= node->in[i] ? node_at(pool, node->in[i])->args : 0;
    return args;
}

static Sx append(SxPool *pool, SxNode node)
{
    node.args = args_below(pool, &node);
    if (pool->n == pool->n_chunk * CHUNK) {
        uint32_t room = pool->n_chunk + 1;
        if ((room & (room - 1)) == 0) { /* the table of chunks doubles at 1, 2, 4, … */
            SxNode **table = arena_array(pool->arena, SxNode *, 2 * room);
            if (pool->n_chunk)
                memcpy(table, pool->chunk, pool->n_chunk * sizeof *table);
            pool->chunk = table;
        }
        pool->chunk[pool->n_chunk++] = arena_array(pool->arena, SxNode, CHUNK);
    }
    *node_at(pool, pool->n) = node;
    return pool->n++;
}

SxPool *sx_pool_new(Arena *arena)
{
    SxPool *pool = arena_new_of(arena, SxPool);
    pool->arena = arena;
    pool->n_slot = 256;
    pool->slot = arena_array(arena, Sx, pool->n_slot);
    pool->known = arena_new_of(arena, struct SxKnown);
    append(pool, (SxNode){0}); /* handle 0 is none */
    return pool;
}

Arena *sx_pool_arena(const SxPool *pool) { return pool->arena; }

const SxNode *sx_node(const SxPool *pool, Sx x)
{
    ACT_ASSERT(x != 0 && x < pool->n);
    return node_at(pool, x);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t node_hash(const SxNode *node)
{
    uint64_t h = mix(mix(node->op + 1u, (uint32_t)node->index), bits_of(node->number));
    return mix(mix(h, node->in[0]), ((uint64_t)node->in[1] << 32) | node->in[2]);
}

static bool node_same(const SxNode *a, const SxNode *b)
{
    return a->op == b->op && a->index == b->index && a->in[0] == b->in[0] && a->in[1] == b->in[1] &&
           a->in[2] == b->in[2] && bits_of(a->number) == bits_of(b->number);
}

static Sx *find_slot(const SxPool *pool, const SxNode *node)
{
    uint32_t mask = pool->n_slot - 1, i = (uint32_t)node_hash(node) & mask;
    while (pool->slot[i] && !node_same(node_at(pool, pool->slot[i]), node))
        i = (i + 1) & mask;
    return &pool->slot[i];
}

static Sx intern(SxPool *pool, SxNode node)
{
    Sx *slot = find_slot(pool, &node);
    if (*slot)
        return *slot;
    *slot = append(pool, node);
    Sx made = *slot;
    if (pool->n * 2 > pool->n_slot) {
        pool->n_slot *= 2;
        pool->slot = arena_array(pool->arena, Sx, pool->n_slot);
        for (Sx x = 1; x < pool->n; x++)
            *find_slot(pool, node_at(pool, x)) = x;
    }
    return made;
}

static bool commutes(SxOp op) { return op == SX_ADD || op == SX_MUL || op == SX_EQ; }

Sx sx_lookup(const SxPool *pool, SxOp op, Sx a, Sx b, Sx c)
{
    Sx x = *find_slot(pool, &(SxNode){.op = op, .in = {a, b, c}});
    return x || !commutes(op) ? x : *find_slot(pool, &(SxNode){.op = op, .in = {b, a, c}});
}

/* ── what was asked before ── */

static Known *known_slot(const struct SxKnown *known, Sx x, const void *key)
{
    uint32_t mask = known->n_slot - 1, i = (uint32_t)mix(x, 0x5bd1e995u) & mask;
    while (known->slot[i].x && (known->slot[i].x != x || known->slot[i].key != key))
        i = (i + 1) & mask;
    return &known->slot[i];
}

void *sx_recall(const SxPool *pool, Sx x, const void *key)
{
    return pool->known->n_slot ? known_slot(pool->known, x, key)->value : NULL;
}

void sx_remember(SxPool *pool, Sx x, const void *key, void *value)
{
    struct SxKnown *known = pool->known;
    if (2 * (known->n + 1) > known->n_slot) {
        struct SxKnown old = *known;
        known->n_slot = old.n_slot ? 2 * old.n_slot : 64;
        known->slot = arena_array(pool->arena, Known, known->n_slot);
        for (uint32_t i = 0; i < old.n_slot; i++)
            if (old.slot[i].x)
                *known_slot(known, old.slot[i].x, old.slot[i].key) = old.slot[i];
    }
    Known *slot = known_slot(known, x, key);
    known->n += slot->x == 0;
    *slot = (Known){x, key, value};
}

/* ── building ── */

Sx sx_num(SxPool *pool, double value)
{
    return intern(pool, (SxNode){.op = SX_NUM, .number = isnan(value) ? (double)NAN : value});
}

Sx sx_arg(SxPool *pool, unsigned index)
{
    ACT_ASSERT(index < 64);
    return intern(pool, (SxNode){.op = SX_ARG, .index = (int32_t)index});
}

bool sx_is_num(const SxPool *pool, Sx x, double *value)
{
    const SxNode *node = sx_node(pool, x);
    if (node->op != SX_NUM)
        return false;
    *value = node->number;
    return true;
}

bool sx_is_arg(const SxPool *pool, Sx x, unsigned *index)
{
    const SxNode *node = sx_node(pool, x);
    if (node->op != SX_ARG)
        return false;
    *index = (unsigned)node->index;
    return true;
}

static Sx operand_if(const SxPool *pool, Sx x, SxOp op) /* the operand of x when x is a node of this op */
{
    const SxNode *node = sx_node(pool, x);
    return node->op == op ? node->in[0] : 0;
}

Sx sx_powi(SxPool *pool, Sx base, int exponent)
{
    ACT_ASSERT(exponent > INT32_MIN); /* so that the derivative's exponent exists */
    const SxNode *node = sx_node(pool, base);
    if (node->op == SX_NUM)
        return sx_num(pool, sx_powi_value(node->number, exponent)); /* literal ^ literal */
    if (exponent == 0)
        return sx_num(pool, 1); /* x ^ 0 = 1, also for NaN, as pow has it */
    if (exponent == 1)
        return base; /* x ^ 1 = x */
    return intern(pool, (SxNode){.op = SX_POWI, .index = exponent, .in = {base}});
}

static Sx fold_add(SxPool *p, Sx a, Sx b)
{
    Sx u;
    if (sx_is_number(p, a, 0))
        return b; /* 0 + x = x */
    if (sx_is_number(p, b, 0))
        return a; /* x + 0 = x */
    if ((u = operand_if(p, b, SX_NEG)))
        return sx_sub(p, a, u); /* x + -y = x - y */
    if ((u = operand_if(p, a, SX_NEG)))
        return sx_sub(p, b, u); /* -x + y = y - x */
    return 0;
}

static Sx fold_sub(SxPool *p, Sx a, Sx b)
{
    Sx u;
    double value;
    if (sx_is_num(p, b, &value))
        return sx_add(p, a, sx_num(p, -value)); /* x - literal = x + -literal: one form for both */
    if (sx_is_number(p, a, 0))
        return sx_neg(p, b); /* 0 - x = -x */
    if ((u = operand_if(p, b, SX_NEG)))
        return sx_add(p, a, u); /* x - -y = x + y */
    return 0;
}

static Sx fold_mul(SxPool *p, Sx a, Sx b)
{
    if (sx_is_number(p, a, 1))
        return b; /* 1 * x = x */
    if (sx_is_number(p, b, 1))
        return a; /* x * 1 = x */
    if (sx_is_number(p, a, -1))
        return sx_neg(p, b); /* -1 * x = -x */
    if (sx_is_number(p, b, -1))
        return sx_neg(p, a); /* x * -1 = -x */
    return 0;
}

static Sx fold_div(SxPool *p, Sx a, Sx b)
{
    if (sx_is_number(p, b, 1))
        return a; /* x / 1 = x */
    if (sx_is_number(p, b, -1))
        return sx_neg(p, a); /* x / -1 = -x */
    const SxNode *sum = sx_node(p, b);
    if (sum->op == SX_ADD && sx_is_number(p, a, 1)) /* 1 / (1 + exp(-x)) = sigmoid(x): the row's own words */
        for (int k = 0; k < 2; k++) {
            Sx power = operand_if(p, sum->in[k], SX_EXP), x = power ? operand_if(p, power, SX_NEG) : 0;
            if (x && sx_is_number(p, sum->in[1 - k], 1))
                return sx_un(p, SX_SIGMOID, x);
        }
    return 0;
}

static Sx fold_abs(SxPool *p, Sx a)
{
    if (sx_node(p, a)->op == SX_ABS)
        return a; /* ||x|| = |x| */
    Sx u = operand_if(p, a, SX_NEG);
    return u ? sx_un(p, SX_ABS, u) : 0; /* |-x| = |x| */
}

static Sx fold_pow(SxPool *p, Sx a, Sx b)
{
    return sx_is_number(p, b, 1) ? a : sx_is_number(p, b, 0) ? sx_num(p, 1) : 0;
}

static Sx fold_lt(SxPool *p, Sx a, Sx b) { return a == b ? sx_num(p, 0) : 0; } /* x < x is false, also for NaN */

static Sx fold_neg(SxPool *p, Sx a)
{
    const SxNode *node = sx_node(p, a);
    if (node->op == SX_NEG)
        return node->in[0]; /* --x = x */
    if (node->op == SX_SUB)
        return sx_sub(p, node->in[1], node->in[0]); /* -(x - y) = y - x */
    return 0;
}

static Sx fold_select(SxPool *p, Sx c, Sx a, Sx b)
{
    double known;
    if (a == b)
        return a; /* select(c, x, x) = x */
    if (sx_is_num(p, c, &known))
        return known != 0 ? a : b;
    return 0;
}

#define KEEP 0

#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, line, level, form, fold, law) \
    static Sx made_as_##op(SxPool *p, Sx a, Sx b, Sx c)                                                \
    {                                                                                                  \
        (void)p, (void)a, (void)b, (void)c;                                                            \
        return fold;                                                                                   \
    }
#include "graph/sx_prims.inc"

/* What it is made as instead; 0: itself. */
static Sx (*const made_as[])(SxPool *p, Sx a, Sx b, Sx c) = {
#define SX_PRIM(op, ...) made_as_##op,
#include "graph/sx_prims.inc"
};

Sx sx_make(SxPool *pool, SxOp op, Sx a, Sx b, Sx c)
{
    ACT_ASSERT(op > SX_ARG && op < SX_OP_COUNT && op != SX_POWI); /* those have makers of their own */
    unsigned arity = op_arity[op];
    ACT_ASSERT((a != 0) == (arity > 0) && (b != 0) == (arity > 1) && (c != 0) == (arity > 2));
    double x = 0, y = 0, z = 0;
    if (sx_is_num(pool, a, &x) && (!b || sx_is_num(pool, b, &y)) && (!c || sx_is_num(pool, c, &z)))
        return sx_num(pool, sx_apply(op, 0, x, y, z));
    Sx folded = made_as[op](pool, a, b, c);
    if (folded)
        return folded;
    /* a + b and b + a are one node, the way it was written first: text that is read back keeps its order. */
    Sx known = sx_lookup(pool, op, a, b, c);
    return known ? known : intern(pool, (SxNode){.op = op, .in = {a, b, c}});
}

Sx sx_rebuild(SxPool *pool, const SxNode *node, const Sx *in)
{
    if (op_arity[node->op] == 0) /* a literal or an argument */
        return intern(pool, (SxNode){.op = node->op, .index = node->index, .number = node->number});
    if (node->op == SX_POWI)
        return sx_powi(pool, in[0], node->index);
    return sx_make(pool, node->op, in[0], in[1], in[2]);
}
