/* What places in the user's text came to, for editors: filled while the evaluator walks by, one entry for each place.
 */
#include "sema/sema.h"

enum { MAX_MARKS = 500 * 1000, FIRST_SLOTS = 1024 };

static uint32_t slot_of(const Sema *s, Span span)
{
    uint64_t hash = (span.source * UINT64_C(0x9E3779B97F4A7C15)) ^ (span.begin * UINT64_C(0xC2B2AE3D27D4EB4F)) ^
                    (span.end * UINT64_C(0x165667B19E3779F9));
    uint32_t at = (uint32_t)(hash >> 32) & (s->n_mark_slot - 1);
    while (s->mark_slot[at]) {
        Span other = s->program->marks.at[s->mark_slot[at] - 1].span;
        if (other.source == span.source && other.begin == span.begin && other.end == span.end)
            break;
        at = (at + 1) & (s->n_mark_slot - 1);
    }
    return at;
}

/* Room for one more: the table is a power of two and at most half full. */
static void make_room(Sema *s)
{
    if (s->program->marks.n * 2 < s->n_mark_slot)
        return;
    s->n_mark_slot = s->n_mark_slot ? s->n_mark_slot * 2 : FIRST_SLOTS;
    s->mark_slot = arena_array(s->arena, uint32_t, s->n_mark_slot);
    for (uint32_t i = 0; i < s->program->marks.n; i++)
        s->mark_slot[slot_of(s, s->program->marks.at[i].span)] = i + 1;
}

static bool in_user_text(const Sema *s, Span span)
{
    const Source *source = source_get(s->program->sources, span.source);
    return source && !source->library && span.begin < span.end;
}

void mark_value(Sema *s, Span span, Value v)
{
    if (!s->options || !s->options->marks || s->trial || v.kind == V_NONE || v.kind == V_SX || !in_user_text(s, span) ||
        s->program->marks.n >= MAX_MARKS)
        return;
    make_room(s);
    uint32_t at = slot_of(s, span);
    Mark mark = {.span = span};
    bool value = s->g && value_is_graph(v);
    if (value)
        mark.type = v.kind == V_NODE ? *graph_type(s->g, v.node) : s->g->tensors.at[v.tensor].type;
    if (s->mark_slot[at]) {
        Mark *old = &s->program->marks.at[s->mark_slot[at] - 1];
        old->varies = old->varies || (value && !type_equal(&old->type, &mark.type));
        return;
    }
    if (value && s->model && s->model->graph == s->g) { /* else a block on trial, whose graph does not last */
        mark.model = s->model;
        mark.node = v.kind == V_NODE ? v.node : 0;
        mark.tensor = v.kind == V_TENSOR ? v.tensor + 1 : 0;
    }
    if (v.kind != V_NODE)
        mark.text = str_copy(s->arena, value_describe(s, v));
    *vec_push(s->arena, &s->program->marks) = mark;
    s->mark_slot[at] = s->program->marks.n;
}

const Mark *mark_find(const Sema *s, Span span)
{
    uint32_t index = s->n_mark_slot ? s->mark_slot[slot_of(s, span)] : 0;
    return index ? &s->program->marks.at[index - 1] : NULL;
}
