#include "runlog.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ActCurve *curve_of(ActCurves *curves, const char *part, const char *name)
{
    for (size_t i = 0; i < curves->n; i++)
        if (strcmp(curves->at[i].part, part) == 0 && strcmp(curves->at[i].name, name) == 0) return &curves->at[i];
    if (curves->n == curves->room) {
        size_t room = curves->room ? 2 * curves->room : 16;
        ActCurve *longer = realloc(curves->at, room * sizeof *longer);
        if (!longer) return NULL;
        curves->at = longer;
        curves->room = room;
    }
    ActCurve *curve = &curves->at[curves->n++];
    *curve = (ActCurve){ .part = part, .name = name };
    return curve;
}

/* A point that is not behind the last one is passed over: it was measured again. */
static int put_point(ActCurve *curve, double x, double y)
{
    if (!curve) return 0;
    if (!isfinite(x) || (curve->n && x <= curve->x[curve->n - 1])) return 1;
    if (curve->n == curve->room) {
        size_t room = curve->room ? 2 * curve->room : 32;
        double *longer = realloc(curve->x, room * sizeof *longer);
        if (longer) curve->x = longer;
        double *other = longer ? realloc(curve->y, room * sizeof *other) : NULL;
        if (!other) return 0;
        curve->y = other;
        curve->room = room;
    }
    curve->x[curve->n] = x;
    curve->y[curve->n++] = y;
    return 1;
}

int act_curves_scores(ActCurves *curves, const ActRunLog *log)
{
    static const char *const parts[] = { "train", "validation", "test" };
    *curves = (ActCurves){ 0 };
    for (size_t i = 0; i < log->n; i++) {
        if (strcmp(act_runlog_event(log->line[i]), "epoch") != 0) continue;
        double epoch = act_runlog_number(log->line[i], "epoch");
        for (size_t p = 0; p < 3; p++) {
            const cJSON *item, *part = cJSON_GetObjectItemCaseSensitive(log->line[i], parts[p]);
            cJSON_ArrayForEach(item, part)
                if (!put_point(curve_of(curves, parts[p], item->string), epoch, cJSON_IsNumber(item) ? item->valuedouble : NAN)) return 0;
        }
    }
    return 1;
}

int act_curves_layers(ActCurves *curves, const ActRunLog *log, const char *event, const char *quantity)
{
    *curves = (ActCurves){ 0 };
    for (size_t i = 0; i < log->n; i++) {
        const cJSON *line = log->line[i];
        double value = act_runlog_number(line, quantity), step = act_runlog_number(line, "step"), source = act_runlog_number(line, "line");
        if (isnan(value) || strcmp(act_runlog_event(line), event) != 0) continue;
        ActCurve *curve = curve_of(curves, act_runlog_text(line, "layer"), quantity);
        if (!put_point(curve, isnan(step) ? 0 : step, value)) return 0;
        if (!isnan(source)) curve->line = (unsigned)source;
    }
    return 1;
}

void act_curves_free(ActCurves *curves)
{
    for (size_t i = 0; i < curves->n; i++) {
        free(curves->at[i].x);
        free(curves->at[i].y);
    }
    free(curves->at);
    *curves = (ActCurves){ 0 };
}
