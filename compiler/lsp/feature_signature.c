/* The arguments of the call that is being written. */
#include "lsp/cursor.h"
#include "lsp/describe.h"
#include "lsp/feature.h"

static const Def *called(const Program *program, const Cursor *cx)
{
    if (cx->metric && sema_find(program, DEF_METRIC, cx->callee))
        return sema_find(program, DEF_METRIC, cx->callee);
    if (str_is(cx->setting, "optimizer"))
        return sema_find(program, DEF_OPTIMIZER, cx->callee);
    if (str_is(cx->setting, "schedule"))
        return sema_find(program, DEF_SCHEDULE, cx->callee);
    return names_callable(program, cx->callee);
}

static cJSON *signature(Server *s, const cJSON *params)
{
    uint32_t offset;
    Document *document = server_place(s, params, &offset);
    if (!document)
        return NULL;
    Analysis *a = document->analysis;
    Cursor cx = cursor_at(s->arena, a->lines.text, offset);
    const Def *def = cx.callee.n && cx.place != PLACE_RULE ? called(a->known, &cx) : NULL;
    if (!def)
        return NULL;
    ParamTexts list = describe_params(s->arena, a->known, def);
    uint32_t skip = cx.piped || def->kind == DEF_OPTIMIZER ? describe_piped(def) : 0;
    skip = skip > list.n ? list.n : skip;
    Text label = {.arena = s->arena};
    text_printf(&label, STR_FMT "(", STR_ARG(def->name));
    cJSON *result = cJSON_CreateObject(), *one = cJSON_CreateObject(), *parameters = cJSON_CreateArray();
    uint32_t active = cx.index;
    if (def->layer && !cx.piped) /* a call names its values first */
        active = cx.index >= def->layer->min_value ? cx.index - def->layer->min_value : UINT32_MAX;
    for (uint32_t i = skip; i < list.n; i++) {
        Str text = list.at[i].def.n
                       ? str_printf(s->arena, STR_FMT " = " STR_FMT, STR_ARG(list.at[i].name), STR_ARG(list.at[i].def))
                       : list.at[i].name;
        text_printf(&label, "%s" STR_FMT, i > skip ? ", " : "", STR_ARG(text));
        cJSON *parameter = json_push(parameters, cJSON_CreateObject());
        json_set_text(parameter, "label", text);
        if (list.at[i].doc.n)
            json_set_text(parameter, "documentation", list.at[i].doc);
        if (cx.argument.n && str_eq(cx.argument, list.at[i].name))
            active = i - skip;
    }
    text_putc(&label, ')');
    json_set_text(one, "label", text_str(&label));
    if (def->doc.n)
        json_set_text(one, "documentation", def->doc);
    json_set(one, "parameters", parameters);
    json_push(cJSON_AddArrayToObject(result, "signatures"), one);
    json_set_number(result, "activeSignature", 0);
    if (active < list.n - skip)
        json_set_number(result, "activeParameter", active);
    return result;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    static const char *const triggers[] = {"(", ","};
    json_set(cJSON_AddObjectToObject(capabilities, "signatureHelpProvider"), "triggerCharacters",
             cJSON_CreateStringArray(triggers, 2));
}

ACT_LSP(signature) = {.method = "textDocument/signatureHelp", .capability = offer, .run = signature};
