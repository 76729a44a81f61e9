/* Parts of work buffers as buffers of their own.
 *
 * The steps of a recurrent layer read and write slices of one value: kernels that differ in the place where a slice begins, and in nothing
 * else. Code is shared by kernels that differ in the offsets of their buffers alone (llvm/share.c); so a part that begins behind the start
 * of its buffer becomes a buffer that begins there. What the kernel writes stays one with what it reads in the same bytes. */
#include "graph/loop_range.h"
#include "kernel/lower.h"

typedef struct Range {
    bool any;
    int64_t low, high;
} Range;

typedef VEC(uint32_t) BufList;

typedef struct Rebase {
    Lower *l;
    LoopNest nest;
    Range arg[64];
    BufList written, read; /* buffers, some more than once */
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

static void value(Rebase *r, Sx x)
{
    uint64_t used = sx_args_used(r->l->program->sx, x);
    for (uint32_t i = 0; i < r->l->args.n; i++)
        if (used >> i & 1 && r->l->args.at[i].kind == LARG_LOAD) {
            widen(&r->arg[i], &r->nest, &r->l->args.at[i].at);
            note(r, &r->read, r->l->args.at[i].index);
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
            break;
        case LOOP_TILE:
            note(r, &r->read, s->tile.a);
            note(r, &r->read, s->tile.b);
            tile_body(r, &s->tile);
            break;
        }
    }
}

/* ── the left sides of products ── */
static void left_side(Rebase *r, LoopTile *t)
{
    LoopNest nest = {0};
    Affine at = {.base = t->a_base};
    if (t->n_outer + t->n_over + t->n_deep + 2 > LOOP_MAX_DEPTH)
        return;
    const TileAxis row = {t->rows, t->a_row, 0}, term = {t->depth, t->a_k, 0};
    const TileAxis *run[] = {t->outer, t->over, &row, t->deep, &term};
    const uint32_t n[] = {t->n_outer, t->n_over, 1, t->n_deep, 1};
    for (uint32_t k = 0; k < sizeof n / sizeof *n; k++)
        for (uint32_t i = 0; i < n[k]; i++) {
            at.coef[nest.depth] = run[k][i].a;
            push(r, &nest, run[k][i].extent);
        }
    Range range = {0};
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

/* ── what is written ── one store, so that all that the kernel writes there is known */
static void store(Rebase *r)
{
    LoopStmt *s = r->l->kernel.body;
    for (r->nest.depth = 0; s->kind == LOOP_FOR && s->next == NULL; s = s->loop.body)
        r->nest.at[r->nest.depth++] =
            (LoopLevel){count_of(r, s->loop.extent), s->loop.clamp, s->loop.clamp_depth, s->loop.mode == LOOP_VECTOR};
    Range range = {0};
    if (s->kind != LOOP_STORE || s->next != NULL)
        return;
    widen(&range, &r->nest, &s->store.at);
    if (!movable(r, s->store.buf, &range) || meets(r, s->store.buf, &r->read))
        return;
    s->store.buf = part(r, s->store.buf, &range);
    s->store.at.base -= range.low;
}

void lower_rebase(Lower *l)
{
    Rebase r = {.l = l};
    ranges(&r, l->kernel.body);
    for (uint32_t i = 0; i < l->args.n; i++) {
        LoopArg *arg = &l->args.at[i];
        if (arg->kind != LARG_LOAD || !movable(&r, arg->index, &r.arg[i]) || meets(&r, arg->index, &r.written))
            continue;
        arg->index = part(&r, arg->index, &r.arg[i]);
        arg->at.base -= r.arg[i].low;
    }
    left_sides(&r, l->kernel.body);
    store(&r);
}
