#include "options.h"

#include "file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* COUNT is from 1, WHOLE from 0, SMALL from 0 to 100 and an int; MAYBE is a TEXT that may be left out, EVERY how often something happens; DIRS
 * and LOGS may stand several times; RATES are two numbers */
typedef enum Kind { COUNT, WHOLE, SMALL, REAL, TEXT, MAYBE, EVERY, FLAG, DIRS, LOGS, RATES, HELP } Kind;
enum { T = 1 << ACT_TRAIN, E = 1 << ACT_EVAL, P = 1 << ACT_PREDICT, B = 1 << ACT_BENCH, ALL = T | E | P | B };
/* where a value goes: 0 is the command, which no option sets */
#define O(field) offsetof(ActOptions, field)
#define R(field) offsetof(ActOptions, run.field)

typedef struct Option {
    const char *name, *value;
    Kind kind;
    int commands;
    size_t at, given;          /* of the value, and of the flag that says it was given */
    const char *doc;
} Option;

static const Option options[] = {
    { "--data",      "DIR",  DIRS,  ALL,   0,            0,              "look for data files here too; repeatable" },
    { "--epochs",    "N",    COUNT, T,     R(epochs),    0,              "passes over the training rows" },
    { "--batch",     "N",    COUNT, T|B,   R(batch),     0,              "rows in a step, at most what was compiled" },
    { "--threads",   "N",    COUNT, ALL,   O(threads),   0,              "threads; results do not depend on it" },
    { "--seed",      "N",    WHOLE, ALL,   R(seed),      R(has_seed),    "of weights, order of rows and what is drawn" },
    { "--lr-scale",  "X",    REAL,  T,     R(lr_scale),  0,              "multiply every learning rate" },
    { "--weights",   "FILE", TEXT,  T|E|P, R(weights),   0,              "start from (train) or use these weights" },
    { "--out",       "DIR",  TEXT,  T|E|P, R(out),       0,              "where the weights are (default .)" },
    { "--part",      "NAME", TEXT,  E|P,   R(part),      0,              "train, validation or test (default: last)" },
    { "--input",     "FILE", TEXT,  P,     R(input),     0,              "predict the rows of this file" },
    { "--rows",      "N",    COUNT, P,     R(rows),      0,              "only the first N rows; how many to draw" },
    { "--digits",    "N",    SMALL, P,     R(digits),    R(has_digits),  "decimals of text output (default 3)" },
    { "--format",    "NAME", TEXT,  P|B,   R(format),    0,              "text, csv, json, npy, png; bench: text, json" },
    { "--to",        "FILE", TEXT,  P,     O(to),        0,              "write predictions to a file" },
    { "--generate",  "N",    COUNT, P,     R(generate),  0,              "let a model of texts write N characters" },
    { "--prompt",    "TEXT", TEXT,  P,     R(prompt),    0,              "what they follow on" },
    { "--temperature", "X",  REAL,  P,     R(temperature), 0,            "below 1 likely ones get likelier (default 1)" },
    { "--steps",     "N",    COUNT, B,     R(steps),     0,              "steps to time (default 300)" },
    { "--synthetic", NULL,   FLAG,  B,     R(synthetic), 0,              "measure with drawn data" },
    { "--resume",    "[FILE]", MAYBE, T,   R(resume),    0,              "go on from the newest checkpoint in <out>, or from this" },
    { "--checkpoint", "N",   EVERY, T,     0,            0,              "one every 2epochs, 500steps, 10min (default); or never" },
    { "--keep",      "N",    COUNT, T,     R(checkpoint_keep), 0,        "checkpoints that stay, beside the best (default 3)" },
    { "--log",       "FILE", LOGS,  T,     0,            0,              "numbers of every epoch: .csv, .jsonl, DIR/ for TensorBoard" },
    { "--report",    "FILE", LOGS,  T,     0,            0,              "a page with charts, .html; drawn as the training goes on" },
    { "--sanity",    NULL,   FLAG,  T,     R(sanity),    0,              "only see whether it can learn 16 rows by heart" },
    { "--lr-range",  "L:H",  RATES, T,     0,            0,              "only see which rates work, as in 1e-6:1" },
    { "--folds",     "K",    COUNT, T,     R(folds),     0,              "cross-validate: K trainings, each judged by other rows" },
    { "--monitor",   "N",    WHOLE, T,     R(monitor_every), O(monitor), "measure layers every N steps, if compiled in; 0: never" },
    { "--quiet",     NULL,   FLAG,  T,     O(quiet),     0,              "no progress" },
    { "--help",      NULL,   HELP,  ALL,   0,            0,              "this text" },
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct { const char *name, *doc; } commands[ACT_COMMANDS] = {
    { "train",   "train, and save the weights to <out>/<model>.safetensors" },
    { "eval",    "loss and metrics of trained weights on a part of the data" },
    { "predict", "the outputs for each row of a part of the data, or of a file" },
    { "bench",   "the time of a training step" },
};

static const Option *find_option(const char *name, size_t n)
{
    if (n == 2 && memcmp(name, "-h", 2) == 0) return &options[OPTIONS - 1];
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(options[i].name) == n && memcmp(options[i].name, name, n) == 0) return &options[i];
    return NULL;
}

static ActStatus unknown_option(const char *name, size_t n, ActError *error)
{
    char text[80];
    snprintf(text, sizeof text, "%.*s", (int)n, name);
    const char *near = act_text_nearest(text, &options[0].name, OPTIONS, sizeof *options);
    act_error(error, ACT_E_ARGUMENT, "there is no option `%s`", text);
    if (near) act_error_more(error, "; there is `%s`", near);
    act_error_more(error, " (see --help)");
    return ACT_E_ARGUMENT;
}

/* A number in full: no blanks, no rest, not below the least. */
static int parse_number(const Option *option, const char *text, ActOptions *out)
{
    char *end;
    errno = 0;
    if (option->kind == REAL) {
        double x = strtod(text, &end);
        if (end == text || *end || !isfinite(x) || x <= 0) return 0;
        *(double *)(void *)((char *)out + option->at) = x;
        return 1;
    }
    if (*text < '0' || *text > '9') return 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || errno || (option->kind == COUNT && n == 0)) return 0;
    if (option->kind == SMALL) {
        if (n > 100) return 0;
        *(int *)(void *)((char *)out + option->at) = (int)n;
    } else {
        *(uint64_t *)(void *)((char *)out + option->at) = n;
    }
    return 1;
}

/* "2epochs", "500 steps", "90s", "10min", "never" */
static ActStatus parse_every(const char *text, ActRun *run, ActError *error)
{
    static const struct { const char *name; int kind; double seconds; } units[] = {
        { "epochs", 0, 0 }, { "epoch", 0, 0 }, { "steps", 1, 0 }, { "step", 1, 0 }, { "seconds", 2, 1 }, { "second", 2, 1 }, { "s", 2, 1 },
        { "minutes", 2, 60 }, { "minute", 2, 60 }, { "min", 2, 60 }, { "hours", 2, 3600 }, { "hour", 2, 3600 }, { "h", 2, 3600 },
    };
    if (strcmp(text, "never") == 0) {
        run->checkpoint_never = 1;
        return ACT_OK;
    }
    char *end = NULL;
    errno = 0;
    unsigned long long n = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    while (end && *end == ' ') end++;
    for (size_t i = 0; n > 0 && n <= 1000000000000u && !errno && i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0) {
            if (units[i].kind == 0) run->checkpoint_epochs = n;
            else if (units[i].kind == 1) run->checkpoint_steps = n;
            else run->checkpoint_seconds = (double)n * units[i].seconds;
            return ACT_OK;
        }
    return act_error(error, ACT_E_ARGUMENT,
                     "`--checkpoint` wants a number with its unit, such as 2epochs, 500steps or 10min, or `never`; not `%s`", text);
}

static ActStatus parse_rates(const char *text, ActRun *run, ActError *error)
{
    char *colon, *end;
    run->lr_low = strtod(text, &colon);
    run->lr_high = *colon == ':' ? strtod(colon + 1, &end) : 0;
    if (*colon == ':' && colon > text && end > colon + 1 && !*end && run->lr_low > 0 && run->lr_high > run->lr_low && isfinite(run->lr_high))
        return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT, "`--lr-range` wants two rates, the lower one first, such as 1e-6:1; not `%s`", text);
}

/* Short trainings that keep nothing go with no words about what is kept. */
static ActStatus check_trials(const ActRun *run, ActError *error)
{
    const char *trial = run->sanity ? "--sanity" : run->lr_high > 0 ? "--lr-range" : run->folds ? "--folds" : NULL;
    if (!trial) return ACT_OK;
    const char *other = run->sanity && run->lr_high > 0 ? "--lr-range" : trial[2] != 'f' && run->folds ? "--folds"
                      : trial[2] != 'f' && run->resume ? "--resume" : run->sanity && run->n_logs ? "--log" : NULL;
    if (other) return act_error(error, ACT_E_ARGUMENT, "`%s` and `%s` do not go together", trial, other);
    if (run->folds == 1) return act_error(error, ACT_E_ARGUMENT, "`--folds` wants 2 or more");
    size_t n = run->n_logs && run->lr_high > 0 ? strlen(run->logs[0]) : 0;
    if (run->lr_high > 0 && (run->n_logs > 1 || (n && (n < 7 || strcmp(run->logs[0] + n - 6, ".jsonl") != 0))))
        return act_error(error, ACT_E_ARGUMENT, "`--lr-range` writes one log of JSON lines: `--log FILE.jsonl`");
    return ACT_OK;
}

/* A report is a log that people read. */
static ActStatus take_log(ActOptions *out, const Option *option, const char *value, ActError *error)
{
    size_t n = strlen(value);
    if (strcmp(option->name, "--report") == 0 && (n < 6 || strcmp(value + n - 5, ".html") != 0))
        return act_error(error, ACT_E_ARGUMENT, "`--report` wants a name that ends in .html, not `%s`", value);
    out->logs[out->run.n_logs++] = value;
    return ACT_OK;
}

static ActStatus take(ActOptions *out, const Option *option, const char *value, ActError *error)
{
    if (option->given) *(int *)(void *)((char *)out + option->given) = 1;
    switch (option->kind) {
    case FLAG: *(int *)(void *)((char *)out + option->at) = 1; return ACT_OK;
    case EVERY: return parse_every(value, &out->run, error);
    case RATES: return parse_rates(value, &out->run, error);
    case MAYBE:
    case TEXT: *(const char **)(void *)((char *)out + option->at) = value; return ACT_OK;
    case LOGS: return take_log(out, option, value, error);
    case DIRS:
        if (!act_file_is_directory(value))
            return act_error(error, ACT_E_IO, "there is no directory `%s` (%s)", value, option->name);
        out->data[out->run.n_data++] = value;
        return ACT_OK;
    default:
        if (parse_number(option, value, out)) return ACT_OK;
        return act_error(error, ACT_E_ARGUMENT, "`%s` wants a %s, not `%s`", option->name,
                         option->kind == REAL ? "number above 0" : option->kind == SMALL ? "whole number from 0 to 100"
                         : option->kind == COUNT ? "whole number from 1" : "whole number", value);
    }
}

static const ActModel *find_model(const ActModel *const *models, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(models[i]->name, name) == 0) return models[i];
    return NULL;
}

/* The only model, or the only one with a `train` block. */
static const ActModel *obvious_model(const ActModel *const *models, size_t n)
{
    const ActModel *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!models[i]->train && n > 1) continue;
        if (found) return NULL;
        found = models[i];
    }
    return found;
}

static ActStatus no_model(const ActModel *const *models, size_t n, ActError *error)
{
    act_error(error, ACT_E_ARGUMENT, "there are several models; name one before the command:");
    for (size_t i = 0; i < n && i < 50; i++) act_error_more(error, "%s `%s`", i ? "," : "", models[i]->name);
    return ACT_E_ARGUMENT;
}

static ActStatus parse_command(ActOptions *out, const char *word, const ActModel *const *models, size_t n_models,
                               ActError *error)
{
    for (int c = 0; c < ACT_COMMANDS; c++)
        if (strcmp(commands[c].name, word) == 0) {
            out->command = (ActCommand)c;
            return ACT_OK;
        }
    const char *near = act_text_nearest(word, &commands[0].name, ACT_COMMANDS, sizeof *commands);
    if (!near)
        for (size_t i = 0; i < n_models && !near; i++)
            near = act_text_nearest(word, &models[i]->name, 1, sizeof models[i]->name);
    act_error(error, ACT_E_ARGUMENT, "`%s` is neither a command nor a model", word);
    if (near) act_error_more(error, "; there is `%s`", near);
    else act_error_more(error, "; the commands are train, eval, predict and bench");
    return ACT_E_ARGUMENT;
}

ActStatus act_options_parse(ActOptions *out, int argc, char **argv, const ActModel *const *models, size_t n_models,
                            ActError *error)
{
    int at = 1, named = 0;
    memset(out, 0, sizeof *out);
    out->command = ACT_HELP;
    out->data = calloc((size_t)argc + 1, sizeof *out->data);
    out->logs = calloc((size_t)argc + 1, sizeof *out->logs);
    if (!out->data || !out->logs) return act_error_memory(error);
    out->run.data = out->data;
    out->run.logs = out->logs;
    if (at < argc && (out->model = find_model(models, n_models, argv[at]))) named = 1, at++;
    if (!named) out->model = obvious_model(models, n_models);
    if (at == argc)
        return act_error(error, ACT_E_ARGUMENT, "a command is wanted: train, eval, predict or bench (see --help)");
    if (argv[at][0] != '-') {
        ActStatus status = parse_command(out, argv[at++], models, n_models, error);
        if (status != ACT_OK) return status;
    }
    for (; at < argc; at++) {
        const char *word = argv[at], *equals = strchr(word, '=');
        size_t n = equals ? (size_t)(equals - word) : strlen(word);
        if (*word != '-')
            return act_error(error, ACT_E_ARGUMENT, "`%s` is not expected here; options begin with -- (see --help)",
                             word);
        const Option *option = find_option(word, n);
        if (!option) return unknown_option(word, n, error);
        if (option->kind == HELP) {
            out->help_on = out->command;
            out->command = ACT_HELP;
            return ACT_OK;
        }
        if (out->command == ACT_HELP)
            return act_error(error, ACT_E_ARGUMENT,
                             "the command comes before the options: train, eval, predict or bench");
        if (!(option->commands & 1 << out->command))
            return act_error(error, ACT_E_ARGUMENT, "`%s` means nothing to `%s` (see %s --help)", option->name,
                             commands[out->command].name, commands[out->command].name);
        if (!option->value && equals) return act_error(error, ACT_E_ARGUMENT, "`%s` takes no value", option->name);
        int bare = option->kind == MAYBE && !equals && (at + 1 == argc || argv[at + 1][0] == '-');
        if (option->value && !equals && at + 1 == argc && !bare)
            return act_error(error, ACT_E_ARGUMENT, "`%s` wants a value: %s %s", option->name, option->name,
                             option->value);
        const char *value = !option->value ? NULL : bare ? "" : equals ? equals + 1 : argv[++at];
        ActStatus status = take(out, option, value, error);
        if (status != ACT_OK) return status;
    }
    if ((out->run.prompt || out->run.temperature > 0) && !out->run.generate)
        return act_error(error, ACT_E_ARGUMENT, "`%s` goes with `--generate N`", out->run.prompt ? "--prompt" : "--temperature");
    if (check_trials(&out->run, error) != ACT_OK) return ACT_E_ARGUMENT;
    out->run.monitor_never = out->monitor && out->run.monitor_every == 0;
    if (out->monitor && out->run.monitor_every && out->model && !out->model->watch)
        return act_error(error, ACT_E_ARGUMENT, "model `%s` was compiled without the monitor; `actc --monitor` compiles it in", out->model->name);
    if (out->threads > 1024) return act_error(error, ACT_E_ARGUMENT, "`--threads` is at most 1024");
    return out->model ? ACT_OK : no_model(models, n_models, error);
}

void act_options_free(ActOptions *out)
{
    free(out->data);
    free(out->logs);
    out->data = out->logs = NULL;
}

void act_options_help(FILE *out, const char *program, ActCommand command, const ActModel *const *models,
                      size_t n_models)
{
    const char *model = n_models > 1 ? "[MODEL] " : "";
    if (command < ACT_COMMANDS) {
        fprintf(out, "usage: %s %s%s [options]\n\n%s: %s.\n", program, model, commands[command].name,
                commands[command].name, commands[command].doc);
    } else {
        fprintf(out, "usage: %s %sCOMMAND [options]\n\ncommands\n", program, model);
        for (int c = 0; c < ACT_COMMANDS; c++) fprintf(out, "  %-9s %s\n", commands[c].name, commands[c].doc);
    }
    if (n_models > 1) fprintf(out, "\nmodels\n");
    for (size_t i = 0; n_models > 1 && i < n_models; i++) fprintf(out, "  %s\n", models[i]->name);
    fprintf(out, "\noptions\n");
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[40];
        if (command < ACT_COMMANDS && !(options[i].commands & 1 << command)) continue;
        snprintf(left, sizeof left, "%s%s%s", options[i].name, options[i].value ? " " : "",
                 options[i].value ? options[i].value : "");
        fprintf(out, "  %-16s %s", left, options[i].doc);
        if (command == ACT_HELP && options[i].commands != ALL) {
            fputs(" (", out);
            for (int c = 0, n = 0; c < ACT_COMMANDS; c++)
                if (options[i].commands & 1 << c) fprintf(out, "%s%s", n++ ? ", " : "", commands[c].name);
            fputc(')', out);
        }
        fputc('\n', out);
    }
    fprintf(out,
            "\nData files are looked for beside the .act file, in every --data DIR, and in the directories that the\n"
            "environment's ACT_DATA_PATH lists (a:b:c). Of each file so much is kept in memory as ACT_DATA_MEMORY says in\n"
            "MiB, else a sixteenth of the machine's; CSV, text and pictures beyond 64 MiB are converted once, into a file\n"
            "beside them.\n"
            "\nexamples\n"
            "  %s train --epochs 20 --out runs/a\n"
            "  %s train --out runs/a --resume\n"
            "  %s eval --out runs/a\n"
            "  %s predict --input new.csv --format json --to new.json\n"
            "  %s bench --threads 1 --synthetic\n"
            "\nexit codes: 0 done, 1 failure, 2 usage or I/O, 3 NaN or infinity in training,\n"
            "128 + the signal's number when interrupted (130: Ctrl-C, 143: TERM); then all is saved, and `--resume` goes on\n",
            program, program, program, program, program);
}
