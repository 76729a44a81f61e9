/* The body of one register tile in the shadow of the next one's sums.
 *
 * An optimizer's square root and division keep a unit of their own busy for many cycles a vector, and its loads and stores
 * wait for memory, while the multiply-adds wait for neither. So a tile's sums are made in slices of the depth, and before
 * each slice stands one vector of the body over the tile before it: a processor that looks a hundred instructions ahead does both
 * at once. The body has the registers that the sums leave free, so it has to be one of single instructions. */
#include "llvm/tile.h"

#include "llvm/stages.h"

/* Parameters of the function. */
enum { AT_A, AT_B, AT_CALL, AT_TABLE, AT_BLOCK, AT_ROW, AT_SLICE, AT_REST, AT_SUMS, PARAMS };

/* ── which bodies ── */

/* Primitives that are one instruction, or a few without constants of their own. */
static const bool is_instruction[SX_OP_COUNT] = {
    [SX_NUM] = true, [SX_ARG] = true, [SX_NEG] = true, [SX_ABS] = true, [SX_SQRT] = true,   [SX_FLOOR] = true,
    [SX_ADD] = true, [SX_SUB] = true, [SX_MUL] = true, [SX_DIV] = true, [SX_MIN] = true,    [SX_MAX] = true,
    [SX_LT] = true,  [SX_LE] = true,  [SX_EQ] = true,  [SX_POWI] = true, [SX_SELECT] = true,
    [SX_FMA] = true, [SX_SETTLE] = true,
};

typedef struct Census {
    unsigned slow, other;
} Census;

static void count_node(void *context, Sx x, const SxNode *node)
{
    Census *census = context;
    (void)x;
    census->slow += node->op == SX_SQRT || node->op == SX_DIV;
    census->other += !is_instruction[node->op];
}

/* Do rows of whole vectors lie end to end wherever the body reads and writes, so that a tile is one run of vectors? */
static bool is_one_run(const Kernel *k, const LoopTile *t, const TileBlock *b)
{
    unsigned d = k->depth;
    uint64_t used = 0;
    bool run = b->cols == b->out;
    for (const LoopStmt *s = t->body; s; s = s->next)
        used |= sx_args_used(k->p->sx, s->store.value);
    for (uint32_t i = 0; i < k->k->n_arg; i++)
        if (used >> i & 1 && (k->k->arg[i].kind == LARG_RANDOM || k->k->arg[i].kind == LARG_INDEX))
            return false;
    TilePlace place[TILE_PLACES];
    for (unsigned i = 0, n = tile_places(k, t, place); i < n; i++)
        run = run && place[i].at->coef[d] == b->out && place[i].at->coef[d + 1] == 1;
    for (const LoopStmt *s = t->body; s; s = s->next)
        run = run && s->store.at.coef[d] == b->out && s->store.at.coef[d + 1] == 1;
    return run;
}

/* The body is cut where there are slices enough for its stages. */
static Stages stages(const Kernel *k, const LoopTile *t, uint32_t vectors)
{
    Stages cut = stages_of(k, t->body);
    return tile_most(k, t->depth) < (int64_t)vectors + cut.n - 1 ? (Stages){.n = 1} : cut;
}

uint32_t tile_slices(const Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t rows)
{
    enum { MOST_SUMS = 24, TILES = 3 };
    const Cg *c = k->c;
    uint32_t vectors = rows * b->vectors;
    Census census = {0};
    for (const LoopStmt *s = t->body; s; s = s->next)
        sx_walk(k->p->sx, s->store.value, count_node, &census);
    if (c->target->registers < 32 || vectors > MOST_SUMS || k->depth != 1 || t->n_over || t->n_deep || b->chunked || census.slow == 0 ||
        census.other > 0 || tile_most(k, t->rows) < (int64_t)rows * TILES || tile_most(k, t->depth) < vectors ||
        !is_one_run(k, t, b))
        return 0;
    return vectors + stages(k, t, vectors).n - 1;
}

/* ── the function ── */

/* The values that go from stage to stage: at[c][i] was made i + 1 slices ago. */
typedef struct Carried {
    LLVMValueRef at[STAGES_CARRIED][STAGES_MOST];
} Carried;

/* Each of the carried values, one after the other; NULL behind the last. */
static LLVMValueRef *carried_value(const Stages *cut, Carried *carried, unsigned i)
{
    for (unsigned c = 0; c < cut->n_carried; c++) {
        unsigned n = cut->carried[c].used - cut->carried[c].made;
        if (i < n)
            return &carried->at[c][i];
        i -= n;
    }
    return NULL;
}

/* The same vector of the next tile is asked for. */
static void fetch_next(Kernel *k, const LoopTile *t, int64_t elements)
{
    Cg *c = k->c;
    TilePlace place[TILE_PLACES];
    for (unsigned i = 0, n = tile_places(k, t, place); i < n; i++)
        if (k->p->bufs.at[place[i].buf].bytes > c->target->l1)
            cg_prefetch(c, cg_at(c, c->f32, kernel_pointer(k, place[i].buf, place[i].at), cg_i64(c, elements)), 1);
}

/* Stage `stage` of the vector that stands at `first` in the tile; what it makes for later stages goes to `made`. */
static void body_stage(Kernel *k, const LoopTile *t, const Stages *cut, unsigned stage, LLVMValueRef first, Extent elements,
                       const Carried *carried, LLVMValueRef made[STAGES_CARRIED])
{
    Cg *c = k->c;
    KernelStore store[TILE_PLACES];
    unsigned n = 0;
    kernel_push(k, first, c->lanes, elements);
    if (stage == 0)
        fetch_next(k, t, elements.fixed);
    k->vector = (int)k->depth - 1;
    sx_emit_forget(&k->sx);
    for (unsigned i = 0; i < cut->n_carried; i++)
        if (cut->carried[i].made < stage && stage <= cut->carried[i].used)
            sx_emit_known(&k->sx, cut->carried[i].value, carried->at[i][stage - cut->carried[i].made - 1]);
    for (unsigned i = 0; i < cut->n_carried; i++)
        if (cut->carried[i].made == stage)
            made[i] = cg_splat(c, sx_emit(&k->sx, cut->carried[i].value), c->lanes);
    for (const LoopStmt *s = t->body; s; s = s->next)
        if (cut->n == 1 || stages_store(k, s) == stage)
            store[n++] = (KernelStore){s, sx_emit(&k->sx, s->store.value)};
    for (unsigned i = 0; i < n; i++)
        kernel_store(k, &store[i]);
    sx_emit_forget(&k->sx);
    k->vector = -1;
    kernel_pop(k);
}

/* Slice `at` of the body over the tile whose first row is `row`: each stage with the vector that has come to it. The last stage goes
 * first, so that all find what the slice before left. */
static void body_slice(Kernel *k, const LoopTile *t, const TileBlock *b, const Stages *cut, LLVMValueRef row, LLVMValueRef at,
                       uint32_t rows, Carried *carried)
{
    Cg *c = k->c;
    int64_t elements = (int64_t)rows * b->out;
    uint32_t vectors = rows * b->vectors;
    LLVMValueRef made[STAGES_CARRIED] = {0}, none = cg_num(cg_vec(c->f32, c->lanes), 0);
    kernel_push(k, row, 1, t->rows);
    for (unsigned stage = cut->n; stage-- > 0;) {
        LLVMValueRef vector = cg_sub(c, at, cg_i64(c, stage)), begun = cg_icmp(c, LLVMIntSGE, vector, cg_i64(c, 0));
        CgIf some;
        if (cut->n > 1)
            cg_if(c, &some, cg_and(c, begun, cg_icmp(c, LLVMIntSLT, vector, cg_i64(c, vectors))), "stage");
        body_stage(k, t, cut, stage, cg_mul(c, vector, cg_i64(c, c->lanes)), (Extent){elements, 0}, carried, made);
        if (cut->n > 1)
            cg_endif(c, &some);
        for (unsigned i = 0; i < cut->n_carried; i++)
            if (cut->carried[i].made == stage)
                made[i] = cg_if_value(c, &some, made[i], none);
    }
    kernel_pop(k);
    for (unsigned i = 0; i < cut->n_carried; i++) {
        for (unsigned age = cut->carried[i].used - cut->carried[i].made; age-- > 1;)
            carried->at[i][age] = carried->at[i][age - 1];
        carried->at[i][0] = made[i];
    }
}

static void overlapped_body(Kernel *k, const LoopTile *t, const TileBlock *b, const TileOverlap *o, Extent blocks)
{
    Cg *c = k->c;
    const MicroShape *m = &o->shape;
    LLVMValueRef fn = k->fn, sums = LLVMGetParam(fn, AT_SUMS);
    MicroState *s = arena_new_of(c->arena, MicroState);
    Stages cut = stages(k, t, m->rows * b->vectors);
    Carried carried;
    LLVMValueRef *value;
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    s->a = LLVMGetParam(fn, AT_A);
    s->b = LLVMGetParam(fn, AT_B);
    k->spare_registers = true;
    kernel_push(k, LLVMGetParam(fn, AT_BLOCK), 1, blocks);
    micro_begin(c, m, s, sums);
    cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, o->slices), cg_i64(c, 1), true, "slice");
    loop->plain = true;
    micro_loop_begin(c, m, s, loop);
    unsigned first = loop->n_phi;
    for (unsigned i = 0; (value = carried_value(&cut, &carried, i)); i++)
        *value = cg_loop_phi(c, loop, cg_num(cg_vec(c->f32, c->lanes), 0), "carried");
    k->tile = sums;
    body_slice(k, t, b, &cut, LLVMGetParam(fn, AT_ROW), loop->var, m->rows, &carried);
    k->tile = NULL;
    for (unsigned i = 0; (value = carried_value(&cut, &carried, i)); i++)
        cg_loop_next(loop, first + i, *value);
    micro_terms(c, m, s, LLVMGetParam(fn, AT_SLICE), true);
    micro_loop_end(c, m, s, loop);
    micro_terms(c, m, s, LLVMGetParam(fn, AT_REST), false);
    micro_end(c, m, s, sums);
    kernel_pop(k);
    cg_return(c, NULL);
}

/* The register tile with the body of the tile before it. */
static LLVMValueRef overlapped_tile(const Kernel *k, const LoopTile *t, const TileBlock *b, const TileOverlap *o)
{
    Cg *c = k->c;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(c->b);
    Str name = str_printf(c->arena, "act.tile.%ux%u.%s", o->shape.rows, b->out, LLVMGetValueName(k->fn));
    const LLVMTypeRef params[PARAMS] = {
        [AT_A] = c->ptr,   [AT_B] = c->ptr,     [AT_CALL] = c->ptr, [AT_TABLE] = c->ptr, [AT_BLOCK] = c->i64,
        [AT_ROW] = c->i64, [AT_SLICE] = c->i64, [AT_REST] = c->i64, [AT_SUMS] = c->ptr,
    };
    LLVMValueRef fn = cg_function(c, name.p, c->void_t, params, PARAMS, true);
    cg_flag(c, fn, (unsigned)LLVMAttributeFunctionIndex, "noinline");
    for (unsigned i = AT_A; i <= AT_B; i++) {
        cg_flag(c, fn, i + 1, "noalias");
        cg_flag(c, fn, i + 1, "nocapture");
        cg_flag(c, fn, i + 1, "readonly");
    }
    Kernel *other = kernel_elsewhere(k, fn, LLVMGetParam(fn, AT_CALL), LLVMGetParam(fn, AT_TABLE));
    overlapped_body(other, t, b, o, k->level[k->depth - 1].extent);
    LLVMPositionBuilderAtEnd(c->b, here);
    return fn;
}

void tile_overlapped(Kernel *k, const LoopTile *t, const TileBlock *b, const TileOverlap *o)
{
    Cg *c = k->c;
    LLVMValueRef args[PARAMS] = {
        [AT_A] = o->a,         [AT_B] = o->b,
        [AT_CALL] = k->call,   [AT_TABLE] = k->table ? k->table : LLVMConstPointerNull(c->ptr),
        [AT_ROW] = o->row,     [AT_BLOCK] = k->level[k->depth - 1].var,
        [AT_SLICE] = o->slice, [AT_REST] = o->rest,
        [AT_SUMS] = b->sums,
    };
    cg_call(c, overlapped_tile(k, t, b, o), args, PARAMS);
}
