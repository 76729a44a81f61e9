/* Micro-kernels: register tiles.
 *
 * A micro-kernel  act.tile(ptr a, ptr b, i64 depth, ptr sums, ptr ahead…, ptr list or i64 inner)  holds rows x vectors accumulators in
 * registers through one single-block loop over k and leaves them in a scratch tile, or in their place when nothing is to be done with them. It
 * is a function of its own, so that register allocation sees nothing else, and one serves every product of the module with the same strides. */
#include "llvm/kernel.h"

#include <string.h>

struct CgMicro {
    MicroShape shape;
    LLVMValueRef fn;
};

static bool same_shape(const MicroShape *a, const MicroShape *b)
{
    bool same = a->a_row == b->a_row && a->a_k == b->a_k && a->b_k == b->b_k && a->rows == b->rows &&
                a->vectors == b->vectors && a->last == b->last && a->out == b->out && a->align == b->align &&
                a->clip == b->clip && a->more == b->more && a->n_ahead == b->n_ahead && a->span.source == b->span.source &&
                a->span.begin == b->span.begin && a->n_deep == b->n_deep && a->open == b->open && a->terms == b->terms &&
                a->n_far == b->n_far;
    for (uint32_t i = 0; same && i < a->n_deep; i++)
        same = (i == 0 || (i == 1 && a->open) || a->deep[i].count == b->deep[i].count) && a->deep[i].a == b->deep[i].a &&
               a->deep[i].b == b->deep[i].b && a->deep[i].ahead == b->deep[i].ahead;
    for (uint32_t i = 0; same && i < a->n_ahead; i++)
        same = a->ahead[i].step == b->ahead[i].step && a->ahead[i].level == b->ahead[i].level && a->ahead[i].deep == b->ahead[i].deep;
    return same;
}

enum { FIRST_AHEAD = 4 };

static LLVMValueRef load_b(Cg *c, const MicroShape *m, LLVMValueRef b, uint32_t vector)
{
    LLVMValueRef at = cg_at(c, c->f32, b, cg_i64(c, (int64_t)vector * c->lanes));
    bool clipped = vector + 1 == m->vectors && m->last < c->lanes;
    LLVMValueRef mask = clipped ? cg_lane_mask(c, c->lanes, m->last) : NULL;
    return cg_load_lanes(c, cg_vec(c->f32, c->lanes), at, 4, mask, NULL);
}

/* The B vectors of a step first, then for each row one broadcast of A and its multiply-adds: the order in which the
 * fewest registers are alive. */
static void micro_step(Cg *c, const MicroShape *m, MicroState *s)
{
    LLVMValueRef vector[MICRO_SUMS];
    for (uint32_t v = 0; v < m->vectors; v++)
        vector[v] = load_b(c, m, s->b, v);
    for (uint32_t r = 0; r < m->rows; r++) {
        LLVMValueRef one = cg_load(c, c->f32, cg_at(c, c->f32, s->a, cg_i64(c, (int64_t)r * m->a_row)), 4, NULL);
        LLVMValueRef all = cg_splat(c, one, c->lanes);
        for (uint32_t v = 0; v < m->vectors; v++)
            s->sum[r * m->vectors + v] = cg_fma(c, vector[v], all, s->sum[r * m->vectors + v]);
    }
}

/* Where sum i is kept. */
static LLVMValueRef sum_place(Cg *c, const MicroShape *m, LLVMValueRef sums, uint32_t i)
{
    int64_t at = i / m->vectors * m->out + (int64_t)(i % m->vectors) * c->lanes;
    return cg_at(c, c->f32, sums, cg_i64(c, at));
}

void micro_begin(Cg *c, const MicroShape *m, MicroState *s, LLVMValueRef sums)
{
    LLVMTypeRef type = cg_vec(c->f32, c->lanes);
    ACT_ASSERT(m->rows * m->vectors <= MICRO_SUMS);
    for (uint32_t i = 0; i < m->rows * m->vectors; i++)
        s->sum[i] = m->more ? cg_load(c, type, sum_place(c, m, sums, i), c->lanes * 4, NULL) : cg_num(type, 0);
}

/* Each of the state's values, one after the other; NULL behind the last. */
static LLVMValueRef *state_value(const MicroShape *m, MicroState *s, unsigned i)
{
    unsigned n = m->rows * m->vectors;
    if (i < 2)
        return i == 0 ? &s->a : &s->b;
    i -= 2;
    if (i < m->n_ahead)
        return &s->ahead[i];
    i -= m->n_ahead;
    if (s->far && i-- == 0)
        return &s->far;
    return i < n ? &s->sum[i] : NULL;
}

void micro_loop_begin(Cg *c, const MicroShape *m, MicroState *s, CgLoop *loop)
{
    LLVMValueRef *value;
    for (unsigned i = 0; (value = state_value(m, s, i)); i++)
        *value = cg_loop_phi(c, loop, *value, i < 2 ? i == 0 ? "a" : "b" : i < 2 + m->n_ahead ? "ahead" : "sum");
}

void micro_loop_end(Cg *c, const MicroShape *m, MicroState *s, CgLoop *loop)
{
    LLVMValueRef *value;
    for (unsigned i = 0; (value = state_value(m, s, i)); i++)
        cg_loop_next(loop, i, *value);
    cg_loop_end(c, loop);
    for (unsigned i = 0; (value = state_value(m, s, i)); i++)
        *value = loop->out[i];
}

void micro_terms(Cg *c, const MicroShape *m, MicroState *s, LLVMValueRef terms, bool always)
{
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), terms, cg_i64(c, 1), always, "k");
    loop->plain = true;
    micro_loop_begin(c, m, s, loop);
    for (uint32_t i = 0; i < m->n_ahead; i++)
        cg_prefetch(c, s->ahead[i], m->ahead[i].level);
    if (s->far) {
        cg_prefetch(c, s->far, 1);
        s->far = cg_at(c, c->i8, s->far, s->far_step);
    }
    if (m->a_row == 1) /* columns of A: the next tile's lie behind this one's, a line for each term; images' all in a few sets of the first level */
        cg_prefetch(c, cg_at(c, c->f32, s->a, cg_i64(c, 2 * (int64_t)m->rows - 1)), m->n_deep ? 2 : 1);
    micro_step(c, m, s);
    s->a = cg_at(c, c->f32, s->a, cg_i64(c, m->a_k));
    s->b = cg_at(c, c->f32, s->b, cg_i64(c, m->b_k));
    for (uint32_t i = 0; i < m->n_ahead; i++)
        s->ahead[i] = cg_at(c, c->i8, s->ahead[i], cg_i64(c, m->ahead[i].step));
    micro_loop_end(c, m, s, loop);
}

void micro_end(Cg *c, const MicroShape *m, const MicroState *s, LLVMValueRef sums)
{
    for (uint32_t i = 0; i < m->rows * m->vectors; i++) {
        bool clipped = m->clip && (i + 1) % m->vectors == 0;
        LLVMValueRef mask = clipped ? cg_lane_mask(c, c->lanes, m->clip) : NULL;
        cg_store_lanes(c, s->sum[i], sum_place(c, m, sums, i), m->align, mask, NULL);
    }
}

/* The terms with an entry of the list for each `rows` of them. */
static void micro_far(Cg *c, const MicroShape *m, MicroState *s, LLVMValueRef list)
{
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, m->n_far), cg_i64(c, 1), true, "far");
    loop->plain = true;
    micro_loop_begin(c, m, s, loop);
    LLVMValueRef entry = cg_at(c, c->i64, list, cg_mul(c, loop->var, cg_i64(c, 2)));
    s->far = cg_load(c, c->ptr, entry, 8, NULL);
    s->far_step = cg_load(c, c->i64, cg_at(c, c->i64, entry, cg_i64(c, 1)), 8, NULL);
    micro_terms(c, m, s, cg_i64(c, m->rows), true);
    s->far = NULL;
    micro_loop_end(c, m, s, loop);
}

/* The loops around the terms: each step begins where the one before began, moved on. */
static void micro_deep(Cg *c, const MicroShape *m, MicroState *s, unsigned level, LLVMValueRef count, LLVMValueRef inner)
{
    if (level == m->n_deep) {
        micro_terms(c, m, s, m->n_deep ? cg_i64(c, m->terms) : count, true);
        return;
    }
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    LLVMValueRef times = level == 0 ? count : level == 1 && m->open ? inner : cg_i64(c, m->deep[level].count);
    cg_loop_begin(c, loop, cg_i64(c, 0), times, cg_i64(c, 1), true, "deep");
    loop->plain = true;
    micro_loop_begin(c, m, s, loop);
    LLVMValueRef a = s->a, b = s->b, ahead[MICRO_AHEAD];
    memcpy(ahead, s->ahead, sizeof ahead);
    micro_deep(c, m, s, level + 1, NULL, inner);
    s->a = cg_at(c, c->f32, a, cg_i64(c, m->deep[level].a));
    s->b = cg_at(c, c->f32, b, cg_i64(c, m->deep[level].b));
    for (uint32_t i = 0; i < m->n_ahead; i++)
        if (m->ahead[i].deep)
            s->ahead[i] = cg_at(c, c->i8, ahead[i], cg_i64(c, m->deep[level].ahead));
    micro_loop_end(c, m, s, loop);
}

static void micro_body(Cg *c, const MicroShape *m, LLVMValueRef fn)
{
    MicroState *s = arena_new_of(c->arena, MicroState);
    LLVMValueRef sums = LLVMGetParam(fn, 3);
    s->a = LLVMGetParam(fn, 0);
    s->b = LLVMGetParam(fn, 1);
    for (uint32_t i = 0; i < m->n_ahead; i++)
        s->ahead[i] = LLVMGetParam(fn, FIRST_AHEAD + i);
    micro_begin(c, m, s, sums);
    LLVMValueRef last = m->n_far > 0 || m->open ? LLVMGetParam(fn, FIRST_AHEAD + m->n_ahead) : NULL;
    if (m->n_far > 0) {
        micro_far(c, m, s, last);
        micro_terms(c, m, s, cg_sub(c, LLVMGetParam(fn, 2), cg_i64(c, (int64_t)m->n_far * m->rows)), false);
    } else {
        micro_deep(c, m, s, 0, LLVMGetParam(fn, 2), last);
    }
    micro_end(c, m, s, sums);
    cg_return(c, NULL);
}

LLVMValueRef micro_kernel(Cg *c, const MicroShape *m)
{
    for (uint32_t i = 0; i < c->micro.n; i++)
        if (same_shape(&c->micro.at[i]->shape, m))
            return c->micro.at[i]->fn;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);
    Str name = str_printf(c->arena, "act.tile.%ux%u.%u", m->rows, m->vectors * c->lanes, c->micro.n);
    LLVMTypeRef params[FIRST_AHEAD + MICRO_AHEAD + 1] = {c->ptr, c->ptr, c->i64, c->ptr};
    ACT_ASSERT(m->n_far == 0 || m->n_deep == 0);
    for (uint32_t i = 0; i < m->n_ahead; i++)
        params[FIRST_AHEAD + i] = c->ptr;
    params[FIRST_AHEAD + m->n_ahead] = m->open ? c->i64 : c->ptr;
    LLVMValueRef fn = cg_function(c, name.p, c->void_t, params, FIRST_AHEAD + m->n_ahead + (m->open || m->n_far > 0), true);
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
