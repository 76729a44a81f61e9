/* The algebra that gradients need: literals of products are collected in front, signs move outward, products and
 * quotients move into the arms of a select that holds a zero, selects on one condition become one. Every law holds
 * for real numbers up to the rounding of the last place, and no law makes a NaN or an infinity where there was none,
 * or the reverse: literals are combined only while their product is of moderate size, and x * 0 stays. (select(c, x,
 * 0) * y = select(c, x * y, 0) is the exception that is wanted: the arm that is not taken counts for nothing.)
 *
 * One pass rebuilds the DAG from the operands up; passes are repeated until nothing changes. Where a law takes an
 * operand apart, it asks that the operand has no other use: taking a shared node apart would compute its parts
 * twice. */
#include "graph/sx_inner.h"

#include <math.h>

typedef struct Operand {
    Sx x;
    bool once; /* used by this node alone */
} Operand;

static bool is_zero(const SxPool *p, Sx x) { return sx_is_number(p, x, 0); }

static bool is_literal(const SxPool *p, Sx x) { return sx_node(p, x)->op == SX_NUM; }

static double literal(const SxPool *p, Sx x) { return sx_node(p, x)->number; }

static bool moderate(double v) { return fabs(v) > 1e-100 && fabs(v) < 1e100; }

static Sx product(SxPool *p, Operand a, Operand b);
static Sx quotient(SxPool *p, Operand a, Operand b);

static Operand fresh(Sx x) { return (Operand){x, true}; }

/* -x where that costs nothing: --y, -(y - z) = z - y, -(y + c) = -c - y. Else 0. */
static Sx flipped(SxPool *p, Sx x)
{
    const SxNode *node = sx_node(p, x);
    if (node->op == SX_NEG || node->op == SX_SUB)
        return sx_neg(p, x);
    for (unsigned k = 0; k < 2 && node->op == SX_ADD; k++)
        if (is_literal(p, node->in[k]))
            return sx_sub(p, sx_num(p, -literal(p, node->in[k])), node->in[1 - k]);
    return 0;
}

/* x = factor * rest with a literal factor, when that is how x is written. */
static Sx split_literal(SxPool *p, Operand x, double *factor)
{
    const SxNode *node = sx_node(p, x.x);
    *factor = 1;
    if (node->op == SX_NEG && x.once) {
        *factor = -1;
        return node->in[0];
    }
    if (node->op != SX_MUL || !x.once)
        return x.x;
    for (unsigned k = 0; k < 2; k++)
        if (is_literal(p, node->in[k]) && moderate(literal(p, node->in[k]))) {
            *factor = literal(p, node->in[k]);
            return node->in[1 - k];
        }
    return x.x;
}

/* literal * x: the literal joins the one x has. */
static Sx scaled(SxPool *p, double factor, Operand x)
{
    const SxNode *node = sx_node(p, x.x);
    double own;
    if (factor == 1)
        return x.x;
    if (node->op == SX_SELECT && x.once && is_literal(p, node->in[1]) && is_literal(p, node->in[2]))
        return sx_select(p, node->in[0], sx_num(p, factor * literal(p, node->in[1]) + 0.0),
                         sx_num(p, factor * literal(p, node->in[2]) + 0.0)); /* + 0: no -0 */
    if (node->op == SX_SELECT && x.once && factor != 0 && (is_zero(p, node->in[1]) || is_zero(p, node->in[2])))
        return product(p, fresh(sx_num(p, factor)), x);
    if (node->op == SX_DIV && x.once && is_literal(p, node->in[0]) && moderate(literal(p, node->in[0])))
        return sx_div(p, sx_num(p, factor * literal(p, node->in[0])), node->in[1]); /* c * (k / x) = ck / x */
    Sx rest = split_literal(p, x, &own);
    if (!moderate(factor) && fabs(own) != 1)
        return sx_mul(p, sx_num(p, factor), x.x);
    if (factor * own == -1)
        return sx_neg(p, rest);
    return sx_mul(p, sx_num(p, factor * own), rest);
}

/* 0, and 1 and -1 too unless it is divided; or a choice between such: a product with it costs at most a sign. */
static bool is_unit(const SxPool *p, Sx x, bool divides, unsigned depth)
{
    const SxNode *node = sx_node(p, x);
    if (node->op == SX_SELECT)
        return depth > 0 && is_unit(p, node->in[1], divides, depth - 1) && is_unit(p, node->in[2], divides, depth - 1);
    return node->op == SX_NUM && (node->number == 0 || (!divides && fabs(node->number) == 1));
}

/* select(c, u, v) * y or / y where one arm is zero, or both are units: into the arms. */
static Sx into_arms(SxPool *p, Operand choice, Operand y, Sx (*apply)(SxPool *, Operand, Operand), bool divides)
{
    const SxNode *node = sx_node(p, choice.x);
    if (node->op != SX_SELECT)
        return 0;
    Sx arm[2] = {node->in[1], node->in[2]};
    bool zero = is_zero(p, arm[0]) || is_zero(p, arm[1]);
    if (!is_unit(p, choice.x, divides, 3) && (!zero || !choice.once))
        return 0;
    for (unsigned k = 0; k < 2; k++)
        if (!is_zero(p, arm[k]))
            arm[k] = apply(p, (Operand){arm[k], false}, (Operand){y.x, false});
    return sx_select(p, node->in[0], arm[0], arm[1]);
}

/* As split_literal, and c / y = c * (1 / y). */
static Sx split_numerator(SxPool *p, Operand x, double *factor)
{
    const SxNode *node = sx_node(p, x.x);
    if (node->op != SX_DIV || !x.once || !is_literal(p, node->in[0]) || !moderate(literal(p, node->in[0])))
        return split_literal(p, x, factor);
    *factor = literal(p, node->in[0]);
    return sx_div(p, sx_num(p, 1), node->in[1]);
}

static bool is_quotient(const SxPool *p, Operand x) { return x.once && sx_node(p, x.x)->op == SX_DIV; }

static Sx product(SxPool *p, Operand a, Operand b)
{
    if (is_literal(p, a.x) && is_literal(p, b.x))
        return sx_mul(p, a.x, b.x);
    Sx made = is_zero(p, a.x) || is_zero(p, b.x) ? 0 : into_arms(p, a, b, product, false);
    if (!made && !is_zero(p, a.x) && !is_zero(p, b.x))
        made = into_arms(p, b, a, product, false);
    if (made)
        return made;
    if (is_literal(p, a.x))
        return scaled(p, literal(p, a.x), b);
    if (is_literal(p, b.x))
        return scaled(p, literal(p, b.x), a);
    double fa, fb;
    Sx ra = split_numerator(p, a, &fa), rb = split_numerator(p, b, &fb);
    if (fa != 1 || fb != 1) { /* (c x) (k y) = ck (x y) */
        Sx rest = product(p, (Operand){ra, is_quotient(p, a)}, (Operand){rb, is_quotient(p, b)});
        return scaled(p, fa * fb, fresh(rest));
    }
    for (unsigned k = 0; k < 2; k++) { /* x * (k / y) = (k x) / y, one division and no more */
        Operand over = k ? a : b, other = k ? b : a;
        const SxNode *node = sx_node(p, over.x);
        if (node->op == SX_DIV && over.once && sx_is_number(p, node->in[0], 1))
            return quotient(p, other, (Operand){node->in[1], false});
    }
    if (a.x == b.x)
        return sx_powi(p, a.x, 2); /* x * x = x ^ 2 */
    return sx_mul(p, a.x, b.x);
}

/* 1 + exp(-x), either way round: x, else 0. */
static Sx logistic_of(const SxPool *p, Sx x)
{
    const SxNode *sum = sx_node(p, x);
    for (unsigned k = 0; k < 2 && sum->op == SX_ADD; k++) {
        const SxNode *power = sx_node(p, sum->in[k]);
        if (power->op == SX_EXP && sx_is_number(p, sum->in[1 - k], 1) && sx_node(p, power->in[0])->op == SX_NEG)
            return sx_node(p, power->in[0])->in[0];
    }
    return 0;
}

static Sx quotient(SxPool *p, Operand a, Operand b)
{
    if (is_literal(p, b.x) && moderate(literal(p, b.x)))
        return product(p, a, fresh(sx_num(p, 1 / literal(p, b.x)))); /* x / c = x * (1 / c) */
    Sx made = into_arms(p, a, b, quotient, true);
    if (made)
        return made;
    Sx x = b.once ? logistic_of(p, b.x) : 0;
    if (x)
        return product(p, a, fresh(sx_un(p, SX_SIGMOID, x))); /* y / (1 + exp(-x)) = y * sigmoid(x) */
    double fa = 1, fb = 1;
    Sx ra = is_literal(p, a.x) ? a.x : split_literal(p, a, &fa), rb = split_literal(p, b, &fb);
    if (fa != 1 || fb != 1) /* (c x) / (k y) = (c / k) (x / y) */
        return scaled(p, fa / fb, fresh(sx_div(p, ra, rb)));
    return sx_div(p, a.x, b.x);
}

static bool is_small(const SxPool *p, Sx x) { return is_literal(p, x) && fabs(literal(p, x)) <= 1e6; }

static Sx sum(SxPool *p, Operand a, Operand b, bool minus)
{
    const SxNode *s = sx_node(p, a.x), *t = sx_node(p, b.x);
    if (s->op == SX_SELECT && t->op == SX_SELECT && s->in[0] == t->in[0] && a.once && b.once) {
        Sx arm[2]; /* select(c, u, v) + select(c, x, y) = select(c, u + x, v + y) */
        for (unsigned k = 0; k < 2; k++)
            arm[k] = minus ? sx_sub(p, s->in[k + 1], t->in[k + 1]) : sx_add(p, s->in[k + 1], t->in[k + 1]);
        return sx_select(p, s->in[0], arm[0], arm[1]);
    }
    double fa, fb;
    Sx ra = split_literal(p, a, &fa), rb = split_literal(p, b, &fb);
    if (minus)
        fb = -fb;
    if (ra == rb && fa * fb > 0)
        return scaled(p, fa + fb, (Operand){ra, false}); /* c x + k x = (c + k) x; of one sign, for inf - inf is NaN */
    for (unsigned k = 0; k < 2 && !minus; k++) {
        Sx power = k ? a.x : b.x, one = k ? b.x : a.x;
        if (sx_node(p, power)->op == SX_EXPM1 && (k ? a : b).once && sx_is_number(p, one, 1))
            return sx_un(p, SX_EXP, sx_node(p, power)->in[0]); /* (e^x - 1) + 1 = e^x */
    }
    if ((minus ? fb > 0 : fb < 0) && b.once && t->op == SX_MUL) { /* x + (-c y) = x - c y, for people */
        Sx term = scaled(p, fabs(fb), (Operand){rb, false});
        return minus ? sx_add(p, a.x, term) : sx_sub(p, a.x, term);
    }
    for (unsigned k = 0; k < 2 && !minus; k++) { /* (x + c) + k = x + (c + k); large literals may be there to round */
        Sx literal_side = k ? a.x : b.x;
        const SxNode *inner = k ? t : s;
        for (unsigned j = 0; j < 2 && inner->op == SX_ADD && (k ? b : a).once; j++)
            if (is_small(p, literal_side) && is_small(p, inner->in[j]))
                return sx_add(p, inner->in[1 - j], sx_num(p, literal(p, inner->in[j]) + literal(p, literal_side)));
    }
    return minus ? sx_sub(p, a.x, b.x) : sx_add(p, a.x, b.x);
}

static Sx negated(SxPool *p, Operand a)
{
    const SxNode *node = sx_node(p, a.x);
    if (node->op == SX_MUL && a.once && (is_literal(p, node->in[0]) || is_literal(p, node->in[1])))
        return scaled(p, -1, a);
    if (node->op == SX_DIV && a.once && is_literal(p, node->in[0]))
        return scaled(p, -1, a);
    if ((node->op == SX_DIV || node->op == SX_MUL) && a.once) /* -((x - y) / z) = (y - x) / z; not below the line, */
        for (unsigned k = 0; k < (node->op == SX_MUL ? 2u : 1u); k++) { /* where the sign of a zero decides */
            Sx turned = flipped(p, node->in[k]);
            if (turned)
                return sx_bin(p, node->op, k ? node->in[0] : turned, k ? turned : node->in[1]);
        }
    if (node->op == SX_SELECT && a.once && (is_literal(p, node->in[1]) || is_literal(p, node->in[2]))) {
        Sx arm[2]; /* -select(c, 2, x) = select(c, -2, -x) */
        for (unsigned k = 0; k < 2; k++)
            arm[k] = is_zero(p, node->in[k + 1]) ? node->in[k + 1] : sx_neg(p, node->in[k + 1]);
        return sx_select(p, node->in[0], arm[0], arm[1]);
    }
    Sx turned = a.once ? flipped(p, a.x) : 0;
    return turned ? turned : sx_neg(p, a.x);
}

static Sx power(SxPool *p, Sx x, int32_t n)
{
    const SxNode *node = sx_node(p, x);
    if (node->op == SX_NEG) /* (-x)^n = ± x^n */
        return n & 1 ? sx_neg(p, sx_powi(p, node->in[0], n)) : sx_powi(p, node->in[0], n);
    if (node->op == SX_ABS && !(n & 1))
        return sx_powi(p, node->in[0], n); /* |x|^2 = x^2 */
    return sx_powi(p, x, n);
}

static Sx real_power(SxPool *p, Sx x, Sx y)
{
    double n;
    if (sx_is_num(p, y, &n) && n == floor(n) && fabs(n) <= 16)
        return power(p, x, (int32_t)n); /* x ^ 3.0 = x ^ 3 */
    return sx_bin(p, SX_POW, x, y);
}

static Sx where(SxPool *p, Sx arm, SxOp op, Sx x, Sx y, Sx is)
{
    Sx known = sx_lookup(p, op, x, y, 0);
    return known ? sx_replace(p, arm, known, is) : arm;
}

/* What u < v, or its opposite, says about the minima and maxima of u and v in an arm. The opposite includes the tie and
 * NaN: there only the forms are taken whose second operand is the answer, since a tie differentiates to it, and only if
 * the other is a literal, which no NaN is. */
static void use_comparison(SxPool *p, const SxNode *cond, Sx *then, Sx *other)
{
    Sx u = cond->in[0], v = cond->in[1];
    *then = where(p, where(p, *then, SX_MIN, u, v, u), SX_MIN, v, u, u);
    *then = where(p, where(p, *then, SX_MAX, u, v, v), SX_MAX, v, u, v);
    if (is_literal(p, u) && !isnan(literal(p, u)))
        *other = where(p, *other, SX_MIN, u, v, v);
    if (is_literal(p, v) && !isnan(literal(p, v)))
        *other = where(p, *other, SX_MAX, v, u, u);
}

/* A condition already known in an arm decides there. */
static Sx choice(SxPool *p, Sx c, Sx a, Sx b, bool small)
{
    const SxNode *cond = sx_node(p, c);
    if (cond->op == SX_LT && small)
        use_comparison(p, cond, &a, &b);
    const SxNode *then = sx_node(p, a), *other = sx_node(p, b);
    if (then->op == SX_SELECT && then->in[0] == c)
        a = then->in[1];
    if (other->op == SX_SELECT && other->in[0] == c)
        b = other->in[2];
    if (cond->op == SX_EQ) /* select(c = 0, a, b) = select(c, b, a) for a comparison c, which is 0 or 1 */
        for (unsigned k = 0; k < 2; k++) {
            SxOp inner = sx_node(p, cond->in[k])->op;
            if (is_zero(p, cond->in[1 - k]) && (inner == SX_LT || inner == SX_LE || inner == SX_EQ))
                return sx_select(p, cond->in[k], b, a);
        }
    return sx_select(p, c, a, b);
}

#define KEEP sx_rebuild(p, node, (Sx[]){a.x, b.x, c.x})

#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, line, level, form, fold, law) \
    static Sx rewrite_##op(SxPool *p, const SxNode *node, Operand a, Operand b, Operand c, bool small) \
    {                                                                                                  \
        int32_t n = node->index;                                                                       \
        (void)n, (void)a, (void)b, (void)c, (void)small;                                               \
        return law;                                                                                    \
    }
#include "graph/sx_prims.inc"

static Sx (*const rewrite[])(SxPool *p, const SxNode *node, Operand a, Operand b, Operand c, bool small) = {
#define SX_PRIM(op, ...) rewrite_##op,
#include "graph/sx_prims.inc"
};

#define SMALL 200 /* nodes: looking through the arms of every select is not linear in the DAG */

static Sx pass(SxPool *pool, Sx x)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Sx *made = arena_array(arena, Sx, tape.n);
    uint32_t *uses = arena_array(arena, uint32_t, tape.n);
    for (uint32_t i = 0; i < tape.n; i++)
        for (unsigned k = 0; k < sx_op_arity(tape.step[i].op); k++)
            uses[tape.step[i].in[k]]++;
    for (uint32_t i = 0; i < tape.n; i++) {
        const SxStep *s = &tape.step[i];
        Operand in[3] = {{0}};
        for (unsigned k = 0; k < sx_op_arity(s->op); k++)
            in[k] = (Operand){made[s->in[k]], uses[s->in[k]] == 1};
        made[i] = rewrite[s->op](pool, sx_node(pool, s->self), in[0], in[1], in[2], tape.n <= SMALL);
    }
    Sx result = made[tape.root[0]];
    arena_free(arena);
    return result;
}

Sx sx_simplify(SxPool *pool, Sx x)
{
    static const char key;
    void *known = sx_recall(pool, x, &key);
    if (known)
        return (Sx)(uintptr_t)known;
    Sx best = x, now = x;
    for (unsigned round = 0; round < 12; round++) {
        Sx next = pass(pool, now);
        if (next == now)
            break;
        now = next;
        if (sx_cost(pool, now) <= sx_cost(pool, best))
            best = now;
    }
    sx_remember(pool, x, &key, (void *)(uintptr_t)best);
    sx_remember(pool, best, &key, (void *)(uintptr_t)best);
    return best;
}
