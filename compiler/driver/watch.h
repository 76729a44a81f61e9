/* What a monitored training looks at, and what the checker expects there. */
#ifndef ACT_DRIVER_WATCH_H
#define ACT_DRIVER_WATCH_H

#include "driver/session.h"
#include "pass/watch.h"

/* By model of the program; NULL for one that nobody wants to watch, or that does not train. `everyone`: --monitor. To be called while
 * the session still has its findings: the run will say which came true. */
Watch **watch_plan(Session *s, const Program *program, bool everyone);

#endif
