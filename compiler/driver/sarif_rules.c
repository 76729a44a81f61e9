/* The rules of a SARIF document, from the records of the checker and the pages of hard errors. */
#include "driver/session.h"

#include "base/sarif.h"

static Str examples(Arena *arena, const Rule *rule, bool markdown)
{
    Text out = {.arena = arena};
    const char *fence = markdown ? "```act\n" : "", *end = markdown ? "```\n" : "";
    text_printf(&out, "%s\n\nWrong:\n\n%s%s%s\nRight:\n\n%s%s%s", rule->doc, fence, rule->wrong, end, fence,
                rule->right, end);
    text_printf(&out,
                "\nSilence it with `@allow(%s, reason = \"…\")` in front of a statement, or with `-A %s` for a "
                "run.\n",
                rule->name, rule->name);
    return text_str(&out);
}

static Str first_paragraph(Str doc)
{
    uint32_t end = 0;
    while (end < doc.n && !(doc.p[end] == '\n' && end + 1 < doc.n && doc.p[end + 1] == '\n'))
        end++;
    return (Str){doc.p, end};
}

static bool describe(Arena *arena, const char *code, SarifRule *out)
{
    const Rule *rule = check_find(str_of(code));
    if (rule) {
        *out = (SarifRule){.group = rule->group,
                           .summary = str_of(rule->summary),
                           .doc = first_paragraph(str_of(rule->doc)),
                           .help = examples(arena, rule, false),
                           .markdown = examples(arena, rule, true),
                           .level = rule->level};
        return true;
    }
    Str doc = str_of(check_hard_doc(str_of(code)));
    uint32_t end = 0;
    while (end < doc.n && !(doc.p[end] == '.' && (end + 1 == doc.n || doc.p[end + 1] == ' ')))
        end++;
    Str first = {doc.p, end < doc.n ? end + 1 : end};
    *out = (SarifRule){"language", first, doc, doc, doc, LEVEL_ERROR};
    return doc.n > 0;
}

void session_print_sarif(const Session *s)
{
    SarifTool tool = {
        .name = "actc", .version = ACT_VERSION, .uri = ACT_HOMEPAGE, .rule = describe, .failed = s->failed};
    Arena *arena = arena_new();
    Str text = sarif_document(arena, &s->diags, &s->style, &tool);
    fwrite(text.p, 1, text.n, s->out);
    arena_free(arena);
}
