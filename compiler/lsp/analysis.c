#include "lsp/analysis.h"

#include "lsp/mend.h"
#include "syntax/parse.h"

static bool has_errors(const Diags *diags) { return diag_count(diags, LEVEL_ERROR) > 0; }

Analysis *analysis_new(Str path, Str text, const CheckOptions *check, bool (*open)(void *context, Str path, Str *text),
                       void *context)
{
    Arena *arena = arena_new();
    Analysis *a = arena_new_of(arena, Analysis);
    SemaOptions *options = arena_new_of(arena, SemaOptions);
    *options = (SemaOptions){.marks = true, .open = open, .open_context = context};
    a->arena = arena;
    a->sources.arena = a->known_sources.arena = arena;
    a->diags = (Diags){.arena = arena, .sources = &a->sources};
    a->known_diags = (Diags){.arena = arena, .sources = &a->known_sources};
    a->source = source_add(&a->sources, path, text, false);
    a->lines = lines_of(arena, a->source->text);
    Ast *file = parse_source(arena, &a->diags, a->source);
    a->parses = !has_errors(&a->diags);
    Str mended = a->parses ? (Str){0} : mend_text(arena, a->source, file);
    a->written = sema_run(arena, &a->sources, &a->diags, file, options);
    check_run(a->written, check);
    diag_sort(&a->diags);
    a->known = a->written;
    a->known_id = a->source->id;
    a->tree = file;
    if (mended.n) {
        const Source *source = source_add(&a->known_sources, path, mended, false);
        a->tree = parse_source(arena, &a->known_diags, source);
        a->known = sema_run(arena, &a->known_sources, &a->known_diags, a->tree, options);
        a->known_id = source->id;
    }
    return a;
}

void analysis_free(Analysis *a)
{
    if (a)
        arena_free(a->arena);
}

Names *analysis_names(Analysis *a)
{
    if (!a->names)
        a->names = names_new(a->arena, a->known);
    return a->names;
}

const Signal *analysis_signal(Analysis *a, const Model *model)
{
    if (!model || model->poisoned)
        return NULL;
    for (uint32_t i = 0; i < a->signals.n; i++)
        if (a->signals.at[i].model == model)
            return a->signals.at[i].signal;
    Signal *signal = signal_of_model(a->arena, facts_new(a->arena, model->graph), model, NULL);
    *vec_push(a->arena, &a->signals) = (ModelSignal){model, signal};
    return signal;
}

static const Ast *kid_around(const Ast *ast, uint32_t offset)
{
    const Ast *found = NULL;
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *kid = ast->kid[i];
        uint32_t begin = !kid ? 0 : kid->allow ? kid->allow->span.begin : kid->span.begin;
        if (!kid || offset < begin || offset > kid->span.end)
            continue;
        /* between two that touch, the one that begins there; else the one that ends there */
        if (!found || begin <= offset)
            found = kid;
    }
    return found;
}

Path analysis_path(Analysis *a, Arena *arena, uint32_t offset)
{
    Path path = {0};
    for (const Ast *at = a->tree; at; at = kid_around(at, offset)) {
        *vec_push(arena, &path) = at;
        for (const Ast *allow = at->allow; allow; allow = allow->allow)
            if (offset >= allow->span.begin && offset <= allow->span.end) {
                *vec_push(arena, &path) = allow;
                at = allow;
                break;
            }
    }
    return path;
}
