#include "act/act.h"

#include "command.h"
#include "mapped.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted; /* the signal's number */
static volatile sig_atomic_t on_terminal;

/* Ctrl-C, the end of a job, a closed terminal, a closed pipe behind the log: none of them may cost a training. */
static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
enum { CAUGHT = sizeof caught / sizeof *caught };

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART; /* a file half written goes on */
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* The first signal lets the step finish and saves; the second, of whichever kind, ends the program by its default action. But a pipe that
 * is closed stays closed, and must not end what saves. */
static void on_signal(int number)
{
    static const char note[] = "\nstopping: the step is finished and saved; Ctrl-C again stops at once\n";
    int kept = errno;
    interrupted = number;
    for (int i = 0; number != SIGPIPE && i < CAUGHT; i++)
        if (caught[i] != SIGPIPE) set_handler(caught[i], SIG_DFL);
    if (on_terminal && number == SIGINT && write(STDERR_FILENO, note, sizeof note - 1) < 0) on_terminal = 0;
    errno = kept;
}

/* What was ignored before stays so: a program in the background, or under nohup. */
static void catch_signals(struct sigaction before[CAUGHT])
{
    interrupted = 0;
    on_terminal = isatty(STDERR_FILENO);
    for (int i = 0; i < CAUGHT; i++) {
        sigaction(caught[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) set_handler(caught[i], on_signal);
    }
}

static void release_signals(const struct sigaction before[CAUGHT])
{
    for (int i = 0; i < CAUGHT; i++) sigaction(caught[i], &before[i], NULL);
}

static int exit_code(ActStatus status)
{
    switch (status) {
    case ACT_OK: return 0;
    case ACT_E_ARGUMENT: case ACT_E_IO: case ACT_E_FORMAT: return 2;
    case ACT_E_NONFINITE: return 3;
    case ACT_E_STOPPED: return 128 + (interrupted ? interrupted : SIGINT);
    default: return 1;
    }
}

static ActStatus predict(ActInstance *m, ActOptions *options, ActError *error)
{
    if (!options->to) return act_predict(m, &options->run, error);
    FILE *out = fopen(options->to, "wb");
    if (!out) return act_error(error, ACT_E_IO, "`%s` can't be written: %s", options->to, strerror(errno));
    options->run.output = out;
    ActStatus status = act_predict(m, &options->run, error);
    if (fclose(out) != 0 && status == ACT_OK)
        status = act_error(error, ACT_E_IO, "`%s` can't be written: %s", options->to, strerror(errno));
    return status;
}

static ActStatus run(ActOptions *options, ActError *error)
{
    ActInstance *m = act_instance_new(options->model, (uint32_t)options->threads, error);
    if (!m) return error->status;
    ActStatus status;
    struct sigaction before[CAUGHT], bus;
    act_mapped_guard(&bus);
    switch (options->command) {
    case ACT_TRAIN:
        options->run.log = options->quiet ? NULL : stdout;
        options->run.problems = stderr;
        options->run.stop = &interrupted;
        catch_signals(before);
        status = options->run.folds ? act_cross_validate(m, &options->run, error) : act_train(m, &options->run, NULL, error);
        release_signals(before);
        break;
    case ACT_EVAL:
        options->run.log = stdout;
        status = act_evaluate(m, &options->run, NULL, error);
        break;
    case ACT_PREDICT:
        options->run.log = stderr;
        status = predict(m, options, error);
        break;
    default:
        options->run.log = stdout;
        status = act_bench(m, &options->run, NULL, error);
        break;
    }
    act_mapped_release(&bus);
    act_instance_free(m);
    return status;
}

int act_program_typed(int n_typed, const char *const *typed, int argc, char **argv, const ActModel *const *models,
                      size_t n_models)
{
    const char *program = argc > 0 && argv[0] ? argv[0] : "model";
    ActOptions options;
    ActError error = { ACT_OK, "" };
    ActStatus status = act_options_parse(&options, argc, argv, models, n_models, &error);
    char *resume = act_command_resume(n_typed, typed, argc, argv);
    options.run.resume_command = resume;
    if (status == ACT_OK && options.command == ACT_HELP)
        act_options_help(stdout, program, options.help_on, models, n_models);
    else if (status == ACT_OK)
        status = run(&options, &error);
    free(resume);
    act_options_free(&options);
    int full = ferror(stdout) || fflush(stdout) != 0;
    if (full && status == ACT_OK) status = act_error(&error, ACT_E_IO, "standard output takes no more");
    if (status != ACT_OK) fprintf(stderr, "%s: %s\n", status == ACT_E_STOPPED ? "note" : "error", error.text);
    return exit_code(status);
}

int act_program_main(int argc, char **argv, const ActModel *const *models, size_t n_models)
{
    const char *const typed[] = { argc > 0 && argv[0] ? argv[0] : "model" };
    return act_program_typed(1, typed, argc, argv, models, n_models);
}
