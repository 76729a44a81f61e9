/* Workflow commands: what a build on GitHub shows beside the line in a pull request.
 *
 *     ::error file=m.act,line=4,col=12,endLine=4,endColumn=19,title=ACT201 double_softmax::message
 *
 * In a message %, CR and LF are escaped; in a property : and , are too. */
#include "base/diag_render.h"

static void github_escape(Text *out, Str s, bool property)
{
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
            text_printf(out, "%%%02X", (unsigned char)c);
        else
            text_putc(out, c);
    }
}

static void github_place(Text *out, const Source *source, Span span)
{
    Place begin = source_place(source, span.begin), end = source_place(source, span.end);
    text_add(out, STR("file="));
    github_escape(out, source->path, true);
    text_printf(out, ",line=%u", begin.line);
    if (begin.line == end.line) /* columns are refused when there are several lines */
        text_printf(out, ",col=%u,endLine=%u,endColumn=%u,", begin.column, end.line, end.column);
    else
        text_printf(out, ",endLine=%u,", end.line);
}

void diag_write_github(Text *out, const Diag *diag)
{
    const char *word = diag->level >= LEVEL_DENY ? "error" : diag->level == LEVEL_WARN ? "warning" : "notice";
    text_printf(out, "::%s ", word);
    const Source *source = source_get(diag->list->sources, diag->primary.span.source);
    if (source)
        github_place(out, source, diag->primary.span);
    text_printf(out, "title=%s %s::", diag->code, diag->name);
    github_escape(out, diag_whole_text(out->arena, diag), false);
    text_putc(out, '\n');
}
