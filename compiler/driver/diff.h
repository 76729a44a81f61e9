/* Two texts as a unified diff, the form `patch` and code review read. */
#ifndef ACT_DRIVER_DIFF_H
#define ACT_DRIVER_DIFF_H

#include "base/str.h"

/* Nothing when they are equal. */
void diff_unified(Text *out, Str path, Str before, Str after, bool colour);

#endif
