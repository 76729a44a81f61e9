/* The body of one register tile in the shadow of the next one's sums.
 *
 * An optimizer's square root and division keep a unit of their own busy for many cycles a vector, and its loads and stores
 * wait for memory, while the multiply-adds wait for neither. So a tile's sums are made in slices of the depth, and before
 * each slice stands one vector of the body over the tile before it: a processor that looks a hundred instructions ahead does both
 * at once. The body has the registers that the sums leave free, so it has to be one of single instructions. */
#include "llvm/tile.h"

/* Parameters of the function. */
enum { AT_A, AT_B, AT_CALL, AT_TABLE, AT_BLOCK, AT_ROW, AT_SLICE, AT_REST, AT_SUMS, PARAMS };

/* ── which bodies ── */

/* Primitives that are one instruction, or a few without constants of their own. */
static const bool is_instruction[SX_OP_COUNT] = {
    [SX_NUM] = true, [SX_ARG] = true, [SX_NEG] = true, [SX_ABS] = true, [SX_SQRT] = true,   [SX_FLOOR] = true,
    [SX_ADD] = true, [SX_SUB] = true, [SX_MUL] = true, [SX_DIV] = true, [SX_MIN] = true,    [SX_MAX] = true,
    [SX_LT] = true,  [SX_LE] = true,  [SX_EQ] = true,  [SX_POWI] = true, [SX_SELECT] = true,
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

uint32_t tile_slices(const Kernel *k, const LoopTile *t, const TileBlock *b, uint32_t rows)
{
    enum { MOST_SUMS = 24, TILES = 3 };
    const Cg *c = k->c;
    uint32_t slices = rows * b->vectors;
    Census census = {0};
    for (const LoopStmt *s = t->body; s; s = s->next)
        sx_walk(k->p->sx, s->store.value, count_node, &census);
    if (c->target->registers < 32 || slices > MOST_SUMS || k->depth != 1 || t->n_over || t->n_deep || b->chunked || census.slow == 0 ||
        census.other > 0 || tile_most(k, t->rows) < (int64_t)rows * TILES || tile_most(k, t->depth) < slices ||
        !is_one_run(k, t, b))
        return 0;
    return slices;
}

/* ── the function ── */

/* Vector `at` of the body over the tile whose first row is `row`. The same vector of the next tile is asked for. */
static void body_slice(Kernel *k, const LoopTile *t, const TileBlock *b, LLVMValueRef row, LLVMValueRef at,
                       uint32_t rows)
{
    Cg *c = k->c;
    int64_t elements = (int64_t)rows * b->out;
    LLVMValueRef first = cg_mul(c, at, cg_i64(c, c->lanes));
    TilePlace place[TILE_PLACES];
    unsigned n = tile_places(k, t, place);
    kernel_push(k, row, 1, t->rows);
    kernel_push(k, first, c->lanes, (Extent){elements, 0});
    for (unsigned i = 0; i < n; i++)
        if (k->p->bufs.at[place[i].buf].bytes > c->target->l1)
            cg_prefetch(c, cg_at(c, c->f32, kernel_pointer(k, place[i].buf, place[i].at), cg_i64(c, elements)), 1);
    kernel_pop(k);
    kernel_one_vector(k, first, (Extent){elements, 0}, t->body);
    kernel_pop(k);
}

static void overlapped_body(Kernel *k, const LoopTile *t, const TileBlock *b, const TileOverlap *o, Extent blocks)
{
    Cg *c = k->c;
    const MicroShape *m = &o->shape;
    LLVMValueRef fn = k->fn, sums = LLVMGetParam(fn, AT_SUMS);
    MicroState *s = arena_new_of(c->arena, MicroState);
    CgLoop *loop = arena_new_of(c->arena, CgLoop);
    s->a = LLVMGetParam(fn, AT_A);
    s->b = LLVMGetParam(fn, AT_B);
    k->spare_registers = true;
    kernel_push(k, LLVMGetParam(fn, AT_BLOCK), 1, blocks);
    micro_begin(c, m, s, sums);
    cg_loop_begin(c, loop, cg_i64(c, 0), cg_i64(c, o->slices), cg_i64(c, 1), true, "slice");
    loop->plain = true;
    micro_loop_begin(c, m, s, loop);
    k->tile = sums;
    body_slice(k, t, b, LLVMGetParam(fn, AT_ROW), loop->var, m->rows);
    k->tile = NULL;
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
