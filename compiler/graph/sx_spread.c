/* The moments of f(Z) that signal propagation asks at every layer: a fixed Gauss-Kronrod rule, panel by panel between
 * the kinks.
 *
 * The cross moment of two samples comes from the Hermite expansion of f: with f(μ + σ z) = Σ a_k h_k(z), h_k the
 * orthonormal Hermite polynomials, E f(Z) f(Z') = Σ a_k² ρ^k (Mehler's formula). The series is summed to TERMS; what
 * E f² has beyond it lies in terms that fall as a power of k (k^-5/2 behind a kink, k^-3/2 behind a jump), whose
 * exponent is read off the last computed ones. So the correlation of relu's outputs is right close to 1 too, where deep
 * networks live. */
#include "graph/sx_inner.h"

#include <math.h>
#include <string.h>

enum { POINTS = 15, TERMS = 25, TAIL_STEPS = 48, LANES = 4 };

typedef struct Sums {
    SxSpread spread;
    double hermite[TERMS]; /* a_k */
} Sums;

typedef struct Points { /* of the quadrature, a block of the tape at a time */
    double z[SX_BLOCK], weight[SX_BLOCK];
    unsigned n;
} Points;

/* Σ part[k] h_n(z[k]) for n < TERMS, by the recurrence of the orthonormal polynomials. n_point is a multiple of LANES. */
static void add_hermite(double *hermite, const double *z, const double *part, unsigned n_point)
{
    double before[SX_BLOCK] = {0}, now[SX_BLOCK];
    for (unsigned k = 0; k < n_point; k++)
        now[k] = 1;
    for (unsigned n = 0; n < TERMS; n++) {
        double sum[LANES] = {0}, root = sqrt(n), next = 1 / sqrt(n + 1);
        for (unsigned k = 0; k < n_point; k += LANES)
            for (unsigned lane = 0; lane < LANES; lane++) {
                double here = now[k + lane], higher = (z[k + lane] * here - root * before[k + lane]) * next;
                sum[lane] += part[k + lane] * here;
                before[k + lane] = here;
                now[k + lane] = higher;
            }
        for (unsigned lane = 0; lane < LANES; lane++)
            hermite[n] += sum[lane];
    }
}

static void add_panel(Points *points, double from, double to)
{
    double half = (to - from) / 2, middle = from + half;
    for (unsigned k = 0; k < POINTS; k++, points->n++) {
        double z = middle + half * (k < 8 ? -sx_kronrod_node[k] : sx_kronrod_node[14 - k]);
        points->z[points->n] = z;
        points->weight[points->n] =
            exp(-z * z / 2) * 0.39894228040143267794 * half * sx_kronrod_weight[k < 8 ? k : 14 - k];
    }
}

static void add_points(Sums *sums, SxCurve *curve, double mean, double deviation, Points *points)
{
    double x[SX_BLOCK], part[SX_BLOCK] = {0};
    for (unsigned k = 0; k < points->n; k++)
        x[k] = mean + deviation * points->z[k];
    sx_curve_run(curve, x, points->n);
    SxSpread *s = &sums->spread;
    for (unsigned k = 0; k < points->n; k++) {
        double f = sx_curve_at(curve, 0, k), slope = sx_curve_at(curve, 1, k), f2 = f * f, slope2 = slope * slope;
        double weight = points->weight[k];
        part[k] = weight * f;
        s->mean += part[k];
        s->second += weight * f2;
        s->fourth += weight * f2 * f2;
        s->slope2 += weight * slope2;
        s->slope4 += weight * slope2 * slope2;
    }
    unsigned n = points->n;
    while (n % LANES)
        points->z[n++] = 0;
    add_hermite(sums->hermite, points->z, part, n);
    points->n = 0;
}

/* Σ k^-p ρ^k over Σ k^-p, both from TERMS on: (p - 1) ∫ y^-p e^(-a y) dy over [1, ∞), with y = 1 / s². */
static double tail_share(double p, double rho)
{
    double a = -log(rho) * (TERMS - 0.5), sum = 0;
    for (unsigned i = 1; i <= TAIL_STEPS; i++) { /* Simpson; the integrand is 0 at s = 0 */
        double s = (double)i / TAIL_STEPS, weight = i == TAIL_STEPS ? 1 : i % 2 ? 4 : 2;
        sum += weight * 2 * (p - 1) * pow(s, 2 * p - 3) * exp(-a / (s * s));
    }
    return fmin(1, sum / (3 * TAIL_STEPS));
}

static double cross_moment(const Sums *sums, double rho)
{
    double sum = 0, power = 1, known = 0, upper = 0, second = sums->spread.second;
    if (!(rho > 0))
        return sums->spread.mean * sums->spread.mean;
    if (rho >= 1)
        return second;
    for (unsigned k = 0; k < TERMS; k++) {
        double energy = sums->hermite[k] * sums->hermite[k];
        sum += energy * power;
        known += energy;
        upper += k > TERMS / 2 ? energy : 0;
        power *= rho;
    }
    double rest = second - known;
    if (rest <= 1e-9 * second || !(upper > 0))
        return sum;
    double p = fmin(20, 1 + log2(1 + upper / rest)); /* Σ k^-p over (K/2, K] against (K, ∞) */
    return sum + rest * tail_share(fmax(1.6, p), rho);
}

static Sums sums_at_point(SxPrepared *prepared, double mean)
{
    Sums sums = {0};
    sx_curve_run(&prepared->curve, &mean, 1);
    double f = sx_curve_at(&prepared->curve, 0, 0), slope2 = pow(sx_curve_at(&prepared->curve, 1, 0), 2);
    sums.spread = (SxSpread){f, f * f, f * f * f * f, slope2, slope2 * slope2, f * f};
    sums.hermite[0] = f;
    return sums;
}

static Sums measure(SxPool *pool, Sx f, unsigned arg, const double *args, double mean, double deviation)
{
    Arena *arena = arena_new();
    SxPrepared *prepared = sx_gauss_prepared(pool, f, arg, args, arena);
    Sums sums = {0};
    if (deviation == 0) {
        sums = sums_at_point(prepared, mean);
    } else {
        const double *kink = prepared->kink;
        unsigned n_kink = prepared->n_kink;
        uint32_t n_cut;
        if (n_kink > SX_MAX_KINKS) {
            double *near = arena_array(arena, double, SX_MAX_KINKS);
            n_kink = sx_curve_kinks(&prepared->curve, mean - 10 * deviation, mean + 10 * deviation, near, SX_MAX_KINKS,
                                    arena);
            n_kink = n_kink < SX_MAX_KINKS ? n_kink : SX_MAX_KINKS;
            kink = near;
        }
        const double *cut = sx_gauss_cuts(mean, deviation, kink, n_kink, &n_cut, arena);
        Points points = {.n = 0};
        for (uint32_t i = 0; i + 1 < n_cut; i++) {
            if (!(cut[i + 1] > cut[i]))
                continue;
            if (points.n + POINTS > SX_BLOCK)
                add_points(&sums, &prepared->curve, mean, deviation, &points);
            add_panel(&points, cut[i], cut[i + 1]);
        }
        add_points(&sums, &prepared->curve, mean, deviation, &points);
    }
    arena_free(arena);
    return sums;
}

static SxSpread with_cross(const Sums *sums, double corr)
{
    SxSpread spread = sums->spread;
    spread.cross = cross_moment(sums, corr);
    return spread;
}

/* What was asked is asked again on the way back, without dropout, and by the next layer where the signal is steady. */
enum { MEMO_MOST = 4096 }; /* then it begins anew */

typedef struct Asked {
    bool known;
    double mean, deviation;
    Sums sums;
} Asked;

typedef struct Memo {
    bool probed, homogeneous; /* f(a x) = a f(x) for positive a: relu and its leaky kin */
    Asked *slot;              /* open addressing */
    uint32_t n, n_slot;
} Memo;

static bool is_homogeneous(SxPool *pool, Sx f)
{
    static const double at[] = {-3.7, -1, -0.31, 0.06, 0.8, 2.9};
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++)
        for (double scale = 0.125; scale <= 64; scale *= 8)
            if (sx_eval(pool, f, (double[]){scale * at[i]}) != scale * sx_eval(pool, f, &at[i]))
                return false;
    return true;
}

static Memo *memo_of(SxPool *pool, Sx f)
{
    static const char key;
    Memo *memo = sx_recall(pool, f, &key);
    if (!memo) {
        memo = arena_new_of(sx_pool_arena(pool), Memo);
        sx_remember(pool, f, &key, memo);
    }
    if (!memo->probed)
        memo->homogeneous = is_homogeneous(pool, f);
    memo->probed = true;
    return memo;
}

static Asked *memo_slot(const Memo *memo, double mean, double deviation)
{
    uint64_t bits[2], hash = 0;
    memcpy(bits, (double[]){mean, deviation}, sizeof bits);
    for (unsigned i = 0; i < 2; i++)
        hash = (hash ^ bits[i]) * 0x9E3779B97F4A7C15u;
    uint32_t i = (uint32_t)(hash >> 40) & (memo->n_slot - 1);
    while (memo->slot[i].known && (memo->slot[i].mean != mean || memo->slot[i].deviation != deviation))
        i = (i + 1) & (memo->n_slot - 1);
    return &memo->slot[i];
}

static void memo_grow(SxPool *pool, Memo *memo)
{
    Memo old = *memo;
    memo->n_slot = old.n_slot ? 2 * old.n_slot : 16;
    memo->slot = arena_array(sx_pool_arena(pool), Asked, memo->n_slot);
    for (uint32_t i = 0; i < old.n_slot; i++)
        if (old.slot[i].known)
            *memo_slot(memo, old.slot[i].mean, old.slot[i].deviation) = old.slot[i];
}

static const Sums *sums_of(SxPool *pool, Sx f, Memo *memo, double mean, double deviation)
{
    if (memo->n == MEMO_MOST) {
        memset(memo->slot, 0, memo->n_slot * sizeof *memo->slot);
        memo->n = 0;
    } else if (2 * (memo->n + 1) > memo->n_slot) {
        memo_grow(pool, memo);
    }
    Asked *at = memo_slot(memo, mean, deviation);
    if (!at->known) {
        *at = (Asked){true, mean, deviation, measure(pool, f, 0, NULL, mean, deviation)};
        memo->n++;
    }
    return &at->sums;
}

SxSpread sx_spread(SxPool *pool, Sx f, unsigned arg, const double *args, double mean, double deviation, double corr)
{
    if (arg != 0 || sx_args_used(pool, f) != 1) {
        Sums sums = measure(pool, f, arg, args, mean, deviation);
        return with_cross(&sums, corr);
    }
    Memo *memo = memo_of(pool, f);
    double scale = memo->homogeneous && mean == 0 && deviation > 0 ? deviation : 1;
    deviation /= scale;
    SxSpread s = with_cross(sums_of(pool, f, memo, mean, deviation), corr);
    double scale2 = scale * scale;
    return (SxSpread){s.mean * scale, s.second * scale2, s.fourth * scale2 * scale2, s.slope2, s.slope4,
                      s.cross * scale2};
}

/* ── the table ── */
enum { PER_OCTAVE = 4, OCTAVES = 128, ENTRIES = 2 * OCTAVES * PER_OCTAVE, FIELDS = 5 };

typedef struct Entry {
    bool known;
    double value[FIELDS]; /* mean as it is, the others' logarithms */
} Entry;

static const Entry *entry(SxPool *pool, Sx f, Entry *table, int i)
{
    i = i < 0 ? 0 : i >= ENTRIES ? ENTRIES - 1 : i;
    if (!table[i].known) {
        SxSpread s = sx_spread(pool, f, 0, NULL, 0, exp2((double)i / PER_OCTAVE - OCTAVES), 0);
        double value[FIELDS] = {s.mean, log(s.second), log(s.fourth), log(s.slope2), log(s.slope4)};
        for (unsigned k = 0; k < FIELDS; k++)
            table[i].value[k] = value[k];
        table[i].known = true;
    }
    return &table[i];
}

SxSpread sx_spread_near(SxPool *pool, Sx f, double deviation)
{
    static const char key;
    double at = (log2(deviation) + OCTAVES) * PER_OCTAVE;
    if (!(at >= 1 && at < ENTRIES - 2))
        return sx_spread(pool, f, 0, NULL, 0, deviation, 0);
    Entry *table = sx_recall(pool, f, &key);
    if (!table) {
        table = arena_array(sx_pool_arena(pool), Entry, ENTRIES);
        sx_remember(pool, f, &key, table);
    }
    int i = (int)at;
    double t = at - i, value[FIELDS];
    const Entry *e[4];
    for (int k = 0; k < 4; k++)
        e[k] = entry(pool, f, table, i - 1 + k);
    for (unsigned k = 0; k < FIELDS; k++) { /* Catmull-Rom */
        double a = e[0]->value[k], b = e[1]->value[k], c = e[2]->value[k], d = e[3]->value[k];
        value[k] = b + t * ((c - a) / 2 + t * (a - 2.5 * b + 2 * c - d / 2 + t * (1.5 * (b - c) + (d - a) / 2)));
        if (!isfinite(value[k])) /* a logarithm of 0 beside it */
            value[k] = t < 0.5 ? b : c;
    }
    return (SxSpread){.mean = value[0],
                      .second = exp(value[1]),
                      .fourth = exp(value[2]),
                      .slope2 = exp(value[3]),
                      .slope4 = exp(value[4]),
                      .cross = value[0] * value[0]};
}
