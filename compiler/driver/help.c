/* --help, from the rows of options.def and the records of the commands. */
#include "driver/options.h"

#include <string.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

/* `text` from column `column` on, wrapped; a line end in it stays one. The cursor is at `at`. */
static void help_wrap(Text *out, unsigned at, unsigned column, const char *text)
{
    if (at >= column && at > 0) {
        text_putc(out, '\n');
        at = 0;
    }
    text_printf(out, "%*s", (int)(column - at), "");
    at = column;
    for (const char *word = text; *word;) {
        unsigned n = (unsigned)strcspn(word, " \n");
        if (word[n] == '\n' && n == 0) {
            text_printf(out, "\n%*s", (int)column, "");
            at = column;
            word++;
            continue;
        }
        if (at > column && at + 1 + n > HELP_WIDTH) {
            text_printf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            text_putc(out, ' ');
            at++;
        }
        text_add(out, (Str){word, n});
        at += n;
        word += n + (word[n] == ' ');
    }
    text_putc(out, '\n');
}

static void help_option(Text *out, const OptionRow *row)
{
    Text head = {.arena = out->arena};
    if (row->letter)
        text_printf(&head, "  -%c%s", row->letter, row->name[0] ? ", " : "");
    else
        text_add(&head, STR("      "));
    /* -Werror is written with one dash everywhere. */
    if (row->name[0])
        text_printf(&head, "%s%s", row->name[0] == 'W' ? "-" : "--", row->name);
    if (row->value[0])
        text_printf(&head, "%s%s",
                    row->kind == OPTION_LEVEL                    ? ""
                    : row->name[0] && row->kind == OPTION_CHOICE ? "="
                                                                 : " ",
                    row->value);
    text_add(out, text_str(&head));
    help_wrap(out, (unsigned)head.n, HELP_COLUMN, row->help);
}

static void help_options(const Command *command, Text *out)
{
    const OptionRow *heading = NULL;
    for (unsigned i = 0; i < option_count; i++) {
        const OptionRow *row = &option_row[i];
        if (row->kind == OPTION_GROUP) {
            heading = row;
            continue;
        }
        if (!option_for(row, command))
            continue;
        if (heading)
            text_printf(out, "\n%s:\n", heading->help);
        heading = NULL;
        help_option(out, row);
    }
}

/* Each line of `text`, indented. */
static void help_lines(Text *out, const char *text)
{
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        text_printf(out, "    %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void help_of_command(const Command *command, Text *out)
{
    text_printf(out, "actc %s\n\n", command->usage);
    help_wrap(out, 0, 0, command->doc);
    help_options(command, out);
    text_add(out, STR("\nExamples:\n"));
    help_lines(out, command->examples);
}

void options_help(const Command *command, Text *out)
{
    const Command *compile = command_find(STR("compile"));
    if (command && command != compile) {
        help_of_command(command, out);
        return;
    }
    text_add(out, STR("actc: a compiler for descriptions of neural networks\n\n"));
    text_printf(out, "    actc %s\n", compile->usage);
    for (unsigned i = 0; i < command_count(); i++)
        if (command_at(i) != compile)
            text_printf(out, "    actc %s\n", command_at(i)->usage);
    text_add(out, STR("\nCommands:\n"));
    for (unsigned i = 0; i < command_count(); i++) {
        text_printf(out, "    %-10s %s\n", command_at(i)->name, command_at(i)->summary);
    }
    text_add(out, STR("\n"));
    help_wrap(out, 0, 0, compile->doc);
    help_options(compile, out);
    text_putc(out, '\n');
    help_wrap(out, 0, 0,
              "Exit codes: 0 done (warnings included), 1 errors in the network, 2 wrong usage or a file that cannot be "
              "read or written.");
    text_add(out, STR("\nExamples:\n"));
    help_lines(out, compile->examples);
}
