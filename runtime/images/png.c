/* PNG through libpng. It reports by longjmp; everything that must outlive one stands in a struct. */
#include "pictures.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct Decoder {
    const ActBytes *file;
    size_t at;
    ActPicture *picture;
    png_structp png;
    png_infop info;
    unsigned char *image;     /* what libpng makes of the file: grey or colours */
    png_bytep *row;
    uint32_t channels;
    const char *path;
    ActError *error;
    ActStatus status;
    char why[160];
} Decoder;

static void take(png_structp png, png_bytep to, size_t n)
{
    Decoder *d = png_get_io_ptr(png);
    if (d->file->size - d->at < n) png_error(png, "it is cut off");
    memcpy(to, d->file->data + d->at, n);
    d->at += n;
}

static void fail(png_structp png, png_const_charp text)
{
    Decoder *d = png_get_error_ptr(png);
    snprintf(d->why, sizeof d->why, "%s", text);
    png_longjmp(png, 1);
}

static void pass_over(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static ActStatus decode(Decoder *d)
{
    png_read_info(d->png, d->info);
    uint64_t height = png_get_image_height(d->png, d->info), width = png_get_image_width(d->png, d->info);
    ActStatus status = act_picture_fits(d->picture, d->path, height, width, d->error);
    if (status != ACT_OK) return status;
    png_set_expand(d->png); /* palettes, and fewer than 8 bits */
    png_set_scale_16(d->png);
    png_set_strip_alpha(d->png);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    d->channels = png_get_channels(d->png, d->info);
    size_t bytes = png_get_rowbytes(d->png, d->info);
    if ((d->channels != 1 && d->channels != 3) || bytes != width * d->channels) png_error(d->png, "pixels of a strange kind");
    d->image = malloc(bytes * height);
    d->row = malloc(height * sizeof *d->row);
    if (!d->image || !d->row) return act_error_memory(d->error);
    for (size_t y = 0; y < height; y++) d->row[y] = d->image + y * bytes;
    png_read_image(d->png, d->row);
    png_read_end(d->png, NULL);
    return ACT_OK;
}

/* The weights of BT.601, which JPEG uses, too. */
static unsigned char grey(const unsigned char *c)
{
    return (unsigned char)((19595u * c[0] + 38470u * c[1] + 7471u * c[2] + 32768u) >> 16);
}

static void convert(const Decoder *d)
{
    size_t n = (size_t)d->picture->height * d->picture->width;
    unsigned char *to = d->picture->pixel;
    const unsigned char *from = d->image;
    if (d->channels == d->picture->channels) memcpy(to, from, n * d->channels);
    else if (d->channels == 3)
        for (size_t i = 0; i < n; i++) to[i] = grey(from + 3 * i);
    else
        for (size_t i = 0; i < n; i++) to[3 * i] = to[3 * i + 1] = to[3 * i + 2] = from[i];
}

ActStatus act_picture_png(const ActBytes *file, const char *path, ActPicture *picture, ActError *error)
{
    Decoder *d = calloc(1, sizeof *d);
    if (!d) return act_error_memory(error);
    *d = (Decoder){ .file = file, .picture = picture, .path = path, .error = error };
    d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, fail, pass_over);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info) {
        d->status = act_error_memory(error);
    } else if (setjmp(png_jmpbuf(d->png)) != 0) {
        d->status = act_error(error, ACT_E_FORMAT, "`%s` is a damaged PNG file: %s", path, d->why);
    } else {
        png_set_read_fn(d->png, d, take);
        d->status = decode(d);
    }
    if (d->status == ACT_OK) convert(d);
    ActStatus status = d->status;
    png_destroy_read_struct(&d->png, &d->info, NULL);
    free(d->image);
    free(d->row);
    free(d);
    return status;
}
