#include "driver/memory.h"

#include "check/edit.h"
#include "ops/build.h"
#include "pass/place.h"
#include "driver/table.h"

enum { ALIGN = PLACE_ALIGN, NAMED = 3 /* consumers in a message */ };

/* ── who takes what ── */

static uint64_t round_up(uint64_t bytes) { return (bytes + ALIGN - 1) / ALIGN * ALIGN; }

static uint64_t row_bytes(const MemoryRow *row)
{
    return row->weights + row->copies + row->optimizer + row->activations + row->gradients;
}

/* By tensor: the row it counts in. A parameter belongs to the layer that uses it first, else it has a row of its own. */
static uint32_t *rows_of_tensors(Arena *arena, const Model *model, const Graph *g, Memory *memory)
{
    uint32_t *row = arena_array(arena, uint32_t, g->tensors.n + 1), none = UINT32_MAX;
    for (uint32_t t = 0; t < g->tensors.n; t++)
        row[t] = none;
    for (uint32_t i = 0; i < model->layers.n; i++)
        for (uint32_t k = 0; k < model->layers.at[i].n_tensor; k++) {
            uint32_t t = model->layers.at[i].tensor[k];
            row[t] = row[t] == none ? i : row[t];
        }
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        const Tensor *tensor = &g->tensors.at[t];
        if (tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET || row[t] != none)
            continue;
        if (tensor->of != 0) {
            row[t] = row[tensor->of - 1];
            continue;
        }
        memory->row[memory->n] = (MemoryRow){.name = tensor->name, .kind = STR("parameter"), .span = tensor->span};
        row[t] = memory->n++;
    }
    return row;
}

static void add_tensors(const Graph *g, const uint32_t *row, Memory *memory)
{
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        const Tensor *tensor = &g->tensors.at[t];
        if (tensor->role == ROLE_INPUT || tensor->role == ROLE_TARGET)
            continue;
        MemoryRow *to = &memory->row[row[t]];
        bool like = tensor->of == 0 || type_same_shape(&tensor->type, &g->tensors.at[tensor->of - 1].type);
        *(!like ? &to->copies : tensor->role == ROLE_STATE ? &to->optimizer : &to->weights) += round_up(tensor->bytes);
    }
}

/* What the losses are made from; the rest of a training step is gradients and updates. */
static bool *forward_nodes(Arena *arena, const Graph *g)
{
    bool *forward = arena_array(arena, bool, g->nodes.n);
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_LOSS)
            forward[g->roots.at[i].node] = true;
    for (NodeId id = g->nodes.n; id-- > 1;)
        for (uint32_t k = 0; forward[id] && k < graph_node(g, id)->n_in; k++)
            forward[graph_node(g, id)->in[k]] = true;
    return forward;
}

/* The tensor of which a value is a copy; false: it is none. */
static bool copy_of(const Plan *plan, NodeId id, uint32_t *tensor)
{
    const Node *node = graph_node(plan->g, id);
    return node->op->kind == OP_MOVE && node->n_in == 1 && !node->type.batch &&
           build_is_tensor(graph_node(plan->g, plan->storage[node->in[0]]), tensor);
}

static void add_values(Arena *arena, const Model *model, const uint32_t *row, MemoryRow *rest, Memory *memory)
{
    const Plan *plan = memory->model->train_plan;
    const bool *forward = forward_nodes(arena, plan->g);
    for (uint32_t i = 0; i < plan->work.n; i++) {
        const WorkValue *value = &plan->work.at[i];
        uint32_t layer = graph_node(plan->g, value->id)->layer, tensor;
        if (copy_of(plan, value->id, &tensor)) {
            memory->row[row[tensor]].copies += value->bytes;
            continue;
        }
        MemoryRow *to = layer > 0 && layer <= model->layers.n ? &memory->row[layer - 1] : rest;
        *(forward[value->id] ? &to->activations : &to->gradients) += value->bytes;
    }
}

/* Does a run of the model's own data keep the best weights? */
static bool has_validation(const Model *model)
{
    const DataUse *data = model->train == NULL ? NULL : model->train->data;
    bool has = data != NULL && data->validation_split > 0;
    for (uint32_t i = 0; data != NULL && i < data->parts.n; i++)
        has = has || str_is(data->parts.at[i].name, "validation");
    return has;
}

Memory memory_of(Arena *arena, const UnitModel *unit)
{
    const Model *model = unit->model;
    const Graph *g = unit->graph;
    Memory memory = {.model = unit, .n = model->layers.n};
    memory.row = arena_array(arena, MemoryRow, model->layers.n + g->tensors.n + 1u);
    for (uint32_t i = 0; i < model->layers.n; i++) {
        const LayerUse *use = &model->layers.at[i];
        memory.row[i] = (MemoryRow){.name = use->name, .kind = use->kind,
                                    .span = use->outer.source ? use->outer : use->span};
    }
    MemoryRow rest = {.name = STR("other values"), .kind = STR("values")};
    const uint32_t *row = rows_of_tensors(arena, model, g, &memory);
    add_tensors(g, row, &memory);
    add_values(arena, model, row, &rest, &memory);
    if (row_bytes(&rest) > 0)
        memory.row[memory.n++] = rest;
    memory.total.name = STR("total");
    for (uint32_t i = 0; i < memory.n; i++) {
        const MemoryRow *own = &memory.row[i];
        memory.total.weights += own->weights;
        memory.total.copies += own->copies;
        memory.total.optimizer += own->optimizer;
        memory.total.activations += own->activations;
        memory.total.gradients += own->gradients;
    }
    memory.train = unit->train_step->work_bytes;
    memory.forward = unit->forward->work_bytes;
    memory.evaluate = unit->evaluate->work_bytes;
    memory.best = has_validation(model) ? unit->param_bytes : 0;
    memory.all = unit->param_bytes + unit->state_bytes + unit->work_bytes + memory.best;
    return memory;
}

uint64_t memory_at(Arena *arena, const Memory *memory, uint32_t batch)
{
    const Plan *plan[] = {memory->model->train_plan, memory->model->forward_plan, memory->model->evaluate_plan};
    uint64_t work = 0;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t bytes = place_bytes(arena, plan[i], batch);
        work = bytes > work ? bytes : work;
    }
    return memory->all - memory->model->work_bytes + work;
}

/* ── the limit ── */

/* The greatest batch below the model's that fits; 0: none. */
static uint32_t batch_that_fits(Arena *arena, const Memory *memory, uint64_t limit)
{
    uint32_t fits = 0, beyond = memory->model->batch;
    while (beyond - fits > 1) {
        uint32_t middle = fits + (beyond - fits) / 2;
        if (memory_at(arena, memory, middle) <= limit)
            fits = middle;
        else
            beyond = middle;
    }
    return fits;
}

/* "weights 64 MiB"; what is less than a twentieth of the whole is left out. */
static void add_part(Text *text, const char *what, uint64_t bytes, uint64_t whole)
{
    if (bytes == 0 || bytes < whole / 20)
        return;
    Str size = table_size(text->arena, bytes);
    text_printf(text, "%s%s " STR_FMT, text->n ? ", " : "", what, STR_ARG(size));
}

/* Labels at the rows that take most, at most NAMED of them and none that hardly counts. */
static void name_largest(Arena *arena, const Memory *memory, Diag *diag)
{
    bool *named = arena_array(arena, bool, memory->n + 1u);
    for (unsigned k = 0; k < NAMED; k++) {
        uint32_t most = memory->n;
        for (uint32_t i = 0; i < memory->n; i++)
            if (!named[i] && memory->row[i].span.source != 0 &&
                (most == memory->n || row_bytes(&memory->row[i]) > row_bytes(&memory->row[most])))
                most = i;
        if (most == memory->n || row_bytes(&memory->row[most]) < memory->all / 20)
            return;
        named[most] = true;
        const MemoryRow *row = &memory->row[most];
        Text text = {.arena = arena};
        uint64_t whole = row_bytes(row);
        add_part(&text, "weights", row->weights, whole);
        add_part(&text, "transposed", row->copies, whole);
        add_part(&text, "optimizer", row->optimizer, whole);
        add_part(&text, "activations", row->activations, whole);
        add_part(&text, "gradients", row->gradients, whole);
        Str size = table_size(arena, whole);
        diag_label(diag, row->span, "`" STR_FMT "` takes " STR_FMT ": " STR_FMT, STR_ARG(row->name), STR_ARG(size),
                   (int)text.n, text.p);
    }
}

static void refuse(Session *s, const Memory *memory, uint64_t limit)
{
    Arena *arena = s->arena;
    const UnitModel *unit = memory->model;
    const Model *model = unit->model;
    const Ast *batch = model->train != NULL && s->options->batch == 0 ? edit_setting(model->train, "batch") : NULL;
    Str all = table_size(arena, memory->all), allowed = table_size(arena, limit);
    if (str_eq(all, allowed)) { /* they differ further behind */
        all = str_printf(arena, "%llu bytes", (unsigned long long)memory->all);
        allowed = str_printf(arena, "%llu", (unsigned long long)limit);
    }
    Diag *diag = diag_new(&s->diags, LEVEL_ERROR, "ACT1302", "memory_limit", batch ? batch->span : model->name_span,
                          "`" STR_FMT "` takes " STR_FMT " of memory with a batch of %u, and " STR_FMT " are allowed",
                          STR_ARG(model->name), STR_ARG(all), unit->batch, STR_ARG(allowed));
    Text parts = {.arena = arena};
    add_part(&parts, "parameters", unit->param_bytes, 0);
    add_part(&parts, "optimizer state", unit->state_bytes, 0);
    add_part(&parts, "work", unit->work_bytes, 0);
    add_part(&parts, "best weights", memory->best, 0);
    diag_primary(diag, STR_FMT, (int)parts.n, parts.p);
    name_largest(arena, memory, diag);
    uint32_t fits = batch_that_fits(arena, memory, limit);
    if (fits > 0) {
        Str size = table_size(arena, memory_at(arena, memory, fits));
        diag_help(diag, "a batch of %u fits: " STR_FMT, fits, STR_ARG(size));
        return;
    }
    uint64_t least = memory_at(arena, memory, 1);
    Str size = table_size(arena, least), stateless = table_size(arena, least - unit->state_bytes);
    diag_note(diag, "no batch fits: with a batch of one it takes " STR_FMT, STR_ARG(size));
    if (unit->state_bytes > 0 && least - unit->state_bytes <= limit)
        diag_help(diag, "plain `sgd` has no state, and takes " STR_FMT " with a batch of one", STR_ARG(stateless));
    else
        diag_help(diag, "make the largest layers narrower");
}

void memory_check(Session *s, const Unit *unit)
{
    for (uint32_t i = 0; i < unit->models.n; i++) {
        Memory memory = memory_of(s->arena, &unit->models.at[i]);
        if (memory.all > s->options->mem_limit)
            refuse(s, &memory, s->options->mem_limit);
    }
}
