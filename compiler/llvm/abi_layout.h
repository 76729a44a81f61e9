/* The structures of act/abi.h as LLVM types and constants. Private to the object side of this floor. */
#ifndef ACT_LLVM_ABI_LAYOUT_H
#define ACT_LLVM_ABI_LAYOUT_H

#include "llvm/module.h"

typedef enum FieldKind { FIELD_PTR, FIELD_U32, FIELD_U64, FIELD_F32, FIELD_F64, FIELD_STRUCT } FieldKind;

typedef struct FieldInfo {
    const char *name;
    FieldKind kind;
    uint32_t count;                 /* more than 1: an array */
    size_t offset;                  /* as the C compiler lays it out */
    const struct StructInfo *inner; /* FIELD_STRUCT */
} FieldInfo;

typedef struct StructInfo {
    const char *name;
    size_t size;
    const FieldInfo *field;
    uint32_t n_field;
} StructInfo;

extern const StructInfo layout_tensor, layout_entries, layout_loss, layout_metric, layout_transform, layout_field,
    layout_part, layout_data, layout_train, layout_model, layout_watch_point, layout_warning, layout_watch, layout_fill, layout_instance, layout_memory, layout_step;

/* The type; a structure whose offsets or size are not the C compiler's is a bug of ours. */
LLVMTypeRef layout_type(Module *m, const StructInfo *info);
/* A constant from its fields' values, in order. */
LLVMValueRef layout_const(Module *m, const StructInfo *info, LLVMValueRef *value, uint32_t n);
/* Private, constant array of structures; a NULL constant when there are none. */
LLVMValueRef layout_array(Module *m, const StructInfo *info, LLVMValueRef *value, uint32_t n, const char *name);
/* The address of field `name` of the structure at `base`, by the builder of m->cg. */
LLVMValueRef layout_field_at(Module *m, const StructInfo *info, LLVMValueRef base, const char *name);

LLVMValueRef layout_str(Module *m, Str text); /* a private, NUL-terminated string; equal texts are one */
LLVMValueRef layout_u32(Module *m, uint64_t value);
LLVMValueRef layout_u64(Module *m, uint64_t value);
LLVMValueRef layout_f32(Module *m, double value);
LLVMValueRef layout_f64(Module *m, double value);
LLVMValueRef layout_u32_array(Module *m, const uint32_t *value, uint32_t n,
                              uint32_t count); /* zeros behind the first n */

#endif
