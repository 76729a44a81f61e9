/* The client's texts: opened, changed, saved, closed. */
#include "lsp/diagnostics.h"
#include "lsp/feature.h"

static int64_t version_of(const cJSON *params)
{
    uint32_t version = 0;
    json_count(params, "textDocument.version", &version);
    return version;
}

static cJSON *did_open(Server *s, const cJSON *params)
{
    Str uri = json_str(params, "textDocument.uri");
    if (uri.n && cJSON_IsString(json_at(params, "textDocument.text")))
        document_open(&s->documents, uri, json_str(params, "textDocument.text"), version_of(params));
    return NULL;
}

static void change(Server *s, Document *document, const cJSON *part)
{
    Position begin, end;
    if (!cJSON_IsString(json_at(part, "text")))
        return;
    Str text = json_str(part, "text");
    if (!json_at(part, "range")) {
        document_set(&s->documents, document, text);
        return;
    }
    if (!position_read(json_at(part, "range.start"), &begin) || !position_read(json_at(part, "range.end"), &end))
        return;
    Arena *arena = arena_new();
    Lines lines = lines_of(arena, document->text);
    uint32_t from = position_offset(&lines, s->encoding, begin), to = position_offset(&lines, s->encoding, end);
    arena_free(arena);
    document_splice(&s->documents, document, from < to ? from : to, from < to ? to : from, text);
}

static cJSON *did_change(Server *s, const cJSON *params)
{
    Document *document = document_find(&s->documents, json_str(params, "textDocument.uri"));
    const cJSON *part;
    if (!document)
        return NULL;
    document->version = version_of(params);
    cJSON_ArrayForEach(part, json_at(params, "contentChanges")) change(s, document, part);
    return NULL;
}

static cJSON *did_close(Server *s, const cJSON *params)
{
    Document *document = document_find(&s->documents, json_str(params, "textDocument.uri"));
    if (document) {
        diagnostics_clear(s, document->uri);
        document_close(&s->documents, document);
    }
    return NULL;
}

/* What was saved may be imported by others. */
static cJSON *reread(Server *s, const cJSON *params)
{
    (void)params;
    documents_outdate(&s->documents);
    return NULL;
}

static void offer_sync(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON *sync = cJSON_AddObjectToObject(capabilities, "textDocumentSync");
    cJSON_AddBoolToObject(sync, "openClose", true);
    json_set_number(sync, "change", 2); /* incremental */
    cJSON_AddBoolToObject(sync, "save", true);
}

ACT_LSP(did_open) = {.method = "textDocument/didOpen", .notification = true, .capability = offer_sync, .run = did_open};
ACT_LSP(did_change) = {.method = "textDocument/didChange", .notification = true, .run = did_change};
ACT_LSP(did_close) = {.method = "textDocument/didClose", .notification = true, .run = did_close};
ACT_LSP(did_save) = {.method = "textDocument/didSave", .notification = true, .run = reread};
ACT_LSP(watched) = {.method = "workspace/didChangeWatchedFiles", .notification = true, .run = reread};
