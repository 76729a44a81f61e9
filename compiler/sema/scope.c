/* Names of layers and their parameters: "block1.linear2.weight". */
#include "sema/sema.h"

Scope *scope_new(Sema *s, Scope *parent, Str path)
{
    Scope *scope = arena_new_of(s->arena, Scope);
    scope->path = path;
    scope->used.arena = scope->counter.arena = s->arena;
    scope->reuse = parent && parent->reuse;
    scope->frozen = parent && parent->frozen;
    return scope;
}

Str scope_path(Sema *s, const Scope *scope, Str name)
{
    if (!scope || scope->path.n == 0)
        return name;
    return str_printf(s->arena, STR_FMT "." STR_FMT, STR_ARG(scope->path), STR_ARG(name));
}

static void take(Sema *s, Scope *scope, Str name, Span span)
{
    map_set(&scope->used, str_copy(s->arena, name), arena_copy(s->arena, &span, sizeof span));
}

Str scope_name(Sema *s, Scope *scope, Str kind, Str label, Span label_span)
{
    if (label.n) {
        const Span *other = map_get(&scope->used, label);
        if (other) {
            Diag *diag = sema_error(s, CODE_duplicate_name, label_span, "the name `" STR_FMT "` is already taken here",
                                    STR_ARG(label));
            if (other->source)
                diag_label(diag, *other, "first used here");
        }
        take(s, scope, label, label_span);
        return scope_path(s, scope, label);
    }
    uint32_t *count = map_get(&scope->counter, kind);
    if (!count) {
        count = arena_new_of(s->arena, uint32_t);
        map_set(&scope->counter, kind, count);
    }
    Str name;
    do
        name = str_printf(s->arena, STR_FMT "%u", STR_ARG(kind), ++*count);
    while (map_has(&scope->used, name));
    take(s, scope, name, (Span){0});
    return scope_path(s, scope, name);
}
