/* A parameter as it lies in its block, and as files hold it: dense, PyTorch's shape and order. */
#ifndef ACT_HOST_TENSOR_H
#define ACT_HOST_TENSOR_H

#include "act/abi.h"

/* `file` holds every element without padding; that of the block becomes zero. */
void act_tensor_from_file(const ActTensor *tensor, const void *file, void *block);
/* Elements of one row of an input, target, output or prediction. */
uint64_t act_tensor_width(const ActTensor *tensor);
/* Elements along the last axis: features, channels, classes; 1 for a scalar. */
uint32_t act_tensor_features(const ActTensor *tensor);
/* Is a row of scores one of probabilities, none below 0 and together 1? Else it is one of logits. */
int act_probabilities(const float *row, size_t n);
const char *act_tensor_type(const ActTensor *tensor); /* "f32" */

#endif
