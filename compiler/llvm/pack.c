/* A block of a product's right side, copied into consecutive rows before many rows of the left side pass over it. A block is
 * packed when it lies turned (lanes along the depth), when its rows are far apart (they fall into the same few cache sets and
 * each on a page of its own), or when its last vector would be masked at every step. */
#include "llvm/tile.h"

enum { FAR_APART = 128 /* elements */, TILES_IF_FAR = 16, TILES_IF_CLIPPED = 4, TILES_IF_SAME_SETS = 2, SAME_SETS = 1024 /* elements */ };

bool tile_wants_packing(const Kernel *k, const LoopTile *t, const TileBlock *b)
{
    int64_t tiles = tile_rows_most(k, t) / t->tile_rows;
    return t->b_turn > 0 || (b->last < k->c->lanes && tiles >= TILES_IF_CLIPPED) ||
           (b->b_k >= FAR_APART && tiles >= (b->b_k % SAME_SETS == 0 ? TILES_IF_SAME_SETS : TILES_IF_FAR));
}

static LLVMValueRef vector_mask(const Kernel *k, const TileBlock *b, uint32_t vector)
{
    bool clipped = vector + 1 == b->vectors && b->last < k->c->lanes;
    return clipped ? cg_lane_mask(k->c, k->c->lanes, b->last) : NULL;
}

static void pack_rows(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef from, LLVMValueRef k0,
                      LLVMValueRef terms, LLVMValueRef to)
{
    Cg *c = k->c;
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), terms, cg_i64(c, 1), true, "pack");
    LLVMValueRef source = cg_at(c, c->f32, from, cg_mul(c, cg_add(c, k0, loop->var), cg_i64(c, t->b_k)));
    LLVMValueRef target = cg_at(c, c->f32, to, cg_mul(c, loop->var, cg_i64(c, b->out)));
    LLVMTypeRef type = cg_vec(c->f32, c->lanes);
    for (uint32_t v = 0; v < b->vectors; v++) {
        LLVMValueRef at = cg_i64(c, (int64_t)v * c->lanes), mask = vector_mask(k, b, v);
        LLVMValueRef part = cg_load_lanes(c, type, cg_at(c, c->f32, source, at), 4, mask, &k->alias[t->b]);
        cg_store(c, part, cg_at(c, c->f32, target, at), c->lanes * 4, &k->beside);
    }
    cg_loop_end(c, loop);
}

/* One group of terms as squares of lanes x lanes through registers. `inside` of the terms exist. */
static void pack_squares(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef source, LLVMValueRef target,
                         uint32_t inside)
{
    Cg *c = k->c;
    uint32_t n = c->lanes;
    LLVMTypeRef type = cg_vec(c->f32, n);
    LLVMValueRef mask = inside < n ? cg_lane_mask(c, n, inside) : NULL, row[64];
    for (uint32_t v = 0; v < b->vectors; v++) {
        for (uint32_t r = 0; r < n; r++) {
            uint32_t column = v * n + r;
            LLVMValueRef at = cg_at(c, c->f32, source, cg_i64(c, column * t->b_block));
            row[r] = column < b->cols ? cg_load_lanes(c, type, at, 4, mask, &k->alias[t->b]) : cg_num(type, 0);
        }
        kernel_turn(c, row, n);
        for (uint32_t r = 0; r < n; r++)
            cg_store(c, row[r], cg_at(c, c->f32, target, cg_i64(c, (int64_t)r * b->out + (int64_t)v * n)), n * 4,
                     &k->beside);
    }
}

static LLVMValueRef turned_source(Cg *c, const LoopTile *t, LLVMValueRef from, LLVMValueRef term)
{
    LLVMValueRef turn = cg_i64(c, t->b_turn), panel = cg_udiv(c, term, turn);
    LLVMValueRef inside = cg_sub(c, term, cg_mul(c, panel, turn));
    return cg_at(c, c->f32, from, cg_add(c, cg_mul(c, panel, cg_i64(c, t->b_k)), inside));
}

static void pack_turned(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef from, LLVMValueRef k0,
                        LLVMValueRef terms, LLVMValueRef to)
{
    Cg *c = k->c;
    uint32_t n = c->lanes, rest = t->b_padded ? 0 : (uint32_t)(t->depth.fixed % n);
    ACT_ASSERT(t->depth.fixed > 0 && t->b_turn > 0 && (t->b_turn % n == 0 || t->b_turn == t->depth.fixed));
    LLVMValueRef whole = rest ? cg_and(c, terms, cg_i64(c, -(int64_t)n)) : terms;
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), whole, cg_i64(c, n), t->depth.fixed >= n && (t->n_deep || b->chunk % n == 0) && !rest, "turn");
    LLVMValueRef source = turned_source(c, t, from, cg_add(c, k0, loop->var));
    pack_squares(k, t, b, source, cg_at(c, c->f32, to, cg_mul(c, loop->var, cg_i64(c, b->out))), n);
    cg_loop_end(c, loop);
    if (!rest)
        return;
    CgIf last;
    cg_if(c, &last, cg_icmp(c, LLVMIntSLT, whole, terms), "rest");
    source = turned_source(c, t, from, cg_add(c, k0, whole));
    pack_squares(k, t, b, source, cg_at(c, c->f32, to, cg_mul(c, whole, cg_i64(c, b->out))), rest);
    cg_endif(c, &last);
}

/* The axes around the terms, `axis` and those inside it: steps [k0, k0 + terms) of the first, all of the others. Squares write up to a
 * vector of rows too many, which what comes next overwrites. */
static void pack_deep(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t axis, LLVMValueRef from, LLVMValueRef k0,
                      LLVMValueRef terms, LLVMValueRef to)
{
    Cg *c = k->c;
    if (axis == t->n_deep) {
        if (t->b_turn > 0)
            pack_turned(k, t, b, from, k0, terms, to);
        else
            pack_rows(k, t, b, from, k0, terms, to);
        return;
    }
    int64_t inner = tile_most(k, t->depth) * b->out;
    for (uint32_t i = axis + 1; i < t->n_deep; i++)
        inner *= tile_most(k, t->deep[i].extent);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), terms, cg_i64(c, 1), true, "deep");
    LLVMValueRef step = cg_add(c, k0, loop->var);
    Extent next = axis + 1 < t->n_deep ? t->deep[axis + 1].extent : t->depth;
    pack_deep(k, t, b, axis + 1, cg_at(c, c->f32, from, cg_mul(c, step, cg_i64(c, t->deep[axis].b))), cg_i64(c, 0),
              kernel_extent(k, next), cg_at(c, c->f32, to, cg_mul(c, loop->var, cg_i64(c, inner))));
    cg_loop_end(c, loop);
}

LLVMValueRef tile_pack(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef from, LLVMValueRef k0,
                       LLVMValueRef terms)
{
    pack_deep(k, t, b, 0, from, k0, terms, b->pack);
    return b->pack;
}
