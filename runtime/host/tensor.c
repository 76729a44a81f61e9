#include "tensor.h"

#include "core/layout.h"

#include <math.h>
#include <string.h>

void act_tensor_from_file(const ActTensor *tensor, const void *file, void *block)
{
    const uint32_t *from = file; /* both types are four bytes wide */
    uint32_t *to = (uint32_t *)(void *)((char *)block + tensor->offset);
    uint64_t n = act_layout_elements(tensor);
    ActWalk walk;
    act_layout_walk(&walk, tensor);
    memset(to, 0, tensor->bytes);
    for (uint64_t e = 0; e < n; e++) to[act_layout_next(&walk)] = from[e];
}

uint64_t act_tensor_width(const ActTensor *tensor)
{
    return act_layout_elements(tensor);
}

uint32_t act_tensor_features(const ActTensor *tensor)
{
    return tensor->rank ? tensor->dim[tensor->rank - 1] : 1;
}

const char *act_tensor_type(const ActTensor *tensor)
{
    return tensor->type == ACT_I32 ? "i32" : "f32";
}

int act_probabilities(const float *row, size_t n)
{
    double sum = 0;
    for (size_t c = 0; c < n; c++) {
        if (!(row[c] >= 0)) return 0;
        sum += (double)row[c];
    }
    return fabs(sum - 1) < 1e-3;
}
