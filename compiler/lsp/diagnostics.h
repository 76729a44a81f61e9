/* What is wrong, as the client hears of it: after a change, as soon as nothing else is to do. */
#ifndef ACT_LSP_DIAGNOSTICS_H
#define ACT_LSP_DIAGNOSTICS_H

#include "lsp/server.h"

/* Is there a document that changed since its diagnostics were published? */
bool diagnostics_due(const Server *server);
/* Publishes those of every stale document and of the files they import. */
void diagnostics_publish(Server *server);
/* A document is no longer open: nothing is said about it any more, unless another imports it. */
void diagnostics_clear(Server *server, Str uri);

/* One diagnostic of `document`'s analysis. */
cJSON *diagnostic_json(Server *server, Document *document, const Diag *diag);

#endif
