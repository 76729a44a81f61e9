#include "tensor.h"

#include "core/layout.h"

#include <string.h>

void act_tensor_to_file(const ActTensor *tensor, const void *block, void *file)
{
    const uint32_t *from = (const uint32_t *)(const void *)((const char *)block + tensor->offset);
    uint32_t *to = file; /* both types are four bytes wide */
    uint64_t n = act_layout_elements(tensor);
    ActWalk walk;
    act_layout_walk(&walk, tensor);
    for (uint64_t e = 0; e < n; e++) to[e] = from[act_layout_next(&walk)];
}

void act_tensor_from_file(const ActTensor *tensor, const void *file, void *block)
{
    const uint32_t *from = file;
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
