/* What could be written here, with its documentation. */
#include "lsp/cursor.h"
#include "lsp/describe.h"
#include "lsp/feature.h"
#include "syntax/words.h"

#include <string.h>

/* Kinds as the protocol numbers them. */
enum {
    ITEM_FUNCTION = 3,
    ITEM_FIELD = 5,
    ITEM_VARIABLE = 6,
    ITEM_CLASS = 7,
    ITEM_MODULE = 9,
    ITEM_PROPERTY = 10,
    ITEM_VALUE = 12,
    ITEM_KEYWORD = 14,
    ITEM_CONSTANT = 21,
    ITEM_TYPE = 25
};

typedef struct Completion {
    Server *server;
    Document *document;
    Analysis *a;
    Cursor cx;
    Map seen; /* labels that are in the list */
    cJSON *list;
} Completion;

/* ── items ── */
static cJSON *add(Completion *c, Str label, int kind, const char *rank)
{
    if (!label.n || map_has(&c->seen, label))
        return NULL;
    map_set(&c->seen, str_copy(c->server->arena, label), c);
    cJSON *item = json_push(c->list, cJSON_CreateObject());
    json_set_text(item, "label", label);
    json_set_number(item, "kind", kind);
    json_set_text(item, "sortText", str_printf(c->server->arena, "%s" STR_FMT, rank, STR_ARG(label)));
    return item;
}

static void insert(const Completion *c, cJSON *item, Str snippet, Str plain)
{
    if (!item)
        return;
    json_set_text(item, "insertText", c->server->snippets ? snippet : plain);
    if (c->server->snippets)
        json_set_number(item, "insertTextFormat", 2);
}

static void detail(cJSON *item, Str text)
{
    if (item && text.n)
        json_set_text(item, "detail", text);
}

static void document_with(cJSON *item, Str text)
{
    if (!item || !text.n)
        return;
    cJSON *doc = cJSON_AddObjectToObject(item, "documentation");
    json_set_text(doc, "kind", STR("markdown"));
    json_set_text(doc, "value", text);
}

/* `linear(${1:features})`: what must be given is asked for. */
static Str call_snippet(const Completion *c, const Def *def, bool piped)
{
    ParamTexts params = describe_params(c->server->arena, c->a->known, def);
    Text text = {.arena = c->server->arena};
    uint32_t first = piped || def->kind == DEF_OPTIMIZER ? describe_piped(def) : 0, n = 0;
    text_add(&text, def->name);
    for (uint32_t i = first; i < params.n; i++) {
        bool required = !params.at[i].def.n;
        if (def->layer)
            required = i < def->layer->n_param && !def->layer->param[i].def && !def->layer->param[i].optional;
        if (!required)
            continue;
        text_printf(&text, "%s${%u:" STR_FMT "}", n ? ", " : "(", n + 1, STR_ARG(params.at[i].name));
        n++;
    }
    if (n)
        text_putc(&text, ')');
    return text_str(&text);
}

static void add_def(Completion *c, const Def *def, const char *rank, bool piped)
{
    if (def_is_hidden(c->a->known, def))
        return;
    cJSON *item =
        add(c, def->name, def->kind == DEF_LAYER || def->kind == DEF_BLOCK ? ITEM_CLASS : ITEM_FUNCTION, rank);
    if (!item)
        return;
    detail(item, str_printf(c->server->arena, "%s " STR_FMT, def_kind_word(def),
                            STR_ARG(describe_signature(c->server->arena, c->a->known, def))));
    insert(c, item, call_snippet(c, def, piped), def->name);
    cJSON *data = cJSON_AddObjectToObject(item, "data"); /* for its page */
    json_set_text(data, "uri", c->document->uri);
    json_set_text(data, "name", def->name);
    json_set_number(data, "kind", def->kind);
}

static void add_defs(Completion *c, DefKind kind, const char *rank, bool piped)
{
    for (uint32_t i = 0; i < c->a->known->defs.n; i++)
        if (c->a->known->defs.at[i].kind == kind)
            add_def(c, &c->a->known->defs.at[i], rank, piped);
}

static void add_word(Completion *c, Vocabulary vocabulary, int kind, const char *rank)
{
    const char *word, *example;
    for (unsigned i = 0; (word = sema_word(vocabulary, i, &example)); i++) {
        cJSON *item = add(c, str_of(word), kind, rank);
        if (example)
            detail(item, str_of(example));
    }
}

/* ── names in scope ── */
static const NameScope *scope_here(Completion *c)
{
    const Names *names = analysis_names(c->a);
    for (uint32_t i = 0; i < names->scopes.n; i++) {
        const Ast *ast = names->scopes.at[i]->ast;
        if (ast && ast->span.source == c->a->known_id && ast->span.begin == c->cx.body_begin && c->cx.body != BODY_FILE)
            return names->scopes.at[i];
    }
    return names->global;
}

static void add_symbol(Completion *c, const Symbol *symbol, bool callable_only)
{
    const Mark *mark = sema_mark(c->a->known, symbol->span);
    bool value = mark ? mark->node || mark->tensor || !mark->text.n
                      : symbol->kind == SYMBOL_INPUT || symbol->kind == SYMBOL_TARGET;
    bool function = mark && mark->text.n && !value && !str_starts(mark->text, STR("the number"));
    bool may_be = symbol->kind == SYMBOL_PARAMETER || symbol->kind == SYMBOL_SHARE || symbol->kind == SYMBOL_BLOCK;
    if (callable_only && !function && (mark || !may_be))
        return;
    cJSON *item = add(c, symbol->name, symbol->kind == SYMBOL_BLOCK ? ITEM_CLASS : ITEM_VARIABLE, "0");
    if (mark && value) {
        Text shape = {.arena = c->server->arena};
        type_print_shape(&mark->type, &shape);
        detail(item, text_str(&shape));
    } else if (mark) {
        detail(item, mark->text);
    }
}

static void add_scope(Completion *c, bool callable_only)
{
    for (const NameScope *scope = scope_here(c); scope; scope = scope->parent)
        for (uint32_t i = 0; i < scope->symbols.n; i++)
            add_symbol(c, scope->symbols.item[i].value, callable_only);
    for (uint32_t i = 0; i < c->a->known->defs.n; i++) {
        const Def *def = &c->a->known->defs.at[i];
        if (def->kind == DEF_PARAM)
            add_symbol(c, names_def(analysis_names(c->a), def), callable_only);
    }
}

static void add_values(Completion *c)
{
    add_scope(c, false);
    if (c->cx.body == BODY_DATA || c->cx.body == BODY_PART)
        return;
    add_defs(c, DEF_FUNCTION, "2", false);
    add_defs(c, DEF_ACTIVATION, "2", false);
    add_defs(c, DEF_LAYER, "2", false);
    add_defs(c, DEF_BLOCK, "2", false);
    const char *primitive;
    for (unsigned i = 0; (primitive = sema_primitive(i)); i++)
        add(c, str_of(primitive), ITEM_FUNCTION, "3");
    add_word(c, VOCABULARY_SPECIAL, ITEM_FUNCTION, "3");
}

/* ── statements ── */
/* "model classifier { … }" as a snippet: what is made up is asked for. */
static Str statement_snippet(Arena *arena, const char *looks_like)
{
    Text text = {.arena = arena};
    const char *space = strchr(looks_like, ' ');
    size_t head = space ? (size_t)(space - looks_like) + 1 : strlen(looks_like);
    text_add(&text, (Str){looks_like, (uint32_t)head});
    const char *rest = looks_like + head, *brace = strstr(rest, " { …");
    size_t name = strcspn(rest, " (:={");
    if (*rest == '"') {
        text_printf(&text, "\"${1:%.*s}\"", (int)strcspn(rest + 1, "\""), rest + 1);
        return text_str(&text);
    }
    text_printf(&text, "${1:%.*s}", (int)name, rest);
    rest += name;
    for (; *rest && rest != brace; rest++)
        if ((unsigned char)*rest < 0x80 && *rest != '$' && *rest != '}')
            text_putc(&text, *rest);
    text_add(&text, brace ? STR(" {\n\t$0\n}") : STR("$0"));
    return text_str(&text);
}

static void add_statements(Completion *c, unsigned places)
{
    for (unsigned i = 0; i < words_count; i++) {
        if (!(words_table[i].places & places))
            continue;
        cJSON *item = add(c, str_of(words_table[i].text), ITEM_KEYWORD, "1");
        detail(item, str_of(words_table[i].looks_like));
        insert(c, item, statement_snippet(c->server->arena, words_table[i].looks_like),
               str_printf(c->server->arena, "%s ", words_table[i].text));
    }
}

/* A part of the data names what the models take. */
static void add_fields(Completion *c)
{
    const Names *names = analysis_names(c->a);
    for (uint32_t i = 0; i < names->scopes.n; i++)
        for (uint32_t k = 0; k < names->scopes.at[i]->symbols.n; k++) {
            const Symbol *symbol = names->scopes.at[i]->symbols.item[k].value;
            if (symbol->kind != SYMBOL_INPUT && symbol->kind != SYMBOL_TARGET)
                continue;
            cJSON *item = add(c, symbol->name, ITEM_FIELD, "0");
            insert(c, item, str_printf(c->server->arena, STR_FMT " = $0", STR_ARG(symbol->name)),
                   str_printf(c->server->arena, STR_FMT " = ", STR_ARG(symbol->name)));
        }
}

static void add_allow(Completion *c)
{
    cJSON *item = add(c, STR("@allow"), ITEM_KEYWORD, "4");
    detail(item, STR("@allow(rule, reason = \"…\")"));
    insert(c, item, STR("@allow(${1:rule}, reason = \"${2:why it is meant}\")"), STR("@allow"));
}

static void add_augment(Completion *c)
{
    cJSON *item = add(c, STR("augment"), ITEM_KEYWORD, "1");
    detail(item, STR("augment flip, crop(4)"));
    insert(c, item, STR("augment flip, crop(${1:4})"), STR("augment flip, crop(4)"));
}

static void complete_statement(Completion *c)
{
    switch (c->cx.body) {
    case BODY_FILE:
        add_statements(c, IN_FILE);
        break;
    case BODY_MODEL:
        add_statements(c, IN_BODY);
        break;
    case BODY_BLOCK:
    case BODY_OPTIMIZER:
        add_statements(c, IN_BODY);
        add_values(c);
        break;
    case BODY_TRAIN: {
        const char *word, *example;
        for (unsigned i = 0; (word = sema_word(VOCABULARY_SETTING, i, &example)); i++) {
            cJSON *item = add(c, str_of(word), ITEM_PROPERTY, "0");
            detail(item, str_of(example));
            insert(c, item, str_printf(c->server->arena, "%s $0", word), str_printf(c->server->arena, "%s ", word));
        }
        break;
    }
    case BODY_DATA:
        for (unsigned i = 0; i < 3; i++) {
            static const char *const parts[] = {"train", "test", "validation"};
            insert(c, add(c, str_of(parts[i]), ITEM_KEYWORD, "0"),
                   str_printf(c->server->arena, "%s {\n\t$0\n}", parts[i]), str_of(parts[i]));
        }
        add_augment(c);
        break;
    case BODY_PART:
        add_fields(c);
        add_augment(c);
        break;
    }
    add_allow(c);
}

/* ── the other places ── */
static void complete_stage(Completion *c)
{
    if (c->cx.body == BODY_DATA || c->cx.body == BODY_PART) {
        add_word(c, VOCABULARY_STAGE, ITEM_FUNCTION, "0");
        return;
    }
    add_scope(c, true);
    add_defs(c, DEF_BLOCK, "1", true);
    add_defs(c, DEF_LAYER, "1", true);
    add_defs(c, DEF_ACTIVATION, "1", true);
    add_defs(c, DEF_FUNCTION, "2", true);
    insert(c, add(c, STR("repeat"), ITEM_FUNCTION, "1"), STR("repeat(${1:3}, ${2:block})"), STR("repeat"));
}

static const Def *callee_def(const Completion *c)
{
    const Program *program = c->a->known;
    if (c->cx.metric && sema_find(program, DEF_METRIC, c->cx.callee))
        return sema_find(program, DEF_METRIC, c->cx.callee);
    if (str_is(c->cx.setting, "optimizer"))
        return sema_find(program, DEF_OPTIMIZER, c->cx.callee);
    if (str_is(c->cx.setting, "schedule"))
        return sema_find(program, DEF_SCHEDULE, c->cx.callee);
    return names_callable(program, c->cx.callee);
}

static void add_choices(Completion *c, const ParamText *param)
{
    for (uint32_t at = 0; at < param->words.n;) {
        uint32_t end = at;
        while (end < param->words.n && param->words.p[end] != '|')
            end++;
        add(c, (Str){param->words.p + at, end - at}, ITEM_VALUE, "0");
        at = end + 1;
    }
    if (param->flag || str_is(param->def, "false")) {
        add(c, STR("true"), ITEM_VALUE, "0");
        add(c, STR("false"), ITEM_VALUE, "0");
    }
    if (param->init) {
        add(c, STR("auto"), ITEM_VALUE, "0");
        add(c, STR("false"), ITEM_VALUE, "1");
        add_defs(c, DEF_INITIALIZER, "1", false);
    }
}

static bool is_given(const Completion *c, Str name)
{
    for (uint32_t i = 0; i < c->cx.given.n; i++)
        if (str_eq(c->cx.given.at[i], name))
            return true;
    return false;
}

static void complete_argument(Completion *c)
{
    const Def *def = callee_def(c);
    ParamTexts params = {0};
    if (def)
        params = describe_params(c->server->arena, c->a->known, def);
    uint32_t skip = def && (c->cx.piped || def->kind == DEF_OPTIMIZER) ? describe_piped(def) : 0;
    uint32_t index = c->cx.index > c->cx.given.n ? c->cx.index - c->cx.given.n : 0; /* of those without a name */
    uint32_t place = c->cx.given.n && !index ? skip : index + skip;
    if (def && def->layer && !c->cx.piped) /* the values come first */
        place = index >= def->layer->min_value ? index - def->layer->min_value : 0;
    for (uint32_t i = skip; i < params.n; i++) {
        if (c->cx.argument.n ? str_eq(params.at[i].name, c->cx.argument) : i == place)
            add_choices(c, &params.at[i]);
        if (c->cx.argument.n || i < place || is_given(c, params.at[i].name))
            continue;
        Str name = str_printf(c->server->arena, STR_FMT " = ", STR_ARG(params.at[i].name));
        cJSON *item = add(c, name, ITEM_PROPERTY, "0");
        detail(item, params.at[i].def.n ? str_printf(c->server->arena, "default " STR_FMT, STR_ARG(params.at[i].def))
                                        : STR(""));
        document_with(item, params.at[i].doc);
    }
    if (c->cx.body != BODY_TRAIN)
        add_values(c);
    else
        add_scope(c, false);
}

static void complete_setting(Completion *c)
{
    if (str_is(c->cx.setting, "data"))
        add_defs(c, DEF_DATA, "0", false);
    else if (str_is(c->cx.setting, "optimizer"))
        add_defs(c, DEF_OPTIMIZER, "0", false);
    else if (str_is(c->cx.setting, "schedule"))
        add_defs(c, DEF_SCHEDULE, "0", false);
    else if (str_is(c->cx.setting, "stop"))
        insert(c, add(c, STR("early"), ITEM_FUNCTION, "0"), STR("early(patience = ${1:3})"), STR("early"));
    else if (str_is(c->cx.setting, "clip"))
        insert(c, add(c, STR("norm"), ITEM_FUNCTION, "0"), STR("norm(${1:1.0})"), STR("norm"));
    else
        add_scope(c, false);
}

static void complete_rules(Completion *c)
{
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        cJSON *item = add(c, str_of(rule->name), ITEM_CONSTANT, "0");
        Text text = {.arena = c->server->arena};
        describe_rule(rule, &text);
        detail(item, str_printf(c->server->arena, "%s: %s", rule->code, rule->summary));
        document_with(item, text_str(&text));
    }
    add(c, STR("reason = "), ITEM_PROPERTY, "1");
}

static void complete_fields(Completion *c)
{
    add_word(c, VOCABULARY_FIELD, ITEM_FIELD, "1");
    /* the weights of a layer: fc1.weight */
    Str begin = str_printf(c->server->arena, STR_FMT ".", STR_ARG(c->cx.object));
    for (uint32_t m = 0; m < c->a->known->models.n; m++) {
        const Graph *g = c->a->known->models.at[m]->graph;
        for (uint32_t i = 0; i < g->tensors.n; i++) {
            Str name = g->tensors.at[i].name;
            if (g->tensors.at[i].role != ROLE_PARAM || !str_starts(name, begin))
                continue;
            uint32_t end = begin.n;
            while (end < name.n && name.p[end] != '.')
                end++;
            add(c, (Str){name.p + begin.n, end - begin.n}, ITEM_FIELD, "0");
        }
    }
}

static void complete_groups(Completion *c)
{
    const Names *names = analysis_names(c->a);
    for (uint32_t i = 0; i < names->scopes.n; i++) {
        const NameScope *scope = names->scopes.at[i];
        for (uint32_t k = 0; k < scope->symbols.n; k++)
            if (((const Symbol *)scope->symbols.item[k].value)->kind == SYMBOL_SHARE)
                add(c, scope->symbols.item[k].key, ITEM_VARIABLE, "0");
        for (uint32_t k = 0; k < scope->labels.n; k++)
            add(c, scope->labels.item[k].key, ITEM_VARIABLE, "0");
    }
}

static void complete_place(Completion *c)
{
    switch (c->cx.place) {
    case PLACE_NOTHING:
        break;
    case PLACE_STATEMENT:
        complete_statement(c);
        break;
    case PLACE_STAGE:
        complete_stage(c);
        break;
    case PLACE_VALUE:
        if (c->cx.body == BODY_DATA || c->cx.body == BODY_PART)
            add_word(c, VOCABULARY_READER, ITEM_FUNCTION, "0");
        add_values(c);
        break;
    case PLACE_ARGUMENT:
        complete_argument(c);
        break;
    case PLACE_RULE:
        complete_rules(c);
        break;
    case PLACE_TYPE:
        add_word(c, VOCABULARY_TYPE, ITEM_TYPE, "0");
        break;
    case PLACE_FIELD:
        complete_fields(c);
        break;
    case PLACE_SETTING:
        complete_setting(c);
        break;
    case PLACE_MODEL:
        add_defs(c, DEF_MODEL, "0", false);
        break;
    case PLACE_METRIC:
        add_defs(c, DEF_METRIC, "0", false);
        break;
    case PLACE_LOSS:
        add_defs(c, DEF_LOSS, "0", false);
        add_values(c);
        break;
    case PLACE_GROUP:
        complete_groups(c);
        break;
    }
}

static cJSON *completion(Server *s, const cJSON *params)
{
    uint32_t offset;
    Completion c = {.server = s, .document = server_place(s, params, &offset), .seen = {.arena = s->arena}};
    if (!c.document)
        return NULL;
    c.a = c.document->analysis;
    c.cx = cursor_at(s->arena, c.a->lines.text, offset);
    cJSON *result = cJSON_CreateObject();
    cJSON_AddBoolToObject(result, "isIncomplete", false);
    c.list = cJSON_AddArrayToObject(result, "items");
    complete_place(&c);
    return result;
}

/* The page of the one that is looked at. */
static cJSON *resolve(Server *s, const cJSON *params)
{
    cJSON *item = cJSON_Duplicate(params, true);
    Document *document = document_find(&s->documents, json_str(params, "data.uri"));
    uint32_t kind;
    if (!document || !json_count(params, "data.kind", &kind) || kind > DEF_METRIC)
        return item;
    Program *program = document_analysis(&s->documents, document)->known;
    const Def *def = sema_find(program, (DefKind)kind, json_str(params, "data.name"));
    if (!def)
        return item;
    Text text = {.arena = s->arena};
    describe_def(program, def, true, &text);
    cJSON_DeleteItemFromObjectCaseSensitive(item, "documentation");
    document_with(item, text_str(&text));
    return item;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    static const char *const triggers[] = {">", ".", "(", ",", ":", "@", " "};
    cJSON *provider = cJSON_AddObjectToObject(capabilities, "completionProvider");
    json_set(provider, "triggerCharacters",
             cJSON_CreateStringArray(triggers, (int)(sizeof triggers / sizeof *triggers)));
    cJSON_AddBoolToObject(provider, "resolveProvider", true);
}

ACT_LSP(completion) = {.method = "textDocument/completion", .capability = offer, .run = completion};
ACT_LSP(completion_resolve) = {.method = "completionItem/resolve", .run = resolve};
