/* What the parser could not read, it left out; the names that such a statement gives are missing, and each of their
 * uses would be a mistake of its own. So are the parameters of a layer whose call is wrong. They are not: one mistake,
 * one message. */
#include "sema/sema.h"

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Does the text of a statement give `name`? `name = …`, `a, name = …`, `input name : …`, `model name {`, `… as name`.
 */
static bool gives(Str text, Str name)
{
    bool leading = true, labelled = false;
    for (uint32_t at = 0; at < text.n;) {
        Str word = {text.p + at, 0};
        while (at < text.n && in_word(text.p[at]))
            at++, word.n++;
        if (word.n) {
            if ((leading || labelled) && str_eq(word, name))
                return true;
            labelled = str_is(word, "as");
        } else {
            char c = text.p[at++];
            leading = leading && (c == ' ' || c == '\t' || c == ',');
            labelled = labelled && (c == ' ' || c == '\t');
        }
    }
    return false;
}

static bool around(Span outer, Span inner)
{
    return outer.source == inner.source && outer.begin <= inner.begin && inner.end <= outer.end;
}

/* Looks among the statements of `body`, and of the bodies around the use. */
static bool lost_in(const Sema *s, const Ast *body, Span use, Str name)
{
    for (uint32_t i = 0; i < body->n_kid; i++) {
        const Ast *kid = body->kid[i];
        if (!kid)
            continue;
        if (kid->kind == AST_ERROR) {
            Str text = source_get(s->program->sources, kid->span.source)->text;
            if (gives((Str){text.p + kid->span.begin, kid->span.end - kid->span.begin}, name))
                return true;
        } else if (around(kid->span, use) && lost_in(s, kid, use, name)) {
            return true;
        }
    }
    return false;
}

bool broken_gives(const Sema *s, Span use, Str name)
{
    uint32_t first = 0; /* of `last.weight`, `last` */
    while (first < name.n && name.p[first] != '.')
        first++;
    name.n = first;
    for (uint32_t i = 0; i < s->files.n; i++)
        if (s->files.at[i]->span.source == use.source && lost_in(s, s->files.at[i], use, name))
            return true;
    return false;
}

void broken_layer(Sema *s, Str path)
{
    if (path.n)
        map_set(&s->lost, path, s);
}

bool broken_parameter(const Sema *s, Str path)
{
    for (uint32_t n = 0; n < path.n; n++) /* of encoder.linear1.weight, encoder and encoder.linear1 */
        if (path.p[n] == '.' && map_has(&s->lost, (Str){path.p, n}))
            return true;
    return false;
}

bool broken_inside(const Sema *s, Span text)
{
    for (uint32_t i = 0; i < s->diags->list.n; i++)
        if (s->diags->list.at[i]->level == LEVEL_ERROR && around(text, s->diags->list.at[i]->primary.span))
            return true;
    return false;
}
