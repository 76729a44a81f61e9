/* Kernels that differ in their places alone are one function. A deep network has hundreds of equal layers: their kernels do the
 * same arithmetic in the same loops, on other buffers, with other uniforms, with numbers of another random stream. The shape of a
 * kernel is its text with those numbers replaced by their order of appearance; kernels of equal shape share a function that takes
 * the numbers from a table. A kernel that stands alone keeps them as constants. */
#include "llvm/kernel.h"

static uint32_t item_of(KernelShape *s, Arena *arena, ShareKind kind, uint32_t index, int64_t number)
{
    for (uint32_t i = 0; i < s->item.n; i++)
        if (s->item.at[i].kind == kind && s->item.at[i].index == index)
            return i;
    *vec_push(arena, &s->item) = (ShareItem){kind, index, number};
    return s->item.n - 1;
}

typedef struct Writer {
    Arena *arena;
    const LoopProgram *p;
    KernelShape *shape;
    Text text;
} Writer;

static void put(Writer *w, int64_t number) { text_printf(&w->text, "%lld ", (long long)number); }

static void put_affine(Writer *w, const Affine *at)
{
    put(w, at->base);
    for (unsigned d = 0; d < LOOP_MAX_DEPTH; d++)
        put(w, at->coef[d]);
}

static void put_extent(Writer *w, Extent extent)
{
    put(w, extent.fixed);
    put(w, extent.per_row);
}

static bool of_caller(const LoopBuf *buf)
{
    return buf->space != BUF_PARAM && buf->space != BUF_STATE && buf->space != BUF_WORK;
}

/* A buffer at its first mention says all that code for it depends on, but for the number that goes into the table. */
static void put_buf(Writer *w, uint32_t index)
{
    const LoopBuf *buf = &w->p->bufs.at[index];
    uint32_t before = w->shape->item.n;
    int64_t number = of_caller(buf) ? (int64_t)buf->index : (int64_t)buf->offset;
    uint32_t item = item_of(w->shape, w->arena, SHARE_BUF, index, number);
    put(w, item);
    if (item < before)
        return;
    put(w, buf->space);
    put(w, buf->align);
    put(w, buf->dtype);
    put(w, (int64_t)buf->bytes); /* what is large is fetched ahead */
    put(w, of_caller(buf) ? (int64_t)buf->offset : 0);
    for (uint32_t i = 0; i < before; i++) /* which of those before it may lie in the same bytes */
        if (w->shape->item.at[i].kind == SHARE_BUF)
            put(w, kernel_may_overlap(buf, &w->p->bufs.at[w->shape->item.at[i].index]));
}

static void put_row(Writer *w, const LoopRow *row)
{
    put_buf(w, row->buf);
    put(w, row->count);
    put(w, row->step);
    put_affine(w, &row->at);
}

static void put_arg(Writer *w, const LoopArg *arg)
{
    put(w, arg->kind);
    switch (arg->kind) {
    case LARG_LOAD:
        put_buf(w, arg->index);
        break;
    case LARG_ROW:
        put_buf(w, arg->index);
        put_row(w, &arg->row);
        break;
    case LARG_UNIFORM:
        put(w, item_of(w->shape, w->arena, SHARE_UNIFORM, arg->index, arg->index));
        break;
    case LARG_RANDOM:
        put(w, item_of(w->shape, w->arena, SHARE_STREAM, arg->index, arg->index));
        break;
    case LARG_ACC:
    case LARG_TILE:
    case LARG_INDEX:
        put(w, arg->index);
        break;
    }
    put_affine(w, &arg->at);
    put_affine(w, &arg->at2);
}

static void put_list(Writer *w, const LoopStmt *list);

static void put_axes(Writer *w, const TileAxis *axis, uint32_t n)
{
    put(w, n);
    for (uint32_t i = 0; i < n; i++) {
        put_extent(w, axis[i].extent);
        put(w, axis[i].a);
        put(w, axis[i].b);
    }
}

static void put_tile(Writer *w, const LoopTile *t)
{
    put_extent(w, t->rows);
    put_extent(w, t->depth);
    put_buf(w, t->a);
    put_buf(w, t->b);
    const int64_t number[] = {t->cols,    t->width, t->a_base, t->a_row,    t->a_k,      t->b_base,
                              t->b_block, t->b_k,   t->b_turn, t->b_padded, t->tile_rows};
    for (unsigned i = 0; i < sizeof number / sizeof *number; i++)
        put(w, number[i]);
    const TileBorder *border = &t->border;
    const int64_t line[] = {border->over, border->deep, border->over_step, border->deep_step, border->begin, border->end};
    for (unsigned i = 0; i < sizeof line / sizeof *line; i++)
        put(w, line[i]);
    put(w, t->cut);
    put_axes(w, t->outer, t->n_outer);
    put_axes(w, t->over, t->n_over);
    put_axes(w, t->deep, t->n_deep);
    put_list(w, t->body);
}

static void put_list(Writer *w, const LoopStmt *list)
{
    text_add(&w->text, STR("{"));
    for (const LoopStmt *s = list; s; s = s->next) {
        put(w, s->kind);
        switch (s->kind) {
        case LOOP_FOR:
            put_extent(w, s->loop.extent);
            put(w, s->loop.mode);
            put(w, s->loop.clamp);
            put(w, s->loop.clamp_depth);
            put_list(w, s->loop.body);
            break;
        case LOOP_ACC_NEW:
        case LOOP_ACC_ADD:
            put(w, s->acc.acc);
            put(w, s->acc.fold);
            put(w, s->kind == LOOP_ACC_ADD ? (int64_t)s->acc.value : 0); /* equal expressions have equal handles */
            break;
        case LOOP_STORE:
            put_buf(w, s->store.buf);
            put_affine(w, &s->store.at);
            put(w, s->store.value);
            break;
        case LOOP_ADD:
            put_buf(w, s->store.buf);
            put_affine(w, &s->store.at);
            put_row(w, &s->store.row);
            put(w, s->store.value);
            break;
        case LOOP_TILE:
            put_tile(w, &s->tile);
            break;
        }
    }
    text_add(&w->text, STR("}"));
}

KernelShape *kernel_shape(Arena *arena, const LoopProgram *p, const LoopKernel *k, bool by_line)
{
    Writer w = {.arena = arena, .p = p, .shape = arena_new_of(arena, KernelShape), .text = {.arena = arena}};
    put(&w, k->split);
    put_extent(&w, k->split_extent);
    put(&w, k->grain);
    put(&w, k->n_acc);
    put(&w, by_line ? k->span.source : 0);
    put(&w, by_line ? k->span.begin : 0);
    for (uint32_t i = 0; i < k->n_arg; i++)
        put_arg(&w, &k->arg[i]);
    for (uint32_t i = 0; i < k->n_ahead; i++) {
        put_buf(&w, k->ahead[i].buf);
        put(&w, k->ahead[i].base);
        put(&w, k->ahead[i].row);
        put(&w, (int64_t)k->ahead[i].bytes);
        put(&w, k->ahead[i].next);
    }
    put_list(&w, k->body);
    w.shape->key = text_str(&w.text);
    return w.shape;
}

LLVMValueRef kernel_number(Kernel *k, ShareKind kind, uint32_t index, int64_t number)
{
    Cg *c = k->c;
    if (!k->table)
        return cg_i64(c, number);
    for (uint32_t i = 0; i < k->shape->item.n; i++)
        if (k->shape->item.at[i].kind == kind && k->shape->item.at[i].index == index)
            return cg_load(c, c->i64, cg_at(c, c->i64, k->table, cg_i64(c, i)), 8, &k->beside);
    ACT_BUG("a kernel's table lacks a number");
}

LLVMValueRef kernel_table(Cg *c, const KernelShape *shape, const char *name)
{
    LLVMValueRef *number = arena_array(c->arena, LLVMValueRef, shape->item.n + 1);
    for (uint32_t i = 0; i < shape->item.n; i++)
        number[i] = cg_i64(c, shape->item.at[i].number);
    LLVMValueRef all = LLVMConstArray2(c->i64, number, shape->item.n);
    LLVMValueRef global = LLVMAddGlobal(c->mod, LLVMTypeOf(all), name);
    LLVMSetInitializer(global, all);
    LLVMSetGlobalConstant(global, true);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    LLVMSetAlignment(global, 64);
    return global;
}
