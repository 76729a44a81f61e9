/* Shapes that do not fit, where the reason can be told: the two ways of a residual sum, and one wrong size of a
 * reshape. */
#include "sema/sema.h"

/* Is `id` computed from `from`? */
static bool comes_from(Sema *s, NodeId id, NodeId from)
{
    if (id <= from)
        return false;
    bool *reached = arena_array(s->arena, bool, id - from + 1);
    reached[0] = true;
    for (NodeId at = from + 1; at <= id; at++)
        for (uint32_t i = 0; i < graph_node(s->g, at)->n_in; i++) {
            NodeId in = graph_node(s->g, at)->in[i];
            reached[at - from] |= in >= from && reached[in - from];
        }
    return reached[id - from];
}

static bool same_but_last(const Type *a, const Type *b)
{
    bool same = a->rank == b->rank && a->rank > 0;
    for (uint32_t i = 0; same && i + 1 < a->rank; i++)
        same = a->dim[i] == b->dim[i];
    return same;
}

bool residual_mismatch(Sema *s, const Operands *o, Sx sum, Span span)
{
    const SxNode *top = sx_node(s->sx, sum);
    unsigned index;
    if (o->n != 2 || top->op != SX_ADD || !sx_is_arg(s->sx, top->in[0], &index) ||
        !sx_is_arg(s->sx, top->in[1], &index))
        return false;
    uint32_t skip = comes_from(s, o->node[1], o->node[0]) ? 0 : 1;
    if (skip == 1 && !comes_from(s, o->node[0], o->node[1]))
        return false;
    const Type *before = graph_type(s->g, o->node[skip]), *behind = graph_type(s->g, o->node[1 - skip]);
    if (!before->batch || !behind->batch)
        return false;
    Str shape = sema_shape(s, o->node[skip]), other = sema_shape(s, o->node[1 - skip]);
    bool widths = same_but_last(before, behind);
    uint64_t in = type_last(before), out = type_last(behind);
    Diag *diag = widths ? sema_error(s, CODE_residual_shape, span,
                                     "the skip has %llu features, and the branch comes back with %llu",
                                     (unsigned long long)in, (unsigned long long)out)
                        : sema_error(s, CODE_residual_shape, span,
                                     "the skip has shape " STR_FMT ", and the branch comes back with " STR_FMT,
                                     STR_ARG(shape), STR_ARG(other));
    diag_label(diag, sema_place(s, o->span[skip]), "the skip: " STR_FMT, STR_ARG(shape));
    diag_label(diag, sema_place(s, o->span[1 - skip]), "the branch: " STR_FMT, STR_ARG(other));
    diag_note(diag, "a sum has one number for each number of both sides");
    if (!widths) {
        diag_help(diag, "let the branch keep the shape " STR_FMT ", or bring the skip to " STR_FMT " as well",
                  STR_ARG(shape), STR_ARG(other));
        return true;
    }
    diag_help(diag,
              "project the skip, `|> linear(%llu)`, or end the branch in a layer of %llu features, "
              "`linear(x.features)` in a block of `x`",
              (unsigned long long)out, (unsigned long long)in);
    if (s->outer.source) /* in a block, whose other uses may fit */
        return true;
    Span at = o->span[skip];
    diag_fix(diag, FIX_UNSAFE, (Span){at.source, at.begin, at.begin}, "(");
    diag_fix(diag, FIX_UNSAFE, (Span){at.source, at.end, at.end}, " |> linear(%llu))", (unsigned long long)out);
    return true;
}

void reshape_fix(Sema *s, const LayerCall *call, const Ast *ast)
{
    uint64_t have = type_elements(graph_type(call->g, call->value[0].value));
    uint32_t last = call->diags->list.n;
    Diag *diag = last ? call->diags->list.at[last - 1] : NULL;
    if (diag == NULL || !str_is(str_of(diag->code), "ACT103") || ast == NULL || ast->kind != AST_CALL)
        return;
    const Ast *found = NULL;
    uint64_t size = 0;
    for (uint32_t i = 1; i < ast->n_kid; i++) {
        uint64_t others = 1;
        const Ast *own = ast->kid[i]->kind == AST_ARG ? ast->kid[i]->kid[0] : NULL;
        if (!own || own->kind != AST_NUMBER)
            continue;
        for (uint32_t k = 1; k < ast->n_kid; k++) {
            const Ast *other = ast->kid[k]->kind == AST_ARG ? ast->kid[k]->kid[0] : NULL;
            if (k == i)
                continue;
            bool whole = other && other->kind == AST_NUMBER && other->number >= 1 && other->number <= (double)have;
            if (!whole)
                return; /* the value itself, a list, a computed size, -1 */
            others *= (uint64_t)other->number;
            if (others > have)
                break;
        }
        if (others > have || have % others != 0)
            continue;
        if (found)
            return; /* either could be meant */
        found = own;
        size = have / others;
    }
    Span place = found ? sema_place(s, found->span) : (Span){0};
    if (!found || place.begin != found->span.begin || place.source != found->span.source)
        return;
    diag_fix(diag, FIX_SAFE, found->span, "%llu", (unsigned long long)size);
}
