/* The functions of a model: check the arguments, fill the call structure, run the program.
 *
 *     internal run(call)            the program, from cg_program()
 *     NAME_bind, NAME_init          as ActEntries has them, public
 *     internal NAME.forward …       as ActEntries has them: arrays of pointers
 *     NAME_forward …                the header's: one argument a value; they only build the arrays */
#include "llvm/abi_layout.h"

#include <string.h>

_Static_assert((int)FILL_CONSTANT == ACT_FILL_CONSTANT && (int)FILL_NORMAL == ACT_FILL_NORMAL &&
                   (int)FILL_UNIFORM == ACT_FILL_UNIFORM && (int)FILL_TRUNCATED_NORMAL == ACT_FILL_TRUNCATED_NORMAL &&
                   (int)FILL_ORTHOGONAL == ACT_FILL_ORTHOGONAL,
               "fills of graph.h and abi.h");

/* ── pieces ── */

static LLVMValueRef status(Module *m, ActStatus value) { return layout_u32(m, (uint64_t)value); }
static LLVMValueRef null(Module *m) { return LLVMConstNull(m->cg.ptr); }

static LLVMBasicBlockRef block_here(Module *m, const char *name)
{
    LLVMValueRef fn = LLVMGetBasicBlockParent(LLVMGetInsertBlock(m->cg.b));
    return LLVMAppendBasicBlockInContext(m->ctx, fn, name);
}

/* Returns `otherwise` unless ok; the builder goes on where it is. */
static void require(Module *m, LLVMValueRef ok, LLVMValueRef otherwise)
{
    LLVMBasicBlockRef fail = block_here(m, "refuse"), next = block_here(m, "go");
    LLVMBuildCondBr(m->cg.b, ok, next, fail);
    LLVMPositionBuilderAtEnd(m->cg.b, fail);
    LLVMBuildRet(m->cg.b, otherwise);
    LLVMPositionBuilderAtEnd(m->cg.b, next);
}

static void require_pointer(Module *m, LLVMValueRef pointer)
{
    require(m, LLVMBuildIsNotNull(m->cg.b, pointer, ""), status(m, ACT_E_ARGUMENT));
}

static LLVMValueRef load_field(Module *m, const StructInfo *info, LLVMValueRef base, const char *name, LLVMTypeRef type)
{
    return LLVMBuildLoad2(m->cg.b, type, layout_field_at(m, info, base, name), name);
}

static LLVMValueRef pointer_at(Module *m, LLVMValueRef array, uint32_t i)
{
    LLVMValueRef index = layout_u64(m, i);
    return LLVMBuildInBoundsGEP2(m->cg.b, m->cg.ptr, array, &index, 1, "");
}

static LLVMValueRef pointer_load(Module *m, LLVMValueRef array, uint32_t i)
{
    return LLVMBuildLoad2(m->cg.b, m->cg.ptr, pointer_at(m, array, i), "");
}

/* An array of n pointers on the stack; NULL for none. */
static LLVMValueRef pointers_new(Module *m, uint32_t n, const char *name)
{
    return n ? LLVMBuildAlloca(m->cg.b, LLVMArrayType2(m->cg.ptr, n), name) : null(m);
}

/* An array of pointers handed in, a port each: itself not NULL, nor any of them, but for `unread` ones if they are `spared`. */
static void require_ports(Module *m, LLVMValueRef array, const Port *port, uint32_t n, bool spared)
{
    LLVMValueRef all = NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (spared && port[i].unread)
            continue;
        if (!all)
            require_pointer(m, array);
        LLVMValueRef there = LLVMBuildIsNotNull(m->cg.b, pointer_load(m, array, i), "");
        all = all ? LLVMBuildAnd(m->cg.b, all, there, "") : there;
    }
    if (all)
        require(m, all, status(m, ACT_E_ARGUMENT));
}

static void call_set(Module *m, LLVMValueRef call, CgCallField field, LLVMValueRef value)
{
    LLVMBuildStore(m->cg.b, value, cg_call_field(&m->cg, call, field));
}

/* The call structure for instance `self`, everything but the arrays and n set. The blocks of a bound instance are not
 * NULL. */
static LLVMValueRef call_new(Module *m, LLVMValueRef self)
{
    Cg *c = &m->cg;
    LLVMValueRef call = LLVMBuildAlloca(c->b, c->call_type, "call");
    call_set(m, call, CALL_PARAM, load_field(m, &layout_instance, self, "param", c->ptr));
    call_set(m, call, CALL_STATE, load_field(m, &layout_instance, self, "state", c->ptr));
    call_set(m, call, CALL_WORK, load_field(m, &layout_instance, self, "work", c->ptr));
    call_set(m, call, CALL_POOL, load_field(m, &layout_instance, self, "pool", c->ptr));
    for (CgCallField f = CALL_INPUT; f <= CALL_LOSS; f++)
        call_set(m, call, f, null(m));
    call_set(m, call, CALL_STEP, layout_u64(m, 0));
    call_set(m, call, CALL_LR_SCALE, layout_f64(m, 1));
    call_set(m, call, CALL_SEED, load_field(m, &layout_instance, self, "seed", c->i64));
    call_set(m, call, CALL_FIRST, load_field(m, &layout_instance, self, "first", c->i64));
    call_set(m, call, CALL_UNIFORM, null(m));
    return call;
}

/* The instance is there and bound to this model. */
static void require_bound(Module *m, LLVMValueRef self, LLVMValueRef descriptor)
{
    require_pointer(m, self);
    LLVMValueRef model = load_field(m, &layout_instance, self, "model", m->cg.ptr);
    require(m, LLVMBuildICmp(m->cg.b, LLVMIntEQ, model, descriptor, ""), status(m, ACT_E_ARGUMENT));
}

static void require_rows(Module *m, LLVMValueRef n, uint32_t batch)
{
    Cg *c = &m->cg;
    LLVMValueRef below = LLVMBuildSub(c->b, n, layout_u64(m, 1), ""); /* 0 wraps to the greatest */
    LLVMIntPredicate is = batch ? LLVMIntULT : LLVMIntNE;
    LLVMValueRef limit = layout_u64(m, batch ? batch : UINT64_MAX);
    require(m, LLVMBuildICmp(c->b, is, below, limit, ""), status(m, ACT_E_ARGUMENT));
}

static LLVMValueRef entry_function(Module *m, const Interface *interface, const char *suffix, const LLVMTypeRef *params,
                                   unsigned n)
{
    Str name = str_printf(m->arena, STR_FMT ".%s", STR_ARG(interface->unit->model->name), suffix);
    return cg_function(&m->cg, name.p, m->cg.i32, params, n, true);
}

/* ── bind ── */

/* A function that runs before the processor is known to have what the others need. */
static void baseline_only(Module *m, LLVMValueRef fn)
{
    const char *cpu = target_machine_baseline(m->options->machine);
    const char *attribute[][2] = {{"target-cpu", cpu}, {"tune-cpu", "generic"}};
    for (unsigned i = 0; i < 2; i++)
        LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex,
                                LLVMCreateStringAttribute(m->ctx, attribute[i][0], (unsigned)strlen(attribute[i][0]),
                                                          attribute[i][1], (unsigned)strlen(attribute[i][1])));
}

static LLVMValueRef runtime_function(Module *m, const char *name, const LLVMTypeRef *params, unsigned n)
{
    LLVMValueRef fn = LLVMGetNamedFunction(m->mod, name);
    if (fn)
        return fn;
    fn = LLVMAddFunction(m->mod, name, LLVMFunctionType(m->cg.i32, (LLVMTypeRef *)params, n, false));
    unsigned kind = LLVMGetEnumAttributeKindForName("nounwind", 8);
    LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(m->ctx, kind, 0));
    return fn;
}

/* One block of ActMemory: large enough, aligned, there. Stores it into the instance. */
static void bind_block(Module *m, LLVMValueRef self, LLVMValueRef memory, const char *name, uint64_t bytes)
{
    Cg *c = &m->cg;
    Str size_name = str_printf(m->arena, "%s_bytes", name);
    LLVMValueRef block = load_field(m, &layout_memory, memory, name, c->ptr);
    if (bytes) {
        LLVMValueRef size = load_field(m, &layout_memory, memory, size_name.p, c->i64);
        LLVMValueRef address = LLVMBuildPtrToInt(c->b, block, c->i64, "");
        LLVMValueRef odd = LLVMBuildAnd(c->b, address, layout_u64(m, ACT_ALIGN - 1), "");
        LLVMValueRef ok = LLVMBuildICmp(c->b, LLVMIntUGE, size, layout_u64(m, bytes), "");
        ok = LLVMBuildAnd(c->b, ok, LLVMBuildICmp(c->b, LLVMIntEQ, odd, layout_u64(m, 0), ""), "");
        ok = LLVMBuildAnd(c->b, ok, LLVMBuildIsNotNull(c->b, block, ""), "");
        require(m, ok, status(m, ACT_E_MEMORY));
    }
    LLVMBuildStore(c->b, block, layout_field_at(m, &layout_instance, self, name));
}

/* ActStatus NAME_bind(NAME *m, const NAME_memory *memory) */
static LLVMValueRef emit_bind(Module *m, const Interface *interface, LLVMValueRef descriptor)
{
    Cg *c = &m->cg;
    const UnitModel *unit = interface->unit;
    LLVMTypeRef params[] = {c->ptr, c->ptr};
    LLVMValueRef fn = cg_function(c, module_export(m, unit->model->name, "_bind"), c->i32, params, 2, false);
    baseline_only(m, fn);
    LLVMValueRef self = LLVMGetParam(fn, 0), memory = LLVMGetParam(fn, 1);
    require_pointer(m, self);
    LLVMBuildStore(c->b, null(m), layout_field_at(m, &layout_instance, self, "model")); /* until all is well */
    require_pointer(m, memory);
    if (m->options->machine->features.n) {
        LLVMTypeRef text[] = {c->ptr};
        LLVMValueRef has = runtime_function(m, "act_cpu_has", text, 1);
        LLVMValueRef features = layout_str(m, m->options->machine->features);
        LLVMValueRef found = cg_call(c, has, &features, 1);
        require(m, LLVMBuildICmp(c->b, LLVMIntNE, found, layout_u32(m, 0), ""), status(m, ACT_E_CPU));
    }
    bind_block(m, self, memory, "param", unit->param_bytes);
    bind_block(m, self, memory, "state", unit->state_bytes);
    bind_block(m, self, memory, "work", unit->work_bytes);
    /* Programs read the padding of what they keep there: it must hold numbers, and the same ones every time. */
    if (unit->work_bytes)
        LLVMBuildMemSet(c->b, load_field(m, &layout_memory, memory, "work", c->ptr), LLVMConstInt(c->i8, 0, false),
                        layout_u64(m, unit->work_bytes), ACT_ALIGN);
    LLVMBuildStore(c->b, null(m), layout_field_at(m, &layout_instance, self, "pool"));
    LLVMBuildStore(c->b, layout_u64(m, 0), layout_field_at(m, &layout_instance, self, "seed"));
    LLVMBuildStore(c->b, layout_u64(m, 0), layout_field_at(m, &layout_instance, self, "first"));
    LLVMBuildStore(c->b, descriptor, layout_field_at(m, &layout_instance, self, "model"));
    LLVMBuildRet(c->b, status(m, ACT_OK));
    return fn;
}

/* ── init ── */

/* for (i = 0; i < n; i++) if ((status = act_fill(&tensor[i], block, &fill[i], seed))) return status; */
static void fill_block(Module *m, LLVMValueRef self, LLVMValueRef descriptor, LLVMValueRef seed, const char *block_name,
                       uint64_t bytes, const Tensor *const *tensor, uint32_t n)
{
    Cg *c = &m->cg;
    if (!bytes)
        return;
    LLVMValueRef block = load_field(m, &layout_instance, self, block_name, c->ptr);
    require_pointer(m, block);
    LLVMBuildMemSet(c->b, block, LLVMConstInt(c->i8, 0, false), layout_u64(m, bytes), ACT_ALIGN);
    if (!n)
        return;
    LLVMValueRef *fill = arena_array(m->arena, LLVMValueRef, n);
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef field[] = {layout_u32(m, (uint64_t)tensor[i]->fill.kind), layout_u32(m, i),
                                layout_f64(m, tensor[i]->fill.a), layout_f64(m, tensor[i]->fill.b)};
        fill[i] = layout_const(m, &layout_fill, field, 4);
    }
    LLVMValueRef fills = layout_array(m, &layout_fill, fill, n, "fills");
    LLVMValueRef tensors = load_field(m, &layout_model, descriptor, block_name, c->ptr);
    LLVMTypeRef params[] = {c->ptr, c->ptr, c->ptr, c->i64};
    LLVMValueRef act_fill_fn = runtime_function(m, "act_fill", params, 4);

    LLVMBasicBlockRef before = LLVMGetInsertBlock(c->b), loop = block_here(m, "fill");
    LLVMBuildBr(c->b, loop);
    LLVMPositionBuilderAtEnd(c->b, loop);
    LLVMValueRef i = LLVMBuildPhi(c->b, c->i64, "i");
    LLVMValueRef args[] = {LLVMBuildInBoundsGEP2(c->b, layout_type(m, &layout_tensor), tensors, &i, 1, ""), block,
                           LLVMBuildInBoundsGEP2(c->b, layout_type(m, &layout_fill), fills, &i, 1, ""), seed};
    LLVMValueRef got = cg_call(c, act_fill_fn, args, 4);
    require(m, LLVMBuildICmp(c->b, LLVMIntEQ, got, status(m, ACT_OK), ""), got);
    LLVMValueRef next = LLVMBuildAdd(c->b, i, layout_u64(m, 1), "");
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(c->b), done = block_here(m, "filled");
    LLVMBuildCondBr(c->b, LLVMBuildICmp(c->b, LLVMIntULT, next, layout_u64(m, n), ""), loop, done);
    LLVMValueRef value[] = {layout_u64(m, 0), next};
    LLVMBasicBlockRef from[] = {before, latch};
    LLVMAddIncoming(i, value, from, 2);
    LLVMPositionBuilderAtEnd(c->b, done);
}

/* ActStatus NAME_init(NAME *m, uint64_t seed) */
static LLVMValueRef emit_init(Module *m, const Interface *interface, LLVMValueRef descriptor)
{
    Cg *c = &m->cg;
    const UnitModel *unit = interface->unit;
    LLVMTypeRef params[] = {c->ptr, c->i64};
    LLVMValueRef fn = cg_function(c, module_export(m, unit->model->name, "_init"), c->i32, params, 2, false);
    LLVMValueRef self = LLVMGetParam(fn, 0), seed = LLVMGetParam(fn, 1);
    require_bound(m, self, descriptor);
    fill_block(m, self, descriptor, seed, "param", unit->param_bytes, interface->param.at, interface->param.n);
    fill_block(m, self, descriptor, seed, "state", unit->state_bytes, interface->state.at, interface->state.n);
    LLVMBuildRet(c->b, status(m, ACT_OK));
    return fn;
}

/* ── forward, evaluate, train_step ── */

/* to[i] = from[i] + row * (bytes of a row); nothing for what is not read, which may be NULL and without an array around it */
static void advance(Module *m, LLVMValueRef to, LLVMValueRef from, const Port *port, uint32_t n, LLVMValueRef row)
{
    for (uint32_t i = 0; i < n; i++) {
        if (port[i].unread)
            continue;
        LLVMValueRef offset = LLVMBuildMul(m->cg.b, row, layout_u64(m, port[i].row_bytes), "");
        LLVMValueRef moved = LLVMBuildInBoundsGEP2(m->cg.b, m->cg.i8, pointer_load(m, from, i), &offset, 1, "");
        LLVMBuildStore(m->cg.b, moved, pointer_at(m, to, i));
    }
}

/* ActStatus forward(const ActInstance *m, const void *const *input, size_t n, void *const *output): any n, in chunks of
 * at most the batch. */
static LLVMValueRef emit_forward(Module *m, const Interface *interface, LLVMValueRef descriptor, LLVMValueRef run)
{
    Cg *c = &m->cg;
    LLVMTypeRef params[] = {c->ptr, c->ptr, c->i64, c->ptr};
    LLVMValueRef fn = entry_function(m, interface, "forward", params, 4);
    LLVMValueRef self = LLVMGetParam(fn, 0), input = LLVMGetParam(fn, 1), n = LLVMGetParam(fn, 2),
                 output = LLVMGetParam(fn, 3);
    LLVMValueRef in = pointers_new(m, interface->input.n, "in"), out = pointers_new(m, interface->output.n, "out");
    require_bound(m, self, descriptor);
    require_rows(m, n, 0);
    require_ports(m, input, interface->input.at, interface->input.n, true);
    require_ports(m, output, interface->output.at, interface->output.n, false);
    LLVMValueRef call = call_new(m, self), first = load_field(m, &layout_instance, self, "first", c->i64);
    call_set(m, call, CALL_INPUT, in);
    call_set(m, call, CALL_OUTPUT, out);

    LLVMBasicBlockRef before = LLVMGetInsertBlock(c->b), loop = block_here(m, "chunk");
    LLVMBuildBr(c->b, loop);
    LLVMPositionBuilderAtEnd(c->b, loop);
    LLVMValueRef row = LLVMBuildPhi(c->b, c->i64, "row"), batch = layout_u64(m, interface->unit->batch);
    LLVMValueRef left = LLVMBuildSub(c->b, n, row, "");
    LLVMValueRef few = LLVMBuildICmp(c->b, LLVMIntULT, left, batch, "");
    LLVMValueRef count = LLVMBuildSelect(c->b, few, left, batch, "count");
    advance(m, in, input, interface->input.at, interface->input.n, row);
    advance(m, out, output, interface->output.at, interface->output.n, row);
    call_set(m, call, CALL_N, count);
    call_set(m, call, CALL_FIRST, LLVMBuildAdd(c->b, first, row, ""));
    cg_call(c, run, &call, 1);
    LLVMValueRef next = LLVMBuildAdd(c->b, row, count, "");
    LLVMBasicBlockRef done = block_here(m, "done");
    LLVMBuildCondBr(c->b, LLVMBuildICmp(c->b, LLVMIntULT, next, n, ""), loop, done);
    LLVMValueRef value[] = {layout_u64(m, 0), next};
    LLVMBasicBlockRef from[] = {before, loop};
    LLVMAddIncoming(row, value, from, 2);
    LLVMPositionBuilderAtEnd(c->b, done);
    LLVMBuildRet(c->b, status(m, ACT_OK));
    return fn;
}

/* ActStatus evaluate(const ActInstance *m, input, target, size_t n, float *loss, void *const *prediction) */
static LLVMValueRef emit_evaluate(Module *m, const Interface *interface, LLVMValueRef descriptor, LLVMValueRef run)
{
    Cg *c = &m->cg;
    LLVMTypeRef params[] = {c->ptr, c->ptr, c->ptr, c->i64, c->ptr, c->ptr};
    LLVMValueRef fn = entry_function(m, interface, "evaluate", params, 6);
    LLVMValueRef arg[6];
    LLVMGetParams(fn, arg);
    require_bound(m, arg[0], descriptor);
    require_rows(m, arg[3], interface->unit->batch);
    require_ports(m, arg[1], interface->input.at, interface->input.n, false);
    require_ports(m, arg[2], interface->target.at, interface->target.n, false);
    if (interface->loss.n)
        require_pointer(m, arg[4]);
    require_ports(m, arg[5], interface->prediction.at, interface->prediction.n, false);
    LLVMValueRef call = call_new(m, arg[0]);
    call_set(m, call, CALL_INPUT, arg[1]);
    call_set(m, call, CALL_TARGET, arg[2]);
    call_set(m, call, CALL_N, arg[3]);
    call_set(m, call, CALL_LOSS, arg[4]);
    call_set(m, call, CALL_PREDICTION, arg[5]);
    cg_call(c, run, &call, 1);
    LLVMBuildRet(c->b, status(m, ACT_OK));
    return fn;
}

/* ActStatus train_step(const ActInstance *m, const ActStep *step, input, target, size_t n, float *loss), or the watched step, which takes
 * void *const *array beside. */
static LLVMValueRef emit_train_step(Module *m, const Interface *interface, LLVMValueRef descriptor, bool watched, LLVMValueRef run)
{
    Cg *c = &m->cg;
    LLVMTypeRef params[] = {c->ptr, c->ptr, c->ptr, c->ptr, c->i64, c->ptr, c->ptr};
    LLVMValueRef fn = entry_function(m, interface, watched ? "watch_step" : "train_step", params, watched ? 7 : 6);
    LLVMValueRef arg[7];
    LLVMGetParams(fn, arg);
    require_bound(m, arg[0], descriptor);
    require_pointer(m, arg[1]);
    require_rows(m, arg[4], interface->unit->batch);
    require_ports(m, arg[2], interface->input.at, interface->input.n, false);
    require_ports(m, arg[3], interface->target.at, interface->target.n, false);
    require_pointer(m, arg[5]);
    if (watched)
        require_pointer(m, arg[6]);
    /* Steps count from 1: an optimizer's 1 - beta^step would divide by zero. */
    LLVMValueRef number = load_field(m, &layout_step, arg[1], "step", c->i64);
    require(m, LLVMBuildICmp(c->b, LLVMIntNE, number, layout_u64(m, 0), ""), status(m, ACT_E_ARGUMENT));
    LLVMValueRef call = call_new(m, arg[0]);
    call_set(m, call, CALL_INPUT, arg[2]);
    call_set(m, call, CALL_TARGET, arg[3]);
    call_set(m, call, CALL_N, arg[4]);
    call_set(m, call, CALL_LOSS, arg[5]);
    if (watched)
        call_set(m, call, CALL_OUTPUT, arg[6]);
    call_set(m, call, CALL_STEP, number);
    call_set(m, call, CALL_LR_SCALE, load_field(m, &layout_step, arg[1], "lr_scale", c->f64));
    call_set(m, call, CALL_SEED, load_field(m, &layout_step, arg[1], "seed", c->i64));
    call_set(m, call, CALL_FIRST, layout_u64(m, 0));
    cg_call(c, run, &call, 1);
    LLVMBuildRet(c->b, status(m, ACT_OK));
    return fn;
}

/* ── the header's functions ── */

typedef struct Wrapper {
    Module *m;
    LLVMValueRef fn;
    unsigned next; /* parameter to be taken */
} Wrapper;

/* The next parameters as an array of pointers, one a port. */
static LLVMValueRef gather(Wrapper *w, uint32_t n)
{
    LLVMValueRef array = pointers_new(w->m, n, "");
    for (uint32_t i = 0; i < n; i++)
        LLVMBuildStore(w->m->cg.b, LLVMGetParam(w->fn, w->next++), pointer_at(w->m, array, i));
    return array;
}

/* The same for the inputs of forward, which has no parameter for those it does not read. */
static LLVMValueRef gather_read(Wrapper *w, const Port *port, uint32_t n)
{
    LLVMValueRef array = pointers_new(w->m, n, "");
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef pointer = port[i].unread ? null(w->m) : LLVMGetParam(w->fn, w->next++);
        LLVMBuildStore(w->m->cg.b, pointer, pointer_at(w->m, array, i));
    }
    return array;
}

/* All parameters are pointers but n, which stands behind `before` of them. */
static Wrapper wrapper_new(Module *m, const Interface *interface, const char *suffix, unsigned before, unsigned after)
{
    Cg *c = &m->cg;
    LLVMTypeRef *params = arena_array(m->arena, LLVMTypeRef, before + 1 + after);
    for (unsigned i = 0; i < before + 1 + after; i++)
        params[i] = i == before ? c->i64 : c->ptr;
    const char *name = module_export(m, interface->unit->model->name, suffix);
    return (Wrapper){m, cg_function(c, name, c->i32, params, before + 1 + after, false), 0};
}

static LLVMValueRef take(Wrapper *w) { return LLVMGetParam(w->fn, w->next++); }

static void wrap_forward(Module *m, const Interface *interface, LLVMValueRef entry)
{
    uint32_t n_read = 0;
    for (uint32_t i = 0; i < interface->input.n; i++)
        n_read += !interface->input.at[i].unread;
    Wrapper w = wrapper_new(m, interface, "_forward", 1 + n_read, interface->output.n);
    LLVMValueRef arg[4];
    arg[0] = take(&w);
    arg[1] = gather_read(&w, interface->input.at, interface->input.n);
    arg[2] = take(&w);
    arg[3] = gather(&w, interface->output.n);
    LLVMBuildRet(m->cg.b, cg_call(&m->cg, entry, arg, 4));
}

static void wrap_evaluate(Module *m, const Interface *interface, LLVMValueRef entry)
{
    Wrapper w = wrapper_new(m, interface, "_evaluate", 1 + interface->input.n + interface->target.n,
                            1 + interface->prediction.n);
    LLVMValueRef arg[6];
    arg[0] = take(&w);
    arg[1] = gather(&w, interface->input.n);
    arg[2] = gather(&w, interface->target.n);
    arg[3] = take(&w);
    arg[4] = take(&w);
    arg[5] = gather(&w, interface->prediction.n);
    LLVMBuildRet(m->cg.b, cg_call(&m->cg, entry, arg, 6));
}

static void wrap_train_step(Module *m, const Interface *interface, LLVMValueRef entry)
{
    Wrapper w = wrapper_new(m, interface, "_train_step", 2 + interface->input.n + interface->target.n, 1);
    LLVMValueRef arg[6];
    arg[0] = take(&w);
    arg[1] = take(&w);
    arg[2] = gather(&w, interface->input.n);
    arg[3] = gather(&w, interface->target.n);
    arg[4] = take(&w);
    arg[5] = take(&w);
    LLVMBuildRet(m->cg.b, cg_call(&m->cg, entry, arg, 6));
}

/* ── all of them ── */

static LLVMValueRef program_run(Module *m, const Interface *interface, const LoopProgram *program, const char *what)
{
    Str prefix = str_printf(m->arena, STR_FMT ".%s", STR_ARG(interface->unit->model->name), what);
    return cg_program(&m->cg, program, interface->unit->batch, prefix.p);
}

EntryPoints entry_emit(Module *m, const Interface *interface, LLVMValueRef descriptor)
{
    const UnitModel *unit = interface->unit;
    EntryPoints entry = {0};
    entry.bind = emit_bind(m, interface, descriptor);
    entry.init = emit_init(m, interface, descriptor);
    if (interface->forward) {
        entry.forward = emit_forward(m, interface, descriptor, program_run(m, interface, unit->forward, "forward"));
        wrap_forward(m, interface, entry.forward);
    }
    if (unit->evaluate && (interface->loss.n || interface->prediction.n)) {
        entry.evaluate = emit_evaluate(m, interface, descriptor, program_run(m, interface, unit->evaluate, "evaluate"));
        wrap_evaluate(m, interface, entry.evaluate);
    }
    if (interface->trains) {
        LLVMValueRef run = program_run(m, interface, unit->train_step, "train_step");
        entry.train_step = emit_train_step(m, interface, descriptor, false, run);
        wrap_train_step(m, interface, entry.train_step);
        if (unit->watch_step)
            entry.watch_step = emit_train_step(m, interface, descriptor, true, program_run(m, interface, unit->watch_step, "watch_step"));
    }
    if (unit->schedule) {
        Str name = str_printf(m->arena, STR_FMT ".schedule", STR_ARG(unit->model->name));
        entry.schedule = cg_scalar_function(&m->cg, m->unit->program->sx, unit->schedule, 2, name.p);
    }
    return entry;
}

/* int main(int argc, char **argv) { return act_program_main(argc, argv, models, n); } */
void entry_emit_main(Module *m, LLVMValueRef *descriptors, unsigned n)
{
    Cg *c = &m->cg;
    LLVMValueRef models = LLVMAddGlobal(m->mod, LLVMArrayType2(c->ptr, n), "models");
    LLVMSetInitializer(models, LLVMConstArray2(c->ptr, descriptors, n));
    LLVMSetGlobalConstant(models, true);
    LLVMSetLinkage(models, LLVMPrivateLinkage);
    LLVMTypeRef params[] = {c->i32, c->ptr}, program[] = {c->i32, c->ptr, c->ptr, c->i64};
    LLVMValueRef fn = cg_function(c, "main", c->i32, params, 2, false);
    baseline_only(m, fn);
    LLVMValueRef args[] = {LLVMGetParam(fn, 0), LLVMGetParam(fn, 1), models, layout_u64(m, n)};
    LLVMBuildRet(c->b, cg_call(c, runtime_function(m, "act_program_main", program, 4), args, 4));
}
