#include "survey.h"

#include "balance.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 8, WIDE = 32, LISTED = 3 };
/* RT16: the most frequent class has so many times the rows of the rarest; RT17: where numbers of an input may lie unsaid */
static const double RATIO_NOTE = 5, RATIO_WARNING = 10, MEAN = 0.2, LEAST_STD = 0.3, MOST_STD = 3, REACH = 3, REACH_OF_IMAGES = 1;

ActStatus act_survey_begin(ActSurvey *survey, const ActTensor *tensor, uint64_t width, ActError *error)
{
    *survey = (ActSurvey){ .classes = width == 1 ? tensor->classes : 0 };
    if (tensor->classes) { /* of a sequence's tokens nobody expects equal shares */
        survey->count = calloc(survey->classes + 1, sizeof *survey->count);
        return survey->count ? ACT_OK : act_error_memory(error);
    }
    if (tensor->type != ACT_F32) return ACT_OK;
    survey->features = act_tensor_features(tensor);
    survey->slots = survey->features * (survey->features < LANES ? (LANES + survey->features - 1) / survey->features : 1);
    survey->sum = calloc(survey->slots, sizeof *survey->sum);
    survey->square = calloc(survey->slots, sizeof *survey->square);
    survey->base = calloc(survey->slots, sizeof *survey->base);
    survey->low = calloc(survey->slots, sizeof *survey->low);
    survey->high = calloc(survey->slots, sizeof *survey->high);
    return survey->sum && survey->square && survey->base && survey->low && survey->high ? ACT_OK : act_error_memory(error);
}

void act_survey_free(ActSurvey *survey)
{
    free(survey->count);
    free(survey->sum);
    free(survey->square);
    free(survey->base);
    free(survey->low);
    free(survey->high);
    *survey = (ActSurvey){ 0 };
}

static void add_slots(ActSurvey *s, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double d = (double)x[i] - (double)s->base[i];
        s->sum[i] += d;
        s->square[i] += d * d;
        s->low[i] = x[i] < s->low[i] ? x[i] : s->low[i];
        s->high[i] = x[i] > s->high[i] ? x[i] : s->high[i];
    }
}

void act_survey_add(ActSurvey *survey, const float *rows, size_t n, uint64_t width)
{
    if (survey->rows == 0)
        for (size_t i = 0; i < survey->slots; i++) survey->base[i] = survey->low[i] = survey->high[i] = rows[i % survey->features];
    survey->rows += n;
    for (size_t i = 0; survey->classes && i < n; i++)
        if (rows[i] >= 0 && rows[i] < (float)survey->classes) survey->count[(size_t)rows[i]]++;
    for (size_t r = 0; survey->slots && r < n; r++)
        for (uint64_t e = 0; e < width; e += survey->slots)
            add_slots(survey, rows + r * width + e, width - e < survey->slots ? (size_t)(width - e) : survey->slots);
}

/* ── what is said ── */

typedef struct Teller {
    const ActSurvey *survey;
    const ActView *view;
    const ActTensor *tensor;
    const ActModel *model;
    FILE *out;
} Teller;

static void head(const Teller *t, int warning, const char *rule)
{
    uint32_t line = t->view->field->line ? t->view->field->line : t->tensor->line;
    fprintf(t->out, "%s[%s]: ", warning ? "warning" : "note", rule);
    if (line && t->model->source) fprintf(t->out, "%s:%u: ", t->model->source, line);
}

static void name_class(const Teller *t, char *const *name, size_t n, size_t class)
{
    if (class < n) fprintf(t->out, "`%s`", name[class]);
    else fprintf(t->out, "class %zu", class);
}

static void tell_classes(const Teller *t, char *const *name, size_t n)
{
    const ActSurvey *s = t->survey;
    size_t most = 0, least = SIZE_MAX, absent = 0, first = 0;
    for (size_t c = 0; c < s->classes; c++) {
        if (s->count[c] > s->count[most]) most = c;
        if (s->count[c] && (least == SIZE_MAX || s->count[c] < s->count[least])) least = c;
        if (!s->count[c] && !absent++) first = c;
    }
    if (least == SIZE_MAX) return;
    if (absent) {
        head(t, 1, "RT16");
        fprintf(t->out, "in `%s`, ", t->view->path);
        if (absent == 1) name_class(t, name, n, first);
        else fprintf(t->out, "%zu of the %zu classes", absent, s->classes);
        fprintf(t->out, " of `%s` never %s: nothing can be learned of what is not there\n", t->tensor->name, absent == 1 ? "occurs" : "occur");
    }
    double ratio = (double)s->count[most] / (double)s->count[least];
    if (ratio <= RATIO_NOTE || act_balance_of(t->model, t->tensor)) return;
    head(t, ratio > RATIO_WARNING, "RT16");
    fprintf(t->out, "the classes of `%s` are unbalanced in `%s`: ", t->tensor->name, t->view->path);
    name_class(t, name, n, most);
    fprintf(t->out, " has %s of %s rows, ", act_text_count(s->count[most]).text, act_text_count(s->rows).text);
    name_class(t, name, n, least);
    fprintf(t->out, " %s: a network that always says the first is right in %.0f %% of them; look at the metric `f1`, and weigh "
                    "the classes (`weight = balanced` in the loss)\n",
            act_text_count(s->count[least]).text, 100 * (double)s->count[most] / (double)s->rows);
}

typedef struct Feature { double mean, deviation; float low, high; } Feature;

static Feature feature_of(const ActSurvey *s, uint64_t width, size_t f)
{
    Feature out = { .low = s->low[f], .high = s->high[f] };
    double sum = 0, square = 0, count = (double)s->rows * (double)(width / s->features);
    for (size_t i = f; i < s->slots; i += s->features) {
        if (s->slots > width && i >= width) break; /* a slot that nothing fell into */
        sum += s->sum[i];
        square += s->square[i];
        out.low = fminf(out.low, s->low[i]);
        out.high = fmaxf(out.high, s->high[i]);
    }
    out.mean = (double)s->base[f] + sum / count;
    out.deviation = sqrt(fmax(0, square / count - sum / count * (sum / count)));
    return out;
}

static void tell_constant(const Teller *t)
{
    const ActSurvey *s = t->survey;
    int column = t->tensor->rank <= 1, target = t->tensor->role == ACT_TARGET;
    size_t constant = 0;
    for (size_t f = 0; f < s->features; f++) {
        Feature x = feature_of(s, t->view->width, f);
        constant += !(x.low < x.high);
    }
    if (constant == 0 || (s->features > WIDE && constant * 2 < s->features)) return; /* the border of pictures, say */
    head(t, s->features <= WIDE, "RT17");
    if (s->features == 1) fprintf(t->out, "`%s` is", t->tensor->name);
    else fprintf(t->out, "%zu of the %zu %s of `%s` %s", constant, s->features, column ? "columns" : "channels", t->tensor->name,
                 constant == 1 ? "is" : "are");
    fprintf(t->out, " the same in every row of `%s`", t->view->path);
    for (size_t f = 0, listed = 0; column && f < s->features && listed < LISTED; f++) {
        Feature x = feature_of(s, t->view->width, f);
        if (x.low < x.high) continue;
        fprintf(t->out, "%s%s: %g", listed++ ? ", " : " (from ", act_view_place(t->view, 0, f).text, (double)x.low);
    }
    fprintf(t->out, "%s; %s\n", column ? ")" : "", target ? "there is nothing to learn of it" : "what never changes tells a network nothing: leave it out");
}

static void tell_scale(const Teller *t)
{
    const ActSurvey *s = t->survey;
    const ActField *field = t->view->field;
    double reach = t->tensor->rank == 3 ? REACH_OF_IMAGES : REACH;
    for (uint32_t i = 0; i < field->n_transform; i++)
        if (field->transform[i].kind == ACT_T_NORMALIZE) return; /* by the model */
    if (t->tensor->low <= t->tensor->high) return; /* the checker knew (ACT1101) */
    for (size_t f = 0; f < s->features; f++) {
        Feature x = feature_of(s, t->view->width, f);
        int odd = fabs(x.mean) > MEAN || x.deviation < LEAST_STD || x.deviation > MOST_STD;
        if (!odd || ((double)x.low >= -reach && (double)x.high <= reach) || !(x.low < x.high)) continue;
        head(t, 0, "RT17");
        fprintf(t->out, "`%s` in `%s` has numbers from %g to %g", t->tensor->name, t->view->path, (double)x.low, (double)x.high);
        if (s->features > 1) fprintf(t->out, " in %s %zu", t->tensor->rank <= 1 ? "column" : "channel", f + 1);
        fprintf(t->out, ", mean %.3g, deviation %.3g; networks learn best from a mean of 0 and a deviation of 1: `|> normalize`\n", x.mean,
                x.deviation);
        return;
    }
}

void act_survey_tell(const ActSurvey *survey, const ActView *view, const ActTensor *tensor, char *const *class_name, size_t n_class,
                     const ActModel *model, FILE *out)
{
    const Teller t = { survey, view, tensor, model, out };
    if (survey->rows < 2) return;
    if (survey->classes && tensor->role == ACT_TARGET) tell_classes(&t, class_name, n_class);
    if (!survey->slots) return;
    tell_constant(&t);
    if (tensor->role == ACT_INPUT) tell_scale(&t);
}
