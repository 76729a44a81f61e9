/* The range of a function of one argument: samples give values that are reached, enclosures of ever smaller boxes
 * show that nothing lies outside them. Where the two do not meet (an end that is only approached at infinity, as in
 * x / (1 + |x|)) the samples far out decide. */
#include "graph/sx_inner.h"

#include "base/vec.h"

#include <math.h>

#define BUDGET 20000 /* boxes */
#define WORK   3e5   /* steps of the tape over all boxes: longer formulas get fewer of them … */
#define LONG   96    /* … and from so many steps on one enclosure, so that a whole tower of powers takes no second */
#define TAIL   1e6   /* beyond, boxes are not cut: relative to x everything there is far out */

typedef struct Search {
    SxCurve curve; /* roots: f and f' */
    unsigned arg;
    Iv *args, *memo;
    double low, high;        /* reached */
    bool nan;
    bool smooth;             /* f has no jump: the mean value form holds */
    Arena *arena;
} Search;

static void see(Search *s, double y)
{
    if (isnan(y))
        s->nan = true;
    else
        s->low = fmin(s->low, y), s->high = fmax(s->high, y);
}

static double value_at(Search *s, double x)
{
    sx_curve_run(&s->curve, &x, 1);
    return sx_curve_at(&s->curve, 0, 0);
}

/* Golden section for the greatest sign * f between two points. */
static void climb(Search *s, double a, double b, double sign)
{
    const double ratio = 0.61803398874989484820;
    double u = b - ratio * (b - a), v = a + ratio * (b - a), fu = sign * value_at(s, u), fv = sign * value_at(s, v);
    for (unsigned k = 0; k < 90 && b - a > 1e-15 * (fabs(a) + fabs(b)); k++) {
        see(s, sign * fu), see(s, sign * fv);
        if (fu > fv) {
            b = v, v = u, fv = fu;
            u = b - ratio * (b - a), fu = sign * value_at(s, u);
        } else {
            a = u, u = v, fu = fv;
            v = a + ratio * (b - a), fv = sign * value_at(s, v);
        }
    }
}

static void sample(Search *s, const double *x, uint32_t n, const double *kink, unsigned n_kink)
{
    uint32_t lowest = 0, highest = 0;
    double low = INFINITY, high = -INFINITY;
    for (uint32_t first = 0; first < n; first += SX_BLOCK) {
        uint32_t count = n - first < SX_BLOCK ? n - first : SX_BLOCK;
        sx_curve_run(&s->curve, x + first, count);
        for (uint32_t k = 0; k < count; k++) {
            double y = sx_curve_at(&s->curve, 0, k);
            see(s, y);
            if (y < low)
                low = y, lowest = first + k;
            if (y > high)
                high = y, highest = first + k;
        }
    }
    for (unsigned i = 0; i < n_kink; i++)
        if (kink[i] > x[0] && kink[i] < x[n - 1]) { /* a jump has a value on either side */
            see(s, value_at(s, nextafter(kink[i], -INFINITY)));
            see(s, value_at(s, kink[i]));
            see(s, value_at(s, nextafter(kink[i], INFINITY)));
        }
    climb(s, x[lowest ? lowest - 1 : 0], x[lowest + 1 < n ? lowest + 1 : n - 1], -1);
    climb(s, x[highest ? highest - 1 : 0], x[highest + 1 < n ? highest + 1 : n - 1], 1);
}

static Iv enclose(Search *s, double a, double b)
{
    s->args[s->arg] = (Iv){a, b, false, false, false};
    sx_tape_bound(&s->curve.tape, s->args, s->arg + 1, s->memo);
    Iv f = s->memo[s->curve.tape.root[0]], slope = s->memo[s->curve.tape.root[1]];
    double middle = a + (b - a) / 2;
    if (isinf(a) || isinf(b))
        return f;
    double y = value_at(s, middle), half = (b - a) / 2 * (1 + 1e-12);
    see(s, y);
    double steep = fmax(fabs(slope.low), fabs(slope.high));
    if (!s->smooth || slope.nan || !isfinite(steep) || !isfinite(y))
        return f;
    double slack = 4e-16 * fabs(y); /* f(x) lies in f(middle) + f'(box) * (x - middle) */
    f.low = fmax(f.low, y - half * steep - slack), f.high = fmin(f.high, y + half * steep + slack);
    return f;
}

/* Is f still on its way far out? log and sqrt are, x / (1 + |x|) is not. */
static void follow_tail(Search *s, int side)
{
    Iv tail = enclose(s, side < 0 ? -INFINITY : 1e150, side < 0 ? -1e150 : INFINITY);
    double near = value_at(s, side * 1e150), far = value_at(s, side * 1e300);
    if (!isfinite(far) || !isfinite(near)) /* an infinity was sampled; a NaN says nothing */
        return;
    bool moves = fabs(far - near) > 1e-6 * (1 + fabs(far)) || fabs(far) > 1e100;
    if (moves && far > 0 && far >= near && tail.high == INFINITY)
        s->high = INFINITY;
    if (moves && far < 0 && far <= near && tail.low == -INFINITY)
        s->low = -INFINITY;
}

typedef struct Box {
    double low, high;
} Box;

/* What enclosures add to the samples. */
static void prove(Search *s, const double *cut, uint32_t n, bool open_low, bool open_high)
{
    VEC(Box) box = {0};
    for (uint32_t i = 0; i + 1 < n; i++)
        *vec_push(s->arena, &box) = (Box){cut[i], cut[i + 1]};
    if (open_low)
        *vec_push(s->arena, &box) = (Box){-INFINITY, cut[0]};
    if (open_high)
        *vec_push(s->arena, &box) = (Box){cut[n - 1], INFINITY};
    double most = fmin(BUDGET, fmax(1000, WORK / s->curve.tape.n));
    bool maybe_nan = false;
    double low = INFINITY, high = -INFINITY; /* of boxes as narrow as they get */
    for (uint32_t i = 0; i < box.n; i++) {
        Box b = box.at[i];
        Iv f = enclose(s, b.low, b.high);
        double scale = 1e-9 * fmin(fabs(s->low) + fabs(s->high), 1e300);
        double below = s->low - fmax(4e-7 * fabs(s->low), scale), above = s->high + fmax(4e-7 * fabs(s->high), scale);
        bool within = f.low >= below && f.high <= above, clear = s->nan || !f.nan;
        if (within && clear)
            continue;
        double middle = b.low + (b.high - b.low) / 2;
        bool narrow = b.high - b.low < 1e-12 * (1 + fabs(middle)), tail = b.low >= TAIL || b.high <= -TAIL;
        if (narrow || tail || box.n >= most) {
            if (narrow && !tail) /* a pole, or a jump */
                low = fmin(low, f.low), high = fmax(high, f.high);
            maybe_nan |= f.nan;
            continue;
        }
        *vec_push(s->arena, &box) = (Box){b.low, middle};
        *vec_push(s->arena, &box) = (Box){middle, b.high};
    }
    s->low = fmin(s->low, low), s->high = fmax(s->high, high);
    s->nan |= maybe_nan;
}

/* Jumps make the mean value form wrong, on either side of them. */
static bool has_jump(Search *s, const double *kink, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        double step = 1e-9 * (1 + fabs(kink[i]));
        double left = value_at(s, kink[i] - step), right = value_at(s, kink[i] + step);
        double here = value_at(s, kink[i]), scale = 1e-6 * (1 + fabs(left) + fabs(right));
        if (!(fabs(left - here) <= scale && fabs(right - here) <= scale))
            return true;
    }
    return false;
}

/* One enclosure, the other arguments free. */
static SxInterval range_at_once(const SxPool *pool, Sx x, unsigned arg, double low, double high)
{
    SxInterval line[64];
    for (unsigned i = 0; i < 64; i++)
        line[i] = i == arg ? (SxInterval){low, high, false} : (SxInterval){-INFINITY, INFINITY, false};
    return sx_bounds(pool, x, line, 64);
}

static SxInterval find_range(const SxPool *pool, Sx x, unsigned arg, double low, double high)
{
    if (sx_args_used(pool, x) & ~(1ull << arg) || sx_size(pool, x) > LONG)
        return range_at_once(pool, x, arg, low, high);
    Arena *arena = arena_new();
    Sx roots[2] = {x, sx_derivative(sx_pool_growing(pool), x, arg)};
    Search s = {.arg = arg, .low = INFINITY, .high = -INFINITY, .arena = arena};
    s.curve = sx_curve(pool, roots, 2, arg, NULL, arena);
    if (s.curve.tape.n > LONG) {
        arena_free(arena);
        return range_at_once(pool, x, arg, low, high);
    }
    s.args = arena_array(arena, Iv, 64);
    s.memo = arena_array(arena, Iv, s.curve.tape.n);
    double kink[256];
    unsigned n_kink = sx_curve_kinks(&s.curve, low, high, kink, 256, arena);
    n_kink = n_kink < 256 ? n_kink : 256;
    s.smooth = n_kink < 256 && !has_jump(&s, kink, n_kink);
    uint32_t n;
    double *grid = sx_grid(low, high, &n, arena);
    sample(&s, grid, n, kink, n_kink);
    if (isinf(high))
        follow_tail(&s, 1);
    if (isinf(low))
        follow_tail(&s, -1);
    if (s.low <= s.high)
        prove(&s, grid, n, isinf(low), isinf(high));
    arena_free(arena);
    return (SxInterval){s.low + 0.0, s.high + 0.0, s.nan}; /* no -0 */
}

/* The same function over the same values, layer after layer. */
typedef struct Ranges {
    unsigned n, next;
    struct {
        unsigned arg;
        double low, high;
        SxInterval range;
    } known[4];
} Ranges;

SxInterval sx_range(const SxPool *pool, Sx x, unsigned arg, double low, double high)
{
    static const char key;
    ACT_ASSERT(arg < 64);
    Ranges *ranges = sx_recall(pool, x, &key);
    if (!ranges) {
        ranges = arena_new_of(sx_pool_arena(pool), Ranges);
        sx_remember(sx_pool_growing(pool), x, &key, ranges);
    }
    for (unsigned i = 0; i < ranges->n; i++)
        if (ranges->known[i].arg == arg && ranges->known[i].low == low && ranges->known[i].high == high)
            return ranges->known[i].range;
    SxInterval range = find_range(pool, x, arg, low, high);
    unsigned at = ranges->n < 4 ? ranges->n++ : ranges->next++ % 4;
    ranges->known[at].arg = arg;
    ranges->known[at].low = low;
    ranges->known[at].high = high;
    ranges->known[at].range = range;
    return range;
}
