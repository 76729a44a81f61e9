/* What a product asks for on behalf of its neighbours in a strip.
 *
 * A map or a sum does little with what it reads and writes; where that lies in memory, waiting is most of what it costs. A convolution has
 * time: its micro-kernels ask for a line at a term. So what no kernel of the strip has touched before is asked for by the last product in
 * front of the kernel that touches it, or, where there is none, by the strip's last product for the rows that come next. */
#include "kernel/lower.h"

/* What a kernel reads or writes of a buffer, in all its rows. */
typedef struct Touched {
    uint32_t buf;
    int64_t base, row; /* elements: the first one of row 0; from one row of the batch to the next */
    uint64_t elements; /* of a row */
} Touched;

typedef struct Walk {
    const LoopProgram *program;
    const LoopKernel *kernel;
    Arena *arena;
    Extent level[LOOP_MAX_DEPTH];
    uint32_t depth;
    VEC(Touched) touched;
} Walk;

/* The outermost loop goes through the rows. */
static void add_place(Walk *r, uint32_t buf, const Affine *at)
{
    int64_t row = at->coef[0] * r->level[0].per_row;
    uint64_t elements = (uint64_t)r->level[0].per_row;
    for (uint32_t d = 1; d < r->depth; d++)
        if (at->coef[d] != 0)
            elements *= (uint64_t)r->level[d].fixed;
    if (row <= 0)
        return;
    for (uint32_t i = 0; i < r->touched.n; i++) {
        Touched *known = &r->touched.at[i];
        if (known->buf == buf && known->row == row) {
            known->base = at->base < known->base ? at->base : known->base;
            known->elements += elements;
            return;
        }
    }
    *vec_push(r->arena, &r->touched) = (Touched){buf, at->base, row, elements};
}

static void add_value(Walk *r, Sx value)
{
    uint64_t used = sx_args_used(r->program->sx, value);
    for (uint32_t i = 0; i < r->kernel->n_arg; i++)
        if (used >> i & 1 && r->kernel->arg[i].kind == LARG_LOAD)
            add_place(r, r->kernel->arg[i].index, &r->kernel->arg[i].at);
}

/* Not of products, which ask for what is theirs (llvm/ahead.c). */
static void add_list(Walk *r, const LoopStmt *list)
{
    for (; list; list = list->next) {
        if (list->kind == LOOP_FOR) {
            r->level[r->depth++] = list->loop.extent;
            add_list(r, list->loop.body);
            r->depth--;
        } else if (r->depth > 0 && list->kind == LOOP_STORE) { /* a line is fetched before it is written, too */
            add_value(r, list->store.value);
            add_place(r, list->store.buf, &list->store.at);
        } else if (r->depth > 0 && list->kind == LOOP_ACC_ADD) {
            add_value(r, list->acc.value);
        }
    }
}

/* ── what the strip has near ── */
static bool same_bytes(const LoopBuf *a, const LoopBuf *b)
{
    return a->space == b->space && a->index == b->index && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static bool list_touches(const LoopProgram *p, const LoopStmt *list, const LoopBuf *buf)
{
    bool touches = false;
    for (; list && !touches; list = list->next) {
        if (list->kind == LOOP_FOR)
            touches = list_touches(p, list->loop.body, buf);
        else if (list->kind == LOOP_STORE || list->kind == LOOP_ADD)
            touches = same_bytes(&p->bufs.at[list->store.buf], buf);
        else if (list->kind == LOOP_TILE)
            touches = same_bytes(&p->bufs.at[list->tile.a], buf) || same_bytes(&p->bufs.at[list->tile.b], buf) ||
                      list_touches(p, list->tile.body, buf);
    }
    return touches;
}

static bool touches(const LoopProgram *p, const LoopKernel *k, const LoopBuf *buf)
{
    bool found = list_touches(p, k->body, buf);
    for (uint32_t i = 0; i < k->n_arg && !found; i++)
        found = k->arg[i].kind == LARG_LOAD && same_bytes(&p->bufs.at[k->arg[i].index], buf);
    return found;
}

/* No more than the second-level cache holds. */
static void ask(LoopKernel *k, const LoopAhead *ahead, const Target *target, Arena *arena)
{
    LoopAhead *all = arena_array(arena, LoopAhead, k->n_ahead + 1);
    uint64_t bytes = ahead->bytes;
    for (uint32_t i = 0; i < k->n_ahead; i++) {
        all[i] = k->ahead[i];
        bytes += all[i].bytes;
    }
    if (bytes * k->strip > target->l2)
        return;
    all[k->n_ahead++] = *ahead;
    k->ahead = all;
}

void lower_ahead(LoopProgram *program, uint32_t first, uint32_t last, const Target *target, uint32_t batch, Arena *arena)
{
    LoopKernel *k = program->kernels.at, *product = NULL, *before = NULL;
    for (uint32_t i = first; i < last; i++)
        if (tile_of_places(k[i].body))
            product = &k[i];
    if (!product)
        return;
    for (uint32_t i = first; i < last; i++) {
        Walk r = {.program = program, .kernel = &k[i], .arena = arena};
        add_list(&r, k[i].body);
        for (uint32_t j = 0; j < r.touched.n; j++) {
            const Touched *of = &r.touched.at[j];
            const LoopBuf *buf = &program->bufs.at[of->buf];
            bool near = buf->bytes <= target->l2 || 2 * of->elements < (uint64_t)of->row;
            for (uint32_t n = first; n < i && !near; n++)
                near = touches(program, &k[n], buf);
            uint64_t most = buf->bytes / batch, all = 4 * (uint64_t)of->row;
            LoopAhead ahead = {of->buf, of->base, of->row, all < most ? all : most, before == NULL};
            if (!near)
                ask(before ? before : product, &ahead, target, arena);
        }
        if (tile_of_places(k[i].body))
            before = &k[i];
    }
}
