/* actc explain NAME, actc list rules. */
#include "check/explain.h"

#include "ops/registry.h"

#include <string.h>

void explain_code(Text *out, Str code)
{
    uint32_t at = 0;
    while (at < code.n) {
        uint32_t end = at;
        while (end < code.n && code.p[end] != '\n')
            end++;
        if (end > at)
            text_printf(out, "    ");
        text_add(out, (Str){code.p + at, end - at});
        text_putc(out, '\n');
        at = end + 1;
    }
}

static uint32_t width(Str word)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < word.n; i++)
        n += ((unsigned char)word.p[i] & 0xC0) != 0x80; /* code points */
    return n;
}

static void paragraph(Text *out, Str text, unsigned indent)
{
    unsigned column = 0;
    for (uint32_t at = 0; at < text.n;) {
        while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\n'))
            at++;
        uint32_t end = at;
        while (end < text.n && text.p[end] != ' ' && text.p[end] != '\n')
            end++;
        Str word = {text.p + at, end - at};
        if (word.n == 0)
            break;
        if (column > 0 && column + 1 + width(word) > 88) {
            text_putc(out, '\n');
            column = 0;
        }
        text_printf(out, "%*s", column ? 1 : (int)indent, "");
        text_add(out, word);
        column += (column ? 1 : indent) + width(word);
        at = end;
    }
    text_putc(out, '\n');
}

void explain_paragraphs(Text *out, Str doc, unsigned indent)
{
    for (uint32_t at = 0; at < doc.n;) {
        uint32_t end = at;
        while (end < doc.n && !(doc.p[end] == '\n' && end + 1 < doc.n && doc.p[end + 1] == '\n'))
            end++;
        if (at > 0)
            text_putc(out, '\n');
        paragraph(out, (Str){doc.p + at, end - at}, indent);
        at = end;
        while (at < doc.n && doc.p[at] == '\n')
            at++;
    }
}

static const char *level_word(Level level)
{
    return level == LEVEL_DENY ? "error" : level == LEVEL_WARN ? "warning" : level == LEVEL_NOTE ? "note" : "allowed";
}

void explain_rule(const Rule *rule, Text *out)
{
    text_printf(out, "%s %s (%s, group %s)\n%s\n\n", rule->code, rule->name, level_word(rule->level), rule->group,
                rule->summary);
    explain_paragraphs(out, str_of(rule->doc), 0);
    text_printf(out, "\nWrong:\n\n");
    explain_code(out, str_of(rule->wrong));
    text_printf(out, "\nRight:\n\n");
    explain_code(out, str_of(rule->right));
    text_putc(out, '\n');
    Str way_out = str_printf(out->arena,
                             "Silence it with `@allow(%s, reason = \"…\")` in front of a statement, or with `-A %s` "
                             "for a run.",
                             rule->name, rule->name);
    explain_paragraphs(out, way_out, 0);
}

void check_list(Text *out, bool json)
{
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        if (json)
            text_printf(out, "{\"code\":\"%s\",\"name\":\"%s\",\"group\":\"%s\",\"level\":\"%s\",\"summary\":\"%s\"}\n",
                        rule->code, rule->name, rule->group, level_word(rule->level), rule->summary);
        else
            text_printf(out, "%-8s %-26s %-8s %-7s  %s\n", rule->code, rule->name, level_word(rule->level), rule->group,
                        rule->summary);
    }
}

/* The user's definition hides the library's of the same kind; a layer and a schedule may share a name, and then both
 * are shown. */
static bool is_hidden(const Program *program, uint32_t i)
{
    const Def *def = &program->defs.at[i];
    for (uint32_t k = i + 1; k < program->defs.n; k++)
        if (program->defs.at[k].kind == def->kind && str_eq(program->defs.at[k].name, def->name))
            return true;
    return false;
}

static bool explain_defs(Program *program, Str name, Text *out)
{
    const Layer *layer = layer_find(name);
    bool any = layer != NULL;
    if (layer)
        explain_layer(layer, out);
    for (uint32_t i = 0; i < program->defs.n; i++) {
        const Def *def = &program->defs.at[i];
        if (!str_eq(def->name, name) || def->kind == DEF_LAYER || is_hidden(program, i))
            continue;
        if (any)
            text_putc(out, '\n');
        any = true;
        if (def->kind == DEF_ACTIVATION)
            explain_activation(program, def, out);
        else
            explain_definition(program, def, out);
    }
    return any;
}

static void suggest(const Program *program, Str name, Str *why)
{
    Arena *arena = program->arena;
    unsigned cap = 2 * check_count() + program->defs.n + layer_count() + 64, n = 0;
    Str *names = arena_array(arena, Str, cap);
    for (unsigned i = 0; i < check_count(); i++) {
        names[n++] = str_of(check_at(i)->name);
        names[n++] = str_of(check_at(i)->code);
    }
    for (uint32_t i = 0; i < program->defs.n; i++)
        names[n++] = program->defs.at[i].name;
    for (unsigned i = 0; i < layer_count(); i++)
        names[n++] = str_of(layer_at(i)->name);
    n += explain_topic_names(names + n, cap - n);
    int nearest = str_nearest(name, names, n);
    if (nearest >= 0)
        *why = str_printf(arena, "nothing is called `" STR_FMT "`; there is `" STR_FMT "`", STR_ARG(name),
                          STR_ARG(names[nearest]));
    else
        *why = str_printf(arena, "nothing is called `" STR_FMT "`; `actc list` shows what there is", STR_ARG(name));
}

bool check_explain(Program *program, Str name, Text *out, Str *why)
{
    const Rule *rule = check_find(name);
    if (rule)
        explain_rule(rule, out);
    else if (!explain_defs(program, name, out) && !explain_error(name, out) && !explain_topic(name, out)) {
        suggest(program, name, why);
        return false;
    }
    return true;
}
