/* Where a name comes from: in this file, in an imported one, in the library. */
#include "lsp/feature.h"
#include "lsp/standard.h"
#include "lsp/uri.h"

static cJSON *file_start(Server *s, Str path, uint32_t line)
{
    cJSON *location = cJSON_CreateObject(), *range = cJSON_CreateObject();
    json_set_text(location, "uri", uri_of_path(s->arena, path));
    json_set(range, "start", position_json((Position){line, 0}));
    json_set(range, "end", position_json((Position){line, 0}));
    json_set(location, "range", range);
    return location;
}

/* `import "blocks.act"` leads to the file. */
static cJSON *import_target(Server *s, const Document *document, const Ast *import)
{
    Str dir = document->path;
    while (dir.n && dir.p[dir.n - 1] != '/')
        dir.n--;
    Str path = import->text.n && import->text.p[0] == '/'
                   ? import->text
                   : str_printf(s->arena, STR_FMT STR_FMT, STR_ARG(dir), STR_ARG(import->text));
    path = uri_path(s->arena, str_printf(s->arena, "file://" STR_FMT, STR_ARG(path)));
    for (uint32_t i = 0; i < document->analysis->known->sources->list.n; i++) {
        const Source *source = document->analysis->known->sources->list.at[i];
        if (str_eq(uri_path(s->arena, str_printf(s->arena, "file://" STR_FMT, STR_ARG(source->path))), path))
            return file_start(s, path, 0);
    }
    return NULL;
}

static cJSON *definition(Server *s, const cJSON *params)
{
    uint32_t offset, line;
    Document *document = server_place(s, params, &offset);
    if (!document)
        return NULL;
    Analysis *a = document->analysis;
    Path path = analysis_path(a, s->arena, offset);
    for (uint32_t i = 0; i < path.n; i++)
        if (path.at[i]->kind == AST_IMPORT)
            return import_target(s, document, path.at[i]);
    const NameUse *use = names_at(analysis_names(a), a->known_id, offset);
    if (!use)
        return NULL;
    if (use->symbol->span.source)
        return server_location(s, document, a->known, use->symbol->span);
    Str page = use->symbol->def ? standard_page(s->arena, a->known, use->symbol->def, &line) : (Str){0};
    return page.n ? file_start(s, page, line) : NULL;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON_AddBoolToObject(capabilities, "definitionProvider", true);
}

ACT_LSP(definition) = {.method = "textDocument/definition", .capability = offer, .run = definition};
