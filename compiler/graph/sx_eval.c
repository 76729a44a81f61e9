#include "graph/sx_inner.h"

#include <math.h>
#include <string.h>

/* By squaring, as the generated code multiplies. */
double sx_powi_value(double base, int32_t exponent)
{
    uint32_t left = exponent < 0 ? 0u - (uint32_t)exponent : (uint32_t)exponent;
    double result = left & 1 ? base : 1;
    for (double square = base; left >>= 1;) {
        square *= square;
        if (left & 1)
            result *= square;
    }
    return exponent < 0 ? 1 / result : result;
}

/* Each primitive at one point, and along a block of points: there the choice is made once a block. */
#define SX_PRIM(op, name, arity, cost, value, ...)                                                                \
    static double at_##op(int32_t n, double a, double b, double c)                                                \
    {                                                                                                             \
        (void)n, (void)a, (void)b, (void)c;                                                                       \
        return value;                                                                                             \
    }                                                                                                             \
    static void along_##op(int32_t n, const double *a, const double *b, const double *c, size_t count, double *y) \
    {                                                                                                             \
        for (size_t k = 0; k < count; k++)                                                                        \
            y[k] = at_##op(n, a[k], b[k], c[k]);                                                                  \
    }
#include "graph/sx_prims.inc"

static const struct Meaning {
    double (*at)(int32_t n, double a, double b, double c);
    void (*along)(int32_t n, const double *a, const double *b, const double *c, size_t count, double *y);
} meaning[] = {
#define SX_PRIM(op, ...) {at_##op, along_##op},
#include "graph/sx_prims.inc"
};

double sx_apply(SxOp op, int32_t n, double a, double b, double c) { return meaning[op].at(n, a, b, c); }

void sx_tape_run(const SxTape *tape, const double *const *arg, unsigned n_arg, size_t count, double *value)
{
    for (uint32_t i = 0; i < tape->n; i++) {
        const SxStep *s = &tape->step[i];
        double *out = value + (size_t)i * SX_BLOCK;
        if (s->op == SX_ARG && (unsigned)s->index < n_arg && arg[s->index])
            memcpy(out, arg[s->index], count * sizeof *out);
        else if (s->op == SX_NUM || s->op == SX_ARG)
            for (size_t k = 0; k < count; k++)
                out[k] = s->op == SX_NUM ? s->number : (double)NAN;
        else
            meaning[s->op].along(s->index, value + (size_t)s->in[0] * SX_BLOCK, value + (size_t)s->in[1] * SX_BLOCK,
                                 value + (size_t)s->in[2] * SX_BLOCK, count, out);
    }
}

/* The interpreter asks for one expression at millions of points, one by one: its tape and room for its values are
 * kept. */
typedef struct Kept {
    SxTape tape;
    double *value; /* one a step */
} Kept;

static const Kept *kept_for(const SxPool *pool, Sx x)
{
    static const char key;
    Kept *kept = sx_recall(pool, x, &key);
    if (!kept) {
        Arena *arena = sx_pool_arena(pool), *scratch = arena_new();
        SxTape tape = sx_tape(pool, &x, 1, scratch);
        kept = arena_new_of(arena, Kept);
        kept->tape = (SxTape){arena_copy(arena, tape.step, tape.n * sizeof *tape.step), tape.n,
                              arena_copy(arena, tape.root, sizeof *tape.root)};
        kept->value = arena_array(arena, double, tape.n);
        arena_free(scratch);
        sx_remember(sx_pool_growing(pool), x, &key, kept);
    }
    return kept;
}

double sx_eval(const SxPool *pool, Sx x, const double *args)
{
    const Kept *kept = kept_for(pool, x);
    double *value = kept->value;
    for (uint32_t i = 0; i < kept->tape.n; i++) {
        const SxStep *s = &kept->tape.step[i];
        value[i] = s->op == SX_NUM   ? s->number
                   : s->op == SX_ARG ? args[s->index]
                                     : sx_apply(s->op, s->index, value[s->in[0]], value[s->in[1]], value[s->in[2]]);
    }
    return value[kept->tape.root[0]];
}

void sx_eval_many(const SxPool *pool, Sx x, const double *const *arg, unsigned n_arg, size_t count, double *out)
{
    const Kept *kept = kept_for(pool, x);
    Arena *arena = arena_new();
    double *value = arena_array(arena, double, (size_t)kept->tape.n * SX_BLOCK);
    const double **at = arena_array(arena, const double *, n_arg + 1);
    for (size_t first = 0; first < count; first += SX_BLOCK) {
        size_t block = count - first < SX_BLOCK ? count - first : SX_BLOCK;
        for (unsigned i = 0; i < n_arg; i++)
            at[i] = arg[i] ? arg[i] + first : NULL;
        sx_tape_run(&kept->tape, at, n_arg, block, value);
        memcpy(out + first, value + (size_t)kept->tape.root[0] * SX_BLOCK, block * sizeof *out);
    }
    arena_free(arena);
}

SxCurve sx_curve(const SxPool *pool, const Sx *roots, unsigned n, unsigned arg, const double *args, Arena *arena)
{
    ACT_ASSERT(arg < 64);
    SxCurve curve = {.tape = sx_tape(pool, roots, n, arena), .arg = arg};
    curve.input = arena_array(arena, const double *, 64);
    curve.value = arena_array(arena, double, (size_t)curve.tape.n * SX_BLOCK);
    for (uint32_t i = 0; i < curve.tape.n && args; i++) {
        const SxStep *s = &curve.tape.step[i];
        if (s->op != SX_ARG || (unsigned)s->index == arg)
            continue;
        double *constant = arena_array(arena, double, SX_BLOCK);
        for (size_t k = 0; k < SX_BLOCK; k++)
            constant[k] = args[s->index];
        curve.input[s->index] = constant;
    }
    return curve;
}

void sx_curve_run(SxCurve *curve, const double *x, size_t count)
{
    curve->input[curve->arg] = x;
    sx_tape_run(&curve->tape, curve->input, 64, count, curve->value);
}
