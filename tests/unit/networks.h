/* Networks written in the language, for tests that compile them: the files of a folder, read one by one. */
#ifndef ACT_TESTS_NETWORKS_H
#define ACT_TESTS_NETWORKS_H

#include "sema/model.h"
#include "syntax/parse.h"

#include <glob.h>

/* Without an error; the batch is 0 for that of the file. */
static inline Program *networks_read(Arena *arena, const char *path, uint32_t batch)
{
    Sources *sources = arena_new_of(arena, Sources);
    Diags *diags = arena_new_of(arena, Diags);
    *sources = (Sources){.arena = arena};
    *diags = (Diags){.arena = arena, .sources = sources};
    Str why = {0};
    const Source *source = source_read(sources, str_of(path), &why);
    if (source == NULL)
        fail_msg("%s", why.p);
    SemaOptions options = {.batch = batch};
    Program *program = sema_run(arena, sources, diags, parse_source(arena, diags, source), &options);
    if (diag_count(diags, LEVEL_ERROR) != 0)
        fail_msg("%s", diag_render(arena, diags->list.at[0], &(DiagStyle){.format = DIAG_SHORT}).p);
    return program;
}

/* The interpreter walks every multiplication, in double, for each target and number of rows: what would take it long is left to the tests
 * that train the examples, and to the layers' own. A sanitizer makes a second ten. */
static inline bool networks_small(const Graph *g)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    enum { MOST = 50000 /* operations for a row */ };
#else
    enum { MOST = 500000 };
#endif
    uint64_t flops = 0;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        flops += node->op->flops == NULL ? type_elements(&node->type) : node->op->flops(g, node);
    }
    return flops <= MOST;
}

/* Every file that the pattern finds, and it must find some. */
static inline void networks_each(const char *pattern, void (*check)(const char *path))
{
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check(found.gl_pathv[i]);
    globfree(&found);
}

#endif
