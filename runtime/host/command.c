#include "command.h"

#include <stdlib.h>
#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";

char *act_command_word(const char *word)
{
    size_t n = strlen(word), at = 0;
    char *out = malloc(4 * n + 3);
    if (!out) return NULL;
    if (n > 0 && strspn(word, plain) == n) return memcpy(out, word, n + 1);
    out[at++] = '\'';
    for (size_t i = 0; i < n; i++)
        if (word[i] == '\'') {
            memcpy(out + at, "'\\''", 4);
            at += 4;
        } else {
            out[at++] = word[i];
        }
    out[at++] = '\'';
    out[at] = 0;
    return out;
}

static char *with(char *line, const char *word)
{
    char *quoted = line ? act_command_word(word) : NULL;
    size_t n = line ? strlen(line) : 0, more = quoted ? strlen(quoted) : 0;
    char *longer = quoted ? realloc(line, n + more + 2) : NULL;
    if (!longer) free(line);
    else {
        if (n > 0) longer[n++] = ' ';
        memcpy(longer + n, quoted, more + 1);
    }
    free(quoted);
    return longer;
}

/* How many words of argv belong to an option of where to begin, from argv[i] on. */
static int words_of_beginning(int argc, char **argv, int i)
{
    if (strncmp(argv[i], "--resume=", 9) == 0 || strncmp(argv[i], "--weights=", 10) == 0) return 1;
    int weights = strcmp(argv[i], "--weights") == 0;
    if (!weights && strcmp(argv[i], "--resume") != 0) return 0;
    return i + 1 < argc && (weights || argv[i + 1][0] != '-') ? 2 : 1;
}

char *act_command_resume(int n_typed, const char *const *typed, int argc, char **argv)
{
    char *line = calloc(1, 1);
    for (int i = 0; i < n_typed; i++) line = with(line, typed[i]);
    for (int i = 1; i < argc; i++) {
        int n = words_of_beginning(argc, argv, i);
        if (n) i += n - 1;
        else line = with(line, argv[i]);
    }
    return with(line, "--resume");
}
