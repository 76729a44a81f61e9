#include "lsp/diagnostics.h"

#include "lsp/standard.h"
#include "lsp/uri.h"

#include <stdlib.h>
#include <string.h>

enum { SEVERITY_ERROR = 1, SEVERITY_WARNING = 2, SEVERITY_HINT = 4, TAG_UNNECESSARY = 1 };

static int severity(Level level)
{
    return level >= LEVEL_DENY ? SEVERITY_ERROR : level == LEVEL_WARN ? SEVERITY_WARNING : SEVERITY_HINT;
}

/* Rules about things that are there for nothing are called so. */
static bool unnecessary(const Diag *diag)
{
    return str_starts(str_of(diag->name), STR("unused")) || str_starts(str_of(diag->name), STR("dead_")) ||
           str_starts(str_of(diag->name), STR("redundant"));
}

/* Where it is shown: its own place, or, in what no editor shows, the beginning of the document. */
static Span shown_at(const Document *document, Span span)
{
    const Source *source = source_get(&document->analysis->sources, span.source);
    bool file =
        source && !source->library && !str_starts(source->path, STR("<")) && !str_starts(source->path, STR("--set"));
    return file ? span : (Span){document->analysis->source->id, 0, 0};
}

static cJSON *related(Server *s, Document *document, const Diag *diag)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < diag->labels.n; i++) {
        cJSON *location = server_location(s, document, document->analysis->written, diag->labels.at[i].span);
        if (!location)
            continue;
        cJSON *item = json_push(list, cJSON_CreateObject());
        json_set(item, "location", location);
        json_set_text(item, "message", diag->labels.at[i].text);
    }
    return list;
}

static Str message_of(Server *s, const Diag *diag)
{
    Text text = {.arena = s->arena};
    text_add(&text, diag->message);
    if (diag->primary.text.n)
        text_printf(&text, "\n" STR_FMT, STR_ARG(diag->primary.text));
    for (uint32_t i = 0; i < diag->notes.n; i++)
        text_printf(&text, "\nnote: " STR_FMT, STR_ARG(diag->notes.at[i]));
    for (uint32_t i = 0; i < diag->helps.n; i++)
        text_printf(&text, "\nhelp: " STR_FMT, STR_ARG(diag->helps.at[i]));
    return text_str(&text);
}

cJSON *diagnostic_json(Server *s, Document *document, const Diag *diag)
{
    cJSON *json = cJSON_CreateObject();
    Span span = shown_at(document, diag->primary.span);
    json_set(json, "range", server_range(s, document, document->analysis->written, span));
    json_set_number(json, "severity", severity(diag->level));
    json_set_text(json, "code", str_of(diag->code));
    json_set_text(json, "source", STR("actc"));
    json_set_text(json, "message", message_of(s, diag));
    if (unnecessary(diag))
        json_push(cJSON_AddArrayToObject(json, "tags"), cJSON_CreateNumber(TAG_UNNECESSARY));
    cJSON *more = related(s, document, diag);
    if (cJSON_GetArraySize(more))
        json_set(json, "relatedInformation", more);
    else
        cJSON_Delete(more);
    return json;
}

/* ── publishing ── */
bool diagnostics_due(const Server *s)
{
    for (uint32_t i = 0; i < s->documents.n; i++)
        if (!s->documents.at[i]->told)
            return true;
    return false;
}

static void publish(Server *s, Str uri, const Document *document, cJSON *list)
{
    cJSON *params = cJSON_CreateObject();
    json_set_text(params, "uri", uri);
    if (document)
        json_set_number(params, "version", (double)document->version);
    json_set(params, "diagnostics", list);
    server_notify(s, "textDocument/publishDiagnostics", params);
}

/* What `document` knows about the file of `path`, added to `list` unless it is there. */
static void collect(Server *s, Document *document, Str path, cJSON *list)
{
    const Analysis *a = document->analysis;
    for (uint32_t i = 0; i < a->diags.list.n; i++) {
        const Diag *diag = a->diags.list.at[i];
        const Source *source = source_get(&a->sources, shown_at(document, diag->primary.span).source);
        if (diag->level <= (s->notes ? LEVEL_ALLOW : LEVEL_NOTE) || !str_eq(source->path, path))
            continue;
        cJSON *json = diagnostic_json(s, document, diag), *other;
        bool there = false;
        cJSON_ArrayForEach(other, list) { there = there || cJSON_Compare(other, json, true); }
        if (there)
            cJSON_Delete(json);
        else
            json_push(list, json);
    }
}

static void tell_document(Server *s, Document *document)
{
    cJSON *list = cJSON_CreateArray();
    if (!document->library)
        collect(s, document, document->path, list);
    document->told = true;
    publish(s, document->uri, document, list);
}

static bool is_told(const Documents *d, const char *path)
{
    for (uint32_t i = 0; i < d->n_told; i++)
        if (strcmp(d->told[i], path) == 0)
            return true;
    return false;
}

static void remember(Documents *d, const char *path)
{
    if (is_told(d, path))
        return;
    char **more = realloc(d->told, (d->n_told + 1) * sizeof *more), *copy = strdup(path);
    if (!more || !copy)
        base_out_of_memory(strlen(path));
    d->told = more;
    d->told[d->n_told++] = copy;
}

static void forget(Documents *d, uint32_t i)
{
    free(d->told[i]);
    d->told[i] = d->told[--d->n_told];
}

/* Files that are imported and not open themselves: what the documents that import them found there. */
static void tell_imports(Server *s)
{
    Documents *d = &s->documents;
    for (uint32_t i = 0; i < d->n; i++) {
        const Sources *sources = &d->at[i]->analysis->sources;
        for (uint32_t k = 0; k < sources->list.n; k++) {
            const Source *source = sources->list.at[k];
            if (!source->library && source->path.n && source->path.p[0] == '/' && !document_find_path(d, source->path))
                remember(d, str_c(s->arena, source->path));
        }
    }
    for (uint32_t i = d->n_told; i-- > 0;) {
        Str path = str_of(d->told[i]);
        cJSON *list = cJSON_CreateArray();
        bool open = document_find_path(d, path) != NULL;
        for (uint32_t k = 0; !open && k < d->n; k++)
            collect(s, d->at[k], path, list);
        bool any = cJSON_GetArraySize(list) > 0;
        if (open)
            cJSON_Delete(list);
        else
            publish(s, uri_of_path(s->arena, path), NULL, list);
        if (open || !any)
            forget(d, i);
    }
}

void diagnostics_publish(Server *s)
{
    for (uint32_t i = 0; i < s->documents.n; i++)
        document_analysis(&s->documents, s->documents.at[i]);
    for (uint32_t i = 0; i < s->documents.n; i++)
        if (!s->documents.at[i]->told)
            tell_document(s, s->documents.at[i]);
    tell_imports(s);
}

void diagnostics_clear(Server *s, Str uri) { publish(s, uri, NULL, cJSON_CreateArray()); }
