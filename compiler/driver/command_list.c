/* actc list: what there is. */
#include "driver/session.h"
#include "driver/watch_rules.h"

#include "check/explain.h"
#include "ops/registry.h"
#include "pass/pass.h"
#include "llvm/backend.h"

typedef struct ListKind {
    const char *name;
    DefKind def;
} ListKind;

static const ListKind list_kind[] = {
    {"activations", DEF_ACTIVATION}, {"losses", DEF_LOSS},          {"initializers", DEF_INITIALIZER},
    {"layers", DEF_LAYER},           {"optimizers", DEF_OPTIMIZER}, {"schedules", DEF_SCHEDULE},
    {"metrics", DEF_METRIC},         {"functions", DEF_FUNCTION},   {"blocks", DEF_BLOCK},
};
enum { LIST_KINDS = sizeof list_kind / sizeof *list_kind };

/* The first line of a page. */
static Str first_line(Str doc)
{
    uint32_t n = 0;
    while (n < doc.n && doc.p[n] != '\n')
        n++;
    return (Str){doc.p, n};
}

static void json_text(Text *out, Str s)
{
    text_putc(out, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c < 0x20)
            text_printf(out, "\\u%04x", c);
        else
            text_putc(out, (char)c);
    }
    text_putc(out, '"');
}

static void list_definitions(const Program *program, DefKind kind, bool json, Text *out)
{
    int width = 8;
    for (uint32_t i = 0; i < program->defs.n; i++)
        if (program->defs.at[i].kind == kind && (int)program->defs.at[i].name.n > width)
            width = (int)program->defs.at[i].name.n;
    for (uint32_t i = 0; i < program->defs.n; i++) {
        const Def *def = &program->defs.at[i];
        if (def->kind != kind)
            continue;
        Str doc = first_line(def->doc.n ? def->doc : def->layer ? str_of(def->layer->doc) : (Str){0});
        if (json) {
            text_add(out, STR("{\"name\":"));
            json_text(out, def->name);
            text_add(out, STR(",\"doc\":"));
            json_text(out, doc);
            text_add(out, STR("}\n"));
        } else if (doc.n)
            text_printf(out, "%-*.*s  " STR_FMT "\n", width, STR_ARG(def->name), STR_ARG(doc));
        else
            text_printf(out, STR_FMT "\n", STR_ARG(def->name));
    }
}

/* In the order they run. */
static void list_passes(Text *out)
{
    for (unsigned i = 0; i < pass_count(); i++)
        text_printf(out, "%-12s  %s\n", pass_at(i)->name, pass_at(i)->doc);
}

static Str all_kinds(Arena *arena)
{
    Text text = {.arena = arena};
    text_add(&text, STR("rules, topics, targets, passes"));
    for (unsigned i = 0; i < LIST_KINDS; i++)
        text_printf(&text, "%s%s", i + 1 < LIST_KINDS ? ", " : " or ", list_kind[i].name);
    return text_str(&text);
}

static int unknown_kind(Arena *arena, const Options *options, Str word)
{
    enum { OTHERS = 4 };
    Str name[LIST_KINDS + OTHERS] = {STR("rules"), STR("topics"), STR("targets"), STR("passes")};
    for (unsigned i = 0; i < LIST_KINDS; i++)
        name[i + OTHERS] = str_of(list_kind[i].name);
    int near = str_nearest(word, name, LIST_KINDS + OTHERS);
    Str help = near >= 0 ? str_printf(arena, "did you mean `actc list " STR_FMT "`?", STR_ARG(name[near]))
                         : str_printf(arena, "list " STR_FMT, STR_ARG(all_kinds(arena)));
    return usage_error(options, str_printf(arena, "there is no list of `" STR_FMT "`", STR_ARG(word)), help);
}

static int list_run(Arena *arena, Options *options)
{
    if (options->files.n != 1)
        return usage_error(options, options->files.n ? STR("one list at a time") : STR("list what?"),
                           str_printf(arena, "actc list " STR_FMT, STR_ARG(all_kinds(arena))));
    Str word = options->files.at[0];
    Text text = {.arena = arena};
    bool json = options->format == TABLE_JSON;
    if (str_is(word, "rules")) {
        check_list(&text, json);
        watch_rules_list(&text, json);
    }
    else if (str_is(word, "topics"))
        explain_list_topics(&text, json);
    else if (str_is(word, "targets"))
        machine_list(&text);
    else if (str_is(word, "passes"))
        list_passes(&text);
    else {
        const ListKind *kind = NULL;
        for (unsigned i = 0; i < LIST_KINDS; i++)
            if (str_is(word, list_kind[i].name))
                kind = &list_kind[i];
        if (!kind)
            return unknown_kind(arena, options, word);
        Session s;
        session_begin(&s, arena, options);
        Program *library = sema_library(arena, &s.sources, &s.diags);
        if (kind->def == DEF_ACTIVATION)
            explain_list_activations(library, &text, json);
        else
            list_definitions(library, kind->def, json, &text);
    }
    return print_text(options, text_str(&text));
}

ACT_COMMAND(list) = {
    .name = "list",
    .usage = "list WHAT",
    .summary = "the rules, topics, activations, losses, initializers, layers, optimizers, targets",
    .doc = "Lists what the language and the compiler offer: rules, topics, targets, passes, activations (with their "
           "computed properties), losses, initializers, layers, optimizers, schedules, metrics, functions or blocks. "
           "`actc explain NAME` has a page for each.",
    .examples = "actc list activations\n"
                "actc list rules --format=json\n"
                "actc list targets\n",
    .run = list_run,
};
