#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "act/act.h"

#include "../../../runtime/host/lock.h"
#include "support.h"
#include "toy_model.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static Folder folder;
static ToyModel t;
static ActError error;

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    toy_make(&t, source_file("examples/data"), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_close(&folder);
    return 0;
}

static int there(void) { return access(folder_file(&folder, "toy.lock"), F_OK) == 0; }

static void one_at_a_time(void **state)
{
    (void)state;
    ActLock first = { 0 }, second = { 0 }, other = { 0 };
    assert_good(act_lock_take(&first, &t.model, folder.path, &error), &error);
    assert_true(there());
    assert_int_equal(act_lock_take(&second, &t.model, folder.path, &error), ACT_E_IO);
    char who[96];
    snprintf(who, sizeof who, "another training of model `toy`, process %ld is at work in `", (long)getpid());
    assert_has(error.text, who);
    assert_has(error.text, "`--out DIR`");
    ActModel neighbour = t.model;
    neighbour.name = "joy"; /* another model's files have other names */
    assert_good(act_lock_take(&other, &neighbour, folder.path, &error), &error);
    act_lock_release(&second); /* of nobody: nothing happens */
    assert_int_equal(act_lock_take(&second, &t.model, folder.path, &error), ACT_E_IO);
    act_lock_release(&first);
    assert_false(there());
    assert_good(act_lock_take(&second, &t.model, folder.path, &error), &error);
    act_lock_release(&second);
    act_lock_release(&other);
}

static void the_dead_hold_nobody_up(void **state)
{
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ActLock lock = { 0 };
        char ok = act_lock_take(&lock, &t.model, folder.path, NULL) == ACT_OK;
        if (write(ready[1], &ok, 1) == 1)
            for (;;) pause();
        _exit(1);
    }
    char ok = 0;
    assert_int_equal(read(ready[0], &ok, 1), 1);
    assert_true(ok);
    ActLock lock = { 0 };
    assert_int_equal(act_lock_take(&lock, &t.model, folder.path, &error), ACT_E_IO);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(there());
    assert_good(act_lock_take(&lock, &t.model, folder.path, &error), &error);
    act_lock_release(&lock);
    close(ready[0]);
    close(ready[1]);
}

static void no_place_for_a_lock(void **state)
{
    (void)state;
    ActLock lock = { 0 };
    assert_good(act_lock_take(&lock, &t.model, folder_file(&folder, "nowhere"), &error), &error); /* others will say so */
    assert_null(lock.path);
    act_lock_release(&lock);
}

static void a_training_has_it(void **state)
{
    (void)state;
    ActLock lock = { 0 };
    ActInstance *m = act_instance_new(&t.model, 1, &error);
    assert_non_null(m);
    const ActRun run = { .out = folder.path, .epochs = 1 };
    assert_good(act_lock_take(&lock, &t.model, folder.path, &error), &error);
    assert_int_equal(act_train(m, &run, NULL, &error), ACT_E_IO);
    assert_has(error.text, "another training of model `toy`");
    act_lock_release(&lock);
    act_instance_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_at_a_time, begin, end),
        cmocka_unit_test_setup_teardown(the_dead_hold_nobody_up, begin, end),
        cmocka_unit_test_setup_teardown(no_place_for_a_lock, begin, end),
        cmocka_unit_test_setup_teardown(a_training_has_it, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
