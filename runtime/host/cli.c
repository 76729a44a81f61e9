#include "act/act.h"

#include "options.h"

#include <errno.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

/* The first signal lets the step finish and saves; the second, now with its default action, ends the program. */
static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_signals(struct sigaction before[2])
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
}

static void release_signals(const struct sigaction before[2])
{
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
}

static int exit_code(ActStatus status)
{
    switch (status) {
    case ACT_OK: return 0;
    case ACT_E_ARGUMENT: case ACT_E_IO: case ACT_E_FORMAT: return 2;
    case ACT_E_NONFINITE: return 3;
    case ACT_E_STOPPED: return 130;
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
    struct sigaction before[2];
    switch (options->command) {
    case ACT_TRAIN:
        options->run.log = options->quiet ? NULL : stdout;
        options->run.stop = &interrupted;
        catch_signals(before);
        status = act_train(m, &options->run, NULL, error);
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
    act_instance_free(m);
    return status;
}

int act_program_main(int argc, char **argv, const ActModel *const *models, size_t n_models)
{
    const char *program = argc > 0 && argv[0] ? argv[0] : "model";
    ActOptions options;
    ActError error = { ACT_OK, "" };
    ActStatus status = act_options_parse(&options, argc, argv, models, n_models, &error);
    if (status == ACT_OK && options.command == ACT_HELP)
        act_options_help(stdout, program, options.help_on, models, n_models);
    else if (status == ACT_OK)
        status = run(&options, &error);
    act_options_free(&options);
    int full = ferror(stdout) || fflush(stdout) != 0;
    if (full && status == ACT_OK) status = act_error(&error, ACT_E_IO, "standard output takes no more");
    if (status != ACT_OK) fprintf(stderr, "%s: %s\n", status == ACT_E_STOPPED ? "note" : "error", error.text);
    return exit_code(status);
}
