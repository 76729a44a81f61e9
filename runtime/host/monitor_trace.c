/* Where the first value came from that is no number. A run is the same bytes every time, so the steps since the last measurement are gone
 * through again, each of them watched, until one shows it. */
#include "monitor.h"

#include "training.h"

#include <math.h>
#include <string.h>

enum { BEFORE = 3 /* layers named */ };

typedef struct Fault {
    const char *direction; /* "forward", "backward" or "update" */
    char where[128];       /* "`linear2` (linear)" */
    uint32_t line;
    double value;
    long row;              /* of the batch, from 0; -1: not of one row */
    uint32_t points;       /* that came before it on the way */
    int backward;
} Fault;

static long bad_row(const ActMonitor *m, uint32_t array, size_t n, double *value)
{
    const float *at = array == ACT_WATCH_NONE ? NULL : m->array[array];
    for (size_t i = 0; at && i < n; i++)
        if (!isfinite(at[i])) {
            *value = (double)at[i];
            return (long)i;
        }
    return -1;
}

static void at_point(const ActMonitor *m, Fault *fault, uint32_t p)
{
    const ActWatchPoint *point = &m->watch->point[p];
    snprintf(fault->where, sizeof fault->where, "%s `%s` (%s)", fault->backward ? "the gradient at" : "the values of", point->layer, point->kind);
    fault->line = point->line;
    fault->direction = fault->backward ? "backward" : "forward";
}

/* The rows of the batch one by one, with the weights as they were: whose loss is no number? */
static long bad_loss(const ActMonitor *m, ActTraining *t, size_t n)
{
    const void *one[64];
    size_t n_value = t->set.n_value;
    if (!m->model->entry.evaluate || n_value > 64) return -1;
    memcpy(t->m->param, m->param, m->model->param_bytes);
    for (size_t i = 0; i < n; i++) {
        for (size_t v = 0; v < n_value; v++) one[v] = (const char *)t->given[v] + i * t->set.width[v] * 4;
        if (m->model->entry.evaluate(t->m, one, one + m->model->n_input, 1, t->loss, t->evaluator.prediction) != ACT_OK) return -1;
        if (!isfinite(act_loss_value(m->model, t->loss, 1))) return (long)i;
    }
    return -1;
}

static int bad_param(const ActMonitor *m, const ActTraining *t, Fault *fault)
{
    for (uint32_t k = 0; k < m->model->n_param; k++) {
        const ActTensor *tensor = &m->model->param[k];
        const float *at = (const float *)t->m->param + tensor->offset / sizeof(float);
        for (uint64_t i = 0; i < tensor->bytes / sizeof(float); i++) {
            if (isfinite(at[i])) continue;
            snprintf(fault->where, sizeof fault->where, "the new `%s`", tensor->name);
            fault->direction = "update";
            fault->line = tensor->line;
            fault->value = (double)at[i];
            fault->row = -1;
            fault->points = 0;
            return 1;
        }
    }
    return 0;
}

/* In the order of computation: forward, the loss, backward, the update. */
static int find(const ActMonitor *m, ActTraining *t, size_t n, Fault *fault)
{
    const ActWatch *watch = m->watch;
    *fault = (Fault){ .row = -1 };
    for (uint32_t p = 0; p < watch->n_point; p++) {
        fault->row = bad_row(m, watch->point[p].stat[ACT_WATCH_GREATEST], n, &fault->value);
        fault->points = p;
        if (fault->row < 0) continue;
        at_point(m, fault, p);
        return 1;
    }
    fault->points = watch->n_point;
    fault->value = act_loss_value(m->model, t->loss, n);
    if (!isfinite(fault->value)) {
        fault->row = bad_loss(m, t, n);
        fault->direction = "forward";
        fault->line = m->model->loss[0].line;
        snprintf(fault->where, sizeof fault->where, "the loss");
        return 1;
    }
    fault->backward = 1;
    for (uint32_t p = watch->n_point; p-- > 0;) {
        fault->row = bad_row(m, watch->point[p].stat[ACT_WATCH_GRADIENT_GREATEST], n, &fault->value);
        fault->points = p;
        if (fault->row < 0) continue;
        at_point(m, fault, p);
        return 1;
    }
    return bad_param(m, t, fault);
}

static double greatest(const ActMonitor *m, uint32_t array, size_t n)
{
    double most = 0;
    for (size_t i = 0; array != ACT_WATCH_NONE && i < n; i++) most = fmax(most, ((const float *)m->array[array])[i]);
    return most;
}

/* What stood in front of it, the nearest first: values on the way forward, gradients on the way back. */
static void say_before(const ActMonitor *m, const Fault *fault, size_t n, ActError *error)
{
    uint32_t count = fault->backward ? m->watch->n_point - fault->points - 1 : fault->points;
    if (fault->direction[0] == 'u' || count == 0) return;
    act_error_more(error, "\n  before it, max |x|:");
    for (uint32_t i = 0; i < count && i < BEFORE; i++) {
        uint32_t p = fault->backward ? fault->points + 1 + i : fault->points - 1 - i;
        const ActWatchPoint *point = &m->watch->point[p];
        act_error_more(error, "%s `%s` %.3g", i ? "," : "", point->layer,
                       greatest(m, point->stat[fault->backward ? ACT_WATCH_GRADIENT_GREATEST : ACT_WATCH_GREATEST], n));
    }
}

static void say(ActMonitor *m, ActTraining *t, const Fault *fault, size_t n)
{
    char sample[96] = "";
    if (fault->row >= 0)
        snprintf(sample, sizeof sample, ", sample %ld of the batch (row %lu of the training part)", fault->row + 1,
                 (unsigned long)t->order[t->row + (uint64_t)fault->row] + 1);
    act_error_more(t->error, "\n  --> %s:%u: first of all %s: %s in step %llu, %s%s", m->model->source, fault->line, fault->where,
                   isnan(fault->value) ? "NaN" : "infinity", (unsigned long long)t->step, fault->direction, sample);
    say_before(m, fault, n, t->error);
    m->step = t->step;
    m->epoch = t->epoch + 1;
    for (size_t i = 0; act_watch_rule(i); i++) {
        if (strcmp(act_watch_rule(i)->code, "RT10") != 0) continue;
        ActFound *found = &m->found[i];
        *found = (ActFound){ .rule = act_watch_rule(i), .level = ACT_LEVEL_ERROR, .step = t->step, .line = fault->line, .times = 1 };
        snprintf(found->text, sizeof found->text, "%s: %s, %s%s", fault->where, isnan(fault->value) ? "NaN" : "infinity", fault->direction, sample);
        act_finding_log(m, found->rule, found->level, found->line, found->text);
    }
}

static void begin(ActTraining *t)
{
    act_feed_end(t->feed);
    act_training_order(t);
    act_feed_begin(t->feed, t->order, t->row, t->step + 1);
}

ActStatus act_monitor_trace(ActMonitor *m, struct ActTraining *t)
{
    uint64_t until = t->step, rows = t->set.part[ACT_TRAIN_PART].rows;
    Fault fault;
    memcpy(t->m->param, m->param, m->model->param_bytes);
    memcpy(t->m->state, m->state, m->model->state_bytes);
    t->step = m->kept_step;
    t->epoch = m->kept_epoch;
    t->row = m->kept_row;
    begin(t);
    while (t->step < until) {
        size_t n;
        if (t->row >= rows) {
            t->epoch++;
            t->row = 0;
            begin(t);
        }
        memcpy(m->param, t->m->param, m->model->param_bytes);
        if (act_training_step(t, m->array, &n) != ACT_OK) break;
        if (find(m, t, n, &fault)) {
            say(m, t, &fault, n);
            break;
        }
        t->row += n;
    }
    return ACT_E_NONFINITE;
}
