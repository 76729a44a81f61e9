/* What the monitor measures and finds, as the logs write it. */
#include "../../../runtime/host/log.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support.h"

static const char *jsonl, *csv;

static void write_all(uint64_t from)
{
    static const ActLogLayer layer = { "linear1", 7, 0.5, 1.25, 0.5, 0.25, NAN, 2, NAN };
    static const ActLogLayer forecast = { "linear1", 7, NAN, 1.5, NAN, 0, NAN, 1, NAN };
    static const uint64_t count[4] = { 0, 3, 5, 0 };
    static const ActLogHistogram histogram = { "linear1", "preactivation", -2, 2, count, 4, 1, 6 };
    static const ActLogFinding finding = { "RT01", 7, "warning", "a quarter is dead" };
    ActScore trained = { .loss = 0.75 };
    const char *path[] = { jsonl, csv };
    ActLogs logs = { 0 };
    assert_int_equal(act_logs_open(&logs, path, 2, from, NULL), ACT_OK);
    act_logs_write(&logs, &(ActLogEvent){ .forecast = &forecast }, NULL);
    act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = 3, .layer = &layer }, NULL);
    act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = 3, .histogram = &histogram }, NULL);
    act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = 3, .finding = &finding }, NULL);
    act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = 4, .seconds = 1, .rate = 2, .trained = &trained }, NULL);
    act_logs_close(&logs, NULL);
}

static void expect_file(const char *path, const char *text)
{
    char room[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    room[fread(room, 1, sizeof room - 1, file)] = 0;
    fclose(file);
    assert_string_equal(room, text);
}

#define FORECAST "{\"event\":\"forecast\",\"layer\":\"linear1\",\"line\":7,\"deviation\":1.5,\"dead\":0,\"gradient\":1}\n"
#define LAYER \
    "{\"event\":\"layer\",\"epoch\":1,\"step\":3,\"layer\":\"linear1\",\"line\":7,\"mean\":0.5,\"deviation\":1.25,\"zeros\":0.5,\"dead\":0.25,\"gradient\":2}\n"
#define HISTOGRAM \
    "{\"event\":\"histogram\",\"epoch\":1,\"step\":3,\"layer\":\"linear1\",\"what\":\"preactivation\",\"low\":-2,\"high\":2,\"counts\":[0,3,5,0]}\n"
#define FINDING "{\"event\":\"finding\",\"epoch\":1,\"step\":3,\"code\":\"RT01\",\"line\":7,\"level\":\"warning\",\"message\":\"a quarter is dead\"}\n"
#define EPOCH "{\"epoch\":1,\"step\":4,\"seconds\":1,\"rows_per_second\":2,\"train\":{\"loss\":0.75}}\n"

static void test_events(void **state)
{
    (void)state;
    Folder folder;
    folder_open(&folder);
    jsonl = folder_file(&folder, "run.jsonl");
    csv = folder_file(&folder, "run.csv");
    write_all(0);
    expect_file(jsonl, FORECAST LAYER HISTOGRAM FINDING EPOCH);
    expect_file(csv, "epoch,step,seconds,rows_per_second,train_loss\n1,4,1,2,0.75\n"); /* epochs alone */
    write_all(3); /* goes on: what stands behind step 3 is written again, the forecast is not */
    expect_file(jsonl, FORECAST LAYER HISTOGRAM FINDING LAYER HISTOGRAM FINDING EPOCH);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_events) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
