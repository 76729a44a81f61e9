/* The canonical form, as `actc fmt` writes it: one edit of the lines that differ. */
#include "lsp/feature.h"
#include "syntax/parse.h"

static cJSON *formatting(Server *s, const cJSON *params)
{
    Document *document = server_document(s, params);
    if (!document)
        return NULL;
    Analysis *a = document->analysis;
    cJSON *edits = cJSON_CreateArray();
    if (!a->parses) /* a broken file stays as it is */
        return edits;
    Str now = a->source->text, then = format_source(s->arena, a->source, a->tree);
    uint32_t head = 0, line = 0, tail = 0, whole = 0;
    while (head < now.n && head < then.n && now.p[head] == then.p[head])
        if (now.p[head++] == '\n')
            line = head;
    if (head == now.n && head == then.n)
        return edits;
    while (tail < now.n - line && tail < then.n - line && now.p[now.n - 1 - tail] == then.p[then.n - 1 - tail]) {
        tail++;
        if (now.p[now.n - tail] == '\n') /* what follows are whole lines */
            whole = tail - 1;
    }
    cJSON *edit = json_push(edits, cJSON_CreateObject());
    json_set(edit, "range", range_json(&a->lines, s->encoding, line, now.n - whole));
    json_set_text(edit, "newText", (Str){then.p + line, then.n - whole - line});
    return edits;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON_AddBoolToObject(capabilities, "documentFormattingProvider", true);
}

ACT_LSP(formatting) = {.method = "textDocument/formatting", .capability = offer, .run = formatting};
