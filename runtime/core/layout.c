#include "layout.h"

#include <string.h>

uint64_t act_layout_elements(const ActTensor *tensor)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) n *= tensor->dim[i];
    return n;
}

void act_layout_file_shape(const ActTensor *tensor, uint32_t shape[ACT_MAX_RANK])
{
    for (uint32_t i = 0; i < tensor->rank; i++) shape[i] = tensor->dim[tensor->file_axis[i]];
}

uint64_t act_layout_bytes(const ActTensor *tensor)
{
    uint64_t n = act_layout_elements(tensor);
    if (tensor->layout == ACT_PANELS && tensor->rank > 0 && n > 0) {
        uint64_t cols = tensor->dim[tensor->rank - 1];
        n = n / cols * ((cols + tensor->panel - 1) / tensor->panel) * tensor->panel;
    }
    return n * 4;
}

/* what inside coordinate c of file axis i adds to the place */
static uint64_t place_of(const ActWalk *walk, uint32_t i, uint32_t file_coordinate)
{
    uint32_t axis = walk->axis[i], c = file_coordinate;
    if (axis == 0 && walk->channels) c = (c % walk->pixels) * walk->channels + c / walk->pixels;
    if (axis == walk->rank - 1 && walk->panel_step) return c / walk->panel * walk->panel_step + c % walk->panel;
    return c * walk->step[axis];
}

void act_layout_walk(ActWalk *walk, const ActTensor *tensor)
{
    memset(walk, 0, sizeof *walk);
    walk->rank = tensor->rank;
    act_layout_file_shape(tensor, walk->size);
    for (uint32_t i = 0; i < tensor->rank; i++) walk->axis[i] = tensor->file_axis[i];
    if (tensor->rank == 0) return;

    uint32_t last = tensor->rank - 1;
    uint64_t rows = 1;
    uint64_t row_step = tensor->layout == ACT_PANELS ? tensor->panel : tensor->dim[last];
    walk->step[last] = 1;
    for (uint32_t a = last; a-- > 0;) {
        walk->step[a] = rows * row_step;
        rows *= tensor->dim[a];
    }
    if (tensor->layout == ACT_PANELS) {
        walk->panel = tensor->panel;
        walk->panel_step = rows * tensor->panel;
    }
    if (tensor->flat_rank > 1) {
        walk->channels = tensor->flat[tensor->flat_rank - 1];
        walk->pixels = 1;
        for (uint32_t i = 0; i + 1 < tensor->flat_rank; i++) walk->pixels *= tensor->flat[i];
    }
    for (uint32_t i = 0; i < walk->rank; i++) walk->place[i] = place_of(walk, i, 0);
}

uint64_t act_layout_next(ActWalk *walk)
{
    uint64_t place = 0;
    for (uint32_t i = 0; i < walk->rank; i++) place += walk->place[i];
    for (uint32_t i = walk->rank; i-- > 0;) {
        if (++walk->at[i] == walk->size[i]) walk->at[i] = 0;
        walk->place[i] = place_of(walk, i, walk->at[i]);
        if (walk->at[i]) break;
    }
    return place;
}
