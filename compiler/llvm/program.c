/* A loop program as functions: its kernels, the worker that every thread runs through them, and the driver. */
#include "llvm/kernel.h"

/* ── how a kernel's range is cut ──
 * Units of `grain` are dealt out evenly: thread t has units [units * t / threads, units * (t + 1) / threads). Kernels
 * by rows share one grain, the greatest of theirs, so that a thread finds the rows it wrote itself. */
static uint32_t row_grain(const LoopProgram *p)
{
    uint32_t grain = 1;
    for (uint32_t i = 0; i < p->kernels.n; i++)
        if (p->kernels.at[i].by_rows && p->kernels.at[i].grain > grain)
            grain = p->kernels.at[i].grain;
    return grain;
}

typedef struct Worker {
    Cg *c;
    LLVMValueRef call, thread, threads, n, pool;
} Worker;

static LLVMValueRef boundary(const Worker *w, LLVMValueRef units, LLVMValueRef index, LLVMValueRef grain,
                             LLVMValueRef total)
{
    Cg *c = w->c;
    return cg_imin(c, cg_mul(c, cg_udiv(c, cg_mul(c, units, index), w->threads), grain), total);
}

static void call_split(const Worker *w, const LoopKernel *k, LLVMValueRef fn, uint32_t program_grain)
{
    Cg *c = w->c;
    int64_t grain = k->by_rows ? program_grain : k->grain ? k->grain : 1, scale = 1;
    LLVMValueRef total;
    if (k->by_rows && k->split_extent.per_row) {
        total = w->n;
        scale = k->split_extent.per_row;
    } else if (k->split_extent.per_row) {
        total = cg_mul(c, w->n, cg_i64(c, k->split_extent.per_row));
    } else {
        total = cg_i64(c, k->split_extent.fixed);
    }
    LLVMValueRef step = cg_i64(c, grain), units = cg_udiv(c, cg_add(c, total, cg_i64(c, grain - 1)), step);
    LLVMValueRef lo = boundary(w, units, w->thread, step, total);
    LLVMValueRef hi = boundary(w, units, cg_add(c, w->thread, cg_i64(c, 1)), step, total);
    lo = cg_mul(c, lo, cg_i64(c, scale));
    hi = cg_mul(c, hi, cg_i64(c, scale));
    CgIf some;
    cg_if(c, &some, cg_icmp(c, LLVMIntSLT, lo, hi), "part");
    cg_call(c, fn, (LLVMValueRef[]){w->call, lo, hi}, 3);
    cg_endif(c, &some);
}

static void call_alone(const Worker *w, LLVMValueRef fn)
{
    Cg *c = w->c;
    CgIf first;
    cg_if(c, &first, cg_icmp(c, LLVMIntEQ, w->thread, cg_i64(c, 0)), "alone");
    cg_call(c, fn, (LLVMValueRef[]){w->call, cg_i64(c, 0), cg_i64(c, 0)}, 3);
    cg_endif(c, &first);
}

static LLVMValueRef emit_worker(Cg *c, const LoopProgram *p, LLVMValueRef *fn, const char *prefix)
{
    Str name = str_printf(c->arena, "%s.work", prefix);
    LLVMValueRef work = cg_function(c, name.p, c->void_t, (LLVMTypeRef[]){c->ptr, c->i32, c->i32}, 3, true);
    Worker w = {.c = c, .call = LLVMGetParam(work, 0)};
    w.thread = cg_cast(c, LLVMZExt, LLVMGetParam(work, 1), c->i64);
    w.threads = cg_cast(c, LLVMZExt, LLVMGetParam(work, 2), c->i64);
    w.n = cg_call_load(c, w.call, CALL_N);
    LLVMValueRef many = cg_icmp(c, LLVMIntUGT, w.threads, cg_i64(c, 1));
    uint32_t grain = row_grain(p);
    for (uint32_t i = 0; i < p->kernels.n; i++) {
        const LoopKernel *k = &p->kernels.at[i];
        if (k->barrier && i > 0) {
            CgIf wait;
            cg_if(c, &wait, many, "wait");
            LLVMValueRef pool = cg_call_load(c, w.call, CALL_POOL);
            cg_call(c, cg_runtime(c, "act_barrier"), &pool, 1);
            cg_endif(c, &wait);
        }
        if (k->split == SPLIT_OUTER)
            call_split(&w, k, fn[i], grain);
        else
            call_alone(&w, fn[i]);
    }
    cg_return(c, NULL);
    return work;
}

/* ── uniforms ── */

typedef struct UniformArgs {
    Cg *c;
    LLVMValueRef call;
} UniformArgs;

/* a0 = step, a1 = lr_scale, a2 = n */
static LLVMValueRef uniform_arg(void *context, unsigned index)
{
    const UniformArgs *u = context;
    Cg *c = u->c;
    static const CgCallField field[] = {CALL_STEP, CALL_LR_SCALE, CALL_N};
    ACT_ASSERT(index < 3);
    LLVMValueRef v = cg_call_load(c, u->call, field[index]);
    return index == 1 ? v : cg_cast(c, LLVMUIToFP, v, c->f64);
}

static void emit_uniforms(Cg *c, const LoopProgram *p, LLVMValueRef call, LLVMValueRef all)
{
    UniformArgs args = {c, call};
    SxEmit sx;
    sx_emit_init(&sx, c, p->sx, c->f64, uniform_arg, &args);
    for (uint32_t i = 0; i < p->uniforms.n; i++) {
        LLVMValueRef v = cg_cast(c, LLVMFPTrunc, sx_emit(&sx, p->uniforms.at[i]), c->f32);
        cg_store(c, v, cg_at(c, c->f32, all, cg_i64(c, i)), 4, NULL);
    }
}

static LLVMValueRef emit_driver(Cg *c, const LoopProgram *p, LLVMValueRef work, const char *prefix)
{
    Str name = str_printf(c->arena, "%s.run", prefix);
    LLVMValueRef run = cg_function(c, name.p, c->void_t, &c->ptr, 1, true), call = LLVMGetParam(run, 0);
    LLVMValueRef all = cg_alloca(c, run, LLVMArrayType2(c->f32, p->uniforms.n + 1), 64);
    cg_store(c, all, cg_call_field(c, call, CALL_UNIFORM), 8, NULL);
    emit_uniforms(c, p, call, all);
    LLVMValueRef pool = cg_call_load(c, call, CALL_POOL);
    LLVMValueRef none = cg_icmp(c, LLVMIntEQ, pool, LLVMConstNull(c->ptr));
    LLVMBasicBlockRef ask = cg_block(c, "ask"), many = cg_block(c, "many"), one = cg_block(c, "one");
    LLVMBuildCondBr(c->b, none, one, ask);
    LLVMPositionBuilderAtEnd(c->b, ask);
    LLVMValueRef threads = cg_call(c, cg_runtime(c, "act_pool_threads"), &pool, 1);
    LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntUGT, threads, cg_i32(c, 1)), many, one);
    LLVMPositionBuilderAtEnd(c->b, many);
    cg_call(c, cg_runtime(c, "act_parallel"), (LLVMValueRef[]){pool, work, call}, 3);
    cg_return(c, NULL);
    LLVMPositionBuilderAtEnd(c->b, one);
    cg_call(c, work, (LLVMValueRef[]){call, cg_i32(c, 0), cg_i32(c, 1)}, 3);
    cg_return(c, NULL);
    return run;
}

LLVMValueRef cg_program(Cg *c, const LoopProgram *p, uint32_t batch, const char *symbol_prefix)
{
    LLVMValueRef *fn = arena_array(c->arena, LLVMValueRef, p->kernels.n + 1);
    for (uint32_t i = 0; i < p->kernels.n; i++)
        fn[i] = kernel_emit(c, p, &p->kernels.at[i], batch, symbol_prefix);
    LLVMValueRef work = emit_worker(c, p, fn, symbol_prefix);
    return emit_driver(c, p, work, symbol_prefix);
}
