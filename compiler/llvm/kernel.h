/* One kernel of a loop program on its way into a function  prefix.name(ptr call, i64 lo, i64 hi). */
#ifndef ACT_LLVM_KERNEL_H
#define ACT_LLVM_KERNEL_H

#include "llvm/sx_emit.h"

typedef struct KernelAcc {
    LLVMValueRef value;
    LoopFold fold;
    bool each_lane; /* declared inside the VECTOR loop: lanes are never joined */
} KernelAcc;

/* A loop around the current place. */
typedef struct KernelLevel {
    LLVMValueRef var; /* i64; in the VECTOR loop that of the first lane */
    int64_t multiple; /* … is a multiple of this */
    Extent extent;
} KernelLevel;

typedef struct KernelStore {
    const LoopStmt *stmt;
    LLVMValueRef value;
} KernelStore;

/* ── share.c: kernels of equal shape are one function ── */
typedef enum ShareKind { SHARE_BUF, SHARE_UNIFORM, SHARE_STREAM } ShareKind;
typedef struct ShareItem {
    ShareKind kind;
    uint32_t index; /* of the buffer, uniform or stream */
    int64_t number; /* offset in its block or number of the caller's array; uniform; stream */
} ShareItem;
typedef struct KernelShape {
    Str key; /* equal: the same code but for the items' numbers */
    VEC(ShareItem) item;
} KernelShape;
/* by_line: kernels of different places in the source have different shapes. */
KernelShape *kernel_shape(Arena *arena, const LoopProgram *p, const LoopKernel *k, bool by_line);
/* A constant array of the items' numbers, for a function that takes them as its fourth argument. */
LLVMValueRef kernel_table(Cg *c, const KernelShape *shape, const char *name);

typedef struct Kernel {
    Cg *c;
    const LoopProgram *p;
    const LoopKernel *k;
    const KernelShape *shape;
    LLVMValueRef table; /* of a shared function; NULL: numbers are constants */
    uint32_t batch;
    LLVMValueRef fn, call, lo, hi;
    LLVMValueRef
        entry_end; /* the branch that ends the entry block: what is the same for the whole call goes before it */
    LLVMValueRef n;
    LLVMValueRef *buf; /* by buffer: its start */
    CgAlias *alias;    /* by buffer */
    CgAlias beside;    /* scratch tiles and the call's own words: apart from every buffer */
    LLVMValueRef *uniform;
    bool spare_registers; /* a uniform is read where it is used, not kept from the entry on */
    LLVMValueRef philox_key[2], philox_step[2], philox_first;
    KernelLevel level[LOOP_MAX_DEPTH];
    unsigned depth;
    int vector;        /* depth of the VECTOR loop we are in, -1 outside */
    LLVMValueRef mask; /* of its lanes; NULL: all */
    const LoopRow *row;       /* the one that data chooses for all vectors of the VECTOR loop, as elements from the first; NULL: none */
    LLVMValueRef row_place;
    LLVMValueRef tile; /* in a TILE's body: the row's sums in the scratch tile; those of row `tile_row` when rows are lanes */
    LLVMValueRef tile_row;
    int64_t tile_step; /* … and elements between rows */
    KernelAcc *acc;
    SxEmit sx;
} Kernel;

/* Emits the kernel's function; `shared` with a fourth argument, the table of its shape. */
LLVMValueRef kernel_emit(Cg *c, const LoopProgram *p, const LoopKernel *k, const KernelShape *shape, bool shared,
                         uint32_t batch, const char *prefix);
/* `k` goes on in another function, whose builder stands in its entry block: `call` and `table` are there what they were. The
 * tile's body may be emitted there, at depth 0. */
Kernel *kernel_elsewhere(const Kernel *k, LLVMValueRef fn, LLVMValueRef call, LLVMValueRef table);
/* An item's number, to be asked for in the entry block. */
LLVMValueRef kernel_number(Kernel *k, ShareKind kind, uint32_t index, int64_t number);

/* ── kernel_arg.c: what expressions read ── */
void kernel_find_aliases(Kernel *k, const char *domain);
bool kernel_may_overlap(const LoopBuf *a, const LoopBuf *b);
/* The builder goes to the entry block, for what the whole call shares, and back. */
LLVMBasicBlockRef kernel_to_entry(Kernel *k);
void kernel_back(Kernel *k, LLVMBasicBlockRef here);
LLVMValueRef kernel_buffer(Kernel *k, uint32_t index);
LLVMValueRef kernel_pointer(Kernel *k, uint32_t buf, const Affine *at);
/* The same in the row that data chooses. */
/* Looks up, in front of a VECTOR loop with this body, which row it reads or adds to: once for all its vectors. */
void kernel_hold_row(Kernel *k, const LoopStmt *body);
LLVMValueRef kernel_row_pointer(Kernel *k, uint32_t buf, const LoopRow *row, const Affine *at);
unsigned kernel_row_align(const Kernel *k, const LoopBuf *buf, const LoopRow *row, const Affine *at);
unsigned kernel_align(const Kernel *k, const LoopBuf *buf, const Affine *at);
LLVMValueRef kernel_extent(Kernel *k, Extent extent);
LLVMValueRef kernel_affine(Kernel *k, const Affine *at);                /* i64, of the first lane */
int64_t kernel_lane_step(const Kernel *k, const Affine *at);            /* coefficient of the VECTOR loop; 0 outside */
bool kernel_is_multiple(const Kernel *k, const Affine *at, int64_t of); /* is the value of the first lane surely one? */
int64_t kernel_common_divisor(int64_t a, int64_t b);
LLVMValueRef kernel_arg(void *kernel, unsigned index); /* for SxEmit */

/* ── kernel.c: loops and statements ── */
void kernel_push(Kernel *k, LLVMValueRef var, int64_t multiple, Extent extent);
void kernel_pop(Kernel *k);
void kernel_body(Kernel *k, const LoopStmt *list);
/* The body in vectors over [from, to): full ones, then a masked rest. `multiple` surely divides `from`. */
void kernel_vectors(Kernel *k, LLVMValueRef from, LLVMValueRef to, int64_t multiple, Extent extent,
                    const LoopStmt *body);
void kernel_store(Kernel *k, const KernelStore *store); /* at the current place */
/* How often a loop runs, and whether that is surely at least once. */
LLVMValueRef kernel_count(Kernel *k, const LoopStmt *loop, bool *always);
void kernel_serial(Kernel *k, const LoopStmt *loop); /* the loop as it is written */

/* ── micro.c: register tiles ── */
#define MICRO_AHEAD 8
/* A run of memory asked for while the tile is at work: `step` bytes further at each term. */
typedef struct MicroAhead {
    uint32_t step;
    uint32_t level; /* of the cache it is to reach: 1 or 2 */
    bool deep;      /* goes through the loops around the terms as B does where it lies: by `ahead` bytes a step */
} MicroAhead;
/* What a micro-kernel is made for; equal ones are one function. */
typedef struct MicroShape {
    int64_t a_row, a_k, b_k;
    uint32_t rows, vectors;
    uint32_t last; /* readable lanes of the last vector of B; the others count as 0 */
    int64_t out;   /* from row to row where the sums go, in elements: of the scratch tile or of what is computed */
    uint32_t align; /* of those rows, in bytes */
    uint32_t clip;  /* lanes of the last vector that are stored there; 0: all */
    bool more;     /* goes on from the sums that stand in the scratch tile; else from 0 */
    uint32_t n_ahead;
    MicroAhead ahead[MICRO_AHEAD];
    /* Entries of a list { where, bytes to the next } that the call passes last: at the first n_far * rows terms one line is asked for each,
     * `rows` for an entry. The depth is at least that. */
    uint32_t n_far;
    /* Loops around the terms, outermost first; steps in elements. With any, `terms` is how many there are in the innermost and the call
     * says how often the first one runs. */
    uint32_t n_deep;
    bool open;      /* the call says how often the second one runs, too */
    int64_t terms;
    struct MicroDeep {
        int64_t count, a, b, ahead;
    } deep[TILE_AXES];
    Span span; /* of what it serves when every line has its own (Cg.by_line); else zero */
} MicroShape;
LLVMValueRef micro_kernel(Cg *c, const MicroShape *shape);

/* The parts a register tile is put together from. */
#define MICRO_SUMS 64
typedef struct MicroState {
    LLVMValueRef a, b, ahead[MICRO_AHEAD]; /* of the next term */
    LLVMValueRef far, far_step;            /* the same of the list's entry; NULL: none */
    LLVMValueRef sum[MICRO_SUMS];          /* so far; the other fields are the caller's to set before the first term */
} MicroState;
void micro_begin(Cg *c, const MicroShape *m, MicroState *s, LLVMValueRef sums);
/* The next `terms` terms; `always`: at least one. */
void micro_terms(Cg *c, const MicroShape *m, MicroState *s, LLVMValueRef terms, bool always);
/* A loop around terms carries the state. */
void micro_loop_begin(Cg *c, const MicroShape *m, MicroState *s, CgLoop *loop);
void micro_loop_end(Cg *c, const MicroShape *m, MicroState *s, CgLoop *loop);
void micro_end(Cg *c, const MicroShape *m, const MicroState *s, LLVMValueRef sums); /* to the scratch tile */

/* ── one file each ── */
void kernel_tile(Kernel *k, const LoopTile *tile);
bool kernel_exchange(Kernel *k, const LoopStmt *serial); /* transpose.c; false: the loop is not of that kind */
/* A square of n x n, n lanes a row, with rows and lanes exchanged. */
void kernel_turn(Cg *c, LLVMValueRef *row, unsigned n);
LLVMValueRef kernel_random(Kernel *k, const LoopArg *arg);

#endif
