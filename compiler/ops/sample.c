#include "ops/sample.h"

#include <math.h>

enum { POINTS = 1024, STRATA = 4096, MAX_ARGS = 64 };

/* Of a function's value: E f, E f², E f f' for two samples. */
typedef struct Triple {
    double mean, second, cross;
} Triple;

static double variance(const Moments *m) { return fmax(0, m->second - m->mean * m->mean); }

/* A point: an argument that is the same for all samples and elements. */
static bool is_point(const Moments *m) { return variance(m) <= 1e-12 * fmax(m->second, 1e-300); }

/* The part of an argument's variance that two samples share. */
static double shared_part(const Moments *m)
{
    double var = variance(m);
    return var > 0 ? fmin(1, fmax(0, (m->corr * m->second - m->mean * m->mean) / var)) : 1;
}

static uint64_t varying(const Sample *s, Sx f)
{
    uint64_t used = sx_args_used(s->sx, f), vary = 0;
    for (uint32_t i = 0; i < s->n; i++)
        if ((used >> i & 1) && !is_point(s->in[i]))
            vary |= 1ull << i;
    return vary;
}

/* Points as numbers, the varying argument as argument 0: so that the same function is known again. */
static Sx as_curve(const Sample *s, Sx f, uint32_t which)
{
    Sx to[MAX_ARGS];
    if (which == 0 && sx_args_used(s->sx, f) == 1)
        return f;
    for (uint32_t i = 0; i < s->n; i++)
        to[i] = i == which ? sx_arg(s->sx, 0) : sx_num(s->sx, s->in[i]->mean);
    return sx_substitute(s->sx, f, to, s->n);
}

static SxSpread spread_of(const Sample *s, Sx f, uint32_t which)
{
    const Moments *m = s->in[which];
    double deviation = sqrt(variance(m));
    Sx curve = as_curve(s, f, which);
    if (s->near && fabs(m->mean) <= 1e-6 * deviation)
        return sx_spread_near(s->sx, curve, deviation);
    return sx_spread(s->sx, curve, 0, NULL, m->mean, deviation, s->near ? 0 : shared_part(m));
}

/* Coordinate `axis` of all points of the set, as standard normal numbers (Box and Muller's transform of two Kronecker sequences).
 * Deep and recurrent networks ask for them thousands of times, so what was asked is kept. */
static const double *gauss_points(uint32_t axis)
{
    static const double prime[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29,  31,  37,  41,  43,  47,  53,
                                   59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131};
    static double kept[3 * MAX_ARGS][POINTS];
    static bool known[3 * MAX_ARGS];
    double alpha[2];
    for (uint32_t i = 0; i < 2 && !known[axis]; i++) {
        uint32_t at = 2 * axis + i;
        alpha[i] = sqrt(prime[at % 32] + (double)(at / 32) * 1e-3);
        alpha[i] -= floor(alpha[i]);
    }
    for (uint32_t k = 0; k < POINTS && !known[axis]; k++) {
        double u = fmod(0.5 + (k + 1) * alpha[0], 1), v = fmod(0.5 + (k + 1) * alpha[1], 1);
        kept[axis][k] = sqrt(-2 * log(fmax(u, 1e-12))) * cos(2 * M_PI * v);
    }
    known[axis] = true;
    return kept[axis];
}

static bool is_uniform(const Sample *s, uint32_t i) { return s->uniform >> i & 1; }

/* Of a standard normal number: one between 0 and 1, all alike. */
static double level(double normal) { return 0.5 * erfc(-normal / M_SQRT2); }

/* Of one number drawn uniformly, and anew for every sample: nothing is shared. */
static Triple over_uniform(const Sample *s, Sx f, uint32_t which)
{
    double at[MAX_ARGS] = {0};
    Triple sum = {0};
    for (uint32_t i = 0; i < s->n; i++)
        at[i] = s->in[i]->mean;
    for (uint32_t k = 0; k < STRATA; k++) {
        at[which] = (k + 0.5) / STRATA;
        double y = sx_eval(s->sx, f, at);
        sum.mean += y / STRATA;
        sum.second += y * y / STRATA;
    }
    sum.cross = sum.mean * sum.mean;
    return sum;
}

/* What an argument is at a point, for one sample and for another: its mean and what the three coordinates are multiplied with. */
typedef struct Coordinate {
    uint32_t arg;
    double mean, shared, own;
    const double *z, *a, *b;
} Coordinate;

static uint32_t coordinates(const Sample *s, Sx f, Coordinate *c)
{
    uint64_t used = sx_args_used(s->sx, f);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        double deviation = sqrt(variance(s->in[i])), shared = shared_part(s->in[i]);
        if (used >> i & 1)
            c[n++] = (Coordinate){i, s->in[i]->mean, deviation * sqrt(shared), deviation * sqrt(1 - shared),
                                  gauss_points(3 * i), gauss_points(3 * i + 1), gauss_points(3 * i + 2)};
    }
    return n;
}

static Triple sample_points(const Sample *s, Sx f)
{
    double at[MAX_ARGS] = {0}, other[MAX_ARGS] = {0};
    Coordinate c[MAX_ARGS];
    uint32_t n = coordinates(s, f, c);
    Triple sum = {0};
    for (uint32_t k = 0; k < POINTS; k++) {
        for (uint32_t i = 0; i < n; i++) {
            bool uniform = is_uniform(s, c[i].arg);
            at[c[i].arg] = uniform ? level(c[i].a[k]) : c[i].mean + c[i].shared * c[i].z[k] + c[i].own * c[i].a[k];
            if (!s->alone)
                other[c[i].arg] = uniform ? level(c[i].b[k]) : c[i].mean + c[i].shared * c[i].z[k] + c[i].own * c[i].b[k];
        }
        double y = sx_eval(s->sx, f, at);
        sum.mean += y / POINTS;
        sum.second += y * y / POINTS;
        sum.cross += s->near || s->alone ? 0 : y * sx_eval(s->sx, f, other) / POINTS;
    }
    return sum;
}

static Triple triple_of(const Sample *s, Sx f);

/* f = a + b, a - b, a * b, a / b with nothing in common. */
static bool from_parts(const Sample *s, Sx f, Triple *out)
{
    const SxNode *node = sx_node(s->sx, f);
    SxOp op = node->op;
    if (op != SX_ADD && op != SX_SUB && op != SX_MUL && op != SX_DIV)
        return false;
    Sx left = node->in[0], right = node->in[1];
    if (varying(s, left) & varying(s, right))
        return false;
    if (op == SX_DIV)
        right = sx_div(s->sx, sx_num(s->sx, 1), right);
    Triple a = triple_of(s, left), b = triple_of(s, right);
    if (op == SX_MUL || op == SX_DIV) {
        *out = (Triple){a.mean * b.mean, a.second * b.second, a.cross * b.cross};
        return true;
    }
    double sign = op == SX_SUB ? -1 : 1, mixed = 2 * sign * a.mean * b.mean;
    *out = (Triple){a.mean + sign * b.mean, a.second + b.second + mixed, a.cross + b.cross + mixed};
    return true;
}

/* The sub-expressions of f, operands first. */
typedef struct Walk {
    Sx node[256];
    unsigned n;
} Walk;

static void note(void *context, Sx node, const SxNode *what)
{
    Walk *walk = context;
    (void)what;
    if (walk->n < sizeof walk->node / sizeof walk->node[0])
        walk->node[walk->n++] = node;
}

static bool affine_moments(const Sample *s, Sx f, Moments *out);

/* f = g(u) with u affine in what varies, as (a - b)²: a sum of normal numbers is one. *spread: of g. 0: f is no such function. */
static Sx through_sum(const Sample *s, Sx f, SxSpread *spread)
{
    Walk walk = {.n = 0};
    Moments sum;
    sx_walk(s->sx, f, note, &walk);
    while (walk.n-- > 0) {
        Sx u = walk.node[walk.n];
        uint64_t vary = varying(s, u);
        if ((vary & (vary - 1)) == 0 || (vary & s->uniform) || !affine_moments(s, u, &sum))
            continue;
        /* the sum in place of one of its arguments, of which nothing else may be left */
        uint32_t which = 0;
        while (!(vary >> which & 1))
            which++;
        Sx fresh = sx_arg(s->sx, MAX_ARGS - 1), g = sx_replace(s->sx, f, u, fresh);
        if (varying(s, g) != 0)
            continue;
        Sx to[MAX_ARGS] = {0};
        to[MAX_ARGS - 1] = sx_arg(s->sx, which);
        const Moments *in[MAX_ARGS];
        for (uint32_t i = 0; i < s->n; i++)
            in[i] = i == which ? &sum : s->in[i];
        Sample one = {s->sx, in, s->n, s->near, 0, s->alone};
        *spread = spread_of(&one, sx_substitute(s->sx, g, to, MAX_ARGS), which);
        return u;
    }
    return 0;
}

static Triple triple_of(const Sample *s, Sx f)
{
    double at[MAX_ARGS] = {0};
    uint64_t vary = varying(s, f);
    Triple out;
    if (vary == 0) {
        for (uint32_t i = 0; i < s->n; i++)
            at[i] = s->in[i]->mean;
        double value = sx_eval(s->sx, f, at);
        return (Triple){value, value * value, value * value};
    }
    if ((vary & (vary - 1)) == 0) {
        uint32_t which = 0;
        while (!(vary >> which & 1))
            which++;
        if (is_uniform(s, which))
            return over_uniform(s, f, which);
        SxSpread spread = spread_of(s, f, which);
        return (Triple){spread.mean, spread.second, spread.cross};
    }
    SxSpread spread;
    if (from_parts(s, f, &out))
        return out;
    return through_sum(s, f, &spread) ? (Triple){spread.mean, spread.second, spread.cross} : sample_points(s, f);
}

static bool affine_moments(const Sample *s, Sx f, Moments *out)
{
    const SxLinear *linear = sx_linear(s->sx, f, s->n);
    if (!linear->known)
        return false;
    double mean = linear->constant, var = 0, shared = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        double part = linear->slope[i] * linear->slope[i] * variance(s->in[i]);
        mean += linear->slope[i] * s->in[i]->mean;
        var += part;
        shared += part * shared_part(s->in[i]);
    }
    double second = mean * mean + var;
    *out = (Moments){mean, second, second > 0 ? fmin(1, (mean * mean + shared) / second) : 1, second, second};
    return true;
}

void sample_forward(const Sample *s, Sx f, Moments *out)
{
    if (affine_moments(s, f, out))
        return;
    Triple t = triple_of(s, f);
    out->mean = t.mean;
    out->second = out->second_low = out->second_high = t.second;
    out->corr = t.second > 0 ? fmin(1, fmax(0, t.cross / t.second)) : 1;
}

void sample_slopes(const Sample *s, Sx f, double *slope2)
{
    Sx d[MAX_ARGS];
    double number;
    const SxLinear *linear = sx_linear(s->sx, f, s->n);
    for (uint32_t i = 0; linear->known && i < s->n; i++)
        slope2[i] = linear->slope[i] * linear->slope[i];
    if (linear->known)
        return;
    uint64_t vary = varying(s, f);
    Sample alone = *s;
    alone.alone = true;
    SxSpread spread;
    Sx sum = vary & (vary - 1) ? through_sum(s, f, &spread) : 0;
    linear = sum ? sx_linear(s->sx, sum, s->n) : NULL;
    sx_gradient(s->sx, f, s->n, d);
    for (uint32_t i = 0; i < s->n; i++) {
        if (is_uniform(s, i))
            slope2[i] = 0; /* nobody asks for the gradient of what was drawn */
        else if (vary == 1ull << i)
            slope2[i] = spread_of(s, f, i).slope2; /* of f itself: its kinks are known */
        else if (sum && (vary >> i & 1))
            slope2[i] = spread.slope2 * linear->slope[i] * linear->slope[i];
        else
            slope2[i] = sx_is_num(s->sx, d[i], &number) ? number * number : triple_of(&alone, d[i]).second;
    }
}
