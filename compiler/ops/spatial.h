/* What layers over sequences [time, channels] and images [height, width, channels] share: their windows and what is put around the
 * value for them. */
#ifndef ACT_OPS_SPATIAL_H
#define ACT_OPS_SPATIAL_H

#include "ops/layer.h"

typedef struct Spatial {
    const char *layer;          /* its name, for messages */
    uint32_t axes;              /* 1: a sequence, 2: an image */
    Window window;
    int64_t before[2], after[2];
    bool reflect;               /* the border holds the value's reflection instead of zeros */
} Spatial;

/* Which arguments of the layer say what; -1: none does. */
typedef struct SpatialArgs {
    int kernel, stride, dilation, padding;
} SpatialArgs;

/* Is value 0 a sequence or an image, with `least` to `most` axes before the channels? False after an error. */
bool spatial_value(LayerCall *call, Spatial *s, uint32_t least, uint32_t most);
/* One number for all axes, or one for each, at least `least`; false after an error. */
bool spatial_numbers(LayerCall *call, const Spatial *s, int arg, const char *name, int64_t least, uint32_t *out);
/* The number of groups divides channels and filters; false after an error. */
bool spatial_groups(LayerCall *call, uint32_t channels, uint32_t filters, int64_t groups, uint32_t *out);
/* Kernel, stride, dilation and padding; `stride` may be left out, it is the kernel then. Complains when the kernel does not fit. */
bool spatial_read(LayerCall *call, Spatial *s, SpatialArgs args);
/* Value 0 with its border. */
NodeId spatial_pad(LayerCall *call, const Spatial *s);
/* `x` with its own elements put around along one axis, from the second one out; fewer than the axis has. */
NodeId spatial_reflect(Graph *g, NodeId x, uint32_t axis, int64_t before, int64_t after);
/* "3 x 5" */
Str spatial_size(const LayerCall *call, const Spatial *s, const uint32_t *size);

#endif
