#include "metric.h"

#include <math.h>
#include <string.h>

#define METRIC(name) extern const ActMetricKind act_metric_##name;
#include "metrics.inc"
#undef METRIC

static const ActMetricKind *const metrics[] = {
#define METRIC(name) &act_metric_##name,
#include "metrics.inc"
#undef METRIC
};

enum { METRICS = sizeof metrics / sizeof *metrics };

const ActMetricKind *act_metric_find(const char *kind, ActError *error)
{
    const char *names[METRICS];
    for (size_t i = 0; i < METRICS; i++) {
        if (strcmp(metrics[i]->name, kind) == 0) return metrics[i];
        names[i] = metrics[i]->name;
    }
    const char *near = act_text_nearest(kind, names, METRICS, sizeof *names);
    act_error(error, ACT_E_ARGUMENT, "there is no metric `%s`", kind);
    if (near) act_error_more(error, "; there is `%s`", near);
    act_error_more(error, " (metrics:");
    for (size_t i = 0; i < METRICS; i++) act_error_more(error, "%s %s", i ? "," : "", names[i]);
    act_error_more(error, ")");
    return NULL;
}

ActStatus act_metric_check(const ActMetricKind *kind, const ActMetricCall *call, ActError *error)
{
    if (kind->check) return kind->check(kind, call, error);
    if (call->prediction_width == call->target_width) return ACT_OK;
    return act_error(
        error, ACT_E_ARGUMENT,
        "metric `%s` compares element by element, but the prediction has %s in a row and target `%s` has %s",
        kind->name, act_text_count(call->prediction_width).text, call->target->name,
        act_text_count(call->target_width).text);
}

size_t act_metric_slots(const ActMetricKind *kind, const ActMetricCall *call, size_t rows)
{
    return (kind->slots ? kind->slots(call) : 2) + (kind->row_slots ? rows * kind->row_slots(call) : 0);
}

double act_metric_mean(const ActMetricCall *call, double *sum)
{
    (void)call;
    return sum[1] > 0 ? sum[0] / sum[1] : NAN;
}
