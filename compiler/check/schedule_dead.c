/* ACT903: a schedule that stands still, or stops training, in the run it is written for. It is evaluated, so one's own
 * is known as well as a built-in one. */
#include "check/data_rows.h"
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

static const double dead_rate = 1e-6;  /* of the greatest: nothing moves any more */
static const double dead_share = 0.05; /* of the run: a schedule that ends at zero is near it for longer than a step */
static const double beyond = 100;      /* times the run: as far as its end is looked past */
enum { SAMPLES = 2000 };

typedef enum Fault { FINE, NEGATIVE, ENDS_EARLY, STILL_WARM, NEVER_CHANGES } Fault;
typedef struct Course {
    Fault fault;
    double at, value; /* the step that shows it, and the factor there */
    double total;
} Course;

static double factor(const CheckContext *cx, double now, double total)
{
    return sx_eval(cx->sx, cx->model->train->schedule, (double[]){now, total});
}

static double step_of(double total, uint32_t i)
{
    return total <= SAMPLES ? 1 + i : 1 + floor((total - 1) * i / (SAMPLES - 1));
}

static Course course_of(const CheckContext *cx, double total)
{
    uint32_t n = total <= SAMPLES ? (uint32_t)total : SAMPLES;
    double most = -INFINITY, first = factor(cx, 1, total), last = first, alive = 1;
    bool rises = true, same = true;
    for (uint32_t i = 0; i < n; i++) {
        double now = step_of(total, i), value = factor(cx, now, total);
        if (value < -dead_rate)
            return (Course){NEGATIVE, now, value, total};
        most = fmax(most, value);
        rises = rises && (i == 0 || value > last);
        same = same && value == first;
        last = value;
    }
    for (uint32_t i = 0; i < n; i++)
        if (factor(cx, step_of(total, i), total) > dead_rate * most)
            alive = step_of(total, i);
    if (most > 0 && total - alive >= 2 && total - alive > dead_share * total)
        return (Course){ENDS_EARLY, alive + 1, 0, total};
    for (double now = total + 1; now <= beyond * total && total > 1; now += fmax(1, floor(total / 50))) {
        double value = factor(cx, now, total);
        if (rises && value > 1.01 * last)
            return (Course){STILL_WARM, total, last, total};
        if (same && value != first)
            return (Course){NEVER_CHANGES, now, value, total};
    }
    return (Course){.fault = FINE};
}

/* A run of unknown length: only what is wrong with every one. */
static Course course_of_any(const CheckContext *cx)
{
    Course course = {.fault = FINE};
    for (double total = 1e5; total >= 100; total /= 10) {
        Course one = course_of(cx, total);
        if ((one.fault != NEGATIVE && one.fault != ENDS_EARLY) || (total < 1e5 && one.fault != course.fault))
            return (Course){.fault = FINE};
        course = one;
    }
    return course;
}

static void schedule_dead(CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    const Ast *setting = edit_setting(train, "schedule");
    if (train == NULL || train->schedule == 0 || setting == NULL || setting->n_kid == 0)
        return;
    uint64_t steps = data_rows_steps(cx);
    Course course = steps ? course_of(cx, (double)steps) : course_of_any(cx);
    if (course.fault == FINE)
        return;
    Diag *diag = NULL;
    Span span = setting->kid[0]->span;
    switch (course.fault) {
    case NEGATIVE:
        diag = check_report(cx, LEVEL_DENY, span, "this schedule makes the learning rate negative");
        diag_primary(diag, "%.3g times the rate in step %.0f of %.0f", course.value, course.at, course.total);
        diag_note(diag, "with a negative rate every step makes the loss larger");
        diag_help(diag, "end at 0 or above");
        break;
    case ENDS_EARLY:
        diag = check_report(cx, LEVEL_WARN, span, "this schedule stops training before the run ends");
        diag_primary(diag, "less than a millionth of the rate from step %.0f of %.0f on", course.at, course.total);
        diag_help(diag, "let it fall more slowly, or end the run there");
        break;
    case STILL_WARM:
        diag = check_report(cx, LEVEL_WARN, span, "the run ends while this schedule is still warming up");
        diag_primary(diag, "%.3g times the rate in the last of %.0f steps", course.value, course.total);
        diag_help(diag, "warm up over a tenth of the run or less: `warmup = %.0f`", fmax(1, floor(course.total / 10)));
        break;
    default:
        diag = check_report(cx, LEVEL_WARN, span, "the run ends before this schedule changes anything");
        diag_primary(diag, "the first change comes after the last of %.0f steps", course.total);
        diag_help(diag, "steps are counted in batches, not epochs: the run has %.0f of them", course.total);
    }
    if (steps)
        diag_note(diag, "%llu epochs of %llu rows in batches of %u", (unsigned long long)train->epochs,
                  (unsigned long long)data_rows_train(cx), train->batch);
}

ACT_CHECK(schedule_dead) = {
    .code = "ACT903",
    .name = "schedule_dead",
    .group = "optimiser",
    .level = LEVEL_WARN,
    .summary = "a schedule that stops training early, goes negative, or never acts in this run",
    .doc =
        "A schedule is a factor on the learning rate in each step, and steps are batches, not epochs. Written for "
        "another length of run it does something else: `step(every = 30)`, meant for epochs, has divided the rate by "
        "a billion after 270 batches; `warmup = 4000` in a run of 2000 batches never reaches the rate; a first "
        "change at step 10000 of 5000 never comes. Below a millionth of its greatest value, for more than a "
        "twentieth of the run, the rate counts as zero. A factor below zero climbs: an error.\n\n"
        "The schedule is evaluated over the run. How long that is follows from the epochs, the batch and the rows of "
        "the training part, when its file lies where the program says and tells (`idx` and `npy` heads, tables up to "
        "16 MiB). Of a run of unknown length only what holds for 100 to 100000 steps alike is reported.",
    .wrong = EXAMPLE_HOUSE_RUN("    epochs    90\n"
                               "    optimizer sgd(lr = 0.01)\n"
                               "    schedule  step(every = 10)\n"),
    .right = EXAMPLE_HOUSE_RUN("    epochs    90\n"
                               "    optimizer sgd(lr = 0.01)\n"
                               "    schedule  step(every = 3000)\n"),
    .run = schedule_dead,
};
