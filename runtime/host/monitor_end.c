/* The end of a monitored run: what was found, and whether the checker was right. */
#include "monitor.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <string.h>

static ActText half(double x, int percent)
{
    ActText text;
    if (isnan(x)) snprintf(text.text, sizeof text.text, "-");
    else if (percent) snprintf(text.text, sizeof text.text, "%.1f %%", 100 * x);
    else snprintf(text.text, sizeof text.text, "%.3g", x);
    return text;
}

static ActText pair(double predicted, double measured, int percent)
{
    ActText text = { "" };
    if (!isnan(predicted) || !isnan(measured))
        snprintf(text.text, sizeof text.text, "%.20s / %.20s", half(predicted, percent).text, half(measured, percent).text);
    return text;
}

/* Gradients are compared with that at the output layer; without one, with the last point's. */
static double relative_gradient(const ActMonitor *m, uint32_t p)
{
    uint32_t last = m->watch->last ? m->watch->last - 1 : m->watch->n_point - 1;
    return m->first[last].gradient > 0 ? m->first[p].gradient / m->first[last].gradient : NAN;
}

static void table(ActMonitor *m)
{
    act_progress_say(m->progress, "predicted / measured, in step %llu:", (unsigned long long)m->first_step);
    int wide = 8;
    for (uint32_t p = 0; p < m->watch->n_point; p++)
        if ((int)strlen(m->watch->point[p].layer) > wide) wide = (int)strlen(m->watch->point[p].layer);
    act_progress_say(m->progress, "  %-*s  line  %-19s  %-19s  %-17s  %-17s  %s", wide, "layer", "deviation", "gradient", "dead", "saturated", "update");
    for (uint32_t p = 0; p < m->watch->n_point; p++) {
        const ActWatchPoint *point = &m->watch->point[p];
        const ActMeasured *seen = &m->first[p];
        char line[400];
        int n = snprintf(line, sizeof line, "  %-*.200s  %4u  %-19s  %-19s  %-17s  %-17s  %s", wide, point->layer, point->line,
                         pair(point->deviation, seen->deviation, 0).text, pair(point->gradient, relative_gradient(m, p), 0).text,
                         pair(point->dead, seen->dead, 1).text, pair(point->saturated, seen->saturated, 1).text,
                         pair(point->update * m->first_scale, seen->update, 0).text);
        while (n > 0 && line[n - 1] == ' ') line[--n] = 0;
        act_progress_say(m->progress, "%s", line);
    }
}

static void path(ActMonitor *m)
{
    const ActWatch *watch = m->watch;
    if (!watch->first || !watch->last || watch->first == watch->last || isnan(watch->ratio)) return;
    const ActWatchPoint *first = &watch->point[watch->first - 1], *last = &watch->point[watch->last - 1];
    double ratio = m->first[watch->first - 1].gradient / m->first[watch->last - 1].gradient;
    char band[64] = "";
    if (!isnan(watch->ratio_low)) snprintf(band, sizeof band, " (%.3g to %.3g)", watch->ratio_low, watch->ratio_high);
    act_progress_say(m->progress, "gradient at `%s` against `%s`: predicted %.3g%s, measured %.3g", first->layer, last->layer, watch->ratio, band,
                     ratio);
}

/* Does the monitor's rule observe what the checker's rule `code` warns of? */
static int meets(const ActWatchRule *rule, const char *code)
{
    for (size_t i = 0; i < sizeof rule->meets / sizeof *rule->meets && rule->meets[i]; i++)
        if (strcmp(rule->meets[i], code) == 0) return 1;
    return 0;
}

/* As event "check". */
static void log_warning(ActMonitor *m, const ActWarning *warning, const char *verdict, const char *why)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "event", "check");
    cJSON_AddNumberToObject(object, "step", (double)m->step);
    cJSON_AddStringToObject(object, "code", warning->code);
    cJSON_AddStringToObject(object, "name", warning->name);
    if (warning->line) cJSON_AddNumberToObject(object, "line", warning->line);
    cJSON_AddStringToObject(object, "message", warning->message ? warning->message : "");
    cJSON_AddStringToObject(object, "verdict", verdict);
    cJSON_AddStringToObject(object, "why", why);
    const ActLogEvent event = { .step = m->step, .object = object };
    act_logs_write(m->logs, &event, m->run->problems);
    cJSON_Delete(object);
}

static void warnings(ActMonitor *m)
{
    for (uint32_t i = 0; i < m->watch->n_warning; i++) {
        const ActWarning *warning = &m->watch->warning[i];
        const ActFound *seen = NULL;
        const char *asked = NULL;
        for (size_t k = 0; act_watch_rule(k); k++) {
            const ActWatchRule *rule = act_watch_rule(k);
            int told_elsewhere = !rule->measured && !rule->stepped && !rule->over && strcmp(rule->code, "RT10") != 0;
            if (!meets(rule, warning->code) || told_elsewhere) continue;
            asked = act_watch_rule(k)->code;
            if (m->found[k].level >= ACT_LEVEL_WARNING && !seen) seen = &m->found[k];
        }
        const char *verdict = seen ? "observed" : asked ? "not observed" : "nothing here that the monitor could observe";
        char why[400] = "";
        if (seen) snprintf(why, sizeof why, "%s in step %llu: %s", seen->rule->code, (unsigned long long)seen->step, seen->text);
        else if (asked) snprintf(why, sizeof why, "%s was not told in %llu measurements", asked, (unsigned long long)m->measurements);
        act_progress_say(m->progress, "%s (line %u, %s): %s", warning->code, warning->line, warning->name, verdict);
        if (*why) act_progress_say(m->progress, "  %s", why);
        if (m->logs && m->logs->n) log_warning(m, warning, verdict, why);
    }
}

void act_monitor_end(ActMonitor *m)
{
    if (!m->watch || m->measurements == 0) return;
    unsigned notes = 0, rest = 0;
    for (size_t i = 0; act_watch_rule(i); i++) {
        notes += m->found[i].level == ACT_LEVEL_NOTE;
        rest += m->found[i].level > ACT_LEVEL_NOTE;
    }
    act_progress_say(m->progress, "monitor: %llu step%s measured; %u finding%s, %u note%s%s", (unsigned long long)m->measurements,
                     m->measurements == 1 ? "" : "s", rest,
                     rest == 1 ? "" : "s", notes, notes == 1 ? "" : "s", rest + notes ? ":" : "");
    for (size_t i = 0; act_watch_rule(i); i++) {
        const ActFound *found = &m->found[i];
        static const char *const word[] = { "", "note", "warning", "error" };
        if (found->level)
            act_progress_say(m->progress, "  %s[%s] line %u, step %llu: %s", word[found->level], found->rule->code, found->line,
                             (unsigned long long)found->step, found->text);
    }
    table(m);
    path(m);
    warnings(m);
}
