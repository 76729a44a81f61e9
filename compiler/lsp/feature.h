/* What the server can do, one record for each method of the protocol.
 *
 * A file lsp/feature_NAME.c defines `ACT_LSP(NAME) = { … }`; the build finds it, no list is edited. */
#ifndef ACT_LSP_FEATURE_H
#define ACT_LSP_FEATURE_H

#include "lsp/server.h"

#define ACT_LSP(NAME) const Feature feature_##NAME

typedef struct Feature {
    const char *method; /* "textDocument/hover" */
    bool notification;  /* has no answer */
    /* Adds to what `initialize` says the server can do; NULL: nothing to say. */
    void (*capability)(const Server *server, cJSON *capabilities);
    /* The result; NULL is `null`, unless server_refuse() was called. */
    cJSON *(*run)(Server *server, const cJSON *params);
} Feature;

const Feature *feature_find(Str method);
unsigned feature_count(void);
const Feature *feature_at(unsigned i); /* sorted by name */

#endif
