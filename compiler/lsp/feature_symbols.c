/* The outline of a file: its definitions, and in them what has a name. */
#include "lsp/feature.h"

/* Kinds as the protocol numbers them. */
enum {
    KIND_MODULE = 2,
    KIND_CLASS = 5,
    KIND_PROPERTY = 7,
    KIND_FIELD = 8,
    KIND_FUNCTION = 12,
    KIND_VARIABLE = 13,
    KIND_CONSTANT = 14,
    KIND_EVENT = 24,
    KIND_OPERATOR = 25
};

typedef struct Outline {
    Server *server;
    Document *document;
} Outline;

static Str detail_of(const Outline *o, const Ast *ast, Span name)
{
    Analysis *a = o->document->analysis;
    const Mark *mark = sema_mark(a->known, name);
    if (mark && (mark->node || mark->tensor)) {
        Text text = {.arena = o->server->arena};
        type_print_shape(&mark->type, &text);
        return text_str(&text);
    }
    if (ast->kind == AST_FUNCTION)
        return ast->word;
    return STR("");
}

static cJSON *entry(const Outline *o, cJSON *list, const Ast *ast, Str name, Span place, int kind)
{
    if (!name.n || !place.source)
        return NULL;
    const Program *program = o->document->analysis->known;
    cJSON *item = json_push(list, cJSON_CreateObject());
    Str detail = detail_of(o, ast, place);
    json_set_text(item, "name", name);
    if (detail.n)
        json_set_text(item, "detail", detail);
    json_set_number(item, "kind", kind);
    json_set(item, "range", server_range(o->server, o->document, program, span_join(ast->span, place)));
    json_set(item, "selectionRange", server_range(o->server, o->document, program, place));
    return item;
}

static void outline(const Outline *o, const Ast *body, cJSON *list);

static void nested(const Outline *o, const Ast *ast, cJSON *item)
{
    if (item)
        outline(o, ast, cJSON_AddArrayToObject(item, "children"));
}

static Span first_word(const Ast *ast) { return (Span){ast->span.source, ast->span.begin, ast->span.begin}; }

/* "loss for d" */
static Str loss_name(const Outline *o, const Ast *st)
{
    const Ast *groups = st->n_kid > 1 ? st->kid[1] : NULL;
    Text text = {.arena = o->server->arena};
    text_add(&text, STR("loss"));
    for (uint32_t i = 0; groups && i < groups->n_kid; i++)
        text_printf(&text, "%s" STR_FMT, i ? ", " : " for ", STR_ARG(groups->kid[i]->text));
    return text_str(&text);
}

static void outline(const Outline *o, const Ast *body, cJSON *list)
{
    for (uint32_t i = 0; i < body->n_kid; i++) {
        const Ast *st = body->kid[i];
        if (!st)
            continue;
        switch (st->kind) {
        case AST_MODEL:
            nested(o, st, entry(o, list, st, st->text, st->name_span, KIND_CLASS));
            break;
        case AST_BLOCK:
            nested(o, st, entry(o, list, st, st->text, st->name_span, KIND_FUNCTION));
            break;
        case AST_OPTIMIZER:
        case AST_FUNCTION:
            entry(o, list, st, st->text, st->name_span, KIND_FUNCTION);
            break;
        case AST_DATA:
            nested(o, st, entry(o, list, st, st->text, st->name_span, KIND_MODULE));
            break;
        case AST_PART:
            nested(o, st, entry(o, list, st, st->text, st->name_span, KIND_FIELD));
            break;
        case AST_TRAIN:
            entry(o, list, st, str_printf(o->server->arena, "train " STR_FMT, STR_ARG(st->text)), st->name_span,
                  KIND_EVENT);
            break;
        case AST_PARAM:
            entry(o, list, st, st->text, st->name_span, KIND_CONSTANT);
            break;
        case AST_INPUT:
        case AST_TARGET:
            entry(o, list, st, st->text, st->name_span, KIND_PROPERTY);
            break;
        case AST_SHARE:
        case AST_STATE:
            entry(o, list, st, st->text, st->name_span, KIND_FIELD);
            break;
        case AST_ASSIGN:
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                entry(o, list, st, st->kid[0]->kid[k]->text, st->kid[0]->kid[k]->span, KIND_VARIABLE);
            break;
        case AST_LOSS:
            entry(o, list, st, st->text.n ? st->text : loss_name(o, st), st->text.n ? st->name_span : first_word(st),
                  KIND_OPERATOR);
            break;
        case AST_OUTPUT:
            entry(o, list, st, st->text.n ? st->text : STR("output"), st->text.n ? st->name_span : first_word(st),
                  KIND_OPERATOR);
            break;
        case AST_METRIC:
            entry(o, list, st, st->text.n ? st->text : STR("metric"), st->text.n ? st->name_span : first_word(st),
                  KIND_OPERATOR);
            break;
        default:
            break;
        }
    }
}

static cJSON *symbols(Server *s, const cJSON *params)
{
    Outline o = {s, server_document(s, params)};
    if (!o.document)
        return NULL;
    cJSON *list = cJSON_CreateArray();
    outline(&o, o.document->analysis->tree, list);
    return list;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON_AddBoolToObject(capabilities, "documentSymbolProvider", true);
}

ACT_LSP(symbols) = {.method = "textDocument/documentSymbol", .capability = offer, .run = symbols};
