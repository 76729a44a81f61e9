/* A training of the flowers' model in a folder of its own, for tests that run it. */
#ifndef TEST_RUNTIME_TOY_RUN_H
#define TEST_RUNTIME_TOY_RUN_H

#include "act/act.h"

#include "support.h"
#include "toy_model.h"

static Folder folder;
static ToyModel t;
static ActInstance *m;
static ActError error;
static ActResult result;
static FILE *log_file;

/* `split`: the part of the training rows that becomes the validation part. */
static void toy_run_begin(int normalize, double split)
{
    folder_open(&folder);
    toy_iris(&t, source_file("examples/data"), normalize);
    t.data.validation_split = split;
    m = act_instance_new(&t.model, 1, &error);
    assert_non_null(m);
    log_file = fopen(folder_file(&folder, "log"), "w+");
    assert_non_null(log_file);
}

/* A teardown of cmocka's. */
static int toy_run_end(void **state)
{
    (void)state;
    act_instance_free(m);
    fclose(log_file);
    folder_close(&folder);
    return 0;
}

#endif
