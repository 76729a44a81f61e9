/* The source lines of a diagnostic with carets under the primary span, dashes under the others, and their texts. */
#include "base/diag_render.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* What one span marks on one line. */
typedef struct Mark {
    unsigned begin, end; /* cells; at least one wide */
    bool primary;
    Str text; /* empty: only the underline */
    uint32_t line, rank;
} Mark;

typedef VEC(Mark) Marks;

/* Lines of a span that are drawn: all of a short one, the ends of a long one. */
enum { SPAN_WHOLE = 4 };

static void marks_add(Arena *arena, Marks *marks, const Source *source, const DiagLabel *label, bool primary)
{
    Span span = label->span;
    if (span.source != source->id)
        return;
    uint32_t first = source_place(source, span.begin).line;
    uint32_t last = source_place(source, span.end > span.begin ? span.end - 1 : span.begin).line;
    for (uint32_t line = first; line <= last; line++) {
        if (last - first >= SPAN_WHOLE && line > first && line < last)
            continue;
        Str text = source_line(source, line);
        uint32_t start = source->line[line - 1];
        uint32_t begin = line == first ? span.begin - start : 0, end = line == last ? span.end - start : text.n;
        while (line != first && begin < text.n && (text.p[begin] == ' ' || text.p[begin] == '\t'))
            begin++;
        if (begin >= text.n && line != first && line != last)
            continue; /* an empty line in the middle carries no mark */
        Mark mark = {.primary = primary, .line = line, .rank = marks->n};
        mark.begin = canvas_cell(text, begin);
        mark.end = canvas_cell(text, end < text.n ? end : text.n);
        if (mark.end <= mark.begin)
            mark.end = mark.begin + 1;
        mark.text = line == last ? label->text : STR("");
        *vec_push(arena, marks) = mark;
    }
}

/* By line, then from right to left: the order in which their texts are written. */
static int mark_compare(const void *left, const void *right)
{
    const Mark *a = left, *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->begin != b->begin)
        return a->begin > b->begin ? -1 : 1;
    return a->rank > b->rank ? -1 : 1;
}

static View view_of(const Canvas *canvas, Str line, const Mark *mark, uint32_t n)
{
    unsigned first = mark[n - 1].begin, end = mark[0].end;
    for (uint32_t i = 0; i < n; i++)
        if (mark[i].primary) {
            first = mark[i].begin;
            end = mark[i].end;
        }
    return canvas_view(canvas, line, first, end);
}

static void canvas_source_line(Canvas *canvas, const Source *source, uint32_t number, View view)
{
    canvas_gutter(canvas, number, "|");
    Str shown = canvas_view_text(canvas, source_line(source, number), view);
    if (shown.n)
        text_putc(canvas->out, ' ');
    text_add(canvas->out, shown);
    text_putc(canvas->out, '\n');
}

/* A line of marks under construction: a character and a colour for each cell. */
typedef struct Row {
    Canvas *canvas;
    char *cell;
    unsigned char *paint;
    unsigned n;
} Row;

static void row_clear(Row *row)
{
    memset(row->cell, ' ', row->n);
    memset(row->paint, PAINT_NONE, row->n);
}

static void row_put(Row *row, unsigned at, char c, Paint paint)
{
    if (at < row->n) {
        row->cell[at] = c;
        row->paint[at] = (unsigned char)paint;
    }
}

/* Cells up to `end`, then a text. */
static void row_write(Row *row, unsigned end, Str text, Paint paint)
{
    canvas_gutter(row->canvas, 0, "| ");
    if (!text.n)
        while (end > 0 && row->cell[end - 1] == ' ')
            end--;
    for (unsigned i = 0; i < end;) {
        unsigned next = i;
        while (next < end && row->paint[next] == row->paint[i])
            next++;
        canvas_paint(row->canvas, (Paint)row->paint[i], (Str){row->cell + i, next - i});
        i = next;
    }
    canvas_paint(row->canvas, paint, text);
    text_putc(row->canvas->out, '\n');
}

static Paint mark_paint(const Canvas *canvas, const Mark *mark)
{
    return mark->primary ? canvas->accent : PAINT_FRAME;
}

static void row_bars(Row *row, const Mark *mark, uint32_t from, uint32_t n)
{
    row_clear(row);
    for (uint32_t i = n; i > from; i--)
        if (mark[i - 1].text.n)
            row_put(row, mark[i - 1].begin, '|', mark_paint(row->canvas, &mark[i - 1]));
}

/* The marks of one line, which come from right to left. */
static void canvas_marks(Canvas *canvas, Mark *mark, uint32_t n, View view)
{
    unsigned end = 0;
    for (uint32_t i = 0; i < n; i++) {
        unsigned over = view.width ? view.skip + view.width : UINT32_MAX;
        mark[i].begin = (mark[i].begin < over ? mark[i].begin : over - 1);
        mark[i].end = mark[i].end < over ? mark[i].end : over;
        mark[i].begin = mark[i].begin > view.skip ? mark[i].begin - view.skip : 0;
        mark[i].end = mark[i].end > view.skip + mark[i].begin ? mark[i].end - view.skip : mark[i].begin + 1;
        end = mark[i].end > end ? mark[i].end : end;
    }
    Arena *arena = canvas->out->arena;
    Row row = {canvas, arena_alloc(arena, end), arena_alloc(arena, end), end};
    row_clear(&row);
    for (int primary = 0; primary <= 1; primary++) /* carets win where spans overlap */
        for (uint32_t i = 0; i < n; i++)
            for (unsigned c = mark[i].begin; mark[i].primary == primary && c < mark[i].end; c++)
                row_put(&row, c, primary ? '^' : '-', mark_paint(canvas, &mark[i]));

    /* The rightmost text stands beside its underline when nothing reaches further right; the others hang below. */
    uint32_t i = 0;
    Str beside = STR("");
    Paint paint = PAINT_NONE;
    if (mark[0].end == end && mark[0].text.n) {
        beside = str_printf(arena, " " STR_FMT, STR_ARG(mark[0].text));
        paint = mark_paint(canvas, &mark[0]);
        i = 1;
    }
    row_write(&row, end, beside, paint);
    bool bars = true;
    for (; i < n; i++) {
        if (!mark[i].text.n)
            continue;
        if (bars) {
            row_bars(&row, mark, i, n);
            row_write(&row, end, STR(""), PAINT_NONE);
            bars = false;
        }
        row_bars(&row, mark, i + 1, n);
        row_write(&row, mark[i].begin, mark[i].text, mark_paint(canvas, &mark[i]));
    }
}

void canvas_snippet(Canvas *canvas, const Source *source, const Diag *diag)
{
    Marks marks = {0};
    Arena *arena = canvas->out->arena;
    marks_add(arena, &marks, source, &diag->primary, true);
    for (uint32_t i = 0; i < diag->labels.n; i++)
        marks_add(arena, &marks, source, &diag->labels.at[i], false);
    if (marks.n)
        qsort(marks.at, marks.n, sizeof *marks.at, mark_compare);
    canvas_gutter(canvas, 0, "|");
    text_putc(canvas->out, '\n');
    uint32_t shown = 0;
    for (uint32_t i = 0; i < marks.n;) {
        uint32_t line = marks.at[i].line, next = i;
        while (next < marks.n && marks.at[next].line == line)
            next++;
        if (shown && line == shown + 2) {
            View between = canvas_view(canvas, source_line(source, shown + 1), 0, 0);
            canvas_source_line(canvas, source, shown + 1, between);
        } else if (shown && line > shown + 2) {
            canvas_paint(canvas, PAINT_FRAME, STR("..."));
            text_putc(canvas->out, '\n');
        }
        View view = view_of(canvas, source_line(source, line), &marks.at[i], next - i);
        canvas_source_line(canvas, source, line, view);
        canvas_marks(canvas, &marks.at[i], next - i, view);
        shown = line;
        i = next;
    }
}
