#include "grid.h"

#include "tensor.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { GAP = 2 };

static int is_image(const ActTensor *t)
{
    return t->type == ACT_F32 && (t->rank == 2 || (t->rank == 3 && (t->dim[2] == 1 || t->dim[2] == 3)));
}

static ActStatus no_image(const ActModel *model, ActError *error)
{
    act_error(error, ACT_E_ARGUMENT, "model `%s` has no image to show: its outputs are", model->name);
    for (uint32_t o = 0; o < model->n_output; o++)
        act_error_more(error, "%s `%s`, %s", o ? ";" : "", model->output[o].name,
                       act_text_shape("f32", model->output[o].dim, model->output[o].rank).text);
    act_error_more(error, "; an image is f32[height, width, channels] with one channel or three: `|> reshape(28, 28, 1)`");
    return ACT_E_ARGUMENT;
}

ActStatus act_grid_new(ActGrid *grid, const ActModel *model, uint64_t count, ActError *error)
{
    memset(grid, 0, sizeof *grid);
    while (grid->output < model->n_output && !is_image(&model->output[grid->output])) grid->output++;
    if (grid->output == model->n_output) return no_image(model, error);
    const ActTensor *t = &model->output[grid->output];
    grid->height = t->dim[0];
    grid->width = t->dim[1];
    grid->channels = t->rank == 3 ? t->dim[2] : 1;
    grid->low = 1;
    for (uint32_t i = 0; i < model->n_input; i++) {
        const ActTensor *in = &model->input[i];
        if (in->low < in->high && in->rank == t->rank && memcmp(in->dim, t->dim, t->rank * sizeof *t->dim) == 0) {
            grid->low = (double)in->low;
            grid->high = (double)in->high;
            break;
        }
    }
    grid->count = count;
    grid->columns = (uint64_t)ceil(sqrt((double)count));
    grid->rows = (count + grid->columns - 1) / grid->columns;
    grid->value = malloc(count * act_tensor_width(t) * sizeof *grid->value + 1);
    return grid->value ? ACT_OK : act_error_memory(error);
}

void act_grid_put(ActGrid *grid, uint64_t r, const void *output, size_t at)
{
    size_t n = (size_t)grid->height * grid->width * grid->channels;
    memcpy(grid->value + r * n, (const float *)output + at * n, n * sizeof *grid->value);
}

static void find_range(const ActGrid *grid, double *low, double *high)
{
    size_t n = (size_t)grid->count * grid->height * grid->width * grid->channels;
    double least = INFINITY, most = -INFINITY;
    *low = grid->low;
    *high = grid->high;
    if (grid->low < grid->high) return;
    for (size_t i = 0; i < n; i++) {
        double x = (double)grid->value[i];
        if (x < least) least = x;
        if (x > most) most = x;
    }
    int usual = least >= -1 && most <= 1;
    *low = !usual ? least : least >= 0 ? 0 : -1;
    *high = usual ? 1 : most;
}

/* ── PNG (ISO/IEC 15948): a signature, then chunks of length, name, bytes and their sum ── */

static void put_u32(unsigned char *to, uint64_t x)
{
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(x >> (24 - 8 * i));
}

static void write_chunk(FILE *out, const char name[4], const unsigned char *bytes, size_t n)
{
    unsigned char word[4];
    uLong sum = crc32(crc32(0, Z_NULL, 0), (const Bytef *)name, 4);
    if (n) sum = crc32(sum, bytes, (uInt)n);
    put_u32(word, n);
    fwrite(word, 1, 4, out);
    fwrite(name, 1, 4, out);
    if (n) fwrite(bytes, 1, n, out);
    put_u32(word, sum);
    fwrite(word, 1, 4, out);
}

static void write_png(FILE *out, const unsigned char *packed, size_t n, uint64_t width, uint64_t height, uint32_t channels)
{
    static const unsigned char signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    unsigned char header[13] = { 0 };
    put_u32(header, width);
    put_u32(header + 4, height);
    header[8] = 8;                       /* bits a channel */
    header[9] = channels == 3 ? 2 : 0;   /* colour or grey */
    fwrite(signature, 1, sizeof signature, out);
    write_chunk(out, "IHDR", header, sizeof header);
    write_chunk(out, "IDAT", packed, n);
    write_chunk(out, "IEND", NULL, 0);
}

/* The grid's lines, each behind a zero: PNG's sign for "as they are". */
static void paint(const ActGrid *grid, unsigned char *line, size_t line_bytes)
{
    double low, high;
    find_range(grid, &low, &high);
    double scale = high > low ? 255 / (high - low) : 0;
    size_t across = (size_t)grid->width * grid->channels;
    for (uint64_t r = 0; r < grid->count; r++) {
        size_t top = GAP + r / grid->columns * (grid->height + GAP), left = GAP + r % grid->columns * (grid->width + GAP);
        const float *image = grid->value + r * grid->height * across;
        for (size_t y = 0; y < grid->height; y++)
            for (size_t x = 0; x < across; x++) {
                double shade = ((double)image[y * across + x] - low) * scale;
                unsigned char byte = !(shade > 0) ? 0 : shade >= 255 ? 255 : (unsigned char)(shade + 0.5); /* NaN: black */
                line[(top + y) * line_bytes + 1 + left * grid->channels + x] = byte;
            }
    }
}

ActStatus act_grid_write(const ActGrid *grid, FILE *out, ActError *error)
{
    uint64_t width = grid->columns * (grid->width + GAP) + GAP, height = grid->rows * (grid->height + GAP) + GAP;
    size_t line_bytes = 1 + (size_t)width * grid->channels, n = (size_t)height * line_bytes;
    if (n > INT32_MAX)
        return act_error(error, ACT_E_ARGUMENT, "%s images make a picture of %s x %s pixels, which is too large; take fewer "
                         "with `--rows`", act_text_count(grid->count).text, act_text_count(width).text,
                         act_text_count(height).text);
    uLongf packed_bytes = compressBound((uLong)n);
    unsigned char *line = calloc(n, 1), *packed = malloc(packed_bytes);
    int made = line && packed;
    if (made) {
        paint(grid, line, line_bytes);
        made = compress2(packed, &packed_bytes, line, (uLong)n, 9) == Z_OK;
    }
    if (made) write_png(out, packed, packed_bytes, width, height, grid->channels);
    free(line);
    free(packed);
    return made ? ACT_OK : act_error_memory(error);
}

void act_grid_free(ActGrid *grid)
{
    free(grid->value);
    memset(grid, 0, sizeof *grid);
}
