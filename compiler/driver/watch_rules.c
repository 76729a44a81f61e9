#include "driver/watch_rules.h"

#include "act/act.h"

#include <ctype.h>

void watch_rules_list(Text *out, bool json)
{
    ActWatchPage rule;
    for (size_t i = 0; act_watch_page(i, &rule); i++)
        if (json)
            text_printf(out, "{\"code\":\"%s\",\"name\":\"%s\",\"group\":\"monitor\",\"level\":\"run\",\"summary\":\"%s\"}\n", rule.code,
                        rule.name, rule.summary);
        else
            text_printf(out, "%-7s  %-25s  %-7s  %-14s  %s\n", rule.code, rule.name, "run", "monitor", rule.summary);
}

static bool is_called(Str name, const char *word)
{
    uint32_t i = 0;
    while (i < name.n && word[i] && tolower((unsigned char)name.p[i]) == tolower((unsigned char)word[i]))
        i++;
    return i == name.n && !word[i];
}

bool watch_rules_explain(Str name, const ExplainStyle *style, Text *out)
{
    ActWatchPage rule;
    for (size_t i = 0; act_watch_page(i, &rule); i++) {
        if (!is_called(name, rule.code) && !is_called(name, rule.name))
            continue;
        Page page = {.out = out, .width = style->columns && style->columns < 100 ? style->columns : 100};
        text_printf(out, "%s %s (a rule of the monitor, told while a network trains)\n", rule.code, rule.name);
        page_paragraphs(&page, str_of(rule.summary), 0);
        text_putc(out, '\n');
        page_paragraphs(&page, str_of(rule.doc), 0);
        text_putc(out, '\n');
        for (size_t k = 0; k < 4 && rule.meets[k]; k++)
            text_printf(out, "%s%s", k ? ", " : "It is what these rules of the checker predict: ", rule.meets[k]);
        text_add(out, rule.meets[0] ? STR(".\n\n") : STR(""));
        page_text(&page, "`actc --monitor`, or `monitor every 50 steps` in the train block, compiles the monitor in.");
        return true;
    }
    return false;
}
