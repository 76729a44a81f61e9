/* One table a structure of abi.h, fields in order. LLVM lays structures out by the rules of the target's data layout,
 * the C compiler by those of its ABI; layout_type() compares the two for every field, so a table that falls behind the
 * header stops at the first object it would have made wrong. */
#include "llvm/abi_layout.h"

#include <string.h>

// clang-format off
#define P(name)            {#name, FIELD_PTR, 1, offsetof(S, name), NULL},
#define U32(name)          {#name, FIELD_U32, 1, offsetof(S, name), NULL},
#define U32S(name, count)  {#name, FIELD_U32, count, offsetof(S, name), NULL},
#define U64(name)          {#name, FIELD_U64, 1, offsetof(S, name), NULL},
#define F32(name)          {#name, FIELD_F32, 1, offsetof(S, name), NULL},
#define F64(name)          {#name, FIELD_F64, 1, offsetof(S, name), NULL},
#define IN(name, info)     {#name, FIELD_STRUCT, 1, offsetof(S, name), &info},
#define TABLE(info, type, ...) \
    static const FieldInfo info##_field[] = {__VA_ARGS__}; \
    const StructInfo info = {#type, sizeof(type), info##_field, sizeof info##_field / sizeof *info##_field};

#define S ActTensor
TABLE(layout_tensor, ActTensor,
    P(name) P(label) U32(role) U32(type) U32(layout) U32(rank) U32S(dim, ACT_MAX_RANK) U32S(file_axis, ACT_MAX_RANK)
    U32(flat_rank) U32S(flat, ACT_MAX_RANK) U32(panel) U64(offset) U64(bytes) U32(classes) F32(low) F32(high) U32(line)
    U32(unread) U32(ignored) U32(ignores))
#undef S
#define S ActEntries
TABLE(layout_entries, ActEntries, P(bind) P(init) P(forward) P(evaluate) P(train_step) P(schedule))
#undef S
#define S ActLoss
TABLE(layout_loss, ActLoss, P(name) F32(weight) U32(mean) U32(line))
#undef S
#define S ActMetric
TABLE(layout_metric, ActMetric, P(name) P(kind) IN(prediction, layout_tensor) U32(target) F64(option))
#undef S
#define S ActTransform
TABLE(layout_transform, ActTransform, U32(kind) F64(a) F64(b) U32(line))
#undef S
#define S ActField
TABLE(layout_field, ActField, P(name) P(reader) P(path) P(columns) P(transform) U32(n_transform) U32(line))
#undef S
#define S ActPart
TABLE(layout_part, ActPart, P(name) P(field) U32(n_field))
#undef S
#define S ActData
TABLE(layout_data, ActData, P(name) P(base) P(part) U32(n_part) F64(validation_split) U64(split_seed)
    U32(flip) U32(crop))
#undef S
#define S ActTrain
TABLE(layout_train, ActTrain,
    P(data) U64(epochs) U64(seed) U32(batch) P(optimizer) F64(lr) U64(patience) U64(checkpoint_every) P(start_from)
    U64(checkpoint_steps) P(schedule) P(settings) P(recipe) U32(average_ema) U32(average_last)
    U32(accumulate))
#undef S
#define S ActWatchPoint
TABLE(layout_watch_point, ActWatchPoint,
    P(layer) P(kind) P(function) U32(line) U32(function_line) U32(weight) U32(units) U64(values) U32S(stat, ACT_WATCH_STATS) U32(bins)
    F64(low) F64(high) F64(deviation) F64(gradient) F64(dead) F64(saturated) F64(update))
#undef S
#define S ActWarning
TABLE(layout_warning, ActWarning, P(code) P(name) P(message) U32(line))
#undef S
#define S ActWatch
TABLE(layout_watch, ActWatch,
    P(point) U32(n_point) U32(n_array) P(warning) U32(n_warning) U64(every) U32(first) U32(last)
    F64(ratio) F64(ratio_low) F64(ratio_high) F64(loss) F64(clip_norm) U32(clip) U32(window) P(step))
#undef S
#define S ActModel
TABLE(layout_model, ActModel,
    U32(abi) U32(batch) P(name) P(source) P(hash) P(target) P(features)
    U64(param_bytes) U64(state_bytes) U64(work_bytes)
    P(input) P(target_value) P(output) P(param) P(state) P(drawn)
    U32(n_input) U32(n_target) U32(n_output) U32(n_param) U32(n_state) U32(n_drawn)
    P(loss) U32(n_loss) P(metric) U32(n_metric) P(train) IN(entry, layout_entries) U64(flops_forward) U64(flops_step)
    P(watch))
#undef S
#define S ActFill
TABLE(layout_fill, ActFill, U32(kind) U32(stream) F64(a) F64(b))
#undef S
#define S ActInstance
TABLE(layout_instance, ActInstance, P(model) P(param) P(state) P(work) P(pool) U64(seed) U64(first))
#undef S
#define S ActMemory
TABLE(layout_memory, ActMemory, P(param) U64(param_bytes) P(state) U64(state_bytes) P(work) U64(work_bytes))
#undef S
#define S ActStep
TABLE(layout_step, ActStep, U64(step) F64(lr_scale) U64(seed))
#undef S
// clang-format on

static LLVMTypeRef field_type(Module *m, const FieldInfo *field)
{
    LLVMTypeRef type = NULL;
    switch (field->kind) {
    case FIELD_PTR:
        type = m->cg.ptr;
        break;
    case FIELD_U32:
        type = m->cg.i32;
        break;
    case FIELD_U64:
        type = m->cg.i64;
        break;
    case FIELD_F32:
        type = m->cg.f32;
        break;
    case FIELD_F64:
        type = m->cg.f64;
        break;
    case FIELD_STRUCT:
        type = layout_type(m, field->inner);
        break;
    }
    return field->count > 1 ? LLVMArrayType2(type, field->count) : type;
}

LLVMTypeRef layout_type(Module *m, const StructInfo *info)
{
    LLVMTypeRef type = map_get(&m->structs, str_of(info->name));
    if (type)
        return type;
    LLVMTypeRef *field = arena_array(m->arena, LLVMTypeRef, info->n_field);
    for (uint32_t i = 0; i < info->n_field; i++)
        field[i] = field_type(m, &info->field[i]);
    type = LLVMStructCreateNamed(m->ctx, info->name);
    LLVMStructSetBody(type, field, info->n_field, false);
    for (uint32_t i = 0; i < info->n_field; i++)
        ACT_ASSERT(LLVMOffsetOfElement(m->layout, type, i) == info->field[i].offset);
    ACT_ASSERT(LLVMABISizeOfType(m->layout, type) == info->size);
    map_set(&m->structs, str_of(info->name), type);
    return type;
}

LLVMValueRef layout_const(Module *m, const StructInfo *info, LLVMValueRef *value, uint32_t n)
{
    ACT_ASSERT(n == info->n_field);
    for (uint32_t i = 0; i < n; i++)
        ACT_ASSERT(LLVMTypeOf(value[i]) == field_type(m, &info->field[i]));
    return LLVMConstNamedStruct(layout_type(m, info), value, n);
}

static LLVMValueRef private_constant(Module *m, LLVMValueRef value, const char *name)
{
    LLVMValueRef global = LLVMAddGlobal(m->mod, LLVMTypeOf(value), name);
    LLVMSetInitializer(global, value);
    LLVMSetGlobalConstant(global, true);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    return global;
}

LLVMValueRef layout_array(Module *m, const StructInfo *info, LLVMValueRef *value, uint32_t n, const char *name)
{
    if (!n)
        return LLVMConstNull(m->cg.ptr);
    return private_constant(m, LLVMConstArray2(layout_type(m, info), value, n), name);
}

LLVMValueRef layout_field_at(Module *m, const StructInfo *info, LLVMValueRef base, const char *name)
{
    for (uint32_t i = 0; i < info->n_field; i++)
        if (strcmp(info->field[i].name, name) == 0)
            return LLVMBuildStructGEP2(m->cg.b, layout_type(m, info), base, i, "");
    ACT_BUG("no such field");
}

LLVMValueRef layout_str(Module *m, Str text)
{
    LLVMValueRef global = map_get(&m->strings, text);
    if (global)
        return global;
    global = private_constant(m, LLVMConstStringInContext2(m->ctx, text.p ? text.p : "", text.n, false), "text");
    LLVMSetAlignment(global, 1);
    map_set(&m->strings, str_copy(m->arena, text), global);
    return global;
}

LLVMValueRef layout_u32(Module *m, uint64_t value)
{
    ACT_ASSERT(value <= UINT32_MAX);
    return LLVMConstInt(m->cg.i32, value, false);
}

LLVMValueRef layout_u64(Module *m, uint64_t value) { return LLVMConstInt(m->cg.i64, value, false); }
LLVMValueRef layout_f32(Module *m, double value) { return LLVMConstReal(m->cg.f32, value); }
LLVMValueRef layout_f64(Module *m, double value) { return LLVMConstReal(m->cg.f64, value); }

LLVMValueRef layout_u32_array(Module *m, const uint32_t *value, uint32_t n, uint32_t count)
{
    LLVMValueRef *item = arena_array(m->arena, LLVMValueRef, count);
    ACT_ASSERT(n <= count);
    for (uint32_t i = 0; i < count; i++)
        item[i] = layout_u32(m, i < n ? value[i] : 0);
    return LLVMConstArray2(m->cg.i32, item, count);
}
