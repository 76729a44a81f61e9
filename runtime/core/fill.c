/* Initializers. Values belong to elements in file order, so a network starts the same whatever its layout. */
#include "act/abi.h"

#include "layout.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* the draw of element e in (0, 1), one call of Philox for four neighbours */
typedef struct Draw {
    uint64_t seed;
    uint32_t stream;
    uint32_t word[4];
} Draw;

static uint32_t draw_word(Draw *draw, uint64_t element)
{
    if (element % 4 == 0) act_random_block(draw->seed, draw->stream, 0, 0, (uint32_t)(element / 4), draw->word);
    return draw->word[element % 4];
}

/* the largest float below b, where rounding would reach it: uniform(a, b) excludes b */
static float draw_uniform(uint32_t word, double a, double b)
{
    float x = (float)(a + (b - a) * (double)act_random_unit(word));
    return (double)x >= b && b > a ? nextafterf((float)b, (float)a) : x;
}

static double draw_truncated(uint32_t word)
{
    static const double below = 0.022750131948179207; /* the normal's distribution function at -2 */
    double x = act_random_normal(below + (1 - 2 * below) * act_random_open(word));
    return fmin(2, fmax(-2, x));
}

/* four sums side by side: one alone would wait for each addition, and the order must stay fixed */
static double dot(const double *x, const double *y, uint64_t n)
{
    double sum[4] = { 0 };
    uint64_t whole = n - n % 4;
    for (uint64_t i = 0; i < whole; i += 4)
        for (uint64_t k = 0; k < 4; k++) sum[k] += x[i + k] * y[i + k];
    for (uint64_t i = whole; i < n; i++) sum[0] += x[i] * y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* column -= scale * reflector */
static void subtract(double *column, const double *reflector, double scale, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) column[i] -= scale * reflector[i];
}

/* Replaces the `cols` columns of length `rows` (rows >= cols) by orthonormal ones: the Q of a Householder QR whose R
 * has a positive diagonal, which makes Q uniformly distributed for a Gaussian matrix (Mezzadri, Notices of the AMS 54,
 * 2007). `diagonal` has room for cols values; `q` for rows * cols. */
static void orthonormalize(double *column, double *q, double *diagonal, uint64_t rows, uint64_t cols)
{
    for (uint64_t k = 0; k < cols; k++) {
        double *v = column + k * rows;
        uint64_t n = rows - k;
        double norm = sqrt(dot(v + k, v + k, n));
        diagonal[k] = v[k] > 0 ? -norm : norm;
        v[k] -= diagonal[k]; /* the reflector, below the diagonal */
        double square = dot(v + k, v + k, n);
        if (square > 0) {
            double inverse = 1 / sqrt(square);
            for (uint64_t i = k; i < rows; i++) v[i] *= inverse;
        }
        for (uint64_t j = k + 1; j < cols; j++) {
            double *c = column + j * rows + k;
            subtract(c, v + k, 2 * dot(c, v + k, n), n);
        }
    }
    memset(q, 0, rows * cols * sizeof *q);
    for (uint64_t j = 0; j < cols; j++) {
        double *c = q + j * rows;
        c[j] = 1;
        for (uint64_t k = j + 1; k-- > 0;) {
            const double *v = column + k * rows + k;
            subtract(c + k, v, 2 * dot(c + k, v, rows - k), rows - k);
        }
        if (diagonal[j] < 0)
            for (uint64_t i = 0; i < rows; i++) c[i] = -c[i];
    }
}

/* PyTorch's orthogonal_: the file shape flattened to [first][rest], the shorter side orthonormal */
static ActStatus fill_orthogonal(const ActTensor *tensor, float *out, const ActFill *fill, uint64_t seed)
{
    uint32_t shape[ACT_MAX_RANK];
    act_layout_file_shape(tensor, shape);
    if (tensor->rank < 2) return ACT_E_ARGUMENT;
    uint64_t n = act_layout_elements(tensor), first = shape[0], rest = n / first;
    uint64_t tall = first > rest ? first : rest, wide = first > rest ? rest : first;

    double *gauss = malloc(n * sizeof *gauss), *q = malloc(n * sizeof *q), *diagonal = malloc(wide * sizeof *diagonal);
    ActStatus status = gauss && q && diagonal ? ACT_OK : ACT_E_MEMORY;
    if (status == ACT_OK) {
        Draw draw = { seed, fill->stream, { 0 } };
        for (uint64_t e = 0; e < n; e++) {
            uint64_t r = e / rest, c = e % rest;
            gauss[first > rest ? c * tall + r : r * tall + c] = act_random_normal(act_random_open(draw_word(&draw, e)));
        }
        orthonormalize(gauss, q, diagonal, tall, wide);
        ActWalk walk;
        act_layout_walk(&walk, tensor);
        for (uint64_t e = 0; e < n; e++) {
            uint64_t r = e / rest, c = e % rest;
            out[act_layout_next(&walk)] = (float)(fill->a * q[first > rest ? c * tall + r : r * tall + c]);
        }
    }
    free(gauss);
    free(q);
    free(diagonal);
    return status;
}

ActStatus act_fill(const ActTensor *tensor, void *block, const ActFill *fill, uint64_t seed)
{
    if (!tensor || !block || !fill || tensor->type != ACT_F32 || fill->kind > ACT_FILL_ORTHOGONAL)
        return ACT_E_ARGUMENT;
    uint64_t n = act_layout_elements(tensor);
    if (n == 0 || act_layout_bytes(tensor) > tensor->bytes) return ACT_E_ARGUMENT;
    float *out = (float *)(void *)((char *)block + tensor->offset);
    memset(out, 0, tensor->bytes);
    if (fill->kind == ACT_FILL_ORTHOGONAL) return fill_orthogonal(tensor, out, fill, seed);

    Draw draw = { seed, fill->stream, { 0 } };
    ActWalk walk;
    act_layout_walk(&walk, tensor);
    for (uint64_t e = 0; e < n; e++) {
        int here = fill->b <= 0 || fill->kind != ACT_FILL_CONSTANT || (double)(e * 4 / n + 1) == fill->b;
        float value = here ? (float)fill->a : 0;
        if (fill->kind != ACT_FILL_CONSTANT) {
            uint32_t word = draw_word(&draw, e);
            switch (fill->kind) {
            case ACT_FILL_NORMAL: value = (float)(fill->a + fill->b * act_random_normal(act_random_open(word))); break;
            case ACT_FILL_UNIFORM: value = draw_uniform(word, fill->a, fill->b); break;
            default: value = (float)(fill->a + fill->b * draw_truncated(word)); break;
            }
        }
        out[act_layout_next(&walk)] = value;
    }
    return ACT_OK;
}
