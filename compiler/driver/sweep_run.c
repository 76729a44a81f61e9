/* The processes of a sweep: each is `actc run` in a process group of its own, so that Ctrl-C reaches it once, and through here. */
#define _GNU_SOURCE
#include "driver/sweep.h"

#include "base/file.h"
#include "driver/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

typedef VEC(char *) Words;

static void add(Arena *arena, Words *words, Str word) { *vec_push(arena, words) = (char *)(uintptr_t)str_c(arena, word); }

static bool has_checkpoint(Arena *arena, const SweepRun *run)
{
    DIR *folder = opendir(str_c(arena, run->folder));
    bool found = false;
    for (const struct dirent *entry; folder && !found && (entry = readdir(folder));)
        found = strstr(entry->d_name, ".step-") && strstr(entry->d_name, ".safetensors") && !strstr(entry->d_name, ".part");
    if (folder)
        closedir(folder);
    return found;
}

static Str itself(Arena *arena, const Options *options)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    return n > 0 && (size_t)n < sizeof path ? str_copy(arena, (Str){path, (uint32_t)n}) : options->typed.at[0];
}

/* actc run MODEL.act --set lr=1e-2 … -- train ARGS… --out DIR --log DIR/run.jsonl --quiet */
static Words command(const Sweep *sweep, const SweepRun *run)
{
    const Options *options = sweep->session.options;
    Arena *arena = sweep->session.arena;
    Words words = {0};
    bool threads = false;
    add(arena, &words, itself(arena, options));
    add(arena, &words, STR("run"));
    add(arena, &words, options->files.at[0]);
    for (uint32_t i = 0; i < sweep->params.n; i++) {
        add(arena, &words, STR("--set"));
        add(arena, &words, str_printf(arena, STR_FMT "=" STR_FMT, STR_ARG(sweep->params.at[i].name), STR_ARG(run->value[i])));
    }
    if (options->batch)
        add(arena, &words, str_printf(arena, "--batch=%u", options->batch));
    if (options->monitor)
        add(arena, &words, STR("--monitor"));
    add(arena, &words, STR("--"));
    add(arena, &words, STR("train"));
    for (uint32_t i = 0; i < options->rest.n; i++) {
        add(arena, &words, options->rest.at[i]);
        threads = threads || str_starts(options->rest.at[i], STR("--threads"));
    }
    if (!threads)
        add(arena, &words, STR("--threads=1"));
    add(arena, &words, str_printf(arena, "--out=" STR_FMT, STR_ARG(run->folder)));
    add(arena, &words, str_printf(arena, "--log=" STR_FMT, STR_ARG(run->log)));
    if (options->resume && has_checkpoint(arena, run))
        add(arena, &words, STR("--resume"));
    *vec_push(arena, &words) = NULL;
    return words;
}

static void become(const Words *words, const char *said, const sigset_t *mask)
{
    int out = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666), in = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* whoever kills the sweep stops its runs, and they save */
#endif
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(EXIT_USAGE);
    execv(words->at[0], words->at);
    fprintf(stderr, "error: `%s` can't be started: %s\n", words->at[0], strerror(errno));
    fflush(stderr);
    _exit(EXIT_USAGE);
}

static void start(const Sweep *sweep, SweepRun *run, const sigset_t *mask)
{
    Words words = command(sweep, run);
    const char *said = str_c(sweep->session.arena, run->said);
    run->begin = build_clock();
    fflush(stdout);
    run->process = fork();
    if (run->process == 0)
        become(&words, said, mask);
    run->state = run->process > 0 ? SWEEP_RUNNING : SWEEP_FAILED;
    run->code = run->process > 0 ? 0 : EXIT_USAGE;
    if (run->process > 0)
        setpgid(run->process, run->process); /* whoever comes first */
}

static void say(const Sweep *sweep, const SweepRun *run, uint32_t done)
{
    Arena *arena = sweep->session.arena;
    printf("[%u/%u] " STR_FMT ": ", done, sweep->runs.n, STR_ARG(run->name));
    if (run->state == SWEEP_DONE)
        printf(STR_FMT ", %.1f s\n", STR_ARG(sweep_result(arena, run)), run->seconds);
    else if (run->state == SWEEP_STOPPED)
        printf("stopped\n");
    else
        printf("failed: " STR_FMT "\n", STR_ARG(sweep_last_words(arena, run)));
    fflush(stdout);
}

static void finish(const Sweep *sweep, SweepRun *run, int status, bool stopping)
{
    Arena *arena = sweep->session.arena;
    run->seconds = build_clock() - run->begin;
    run->process = 0;
    run->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    run->state = run->code == 0 ? SWEEP_DONE : stopping && (run->code > 128 || run->code < 0) ? SWEEP_STOPPED : SWEEP_FAILED;
    if (run->state != SWEEP_DONE)
        return;
    Text text = {.arena = arena};
    text_printf(&text, STR_FMT ": " STR_FMT "\n", STR_ARG(run->name), STR_ARG(sweep_result(arena, run)));
    Str why, line = text_str(&text);
    if (!file_write(arena, sweep_result_path(arena, run), line.p, line.n, &why))
        session_warn(&sweep->session, why); /* --resume will train it again */
}

Str sweep_compare(const Sweep *sweep)
{
    Arena *arena = sweep->session.arena;
    Str page = str_printf(arena, STR_FMT "/compare.html", STR_ARG(sweep->folder)), log = str_printf(arena, STR_FMT ".txt", STR_ARG(page));
    Words words = {0};
    sigset_t mask;
    int status = -1;
    add(arena, &words, itself(arena, sweep->session.options));
    add(arena, &words, STR("plot"));
    for (uint32_t i = 0; i < sweep->runs.n; i++)
        if (sweep->runs.at[i].state == SWEEP_DONE || sweep->runs.at[i].state == SWEEP_SKIPPED)
            add(arena, &words, sweep->runs.at[i].log);
    if (words.n == 2 || !command_find(STR("plot")))
        return (Str){0};
    add(arena, &words, STR("-o"));
    add(arena, &words, page);
    *vec_push(arena, &words) = NULL;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    const char *said = str_c(arena, log);
    fflush(stdout);
    pid_t process = fork();
    if (process == 0)
        become(&words, said, &mask);
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    if (process <= 0 || status != 0)
        return (Str){0};
    unlink(said);
    return page;
}

static void signal_all(const Sweep *sweep, int number)
{
    for (uint32_t i = 0; i < sweep->runs.n; i++)
        if (sweep->runs.at[i].state == SWEEP_RUNNING)
            kill(-sweep->runs.at[i].process, number);
}

/* Takes in those that have ended. How many are still at it. */
static uint32_t reap(const Sweep *sweep, uint32_t *done, bool stopping)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < sweep->runs.n; i++) {
        SweepRun *run = &sweep->runs.at[i];
        int status;
        if (run->state != SWEEP_RUNNING)
            continue;
        if (waitpid(run->process, &status, WNOHANG) != run->process) {
            running++;
            continue;
        }
        finish(sweep, run, status, stopping);
        say(sweep, run, ++*done);
    }
    return running;
}

int sweep_run(Sweep *sweep)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    sigset_t set, before;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaddset(&set, caught[i]);
    sigprocmask(SIG_BLOCK, &set, &before); /* they wait until they are asked for: nothing comes between */
    int stopped = 0;
    uint32_t done = 0, next = 0;
    for (uint32_t i = 0; i < sweep->runs.n; i++)
        done += sweep->runs.at[i].state == SWEEP_SKIPPED;
    if (done)
        printf("%u of them are done already\n", done);
    for (;;) {
        uint32_t running = reap(sweep, &done, stopped != 0);
        for (; !stopped && running < sweep->jobs && next < sweep->runs.n; next++)
            if (sweep->runs.at[next].state == SWEEP_WAITING) {
                start(sweep, &sweep->runs.at[next], &before);
                running += sweep->runs.at[next].state == SWEEP_RUNNING;
            }
        if (running == 0 && (stopped || next == sweep->runs.n))
            break;
        int number = sigwaitinfo(&set, NULL);
        if (number > 0 && number != SIGCHLD) { /* the second time their default action ends them */
            stopped = stopped ? stopped : number;
            signal_all(sweep, number == SIGHUP ? SIGTERM : number);
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return stopped;
}
