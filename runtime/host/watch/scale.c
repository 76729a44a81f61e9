#include "host/monitor.h"

ACT_WATCH(scale) = { /* told by host/survey.c, monitor or not */
    .code = "RT17",
    .name = "input_scale",
    .summary = "columns of the training part that never change, or lie far from a mean of 0 and a deviation of 1",
    .doc = "Told when the data is read, with or without the monitor. A column that is the same in every row tells a network nothing: a warning, where "
           "there are few columns. Numbers that reach beyond 3 (pixels: beyond 1) with a mean beyond 0.2 or a deviation outside 0.3 to 3 are a note: "
           "`|> normalize` measures and keeps the constants. Where a range is declared, the checker has said it (ACT1101).",
    .meets = { "ACT1101", "ACT1106" },
};
