/* The contraction's blocking, shared by tile.c (loops) and pack.c (copies of the right side). */
#ifndef ACT_LLVM_TILE_H
#define ACT_LLVM_TILE_H

#include "llvm/kernel.h"

#define TILE_BESIDE 6
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
    LLVMValueRef row, rows_end; /* the thread's rows of this block where threads share tiles; NULL: the kernel's cut says */
    LLVMValueRef next;   /* where the next chunk to be packed begins; NULL: it is not asked for */
    LLVMValueRef far;    /* room for the list of rows that a micro-kernel asks for; NULL: it takes none */
    LLVMValueRef a_from; /* what axes around the rows add to A's place; NULL: nothing */
    LLVMValueRef inner;  /* steps of the second axis of terms; NULL: all */
    LLVMValueRef fetch;  /* element of A from which tiles of this place ask for what later places read; NULL: nothing */
    int64_t fetch_row;   /* elements a row */
    LLVMValueRef beside[TILE_BESIDE]; /* what a tile of this place asks for on behalf of its neighbours in a strip (LoopKernel.ahead) */
    uint32_t beside_row[TILE_BESIDE]; /* bytes a row; 0: nothing */
    int64_t terms;                    /* of which those before this chunk ... */
    LLVMValueRef before;              /* ... are done; NULL: none */
} TileBlock;

static inline int64_t tile_most(const Kernel *k, Extent extent) { return extent.fixed + extent.per_row * k->batch; }

/* Column blocks of a tile. */
static inline int64_t tile_blocks(const LoopTile *t) { return (t->cols + t->width - 1) / t->width; }

/* Heights of tiles for the rows of a call, tallest first, ending in 1 unless the last is known to come out even. */
typedef struct Heights {
    uint32_t at[8];
    unsigned n;
} Heights;

int64_t tile_rows_most(const Kernel *k, const LoopTile *t); /* all axes of the rows */

/* ── tile.c ── */
Heights tile_heights(const Kernel *k, const LoopTile *t, uint32_t vectors, bool cut);
/* Rows [from, to) in register tiles over `terms` terms from k0 on; the body is run over each tile unless b->chunked. */
void tile_rows(Kernel *k, const LoopTile *t, const TileBlock *b, const Heights *h, LLVMValueRef from, LLVMValueRef to,
               LLVMValueRef b_at, LLVMValueRef k0, LLVMValueRef terms);
/* The body over `rows` rows from `row` on, whose sums stand at b->sums. */
void tile_body(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef row, LLVMValueRef rows);
void tile_zero_sums(Kernel *k, const TileBlock *b, LLVMValueRef rows);

/* ── dot.c: a single column ── */
/* May the body run with the rows as lanes: one column, and all that it touches is the same in every row, or next to it? */
bool tile_rows_are_lanes(const Kernel *k, const LoopTile *t);
/* The body so, over `rows` rows from `row` on, whose sums stand at `sums`, `step` elements apart. */
void tile_body_of_lanes(Kernel *k, const LoopTile *t, LLVMValueRef sums, int64_t step, LLVMValueRef row, LLVMValueRef rows);
/* … and the sums, too, because the rows of A and the column of B lie without gaps? Asked at the depth of the rows. */
bool tile_is_dot(const Kernel *k, const LoopTile *t);
/* Rows [from, to), at least one; the column of B at `column`. */
void tile_dot(Kernel *k, const LoopTile *t, LLVMValueRef from, LLVMValueRef to, LLVMValueRef column);

/* ── ahead.c: what a tile asks of memory while it is at work ── */
/* A place the body reads or writes; the next tile's lies behind it. */
#define TILE_PLACES 16
typedef struct TilePlace {
    uint32_t buf;
    const Affine *at;
} TilePlace;
unsigned tile_places(const Kernel *k, const LoopTile *t, TilePlace *out); /* how many, at most TILE_PLACES */
enum { TILE_FAR = 32 /* entries */, TILE_FAR_ROWS = 4 /* of a tile that works off the list */ };
/* Runs of memory and how they are gone through; a list of rows that lie apart. */
typedef struct TileAhead {
    uint32_t n, n_far;
    MicroAhead shape[MICRO_AHEAD];
    LLVMValueRef at[MICRO_AHEAD], far;
} TileAhead;
/* Room for the list of one block; NULL: its terms are no single run of known length. */
LLVMValueRef tile_far_list(Kernel *k, const LoopTile *t);
/* Is the right side packed from rows that no cache holds, so that the next chunk is to be asked for? */
bool tile_wants_next(const Kernel *k, const LoopTile *t, const TileBlock *b);
/* Where it begins: at `unit` of `units`, `step` elements each from `start`, or in the next block of columns. */
LLVMValueRef tile_next_source(Kernel *k, const LoopTile *t, LLVMValueRef start, LLVMValueRef unit, LLVMValueRef units, int64_t step);
/* For a tile of `top` rows from `row` on: its share of the next chunk of B, of what later places read of A, and what the body reads and
 * writes: of these rows where they lie apart, of those behind them where all are one run. */
void tile_next_chunk(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef b_at, LLVMValueRef row,
                     TileAhead *out);
void tile_next_places(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out);
void tile_next_body(Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out);
/* The same on behalf of the kernel's neighbours. */
void tile_next_beside(Kernel *k, const TileBlock *b, uint32_t top, LLVMValueRef row, TileAhead *out);
/* In a row of the body: what the next block of columns reads of it. */
void tile_fetch_beside(Kernel *k, const LoopTile *t);

/* ── sweep.c: tiles with more than one axis of rows or terms ── */
/* One block of columns; a_from, b_from: what the axes in front add to A and B. */
void tile_sweep(Kernel *k, const LoopTile *t, TileBlock *b, LLVMValueRef a_from, LLVMValueRef b_from);

/* ── pack.c ── */
bool tile_wants_packing(const Kernel *k, const LoopTile *t, const TileBlock *b);
/* Terms [k0, k0 + terms) (of the outermost axis of terms, when there are several) of the block whose first column stands at `from`; returns b->pack. */
LLVMValueRef tile_pack(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef from, LLVMValueRef k0,
                       LLVMValueRef terms);

/* ── overlap.c ── */
/* Into how many slices the sums of a tile of so many rows are cut when the body of the tile before it runs between them; 0:
 * it does not. The tile has at least as many terms. */
uint32_t tile_slices(const Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t rows);
/* One register tile, whose sums replace those of the tile before it, and the body over that one. */
typedef struct TileOverlap {
    MicroShape shape;
    uint32_t slices;
    LLVMValueRef row;         /* first of the tile before */
    LLVMValueRef a, b;        /* of this tile */
    LLVMValueRef slice, rest; /* terms of a slice; what is left over after all slices */
} TileOverlap;
void tile_overlapped(Kernel *k, const LoopTile *t, const TileBlock *b, const TileOverlap *o);

#endif
