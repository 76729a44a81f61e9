#include "llvm/stages.h"

enum { STEPS = 20000 }; /* of the walk: bodies are small, and one that is not stays whole */

typedef struct Cut {
    const Kernel *k;
    const LoopStmt *body;
    Stages stages;
    unsigned steps, alive;
    bool failed;
} Cut;

static bool is_slow(SxOp op) { return op == SX_SQRT || op == SX_DIV; }

/* The first stage that can use x. */
static unsigned available(Cut *cut, Sx x)
{
    const SxPool *pool = cut->k->p->sx;
    const SxNode *node = sx_node(pool, x);
    unsigned stage = 0;
    if (++cut->steps > STEPS) {
        cut->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < sx_op_arity(node->op); i++) {
        unsigned in = available(cut, node->in[i]);
        stage = in > stage ? in : stage;
    }
    return stage + is_slow(node->op);
}

/* The stage of the first store to the buffer; `none` without one. */
static unsigned stored_in(Cut *cut, uint32_t buf, unsigned none)
{
    unsigned first = none;
    for (const LoopStmt *s = cut->body; s; s = s->next) {
        unsigned stage = s->store.buf == buf ? available(cut, s->store.value) : none;
        first = stage < first ? stage : first;
    }
    return first;
}

/* Can stage `stage` make x anew from what lies in memory then? */
static bool lasts(Cut *cut, Sx x, unsigned stage)
{
    const SxNode *node = sx_node(cut->k->p->sx, x);
    if (is_slow(node->op))
        return false;
    if (node->op == SX_ARG) {
        const LoopArg *arg = &cut->k->k->arg[node->index];
        return arg->kind != LARG_LOAD || stored_in(cut, arg->index, stage) >= stage;
    }
    bool all = ++cut->steps <= STEPS;
    for (unsigned i = 0; all && i < sx_op_arity(node->op); i++)
        all = lasts(cut, node->in[i], stage);
    return all;
}

static void carry(Cut *cut, Sx x, unsigned made, unsigned used)
{
    Stages *stages = &cut->stages;
    StagesCarried *c = stages->carried, *end = c + stages->n_carried;
    while (c < end && c->value != x)
        c++;
    if (c == end) {
        if (stages->n_carried == STAGES_CARRIED) {
            cut->failed = true;
            return;
        }
        *c = (StagesCarried){x, made, made};
        stages->n_carried++;
    }
    if (used > c->used) {
        cut->alive += used - c->used;
        c->used = used;
    }
}

/* x is wanted in `stage`: what comes from an earlier one is carried. */
static void want(Cut *cut, Sx x, unsigned stage)
{
    const SxNode *node = sx_node(cut->k->p->sx, x);
    if (++cut->steps > STEPS)
        cut->failed = true;
    if (cut->failed)
        return;
    unsigned made = available(cut, x) - is_slow(node->op);
    if (node->op == SX_ARG && !lasts(cut, x, stage)) {
        carry(cut, x, stored_in(cut, cut->k->k->arg[node->index].index, stage), stage);
        return;
    }
    if (made < stage && !lasts(cut, x, stage)) {
        carry(cut, x, made, stage);
        stage = made;
    }
    for (unsigned i = 0; i < sx_op_arity(node->op); i++)
        want(cut, node->in[i], stage);
}

unsigned stages_store(const Kernel *k, const LoopStmt *store)
{
    Cut cut = {.k = k, .body = store};
    return available(&cut, store->store.value);
}

Stages stages_of(const Kernel *k, const LoopStmt *body)
{
    Cut cut = {.k = k, .body = body, .stages = {.n = 1}};
    for (const LoopStmt *s = body; s; s = s->next) {
        unsigned stage = available(&cut, s->store.value);
        if (stage + 1 > cut.stages.n)
            cut.stages.n = stage + 1;
    }
    cut.failed = cut.failed || cut.stages.n > STAGES_MOST;
    for (const LoopStmt *s = body; s && !cut.failed; s = s->next)
        want(&cut, s->store.value, available(&cut, s->store.value));
    if (cut.failed || cut.alive > STAGES_CARRIED)
        return (Stages){.n = 1};
    return cut.stages;
}
