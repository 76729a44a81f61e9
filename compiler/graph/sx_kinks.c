/* Kinks and jumps: where a primitive changes its branch. Each branching node has a state at each point (the sign of
 * what abs looks at, which operand of a min is the smaller, the truth of a comparison, …); between two points with
 * different states lies a change, found by bisection. */
#include "graph/sx_inner.h"

#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

/* ── where to look ── */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef VEC(double) Points;

static void add_point(Points *points, double x, double low, double high, Arena *arena)
{
    if (x >= low && x <= high)
        *vec_push(arena, points) = x;
}

double *sx_grid(double low, double high, uint32_t *n, Arena *arena)
{
    double from = isinf(low) ? -1e300 : low, to = isinf(high) ? 1e300 : high;
    Points points = {0};
    for (int k = 0; k <= 256; k++) {
        if (!isinf(low) && !isinf(high))
            add_point(&points, low + (high - low) * (k / 256.0), from, to, arena);
        add_point(&points, k / 16.0, from, to, arena), add_point(&points, -k / 16.0, from, to, arena);
    }
    double factor = 1.189207115002721; /* 2^(1/4) */
    for (double x = 1.0 / 16; x > 1e-7; x /= 2)
        add_point(&points, x, from, to, arena), add_point(&points, -x, from, to, arena);
    for (double x = 16; x < 1e6; x *= factor)
        add_point(&points, x, from, to, arena), add_point(&points, -x, from, to, arena);
    for (double x = 1e6; x < 1e301; x *= x < 1e18 ? 10 : 1e6)
        add_point(&points, x, from, to, arena), add_point(&points, -x, from, to, arena);
    add_point(&points, from, from, to, arena), add_point(&points, to, from, to, arena);
    qsort(points.at, points.n, sizeof *points.at, by_value);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < points.n; i++)
        if (!kept || points.at[i] > points.at[kept - 1])
            points.at[kept++] = points.at[i];
    *n = kept;
    return points.at;
}

/* ── states ── */

static double sign(double x) { return (double)((x > 0) - (x < 0)); }

static double order(double a, double b) { return (double)((a > b) - (a < b)); }

static const bool branches[] = {
#define SMOOTH false
#define AT(e)  true
#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, ...) branch,
#include "graph/sx_prims.inc"
#undef SMOOTH
#undef AT
};

#define SMOOTH 0
#define AT(e)  (e)
#define SX_PRIM(op, name, arity, cost, value, da, db, dc, bound, branch, ...) \
    static double branch_at_##op(double a, double b, double y)                \
    {                                                                         \
        (void)a, (void)b, (void)y;                                            \
        return branch;                                                        \
    }
#include "graph/sx_prims.inc"

static double (*const branch_at[])(double a, double b, double y) = {
#define SX_PRIM(op, ...) branch_at_##op,
#include "graph/sx_prims.inc"
};

/* Which branch a node takes at point k. */
static double state(const SxCurve *curve, const SxStep *s, size_t k)
{
    const double *value = curve->value + k;
    return branch_at[s->op](value[(size_t)s->in[0] * SX_BLOCK], value[(size_t)s->in[1] * SX_BLOCK],
                            value[(size_t)(s - curve->tape.step) * SX_BLOCK]);
}

typedef struct Watch {
    SxCurve *curve;
    const SxStep **step; /* the branching ones */
    uint32_t n;
    double *left, *now; /* states */
} Watch;

static void read_states(const Watch *watch, size_t k, double *out)
{
    for (uint32_t i = 0; i < watch->n; i++)
        out[i] = state(watch->curve, watch->step[i], k);
}

static bool as_left(const Watch *watch)
{
    for (uint32_t i = 0; i < watch->n; i++)
        if (watch->now[i] != watch->left[i])
            return false;
    return true;
}

/* The first point after `left` (whose states are watch->left) where they have changed; they have at *right. Narrows
 * to neighbours. */
static double first_change(const Watch *watch, double left, double *right)
{
    while (*right - left > 4e-16 * fmax(fabs(left), fabs(*right)) && *right - left > 1e-17) {
        double middle = left + (*right - left) / 2;
        if (middle <= left || middle >= *right)
            break;
        sx_curve_run(watch->curve, &middle, 1);
        read_states(watch, 0, watch->now);
        if (as_left(watch))
            left = middle;
        else
            *right = middle;
    }
    /* a short binary fraction beside or between the two is what was meant: 0, 3, 0.5 */
    double nice = nearbyint(*right * 1048576) / 1048576;
    double slack = 1e-15 * (1 + fabs(nice));
    return nice >= left - slack && nice <= *right + slack ? nice : *right;
}

unsigned sx_curve_kinks(SxCurve *curve, double low, double high, double *at, unsigned cap, Arena *arena)
{
    Watch watch = {.curve = curve};
    watch.step = arena_array(arena, const SxStep *, curve->tape.n);
    for (uint32_t i = 0; i < curve->tape.n; i++)
        if (branches[curve->tape.step[i].op])
            watch.step[watch.n++] = &curve->tape.step[i];
    if (!watch.n)
        return 0;
    uint32_t n;
    double *x = sx_grid(low, high, &n, arena);
    double *states = arena_array(arena, double, (size_t)n * watch.n);
    for (uint32_t first = 0; first < n; first += SX_BLOCK) {
        uint32_t count = n - first < SX_BLOCK ? n - first : SX_BLOCK;
        sx_curve_run(curve, x + first, count);
        for (uint32_t k = 0; k < count; k++)
            read_states(&watch, k, states + (size_t)(first + k) * watch.n);
    }
    watch.left = arena_array(arena, double, watch.n);
    watch.now = arena_array(arena, double, watch.n);
    unsigned found = 0;
    double last = -INFINITY;
    for (uint32_t i = 0; i + 1 < n; i++) {
        double left = x[i];
        for (uint32_t k = 0; k < watch.n; k++)
            watch.left[k] = states[(size_t)i * watch.n + k];
        for (unsigned guard = 0; guard < 64; guard++) { /* several changes may lie between two points */
            for (uint32_t k = 0; k < watch.n; k++)
                watch.now[k] = states[(size_t)(i + 1) * watch.n + k];
            if (as_left(&watch))
                break;
            double right = x[i + 1], kink = first_change(&watch, left, &right);
            if (kink > low && kink < high && kink - last > 1e-12 * (1 + fabs(kink))) {
                if (found < cap)
                    at[found] = kink;
                found++, last = kink;
            }
            sx_curve_run(curve, &right, 1);
            read_states(&watch, 0, watch.left);
            left = right;
        }
    }
    return found;
}

unsigned sx_kinks(SxPool *pool, Sx f, unsigned arg, double low, double high, double *at, unsigned cap)
{
    Arena *arena = arena_new();
    SxCurve curve = sx_curve(pool, &f, 1, arg, NULL, arena);
    unsigned found = sx_curve_kinks(&curve, low, high, at, cap, arena);
    arena_free(arena);
    return found;
}
