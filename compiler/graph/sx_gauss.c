/* E f(Z), E f(Z)², E f'(Z)², E f'(Z) for a normal Z: adaptive Gauss-Kronrod quadrature (7 and 15 points), piece by
 * piece between the kinks, where the integrand is smooth. (A rule laid across the kink of relu' is wrong in the
 * third digit.) */
#include "graph/sx_inner.h"

#include "base/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Nodes in [0, 1] of the Kronrod rule, every second one of them (from the second) a node of the Gauss rule; weights
 * of both. */
const double sx_kronrod_node[8] = {0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
                                  0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
                                  0.586087235467691130294144691693013, 0.405845151377397166906606412076961,
                                  0.207784955007898467600689403773245, 0.0};
const double sx_kronrod_weight[8] = {0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
                                  0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
                                  0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
                                  0.204432940075298892414161999234649, 0.209482141084727828012999174891714};
static const double gauss[4] = {0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
                                0.381830050505118944950369775488975, 0.417959183673469387755102040816327};

#define MOMENTS 4
#define REACH   10.0 /* in deviations; further only while it matters */
#define FAR     38.0 /* here the density is the least double */

typedef struct Panel {
    double from, to;
    unsigned depth;
    double sum[MOMENTS], error[MOMENTS];
} Panel;

typedef struct Integral {
    SxCurve *curve; /* roots: f and f' */
    double mean, deviation;
    double scale[MOMENTS]; /* what an error is compared with */
} Integral;

static void measure(const Integral *in, Panel *panel)
{
    double x[15], z[15], half = (panel->to - panel->from) / 2, middle = panel->from + half;
    for (unsigned k = 0; k < 15; k++) {
        z[k] = middle + half * (k < 8 ? -sx_kronrod_node[k] : sx_kronrod_node[14 - k]);
        x[k] = in->mean + in->deviation * z[k];
    }
    sx_curve_run(in->curve, x, 15);
    double fine[MOMENTS] = {0}, coarse[MOMENTS] = {0};
    for (unsigned k = 0; k < 15; k++) {
        unsigned i = k < 8 ? k : 14 - k;
        double density = exp(-z[k] * z[k] / 2) * 0.39894228040143267794 * half;
        double f = sx_curve_at(in->curve, 0, k), slope = sx_curve_at(in->curve, 1, k);
        double term[MOMENTS] = {f, f * f, slope * slope, slope};
        for (unsigned m = 0; m < MOMENTS; m++) {
            fine[m] += sx_kronrod_weight[i] * density * term[m];
            coarse[m] += i & 1 ? gauss[i / 2] * density * term[m] : 0;
        }
    }
    for (unsigned m = 0; m < MOMENTS; m++)
        panel->sum[m] = fine[m], panel->error[m] = fabs(fine[m] - coarse[m]);
}

static bool good_enough(const Integral *in, const Panel *panel)
{
    if (panel->depth >= 40)
        return true;
    for (unsigned m = 0; m < MOMENTS; m++)
        if (panel->error[m] > 1e-11 * in->scale[m]) /* false on NaN: a NaN does not improve */
            return false;
    return true;
}

typedef VEC(Panel) Panels;

static void refine(const Integral *in, Panel panel, double *total, Arena *arena)
{
    Panels todo = {0};
    *vec_push(arena, &todo) = panel;
    for (unsigned work = 0; todo.n; work++) {
        Panel now = todo.at[--todo.n];
        if (good_enough(in, &now) || work > 20000) {
            for (unsigned m = 0; m < MOMENTS; m++)
                total[m] += now.sum[m];
            continue;
        }
        double middle = now.from + (now.to - now.from) / 2;
        Panel half[2] = {{.from = middle, .to = now.to, .depth = now.depth + 1},
                         {.from = now.from, .to = middle, .depth = now.depth + 1}};
        for (unsigned k = 0; k < 2; k++) {
            measure(in, &half[k]);
            *vec_push(arena, &todo) = half[k];
        }
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef VEC(double) Cuts;

static void cut_at(Cuts *cuts, double z, double from, double to, Arena *arena)
{
    if (z > from && z < to)
        *vec_push(arena, cuts) = z;
}

double *sx_gauss_cuts(double mean, double deviation, const double *kink, unsigned n_kink, uint32_t *n, Arena *arena)
{
    Cuts cuts = {0};
    for (double z = -REACH; z <= REACH; z += 2.5)
        *vec_push(arena, &cuts) = z;
    for (unsigned i = 0; i < n_kink; i++)
        cut_at(&cuts, (kink[i] - mean) / deviation, -REACH, REACH, arena);
    if (deviation > 1.5) {
        cut_at(&cuts, -mean / deviation, -REACH, REACH, arena);
        for (double x = 1; x < 4096; x *= 2)
            for (int side = -1; side < 2; side += 2)
                cut_at(&cuts, (side * x - mean) / deviation, -REACH, REACH, arena);
    }
    qsort(cuts.at, cuts.n, sizeof *cuts.at, by_value);
    *n = cuts.n;
    return cuts.at;
}

static void integrate(Integral *in, const double *kink, unsigned n_kink, double *total, Arena *arena)
{
    uint32_t n_cut;
    const double *cut = sx_gauss_cuts(in->mean, in->deviation, kink, n_kink, &n_cut, arena);
    Panels panels = {0};
    for (uint32_t i = 0; i + 1 < n_cut; i++) {
        if (!(cut[i + 1] > cut[i]))
            continue;
        Panel panel = {.from = cut[i], .to = cut[i + 1]};
        measure(in, &panel);
        for (unsigned m = 0; m < MOMENTS; m++)
            in->scale[m] += fabs(panel.sum[m]);
        *vec_push(arena, &panels) = panel;
    }
    for (uint32_t i = 0; i < panels.n; i++)
        refine(in, panels.at[i], total, arena);
    for (int side = -1; side < 2; side += 2) /* a steep function may have weight further out */
        for (double z = REACH; z < FAR; z += 2) {
            Panel panel = {.from = side < 0 ? -z - 2 : z, .to = side < 0 ? -z : z + 2};
            measure(in, &panel);
            bool matters = false;
            for (unsigned m = 0; m < MOMENTS; m++) {
                matters |= fabs(panel.sum[m]) > 1e-16 * in->scale[m];
                in->scale[m] = fmax(in->scale[m], fabs(panel.sum[m]));
            }
            if (!matters)
                break;
            refine(in, panel, total, arena);
        }
}

static SxPrepared *prepare(SxPool *pool, Sx f, unsigned arg, const double *args, Arena *arena)
{
    SxPrepared *made = arena_new_of(arena, SxPrepared);
    Arena *scratch = arena_new();
    Sx roots[2] = {f, sx_derivative(pool, f, arg)};
    made->curve = sx_curve(pool, roots, 2, arg, args, arena);
    made->n_kink = sx_curve_kinks(&made->curve, -INFINITY, INFINITY, made->kink, SX_MAX_KINKS, scratch);
    arena_free(scratch);
    return made;
}

SxPrepared *sx_gauss_prepared(SxPool *pool, Sx f, unsigned arg, const double *args, Arena *scratch)
{
    static const char key[64];
    if (sx_args_used(pool, f) & ~(1ull << arg))
        return prepare(pool, f, arg, args, scratch);
    SxPrepared *known = sx_recall(pool, f, &key[arg]);
    if (!known) {
        known = prepare(pool, f, arg, NULL, sx_pool_arena(pool));
        sx_remember(pool, f, &key[arg], known);
    }
    return known;
}

SxMoments sx_gauss(SxPool *pool, Sx f, unsigned arg, const double *args, double mean, double deviation)
{
    Arena *arena = arena_new();
    SxPrepared *prepared = sx_gauss_prepared(pool, f, arg, args, arena);
    double total[MOMENTS] = {0};
    if (deviation == 0) {
        sx_curve_run(&prepared->curve, &mean, 1);
        double y = sx_curve_at(&prepared->curve, 0, 0), slope = sx_curve_at(&prepared->curve, 1, 0);
        total[0] = y, total[1] = y * y, total[2] = slope * slope, total[3] = slope;
    } else {
        Integral in = {.curve = &prepared->curve, .mean = mean, .deviation = deviation};
        double *kink = prepared->kink;
        unsigned n_kink = prepared->n_kink;
        if (n_kink > SX_MAX_KINKS) {
            unsigned cap = 4096;
            kink = arena_array(arena, double, cap);
            n_kink = sx_curve_kinks(in.curve, mean - REACH * deviation, mean + REACH * deviation, kink, cap, arena);
            n_kink = n_kink < cap ? n_kink : cap;
        }
        integrate(&in, kink, n_kink, total, arena);
    }
    arena_free(arena);
    return (SxMoments){.mean = total[0], .second = total[1], .slope2 = total[2], .slope = total[3]};
}
