/* Matrix products as tiles of a loop program, for tests that build them by hand. */
#ifndef ACT_TEST_PRODUCT_H
#define ACT_TEST_PRODUCT_H

#include "memory.h"

static inline uint32_t panel_of(const JitLevel *level) { return level->target.tile_vectors * level->target.lanes; }

static inline Sx tile_arg(Nest *b) { return nest_arg(b, (LoopArg){.kind = LARG_TILE}); }

/* x w for every row of a batch: x row after row, w in panels of `width` columns. */
static inline LoopTile product_tile(const JitLevel *level, uint32_t x, uint32_t w, uint32_t depth, uint32_t cols, uint32_t width)
{
    return (LoopTile){.rows = ROWS,
                      .depth = FIXED(depth),
                      .cols = cols,
                      .width = width,
                      .a = x,
                      .b = w,
                      .a_row = depth,
                      .a_k = 1,
                      .b_block = (int64_t)depth * width,
                      .b_k = width,
                      .b_padded = true,
                      .tile_rows = level->target.tile_rows};
}

/* x^T y over the rows of a batch: a gradient of (in, out) weights, both sides row after row. */
static inline LoopTile gradient_tile(const JitLevel *level, uint32_t x, uint32_t y, uint32_t in, uint32_t out, uint32_t width)
{
    return (LoopTile){.rows = FIXED(in),
                      .depth = ROWS,
                      .cols = out,
                      .width = width,
                      .a = x,
                      .b = y,
                      .a_row = 1,
                      .a_k = in,
                      .b_block = width,
                      .b_k = out,
                      .tile_rows = level->target.tile_rows};
}

/* Calls of `name` (or of what begins so) in a function. */
static inline unsigned calls_of(LLVMValueRef fn, const char *name)
{
    unsigned n = 0;
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(fn); block; block = LLVMGetNextBasicBlock(block))
        for (LLVMValueRef i = LLVMGetFirstInstruction(block); i; i = LLVMGetNextInstruction(i)) {
            size_t length;
            n += LLVMIsACallInst(i) && !strncmp(LLVMGetValueName2(LLVMGetCalledValue(i), &length), name, strlen(name));
        }
    return n;
}

#endif
