/* Parts of work buffers as buffers of their own.
 *
 * The steps of a recurrent layer read and write slices of one value: kernels that differ in the place where a slice begins, and in nothing
 * else. Code is shared by kernels that differ in the offsets of their buffers alone (llvm/share.c); so a part that begins behind the start
 * of its buffer becomes a buffer that begins there. What the kernel writes stays one with what it reads in the same bytes: of a buffer that
 * is written, all that the kernel touches is one part. */
#include "graph/loop_range.h"
#include "kernel/lower.h"

typedef struct Range {
    bool any;
    int64_t low, high;
} Range;

typedef VEC(uint32_t) BufList;

/* All that a kernel touches of a buffer. */
typedef struct Whole {
    uint32_t buf;
    bool written, fixed;   /* fixed: in a way whose range is not looked for */
    Range range;
} Whole;

typedef struct Rebase {
    Lower *l;
    LoopNest nest;
    Range arg[64];
    BufList written, read; /* buffers, some more than once */
    VEC(Whole) whole;
} Rebase;

static void note(Rebase *r, BufList *list, uint32_t buf) { *vec_push(r->l->arena, list) = buf; }

static void widen(Range *range, const LoopNest *nest, const Affine *at)
{
    int64_t low, high;
    if (!loop_range_fits(nest, at) || !loop_range(nest, at, &low, &high))
        return;
    range->low = !range->any || low < range->low ? low : range->low;
    range->high = !range->any || high > range->high ? high : range->high;
    range->any = true;
}

static int64_t count_of(const Rebase *r, Extent extent) { return extent_at(extent, r->l->g->batch); }

static void push(const Rebase *r, LoopNest *nest, Extent extent)
{
    ACT_ASSERT(nest->depth < LOOP_MAX_DEPTH);
    nest->at[nest->depth++] = (LoopLevel){.count = count_of(r, extent)};
}

static Whole *whole(Rebase *r, uint32_t buf)
{
    for (uint32_t i = 0; i < r->whole.n; i++)
        if (r->whole.at[i].buf == buf)
            return &r->whole.at[i];
    Whole *new = vec_push(r->l->arena, &r->whole);
    *new = (Whole){.buf = buf};
    return new;
}

static void touch(Rebase *r, const LoopNest *nest, uint32_t buf, const Affine *at)
{
    Whole *all = whole(r, buf);
    all->fixed |= !loop_range_fits(nest, at);
    widen(&all->range, nest, at);
}

static void value(Rebase *r, Sx x)
{
    uint64_t used = sx_args_used(r->l->program->sx, x);
    for (uint32_t i = 0; i < r->l->args.n; i++) {
        const LoopArg *arg = &r->l->args.at[i];
        if (!(used >> i & 1) || (arg->kind != LARG_LOAD && arg->kind != LARG_ROW))
            continue;
        if (arg->kind == LARG_ROW) {
            whole(r, arg->index)->fixed = true;
            continue;
        }
        widen(&r->arg[i], &r->nest, &arg->at);
        note(r, &r->read, arg->index);
        touch(r, &r->nest, arg->index, &arg->at);
    }
}

static bool same_bytes(const LoopBuf *a, const LoopBuf *b)
{
    return a->space == b->space && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

/* Does any of the list, or this one itself, lie in its bytes? */
static bool meets(const Rebase *r, uint32_t buf, const BufList *list)
{
    const LoopBuf *all = r->l->program->bufs.at;
    for (uint32_t i = 0; i < list->n; i++)
        if (same_bytes(&all[list->at[i]], &all[buf]))
            return true;
    return false;
}

/* The part [low, high] of a buffer. */
static uint32_t part(Rebase *r, uint32_t buf, const Range *range)
{
    LoopBuf out = r->l->program->bufs.at[buf];
    out.offset += 4 * (uint64_t)range->low;
    out.bytes = 4 * (uint64_t)(range->high - range->low + 1);
    while (out.offset % out.align)
        out.align /= 2;
    return lower_add_buf(r->l, out);
}

static bool movable(const Rebase *r, uint32_t buf, const Range *range)
{
    return range->any && range->low > 0 && r->l->program->bufs.at[buf].space == BUF_WORK;
}

/* ── what is read where ── */
static void ranges(Rebase *r, LoopStmt *list);

/* The loops over a tile's left side; false when there are too many. */
static bool left_nest(const Rebase *r, const LoopTile *t, LoopNest *nest, Affine *at)
{
    *nest = (LoopNest){0};
    *at = (Affine){.base = t->a_base};
    TileAxis axis[TILE_LEFT_MOST];
    uint32_t axes = loop_tile_left(t, axis);
    for (uint32_t i = 0; i < axes && axes <= LOOP_MAX_DEPTH; i++) {
        at->coef[nest->depth] = axis[i].a;
        push(r, nest, axis[i].extent);
    }
    return axes <= LOOP_MAX_DEPTH;
}

static void tile_body(Rebase *r, LoopTile *t)
{
    uint32_t depth = r->nest.depth;
    for (uint32_t i = 0; i < t->n_outer; i++)
        push(r, &r->nest, t->outer[i].extent);
    uint32_t block = r->nest.depth;
    push(r, &r->nest, (Extent){.fixed = (t->cols + t->width - 1) / t->width});
    for (uint32_t i = 0; i < t->n_over; i++)
        push(r, &r->nest, t->over[i].extent);
    push(r, &r->nest, t->rows);
    ACT_ASSERT(r->nest.depth < LOOP_MAX_DEPTH);
    r->nest.at[r->nest.depth++] = (LoopLevel){t->width, t->cols, block, true};
    ranges(r, t->body);
    r->nest.depth = depth;
}

static void ranges(Rebase *r, LoopStmt *list)
{
    LoopNest left;
    Affine at;
    for (LoopStmt *s = list; s; s = s->next) {
        switch (s->kind) {
        case LOOP_FOR:
            r->nest.at[r->nest.depth++] =
                (LoopLevel){count_of(r, s->loop.extent), s->loop.clamp, s->loop.clamp_depth, s->loop.mode == LOOP_VECTOR};
            ranges(r, s->loop.body);
            r->nest.depth--;
            break;
        case LOOP_ACC_NEW: break;
        case LOOP_ACC_ADD: value(r, s->acc.value); break;
        case LOOP_STORE:
        case LOOP_ADD:
            value(r, s->store.value);
            note(r, &r->written, s->store.buf);
            touch(r, &r->nest, s->store.buf, &s->store.at);
            whole(r, s->store.buf)->written = true;
            whole(r, s->store.buf)->fixed |= s->kind == LOOP_ADD;
            break;
        case LOOP_TILE:
            note(r, &r->read, s->tile.a);
            note(r, &r->read, s->tile.b);
            if (left_nest(r, &s->tile, &left, &at))
                touch(r, &left, s->tile.a, &at);
            else
                whole(r, s->tile.a)->fixed = true;
            whole(r, s->tile.b)->fixed = true;
            tile_body(r, &s->tile);
            break;
        }
    }
}

/* ── the left sides of products ── */
static void left_side(Rebase *r, LoopTile *t)
{
    LoopNest nest;
    Affine at;
    Range range = {0};
    if (!left_nest(r, t, &nest, &at))
        return;
    widen(&range, &nest, &at);
    if (!movable(r, t->a, &range) || t->a == t->b)
        return;
    t->a = part(r, t->a, &range);
    t->a_base -= range.low;
}

static void left_sides(Rebase *r, LoopStmt *list)
{
    for (LoopStmt *s = list; s; s = s->next) {
        if (s->kind == LOOP_FOR)
            left_sides(r, s->loop.body);
        else if (s->kind == LOOP_TILE && !meets(r, s->tile.a, &r->written))
            left_side(r, &s->tile);
    }
}

/* ── what is written ── with all that is read of it */
static void move(Rebase *r, LoopStmt *list, uint32_t from, uint32_t to, int64_t low)
{
    for (LoopStmt *s = list; s; s = s->next) {
        if (s->kind == LOOP_FOR)
            move(r, s->loop.body, from, to, low);
        if (s->kind == LOOP_STORE && s->store.buf == from) {
            s->store.buf = to;
            s->store.at.base -= low;
        }
        if (s->kind != LOOP_TILE)
            continue;
        if (s->tile.a == from) {
            s->tile.a = to;
            s->tile.a_base -= low;
        }
        move(r, s->tile.body, from, to, low);
    }
}

static bool alone(const Rebase *r, uint32_t buf)
{
    const LoopBuf *all = r->l->program->bufs.at;
    for (uint32_t i = 0; i < r->whole.n; i++)
        if (r->whole.at[i].buf != buf && same_bytes(&all[r->whole.at[i].buf], &all[buf]))
            return false;
    return true;
}

static void written(Rebase *r)
{
    for (uint32_t i = 0; i < r->whole.n; i++) {
        const Whole *all = &r->whole.at[i];
        if (!all->written || all->fixed || !movable(r, all->buf, &all->range) || !alone(r, all->buf))
            continue;
        uint32_t to = part(r, all->buf, &all->range);
        for (uint32_t k = 0; k < r->l->args.n; k++) {
            LoopArg *arg = &r->l->args.at[k];
            if (arg->kind != LARG_LOAD || arg->index != all->buf)
                continue;
            arg->index = to;
            arg->at.base -= all->range.low;
        }
        move(r, r->l->kernel.body, all->buf, to, all->range.low);
    }
}

/* ── what is only read ── */

/* Do both go through the same buffer side by side? Then they are one part: a place of its own for each of the vectors of a row, or for each
 * of the gates, would be a pointer of its own. */
static bool side_by_side(const LoopArg *a, const LoopArg *b)
{
    enum { NEAR = 4096 /* elements */ };
    int64_t apart = a->at.base - b->at.base;
    bool near = a->kind == LARG_LOAD && b->kind == LARG_LOAD && a->index == b->index && apart <= NEAR && -apart <= NEAR;
    for (unsigned d = 0; d < LOOP_MAX_DEPTH && near; d++)
        near = a->at.coef[d] == b->at.coef[d];
    return near;
}

/* Args side by side get the range of all of them. */
static void join_neighbours(Rebase *r)
{
    for (bool grown = true; grown;) {
        grown = false;
        for (uint32_t i = 0; i < r->l->args.n; i++)
            for (uint32_t k = 0; k < r->l->args.n; k++) {
                Range *to = &r->arg[i];
                const Range *from = &r->arg[k];
                if (!to->any || !from->any || (from->low >= to->low && from->high <= to->high) ||
                    !side_by_side(&r->l->args.at[i], &r->l->args.at[k]))
                    continue;
                to->low = from->low < to->low ? from->low : to->low;
                to->high = from->high > to->high ? from->high : to->high;
                grown = true;
            }
    }
}

void lower_rebase(Lower *l)
{
    Rebase r = {.l = l};
    ranges(&r, l->kernel.body);
    join_neighbours(&r);
    for (uint32_t i = 0; i < l->args.n; i++) {
        LoopArg *arg = &l->args.at[i];
        if (arg->kind != LARG_LOAD || !movable(&r, arg->index, &r.arg[i]) || meets(&r, arg->index, &r.written))
            continue;
        arg->index = part(&r, arg->index, &r.arg[i]);
        arg->at.base -= r.arg[i].low;
    }
    left_sides(&r, l->kernel.body);
    written(&r);
}
