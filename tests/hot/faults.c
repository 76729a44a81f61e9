/* Loops as they should not be compiled, and two as they should, for the test of hot_loops.py. SUMS vectors are alive around a loop:
 * twelve find registers, forty do not. */
typedef float Vector __attribute__((vector_size(16)));
enum { SUMS = 40, FEW = 12 };

float outside(float x);

void tile_too_large(const Vector *a, const float *b, long depth, Vector *out)
{
    Vector sum[SUMS] = {{0}};
    for (long k = 0; k < depth; k++)
        for (int i = 0; i < SUMS; i++)
            sum[i] += a[k * SUMS + i] * b[k];
    for (int i = 0; i < SUMS; i++)
        out[i] = sum[i];
}

void tile_that_fits(const Vector *a, const float *b, long depth, Vector *out)
{
    Vector sum[FEW] = {{0}};
    for (long k = 0; k < depth; k++)
        for (int i = 0; i < FEW; i++)
            sum[i] += a[k * FEW + i] * b[k];
    for (int i = 0; i < FEW; i++)
        out[i] = sum[i];
}

void calls(Vector *x, long n)
{
    for (long i = 0; i < n; i++)
        x[i] += x[i] * outside(x[i][0]);
}

/* A call a row, none inside the loop that is hot. */
void calls_around(Vector *x, long rows, long n)
{
    for (long r = 0; r < rows; r++) {
        float scale = outside((float)r);
        for (long i = 0; i < n; i++)
            x[r * n + i] *= scale;
    }
}
