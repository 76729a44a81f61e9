/* A graph's forward pass and training step as machine code, compared with the double interpreter for several numbers of rows and
 * threads; the bits of a row must depend on neither. */
#ifndef ACT_TEST_COMPILED_H
#define ACT_TEST_COMPILED_H

#include "llvm/jit.h"
#include "programs.h"

typedef struct Compiled {
    Graph *g;
    LoopProgram *program;
    JitRun run;
} Compiled;

static inline void compiled_plan(Arena *arena, const Model *model, const Graph *source, bool train, const Target *target, Compiled *out)
{
    PassState state = programs_plan(arena, model, source, train, target);
    out->g = state.g;
    out->program = programs_lower(&state);
    const char *why = loop_verify(out->program, source->batch, arena);
    if (why != NULL) {
        Text text = {.arena = arena};
        loop_print(out->program, &text);
        fail_msg("%s\n%s", why, text_str(&text).p);
    }
}

static inline void compiled_run(const Compiled *c, ProgramsCall *call, uint32_t threads)
{
    JitPool pool = {.threads = threads};
    pthread_barrier_init(&pool.barrier, NULL, threads ? threads : 1);
    CgCall cg = {.param = call->memory.param, .state = call->memory.state, .work = call->memory.work,
                 .pool = threads ? &pool : NULL, .input = call->memory.input, .target = call->memory.target,
                 .output = call->memory.output, .prediction = call->memory.prediction, .loss = call->loss,
                 .n = call->memory.n, .step = 3, .lr_scale = 0.5, .seed = 42};
    c->run(&cg);
    pthread_barrier_destroy(&pool.barrier);
}

/* By node: does it depend on a sum over the batch? */
static inline bool *compiled_sums(Arena *arena, const Graph *g)
{
    bool *sums = arena_array(arena, bool, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; i < graph_node(g, id)->n_in; i++) {
            NodeId in = graph_node(g, id)->in[i];
            sums[id] |= sums[in] || (graph_type(g, in)->batch && !graph_type(g, id)->batch);
        }
    return sums;
}

static inline void compiled_compare(Arena *arena, const Compiled *c, const char *what)
{
    static const size_t rows[] = {128, 1, 2, 7, 31};
    ProgramsCall *full = NULL;
    const bool *sums = compiled_sums(arena, c->g);
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double **value = programs_values(arena, c->g, rows[i], 5);
        EvalEnv env = programs_env(value, rows[i]);
        double **want = graph_eval(arena, c->g, &env);
        for (uint32_t threads = 0; threads <= 3; threads += threads == 0 ? 2 : 1) {
            ProgramsCall *call = programs_call(arena, c->g, c->program->work_bytes, value, rows[i]);
            compiled_run(c, call, threads);
            for (uint32_t k = 0; k < c->g->roots.n; k++) {
                const Root *root = &c->g->roots.at[k];
                double error = programs_error(c->g, call, root, want[root->node], rows[i]);
                if (!(error <= 1e-5)) {
                    Text text = {.arena = arena};
                    loop_print(c->program, &text);
                    fail_msg("%s: root %u is off by %g at n = %zu with %u threads\n%s", what, k, error, rows[i], threads,
                             text_str(&text).p);
                }
                /* rows have the same bits with any number of rows; programs_values gives row r the same data for every n */
                size_t count = graph_value_count(c->g, root->node, rows[i]);
                bool rows_alone = root->kind == ROOT_OUTPUT && !sums[root->node];
                for (size_t e = 0; full != NULL && rows_alone && e < count; e++) {
                    float a = (float)programs_result(c->g, call, root, e), b = (float)programs_result(c->g, full, root, e);
                    if (memcmp(&a, &b, sizeof a) != 0)
                        fail_msg("%s: element %zu has other bits at n = %zu, %u threads", what, e, rows[i], threads);
                }
            }
            full = full == NULL ? call : full;
        }
    }
}

/* Both programs of a graph in one object, compared. */
static inline void compiled_check(Arena *arena, const Model *model, const Graph *g, const JitLevel *level, const char *what)
{
    Compiled forward, train;
    compiled_plan(arena, model, g, false, &level->target, &forward);
    compiled_plan(arena, model, g, true, &level->target, &train);
    Jit jit;
    jit_start(&jit, level);
    LLVMSetLinkage(cg_program(&jit.cg, forward.program, g->batch, "forward"), LLVMExternalLinkage);
    LLVMSetLinkage(cg_program(&jit.cg, train.program, g->batch, "train"), LLVMExternalLinkage);
    jit_link(&jit);
    forward.run = (JitRun)jit_find(&jit, "forward.run");
    train.run = (JitRun)jit_find(&jit, "train.run");
    compiled_compare(arena, &forward, what);
    compiled_compare(arena, &train, what);
    jit_end(&jit);
}

#endif
