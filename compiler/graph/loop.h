/* Loop programs: what the kernel generator writes and the LLVM floor turns into vector code.
 *
 * A kernel is a nest of loops around stores of scalar expressions (sx) whose arguments are loads at affine places,
 * accumulators, indices, uniforms and random numbers. One loop of a nest may be VECTOR: its lanes become vector
 * registers; a load whose index has coefficient 1 for that loop is a vector load, 0 a broadcast, anything else a
 * gather. Tails are masked, never scalar, and compute the same bits as full vectors. A TILE is the contraction
 * micro-kernel with its epilogue.
 *
 * All loads of one iteration of the innermost loop see memory as it was before the stores of that iteration; so do those
 * behind the last loop of any list (the values of a column, after its sum). No two statements of one kernel write the
 * same place; a kernel may read and write the same buffer at the same index (in place). The exception is adding up in
 * memory, `y[at] = f(y[at], …)`: it may come back to places that it or an earlier loop wrote, as long as the lanes of the
 * innermost loop and the iterations of a split outermost one do not meet each other there.
 *
 * Order of arithmetic is fixed by the program alone: the result of a row does not depend on n, on the tile, or on
 * threads. */
#ifndef ACT_GRAPH_LOOP_H
#define ACT_GRAPH_LOOP_H

#include "graph/sx.h"
#include "graph/type.h"
#include "base/source.h"
#include "base/vec.h"

#define LOOP_MAX_DEPTH 10

/* ── memory ── */
typedef enum BufSpace {
    BUF_PARAM, BUF_STATE, BUF_WORK,   /* the blocks of ActInstance, at `offset` bytes */
    BUF_INPUT, BUF_TARGET,            /* the caller's arrays, `index`-th pointer */
    BUF_OUTPUT, BUF_PREDICTION,       /* the caller's arrays, `index`-th pointer */
    BUF_WATCH,                        /* the caller's arrays, `index`-th pointer; one number a row, or a fixed count */
    BUF_LOSS                          /* the caller's float loss[index] */
} BufSpace;

typedef struct LoopBuf {
    BufSpace space;
    uint32_t index;
    uint64_t offset;   /* bytes */
    uint64_t bytes;    /* whole extent at n = batch; a load never leaves it (padding included) */
    uint32_t align;    /* of the start: 64 in our blocks, 4 for the caller's arrays */
    DType dtype;
    Str name;          /* for the printed IR: "h1", "linear1.weight" */
} LoopBuf;

/* An element index: base + sum of coef[d] * (variable of the d-th enclosing loop, outermost 0). */
typedef struct Affine {
    int64_t base;
    int64_t coef[LOOP_MAX_DEPTH];
} Affine;

/* How often a loop runs: fixed + per_row * n, where n is the number of rows of the call. Never both non-zero. */
typedef struct Extent {
    int64_t fixed, per_row;
} Extent;

/* ── arguments of expressions ── */
typedef enum LoopArgKind {
    LARG_LOAD,     /* buffer `index` at `at`; an i32 element is converted to float */
    LARG_ACC,      /* accumulator `index` (after its loop) */
    LARG_TILE,     /* in a TILE's epilogue: the sum of products of this element */
    LARG_INDEX,    /* the affine value `at` itself, as a float */
    LARG_ROW,      /* buffer `index` at `at`, in the row that data chooses: see LoopRow */
    LARG_UNIFORM,  /* LoopProgram.uniform[index], as a float */
    LARG_RANDOM    /* uniform in [0, 1): Philox of stream `index`, sample `at`, element `at2`, the step and its seed */
} LoopArgKind;

/* A row of a table, chosen by data: the whole number at `at` of buffer `buf`, the same for all lanes, brought into [0, count) whatever
 * it is; it adds `step` times that to a place. count 0: none. */
typedef struct LoopRow {
    uint32_t buf, count;
    int64_t step;
    Affine at;
} LoopRow;

typedef struct LoopArg {
    LoopArgKind kind;
    uint32_t index;
    Affine at, at2;
    LoopRow row;
} LoopArg;

/* ── statements ── */
typedef struct LoopStmt LoopStmt;
typedef enum LoopStmtKind { LOOP_FOR, LOOP_ACC_NEW, LOOP_ACC_ADD, LOOP_STORE, LOOP_ADD, LOOP_TILE } LoopStmtKind;
typedef enum LoopMode { LOOP_SERIAL, LOOP_VECTOR } LoopMode;
typedef enum LoopFold { FOLD_SUM, FOLD_MAX } LoopFold; /* MAX propagates NaN; neutral -inf */

/* The contraction C[row, col] = sum over k of A[row, k] * B[k, col], k ascending, one fused multiply-add a term,
 * from 0; of a single column without gaps, lane by lane along k, and the lanes joined in a fixed tree. Columns go in blocks of `width` (a multiple of the lanes, or less for narrow ones: then one masked vector),
 * rows in register tiles.
 * The body is run for every element, in three new loops at the current depth d: d = column block, d + 1 = row,
 * d + 2 = column in the block (VECTOR, clamped to `cols`). Its expressions read LARG_TILE. */
typedef struct TileAxis {
    Extent extent;
    int64_t a, b;                       /* elements from one step to the next, in A and in B */
} TileAxis;

#define TILE_AXES 5

/* Lines of an image with a border of zeros: where over[`over`] is at i and deep[`deep`] at k, A has nothing but zeros unless
 * begin <= i * over_step + k * deep_step < end. Such terms are left out; every i has others. end 0: nothing is known. */
typedef struct TileBorder {
    uint32_t over, deep;
    int64_t over_step, deep_step, begin, end;
} TileBorder;

typedef struct LoopTile {
    Extent rows, depth;
    uint32_t cols, width;
    uint32_t a, b;                      /* buffers */
    int64_t a_base, a_row, a_k;         /* element (row, k) of A at a_base + row * a_row + k * a_k */
    int64_t b_base, b_block, b_k;       /* element (k, block, j) of B at b_base + block * b_block + k * b_k + j */
    /* > 0: B lies turned, in panels of so many terms: element (k, column) at b_base + column * b_block + k / b_turn * b_k
     * + k % b_turn */
    int64_t b_turn;
    bool b_padded;                      /* the last panel of B may be read in full width */
    uint32_t tile_rows;                 /* rows of the register tile */
    /* More axes, outermost first: products of their own (`outer`), further axes of the rows (`over`, around `rows`) and of the depth (`deep`,
     * around `depth`). The body's loops are then outer…, block, over…, row, column. `cut`: which of outer…, over…, rows threads share. */
    uint32_t n_outer, n_over, n_deep, cut;
    TileAxis outer[TILE_AXES], over[TILE_AXES], deep[TILE_AXES];
    TileBorder border;
    LoopStmt *body;
} LoopTile;

/* The steps [*from, *to) of the border's axis of terms that are taken where its other axis is at `place`. */
void tile_lines(const LoopTile *tile, int64_t place, int64_t *from, int64_t *to);
/* What threads share: the extent of axis `cut`. */
Extent tile_cut(const LoopTile *tile);
/* The product that is all of `body`, with axes around its rows whose outermost is the batch, which threads share; NULL: it is none. */
const LoopTile *tile_of_places(const LoopStmt *body);

struct LoopStmt {
    LoopStmtKind kind;
    LoopStmt *next;
    union {
        struct {
            Extent extent;
            LoopMode mode;
            /* > 0: runs min(extent, clamp - extent * variable of loop `clamp_depth`) times: lanes of the last panel */
            int64_t clamp;
            uint32_t clamp_depth;
            LoopStmt *body;
        } loop;
        struct {
            uint32_t acc;
            LoopFold fold;
            Sx value;   /* ACC_ADD: acc = fold(acc, value). In a VECTOR loop inside the accumulator's scope lanes are
                           folded apart and joined at the end of that loop in a fixed tree: lane i with i + w/2, then
                           w/4 … An accumulator declared inside the VECTOR loop stays one per lane. */
        } acc;
        struct {
            uint32_t buf;
            Affine at;
            Sx value;
            LoopRow row; /* ADD: what stands in the row of `buf` that data chooses grows by `value`, one iteration after the other.
                            Its kernel reads that buffer nowhere else, and each thread has elements of its own. */
        } store;
        LoopTile tile;
    };
};

/* ── kernels and programs ── */
typedef enum LoopSplit {
    SPLIT_NONE,   /* thread 0 alone */
    SPLIT_OUTER,  /* the outermost loop (of every top statement; a TILE: its rows) is cut into ranges, one a thread */
    /* A TILE alone: its register tiles (`grain` rows of a column block each), block after block, are cut into ranges. Thread t has the
     * same part of the blocks in all kernels split so, whatever their rows */
    SPLIT_TILES
} LoopSplit;

/* What a strip's kernels touch where no cache holds it: a product of the strip asks for it while it is at work. Of row r of the batch that is
 * `bytes` bytes from element base + r * row of `buf` on. */
typedef struct LoopAhead {
    uint32_t buf;
    int64_t base, row;
    uint64_t bytes;
    bool next;            /* of the rows of the next strip, for a kernel in front; else of these rows, for one behind */
} LoopAhead;

typedef struct LoopKernel {
    Str name;             /* "linear1_gelu"; unique in the program */
    Span span;
    LoopSplit split;
    Extent split_extent;  /* of the outermost loop(s); SPLIT_TILES: rows of the TILE */
    uint32_t grain;       /* ranges start at multiples of this */
    bool by_rows;         /* split_extent counts rows of the batch: thread t has the same rows in every such kernel */
    bool barrier;         /* wait for all threads before this kernel */
    /* > 0: a thread takes so many of its rows at a time through this kernel and its neighbours that say the same; the last of them goes back
     * over `strip_back` kernels as long as rows are left. All by rows, no barrier between them. */
    uint32_t strip, strip_back;
    const LoopAhead *ahead; /* of a product whose places are the batch's rows and more; changes no result */
    uint32_t n_ahead;
    LoopArg *arg;
    uint32_t n_arg;
    uint32_t n_acc;
    LoopStmt *body;
    uint64_t flops_row, flops_fixed;
    uint32_t group;       /* 1 + index of the plan's group it was made from; 0: made by hand */
} LoopKernel;

typedef struct LoopProgram {
    Arena *arena;
    SxPool *sx;
    Str name;                 /* "forward", "evaluate", "train_step" */
    VEC(LoopBuf) bufs;
    VEC(LoopKernel) kernels;
    /* computed once a call in double: sx over a0 = step, a1 = lr_scale, a2 = n */
    VEC(Sx) uniforms;
    uint64_t work_bytes;
} LoopProgram;

/* As text: --emit=kernel and golden tests. */
void loop_print(const LoopProgram *program, Text *out);
/* Every rule above that can be checked: depths, buffers, accumulators in scope, one VECTOR loop a nest, affine ranges
 * inside their buffers at n = batch and at n = 1, stores that meet. NULL or a sentence. */
const char *loop_verify(const LoopProgram *program, uint32_t batch, Arena *arena);
/* Runs a program in double, rounding to float at stores only: the oracle between graph and machine code. */
typedef struct LoopMemory {
    unsigned char *param, *state, *work;
    const void *const *input, *const *target;
    void *const *output, *const *prediction;
    float *loss;
    size_t n;
    double step, lr_scale;
    uint64_t seed;
} LoopMemory;
void loop_run(const LoopProgram *program, const LoopMemory *memory, Arena *arena);

#endif
