#include "base/diag_render.h"

#include "base/utf8.h"

#include <string.h>

const char *diag_level_word(Level level)
{
    return level >= LEVEL_DENY ? "error" : level == LEVEL_WARN ? "warning" : "note";
}

void canvas_paint(Canvas *canvas, Paint paint, Str text)
{
    static const char *const escape[] = {
        [PAINT_NONE] = "",           [PAINT_ERROR] = "\033[1;31m", [PAINT_WARN] = "\033[1;33m",
        [PAINT_NOTE] = "\033[1;36m", [PAINT_FRAME] = "\033[1;34m", [PAINT_HELP] = "\033[1;36m",
        [PAINT_ADD] = "\033[32m",    [PAINT_BOLD] = "\033[1m",
    };
    if (!canvas->colour || paint == PAINT_NONE || !text.n) {
        text_add(canvas->out, text);
        return;
    }
    text_add(canvas->out, str_of(escape[paint]));
    text_add(canvas->out, text);
    text_add(canvas->out, STR("\033[0m"));
}

void canvas_gutter(Canvas *canvas, uint32_t line, const char *mark)
{
    Arena *arena = canvas->out->arena;
    int width = (int)canvas->gutter;
    Str text = line ? str_printf(arena, "%*u %s", width, line, mark) : str_printf(arena, "%*s %s", width, "", mark);
    canvas_paint(canvas, PAINT_FRAME, text);
}

Str canvas_line_text(Canvas *canvas, Str line)
{
    Text text = {.arena = canvas->out->arena};
    for (uint32_t i = 0; i < line.n;) {
        uint32_t code;
        unsigned n = utf8_decode(line.p + i, line.n - i, &code, NULL);
        char bytes[4];
        if (code == '\t')
            text_add(&text, STR("    "));
        else if (code < 0x20 || code == 0x7F || (code >= 0x80 && code < 0xA0) || (code >= 0x202A && code <= 0x202E))
            text_add(&text, (Str){bytes, utf8_encode(UTF8_BAD, bytes)});
        else
            text_add(&text, (Str){bytes, utf8_encode(code, bytes)});
        i += n;
    }
    return text_str(&text);
}

unsigned canvas_cell(Str line, uint32_t offset)
{
    unsigned cell = 0;
    for (uint32_t i = 0; i < line.n && i < offset;) {
        uint32_t code;
        i += utf8_decode(line.p + i, line.n - i, &code, NULL);
        cell += code == '\t' ? 4 : utf8_cells(code);
    }
    return cell;
}

static uint32_t span_last_line(const Source *source, Span span)
{
    uint32_t last = span.end > span.begin ? span.end - 1 : span.begin;
    return source_place(source, last).line;
}

static unsigned decimal_digits(uint32_t value)
{
    unsigned n = 1;
    for (; value >= 10; value /= 10)
        n++;
    return n;
}

static unsigned diag_gutter(const Sources *sources, const Diag *diag)
{
    uint32_t last = diag_fix_last_line(diag);
    for (uint32_t i = 0; i <= diag->labels.n; i++) {
        Span span = i ? diag->labels.at[i - 1].span : diag->primary.span;
        const Source *source = source_get(sources, span.source);
        uint32_t line = source ? span_last_line(source, span) : 0;
        if (line > last)
            last = line;
    }
    return decimal_digits(last);
}

/* " --> file:L:C" for the source of the primary span, " ::: file:L:C" for the others. */
static void canvas_place(Canvas *canvas, const Source *source, Span span, const char *arrow)
{
    Place place = source_place(source, span.begin);
    canvas_paint(canvas, PAINT_FRAME, str_printf(canvas->out->arena, "%*s%s ", (int)canvas->gutter, "", arrow));
    text_printf(canvas->out, STR_FMT ":%u:%u\n", STR_ARG(source->path), place.line, place.column);
}

/* A note or help may have several lines; the later ones stand under the first one's text. */
static void canvas_remark(Canvas *canvas, Str lead, Paint paint, Str text)
{
    canvas_paint(canvas, paint, lead);
    unsigned indent = canvas->gutter + 3 + lead.n;
    for (uint32_t i = 0; i < text.n; i++) {
        text_putc(canvas->out, text.p[i]);
        if (text.p[i] == '\n')
            text_printf(canvas->out, "%*s", (int)indent, "");
    }
    text_putc(canvas->out, '\n');
}

static void canvas_sources(Canvas *canvas, const Diag *diag)
{
    const Source *first = source_get(canvas->sources, diag->primary.span.source);
    if (first) {
        canvas_place(canvas, first, diag->primary.span, "-->");
        canvas_snippet(canvas, first, diag);
    }
    for (uint32_t i = 0; i < diag->labels.n; i++) {
        Span span = diag->labels.at[i].span;
        const Source *source = source_get(canvas->sources, span.source);
        bool drawn = source == first;
        for (uint32_t k = 0; k < i; k++)
            drawn = drawn || diag->labels.at[k].span.source == span.source;
        if (!source || drawn)
            continue;
        canvas_place(canvas, source, span, first ? ":::" : "-->");
        canvas_snippet(canvas, source, diag);
    }
}

void diag_write_human(Text *out, const Diag *diag, const DiagStyle *style)
{
    Canvas canvas = {
        .out = out, .sources = diag->list->sources, .colour = style->colour, .columns = style->columns};
    canvas.accent = diag->level >= LEVEL_DENY ? PAINT_ERROR : diag->level == LEVEL_WARN ? PAINT_WARN : PAINT_NOTE;
    canvas.gutter = diag_gutter(canvas.sources, diag);

    canvas_paint(&canvas, canvas.accent, str_printf(out->arena, "%s[%s]", diag_level_word(diag->level), diag->code));
    canvas_paint(&canvas, PAINT_BOLD, str_printf(out->arena, ": " STR_FMT, STR_ARG(diag->message)));
    text_putc(out, '\n');
    canvas_sources(&canvas, diag);
    bool place = source_get(canvas.sources, diag->primary.span.source) != NULL;
    if (place && diag->notes.n) {
        canvas_gutter(&canvas, 0, "|");
        text_putc(out, '\n');
    }
    for (uint32_t i = 0; i < diag->notes.n; i++) {
        canvas_gutter(&canvas, 0, "= ");
        canvas_remark(&canvas, STR("note: "), PAINT_BOLD, diag->notes.at[i]);
    }
    unsigned gutter = canvas.gutter;
    for (uint32_t i = 0; i < diag->helps.n; i++) {
        canvas.gutter = 0;
        canvas_remark(&canvas, STR("help: "), PAINT_HELP, diag->helps.at[i]);
        canvas.gutter = gutter;
        if (i == 0)
            canvas_fix(&canvas, diag);
    }
    if (!diag->helps.n && diag->edits.n) {
        canvas.gutter = 0;
        canvas_remark(&canvas, STR("help: "), PAINT_HELP, STR("change it to"));
        canvas.gutter = gutter;
        canvas_fix(&canvas, diag);
    }
}

static void diag_write_short(Text *out, const Diag *diag)
{
    const Source *source = source_get(diag->list->sources, diag->primary.span.source);
    if (source) {
        Place place = source_place(source, diag->primary.span.begin);
        text_printf(out, STR_FMT ":%u:%u: ", STR_ARG(source->path), place.line, place.column);
    }
    text_printf(out, "%s[%s]: " STR_FMT "\n", diag_level_word(diag->level), diag->code, STR_ARG(diag->message));
}

Str diag_render(Arena *arena, const Diag *diag, const DiagStyle *style)
{
    Text out = {.arena = arena};
    switch (style->format) {
    case DIAG_HUMAN:
        diag_write_human(&out, diag, style);
        break;
    case DIAG_SHORT:
        diag_write_short(&out, diag);
        break;
    case DIAG_JSON:
        diag_write_json(&out, diag);
        break;
    case DIAG_GITHUB:
        diag_write_github(&out, diag);
        break;
    case DIAG_SARIF:
        break;
    }
    return text_str(&out);
}
