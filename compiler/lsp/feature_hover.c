/* What stands here: the shape of a value, a layer with its parameters and first numbers, the page of a definition. */
#include "lsp/describe.h"
#include "lsp/feature.h"
#include "syntax/parse.h"
#include "syntax/words.h"

#include <math.h>

typedef struct Hover {
    Server *server;
    Document *document;
    Analysis *a;
    Path path;
    uint32_t offset;
    Text out;
    Span span; /* what is explained */
} Hover;

static void separate(Text *out)
{
    if (out->n)
        text_add(out, STR("\n---\n\n"));
}

static Str type_text(Arena *arena, const Type *type)
{
    Text text = {.arena = arena};
    text_add(&text, type->dtype == DT_F32 ? STR("f32") : STR("i32"));
    type_print_shape(type, &text);
    return text_str(&text);
}

static void number(Text *out, const char *what, double value)
{
    if (isfinite(value))
        text_printf(out, "%s **%.3g**", what, value);
}

/* Standard deviation and gradient over fresh weights, when the model is healthy. */
static void signal_line(Hover *h, const Model *model, NodeId node)
{
    const Signal *signal = node ? analysis_signal(h->a, model) : NULL;
    if (!signal)
        return;
    const Type *type = graph_type(model->graph, node);
    double deviation = signal_deviation(signal, node), gradient = signal_gradient_norm(signal, node);
    if (!type->batch || type->dtype != DT_F32 || !isfinite(deviation))
        return;
    text_printf(&h->out, "\nbefore the first step:");
    number(&h->out, " std", deviation);
    if (gradient > 0)
        number(&h->out, ", gradient norm", gradient);
    text_putc(&h->out, '\n');
}

static const Tensor *declared(const Mark *mark)
{
    const Graph *g = mark->model ? mark->model->graph : NULL;
    for (uint32_t i = 0; g && mark->node && i < g->tensors.n; i++) {
        const Tensor *t = &g->tensors.at[i];
        bool given = t->role == ROLE_INPUT || t->role == ROLE_TARGET;
        if (given && str_eq(t->name, graph_node(g, mark->node)->name) && graph_node(g, mark->node)->n_in == 0)
            return t;
    }
    return NULL;
}

static void value_line(Hover *h, Str name, const Mark *mark)
{
    if (!mark->node && !mark->tensor && !(mark->text.n == 0)) {
        text_printf(&h->out, "```act\n" STR_FMT "\n```\n" STR_FMT "\n", STR_ARG(name), STR_ARG(mark->text));
        return;
    }
    const Tensor *tensor = declared(mark);
    Str type = tensor && tensor->label.n ? tensor->label : type_text(h->server->arena, &mark->type);
    text_printf(&h->out, "```act\n" STR_FMT " : " STR_FMT "\n```\n", STR_ARG(name), STR_ARG(type));
    for (uint32_t i = 0; mark->model && i < mark->model->draws.n; i++)
        if (mark->node && mark->model->draws.at[i].node == mark->node)
            text_printf(&h->out, "drawn from `" STR_FMT "`%s\n", STR_ARG(mark->model->draws.at[i].text),
                        mark->model->draws.at[i].training ? ", in training only" : "");
    if (mark->tensor)
        text_printf(&h->out, STR_FMT "\n", STR_ARG(mark->text));
    else if (mark->type.batch)
        text_printf(&h->out, "for every sample%s\n",
                    mark->varies ? "; another use of this block has another shape" : "");
    else
        text_printf(&h->out, "the same for every sample\n");
    signal_line(h, mark->model, mark->node);
}

/* ── layers ── */
static void parameter_lines(Hover *h, const Model *model, const LayerUse *use)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < use->n_tensor; i++)
        all += type_elements(&model->graph->tensors.at[use->tensor[i]].type);
    if (!use->n_tensor)
        return;
    text_printf(&h->out, "\n%llu parameters\n", (unsigned long long)all);
    for (uint32_t i = 0; i < use->n_tensor; i++) {
        const Tensor *t = &model->graph->tensors.at[use->tensor[i]];
        Text shape = {.arena = h->server->arena};
        Type type = tensor_type(t);
        type_print_shape(&type, &shape);
        text_printf(&h->out, "- `" STR_FMT "` " STR_FMT, STR_ARG(t->name), STR_ARG(text_str(&shape)));
        if (t->init.n && !str_is(t->init, "fixed"))
            text_printf(&h->out, ", " STR_FMT, STR_ARG(t->init));
        if (t->deviation > 0)
            text_printf(&h->out, ", std %.3g", t->deviation);
        if (!t->trainable)
            text_printf(&h->out, ", not trained");
        text_putc(&h->out, '\n');
    }
}

static bool same_place(Span a, Span b) { return a.source == b.source && a.begin == b.begin && a.end == b.end; }

/* What a layer or activation makes of its value here; in a repetition the first copy. */
static bool layer_use(Hover *h, Span call)
{
    for (uint32_t m = 0; m < h->a->known->models.n; m++) {
        const Model *model = h->a->known->models.at[m];
        uint32_t n = 0;
        const LayerUse *first = NULL;
        for (uint32_t i = 0; i < model->layers.n; i++)
            if (same_place(model->layers.at[i].span, call) && model->layers.at[i].out) {
                first = first ? first : &model->layers.at[i];
                n++;
            }
        if (!first)
            continue;
        Arena *arena = h->server->arena;
        Str from = first->in ? type_text(arena, graph_type(model->graph, first->in)) : STR("");
        text_printf(&h->out, "```act\n" STR_FMT " : " STR_FMT " -> " STR_FMT "\n```\n", STR_ARG(first->name),
                    STR_ARG(from), STR_ARG(type_text(arena, graph_type(model->graph, first->out))));
        if (n > 1)
            text_printf(&h->out, "the first of %u copies\n", n);
        parameter_lines(h, model, first);
        signal_line(h, model, first->out);
        return true;
    }
    return false;
}

/* The stage or call whose callee the path ends in. */
static const Ast *call_around(const Hover *h)
{
    for (uint32_t i = h->path.n; i-- > 1;) {
        const Ast *at = h->path.at[i], *up = h->path.at[i - 1];
        if (at->kind == AST_GROUP || at->kind == AST_LABEL)
            continue;
        if (up->kind == AST_CALL && up->kid[0] == at)
            return up;
        return at;
    }
    return NULL;
}

/* ── names ── */
static void hover_symbol(Hover *h, const NameUse *use)
{
    const Symbol *symbol = use->symbol;
    h->span = use->span;
    const Ast *call = use->call ? call_around(h) : NULL;
    if (call)
        layer_use(h, call->span);
    const Mark *mark = use->call ? NULL : sema_mark(h->a->known, use->span);
    mark = mark || use->call || !symbol->span.source ? mark : sema_mark(h->a->known, symbol->span);
    bool named_value = mark && (symbol->kind != SYMBOL_DEF || symbol->def->kind == DEF_PARAM);
    if (named_value)
        value_line(h, symbol->name, mark);
    if (symbol->kind == SYMBOL_DEF) {
        separate(&h->out);
        describe_def(h->a->known, symbol->def, true, &h->out);
    } else if (symbol->kind == SYMBOL_BLOCK || symbol->kind == SYMBOL_SHARE) {
        separate(&h->out);
        Str text = source_slice(h->a->known->sources, symbol->ast->span);
        uint32_t end = 0;
        while (end < text.n && text.p[end] != '\n')
            end++;
        text_printf(&h->out, "```act\n" STR_FMT "\n```\n", STR_ARG(((Str){text.p, end})));
    }
    if (symbol->ast && symbol->ast->doc.n && symbol->kind != SYMBOL_DEF)
        text_printf(&h->out, "\n" STR_FMT "\n", STR_ARG(symbol->ast->doc));
    if (!h->out.n) /* what a mistake left without a value */
        text_printf(&h->out, "```act\n" STR_FMT "\n```\nits value is not known: there is a mistake on the way to it\n",
                    STR_ARG(symbol->name));
}

/* ── words ── */
static bool inside(Span span, uint32_t offset) { return span.source && span.begin <= offset && offset <= span.end; }

static bool hover_argument(Hover *h, const Ast *call, const Ast *arg)
{
    const Ast *callee = call->kid[0];
    const Def *def = callee->kind == AST_NAME ? names_callable(h->a->known, callee->text) : NULL;
    def = def || callee->kind != AST_NAME ? def : sema_find(h->a->known, DEF_OPTIMIZER, callee->text);
    def = def || callee->kind != AST_NAME ? def : sema_find(h->a->known, DEF_SCHEDULE, callee->text);
    h->span = arg->name_span;
    if (!def)
        return false;
    ParamTexts params = describe_params(h->server->arena, h->a->known, def);
    for (uint32_t i = 0; i < params.n; i++) {
        if (!str_eq(params.at[i].name, arg->text))
            continue;
        if (def->layer && i < def->layer->n_param)
            describe_param(def->layer, &def->layer->param[i], &h->out);
        else
            text_printf(&h->out, "`" STR_FMT "` of `" STR_FMT "`%s" STR_FMT "\n", STR_ARG(arg->text),
                        STR_ARG(def->name), params.at[i].doc.n ? ": " : "", STR_ARG(params.at[i].doc));
        return true;
    }
    return false;
}

static void hover_keyword(Hover *h, Str word, bool setting)
{
    for (unsigned i = 0; !setting && i < words_count; i++)
        if (str_is(word, words_table[i].text) && (words_table[i].places & (h->path.n > 2 ? IN_BODY : IN_FILE))) {
            text_printf(&h->out, "```act\n%s\n```\n", words_table[i].looks_like);
            return;
        }
    const char *name, *example;
    for (unsigned i = 0; setting && (name = sema_word(VOCABULARY_SETTING, i, &example)); i++)
        if (str_is(word, name))
            text_printf(&h->out, "```act\n%s\n```\n", example);
}

static Str word_at(Str text, uint32_t offset, uint32_t *begin)
{
    uint32_t end = offset;
    *begin = offset;
#define IN_WORD(c)                                                                                                     \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z') || ((c) >= '0' && (c) <= '9') || (c) == '_')
    while (*begin > 0 && IN_WORD(text.p[*begin - 1]))
        --*begin;
    while (end < text.n && IN_WORD(text.p[end]))
        end++;
#undef IN_WORD
    return (Str){text.p + *begin, end - *begin};
}

/* Not a name of the user's: a rule, an argument, a keyword, or the value of an expression. */
static void hover_place(Hover *h)
{
    const Ast *last = h->path.n ? h->path.at[h->path.n - 1] : NULL,
              *up = h->path.n > 1 ? h->path.at[h->path.n - 2] : NULL;
    if (!last)
        return;
    if (up && up->kind == AST_ALLOW && last->kind == AST_NAME) {
        const Rule *rule = check_find(last->text);
        h->span = last->span;
        if (rule)
            describe_rule(rule, &h->out);
        return;
    }
    for (uint32_t i = h->path.n; i-- > 1;)
        if (h->path.at[i]->kind == AST_ARG && inside(h->path.at[i]->name_span, h->offset) &&
            h->path.at[i - 1]->kind == AST_CALL && hover_argument(h, h->path.at[i - 1], h->path.at[i]))
            return;
    uint32_t begin;
    Str word = word_at(h->a->lines.text, h->offset, &begin);
    if (last->kind <= AST_ALLOW && word.n) {
        h->span = (Span){h->a->known_id, begin, begin + word.n};
        hover_keyword(h, word, last->kind == AST_SETTING && begin == last->span.begin);
        return;
    }
    for (uint32_t i = h->path.n; i-- > 0 && h->path.at[i]->kind > AST_RANGE - 16;) {
        const Ast *e = h->path.at[i];
        const Mark *mark = e->kind >= AST_NUMBER ? sema_mark(h->a->known, e->span) : NULL;
        if (!mark || e->kind == AST_NUMBER || e->kind == AST_STRING)
            continue;
        Str text = format_expr(h->server->arena, e);
        h->span = e->span;
        value_line(h, text.n > 80 ? STR("…") : text, mark);
        return;
    }
}

static cJSON *hover(Server *s, const cJSON *params)
{
    Hover h = {.server = s, .out = {.arena = s->arena}};
    h.document = server_place(s, params, &h.offset);
    if (!h.document)
        return NULL;
    h.a = h.document->analysis;
    h.path = analysis_path(h.a, s->arena, h.offset);
    const NameUse *use = names_at(analysis_names(h.a), h.a->known_id, h.offset);
    if (use)
        hover_symbol(&h, use);
    else
        hover_place(&h);
    if (!h.out.n)
        return NULL;
    cJSON *result = cJSON_CreateObject(), *contents = cJSON_AddObjectToObject(result, "contents");
    json_set_text(contents, "kind", STR("markdown"));
    json_set_text(contents, "value", text_str(&h.out));
    json_set(result, "range", server_range(s, h.document, h.a->known, h.span));
    return result;
}

static void offer(const Server *s, cJSON *capabilities)
{
    (void)s;
    cJSON_AddBoolToObject(capabilities, "hoverProvider", true);
}

ACT_LSP(hover) = {.method = "textDocument/hover", .capability = offer, .run = hover};
