/* Building loop programs by hand, in a few words a statement, for the tests of loops. */
#ifndef ACT_TEST_NEST_H
#define ACT_TEST_NEST_H

#include "graph/loop.h"

typedef struct Nest {
    Arena *arena;
    LoopProgram program;
    VEC(LoopArg) args; /* of the kernel being written; nest_kernel takes them */
    uint32_t n_acc;
} Nest;

static inline void nest_start(Nest *b, Arena *arena)
{
    *b = (Nest){.arena = arena};
    b->program.arena = arena;
    b->program.sx = sx_pool_new(arena);
    b->program.name = STR("test");
}

static inline uint32_t nest_buf(Nest *b, const char *name, BufSpace space, uint64_t offset, uint64_t elements)
{
    *vec_push(b->arena, &b->program.bufs) = (LoopBuf){.space = space, .offset = offset, .bytes = 4 * elements,
                                                       .align = 4, .dtype = DT_F32, .name = str_of(name)};
    return b->program.bufs.n - 1;
}

/* base + c0 * i0 + c1 * i1 + c2 * i2 */
static inline Affine at3(int64_t base, int64_t c0, int64_t c1, int64_t c2)
{
    return (Affine){base, {c0, c1, c2}};
}

static inline Sx nest_arg(Nest *b, LoopArg arg)
{
    *vec_push(b->arena, &b->args) = arg;
    return sx_arg(b->program.sx, b->args.n - 1);
}

static inline Sx nest_load(Nest *b, uint32_t buf, Affine at)
{
    return nest_arg(b, (LoopArg){.kind = LARG_LOAD, .index = buf, .at = at});
}

static inline Sx nest_acc(Nest *b, uint32_t acc)
{
    return nest_arg(b, (LoopArg){.kind = LARG_ACC, .index = acc});
}

static inline LoopStmt *nest_stmt(Nest *b, LoopStmtKind kind)
{
    LoopStmt *s = arena_new_of(b->arena, LoopStmt);
    s->kind = kind;
    return s;
}

static inline LoopStmt *nest_for(Nest *b, Extent extent, LoopMode mode, LoopStmt *body)
{
    LoopStmt *s = nest_stmt(b, LOOP_FOR);
    s->loop.extent = extent;
    s->loop.mode = mode;
    s->loop.body = body;
    return s;
}

static inline LoopStmt *nest_new(Nest *b, uint32_t acc, LoopFold fold)
{
    LoopStmt *s = nest_stmt(b, LOOP_ACC_NEW);
    s->acc.acc = acc;
    s->acc.fold = fold;
    b->n_acc = acc >= b->n_acc ? acc + 1 : b->n_acc;
    return s;
}

static inline LoopStmt *nest_add(Nest *b, uint32_t acc, LoopFold fold, Sx value)
{
    LoopStmt *s = nest_stmt(b, LOOP_ACC_ADD);
    s->acc.acc = acc;
    s->acc.fold = fold;
    s->acc.value = value;
    return s;
}

static inline LoopStmt *nest_store(Nest *b, uint32_t buf, Affine at, Sx value)
{
    LoopStmt *s = nest_stmt(b, LOOP_STORE);
    s->store.buf = buf;
    s->store.at = at;
    s->store.value = value;
    return s;
}

/* The statements up to NULL as one list. */
static inline LoopStmt *nest_list(LoopStmt *const *s)
{
    for (unsigned i = 0; s[i]; i++)
        s[i]->next = s[i + 1];
    return s[0];
}
#define LIST(...) nest_list((LoopStmt *[]){__VA_ARGS__, NULL})

static inline LoopKernel *nest_kernel(Nest *b, const char *name, LoopStmt *body)
{
    LoopKernel *k = vec_push(b->arena, &b->program.kernels);
    *k = (LoopKernel){.name = str_of(name), .grain = 1, .arg = b->args.at, .n_arg = b->args.n, .n_acc = b->n_acc,
                      .body = body};
    b->args.at = NULL;
    b->args.n = b->args.cap = 0;
    b->n_acc = 0;
    return k;
}

static inline void nest_split(LoopKernel *k, Extent extent, bool by_rows)
{
    k->split = SPLIT_OUTER;
    k->split_extent = extent;
    k->by_rows = by_rows;
}

#define ROWS ((Extent){0, 1})
#define FIXED(count) ((Extent){(count), 0})

/* softmax over 10 columns of z[n, 10] into p: maximum, sum of exponentials, quotient */
static inline LoopKernel *nest_softmax(Nest *b, uint32_t z, uint32_t p)
{
    SxPool *sx = b->program.sx;
    Affine at = at3(0, 10, 1, 0);
    Sx value = nest_load(b, z, at), m = nest_acc(b, 0), s = nest_acc(b, 1);
    Sx power = sx_un(sx, SX_EXP, sx_sub(sx, value, m));
    LoopStmt *row = LIST(nest_new(b, 0, FOLD_MAX), nest_for(b, FIXED(10), LOOP_VECTOR, nest_add(b, 0, FOLD_MAX, value)),
                         nest_new(b, 1, FOLD_SUM), nest_for(b, FIXED(10), LOOP_VECTOR, nest_add(b, 1, FOLD_SUM, power)),
                         nest_for(b, FIXED(10), LOOP_VECTOR, nest_store(b, p, at, sx_div(sx, power, s))));
    LoopKernel *k = nest_kernel(b, "softmax", nest_for(b, ROWS, LOOP_SERIAL, row));
    nest_split(k, ROWS, true);
    return k;
}

/* h[n, cols] = max(x[n, depth] w + bias, 0), the weight in panels of `width`, h dense */
static inline LoopKernel *nest_product(Nest *b, uint32_t x, uint32_t w, uint32_t bias, uint32_t h, uint32_t depth,
                                       uint32_t cols, uint32_t width)
{
    SxPool *sx = b->program.sx;
    Sx sum = sx_add(sx, nest_arg(b, (LoopArg){.kind = LARG_TILE}), nest_load(b, bias, at3(0, width, 0, 1)));
    LoopStmt *s = nest_stmt(b, LOOP_TILE);
    s->tile = (LoopTile){.rows = ROWS, .depth = FIXED(depth), .cols = cols, .width = width, .a = x, .b = w,
                         .a_row = depth, .a_k = 1, .b_block = (int64_t)depth * width, .b_k = width, .b_padded = true,
                         .tile_rows = 6};
    s->tile.body = nest_store(b, h, at3(0, width, cols, 1), sx_bin(sx, SX_MAX, sum, sx_num(sx, 0)));
    LoopKernel *k = nest_kernel(b, "linear1_relu", s);
    nest_split(k, ROWS, true);
    return k;
}

#endif
