/* Random numbers and initial values for the interpreter: the definitions of runtime/core/random.h and fill.c,
 * written a second time so that a mistake in either shows as a difference between them. */
#include "graph/eval.h"

#include <math.h>

/* ── Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) ── */
typedef struct Words {
    uint32_t at[4];
} Words;

static Words philox_round(Words c, uint32_t key0, uint32_t key1)
{
    uint64_t even = (uint64_t)c.at[0] * 0xD2511F53u;
    uint64_t odd = (uint64_t)c.at[2] * 0xCD9E8D57u;
    return (Words){{(uint32_t)(odd >> 32) ^ c.at[1] ^ key0, (uint32_t)odd,
                    (uint32_t)(even >> 32) ^ c.at[3] ^ key1, (uint32_t)even}};
}

static uint32_t random_word(uint64_t seed, uint64_t step, uint32_t stream, uint64_t sample, uint64_t element)
{
    Words c = {{(uint32_t)(element >> 2), (uint32_t)sample, (uint32_t)step, stream ^ ((uint32_t)(step >> 32) << 16)}};
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    for (unsigned round = 0; round < 10; round++)
        c = philox_round(c, key0 + round * 0x9E3779B9u, key1 + round * 0xBB67AE85u);
    return c.at[element & 3];
}

double eval_random(uint64_t seed, uint64_t step, uint32_t stream, uint64_t sample, uint64_t element)
{
    return (double)(random_word(seed, step, stream, sample, element) >> 8) * 0x1p-24;
}

/* ── the normal's inverse distribution function, algorithm AS 241 (Wichura, Applied Statistics 37, 1988) ── */
typedef struct Rational {
    double num[8], den[8]; /* lowest power first */
} Rational;

static const Rational as241_centre = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
     2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}};
static const Rational as241_tail = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
static const Rational as241_far = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};

static double rational(const Rational *f, double x)
{
    double num = 0, den = 0;
    for (int i = 7; i >= 0; i--) {
        num = num * x + f->num[i];
        den = den * x + f->den[i];
    }
    return num / den;
}

static double normal_quantile(double p)
{
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * rational(&as241_centre, 0.180625 - q * q);
    double r = sqrt(-log(fmin(p, 1 - p)));
    double size = r <= 5 ? rational(&as241_tail, r - 1.6) : rational(&as241_far, r - 5);
    return q < 0 ? -size : size;
}

/* ── draws of one element ── */
static double open_unit(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

static float draw_normal(uint32_t word, double mean, double deviation)
{
    return (float)(mean + deviation * normal_quantile(open_unit(word)));
}

/* Rounding to float may reach the excluded end; the greatest float below it is taken then. */
static float draw_uniform(uint32_t word, double low, double high)
{
    float x = (float)(low + (high - low) * ((double)(word >> 8) * 0x1p-24));
    return low < high && (double)x >= high ? nextafterf((float)high, (float)low) : x;
}

/* The uniform number is squeezed into the probabilities of [-2, 2], whose distribution function is inverted. */
static float draw_truncated(uint32_t word, double mean, double deviation)
{
    const double below = 0.022750131948179207; /* of a standard normal below -2 */
    double z = normal_quantile(below + (1 - 2 * below) * open_unit(word));
    return (float)(mean + deviation * fmin(2, fmax(-2, z)));
}

/* ── filling ── */
/* Where element `e` of the file order stands inside: axes permuted, and a flattened image's channels moved behind
 * its pixels. */
static uint64_t inside_index(const Tensor *t, uint64_t e)
{
    uint32_t rank = t->type.rank;
    uint64_t at[TYPE_MAX_RANK] = {0};
    for (uint32_t i = rank; i-- > 0;) {
        uint32_t axis = t->file_axis[i];
        at[axis] = e % t->type.dim[axis];
        e /= t->type.dim[axis];
    }
    if (t->flat_rank > 1) {
        uint64_t channels = t->flat[t->flat_rank - 1], pixels = 1;
        for (uint32_t i = 0; i + 1 < t->flat_rank; i++)
            pixels *= t->flat[i];
        at[0] = at[0] % pixels * channels + at[0] / pixels;
    }
    uint64_t index = 0;
    for (uint32_t axis = 0; axis < rank; axis++)
        index = index * t->type.dim[axis] + at[axis];
    return index;
}

/* column -= its parts along the columns before it. Twice: once leaves rounding errors as large as what was
 * cancelled. */
static void orthogonalize(double *const *column, uint64_t k, uint64_t n)
{
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t j = 0; j < k; j++) {
            double dot = 0;
            for (uint64_t i = 0; i < n; i++)
                dot += column[j][i] * column[k][i];
            for (uint64_t i = 0; i < n; i++)
                column[k][i] -= dot * column[j][i];
        }
    }
    double square = 0;
    for (uint64_t i = 0; i < n; i++)
        square += column[k][i] * column[k][i];
    for (uint64_t i = 0; i < n; i++)
        column[k][i] /= sqrt(square);
}

/* The orthonormal factor of a Gaussian matrix whose triangular factor has a positive diagonal (what Gram and
 * Schmidt give): the file shape flattened to [first, rest], its shorter side made orthonormal. */
static void fill_orthogonal(const Tensor *t, uint32_t stream, uint64_t seed, double *out)
{
    Arena *arena = arena_new();
    uint64_t count = type_elements(&t->type);
    uint64_t first = t->type.rank ? t->type.dim[t->file_axis[0]] : 1, rest = count / first;
    bool by_columns = first > rest; /* the vectors made orthonormal are the columns of [first, rest], else its rows */
    uint64_t vectors = by_columns ? rest : first, length = count / vectors;
    double **vector = arena_array(arena, double *, vectors);
    for (uint64_t v = 0; v < vectors; v++) {
        vector[v] = arena_array(arena, double, length);
        for (uint64_t i = 0; i < length; i++) {
            uint64_t e = by_columns ? i * rest + v : v * rest + i;
            vector[v][i] = normal_quantile(open_unit(random_word(seed, 0, stream, 0, e)));
        }
        orthogonalize(vector, v, length);
    }
    for (uint64_t e = 0; e < count; e++) {
        uint64_t r = e / rest, c = e % rest;
        out[inside_index(t, e)] = (double)(float)(t->fill.a * (by_columns ? vector[c][r] : vector[r][c]));
    }
    arena_free(arena);
}

static float draw(const Fill *fill, uint32_t word)
{
    switch (fill->kind) {
    case FILL_NORMAL:
        return draw_normal(word, fill->a, fill->b);
    case FILL_UNIFORM:
        return draw_uniform(word, fill->a, fill->b);
    case FILL_TRUNCATED_NORMAL:
        return draw_truncated(word, fill->a, fill->b);
    case FILL_CONSTANT:
    case FILL_ORTHOGONAL:
        break;
    }
    return (float)fill->a;
}

void eval_fill(const Tensor *tensor, uint32_t stream, uint64_t seed, double *out)
{
    if (tensor->fill.kind == FILL_ORTHOGONAL) {
        fill_orthogonal(tensor, stream, seed, out);
        return;
    }
    uint64_t count = type_elements(&tensor->type);
    const Fill *fill = &tensor->fill;
    for (uint64_t e = 0; e < count; e++) {
        bool here = fill->kind != FILL_CONSTANT || fill->b <= 0 || (double)(e * 4 / count + 1) == fill->b;
        out[inside_index(tensor, e)] = here ? (double)draw(fill, random_word(seed, 0, stream, 0, e)) : 0;
    }
}
