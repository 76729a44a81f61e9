/* `const ActModel NAME_model` and all it points to: what the training program, the checkpoint and the header's reader
 * know of a model. */
#include "llvm/abi_layout.h"

#include <math.h>

/* Names are 1:1; a static assert holds the numbers together. */
_Static_assert((int)LAYOUT_ROWS == (int)ACT_ROWS && (int)LAYOUT_PANELS == (int)ACT_PANELS,
               "layouts of graph.h and abi.h");
_Static_assert((int)DT_F32 == (int)ACT_F32 && (int)DT_I32 == (int)ACT_I32, "element types of type.h and abi.h");
_Static_assert(TYPE_MAX_RANK == ACT_MAX_RANK, "ranks of type.h and abi.h");

static uint32_t line_of(const Module *m, Span span)
{
    const Source *source = source_get(m->unit->program->sources, span.source);
    return source && !source->library ? source_place(source, span.begin).line : 0;
}

/* ── tensors ── */

typedef struct TensorRow {
    Str name, label;
    ActRole role;
    const Type *type;
    Layout layout;
    const uint32_t *file_axis; /* NULL: as it is */
    uint32_t flat_rank;
    const uint32_t *flat;
    uint32_t panel;
    uint64_t offset, bytes;
    uint32_t classes;
    double low, high;
    Span span;
    bool unread, ignores;
    int32_t ignored;
} TensorRow;

static LLVMValueRef tensor_const(Module *m, const TensorRow *row)
{
    uint32_t axis[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < TYPE_MAX_RANK; i++)
        axis[i] = row->file_axis && i < row->type->rank ? row->file_axis[i] : i < row->type->rank ? i : 0;
    bool ranged = row->low <= row->high && !isnan(row->low);
    LLVMValueRef value[] = {
        layout_str(m, row->name),
        layout_str(m, row->label),
        layout_u32(m, row->role),
        layout_u32(m, row->type->dtype),
        layout_u32(m, row->layout),
        layout_u32(m, row->type->rank),
        layout_u32_array(m, row->type->dim, row->type->rank, ACT_MAX_RANK),
        layout_u32_array(m, axis, row->type->rank, ACT_MAX_RANK),
        layout_u32(m, row->flat_rank),
        layout_u32_array(m, row->flat, row->flat_rank, ACT_MAX_RANK),
        layout_u32(m, row->panel),
        layout_u64(m, row->offset),
        layout_u64(m, row->bytes),
        layout_u32(m, row->classes),
        layout_f32(m, ranged ? row->low : 1),
        layout_f32(m, ranged ? row->high : -1),
        layout_u32(m, line_of(m, row->span)),
        layout_u32(m, row->unread),
        layout_u32(m, (uint32_t)row->ignored),
        layout_u32(m, row->ignores),
    };
    return layout_const(m, &layout_tensor, value, sizeof value / sizeof *value);
}

/* The class of a target that no loss counts: all that read it agree. */
static bool ignored_class(const Model *model, Str target, int32_t *ignored)
{
    bool found = false;
    for (uint32_t i = 0; i < model->losses.n; i++) {
        const LossCall *loss = &model->losses.at[i];
        if (loss->target_tensor == 0 || !str_eq(model->graph->tensors.at[loss->target_tensor - 1].name, target))
            continue;
        if (isnan(loss->ignore) || (found && *ignored != (int32_t)loss->ignore))
            return false;
        found = true;
        *ignored = (int32_t)loss->ignore;
    }
    return found;
}

/* `model`: whose target it may be. */
static LLVMValueRef port_const(Module *m, const Port *port, ActRole role, const Model *model)
{
    const Tensor *tensor = port->tensor;
    TensorRow row = {.name = port->name,
                     .label = port->label,
                     .role = role,
                     .type = &port->type,
                     .bytes = port->row_bytes,
                     .classes = tensor ? tensor->classes : 0,
                     .low = port->low,
                     .high = port->high,
                     .span = port->span,
                     .unread = port->unread};
    row.ignores = role == ACT_TARGET && ignored_class(model, port->name, &row.ignored);
    return tensor_const(m, &row);
}

static LLVMValueRef block_const(Module *m, const Tensor *tensor)
{
    Text label = {.arena = m->arena};
    Type type = tensor_type(tensor);
    type_print(&type, &label);
    ActRole role = tensor->role == ROLE_STATE                        ? ACT_STATE
                   : tensor->role == ROLE_PARAM && tensor->trainable ? ACT_PARAM
                                                                     : ACT_CONSTANT;
    TensorRow row = {.name = tensor->name,
                     .label = text_str(&label),
                     .role = role,
                     .type = &tensor->type,
                     .layout = tensor->layout,
                     .file_axis = tensor->file_axis,
                     .flat_rank = tensor->flat_rank,
                     .flat = tensor->flat,
                     .panel = tensor->panel,
                     .offset = tensor->offset,
                     .bytes = tensor->bytes,
                     .low = 1,
                     .high = -1,
                     .span = tensor->span};
    return tensor_const(m, &row);
}

static LLVMValueRef ports(Module *m, const Port *port, uint32_t n, ActRole role, const Model *model, const char *name)
{
    LLVMValueRef *value = arena_array(m->arena, LLVMValueRef, n);
    for (uint32_t i = 0; i < n; i++)
        value[i] = port_const(m, &port[i], role, model);
    return layout_array(m, &layout_tensor, value, n, name);
}

static LLVMValueRef blocks(Module *m, const Tensor *const *tensor, uint32_t n, const char *name)
{
    LLVMValueRef *value = arena_array(m->arena, LLVMValueRef, n);
    for (uint32_t i = 0; i < n; i++)
        value[i] = block_const(m, tensor[i]);
    return layout_array(m, &layout_tensor, value, n, name);
}

/* ── losses and metrics ── */

static LLVMValueRef losses(Module *m, const Interface *interface)
{
    const Model *model = interface->unit->model;
    LLVMValueRef *value = arena_array(m->arena, LLVMValueRef, interface->loss.n);
    for (uint32_t i = 0; i < interface->loss.n; i++) {
        bool mean = true;
        Span span = {0};
        for (uint32_t k = 0; k < model->losses.n; k++)
            if (model->losses.at[k].loss == i) {
                mean = mean && model->losses.at[k].mean;
                span = span.source ? span : model->losses.at[k].statement;
            }
        LLVMValueRef field[] = {layout_str(m, interface->loss.at[i]), layout_f32(m, 1), layout_u32(m, mean),
                                layout_u32(m, line_of(m, span))};
        value[i] = layout_const(m, &layout_loss, field, 4);
    }
    return layout_array(m, &layout_loss, value, interface->loss.n, "losses");
}

static LLVMValueRef metrics(Module *m, const Interface *interface)
{
    const Model *model = interface->unit->model;
    LLVMValueRef *value = arena_array(m->arena, LLVMValueRef, model->metrics.n);
    for (uint32_t i = 0; i < model->metrics.n; i++) {
        const MetricUse *use = &model->metrics.at[i];
        LLVMValueRef field[] = {
            layout_str(m, use->name), layout_str(m, use->kind), port_const(m, &interface->prediction.at[i], ACT_OUTPUT, model),
            layout_u32(m, interface_target(interface, use->target_tensor)), layout_f64(m, use->option)};
        value[i] = layout_const(m, &layout_metric, field, 5);
    }
    return layout_array(m, &layout_metric, value, model->metrics.n, "metrics");
}

/* ── the train block ── */

static LLVMValueRef field_const(Module *m, const FieldUse *use)
{
    LLVMValueRef *step = arena_array(m->arena, LLVMValueRef, use->transforms.n);
    for (uint32_t i = 0; i < use->transforms.n; i++) {
        const TransformUse *t = &use->transforms.at[i];
        LLVMValueRef field[] = {layout_u32(m, t->kind), layout_f64(m, t->a), layout_f64(m, t->b),
                                layout_u32(m, line_of(m, t->span))};
        step[i] = layout_const(m, &layout_transform, field, 4);
    }
    LLVMValueRef field[] = {layout_str(m, use->name),
                            layout_str(m, use->reader),
                            layout_str(m, use->path),
                            layout_str(m, use->columns),
                            layout_array(m, &layout_transform, step, use->transforms.n, "transforms"),
                            layout_u32(m, use->transforms.n),
                            layout_u32(m, line_of(m, use->span))};
    return layout_const(m, &layout_field, field, 7);
}

static LLVMValueRef data_global(Module *m, const DataUse *data, uint64_t seed)
{
    LLVMValueRef *part = arena_array(m->arena, LLVMValueRef, data->parts.n);
    for (uint32_t i = 0; i < data->parts.n; i++) {
        const PartUse *use = &data->parts.at[i];
        LLVMValueRef *field = arena_array(m->arena, LLVMValueRef, use->fields.n);
        for (uint32_t k = 0; k < use->fields.n; k++)
            field[k] = field_const(m, &use->fields.at[k]);
        LLVMValueRef value[] = {layout_str(m, use->name),
                                layout_array(m, &layout_field, field, use->fields.n, "fields"),
                                layout_u32(m, use->fields.n)};
        part[i] = layout_const(m, &layout_part, value, 3);
    }
    LLVMValueRef value[] = {layout_str(m, data->name),
                            layout_str(m, data->base),
                            layout_array(m, &layout_part, part, data->parts.n, "parts"),
                            layout_u32(m, data->parts.n),
                            layout_f64(m, data->validation_split),
                            layout_u64(m, seed),
                            layout_u32(m, data->flip),
                            layout_u32(m, data->crop)};
    LLVMValueRef made = layout_const(m, &layout_data, value, 8);
    return layout_array(m, &layout_data, &made, 1, "data");
}

/* "adam(lr = 0.0002) for g, sgd(lr = 0.1) for d" */
static Str optimizers_text(Module *m, const TrainUse *train)
{
    Text text = {.arena = m->arena};
    for (uint32_t i = 0; i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        text_printf(&text, "%s" STR_FMT, i ? ", " : "", STR_ARG(use->text));
        for (uint32_t k = 0; k < use->group.n; k++)
            text_printf(&text, "%s" STR_FMT, k ? ", " : " for ", STR_ARG(use->group.at[k]));
    }
    return train->optimizers.n ? text_str(&text) : STR("sgd");
}

/* "sgd(lr = 0.1, momentum = 0.9) for d; clip norm(1); accumulate 4": with the values that names and defaults stand for */
static Str settings_text(Module *m, const TrainUse *train)
{
    Text text = {.arena = m->arena};
    for (uint32_t i = 0; i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        text_printf(&text, "%s" STR_FMT "(", i ? ", " : "", STR_ARG(use->name));
        if (!isnan(use->lr))
            text_printf(&text, "lr = %.9g", use->lr);
        for (uint32_t k = 0; k < use->number.n; k++)
            text_printf(&text, "%s" STR_FMT " = %.9g", k || !isnan(use->lr) ? ", " : "", STR_ARG(use->number.at[k].name), use->number.at[k].value);
        text_printf(&text, ")%s", use->decay_matrices_only ? " on matrices" : "");
        for (uint32_t k = 0; k < use->group.n; k++)
            text_printf(&text, "%s" STR_FMT, k ? ", " : " for ", STR_ARG(use->group.at[k]));
    }
    if (train->clip_norm > 0)
        text_printf(&text, "; clip norm(%.9g)", train->clip_norm);
    if (train->clip_value > 0)
        text_printf(&text, "; clip value(%.9g)", train->clip_value);
    if (train->accumulate > 1)
        text_printf(&text, "; accumulate %u", train->accumulate);
    if (train->average_decay > 0)
        text_printf(&text, "; average ema(%.9g)", train->average_decay);
    if (train->average_last > 0)
        text_printf(&text, "; average last(%u)", train->average_last);
    return text_str(&text);
}

static LLVMValueRef train_global(Module *m, const TrainUse *train, Str recipe)
{
    if (!train)
        return LLVMConstNull(m->cg.ptr);
    const OptimizerUse *optimizer = train->optimizers.n ? train->optimizers.at[0] : NULL;
    LLVMValueRef none = LLVMConstNull(m->cg.ptr);
    LLVMValueRef value[] = {
        train->data ? data_global(m, train->data, train->seed) : none,
        layout_u64(m, train->epochs),
        layout_u64(m, train->seed),
        layout_u32(m, train->batch),
        layout_str(m, optimizers_text(m, train)),
        layout_f64(m, optimizer && !isnan(optimizer->lr) ? optimizer->lr : 0),
        layout_u64(m, train->patience),
        layout_u64(m, train->checkpoint_every),
        train->start_from.n ? layout_str(m, train->start_from) : none,
        layout_u64(m, train->checkpoint_steps),
        train->schedule ? layout_str(m, train->schedule_text) : none,
        layout_str(m, settings_text(m, train)),
        layout_str(m, recipe),
        layout_u32(m, train->average_decay > 0),
        layout_u32(m, train->average_last),
        layout_u32(m, train->accumulate),
    };
    LLVMValueRef made = layout_const(m, &layout_train, value, sizeof value / sizeof *value);
    return layout_array(m, &layout_train, &made, 1, "train");
}

/* ── the monitor ── */

_Static_assert((int)WATCH_ACTIVE == (int)ACT_WATCH_ACTIVE && (int)WATCH_STATS == (int)ACT_WATCH_STATS &&
                   (int)WATCH_BINS == ACT_WATCH_BINS && (unsigned)WATCH_NONE == ACT_WATCH_NONE,
               "what is watched, in watch.h and abi.h");

/* 1 + its place in the parameter block; 0: no tensor. */
static uint32_t param_number(const Interface *interface, uint32_t tensor)
{
    for (uint32_t i = 0; tensor != 0 && i < interface->param.n; i++)
        if (interface->param.at[i] == &interface->unit->graph->tensors.at[tensor - 1])
            return 1 + i;
    return 0;
}

static LLVMValueRef point_const(Module *m, const Interface *interface, const WatchPoint *p)
{
    LLVMValueRef value[] = {
        layout_str(m, p->layer),
        layout_str(m, p->kind),
        layout_str(m, p->function),
        layout_u32(m, p->line),
        layout_u32(m, p->function_line),
        layout_u32(m, param_number(interface, p->weight)),
        layout_u32(m, p->units),
        layout_u64(m, p->values),
        layout_u32_array(m, p->stat, ACT_WATCH_STATS, ACT_WATCH_STATS),
        layout_u32(m, p->bins),
        layout_f64(m, p->low),
        layout_f64(m, p->high),
        layout_f64(m, p->deviation),
        layout_f64(m, p->gradient),
        layout_f64(m, p->dead),
        layout_f64(m, p->saturated),
        layout_f64(m, p->update),
    };
    return layout_const(m, &layout_watch_point, value, sizeof value / sizeof *value);
}

static LLVMValueRef watch_global(Module *m, const Interface *interface, LLVMValueRef step)
{
    const Watch *watch = interface->unit->watch;
    if (!step)
        return LLVMConstNull(m->cg.ptr);
    LLVMValueRef *point = arena_array(m->arena, LLVMValueRef, watch->points.n);
    LLVMValueRef *warning = arena_array(m->arena, LLVMValueRef, watch->warnings.n);
    for (uint32_t i = 0; i < watch->points.n; i++)
        point[i] = point_const(m, interface, &watch->points.at[i]);
    for (uint32_t i = 0; i < watch->warnings.n; i++) {
        const WatchWarning *w = &watch->warnings.at[i];
        LLVMValueRef field[] = {layout_str(m, w->code), layout_str(m, w->name), layout_str(m, w->message),
                                layout_u32(m, w->line)};
        warning[i] = layout_const(m, &layout_warning, field, 4);
    }
    LLVMValueRef value[] = {
        layout_array(m, &layout_watch_point, point, watch->points.n, "watch_points"),
        layout_u32(m, watch->points.n),
        layout_u32(m, watch->arrays),
        layout_array(m, &layout_warning, warning, watch->warnings.n, "warnings"),
        layout_u32(m, watch->warnings.n),
        layout_u64(m, watch->every),
        layout_u32(m, watch->first),
        layout_u32(m, watch->last),
        layout_f64(m, watch->ratio),
        layout_f64(m, watch->ratio_low),
        layout_f64(m, watch->ratio_high),
        layout_f64(m, watch->loss),
        layout_f64(m, watch->clip_norm),
        layout_u32(m, watch->clip),
        layout_u32(m, watch->window),
        step,
    };
    LLVMValueRef made = layout_const(m, &layout_watch, value, sizeof value / sizeof *value);
    return layout_array(m, &layout_watch, &made, 1, "watch");
}

/* ── the model ── */

LLVMValueRef descriptor_declare(Module *m, const Interface *interface)
{
    const char *name = module_export(m, interface->unit->model->name, "_model");
    LLVMValueRef global = LLVMAddGlobal(m->mod, layout_type(m, &layout_model), name);
    LLVMSetGlobalConstant(global, true);
    return global;
}

void descriptor_define(Module *m, const Interface *interface, LLVMValueRef global, const EntryPoints *entry)
{
    const UnitModel *unit = interface->unit;
    const Machine *machine = m->options->machine;
    LLVMValueRef function[] = {entry->bind,     entry->init,       entry->forward,
                               entry->evaluate, entry->train_step, entry->schedule};
    for (unsigned i = 0; i < sizeof function / sizeof *function; i++)
        function[i] = function[i] ? function[i] : LLVMConstNull(m->cg.ptr);
    LLVMValueRef value[] = {
        layout_u32(m, ACT_ABI_VERSION),
        layout_u32(m, unit->batch),
        layout_str(m, unit->model->name),
        layout_str(m, m->options->source),
        layout_str(m, unit->hash),
        layout_str(m, machine->triple),
        layout_str(m, machine->features),
        layout_u64(m, unit->param_bytes),
        layout_u64(m, unit->state_bytes),
        layout_u64(m, unit->work_bytes),
        ports(m, interface->input.at, interface->input.n, ACT_INPUT, unit->model, "inputs"),
        ports(m, interface->target.at, interface->target.n, ACT_TARGET, unit->model, "targets"),
        ports(m, interface->output.at, interface->output.n, ACT_OUTPUT, unit->model, "outputs"),
        blocks(m, interface->param.at, interface->param.n, "params"),
        blocks(m, interface->state.at, interface->state.n, "states"),
        ports(m, interface->drawn.at, interface->drawn.n, ACT_INPUT, unit->model, "drawn"),
        layout_u32(m, interface->input.n),
        layout_u32(m, interface->target.n),
        layout_u32(m, interface->output.n),
        layout_u32(m, interface->param.n),
        layout_u32(m, interface->state.n),
        layout_u32(m, interface->drawn.n),
        losses(m, interface),
        layout_u32(m, interface->loss.n),
        metrics(m, interface),
        layout_u32(m, unit->model->metrics.n),
        train_global(m, unit->model->train, unit->recipe),
        layout_const(m, &layout_entries, function, sizeof function / sizeof *function),
        layout_u64(m, unit->flops_forward),
        layout_u64(m, unit->flops_step),
        watch_global(m, interface, entry->watch_step),
    };
    LLVMSetInitializer(global, layout_const(m, &layout_model, value, sizeof value / sizeof *value));
}
