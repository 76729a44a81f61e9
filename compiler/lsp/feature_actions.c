/* Mending what the diagnostics say, one by one or all that is certain, and silencing a rule with a reason. */
#include "check/check.h"
#include "lsp/diagnostics.h"
#include "lsp/feature.h"

typedef struct Actions {
    Server *server;
    Document *document;
    Analysis *a;
    const cJSON *only; /* kinds that are wanted; NULL: all */
    cJSON *list;
} Actions;

static bool wanted(const Actions *x, const char *kind)
{
    const cJSON *item;
    if (!cJSON_IsArray(x->only))
        return true;
    cJSON_ArrayForEach(item, x->only)
    {
        if (cJSON_IsString(item) && str_starts(str_of(kind), str_of(item->valuestring))) {
            char next = kind[str_of(item->valuestring).n];
            if (next == '\0' || next == '.' || item->valuestring[0] == '\0')
                return true;
        }
    }
    return false;
}

/* ── edits ── */
static cJSON *text_edit(const Actions *x, Span span, Str text)
{
    cJSON *edit = cJSON_CreateObject();
    json_set(edit, "range", server_range(x->server, x->document, x->a->written, span));
    json_set_text(edit, "newText", text);
    return edit;
}

/* Every edit lies in a file that can be changed. */
static bool applies(const Actions *x, const Diag *diag)
{
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        const Source *source = source_get(&x->a->sources, diag->edits.at[i].span.source);
        if (!source || source->library || !source->path.n || source->path.p[0] == '<')
            return false;
    }
    return diag->fix != FIX_NONE && diag->edits.n > 0 && diag->level != LEVEL_ALLOW;
}

static void add_edit(const Actions *x, cJSON *changes, Span span, Str text)
{
    const Source *source = source_get(&x->a->sources, span.source);
    const char *uri = str_c(x->server->arena, server_uri(x->server, x->document, source));
    cJSON *edits = cJSON_GetObjectItemCaseSensitive(changes, uri);
    json_push(edits ? edits : cJSON_AddArrayToObject(changes, uri), text_edit(x, span, text));
}

static cJSON *action(const Actions *x, Str title, const char *kind, cJSON *changes)
{
    cJSON *item = json_push(x->list, cJSON_CreateObject());
    json_set_text(item, "title", title);
    json_set_text(item, "kind", str_of(kind));
    json_set(cJSON_AddObjectToObject(item, "edit"), "changes", changes);
    return item;
}

static void about(const Actions *x, cJSON *item, const Diag *diag)
{
    json_push(cJSON_AddArrayToObject(item, "diagnostics"), diagnostic_json(x->server, x->document, diag));
}

/* ── one diagnostic ── */
static void add_fix(const Actions *x, const Diag *diag)
{
    if (!applies(x, diag))
        return;
    Arena *arena = x->server->arena;
    cJSON *changes = cJSON_CreateObject();
    for (uint32_t i = 0; i < diag->edits.n; i++)
        add_edit(x, changes, diag->edits.at[i].span, diag->edits.at[i].text);
    Str what = diag->helps.n ? diag->helps.at[0] : diag->message;
    bool computes = !check_is_hard(str_of(diag->code)); /* else there is no network yet that could change */
    const char *unsafe = diag->fix != FIX_UNSAFE ? "" : computes ? " (changes what the network computes)" : " (a guess)";
    cJSON *item =
        action(x, str_printf(arena, "%s: " STR_FMT "%s", diag->code, STR_ARG(what), unsafe), "quickfix", changes);
    if (diag->fix == FIX_SAFE)
        cJSON_AddBoolToObject(item, "isPreferred", true);
    about(x, item, diag);
}

/* The innermost statement around a place. */
static const Ast *statement_around(const Ast *body, Span span)
{
    const Ast *found = NULL;
    for (uint32_t i = 0; body && i < body->n_kid; i++) {
        const Ast *kid = body->kid[i];
        if (!kid || kid->kind > AST_ALLOW || kid->kind == AST_PARAMETERS || kid->kind == AST_NAMES ||
            span.begin < kid->span.begin || span.end > kid->span.end)
            continue;
        found = kid;
    }
    if (!found)
        return NULL;
    const Ast *inner =
        found->kind <= AST_OPTIMIZER && found->kind != AST_FUNCTION ? statement_around(found, span) : NULL;
    return inner ? inner : found;
}

static void add_silence(const Actions *x, const Diag *diag)
{
    const Rule *rule = check_find(str_of(diag->name));
    const Source *source = source_get(&x->a->sources, diag->primary.span.source);
    if (!rule || !rule->run || diag->level == LEVEL_ERROR || !source || source->library)
        return;
    const Ast *file = NULL;
    for (uint32_t i = 0; i < x->a->written->files.n; i++)
        if (x->a->written->files.at[i]->span.source == source->id)
            file = x->a->written->files.at[i];
    const Ast *st = statement_around(file, diag->primary.span);
    if (!st)
        return;
    uint32_t at = st->span.begin, line = at;
    while (line > 0 && source->text.p[line - 1] != '\n')
        line--;
    for (uint32_t i = line; i < at; i++) /* not the first of its line: then it can't stand alone above it */
        if (source->text.p[i] != ' ' && source->text.p[i] != '\t')
            return;
    Arena *arena = x->server->arena;
    Str indent = {source->text.p + line, at - line};
    cJSON *changes = cJSON_CreateObject();
    add_edit(x, changes, (Span){source->id, at, at},
             str_printf(arena, "@allow(%s, reason = \"say why it is meant\")\n" STR_FMT, rule->name, STR_ARG(indent)));
    cJSON *item = action(x, str_printf(arena, "Silence `%s` here, with a reason", rule->name), "quickfix", changes);
    about(x, item, diag);
}

/* ── all of them ── */
static bool clashes(const Diag *diag, const Diag *const *taken, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t a = 0; a < taken[i]->edits.n; a++)
            for (uint32_t b = 0; b < diag->edits.n; b++) {
                Span old = taken[i]->edits.at[a].span, new = diag->edits.at[b].span;
                if (old.source == new.source &&new.begin <= old.end && old.begin <= new.end)
                    return true;
            }
    return false;
}

static void add_fix_all(const Actions *x)
{
    const Diag **taken = arena_array(x->server->arena, const Diag *, x->a->diags.list.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < x->a->diags.list.n; i++) {
        const Diag *diag = x->a->diags.list.at[i];
        bool here = diag->edits.n && diag->edits.at[0].span.source == x->a->source->id;
        if (diag->fix == FIX_SAFE && here && applies(x, diag) && !clashes(diag, taken, n))
            taken[n++] = diag;
    }
    if (!n)
        return;
    cJSON *changes = cJSON_CreateObject();
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < taken[i]->edits.n; k++)
            add_edit(x, changes, taken[i]->edits.at[k].span, taken[i]->edits.at[k].text);
    action(x, str_printf(x->server->arena, "Fix all that is certain (%u)", n), "source.fixAll.actc", changes);
}

static cJSON *code_actions(Server *s, const cJSON *params)
{
    Position first, last;
    Actions x = {.server = s, .document = server_document(s, params), .only = json_at(params, "context.only")};
    if (!x.document || !position_read(json_at(params, "range.start"), &first) ||
        !position_read(json_at(params, "range.end"), &last))
        return NULL;
    x.a = x.document->analysis;
    x.list = cJSON_CreateArray();
    if (x.document->library)
        return x.list;
    uint32_t begin = position_offset(&x.a->lines, s->encoding, first),
             end = position_offset(&x.a->lines, s->encoding, last);
    for (uint32_t i = 0; i < x.a->diags.list.n; i++) {
        const Diag *diag = x.a->diags.list.at[i];
        Span span = diag->primary.span;
        bool here = span.source == x.a->source->id && span.begin <= end && begin <= span.end;
        if (!here || !wanted(&x, "quickfix"))
            continue;
        add_fix(&x, diag);
        add_silence(&x, diag);
    }
    if (wanted(&x, "source.fixAll.actc"))
        add_fix_all(&x);
    return x.list;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    static const char *const kinds[] = {"quickfix", "source.fixAll.actc"};
    json_set(cJSON_AddObjectToObject(capabilities, "codeActionProvider"), "codeActionKinds",
             cJSON_CreateStringArray(kinds, 2));
}

ACT_LSP(code_actions) = {.method = "textDocument/codeAction", .capability = offer, .run = code_actions};
