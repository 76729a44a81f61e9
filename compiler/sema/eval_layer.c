/* Calls of layers: arguments against the layer's parameter records, then its build function. */
#include "ops/build.h"
#include "ops/registry.h"
#include "sema/sema.h"

#include <stdlib.h>
#include <string.h>

typedef struct LayerContext {
    Sema *s;
    Closure *fn;
    Scope *scope;
    uint32_t use;
    bool reuse;
    bool frozen;
} LayerContext;

/* ── parameters of the layer ── */
static NodeId tied(LayerCall *call, const Tensor *like, const LayerArg *arg)
{
    LayerContext *cx = call->context;
    Sema *s = cx->s;
    const Tensor *t = &s->g->tensors.at[arg->tensor];
    if (tensor_same_in_files(t, like))
        return tensor_node(s, arg->tensor);
    Diag *diag = sema_error(s, CODE_shape_mismatch, arg->span,
                            "a weight of shape " STR_FMT " is needed, and `" STR_FMT "` has " STR_FMT,
                            STR_ARG(tensor_shape(s, like)), STR_ARG(t->name), STR_ARG(tensor_shape(s, t)));
    Type needs = tensor_type(like), has = tensor_type(t);
    if (needs.rank == 2 && has.rank == 2 && needs.dim[0] == has.dim[1] && needs.dim[1] == has.dim[0])
        diag_help(diag, "turn it: `weight = " STR_FMT " |> permute(1, 0)`", STR_ARG(t->name));
    return 0;
}

/* A weight that is computed from others: it has their gradient and no name in files. */
static NodeId computed(LayerCall *call, const Tensor *like, const LayerArg *arg)
{
    Sema *s = ((LayerContext *)call->context)->s;
    if (type_equal(graph_type(s->g, arg->value), &like->type))
        return arg->value;
    Text need = {.arena = s->arena};
    type_print_shape(&like->type, &need);
    sema_error(s, CODE_shape_mismatch, arg->span, "a weight of shape " STR_FMT " is needed, and this has " STR_FMT,
               STR_ARG(text_str(&need)), STR_ARG(sema_shape(s, arg->value)));
    return 0;
}

static NodeId layer_param(LayerCall *call, const Tensor *like, const char *name, const LayerArg *init)
{
    LayerContext *cx = call->context;
    Sema *s = cx->s;
    uint32_t index;
    NodeId node;
    if (init && init->kind == ARG_VALUE)
        return computed(call, like, init);
    if (init && init->kind == ARG_TENSOR) {
        index = init->tensor;
        node = tied(call, like, init);
        if (!node)
            return 0;
    } else {
        Tensor tensor = *like;
        tensor.trainable = call->trainable;
        Value value = init && init->init ? *(const Value *)init->init : value_none();
        Str full = str_printf(s->arena, STR_FMT ".%s", STR_ARG(call->path), name);
        bool ok = true;
        if (!init) /* no say in how it starts: as the layer has it */
            tensor.init = STR("fixed");
        index = param_make(s, &tensor, full, value, init && init->span.source ? init->span : call->span, cx->reuse,
                           call->span, &ok);
        if (!ok)
            return 0;
        node = tensor_node(s, index);
    }
    LayerUse *use = &s->model->layers.at[cx->use];
    if (use->n_tensor < sizeof use->tensor / sizeof use->tensor[0])
        use->tensor[use->n_tensor++] = index;
    return node;
}

static Root *update_of(Graph *g, uint32_t tensor)
{
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_UPDATE && g->roots.at[i].index == tensor)
            return &g->roots.at[i];
    return NULL;
}

static NodeId layer_running(LayerCall *call, const Tensor *like, const char *name, NodeId *latest)
{
    LayerContext *cx = call->context;
    Sema *s = cx->s;
    Tensor tensor = *like;
    tensor.trainable = false;
    tensor.init = STR("fixed");
    Str full = str_printf(s->arena, STR_FMT ".%s", STR_ARG(call->path), name);
    bool ok = true;
    uint32_t index = param_make(s, &tensor, full, value_none(), call->span, cx->reuse, call->span, &ok);
    if (!ok)
        return 0;
    const Root *root = update_of(s->g, index);
    NodeId node = tensor_node(s, index);
    if (latest)
        *latest = root ? root->node : node;
    return node;
}

static void layer_update(LayerCall *call, NodeId running, NodeId value)
{
    uint32_t tensor;
    bool is_tensor = build_is_tensor(graph_node(call->g, running), &tensor);
    ACT_ASSERT(is_tensor);
    Root *root = is_tensor ? update_of(call->g, tensor) : NULL;
    if (root)
        root->node = value;
    else
        graph_root_add(call->g, ROOT_UPDATE, value, tensor, call->g->tensors.at[tensor].name);
}

/* ── arguments ── */
static bool word_in(const char *words, Str word, Str *found)
{
    for (const char *at = words; at && *at;) {
        const char *end = strchr(at, '|');
        Str one = {at, (uint32_t)(end ? (size_t)(end - at) : strlen(at))};
        if (str_eq(one, word)) {
            *found = one;
            return true;
        }
        at = end ? end + 1 : NULL;
    }
    return false;
}

static void words_of(Sema *s, const char *words, void *out)
{
    VEC(Str) *names = out;
    for (const char *at = words; at && *at;) {
        const char *end = strchr(at, '|');
        *vec_push(s->arena, names) = (Str){at, (uint32_t)(end ? (size_t)(end - at) : strlen(at))};
        at = end ? end + 1 : NULL;
    }
}

static bool take_init(Sema *s, Value v, Span span, const char *what, LayerArg *out)
{
    if (v.kind == V_FLAG) {
        out->kind = v.flag ? ARG_INIT : ARG_FLAG; /* `bias = true` is the default, `false` leaves it out */
        out->flag = v.flag;
        return true;
    }
    if (v.kind == V_TENSOR) {
        out->kind = ARG_TENSOR;
        out->tensor = v.tensor;
        return true;
    }
    if (init_is(v)) {
        out->kind = ARG_INIT;
        out->init = arena_copy(s->arena, &v, sizeof v);
        return true;
    }
    if (v.kind == V_NONE)
        return false;
    if (v.kind == V_NODE && !graph_type(s->g, v.node)->batch) { /* made of weights: `enc.weight |> permute(1, 0)` */
        out->kind = ARG_VALUE;
        out->value = v.node;
        return true;
    }
    Diag *diag = sema_error(s, CODE_wrong_argument, span, "%s is an initializer or a weight, and this is " STR_FMT,
                            what, STR_ARG(value_describe(s, v)));
    if (v.kind == V_NUMBER)
        diag_help(diag, "write `constant(...)` for a fixed number");
    return false;
}

/* A word with numbers of its own, `reflect(1)`: written "reflect()" among the words of the parameter. */
static bool word_call(Sema *s, const LayerParam *param, const Arg *arg, LayerArg *out, const Ast **numbers)
{
    const Ast *call = arg->ast;
    if (!param->words || param->kind != ARG_DIMS || !call || call->kind != AST_CALL || call->kid[0]->kind != AST_NAME)
        return false;
    Str name = call->kid[0]->text;
    if (!word_in(param->words, str_printf(s->arena, STR_FMT "()", STR_ARG(name)), &out->word))
        return false;
    *numbers = call->n_kid == 2 && call->kid[1]->kind == AST_ARG && call->kid[1]->text.n == 0 ? call->kid[1]->kid[0] : NULL;
    return true;
}

/* `last = yes`: a name of nothing where true or false is wanted. */
static bool is_nothing(Sema *s, const Arg *arg)
{
    return arg->ast && arg->ast->kind == AST_NAME && !str_is(arg->ast->text, "true") && !str_is(arg->ast->text, "false") &&
           !frame_find(arg->frame, arg->ast->text) && !item_find(s, DEF_PARAM, arg->ast->text);
}

/* `gru(16, last)`: the name of a flag alone, which wants a value. */
static bool bare_flag(Sema *s, const Layer *layer, const Arg *arg)
{
    for (uint32_t i = 0; is_nothing(s, arg) && i < layer->n_param; i++) {
        const char *name = layer->param[i].name;
        if (layer->param[i].kind != ARG_FLAG || !str_is(arg->ast->text, name))
            continue;
        Diag *diag = sema_error(s, CODE_wrong_argument, arg->ast->span, "`%s` of `%s` is `true` or `false`", name, layer->name);
        diag_help(diag, "write it out: `%s = true`", name);
        diag_fix(diag, FIX_SAFE, arg->ast->span, "%s = true", name);
        return true;
    }
    return false;
}

static bool take(Sema *s, const Layer *layer, const LayerParam *param, Arg *arg, LayerArg *out)
{
    const char *what = str_c(s->arena, str_printf(s->arena, "`%s` of `%s`", param->name, layer->name));
    Span span = arg->ast ? arg->ast->span : arg->value.span;
    out->span = sema_place(s, span);
    if (param->words && arg->ast && arg->ast->kind == AST_NAME && word_in(param->words, arg->ast->text, &out->word)) {
        out->kind = ARG_WORD;
        return true;
    }
    bool words_or_sizes = param->words && (param->kind == ARG_WORD || param->kind == ARG_DIMS);
    if (words_or_sizes && arg->ast && arg->ast->kind == AST_NAME && !frame_find(arg->frame, arg->ast->text) &&
        !item_find(s, DEF_PARAM, arg->ast->text)) {
        VEC(Str) words = {0};
        words_of(s, param->words, &words);
        sema_unknown(s, arg->ast->span, what, arg->ast->text, words.at, words.n);
        return false;
    }
    if (param->kind == ARG_INIT && arg->ast && arg->ast->kind == AST_NAME && str_is(arg->ast->text, "auto") &&
        !item_find(s, DEF_INITIALIZER, STR("auto"))) {
        out->kind = ARG_INIT;
        return true;
    }
    if (param->kind == ARG_FLAG && is_nothing(s, arg)) {
        sema_error(s, CODE_wrong_argument, span, "%s is `true` or `false`", what);
        return false;
    }
    const Ast *numbers;
    if (word_call(s, param, arg, out, &numbers)) {
        out->kind = ARG_DIMS;
        out->dims = (Dims){0};
        if (numbers)
            return value_dims(s, eval(s, arg->frame, numbers), numbers->span, what, &out->dims);
        sema_error(s, CODE_wrong_argument, span, "`" STR_FMT "` takes one argument, how wide it is", STR_ARG(arg->ast->kid[0]->text));
        return false;
    }
    Value v = arg_value(s, arg);
    if (v.kind == V_NONE)
        return false;
    LayerArgKind before = out->kind;
    out->kind = param->kind;
    switch (param->kind) {
    case ARG_VALUE:
        out->value = value_want_node(s, v, span, what);
        return out->value != 0;
    case ARG_INT:
        return value_whole(s, v, span, what, INT32_MIN, INT32_MAX, &out->i);
    case ARG_REAL:
        return value_real(s, v, span, what, &out->f);
    case ARG_FLAG:
        if (v.kind != V_FLAG)
            sema_error(s, CODE_wrong_argument, span, "%s is `true` or `false`, and this is " STR_FMT, what,
                       STR_ARG(value_describe(s, v)));
        out->flag = v.kind == V_FLAG && v.flag;
        return v.kind == V_FLAG;
    case ARG_DIMS:
        if (before != ARG_DIMS)
            out->dims = (Dims){0};
        return value_dims(s, v, span, what, &out->dims);
    case ARG_INIT:
        return take_init(s, v, span, what, out);
    default:
        sema_error(s, CODE_wrong_argument, span, "%s can't be " STR_FMT, what, STR_ARG(value_describe(s, v)));
        return false;
    }
}

static bool take_default(Sema *s, const Layer *layer, const LayerParam *param, Span span, LayerArg *out)
{
    if (!param->def) {
        if (param->optional)
            return true;
        Diag *diag = sema_error(s, CODE_missing_argument, span, "`%s` needs `%s`", layer->name, param->name);
        if (param->doc)
            diag_note(diag, "%s", param->doc);
        return false;
    }
    Str def = str_of(param->def);
    out->kind = param->kind;
    out->span = (Span){0};
    if (word_in(param->words, def, &out->word))
        out->kind = ARG_WORD;
    else if (param->kind == ARG_INT)
        out->i = strtoll(param->def, NULL, 10);
    else if (param->kind == ARG_REAL)
        out->f = strtod(param->def, NULL);
    else if (param->kind == ARG_FLAG)
        out->flag = str_is(def, "true");
    else if (param->kind == ARG_DIMS)
        out->dims = (Dims){1, {strtoll(param->def, NULL, 10)}};
    else if (param->kind == ARG_INIT && str_is(def, "false"))
        out->kind = ARG_FLAG;
    else if (param->kind == ARG_INIT && !str_is(def, "auto")) {
        Closure *fn = arena_new_of(s->arena, Closure);
        fn->item = map_get(&s->library[DEF_INITIALIZER], def);
        fn->name = def;
        fn->span = span;
        Value v = value_fn(fn, span);
        out->init = fn->item ? arena_copy(s->arena, &v, sizeof v) : NULL;
    }
    return true;
}

static int find_param(const Layer *layer, Str name)
{
    for (uint32_t i = 0; i < layer->n_param; i++)
        if (str_is(name, layer->param[i].name))
            return (int)i;
    return -1;
}

/* One argument by name: a parameter, or what every layer with weights takes. */
static bool take_named(Sema *s, const Layer *layer, Arg *arg, LayerCall *call)
{
    int at = find_param(layer, arg->name);
    if (at >= 0) {
        if (call->arg[at].kind != ARG_NONE) {
            sema_error(s, CODE_duplicate_name, arg->name_span, "`" STR_FMT "` is given twice", STR_ARG(arg->name));
            return false;
        }
        return take(s, layer, &layer->param[at], arg, &call->arg[at]);
    }
    if (layer->weighted && str_is(arg->name, "trainable")) {
        LayerArg flag = {0};
        LayerParam param = {.name = "trainable", .kind = ARG_FLAG};
        bool ok = take(s, layer, &param, arg, &flag);
        call->trainable = call->trainable && flag.flag;
        return ok;
    }
    VEC(Str) names = {0};
    for (uint32_t i = 0; i < layer->n_param; i++)
        *vec_push(s->arena, &names) = str_of(layer->param[i].name);
    if (layer->weighted)
        *vec_push(s->arena, &names) = STR("trainable");
    sema_unknown(s, arg->name_span, str_c(s->arena, str_printf(s->arena, "argument of `%s`", layer->name)), arg->name,
                 names.at, names.n);
    return false;
}

static bool take_positional(Sema *s, const Layer *layer, Args *pos, uint32_t from, LayerCall *call)
{
    uint32_t param = 0;
    bool ok = true;
    for (uint32_t i = from; i < pos->n; i++) {
        while (param < layer->n_param && layer->param[param].named_only)
            param++;
        if (param == layer->n_param) {
            Arg *arg = &pos->at[i];
            Diag *diag = sema_error(s, CODE_wrong_argument, arg->ast ? arg->ast->span : arg->value.span,
                                    "`%s` does not take so many arguments", layer->name);
            Text text = {.arena = s->arena};
            for (uint32_t k = 0; k < layer->n_param; k++)
                text_printf(&text, "%s`%s`", !k ? "" : k + 1 < layer->n_param ? ", " : " and ", layer->param[k].name);
            if (layer->n_param)
                diag_help(diag, "it takes " STR_FMT, STR_ARG(text_str(&text)));
            return false;
        }
        if (bare_flag(s, layer, &pos->at[i]))
            return false;
        ok = take(s, layer, &layer->param[param], &pos->at[i], &call->arg[param]) && ok;
        param += !layer->param[param].variadic;
    }
    return ok;
}

static bool take_values(Sema *s, const Layer *layer, Args *pos, Span span, LayerCall *call, uint32_t *used)
{
    bool ok = true;
    const char *who = str_c(s->arena, str_printf(s->arena, "`%s`", layer->name));
    uint32_t i = 0;
    if (pos->n > layer->max_value && pos->at[layer->max_value].done && value_is_graph(pos->at[layer->max_value].value)) {
        Diag *diag = sema_error(s, CODE_wrong_argument, span, "`%s` takes %u value%s, and gets more", layer->name,
                                layer->max_value, layer->max_value == 1 ? "" : "s");
        diag_help(diag, "name the results, `a, b = ...`, and pass one of them on");
        *used = pos->n; /* no argument is looked at */
        return false;
    }
    for (; i < pos->n && i < layer->max_value; i++) {
        bool asked = i < layer->min_value || pos->at[i].done || !layer->param[0].words;
        Value v = asked ? arg_value(s, &pos->at[i]) : value_none();
        bool broken = asked && v.kind == V_NONE; /* may be one more value: nothing is said about it again */
        if (i >= layer->min_value && !value_is_graph(v) && v.kind != V_SX && !broken)
            break;
        NodeId node = value_want_node(s, v, v.span.source ? v.span : span, who);
        ok = ok && node;
        call->value[call->n_value++] =
            (LayerArg){.kind = ARG_VALUE, .value = node, .span = sema_place(s, v.span.source ? v.span : span)};
    }
    *used = i;
    if (i < layer->min_value) {
        sema_error(s, CODE_missing_argument, span, "`%s` needs %u values, and has %u", layer->name, layer->min_value,
                   i);
        return false;
    }
    return ok;
}

/* ── the call ── */
static Value results(Sema *s, const LayerCall *call, Span span)
{
    if (call->n_result == 1)
        return value_node(call->result[0], span);
    Value v = {.kind = V_LIST, .span = span};
    v.list = arena_new_of(s->arena, List);
    v.list->results = true;
    for (uint32_t i = 0; i < call->n_result; i++)
        *vec_push(s->arena, &v.list->item) = value_node(call->result[i], span);
    return v;
}

/* Inside a loss, sum and mean without an axis take everything, the batch too; in a loss of rows they take the row. */
static bool whole_reduction(Sema *s, const Frame *f, const Layer *layer, LayerCall *call, Span span, Value *out)
{
    bool sum = strcmp(layer->name, "sum") == 0, mean = strcmp(layer->name, "mean") == 0,
         max = strcmp(layer->name, "max") == 0;
    if (!f->loss || (!sum && !mean && !max) || call->arg[0].kind != ARG_NONE)
        return false;
    if (f->rows) {
        call->arg[0] = (LayerArg){.kind = ARG_DIMS, .dims = {1, {-1}}};
        return false;
    }
    if (max)
        return false;
    *out = loss_reduce_all(s, call->value[0].value, mean, span, str_of(layer->name));
    return true;
}

Value layer_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call_ast, Span span, Str path)
{
    const Layer *layer = fn->item->def.layer;
    if (f->kind == FRAME_SCALAR || !s->g || !f->scope) {
        s->row_op = true;
        sema_error(s, CODE_not_a_value, span, "`%s` works on whole values of a network, not on single numbers",
                   layer->name);
        return value_none();
    }
    Share *share = fn->share;
    LayerCall *call = arena_new_of(s->arena, LayerCall);
    LayerContext cx = {.s = s, .fn = fn, .scope = f->scope, .reuse = f->scope->reuse || (share && share->used)};
    *call =
        (LayerCall){.g = s->g, .diags = sema_sink(s), .arena = s->arena, .span = sema_place(s, span), .context = &cx};
    call->trainable = !f->scope->frozen;
    call->param = layer_param;
    call->running = layer_running;
    call->update = layer_update;
    uint32_t used = 0;
    bool ok = take_values(s, layer, pos, span, call, &used);
    ok = take_positional(s, layer, pos, used, call) && ok;
    for (uint32_t i = 0; i < named->n; i++)
        ok = take_named(s, layer, &named->at[i], call) && ok;
    Value result = value_none();
    if (ok && whole_reduction(s, f, layer, call, span, &result))
        return result;
    for (uint32_t i = 0; ok && i < layer->n_param; i++)
        if (call->arg[i].kind == ARG_NONE)
            ok = take_default(s, layer, &layer->param[i], span, &call->arg[i]);
    bool in_loss = f->item && f->item->def.kind == DEF_LOSS; /* part of a formula, no layer of the network */
    if (!in_loss)
        call->path = path.n && !share ? path
                     : share          ? share->path
                                      : scope_name(s, f->scope, fn->name, fn->label, fn->label_span);
    if (!ok) {
        broken_layer(s, call->path);
        return value_none();
    }
    uint32_t outer = s->layer, errors = call->diags->list.n;
    if (!in_loss)
        cx.use = use_begin(s, call->path, str_of(layer->name), false, span, call_ast, call->value[0].value);
    call->layer = s->layer;
    NodeId from = s->g->nodes.n;
    bool small = true;
    if (layer->build(call)) {
        for (uint32_t i = 0; i < call->n_result; i++)
            small = value_small(s, call->result[i], span) && small;
        if (small)
            result = results(s, call, span);
    } else {
        broken_layer(s, call->path);
        reshape_fix(s, call, call_ast);
    }
    if (s->model && call->diags == s->diags && s->diags->list.n > errors)
        s->model->poisoned = true;
    origin_set(s, from, span, str_of(layer->name));
    if (!in_loss)
        use_end(s, cx.use, value_is_graph(result) ? result.node : call->n_result ? call->result[0] : 0, outer);
    if (share)
        share->used = true;
    return result;
}
