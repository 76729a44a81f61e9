/* A fix as a reader of patches expects it: the lines that go, the lines that come. */
#include "base/diag_render.h"

#include <stdlib.h>

typedef struct Edit {
    Span span;
    Str text;
    uint32_t rank, first, last; /* lines it touches */
} Edit;

static int edit_compare(const void *left, const void *right)
{
    const Edit *a = left, *b = right;
    if (a->span.source != b->span.source)
        return a->span.source < b->span.source ? -1 : 1;
    if (a->span.begin != b->span.begin)
        return a->span.begin < b->span.begin ? -1 : 1;
    return a->rank < b->rank ? -1 : 1;
}

static uint32_t count_lines(Str text)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static Str nth_line(Str text, uint32_t n)
{
    uint32_t begin = 0;
    for (; n > 0; begin++)
        n -= text.p[begin] == '\n';
    uint32_t end = begin;
    while (end < text.n && text.p[end] != '\n')
        end++;
    Str line = {text.p + begin, end - begin};
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
        line.n--; /* what cannot be seen is not shown as a change */
    return line;
}

/* A line that goes or comes; where it is too long, what is shown is where it differs from its counterpart. */
static void canvas_change(Canvas *canvas, uint32_t number, Str mark, Paint paint, Str line, Str other)
{
    uint32_t same = 0, tail = 0, least = line.n < other.n ? line.n : other.n;
    while (same < least && line.p[same] == other.p[same])
        same++;
    while (tail < least - same && line.p[line.n - 1 - tail] == other.p[other.n - 1 - tail])
        tail++;
    View view = canvas_view(canvas, line, canvas_cell(line, same), canvas_cell(line, line.n - tail));
    canvas_gutter(canvas, number, "");
    canvas_paint(canvas, paint, mark);
    text_add(canvas->out, canvas_view_text(canvas, line, view));
    text_putc(canvas->out, '\n');
}

/* Edits [0, n) lie in lines that touch each other: those lines before, and after. */
static void canvas_hunk(Canvas *canvas, const Source *source, const Edit *edit, uint32_t n)
{
    uint32_t first = edit[0].first, last = first;
    for (uint32_t i = 0; i < n; i++)
        last = edit[i].last > last ? edit[i].last : last;
    uint32_t begin = source->line[first - 1];
    uint32_t end = last < source->n_line ? source->line[last] - 1 : source->text.n;
    Str before = {source->text.p + begin, end - begin};
    Text after = {.arena = canvas->out->arena};
    for (uint32_t i = 0, at = begin;; i++) {
        uint32_t stop = i < n ? edit[i].span.begin : end;
        if (stop > at)
            text_add(&after, (Str){source->text.p + at, stop - at});
        if (i == n)
            break;
        text_add(&after, edit[i].text);
        at = edit[i].span.end;
    }
    Str now = text_str(&after);
    uint32_t old_n = count_lines(before), new_n = count_lines(now), same = 0, tail = 0;
    uint32_t least = old_n < new_n ? old_n : new_n;
    while (same < least && str_eq(nth_line(before, same), nth_line(now, same)))
        same++;
    while (tail < least - same && str_eq(nth_line(before, old_n - 1 - tail), nth_line(now, new_n - 1 - tail)))
        tail++;
    for (uint32_t i = same; i + tail < old_n; i++)
        canvas_change(canvas, first + i, STR("- "), PAINT_ERROR, nth_line(before, i),
                      i + tail < new_n ? nth_line(now, i) : STR(""));
    for (uint32_t i = same; i + tail < new_n; i++)
        canvas_change(canvas, first + i, STR("+ "), PAINT_ADD, nth_line(now, i),
                      i + tail < old_n ? nth_line(before, i) : STR(""));
}

void canvas_fix(Canvas *canvas, const Diag *diag)
{
    if (!diag->edits.n)
        return;
    Edit *edit = arena_array(canvas->out->arena, Edit, diag->edits.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        Span span = diag->edits.at[i].span;
        const Source *source = source_get(canvas->sources, span.source);
        if (source && span.begin <= span.end && span.end <= source->text.n)
            edit[n++] = (Edit){span, diag->edits.at[i].text, i, source_place(source, span.begin).line,
                               source_place(source, span.end).line};
    }
    if (!n)
        return;
    qsort(edit, n, sizeof *edit, edit_compare);
    canvas_gutter(canvas, 0, "|");
    text_putc(canvas->out, '\n');
    for (uint32_t i = 0, next; i < n; i = next) {
        const Source *source = source_get(canvas->sources, edit[i].span.source);
        if (i && edit[i].span.source != edit[i - 1].span.source)
            text_printf(canvas->out, "%*s::: " STR_FMT "\n", (int)canvas->gutter, "", STR_ARG(source->path));
        else if (i)
            canvas_paint(canvas, PAINT_FRAME, STR("...\n"));
        uint32_t last = edit[i].last;
        for (next = i + 1; next < n && edit[next].span.source == source->id && edit[next].first <= last; next++)
            last = edit[next].last > last ? edit[next].last : last;
        canvas_hunk(canvas, source, edit + i, next - i);
    }
}

uint32_t diag_fix_last_line(const Diag *diag)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        const DiagEdit *edit = &diag->edits.at[i];
        const Source *source = source_get(diag->list->sources, edit->span.source);
        uint32_t line = source ? source_place(source, edit->span.end).line + count_lines(edit->text) - 1 : 0;
        last = line > last ? line : last;
    }
    return last;
}
