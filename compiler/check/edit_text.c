/* Places in the text that several rules change: arguments, settings, whole statements. */
#include "check/edit.h"

#include "ops/registry.h"

const Ast *edit_argument(const Ast *call, const char *name)
{
    for (uint32_t i = 1; call && call->kind == AST_CALL && i < call->n_kid; i++)
        if (call->kid[i]->kind == AST_ARG && str_is(call->kid[i]->text, name))
            return call->kid[i];
    return NULL;
}

bool edit_set_argument(const CheckContext *cx, Diag *diag, FixKind kind, Span use, const char *name, Str value)
{
    Stage stage;
    if (!edit_stage(cx, use, &stage) || stage.call->kind != AST_CALL)
        return false;
    const Ast *given = edit_argument(stage.call, name);
    uint32_t end = stage.call->span.end - 1;
    if (given)
        diag_fix(diag, kind, given->kid[0]->span, STR_FMT, STR_ARG(value));
    else
        diag_fix(diag, kind, (Span){.source = stage.call->span.source, .begin = end, .end = end}, "%s%s = " STR_FMT,
                 stage.call->n_kid > 1 ? ", " : "", name, STR_ARG(value));
    return true;
}

Span edit_argument_span(const CheckContext *cx, Span use, const char *name)
{
    Stage stage;
    const Ast *given = edit_stage(cx, use, &stage) ? edit_argument(stage.call, name) : NULL;
    return given ? given->span : use;
}

bool edit_takes(const LayerUse *use, const char *name)
{
    const Layer *layer = use ? layer_find(use->kind) : NULL;
    for (uint32_t i = 0; layer && i < layer->n_param; i++)
        if (str_is(str_of(layer->param[i].name), name))
            return true;
    return false;
}

const Ast *edit_setting(const TrainUse *train, const char *key)
{
    for (uint32_t i = 0; train && train->ast && i < train->ast->n_kid; i++) {
        const Ast *kid = train->ast->kid[i];
        if (kid && kid->kind == AST_SETTING && str_is(kid->text, key))
            return kid;
    }
    return NULL;
}

const Ast *edit_optimizer_call(const CheckContext *cx, const OptimizerUse *use)
{
    const Source *source = source_get(cx->program->sources, use->span.source);
    const Ast *e = use->ast;
    while (e && e->kind == AST_GROUP)
        e = e->kid[0];
    return source && !source->library && e && e->kind == AST_CALL ? e : NULL;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The beginning of the line before the one that begins at `at`, when it is documentation; else `at`. */
static uint32_t doc_line(const Source *source, uint32_t at)
{
    uint32_t begin = at > 0 ? at - 1 : 0;
    while (begin > 0 && source->text.p[begin - 1] != '\n')
        begin--;
    uint32_t text = begin;
    while (text < at && is_blank(source->text.p[text]))
        text++;
    bool doc = text + 1 < at && source->text.p[text] == '#' && source->text.p[text + 1] == '#';
    return doc ? begin : at;
}

bool edit_delete_statement(const CheckContext *cx, Diag *diag, FixKind kind, Span statement)
{
    const Source *source = source_get(cx->program->sources, statement.source);
    if (source == NULL || source->library)
        return false;
    uint32_t begin = statement.begin, end = statement.end;
    while (begin > 0 && is_blank(source->text.p[begin - 1]))
        begin--;
    while (end < source->text.n && is_blank(source->text.p[end]))
        end++;
    bool own = (begin == 0 || source->text.p[begin - 1] == '\n') &&
               (end == source->text.n || source->text.p[end] == '\n' || source->text.p[end] == '#');
    if (!own)
        return false;
    while (end < source->text.n && source->text.p[end] != '\n') /* a comment behind it goes with it */
        end++;
    if (end < source->text.n)
        end++;
    while (begin > 0 && doc_line(source, begin) < begin)
        begin = doc_line(source, begin);
    diag_fix(diag, kind, (Span){statement.source, begin, end}, "%s", "");
    return true;
}

static void count_readers(const Ast *e, Str name, const Ast **found, uint32_t *n)
{
    if (e == NULL)
        return;
    if (e->kind == AST_NAME && str_eq(e->text, name)) {
        *found = e;
        ++*n;
    }
    for (uint32_t i = 0; i < e->n_kid; i++)
        count_readers(e->kid[i], name, found, n);
}

const Ast *edit_only_reader(const CheckContext *cx, Str name)
{
    const Ast *found = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; cx->model && i < cx->model->ast->n_kid; i++)
        count_readers(cx->model->ast->kid[i], name, &found, &n);
    return n == 1 ? found : NULL;
}

Str edit_number(Arena *arena, double value)
{
    Text text = {.arena = arena};
    text_number(&text, value);
    return text_str(&text);
}

static bool has_parameter(const Ast *e, Str name)
{
    for (uint32_t i = 0; i < e->n_kid; i++)
        for (uint32_t k = 0; e->kid[i] && e->kid[i]->kind == AST_PARAMETERS && k < e->kid[i]->n_kid; k++)
            if (str_eq(e->kid[i]->kid[k]->text, name))
                return true;
    return false;
}

bool edit_mentions(const Ast *tree, Str name)
{
    if (tree == NULL)
        return false;
    if ((tree->kind == AST_NAME || tree->kind == AST_TRAIN) && str_eq(tree->text, name))
        return true;
    bool hidden = has_parameter(tree, name);
    for (uint32_t i = 0; i < tree->n_kid; i++) {
        const Ast *kid = tree->kid[i];
        bool binds = tree->kind == AST_ASSIGN && i == 0;
        if (kid && !binds && (!hidden || kid->kind == AST_PARAMETERS) && edit_mentions(kid, name))
            return true;
    }
    return false;
}
