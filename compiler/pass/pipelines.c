/* The pipelines, and the runner that holds every pass to its record. */
#include "pass/pass.h"

#include <stdio.h>
#include <time.h>

const Pass *const pipeline_inference[] = {
    &pass_lookup,    /* as in a training step: before dropout vanishes */
    &pass_expand,    /* the mode decides what dropout is */
    &pass_fold, &pass_simplify, &pass_share, &pass_prune,
    &pass_convolve,  /* while windows and what is cut off stand as the layers wrote them */
    &pass_lanes,     /* behind it: input gradients are convolutions, too */
    &pass_canonical, /* before fusion: it knows rows and columns, nothing between */
    &pass_simplify, &pass_share, &pass_prune,
    &pass_layout,    /* adds the copies and transposes that fusion must see */
    &pass_fuse, &pass_schedule, &pass_memory, NULL};

/* `watch` is what the monitor adds (nothing, or its pass), where gradients are nodes of their own. */
#define TRAIN(watch)                                                                                                   \
    &pass_lookup,       /* before gradients: those of a table's rows are small, too */                                 \
        &pass_outline,  /* likewise: they are to be made from what it takes out */                                     \
        &pass_gradient, /* before expansion: a gradient rule wants the op, not what it expands to */                   \
        watch           /* while the gradient pass still knows which gradient is whose */                              \
        &pass_merge,    /* where gradients were added up, and before they vanish in the optimizer */                   \
        &pass_optimize, /* before folding: bias corrections become uniforms there */                                   \
        &pass_expand, &pass_fold, &pass_simplify, &pass_share, &pass_prune,                                            \
        &pass_stack,    /* when equal parts are one node */                                                            \
        &pass_convolve, &pass_lanes, &pass_canonical, &pass_fold, &pass_simplify, &pass_share, &pass_prune,            \
        &pass_layout, &pass_fuse, &pass_schedule, &pass_memory, NULL
#define NO_PASS
#define WATCH_PASS &pass_watch,

const Pass *const pipeline_train[] = {TRAIN(NO_PASS)};
const Pass *const pipeline_watch[] = {TRAIN(WATCH_PASS)};

/* All passes, each once: the pipeline of a watched step has every one. */
static unsigned distinct(const Pass **out)
{
    unsigned n = 0;
    for (unsigned i = 0; pipeline_watch[i] != NULL; i++) {
        unsigned k = 0;
        while (k < n && out[k] != pipeline_watch[i])
            k++;
        if (k == n)
            out[n++] = pipeline_watch[i];
    }
    return n;
}

unsigned pass_count(void)
{
    const Pass *all[64];
    return distinct(all);
}

const Pass *pass_at(unsigned i)
{
    const Pass *all[64];
    return i < distinct(all) ? all[i] : NULL;
}

const Pass *pass_find(Str name)
{
    for (unsigned i = 0; i < pass_count(); i++)
        if (str_is(name, pass_at(i)->name))
            return pass_at(i);
    return NULL;
}

static void dump(const PassState *state, const Pass *pass, const PassOptions *options, bool changed)
{
    printf("== %s after %s%s\n", options->label == NULL ? "graph" : options->label, pass->name,
           changed ? "" : " (unchanged)");
    if (!changed)
        return;
    Text text = {.arena = state->arena};
    if (state->plan != NULL)
        plan_print(state->plan, &text);
    else
        graph_print(state->g, &text);
    fwrite(text.p, 1, text.n, stdout);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool pass_run(PassState *state, const Pass *const *pipeline, const PassOptions *options)
{
    unsigned facts = FACT_TYPED;
    for (unsigned i = 0; pipeline[i] != NULL; i++) {
        const Pass *pass = pipeline[i];
        bool wanted = options->dump_after != NULL &&
                      (str_is(str_of(options->dump_after), "all") || str_is(str_of(options->dump_after), pass->name));
        Text before = {.arena = state->arena}, after = {.arena = state->arena};
        if (wanted)
            graph_print(state->g, &before);
        ACT_ASSERT((facts & pass->needs) == pass->needs);
        const Plan *plan = state->plan;
        double start = seconds();
        pass->run(state);
        if (options->time)
            fprintf(stderr, "%10.6f s  %s.%s\n", seconds() - start, options->label, pass->name);
        facts = (facts & pass->keeps) | pass->gives;
        if (options->verify) {
            const char *why = graph_verify(state->g, state->arena);
            if (why != NULL) {
                fprintf(stderr, "after pass %s: %s\n", pass->name, why);
                ACT_BUG("a pass broke the graph");
            }
        }
        if (wanted) {
            graph_print(state->g, &after);
            dump(state, pass, options, plan != state->plan || state->plan != NULL ||
                                           !str_eq(text_str(&before), text_str(&after)));
        }
        if (options->stop_after != NULL && str_is(str_of(options->stop_after), pass->name))
            return false;
    }
    return true;
}
