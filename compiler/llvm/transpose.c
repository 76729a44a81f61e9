/* A block copied with its two innermost axes exchanged: the serial loop runs along the source's rows, the vector loop
 * along the result's. Lane by lane that is a gather for each vector; a square of lanes x lanes goes through registers
 * instead, as rows in and rows out. */
#include "llvm/kernel.h"

/* for i: for j vector: to[… + to_i * i + j] = from[… + i + from_j * j] */
typedef struct Exchange {
    const LoopStmt *store;
    const LoopArg *load;
    int64_t from_j, to_i;
    Extent i, j;
} Exchange;

static bool is_exchange(const Kernel *k, const LoopStmt *serial, Exchange *x)
{
    const LoopStmt *vector = serial->loop.body, *store = vector ? vector->loop.body : NULL;
    if (!vector || vector->next || vector->kind != LOOP_FOR || vector->loop.mode != LOOP_VECTOR || !store ||
        store->next || store->kind != LOOP_STORE)
        return false;
    unsigned index;
    if (serial->loop.clamp > 0 || !serial->loop.extent.fixed || !vector->loop.extent.fixed ||
        !sx_is_arg(k->p->sx, store->store.value, &index) || k->k->arg[index].kind != LARG_LOAD)
        return false;
    const LoopArg *load = &k->k->arg[index];
    unsigned i = k->depth, j = i + 1;
    *x = (Exchange){.store = store,
                    .load = load,
                    .from_j = load->at.coef[j],
                    .to_i = store->store.at.coef[i],
                    .i = serial->loop.extent,
                    .j = vector->loop.extent};
    bool apart = k->alias[load->index].scope != k->alias[store->store.buf].scope;
    return apart && load->at.coef[i] == 1 && x->from_j > 1 && store->store.at.coef[j] == 1 &&
           k->p->bufs.at[load->index].dtype == DT_F32;
}

/* Exchanges bit `step` of the row number with that of the lane number; for all bits in turn that is the transpose. */
static void exchange_bit(Cg *c, LLVMValueRef *row, unsigned n, unsigned step)
{
    int low[64], high[64];
    for (unsigned lane = 0; lane < n; lane++) { /* lanes of the second operand count from n */
        low[lane] = (int)(lane & step ? n + lane - step : lane);
        high[lane] = (int)(lane & step ? n + lane : lane + step);
    }
    for (unsigned r = 0; r < n; r++)
        if (!(r & step)) {
            LLVMValueRef a = row[r], b = row[r + step];
            row[r] = cg_shuffle2(c, a, b, low, n);
            row[r + step] = cg_shuffle2(c, a, b, high, n);
        }
}

void kernel_turn(Cg *c, LLVMValueRef *row, unsigned n)
{
    for (unsigned step = n / 2; step; step /= 2)
        exchange_bit(c, row, n, step);
}

/* One square at (i, j), of which `height` and `width` are inside. */
static void square(Kernel *k, const Exchange *x, LLVMValueRef i, LLVMValueRef j, unsigned height, unsigned width)
{
    Cg *c = k->c;
    unsigned n = c->lanes;
    LLVMValueRef row[64], rows = height < n ? cg_lane_mask(c, n, height) : NULL,
                          cols = width < n ? cg_lane_mask(c, n, width) : NULL;
    kernel_push(k, i, 1, x->i);
    kernel_push(k, j, 1, x->j);
    LLVMValueRef from = kernel_pointer(k, x->load->index, &x->load->at);
    LLVMValueRef to = kernel_pointer(k, x->store->store.buf, &x->store->store.at);
    kernel_pop(k);
    kernel_pop(k);
    LLVMTypeRef type = cg_vec(c->f32, n);
    for (unsigned r = 0; r < n; r++) {
        LLVMValueRef at = cg_at(c, c->f32, from, cg_i64(c, r * x->from_j));
        row[r] = r < width ? cg_load_lanes(c, type, at, 4, rows, &k->alias[x->load->index]) : cg_num(type, 0);
    }
    kernel_turn(c, row, n);
    for (unsigned r = 0; r < height; r++) {
        LLVMValueRef at = cg_at(c, c->f32, to, cg_i64(c, r * x->to_i));
        cg_store_lanes(c, row[r], at, 4, cols, &k->alias[x->store->store.buf]);
    }
}

static void strip(Kernel *k, const Exchange *x, LLVMValueRef i, unsigned height)
{
    Cg *c = k->c;
    int64_t n = c->lanes, whole = x->j.fixed / n * n, rest = x->j.fixed - whole;
    if (whole) {
        CgLoop *loop = arena_new_of(c->arena, CgLoop);
        cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, whole), cg_i64(c, n), true, "across");
        square(k, x, i, loop->var, height, c->lanes);
        cg_loop_end(c, loop);
    }
    if (rest)
        square(k, x, i, cg_i64(c, whole), height, (unsigned)rest);
}

static void exchange(Kernel *k, const Exchange *x)
{
    Cg *c = k->c;
    int64_t n = c->lanes, whole = x->i.fixed / n * n, rest = x->i.fixed - whole;
    if (whole) {
        CgLoop *loop = arena_new_of(c->arena, CgLoop);
        cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, whole), cg_i64(c, n), true, "down");
        strip(k, x, loop->var, c->lanes);
        cg_loop_end(c, loop);
    }
    if (rest)
        strip(k, x, cg_i64(c, whole), (unsigned)rest);
}

bool kernel_exchange(Kernel *k, const LoopStmt *serial)
{
    Exchange x;
    Cg *c = k->c;
    if (!is_exchange(k, serial, &x))
        return false;
    const LoopStmt *vector = serial->loop.body;
    bool always;
    int64_t known;
    kernel_push(k, cg_i64(c, 0), 1, serial->loop.extent); /* the clamp looks at loops further out */
    LLVMValueRef count = kernel_count(k, vector, &always);
    kernel_pop(k);
    if (cg_const_int(count, &known)) {
        x.j.fixed = known;
        exchange(k, &x);
        return true;
    }
    /* Fewer lanes in the last panel: that one goes lane by lane. */
    LLVMBasicBlockRef full = cg_block(c, "full"), part = cg_block(c, "part"), done = cg_block(c, "end");
    LLVMValueRef all = cg_icmp(c, LLVMIntEQ, count, cg_i64(c, x.j.fixed));
    LLVMBuildCondBr(c->b, all, full, part);
    LLVMPositionBuilderAtEnd(c->b, full);
    exchange(k, &x);
    LLVMBuildBr(c->b, done);
    LLVMPositionBuilderAtEnd(c->b, part);
    kernel_serial(k, serial);
    LLVMBuildBr(c->b, done);
    LLVMMoveBasicBlockAfter(done, LLVMGetInsertBlock(c->b));
    LLVMPositionBuilderAtEnd(c->b, done);
    return true;
}
