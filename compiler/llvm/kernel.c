/* Loops and statements of a kernel: serial loops, loops in vectors with a masked rest, accumulators, stores. */
#include "llvm/kernel.h"

#include "llvm/math.h"

#include <math.h>

/* ── accumulators ── */

static LLVMValueRef fold(Cg *c, LoopFold how, LLVMValueRef a, LLVMValueRef b)
{
    return how == FOLD_SUM ? cg_fadd(c, a, b) : cg_fmax(c, a, b);
}

static double neutral(LoopFold how) { return how == FOLD_SUM ? 0.0 : -INFINITY; }

/* Lane i with i + w/2, then w/4 … */
static LLVMValueRef join_lanes(Cg *c, LoopFold how, LLVMValueRef v)
{
    for (unsigned w = cg_lanes_of(cg_type(v)); w > 1; w /= 2) {
        if (w == 2)
            return fold(c, how, cg_lane(c, v, 0), cg_lane(c, v, 1));
        int low[32], high[32];
        for (unsigned i = 0; i < w / 2; i++)
            low[i] = (int)i, high[i] = (int)(i + w / 2);
        v = fold(c, how, cg_shuffle(c, v, low, w / 2), cg_shuffle(c, v, high, w / 2));
    }
    return v;
}

static void acc_new(Kernel *k, const LoopStmt *s)
{
    KernelAcc *acc = &k->acc[s->acc.acc];
    acc->fold = s->acc.fold;
    acc->each_lane = k->vector >= 0;
    acc->value = cg_num(cg_vec(k->c->f32, acc->each_lane ? k->c->lanes : 1), neutral(acc->fold));
}

static void acc_add(Kernel *k, const LoopStmt *s)
{
    Cg *c = k->c;
    KernelAcc *acc = &k->acc[s->acc.acc];
    LLVMValueRef v = sx_emit(&k->sx, s->acc.value), old = acc->value;
    v = cg_splat(c, v, cg_lanes_of(cg_type(old)));
    acc->value = fold(c, acc->fold, old, v);
    if (k->mask && !acc->each_lane)
        acc->value = cg_select(c, k->mask, acc->value, old);
    sx_emit_forget(&k->sx); /* what was made of the old sum */
}

/* Accumulators that the list changes, declared before it. */
static unsigned changed(const LoopStmt *list, uint32_t *acc, unsigned n)
{
    for (const LoopStmt *s = list; s; s = s->next) {
        if (s->kind == LOOP_FOR) {
            n = changed(s->loop.body, acc, n);
        } else if (s->kind == LOOP_ACC_ADD) {
            unsigned i = 0;
            while (i < n && acc[i] != s->acc.acc)
                i++;
            ACT_ASSERT(i < CG_LOOP_PHIS);
            acc[i] = s->acc.acc;
            n += i == n;
        }
    }
    for (const LoopStmt *s = list; s; s = s->next) /* an accumulator of the list's own is none */
        if (s->kind == LOOP_ACC_NEW)
            for (unsigned i = 0; i < n; i++)
                if (acc[i] == s->acc.acc)
                    acc[i] = acc[--n];
    return n;
}

/* ── loops ── */

void kernel_push(Kernel *k, LLVMValueRef var, int64_t multiple, Extent extent)
{
    ACT_ASSERT(k->depth < LOOP_MAX_DEPTH);
    k->level[k->depth++] = (KernelLevel){var, multiple, extent};
}

void kernel_pop(Kernel *k) { k->depth--; }

/* A loop whose body folds into accumulators from outside: they become phis. */
static void run_loop(Kernel *k, LLVMValueRef from, LLVMValueRef to, int64_t step, bool always, int64_t multiple,
                     Extent extent, const LoopStmt *body, const char *name)
{
    Cg *c = k->c;
    uint32_t acc[CG_LOOP_PHIS];
    unsigned n = changed(body, acc, 0);
    CgLoop loop;
    cg_loop_begin(c, &loop, from, to, cg_i64(c, step), always, name);
    for (unsigned i = 0; i < n; i++)
        k->acc[acc[i]].value = cg_loop_phi(c, &loop, k->acc[acc[i]].value, "sum");
    kernel_push(k, loop.var, multiple, extent);
    kernel_body(k, body);
    kernel_pop(k);
    for (unsigned i = 0; i < n; i++)
        cg_loop_next(&loop, i, k->acc[acc[i]].value);
    cg_loop_end(c, &loop);
    for (unsigned i = 0; i < n; i++)
        k->acc[acc[i]].value = loop.out[i];
}

static void run_masked(Kernel *k, LLVMValueRef at, LLVMValueRef mask, int64_t multiple, Extent extent,
                       const LoopStmt *body)
{
    k->mask = mask;
    kernel_push(k, at, multiple, extent);
    kernel_body(k, body);
    kernel_pop(k);
    k->mask = NULL;
}

static bool has_loop(const LoopStmt *list)
{
    for (const LoopStmt *s = list; s; s = s->next)
        if (s->kind == LOOP_FOR || s->kind == LOOP_TILE)
            return true;
    return false;
}

/* May the body stand there several times, one vector behind the other? A long one would need more registers than there
 * are, because its copies are scheduled as one. */
static bool short_body(const Kernel *k, const LoopStmt *body)
{
    enum { SHORT = 24 };
    unsigned cost = 0;
    for (const LoopStmt *s = body; s; s = s->next) {
        if (s->kind == LOOP_FOR || s->kind == LOOP_TILE)
            return false;
        if (s->kind == LOOP_STORE || s->kind == LOOP_ADD)
            cost += sx_cost(k->p->sx, s->store.value);
        else if (s->kind == LOOP_ACC_ADD)
            cost += sx_cost(k->p->sx, s->acc.value);
    }
    return cost <= SHORT;
}

/* Known bounds: as many full vectors as fit, in a line when they are few; then the rest under a constant mask. */
static void known_vectors(Kernel *k, int64_t from, int64_t to, int64_t multiple, Extent extent, const LoopStmt *body)
{
    Cg *c = k->c;
    int64_t lanes = c->lanes, full = from + (to - from) / lanes * lanes;
    if (full - from > lanes && (full - from > 2 * lanes || !short_body(k, body))) {
        if (full > from)
            run_loop(k, cg_i64(c, from), cg_i64(c, full), lanes, true, multiple, extent, body, "vec");
    } else {
        for (int64_t at = from; at < full; at += lanes)
            run_masked(k, cg_i64(c, at), NULL, at, extent, body);
    }
    if (full < to)
        run_masked(k, cg_i64(c, full), cg_lane_mask(c, c->lanes, (unsigned)(to - full)), full, extent, body);
}

static void unknown_vectors(Kernel *k, LLVMValueRef from, LLVMValueRef to, int64_t multiple, Extent extent,
                            const LoopStmt *body)
{
    Cg *c = k->c;
    LLVMValueRef whole = cg_and(c, cg_sub(c, to, from), cg_i64(c, -(int64_t)c->lanes)), full = cg_add(c, from, whole);
    run_loop(k, from, full, c->lanes, false, multiple, extent, body, "vec");
    uint32_t acc[CG_LOOP_PHIS];
    unsigned n = changed(body, acc, 0);
    LLVMValueRef before[CG_LOOP_PHIS];
    for (unsigned i = 0; i < n; i++)
        before[i] = k->acc[acc[i]].value;
    CgIf rest;
    cg_if(c, &rest, cg_icmp(c, LLVMIntSLT, full, to), "rest");
    LLVMValueRef left = cg_cast(c, LLVMTrunc, cg_sub(c, to, full), c->i32);
    LLVMTypeRef lanes = cg_vec(c->i32, c->lanes);
    LLVMValueRef mask = cg_icmp(c, LLVMIntSLT, cg_iota(lanes, 1), cg_splat(c, left, c->lanes));
    run_masked(k, full, mask, multiple, extent, body);
    cg_endif(c, &rest);
    for (unsigned i = 0; i < n; i++)
        k->acc[acc[i]].value = cg_if_value(c, &rest, k->acc[acc[i]].value, before[i]);
}

void kernel_vectors(Kernel *k, LLVMValueRef from, LLVMValueRef to, int64_t multiple, Extent extent,
                    const LoopStmt *body)
{
    Cg *c = k->c;
    ACT_ASSERT(k->vector < 0);
    uint32_t acc[CG_LOOP_PHIS];
    LLVMValueRef outside[CG_LOOP_PHIS];
    unsigned n = changed(body, acc, 0);
    for (unsigned i = 0; i < n; i++) {
        KernelAcc *a = &k->acc[acc[i]];
        outside[i] = a->value;
        a->value = cg_num(cg_vec(c->f32, c->lanes), neutral(a->fold));
    }
    kernel_hold_row(k, body);
    k->vector = (int)k->depth;
    int64_t first, last;
    if (cg_const_int(from, &first) && cg_const_int(to, &last))
        known_vectors(k, first, last, multiple, extent, body);
    else
        unknown_vectors(k, from, to, multiple, extent, body);
    k->vector = -1;
    k->row = NULL;
    for (unsigned i = 0; i < n; i++) {
        KernelAcc *a = &k->acc[acc[i]];
        a->value = fold(c, a->fold, outside[i], join_lanes(c, a->fold, a->value));
    }
}

/* How often a loop runs: lanes of the last panel are fewer, which is known when the panels divide the whole. */
LLVMValueRef kernel_count(Kernel *k, const LoopStmt *s, bool *always)
{
    Cg *c = k->c;
    Extent extent = s->loop.extent;
    LLVMValueRef count = kernel_extent(k, extent);
    *always = extent.per_row > 0 || extent.fixed > 0;
    if (s->loop.clamp <= 0)
        return count;
    const KernelLevel *panel = &k->level[s->loop.clamp_depth];
    if (extent.fixed && panel->extent.fixed && panel->extent.fixed * extent.fixed <= s->loop.clamp)
        return count;
    LLVMValueRef left = cg_sub(c, cg_i64(c, s->loop.clamp), cg_mul(c, count, panel->var));
    *always = false;
    LLVMValueRef some = cg_icmp(c, LLVMIntSGT, left, cg_i64(c, 0));
    return cg_imin(c, count, cg_select(c, some, left, cg_i64(c, 0)));
}

void kernel_serial(Kernel *k, const LoopStmt *s)
{
    bool always;
    LLVMValueRef to = kernel_count(k, s, &always);
    run_loop(k, cg_i64(k->c, 0), to, 1, always, 1, s->loop.extent, s->loop.body, "for");
}

static void emit_for(Kernel *k, const LoopStmt *s)
{
    Cg *c = k->c;
    if (k->depth == 0 && k->k->split == SPLIT_OUTER) { /* an empty range is not called */
        if (s->loop.mode == LOOP_VECTOR)
            kernel_vectors(k, k->lo, k->hi, kernel_common_divisor(k->k->grain, c->lanes), s->loop.extent, s->loop.body);
        else
            run_loop(k, k->lo, k->hi, 1, true, 1, s->loop.extent, s->loop.body, "for");
    } else if (s->loop.mode == LOOP_VECTOR) {
        bool always;
        LLVMValueRef to = kernel_count(k, s, &always);
        kernel_vectors(k, cg_i64(c, 0), to, c->lanes, s->loop.extent, s->loop.body);
    } else if (!kernel_exchange(k, s)) {
        kernel_serial(k, s);
    }
}

/* ── statements ── */

void kernel_store(Kernel *k, const KernelStore *store)
{
    Cg *c = k->c;
    const LoopStmt *s = store->stmt;
    const LoopBuf *buf = &k->p->bufs.at[s->store.buf];
    LLVMValueRef pointer = kernel_pointer(k, s->store.buf, &s->store.at), v = store->value;
    const CgAlias *alias = &k->alias[s->store.buf];
    int64_t step = kernel_lane_step(k, &s->store.at);
    if (step != 0)
        v = cg_splat(c, v, c->lanes);
    else if (cg_lanes_of(cg_type(v)) > 1)
        v = cg_lane(c, v, 0); /* a loop of one turn */
    if (buf->dtype == DT_I32)
        v = cg_cast(c, LLVMFPToSI, v, c->i32);
    if (step == 0)
        cg_store(c, v, pointer, 4, alias);
    else if (step == 1)
        cg_store_lanes(c, v, pointer, kernel_align(k, buf, &s->store.at), k->mask, alias);
    else
        cg_scatter(c, v, pointer, step, k->mask, alias);
}

/* What stands in the row that data chooses grows: read, added to and written at once. */
static void emit_add(Kernel *k, const LoopStmt *s)
{
    Cg *c = k->c;
    const CgAlias *alias = &k->alias[s->store.buf];
    LLVMValueRef v = sx_emit(&k->sx, s->store.value);
    LLVMValueRef pointer = kernel_row_pointer(k, s->store.buf, &s->store.row, &s->store.at);
    unsigned align = kernel_row_align(k, &k->p->bufs.at[s->store.buf], &s->store.row, &s->store.at);
    int64_t step = kernel_lane_step(k, &s->store.at);
    if (step == 0) {
        cg_store(c, cg_fadd(c, cg_load(c, c->f32, pointer, 4, alias), v), pointer, 4, alias);
        return;
    }
    LLVMTypeRef lanes = cg_vec(c->f32, c->lanes);
    LLVMValueRef old = step == 1 ? cg_load_lanes(c, lanes, pointer, align, k->mask, alias)
                                 : cg_gather(c, lanes, pointer, step, k->mask, alias);
    v = cg_fadd(c, old, cg_splat(c, v, c->lanes));
    if (step == 1)
        cg_store_lanes(c, v, pointer, align, k->mask, alias);
    else
        cg_scatter(c, v, pointer, step, k->mask, alias);
}

/* Behind the last loop of a list stores wait until everything that stands there is computed, so that loads see the
 * memory before them. */
void kernel_body(Kernel *k, const LoopStmt *list)
{
    unsigned n = 0, pending = 0;
    for (const LoopStmt *s = list; s; s = s->next)
        n += s->kind == LOOP_STORE;
    KernelStore *store = arena_array(k->c->arena, KernelStore, n + 1);
    sx_emit_forget(&k->sx);
    for (const LoopStmt *s = list; s; s = s->next) {
        if (s->kind == LOOP_ACC_NEW) {
            acc_new(k, s);
        } else if (s->kind == LOOP_ACC_ADD) {
            acc_add(k, s);
        } else if (s->kind == LOOP_STORE) {
            store[pending++] = (KernelStore){s, sx_emit(&k->sx, s->store.value)};
            if (has_loop(s->next)) {
                kernel_store(k, &store[--pending]);
                sx_emit_forget(&k->sx);
            }
        } else if (s->kind == LOOP_ADD) {
            emit_add(k, s);
        } else {
            if (s->kind == LOOP_FOR)
                emit_for(k, s);
            else
                kernel_tile(k, &s->tile);
            sx_emit_forget(&k->sx);
        }
    }
    for (unsigned i = 0; i < pending; i++)
        kernel_store(k, &store[i]);
    sx_emit_forget(&k->sx);
}

static void nothing_made_yet(Kernel *k)
{
    Cg *c = k->c;
    k->buf = arena_array(c->arena, LLVMValueRef, k->p->bufs.n + 1);
    k->uniform = arena_array(c->arena, LLVMValueRef, k->p->uniforms.n + 1);
    k->acc = arena_array(c->arena, KernelAcc, k->k->n_acc + 1);
    sx_emit_init(&k->sx, c, k->p->sx, c->f32, kernel_arg, k);
    k->entry_end = cg_jump(c, "body");
}

Kernel *kernel_elsewhere(const Kernel *k, LLVMValueRef fn, LLVMValueRef call, LLVMValueRef table)
{
    Kernel *other = arena_new_of(k->c->arena, Kernel);
    *other = (Kernel){.c = k->c, .p = k->p, .k = k->k, .shape = k->shape, .batch = k->batch, .alias = k->alias};
    other->beside = k->beside;
    other->vector = -1;
    other->fn = fn;
    other->call = call;
    other->table = k->table ? table : NULL;
    nothing_made_yet(other);
    return other;
}

LLVMValueRef kernel_emit(Cg *c, const LoopProgram *p, const LoopKernel *kernel, const KernelShape *shape, bool shared,
                         uint32_t batch, const char *prefix)
{
    Str name = str_printf(c->arena, "%s." STR_FMT, prefix, STR_ARG(kernel->name));
    Kernel *k = arena_new_of(c->arena, Kernel);
    k->c = c;
    k->p = p;
    k->k = kernel;
    k->batch = batch;
    k->vector = -1;
    k->shape = shape;
    k->fn = cg_function(c, name.p, c->void_t, (LLVMTypeRef[]){c->ptr, c->i64, c->i64, c->ptr}, 4, true);
    k->table = shared ? LLVMGetParam(k->fn, 3) : NULL;
    k->call = LLVMGetParam(k->fn, 0);
    k->lo = LLVMGetParam(k->fn, 1);
    k->hi = LLVMGetParam(k->fn, 2);
    k->alias = arena_array(c->arena, CgAlias, p->bufs.n + 1);
    kernel_find_aliases(k, name.p);
    nothing_made_yet(k);
    kernel_body(k, kernel->body);
    cg_return(c, NULL);
    return k->fn;
}
