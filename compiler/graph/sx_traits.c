/* The properties of an activation, read off its expression. What two of the words mean here:
 *
 * dies: the slope is exactly 0 from some kink on, on one side or both (relu, relu6, hard_sigmoid, hard_tanh,
 * hard_swish). A unit whose inputs all lie there receives no gradient, ever. A slope that only tends to 0 (sigmoid,
 * silu, elu) can recover; that a double rounds it to 0 far out does not count.
 *
 * saturates: the slope tends to 0 on both sides, and on both it is below a tenth of its greatest value somewhere
 * within 5 deviations of N(0, 1) (sigmoid, tanh, softsign, hard_sigmoid, hard_tanh). relu6 is flat above 6, where a
 * normalised value does not come: it does not saturate. */
#include "graph/sx_inner.h"

#include <math.h>
#include <string.h>

#define NEAR 5.0

typedef struct Look {
    SxCurve curve; /* roots: f and f' */
    double kink[256];
    unsigned n_kink;
} Look;

static double look_at(Look *look, unsigned root, double x)
{
    sx_curve_run(&look->curve, &x, 1);
    return sx_curve_at(&look->curve, root, 0);
}

static bool is_smooth(Look *look, double max_slope)
{
    for (unsigned i = 0; i < look->n_kink; i++) {
        double step = 1e-8 * (1 + fabs(look->kink[i]));
        for (unsigned root = 0; root < 2; root++) { /* neither f nor f' jumps */
            double left = look_at(look, root, look->kink[i] - step), right = look_at(look, root, look->kink[i] + step);
            if (!(fabs(left - right) <= 1e-5 * fmin(1 + max_slope, 1e6)))
                return false;
        }
    }
    return isfinite(max_slope);
}

/* f' exactly 0 beyond the outermost kink of that side. */
static bool is_flat(Look *look, int side)
{
    double from = look->n_kink ? look->kink[side < 0 ? 0 : look->n_kink - 1] : 0;
    for (double step = 1e-3; step < 1e3; step *= 2)
        if (look_at(look, 1, from + side * step) != 0)
            return false;
    return true;
}

static bool tires(Look *look, int side, double max_slope)
{
    double least = INFINITY, last = 0;
    for (unsigned k = 1; k <= 40; k++)
        least = fmin(least, fabs(look_at(look, 1, side * NEAR * k / 40)));
    for (double x = 1e5; x < 1e8; x *= 3.7)
        last = fmax(last, fabs(look_at(look, 1, side * x)));
    return least <= 0.1 * max_slope && last <= 1e-4 * max_slope;
}

/* f(-x) = -f(x), f(f(x)) = f(x), at points that no function has a reason to favour. */
static void symmetries(Look *look, SxTraits *traits)
{
    traits->odd = traits->idempotent = true;
    for (unsigned k = 0; k < 400; k++) {
        double x = fmod(k * 0.61803398874989485, 1) * (k & 1 ? 3 : 20) + 1e-3, y = look_at(look, 0, x);
        double mirror = look_at(look, 0, -x), tolerance = 1e-12 * (1 + fabs(y) + fabs(mirror));
        traits->odd &= fabs(y + mirror) <= tolerance;
        traits->idempotent &= fabs(look_at(look, 0, y) - y) <= tolerance;
        traits->idempotent &= fabs(look_at(look, 0, mirror) - mirror) <= tolerance;
    }
}

static bool is_monotone(Look *look, const SxTraits *traits)
{
    double slack = 1e-9 * fmin(traits->max_slope, 1e9), rise = 0, fall = 0, last = look_at(look, 0, -30);
    for (double x = -30; x <= 30; x += 1.0 / 64) { /* slopes do not see jumps */
        double y = look_at(look, 0, x), step = y - last, dust = 1e-13 * (1 + fabs(y));
        rise = fmax(rise, step - dust), fall = fmax(fall, -step - dust), last = y;
    }
    return (traits->slope_range.low >= -slack && fall <= 0) || (traits->slope_range.high <= slack && rise <= 0);
}

SxTraits sx_traits(SxPool *pool, Sx f)
{
    static const char key;
    const SxTraits *known = sx_recall(pool, f, &key);
    if (known)
        return *known;
    ACT_ASSERT(!(sx_args_used(pool, f) & ~1ull));
    Arena *arena = arena_new();
    Sx roots[2] = {f, sx_derivative(pool, f, 0)};
    Look *look = arena_new_of(arena, Look);
    look->curve = sx_curve(pool, roots, 2, 0, NULL, arena);
    look->n_kink = sx_curve_kinks(&look->curve, -INFINITY, INFINITY, look->kink, 256, arena);
    if (look->n_kink > 256) /* floor and the like: where values are */
        look->n_kink = sx_curve_kinks(&look->curve, -32, 32, look->kink, 256, arena);
    look->n_kink = look->n_kink < 256 ? look->n_kink : 256;

    SxTraits t = {.range = sx_range(pool, f, 0, -INFINITY, INFINITY),
                  .slope_range = sx_range(pool, roots[1], 0, -INFINITY, INFINITY),
                  .unit = sx_gauss(pool, f, 0, NULL, 0, 1),
                  .cost = sx_cost(pool, f)};
    t.max_slope = fmax(fabs(t.slope_range.low), fabs(t.slope_range.high));
    t.zero_centred = fabs(t.unit.mean) <= 0.05 * sqrt(t.unit.second);
    t.smooth = is_smooth(look, t.max_slope);
    t.monotone = is_monotone(look, &t);
    t.dies = (look->n_kink && (is_flat(look, -1) || is_flat(look, 1))) || sx_is_number(pool, roots[1], 0);
    t.saturates = tires(look, -1, t.max_slope) && tires(look, 1, t.max_slope);
    symmetries(look, &t);
    t.gain = 1 / sqrt(t.unit.second);
    arena_free(arena);
    sx_remember(pool, f, &key, arena_copy(sx_pool_arena(pool), &t, sizeof t));
    return t;
}
