/* Reading the command line by the rows of options.def. */
#include "driver/options.h"
#include "driver/command.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
const OptionRow option_row[] = {
#define GROUP(title) {OPTION_GROUP, 0, 0, NULL, title, "", "*"},
#define AT_FLAG(field) offsetof(Options, field)
#define AT_TEXT(field) offsetof(Options, field)
#define AT_LIST(field) offsetof(Options, field)
#define AT_WHOLE(field) offsetof(Options, field)
#define AT_SIZE(field) offsetof(Options, field)
#define AT_CHOICE(field) offsetof(Options, field)
#define AT_LEVEL(field) offsetof(Options, field)
#define AT_RULE(field) field
#define OPTION(kind, field, letter, name, value, commands, help) \
    {OPTION_##kind, AT_##kind(field), letter, name, help, value, commands},
#include "driver/options.def"
#undef GROUP
#undef OPTION
};
// clang-format on
const unsigned option_count = sizeof option_row / sizeof *option_row;

bool option_for(const OptionRow *row, const Command *command)
{
    if (strcmp(row->commands, "*") == 0)
        return true;
    size_t n = command ? strlen(command->name) : 0;
    for (const char *at = row->commands; n && *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && strncmp(at, command->name, n) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

/* ── words of a CHOICE ── */

static int choice_of(const char *words, Str word)
{
    int i = 0;
    for (const char *at = words; *at; i++) {
        size_t n = strcspn(at, "|");
        if (str_eq((Str){at, (uint32_t)n}, word))
            return i;
        at += n + (at[n] == '|');
    }
    return -1;
}

/* "human, short or json" */
static Str choice_text(Arena *arena, const char *words)
{
    Text text = {.arena = arena};
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, "|");
        bool last = !at[n];
        if (at != words)
            text_add(&text, last ? STR(" or ") : STR(", "));
        text_printf(&text, "%.*s", (int)n, at);
        at += n + (at[n] == '|');
    }
    return text_str(&text);
}

/* ── the reader ── */

typedef struct Reader {
    Arena *arena;
    Options *options;
    int argc, next;
    char **argv;
} Reader;

static int fail(Reader *r, Str message, Str help) { return usage_error(r->options, message, help); }

static Str help_hint(Reader *r)
{
    const Command *command = r->options->command;
    return command && strcmp(command->name, "compile") != 0
               ? str_printf(r->arena, "`actc %s --help` lists its options", command->name)
               : STR("`actc --help` lists the options");
}

/* Is --name an option of this command? Of any? */
static const OptionRow *find_long(const Reader *r, Str name, bool any)
{
    for (unsigned i = 0; i < option_count; i++)
        if (option_row[i].kind != OPTION_GROUP && option_row[i].name[0] && str_is(name, option_row[i].name) &&
            (any || option_for(&option_row[i], r->options->command)))
            return &option_row[i];
    return NULL;
}

static const OptionRow *find_letter(const Reader *r, char letter, bool any)
{
    for (unsigned i = 0; i < option_count; i++)
        if (option_row[i].letter == letter && (any || option_for(&option_row[i], r->options->command)))
            return &option_row[i];
    return NULL;
}

static int unknown_option(Reader *r, Str shown, Str name, const OptionRow *elsewhere)
{
    const Command *command = r->options->command;
    if (elsewhere && command)
        return fail(r, str_printf(r->arena, "`actc %s` does not take `" STR_FMT "`", command->name, STR_ARG(shown)),
                    help_hint(r));
    Str *names = arena_array(r->arena, Str, option_count);
    unsigned n = 0;
    for (unsigned i = 0; i < option_count; i++)
        if (option_row[i].kind != OPTION_GROUP && option_row[i].name[0] && option_for(&option_row[i], command))
            names[n++] = str_of(option_row[i].name);
    int near = name.n ? str_nearest(name, names, n) : -1;
    Str help = near >= 0 ? str_printf(r->arena, "did you mean `--" STR_FMT "`?", STR_ARG(names[near])) : help_hint(r);
    if (near < 0 && name.n && command && strstr(command->usage, "-- ARGS")) /* the training program's, perhaps */
        help = str_printf(r->arena, "what the training takes stands behind `--`, as in `actc run model.act -- " STR_FMT "`; `actc run --help` lists the rest",
                          STR_ARG(shown));
    return fail(r, str_printf(r->arena, "unknown option `" STR_FMT "`", STR_ARG(shown)), help);
}

enum { MOST_BATCH = 1 << 20 /* as in a `train` block */ };

static bool read_whole(Str text, uint32_t *value)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || number > UINT32_MAX)
            return false;
        number = number * 10 + (uint64_t)(text.p[i] - '0');
    }
    *value = (uint32_t)number;
    return text.n > 0 && number < UINT32_MAX;
}

/* "4096", "512M", "1.5GiB": more than nothing, a power of 1024 behind it. */
static bool read_size(Arena *arena, Str text, uint64_t *bytes)
{
    static const char letter[] = "KMGT";
    char *end;
    if (!text.n || text.p[0] < '0' || text.p[0] > '9') /* strtod takes signs, blanks and words, too */
        return false;
    double value = strtod(str_c(arena, text), &end), scale = 1;
    const char *found = *end ? strchr(letter, *end >= 'a' && *end <= 'z' ? *end - 'a' + 'A' : *end) : NULL;
    for (; found && found >= letter; found--)
        scale *= 1024;
    end += scale > 1;
    if (scale > 1 && *end == 'i')
        end++;
    if (*end == 'B')
        end++;
    value *= scale;
    *bytes = value >= 1 && value < 1e18 ? (uint64_t)value : 0;
    return !*end && *bytes > 0;
}

/* Stores one option. `shown` is as the user wrote it. */
static int store(Reader *r, const OptionRow *row, Str shown, Str value)
{
    char *field = (char *)r->options + row->field;
    bool batch = strcmp(row->name, "batch") == 0;
    switch (row->kind) {
    case OPTION_GROUP:
        break;
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_TEXT:
        if (!value.n)
            return fail(r, str_printf(r->arena, "`" STR_FMT "` wants a value: %s", STR_ARG(shown), row->value),
                        help_hint(r));
        *(Str *)field = value;
        break;
    case OPTION_LIST: {
        VEC(Str) list;
        memcpy(&list, field, sizeof list);
        *vec_push(r->arena, &list) = value;
        memcpy(field, &list, sizeof list);
        break;
    }
    case OPTION_WHOLE:
        if (!read_whole(value, (uint32_t *)field) ||
            (batch && (*(uint32_t *)field == 0 || *(uint32_t *)field > MOST_BATCH)))
            return fail(r,
                        str_printf(r->arena, "`" STR_FMT "` wants a whole number%s, not `" STR_FMT "`", STR_ARG(shown),
                                   batch ? " from 1 to 1048576" : "", STR_ARG(value)),
                        (Str){0});
        break;
    case OPTION_SIZE:
        if (!read_size(r->arena, value, (uint64_t *)(void *)field))
            return fail(r,
                        str_printf(r->arena, "`" STR_FMT "` wants a size, not `" STR_FMT "`", STR_ARG(shown),
                                   STR_ARG(value)),
                        STR("a number of bytes, or of KiB, MiB or GiB: 4096, 512M, 1.5G"));
        break;
    case OPTION_CHOICE: {
        int choice = choice_of(row->value, value);
        if (choice < 0) {
            Str words = choice_text(r->arena, row->value);
            return fail(r,
                        str_printf(r->arena, "`" STR_FMT "` is " STR_FMT ", not `" STR_FMT "`", STR_ARG(shown),
                                   STR_ARG(words), STR_ARG(value)),
                        (Str){0});
        }
        *(int *)field = choice;
        break;
    }
    case OPTION_LEVEL:
        if (value.n != 1 || value.p[0] < '0' || value.p[0] > '3')
            return fail(r, str_printf(r->arena, "`-O` is -O0, -O1, -O2 or -O3, not `-O" STR_FMT "`", STR_ARG(value)),
                        (Str){0});
        *(int *)field = value.p[0] - '0';
        break;
    case OPTION_RULE: {
        Str why = {0};
        for (uint32_t at = 0, end; at <= value.n; at = end + 1) { /* several with commas between */
            for (end = at; end < value.n && value.p[end] != ',';)
                end++;
            Str one = {value.p + at, end - at};
            if (!check_set(r->arena, &r->options->check, (Level)row->field, one, &why))
                return fail(r, why, (Str){0});
        }
        break;
    }
    }
    return EXIT_CLEAN;
}

/* The value of an option: attached, or the next word. */
static int take_value(Reader *r, const OptionRow *row, Str shown, bool attached, Str *value)
{
    if (attached)
        return EXIT_CLEAN;
    if (r->next >= r->argc)
        return fail(r, str_printf(r->arena, "`" STR_FMT "` wants a value: %s", STR_ARG(shown), row->value),
                    help_hint(r));
    *value = str_of(r->argv[r->next++]);
    return EXIT_CLEAN;
}

static int read_long(Reader *r, Str word)
{
    const char *equals = memchr(word.p, '=', word.n);
    Str shown = {word.p, equals ? (uint32_t)(equals - word.p) : word.n}, value = {0};
    if (equals)
        value = (Str){equals + 1, word.n - shown.n - 1};
    Str name = {shown.p + 2, shown.n - 2};
    const OptionRow *row = find_long(r, name, false);
    if (!row)
        return unknown_option(r, shown, name, find_long(r, name, true));
    if (row->kind == OPTION_FLAG && equals)
        return fail(r, str_printf(r->arena, "`" STR_FMT "` takes no value", STR_ARG(shown)), (Str){0});
    int bad = row->kind == OPTION_FLAG ? EXIT_CLEAN : take_value(r, row, shown, equals != NULL, &value);
    return bad ? bad : store(r, row, shown, value);
}

static int read_letter(Reader *r, Str word)
{
    Str shown = {word.p, 2}, value = {word.p + 2, word.n - 2};
    if (str_is(word, "-Werror"))
        return read_long(r, STR("--Werror"));
    const OptionRow *row = find_letter(r, word.p[1], false);
    if (!row)
        return unknown_option(r, shown, (Str){0}, find_letter(r, word.p[1], true));
    if (row->kind == OPTION_FLAG && value.n)
        return unknown_option(r, word, (Str){word.p + 1, word.n - 1}, NULL);
    int bad = row->kind == OPTION_FLAG || row->kind == OPTION_LEVEL ? EXIT_CLEAN
                                                                    : take_value(r, row, shown, value.n > 0, &value);
    return bad ? bad : store(r, row, shown, value);
}

/* The first word that is not an option is the command, unless it looks like a file: then the command is compile. */
static int choose_command(Reader *r, int *skip)
{
    *skip = 0;
    r->options->command = command_find(STR("compile"));
    for (int i = 1; i < r->argc && strcmp(r->argv[i], "--") != 0; i++) {
        Str word = str_of(r->argv[i]);
        if (word.n > 1 && word.p[0] == '-') {
            /* The value of an option that takes one is no command. */
            bool is_long = word.p[1] == '-';
            const OptionRow *row =
                is_long ? find_long(r, (Str){word.p + 2, word.n - 2}, true) : find_letter(r, word.p[1], true);
            if (row && row->kind != OPTION_FLAG && row->kind != OPTION_LEVEL && (is_long || word.n == 2))
                i++;
            continue;
        }
        const Command *command = command_find(word);
        if (command) {
            r->options->command = command;
            *skip = i;
            return EXIT_CLEAN;
        }
        if (strpbrk(r->argv[i], "./") || str_is(word, "-"))
            return EXIT_CLEAN;
        Str *names = arena_array(r->arena, Str, command_count());
        for (unsigned k = 0; k < command_count(); k++)
            names[k] = str_of(command_at(k)->name);
        int near = str_nearest(word, names, command_count());
        Str help = near >= 0 ? str_printf(r->arena, "did you mean `actc " STR_FMT "`?", STR_ARG(names[near]))
                             : STR("`actc --help` lists the commands; the name of a file ends in .act");
        return fail(r, str_printf(r->arena, "unknown command `" STR_FMT "`", STR_ARG(word)), help);
    }
    return EXIT_CLEAN;
}

int options_parse(Arena *arena, int argc, char **argv, Options *options)
{
    *options = (Options){.level = 2, .max_warnings = UINT32_MAX};
    Reader r = {arena, options, argc, 1, argv};
    int command_word;
    int bad = choose_command(&r, &command_word);
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        *vec_push(arena, &options->typed) = str_of(argv[i]);
    while (!bad && r.next < argc) {
        int at = r.next++;
        Str word = str_of(argv[at]);
        if (at == command_word)
            continue;
        if (str_is(word, "--")) {
            while (r.next < argc)
                *vec_push(arena, &options->rest) = str_of(argv[r.next++]);
        } else if (str_starts(word, STR("--")))
            bad = read_long(&r, word);
        else if (word.n > 1 && word.p[0] == '-')
            bad = read_letter(&r, word);
        else
            *vec_push(arena, &options->files) = word;
    }
    return bad;
}
