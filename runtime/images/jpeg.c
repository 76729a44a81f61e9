/* JPEG through libjpeg. It reports by a function that must not return; everything that must outlive the jump stands in a struct. */
#include "pictures.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

typedef struct Decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    ActPicture *picture;
    const char *path;
    ActError *error;
    ActStatus status;
    char why[JMSG_LENGTH_MAX];
} Decoder;

static void fail(j_common_ptr jpeg)
{
    Decoder *d = jpeg->client_data;
    jpeg->err->format_message(jpeg, d->why);
    longjmp(d->back, 1);
}

/* libjpeg goes on with what it guesses where data is damaged; a picture that is half grey is no sample. */
static void listen(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA && jpeg->err->msg_code != JWRN_ADOBE_XFORM) fail(jpeg);
}

static ActStatus decode(Decoder *d)
{
    jpeg_read_header(&d->jpeg, TRUE);
    ActPicture *picture = d->picture;
    ActStatus status = act_picture_fits(picture, d->path, d->jpeg.image_height, d->jpeg.image_width, d->error);
    if (status != ACT_OK) return status;
    if (d->jpeg.jpeg_color_space == JCS_CMYK || d->jpeg.jpeg_color_space == JCS_YCCK)
        return act_error(d->error, ACT_E_FORMAT, "`%s` has the four colours of print (CMYK); convert it to red, green and blue", d->path);
    d->jpeg.out_color_space = picture->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    d->jpeg.dct_method = JDCT_ISLOW; /* the same pixels everywhere */
    jpeg_start_decompress(&d->jpeg);
    while (d->jpeg.output_scanline < d->jpeg.output_height) {
        JSAMPROW row = picture->pixel + (size_t)d->jpeg.output_scanline * picture->width * picture->channels;
        jpeg_read_scanlines(&d->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&d->jpeg);
    return ACT_OK;
}

ActStatus act_picture_jpeg(const ActBytes *file, const char *path, ActPicture *picture, ActError *error)
{
    Decoder *d = calloc(1, sizeof *d);
    if (!d) return act_error_memory(error);
    d->picture = picture;
    d->path = path;
    d->error = error;
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->jpeg.client_data = d;
    d->errors.error_exit = fail;
    d->errors.emit_message = listen;
    if (setjmp(d->back) != 0) {
        d->status = act_error(error, ACT_E_FORMAT, "`%s` is a damaged JPEG file: %s", path, d->why);
    } else {
        jpeg_create_decompress(&d->jpeg);
        jpeg_mem_src(&d->jpeg, file->data, file->size);
        d->status = decode(d);
    }
    ActStatus status = d->status;
    jpeg_destroy_decompress(&d->jpeg);
    free(d);
    return status;
}
