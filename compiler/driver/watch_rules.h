/* The rules of the monitor, which stand in the runtime. */
#ifndef ACT_DRIVER_WATCH_RULES_H
#define ACT_DRIVER_WATCH_RULES_H

#include "check/explain.h"

/* Lines as those of check_list(). */
void watch_rules_list(Text *out, bool json);
/* The page of a rule, by code or name. False: none is called so. */
bool watch_rules_explain(Str name, const ExplainStyle *style, Text *out);

#endif
