/* What a kernel's expressions read: buffers and where they lie, places inside them, uniforms, indices, sums. */
#include "llvm/kernel.h"

#include <stdlib.h>

/* ── what the whole call shares ── */

LLVMBasicBlockRef kernel_to_entry(Kernel *k)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(k->c->b);
    LLVMPositionBuilderBefore(k->c->b, k->entry_end);
    return here;
}

void kernel_back(Kernel *k, LLVMBasicBlockRef here) { LLVMPositionBuilderAtEnd(k->c->b, here); }

static CgCallField pointer_field(BufSpace space)
{
    static const CgCallField field[] = {
        [BUF_PARAM] = CALL_PARAM,           [BUF_STATE] = CALL_STATE,   [BUF_WORK] = CALL_WORK,
        [BUF_INPUT] = CALL_INPUT,           [BUF_TARGET] = CALL_TARGET, [BUF_OUTPUT] = CALL_OUTPUT,
        [BUF_PREDICTION] = CALL_PREDICTION, [BUF_LOSS] = CALL_LOSS,
        [BUF_WATCH] = CALL_OUTPUT, /* a training step has no outputs */
    };
    return field[space];
}

static bool in_our_blocks(BufSpace space) { return space == BUF_PARAM || space == BUF_STATE || space == BUF_WORK; }

LLVMValueRef kernel_buffer(Kernel *k, uint32_t index)
{
    if (k->buf[index])
        return k->buf[index];
    Cg *c = k->c;
    const LoopBuf *buf = &k->p->bufs.at[index];
    LLVMBasicBlockRef here = kernel_to_entry(k);
    LLVMValueRef start = cg_call_load(c, k->call, pointer_field(buf->space));
    if (in_our_blocks(buf->space)) {
        start = cg_at(c, c->i8, start, kernel_number(k, SHARE_BUF, index, (int64_t)buf->offset));
    } else if (buf->space == BUF_LOSS) {
        start = cg_at(c, c->f32, start, kernel_number(k, SHARE_BUF, index, buf->index));
    } else {
        LLVMValueRef slot = cg_at(c, c->ptr, start, kernel_number(k, SHARE_BUF, index, buf->index));
        start = cg_at(c, c->i8, cg_load(c, c->ptr, slot, 8, NULL), cg_i64(c, (int64_t)buf->offset));
    }
    kernel_back(k, here);
    return k->buf[index] = start;
}

static LLVMValueRef uniform_value(Kernel *k, uint32_t index)
{
    Cg *c = k->c;
    if (!k->uniform[index]) {
        LLVMBasicBlockRef here = kernel_to_entry(k);
        LLVMValueRef all = cg_call_load(c, k->call, CALL_UNIFORM);
        LLVMValueRef at = cg_at(c, c->f32, all, kernel_number(k, SHARE_UNIFORM, index, index));
        k->uniform[index] = k->spare_registers ? at : cg_load(c, c->f32, at, 4, &k->beside);
        kernel_back(k, here);
    }
    return k->spare_registers ? cg_load(c, c->f32, k->uniform[index], 4, &k->beside) : k->uniform[index];
}

/* Buffers whose bytes may be the same get the same alias scope. The caller's arrays lie apart from each other and from
 * our blocks. */
bool kernel_may_overlap(const LoopBuf *a, const LoopBuf *b)
{
    if (a->space != b->space || (!in_our_blocks(a->space) && a->index != b->index))
        return false;
    return a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static void mark_touched(const LoopStmt *list, bool *touched)
{
    for (const LoopStmt *s = list; s; s = s->next) {
        if (s->kind == LOOP_STORE || s->kind == LOOP_ADD) {
            touched[s->store.buf] = true;
            if (s->kind == LOOP_ADD)
                touched[s->store.row.buf] = true;
        } else if (s->kind == LOOP_FOR) {
            mark_touched(s->loop.body, touched);
        } else if (s->kind == LOOP_TILE) {
            touched[s->tile.a] = touched[s->tile.b] = true;
            mark_touched(s->tile.body, touched);
        }
    }
}

/* The buffers the kernel touches, ascending. */
static unsigned touched_buffers(const Kernel *k, unsigned *out)
{
    unsigned n = 0;
    bool *touched = arena_array(k->c->arena, bool, k->p->bufs.n + 1);
    mark_touched(k->k->body, touched);
    for (uint32_t i = 0; i < k->k->n_arg; i++) {
        const LoopArg *arg = &k->k->arg[i];
        if (arg->kind == LARG_LOAD || arg->kind == LARG_ROW)
            touched[arg->index] = true;
        if (arg->kind == LARG_ROW)
            touched[arg->row.buf] = true;
    }
    for (uint32_t i = 0; i < k->p->bufs.n; i++)
        if (touched[i])
            out[n++] = i;
    return n;
}

void kernel_find_aliases(Kernel *k, const char *domain)
{
    const LoopBuf *all = k->p->bufs.at;
    unsigned *buf = arena_array(k->c->arena, unsigned, k->p->bufs.n + 1), n = touched_buffers(k, buf), groups = 0;
    unsigned *group = arena_array(k->c->arena, unsigned, n + 1), *number = arena_array(k->c->arena, unsigned, n + 1);
    for (unsigned i = 0; i < n; i++)
        group[i] = i;
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < i; j++)
            if (group[i] != group[j] && kernel_may_overlap(&all[buf[i]], &all[buf[j]]))
                for (unsigned old = group[i], m = 0; m < n; m++)
                    if (group[m] == old)
                        group[m] = group[j];
    for (unsigned i = 0; i < n; i++)
        number[i] = group[i] == i ? groups++ : 0;
    CgAlias *scope = arena_array(k->c->arena, CgAlias, groups + 1);
    cg_alias_scopes(k->c, domain, groups + 1, scope);
    for (unsigned i = 0; i < n; i++)
        k->alias[buf[i]] = scope[number[group[i]]];
    k->beside = scope[groups];
}

/* ── places ── */

LLVMValueRef kernel_extent(Kernel *k, Extent extent)
{
    Cg *c = k->c;
    if (!extent.per_row)
        return cg_i64(c, extent.fixed);
    if (!k->n) {
        LLVMBasicBlockRef here = kernel_to_entry(k);
        k->n = cg_call_load(c, k->call, CALL_N);
        kernel_back(k, here);
    }
    return extent.per_row == 1 ? k->n : cg_mul(c, k->n, cg_i64(c, extent.per_row));
}

/* Outer loops first, so that what an inner loop does not change is one value; the constant last, as a displacement. */
LLVMValueRef kernel_affine(Kernel *k, const Affine *at)
{
    Cg *c = k->c;
    LLVMValueRef sum = NULL;
    for (unsigned d = 0; d < k->depth; d++) {
        if (!at->coef[d])
            continue;
        LLVMValueRef part = k->level[d].var;
        if (at->coef[d] != 1)
            part = cg_mul(c, part, cg_i64(c, at->coef[d]));
        sum = sum ? cg_add(c, sum, part) : part;
    }
    if (!sum)
        return cg_i64(c, at->base);
    return at->base ? cg_add(c, sum, cg_i64(c, at->base)) : sum;
}

int64_t kernel_lane_step(const Kernel *k, const Affine *at) { return k->vector < 0 ? 0 : at->coef[k->vector]; }

int64_t kernel_common_divisor(int64_t a, int64_t b)
{
    a = llabs(a);
    b = llabs(b);
    while (b) {
        int64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* The greatest number (0: any) that surely divides the affine value of the first lane. */
static int64_t known_divisor(const Kernel *k, const Affine *at)
{
    int64_t g = at->base;
    for (unsigned d = 0; d < k->depth; d++)
        g = kernel_common_divisor(g, at->coef[d] * k->level[d].multiple);
    return g;
}

bool kernel_is_multiple(const Kernel *k, const Affine *at, int64_t of) { return known_divisor(k, at) % of == 0; }

unsigned kernel_align(const Kernel *k, const LoopBuf *buf, const Affine *at)
{
    int64_t bytes = known_divisor(k, at) * 4;
    unsigned align = buf->align < 64 ? buf->align : 64;
    while (align > 4 && (bytes % align || !in_our_blocks(buf->space)))
        align /= 2;
    return align < 4 ? 4 : align;
}

LLVMValueRef kernel_pointer(Kernel *k, uint32_t buf, const Affine *at)
{
    return cg_at(k->c, k->c->f32, kernel_buffer(k, buf), kernel_affine(k, at));
}

/* The row that data chooses, as elements from the first: whatever stands there, inside the table. */
static LLVMValueRef row_value(Kernel *k, const LoopRow *row)
{
    Cg *c = k->c;
    bool whole = k->p->bufs.at[row->buf].dtype == DT_I32;
    LLVMTypeRef element = whole ? c->i32 : c->f32;
    LLVMValueRef v = cg_load(c, element, kernel_pointer(k, row->buf, &row->at), 4, &k->alias[row->buf]);
    int64_t last = (int64_t)row->count - 1;
    if (whole) {
        LLVMValueRef zero = cg_i64(c, 0);
        v = cg_cast(c, LLVMSExt, v, c->i64);
        v = cg_imin(c, cg_select(c, cg_icmp(c, LLVMIntSGT, v, zero), v, zero), cg_i64(c, last));
    } else { /* a moved index; a conversion of what no integer holds would be undefined */
        LLVMValueRef zero = cg_num(c->f32, 0), end = cg_num(c->f32, (double)last);
        v = cg_select(c, cg_fcmp(c, LLVMRealOGT, v, zero), v, zero);
        v = cg_cast(c, LLVMFPToSI, cg_select(c, cg_fcmp(c, LLVMRealOLT, v, end), v, end), c->i64);
    }
    return cg_mul(c, v, cg_i64(c, row->step));
}

/* Is the index one that the loops around have chosen? */
static bool same_row(const Kernel *k, const LoopRow *row)
{
    for (unsigned d = k->depth; d < LOOP_MAX_DEPTH; d++)
        if (row->at.coef[d] != 0)
            return false;
    return true;
}

void kernel_hold_row(Kernel *k, const LoopStmt *body)
{
    const LoopRow *row = NULL;
    for (const LoopStmt *s = body; s && !row; s = s->next) {
        if (s->kind == LOOP_ADD)
            row = &s->store.row;
        for (uint32_t i = 0; s->kind == LOOP_STORE && i < k->k->n_arg && !row; i++)
            if (k->k->arg[i].kind == LARG_ROW && sx_uses_arg(k->p->sx, s->store.value, i))
                row = &k->k->arg[i].row;
    }
    if (!row || !same_row(k, row))
        return;
    k->row_place = row_value(k, row);
    k->row = row;
}

LLVMValueRef kernel_row_pointer(Kernel *k, uint32_t buf, const LoopRow *row, const Affine *at)
{
    LLVMValueRef place = row == k->row ? k->row_place : row_value(k, row);
    return cg_at(k->c, k->c->f32, kernel_buffer(k, buf), cg_add(k->c, place, kernel_affine(k, at)));
}

unsigned kernel_row_align(const Kernel *k, const LoopBuf *buf, const LoopRow *row, const Affine *at)
{
    unsigned align = kernel_align(k, buf, at);
    while (align > 4 && row->step * 4 % align)
        align /= 2;
    return align;
}

/* ── arguments ── */

static LLVMValueRef load_value(Kernel *k, const LoopArg *arg)
{
    Cg *c = k->c;
    const LoopBuf *buf = &k->p->bufs.at[arg->index];
    LLVMTypeRef element = buf->dtype == DT_I32 ? c->i32 : c->f32;
    bool chosen = arg->kind == LARG_ROW;
    LLVMValueRef pointer = chosen ? kernel_row_pointer(k, arg->index, &arg->row, &arg->at)
                                  : kernel_pointer(k, arg->index, &arg->at), v;
    unsigned align = chosen ? kernel_row_align(k, buf, &arg->row, &arg->at) : kernel_align(k, buf, &arg->at);
    const CgAlias *alias = &k->alias[arg->index];
    int64_t step = kernel_lane_step(k, &arg->at);
    if (step == 0)
        v = cg_load(c, element, pointer, 4, alias);
    else if (step == 1)
        v = cg_load_lanes(c, cg_vec(element, c->lanes), pointer, align, k->mask, alias);
    else
        v = cg_gather(c, cg_vec(element, c->lanes), pointer, step, k->mask, alias);
    return buf->dtype == DT_I32 ? cg_cast(c, LLVMSIToFP, v, c->f32) : v;
}

static LLVMValueRef index_value(Kernel *k, const LoopArg *arg)
{
    Cg *c = k->c;
    LLVMValueRef v = cg_cast(c, LLVMTrunc, kernel_affine(k, &arg->at), c->i32);
    int64_t step = kernel_lane_step(k, &arg->at);
    if (step)
        v = cg_add(c, cg_splat(c, v, c->lanes), cg_iota(cg_vec(c->i32, c->lanes), step));
    return cg_cast(c, LLVMSIToFP, v, c->f32);
}

static LLVMValueRef tile_value(Kernel *k)
{
    Cg *c = k->c;
    ACT_ASSERT(k->tile && k->vector >= 0);
    LLVMTypeRef lanes = cg_vec(c->f32, c->lanes);
    if (k->tile_row) {
        LLVMValueRef row = cg_sub(c, k->level[k->vector].var, k->tile_row);
        LLVMValueRef first = cg_at(c, c->f32, k->tile, cg_mul(c, row, cg_i64(c, k->tile_step)));
        return k->tile_step == 1 ? cg_load_lanes(c, lanes, first, 4, k->mask, &k->beside)
                                 : cg_gather(c, lanes, first, k->tile_step, k->mask, &k->beside);
    }
    LLVMValueRef pointer = cg_at(c, c->f32, k->tile, k->level[k->vector].var);
    return cg_load(c, lanes, pointer, c->lanes * 4, &k->beside);
}

LLVMValueRef kernel_arg(void *context, unsigned index)
{
    Kernel *k = context;
    ACT_ASSERT(index < k->k->n_arg);
    const LoopArg *arg = &k->k->arg[index];
    switch (arg->kind) {
    case LARG_LOAD:
    case LARG_ROW:
        return load_value(k, arg);
    case LARG_ACC:
        return k->acc[arg->index].value;
    case LARG_TILE:
        return tile_value(k);
    case LARG_INDEX:
        return index_value(k, arg);
    case LARG_UNIFORM:
        return uniform_value(k, arg->index);
    case LARG_RANDOM:
        return kernel_random(k, arg);
    }
    ACT_BUG("unknown kind of argument");
}
