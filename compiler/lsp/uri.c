#include "lsp/uri.h"

#include "base/vec.h"

#include <ctype.h>

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static Str decoded(Arena *arena, Str text)
{
    Text out = {.arena = arena};
    for (uint32_t i = 0; i < text.n; i++) {
        int high = text.p[i] == '%' && i + 2 < text.n ? hex(text.p[i + 1]) : -1;
        int low = high >= 0 ? hex(text.p[i + 2]) : -1;
        if (low < 0 || (high == 0 && low == 0)) {
            text_putc(&out, text.p[i]);
            continue;
        }
        text_putc(&out, (char)(high * 16 + low));
        i += 2;
    }
    return text_str(&out);
}

static Str normal(Arena *arena, Str path)
{
    VEC(Str) part = {0};
    for (uint32_t i = 0; i < path.n;) {
        uint32_t end = i;
        while (end < path.n && path.p[end] != '/')
            end++;
        Str one = {path.p + i, end - i};
        if (str_is(one, ".."))
            part.n -= part.n > 0;
        else if (one.n && !str_is(one, "."))
            *vec_push(arena, &part) = one;
        i = end + 1;
    }
    Text text = {.arena = arena};
    for (uint32_t i = 0; i < part.n; i++) {
        text_putc(&text, '/');
        text_add(&text, part.at[i]);
    }
    return part.n ? text_str(&text) : STR("/");
}

Str uri_path(Arena *arena, Str uri)
{
    if (!str_starts(uri, STR("file://")))
        return str_copy(arena, uri);
    uint32_t at = 7;
    while (at < uri.n && uri.p[at] != '/') /* the host: this one */
        at++;
    uint32_t end = at;
    while (end < uri.n && uri.p[end] != '?' && uri.p[end] != '#')
        end++;
    return normal(arena, decoded(arena, (Str){uri.p + at, end - at}));
}

Str uri_of_path(Arena *arena, Str path)
{
    Text out = {.arena = arena};
    if (path.n && path.p[0] != '/') /* what never was a path */
        return str_copy(arena, path);
    text_add(&out, STR("file://"));
    for (uint32_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        bool plain = isalnum(c) || c == '/' || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            text_putc(&out, (char)c);
        else
            text_printf(&out, "%%%02X", c);
    }
    return text_str(&out);
}
