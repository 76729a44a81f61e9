/* The order of work: definitions first, then params, then what each definition says by itself, then models, then
 * training. */
#include "sema/sema.h"

/* The program and what made it: later questions (sema_activation) evaluate with the same definitions. */
typedef struct Whole {
    Program program;
    Sema sema;
} Whole;

static Sema *sema_of(Program *program) { return &((Whole *)program)->sema; }

static Sema *start(Arena *arena, Sources *sources, Diags *diags, const SemaOptions *options)
{
    Whole *whole = arena_new_of(arena, Whole);
    whole->program = (Program){.arena = arena, .sources = sources, .diags = diags, .sx = sx_pool_new(arena)};
    Sema *s = &whole->sema;
    s->program = &whole->program;
    s->arena = arena;
    s->diags = diags;
    s->scratch.arena = arena;
    s->scratch.sources = sources;
    s->sx = whole->program.sx;
    /* A copy: functions are evaluated when the program is asked about them, and the caller's may be gone by then. */
    if (options)
        s->options = arena_copy(arena, options, sizeof *options);
    s->loss = -1;
    for (int kind = 0; kind <= DEF_METRIC; kind++)
        s->by_kind[kind].arena = s->library[kind].arena = arena;
    s->global = frame_new(s, NULL, FRAME_GLOBAL);
    library_load(s);
    return s;
}

/* ── @allow ── */
static void collect_allows(Sema *s, const Ast *ast)
{
    if (!ast)
        return;
    for (const Ast *allow = ast->allow; allow; allow = allow->allow)
        for (uint32_t i = 0; i < allow->n_kid; i++)
            *vec_push(s->arena, &s->program->allows) =
                (Allow){.rule = allow->kid[i]->text, .reason = allow->text, .span = allow->span, .scope = ast->span};
    for (uint32_t i = 0; i < ast->n_kid; i++)
        collect_allows(s, ast->kid[i]);
}

/* ── --set ── */
static void check_settings(Sema *s)
{
    for (uint32_t i = 0; s->options && i < s->options->set.n; i++) {
        Str set = s->options->set.at[i];
        uint32_t end = 0;
        while (end < set.n && set.p[end] != '=')
            end++;
        Str name = {set.p, end};
        if (end < set.n && item_find(s, DEF_PARAM, name))
            continue;
        const Source *source = source_add(s->program->sources, STR("--set"), set, false);
        Span span = {source->id, 0, end};
        if (end == set.n) {
            diag_help(sema_error(s, CODE_wrong_argument, span, "`--set` takes a name and a value"),
                      "write `--set width=64`");
            continue;
        }
        VEC(Str) names = {0};
        for (uint32_t k = 0; k < s->by_kind[DEF_PARAM].n; k++)
            *vec_push(s->arena, &names) = s->by_kind[DEF_PARAM].item[k].key;
        sema_unknown(s, span, "param", name, names.at, names.n);
    }
}

static void check_definitions(Sema *s)
{
    for (uint32_t i = 0; i < s->items.n; i++) {
        Item *item = s->items.at[i];
        if (item->def.library || item->poisoned)
            continue;
        DefKind kind = item->def.kind;
        s->fuel = 0;
        s->exhausted = false;
        if (kind == DEF_PARAM)
            binding_value(s, map_get(&s->global->names, item->def.name), (Span){0});
        else if (kind == DEF_ACTIVATION || kind == DEF_FUNCTION || kind == DEF_LOSS)
            function_check(s, item);
        else if (kind == DEF_OPTIMIZER)
            optimizer_check(s, item);
        else if (kind == DEF_INITIALIZER || kind == DEF_SCHEDULE)
            scalar_check(s, item);
    }
}

/* Blocks that no model calls may hold mistakes too. */
static void check_unused(Sema *s)
{
    for (uint32_t i = 0; i < s->items.n; i++) {
        Item *item = s->items.at[i];
        s->fuel = 0;
        s->exhausted = false;
        if (item->def.kind == DEF_BLOCK && !item->def.library && !item->used && !item->poisoned)
            block_check(s, item);
    }
}

static void train_all(Sema *s)
{
    s->fuel = 0;
    s->exhausted = false;
    for (uint32_t i = 0; i < s->files.n; i++)
        for (uint32_t k = 0; k < s->files.at[i]->n_kid; k++) {
            const Ast *def = s->files.at[i]->kid[k];
            if (def && def->kind == AST_TRAIN)
                train_build(s, def);
        }
    for (uint32_t i = 0; i < s->items.n; i++) /* data that nobody trains with is checked all the same */
        if (s->items.at[i]->def.kind == DEF_DATA)
            data_build(s, s->items.at[i]->def.ast, NULL);
}

static void list_definitions(Sema *s)
{
    for (uint32_t i = 0; i < s->items.n; i++) { /* the library's stand first */
        const Item *item = s->items.at[i];
        if (!item->def.library || map_get(&s->library[item->def.kind], item->def.name) == item)
            *vec_push(s->arena, &s->program->defs) = item->def;
    }
}

static Program *finish(Sema *s)
{
    list_definitions(s);
    for (uint32_t i = 0; i < s->files.n; i++)
        if (!source_get(s->program->sources, s->files.at[i]->span.source)->library)
            *vec_push(s->arena, &s->program->files) = s->files.at[i];
    return s->program;
}

const Mark *sema_mark(const Program *program, Span span)
{
    return mark_find(&((const Whole *)program)->sema, span);
}

Program *sema_library(Arena *arena, Sources *sources, Diags *diags)
{
    return finish(start(arena, sources, diags, NULL));
}

Program *sema_run(Arena *arena, Sources *sources, Diags *diags, const Ast *file, const SemaOptions *options)
{
    Sema *s = start(arena, sources, diags, options);
    library_file(s, file, false);
    cycle_check(s);
    check_settings(s);
    check_definitions(s);
    for (uint32_t i = 0; i < s->items.n; i++)
        if (s->items.at[i]->def.kind == DEF_MODEL)
            model_build(s, s->items.at[i]->def.ast);
    check_unused(s);
    train_all(s);
    for (uint32_t i = 0; i < s->program->models.n; i++)
        normalize_inputs(s, s->program->models.at[i]);
    for (uint32_t i = 0; i < s->files.n; i++)
        collect_allows(s, s->files.at[i]);
    /* what the parser refused has no meaning either */
    for (uint32_t i = 0; i < diags->list.n; i++)
        for (uint32_t k = 0; k < s->program->models.n; k++) {
            Model *m = s->program->models.at[k];
            const Span at = diags->list.at[i]->primary.span;
            if (diags->list.at[i]->level == LEVEL_ERROR && at.source == m->span.source && at.begin >= m->span.begin &&
                at.end <= m->span.end)
                m->poisoned = true;
        }
    return finish(s);
}

const Def *sema_find(const Program *program, DefKind kind, Str name)
{
    for (uint32_t i = program->defs.n; i-- > 0;) /* the user's stand behind the library's */
        if (program->defs.at[i].kind == kind && str_eq(program->defs.at[i].name, name))
            return &program->defs.at[i];
    return NULL;
}

Sx sema_activation(Program *program, const Def *def)
{
    Sema *s = sema_of(program);
    for (uint32_t i = 0; i < s->items.n; i++) {
        const Item *item = s->items.at[i];
        if (item->def.kind == def->kind && item->def.ast == def->ast && str_eq(item->def.name, def->name)) {
            Sx x = function_sx(s, item, true);
            return x && sx_arg_limit(s->sx, x) <= 1 ? x : 0;
        }
    }
    return 0;
}
