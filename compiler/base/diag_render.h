/* The ways a diagnostic is written; diag_render() picks one. Private to base. */
#ifndef ACT_BASE_DIAG_RENDER_H
#define ACT_BASE_DIAG_RENDER_H

#include "base/diag.h"

void diag_write_human(Text *out, const Diag *diag, const DiagStyle *style);
void diag_write_json(Text *out, const Diag *diag);
void diag_write_github(Text *out, const Diag *diag);
/* Message, notes and helps as lines, for readers that show one text. */
Str diag_whole_text(Arena *arena, const Diag *diag);
/* A JSON string with its quotes. */
void json_string(Text *out, Str s);
const char *diag_level_word(Level level); /* "error", "warning", "note" */

/* --- parts of the human form ------------------------------------------------------------------------------------- */

typedef enum Paint {
    PAINT_NONE,
    PAINT_ERROR,
    PAINT_WARN,
    PAINT_NOTE,
    PAINT_FRAME,
    PAINT_HELP,
    PAINT_ADD,
    PAINT_BOLD
} Paint;

typedef struct Canvas {
    Text *out;
    const Sources *sources;
    bool colour;
    unsigned columns; /* 0: not known */
    unsigned gutter;  /* digits of the largest line number shown */
    Paint accent;     /* of the carets */
} Canvas;

void canvas_paint(Canvas *canvas, Paint paint, Str text);
void canvas_gutter(Canvas *canvas, uint32_t line, const char *mark); /* "14 | " ; line 0 leaves the number out */
/* A source line for the terminal: tabs as 4 spaces, bytes that would disturb it replaced. */
Str canvas_line_text(Canvas *canvas, Str line);
/* The cell (from 0) at which byte `offset` of a line is drawn. */
unsigned canvas_cell(Str line, uint32_t offset);
/* The cells [skip, skip + width) of a line are shown when it is wider than the terminal, or, where the width is not
 * known, very long. "..." stands where something is left out. */
typedef struct View {
    unsigned skip, width; /* width 0: everything */
} View;
/* A view that shows the cells [first, end), with a third of the room before them. */
View canvas_view(const Canvas *canvas, Str line, unsigned first, unsigned end);
Str canvas_view_text(Canvas *canvas, Str line, View view); /* without spaces at the end */
/* The lines of one source with their marks, in `diag_snippet.c`. */
void canvas_snippet(Canvas *canvas, const Source *source, const Diag *diag);
/* The fix as lines taken away and lines added, in `diag_fix.c`. */
void canvas_fix(Canvas *canvas, const Diag *diag);
/* The largest line number that canvas_fix will print. */
uint32_t diag_fix_last_line(const Diag *diag);

#endif
