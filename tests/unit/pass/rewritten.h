/* A graph and what a pass has made of it, side by side. */
#ifndef ACT_TEST_REWRITTEN_H
#define ACT_TEST_REWRITTEN_H

#include "programs.h"

#include <math.h>

static inline const double *rewritten_output(Arena *arena, const Graph *g)
{
    EvalEnv env = programs_env(programs_values(arena, g, 2, 5), 2);
    return graph_eval(arena, g, &env)[g->roots.at[0].node];
}

/* Fails unless the first root of both is the same, up to 1e-12 and `relative` of the number. */
static inline void rewritten_check(Arena *arena, const Graph *before, const Graph *after, double relative, size_t number)
{
    const double *want = rewritten_output(arena, before), *have = rewritten_output(arena, after);
    for (size_t e = 0; e < 2 * type_elements(graph_type(before, before->roots.at[0].node)); e++)
        if (fabs(want[e] - have[e]) > 1e-12 + relative * fabs(want[e]))
            fail_msg("case %zu: element %zu is %g, not %g", number, e, have[e], want[e]);
}

#endif
