#include "llvm/emit.h"

#include <string.h>

/* ── alias scopes ──
 * A scope is named by a string and its domain, which alias analysis accepts in place of distinct nodes. */
void cg_alias_scopes(Cg *c, const char *domain, unsigned n, CgAlias *out)
{
    LLVMMetadataRef name = LLVMMDStringInContext2(c->ctx, domain, strlen(domain));
    LLVMMetadataRef parent = LLVMMDNodeInContext2(c->ctx, &name, 1);
    LLVMMetadataRef *scope = arena_array(c->arena, LLVMMetadataRef, n),
                    *others = arena_array(c->arena, LLVMMetadataRef, n);
    for (unsigned i = 0; i < n; i++) {
        Str text = str_printf(c->arena, "%s.%u", domain, i);
        LLVMMetadataRef part[2] = {LLVMMDStringInContext2(c->ctx, text.p, text.n), parent};
        scope[i] = LLVMMDNodeInContext2(c->ctx, part, 2);
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned k = 0;
        for (unsigned j = 0; j < n; j++)
            if (j != i)
                others[k++] = scope[j];
        out[i].scope = LLVMMetadataAsValue(c->ctx, LLVMMDNodeInContext2(c->ctx, &scope[i], 1));
        out[i].noalias = k ? LLVMMetadataAsValue(c->ctx, LLVMMDNodeInContext2(c->ctx, others, k)) : NULL;
    }
}

static LLVMValueRef touches(Cg *c, LLVMValueRef access, const CgAlias *alias)
{
    if (alias && alias->scope)
        LLVMSetMetadata(access, c->md_alias_scope, alias->scope);
    if (alias && alias->noalias)
        LLVMSetMetadata(access, c->md_noalias, alias->noalias);
    return access;
}

LLVMValueRef cg_alloca(Cg *c, LLVMValueRef function, LLVMTypeRef type, unsigned align)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b), entry = LLVMGetEntryBasicBlock(function);
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (first)
        LLVMPositionBuilderBefore(c->b, first);
    else
        LLVMPositionBuilderAtEnd(c->b, entry);
    LLVMValueRef slot = LLVMBuildAlloca(c->b, type, "");
    LLVMSetAlignment(slot, align);
    LLVMPositionBuilderAtEnd(c->b, here);
    return slot;
}

LLVMValueRef cg_at(Cg *c, LLVMTypeRef element, LLVMValueRef pointer, LLVMValueRef index)
{
    int64_t at;
    if (cg_const_int(index, &at) && at == 0)
        return pointer;
    return LLVMBuildInBoundsGEP2(c->b, element, pointer, &index, 1, "");
}

LLVMValueRef cg_load(Cg *c, LLVMTypeRef type, LLVMValueRef pointer, unsigned align, const CgAlias *alias)
{
    ACT_ASSERT(align > 0);
    LLVMValueRef v = LLVMBuildLoad2(c->b, type, pointer, "");
    LLVMSetAlignment(v, align);
    return touches(c, v, alias);
}

void cg_store(Cg *c, LLVMValueRef v, LLVMValueRef pointer, unsigned align, const CgAlias *alias)
{
    ACT_ASSERT(align > 0);
    LLVMValueRef store = LLVMBuildStore(c->b, v, pointer);
    LLVMSetAlignment(store, align);
    touches(c, store, alias);
}

LLVMValueRef cg_load_lanes(Cg *c, LLVMTypeRef type, LLVMValueRef pointer, unsigned align, LLVMValueRef mask,
                           const CgAlias *alias)
{
    if (!mask)
        return cg_load(c, type, pointer, align, alias);
    LLVMTypeRef overload[2] = {type, c->ptr};
    LLVMValueRef args[4] = {pointer, cg_i32(c, align), mask, LLVMConstNull(type)};
    return touches(c, cg_intrinsic(c, "llvm.masked.load", overload, 2, args, 4), alias);
}

void cg_store_lanes(Cg *c, LLVMValueRef v, LLVMValueRef pointer, unsigned align, LLVMValueRef mask,
                    const CgAlias *alias)
{
    if (!mask) {
        cg_store(c, v, pointer, align, alias);
        return;
    }
    LLVMTypeRef overload[2] = {LLVMTypeOf(v), c->ptr};
    LLVMValueRef args[4] = {v, pointer, cg_i32(c, align), mask};
    touches(c, cg_intrinsic(c, "llvm.masked.store", overload, 2, args, 4), alias);
}

void cg_prefetch(Cg *c, LLVMValueRef pointer, unsigned level)
{
    /* read, locality 3 (all levels) to 0, data */
    LLVMValueRef args[4] = {pointer, cg_i32(c, 0), cg_i32(c, level == 1 ? 3 : 2), cg_i32(c, 1)};
    cg_intrinsic(c, "llvm.prefetch", &c->ptr, 1, args, 4);
}

/* ── lanes apart ──
 * Lane by lane when it is known which lanes are on: the gather instructions of the processors we know are no faster
 * than their loads one by one. */
static bool known_lanes(LLVMValueRef mask, unsigned lanes, bool *on)
{
    for (unsigned i = 0; i < lanes; i++) {
        on[i] = true;
        if (mask) {
            LLVMValueRef bit = LLVMIsConstant(mask) ? LLVMGetAggregateElement(mask, i) : NULL;
            if (!bit || !LLVMIsAConstantInt(bit))
                return false;
            on[i] = LLVMConstIntGetZExtValue(bit) != 0;
        }
    }
    return true;
}

static LLVMValueRef lane_pointers(Cg *c, LLVMTypeRef element, LLVMValueRef pointer, int64_t step, unsigned lanes)
{
    LLVMValueRef index = cg_iota(cg_vec(c->i64, lanes), step);
    return LLVMBuildInBoundsGEP2(c->b, element, pointer, &index, 1, "");
}

LLVMValueRef cg_gather(Cg *c, LLVMTypeRef type, LLVMValueRef pointer, int64_t step, LLVMValueRef mask,
                       const CgAlias *alias)
{
    unsigned lanes = cg_lanes_of(type);
    LLVMTypeRef element = cg_element(type);
    bool on[64];
    if (known_lanes(mask, lanes, on)) {
        LLVMValueRef v = mask ? LLVMConstNull(type) : LLVMGetPoison(type);
        for (unsigned i = 0; i < lanes; i++)
            if (on[i])
                v = cg_set_lane(c, v, cg_load(c, element, cg_at(c, element, pointer, cg_i64(c, step * i)), 4, alias),
                                i);
        return v;
    }
    LLVMTypeRef overload[2] = {type, cg_vec(c->ptr, lanes)};
    LLVMValueRef args[4] = {lane_pointers(c, element, pointer, step, lanes), cg_i32(c, 4), mask, LLVMConstNull(type)};
    return touches(c, cg_intrinsic(c, "llvm.masked.gather", overload, 2, args, 4), alias);
}

void cg_scatter(Cg *c, LLVMValueRef v, LLVMValueRef pointer, int64_t step, LLVMValueRef mask, const CgAlias *alias)
{
    LLVMTypeRef type = LLVMTypeOf(v), element = cg_element(type);
    unsigned lanes = cg_lanes_of(type);
    bool on[64];
    if (known_lanes(mask, lanes, on)) {
        for (unsigned i = 0; i < lanes; i++)
            if (on[i])
                cg_store(c, cg_lane(c, v, i), cg_at(c, element, pointer, cg_i64(c, step * i)), 4, alias);
        return;
    }
    LLVMTypeRef overload[2] = {type, cg_vec(c->ptr, lanes)};
    LLVMValueRef args[4] = {v, lane_pointers(c, element, pointer, step, lanes), cg_i32(c, 4), mask};
    touches(c, cg_intrinsic(c, "llvm.masked.scatter", overload, 2, args, 4), alias);
}
