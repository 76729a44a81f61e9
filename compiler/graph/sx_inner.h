/* What the files of sx share and nobody else needs: the tape, an expression's DAG laid out in order of evaluation. */
#ifndef ACT_GRAPH_SX_INNER_H
#define ACT_GRAPH_SX_INNER_H

#include "graph/sx.h"

/* ── the pool (sx.c) ── */
Sx sx_lookup(const SxPool *pool, SxOp op, Sx a, Sx b, Sx c);       /* the node if it exists already, else 0 */
Sx sx_rebuild(SxPool *pool, const SxNode *node, const Sx *in);     /* the same node over other operands */
double sx_apply(SxOp op, int32_t n, double a, double b, double c); /* a primitive's value; not for NUM and ARG */
double sx_powi_value(double base, int32_t exponent);
unsigned sx_powi_cost(int32_t exponent);

static inline bool sx_is_number(const SxPool *pool, Sx x, double value)
{
    const SxNode *node = sx_node(pool, x);
    return node->op == SX_NUM && node->number == value; /* -0 counts as 0 */
}

/* A list on the pool for what is costly and asked again (`key` names what): NULL when absent. */
void *sx_recall(const SxPool *pool, Sx x, const void *key);
void sx_remember(SxPool *pool, Sx x, const void *key, void *value);
Arena *sx_pool_arena(const SxPool *pool);
/* The pool, to grow by what a question needs on the way (a derivative, a memo): this does not change what it means. */
static inline SxPool *sx_pool_growing(const SxPool *pool) { return (SxPool *)(uintptr_t)pool; }

/* ── the tape (sx_tape.c) ── */
typedef struct SxStep {
    SxOp op;
    int32_t index;
    uint32_t in[3]; /* positions of the operands, before this one; 0 where there is none */
    double number;
    Sx self;
} SxStep;

typedef struct SxTape {
    SxStep *step; /* operands first, each node once */
    uint32_t n;
    uint32_t *root; /* position of each root */
} SxTape;

/* The union of the roots' DAGs. Linear in it, whatever the size of the pool. */
SxTape sx_tape(const SxPool *pool, const Sx *roots, unsigned n, Arena *arena);

/* ── evaluation (sx_eval.c) ── */
#define SX_BLOCK 64
/* value[position * SX_BLOCK + k] for points k < count <= SX_BLOCK; arg[i][k]. Arguments from n_arg on are NaN. */
void sx_tape_run(const SxTape *tape, const double *const *arg, unsigned n_arg, size_t count, double *value);

/* A function of one argument, the others fixed: several roots evaluated together at many points. */
typedef struct SxCurve {
    SxTape tape;
    unsigned arg;
    const double **input; /* 64 pointers; input[arg] is set at each call */
    double *value;
} SxCurve;
SxCurve sx_curve(const SxPool *pool, const Sx *roots, unsigned n, unsigned arg, const double *args, Arena *arena);
void sx_curve_run(SxCurve *curve, const double *x, size_t count); /* count <= SX_BLOCK */
static inline double sx_curve_at(const SxCurve *curve, unsigned root, size_t k)
{
    return curve->value[(size_t)curve->tape.root[root] * SX_BLOCK + k];
}

/* ── bounds (sx_bounds.c) ── */
/* An interval while it is computed. An infinite end is a limit; reach_* says that the infinity itself can be a value
 * (by overflow or division), which is what makes inf - inf and 0 * inf possible. Empty (low > high): the value is
 * always NaN. */
typedef struct Iv {
    double low, high;
    bool nan, reach_low, reach_high;
} Iv;
Iv iv_of(SxInterval interval);
/* memo[position] for every step; args[i] for argument i < n, the whole line from n on. */
void sx_tape_bound(const SxTape *tape, const Iv *args, unsigned n, Iv *memo);

/* ── derivative (sx_diff.c), kinks (sx_kinks.c) ── */
Sx sx_derivative(SxPool *pool, Sx x, unsigned arg); /* by one argument, simplified */
/* Ascending points of [low, high] with both ends: dense where functions that people write have their features (about
 * 0), sparse far out. Infinite ends become ±1e300. */
double *sx_grid(double low, double high, uint32_t *n, Arena *arena);
/* Where some part of the curve changes its branch, all the roots together; as sx_kinks. */
unsigned sx_curve_kinks(SxCurve *curve, double low, double high, double *at, unsigned cap, Arena *arena);

/* ── a Gaussian argument (sx_gauss.c, sx_spread.c) ── */
/* The Kronrod rule of 15 points on [-1, 1]: nodes 0 to 7 are the positive ones from the outside to 0. */
extern const double sx_kronrod_node[8], sx_kronrod_weight[8];
#define SX_MAX_KINKS 256
typedef struct SxPrepared { /* what does not depend on mean and deviation */
    SxCurve curve;          /* roots: f and f' */
    double kink[SX_MAX_KINKS];
    unsigned n_kink; /* more than SX_MAX_KINKS: too many to list, looked for where Z is */
} SxPrepared;
/* Kept in the pool where f has no other argument, else in `scratch`. */
SxPrepared *sx_gauss_prepared(SxPool *pool, Sx f, unsigned arg, const double *args, Arena *scratch);
/* ±10 deviations cut into panels, ascending: at the kinks and, for a wide Z, where functions have their features. */
double *sx_gauss_cuts(double mean, double deviation, const double *kink, unsigned n_kink, uint32_t *n, Arena *arena);

#endif
