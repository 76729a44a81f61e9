#include "base/diag_render.h"

#include "base/utf8.h"

/* A JSON string. Bytes that are no UTF-8 become U+FFFD: a reader must never choke on a broken source file. */
void json_string(Text *out, Str s)
{
    text_putc(out, '"');
    for (uint32_t i = 0; i < s.n;) {
        uint32_t code;
        char bytes[4];
        i += utf8_decode(s.p + i, s.n - i, &code, NULL);
        if (code == '"' || code == '\\')
            text_printf(out, "\\%c", (int)code);
        else if (code == '\n')
            text_add(out, STR("\\n"));
        else if (code == '\t')
            text_add(out, STR("\\t"));
        else if (code < 0x20 || code == 0x7F)
            text_printf(out, "\\u%04x", code);
        else
            text_add(out, (Str){bytes, utf8_encode(code, bytes)});
    }
    text_putc(out, '"');
}

Str diag_whole_text(Arena *arena, const Diag *diag)
{
    Text out = {.arena = arena};
    text_add(&out, diag->message);
    for (uint32_t i = 0; i < diag->notes.n; i++)
        text_printf(&out, "\nnote: " STR_FMT, STR_ARG(diag->notes.at[i]));
    for (uint32_t i = 0; i < diag->helps.n; i++)
        text_printf(&out, "\nhelp: " STR_FMT, STR_ARG(diag->helps.at[i]));
    return text_str(&out);
}

static void json_field(Text *out, const char *name, Str value)
{
    text_printf(out, "\"%s\":", name);
    json_string(out, value);
}

static void json_places(Text *out, const Source *source, Span span)
{
    Place begin = source_place(source, span.begin), end = source_place(source, span.end);
    text_printf(out, "\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", begin.line, begin.column, end.line,
                end.column);
}

static void json_span(Text *out, const Diag *diag, const DiagLabel *label, bool *first)
{
    const Source *source = source_get(diag->list->sources, label->span.source);
    if (!source)
        return;
    text_add(out, *first ? STR("{") : STR(",{"));
    *first = false;
    json_field(out, "file", source->path);
    text_putc(out, ',');
    json_places(out, source, label->span);
    text_printf(out, ",\"primary\":%s,", label == &diag->primary ? "true" : "false");
    json_field(out, "label", label->text);
    text_putc(out, '}');
}

static void json_fix(Text *out, const Diag *diag)
{
    text_printf(out, ",\"fix\":{\"applicability\":\"%s\",\"edits\":[", diag->fix == FIX_SAFE ? "safe" : "unsafe");
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        const DiagEdit *edit = &diag->edits.at[i];
        const Source *source = source_get(diag->list->sources, edit->span.source);
        if (!source)
            continue;
        text_add(out, i ? STR(",{") : STR("{"));
        if (edit->span.source != diag->primary.span.source) { /* elsewhere than the diagnostic: say where */
            json_field(out, "file", source->path);
            text_putc(out, ',');
        }
        json_places(out, source, edit->span);
        text_putc(out, ',');
        json_field(out, "text", edit->text);
        text_putc(out, '}');
    }
    text_add(out, STR("]}"));
}

void diag_write_json(Text *out, const Diag *diag)
{
    text_putc(out, '{');
    json_field(out, "code", str_of(diag->code));
    text_putc(out, ',');
    json_field(out, "name", str_of(diag->name));
    text_putc(out, ',');
    json_field(out, "level", str_of(diag_level_word(diag->level)));
    text_putc(out, ',');
    json_field(out, "message", diag->message);
    text_add(out, STR(",\"spans\":["));
    bool first = true;
    json_span(out, diag, &diag->primary, &first);
    for (uint32_t i = 0; i < diag->labels.n; i++)
        json_span(out, diag, &diag->labels.at[i], &first);
    text_add(out, STR("],\"notes\":["));
    for (uint32_t i = 0; i < diag->notes.n; i++) {
        if (i)
            text_putc(out, ',');
        json_string(out, diag->notes.at[i]);
    }
    text_add(out, STR("],"));
    Text help = {.arena = out->arena};
    for (uint32_t i = 0; i < diag->helps.n; i++) {
        if (i)
            text_putc(&help, '\n');
        text_add(&help, diag->helps.at[i]);
    }
    json_field(out, "help", text_str(&help));
    if (diag->fix != FIX_NONE && diag->edits.n)
        json_fix(out, diag);
    text_add(out, STR("}\n"));
}
