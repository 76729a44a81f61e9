/* Batches made beside the steps are those made in line, whatever is asked when. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/feed.h"
#include "../../../runtime/host/shuffle.h"

#include "support.h"
#include "toy_model.h"

enum { ROWS = 103, BATCH = 10, EPOCHS = 4 };

static Folder folder;
static ToyModel t;
static ActInstance *m;
static ActFacts facts;
static ActDataset set;
static ActError error;
static uint32_t order[ROWS];

static int begin(void **state)
{
    (void)state;
    char text[8192] = "a,b,c,d,species\n", line[64];
    folder_open(&folder);
    for (int i = 0; i < ROWS; i++) {
        snprintf(line, sizeof line, "%d,%d,%d,%d,%s\n", i, i * i % 17, -i, i % 5, i % 3 == 0 ? "ant" : i % 3 == 1 ? "cat" : "dog");
        strcat(text, line);
    }
    folder_text(&folder, "train.csv", text);
    toy_make(&t, folder.path, 0);
    t.data.n_part = 1;
    m = act_instance_new(&t.model, 3, &error);
    assert_non_null(m);
    assert_good(act_facts_new(&facts, &t.model, &error), &error);
    return 0;
}

static int end(void **state)
{
    (void)state;
    act_dataset_free(&set);
    act_facts_free(&facts);
    act_instance_free(m);
    folder_close(&folder);
    unsetenv("ACT_DATA_MEMORY");
    return 0;
}

static void load(void)
{
    static const ActRun run;
    const ActWanted train = { 1u << ACT_TRAIN_PART, 1, NULL, 0 };
    assert_good(act_dataset_load(&set, m, &run, &train, &facts, &error), &error);
}

/* Every epoch from `row` on, one number from all that comes. */
static uint64_t walk(ActFeed *feed, uint64_t row)
{
    uint64_t h = 0, step = 1;
    for (uint64_t epoch = 1; epoch <= EPOCHS; epoch++) {
        size_t n, rows = 0;
        const void *const *value;
        for (uint32_t i = 0; i < ROWS; i++) order[i] = i;
        act_shuffle(order, ROWS, 7, 1, epoch);
        act_feed_begin(feed, order, epoch == 1 ? row : 0, step);
        for (;; step++) {
            assert_good(act_feed_next(feed, &value, &n, &error), &error);
            if (n == 0) break;
            rows += n;
            const unsigned char *x = value[0], *label = value[1];
            for (size_t i = 0; i < n * 16; i++) h = h * 1099511628211u + x[i];
            for (size_t i = 0; i < n * 4; i++) h = h * 1099511628211u + label[i];
        }
        assert_int_equal(rows, ROWS - (epoch == 1 ? row : 0));
        act_feed_end(feed);
    }
    return h;
}

static void beside_is_as_in_line(void **state)
{
    (void)state;
    for (int mapped = 0; mapped < 2; mapped++) {
        if (mapped) setenv("ACT_DATA_MEMORY", "0", 1);
        load();
        for (uint64_t row = 0; row < 2 * BATCH + 1; row += BATCH) {
            uint64_t h[ACT_FEED_BESIDE + 1];
            for (int i = 0; i <= ACT_FEED_BESIDE; i++) {
                ActFeed *feed = act_feed_new(&set, BATCH, m->pool, 5, (ActFeedMode)i, &error);
                assert_non_null(feed);
                if (i) assert_int_equal(act_feed_is_beside(feed), i == ACT_FEED_BESIDE);
                h[i] = walk(feed, row);
                act_feed_free(feed);
                assert_true(h[0] == h[i]);
            }
        }
        act_dataset_free(&set);
    }
}

/* A run that is stopped leaves in the middle of an epoch. */
static void it_ends_at_any_time(void **state)
{
    (void)state;
    load();
    for (uint32_t i = 0; i < ROWS; i++) order[i] = ROWS - 1 - i;
    for (int taken = 0; taken < 6; taken++) {
        ActFeed *feed = act_feed_new(&set, BATCH, m->pool, 5, ACT_FEED_BESIDE, &error);
        const void *const *value;
        size_t n;
        for (int again = 0; again < 2; again++) {
            act_feed_begin(feed, order, 0, 1);
            for (int i = 0; i < taken; i++) assert_good(act_feed_next(feed, &value, &n, &error), &error);
            if (again) act_feed_end(feed);
        }
        act_feed_free(feed);
    }
}

/* A file that becomes shorter while it is read from: the step that wants what is gone gets the message. */
static void a_failure_reaches_the_step(void **state)
{
    (void)state;
    setenv("ACT_DATA_MEMORY", "0", 1);
    load();
    ActSource *source = &set.part[ACT_TRAIN_PART].view[0]->table.source;
    char path[512];
    snprintf(path, sizeof path, "%s", source->path);
    ActSource piecewise = *source; /* as where the address space is too small to map it */
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    piecewise.at = NULL;
    piecewise.fd = fileno(file);
    ActSource mapped = *source;
    *source = piecewise;
    assert_int_equal(truncate(path, 4096 + 16 * 50), 0);
    for (uint32_t i = 0; i < ROWS; i++) order[i] = i;
    for (int mode = ACT_FEED_IN_LINE; mode <= ACT_FEED_BESIDE; mode++) {
        ActFeed *feed = act_feed_new(&set, BATCH, m->pool, 5, (ActFeedMode)mode, &error);
        const void *const *value;
        size_t n, good = 0;
        act_feed_begin(feed, order, 0, 1);
        act_error_clear(&error);
        while (act_feed_next(feed, &value, &n, &error) == ACT_OK) good++;
        assert_int_equal(good, 5);
        assert_has(error.text, "train.csv");
        assert_has(error.text, "became shorter while it was read");
        act_feed_free(feed);
    }
    *source = mapped;
    fclose(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(beside_is_as_in_line),
        TEST(it_ends_at_any_time),
        TEST(a_failure_reaches_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
