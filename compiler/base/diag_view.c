/* Long lines are cut around what matters in them. */
#include "base/diag_render.h"

#include "base/utf8.h"

enum {
    VERY_LONG = 240, /* cells: nobody wrote such a line by hand */
    ROOM = 120,      /* of a very long line when the width of the terminal is not known */
    LEAST = 20,      /* cells a view has at least, however narrow the terminal */
    DOTS = 3
};

View canvas_view(const Canvas *canvas, Str line, unsigned first, unsigned end)
{
    unsigned frame = canvas->gutter + 3, cells = canvas_cell(line, line.n);
    unsigned room = canvas->columns ? canvas->columns > frame + LEAST ? canvas->columns - frame : LEAST : ROOM;
    if (cells <= (canvas->columns ? room : VERY_LONG))
        return (View){0, 0};
    View view = {0, room};
    if (end + DOTS > room) {
        unsigned before = end - first < room / 2 ? room / 3 : DOTS;
        view.skip = first > before ? first - before : 0;
    }
    return view;
}

/* The bytes of `text` whose cells lie in [from, to). A wide character on an edge is left out. */
static Str cells_between(Str text, unsigned from, unsigned to)
{
    unsigned cell = 0;
    uint32_t begin = text.n, i = 0;
    while (i < text.n) {
        uint32_t code;
        uint32_t next = i + utf8_decode(text.p + i, text.n - i, &code, NULL);
        unsigned wide = utf8_cells(code);
        if (cell >= from && begin == text.n)
            begin = i;
        if (cell + wide > to)
            break;
        cell += wide;
        i = next;
    }
    return begin < i ? (Str){text.p + begin, i - begin} : STR("");
}

Str canvas_view_text(Canvas *canvas, Str line, View view)
{
    Arena *arena = canvas->out->arena;
    Str text = canvas_line_text(canvas, line);
    if (view.width) {
        unsigned cells = canvas_cell(line, line.n), end = view.skip + view.width;
        bool left = view.skip > 0, right = cells > end;
        unsigned from = view.skip + (left ? DOTS : 0), to = right ? end - DOTS : end;
        Str middle = cells_between(text, from, to);
        unsigned gap = 0; /* half of a wide character */
        for (Str head = cells_between(text, 0, from); left && canvas_cell(head, head.n) + gap < from;)
            gap++;
        text = str_printf(arena, "%s%*s" STR_FMT "%s", left ? "..." : "", (int)gap, "", STR_ARG(middle),
                          right ? "..." : "");
    }
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    return text;
}
