/* The contraction: blocks of columns, groups of rows, chunks of the depth, and the body run over the sums.
 *
 *     for block of columns                          B's panel goes through the second-level cache
 *       for group of rows                           (only when the depth is cut into chunks)
 *         for chunk of the depth                    a chunk of B is packed if it has to be, and stays near
 *           for register tile of the group          micro.c
 *         body over the group's sums
 *
 * Sums leave the registers for a scratch tile in the first-level cache, over which the body runs as small loops, so that a
 * long epilogue is emitted once for full and once for clipped columns. Cutting the depth changes no bit: the next chunk goes on
 * from the sums that were kept. */
#include "llvm/tile.h"

/* ── row blocks ── */

int64_t tile_rows_most(const Kernel *k, const LoopTile *t)
{
    int64_t rows = tile_most(k, t->rows);
    for (uint32_t i = 0; i < t->n_over; i++)
        rows *= tile_most(k, t->over[i].extent);
    return rows;
}

/* As many rows as keep the accumulators of a full tile busy: narrow columns take more. */
static uint32_t tile_height(const Kernel *k, const LoopTile *t, uint32_t vectors)
{
    uint32_t lanes = k->c->lanes, full = (t->width + lanes - 1) / lanes;
    uint32_t sums = k->c->target->tile_rows * k->c->target->tile_vectors;
    uint32_t rows = t->tile_rows * full / vectors;
    if (rows * vectors > sums)
        rows = sums / vectors;
    return rows ? rows : 1;
}

Heights tile_heights(const Kernel *k, const LoopTile *t, uint32_t vectors, bool cut)
{
    Heights h = {{tile_height(k, t, vectors)}, 1};
    uint32_t top = h.at[0];
    if (!t->rows.per_row && (!cut || k->k->grain % top == 0)) {
        uint32_t rest = (uint32_t)(t->rows.fixed % top); /* every other block is whole */
        if (t->rows.fixed < top)
            h.at[0] = rest;
        else if (rest)
            h.at[h.n++] = rest;
        return h;
    }
    for (uint32_t next = 16; next >= 1; next /= 2)
        if (next < top && next != 16)
            h.at[h.n++] = next;
    return h;
}

/* ── register tiles ── */

/* Where a tile's operands stand. */
typedef struct Operands {
    LLVMValueRef a, b, terms, sums;
    const LoopStmt *stored; /* the store that is the whole body, whose place `sums` is; NULL: it is a scratch tile */
    unsigned align;         /* of that place */
    TileAhead ahead;
} Operands;

/* A body that only stores the sums needs no scratch tile. */
static const LoopStmt *stored_sums(const Kernel *k, const LoopTile *t, const TileBlock *b)
{
    const LoopStmt *s = t->body;
    unsigned arg, d = k->depth;
    if (b->chunked || t->cols == 1 || s == NULL || s->next || s->kind != LOOP_STORE || !sx_is_arg(k->p->sx, s->store.value, &arg))
        return NULL;
    bool plain = k->k->arg[arg].kind == LARG_TILE && k->p->bufs.at[s->store.buf].dtype == DT_F32;
    return plain && s->store.at.coef[d + 1] == 1 ? s : NULL;
}

/* Where the row's sums are stored. */
static LLVMValueRef stored_place(Kernel *k, const LoopTile *t, const LoopStmt *s, LLVMValueRef row, unsigned *align)
{
    kernel_push(k, row, 1, t->rows);
    kernel_push(k, cg_i64(k->c, 0), k->c->lanes, (Extent){k->c->lanes, 0});
    LLVMValueRef place = kernel_pointer(k, s->store.buf, &s->store.at);
    *align = kernel_align(k, &k->p->bufs.at[s->store.buf], &s->store.at);
    kernel_pop(k);
    kernel_pop(k);
    return place;
}

static MicroShape tile_shape(const Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t rows)
{
    MicroShape m = {.a_row = rows > 1 ? t->a_row : 0, .a_k = t->a_k, .b_k = b->b_k, .rows = rows, .align = k->c->lanes * 4};
    m.vectors = b->vectors, m.out = b->out, m.more = b->chunked;
    m.last = b->pack ? k->c->lanes : b->last;
    m.n_deep = t->n_deep;
    m.open = b->inner != NULL;
    m.terms = t->n_deep ? tile_most(k, t->depth) : 0;
    int64_t inner = m.terms * b->out; /* a packed block is without gaps */
    for (uint32_t d = t->n_deep; d-- > 0; inner *= m.deep[d].count) {
        m.deep[d].count = tile_most(k, t->deep[d].extent);
        m.deep[d].a = t->deep[d].a;
        m.deep[d].b = b->pack ? inner : t->deep[d].b;
        m.deep[d].ahead = b->next ? t->deep[d].b * 4 : 0;
    }
    /* a packed block turned flipped taps round: they may be one run with what is inside them */
    while (b->pack && !b->next && m.n_deep > 1u + m.open && m.deep[m.n_deep - 1].a == m.terms * m.a_k)
        m.terms *= m.deep[--m.n_deep].count;
    m.span = k->c->by_line ? k->k->span : (Span){0};
    return m;
}

/* Calls the tallest micro-kernel that fits into what is left; the height taken. */
static LLVMValueRef run_micro(Kernel *k, const LoopTile *t, const TileBlock *b, const Heights *h, LLVMValueRef left,
                              const Operands *o)
{
    Cg *c = k->c;
    LLVMBasicBlockRef done = h->n > 1 ? cg_block(c, "sums") : NULL, from[8];
    LLVMValueRef taken[8], args[5 + MICRO_AHEAD] = {o->a, o->b, o->terms, o->sums};
    for (unsigned i = 0; i < h->n; i++) {
        bool last = i + 1 == h->n;
        LLVMBasicBlockRef other = NULL;
        if (!last) {
            LLVMBasicBlockRef fits = cg_block(c, "fits");
            other = cg_block(c, "else");
            LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntSGE, left, cg_i64(c, h->at[i])), fits, other);
            LLVMPositionBuilderAtEnd(c->b, fits);
        }
        MicroShape m = tile_shape(k, t, b, h->at[i]);
        if (o->stored) {
            m.out = o->stored->store.at.coef[k->depth];
            m.align = o->align;
            m.clip = b->cols % k->c->lanes;
        }
        for (unsigned s = 0; i == 0 && s < o->ahead.n; s++) { /* the rests are few */
            m.ahead[m.n_ahead] = o->ahead.shape[s];
            args[4 + m.n_ahead++] = o->ahead.at[s];
        }
        if (h->at[i] >= TILE_FAR_ROWS)
            m.n_far = o->ahead.n_far;
        args[4 + m.n_ahead] = m.open ? b->inner : o->ahead.far;
        cg_call(c, micro_kernel(c, &m), args, 4 + m.n_ahead + (m.open || m.n_far > 0));
        taken[i] = cg_i64(c, h->at[i]);
        from[i] = LLVMGetInsertBlock(c->b);
        if (done)
            LLVMBuildBr(c->b, done);
        if (other)
            LLVMPositionBuilderAtEnd(c->b, other);
    }
    if (!done)
        return taken[0];
    LLVMMoveBasicBlockAfter(done, from[h->n - 1]);
    LLVMPositionBuilderAtEnd(c->b, done);
    LLVMValueRef rows = LLVMBuildPhi(c->b, c->i64, "rows");
    LLVMAddIncoming(rows, taken, from, h->n);
    return rows;
}

/* The body over `rows` rows from `row` on, whose sums stand at `sums`. */
void tile_body(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef row, LLVMValueRef rows)
{
    Cg *c = k->c;
    if (tile_rows_are_lanes(k, t)) {
        tile_body_of_lanes(k, t, b->sums, b->out, row, rows);
        return;
    }
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), rows, cg_i64(c, 1), true, "row");
    kernel_push(k, cg_add(c, row, loop->var), 1, t->rows);
    k->tile = cg_at(c, c->f32, b->sums, cg_mul(c, loop->var, cg_i64(c, b->out)));
    tile_fetch_beside(k, t);
    kernel_vectors(k, cg_i64(c, 0), cg_i64(c, b->cols), c->lanes, (Extent){b->cols, 0}, t->body);
    k->tile = NULL;
    kernel_pop(k);
    cg_loop_end(c, loop);
}

static LLVMValueRef left_side(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef row, LLVMValueRef k0)
{
    Cg *c = k->c;
    LLVMValueRef at = cg_add(c, cg_mul(c, row, cg_i64(c, t->a_row)), cg_i64(c, t->a_base));
    at = cg_add(c, at, cg_mul(c, k0, cg_i64(c, t->a_k)));
    if (b->a_from)
        at = cg_add(c, at, b->a_from);
    return cg_at(c, c->f32, kernel_buffer(k, t->a), at);
}

/* As many of the rows as make whole tiles, each with the body of the one before it in its shadow; the row that comes next. */
static LLVMValueRef run_overlapped(Kernel *k, const LoopTile *t, const TileBlock *b, const Heights *h,
                                   LLVMValueRef from, LLVMValueRef to, LLVMValueRef b_at, LLVMValueRef terms)
{
    Cg *c = k->c;
    uint32_t top = h->at[0], slices = tile_slices(k, t, b, top);
    if (!slices)
        return from;
    LLVMValueRef rows = cg_i64(c, top), zero = cg_i64(c, 0);
    CgIf some;
    cg_if(c, &some, cg_and(c, cg_icmp(c, LLVMIntSGE, cg_sub(c, to, from), rows),
                           cg_icmp(c, LLVMIntSGE, terms, cg_i64(c, slices))), "overlap");
    Heights whole = {{top}, 1};
    Operands first = {.a = left_side(k, t, b, from, zero), .b = b_at, .terms = terms, .sums = b->sums};
    tile_next_body(k, t, b, top, cg_sub(c, from, rows), &first.ahead);
    run_micro(k, t, b, &whole, rows, &first);
    LLVMValueRef second = cg_add(c, from, rows), last = cg_sub(c, to, cg_i64(c, top - 1));
    LLVMValueRef slice = cg_udiv(c, terms, cg_i64(c, slices)), rest = cg_sub(c, terms, cg_mul(c, slice, cg_i64(c, slices)));
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, second, last, rows, false, "rows");
    LLVMValueRef done = cg_loop_phi(c, loop, from, "done");
    TileOverlap o = {.shape = tile_shape(k, t, b, top), .slices = slices, .row = done, .slice = slice, .rest = rest};
    o.a = left_side(k, t, b, loop->var, zero);
    o.b = b_at;
    tile_overlapped(k, t, b, &o);
    cg_loop_next(loop, 0, loop->var);
    cg_loop_end(c, loop);
    tile_body(k, t, b, loop->out[0], rows);
    LLVMValueRef next = cg_add(c, loop->out[0], rows);
    cg_endif(c, &some);
    return cg_if_value(c, &some, next, from);
}

/* Rows [from, to) in register tiles over terms [k0, k0 + terms); with `body`, it is run over each tile. The sums of row `from`
 * stand first in b->sums when chunked. */
void tile_rows(Kernel *k, const LoopTile *t, const TileBlock *b, const Heights *h, LLVMValueRef from,
               LLVMValueRef to, LLVMValueRef b_at, LLVMValueRef k0, LLVMValueRef terms)
{
    Cg *c = k->c;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(c->b), head = cg_block(c, "rows");
    LLVMBuildBr(c->b, head);
    LLVMPositionBuilderAtEnd(c->b, head);
    LLVMValueRef at = LLVMBuildPhi(c->b, c->i64, "row"), left = cg_sub(c, to, at), in_group = cg_sub(c, at, from);
    Operands o = {.a = left_side(k, t, b, at, k0), .b = b_at, .terms = terms, .sums = b->sums};
    o.stored = stored_sums(k, t, b);
    if (o.stored)
        o.sums = stored_place(k, t, o.stored, at, &o.align);
    else if (b->chunked)
        o.sums = cg_at(c, c->f32, b->sums, cg_mul(c, in_group, cg_i64(c, b->out)));
    tile_next_chunk(k, t, b, h->at[0], b_at, in_group, &o.ahead);
    tile_next_places(k, t, b, h->at[0], at, &o.ahead);
    tile_next_body(k, t, b, h->at[0], at, &o.ahead);
    tile_next_beside(k, b, h->at[0], at, &o.ahead);
    LLVMValueRef rows = run_micro(k, t, b, h, left, &o);
    if (!b->chunked && !o.stored)
        tile_body(k, t, b, at, rows);
    LLVMValueRef next = cg_add(c, at, rows);
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(c->b), done = cg_block(c, "done");
    LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntSLT, next, to), head, done);
    LLVMAddIncoming(at, (LLVMValueRef[]){from, next}, (LLVMBasicBlockRef[]){before, latch}, 2);
    LLVMPositionBuilderAtEnd(c->b, done);
}

/* ── blocks ── */

/* B's chunk at term k0 of the block that starts at `start`, packed or in place. */
static LLVMValueRef chunk_at(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef start, LLVMValueRef k0,
                             LLVMValueRef terms)
{
    if (b->pack)
        return tile_pack(k, t, b, start, k0, terms);
    return cg_at(k->c, k->c->f32, start, cg_mul(k->c, k0, cg_i64(k->c, b->b_k)));
}

void tile_zero_sums(Kernel *k, const TileBlock *b, LLVMValueRef rows)
{
    Cg *c = k->c;
    CgLoop *zero = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, zero, cg_i64(c, 0), cg_mul(c, rows, cg_i64(c, b->out)), cg_i64(c, c->lanes), true, "zero");
    cg_store(c, cg_num(cg_vec(c->f32, c->lanes), 0), cg_at(c, c->f32, b->sums, zero->var), c->lanes * 4, &k->beside);
    cg_loop_end(c, zero);
}

static void run_group(Kernel *k, const LoopTile *t, TileBlock *b, const Heights *h, LLVMValueRef from,
                      LLVMValueRef to, LLVMValueRef b_start)
{
    Cg *c = k->c;
    LLVMValueRef rows = cg_sub(c, to, from), depth = kernel_extent(k, t->depth);
    CgLoop *chunk = arena_new_of(c->arena, CgLoop);
    tile_zero_sums(k, b, rows);
    cg_loop_begin(c, chunk, cg_i64(c, 0), depth, cg_i64(c, b->chunk), true, "chunk");
    LLVMValueRef left = cg_sub(c, depth, chunk->var), terms = cg_imin(c, cg_i64(c, b->chunk), left);
    LLVMValueRef b_at = chunk_at(k, t, b, b_start, chunk->var, terms);
    b->next = tile_wants_next(k, t, b) ? tile_next_source(k, t, b_start, cg_add(c, chunk->var, terms), depth, t->b_k) : NULL;
    tile_rows(k, t, b, h, from, to, b_at, chunk->var, terms);
    cg_loop_end(c, chunk);
    tile_body(k, t, b, from, rows);
}

/* How the block is gone through: packed or in place, in how many chunks. */
static void plan_block(const Kernel *k, const LoopTile *t, TileBlock *b, const Heights *h)
{
    enum { PACKED_BYTES = 64 << 10, SUMS_BYTES = 32 << 10 };
    Cg *c = k->c;
    int64_t depth = tile_most(k, t->depth), rows = tile_most(k, t->rows), top = h->at[0];
    bool pack = tile_wants_packing(k, t, b);
    int64_t most = (pack ? PACKED_BYTES : (int64_t)c->target->l2 / 8) / (b->out * 4);
    int64_t chunks = (depth + most - 1) / most, lanes = c->lanes;
    b->chunk = ((depth + chunks - 1) / chunks + lanes - 1) / lanes * lanes;
    b->chunked = chunks > 1 && (pack || rows > top);
    if (!b->chunked)
        b->chunk = depth;
    b->group = h->at[0];
    if (b->chunked) {
        b->group = (uint32_t)(SUMS_BYTES / (b->out * 4) / top * top);
        if (b->group > (rows + top - 1) / top * top)
            b->group = (uint32_t)((rows + top - 1) / top * top);
    }
    b->sums = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, (uint64_t)b->group * b->out), 64);
    if (!pack)
        return;
    uint64_t terms = (uint64_t)((b->chunk + lanes - 1) / lanes * lanes);
    b->pack = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, terms * b->out), 64);
    b->b_k = b->out;
}

/* The part of a kernel that is one thread's: rows of every block, or tiles counted block after block. */
typedef struct TilePart {
    bool cut, by_tiles;
    LLVMValueRef tiles;       /* by tiles: of each block */
    LLVMValueRef first, end;  /* blocks */
    LLVMValueRef from, to;    /* else: rows of every block */
} TilePart;

static TilePart tile_part(Kernel *k, const LoopTile *t)
{
    Cg *c = k->c;
    bool outer = k->depth == 0;
    TilePart part = {.cut = outer && k->k->split != SPLIT_NONE, .by_tiles = outer && k->k->split == SPLIT_TILES};
    part.first = cg_i64(c, 0);
    part.end = cg_i64(c, tile_blocks(t));
    part.from = part.cut ? k->lo : cg_i64(c, 0);
    part.to = part.cut ? k->hi : kernel_extent(k, t->rows);
    if (!part.by_tiles)
        return part;
    LLVMValueRef rows = kernel_extent(k, t->rows), grain = cg_i64(c, k->k->grain), one = cg_i64(c, 1);
    part.tiles = cg_udiv(c, cg_add(c, rows, cg_sub(c, grain, one)), grain);
    part.first = cg_udiv(c, k->lo, part.tiles);
    part.end = cg_udiv(c, cg_add(c, k->hi, cg_sub(c, part.tiles, one)), part.tiles);
    return part;
}

/* Rows [*from, *to) of the block are the thread's. */
static void part_rows(Kernel *k, const LoopTile *t, const TilePart *part, LLVMValueRef block, LLVMValueRef *from,
                      LLVMValueRef *to)
{
    Cg *c = k->c;
    *from = part->from;
    *to = part->to;
    if (!part->by_tiles)
        return;
    LLVMValueRef before = cg_mul(c, block, part->tiles), grain = cg_i64(c, k->k->grain), zero = cg_i64(c, 0);
    LLVMValueRef lo = cg_sub(c, k->lo, before), inside = cg_icmp(c, LLVMIntSGT, lo, zero);
    *from = cg_mul(c, cg_select(c, inside, lo, zero), grain);
    *to = cg_imin(c, cg_mul(c, cg_sub(c, k->hi, before), grain), kernel_extent(k, t->rows));
}

/* What the axes around the blocks add to A's and B's places. */
typedef struct Outer {
    LLVMValueRef a, b;
} Outer;

static void run_columns(Kernel *k, const LoopTile *t, const Outer *o, const TilePart *part, LLVMValueRef block,
                        uint32_t cols, Extent blocks)
{
    Cg *c = k->c;
    TileBlock b = {.cols = cols, .vectors = (cols + c->lanes - 1) / c->lanes, .b_k = t->b_k};
    b.out = b.vectors * c->lanes;
    uint32_t readable = t->b_padded && !t->b_turn ? t->width : cols, before_last = b.out - c->lanes;
    b.last = readable - before_last < c->lanes ? readable - before_last : c->lanes;
    b.far = tile_far_list(k, t);
    if (t->n_outer || t->n_over || t->n_deep) {
        int64_t next = t->b_turn ? t->b_block * t->width : t->b_block;
        if (part->by_tiles)
            part_rows(k, t, part, block, &b.row, &b.rows_end);
        kernel_push(k, block, 1, blocks);
        tile_sweep(k, t, &b, o->a, cg_add(c, o->b, cg_mul(c, block, cg_i64(c, next))));
        kernel_pop(k);
        return;
    }
    LLVMValueRef row, to;
    part_rows(k, t, part, block, &row, &to);
    kernel_push(k, block, 1, blocks);
    int64_t step = t->b_turn ? t->b_block * t->width : t->b_block;
    LLVMValueRef b_at = cg_add(c, cg_mul(c, block, cg_i64(c, step)), cg_i64(c, t->b_base));
    LLVMValueRef b_start = cg_at(c, c->f32, kernel_buffer(k, t->b), b_at);
    if (tile_is_dot(k, t)) {
        tile_dot(k, t, row, to, b_start);
        kernel_pop(k);
        return;
    }
    Heights h = tile_heights(k, t, b.vectors, part->cut);
    plan_block(k, t, &b, &h);
    if (b.chunked) {
        CgLoop *group = arena_new_of(c->arena, CgLoop);
        cg_loop_begin(c, group, row, to, cg_i64(c, b.group), true, "group");
        LLVMValueRef end = cg_imin(c, cg_add(c, group->var, cg_i64(c, b.group)), to);
        run_group(k, t, &b, &h, group->var, end, b_start);
        cg_loop_end(c, group);
    } else {
        LLVMValueRef depth = kernel_extent(k, t->depth), zero = cg_i64(c, 0);
        LLVMValueRef b_all = chunk_at(k, t, &b, b_start, zero, depth);
        LLVMValueRef next = run_overlapped(k, t, &b, &h, row, to, b_all, depth);
        if (next == row) {
            tile_rows(k, t, &b, &h, row, to, b_all, zero, depth);
        } else {
            CgIf more;
            cg_if(c, &more, cg_icmp(c, LLVMIntSLT, next, to), "more");
            tile_rows(k, t, &b, &h, next, to, b_all, zero, depth);
            cg_endif(c, &more);
        }
    }
    kernel_pop(k);
}

static void run_part(Kernel *k, const LoopTile *t, const Outer *o, const TilePart *part)
{
    Cg *c = k->c;
    uint32_t full = t->cols / t->width, rest = t->cols % t->width;
    if (full == 1 && !part->by_tiles) {
        run_columns(k, t, o, part, cg_i64(c, 0), t->width, (Extent){1, 0});
    } else if (full > 0) {
        CgLoop *loop = arena_new_of(c->arena, CgLoop);
        LLVMValueRef end = rest ? cg_imin(c, part->end, cg_i64(c, full)) : part->end;
        cg_loop_begin(c, loop, part->first, end, cg_i64(c, 1), !part->by_tiles || !rest, "block");
        run_columns(k, t, o, part, loop->var, t->width, (Extent){full, 0});
        cg_loop_end(c, loop);
    }
    if (!rest)
        return;
    CgIf last;
    if (part->by_tiles)
        cg_if(c, &last, cg_icmp(c, LLVMIntSGT, part->end, cg_i64(c, full)), "last");
    run_columns(k, t, o, part, cg_i64(c, full), rest, (Extent){full + 1, 0});
    if (part->by_tiles)
        cg_endif(c, &last);
}

/* Every block of columns goes through all rows. Where these are too many for the second-level cache and all of B is not, each block
 * would fetch them again: there they are taken so many at a time, by all blocks in turn. 0: at once. */
static int64_t near_rows(const Kernel *k, const LoopTile *t)
{
    int64_t depth = tile_most(k, t->depth), l2 = k->c->target->l2, row = depth * 4;
    bool plain = !t->n_outer && !t->n_over && !t->n_deep && t->a_k == 1, blocks = t->cols > t->width;
    if (!plain || !blocks || tile_most(k, t->rows) * row <= l2 / 2 || row * t->cols > l2 / 4 || row * t->width > l2 / 16)
        return 0;
    return l2 / 4 / row / t->tile_rows * t->tile_rows;
}

static void run_blocks(Kernel *k, const LoopTile *t, const Outer *o)
{
    Cg *c = k->c;
    TilePart part = tile_part(k, t);
    int64_t near = part.by_tiles ? 0 : near_rows(k, t);
    if (near == 0) {
        run_part(k, t, o, &part);
        return;
    }
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    LLVMValueRef end = part.to;
    cg_loop_begin(c, loop, part.from, end, cg_i64(c, near), true, "near");
    part.from = loop->var;
    part.to = cg_imin(c, cg_add(c, loop->var, cg_i64(c, near)), end);
    run_part(k, t, o, &part);
    cg_loop_end(c, loop);
}

/* Products of their own: a loop for each axis from `axis` on. */
static void run_outer(Kernel *k, const LoopTile *t, uint32_t axis, const Outer *o)
{
    Cg *c = k->c;
    if (axis == t->n_outer) {
        run_blocks(k, t, o);
        return;
    }
    const TileAxis *at = &t->outer[axis];
    bool cut = k->k->split == SPLIT_OUTER && t->cut == axis;
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cut ? k->lo : cg_i64(c, 0), cut ? k->hi : kernel_extent(k, at->extent), cg_i64(c, 1), true,
                  "outer");
    Outer inner = {cg_add(c, o->a, cg_mul(c, loop->var, cg_i64(c, at->a))),
                   cg_add(c, o->b, cg_mul(c, loop->var, cg_i64(c, at->b)))};
    kernel_push(k, loop->var, 1, at->extent);
    run_outer(k, t, axis + 1, &inner);
    kernel_pop(k);
    cg_loop_end(c, loop);
}

void kernel_tile(Kernel *k, const LoopTile *t)
{
    ACT_ASSERT(t->width > 0 && t->cols > 0 && t->tile_rows > 0 && (t->depth.fixed > 0 || t->depth.per_row > 0));
    Outer none = {cg_i64(k->c, 0), cg_i64(k->c, 0)};
    run_outer(k, t, 0, &none);
}
