#include "augment.h"

#include "core/random.h"

#include <string.h>

enum { FLIP, DOWN, RIGHT }; /* numbers of a row */

static const ActData *data_of(const ActModel *model)
{
    const ActData *data = model->train ? model->train->data : NULL;
    return data && (data->flip || data->crop) ? data : NULL;
}

static int is_image(const ActTensor *tensor) { return tensor->rank == 3 && tensor->type == ACT_F32; }

size_t act_augment_spare(const ActModel *model)
{
    size_t most = 0;
    for (uint32_t i = 0; data_of(model) && i < model->n_input; i++) {
        const uint32_t *dim = model->input[i].dim;
        size_t n = (size_t)dim[0] * dim[1] * dim[2];
        if (is_image(&model->input[i]) && n > most) most = n;
    }
    return most;
}

/* What 0 in the file becomes: images are moved before they are scaled, as far as anyone can see. */
static float black(const ActData *data, const char *name)
{
    double x = 0;
    for (uint32_t p = 0; p < data->n_part; p++)
        for (uint32_t f = 0; strcmp(data->part[p].name, "train") == 0 && f < data->part[p].n_field; f++) {
            const ActField *field = &data->part[p].field[f];
            for (uint32_t t = 0; strcmp(field->name, name) == 0 && t < field->n_transform; t++) {
                const ActTransform *with = &field->transform[t];
                if (with->kind == ACT_T_AFFINE) x = x * with->a + with->b;
                if (with->kind == ACT_T_STANDARD) x = (x - with->a) / with->b;
            }
        }
    return (float)x;
}

/* Pixel (y, x) comes from (y + down, x + right) of the image, mirrored first. */
static void move(const ActTensor *tensor, float *image, float *spare, int flip, int64_t down, int64_t right, float around)
{
    int64_t height = tensor->dim[0], width = tensor->dim[1], channels = tensor->dim[2];
    memcpy(spare, image, (size_t)(height * width * channels) * sizeof *image);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++, image += channels) {
            int64_t from_y = y + down, from_x = x + right;
            int inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
            if (flip) from_x = width - 1 - from_x;
            for (int64_t c = 0; c < channels; c++)
                image[c] = inside ? spare[(from_y * width + from_x) * channels + c] : around;
        }
}

void act_augment(const ActModel *model, uint64_t seed, uint64_t step, size_t n, void *const *value, float *spare)
{
    const ActData *data = data_of(model);
    for (uint32_t i = 0; data && i < model->n_input; i++) {
        const ActTensor *tensor = &model->input[i];
        if (!is_image(tensor)) continue;
        size_t size = (size_t)tensor->dim[0] * tensor->dim[1] * tensor->dim[2];
        float around = black(data, tensor->name);
        for (size_t r = 0; r < n; r++) {
            uint32_t word[4];
            act_random_block(seed, ACT_STREAM_AUGMENT, step, (uint32_t)r, 0, word);
            uint64_t places = 2 * (uint64_t)data->crop + 1;
            int64_t down = (int64_t)(word[DOWN] * places >> 32) - data->crop;
            int64_t right = (int64_t)(word[RIGHT] * places >> 32) - data->crop;
            move(tensor, (float *)value[i] + r * size, spare, data->flip && word[FLIP] >> 31, down, right, around);
        }
    }
}
