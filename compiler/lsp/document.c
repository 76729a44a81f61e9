#include "lsp/document.h"

#include "lsp/standard.h"
#include "lsp/uri.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 32 * 1024 * 1024 };

Document *document_find(const Documents *d, Str uri)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (str_eq(d->at[i]->uri, uri))
            return d->at[i];
    return NULL;
}

Document *document_find_path(const Documents *d, Str path)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (str_eq(d->at[i]->path, path))
            return d->at[i];
    return NULL;
}

static void *must(void *memory, size_t size)
{
    if (!memory)
        base_out_of_memory(size);
    return memory;
}

/* Documents that import this one see its new text. */
static void outdate(Documents *d, const Document *changed)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const Analysis *a = d->at[i]->analysis;
        for (uint32_t k = 0; a && k < a->sources.list.n; k++)
            if (str_eq(a->sources.list.at[k]->path, changed->path))
                d->at[i]->stale = true, d->at[i]->told = false;
    }
}

/* A file that could not be imported may be there now. */
static void outdate_importers(Documents *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const Analysis *a = d->at[i]->analysis;
        for (uint32_t k = 0; a && k < a->tree->n_kid; k++)
            if (a->tree->kid[k] && a->tree->kid[k]->kind == AST_IMPORT)
                d->at[i]->stale = true, d->at[i]->told = false;
    }
}

static void replace(Documents *d, Document *document, char *text, size_t n)
{
    free((char *)(uintptr_t)document->text.p);
    document->text = (Str){text, (uint32_t)n};
    document->stale = true;
    document->told = false;
    outdate(d, document);
}

bool document_splice(Documents *d, Document *document, uint32_t begin, uint32_t end, Str text)
{
    Str old = document->text;
    end = end < begin ? begin : end;
    size_t n = (size_t)old.n - (end - begin) + text.n;
    if (n > TEXT_MAX)
        return false;
    char *p = must(malloc(n + 1), n + 1);
    memcpy(p, old.p ? old.p : "", begin);
    memcpy(p + begin, text.p, text.n);
    memcpy(p + begin + text.n, old.p ? old.p + end : "", old.n - end);
    p[n] = '\0';
    replace(d, document, p, n);
    return true;
}

bool document_set(Documents *d, Document *document, Str text)
{
    return document_splice(d, document, 0, document->text.n, text);
}

Document *document_open(Documents *d, Str uri, Str text, int64_t version)
{
    Document *document = document_find(d, uri);
    if (!document) {
        Arena *arena = arena_new();
        document = arena_new_of(arena, Document);
        *document = (Document){.arena = arena, .uri = str_copy(arena, uri), .path = uri_path(arena, uri)};
        document->library = standard_is(document->path);
        if (d->n == d->cap) {
            d->cap = d->cap ? 2 * d->cap : 8;
            d->at = must(realloc(d->at, d->cap * sizeof *d->at), d->cap * sizeof *d->at);
        }
        d->at[d->n++] = document;
    }
    document->version = version;
    if (!document_set(d, document, text))
        document_set(d, document, STR(""));
    outdate_importers(d);
    return document;
}

static void release(Document *document)
{
    analysis_free(document->analysis);
    free((char *)(uintptr_t)document->text.p);
    arena_free(document->arena);
}

void document_close(Documents *d, Document *document)
{
    outdate(d, document); /* what imports it reads it from disk again */
    for (uint32_t i = 0; i < d->n; i++)
        if (d->at[i] == document) {
            memmove(d->at + i, d->at + i + 1, (d->n - i - 1) * sizeof *d->at);
            d->n--;
            break;
        }
    release(document);
}

static bool open_text(void *context, Str path, Str *text)
{
    const Document *document = document_find_path(context, path);
    if (document)
        *text = document->text;
    return document != NULL;
}

Analysis *document_analysis(Documents *d, Document *document)
{
    if (document->stale || !document->analysis) {
        analysis_free(document->analysis);
        document->analysis = analysis_new(document->path, document->text, d->options, open_text, d);
        document->stale = document->told = false;
    }
    return document->analysis;
}

void documents_outdate(Documents *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        d->at[i]->stale = true, d->at[i]->told = false;
}

void documents_free(Documents *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        release(d->at[i]);
    for (uint32_t i = 0; i < d->n_told; i++)
        free(d->told[i]);
    free(d->at);
    free(d->told);
    *d = (Documents){0};
}
