/* Reverse mode over the DAG.
 *
 * An adjoint is a value under a guard. A guard is a path of conditions, "c1 holds, then c2 does not, …", and the
 * adjoint is the value where all of them are met and zero elsewhere. Multiplying by a partial derivative touches the
 * value alone, so the arm of a select that is not taken never meets a product: no 0 * inf, and d(if c then a else b)
 * comes out as if c then a' else b'.
 *
 * max(a, b) + log1p(exp(-|a - b|)) is log(e^a + e^b): each term alone has a kink at a = b, their sum has none. Where
 * both terms receive the same adjoint they are differentiated together, to sigmoid(a - b) and sigmoid(b - a): right
 * at a tie too. */
#include "graph/sx_inner.h"

#include <string.h>

#include "base/vec.h"

#include <math.h>

#define SX_2_SQRTPI 1.12837916709551257390 /* 2 / sqrt(pi) */

typedef struct Guard {
    uint32_t parent; /* an earlier guard; guard 0 has no condition */
    Sx cond;
    bool want;
    uint32_t child, next; /* the guards that continue this one */
} Guard;

typedef struct Term {
    uint32_t guard;
    Sx value;
    Sx half; /* not 0: half of a select on this condition, the arm `want`, its other arm being zero */
    bool want;
    uint32_t order;
} Term;

typedef VEC(Term) Terms;

typedef struct Soft { /* max (or min) of a and b, and the log1p that rounds its corner */
    uint32_t corner, round; /* positions */
    Sx a, b;
    Sx to_a;     /* where the share of a goes: a, or x when a = -x, since -x may come after the log1p */
    bool mirror; /* a = -x: the share changes its sign */
    bool is_min, met;
    Term first; /* what the one reached first received */
    bool has_first;
} Soft;

typedef struct Diff {
    SxPool *pool;
    Arena *arena;
    SxTape tape;
    VEC(Guard) guard;
    Terms *to;       /* what each position has received */
    bool *wanted;    /* positions that depend on a wanted argument */
    Soft **soft;     /* by position, NULL for most */
    uint32_t *place; /* by handle: 1 + position; made when the first log1p is met */
    uint32_t order;
} Diff;

/* ── guards ── */

#define GUARD_LOOK 64 /* how far up a repeated condition is looked for */

/* False when the path contradicts itself: the adjoint is zero everywhere. */
static bool guard_enter(Diff *d, uint32_t parent, Sx cond, bool want, uint32_t *entered)
{
    uint32_t up = parent;
    for (unsigned k = 0; up && k < GUARD_LOOK; k++, up = d->guard.at[up].parent)
        if (d->guard.at[up].cond == cond) {
            *entered = parent;
            return d->guard.at[up].want == want;
        }
    for (uint32_t g = d->guard.at[parent].child; g; g = d->guard.at[g].next)
        if (d->guard.at[g].cond == cond && d->guard.at[g].want == want) {
            *entered = g;
            return true;
        }
    Guard made = {.parent = parent, .cond = cond, .want = want, .next = d->guard.at[parent].child};
    *entered = d->guard.n;
    d->guard.at[parent].child = d->guard.n;
    *vec_push(d->arena, &d->guard) = made;
    return true;
}

/* ── sums of terms: a heap, the deepest guard on top, earlier terms first among equals ── */

static bool term_before(const Term *a, const Term *b)
{
    return a->guard != b->guard ? a->guard > b->guard : a->order < b->order;
}

static void heap_push(Diff *d, Terms *heap, Term term)
{
    *vec_push(d->arena, heap) = term;
    for (uint32_t i = heap->n - 1; i && term_before(&heap->at[i], &heap->at[(i - 1) / 2]); i = (i - 1) / 2) {
        Term swap = heap->at[i];
        heap->at[i] = heap->at[(i - 1) / 2];
        heap->at[(i - 1) / 2] = swap;
    }
}

static Term heap_pop(Terms *heap)
{
    Term top = heap->at[0];
    heap->at[0] = heap->at[--heap->n];
    for (uint32_t i = 0;;) {
        uint32_t least = i, left = 2 * i + 1;
        for (uint32_t k = left; k < left + 2 && k < heap->n; k++)
            if (term_before(&heap->at[k], &heap->at[least]))
                least = k;
        if (least == i)
            return top;
        Term swap = heap->at[i];
        heap->at[i] = heap->at[least];
        heap->at[least] = swap;
        i = least;
    }
}

static Sx half_select(SxPool *p, Sx cond, bool want, Sx value)
{
    Sx zero = sx_num(p, 0);
    return want ? sx_select(p, cond, value, zero) : sx_select(p, cond, zero, value);
}

/* The sum of terms under one guard. Halves of the same select become one select. */
static Sx sum_group(Diff *d, Term *term, uint32_t n)
{
    Sx sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!term[i].value)
            continue;
        Sx value = term[i].value;
        if (term[i].half) {
            Sx arm[2] = {0, 0};
            for (uint32_t k = i; k < n; k++)
                if (term[k].half == term[i].half && term[k].value) {
                    Sx *a = &arm[term[k].want];
                    *a = *a ? sx_add(d->pool, *a, term[k].value) : term[k].value;
                    if (k != i)
                        term[k].value = 0;
                }
            value = arm[0] && arm[1] ? sx_select(d->pool, term[i].half, arm[1], arm[0])
                                     : half_select(d->pool, term[i].half, arm[1] != 0, arm[1] ? arm[1] : arm[0]);
        }
        sum = sum ? sx_add(d->pool, sum, value) : value;
    }
    return sum;
}

/* All that a position received, as one term; up to guard 0 if `whole`. False when it received nothing. */
static bool collect(Diff *d, uint32_t position, bool whole, Term *sum)
{
    const Terms *got = &d->to[position];
    if (got->n == 1 && (!whole || got->at[0].guard == 0)) {
        *sum = got->at[0];
        return true;
    }
    Terms heap = {0}, group = {0};
    for (uint32_t i = 0; i < got->n; i++)
        heap_push(d, &heap, got->at[i]);
    if (!heap.n)
        return false;
    for (;;) {
        group.n = 0;
        do
            *vec_push(d->arena, &group) = heap_pop(&heap);
        while (heap.n && heap.at[0].guard == group.at[0].guard);
        uint32_t guard = group.at[0].guard, order = group.at[0].order;
        Sx value = sum_group(d, group.at, group.n);
        if (!heap.n && (!whole || guard == 0)) {
            *sum = (Term){.guard = guard, .value = value};
            return true;
        }
        const Guard *g = &d->guard.at[guard];
        heap_push(d, &heap, (Term){g->parent, value, g->cond, g->want, order});
    }
}

/* ── the rows ── */

typedef enum Kind { PART_NONE, PART_VALUE, PART_WHEN, PART_UNLESS } Kind;
typedef struct Part {
    Kind kind;
    Sx x; /* the value, or the condition */
} Part;

static Sx times(SxPool *p, Sx g, Sx factor)
{
    const SxNode *quotient = sx_node(p, g);
    if (quotient->op == SX_DIV && sx_is_number(p, quotient->in[0], 1))
        return sx_div(p, factor, quotient->in[1]); /* (1 / b) * f = f / b */
    return sx_mul(p, g, factor);
}

static Part part_sign(SxPool *p, Sx g, Sx x)
{
    Sx zero = sx_num(p, 0);
    Sx below = sx_select(p, sx_bin(p, SX_LT, x, zero), sx_neg(p, g), zero);
    return (Part){PART_VALUE, sx_select(p, sx_bin(p, SX_LT, zero, x), g, below)};
}

#define NUM(v)      sx_num(p, (v))
#define NEG(x)      sx_neg(p, (x))
#define ADD(x, y)   sx_add(p, (x), (y))
#define SUB(x, y)   sx_sub(p, (x), (y))
#define MUL(x, y)   sx_mul(p, (x), (y))
#define DIV(x, y)   sx_div(p, (x), (y))
#define FN(op, x)   sx_un(p, SX_##op, (x))
#define POW(x, y)   sx_bin(p, SX_POW, (x), (y))
#define LESS(x, y)  sx_bin(p, SX_LT, (x), (y))
#define POWER(x, n) sx_powi(p, (x), (n))

#define NONE      ((Part){0})
#define SAME      ((Part){PART_VALUE, g})
#define MINUS     ((Part){PART_VALUE, sx_neg(p, g)})
#define TIMES(e)  ((Part){PART_VALUE, times(p, g, (e))})
#define OVER(e)   ((Part){PART_VALUE, sx_div(p, g, (e))})
#define SIGN(e)   part_sign(p, g, (e))
#define WHEN(e)   ((Part){PART_WHEN, (e)})
#define UNLESS(e) ((Part){PART_UNLESS, (e)})

/* What operand k of node Y receives. Only this operand's expression is built. */
#define SX_PRIM(op, name, arity, cost, value, da, db, dc, ...)                         \
    static Part part_of_##op(SxPool *p, int32_t n, Sx A, Sx B, Sx Y, Sx g, unsigned k) \
    {                                                                                  \
        (void)p, (void)n, (void)A, (void)B, (void)Y, (void)g;                          \
        return k == 0 ? da : k == 1 ? db : dc;                                         \
    }
#include "graph/sx_prims.inc"

static Part (*const part_of[])(SxPool *p, int32_t n, Sx A, Sx B, Sx Y, Sx g, unsigned k) = {
#define SX_PRIM(op, ...) part_of_##op,
#include "graph/sx_prims.inc"
};

static void give(Diff *d, uint32_t position, uint32_t guard, Sx value)
{
    if (!d->wanted[position] || sx_is_number(d->pool, value, 0))
        return;
    *vec_push(d->arena, &d->to[position]) = (Term){.guard = guard, .value = value, .order = d->order++};
}

static void spread(Diff *d, uint32_t position, const Term *got)
{
    const SxStep *s = &d->tape.step[position];
    unsigned arity = sx_op_arity(s->op);
    for (unsigned k = 0; k < arity; k++) {
        if (!d->wanted[s->in[k]])
            continue;
        const SxNode *node = sx_node(d->pool, s->self);
        Part part = part_of[s->op](d->pool, node->index, node->in[0], node->in[1], s->self, got->value, k);
        uint32_t guard = got->guard;
        if (part.kind == PART_VALUE)
            give(d, s->in[k], guard, part.x);
        else if (part.kind != PART_NONE && guard_enter(d, guard, part.x, part.kind == PART_WHEN, &guard))
            give(d, s->in[k], guard, got->value);
    }
}

/* ── smooth maxima ── */

static uint32_t position_of(Diff *d, Sx x) /* UINT32_MAX: not in this DAG */
{
    Sx last = d->tape.step[d->tape.n - 1].self; /* the root: made after its operands, it has the greatest handle */
    if (!d->place) {
        d->place = arena_array(d->arena, uint32_t, last + 1);
        for (uint32_t i = 0; i < d->tape.n; i++)
            d->place[d->tape.step[i].self] = i + 1;
    }
    return x > last ? UINT32_MAX : d->place[x] - 1u;
}

static bool soft_pair(Diff *d, uint32_t round, Sx a, Sx b, Sx to_a)
{
    static const SxOp op[] = {SX_MAX, SX_MAX, SX_MIN, SX_MIN};
    for (unsigned k = 0; k < 4; k++) {
        Sx corner = k & 1 ? sx_lookup(d->pool, op[k], b, a, 0) : sx_lookup(d->pool, op[k], a, b, 0);
        uint32_t at = corner ? position_of(d, corner) : UINT32_MAX;
        if (at == UINT32_MAX || d->soft[at])
            continue;
        Soft *soft = arena_new_of(d->arena, Soft);
        *soft = (Soft){at, round, a, b, .to_a = to_a, .mirror = to_a != a, .is_min = op[k] == SX_MIN};
        d->soft[at] = d->soft[round] = soft;
        return true;
    }
    return false;
}

static void find_soft(Diff *d, uint32_t round)
{
    SxPool *p = d->pool;
    static const SxOp inner[] = {SX_LOG1P, SX_EXP, SX_NEG, SX_ABS};
    Sx x = d->tape.step[round].self;
    for (unsigned k = 0; k < 4; k++) {
        const SxNode *node = sx_node(p, x);
        if (node->op != inner[k])
            return;
        x = node->in[0];
    }
    const SxNode *gap = sx_node(p, x); /* max(a, b) + log1p(exp(-|x|)) with x = a - b, or b = 0 and x = ±a */
    Sx zero = sx_num(p, 0);
    if (gap->op == SX_SUB && soft_pair(d, round, gap->in[0], gap->in[1], gap->in[0]))
        return;
    if (gap->op == SX_ADD && sx_node(p, gap->in[1])->op == SX_NUM &&
        soft_pair(d, round, gap->in[0], sx_num(p, -sx_node(p, gap->in[1])->number), gap->in[0]))
        return;
    if (!soft_pair(d, round, x, zero, x))
        soft_pair(d, round, sx_neg(p, x), zero, x);
}

/* What the two operands receive. Literals are not wanted, so give() leaves them out. */
static void give_both(Diff *d, const Soft *soft, uint32_t guard, Sx for_a, Sx for_b)
{
    give(d, position_of(d, soft->to_a), guard, soft->mirror ? sx_neg(d->pool, for_a) : for_a);
    if (sx_node(d->pool, soft->b)->op != SX_NUM)
        give(d, position_of(d, soft->b), guard, for_b);
}

/* The smooth part alone, log1p(exp(-|x|)) with x = a - b: -sign(x) e / (1 + e), e = exp(-|x|). */
static void spread_round(Diff *d, const Soft *soft, const Term *got)
{
    SxPool *p = d->pool;
    Sx e = sx_node(p, d->tape.step[soft->round].self)->in[0], x = sx_sub(p, soft->a, soft->b);
    Sx slope = sx_div(p, times(p, got->value, e), ADD(e, NUM(1)));
    give_both(d, soft, got->guard, part_sign(p, sx_neg(p, slope), x).x, part_sign(p, slope, x).x);
}

/* Both parts are reached. The same adjoint in both: one smooth function. (min(a, b) - log1p(…) is the mirror image.) */
static void spread_soft(Diff *d, const Soft *soft, const Term *corner, const Term *round)
{
    SxPool *p = d->pool;
    bool together = corner && round && corner->guard == round->guard &&
                    round->value == (soft->is_min ? sx_neg(p, corner->value) : corner->value);
    if (!together) {
        if (corner)
            spread(d, soft->corner, corner);
        if (round)
            spread_round(d, soft, round);
        return;
    }
    Sx more = sx_sub(p, soft->a, soft->b), less = sx_neg(p, more);
    Sx share_a = sx_un(p, SX_SIGMOID, soft->is_min ? less : more);
    Sx share_b = sx_un(p, SX_SIGMOID, soft->is_min ? more : less);
    give_both(d, soft, corner->guard, times(p, corner->value, share_a), times(p, corner->value, share_b));
}

/* ── the sweep ── */

static void visit(Diff *d, uint32_t position)
{
    Term got;
    bool any = collect(d, position, false, &got);
    Soft *soft = d->soft[position];
    if (!soft) {
        if (any)
            spread(d, position, &got);
        return;
    }
    if (!soft->met) { /* wait for the other part; whatever both lead to comes before either */
        soft->met = true;
        soft->has_first = any;
        soft->first = got;
        return;
    }
    const Term *now = any ? &got : NULL, *then = soft->has_first ? &soft->first : NULL;
    if (position == soft->corner)
        spread_soft(d, soft, now, then);
    else
        spread_soft(d, soft, then, now);
}

static void gradient(SxPool *pool, Sx x, uint64_t args, unsigned n, Sx *out)
{
    Arena *arena = arena_new();
    Diff d = {.pool = pool, .arena = arena, .tape = sx_tape(pool, &x, 1, arena)};
    uint32_t count = d.tape.n;
    d.to = arena_array(arena, Terms, count);
    d.wanted = arena_array(arena, bool, count);
    d.soft = arena_array(arena, Soft *, count);
    (void)vec_push(arena, &d.guard);
    for (uint32_t i = 0; i < count; i++) {
        const SxStep *s = &d.tape.step[i];
        d.wanted[i] = s->op == SX_ARG && (args >> s->index & 1);
        for (unsigned k = 0; k < sx_op_arity(s->op); k++)
            d.wanted[i] |= d.wanted[s->in[k]];
        if (s->op == SX_LOG1P)
            find_soft(&d, i);
    }
    for (unsigned i = 0; i < n; i++)
        out[i] = sx_num(pool, 0);
    give(&d, d.tape.root[0], 0, sx_num(pool, 1));
    for (uint32_t i = count; i-- > 0;) {
        const SxStep *s = &d.tape.step[i];
        Term whole;
        if (s->op != SX_ARG)
            visit(&d, i);
        else if ((unsigned)s->index < n && collect(&d, i, true, &whole))
            out[s->index] = whole.value;
    }
    arena_free(arena);
}

void sx_gradient(SxPool *pool, Sx x, unsigned n, Sx *out)
{
    static const char key[65];
    ACT_ASSERT(n <= 64);
    const Sx *known = sx_recall(pool, x, &key[n]);
    if (!known) {
        gradient(pool, x, n >= 64 ? ~(uint64_t)0 : (1ull << n) - 1, n, out);
        if (n > 0)
            sx_remember(pool, x, &key[n], arena_copy(sx_pool_arena(pool), out, n * sizeof *out));
        return;
    }
    memcpy(out, known, n * sizeof *out);
}

const SxLinear *sx_linear(SxPool *pool, Sx x, unsigned n)
{
    static const char key[65];
    Sx d[64];
    double at[64] = {0};
    SxLinear *linear = sx_recall(pool, x, &key[n]);
    if (linear)
        return linear;
    linear = arena_alloc(sx_pool_arena(pool), sizeof *linear + n * sizeof *linear->slope);
    linear->known = true;
    sx_gradient(pool, x, n, d);
    for (unsigned i = 0; i < n; i++)
        linear->known = linear->known && sx_is_num(pool, sx_simplify(pool, d[i]), &linear->slope[i]);
    linear->constant = linear->known ? sx_eval(pool, x, at) : 0;
    sx_remember(pool, x, &key[n], linear);
    return linear;
}

Sx sx_derivative(SxPool *pool, Sx x, unsigned arg)
{
    Sx out[64];
    gradient(pool, x, 1ull << arg, arg + 1, out);
    return sx_simplify(pool, out[arg]);
}
