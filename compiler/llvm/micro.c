/* Micro-kernels: register tiles.
 *
 * A micro-kernel  act.tile(ptr a, ptr b, i64 depth, ptr sums, ptr ahead…)  holds rows x vectors accumulators in registers
 * through one single-block loop over k and leaves them in a scratch tile. It is a function of its own, so that register
 * allocation sees nothing else, and one serves every product of the module with the same strides. */
#include "llvm/kernel.h"

struct CgMicro {
    MicroShape shape;
    LLVMValueRef fn;
};

static bool same_shape(const MicroShape *a, const MicroShape *b)
{
    bool same = a->a_row == b->a_row && a->a_k == b->a_k && a->b_k == b->b_k && a->rows == b->rows &&
                a->vectors == b->vectors && a->last == b->last && a->out == b->out && a->more == b->more &&
                a->n_ahead == b->n_ahead && a->span.source == b->span.source && a->span.begin == b->span.begin;
    for (uint32_t i = 0; same && i < a->n_ahead; i++)
        same = a->ahead[i].step == b->ahead[i].step && a->ahead[i].level == b->ahead[i].level;
    return same;
}

enum { MAX_SUMS = 64, FIRST_AHEAD = 4 };

static LLVMValueRef load_b(Cg *c, const MicroShape *m, LLVMValueRef b, uint32_t vector)
{
    LLVMValueRef at = cg_at(c, c->f32, b, cg_i64(c, (int64_t)vector * c->lanes));
    bool clipped = vector + 1 == m->vectors && m->last < c->lanes;
    LLVMValueRef mask = clipped ? cg_lane_mask(c, c->lanes, m->last) : NULL;
    return cg_load_lanes(c, cg_vec(c->f32, c->lanes), at, 4, mask, NULL);
}

/* The B vectors of a step first, then for each row one broadcast of A and its multiply-adds: the order in which the
 * fewest registers are alive. */
static void micro_step(Cg *c, const MicroShape *m, LLVMValueRef a, LLVMValueRef b, LLVMValueRef *sum)
{
    LLVMValueRef vector[MAX_SUMS];
    for (uint32_t v = 0; v < m->vectors; v++)
        vector[v] = load_b(c, m, b, v);
    for (uint32_t r = 0; r < m->rows; r++) {
        LLVMValueRef one = cg_load(c, c->f32, cg_at(c, c->f32, a, cg_i64(c, (int64_t)r * m->a_row)), 4, NULL);
        LLVMValueRef all = cg_splat(c, one, c->lanes);
        for (uint32_t v = 0; v < m->vectors; v++)
            sum[r * m->vectors + v] = cg_fma(c, vector[v], all, sum[r * m->vectors + v]);
    }
}

/* Where vector v of row r stands in the scratch tile. */
static LLVMValueRef sum_place(Cg *c, const MicroShape *m, LLVMValueRef fn, uint32_t i)
{
    int64_t at = (int64_t)(i / m->vectors) * m->out + (int64_t)(i % m->vectors) * c->lanes;
    return cg_at(c, c->f32, LLVMGetParam(fn, 3), cg_i64(c, at));
}

static void micro_body(Cg *c, const MicroShape *m, LLVMValueRef fn)
{
    uint32_t n = m->rows * m->vectors;
    LLVMTypeRef type = cg_vec(c->f32, c->lanes);
    LLVMValueRef sum[MAX_SUMS];
    ACT_ASSERT(n <= MAX_SUMS);
    for (uint32_t i = 0; i < n; i++)
        sum[i] = m->more ? cg_load(c, type, sum_place(c, m, fn, i), c->lanes * 4, NULL) : cg_num(type, 0);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), LLVMGetParam(fn, 2), cg_i64(c, 1), true, "k");
    loop->plain = true;
    LLVMValueRef a = cg_loop_phi(c, loop, LLVMGetParam(fn, 0), "a"), b = cg_loop_phi(c, loop, LLVMGetParam(fn, 1), "b");
    LLVMValueRef ahead[MICRO_AHEAD];
    for (uint32_t i = 0; i < m->n_ahead; i++)
        ahead[i] = cg_loop_phi(c, loop, LLVMGetParam(fn, FIRST_AHEAD + i), "ahead");
    for (uint32_t i = 0; i < n; i++)
        sum[i] = cg_loop_phi(c, loop, sum[i], "sum");
    for (uint32_t i = 0; i < m->n_ahead; i++)
        cg_prefetch(c, ahead[i], m->ahead[i].level);
    micro_step(c, m, a, b, sum);
    unsigned phi = 0;
    cg_loop_next(loop, phi++, cg_at(c, c->f32, a, cg_i64(c, m->a_k)));
    cg_loop_next(loop, phi++, cg_at(c, c->f32, b, cg_i64(c, m->b_k)));
    for (uint32_t i = 0; i < m->n_ahead; i++)
        cg_loop_next(loop, phi++, cg_at(c, c->i8, ahead[i], cg_i64(c, m->ahead[i].step)));
    unsigned first = phi;
    for (uint32_t i = 0; i < n; i++)
        cg_loop_next(loop, phi++, sum[i]);
    cg_loop_end(c, loop);
    for (uint32_t i = 0; i < n; i++)
        cg_store(c, loop->out[first + i], sum_place(c, m, fn, i), c->lanes * 4, NULL);
    cg_return(c, NULL);
}

LLVMValueRef micro_kernel(Cg *c, const MicroShape *m)
{
    for (uint32_t i = 0; i < c->micro.n; i++)
        if (same_shape(&c->micro.at[i]->shape, m))
            return c->micro.at[i]->fn;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);
    Str name = str_printf(c->arena, "act.tile.%ux%u.%u", m->rows, m->vectors * c->lanes, c->micro.n);
    LLVMTypeRef params[FIRST_AHEAD + MICRO_AHEAD] = {c->ptr, c->ptr, c->i64, c->ptr};
    for (uint32_t i = 0; i < m->n_ahead; i++)
        params[FIRST_AHEAD + i] = c->ptr;
    LLVMValueRef fn = cg_function(c, name.p, c->void_t, params, FIRST_AHEAD + m->n_ahead, true);
    cg_flag(c, fn, (unsigned)LLVMAttributeFunctionIndex, "noinline");
    for (unsigned i = 0; i < FIRST_AHEAD; i++) {
        if (i == 2)
            continue;
        cg_flag(c, fn, i + 1, "noalias");
        cg_flag(c, fn, i + 1, "nocapture");
        if (i < 2 || !m->more)
            cg_flag(c, fn, i + 1, i < 2 ? "readonly" : "writeonly");
    }
    micro_body(c, m, fn);
    LLVMPositionBuilderAtEnd(c->b, here);
    CgMicro *made = arena_new_of(c->arena, CgMicro);
    *made = (CgMicro){*m, fn};
    *vec_push(c->arena, &c->micro) = made;
    return fn;
}
