/* Multiply-adds in an expression. */
#include "graph/sx_inner.h"

/* A product as its factors. */
typedef struct Product {
    Sx a, b;
    bool scaled; /* by a literal */
} Product;

static bool is_product(const SxPool *pool, Sx x, uint64_t steady, Product *product)
{
    double number;
    const SxNode *node = sx_node(pool, x);
    if (!(node->args & ~steady))
        return false;
    if (node->op == SX_POWI && node->index == 2) {
        *product = (Product){node->in[0], node->in[0], false};
        return true;
    }
    *product = (Product){node->in[0], node->in[1], false};
    if (node->op != SX_MUL)
        return false;
    product->scaled = sx_is_num(pool, product->a, &number) || sx_is_num(pool, product->b, &number);
    return true;
}

/* left + right, or left - right. */
static Sx sum_of(SxPool *pool, Sx left, Sx right, bool minus, uint64_t steady)
{
    Product l, r;
    bool has_l = is_product(pool, left, steady, &l), has_r = is_product(pool, right, steady, &r);
    if (has_l && (!has_r || l.scaled))
        return sx_make(pool, SX_FMA, l.a, l.b, minus ? sx_neg(pool, right) : right);
    if (has_r && (!has_l || r.scaled))
        return sx_make(pool, SX_FMA, minus ? sx_neg(pool, r.a) : r.a, r.b, left);
    return sx_bin(pool, minus ? SX_SUB : SX_ADD, left, right);
}

Sx sx_fuse(SxPool *pool, Sx x, uint64_t steady)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Sx *made = arena_array(arena, Sx, tape.n);
    for (uint32_t i = 0; i < tape.n; i++) {
        const SxStep *s = &tape.step[i];
        Sx in[3] = {0};
        for (unsigned k = 0; k < sx_op_arity(s->op); k++)
            in[k] = made[s->in[k]];
        made[i] = s->op == SX_ADD || s->op == SX_SUB ? sum_of(pool, in[0], in[1], s->op == SX_SUB, steady)
                                                     : sx_rebuild(pool, sx_node(pool, s->self), in);
    }
    Sx result = made[tape.root[0]];
    arena_free(arena);
    return result;
}
