/* Products with a single column: the layer that ends in one number, a discriminator's or a regression's.
 *
 * A register tile would leave all lanes but one idle. So the lanes go along the terms instead: a row is multiplied with the column vector
 * by vector, and the sums of as many rows as there are lanes become one vector by halves, lane i with i + w/2, then w/4 …; a row
 * that is left over by itself adds up in the same order. So what a row comes to does not depend on the rows beside it. The body is run with
 * the rows as lanes, too, over several vectors of rows at a time, so that one's long chain of operations hides behind another's. */
#include "llvm/tile.h"

enum { GROUP = 4 /* vectors of rows */, LEAST_TERMS = 4, IN_A_LINE = 4 /* vectors of terms */ };

bool tile_rows_are_lanes(const Kernel *k, const LoopTile *t)
{
    unsigned d = k->depth;
    uint64_t used = 0;
    bool near = t->cols == 1;
    for (const LoopStmt *s = t->body; s; s = s->next) {
        used |= sx_args_used(k->p->sx, s->store.value);
        near = near && s->store.at.coef[d] == 1;
    }
    for (uint32_t i = 0; i < k->k->n_arg; i++)
        if (used >> i & 1 && k->k->arg[i].kind == LARG_LOAD)
            near = near && k->k->arg[i].at.coef[d] >= 0 && k->k->arg[i].at.coef[d] <= 1;
    return near;
}

void tile_body_of_lanes(Kernel *k, const LoopTile *t, LLVMValueRef sums, int64_t step, LLVMValueRef row, LLVMValueRef rows)
{
    k->tile = sums;
    k->tile_row = row;
    k->tile_step = step;
    kernel_vectors(k, row, cg_add(k->c, row, rows), 1, t->rows, t->body);
    k->tile = k->tile_row = NULL;
}

bool tile_is_dot(const Kernel *k, const LoopTile *t)
{
    bool column = t->b_turn > 0 ? t->depth.fixed <= t->b_turn || t->b_k == t->b_turn : t->b_k == 1; /* without gaps */
    return column && t->a_k == 1 && t->depth.fixed >= LEAST_TERMS && tile_rows_are_lanes(k, t);
}

typedef struct Dot {
    Kernel *k;
    const LoopTile *t;
    LLVMValueRef column; /* where it lies */
} Dot;

static LLVMValueRef load(const Dot *d, LLVMValueRef from, LLVMValueRef term, uint32_t buf, LLVMValueRef mask)
{
    Cg *c = d->k->c;
    return cg_load_lanes(c, cg_vec(c->f32, c->lanes), cg_at(c, c->f32, from, term), 4, mask, &d->k->alias[buf]);
}

/* One vector of terms of `rows` rows, the first at `a`. */
static void terms(const Dot *d, LLVMValueRef a, uint32_t rows, LLVMValueRef term, LLVMValueRef mask, LLVMValueRef *sum)
{
    Cg *c = d->k->c;
    LLVMValueRef column = load(d, d->column, term, d->t->b, mask);
    for (uint32_t r = 0; r < rows; r++) {
        LLVMValueRef row = cg_at(c, c->f32, a, cg_i64(c, r * d->t->a_row));
        sum[r] = cg_fma(c, load(d, row, term, d->t->a, mask), column, sum[r]);
    }
}

static void all_terms(const Dot *d, LLVMValueRef a, uint32_t rows, LLVMValueRef *sum)
{
    Cg *c = d->k->c;
    int64_t lanes = c->lanes, whole = d->t->depth.fixed / lanes * lanes, rest = d->t->depth.fixed - whole;
    for (uint32_t r = 0; r < rows; r++)
        sum[r] = cg_num(cg_vec(c->f32, c->lanes), 0);
    if (whole > IN_A_LINE * lanes) {
        CgLoop *loop = arena_new_of(c->arena, CgLoop);
        cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, whole), cg_i64(c, lanes), true, "k");
        loop->plain = true;
        for (uint32_t r = 0; r < rows; r++)
            sum[r] = cg_loop_phi(c, loop, sum[r], "sum");
        terms(d, a, rows, loop->var, NULL, sum);
        for (uint32_t r = 0; r < rows; r++)
            cg_loop_next(loop, r, sum[r]);
        cg_loop_end(c, loop);
        for (uint32_t r = 0; r < rows; r++)
            sum[r] = loop->out[r];
    } else {
        for (int64_t at = 0; at < whole; at += lanes)
            terms(d, a, rows, cg_i64(c, at), NULL, sum);
    }
    if (rest)
        terms(d, a, rows, cg_i64(c, whole), cg_lane_mask(c, c->lanes, (unsigned)rest), sum);
}

/* As many sums as lanes become one vector: lane r is the sum of all lanes of sum[r]. */
static LLVMValueRef join_rows(Cg *c, LLVMValueRef *sum)
{
    unsigned n = c->lanes;
    for (unsigned step = n / 2; step; step /= 2) {
        int low[64], high[64];
        for (unsigned lane = 0; lane < n; lane++) { /* lanes of the second operand count from n */
            low[lane] = (int)(lane & step ? n + lane - step : lane);
            high[lane] = (int)(lane & step ? n + lane : lane + step);
        }
        for (unsigned r = 0; r < step; r++)
            sum[r] = cg_fadd(c, cg_shuffle2(c, sum[r], sum[r + step], low, n), cg_shuffle2(c, sum[r], sum[r + step], high, n));
    }
    return sum[0];
}

static LLVMValueRef join_row(Cg *c, LLVMValueRef sum)
{
    for (unsigned w = c->lanes / 2; w; w /= 2) {
        int low[32], high[32];
        for (unsigned i = 0; i < w; i++)
            low[i] = (int)i, high[i] = (int)(i + w);
        sum = w == 1 ? cg_fadd(c, cg_lane(c, sum, 0), cg_lane(c, sum, 1))
                     : cg_fadd(c, cg_shuffle(c, sum, low, w), cg_shuffle(c, sum, high, w));
    }
    return sum;
}

/* Sums of the rows [from, to) to `out`, `rows` at a time; the first row that is left. */
static LLVMValueRef rows_of(const Dot *d, LLVMValueRef base, LLVMValueRef from, LLVMValueRef to, uint32_t rows, LLVMValueRef out)
{
    Cg *c = d->k->c;
    LLVMValueRef sum[64], last = cg_sub(c, to, cg_i64(c, rows - 1));
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, loop, from, last, cg_i64(c, rows), false, "rows");
    LLVMValueRef next = cg_loop_phi(c, loop, from, "next");
    LLVMValueRef a = cg_add(c, cg_mul(c, loop->var, cg_i64(c, d->t->a_row)), cg_i64(c, d->t->a_base));
    all_terms(d, cg_at(c, c->f32, kernel_buffer(d->k, d->t->a), a), rows, sum);
    LLVMValueRef at = cg_at(c, c->f32, out, cg_sub(c, loop->var, base));
    cg_store(c, rows == 1 ? join_row(c, sum[0]) : join_rows(c, sum), at, 4, &d->k->beside);
    cg_loop_next(loop, 0, cg_add(c, next, cg_i64(c, rows)));
    cg_loop_end(c, loop);
    return loop->out[0];
}

void tile_dot(Kernel *k, const LoopTile *t, LLVMValueRef from, LLVMValueRef to, LLVMValueRef column)
{
    Cg *c = k->c;
    Dot d = {k, t, column};
    uint32_t most = GROUP * c->lanes;
    LLVMValueRef sums = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, most), 64);
    CgLoop *group = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, group, from, to, cg_i64(c, most), true, "group");
    LLVMValueRef row = group->var, end = cg_imin(c, cg_add(c, row, cg_i64(c, most)), to);
    LLVMValueRef left = rows_of(&d, row, row, end, c->lanes, sums);
    rows_of(&d, row, left, end, 1, sums);
    tile_body_of_lanes(k, t, sums, 1, row, cg_sub(c, end, row));
    cg_loop_end(c, group);
}
