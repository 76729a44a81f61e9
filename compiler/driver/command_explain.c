/* actc explain: the page of a rule, a definition or a topic; and of passes and targets, which the checker does not
 * know. */
#define _DEFAULT_SOURCE /* winsize */
#include "driver/session.h"
#include "driver/watch_rules.h"

#include "check/explain.h"
#include "pass/pass.h"
#include "llvm/backend.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A file among the arguments gives its own definitions. */
static bool is_file(Str word) { return word.n > 4 && str_eq((Str){word.p + word.n - 4, 4}, STR(".act")); }

/* ── the terminal ── */
static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) /* the first that is set decides */
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8") || strstr(value, "utf-8");
    }
    return false;
}

static ExplainStyle terminal_style(void)
{
    ExplainStyle style = {.unicode = speaks_utf8()};
    const char *columns = getenv("COLUMNS");
    char *end;
    long given = columns ? strtol(columns, &end, 10) : 0;
    struct winsize size;
    if (given > 0 && given < 10000 && *end == 0)
        style.columns = (unsigned)given;
    else if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        style.columns = size.ws_col;
    return style;
}

/* ── passes ── */
static const struct {
    Fact fact;
    const char *means;
} facts[] = {
    {FACT_TYPED, "every node has a type"},
    {FACT_GRADIENTS, "the updates of all trained parameters are there"},
    {FACT_EXPANDED, "no composite operation is left"},
    {FACT_CANONICAL, "every reduction folds one run of neighbouring axes"},
    {FACT_LAYOUT, "tensors have their layout"},
    {FACT_GROUPED, "nodes are grouped into kernels"},
    {FACT_SCHEDULED, "the kernels have their order"},
    {FACT_PLANNED, "every value has its place in memory"},
};

static void list_facts(Text *out, const char *label, unsigned set)
{
    for (unsigned i = 0; i < sizeof facts / sizeof facts[0]; i++)
        if (set & facts[i].fact)
            text_printf(out, "  %-6s  %s\n", label, facts[i].means);
}

static bool explain_pass(Str name, Text *out)
{
    const Pass *pass = pass_find(name);
    if (!pass)
        return false;
    text_printf(out, "%s (pass)\n%s\n\n", pass->name, pass->doc);
    list_facts(out, "needs", pass->needs);
    list_facts(out, "keeps", pass->keeps);
    list_facts(out, "gives", pass->gives);
    text_printf(out, "\n`actc MODEL.act -o x.o --dump-after=%s` prints the graph behind it.\n", pass->name);
    return true;
}

/* ── targets ── */
static bool explain_target(Arena *arena, Str name, Text *out)
{
    static const Str triples[] = {{"x86_64-linux-gnu", 16}, {"aarch64-linux-gnu", 17}};
    for (unsigned i = 0; i < sizeof triples / sizeof triples[0]; i++) {
        Str why, help;
        bool triple = str_eq(name, triples[i]);
        const Machine *machine = machine_select(arena, triples[i], triple ? (Str){0} : name, &why, &help);
        if (!machine || (str_is(name, "native") && !machine->native))
            continue;
        const Target *target = machine->target;
        text_printf(out, STR_FMT " (%s)\n\n", STR_ARG(name), triple ? "target; its baseline" : "processor");
        text_printf(out, "  target         " STR_FMT "\n", STR_ARG(machine->triple));
        text_printf(out, "  instructions   " STR_FMT "\n", STR_ARG(machine->cpu));
        if (machine->tune.n && !str_eq(machine->tune, machine->cpu))
            text_printf(out, "  timings        " STR_FMT "\n", STR_ARG(machine->tune));
        text_printf(out, "  lanes          %u floats in a vector register, %u registers\n", target->lanes,
                    target->registers);
        text_printf(out, "  register tile  %u rows x %u vectors: %u x %u elements of a product at once\n",
                    target->tile_rows, target->tile_vectors, target->tile_rows, target->tile_vectors * target->lanes);
        text_printf(out, "  needs          " STR_FMT "\n",
                    STR_ARG(machine->features.n ? machine->features : STR("what every machine of it has")));
        text_printf(out,
                    "\n`actc --target=" STR_FMT " --cpu=" STR_FMT "` compiles for it; a program tests at its start "
                    "that the machine has what it needs.\n",
                    STR_ARG(triples[i]), STR_ARG(machine->cpu));
        return true;
    }
    return false;
}

static int explain_run(Arena *arena, Options *options)
{
    Session s;
    session_begin(&s, arena, options);
    ExplainStyle style = terminal_style();
    Program *program = NULL;
    for (uint32_t i = 0; i < options->files.n && !program; i++)
        if (is_file(options->files.at[i])) {
            const Source *source = session_read(&s, options->files.at[i]);
            if (!source)
                return EXIT_USAGE;
            program = session_program(&s, source);
            if (session_stops(&s))
                return session_report(&s);
        }
    bool file = program != NULL;
    if (!program)
        program = sema_library(arena, &s.sources, &s.diags);
    Text text = {.arena = arena};
    unsigned pages = 0;
    for (uint32_t i = 0; i < options->files.n; i++) {
        Str why = {0}, name = options->files.at[i];
        if (is_file(name))
            continue;
        if (pages++)
            text_putc(&text, '\n');
        bool page = explain_page(program, name, &style, &text, &why) || watch_rules_explain(name, &style, &text);
        if (page && pass_find(name)) /* `share` is a word of the language, and a pass */
            text_putc(&text, '\n');
        if (!explain_pass(name, &text) && !page && !explain_target(arena, name, &text))
            return session_fail(&s, EXIT_USAGE, why,
                                STR("`actc list rules`, `actc list activations` … list what has a page"));
    }
    if (!pages && file)
        return usage_error(options, STR("nothing to explain"), STR("actc explain relu, actc explain ACT201"));
    if (!pages)
        explain_index(&style, &text);
    return print_text(options, text_str(&text));
}

ACT_COMMAND(explain) = {
    .name = "explain",
    .usage = "explain [FILE.act] NAME…",
    .summary = "the page of a rule, activation, loss, initializer, layer, optimizer …",
    .doc =
        "Prints what a rule means, with the reasoning and what it says about a network that breaks it, or what a "
        "definition computes: formula, derivative, range, gain, cost, and a plot. Without a name it lists the topics. "
        "With a file, its own definitions have pages too. Plots are as wide as the terminal (COLUMNS), and ASCII where "
        "the locale is.",
    .examples = "actc explain ACT201\n"
                "actc explain relu\n"
                "actc explain kaiming_normal linear\n"
                "actc explain dead_units\n"
                "actc explain model.act my_activation\n",
    .run = explain_run,
};
