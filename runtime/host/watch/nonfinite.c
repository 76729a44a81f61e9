#include "host/monitor.h"

ACT_WATCH(nonfinite) = { /* told by monitor_trace.c */
    .code = "RT10",
    .name = "non_finite",
    .summary = "the first value that is NaN or infinite: layer, direction, step and sample; training stops with exit code 3",
    .doc = "When the loss, a layer's value or a gradient is no number, the steps since the last measurement are gone through again from the "
           "parameters of that time, every one of them watched. Runs are the same to the last bit, so the first value that is no number appears "
           "again: on the way forward, in the loss, on the way back, or in the update. The message names the layer and its line, the step, the row "
           "of the training part, and the greatest values of the layers before it. An infinity that grows over several layers asks for a lower "
           "rate or a norm; one that appears in a single layer for a logarithm, root or quotient.",
    .meets = { "ACT1002", "ACT901", "ACT305" },
};
