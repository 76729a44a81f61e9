/* The contraction: register tiles over row and column blocks, and the body run over each tile's sums.
 *
 * A micro-kernel  act.tile(ptr a, ptr b, i64 depth, ptr sums)  holds rows x vectors accumulators in registers through
 * one single-block loop over k and writes them to a scratch tile. It is a function of its own, so that register
 * allocation sees nothing else, and one serves every product of the module with the same strides. The body then runs as
 * small loops that read the scratch tile (which is in the first-level cache), so that a long epilogue is emitted once
 * for full and once for clipped columns. */
#include "llvm/kernel.h"

#include <stdio.h>
#include <string.h>

/* What a micro-kernel is made for; equal ones are one function. */
typedef struct MicroShape {
    int64_t a_row, a_k, b_k;
    uint32_t rows, vectors;
    uint32_t last; /* readable lanes of the last vector of B; the others count as 0 */
    uint32_t out;  /* row length of the scratch tile, in elements */
} MicroShape;

struct CgMicro {
    MicroShape shape;
    LLVMValueRef fn;
};

static bool same_shape(const MicroShape *a, const MicroShape *b)
{
    return a->a_row == b->a_row && a->a_k == b->a_k && a->b_k == b->b_k && a->rows == b->rows &&
           a->vectors == b->vectors && a->last == b->last && a->out == b->out;
}

/* ── the micro-kernel ── */

enum { MAX_SUMS = 64 };

static LLVMValueRef load_b(Cg *c, const MicroShape *m, LLVMValueRef b, uint32_t vector)
{
    LLVMValueRef at = cg_at(c, c->f32, b, cg_i64(c, (int64_t)vector * c->lanes));
    bool clipped = vector + 1 == m->vectors && m->last < c->lanes;
    LLVMValueRef mask = clipped ? cg_lane_mask(c, c->lanes, m->last) : NULL;
    return cg_load_lanes(c, cg_vec(c->f32, c->lanes), at, 4, mask, NULL);
}

/* The B vectors of a step first, then for each row one broadcast of A and its multiply-adds: the order in which the
 * fewest registers are alive. */
static void micro_step(Cg *c, const MicroShape *m, LLVMValueRef a, LLVMValueRef b, LLVMValueRef *sum)
{
    LLVMValueRef vector[MAX_SUMS];
    for (uint32_t v = 0; v < m->vectors; v++)
        vector[v] = load_b(c, m, b, v);
    for (uint32_t r = 0; r < m->rows; r++) {
        LLVMValueRef one = cg_load(c, c->f32, cg_at(c, c->f32, a, cg_i64(c, (int64_t)r * m->a_row)), 4, NULL);
        LLVMValueRef all = cg_splat(c, one, c->lanes);
        for (uint32_t v = 0; v < m->vectors; v++)
            sum[r * m->vectors + v] = cg_fma(c, vector[v], all, sum[r * m->vectors + v]);
    }
}

static void micro_body(Cg *c, const MicroShape *m, LLVMValueRef fn)
{
    uint32_t n = m->rows * m->vectors;
    LLVMValueRef sum[MAX_SUMS];
    ACT_ASSERT(n <= MAX_SUMS);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), LLVMGetParam(fn, 2), cg_i64(c, 1), true, "k");
    loop->plain = true;
    LLVMValueRef a = cg_loop_phi(c, loop, LLVMGetParam(fn, 0), "a"), b = cg_loop_phi(c, loop, LLVMGetParam(fn, 1), "b");
    LLVMValueRef zero = cg_num(cg_vec(c->f32, c->lanes), 0);
    for (uint32_t i = 0; i < n; i++)
        sum[i] = cg_loop_phi(c, loop, zero, "sum");
    micro_step(c, m, a, b, sum);
    cg_loop_next(loop, 0, cg_at(c, c->f32, a, cg_i64(c, m->a_k)));
    cg_loop_next(loop, 1, cg_at(c, c->f32, b, cg_i64(c, m->b_k)));
    for (uint32_t i = 0; i < n; i++)
        cg_loop_next(loop, 2 + i, sum[i]);
    cg_loop_end(c, loop);
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint32_t v = 0; v < m->vectors; v++) {
            int64_t at = (int64_t)r * m->out + (int64_t)v * c->lanes;
            cg_store(c, loop->out[2 + r * m->vectors + v], cg_at(c, c->f32, LLVMGetParam(fn, 3), cg_i64(c, at)),
                     c->lanes * 4, NULL);
        }
    cg_return(c, NULL);
}

static LLVMValueRef micro_kernel(Cg *c, const MicroShape *m)
{
    for (uint32_t i = 0; i < c->micro.n; i++)
        if (same_shape(&c->micro.at[i]->shape, m))
            return c->micro.at[i]->fn;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);
    Str name = str_printf(c->arena, "act.tile.%ux%u.%u", m->rows, m->vectors * c->lanes, c->micro.n);
    LLVMTypeRef params[4] = {c->ptr, c->ptr, c->i64, c->ptr};
    LLVMValueRef fn = cg_function(c, name.p, c->void_t, params, 4, true);
    cg_flag(c, fn, (unsigned)LLVMAttributeFunctionIndex, "noinline");
    for (unsigned i = 0; i < 4; i++) {
        if (i == 2)
            continue;
        cg_flag(c, fn, i + 1, "noalias");
        cg_flag(c, fn, i + 1, "nocapture");
        cg_flag(c, fn, i + 1, i < 2 ? "readonly" : "writeonly");
    }
    micro_body(c, m, fn);
    LLVMPositionBuilderAtEnd(c->b, here);
    CgMicro *made = arena_new_of(c->arena, CgMicro);
    *made = (CgMicro){*m, fn};
    *vec_push(c->arena, &c->micro) = made;
    return fn;
}

/* ── row blocks ── */

/* Heights of tiles for the rows of a call, tallest first, ending in 1 unless the last is known to come out even. */
typedef struct Heights {
    uint32_t at[8];
    unsigned n;
} Heights;

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

static Heights choose_heights(const Kernel *k, const LoopTile *t, uint32_t vectors, bool cut)
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

/* One block of columns: `cols` of `t->width`. */
typedef struct ColumnBlock {
    uint32_t cols, vectors, out;
    uint32_t last; /* lanes of the last vector that may be read */
    int64_t b_k;
    LLVMValueRef scratch;
} ColumnBlock;

static MicroShape micro_shape(const LoopTile *t, const ColumnBlock *b, uint32_t rows)
{
    return (MicroShape){.a_row = rows > 1 ? t->a_row : 0,
                        .a_k = t->a_k,
                        .b_k = b->b_k,
                        .rows = rows,
                        .vectors = b->vectors,
                        .last = b->last,
                        .out = b->out};
}

/* A block of B whose rows are far apart (or clipped) is copied to the stack when many rows of A will pass over it: far
 * rows fall into the same few cache sets and each on a page of its own. */
enum { PACK_BYTES = 64 << 10, FAR_APART = 256 /* elements */, TILES_IF_FAR = 16, TILES_IF_CLIPPED = 4 };

static bool worth_packing(const Kernel *k, const LoopTile *t, const ColumnBlock *b)
{
    int64_t depth = t->depth.fixed + t->depth.per_row * k->batch, rows = t->rows.fixed + t->rows.per_row * k->batch;
    int64_t tiles = rows / t->tile_rows;
    bool pays = (b->last < k->c->lanes && tiles >= TILES_IF_CLIPPED) || (b->b_k >= FAR_APART && tiles >= TILES_IF_FAR);
    return pays && depth * b->out * 4 <= PACK_BYTES;
}

static LLVMValueRef pack(Kernel *k, const LoopTile *t, ColumnBlock *b, LLVMValueRef from, LLVMValueRef depth)
{
    Cg *c = k->c;
    uint64_t most = (uint64_t)(t->depth.fixed + t->depth.per_row * k->batch);
    LLVMValueRef to = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, most * b->out), 64);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), depth, cg_i64(c, 1), true, "pack");
    LLVMValueRef source = cg_at(c, c->f32, from, cg_mul(c, loop->var, cg_i64(c, b->b_k)));
    LLVMValueRef target = cg_at(c, c->f32, to, cg_mul(c, loop->var, cg_i64(c, b->out)));
    for (uint32_t v = 0; v < b->vectors; v++) {
        LLVMValueRef at = cg_i64(c, (int64_t)v * c->lanes);
        LLVMValueRef mask = v + 1 == b->vectors && b->last < c->lanes ? cg_lane_mask(c, c->lanes, b->last) : NULL;
        LLVMTypeRef type = cg_vec(c->f32, c->lanes);
        LLVMValueRef part = cg_load_lanes(c, type, cg_at(c, c->f32, source, at), 4, mask, &k->alias[t->b]);
        cg_store(c, part, cg_at(c, c->f32, target, at), c->lanes * 4, &k->beside);
    }
    cg_loop_end(c, loop);
    b->b_k = b->out;
    b->last = c->lanes;
    return to;
}

/* Calls the tallest micro-kernel that fits into what is left; the height taken. */
static LLVMValueRef run_micro(Kernel *k, const LoopTile *t, const ColumnBlock *b, const Heights *h, LLVMValueRef left,
                              LLVMValueRef *args)
{
    Cg *c = k->c;
    LLVMBasicBlockRef done = h->n > 1 ? cg_block(c, "sums") : NULL, from[8];
    LLVMValueRef taken[8];
    for (unsigned i = 0; i < h->n; i++) {
        bool last = i + 1 == h->n;
        LLVMBasicBlockRef other = NULL;
        if (!last) {
            LLVMBasicBlockRef fits = cg_block(c, "fits");
            other = cg_block(c, "else");
            LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntSGE, left, cg_i64(c, h->at[i])), fits, other);
            LLVMPositionBuilderAtEnd(c->b, fits);
        }
        MicroShape m = micro_shape(t, b, h->at[i]);
        cg_call(c, micro_kernel(c, &m), args, 4);
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

/* The body over the rows of one tile. */
static void run_body(Kernel *k, const LoopTile *t, const ColumnBlock *b, LLVMValueRef row, LLVMValueRef rows)
{
    Cg *c = k->c;
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), rows, cg_i64(c, 1), true, "row");
    kernel_push(k, cg_add(c, row, loop->var), 1, t->rows);
    k->tile = cg_at(c, c->f32, b->scratch, cg_mul(c, loop->var, cg_i64(c, b->out)));
    kernel_vectors(k, cg_i64(c, 0), cg_i64(c, b->cols), c->lanes, (Extent){b->cols, 0}, t->body);
    k->tile = NULL;
    kernel_pop(k);
    cg_loop_end(c, loop);
}

static void run_columns(Kernel *k, const LoopTile *t, LLVMValueRef block, uint32_t cols, Extent blocks)
{
    Cg *c = k->c;
    ColumnBlock b = {.cols = cols, .b_k = t->b_k};
    b.vectors = (cols + c->lanes - 1) / c->lanes;
    b.out = b.vectors * c->lanes;
    uint32_t readable = t->b_padded ? t->width : cols, before_last = b.out - c->lanes;
    b.last = readable - before_last < c->lanes ? readable - before_last : c->lanes;
    bool cut = k->depth == 0 && k->k->split == SPLIT_OUTER;
    Heights h = choose_heights(k, t, b.vectors, cut);
    b.scratch = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, (uint64_t)h.at[0] * b.out), 64);
    LLVMValueRef to = cut ? k->hi : kernel_extent(k, t->rows), row = cut ? k->lo : cg_i64(c, 0);
    kernel_push(k, block, 1, blocks);

    LLVMValueRef b_at = cg_add(c, cg_mul(c, block, cg_i64(c, t->b_block)), cg_i64(c, t->b_base));
    LLVMValueRef b_start = cg_at(c, c->f32, kernel_buffer(k, t->b), b_at), depth = kernel_extent(k, t->depth);
    if (worth_packing(k, t, &b))
        b_start = pack(k, t, &b, b_start, depth);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(c->b), head = cg_block(c, "rows");
    LLVMBuildBr(c->b, head);
    LLVMPositionBuilderAtEnd(c->b, head);
    LLVMValueRef at = LLVMBuildPhi(c->b, c->i64, "row"), left = cg_sub(c, to, at);
    LLVMValueRef a_at = cg_add(c, cg_mul(c, at, cg_i64(c, t->a_row)), cg_i64(c, t->a_base));
    LLVMValueRef args[4] = {cg_at(c, c->f32, kernel_buffer(k, t->a), a_at), b_start, depth, b.scratch};
    LLVMValueRef rows = run_micro(k, t, &b, &h, left, args);
    run_body(k, t, &b, at, rows);
    LLVMValueRef next = cg_add(c, at, rows);
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(c->b), done = cg_block(c, "done");
    LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntSLT, next, to), head, done);
    LLVMAddIncoming(at, (LLVMValueRef[]){row, next}, (LLVMBasicBlockRef[]){before, latch}, 2);
    LLVMPositionBuilderAtEnd(c->b, done);
    kernel_pop(k);
}

/* Column blocks outside, rows inside: a block of B stays in the second-level cache while A goes by. */
void kernel_tile(Kernel *k, const LoopTile *t)
{
    Cg *c = k->c;
    ACT_ASSERT(t->width > 0 && t->cols > 0 && t->tile_rows > 0 && (t->depth.fixed > 0 || t->depth.per_row > 0));
    uint32_t full = t->cols / t->width, rest = t->cols % t->width;
    if (full == 1) {
        run_columns(k, t, cg_i64(c, 0), t->width, (Extent){1, 0});
    } else if (full > 1) {
        CgLoop *loop = arena_new_of(c->arena, CgLoop);
        cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, full), cg_i64(c, 1), true, "block");
        run_columns(k, t, loop->var, t->width, (Extent){full, 0});
        cg_loop_end(c, loop);
    }
    if (rest)
        run_columns(k, t, cg_i64(c, full), rest, (Extent){full + 1, 0});
}
