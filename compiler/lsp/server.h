/* The server: one client on two streams, the documents it holds, and the life of a session.
 *
 * Messages are read as they come and answered in order. A text is analysed when somebody asks about it or when no
 * further message waits, so that typing fast costs one analysis, not one a key; a request that is cancelled while it
 * waits is not computed. */
#ifndef ACT_LSP_SERVER_H
#define ACT_LSP_SERVER_H

#include "lsp/document.h"
#include "lsp/json.h"
#include "lsp/position.h"

#include <stdio.h>

/* Codes of JSON-RPC and of the protocol. */
enum {
    LSP_PARSE_ERROR = -32700,
    LSP_INVALID_REQUEST = -32600,
    LSP_METHOD_NOT_FOUND = -32601,
    LSP_INVALID_PARAMS = -32602,
    LSP_NOT_INITIALIZED = -32002,
    LSP_REQUEST_FAILED = -32803,
    LSP_CANCELLED = -32800
};

typedef enum ServerState { SERVER_NEW, SERVER_RUNNING, SERVER_SHUT_DOWN, SERVER_GONE } ServerState;

typedef struct Server {
    FILE *out;
    ServerState state;
    int exit_code;
    Encoding encoding;
    bool notes;            /* diagnostics that are notes are shown, as hints */
    bool snippets;         /* the client knows them */
    bool document_changes; /* … and edits with versions */
    Documents documents;
    Arena *arena; /* of the message being answered */
    int refused;  /* code of the error that answers it; 0: none */
    Str reason;
} Server;

/* Serves until the client says `exit` or the stream ends. The exit code of the protocol: 0 after `shutdown`, else 1. */
int server_run(int in, FILE *out, const CheckOptions *options, bool notes);

/* The answer to this request is an error. Returns NULL, to be returned. */
cJSON *server_refuse(Server *server, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void server_notify(Server *server, const char *method, cJSON *params);

/* The document that params.textDocument.uri names, analysed; NULL when it is not open. */
Document *server_document(Server *server, const cJSON *params);
/* … and the byte that params.position means. */
Document *server_place(Server *server, const cJSON *params, uint32_t *offset);

/* ── places of an analysis ── */
/* {"uri": …, "range": …} of a span of `program` (of the document's own text, of another file, of the library). NULL
 * when there is nothing to show. */
cJSON *server_location(Server *server, Document *document, const Program *program, Span span);
Str server_uri(Server *server, Document *document, const Source *source);
cJSON *server_range(Server *server, Document *document, const Program *program, Span span);

#endif
