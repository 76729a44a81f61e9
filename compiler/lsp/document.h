/* The texts that the client holds open, and what is known about them. */
#ifndef ACT_LSP_DOCUMENT_H
#define ACT_LSP_DOCUMENT_H

#include "lsp/analysis.h"

typedef struct Document {
    Arena *arena; /* of uri and path */
    Str uri, path;
    Str text; /* of malloc, NUL-terminated */
    int64_t version;
    bool library; /* a text of the standard library that the server wrote for reading: nothing is said about it */
    bool stale;   /* analysis is of an older text, or of older imports */
    bool told;    /* the client has the diagnostics of the text as it is */
    Analysis *analysis;
} Document;

typedef struct Documents {
    Document **at;
    uint32_t n, cap;
    /* Files about which something was published because an open document imports them. */
    char **told;
    uint32_t n_told;
    const CheckOptions *options; /* levels of rules; may be NULL */
} Documents;

Document *document_find(const Documents *documents, Str uri);
Document *document_find_path(const Documents *documents, Str path);
Document *document_open(Documents *documents, Str uri, Str text, int64_t version);
void document_close(Documents *documents, Document *document);
/* The whole text anew. False, and nothing changes, when it is too long. */
bool document_set(Documents *documents, Document *document, Str text);
/* `text` in place of the bytes [begin, end). */
bool document_splice(Documents *documents, Document *document, uint32_t begin, uint32_t end, Str text);
/* Analyses it anew when it is stale. Never NULL. */
Analysis *document_analysis(Documents *documents, Document *document);
/* Everything that was read from disk may have changed. */
void documents_outdate(Documents *documents);
void documents_free(Documents *documents);

#endif
