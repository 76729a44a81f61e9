#include "ops/sample.h"

#include <math.h>

enum { POINTS = 2048, OUTER = 33, MAX_ARGS = 64 };

static double variance(const Moments *m) { return fmax(0, m->second - m->mean * m->mean); }

/* A point: an argument that is the same for all samples and elements. */
static bool is_point(const Moments *m) { return variance(m) <= 1e-12 * fmax(m->second, 1e-300); }

/* Inverse of the normal distribution function by bisection-free Newton steps on erf; u in (0, 1). */
static double normal_quantile(double u)
{
    double x = 0;
    for (int i = 0; i < 60; i++) {
        double density = exp(-x * x / 2) / sqrt(2 * M_PI);
        double error = 0.5 * erfc(-x / M_SQRT2) - u;
        double step = error / fmax(density, 1e-12);
        x -= fmax(-1, fmin(1, step));
        if (fabs(step) < 1e-12)
            break;
    }
    return x;
}

/* Coordinate `axis` of the k-th point of the set, as a standard normal number. */
static double gauss_point(uint32_t k, uint32_t axis)
{
    static const double prime[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53};
    double alpha = sqrt(prime[axis % 16] + (double)(axis / 16) * 1e-3);
    double u = fmod(0.5 + (k + 1) * (alpha - floor(alpha)), 1);
    return normal_quantile(fmin(fmax(u, 1e-9), 1 - 1e-9));
}

static uint32_t varying(SxPool *sx, Sx f, const Moments *const *in, uint32_t n, uint32_t *which)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        if (sx_uses_arg(sx, f, i) && !is_point(in[i])) {
            *which = i;
            count++;
        }
    return count;
}

/* E[f(X) f(X')] for two samples whose argument has the correlation the moments say: the outer rule runs over the part the
 * samples share, sx_gauss over what is their own. */
static double cross_moment(SxPool *sx, Sx f, uint32_t arg, const double *fixed, const Moments *m)
{
    double var = variance(m), shared = fmin(1, fmax(0, (m->corr * m->second - m->mean * m->mean) / var));
    if (shared < 1e-9) {
        double mean = sx_gauss(sx, f, arg, fixed, m->mean, sqrt(var)).mean;
        return mean * mean;
    }
    double sum = 0, weight = 0;
    for (int i = 0; i < OUTER; i++) {
        double z = -4.8 + 9.6 * i / (OUTER - 1), w = exp(-z * z / 2);
        double mean = sx_gauss(sx, f, arg, fixed, m->mean + sqrt(var * shared) * z, sqrt(var * (1 - shared))).mean;
        sum += w * mean * mean;
        weight += w;
    }
    return sum / weight;
}

static bool affine(SxPool *sx, Sx f, uint32_t n, double *slope)
{
    Sx d[MAX_ARGS];
    sx_gradient(sx, f, n, d);
    for (uint32_t i = 0; i < n; i++)
        if (!sx_is_num(sx, sx_simplify(sx, d[i]), &slope[i]))
            return false;
    return true;
}

static void finish(Moments *out, double mean, double second, double cross)
{
    out->mean = mean;
    out->second = out->second_low = out->second_high = second;
    out->corr = second > 0 ? fmin(1, fmax(0, cross / second)) : 1;
}

void sample_forward(SxPool *sx, Sx f, const Moments *const *in, uint32_t n, Moments *out)
{
    double fixed[MAX_ARGS] = {0}, slope[MAX_ARGS];
    uint32_t which = 0, count = varying(sx, f, in, n, &which);
    for (uint32_t i = 0; i < n; i++)
        fixed[i] = in[i]->mean;
    if (count == 0) {
        double value = sx_eval(sx, f, fixed);
        finish(out, value, value * value, value * value);
        return;
    }
    if (affine(sx, f, n, slope)) {
        double mean = sx_eval(sx, f, fixed), var = 0, shared = 0;
        for (uint32_t i = 0; i < n; i++) {
            var += slope[i] * slope[i] * variance(in[i]);
            shared += slope[i] * slope[i] * fmax(0, in[i]->corr * in[i]->second - in[i]->mean * in[i]->mean);
        }
        finish(out, mean, mean * mean + var, mean * mean + shared);
        return;
    }
    if (count == 1) {
        SxMoments m = sx_gauss(sx, f, which, fixed, in[which]->mean, sqrt(variance(in[which])));
        finish(out, m.mean, m.second, cross_moment(sx, f, which, fixed, in[which]));
        return;
    }
    double sum = 0, square = 0, cross = 0, other[MAX_ARGS];
    for (uint32_t k = 0; k < POINTS; k++) {
        for (uint32_t i = 0; i < n; i++) {
            double var = variance(in[i]);
            double shared = var > 0 ? fmin(1, fmax(0, (in[i]->corr * in[i]->second - in[i]->mean * in[i]->mean) / var)) : 1;
            double z = gauss_point(k, 3 * i), a = gauss_point(k, 3 * i + 1), b = gauss_point(k, 3 * i + 2);
            fixed[i] = in[i]->mean + sqrt(var) * (sqrt(shared) * z + sqrt(1 - shared) * a);
            other[i] = in[i]->mean + sqrt(var) * (sqrt(shared) * z + sqrt(1 - shared) * b);
        }
        double y = sx_eval(sx, f, fixed);
        sum += y;
        square += y * y;
        cross += y * sx_eval(sx, f, other);
    }
    finish(out, sum / POINTS, square / POINTS, cross / POINTS);
}

void sample_slopes(SxPool *sx, Sx f, const Moments *const *in, uint32_t n, double *slope2)
{
    Sx d[MAX_ARGS];
    double fixed[MAX_ARGS] = {0};
    sx_gradient(sx, f, n, d);
    uint32_t which = 0, count = varying(sx, f, in, n, &which);
    for (uint32_t i = 0; i < n; i++) {
        fixed[i] = in[i]->mean;
        slope2[i] = 0;
    }
    if (count <= 1) {
        for (uint32_t i = 0; i < n; i++) {
            /* E d² through sx_gauss's second moment; for the varying argument of f itself this is E f'². */
            SxMoments m = count == 0 ? sx_gauss(sx, d[i], 0, fixed, fixed[0], 0)
                                     : sx_gauss(sx, d[i], which, fixed, in[which]->mean, sqrt(variance(in[which])));
            slope2[i] = m.second;
        }
        return;
    }
    for (uint32_t k = 0; k < POINTS; k++) {
        for (uint32_t i = 0; i < n; i++)
            fixed[i] = in[i]->mean + sqrt(variance(in[i])) * gauss_point(k, i);
        for (uint32_t i = 0; i < n; i++) {
            double y = sx_eval(sx, d[i], fixed);
            slope2[i] += y * y / POINTS;
        }
    }
}
