#include "monitor.h"

#include "core/layout.h"
#include "file.h"
#include "training.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WATCH(name) extern const ActWatchRule act_watch_##name;
#include "watch.inc"
#undef WATCH

static const ActWatchRule *const rules[] = {
#define WATCH(name) &act_watch_##name,
#include "watch.inc"
#undef WATCH
};

enum { RULES = sizeof rules / sizeof *rules };

const ActWatchRule *act_watch_rule(size_t i)
{
    return i < RULES ? rules[i] : NULL;
}

int act_watch_page(size_t i, ActWatchPage *page)
{
    const ActWatchRule *rule = NULL, *last = NULL;
    for (size_t n = 0; n <= i && i < RULES; n++, last = rule) { /* the next code */
        rule = NULL;
        for (size_t k = 0; k < RULES; k++)
            if ((!last || strcmp(rules[k]->code, last->code) > 0) && (!rule || strcmp(rules[k]->code, rule->code) < 0)) rule = rules[k];
    }
    if (!rule) return 0;
    *page = (ActWatchPage){ .code = rule->code, .name = rule->name, .summary = rule->summary, .doc = rule->doc };
    memcpy(page->meets, rule->meets, sizeof page->meets);
    return 1;
}

/* ── memory ── */

/* Floats of array i: one a row, or one a unit of the point it belongs to. */
static size_t array_size(const ActMonitor *m, uint32_t array)
{
    for (uint32_t p = 0; p < m->watch->n_point; p++)
        if (m->watch->point[p].stat[ACT_WATCH_ACTIVE] == array) return m->watch->point[p].units;
    return (size_t)m->batch;
}

static int allocate(ActMonitor *m)
{
    const ActWatch *watch = m->watch;
    m->array = calloc(watch->n_array + 1, sizeof *m->array);
    m->now = calloc(watch->n_point, sizeof *m->now);
    m->first = calloc(watch->n_point, sizeof *m->first);
    m->active = calloc(watch->n_point, sizeof *m->active);
    m->param = malloc(m->model->param_bytes + 1);
    m->state = malloc(m->model->state_bytes + 1);
    m->found = calloc(RULES, sizeof *m->found);
    m->own = calloc(RULES, sizeof *m->own);
    int ok = m->array && m->now && m->first && m->active && m->param && m->state && m->found && m->own;
    for (uint32_t i = 0; ok && i < watch->n_array; i++) ok = (m->array[i] = calloc(array_size(m, i) + 1, sizeof(float))) != NULL;
    for (uint32_t p = 0; ok && p < watch->n_point; p++)
        if (watch->point[p].stat[ACT_WATCH_ACTIVE] != ACT_WATCH_NONE)
            ok = (m->active[p] = calloc(watch->point[p].units, sizeof **m->active)) != NULL;
    for (size_t i = 0; ok && i < RULES; i++) ok = (m->own[i] = calloc(1, rules[i]->room + 1)) != NULL;
    return ok;
}

void act_monitor_free(ActMonitor *m)
{
    if (!m->watch) return;
    for (uint32_t i = 0; m->array && i < m->watch->n_array; i++) free(m->array[i]);
    for (uint32_t p = 0; m->active && p < m->watch->n_point; p++) free(m->active[p]);
    for (size_t i = 0; m->own && i < RULES; i++) free(m->own[i]);
    free(m->array);
    free(m->now);
    free(m->first);
    free(m->active);
    free(m->param);
    free(m->state);
    free(m->found);
    free(m->own);
    free(m->source);
    free(m->source_text);
    *m = (ActMonitor){ 0 };
}

/* The text that findings quote. Where it can't be read they name the line alone. */
static void read_source(ActMonitor *m)
{
    ActBytes file = { 0 };
    const ActTrain *block = m->model->train;
    char path[4096];
    const char *base = strrchr(m->model->source, '/');
    ActError ignored;
    snprintf(path, sizeof path, "%s", m->model->source);
    if (!act_file_exists(path) && block && block->data)
        snprintf(path, sizeof path, "%s/%s", block->data->base, base ? base + 1 : m->model->source);
    if (!act_file_exists(path) || act_file_is_directory(path) || act_file_read(path, &file, &ignored) != ACT_OK) return;
    size_t lines = 1;
    m->source_text = (char *)file.data; /* ends in a 0 */
    for (const char *at = m->source_text; *at; at++) lines += *at == '\n';
    m->source = calloc(lines + 1, sizeof *m->source);
    for (char *at = m->source_text; m->source && at; m->n_source++) {
        char *end = strchr(at, '\n');
        m->source[m->n_source] = at;
        if (end) *end = 0;
        at = end ? end + 1 : NULL;
    }
}

/* Steps whose gradients are added up for an update. */
static uint64_t group_of(const ActModel *model) { return model->train && model->train->accumulate > 1 ? model->train->accumulate : 1; }

int act_step_updates(const ActMonitor *m, uint64_t step) { return step % group_of(m->model) == 0; }

ActStatus act_monitor_begin(ActMonitor *m, struct ActTraining *t)
{
    if (!t->model->watch || t->run->monitor_never) return ACT_OK;
    *m = (ActMonitor){ .model = t->model, .watch = t->model->watch, .run = t->run, .progress = &t->progress, .logs = &t->logs, .training = t };
    m->every = t->run->monitor_every ? t->run->monitor_every : m->watch->every ? m->watch->every : 50;
    m->batch = t->batch;
    for (uint32_t p = 0; p < m->watch->n_point; p++)
        if (m->watch->point[p].stat[ACT_WATCH_ACTIVE] != ACT_WATCH_NONE) m->lead = (m->watch->window + t->batch - 1) / t->batch;
    uint64_t group = group_of(m->model);
    m->lead = (m->lead + group - 1) / group * group; /* its last step is one that rules look at */
    if (!allocate(m)) return act_error_memory(t->error);
    read_source(m);
    for (uint32_t p = 0; p < m->watch->n_point && t->step == 0; p++) {
        const ActWatchPoint *point = &m->watch->point[p];
        const ActLogLayer forecast = { point->layer, point->line, NAN, point->deviation, NAN, point->dead, point->saturated, point->gradient, point->update };
        const ActLogEvent event = { .forecast = &forecast };
        act_logs_write(&t->logs, &event, t->run->problems);
    }
    return ACT_OK;
}

/* Is the step among those that are measured for themselves? Where gradients are accumulated these are updates: the others change no weight. */
static int is_regular(const ActMonitor *m, uint64_t step)
{
    uint64_t group = group_of(m->model), every = (m->every + group - 1) / group;
    return act_step_updates(m, step) && (step / group - 1) % every == 0;
}

int act_monitor_wants(ActMonitor *m, const struct ActTraining *t)
{
    if (!m->watch) return 0;
    uint64_t step = t->step + 1;
    if (step > m->lead && !is_regular(m, step)) return 0;
    memcpy(m->param, t->m->param, m->model->param_bytes);
    memcpy(m->state, t->m->state, m->model->state_bytes);
    m->kept_step = t->step;
    m->kept_epoch = t->epoch;
    m->kept_row = t->row;
    return 1;
}

/* ── a measurement ── */

static double sum_rows(const ActMonitor *m, uint32_t array, size_t n)
{
    double sum = 0;
    if (array == ACT_WATCH_NONE) return NAN;
    for (size_t i = 0; i < n; i++) sum += ((const float *)m->array[array])[i];
    return sum;
}

static double greatest_row(const ActMonitor *m, uint32_t array, size_t n)
{
    double most = 0;
    if (array == ACT_WATCH_NONE) return NAN;
    for (size_t i = 0; i < n; i++) {
        double x = ((const float *)m->array[array])[i];
        if (isnan(x)) return x;
        most = x > most ? x : most;
    }
    return most;
}

/* Sums of squares of n neighbours, eight at a time. */
static void add_squares(const float *now, const float *before, uint64_t n, double *change, double *size)
{
    double c[8] = { 0 }, s[8] = { 0 };
    for (uint64_t i = 0; i < n; i++) {
        double d = (double)now[i] - (double)before[i], w = before[i];
        c[i & 7] += d * d;
        s[i & 7] += w * w;
    }
    for (unsigned i = 0; i < 8; i++) *change += c[i], *size += s[i];
}

static double update_ratio(const ActMonitor *m, const float *param, const ActTensor *tensor)
{
    uint64_t elements = act_layout_elements(tensor), first = tensor->offset / sizeof(float);
    double change = 0, size = 0;
    if (tensor->layout == ACT_ROWS) {
        add_squares(param + first, m->param + first, elements, &change, &size);
    } else {
        uint64_t cols = tensor->dim[tensor->rank - 1], rows = elements / cols;
        for (uint64_t c = 0; c < cols; c += tensor->panel, first += rows * tensor->panel) {
            uint64_t wide = cols - c < tensor->panel ? cols - c : tensor->panel; /* behind it zeros */
            for (uint64_t r = 0; r < rows; r++)
                add_squares(param + first + r * tensor->panel, m->param + first + r * tensor->panel, wide, &change, &size);
        }
    }
    return size > 0 ? sqrt(change / size) : NAN;
}

static void count_bins(const ActMonitor *m, const ActWatchPoint *point, size_t n, ActMeasured *now)
{
    double below = 0;
    for (uint32_t i = 0; i + 1 < ACT_WATCH_BINS; i++) {
        double end = sum_rows(m, point->bins + i, n);
        now->count[i] = end > below ? (uint64_t)(end - below) : 0;
        below = end > below ? end : below;
    }
    now->count[ACT_WATCH_BINS - 1] = now->values > below ? (uint64_t)(now->values - below) : 0;
}

static void measure_point(ActMonitor *m, const float *param, uint32_t p, size_t n)
{
    const ActWatchPoint *point = &m->watch->point[p];
    ActMeasured *now = &m->now[p];
    double dead = m->measurements ? now->dead : NAN;
    *now = (ActMeasured){ .values = (double)n * (double)point->values, .dead = dead };
    now->sum = sum_rows(m, point->stat[ACT_WATCH_SUM], n);
    now->squares = sum_rows(m, point->stat[ACT_WATCH_SQUARES], n);
    now->mean = now->sum / now->values;
    now->deviation = sqrt(fmax(0, now->squares / now->values - now->mean * now->mean));
    now->zeros = sum_rows(m, point->stat[ACT_WATCH_ZEROS], n) / now->values;
    now->saturated = sum_rows(m, point->stat[ACT_WATCH_SATURATED], n) / now->values;
    now->gradient = sqrt(sum_rows(m, point->stat[ACT_WATCH_GRADIENT], n));
    now->greatest = greatest_row(m, point->stat[ACT_WATCH_GREATEST], n);
    now->gradient_greatest = greatest_row(m, point->stat[ACT_WATCH_GRADIENT_GREATEST], n);
    now->update = point->weight ? update_ratio(m, param, &m->model->param[point->weight - 1]) : NAN;
    count_bins(m, point, n, now);
    for (uint32_t u = 0; m->active[p] && u < point->units; u++)
        m->active[p][u] += ((const float *)m->array[point->stat[ACT_WATCH_ACTIVE]])[u];
}

/* The window is full: units that were never on in it are dead, and the next window begins. */
static void close_window(ActMonitor *m)
{
    for (uint32_t p = 0; p < m->watch->n_point; p++) {
        uint64_t off = 0;
        for (uint32_t u = 0; m->active[p] && u < m->watch->point[p].units; u++) {
            off += m->active[p][u] == 0;
            m->active[p][u] = 0;
        }
        if (m->active[p]) m->now[p].dead = (double)off / m->watch->point[p].units;
        if (m->active[p] && isnan(m->first[p].dead)) m->first[p].dead = m->now[p].dead;
    }
    m->window = 0;
}

static void log_point(ActMonitor *m, uint32_t p)
{
    const ActWatchPoint *point = &m->watch->point[p];
    const ActMeasured *now = &m->now[p];
    const ActLogLayer layer = { point->layer, point->line, now->mean, now->deviation, now->zeros, now->dead, now->saturated, now->gradient, now->update };
    const ActLogHistogram histogram = { point->layer, "preactivation", point->low, point->high, now->count, ACT_WATCH_BINS, now->sum, now->squares };
    ActLogEvent event = { .epoch = m->epoch, .step = m->step, .layer = &layer };
    act_logs_write(m->logs, &event, m->run->problems);
    event.layer = NULL;
    event.histogram = &histogram;
    act_logs_write(m->logs, &event, m->run->problems);
}

static int is_finite(const ActMonitor *m, uint32_t p)
{
    int back = m->watch->point[p].stat[ACT_WATCH_GRADIENT_GREATEST] != ACT_WATCH_NONE;
    return isfinite(m->now[p].greatest) && (!back || isfinite(m->now[p].gradient_greatest));
}

ActStatus act_monitor_measure(ActMonitor *m, struct ActTraining *t, size_t n)
{
    m->step = t->step;
    m->epoch = t->epoch + 1;
    m->rows = n;
    for (uint32_t p = 0; p < m->watch->n_point; p++) measure_point(m, t->m->param, p, n);
    if (m->measurements == 0) {
        memcpy(m->first, m->now, m->watch->n_point * sizeof *m->now);
        m->first_step = m->step;
    }
    if (!m->first_update && is_regular(m, m->step)) {
        for (uint32_t p = 0; p < m->watch->n_point; p++) m->first[p].update = m->now[p].update;
        m->first_scale = t->scale;
        m->first_update = m->step;
    }
    m->window += n;
    if (m->window >= m->watch->window) close_window(m);
    m->measurements++;
    for (uint32_t p = 0; p < m->watch->n_point; p++)
        if (!is_finite(m, p)) {
            act_error(t->error, ACT_E_NONFINITE, "training model `%s` came to a value that is no number, in step %llu", m->model->name,
                      (unsigned long long)t->step);
            return act_monitor_trace(m, t);
        }
    if (!is_regular(m, m->step) && m->step != m->lead) return ACT_OK; /* it only fills the first window */
    for (uint32_t p = 0; p < m->watch->n_point; p++) log_point(m, p);
    for (m->rule = 0; m->rule < RULES; m->rule++)
        if (rules[m->rule]->measured) rules[m->rule]->measured(m, m->own[m->rule]);
    return ACT_OK;
}

void act_monitor_stepped(ActMonitor *m, uint64_t step, uint64_t epoch, double loss)
{
    if (!m->watch) return;
    m->step = step;
    m->epoch = epoch;
    for (m->rule = 0; m->rule < RULES; m->rule++)
        if (rules[m->rule]->stepped) rules[m->rule]->stepped(m, m->own[m->rule], loss);
}

void act_monitor_over(ActMonitor *m, const ActScore *trained, const ActScore *score, size_t n)
{
    for (m->rule = 0; m->watch && m->rule < RULES; m->rule++)
        if (rules[m->rule]->over) rules[m->rule]->over(m, m->own[m->rule], trained, score, n);
}

/* ── what rules say ── */

static const char *const level_word[] = { "", "note", "warning", "error" };

/* Beside the progress; where that is silent, where problems go. */
static void __attribute__((format(printf, 2, 3))) say(ActMonitor *m, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (m->progress->out) act_progress_say(m->progress, "%s", text);
    else if (m->run->problems) fprintf(m->run->problems, "%s\n", text);
}

static void show(ActMonitor *m, const ActWatchRule *rule, const ActFound *found, const char *help)
{
    say(m, "%s[%s]: %s", level_word[found->level], rule->code, found->text);
    if (found->line) say(m, "  --> %s:%u", m->model->source, found->line);
    if (found->line && found->line <= m->n_source) {
        char gutter[16];
        int wide = snprintf(gutter, sizeof gutter, "%u", found->line);
        say(m, " %*s |", wide, "");
        say(m, " %s | %s", gutter, m->source[found->line - 1]);
    }
    say(m, "note: step %llu, epoch %llu; `actc explain %s` says more", (unsigned long long)found->step, (unsigned long long)m->epoch, rule->code);
    if (help) say(m, "help: %s", help);
}

void act_found(ActMonitor *m, ActLevel level, uint32_t line, const char *help, const char *format, ...)
{
    const ActWatchRule *rule = rules[m->rule];
    ActFound *found = &m->found[m->rule];
    found->times += level != ACT_LEVEL_NONE;
    if (level <= found->level) return;
    va_list args;
    va_start(args, format);
    vsnprintf(found->text, sizeof found->text, format, args);
    va_end(args);
    found->rule = rule;
    found->level = level;
    found->step = m->step;
    found->line = line;
    if (level > ACT_LEVEL_NOTE) show(m, rule, found, help);
    act_finding_log(m, rule, level, line, found->text);
}

void act_finding_log(ActMonitor *m, const ActWatchRule *rule, ActLevel level, uint32_t line, const char *text)
{
    const ActLogFinding logged = { rule->code, line, level_word[level], text };
    const ActLogEvent event = { .epoch = m->epoch, .step = m->step, .finding = &logged };
    act_logs_write(m->logs, &event, m->run->problems);
}

ActLevel act_level_above(double x, double note, double warning, double error)
{
    return x > error ? ACT_LEVEL_ERROR : x > warning ? ACT_LEVEL_WARNING : x > note ? ACT_LEVEL_NOTE : ACT_LEVEL_NONE;
}

ActLevel act_level_below(double x, double note, double warning, double error) { return act_level_above(-x, -note, -warning, -error); }

int act_loss_window(ActLossWindow *window, uint32_t steps, double loss, double *mean)
{
    window->sum += loss;
    if (++window->steps < steps) return 0;
    *mean = window->sum / steps;
    *window = (ActLossWindow){ 0 };
    return 1;
}

uint32_t act_loss_line(const ActMonitor *m) { return m->model->n_loss ? m->model->loss[0].line : 0; }

const ActWatchPoint *act_point_with_most(const ActMonitor *m, size_t offset, double *most)
{
    uint32_t worst = 0;
    *most = 0;
    for (uint32_t p = 0; p < m->watch->n_point; p++) {
        double x = *(const double *)(const void *)((const char *)&m->now[p] + offset);
        if (x > *most) *most = x, worst = p;
    }
    return &m->watch->point[worst];
}

uint32_t act_point_line(const ActWatchPoint *point)
{
    return *point->function ? point->function_line : point->line;
}

ActText act_point_name(const ActWatchPoint *point)
{
    ActText text;
    int own = !*point->function || strcmp(point->function, point->kind) == 0;
    if (own) snprintf(text.text, sizeof text.text, "`%s`", point->layer);
    else snprintf(text.text, sizeof text.text, "`%s` behind `%s`", point->function, point->layer);
    return text;
}
