#include "kernel/words.h"

#include "ops/build.h"

/* ── what a kernel is made of ── */

static const Group *group_of(const Plan *plan, const LoopKernel *kernel)
{
    return kernel->group ? &plan->groups.at[kernel->group - 1] : NULL;
}

static const LayerUse *layer_of(const UnitModel *unit, const Node *node)
{
    return node->layer > 0 && node->layer <= unit->model->layers.n ? &unit->model->layers.at[node->layer - 1] : NULL;
}

/* Of a weight that lies turned, forward and backward have changed places. */
static const char *form_name(const Graph *g, const Node *node)
{
    static const char *const name[] = {
        [CONTRACT_NN] = "product", [CONTRACT_NT] = "input gradient", [CONTRACT_TN] = "weight gradient",
        [CONTRACT_FLIPPED] = "input gradient of a convolution"};
    ContractForm form = build_form(node);
    uint32_t tensor;
    if (build_is_tensor(graph_node(g, node->in[1]), &tensor) && g->tensors.at[tensor].turned && form != CONTRACT_TN)
        form = form == CONTRACT_NT ? CONTRACT_NN : CONTRACT_NT;
    return name[form];
}

/* Its memory is a tensor's: the new value of a weight or of the optimizer's state. */
static const Tensor *updated(const Plan *plan, NodeId id)
{
    const Slot *slot = &plan->slot[id];
    return slot->space == SPACE_TENSOR ? &plan->g->tensors.at[slot->index] : NULL;
}

static bool reads_drawn(const Plan *plan, const Node *node)
{
    uint32_t stream;
    for (uint32_t i = 0; i < node->n_in; i++)
        if (build_is_random(graph_node(plan->g, plan->storage[node->in[i]]), &stream))
            return true;
    return false;
}

/* Adds a tensor with one index: a bias. */
static bool adds_bias(const Plan *plan, const Node *node, const LayerUse *layer)
{
    uint32_t tensor;
    for (uint32_t i = 0; layer && !layer->activation && i < node->n_in; i++)
        if (build_is_tensor(graph_node(plan->g, plan->storage[node->in[i]]), &tensor) &&
            plan->g->tensors.at[tensor].role == ROLE_PARAM && plan->g->tensors.at[tensor].type.rank == 1)
            return true;
    return false;
}

static Str map_name(Arena *arena, const UnitModel *unit, const Plan *plan, NodeId id)
{
    const Node *node = graph_node(plan->g, id);
    const LayerUse *layer = layer_of(unit, node);
    const Tensor *tensor = updated(plan, id);
    if (tensor)
        return tensor->role == ROLE_STATE ? STR("optimizer state") : STR("update");
    if (reads_drawn(plan, node))
        return STR("dropout");
    if (node->type.batch && adds_bias(plan, node, layer))
        return STR("bias");
    if (node->fn.n)
        return node->fn;
    if (layer && layer->activation)
        return str_printf(arena, "derivative of " STR_FMT, STR_ARG(layer->kind));
    return (Str){0};
}

static Str part_name(Arena *arena, const UnitModel *unit, const Plan *plan, const Group *group, NodeId id)
{
    const Node *node = graph_node(plan->g, id);
    OpKind kind = node->op->kind;
    if (kind == OP_CONTRACT)
        return str_of(form_name(plan->g, node));
    if (kind == OP_MAP)
        return map_name(arena, unit, plan, id);
    if (kind != OP_REDUCE)
        return str_of(node->op->name);
    if (node->fn.n && group->kind == GROUP_ROWS)
        return node->fn;
    if (group->kind == GROUP_COLUMNS)
        return build_fold(node).batch ? STR("sum over the batch") : STR("fold over positions");
    return STR("sum of a row");
}

Str words_of_kernel(Arena *arena, const UnitModel *unit, const Plan *plan, const LoopKernel *kernel)
{
    const Group *group = group_of(plan, kernel);
    if (!group)
        return kernel->name;
    Text text = {.arena = arena};
    Str seen[16];
    unsigned n = 0;
    for (uint32_t i = 0; i < group->nodes.n; i++) {
        Str part = part_name(arena, unit, plan, group, group->nodes.at[i]);
        bool known = part.n == 0 || n == 16;
        for (unsigned k = 0; !known && k < n; k++)
            known = str_eq(seen[k], part);
        if (known)
            continue;
        text_printf(&text, "%s" STR_FMT, n ? " + " : "", STR_ARG(part));
        seen[n++] = part;
    }
    return n ? text_str(&text) : STR("arithmetic");
}

Str words_layer(const UnitModel *unit, const Plan *plan, const LoopKernel *kernel)
{
    const Group *group = group_of(plan, kernel);
    for (uint32_t i = 0; group && i < group->nodes.n; i++) {
        const LayerUse *layer = layer_of(unit, graph_node(plan->g, group->nodes.at[i]));
        if (layer)
            return layer->name;
    }
    return (Str){0};
}

uint32_t words_line(const Sources *sources, const LoopKernel *kernel)
{
    const Source *source = source_get(sources, kernel->span.source);
    return source ? source_place(source, kernel->span.begin).line : 0;
}

/* ── how it runs ── */

static void put_extent(Extent extent, Text *out)
{
    if (extent.per_row == 1)
        text_add(out, STR("n"));
    else if (extent.per_row)
        text_printf(out, "%lld n", (long long)extent.per_row);
    else
        text_printf(out, "%lld", (long long)extent.fixed);
}

static void put_tile(const LoopTile *t, const Target *target, Text *out)
{
    uint32_t blocks = (t->cols + t->width - 1) / t->width, columns = t->cols < t->width ? t->cols : t->width;
    uint32_t vectors = (columns + target->lanes - 1) / target->lanes;
    text_add(out, STR("     "));
    for (uint32_t i = 0; i < t->n_outer; i++, text_add(out, STR(" times ")))
        put_extent(t->outer[i].extent, out);
    for (uint32_t i = 0; i < t->n_over; i++, text_add(out, STR(" x ")))
        put_extent(t->over[i].extent, out);
    put_extent(t->rows, out);
    text_printf(out, " x %u over ", t->cols);
    for (uint32_t i = 0; i < t->n_deep; i++, text_add(out, STR(" x ")))
        put_extent(t->deep[i].extent, out);
    put_extent(t->depth, out);
    text_printf(out, " terms; register tiles of %u rows x %u columns (%u vector%s of %u)", t->tile_rows, columns,
                vectors, vectors == 1 ? "" : "s", target->lanes);
    const char *right = t->b_turn > 0 ? "turned on the way" : t->b_padded ? "in panels" : "in rows";
    text_printf(out, ", %u %s of columns, right side %s", blocks, blocks == 1 ? "block" : "blocks", right);
    text_add(out, t->a_row == 1 ? STR(", left side by columns\n") : STR("\n"));
}

typedef struct Touched {
    bool *read, *written;
} Touched;

static void touch_value(const LoopProgram *p, const LoopKernel *kernel, Sx value, Touched *touched)
{
    uint64_t used = sx_args_used(p->sx, value);
    for (uint32_t i = 0; i < kernel->n_arg && i < 64; i++)
        if ((used >> i & 1) && (kernel->arg[i].kind == LARG_LOAD || kernel->arg[i].kind == LARG_ROW))
            touched->read[kernel->arg[i].index] = true;
}

static void touch_list(const LoopProgram *p, const LoopKernel *kernel, const LoopStmt *s, Touched *touched,
                       const Target *target, Text *out)
{
    for (; s; s = s->next) {
        if (s->kind == LOOP_FOR) {
            touch_list(p, kernel, s->loop.body, touched, target, out);
        } else if (s->kind == LOOP_ACC_ADD) {
            touch_value(p, kernel, s->acc.value, touched);
        } else if (s->kind == LOOP_STORE || s->kind == LOOP_ADD) {
            touch_value(p, kernel, s->store.value, touched);
            touched->written[s->store.buf] = true;
        } else if (s->kind == LOOP_TILE) {
            put_tile(&s->tile, target, out);
            touched->read[s->tile.a] = touched->read[s->tile.b] = true;
            touch_list(p, kernel, s->tile.body, touched, target, out);
        }
    }
}

static void put_names(const LoopProgram *p, const char *what, const bool *is, Text *out)
{
    const char *join = what;
    for (uint32_t b = 0; b < p->bufs.n; b++) {
        if (!is[b])
            continue;
        text_printf(out, "%s" STR_FMT, join, STR_ARG(p->bufs.at[b].name));
        join = ", ";
    }
}

static void put_threads(const LoopKernel *kernel, Text *out)
{
    if (kernel->split == SPLIT_NONE) {
        text_add(out, STR("     runs on one thread\n"));
        return;
    }
    if (kernel->split == SPLIT_TILES) {
        text_printf(out, "     threads share the panels of the result, and tiles of %u rows where a panel is divided\n", kernel->grain);
        return;
    }
    text_add(out, kernel->by_rows ? STR("     threads share the rows of the batch") : STR("     threads share "));
    if (kernel->by_rows && kernel->strip > 0)
        text_printf(out, ", %u at a time through this and its neighbours", kernel->strip);
    if (kernel->n_ahead > 0)
        text_printf(out, ", for which this asks for %u value%s", kernel->n_ahead, kernel->n_ahead == 1 ? "" : "s");
    if (kernel->by_rows) {
        text_add(out, STR("\n"));
        return;
    }
    put_extent(kernel->split_extent, out);
    text_printf(out, " rows or columns of the result, in ranges that start at multiples of %u\n", kernel->grain);
}

void words_print(const Sources *sources, const UnitModel *unit, const Plan *plan, const LoopProgram *program,
                 const Target *target, Text *out)
{
    uint32_t barriers = 0;
    for (uint32_t k = 0; k < program->kernels.n; k++)
        barriers += program->kernels.at[k].barrier;
    text_printf(out,
                STR_FMT " of " STR_FMT ": at most %u rows, %s (%u lanes, %u registers), %u kernels, %u barrier%s\n",
                STR_ARG(program->name), STR_ARG(unit->model->name), unit->batch, target->name, target->lanes,
                target->registers, program->kernels.n, barriers, barriers == 1 ? "" : "s");
    for (uint32_t k = 0; k < program->kernels.n; k++) {
        const LoopKernel *kernel = &program->kernels.at[k];
        Str layer = words_layer(unit, plan, kernel), parts = words_of_kernel(out->arena, unit, plan, kernel);
        uint32_t line = words_line(sources, kernel);
        if (kernel->barrier)
            text_add(out, STR("  -- barrier: every thread has come this far --\n"));
        text_printf(out, "  " STR_FMT ":", STR_ARG(kernel->name));
        if (layer.n)
            text_printf(out, " " STR_FMT "%s", STR_ARG(layer), line ? "," : ":");
        if (line)
            text_printf(out, " line %u:", line);
        text_printf(out, " " STR_FMT "\n", STR_ARG(parts));
        uint32_t n = program->bufs.n + 1;
        Touched touched = {arena_array(out->arena, bool, n), arena_array(out->arena, bool, n)};
        touch_list(program, kernel, kernel->body, &touched, target, out);
        put_names(program, "     reads ", touched.read, out);
        put_names(program, "; writes ", touched.written, out);
        text_putc(out, '\n');
        put_threads(kernel, out);
    }
}
