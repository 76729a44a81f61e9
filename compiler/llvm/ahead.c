/* What a micro-kernel asks for while it is at work: it has load slots to spare. The next chunk of a right side that lives in memory, and what
 * the body over its sums reads and writes.
 *
 * Rows that lie end to end are one run, so much further at each term. Rows far apart are asked for one line at a term: a
 * processor waits for two dozen lines at a time, and what is asked for beyond that is forgotten. */
#include "llvm/tile.h"

enum { LINE = 64 };

/* Bytes a term such that `bytes` are asked for in one pass over `terms`; 0: too many to be asked for one at a term. */
static uint32_t ahead_step(int64_t bytes, int64_t terms)
{
    int64_t step = (bytes + terms - 1) / terms;
    return step > LINE ? 0 : (uint32_t)step;
}

/* Rows far apart in a buffer that no cache holds. Nor does a cache hold a short buffer when so much else has been touched since it was
 * written: what a step of a recurrent layer left for the way back. */
static bool is_far(const Kernel *k, uint32_t buf)
{
    uint64_t l2 = k->c->target->l2;
    return k->p->bufs.at[buf].bytes > l2 || (k->p->bufs.at[buf].space == BUF_WORK && k->p->work_bytes > l2);
}

bool tile_wants_next(const Kernel *k, const LoopTile *t, const TileBlock *b)
{
    return b->pack && !t->b_turn && is_far(k, t->b) && t->b_k * 4 <= UINT32_MAX;
}

LLVMValueRef tile_next_source(Kernel *k, const LoopTile *t, LLVMValueRef start, LLVMValueRef unit, LLVMValueRef units, int64_t step)
{
    Cg *c = k->c;
    LLVMValueRef here = cg_icmp(c, LLVMIntSLT, unit, units), chunk = cg_mul(c, unit, cg_i64(c, step));
    return cg_at(c, c->f32, start, cg_select(c, here, chunk, cg_i64(c, t->b_block)));
}

/* B is packed chunk by chunk: each tile asks for one line of every row of the next chunk, its neighbours for the others. */
static void next_packed(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out)
{
    Cg *c = k->c;
    uint32_t lines = (b->cols * 4 + LINE - 1) / LINE;
    LLVMValueRef tile = cg_udiv(c, row, cg_i64(c, top)), whole = cg_mul(c, cg_udiv(c, tile, cg_i64(c, lines)), cg_i64(c, lines));
    out->shape[out->n] = (MicroAhead){.step = (uint32_t)(t->b_k * 4), .level = 2, .deep = true};
    out->at[out->n++] = cg_at(c, c->i8, b->next, cg_mul(c, cg_sub(c, tile, whole), cg_i64(c, LINE)));
}

/* B lies in panels read in place and no cache holds it: each tile asks for its share of the next chunk. */
void tile_next_chunk(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef b_at, LLVMValueRef row, TileAhead *out)
{
    Cg *c = k->c;
    int64_t depth = tile_most(k, t->depth), bytes = b->chunk * b->b_k * 4, rows = tile_most(k, t->rows);
    if (b->next)
        next_packed(k, t, b, top, row, out);
    if (t->n_deep || b->pack || b->b_k != b->out || depth * t->cols * 4 <= (int64_t)c->target->l2 / 2 || rows < 2 * top)
        return;
    rows = b->chunked && b->group < rows ? b->group : rows;
    int64_t a_row = (bytes + rows - 1) / rows;
    uint32_t step = ahead_step(a_row * top, b->chunk);
    if (!step)
        return;
    LLVMValueRef share = cg_add(c, cg_i64(c, bytes), cg_mul(c, row, cg_i64(c, a_row)));
    out->shape[out->n] = (MicroAhead){.step = step, .level = 2};
    out->at[out->n++] = cg_at(c, c->i8, b_at, share);
}

/* Places are gone through in the order in which A lies (sweep.c): each tile asks for its share of what comes later. */
void tile_next_places(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out)
{
    Cg *c = k->c;
    uint32_t step = b->fetch ? ahead_step(b->fetch_row * top * 4, b->chunk) : 0;
    if (!step || out->n >= MICRO_AHEAD)
        return;
    LLVMValueRef at = cg_add(c, b->fetch, cg_mul(c, row, cg_i64(c, b->fetch_row)));
    out->shape[out->n] = (MicroAhead){.step = step, .level = 2};
    out->at[out->n++] = cg_at(c, c->f32, kernel_buffer(k, t->a), at);
}

/* A row's part of the sample is asked for over all of its terms, however they are cut. */
void tile_next_beside(Kernel *k, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out)
{
    Cg *c = k->c;
    for (uint32_t i = 0; i < k->k->n_ahead && i < TILE_BESIDE && out->n < MICRO_AHEAD; i++) {
        uint32_t step = ahead_step((int64_t)b->beside_row[i] * top, b->terms);
        if (!step)
            continue;
        LLVMValueRef at = cg_mul(c, row, cg_i64(c, b->beside_row[i]));
        if (b->before)
            at = cg_add(c, at, cg_mul(c, b->before, cg_i64(c, step)));
        out->shape[out->n] = (MicroAhead){.step = step, .level = 2};
        out->at[out->n++] = cg_at(c, c->i8, b->beside[i], at);
    }
}

/* A line of each row of the tile at `row` is an entry of the list that the micro-kernel works off: where, and how far to the next row. */
static void fetch_rows(Kernel *k, const LoopTile *t, uint32_t buf, const Affine *at, LLVMValueRef row, TileAhead *out)
{
    Cg *c = k->c;
    kernel_push(k, row, 1, t->rows);
    LLVMValueRef first = kernel_pointer(k, buf, at), step = cg_i64(c, at->coef[k->depth - 1] * 4);
    kernel_pop(k);
    for (uint32_t byte = 0; byte < t->width * 4 && out->n_far < TILE_FAR; byte += LINE) {
        LLVMValueRef entry = cg_at(c, c->i64, out->far, cg_i64(c, 2 * (int64_t)out->n_far++));
        cg_store(c, cg_at(c, c->i8, first, cg_i64(c, byte)), entry, 8, &k->beside);
        cg_store(c, step, cg_at(c, c->i64, entry, cg_i64(c, 1)), 8, &k->beside);
    }
}

/* A product whose terms are no single run has no list: all at once, before the tile. */
static void fetch_at_once(Kernel *k, const LoopTile *t, uint32_t buf, const Affine *at, uint32_t top, LLVMValueRef row)
{
    Cg *c = k->c;
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, top), cg_i64(c, 1), true, "fetch");
    kernel_push(k, cg_add(c, row, loop->var), 1, t->rows);
    LLVMValueRef first = kernel_pointer(k, buf, at);
    kernel_pop(k);
    for (uint32_t byte = 0; byte < t->width * 4; byte += LINE)
        cg_prefetch(c, cg_at(c, c->i8, first, cg_i64(c, byte)), 1);
    cg_loop_end(c, loop);
}

/* Rows that lie end to end. */
static void fetch_run(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t buf, const Affine *at, uint32_t top, LLVMValueRef row,
                      TileAhead *out)
{
    Cg *c = k->c;
    uint32_t step = ahead_step((int64_t)top * t->width * 4, b->chunk);
    if (!step || out->n >= MICRO_AHEAD || k->p->bufs.at[buf].bytes <= c->target->l1)
        return;
    kernel_push(k, cg_add(c, row, cg_i64(c, top)), 1, t->rows);
    out->shape[out->n] = (MicroAhead){.step = step, .level = 1};
    out->at[out->n++] = kernel_pointer(k, buf, at);
    kernel_pop(k);
}

/* What the body reads, and what it writes without having read it: a store that misses holds up all that follow. */
unsigned tile_places(const Kernel *k, const LoopTile *t, TilePlace *out)
{
    const LoopArg *arg = k->k->arg;
    uint64_t used = 0;
    unsigned n = 0;
    for (const LoopStmt *s = t->body; s; s = s->next)
        used |= sx_args_used(k->p->sx, s->store.value);
    for (uint32_t i = 0; i < k->k->n_arg; i++)
        if (used >> i & 1 && arg[i].kind == LARG_LOAD && n < TILE_PLACES)
            out[n++] = (TilePlace){arg[i].index, &arg[i].at};
    unsigned read = n;
    for (const LoopStmt *s = t->body; s; s = s->next) {
        bool known = false;
        for (unsigned i = 0; i < read; i++)
            known |= out[i].buf == s->store.buf;
        if (!known && n < TILE_PLACES)
            out[n++] = (TilePlace){s->store.buf, &s->store.at};
    }
    return n;
}

LLVMValueRef tile_far_list(Kernel *k, const LoopTile *t)
{
    return t->n_deep || t->depth.per_row ? NULL : cg_alloca(k->c, k->fn, LLVMArrayType2(k->c->i64, 2 * TILE_FAR), 64);
}

void tile_next_body(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out)
{
    TilePlace place[TILE_PLACES];
    unsigned n = b->chunked ? 0 : tile_places(k, t, place), d = k->depth;
    out->far = b->far;
    for (unsigned i = 0; i < n; i++) {
        const Affine *at = place[i].at;
        if (at->coef[d + 1] != 1 || at->coef[d] == 0)
            continue;
        if (at->coef[d] == t->width)
            fetch_run(k, t, b, place[i].buf, at, top, row, out);
        else if (is_far(k, place[i].buf) && b->far)
            fetch_rows(k, t, place[i].buf, at, row, out);
        else if (is_far(k, place[i].buf))
            fetch_at_once(k, t, place[i].buf, at, top, row);
    }
    if (out->n_far > t->depth.fixed / top)
        out->n_far = (uint32_t)(t->depth.fixed / top);
}

/* The caller's rows may lie in no cache, and a body takes a few lines of each: too many streams for the processor to see. What the
 * next block of columns takes of this row is asked for long before. These rows need not begin with a line: the first one of the
 * next block may be the last of this. */
void tile_fetch_beside(Kernel *k, const LoopTile *t)
{
    Cg *c = k->c;
    unsigned d = k->depth - 2; /* of the blocks */
    uint64_t used = 0;
    for (const LoopStmt *s = t->body; s && !t->n_over; s = s->next)
        used |= sx_args_used(k->p->sx, s->store.value);
    for (uint32_t i = 0; i < k->k->n_arg; i++) {
        const LoopArg *arg = &k->k->arg[i];
        if (!(used >> i & 1) || arg->kind != LARG_LOAD || arg->at.coef[d] != t->width || arg->at.coef[d + 1] <= t->width)
            continue;
        BufSpace space = k->p->bufs.at[arg->index].space;
        if (space != BUF_INPUT && space != BUF_TARGET)
            continue;
        LLVMValueRef next = cg_at(c, c->f32, kernel_pointer(k, arg->index, &arg->at), cg_i64(c, t->width));
        for (uint32_t byte = 0; byte < t->width * 4; byte += LINE)
            cg_prefetch(c, cg_at(c, c->i8, next, cg_i64(c, byte + LINE - 4)), 2);
    }
}
