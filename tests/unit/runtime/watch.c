/* The monitor's rules: each speaks where it should, and is silent just beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../runtime/host/monitor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RULES = 64, ROWS = 4 };

/* Two layers, relu between them, four classes. */
typedef struct Stage {
    ActMonitor m;
    ActProgress quiet;
    ActLogs no_logs;
    ActMeasured now[2];
    ActFound found[RULES];
    void *array[2];
    float sum[ROWS], squares[ROWS];
} Stage;

static ActWatchPoint point[2];
static ActWatch watch;
static ActModel model;
static ActTrain train;
static ActTensor target;
static ActLoss loss;
static const ActRun run;

static void stage_set(Stage *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 0; i < 2; i++) {
        point[i] = (ActWatchPoint){ .layer = i ? "linear2" : "linear1", .kind = "linear", .function = i ? "" : "relu", .line = 4,
                                    .function_line = 5, .units = 8, .values = 8, .deviation = 1, .dead = 0, .gradient = 1 };
        for (int k = 0; k < ACT_WATCH_STATS; k++) point[i].stat[k] = ACT_WATCH_NONE;
        s->now[i] = (ActMeasured){ .deviation = 1, .zeros = 0.5, .saturated = 0, .gradient = 1, .update = 1e-3, .dead = 0, .values = 32 };
    }
    point[1].stat[ACT_WATCH_SUM] = 0;
    point[1].stat[ACT_WATCH_SQUARES] = 1;
    for (int r = 0; r < ROWS; r++) s->sum[r] = (float)r, s->squares[r] = (float)(r * r);
    s->array[0] = s->sum;
    s->array[1] = s->squares;
    watch = (ActWatch){ .point = point, .n_point = 2, .first = 1, .last = 2, .ratio = 1, .loss = 1.4, .clip = ACT_WATCH_NONE, .window = 256 };
    target = (ActTensor){ .name = "y", .classes = 4 };
    loss = (ActLoss){ .name = "loss", .weight = 1, .mean = 1, .line = 9 };
    train = (ActTrain){ .settings = "sgd(lr = 0.1)" };
    model = (ActModel){ .name = "m", .source = "m.act", .target_value = &target, .n_target = 1, .loss = &loss, .n_loss = 1, .train = &train, .watch = &watch };
    s->m = (ActMonitor){ .model = &model, .watch = &watch, .run = &run, .progress = &s->quiet, .logs = &s->no_logs, .now = s->now,
                         .found = s->found, .array = s->array, .rows = ROWS, .step = 51, .first_step = 1, .first_update = 1, .epoch = 1 };
}

static const ActWatchRule *rule_of(Stage *s, const char *code)
{
    for (s->m.rule = 0; act_watch_rule(s->m.rule); s->m.rule++)
        if (strcmp(act_watch_rule(s->m.rule)->code, code) == 0) return act_watch_rule(s->m.rule);
    fail_msg("no rule %s", code);
    return NULL;
}

/* The level after `times` such measurements. */
static ActLevel measured(Stage *s, const char *code, int times)
{
    const ActWatchRule *rule = rule_of(s, code);
    void *own = calloc(1, rule->room + 1);
    for (int i = 0; i < times; i++) rule->measured(&s->m, own);
    free(own);
    return s->found[s->m.rule].level;
}

/* The level after steps 1 … n with these losses. */
static ActLevel stepped(Stage *s, const char *code, unsigned n, double (*of)(unsigned step))
{
    const ActWatchRule *rule = rule_of(s, code);
    void *own = calloc(1, rule->room + 1);
    for (unsigned i = 1; i <= n; i++) {
        s->m.step = i;
        rule->stepped(&s->m, own, of(i));
    }
    free(own);
    return s->found[s->m.rule].level;
}

#define EXPECT(level, code, change)                       \
    do {                                                  \
        Stage s;                                          \
        stage_set(&s);                                    \
        change;                                           \
        assert_int_equal(measured(&s, code, 12), level);   \
    } while (0)

static void test_layers(void **state)
{
    (void)state;
    EXPECT(ACT_LEVEL_NONE, "RT01", s.now[0].dead = 0.1);
    EXPECT(ACT_LEVEL_NOTE, "RT01", s.now[0].dead = 0.15);
    EXPECT(ACT_LEVEL_WARNING, "RT01", s.now[0].dead = 0.25);
    EXPECT(ACT_LEVEL_ERROR, "RT01", s.now[0].dead = 0.31);
    EXPECT(ACT_LEVEL_NONE, "RT01", s.now[0].dead = NAN); /* no window yet */
    EXPECT(ACT_LEVEL_NONE, "RT02", s.now[0].zeros = 0.9);
    EXPECT(ACT_LEVEL_WARNING, "RT02", s.now[0].zeros = 0.99);
    EXPECT(ACT_LEVEL_NONE, "RT03", s.now[0].gradient = 0.11);
    EXPECT(ACT_LEVEL_NOTE, "RT03", s.now[0].gradient = 0.09);
    EXPECT(ACT_LEVEL_WARNING, "RT03", s.now[0].gradient = 0.9e-3);
    EXPECT(ACT_LEVEL_ERROR, "RT03", s.now[0].gradient = 0.9e-7);
    EXPECT(ACT_LEVEL_NOTE, "RT03", s.now[0].gradient = 69);
    EXPECT(ACT_LEVEL_WARNING, "RT03", s.now[0].gradient = 71);
    EXPECT(ACT_LEVEL_NONE, "RT04", s.now[0].update = 0.9e-2);
    EXPECT(ACT_LEVEL_NOTE, "RT04", s.now[0].update = 1.1e-2);
    EXPECT(ACT_LEVEL_WARNING, "RT04", s.now[0].update = 0.9e-5);
    EXPECT(ACT_LEVEL_ERROR, "RT04", s.now[0].update = 0);
    EXPECT(ACT_LEVEL_NONE, "RT04", (s.now[0].update = 0, train.accumulate = 4)); /* a step between two updates */
    EXPECT(ACT_LEVEL_NONE, "RT04", (s.now[0].update = 5, s.m.step = 1)); /* the first measurement */
    EXPECT(ACT_LEVEL_NONE, "RT05", s.now[0].saturated = 0.1);
    EXPECT(ACT_LEVEL_WARNING, "RT05", s.now[0].saturated = 0.26);
    EXPECT(ACT_LEVEL_NONE, "RT06", s.now[0].deviation = 1.9);
    EXPECT(ACT_LEVEL_WARNING, "RT06", s.now[0].deviation = 0.09);
    EXPECT(ACT_LEVEL_WARNING, "RT06", s.now[0].mean = -2.1);
    EXPECT(ACT_LEVEL_NONE, "RT06", s.now[1].deviation = 50); /* logits */
    EXPECT(ACT_LEVEL_NONE, "RT13", s.sum[0] = 1);
    EXPECT(ACT_LEVEL_ERROR, "RT13", for (int r = 0; r < ROWS; r++) s.sum[r] = s.squares[r] = 3);
    EXPECT(ACT_LEVEL_NONE, "RT14", (void)0); /* nothing is known of the output */
    EXPECT(ACT_LEVEL_WARNING, "RT15", (watch.clip = 0, watch.clip_norm = 1, s.sum[0] = 1.1f));
    EXPECT(ACT_LEVEL_NONE, "RT15", (watch.clip = 0, watch.clip_norm = 1, s.sum[0] = 0.9f));
    EXPECT(ACT_LEVEL_WARNING, "RT18", s.now[1].update = 0);
    EXPECT(ACT_LEVEL_NONE, "RT18", s.now[1].update = 1e-8);
}

static double falling(unsigned i) { return 2.0 / (1 + 0.01 * i); }
static double flat(unsigned i) { return 2 + 0.01 * (i % 3); }
static double rising(unsigned i) { return i < 100 ? 1 : 3; }
static double guess(unsigned i) { return 1.3863 + 0.001 * (i % 2); }
static double two_softmaxes(unsigned i) { return 0.7437 + 0.0001 * (i % 2); }
static double learnt(unsigned i) { return i < 100 ? 1.2 : 0.3; }
static double swings(unsigned i) { return i / 10 % 2 ? 1.5 : 0.5; }
static double noise(unsigned i) { return 1 + 0.05 * (i / 10 % 2 ? 1 : -1); }
static double large(unsigned i) { return i == 1 ? 3 : 1; }
static double usual(unsigned i) { return i == 1 ? 1.5 : 1; }

static void test_losses(void **state)
{
    (void)state;
    static const struct { const char *code; double (*of)(unsigned); ActLevel level; } expected[] = {
        { "RT07", falling, ACT_LEVEL_NONE },  { "RT07", flat, ACT_LEVEL_WARNING },  { "RT07", rising, ACT_LEVEL_ERROR },
        { "RT08", large, ACT_LEVEL_WARNING }, { "RT08", usual, ACT_LEVEL_NONE },    { "RT09", guess, ACT_LEVEL_WARNING },
        { "RT09", two_softmaxes, ACT_LEVEL_WARNING }, { "RT09", learnt, ACT_LEVEL_NONE }, { "RT11", swings, ACT_LEVEL_WARNING },
        { "RT11", noise, ACT_LEVEL_NONE },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        Stage s;
        stage_set(&s);
        if (stepped(&s, expected[i].code, 600, expected[i].of) != expected[i].level) fail_msg("row %zu: %s", i, expected[i].code);
    }
}

static ActLevel over(const double *validation, size_t n, double trained_loss)
{
    Stage s;
    stage_set(&s);
    const ActWatchRule *rule = rule_of(&s, "RT12");
    void *own = calloc(1, rule->room + 1);
    for (size_t i = 0; i < n; i++) {
        ActScore trained = { .loss = trained_loss }, score = { .part = "validation", .loss = validation[i] };
        rule->over(&s.m, own, &trained, &score, 1);
    }
    free(own);
    return s.found[s.m.rule].level;
}

static void test_overfit(void **state)
{
    (void)state;
    assert_int_equal(over((const double[]){ 1, 1.1, 1.2, 1.3 }, 4, 1), ACT_LEVEL_NOTE);
    assert_int_equal(over((const double[]){ 1, 1.2, 1.4, 1.7 }, 4, 1), ACT_LEVEL_WARNING);
    assert_int_equal(over((const double[]){ 1, 1.2, 1.1, 1.3 }, 4, 1), ACT_LEVEL_NONE); /* it fell in between */
}

/* Every rule has its page, in the order of codes, each once. */
static void test_pages(void **state)
{
    (void)state;
    char last[16] = "";
    size_t n = 0;
    ActWatchPage page;
    for (; act_watch_page(n, &page); n++) {
        assert_true(strcmp(page.code, last) > 0);
        assert_true(strlen(page.doc) > 80 && strlen(page.summary) > 10 && strlen(page.name) > 3);
        snprintf(last, sizeof last, "%s", page.code);
    }
    size_t rules = 0;
    while (act_watch_rule(rules)) rules++;
    assert_int_equal(n, rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers), cmocka_unit_test(test_losses), cmocka_unit_test(test_overfit),
                                        cmocka_unit_test(test_pages) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
