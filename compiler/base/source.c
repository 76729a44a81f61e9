#include "base/source.h"

#include "base/file.h"
#include "base/utf8.h"

#include <string.h>

static void source_index_lines(Arena *arena, Source *source)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < source->text.n; i++)
        n += source->text.p[i] == '\n';
    source->line = arena_array(arena, uint32_t, n);
    source->n_line = 1;
    for (uint32_t i = 0; i < source->text.n; i++)
        if (source->text.p[i] == '\n')
            source->line[source->n_line++] = i + 1;
}

Source *source_add(Sources *sources, Str path, Str text, bool library)
{
    Source *source = arena_new_of(sources->arena, Source);
    source->path = str_copy(sources->arena, path);
    source->text = str_copy(sources->arena, text);
    source->library = library;
    source->id = sources->list.n + 1;
    source_index_lines(sources->arena, source);
    *vec_push(sources->arena, &sources->list) = source;
    return source;
}

Source *source_read(Sources *sources, Str path, Str *why)
{
    Str text;
    if (!file_read(sources->arena, path, &text, why))
        return NULL;
    return source_add(sources, str_is(path, "-") ? STR("<stdin>") : path, text, false);
}

Source *source_get(const Sources *sources, uint32_t id)
{
    return id && id <= sources->list.n ? sources->list.at[id - 1] : NULL;
}

/* The line (from 0) that holds byte `offset`. */
static uint32_t source_find_line(const Source *source, uint32_t offset)
{
    uint32_t low = 0, high = source->n_line;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

Place source_place(const Source *source, uint32_t offset)
{
    if (offset > source->text.n)
        offset = source->text.n;
    uint32_t line = source_find_line(source, offset);
    Place place = {line + 1, 1};
    for (uint32_t i = source->line[line]; i < offset; place.column++) {
        uint32_t code;
        i += utf8_decode(source->text.p + i, source->text.n - i, &code, NULL);
    }
    return place;
}

Str source_line(const Source *source, uint32_t line)
{
    if (line < 1 || line > source->n_line)
        return STR("");
    uint32_t begin = source->line[line - 1];
    uint32_t end = line < source->n_line ? source->line[line] - 1 : source->text.n;
    if (line < source->n_line && end > begin && source->text.p[end - 1] == '\r')
        end--;
    return (Str){source->text.p + begin, end - begin};
}

Str source_slice(const Sources *sources, Span span)
{
    const Source *source = source_get(sources, span.source);
    if (!source || span.begin > span.end || span.end > source->text.n)
        return STR("");
    return (Str){source->text.p + span.begin, span.end - span.begin};
}

Span span_join(Span a, Span b)
{
    if (!a.source)
        return b;
    if (!b.source || b.source != a.source)
        return a;
    if (b.begin < a.begin)
        a.begin = b.begin;
    if (b.end > a.end)
        a.end = b.end;
    return a;
}
