/* What the layers of normalisation share. */
#ifndef ACT_OPS_NORM_H
#define ACT_OPS_NORM_H

#include "ops/layer.h"

/* Is there an axis of channels, are there numbers, and does `eps` lie above zero? False after an error. */
bool norm_fits(LayerCall *call, uint32_t eps);
/* The scale and the shift of every channel, [C]; the number 1 or 0 where the argument is `false`. 0 after an error. */
NodeId norm_weight(LayerCall *call, uint32_t arg);
NodeId norm_bias(LayerCall *call, uint32_t arg);
/* y times weight plus bias; LAYER_MAX_PARAM: there is no such argument. */
NodeId norm_affine(LayerCall *call, NodeId y, uint32_t weight, uint32_t bias);

#define NORM_EPS(DEFAULT)                                                                                              \
    {                                                                                                                  \
        .name = "eps", .kind = ARG_REAL, .def = DEFAULT, .doc = "added to the variance", .named_only = true            \
    }
#define NORM_WEIGHT(DEFAULT)                                                                                           \
    {                                                                                                                  \
        .name = "weight", .kind = ARG_INIT, .def = DEFAULT,                                                            \
        .doc = "how the scale of each channel starts; `false` leaves it out", .named_only = true                       \
    }
#define NORM_BIAS(DEFAULT)                                                                                             \
    {                                                                                                                  \
        .name = "bias", .kind = ARG_INIT, .def = DEFAULT,                                                              \
        .doc = "how the shift of each channel starts; `false` leaves it out", .named_only = true                       \
    }

#endif
