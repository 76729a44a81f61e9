/* Pages of rules: the reasoning, and what the rule says about its own example, which is checked here and now. */
#include "check/explain.h"

#include "syntax/parse.h"

#include <string.h>

static const char *level_word(Level level)
{
    return level == LEVEL_DENY ? "error" : level == LEVEL_WARN ? "warning" : level == LEVEL_NOTE ? "note" : "allowed";
}

/* What is said about a text, as on a terminal. */
static void said(Page *page, const char *text, const Rule *rule)
{
    Arena *arena = page->out->arena;
    Sources *sources = arena_new_of(arena, Sources);
    sources->arena = arena;
    Diags *diags = arena_new_of(arena, Diags);
    *diags = (Diags){.arena = arena, .sources = sources};
    const Source *source = source_add(sources, STR("wrong.act"), str_of(text), false);
    Program *program = sema_run(arena, sources, diags, parse_source(arena, diags, source), &(SemaOptions){0});
    CheckOptions options = {0};
    if (rule->level == LEVEL_ALLOW)
        *vec_push(arena, &options.settings) = (CheckSetting){LEVEL_WARN, str_of(rule->code)};
    check_run(program, &options);
    diag_sort(diags);
    Text all = {.arena = arena};
    for (uint32_t i = 0; i < diags->list.n; i++)
        if (str_is(str_of(diags->list.at[i]->code), rule->code))
            text_add(&all, diag_render(arena, diags->list.at[i],
                                       &(DiagStyle){.format = DIAG_HUMAN, .notes = true, .columns = page->width - 4}));
    Str shown = text_str(&all);
    while (shown.n && shown.p[shown.n - 1] == '\n')
        shown.n--;
    if (shown.n == 0)
        return;
    text_printf(page->out, "\n`actc check` says:\n\n");
    page_code(page, shown);
}

void explain_rule(Page *page, const Rule *rule)
{
    text_printf(page->out, "%s %s (%s, group %s)\n", rule->code, rule->name, level_word(rule->level), rule->group);
    page_paragraphs(page, str_of(rule->summary), 0);
    text_putc(page->out, '\n');
    page_paragraphs(page, str_of(rule->doc), 0);
    text_printf(page->out, "\nWrong:\n\n");
    page_code(page, str_of(rule->wrong));
    said(page, rule->wrong, rule);
    text_printf(page->out, "\nRight:\n\n");
    page_code(page, str_of(rule->right));
    text_putc(page->out, '\n');
    if (rule->level == LEVEL_ALLOW)
        page_text(page, "It is off by default: `-W %s` turns it on for a run.", rule->name);
    else
        page_text(page,
                  "Silence it with `@allow(%s, reason = \"…\")` in front of a statement, or with `-A %s` for a run.",
                  rule->name, rule->name);
}

void check_list(Text *out, bool json)
{
    int name = 0, group = 0;
    for (unsigned i = 0; i < check_count(); i++) {
        int own_name = (int)strlen(check_at(i)->name), own_group = (int)strlen(check_at(i)->group);
        name = own_name > name ? own_name : name;
        group = own_group > group ? own_group : group;
    }
    for (unsigned i = 0; i < check_count(); i++) {
        const Rule *rule = check_at(i);
        if (json)
            text_printf(out, "{\"code\":\"%s\",\"name\":\"%s\",\"group\":\"%s\",\"level\":\"%s\",\"summary\":\"%s\"}\n",
                        rule->code, rule->name, rule->group, level_word(rule->level), rule->summary);
        else
            text_printf(out, "%-7s  %-*s  %-7s  %-*s  %s\n", rule->code, name, rule->name, level_word(rule->level), group,
                        rule->group, rule->summary);
    }
}
