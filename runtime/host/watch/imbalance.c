#include "host/monitor.h"

ACT_WATCH(imbalance) = { /* told by host/survey.c, monitor or not */
    .code = "RT16",
    .name = "class_imbalance",
    .summary = "a class of the training part that has 5, 10 times the rows of another, or none",
    .doc = "Told when the data is read, with or without the monitor. A network that always names the most frequent class is right in its share of the "
           "rows, and early training goes there first. Five times the rows of the rarest class is a note, ten times a warning, and so is a class "
           "that never occurs. Accuracy says little then: look at `f1`, and weigh the classes in the loss: `weight = balanced`.",
};
