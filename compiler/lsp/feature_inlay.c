/* Shapes between the lines: of every value behind its name, and of a chain behind each of its lines. */
#include "lsp/feature.h"

typedef struct Inlay {
    Server *server;
    Document *document;
    Analysis *a;
    uint32_t begin, end;
    cJSON *list;
} Inlay;

enum { HINT_TYPE = 1 };

static void hint(Inlay *h, uint32_t at, const char *before, const Mark *mark)
{
    if (at < h->begin || at > h->end || !mark || (!mark->node && !mark->tensor && mark->text.n) || mark->varies)
        return;
    Text text = {.arena = h->server->arena};
    text_printf(&text, "%s", before);
    type_print_shape(&mark->type, &text);
    cJSON *item = json_push(h->list, cJSON_CreateObject());
    json_set(item, "position", position_json(position_at(&h->a->lines, h->server->encoding, at)));
    json_set_text(item, "label", text_str(&text));
    json_set_number(item, "kind", HINT_TYPE);
    cJSON_AddBoolToObject(item, "paddingLeft", true);
}

/* Is this the last thing of its line? */
static bool ends_line(Str text, uint32_t at)
{
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
        at++;
    return at == text.n || text.p[at] == '\n' || text.p[at] == '\r' || text.p[at] == '#';
}

static bool has_line_end(Str text, Span span)
{
    for (uint32_t i = span.begin; i < span.end; i++)
        if (text.p[i] == '\n')
            return true;
    return false;
}

/* The stages of a chain that goes over several lines. */
static void chain(Inlay *h, const Ast *e)
{
    if (!e)
        return;
    if (e->kind == AST_PIPE && ends_line(h->a->lines.text, e->span.end))
        hint(h, e->span.end, "", sema_mark(h->a->known, e->span));
    if (e->kind == AST_PIPE || e->kind == AST_GROUP || e->kind == AST_BINARY)
        for (uint32_t i = 0; i < e->n_kid; i++)
            chain(h, e->kid[i]);
}

static void body(Inlay *h, const Ast *ast)
{
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *st = ast->kid[i];
        if (!st || st->span.end < h->begin || st->span.begin > h->end)
            continue;
        if (st->kind == AST_MODEL || st->kind == AST_BLOCK) {
            body(h, st);
        } else if (st->kind == AST_ASSIGN) {
            for (uint32_t k = 0; !st->kid[1] && k < st->kid[0]->n_kid; k++)
                hint(h, st->kid[0]->kid[k]->span.end, ": ", sema_mark(h->a->known, st->kid[0]->kid[k]->span));
            if (has_line_end(h->a->lines.text, st->span))
                chain(h, st->kid[2]);
        } else if ((st->kind == AST_RESULT || st->kind == AST_OUTPUT || st->kind == AST_LOSS) &&
                   has_line_end(h->a->lines.text, st->span)) {
            for (uint32_t k = 0; k < st->n_kid; k++)
                chain(h, st->kid[k]);
        }
    }
}

static cJSON *inlay(Server *s, const cJSON *params)
{
    Inlay h = {.server = s, .document = server_document(s, params)};
    Position begin, end;
    if (!h.document || !position_read(json_at(params, "range.start"), &begin) ||
        !position_read(json_at(params, "range.end"), &end))
        return NULL;
    h.a = h.document->analysis;
    h.begin = position_offset(&h.a->lines, s->encoding, begin);
    h.end = position_offset(&h.a->lines, s->encoding, end);
    h.list = cJSON_CreateArray();
    body(&h, h.a->tree);
    return h.list;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON_AddBoolToObject(capabilities, "inlayHintProvider", true);
}

ACT_LSP(inlay) = {.method = "textDocument/inlayHint", .capability = offer, .run = inlay};
