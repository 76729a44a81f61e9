#include "lsp/position.h"

#include "base/utf8.h"

static uint32_t line_end_at(Str text, uint32_t i)
{
    if (text.p[i] == '\n')
        return 1;
    if (text.p[i] == '\r')
        return i + 1 < text.n && text.p[i + 1] == '\n' ? 2 : 1;
    return 0;
}

Lines lines_of(Arena *arena, Str text)
{
    Lines lines = {.text = text, .n = 1};
    for (uint32_t i = 0, end; i < text.n; i += end ? end : 1) {
        end = line_end_at(text, i);
        lines.n += end > 0;
    }
    lines.start = arena_array(arena, uint32_t, lines.n);
    uint32_t line = 1;
    for (uint32_t i = 0, end; i < text.n; i += end ? end : 1) {
        end = line_end_at(text, i);
        if (end)
            lines.start[line++] = i + end;
    }
    return lines;
}

/* Units of the code point; bytes that are no text are one character each, as they are sent (U+FFFD). */
static uint32_t units(Encoding encoding, uint32_t code, unsigned bytes, bool bad)
{
    switch (encoding) {
    case ENCODING_UTF8:
        return bad ? 3 : bytes;
    case ENCODING_UTF16:
        return code > 0xFFFF ? 2 : 1;
    case ENCODING_UTF32:
        break;
    }
    return 1;
}

static uint32_t step(const Lines *lines, Encoding encoding, uint32_t at, unsigned *bytes)
{
    uint32_t code;
    bool bad = false;
    *bytes = utf8_decode(lines->text.p + at, lines->text.n - at, &code, &bad);
    return units(encoding, code, *bytes, bad);
}

uint32_t position_offset(const Lines *lines, Encoding encoding, Position position)
{
    if (position.line >= lines->n)
        return lines->text.n;
    uint32_t at = lines->start[position.line], left = position.character;
    while (at < lines->text.n && left > 0 && !line_end_at(lines->text, at)) {
        unsigned bytes;
        uint32_t width = step(lines, encoding, at, &bytes);
        if (width > left)
            break;
        left -= width;
        at += bytes;
    }
    return at;
}

Position position_at(const Lines *lines, Encoding encoding, uint32_t offset)
{
    if (offset > lines->text.n)
        offset = lines->text.n;
    uint32_t low = 0, high = lines->n;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (lines->start[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    Position position = {low, 0};
    for (uint32_t at = lines->start[low]; at < offset && !line_end_at(lines->text, at);) {
        unsigned bytes;
        uint32_t width = step(lines, encoding, at, &bytes);
        if (at + bytes > offset)
            break;
        position.character += width;
        at += bytes;
    }
    return position;
}

bool position_read(const cJSON *json, Position *out)
{
    return json_count(json, "line", &out->line) && json_count(json, "character", &out->character);
}

cJSON *position_json(Position position)
{
    cJSON *json = cJSON_CreateObject();
    json_set_number(json, "line", position.line);
    json_set_number(json, "character", position.character);
    return json;
}

cJSON *range_json(const Lines *lines, Encoding encoding, uint32_t begin, uint32_t end)
{
    cJSON *json = cJSON_CreateObject();
    json_set(json, "start", position_json(position_at(lines, encoding, begin)));
    json_set(json, "end", position_json(position_at(lines, encoding, end)));
    return json;
}
