/* The contraction's blocking, shared by tile.c (loops) and pack.c (copies of the right side). */
#ifndef ACT_LLVM_TILE_H
#define ACT_LLVM_TILE_H

#include "llvm/kernel.h"

/* One block of columns: `cols` of the tile's width. */
typedef struct TileBlock {
    uint32_t cols, vectors;
    uint32_t out;        /* row length of scratch tile and packed block: vectors * lanes */
    uint32_t last;       /* lanes of the last vector that may be read where B lies */
    int64_t b_k;         /* elements between terms where the micro-kernel reads */
    int64_t chunk;       /* terms that pass before the next rows are taken up */
    bool chunked;        /* there are several chunks: sums are kept in memory between them */
    LLVMValueRef pack;   /* room for a packed chunk; NULL: B is read in place */
    LLVMValueRef sums;   /* of one register tile, or of `group` rows when chunked */
    uint32_t group;
} TileBlock;

static inline int64_t tile_most(const Kernel *k, Extent extent) { return extent.fixed + extent.per_row * k->batch; }

/* Column blocks of a tile. */
static inline int64_t tile_blocks(const LoopTile *t) { return (t->cols + t->width - 1) / t->width; }

/* ── pack.c ── */
bool tile_wants_packing(const Kernel *k, const LoopTile *t, const TileBlock *b);
/* Terms [k0, k0 + terms) of the block whose first column stands at `from`; returns b->pack. */
LLVMValueRef tile_pack(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef from, LLVMValueRef k0,
                       LLVMValueRef terms);

#endif
