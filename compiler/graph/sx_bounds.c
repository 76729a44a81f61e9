/* Interval enclosures, one rule a primitive (named in sx_prims.inc).
 *
 * Rounding is monotone, so the ends of a monotone primitive bound every computed value; the functions of the C
 * library, which may be wrong in the last place, are widened by a few units there, except at a zero, which they give
 * exactly.
 *
 * An infinite end is mostly a limit: an argument over all reals is any finite number. Such an end stands for the
 * greatest double when the question is whether an infinity can really be reached (Iv.reach_low, reach_high); 0 times
 * a limit is 0. */
#include "graph/sx_inner.h"

#include <float.h>
#include <math.h>

#define TAU 6.283185307179586476925

Iv iv_of(SxInterval x) { return (Iv){x.low, x.high, x.maybe_nan, false, false}; }

static Iv iv_all(void) { return (Iv){-INFINITY, INFINITY, false, false, false}; }
static Iv iv_point(double x) { return (Iv){x, x, false, isinf(x) && x < 0, isinf(x) && x > 0}; }
static Iv iv_empty(void) { return (Iv){INFINITY, -INFINITY, true, false, false}; }
static bool empty(Iv a) { return !(a.low <= a.high); }
static bool has(Iv a, double x) { return a.low <= x && x <= a.high; }
static bool reaches_infinity(Iv a) { return a.reach_low || a.reach_high; }

/* The ends as doubles that can be reached. */
static double least(Iv a) { return isinf(a.low) && a.low < 0 && !a.reach_low ? -DBL_MAX : a.low; }
static double most(Iv a) { return isinf(a.high) && a.high > 0 && !a.reach_high ? DBL_MAX : a.high; }

/* Ends, and the values computed from the reachable ends: an infinity among those is reached. */
static Iv iv_ends(double low, double high, double from, double to, bool nan)
{
    if (isnan(low) || isnan(high))
        low = -INFINITY, high = INFINITY;
    return (Iv){low, high, nan, isinf(from) && from < 0, isinf(to) && to > 0};
}

static double wider(double x, double toward)
{
    return x == 0 || isinf(x) ? x : nextafter(nextafter(x, toward), toward);
}

/* A rising function of the C library, with its own range. Where it has already arrived at an end of it (tanh(30) is
 * 1) it stays there. */
static Iv rising(Iv a, double (*f)(double), double floor_, double ceiling)
{
    if (empty(a))
        return iv_empty();
    double low = f(a.low), high = f(a.high);
    if (a.low != a.high)
        low = low == ceiling ? low : fmax(wider(low, -INFINITY), floor_),
        high = high == floor_ ? high : fmin(wider(high, INFINITY), ceiling);
    return iv_ends(low, high, f(least(a)), f(most(a)), a.nan);
}

/* The part of a that is at least `edge`; NaN where there is more. */
static Iv from_edge(Iv a, double edge)
{
    if (empty(a) || a.high < edge)
        return iv_empty();
    if (a.low < edge)
        a.low = edge, a.nan = true, a.reach_low = false;
    return a;
}

static double sigmoid_value(double a) { return sx_apply(SX_SIGMOID, 0, a, 0, 0); }

static Iv iv_neg(Iv a) { return (Iv){-a.high, -a.low, a.nan, a.reach_high, a.reach_low}; }
static Iv iv_exp(Iv a) { return rising(a, exp, 0, INFINITY); }
static Iv iv_log(Iv a) { return rising(from_edge(a, 0), log, -INFINITY, INFINITY); }
static Iv iv_log1p(Iv a) { return rising(from_edge(a, -1), log1p, -INFINITY, INFINITY); }
static Iv iv_expm1(Iv a) { return rising(a, expm1, -1, INFINITY); }
static Iv iv_sqrt(Iv a) { return rising(from_edge(a, 0), sqrt, 0, INFINITY); }
static Iv iv_tanh(Iv a) { return rising(a, tanh, -1, 1); }
static Iv iv_sigmoid(Iv a) { return rising(a, sigmoid_value, 0, 1); }
static Iv iv_erf(Iv a) { return rising(a, erf, -1, 1); }

static Iv iv_abs(Iv a)
{
    if (empty(a))
        return a;
    double low = a.low > 0 ? a.low : a.high < 0 ? -a.high : 0;
    return (Iv){low, fmax(-a.low, a.high), a.nan, false, reaches_infinity(a)};
}

static Iv iv_floor(Iv a)
{
    return empty(a) ? a : (Iv){floor(a.low), floor(a.high), a.nan, a.reach_low, a.reach_high};
}

/* sin(x + phase): 1 where x + phase = pi / 2 + k tau, -1 half a turn on. */
static Iv wave(Iv a, double (*f)(double), double phase)
{
    if (empty(a))
        return a;
    bool nan = a.nan || reaches_infinity(a);
    if (isinf(a.low) || isinf(a.high) || a.high - a.low >= TAU || fmax(fabs(a.low), fabs(a.high)) > 1e8)
        return (Iv){-1, 1, nan, false, false};
    if (a.low == a.high)
        return (Iv){f(a.low), f(a.low), nan, false, false};
    double from = (a.low + phase) / TAU - 1e-9, to = (a.high + phase) / TAU + 1e-9, u = f(a.low), v = f(a.high);
    double low = fmax(wider(fmin(u, v), -INFINITY), -1), high = fmin(wider(fmax(u, v), INFINITY), 1);
    if (floor(to - 0.25) > floor(from - 0.25))
        high = 1;
    if (floor(to - 0.75) > floor(from - 0.75))
        low = -1;
    return (Iv){low, high, nan, false, false};
}

static Iv iv_sin(Iv a) { return wave(a, sin, 0); }
static Iv iv_cos(Iv a) { return wave(a, cos, TAU / 4); }

static Iv iv_add(Iv a, Iv b)
{
    if (empty(a) || empty(b))
        return iv_empty();
    bool nan = a.nan || b.nan || (a.reach_low && b.reach_high) || (a.reach_high && b.reach_low);
    return iv_ends(a.low + b.low, a.high + b.high, least(a) + least(b), most(a) + most(b), nan);
}

static Iv iv_sub(Iv a, Iv b, bool same)
{
    if (same && !empty(a)) /* x - x */
        return (Iv){0, 0, a.nan || reaches_infinity(a), false, false};
    return iv_add(a, iv_neg(b));
}

/* The hull of f at the four corners, for f monotone in each operand. */
static Iv corners(Iv a, Iv b, double (*f)(double, double), bool nan)
{
    double low = INFINITY, high = -INFINITY, from = INFINITY, to = -INFINITY;
    for (unsigned k = 0; k < 4; k++) {
        double limit = f(k & 1 ? a.high : a.low, k & 2 ? b.high : b.low);
        double real = f(k & 1 ? most(a) : least(a), k & 2 ? most(b) : least(b));
        if (isnan(limit))
            return (Iv){-INFINITY, INFINITY, nan, true, true};
        low = fmin(low, limit), high = fmax(high, limit);
        from = fmin(from, real), to = fmax(to, real);
    }
    return iv_ends(low, high, from, to, nan);
}

static double limit_product(double x, double y) { return x == 0 || y == 0 ? 0 : x * y; }

static Iv iv_powi(Iv a, int32_t n);

static Iv iv_mul(Iv a, Iv b, bool same)
{
    if (same)
        return iv_powi(a, 2);
    if (empty(a) || empty(b))
        return iv_empty();
    bool nan = a.nan || b.nan || (has(a, 0) && reaches_infinity(b)) || (has(b, 0) && reaches_infinity(a));
    return corners(a, b, limit_product, nan);
}

/* b without zero, so that one of its ends is finite: x / inf as a limit is 0, and x over the other end bounds the
 * rest. */
static Iv divide(Iv a, Iv b, bool nan)
{
    double low = INFINITY, high = -INFINITY, from = INFINITY, to = -INFINITY;
    for (unsigned k = 0; k < 4; k++) {
        double x = k & 1 ? a.high : a.low, y = k & 2 ? b.high : b.low;
        double real = (k & 1 ? most(a) : least(a)) / (k & 2 ? most(b) : least(b));
        double limit = isinf(y) ? 0 : x / y;
        low = fmin(low, limit), high = fmax(high, limit);
        if (!isnan(real))
            from = fmin(from, real), to = fmax(to, real);
    }
    return iv_ends(low, high, from, to, nan);
}

static Iv iv_div(Iv a, Iv b, bool same)
{
    if (empty(a) || empty(b))
        return iv_empty();
    bool nan = a.nan || b.nan || (reaches_infinity(a) && reaches_infinity(b));
    if (has(b, 0)) /* either zero: the sign of a zero is not followed */
        return (Iv){-INFINITY, INFINITY, nan || has(a, 0), true, true};
    if (same)
        return (Iv){1, 1, nan, false, false}; /* x / x */
    return divide(a, b, nan);
}

static Iv iv_min(Iv a, Iv b)
{
    if (empty(a) || empty(b))
        return iv_empty();
    bool low = (a.low == -INFINITY && a.reach_low) || (b.low == -INFINITY && b.reach_low);
    return (Iv){fmin(a.low, b.low), fmin(a.high, b.high), a.nan || b.nan, low, a.reach_high && b.reach_high};
}

static Iv iv_max(Iv a, Iv b) { return iv_neg(iv_min(iv_neg(a), iv_neg(b))); }

static Iv iv_powi(Iv a, int32_t n)
{
    if (empty(a))
        return a;
    if (n < 0)
        return iv_div(iv_point(1), iv_powi(a, -n), false);
    Iv size = n & 1 ? a : iv_abs(a); /* an even power rises with |x|, an odd one with x */
    return iv_ends(sx_powi_value(size.low, n), sx_powi_value(size.high, n), sx_powi_value(least(size), n),
                   sx_powi_value(most(size), n), a.nan);
}

static Iv power_of(Iv a, Iv b)
{
    if (a.low < 0) {
        bool whole = b.low == b.high && b.low == floor(b.low) && fabs(b.low) <= INT32_MAX;
        if (!whole)
            return (Iv){-INFINITY, INFINITY, true, true, true};
        Iv out = iv_powi(a, (int32_t)b.low);
        double slack = (4 + fabs(b.low)) * 3e-16; /* the products of powi round more often than pow does */
        out.low -= isfinite(out.low) ? fabs(out.low) * slack : 0;
        out.high += isfinite(out.high) ? fabs(out.high) * slack : 0;
        return out;
    }
    Iv out = corners(a, b, pow, false);
    out.low = fmax(wider(out.low, -INFINITY), 0), out.high = wider(out.high, INFINITY);
    if (a.low == 0 && b.low < 0) /* (-0) ^ -1, 0 ^ -1 */
        out = (Iv){-INFINITY, INFINITY, false, true, true};
    return out;
}

/* pow(x, 0) and pow(1, y) are 1 even for NaN. */
static Iv iv_pow(Iv a, Iv b)
{
    if (empty(a) || empty(b))
        return has(b, 0) || has(a, 1) ? (Iv){1, 1, true, false, false} : iv_empty();
    bool nan = a.nan || b.nan;
    a.nan = b.nan = false;
    Iv out = power_of(a, b);
    if (nan)
        out.nan = true, out.low = fmin(out.low, 1), out.high = fmax(out.high, 1);
    return out;
}

static Iv truth(bool always, bool never)
{
    return always ? iv_point(1) : never ? iv_point(0) : (Iv){0, 1, false, false, false};
}

/* A comparison with NaN is false, so it is never certain to hold where NaN may be, and may be certain not to. */
static Iv iv_lt(Iv a, Iv b, bool same)
{
    bool nan = a.nan || b.nan, none = empty(a) || empty(b);
    return truth(!nan && !none && a.high < b.low, same || none || a.low >= b.high);
}

static Iv iv_le(Iv a, Iv b, bool same)
{
    bool nan = a.nan || b.nan, none = empty(a) || empty(b);
    return truth(!nan && !none && (same || a.high <= b.low), none || a.low > b.high);
}

static Iv iv_eq(Iv a, Iv b, bool same)
{
    bool nan = a.nan || b.nan, none = empty(a) || empty(b);
    bool point = a.low == a.high && b.low == b.high && a.low == b.low;
    return truth(!nan && !none && (same || point), none || (!same && (a.high < b.low || b.high < a.low)));
}

static Iv iv_select(Iv c, Iv a, Iv b)
{
    if (!has(c, 0)) /* NaN is not zero */
        return a;
    if (c.low == 0 && c.high == 0 && !c.nan)
        return b;
    bool low = (a.low == -INFINITY && a.reach_low) || (b.low == -INFINITY && b.reach_low);
    bool high = (a.high == INFINITY && a.reach_high) || (b.high == INFINITY && b.reach_high);
    return (Iv){fmin(a.low, b.low), fmax(a.high, b.high), a.nan || b.nan, low, high};
}

/* The product is not rounded before it is added. */
static Iv iv_fma(Iv a, Iv b, Iv c, bool same)
{
    Iv product = iv_mul(a, b, same);
    product.low = wider(product.low, -INFINITY);
    product.high = wider(product.high, INFINITY);
    return iv_add(product, c);
}

static Iv iv_settle(Iv a)
{
    if (empty(a))
        return a;
    a.low = fabs(a.low) < 0x1p-124 ? fmin(a.low, 0) : a.low;
    a.high = fabs(a.high) < 0x1p-124 ? fmax(a.high, 0) : a.high;
    return a;
}

#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, ...) \
    static Iv enclose_##op(int32_t n, Iv a, Iv b, Iv c, bool same)    \
    {                                                                 \
        (void)n, (void)a, (void)b, (void)c, (void)same;               \
        return bound;                                                 \
    }
#include "graph/sx_prims.inc"

static Iv (*const enclose[])(int32_t n, Iv a, Iv b, Iv c, bool same) = {
#define SX_PRIM(op, ...) enclose_##op,
#include "graph/sx_prims.inc"
};

void sx_tape_bound(const SxTape *tape, const Iv *args, unsigned n, Iv *memo)
{
    for (uint32_t i = 0; i < tape->n; i++) {
        const SxStep *s = &tape->step[i];
        if (s->op == SX_NUM)
            memo[i] = isnan(s->number) ? iv_empty() : iv_point(s->number);
        else if (s->op == SX_ARG)
            memo[i] = (unsigned)s->index < n ? args[s->index] : iv_all();
        else
            memo[i] = enclose[s->op](s->index, memo[s->in[0]], memo[s->in[1]], memo[s->in[2]], s->in[0] == s->in[1]);
    }
}

SxInterval sx_bounds(const SxPool *pool, Sx x, const SxInterval *args, unsigned n)
{
    Arena *arena = arena_new();
    SxTape tape = sx_tape(pool, &x, 1, arena);
    Iv *memo = arena_array(arena, Iv, tape.n), *in = arena_array(arena, Iv, n + 1);
    for (unsigned i = 0; i < n; i++)
        in[i] = iv_of(args[i]);
    sx_tape_bound(&tape, in, n, memo);
    Iv whole = memo[tape.root[0]];
    arena_free(arena);
    return (SxInterval){whole.low, whole.high, whole.nan};
}
