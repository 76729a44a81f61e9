/* All places of one name, and giving it another. */
#include "lsp/feature.h"
#include "syntax/words.h"

#include <string.h>

static const Symbol *symbol_at(Server *s, const cJSON *params, Document **document, const NameUse **use)
{
    uint32_t offset;
    *document = server_place(s, params, &offset);
    if (!*document)
        return NULL;
    Analysis *a = (*document)->analysis;
    *use = names_at(analysis_names(a), a->known_id, offset);
    return *use ? (*use)->symbol : NULL;
}

static bool defines(const NameUse *use)
{
    Span a = use->span, b = use->symbol->span;
    return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

static cJSON *references(Server *s, const cJSON *params)
{
    Document *document;
    const NameUse *at;
    const Symbol *symbol = symbol_at(s, params, &document, &at);
    cJSON *list = cJSON_CreateArray();
    bool with_definition = json_true(params, "context.includeDeclaration");
    for (uint32_t i = 0; symbol && i < document->analysis->names->uses.n; i++) {
        const NameUse *use = &document->analysis->names->uses.at[i];
        if (use->symbol == symbol && (with_definition || !defines(use)))
            json_push(list, server_location(s, document, document->analysis->known, use->span));
    }
    return list;
}

static cJSON *highlight(Server *s, const cJSON *params)
{
    Document *document;
    const NameUse *at;
    const Symbol *symbol = symbol_at(s, params, &document, &at);
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; symbol && i < document->analysis->names->uses.n; i++) {
        const NameUse *use = &document->analysis->names->uses.at[i];
        if (use->symbol != symbol || use->span.source != document->analysis->known_id)
            continue;
        cJSON *item = json_push(list, cJSON_CreateObject());
        json_set(item, "range", server_range(s, document, document->analysis->known, use->span));
        json_set_number(item, "kind", defines(use) ? 3 : 2); /* write, read */
    }
    return list;
}

/* ── another name ── */
static bool may_rename(Server *s, const Symbol *symbol)
{
    if (!symbol)
        server_refuse(s, LSP_REQUEST_FAILED, "nothing that has a name stands here");
    else if (!symbol->span.source || (symbol->def && symbol->def->library))
        server_refuse(s, LSP_REQUEST_FAILED, "`" STR_FMT "` is part of the standard library", STR_ARG(symbol->name));
    else
        return true;
    return false;
}

static cJSON *prepare_rename(Server *s, const cJSON *params)
{
    Document *document;
    const NameUse *use;
    const Symbol *symbol = symbol_at(s, params, &document, &use);
    if (!may_rename(s, symbol))
        return NULL;
    cJSON *result = cJSON_CreateObject();
    json_set(result, "range", server_range(s, document, document->analysis->known, use->span));
    json_set_text(result, "placeholder", symbol->name);
    return result;
}

static bool is_name(Str text)
{
    for (uint32_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return text.n > 0;
}

static bool is_reserved(Str name)
{
    static const char *const joins[] = {"as", "in", "when", "for", "if", "then", "else", "true", "false", "pi"};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        if (str_is(name, joins[i]))
            return true;
    return false;
}

/* A definition that the new name would hide, or be hidden by, anywhere the old one is seen. */
static const Symbol *rival(const Names *names, const Symbol *symbol, Str name)
{
    for (uint32_t i = 0; i < names->scopes.n; i++) {
        const NameScope *scope = names->scopes.at[i];
        const Symbol *other = map_get(&scope->symbols, name);
        if (!other)
            continue;
        if (symbol->kind == SYMBOL_DEF)
            return other;
        for (const NameScope *up = scope; up; up = up->parent)
            if (map_get(&up->symbols, symbol->name) == symbol || map_get(&up->labels, symbol->name) == symbol)
                return other;
        for (uint32_t k = 0; k < names->scopes.n; k++) /* in a scope around its own */
            for (const NameScope *up = names->scopes.at[k]; up; up = up->parent)
                if (up == scope && (map_get(&names->scopes.at[k]->symbols, symbol->name) == symbol))
                    return other;
    }
    return NULL;
}

static cJSON *edits_of(cJSON *changes, const char *uri)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(changes, uri);
    return list ? list : cJSON_AddArrayToObject(changes, uri);
}

static cJSON *rename_symbol(Server *s, const cJSON *params)
{
    Document *document;
    const NameUse *at;
    const Symbol *symbol = symbol_at(s, params, &document, &at);
    Str name = json_str(params, "newName");
    if (!may_rename(s, symbol))
        return NULL;
    if (!is_name(name) || is_reserved(name))
        return server_refuse(s, LSP_INVALID_PARAMS, "`" STR_FMT "` is no name", STR_ARG(name));
    Analysis *a = document->analysis;
    const Def *def = symbol->kind == SYMBOL_DEF ? sema_find(a->known, symbol->def->kind, name) : NULL;
    if (rival(a->names, symbol, name) || (def && !def->library))
        return server_refuse(s, LSP_REQUEST_FAILED, "there is a `" STR_FMT "` already", STR_ARG(name));
    cJSON *result = cJSON_CreateObject(), *changes = cJSON_AddObjectToObject(result, "changes");
    for (uint32_t i = 0; i < a->names->uses.n; i++) {
        const NameUse *use = &a->names->uses.at[i];
        const Source *source = source_get(a->known->sources, use->span.source);
        if (use->symbol != symbol || !source || source->library)
            continue;
        cJSON *edit =
            json_push(edits_of(changes, str_c(s->arena, server_uri(s, document, source))), cJSON_CreateObject());
        json_set(edit, "range", server_range(s, document, a->known, use->span));
        json_set_text(edit, "newText", name);
    }
    return result;
}

static void offer_references(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON_AddBoolToObject(capabilities, "referencesProvider", true);
    cJSON_AddBoolToObject(capabilities, "documentHighlightProvider", true);
    cJSON_AddBoolToObject(cJSON_AddObjectToObject(capabilities, "renameProvider"), "prepareProvider", true);
}

ACT_LSP(references) = {.method = "textDocument/references", .capability = offer_references, .run = references};
ACT_LSP(highlight) = {.method = "textDocument/documentHighlight", .run = highlight};
ACT_LSP(prepare_rename) = {.method = "textDocument/prepareRename", .run = prepare_rename};
ACT_LSP(rename) = {.method = "textDocument/rename", .run = rename_symbol};
