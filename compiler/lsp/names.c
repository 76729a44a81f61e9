#include "lsp/names.h"

#include <stdlib.h>
#include <string.h>

static const DefKind callables[] = {DEF_ACTIVATION, DEF_FUNCTION, DEF_BLOCK, DEF_LOSS, DEF_LAYER};

const Def *names_callable(const Program *program, Str name)
{
    const Def *library = NULL;
    for (size_t i = 0; i < sizeof callables / sizeof *callables; i++) {
        const Def *def = sema_find(program, callables[i], name);
        if (def && !def->library)
            return def;
        library = library ? library : def;
    }
    return library ? library : sema_find(program, DEF_INITIALIZER, name);
}

bool def_is_hidden(const Program *program, const Def *def) { return sema_find(program, def->kind, def->name) != def; }

const char *def_kind_word(const Def *def)
{
    static const char *const word[] = {"activation", "function", "loss",  "initializer", "optimizer", "schedule",
                                       "block",      "layer",    "param", "model",       "data",      "metric"};
    return word[def->kind];
}

const Symbol *names_def(Names *n, const Def *def)
{
    size_t i = (size_t)(def - n->program->defs.at);
    if (!n->of_def[i]) {
        Symbol *symbol = arena_new_of(n->arena, Symbol);
        *symbol = (Symbol){.kind = SYMBOL_DEF, .name = def->name, .ast = def->ast, .def = def};
        if (def->ast)
            symbol->span = def->ast->name_span;
        n->of_def[i] = symbol;
    }
    return n->of_def[i];
}

static void add_use(Names *n, Span span, const Symbol *symbol, bool call)
{
    if (symbol && span.source && span.begin < span.end)
        *vec_push(n->arena, &n->uses) = (NameUse){span, symbol, call};
}

static void use_def(Names *n, DefKind kind, Str name, Span span, bool call)
{
    const Def *def = sema_find(n->program, kind, name);
    if (def)
        add_use(n, span, names_def(n, def), call);
}

/* ── scopes ── */
static NameScope *scope_new(Names *n, const NameScope *parent, const Ast *ast)
{
    NameScope *scope = arena_new_of(n->arena, NameScope);
    *scope = (NameScope){.parent = parent, .ast = ast, .symbols = {.arena = n->arena}, .labels = {.arena = n->arena}};
    *vec_push(n->arena, &n->scopes) = scope;
    return scope;
}

const NameScope *names_scope(const Names *n, const Ast *body)
{
    for (uint32_t i = 0; i < n->scopes.n; i++)
        if (n->scopes.at[i]->ast == body)
            return n->scopes.at[i];
    return NULL;
}

static const Symbol *find(const NameScope *scope, Str name)
{
    for (; scope; scope = scope->parent) {
        const Symbol *symbol = map_get(&scope->symbols, name);
        if (symbol)
            return symbol;
    }
    return NULL;
}

static const Symbol *find_label(const NameScope *scope, Str name)
{
    for (; scope; scope = scope->parent) {
        const Symbol *symbol = map_get(&scope->labels, name);
        if (symbol)
            return symbol;
    }
    return NULL;
}

static void declare(Names *n, NameScope *scope, SymbolKind kind, Str name, Span span, const Ast *ast)
{
    if (!name.n)
        return;
    Map *map = kind == SYMBOL_LABEL ? &scope->labels : &scope->symbols;
    const Symbol *old = map_get(map, name);
    if (old) { /* a second definition is a mistake; it belongs to the first */
        add_use(n, span, old, false);
        return;
    }
    Symbol *symbol = arena_new_of(n->arena, Symbol);
    *symbol = (Symbol){.kind = kind, .name = name, .span = span, .ast = ast};
    map_set(map, name, symbol);
    add_use(n, span, symbol, false);
}

static void declare_labels(Names *n, NameScope *scope, const Ast *e)
{
    if (!e)
        return;
    if (e->kind == AST_LABEL)
        declare(n, scope, SYMBOL_LABEL, e->text, e->name_span, e);
    for (uint32_t i = 0; i < e->n_kid; i++)
        declare_labels(n, scope, e->kid[i]);
}

static void declare_body(Names *n, NameScope *scope, const Ast *body)
{
    for (uint32_t i = 0; i < body->n_kid; i++) {
        const Ast *st = body->kid[i];
        if (!st)
            continue;
        if (st->kind == AST_PARAMETERS)
            for (uint32_t k = 0; k < st->n_kid; k++)
                declare(n, scope, SYMBOL_PARAMETER, st->kid[k]->text, st->kid[k]->name_span, st->kid[k]);
        else if (st->kind == AST_ASSIGN)
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                declare(n, scope, SYMBOL_VALUE, st->kid[0]->kid[k]->text, st->kid[0]->kid[k]->span, st);
        else if (st->kind == AST_INPUT || st->kind == AST_TARGET || st->kind == AST_SHARE || st->kind == AST_STATE ||
                 st->kind == AST_BLOCK)
            declare(n, scope,
                    st->kind == AST_INPUT    ? SYMBOL_INPUT
                    : st->kind == AST_TARGET ? SYMBOL_TARGET
                    : st->kind == AST_SHARE  ? SYMBOL_SHARE
                    : st->kind == AST_STATE  ? SYMBOL_STATE
                                             : SYMBOL_BLOCK,
                    st->text, st->name_span, st);
        if (st->kind != AST_BLOCK)
            declare_labels(n, scope, st);
    }
}

/* ── names in expressions ── */
static const Ast *ungroup(const Ast *e)
{
    while (e && e->kind == AST_GROUP)
        e = e->kid[0];
    return e;
}

static void use_value(Names *n, const NameScope *scope, const Ast *name)
{
    const Symbol *local = find(scope, name->text);
    if (local) {
        add_use(n, name->span, local, false);
        return;
    }
    const Def *def = sema_find(n->program, DEF_PARAM, name->text);
    def = def ? def : names_callable(n->program, name->text);
    if (def)
        add_use(n, name->span, names_def(n, def), false);
}

/* In front of `(` and behind `|>`: a value of the same name does not hide a function. */
static const Symbol *callee_symbol(Names *n, const NameScope *scope, Str name)
{
    const Symbol *local = find(scope, name);
    const Def *def = names_callable(n->program, name);
    bool callable =
        local && (local->kind == SYMBOL_PARAMETER || local->kind == SYMBOL_SHARE || local->kind == SYMBOL_BLOCK);
    if (local && (callable || !def))
        return local;
    const Def *param = sema_find(n->program, DEF_PARAM, name);
    return param ? names_def(n, param) : def ? names_def(n, def) : NULL;
}

static void walk(Names *n, const NameScope *scope, const Ast *e, bool data);

/* Words such as `same` are names only where the layer has no such word. */
static bool is_word(const Symbol *callee, const Ast *arg)
{
    const Ast *value = arg->n_kid ? arg->kid[0] : NULL;
    const Layer *layer = callee && callee->def ? callee->def->layer : NULL;
    if (!value || value->kind != AST_NAME || !layer)
        return false;
    for (uint32_t i = 0; i < layer->n_param; i++) {
        const LayerParam *param = &layer->param[i];
        if (!param->words || (arg->text.n && !str_is(arg->text, param->name)))
            continue;
        for (const char *at = param->words; *at;) {
            size_t length = strcspn(at, "|");
            if (str_eq((Str){at, (uint32_t)length}, value->text))
                return true;
            at += length + (at[length] == '|');
        }
    }
    return false;
}

static void walk_arguments(Names *n, const NameScope *scope, const Symbol *callee, const Ast *call, bool data)
{
    const Ast *params = NULL;
    for (uint32_t i = 0; callee && callee->ast && i < callee->ast->n_kid; i++)
        if (callee->ast->kid[i] && callee->ast->kid[i]->kind == AST_PARAMETERS)
            params = callee->ast->kid[i];
    const NameScope *inside = params ? names_scope(n, callee->ast) : NULL;
    for (uint32_t i = 1; i < call->n_kid; i++) {
        const Ast *arg = call->kid[i];
        if (!arg || arg->kind != AST_ARG)
            continue;
        const Symbol *parameter = inside && arg->text.n ? map_get(&inside->symbols, arg->text) : NULL;
        if (parameter && parameter->kind == SYMBOL_PARAMETER)
            add_use(n, arg->name_span, parameter, false);
        if (!is_word(callee, arg))
            walk(n, scope, arg->n_kid ? arg->kid[0] : NULL, data);
    }
}

static void walk_call(Names *n, const NameScope *scope, const Ast *call, bool data)
{
    const Ast *callee = ungroup(call->kid[0]);
    const Symbol *symbol = NULL;
    if (callee && callee->kind == AST_NAME) {
        symbol = data ? NULL : callee_symbol(n, scope, callee->text);
        add_use(n, callee->span, symbol, true);
    } else {
        walk(n, scope, callee, data);
    }
    walk_arguments(n, scope, symbol, call, data);
}

static void walk_stage(Names *n, const NameScope *scope, const Ast *stage, bool data)
{
    while (stage && (stage->kind == AST_LABEL || stage->kind == AST_GROUP))
        stage = stage->kid[0];
    if (stage && stage->kind == AST_NAME) {
        if (!data)
            add_use(n, stage->span, callee_symbol(n, scope, stage->text), true);
    } else {
        walk(n, scope, stage, data);
    }
}

/* `data`: the readers and steps of a pipeline are no definitions. */
static void walk(Names *n, const NameScope *scope, const Ast *e, bool data)
{
    if (!e)
        return;
    switch (e->kind) {
    case AST_NAME:
        use_value(n, scope, e);
        return;
    case AST_CALL:
        walk_call(n, scope, e, data);
        return;
    case AST_PIPE:
        walk(n, scope, e->kid[0], data);
        walk_stage(n, scope, e->kid[1], data);
        return;
    case AST_FIELD: {
        const Ast *root = ungroup(e->kid[0]);
        const Symbol *label =
            root && root->kind == AST_NAME && !find(scope, root->text) ? find_label(scope, root->text) : NULL;
        if (label)
            add_use(n, root->span, label, false);
        else
            walk(n, scope, e->kid[0], data);
        return;
    }
    default:
        for (uint32_t i = 0; i < e->n_kid; i++)
            walk(n, scope, e->kid[i], data);
    }
}

/* ── statements ── */
static void walk_body(Names *n, const NameScope *scope, const Ast *body);

/* `loss for d`, `optimizer … for g` */
static void walk_groups(Names *n, const NameScope *scope, const Ast *names)
{
    for (uint32_t i = 0; names && i < names->n_kid; i++) {
        const Symbol *symbol = find(scope, names->kid[i]->text);
        add_use(n, names->kid[i]->span, symbol ? symbol : find_label(scope, names->kid[i]->text), false);
    }
}

/* The callee of a setting or metric means a definition of one kind. */
static void walk_special(Names *n, const NameScope *scope, const Ast *e, DefKind kind)
{
    const Ast *call = ungroup(e), *name = call && call->kind == AST_CALL ? ungroup(call->kid[0]) : call;
    if (name && name->kind == AST_NAME)
        use_def(n, kind, name->text, name->span, true);
    const Def *def = name && name->kind == AST_NAME ? sema_find(n->program, kind, name->text) : NULL;
    if (call && call->kind == AST_CALL)
        walk_arguments(n, scope, def ? names_def(n, def) : NULL, call, false);
}

static const Ast *model_ast(const Names *n, Str name)
{
    const Def *def = sema_find(n->program, DEF_MODEL, name);
    return def ? def->ast : NULL;
}

static void walk_setting(Names *n, const Ast *train, const Ast *st)
{
    const Ast *first = st->n_kid ? st->kid[0] : NULL, *last = st->n_kid ? st->kid[st->n_kid - 1] : NULL;
    const Ast *model = model_ast(n, train->text);
    if (last && last->kind == AST_FOR && model)
        walk_groups(n, names_scope(n, model), last);
    if (!first || first->kind == AST_FOR)
        return;
    if (str_is(st->text, "data"))
        walk_special(n, n->global, first, DEF_DATA);
    else if (str_is(st->text, "optimizer"))
        walk_special(n, n->global, first, DEF_OPTIMIZER);
    else if (str_is(st->text, "schedule"))
        walk_special(n, n->global, first, DEF_SCHEDULE);
    else
        for (uint32_t i = 0; i < st->n_kid; i++) {
            const Ast *e = ungroup(st->kid[i]);
            if (e && e->kind == AST_CALL) /* norm(…), early(…) */
                walk_arguments(n, n->global, NULL, e, false);
            else if (e && e->kind != AST_NAME)
                walk(n, n->global, e, false);
            else if (e && st->n_kid == 1) /* epochs N */
                walk(n, n->global, e, false);
        }
}

/* A field of the data is an input or target of the model that is trained with it. */
static const Symbol *field_symbol(const Names *n, const Ast *data, Str field)
{
    for (uint32_t f = 0; f < n->program->files.n; f++)
        for (uint32_t i = 0; i < n->program->files.at[f]->n_kid; i++) {
            const Ast *train = n->program->files.at[f]->kid[i];
            bool uses = false;
            for (uint32_t k = 0; train && train->kind == AST_TRAIN && k < train->n_kid; k++) {
                const Ast *st = train->kid[k];
                const Ast *value = st && str_is(st->text, "data") && st->n_kid ? ungroup(st->kid[0]) : NULL;
                uses = uses || (value && value->kind == AST_NAME && str_eq(value->text, data->text));
            }
            const Ast *model = uses ? model_ast(n, train->text) : NULL;
            const NameScope *scope = model ? names_scope(n, model) : NULL;
            const Symbol *symbol = scope ? map_get(&scope->symbols, field) : NULL;
            if (symbol && (symbol->kind == SYMBOL_INPUT || symbol->kind == SYMBOL_TARGET))
                return symbol;
        }
    return NULL;
}

static void walk_data(Names *n, const Ast *data, const Ast *body)
{
    for (uint32_t i = 0; i < body->n_kid; i++) {
        const Ast *st = body->kid[i];
        if (!st)
            continue;
        if (st->kind == AST_PART) {
            walk_data(n, data, st);
        } else if (st->kind == AST_ASSIGN) {
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                add_use(n, st->kid[0]->kid[k]->span, field_symbol(n, data, st->kid[0]->kid[k]->text), false);
            walk(n, n->global, st->kid[2], true);
        }
    }
}

static void walk_statement(Names *n, const NameScope *scope, const Ast *st)
{
    switch (st->kind) {
    case AST_ASSIGN:
        walk(n, scope, st->kid[1], false);
        walk(n, scope, st->kid[2], false);
        return;
    case AST_LOSS:
        walk(n, scope, st->kid[0], false);
        walk_groups(n, scope, st->n_kid > 1 ? st->kid[1] : NULL);
        return;
    case AST_METRIC:
        walk_special(n, scope, st->kid[0], DEF_METRIC);
        return;
    case AST_BLOCK: {
        const NameScope *inside = names_scope(n, st);
        walk_body(n, inside ? inside : scope, st);
        return;
    }
    default:
        for (uint32_t i = 0; i < st->n_kid; i++)
            walk(n, scope, st->kid[i], false);
    }
}

static void walk_body(Names *n, const NameScope *scope, const Ast *body)
{
    for (uint32_t i = 0; i < body->n_kid; i++)
        if (body->kid[i])
            walk_statement(n, scope, body->kid[i]);
}

/* All scopes first: a use may stand before what it means. */
static void declare_scopes(Names *n, const NameScope *parent, const Ast *ast)
{
    if (!ast ||
        (ast->kind != AST_MODEL && ast->kind != AST_BLOCK && ast->kind != AST_FUNCTION && ast->kind != AST_OPTIMIZER))
        return;
    NameScope *scope = scope_new(n, parent, ast);
    declare_body(n, scope, ast);
    for (uint32_t i = 0; i < ast->n_kid; i++)
        if (ast->kid[i] && ast->kid[i]->kind == AST_BLOCK)
            declare_scopes(n, scope, ast->kid[i]);
}

static void walk_definition(Names *n, const Ast *def)
{
    const NameScope *scope = names_scope(n, def);
    for (uint32_t i = 0; i < n->program->defs.n; i++)
        if (n->program->defs.at[i].ast == def)
            add_use(n, def->name_span, names_def(n, &n->program->defs.at[i]), false);
    if (def->kind == AST_TRAIN) {
        use_def(n, DEF_MODEL, def->text, def->name_span, false);
        for (uint32_t i = 0; i < def->n_kid; i++)
            if (def->kid[i] && def->kid[i]->kind == AST_SETTING)
                walk_setting(n, def, def->kid[i]);
    } else if (def->kind == AST_DATA) {
        walk_data(n, def, def);
    } else if (scope && def->kind != AST_FUNCTION) {
        walk_body(n, scope, def);
    } else {
        for (uint32_t i = 0; i < def->n_kid; i++)
            walk(n, scope ? scope : n->global, def->kid[i], false);
    }
}

static int use_compare(const void *left, const void *right)
{
    const NameUse *a = left, *b = right;
    if (a->span.source != b->span.source)
        return a->span.source < b->span.source ? -1 : 1;
    if (a->span.begin != b->span.begin)
        return a->span.begin < b->span.begin ? -1 : 1;
    return a->span.end < b->span.end ? -1 : a->span.end > b->span.end;
}

Names *names_new(Arena *arena, const Program *program)
{
    Names *n = arena_new_of(arena, Names);
    n->arena = arena;
    n->program = program;
    n->of_def = arena_array(arena, const Symbol *, program->defs.n + 1);
    n->global = scope_new(n, NULL, NULL);
    for (uint32_t f = 0; f < program->files.n; f++)
        for (uint32_t i = 0; i < program->files.at[f]->n_kid; i++)
            declare_scopes(n, n->global, program->files.at[f]->kid[i]);
    for (uint32_t f = 0; f < program->files.n; f++)
        for (uint32_t i = 0; i < program->files.at[f]->n_kid; i++)
            if (program->files.at[f]->kid[i])
                walk_definition(n, program->files.at[f]->kid[i]);
    if (n->uses.n)
        qsort(n->uses.at, n->uses.n, sizeof *n->uses.at, use_compare);
    return n;
}

const NameUse *names_at(const Names *n, uint32_t source, uint32_t offset)
{
    uint32_t low = 0, high = n->uses.n; /* the last that begins at or before the place */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        Span span = n->uses.at[middle].span;
        if (span.source < source || (span.source == source && span.begin <= offset))
            low = middle + 1;
        else
            high = middle;
    }
    const NameUse *use = low ? &n->uses.at[low - 1] : NULL;
    return use && use->span.source == source && use->span.end >= offset ? use : NULL;
}
