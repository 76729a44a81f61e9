#include "host/monitor.h"

ACT_WATCH(by_heart) = { /* told by host/sanity.c */
    .code = "RT20",
    .name = "sanity",
    .summary = "a few rows that can't be learnt by heart (`train --sanity`)",
    .doc = "`train --sanity` takes 16 rows and trains on them again and again. Every network that is put together rightly learns them by heart. One "
           "that does not has a mistake that no amount of data will mend: a loss that does not fit the last layer, a gradient that does not arrive, a "
           "learning rate far off, labels that do not belong to their rows. The message says what to look at.",
};
