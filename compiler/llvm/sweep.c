/* Tiles with more than one axis of rows or terms: convolutions, products of their own for each sample.
 *
 *     for group of places                           a place: one step of the axes around the rows (sample, line of an image)
 *       for chunk of the outermost axis of terms    only when the depth is cut; its part of B is packed if it has to be
 *         for place of the group
 *           rows in register tiles                  tile.c
 *       body over the group's sums
 *
 * When the depth is not cut the body follows each register tile, and B is packed once for all places. */
#include "llvm/tile.h"

typedef struct Sweep {
    Kernel *k;
    const LoopTile *t;
    TileBlock *b;
    Heights h;
    LLVMValueRef a_from, b_start;
    LLVMValueRef first, last;   /* places */
    LLVMValueRef row, rows_end; /* rows of each */
    LLVMValueRef sums;          /* of the group */
    LLVMValueRef var[TILE_AXES]; /* of the place */
    LLVMValueRef fetch;         /* element of A from which the first place's tiles ask for what comes later; NULL: they do not */
    int64_t fetch_place;        /* elements from one place to the next */
    int64_t beside_place[TILE_BESIDE]; /* bytes a place asks for on behalf of the kernel's neighbours */
    int64_t run;                /* rows of one place, at most */
    int64_t unit;               /* terms of one step of the outermost axis */
} Sweep;

static LLVMValueRef units(Kernel *k, const LoopTile *t)
{
    return kernel_extent(k, t->n_deep ? t->deep[0].extent : t->depth);
}

static int64_t places_of(const LoopTile *t)
{
    int64_t inner = 1;
    for (uint32_t i = 1; i < t->n_over; i++)
        inner *= t->over[i].extent.fixed;
    return inner;
}

/* Where the part of this place and block of columns begins of what is asked for on behalf of the kernel's neighbours. */
static void beside_place(Sweep *s, LLVMValueRef place)
{
    Kernel *k = s->k;
    Cg *c = k->c;
    int64_t inner = places_of(s->t);
    LLVMValueRef sample = s->var[0], block = k->level[k->depth - 1].var;
    for (uint32_t i = 0; i < k->k->n_ahead && i < TILE_BESIDE; i++) {
        const LoopAhead *ahead = &k->k->ahead[i];
        if (s->b->beside_row[i] == 0)
            continue;
        LLVMValueRef row = ahead->next ? cg_add(c, sample, cg_sub(c, k->hi, k->lo)) : sample;
        LLVMValueRef part = cg_add(c, cg_sub(c, place, cg_mul(c, sample, cg_i64(c, inner))), cg_mul(c, block, cg_i64(c, inner)));
        LLVMValueRef at = cg_add(c, cg_mul(c, row, cg_i64(c, ahead->row * 4)), cg_i64(c, ahead->base * 4));
        at = cg_add(c, at, cg_mul(c, part, cg_i64(c, s->beside_place[i])));
        s->b->beside[i] = cg_at(c, c->i8, kernel_buffer(k, ahead->buf), at);
    }
}

/* The variables of the axes at `place`, and what they add to A. */
static void enter_place(Sweep *s, LLVMValueRef place)
{
    Kernel *k = s->k;
    Cg *c = k->c;
    const LoopTile *t = s->t;
    LLVMValueRef *var = s->var, a = s->a_from, at = place;
    for (uint32_t i = t->n_over; i-- > 0;) {
        LLVMValueRef size = cg_i64(c, t->over[i].extent.fixed), up = i == 0 ? NULL : cg_udiv(c, at, size);
        var[i] = up ? cg_sub(c, at, cg_mul(c, up, size)) : at;
        at = up;
        a = cg_add(c, a, cg_mul(c, var[i], cg_i64(c, t->over[i].a)));
    }
    if (s->fetch)
        s->b->fetch = cg_add(c, s->fetch, cg_mul(c, place, cg_i64(c, s->fetch_place)));
    beside_place(s, place);
    for (uint32_t i = 0; i < t->n_over; i++)
        kernel_push(k, var[i], 1, t->over[i].extent);
    s->b->a_from = a;
}

static void leave_place(Sweep *s)
{
    for (uint32_t i = 0; i < s->t->n_over; i++)
        kernel_pop(s->k);
    s->b->a_from = s->a_from;
}

/* ── lines of zeros ── */

/* `line` in steps of the axis of terms, rounded up, from 0 to `most`. */
static LLVMValueRef steps_up_to(Cg *c, LLVMValueRef line, int64_t step, LLVMValueRef most)
{
    LLVMValueRef zero = cg_i64(c, 0), inside = cg_select(c, cg_icmp(c, LLVMIntSGT, line, zero), line, zero);
    return cg_imin(c, cg_udiv(c, cg_add(c, inside, cg_i64(c, step - 1)), cg_i64(c, step)), most);
}

/* The place's rows over units [unit, unit + count) of the outermost axis of terms, whose part of B stands at `b`: without the lines of the
 * border, so perhaps over none of them when the depth is cut. */
static void place_rows(Sweep *s, LLVMValueRef row, LLVMValueRef end, LLVMValueRef b, LLVMValueRef unit,
                       LLVMValueRef count)
{
    Cg *c = s->k->c;
    const LoopTile *t = s->t;
    const TileBorder *border = &t->border;
    LLVMValueRef zero = cg_i64(c, 0);
    if (border->end == 0 || border->deep > 1) {
        tile_rows(s->k, t, s->b, &s->h, row, end, b, zero, count);
        return;
    }
    LLVMValueRef first = cg_mul(c, s->var[border->over], cg_i64(c, border->over_step)), all = cg_i64(c, t->deep[border->deep].extent.fixed);
    LLVMValueRef from = steps_up_to(c, cg_sub(c, cg_i64(c, border->begin), first), border->deep_step, all);
    LLVMValueRef to = steps_up_to(c, cg_sub(c, cg_i64(c, border->end), first), border->deep_step, all);
    int64_t b_step = t->deep[border->deep].b;
    if (s->b->pack) {
        b_step = tile_most(s->k, t->depth) * s->b->out;
        for (uint32_t i = border->deep + 1; i < t->n_deep; i++)
            b_step *= tile_most(s->k, t->deep[i].extent);
    }
    CgIf some;
    bool cut = border->deep == 0 && s->b->chunked;
    if (border->deep == 0) {
        LLVMValueRef behind = cg_sub(c, from, unit);
        to = cg_imin(c, cg_sub(c, to, unit), count);
        from = cg_select(c, cg_icmp(c, LLVMIntSGT, behind, zero), behind, zero);
    }
    if (cut)
        cg_if(c, &some, cg_icmp(c, LLVMIntSLT, from, to), "lines");
    LLVMValueRef a_from = s->b->a_from, steps = cg_sub(c, to, from);
    s->b->a_from = cg_add(c, a_from, cg_mul(c, from, cg_i64(c, t->deep[border->deep].a)));
    b = cg_at(c, c->f32, b, cg_mul(c, from, cg_i64(c, b_step)));
    s->b->inner = border->deep == 1 ? steps : NULL;
    tile_rows(s->k, t, s->b, &s->h, row, end, b, zero, border->deep == 0 ? steps : count);
    s->b->inner = NULL;
    s->b->a_from = a_from;
    if (cut)
        cg_endif(c, &some);
}

static LLVMValueRef b_at(Sweep *s, LLVMValueRef unit, LLVMValueRef count)
{
    Cg *c = s->k->c;
    if (s->b->pack)
        return tile_pack(s->k, s->t, s->b, s->b_start, unit, count);
    int64_t step = s->t->n_deep ? s->t->deep[0].b : s->t->b_k;
    return cg_at(c, c->f32, s->b_start, cg_mul(c, unit, cg_i64(c, step)));
}

static CgLoop *each_place(Sweep *s, LLVMValueRef from, LLVMValueRef to)
{
    CgLoop *loop = arena_new_of(s->k->c->arena, CgLoop);
    cg_loop_begin(s->k->c, loop, from, to, cg_i64(s->k->c, 1), true, "place");
    enter_place(s, loop->var);
    if (s->b->chunked) {
        LLVMValueRef rows = cg_mul(s->k->c, cg_sub(s->k->c, loop->var, from), cg_i64(s->k->c, s->run));
        s->b->sums = cg_at(s->k->c, s->k->c->f32, s->sums, cg_mul(s->k->c, rows, cg_i64(s->k->c, s->b->out)));
    }
    return loop;
}

static void next_place(Sweep *s, CgLoop *loop)
{
    leave_place(s);
    cg_loop_end(s->k->c, loop);
}

static void whole_depth(Sweep *s)
{
    Cg *c = s->k->c;
    LLVMValueRef zero = cg_i64(c, 0), count = units(s->k, s->t), b = b_at(s, zero, count);
    CgLoop *loop = each_place(s, s->first, s->last);
    place_rows(s, s->row, s->rows_end, b, zero, count);
    next_place(s, loop);
}

/* Places [from, to), rows [row, end), chunk after chunk of the depth. */
static void in_chunks(Sweep *s, LLVMValueRef from, LLVMValueRef to, LLVMValueRef row, LLVMValueRef end)
{
    Kernel *k = s->k;
    Cg *c = k->c;
    int64_t step = s->t->n_deep ? s->t->deep[0].a : s->t->a_k, most = s->b->chunk / s->unit;
    LLVMValueRef rows = cg_mul(c, cg_sub(c, to, from), cg_i64(c, s->run)), all = units(k, s->t), a_from = s->a_from;
    s->b->sums = s->sums;
    tile_zero_sums(k, s->b, rows);
    CgLoop *chunk = arena_new_of(c->arena, CgLoop);
    cg_loop_begin(c, chunk, cg_i64(c, 0), all, cg_i64(c, most), true, "chunk");
    LLVMValueRef count = cg_imin(c, cg_i64(c, most), cg_sub(c, all, chunk->var)), b = b_at(s, chunk->var, count);
    s->a_from = cg_add(c, a_from, cg_mul(c, chunk->var, cg_i64(c, step)));
    if (tile_wants_next(k, s->t, s->b))
        s->b->next = tile_next_source(k, s->t, s->b_start, cg_add(c, chunk->var, count), all, s->t->n_deep ? s->t->deep[0].b : s->t->b_k);
    CgLoop *loop = each_place(s, from, to);
    s->b->before = cg_mul(c, chunk->var, cg_i64(c, s->unit));
    place_rows(s, row, end, b, chunk->var, count);
    s->b->before = NULL;
    next_place(s, loop);
    cg_loop_end(c, chunk);
    s->a_from = a_from;
    loop = each_place(s, from, to);
    tile_body(k, s->t, s->b, row, cg_sub(c, end, row));
    next_place(s, loop);
}

static void groups(Sweep *s, int64_t places, int64_t rows)
{
    Cg *c = s->k->c;
    CgLoop *group = arena_new_of(c->arena, CgLoop), *part = arena_new_of(c->arena, CgLoop);
    s->sums = cg_alloca(c, s->k->fn, LLVMArrayType2(c->f32, (uint64_t)(places * rows * s->b->out)), 64);
    cg_loop_begin(c, group, s->first, s->last, cg_i64(c, places), true, "group");
    LLVMValueRef to = cg_imin(c, cg_add(c, group->var, cg_i64(c, places)), s->last);
    if (rows == s->run) {
        in_chunks(s, group->var, to, s->row, s->rows_end);
    } else {
        int64_t run = s->run;
        s->run = rows;
        cg_loop_begin(c, part, s->row, s->rows_end, cg_i64(c, rows), true, "part");
        LLVMValueRef end = cg_imin(c, cg_add(c, part->var, cg_i64(c, rows)), s->rows_end);
        in_chunks(s, group->var, to, part->var, end);
        cg_loop_end(c, part);
        s->run = run;
    }
    cg_loop_end(c, group);
}

/* A that no cache holds is read where it lies, a line here and there: too many streams for the processor to see. Places follow one another
 * as A does, so a walk through all of A at an even pace is always just ahead of them: beyond the terms of one place by one more. */
static void ask_ahead(Sweep *s)
{
    Kernel *k = s->k;
    Cg *c = k->c;
    const LoopTile *t = s->t;
    const LoopBuf *from = &k->p->bufs.at[t->a];
    uint64_t near = c->target->l2;
    int64_t inner = 1, rows = s->run / s->h.at[0] * s->h.at[0], reach = tile_most(k, t->depth);
    for (uint32_t i = 1; i < t->n_over; i++)
        inner *= t->over[i].extent.fixed;
    for (uint32_t i = 0; i < t->n_deep; i++)
        reach += tile_most(k, t->deep[i].extent) * t->deep[i].a;
    if (!t->n_over || t->a_k != 1 || t->over[0].a <= 0 || reach <= 0 || t->over[0].extent.fixed == 1 ||
        (from->bytes <= near && (from->space != BUF_WORK || k->p->work_bytes <= near)))
        return;
    int64_t places = inner * rows;
    s->b->fetch_row = (t->over[0].a + places - 1) / places;
    s->fetch_place = t->over[0].a / inner;
    s->fetch = cg_add(c, s->a_from, cg_i64(c, t->a_base + reach));
}

/* The kernel's neighbours' values are asked for in equal parts by all places, blocks of columns and rows. */
static void ask_beside(Sweep *s)
{
    const LoopKernel *k = s->k->k;
    int64_t rows = s->run / s->h.at[0] * s->h.at[0], parts = places_of(s->t) * tile_blocks(s->t);
    for (uint32_t i = 0; i < k->n_ahead && i < TILE_BESIDE; i++) {
        s->beside_place[i] = ((int64_t)k->ahead[i].bytes + parts - 1) / parts;
        s->b->beside_row[i] = (uint32_t)((s->beside_place[i] + rows - 1) / rows);
    }
}

void tile_sweep(Kernel *k, const LoopTile *t, TileBlock *b, LLVMValueRef a_from, LLVMValueRef b_from)
{
    enum { PACKED_BYTES = 64 << 10, MOST_SUMS = 256 << 10 };
    Cg *c = k->c;
    bool split = k->k->split == SPLIT_OUTER, cut_rows = split && t->cut == t->n_outer + t->n_over;
    Sweep s = {.k = k, .t = t, .b = b, .a_from = a_from, .unit = 1, .run = tile_most(k, t->rows)};
    s.h = tile_heights(k, t, b->vectors, cut_rows || b->row);
    s.b_start = cg_at(c, c->f32, kernel_buffer(k, t->b), cg_add(c, b_from, cg_i64(c, t->b_base)));
    s.row = b->row ? b->row : cut_rows ? k->lo : cg_i64(c, 0);
    s.rows_end = b->rows_end ? b->rows_end : cut_rows ? k->hi : kernel_extent(k, t->rows);
    s.first = cg_i64(c, 0);
    s.last = cg_i64(c, 1);
    if (t->n_over) {
        int64_t inner = 1;
        for (uint32_t i = 1; i < t->n_over; i++)
            inner *= t->over[i].extent.fixed;
        bool cut = split && t->cut == t->n_outer;
        ACT_ASSERT(inner > 0 && (!split || cut || cut_rows || t->cut < t->n_outer));
        s.first = cut ? cg_mul(c, k->lo, cg_i64(c, inner)) : s.first;
        s.last = cg_mul(c, cut ? k->hi : kernel_extent(k, t->over[0].extent), cg_i64(c, inner));
    }
    for (uint32_t i = 1; i <= t->n_deep; i++)
        s.unit *= i < t->n_deep ? tile_most(k, t->deep[i].extent) : tile_most(k, t->depth);
    int64_t steps = tile_most(k, t->n_deep ? t->deep[0].extent : t->depth), lanes = c->lanes;
    bool pack = tile_wants_packing(k, t, b);
    b->terms = steps * s.unit;
    ask_ahead(&s);
    ask_beside(&s);
    int64_t most = (pack ? PACKED_BYTES : (int64_t)c->target->l2 / 8) / (b->out * 4) / s.unit;
    int64_t chunks = (steps + (most > 0 ? most : 1) - 1) / (most > 0 ? most : 1), chunk = (steps + chunks - 1) / chunks;
    if (!t->n_deep)
        chunk = (chunk + lanes - 1) / lanes * lanes;
    b->chunked = chunk < steps && (pack || tile_rows_most(k, t) > s.h.at[0]);
    b->chunk = (b->chunked ? chunk : steps) * s.unit;
    b->group = s.h.at[0];
    if (pack) {
        uint64_t terms = (uint64_t)((b->chunk + lanes - 1) / lanes * lanes + (t->b_turn ? lanes : 0));
        b->pack = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, terms * b->out), 64);
        b->b_k = b->out;
    }
    if (!b->chunked) {
        b->sums = cg_alloca(c, k->fn, LLVMArrayType2(c->f32, (uint64_t)b->group * b->out), 64);
        whole_depth(&s);
        return;
    }
    /* what the places of a group read of A, and their sums, stay in the second-level cache from chunk to chunk */
    int64_t bytes = b->out * 4, places = MOST_SUMS / (s.run * bytes), rows = s.run, top = s.h.at[0];
    int64_t read = t->n_over ? t->over[t->n_over - 1].a * 4 : 0, near = c->target->l2 / 4;
    if (rows * bytes > MOST_SUMS)
        rows = MOST_SUMS / bytes / top * top;
    if (read > 0 && near / read < places)
        places = near / read;
    groups(&s, places > 0 ? places : 1, rows);
}
