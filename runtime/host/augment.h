/* Training images moved about: `augment flip, crop(4)`. */
#ifndef ACT_HOST_AUGMENT_H
#define ACT_HOST_AUGMENT_H

#include "act/abi.h"

#include <stddef.h>

/* Every input of the model that is an image, [height, width, channels], of n rows in value[input], in place: mirrored left to right in
 * half of the rows (data->flip), and moved by up to data->crop pixels along each axis, with what black becomes in the training part's
 * pipeline around it. The images of one row move alike. What happens to a row depends on seed, step and its number alone. `spare` holds
 * the largest image. */
void act_augment(const ActModel *model, uint64_t seed, uint64_t step, size_t n, void *const *value, float *spare);
/* Elements of the largest image; 0: nothing is to be done. */
size_t act_augment_spare(const ActModel *model);

#endif
