/* A file that is cut off while it is mapped: the program says which, and ends with the code for files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/mapped.h"
#include "../../../runtime/host/source.h"

#include "support.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 1 << 16 };

static Folder folder;
static ActError error;

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    char *text = calloc(1, BYTES + 1);
    assert_non_null(text);
    memset(text, 'x', BYTES);
    folder_text(&folder, "a.bin", text);
    folder_text(&folder, "b.bin", text);
    free(text);
    setenv("ACT_DATA_MEMORY", "0", 1); /* everything is mapped */
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_close(&folder);
    unsetenv("ACT_DATA_MEMORY");
    return 0;
}

/* A child opens both, the second is cut off, and `read_first` or the second is read at its end. What it said is in `said`. */
static int child_reads(int guarded, int read_first, char said[512])
{
    int out[2];
    assert_int_equal(pipe(out), 0);
    pid_t child = fork();
    if (child == 0) {
        ActSource a, b;
        struct sigaction before;
        char room[1];
        dup2(out[1], STDERR_FILENO);
        if (guarded) act_mapped_guard(&before);
        else signal(SIGBUS, SIG_DFL); /* not a sanitizer's */
        if (act_source_open(&a, folder_file(&folder, "a.bin"), &error) != ACT_OK || !a.mapped) _exit(90);
        if (act_source_open(&b, folder_file(&folder, "b.bin"), &error) != ACT_OK || !b.mapped) _exit(91);
        if (truncate(folder_file(&folder, "b.bin"), 100) != 0) _exit(92);
        const unsigned char *last = act_source_bytes(read_first ? &a : &b, BYTES - 1, 1, room, &error);
        int x = *(const volatile unsigned char *)last;
        act_source_close(&a);
        act_source_close(&b);
        _exit(x == 'x' ? 0 : 93);
    }
    close(out[1]);
    ssize_t n = 0, got;
    while ((got = read(out[0], said + n, 511 - (size_t)n)) > 0) n += got;
    said[n] = 0;
    close(out[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void the_file_is_named(void **state)
{
    (void)state;
    char said[512];
    assert_int_equal(child_reads(1, 0, said), 2);
    assert_non_null(strstr(said, "b.bin` became shorter while it was read"));
    assert_null(strstr(said, "a.bin"));
}

static void others_are_read_on(void **state)
{
    (void)state;
    char said[512];
    assert_int_equal(child_reads(1, 1, said), 0);
    assert_string_equal(said, "");
}

/* In somebody else's program nothing is handled. */
static void a_library_leaves_signals_alone(void **state)
{
    (void)state;
    char said[512];
    assert_int_equal(child_reads(0, 0, said), -SIGBUS);
}

/* A place that is given back can be taken again, far more often than there are places. */
static void places_come_back(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        ActSource a;
        assert_good(act_source_open(&a, folder_file(&folder, "a.bin"), &error), &error);
        act_source_close(&a);
    }
    the_file_is_named(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_file_is_named, begin, end),
        cmocka_unit_test_setup_teardown(others_are_read_on, begin, end),
        cmocka_unit_test_setup_teardown(a_library_leaves_signals_alone, begin, end),
        cmocka_unit_test_setup_teardown(places_come_back, begin, end),
    };
    return cmocka_run_group_tests_name("runtime.mapped", tests, NULL, NULL);
}
