#define _XOPEN_SOURCE 700
#include "driver/link.h"

#include "base/file.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ── the runtime ── */

/* A library beside the executable, in ../lib, or where the build tree has it. */
static Str find_library(Arena *arena, const char *name)
{
    static const char *const place[] = {"", "../lib/", "../lib64/", "../runtime/"};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    if (n <= 0 || (size_t)n == sizeof self)
        return (Str){0};
    Str dir = path_dir(arena, (Str){self, (uint32_t)n});
    for (unsigned i = 0; i < sizeof place / sizeof *place; i++) {
        Str path = path_join(arena, dir, str_printf(arena, "%s%s", place[i], name));
        if (access(path.p, R_OK) == 0)
            return path;
    }
    return (Str){0};
}

/* ── the command ── */

typedef VEC(char *) Words;

static void add_word(Arena *arena, Words *words, const char *word)
{
    *vec_push(arena, words) = word ? (char *)str_c(arena, str_of(word)) : NULL;
}

static void add_words(Arena *arena, Words *words, const char *list)
{
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, " ");
        if (n)
            add_word(arena, words, str_c(arena, (Str){at, (uint32_t)n}));
        at += n + (at[n] == ' ');
    }
}

enum { EXEC_FAILED = 127 };

/* Runs it and collects what it says on either stream. The exit code; EXEC_FAILED when there is no such program. */
static int run_words(Arena *arena, const Words *words, Str *said)
{
    int stream[2];
    if (pipe(stream) != 0)
        return EXEC_FAILED;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(stream[1], STDOUT_FILENO);
        dup2(stream[1], STDERR_FILENO);
        close(stream[0]);
        close(stream[1]);
        execvp(words->at[0], words->at);
        _exit(EXEC_FAILED);
    }
    close(stream[1]);
    Text text = {.arena = arena};
    char buffer[1024];
    for (;;) {
        ssize_t n = child > 0 ? read(stream[0], buffer, sizeof buffer) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        text_add(&text, (Str){buffer, (uint32_t)n});
    }
    close(stream[0]);
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    *said = text_str(&text);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXEC_FAILED;
}

static bool refuse(Str *why, Str *help, Str message, Str hint)
{
    *why = message;
    *help = hint;
    return false;
}

bool link_output(Arena *arena, LinkKind kind, bool images, Str bytes, Str out, Str *why, Str *help)
{
    *help = (Str){0};
    Str runtime = find_library(arena, "libactrt.a"), pictures = images ? find_library(arena, "libactimages.a") : (Str){0};
    if (images && !pictures.n)
        return refuse(why, help, STR("cannot find libactimages.a, which reads the pictures of a model's data"),
                      STR("install actc with `cmake --install`, or write an object: -o model.o"));
    if (!runtime.n)
        return refuse(why, help, STR("cannot find libactrt.a, which is linked into executables and shared objects"),
                      STR("install actc with `cmake --install`, or write an object: -o model.o"));
    Str object = str_printf(arena, STR_FMT ".%ld.o", STR_ARG(out), (long)getpid());
    Str made = str_printf(arena, STR_FMT ".%ld.link", STR_ARG(out), (long)getpid());
    if (!file_write(arena, object, bytes.p, bytes.n, why))
        return false;

    Words words = {0};
    add_word(arena, &words, "cc");
    if (kind == LINK_SHARED)
        /* What of the runtime is inside stays inside. */
        add_words(arena, &words, "-shared -Wl,--exclude-libs,ALL -Wl,-z,defs");
    add_word(arena, &words, "-o");
    add_word(arena, &words, made.p);
    add_word(arena, &words, object.p);
    if (images) { /* what it calls of the runtime is found behind it */
        add_words(arena, &words, "-Wl,-u,act_pictures");
        add_word(arena, &words, pictures.p);
    }
    add_word(arena, &words, runtime.p);
    if (images)
        add_words(arena, &words, "-lpng -ljpeg");
    add_words(arena, &words, ACT_LINK_FLAGS);
    add_word(arena, &words, NULL);
    Str said = {0};
    int code = run_words(arena, &words, &said);
    unlink(object.p);
    if (code == 0 && rename(made.p, str_c(arena, out)) == 0)
        return true;
    unlink(made.p);
    if (code == 0)
        return refuse(why, help, str_printf(arena, "cannot write `" STR_FMT "`: %s", STR_ARG(out), strerror(errno)),
                      (Str){0});
    if (code == EXEC_FAILED)
        return refuse(why, help,
                      STR("no `cc` found: executables and shared objects are linked by the system's compiler"),
                      STR("install gcc or clang, or write an object or a library: -o model.o, -o model.a"));
    return refuse(why, help,
                  str_printf(arena, "`cc` could not link `" STR_FMT "`:\n" STR_FMT, STR_ARG(out), STR_ARG(said)),
                  (Str){0});
}
