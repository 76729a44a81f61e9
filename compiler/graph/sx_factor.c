/* What is fixed in chains of products, gathered. */
#include "graph/sx_inner.h"

/* A node as a product; 0: there is no such part. */
typedef struct Parts {
    Sx fixed, rest;
} Parts;

static Sx times(SxPool *pool, Sx a, Sx b) { return !a ? b : !b ? a : sx_mul(pool, a, b); }

static Parts parts_of(SxPool *pool, Sx self, Parts a, Parts b, const Sx *in)
{
    const SxNode *node = sx_node(pool, self);
    if (node->op == SX_MUL)
        return (Parts){times(pool, a.fixed, b.fixed), times(pool, a.rest, b.rest)};
    if (node->op == SX_DIV && a.rest && !b.fixed)
        return (Parts){a.fixed, sx_div(pool, a.rest, b.rest)};
    return (Parts){0, sx_rebuild(pool, node, in)};
}

Sx sx_factor(SxPool *pool, Sx x, uint64_t fixed)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Parts *part = arena_array(arena, Parts, tape.n);
    for (uint32_t i = 0; i < tape.n; i++) {
        const SxStep *s = &tape.step[i];
        if (!(sx_args_used(pool, s->self) & ~fixed)) {
            part[i] = (Parts){s->self, 0};
            continue;
        }
        Sx in[3] = {0};
        for (unsigned k = 0; k < sx_op_arity(s->op); k++)
            in[k] = times(pool, part[s->in[k]].fixed, part[s->in[k]].rest);
        part[i] = parts_of(pool, s->self, part[s->in[0]], part[s->in[1]], in);
    }
    Parts whole = part[tape.root[0]];
    arena_free(arena);
    return times(pool, whole.fixed, whole.rest);
}
