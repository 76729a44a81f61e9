/* The rules of loop programs. Ranges are checked at n = batch and at n = 1: a caller's array shrinks with n, so a
 * loop that does not would leave it only there. */
#include "graph/loop.h"

#include "graph/loop_range.h"

#include <stdlib.h>

typedef struct Write { /* one store, as the rules about several of them want it */
    uint32_t buf;
    Affine at;
    const LoopStmt *list; /* the statement list it stands in */
    bool apart;           /* whatever meets, meets on one thread and in order */
    int64_t low, high;    /* places in the first iteration of the outermost loop */
} Write;

typedef struct Verify {
    const LoopProgram *program;
    const LoopKernel *kernel;
    Arena *arena;
    size_t batch, n;
    LoopNest nest;
    bool *in_scope;      /* by accumulator */
    LoopFold *fold;
    uint32_t *open;      /* by accumulator: enclosing loops that add to it */
    bool in_tile;
    const LoopStmt *list;
    VEC(Write) writes;   /* of the kernel */
    const char *why;     /* the first broken rule */
} Verify;

static bool __attribute__((format(printf, 2, 3))) broken(Verify *v, const char *format, ...)
{
    if (v->why)
        return false;
    va_list args;
    va_start(args, format);
    Str what = str_vprintf(v->arena, format, args);
    va_end(args);
    if (v->kernel)
        what = str_printf(v->arena, "kernel `" STR_FMT "`: " STR_FMT, STR_ARG(v->kernel->name), STR_ARG(what));
    v->why = what.p;
    return false;
}

static const char *buf_name(Verify *v, uint32_t buf)
{
    Str name = v->program->bufs.at[buf].name;
    return name.n ? str_c(v->arena, name) : str_printf(v->arena, "b%u", buf).p;
}

/* ── buffers ── */
static bool in_block(BufSpace space) { return space == BUF_PARAM || space == BUF_STATE || space == BUF_WORK; }

static bool by_batch(BufSpace space) /* dense [n][shape] in the caller's memory */
{
    return space == BUF_INPUT || space == BUF_TARGET || space == BUF_OUTPUT || space == BUF_PREDICTION;
}

static bool check_buf(Verify *v, uint32_t i)
{
    const LoopBuf *buf = &v->program->bufs.at[i];
    const char *name = buf_name(v, i);
    if ((unsigned)buf->space > BUF_LOSS || (unsigned)buf->dtype > DT_I32)
        return broken(v, "buffer `%s` is of no kind", name);
    if (buf->bytes == 0 || buf->bytes % 4 || buf->bytes > (uint64_t)LOOP_NUMBER_MAX)
        return broken(v, "buffer `%s` has %llu bytes", name, (unsigned long long)buf->bytes);
    if (buf->align < 4 || (buf->align & (buf->align - 1)) || buf->offset % buf->align)
        return broken(v, "buffer `%s` does not lie at a multiple of its alignment %u", name, buf->align);
    if (buf->space == BUF_WORK && buf->offset + buf->bytes > v->program->work_bytes)
        return broken(v, "buffer `%s` leaves the %llu bytes of the work block", name,
                      (unsigned long long)v->program->work_bytes);
    if (!in_block(buf->space) && buf->offset)
        return broken(v, "buffer `%s` is an array of the caller and has no offset", name);
    if (by_batch(buf->space) && buf->bytes % (4 * v->batch))
        return broken(v, "buffer `%s` does not hold %zu equal rows", name, v->batch);
    return true;
}

/* Elements that exist when the call has v->n rows. */
static int64_t buf_count(const Verify *v, uint32_t i)
{
    const LoopBuf *buf = &v->program->bufs.at[i];
    return (int64_t)(by_batch(buf->space) ? buf->bytes / v->batch * v->n : buf->bytes) / 4;
}

/* ── places ── */
static bool check_affine(Verify *v, const LoopNest *nest, const Affine *at)
{
    for (uint32_t d = nest->depth; d < LOOP_MAX_DEPTH; d++)
        if (at->coef[d])
            return broken(v, "an index uses i%u outside that loop", d);
    return loop_range_fits(nest, at) || broken(v, "an index is too large");
}

static bool check_place(Verify *v, const LoopNest *nest, uint32_t buf, const Affine *at, const char *doing)
{
    if (buf >= v->program->bufs.n)
        return broken(v, "there is no buffer %u", buf);
    if (!check_affine(v, nest, at))
        return false;
    int64_t low, high;
    if (loop_range(nest, at, &low, &high) && (low < 0 || high >= buf_count(v, buf)))
        return broken(v, "%s `%s` from %lld to %lld, but it has %lld elements at n = %zu", doing, buf_name(v, buf),
                      (long long)low, (long long)high, (long long)buf_count(v, buf), v->n);
    return true;
}

/* A place in a row that data chooses: any of them. */
static bool check_row(Verify *v, const LoopRow *row, uint32_t buf, const Affine *at, const char *doing)
{
    if (v->nest.depth == LOOP_MAX_DEPTH)
        return broken(v, "loops are nested deeper than %d", LOOP_MAX_DEPTH);
    if (row->count == 0 || row->step < 0)
        return broken(v, "a row is chosen among none");
    if (!check_place(v, &v->nest, row->buf, &row->at, "reads"))
        return false;
    for (uint32_t d = 0; d < v->nest.depth; d++)
        if (v->nest.at[d].vector && row->at.coef[d])
            return broken(v, "lanes choose rows of their own");
    LoopNest nest = v->nest;
    Affine all = *at;
    nest.at[nest.depth] = (LoopLevel){.count = row->count};
    all.coef[nest.depth++] = row->step;
    return check_place(v, &nest, buf, &all, doing);
}

/* ── expressions ── */
static bool check_arg(Verify *v, uint32_t index)
{
    const LoopArg *arg = &v->kernel->arg[index];
    switch (arg->kind) {
    case LARG_LOAD:
        return check_place(v, &v->nest, arg->index, &arg->at, "reads");
    case LARG_ROW:
        return check_row(v, &arg->row, arg->index, &arg->at, "reads");
    case LARG_ACC:
        if (arg->index >= v->kernel->n_acc || !v->in_scope[arg->index])
            return broken(v, "accumulator m%u is read outside its scope", arg->index);
        if (v->open[arg->index])
            return broken(v, "accumulator m%u is read inside a loop that adds to it", arg->index);
        return true;
    case LARG_TILE:
        return v->in_tile || broken(v, "the sum of a tile is read outside a tile");
    case LARG_INDEX:
        return check_affine(v, &v->nest, &arg->at);
    case LARG_UNIFORM:
        return arg->index < v->program->uniforms.n || broken(v, "there is no uniform u%u", arg->index);
    case LARG_RANDOM:
        return check_affine(v, &v->nest, &arg->at) && check_affine(v, &v->nest, &arg->at2);
    }
    return broken(v, "argument a%u is of no kind", index);
}

static bool check_value(Verify *v, Sx value)
{
    if (!value)
        return broken(v, "a statement has no value");
    uint64_t used = sx_args_used(v->program->sx, value);
    for (uint32_t i = 0; i < 64; i++) {
        if (!(used >> i & 1))
            continue;
        if (i >= v->kernel->n_arg)
            return broken(v, "an expression reads a%u of %u arguments", i, v->kernel->n_arg);
        if (!check_arg(v, i))
            return false;
    }
    return true;
}

/* ── statements ── */
static bool check_list(Verify *v, const LoopStmt *s);

static bool check_extent(Verify *v, Extent extent, const char *what)
{
    if (extent.fixed < 0 || extent.per_row < 0 || extent.fixed > INT32_MAX || extent.per_row > INT32_MAX / 2)
        return broken(v, "%s runs an impossible number of times", what);
    if (extent.fixed && extent.per_row)
        return broken(v, "%s has an extent both fixed and by rows", what);
    return extent.fixed || extent.per_row || broken(v, "%s never runs", what);
}

static bool adds_to(const LoopStmt *s, uint32_t acc)
{
    for (; s; s = s->next) {
        if (s->kind == LOOP_ACC_ADD && s->acc.acc == acc)
            return true;
        if (s->kind == LOOP_FOR && adds_to(s->loop.body, acc))
            return true;
    }
    return false;
}

static bool check_for(Verify *v, const LoopStmt *s)
{
    if (v->nest.depth == LOOP_MAX_DEPTH)
        return broken(v, "loops are nested deeper than %d", LOOP_MAX_DEPTH);
    if (!check_extent(v, s->loop.extent, "a loop"))
        return false;
    bool vector = s->loop.mode == LOOP_VECTOR;
    for (uint32_t d = 0; vector && d < v->nest.depth; d++)
        if (v->nest.at[d].vector)
            return broken(v, "a vector loop stands inside another");
    int64_t clamp = s->loop.clamp;
    if (clamp < 0 || clamp > LOOP_NUMBER_MAX || (clamp && s->loop.clamp_depth >= v->nest.depth))
        return broken(v, "a loop is clamped by a loop that is not around it");
    if (clamp && (s->loop.extent.per_row || v->nest.at[s->loop.clamp_depth].clamp))
        return broken(v, "only loops of fixed extent inside loops without a clamp are clamped");
    v->nest.at[v->nest.depth++] =
        (LoopLevel){extent_at(s->loop.extent, v->n), clamp, s->loop.clamp_depth, vector};
    for (uint32_t a = 0; a < v->kernel->n_acc; a++)
        v->open[a] += v->in_scope[a] && adds_to(s->loop.body, a);
    bool good = check_list(v, s->loop.body);
    for (uint32_t a = 0; a < v->kernel->n_acc; a++)
        v->open[a] -= v->in_scope[a] && adds_to(s->loop.body, a);
    v->nest.depth--;
    return good;
}

static bool check_acc(Verify *v, const LoopStmt *s)
{
    uint32_t acc = s->acc.acc;
    if (acc >= v->kernel->n_acc || (unsigned)s->acc.fold > FOLD_MAX)
        return broken(v, "there is no accumulator m%u", acc);
    if (s->kind == LOOP_ACC_NEW) {
        if (v->in_scope[acc])
            return broken(v, "accumulator m%u is declared inside its own scope", acc);
        v->in_scope[acc] = true;
        v->fold[acc] = s->acc.fold;
        return true;
    }
    if (!v->in_scope[acc])
        return broken(v, "accumulator m%u is added to outside its scope", acc);
    if (v->fold[acc] != s->acc.fold)
        return broken(v, "accumulator m%u is folded in two ways", acc);
    return check_value(v, s->acc.value);
}

/* An accumulation in memory: its value reads the place it writes. It may come back to a place that it or an earlier loop wrote, if those
 * iterations are in order: lanes of the innermost loop never meet, and threads neither. */
static bool adds_in_memory(const Verify *v, const LoopStmt *s)
{
    uint64_t used = sx_args_used(v->program->sx, s->store.value);
    for (uint32_t i = 0; i < 64 && i < v->kernel->n_arg; i++) {
        const LoopArg *arg = &v->kernel->arg[i];
        if ((used >> i & 1) && arg->kind == LARG_LOAD && arg->index == s->store.buf && affine_equal(&arg->at, &s->store.at))
            return true;
    }
    return false;
}

static Write write_of(const Verify *v, const LoopStmt *s)
{
    Write w = {.buf = s->store.buf, .at = s->store.at, .list = v->list, .low = 0, .high = -1};
    LoopNest first = v->nest;
    bool split = v->kernel->split == SPLIT_OUTER, lanes = true;
    for (uint32_t d = 0; d < v->nest.depth; d++)
        lanes = lanes && (!v->nest.at[d].vector || (d + 1 == v->nest.depth && w.at.coef[d] != 0));
    if (split && first.depth > 0)
        first.at[0].count = 1;
    if (loop_range(&first, &w.at, &w.low, &w.high))
        w.apart = lanes && !v->in_tile && (!split || (first.depth > 0 && llabs(w.at.coef[0]) > w.high - w.low));
    return w;
}

/* May `next` add to what `first` wrote in an earlier loop? */
static bool follows(const Verify *v, const Write *first, const Write *next)
{
    if (!first->apart || !next->apart || first->list == next->list)
        return false;
    int64_t low = first->low < next->low ? first->low : next->low, high = first->high > next->high ? first->high : next->high;
    return v->kernel->split != SPLIT_OUTER ||
           (first->at.coef[0] == next->at.coef[0] && llabs(next->at.coef[0]) > high - low);
}

static bool check_store(Verify *v, const LoopStmt *s)
{
    uint32_t index = s->store.buf;
    if (!check_place(v, &v->nest, index, &s->store.at, "writes"))
        return false;
    const LoopBuf *buf = &v->program->bufs.at[index];
    if (buf->space == BUF_INPUT || buf->space == BUF_TARGET)
        return broken(v, "writes `%s`, which belongs to the caller", buf_name(v, index));
    if (buf->dtype != DT_F32)
        return broken(v, "writes `%s`, which holds integers", buf_name(v, index));
    if (!check_value(v, s->store.value))
        return false;
    Write next = write_of(v, s);
    bool adds = adds_in_memory(v, s);
    if (!loop_range_distinct(&v->nest, &s->store.at) && !(adds && next.apart))
        return broken(v, "writes a place of `%s` twice", buf_name(v, index));
    for (uint32_t i = 0; i < v->writes.n; i++) { /* the first iterations of both meet */
        const Write *first = &v->writes.at[i];
        if (first->buf == index && first->at.base == s->store.at.base && !(adds && follows(v, first, &next)))
            return broken(v, "two statements write element %lld of `%s`", (long long)s->store.at.base,
                          buf_name(v, index));
    }
    *vec_push(v->arena, &v->writes) = next;
    return true;
}

static bool reads_buf(const LoopKernel *kernel, uint32_t buf)
{
    for (uint32_t i = 0; i < kernel->n_arg; i++) {
        const LoopArg *arg = &kernel->arg[i];
        if ((arg->kind == LARG_LOAD || arg->kind == LARG_ROW) && arg->index == buf)
            return true;
    }
    return false;
}

/* Adding in a row that data chooses: lanes and threads must have elements of their own, whichever rows are chosen. */
static bool check_add(Verify *v, const LoopStmt *s)
{
    uint32_t index = s->store.buf;
    if (!check_row(v, &s->store.row, index, &s->store.at, "adds to"))
        return false;
    const LoopBuf *buf = &v->program->bufs.at[index];
    if (!in_block(buf->space) || buf->dtype != DT_F32)
        return broken(v, "adds to `%s`, which is not ours", buf_name(v, index));
    if (reads_buf(v->kernel, index))
        return broken(v, "adds to `%s` and reads it", buf_name(v, index));
    bool apart = v->kernel->split == SPLIT_NONE || s->store.at.coef[0] != 0;
    LoopNest nest = v->nest;
    Affine all = s->store.at;
    for (uint32_t d = 0; d < v->nest.depth; d++) {
        apart = apart && (!nest.at[d].vector || all.coef[d] != 0);
        if (all.coef[d] == 0) /* what is added up */
            nest.at[d] = (LoopLevel){.count = 1};
    }
    nest.at[nest.depth] = (LoopLevel){.count = s->store.row.count};
    all.coef[nest.depth++] = s->store.row.step;
    if (!apart || !loop_range_distinct(&nest, &all))
        return broken(v, "lanes or threads add to the same place of `%s`", buf_name(v, index));
    *vec_push(v->arena, &v->writes) = (Write){.buf = index, .at = s->store.at};
    return check_value(v, s->store.value);
}

/* Adds loops for some of a tile's axes; false when there are too many. */
static bool add_levels(Verify *v, LoopNest *nest, const TileAxis *axis, uint32_t n, Affine *a, Affine *b)
{
    for (uint32_t i = 0; i < n; i++) {
        if (nest->depth == LOOP_MAX_DEPTH)
            return broken(v, "loops are nested deeper than %d", LOOP_MAX_DEPTH);
        if (!check_extent(v, axis[i].extent, "an axis of a tile"))
            return false;
        a->coef[nest->depth] = axis[i].a;
        b->coef[nest->depth] = axis[i].b;
        nest->at[nest->depth++] = (LoopLevel){.count = extent_at(axis[i].extent, v->n)};
    }
    return true;
}

static bool check_left(Verify *v, const LoopTile *t)
{
    LoopNest nest = v->nest;
    Affine a = {.base = t->a_base}, none = {0};
    TileAxis axis[TILE_LEFT_MOST];
    uint32_t axes = loop_tile_left(t, axis);
    return add_levels(v, &nest, axis, axes, &a, &none) && check_place(v, &nest, t->a, &a, "reads");
}

/* B: outer…, deep…, then block, term, column in the block; or, when it lies turned, column, panel of terms, term in the panel. */
static bool check_right(Verify *v, const LoopTile *t)
{
    LoopNest nest = v->nest;
    Affine b = {.base = t->b_base}, none = {0};
    if (!add_levels(v, &nest, t->outer, t->n_outer, &none, &b) || !add_levels(v, &nest, t->deep, t->n_deep, &none, &b))
        return false;
    uint32_t d = nest.depth;
    if (d + 3 > LOOP_MAX_DEPTH)
        return broken(v, "loops are nested deeper than %d", LOOP_MAX_DEPTH);
    b.coef[d] = t->b_block;
    b.coef[d + 1] = t->b_k;
    b.coef[d + 2] = 1;
    nest.depth = d + 3;
    if (t->b_turn > 0 && t->depth.per_row != 0)
        return broken(v, "a tile's right side lies turned along the batch");
    if (t->b_turn > 0) {
        nest.at[d] = (LoopLevel){.count = t->cols};
        nest.at[d + 1] = (LoopLevel){.count = (t->depth.fixed + t->b_turn - 1) / t->b_turn};
        nest.at[d + 2] = (LoopLevel){t->b_turn, t->b_padded ? 0 : t->depth.fixed, d + 1, true};
    } else {
        nest.at[d] = (LoopLevel){.count = (t->cols + t->width - 1) / t->width};
        nest.at[d + 1] = (LoopLevel){.count = extent_at(t->depth, v->n)};
        nest.at[d + 2] = (LoopLevel){t->width, t->b_padded ? 0 : t->cols, d, true};
    }
    return check_place(v, &nest, t->b, &b, "reads");
}

static bool check_tile(Verify *v, const LoopStmt *s)
{
    const LoopTile *t = &s->tile;
    uint32_t first = v->nest.depth;
    uint32_t inner = first + 3 + t->n_outer + t->n_over;
    if (t->n_outer > TILE_AXES || t->n_over > TILE_AXES || t->n_deep > TILE_AXES || inner > LOOP_MAX_DEPTH)
        return broken(v, "loops are nested deeper than %d", LOOP_MAX_DEPTH);
    const char *why = loop_tile_names(t);
    if (why != NULL)
        return broken(v, "%s", why);
    if (!check_extent(v, t->rows, "a tile's rows") || !check_extent(v, t->depth, "a tile's depth"))
        return false;
    if (t->cols == 0 || t->width == 0 || t->tile_rows == 0 || t->cols > INT32_MAX || t->width > INT32_MAX)
        return broken(v, "a tile has no columns, no width or no rows");
    for (uint32_t d = 0; d < v->nest.depth; d++)
        if (v->nest.at[d].vector)
            return broken(v, "a tile stands inside a vector loop");
    if (!check_left(v, t) || !check_right(v, t))
        return false;
    for (const LoopStmt *store = t->body; store; store = store->next) {
        if (store->kind != LOOP_STORE)
            return broken(v, "a tile's body does more than store");
        if (store->store.buf == t->b || (store->store.buf == t->a && loop_tile_meets(&v->nest, t, &store->store.at, v->n)))
            return broken(v, "a tile writes `%s` while it reads it", buf_name(v, store->store.buf));
    }
    Affine none = {0};
    bool good = add_levels(v, &v->nest, t->outer, t->n_outer, &none, &none);
    uint32_t block = v->nest.depth;
    v->nest.at[v->nest.depth++] = (LoopLevel){.count = (t->cols + t->width - 1) / t->width};
    TileAxis row = {t->rows, 0, 0};
    good = good && add_levels(v, &v->nest, t->over, t->n_over, &none, &none) &&
           add_levels(v, &v->nest, &row, 1, &none, &none);
    v->nest.at[v->nest.depth++] = (LoopLevel){t->width, t->cols, block, true};
    v->in_tile = true;
    good = good && check_list(v, t->body);
    v->in_tile = false;
    v->nest.depth = first;
    return good;
}

/* Lanes run together: what one iteration reads from a buffer the same statements write must be a place it writes
 * itself, or one that none of them writes. */
static bool check_in_place(Verify *v, const LoopStmt *list, Sx value)
{
    uint64_t used = sx_args_used(v->program->sx, value);
    for (uint32_t i = 0; i < 64; i++) {
        const LoopArg *arg = &v->kernel->arg[i];
        if (!(used >> i & 1) || arg->kind != LARG_LOAD)
            continue;
        bool own = false, hit = false;
        for (const LoopStmt *s = list; s; s = s->next) {
            if (s->kind != LOOP_STORE || s->store.buf != arg->index)
                continue;
            int64_t low, high, from, to;
            bool runs = loop_range(&v->nest, &arg->at, &low, &high) && loop_range(&v->nest, &s->store.at, &from, &to);
            own = own || affine_equal(&arg->at, &s->store.at);
            hit = hit || (runs && low <= to && from <= high && loop_range_meet(&v->nest, &arg->at, &s->store.at));
        }
        if (hit && !own)
            return broken(v, "reads places of `%s` that other iterations write", buf_name(v, arg->index));
    }
    return true;
}

static bool check_list(Verify *v, const LoopStmt *list)
{
    bool *outside = arena_copy(v->arena, v->in_scope, v->kernel->n_acc + 1);
    const LoopStmt *behind = list; /* the last loop of the list */
    bool good = true;
    for (const LoopStmt *s = list; s && good; s = s->next) {
        if (s->kind == LOOP_FOR || s->kind == LOOP_TILE)
            behind = s->next;
        switch (s->kind) {
        case LOOP_FOR:
            good = check_for(v, s);
            break;
        case LOOP_ACC_NEW:
        case LOOP_ACC_ADD:
            good = check_acc(v, s);
            break;
        case LOOP_STORE:
            v->list = list;
            good = check_store(v, s);
            break;
        case LOOP_ADD:
            good = check_add(v, s);
            break;
        case LOOP_TILE:
            good = check_tile(v, s);
            break;
        default:
            good = broken(v, "a statement is of no kind");
        }
    }
    for (const LoopStmt *s = behind; s && good; s = s->next) {
        if (s->kind == LOOP_STORE || s->kind == LOOP_ADD)
            good = check_in_place(v, behind, s->store.value);
        else if (s->kind == LOOP_ACC_ADD)
            good = check_in_place(v, behind, s->acc.value);
    }
    for (uint32_t a = 0; a < v->kernel->n_acc; a++)
        v->in_scope[a] = outside[a];
    return good;
}

/* ── kernels ── */
static bool check_split(Verify *v)
{
    const LoopKernel *k = v->kernel;
    if (k->split == SPLIT_NONE)
        return !k->by_rows || broken(v, "goes by rows, but is not split");
    if (k->split != SPLIT_OUTER && k->split != SPLIT_TILES)
        return broken(v, "is split in no known way");
    if (k->grain == 0)
        return broken(v, "is split in grains of 0");
    if (k->by_rows ? k->split_extent.per_row == 0 || k->split == SPLIT_TILES : k->strip > 0)
        return broken(v, "goes by rows or in strips of them, but its extent does not");
    for (const LoopStmt *s = k->body; s; s = s->next) {
        bool tile = s->kind == LOOP_TILE && extent_same(tile_cut(&s->tile), k->split_extent);
        if (k->split == SPLIT_TILES && (!tile || s->next || s != k->body || s->tile.n_outer + s->tile.n_over))
            return broken(v, "is split by tiles, but is not one tile of that many rows");
        if (!tile && !(s->kind == LOOP_FOR && extent_same(s->loop.extent, k->split_extent)))
            return broken(v, "is split, but not all of its outer statements are loops of that extent");
    }
    return true;
}

static bool check_strip(Verify *v)
{
    const LoopKernel *k = v->kernel, *other = k;
    const char *ahead = loop_ahead_names(v->program, k);
    if (ahead)
        return broken(v, "%s", ahead);
    bool good = k->strip_back <= (uint32_t)(k - v->program->kernels.at);
    for (uint32_t i = 0; good && i < k->strip_back; i++, other--)
        good = k->strip > 0 && other[-1].strip == k->strip && !other->barrier;
    return good || broken(v, "goes back over %u kernels that are not all of its strip", k->strip_back);
}

/* Buffers that a kernel writes may be another name for the same place (in place), but never overlap another by a part. */
static bool check_overlap(Verify *v)
{
    const LoopProgram *p = v->program;
    for (uint32_t w = 0; w < v->writes.n; w++) {
        const LoopBuf *a = &p->bufs.at[v->writes.at[w].buf];
        for (uint32_t i = 0; i < v->kernel->n_arg; i++) {
            const LoopArg *arg = &v->kernel->arg[i];
            if ((arg->kind != LARG_LOAD && arg->kind != LARG_ROW) || arg->index >= p->bufs.n)
                continue;
            const LoopBuf *b = &p->bufs.at[arg->index];
            bool apart = a->space != b->space || a->offset == b->offset || a->offset + a->bytes <= b->offset ||
                         b->offset + b->bytes <= a->offset;
            if (in_block(a->space) && !apart)
                return broken(v, "writes `%s`, a part of `%s`, which it reads", buf_name(v, v->writes.at[w].buf),
                              buf_name(v, arg->index));
        }
    }
    return true;
}

static bool check_kernel(Verify *v, const LoopKernel *kernel)
{
    v->kernel = kernel;
    v->in_scope = arena_array(v->arena, bool, kernel->n_acc + 1);
    v->fold = arena_array(v->arena, LoopFold, kernel->n_acc + 1);
    v->open = arena_array(v->arena, uint32_t, kernel->n_acc + 1);
    v->writes.n = 0;
    v->nest.depth = 0;
    if (kernel->n_arg > 64)
        return broken(v, "has %u arguments; expressions have at most 64", kernel->n_arg);
    if (!kernel->body)
        return broken(v, "does nothing");
    return check_split(v) && check_strip(v) && check_list(v, kernel->body) && check_overlap(v);
}

static bool check_program(Verify *v)
{
    const LoopProgram *p = v->program;
    for (uint32_t i = 0; i < p->bufs.n; i++)
        if (!check_buf(v, i))
            return false;
    for (uint32_t i = 0; i < p->uniforms.n; i++)
        if (!p->uniforms.at[i] || sx_arg_limit(p->sx, p->uniforms.at[i]) > 3)
            return broken(v, "uniform u%u is not of the step, the learning rate and n", i);
    for (uint32_t i = 0; i < p->kernels.n; i++) {
        Str name = p->kernels.at[i].name;
        for (uint32_t j = 0; j < i; j++)
            if (str_eq(name, p->kernels.at[j].name))
                return broken(v, "two kernels are called `" STR_FMT "`", STR_ARG(name));
        if (!name.n)
            return broken(v, "kernel %u has no name", i);
    }
    for (uint32_t i = 0; i < p->kernels.n; i++)
        if (!check_kernel(v, &p->kernels.at[i]))
            return false;
    return true;
}

const char *loop_verify(const LoopProgram *program, uint32_t batch, Arena *arena)
{
    Verify v = {.program = program, .arena = arena, .batch = batch, .n = batch};
    if (batch == 0)
        return "the batch has no rows";
    if (!check_program(&v))
        return v.why;
    v.n = 1;
    v.kernel = NULL;
    check_program(&v);
    return v.why;
}
