/* A loop program as functions: its kernels, the worker that every thread runs through them, and the driver. */
#include "base/map.h"
#include "kernel/cost.h"
#include "llvm/tile.h"

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

/* A kernel as it is called. */
typedef struct KernelCall {
    LLVMValueRef fn, table; /* no table: the function is the kernel's own, and does not look at its fourth argument */
} KernelCall;

/* The worker walks a constant list of steps, so that its own code does not grow with the network. */
typedef enum StepField {
    STEP_FN, STEP_TABLE, STEP_FIXED, STEP_PER_ROW, STEP_GRAIN, STEP_BLOCKS, STEP_STRIP, STEP_BACK, STEP_KIND, STEP_FIELDS
} StepField;
enum {
    STEP_ALONE = 0, /* thread 0 alone */
    STEP_RANGE = 1, /* fixed + per_row * n iterations are dealt out in units of the grain */
    STEP_ROWS = 2,  /* per_row iterations for each of the thread's rows */
    STEP_TILES = 3, /* in each of the blocks there are fixed + per_row * n rows in tiles of the grain; all tiles are dealt out */
    STEP_SPLIT = 3,
    STEP_BARRIER = 4
};

static LLVMTypeRef step_type(Cg *c)
{
    LLVMTypeRef field[STEP_FIELDS] = {c->ptr, c->ptr, c->i64, c->i64, c->i64, c->i64, c->i64, c->i64, c->i64};
    return LLVMStructTypeInContext(c->ctx, field, STEP_FIELDS, false);
}

static int64_t step_kind(const LoopKernel *k)
{
    static const int64_t kind[] = {[SPLIT_NONE] = STEP_ALONE, [SPLIT_OUTER] = STEP_RANGE, [SPLIT_TILES] = STEP_TILES};
    return k->by_rows && k->split_extent.per_row ? STEP_ROWS : kind[k->split];
}

static LLVMValueRef step_list(Cg *c, const LoopProgram *p, const KernelCall *kernel, const char *prefix)
{
    LLVMTypeRef type = step_type(c);
    LLVMValueRef *step = arena_array(c->arena, LLVMValueRef, p->kernels.n + 1);
    for (uint32_t i = 0; i < p->kernels.n; i++) {
        const LoopKernel *k = &p->kernels.at[i];
        bool tiles = k->split == SPLIT_TILES;
        LLVMValueRef field[STEP_FIELDS] = {kernel[i].fn, kernel[i].table ? kernel[i].table : LLVMConstNull(c->ptr)};
        field[STEP_FIXED] = cg_i64(c, k->split_extent.fixed);
        field[STEP_PER_ROW] = cg_i64(c, k->split_extent.per_row);
        field[STEP_GRAIN] = cg_i64(c, k->by_rows ? row_grain(p) : k->grain ? k->grain : 1);
        field[STEP_BLOCKS] = cg_i64(c, tiles ? tile_blocks(&k->body->tile) : 1);
        field[STEP_STRIP] = cg_i64(c, k->strip > 0 ? k->strip : (int64_t)1 << 32); /* more than there are */
        field[STEP_BACK] = cg_i64(c, k->strip_back);
        field[STEP_KIND] = cg_i64(c, step_kind(k) | (k->barrier && i > 0 ? STEP_BARRIER : 0));
        step[i] = LLVMConstStructInContext(c->ctx, field, STEP_FIELDS, false);
    }
    LLVMValueRef all = LLVMConstArray2(type, step, p->kernels.n);
    LLVMValueRef list = LLVMAddGlobal(c->mod, LLVMTypeOf(all), str_printf(c->arena, "%s.steps", prefix).p);
    LLVMSetInitializer(list, all);
    LLVMSetGlobalConstant(list, true);
    LLVMSetLinkage(list, LLVMPrivateLinkage);
    return list;
}

typedef struct Worker {
    Cg *c;
    LLVMValueRef call, thread, threads, n;
    LLVMValueRef step; /* the one at work */
} Worker;

typedef struct Range {
    LLVMValueRef lo, hi;
} Range;

static LLVMValueRef boundary(const Worker *w, LLVMValueRef units, LLVMValueRef index, LLVMValueRef grain,
                             LLVMValueRef total)
{
    Cg *c = w->c;
    return cg_imin(c, cg_mul(c, cg_udiv(c, cg_mul(c, units, index), w->threads), grain), total);
}

static LLVMValueRef units_of(const Worker *w, LLVMValueRef total, LLVMValueRef grain)
{
    Cg *c = w->c;
    return cg_udiv(c, cg_add(c, total, cg_sub(c, grain, cg_i64(c, 1))), grain);
}

static Range deal(const Worker *w, LLVMValueRef total, LLVMValueRef grain)
{
    Cg *c = w->c;
    LLVMValueRef one = cg_i64(c, 1), units = units_of(w, total, grain);
    return (Range){boundary(w, units, w->thread, grain, total),
                   boundary(w, units, cg_add(c, w->thread, one), grain, total)};
}

static LLVMValueRef step_load(const Worker *w, StepField field)
{
    Cg *c = w->c;
    LLVMValueRef at = LLVMBuildStructGEP2(c->b, step_type(c), w->step, field, "");
    return cg_load(c, field <= STEP_TABLE ? c->ptr : c->i64, at, 8, NULL);
}

/* What the thread does of the step: `rows` of them are its own. */
static Range step_range(const Worker *w, Range rows, LLVMValueRef kind)
{
    Cg *c = w->c;
    LLVMValueRef split = cg_and(c, kind, cg_i64(c, STEP_SPLIT)), per_row = step_load(w, STEP_PER_ROW);
    Range mine = {cg_mul(c, rows.lo, per_row), cg_mul(c, rows.hi, per_row)};
    LLVMValueRef is_rows = cg_icmp(c, LLVMIntEQ, split, cg_i64(c, STEP_ROWS));
    LLVMValueRef first = cg_cast(c, LLVMZExt, cg_icmp(c, LLVMIntEQ, w->thread, cg_i64(c, 0)), c->i64);
    mine.lo = cg_select(c, is_rows, mine.lo, cg_i64(c, 0));
    mine.hi = cg_select(c, is_rows, mine.hi, first);
    CgIf range;
    LLVMValueRef shared = cg_and(c, split, cg_i64(c, STEP_RANGE)); /* or STEP_TILES */
    cg_if(c, &range, cg_icmp(c, LLVMIntNE, shared, cg_i64(c, 0)), "range");
    LLVMValueRef total = cg_add(c, step_load(w, STEP_FIXED), cg_mul(c, w->n, per_row)), one = cg_i64(c, 1);
    LLVMValueRef tiles = cg_icmp(c, LLVMIntEQ, split, cg_i64(c, STEP_TILES)), grain = step_load(w, STEP_GRAIN);
    LLVMValueRef all = cg_mul(c, units_of(w, total, grain), step_load(w, STEP_BLOCKS));
    Range dealt = deal(w, cg_select(c, tiles, all, total), cg_select(c, tiles, one, grain));
    cg_endif(c, &range);
    return (Range){cg_if_value(c, &range, dealt.lo, mine.lo), cg_if_value(c, &range, dealt.hi, mine.hi)};
}

/* Not again where a strip begins over. */
static void wait_for_all(const Worker *w, LLVMValueRef kind, LLVMValueRef again)
{
    Cg *c = w->c;
    LLVMValueRef many = cg_icmp(c, LLVMIntUGT, w->threads, cg_i64(c, 1));
    LLVMValueRef asked = cg_icmp(c, LLVMIntNE, cg_and(c, kind, cg_i64(c, STEP_BARRIER)), cg_i64(c, 0));
    CgIf wait;
    cg_if(c, &wait, cg_and(c, cg_and(c, many, asked), LLVMBuildNot(c->b, again, "")), "wait");
    LLVMValueRef pool = cg_call_load(c, w->call, CALL_POOL);
    cg_call(c, cg_runtime(c, "act_barrier"), &pool, 1);
    cg_endif(c, &wait);
}

static LLVMValueRef emit_worker(Cg *c, const LoopProgram *p, const KernelCall *kernel, const char *prefix)
{
    Str name = str_printf(c->arena, "%s.work", prefix);
    LLVMValueRef work = cg_function(c, name.p, c->void_t, (LLVMTypeRef[]){c->ptr, c->i32, c->i32}, 3, true);
    Worker w = {.c = c, .call = LLVMGetParam(work, 0)};
    w.thread = cg_cast(c, LLVMZExt, LLVMGetParam(work, 1), c->i64);
    w.threads = cg_cast(c, LLVMZExt, LLVMGetParam(work, 2), c->i64);
    w.n = cg_call_load(c, w.call, CALL_N);
    if (p->kernels.n == 0) {
        cg_return(c, NULL);
        return work;
    }
    Range rows = deal(&w, w.n, cg_i64(c, row_grain(p)));
    LLVMValueRef list = step_list(c, p, kernel, prefix);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    LLVMValueRef zero = cg_i64(c, 0), one = cg_i64(c, 1);
    cg_loop_begin(c, loop, zero, cg_i64(c, p->kernels.n), one, true, "step");
    LLVMValueRef at = cg_loop_phi(c, loop, rows.lo, "at"); /* the strip's first row */
    w.step = cg_at(c, step_type(c), list, loop->var);
    LLVMValueRef kind = step_load(&w, STEP_KIND), to = cg_imin(c, cg_add(c, at, step_load(&w, STEP_STRIP)), rows.hi);
    wait_for_all(&w, kind, cg_icmp(c, LLVMIntNE, at, rows.lo));
    Range mine = step_range(&w, (Range){at, to}, kind);
    CgIf some;
    cg_if(c, &some, cg_icmp(c, LLVMIntSLT, mine.lo, mine.hi), "part");
    LLVMValueRef args[4] = {w.call, mine.lo, mine.hi, step_load(&w, STEP_TABLE)}, fn = step_load(&w, STEP_FN);
    LLVMBuildCall2(c->b, LLVMGlobalGetValueType(kernel[0].fn), fn, args, 4, "");
    cg_endif(c, &some);
    LLVMValueRef back = step_load(&w, STEP_BACK), ends = cg_icmp(c, LLVMIntNE, back, zero);
    LLVMValueRef more = cg_and(c, ends, cg_icmp(c, LLVMIntSLT, to, rows.hi));
    cg_loop_next(loop, 0, cg_select(c, more, to, cg_select(c, ends, rows.lo, at)));
    loop->step = cg_select(c, more, cg_sub(c, zero, back), one);
    cg_loop_end(c, loop);
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

/* ── how long a call takes one thread, from one meeting of the threads to the next ── */

static double predicted(const Cg *c, const LoopProgram *p, uint32_t rows)
{
    CostMachine machine = cost_machine(c->target);
    double meetings = 2; /* the beginning and the end */
    for (uint32_t i = 1; i < p->kernels.n; i++)
        meetings += p->kernels.at[i].barrier;
    return 1e3 * cost_program(c->arena, p, rows, c->target, &machine).total.us / meetings;
}

/* In nanoseconds, for the call's rows: on the line through one row and the whole batch. */
static LLVMValueRef emit_predicted(Cg *c, const LoopProgram *p, uint32_t batch, LLVMValueRef call)
{
    enum { PARTS = 1024 };
    double one = predicted(c, p, 1), row = batch > 1 ? (predicted(c, p, batch) - one) / (batch - 1) : 0;
    row = row > 0 ? row : 0;
    double rest = one > row ? one - row : 0;
    LLVMValueRef rows = cg_mul(c, cg_call_load(c, call, CALL_N), cg_i64(c, (int64_t)(row * PARTS)));
    return cg_udiv(c, cg_add(c, rows, cg_i64(c, (int64_t)(rest * PARTS))), cg_i64(c, PARTS));
}

static LLVMValueRef emit_driver(Cg *c, const LoopProgram *p, uint32_t batch, LLVMValueRef work, const char *prefix)
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
    LLVMValueRef threads = cg_call(c, cg_runtime(c, "act_pool_share"), (LLVMValueRef[]){pool, emit_predicted(c, p, batch, call)}, 2);
    LLVMBuildCondBr(c->b, cg_icmp(c, LLVMIntUGT, threads, cg_i32(c, 1)), many, one);
    LLVMPositionBuilderAtEnd(c->b, many);
    cg_call(c, cg_runtime(c, "act_parallel"), (LLVMValueRef[]){pool, work, call}, 3);
    cg_return(c, NULL);
    LLVMPositionBuilderAtEnd(c->b, one);
    cg_call(c, work, (LLVMValueRef[]){call, cg_i32(c, 0), cg_i32(c, 1)}, 3);
    cg_return(c, NULL);
    return run;
}

/* Kernels that have a shape in common, and the function that was made for the first of them. */
typedef struct Shared {
    uint32_t uses;
    LLVMValueRef fn;
} Shared;

LLVMValueRef cg_program(Cg *c, const LoopProgram *p, uint32_t batch, const char *symbol_prefix)
{
    KernelCall *kernel = arena_array(c->arena, KernelCall, p->kernels.n + 1);
    KernelShape **shape = arena_array(c->arena, KernelShape *, p->kernels.n + 1);
    Map shapes = {.arena = c->arena};
    for (uint32_t i = 0; i < p->kernels.n; i++) {
        shape[i] = kernel_shape(c->arena, p, &p->kernels.at[i], c->by_line);
        Shared *found = map_get(&shapes, shape[i]->key);
        if (!found)
            map_set(&shapes, shape[i]->key, found = arena_new_of(c->arena, Shared));
        found->uses++;
    }
    for (uint32_t i = 0; i < p->kernels.n; i++) {
        const LoopKernel *k = &p->kernels.at[i];
        Shared *made = map_get(&shapes, shape[i]->key);
        bool shared = made->uses > 1;
        if (!made->fn || !shared)
            made->fn = kernel_emit(c, p, k, shape[i], shared, batch, symbol_prefix);
        kernel[i].fn = made->fn;
        if (shared)
            kernel[i].table = kernel_table(
                c, shape[i], str_printf(c->arena, "%s." STR_FMT ".places", symbol_prefix, STR_ARG(k->name)).p);
    }
    LLVMValueRef work = emit_worker(c, p, kernel, symbol_prefix);
    return emit_driver(c, p, batch, work, symbol_prefix);
}
