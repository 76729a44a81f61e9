/* Taking an activation away from a loss without taking it away from what the model shows. */
#include "check/edit.h"
#include "check/flow.h"

bool edit_is_shared(const CheckContext *cx, const Head *head, const LossCall *loss)
{
    NodeId id = head->at;
    Reach reach = flow_reach(cx, id);
    if (reach.layer || reach.gate)
        return true;
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *other = &cx->model->losses.at[i];
        if (other != loss && other->prediction && facts_reaches(cx->facts, id, other->prediction))
            return true;
    }
    return false;
}

/* The output is what the first loss judges because none was written. */
static bool is_default_output(const CheckContext *cx, const LossCall *loss)
{
    return cx->model->outputs.n == 1 && cx->model->outputs.at[0].span.source == loss->prediction_span.source &&
           cx->model->outputs.at[0].span.begin == loss->prediction_span.begin;
}

/* An output that nobody wrote: what the first loss judges. It follows the loss. */
static bool is_implied(const CheckContext *cx, const Root *root)
{
    if (root->kind != ROOT_OUTPUT || root->index >= cx->model->outputs.n || cx->model->losses.n == 0)
        return false;
    Span output = cx->model->outputs.at[root->index].span, judged = cx->model->losses.at[0].prediction_span;
    return output.source == judged.source && output.begin == judged.begin && output.end == judged.end;
}

/* Metrics that ask which score is greater, or on which side of the threshold it is. */
static bool only_compares(Str metric)
{
    static const char *const kinds[] = {"accuracy", "top_k", "precision", "recall", "f1", "auc"};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (str_is(metric, kinds[i]))
            return true;
    return false;
}

/* Does the value go anywhere but into this loss and into metrics that only compare scores? `written`: a default output
 * does not count. */
static bool goes_elsewhere(const CheckContext *cx, const Head *head, const LossCall *loss, bool written)
{
    NodeId id = head->at;
    if (edit_is_shared(cx, head, loss))
        return true;
    for (uint32_t i = 0; i < cx->g->roots.n; i++) {
        const Root *root = &cx->g->roots.at[i];
        if (written && root->kind == ROOT_OUTPUT && is_default_output(cx, loss))
            continue;
        bool ranks = root->kind == ROOT_PREDICTION && root->index < cx->model->metrics.n &&
                     only_compares(cx->model->metrics.at[root->index].kind);
        if (root->kind != ROOT_LOSS && !ranks && !is_implied(cx, root) && facts_reaches(cx->facts, id, root->node))
            return true;
    }
    return false;
}

/* `name = …` whose value is `node`; NULL when it is not the whole right-hand side of one name. */
static const Ast *assignment_of(const CheckContext *cx, const Ast *node)
{
    const Ast *parent = edit_parent(cx, node);
    bool whole =
        parent && parent->kind == AST_ASSIGN && parent->n_kid == 3 && parent->kid[2] == node && parent->text.n == 0;
    return whole && parent->kid[0]->n_kid == 1 && parent->kid[1] == NULL ? parent : NULL;
}

static Str fresh_name(const CheckContext *cx, Str old)
{
    Str name = str_printf(cx->arena, STR_FMT "%slogits", STR_ARG(old), old.n ? "_" : "");
    Str stem = name;
    const Source *source = source_get(cx->program->sources, cx->model->span.source);
    for (unsigned i = 2; source; i++) {
        bool taken = false;
        for (uint32_t at = 0; !taken && at + name.n <= source->text.n; at++)
            taken = str_eq((Str){source->text.p + at, name.n}, name);
        if (!taken)
            break;
        name = str_printf(cx->arena, STR_FMT "%u", STR_ARG(stem), i);
    }
    return name;
}

/* The white space in front of a statement. */
static Str indent_of(const CheckContext *cx, Span at)
{
    const Source *source = source_get(cx->program->sources, at.source);
    Str line = source_line(source, source_place(source, at.begin).line);
    uint32_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
        n++;
    return (Str){line.p, n};
}

/* loss f(x |> linear(10) |> softmax, y): name the logits, and write down the output that was understood. */
static bool name_logits(const CheckContext *cx, Diag *diag, FixKind kind, const Stage *stage, const LossCall *loss)
{
    const Ast *whole = stage->pipe ? stage->pipe : stage->outer;
    Span model = cx->model->span, at = loss->statement, argument = loss->prediction_span;
    bool inline_argument = whole->span.source == argument.source && whole->span.begin == argument.begin &&
                           whole->span.end == argument.end;
    if (!inline_argument || at.source != model.source || at.begin < model.begin || at.end > model.end)
        return false;
    Str name = stage->value->kind == AST_NAME ? stage->value->text : fresh_name(cx, (Str){"", 0});
    Str activation = edit_text(cx, stage->pipe ? stage->call->span : stage->name), indent = indent_of(cx, at);
    if (stage->value->kind != AST_NAME)
        diag_fix(diag, kind, (Span){at.source, at.begin, at.begin}, STR_FMT " = " STR_FMT "\n" STR_FMT, STR_ARG(name),
                 STR_ARG(edit_text(cx, stage->value->span)), STR_ARG(indent));
    diag_fix(diag, kind, argument, STR_FMT, STR_ARG(name));
    diag_fix(diag, kind, (Span){at.source, at.end, at.end}, "\n" STR_FMT "output " STR_FMT " |> " STR_FMT,
             STR_ARG(indent), STR_ARG(name), STR_ARG(activation));
    return true;
}

bool edit_remove_before_loss(const CheckContext *cx, Diag *diag, FixKind kind, const Head *head, const LossCall *loss)
{
    Stage stage;
    const LayerUse *use = check_use(cx, head->at);
    if (use && (use->outer.source != use->span.source || use->outer.begin != use->span.begin))
        kind = FIX_UNSAFE; /* in a block, which may have other uses */
    if (!goes_elsewhere(cx, head, loss, false))
        return edit_remove(cx, diag, kind, head->span);
    if (!edit_stage(cx, head->span, &stage) || stage.value == NULL)
        return false;
    bool by_default = !goes_elsewhere(cx, head, loss, true); /* only an output that nobody wrote shows it, too */
    if (by_default && name_logits(cx, diag, kind, &stage, loss))
        return true;
    const Ast *argument = edit_find(cx, loss->prediction_span);
    const Ast *assign = assignment_of(cx, stage.pipe ? stage.pipe : stage.outer);
    if (argument == NULL || argument->kind != AST_NAME || assign == NULL ||
        !str_eq(assign->kid[0]->kid[0]->text, argument->text))
        return by_default && edit_remove(cx, diag, FIX_UNSAFE, head->span); /* predict then gives logits */
    if (stage.value->kind == AST_NAME) { /* p = z |> softmax: the loss takes z */
        diag_fix(diag, kind, argument->span, STR_FMT, STR_ARG(stage.value->text));
        return true;
    }
    /* p = x |> linear(10) |> softmax: name the value before it, keep p */
    Str old = argument->text, name = fresh_name(cx, old);
    Span at = assign->kid[0]->span, value = stage.value->span, end = assign->span;
    diag_fix(diag, kind, at, STR_FMT, STR_ARG(name));
    if (!stage.pipe)
        diag_fix(diag, kind, (Span){end.source, stage.outer->span.begin, value.begin}, "%s", "");
    Str activation = edit_text(cx, stage.pipe ? stage.call->span : stage.name);
    diag_fix(diag, kind, (Span){end.source, value.end, stage.pipe ? stage.pipe->span.end : stage.outer->span.end},
             "\n" STR_FMT STR_FMT " = " STR_FMT " |> " STR_FMT, STR_ARG(indent_of(cx, at)), STR_ARG(old), STR_ARG(name),
             STR_ARG(activation));
    diag_fix(diag, kind, argument->span, STR_FMT, STR_ARG(name));
    return true;
}
