#include "ops/recurrent.h"

typedef struct Recurrent {
    LayerCall *call;
    const RecurrentCell *cell;
    Graph *g;
    uint32_t steps, in, hidden;
    bool both;
} Recurrent;

NodeId recurrent_part(Graph *g, NodeId value, uint32_t i, uint32_t n)
{
    const Type *type = graph_type(g, value);
    uint32_t axis = type->rank - 1, size = type->dim[axis] / n;
    return build_slice(g, value, axis, (int64_t)i * size, (int64_t)(i + 1) * size);
}

NodeId recurrent_hidden(Graph *g, NodeId h, const RecurrentWeights *weights)
{
    if (!h)
        return weights->bias;
    NodeId product = build_contract(g, CONTRACT_NN, h, weights->hidden);
    return weights->bias ? build_add(g, product, weights->bias) : product;
}

/* ── parameters ── */
static NodeId matrix(Recurrent *r, const char *name, const char *tail, uint32_t rows, uint32_t arg)
{
    uint32_t cols = r->cell->gates * r->hidden;
    Tensor weight = {.type = type_make(DT_F32, false, 2, (uint32_t[]){rows, cols}), .fan_in = rows, .fan_out = cols, .weight = true};
    weight.file_axis[0] = 1;
    Str full = str_printf(r->call->arena, "%s_l0%s", name, tail);
    return r->call->param(r->call, &weight, full.p, &r->call->arg[arg]);
}

/* The hidden bias of one gate may start at a number of its own; a bias that the user gives is his for all. */
static NodeId bias(Recurrent *r, const char *name, const char *tail, bool gated)
{
    uint32_t cols = r->cell->gates * r->hidden;
    Tensor tensor = {.type = type_make(DT_F32, false, 1, &cols), .fan_in = r->in, .fan_out = cols};
    const LayerArg *arg = &r->call->arg[REC_BIAS];
    Str full = str_printf(r->call->arena, "%s_l0%s", name, tail);
    bool own = gated && r->cell->gate && r->cell->gate_bias != 0 && !arg->span.source; /* four gates: a fill knows quarters */
    if (own)
        tensor.fill = (Fill){FILL_CONSTANT, r->cell->gate_bias, r->cell->gate};
    return r->call->param(r->call, &tensor, full.p, own ? NULL : arg);
}

/* ── one direction ── */
static NodeId step_of(Graph *g, NodeId all, uint32_t t)
{
    Type type = *graph_type(g, all);
    NodeId one = build_slice(g, all, 0, t, (int64_t)t + 1);
    return build_reshape(g, one, type.rank - 1, type.dim + 1);
}

/* Fills every[t]; returns the state behind the last step. False after an error. */
static bool run(Recurrent *r, const char *tail, RecurrentState state, bool backward, NodeId *every, RecurrentState *end)
{
    Graph *g = r->g;
    RecurrentWeights weights = {0};
    NodeId w = matrix(r, "weight_ih", tail, r->in, REC_WEIGHT);
    weights.hidden = w ? matrix(r, "weight_hh", tail, r->hidden, REC_RECURRENT) : 0;
    if (!w || !weights.hidden)
        return false;
    NodeId all = build_contract(g, CONTRACT_NN, r->call->value[0].value, w);
    if (r->call->arg[REC_BIAS].kind != ARG_FLAG) {
        NodeId outside = bias(r, "bias_ih", tail, false), inside = outside ? bias(r, "bias_hh", tail, true) : 0;
        if (!outside || !inside)
            return false;
        all = build_add(g, all, outside);
        if (r->cell->bias_inside)
            weights.bias = inside;
        else
            all = build_add(g, all, inside);
    }
    for (uint32_t i = 0; i < r->steps; i++) {
        uint32_t t = backward ? r->steps - 1 - i : i;
        state = r->cell->step(r->call, step_of(g, all, t), state, &weights);
        every[t] = state.h;
    }
    *end = state;
    return true;
}

/* ── the layer ── */
static bool wrong_shape(Recurrent *r)
{
    LayerCall *call = r->call;
    const Type *type = layer_type(call, 0);
    if (type->dtype != DT_F32) {
        Diag *diag = layer_error(call, "ACT1209", "wrong_argument", 0, "`%s` takes vectors, and these are indices", r->cell->name);
        diag_help(diag, "look them up in a table first: `|> embedding(64)`");
        return true;
    }
    if (type->rank == 2)
        return false;
    Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0, "`%s` takes a sequence: steps, and the features of each",
                             r->cell->name);
    if (type->rank == 1)
        diag_help(diag, "say which are the steps: `|> reshape(%u, 1)`", type->dim[0]);
    else if (type->rank > 2)
        diag_help(diag, "join the axes behind the first: `|> reshape(%u, %llu)`", type->dim[0],
                  (unsigned long long)(type_elements(type) / type->dim[0]));
    return true;
}

/* What stands before the first step, [H], or [2 H] for both directions; 0: zeros. False after an error. */
static bool initial(Recurrent *r, uint32_t arg, NodeId *out)
{
    LayerCall *call = r->call;
    *out = 0;
    if (arg == 0 || call->arg[arg].kind != ARG_VALUE)
        return true;
    const Type *type = graph_type(r->g, call->arg[arg].value);
    uint32_t want = r->hidden * (r->both ? 2 : 1);
    *out = call->arg[arg].value;
    if (type->rank == 1 && type->dim[0] == want && type->dtype == DT_F32)
        return true;
    Diag *diag = diag_new(call->diags, LEVEL_ERROR, "ACT101", "shape_mismatch", call->arg[arg].span,
                          "`%s` starts from [%u] here, and this has shape " STR_FMT, r->cell->name, want,
                          STR_ARG(layer_shape(call, *out)));
    if (r->both)
        diag_note(diag, "both directions have %u features, side by side", r->hidden);
    diag_help(diag, "bring it to size: `|> linear(%u)`", want);
    return false;
}

static NodeId beside(Graph *g, NodeId a, NodeId b, uint32_t axis)
{
    return b ? build_concat(g, (NodeId[]){a, b}, 2, axis) : a;
}

/* h of all steps as one value [T, H]. */
static NodeId stack(Recurrent *r, NodeId *every)
{
    for (uint32_t t = 0; t < r->steps; t++)
        every[t] = build_reshape(r->g, every[t], 2, (uint32_t[]){1, r->hidden});
    return build_concat(r->g, every, r->steps, 0);
}

bool recurrent_build(LayerCall *call, const RecurrentCell *cell)
{
    Recurrent r = {.call = call, .cell = cell, .g = call->g, .both = call->arg[REC_BIDIRECTIONAL].flag};
    if (wrong_shape(&r))
        return false;
    if (call->arg[REC_FEATURES].i < 1 || call->arg[REC_FEATURES].i > INT32_MAX / 8) {
        diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", call->arg[REC_FEATURES].span,
                 "`%s` needs at least one feature", cell->name);
        return false;
    }
    const Type *type = layer_type(call, 0);
    r.steps = type->dim[0], r.in = type->dim[1], r.hidden = (uint32_t)call->arg[REC_FEATURES].i;
    NodeId h, c, *every[2] = {arena_array(call->arena, NodeId, r.steps), arena_array(call->arena, NodeId, r.steps)};
    if (!initial(&r, REC_INITIAL, &h) || !initial(&r, (uint32_t)cell->initial_memory, &c))
        return false;
    RecurrentState end[2] = {{0}, {0}};
    for (uint32_t d = 0; d < 1u + r.both; d++) {
        RecurrentState start = {h, c};
        if (r.both && h)
            start.h = recurrent_part(r.g, h, d, 2);
        if (r.both && c)
            start.c = recurrent_part(r.g, c, d, 2);
        if (!run(&r, d ? "_reverse" : "", start, d == 1, every[d], &end[d]))
            return false;
    }
    if (call->arg[REC_LAST].flag)
        call->result[0] = beside(r.g, end[0].h, end[1].h, 0);
    else
        call->result[0] = beside(r.g, stack(&r, every[0]), r.both ? stack(&r, every[1]) : 0, 1);
    call->n_result = 1;
    if (call->arg[REC_STATE].flag) {
        call->result[call->n_result++] = beside(r.g, end[0].h, end[1].h, 0);
        if (cell->memory)
            call->result[call->n_result++] = beside(r.g, end[0].c, end[1].c, 0);
    }
    return true;
}
