#include "check/edit.h"

#include <string.h>

static bool same_span(Span a, Span b) { return a.source == b.source && a.begin == b.begin && a.end == b.end; }

static bool covers(Span outer, Span inner)
{
    return outer.source == inner.source && outer.begin <= inner.begin && inner.end <= outer.end;
}

static const Ast *find_in(const Ast *node, Span span)
{
    if (node == NULL || !covers(node->span, span))
        return NULL;
    for (uint32_t i = 0; i < node->n_kid; i++) {
        const Ast *found = find_in(node->kid[i], span);
        if (found)
            return found;
    }
    return same_span(node->span, span) ? node : NULL;
}

static const Ast *parent_in(const Ast *node, const Ast *child)
{
    for (uint32_t i = 0; node && i < node->n_kid; i++) {
        if (node->kid[i] == child)
            return node;
        if (node->kid[i] && covers(node->kid[i]->span, child->span)) {
            const Ast *found = parent_in(node->kid[i], child);
            if (found)
                return found;
        }
    }
    return NULL;
}

/* Every tree that user text can stand in: the model, then all definitions, then the files with their `train` blocks. */
static uint32_t trees(const CheckContext *cx) { return 1 + cx->program->defs.n + cx->program->files.n; }

static const Ast *tree(const CheckContext *cx, uint32_t i)
{
    uint32_t n = cx->program->defs.n;
    if (i == 0)
        return cx->model ? cx->model->ast : NULL;
    return i <= n ? cx->program->defs.at[i - 1].ast : cx->program->files.at[i - 1 - n];
}

const Ast *edit_find(const CheckContext *cx, Span span)
{
    const Ast *found = NULL;
    for (uint32_t i = 0; !found && span.source && i < trees(cx); i++)
        found = find_in(tree(cx, i), span);
    return found;
}

const Ast *edit_parent(const CheckContext *cx, const Ast *node)
{
    const Ast *found = NULL;
    for (uint32_t i = 0; !found && i < trees(cx); i++)
        found = parent_in(tree(cx, i), node);
    return found;
}

Str edit_text(const CheckContext *cx, Span span) { return source_slice(cx->program->sources, span); }

static bool is_library(const CheckContext *cx, Span span)
{
    const Source *source = source_get(cx->program->sources, span.source);
    return source == NULL || source->library;
}

bool edit_stage(const CheckContext *cx, Span span, Stage *stage)
{
    const Ast *node = is_library(cx, span) ? NULL : edit_find(cx, span);
    if (node && node->kind == AST_PIPE)
        node = node->kid[1];
    if (node && node->kind == AST_LABEL)
        node = node->kid[0];
    if (node == NULL || (node->kind != AST_CALL && node->kind != AST_NAME))
        return false;
    const Ast *parent = edit_parent(cx, node);
    if (parent && parent->kind == AST_CALL && parent->kid[0] == node) { /* only the name was marked */
        node = parent;
        parent = edit_parent(cx, node);
    }
    *stage = (Stage){.call = node, .outer = node};
    stage->name = node->kind == AST_CALL ? node->kid[0]->span : node->span;
    if (parent && parent->kind == AST_LABEL) {
        stage->outer = parent;
        parent = edit_parent(cx, parent);
    }
    if (parent && parent->kind == AST_PIPE && parent->kid[1] == stage->outer) {
        stage->pipe = parent;
        stage->value = parent->kid[0];
        return true;
    }
    if (node->kind == AST_CALL && node->n_kid > 1 && node->kid[1]->kind == AST_ARG && node->kid[1]->text.n == 0)
        stage->value = node->kid[1]->kid[0];
    return true;
}

Span edit_given(const CheckContext *cx, Span use)
{
    Stage stage;
    if (!edit_stage(cx, use, &stage) || stage.call->kind != AST_CALL)
        return use;
    for (uint32_t i = 1; i < stage.call->n_kid; i++)
        if (stage.call->kid[i]->kid[0] != stage.value)
            return stage.call->kid[i]->span;
    return use;
}

/* A node stands in the graph once for each use of its block, its text once in the file. */
static bool has_edit(const Diag *diag, Span span)
{
    for (uint32_t i = 0; i < diag->edits.n; i++)
        if (diag->edits.at[i].span.source == span.source && diag->edits.at[i].span.begin == span.begin)
            return true;
    return false;
}

static Span between(Span from, uint32_t begin, uint32_t end) { return (Span){from.source, begin, end}; }

bool edit_remove(const CheckContext *cx, Diag *diag, FixKind kind, Span use)
{
    Stage stage;
    if (!edit_stage(cx, use, &stage) || stage.value == NULL || stage.value->kind == AST_NUMBER) /* max(0, z) */
        return false;
    Span value = stage.value->span, whole = stage.pipe ? stage.pipe->span : stage.outer->span;
    if (whole.begin < value.begin)
        diag_fix(diag, kind, between(whole, whole.begin, value.begin), "%s", "");
    diag_fix(diag, kind, between(whole, value.end, whole.end), "%s", "");
    return true;
}

bool edit_replace(const CheckContext *cx, Diag *diag, FixKind kind, Span use, const char *name)
{
    Stage stage;
    if (!edit_stage(cx, use, &stage) || stage.value == NULL)
        return false;
    if (has_edit(diag, stage.pipe ? stage.call->span : stage.name))
        return true;
    if (stage.pipe) {
        diag_fix(diag, kind, stage.call->span, "%s", name);
        return true;
    }
    diag_fix(diag, kind, stage.name, "%s", name);
    if (stage.call->n_kid > 2) /* further arguments belonged to the old one */
        diag_fix(diag, kind, between(use, stage.value->span.end, stage.call->span.end - 1), "%s", "");
    return true;
}

bool edit_insert_after(const CheckContext *cx, Diag *diag, FixKind kind, Span use, Str name)
{
    Stage stage;
    if (!edit_stage(cx, use, &stage) || stage.value == NULL)
        return false;
    Span end = between(use, stage.outer->span.end, stage.outer->span.end);
    const Ast *parent = edit_parent(cx, stage.outer);
    if (stage.pipe || (parent && parent->kind == AST_PIPE)) { /* in a pipe, or at the head of one */
        diag_fix(diag, kind, end, " |> " STR_FMT, STR_ARG(name));
        return true;
    }
    diag_fix(diag, kind, between(use, stage.outer->span.begin, stage.outer->span.begin), STR_FMT "(", STR_ARG(name));
    diag_fix(diag, kind, end, ")");
    return true;
}

bool edit_loss_name(const CheckContext *cx, Diag *diag, FixKind kind, const LossCall *loss, const char *name)
{
    Stage stage;
    if (!edit_stage(cx, loss->span, &stage) || stage.call->kind != AST_CALL ||
        !str_eq(edit_text(cx, stage.name), loss->fn))
        return false;
    for (uint32_t i = 1; i < stage.call->n_kid; i++) {
        const Ast *arg = stage.call->kid[i];
        if (arg->text.n && !str_is(arg->text, "reduction") && !str_is(arg->text, "weight"))
            return false; /* an argument that only the old loss knows */
    }
    diag_fix(diag, kind, stage.name, "%s", name);
    return true;
}

bool edit_units(const CheckContext *cx, Diag *diag, FixKind kind, const LayerUse *use, uint32_t units)
{
    Stage stage;
    if (!edit_stage(cx, use->span, &stage) || stage.call->kind != AST_CALL)
        return false;
    for (uint32_t i = 1; i < stage.call->n_kid; i++) {
        const Ast *arg = stage.call->kid[i];
        if (arg->kind == AST_ARG && arg->kid[0] != stage.value && arg->kid[0]->kind == AST_NUMBER) {
            diag_fix(diag, kind, arg->kid[0]->span, "%u", units);
            return true;
        }
    }
    return false;
}

bool edit_initializer(const CheckContext *cx, Diag *diag, FixKind kind, const Tensor *tensor, const char *name)
{
    const Ast *node = is_library(cx, tensor->init_span) ? NULL : edit_find(cx, tensor->init_span);
    if (node && node->kind == AST_ARG)
        node = node->kid[0];
    const Ast *callee = node && node->kind == AST_CALL ? node->kid[0] : node;
    if (callee == NULL || callee->kind != AST_NAME || !str_eq(callee->text, tensor->init))
        return false;
    if (!has_edit(diag, node->span))
        diag_fix(diag, kind, node->span, "%s", name);
    return true;
}

bool edit_target_type(const CheckContext *cx, Diag *diag, FixKind kind, const Tensor *target, const char *type)
{
    for (uint32_t i = 0; i < cx->model->ast->n_kid; i++) {
        const Ast *statement = cx->model->ast->kid[i];
        if (statement->kind == AST_TARGET && str_eq(statement->text, target->name) && statement->n_kid > 0) {
            diag_fix(diag, kind, statement->kid[0]->span, "%s", type);
            return true;
        }
    }
    return false;
}
