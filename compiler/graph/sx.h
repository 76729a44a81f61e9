/* sx: scalar expressions, the one description of every pointwise function.
 *
 * An expression is a node of a directed acyclic graph in a pool; equal nodes are the same node (hash-consed), so
 * comparing handles compares expressions. One row of sx_prims.inc gives a primitive its name, its meaning, its partial
 * derivatives, its bounds, its kinks, its written form and its algebra; evaluation, differentiation, Gaussian moments,
 * printing, simplification and reading back all read these rows.
 *
 * Meaning: real arithmetic in double. NaN propagates through MIN and MAX. SELECT(c, a, b) is a when c is not zero
 * (NaN counts as not zero only through a comparison, which is false on NaN). Comparisons give 1 or 0.
 * The derivative of SELECT selects between derivatives; at a tie MIN and MAX give theirs to the second argument
 * (so relu'(0) = 0 for max(x, 0)); abs'(0) = 0. */
#ifndef ACT_GRAPH_SX_H
#define ACT_GRAPH_SX_H

#include "base/str.h"

typedef uint32_t Sx; /* 0 is "none" */
typedef struct SxPool SxPool;

typedef enum SxOp {
    SX_NUM,  /* a literal */
    SX_ARG,  /* the i-th argument */
    SX_NEG, SX_ABS, SX_EXP, SX_LOG, SX_LOG1P, SX_EXPM1, SX_SQRT, SX_TANH, SX_SIGMOID, SX_ERF, SX_SIN, SX_COS, SX_FLOOR,
    SX_POWI, /* integer power; the exponent is a literal stored in the node */
    SX_ADD, SX_SUB, SX_MUL, SX_DIV, SX_MIN, SX_MAX, SX_POW, SX_LT, SX_LE, SX_EQ,
    SX_SELECT,
    /* Not in the language, made by passes: */
    SX_SETTLE, /* a, and 0 for what is hardly a normal number of 32 bits (below 2^-124); in these, whatever is finer than 2^-124 goes */
    SX_FMA,    /* a * b + c, rounded once (sx_fuse) */
    SX_OP_COUNT
} SxOp;
/* The header's enum and the X-macro table in sx_prims.inc (rows in this order) are held together by a static assert. */

typedef struct SxNode {
    SxOp op;
    int32_t index;  /* SX_ARG: which argument; SX_POWI: the exponent */
    Sx in[3];
    double number;  /* SX_NUM */
    uint64_t args;  /* a bit for each argument below it */
} SxNode;

/* ── building ── */
SxPool *sx_pool_new(Arena *arena);
const SxNode *sx_node(const SxPool *pool, Sx x);
const char *sx_op_name(SxOp op);       /* "add", "log1p", … as in the text form and the language */
unsigned sx_op_arity(SxOp op);
int sx_op_find(Str name);              /* the SxOp by name, -1 when there is none */

Sx sx_num(SxPool *pool, double value);
Sx sx_arg(SxPool *pool, unsigned index);
Sx sx_powi(SxPool *pool, Sx base, int exponent);
/* Simplifies as it builds, by laws that hold bit for bit or only drop a zero's sign: folds constants, x + 0, x - 0,
 * x * 1, x / 1, x - literal, --x, select with a known or equal arms, x ^ 1, 1 / (1 + exp(-x)) = sigmoid(x). It does not
 * use x * 0 = 0 (NaN) or reassociate. a + b and b + a (so *, =) are one node, in the order that was made first. */
Sx sx_make(SxPool *pool, SxOp op, Sx a, Sx b, Sx c);
static inline Sx sx_un(SxPool *p, SxOp op, Sx a) { return sx_make(p, op, a, 0, 0); }
static inline Sx sx_bin(SxPool *p, SxOp op, Sx a, Sx b) { return sx_make(p, op, a, b, 0); }
static inline Sx sx_add(SxPool *p, Sx a, Sx b) { return sx_make(p, SX_ADD, a, b, 0); }
static inline Sx sx_sub(SxPool *p, Sx a, Sx b) { return sx_make(p, SX_SUB, a, b, 0); }
static inline Sx sx_mul(SxPool *p, Sx a, Sx b) { return sx_make(p, SX_MUL, a, b, 0); }
static inline Sx sx_div(SxPool *p, Sx a, Sx b) { return sx_make(p, SX_DIV, a, b, 0); }
static inline Sx sx_neg(SxPool *p, Sx a) { return sx_make(p, SX_NEG, a, 0, 0); }
static inline Sx sx_select(SxPool *p, Sx c, Sx a, Sx b) { return sx_make(p, SX_SELECT, c, a, b); }

/* ── rewriting ── */
/* x with every argument i < n replaced by to[i] (0 keeps it). Linear in the DAG. */
Sx sx_substitute(SxPool *pool, Sx x, const Sx *to, unsigned n);
/* x with every occurrence of the sub-expression `from` replaced by `to`. */
Sx sx_replace(SxPool *pool, Sx x, Sx from, Sx to);
/* Gradients: out[i] = d x / d arg i for i < n (0 literal where x does not depend on it). Reverse mode over the DAG;
 * partial derivatives use the node's own output where that is cheaper and stable (tanh' = 1 - y², sigmoid' = y (1 - y),
 * max' = select(b < y, …), so that a gradient can often be written with the output alone). The arm of a select, max or
 * min that is not taken is never multiplied by 0: it may hold an infinity. max(a, b) + log1p(exp(-|a - b|)) is known to
 * be smooth, so softplus'(0) = 0.5 although both terms have a kink there. */
void sx_gradient(SxPool *pool, Sx x, unsigned n, Sx *out);
/* The same value for all finite arguments (up to the rounding of the last places and the sign of a zero), cheaper:
 * the algebra the gradients need (x * 0 where x is bounded and finite is left alone; literals of products and sums
 * collected, signs moved out, select(c, x, 0) * y -> select(c, x * y, 0), selects on one condition joined). */
Sx sx_simplify(SxPool *pool, Sx x);
/* x with what depends on no argument but those of the bit set `fixed` gathered, in every chain of products and quotients, into one factor, the
 * first. The other factors keep their order. */
Sx sx_factor(SxPool *pool, Sx x, uint64_t fixed);
/* x with products and the sums around them as multiply-adds, one instruction and one rounding instead of two: a * b + c, a * b - c, c - a * b,
 * and the same with squares. A product of nothing but literals and arguments of the bit set `steady` stays a product: it is made once for many
 * sums. Nothing else matters, so that in all tiles it comes to the same bits. A sum of two products becomes one only where a literal is a
 * factor of one of them, as in 0.9 * m + 0.1 * g: a * b - c * d of equal products stays 0, whose root can be taken. */
Sx sx_fuse(SxPool *pool, Sx x, uint64_t steady);

/* ── asking ── */
bool sx_is_num(const SxPool *pool, Sx x, double *value);
bool sx_is_arg(const SxPool *pool, Sx x, unsigned *index);
bool sx_uses_arg(const SxPool *pool, Sx x, unsigned index);
uint64_t sx_args_used(const SxPool *pool, Sx x); /* a bit per argument; arguments are below 64 */
unsigned sx_arg_limit(const SxPool *pool, Sx x); /* 1 + the greatest argument used */
unsigned sx_cost(const SxPool *pool, Sx x);      /* in additions: exp 12, div 8, tanh 20 …; each DAG node once */
unsigned sx_size(const SxPool *pool, Sx x);      /* DAG nodes */
/* Visits the DAG of x once per node, operands first. */
void sx_walk(const SxPool *pool, Sx x, void (*visit)(void *context, Sx node, const SxNode *what), void *context);
/* x = scale * arg `index` + shift, exactly, with numbers? */
bool sx_is_affine(const SxPool *pool, Sx x, unsigned index, double *scale, double *shift);
/* x = constant + Σ slope[i] * arg i over i < n, with numbers? Kept in the pool, cheap to ask again. */
typedef struct SxLinear {
    bool known;
    double constant;
    double slope[];
} SxLinear;
const SxLinear *sx_linear(SxPool *pool, Sx x, unsigned n);

/* ── evaluating ── */
double sx_eval(const SxPool *pool, Sx x, const double *args);
/* Evaluates x at `count` points: arg[i][k] for point k. Linear in points * DAG. */
void sx_eval_many(const SxPool *pool, Sx x, const double *const *arg, unsigned n_arg, size_t count, double *out);

/* ── bounding ── */
typedef struct SxInterval {
    double low, high;
    bool maybe_nan;   /* some point of the domain may give NaN */
} SxInterval;
/* An enclosure of x over the box; each DAG node once. Sound for what sx_eval computes, not always tight. An infinite
 * end of an argument stands for all finite numbers, so x * sigmoid(x) is no 0 * inf. low > high: the value is always
 * NaN. */
SxInterval sx_bounds(const SxPool *pool, Sx x, const SxInterval *args, unsigned n);
/* The range of a one-argument function over [low, high] (may be infinite), found by bisection of the enclosure and
 * sampling: tight to 1e-6 relative for the functions people write. Values that are reached, shown by the enclosure to
 * be the outermost where it converges; an end that is only approached at infinity is taken from samples far out. */
SxInterval sx_range(const SxPool *pool, Sx x, unsigned arg, double low, double high);

/* ── a function of one argument under a Gaussian ── */
typedef struct SxMoments {
    double mean;     /* E f(Z)         */
    double second;   /* E f(Z)^2       */
    double slope2;   /* E f'(Z)^2      */
    double slope;    /* E f'(Z)        */
} SxMoments;
/* Z normal with the given mean and standard deviation (0: a point). Integration is split at the kinks and jumps of f
 * and f' (found as the roots of the arguments of abs, min, max, comparisons), accurate to 1e-8. `arg` is the variable;
 * the other arguments are numbers in `args` (may be NULL when there are none). */
SxMoments sx_gauss(SxPool *pool, Sx f, unsigned arg, const double *args, double mean, double deviation);
/* The same and more, by a fixed rule instead of an adaptive one (about 1e-7 for the functions people write, in some
 * 20 µs): what signal propagation asks at every layer. */
typedef struct SxSpread {
    double mean, second, fourth; /* E f(Z), E f(Z)², E f(Z)⁴ */
    double slope2, slope4;       /* E f'(Z)², E f'(Z)⁴ */
    double cross;                /* E f(Z) f(Z') for a Z' with the same mean and deviation, correlated as given */
} SxSpread;
SxSpread sx_spread(SxPool *pool, Sx f, unsigned arg, const double *args, double mean, double deviation, double corr);
/* The same for a Z of mean 0 and uncorrelated Z', read off a table in the logarithm of the deviation that fills as it
 * is asked (within 3e-4, fourth moments within 1e-3; in well under a microsecond): for the many runs of an ensemble.
 * Argument 0 is the variable, and the only one. */
SxSpread sx_spread_near(SxPool *pool, Sx f, double deviation);
/* The kinks in (low, high), ascending; returns how many (at most `cap` are written). */
unsigned sx_kinks(SxPool *pool, Sx f, unsigned arg, double low, double high, double *at, unsigned cap);

/* The properties of an activation, all computed from its expression (argument 0). */
typedef struct SxTraits {
    SxInterval range;       /* over all reals */
    SxInterval slope_range; /* of f' */
    bool zero_centred;      /* |E f(Z)| <= 0.05 sqrt(E f²) under N(0,1) */
    bool smooth;            /* f' continuous */
    bool monotone;
    bool dies;              /* f' = 0 on a half line where f is constant (a unit can stop learning) */
    bool saturates;         /* f' -> 0 on both sides, and soon (sx_traits.c): sigmoid, tanh, hard_tanh, softsign */
    bool odd, idempotent;
    double gain;            /* 1 / sqrt(E f²) under N(0,1): keeps the variance of a layer with variance gain²/fan_in */
    double max_slope;       /* sup |f'| */
    SxMoments unit;         /* under N(0, 1) */
    unsigned cost;
} SxTraits;
SxTraits sx_traits(SxPool *pool, Sx f);

/* ── text ── */
/* For people: "max(x, 0)", "x * sigmoid(x)"; precedence respected, only needed parentheses. names[i] is argument i. */
void sx_print_formula(const SxPool *pool, Sx x, const char *const *names, Text *out);
/* For the graph's text form: "(max a0 0)"; shared sub-expressions are written once: "(let t0 (exp a0) (div t0 (add t0
 * 1)))", several names in one let: "(let t0 … t1 … value)". */
void sx_print(const SxPool *pool, Sx x, Text *out);
/* Reads the text form from the start of *text and moves it past; 0 and a sentence in *why on a mistake. */
Sx sx_read(SxPool *pool, Str *text, Str *why, Arena *arena);

#endif
