/* ACT308 dead_relu: the fraction of units that no sample switches on, before any training. */
#include "check/flow.h"
#include "check/forecast.h"

#include <math.h>

enum { warn_layers = 3 };
static const double note_part = 0.10, warn_part = 0.20, much = 0.30;

static bool is_candidate(CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    double scale, shift;
    if (!f->live[id] || f->of_target[id] || f->base[id] == id || f->base[id] == 0 || !f->weighted[f->base[id]] ||
        cx->signal->gradient[id] == 0 || sx_is_affine(cx->sx, f->fn[id], 0, &scale, &shift))
        return false;
    return check_traits(cx, f->fn[id])->dies && flow_reach(cx, id).layer;
}

static void dead_relu(CheckContext *cx)
{
    uint32_t samples = forecast_window(cx->model), layers = 0;
    NodeId worst = 0, first = 0;
    double most = note_part;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        if (!is_candidate(cx, id))
            continue;
        double part = forecast_dead(cx->signal, id, samples);
        layers += part > note_part;
        first = first == 0 && part > note_part ? id : first;
        if (part > most) {
            most = part;
            worst = id;
        }
    }
    if (worst == 0)
        return;
    NodeId base = cx->facts->base[worst];
    const Moments *m = &cx->signal->value[base];
    /* In a layer or two the next updates of what stands in front may move its inputs; a row of them stays as it is. */
    Diag *diag = check_report(cx, most > warn_part && layers >= warn_layers ? LEVEL_WARN : LEVEL_NOTE,
                              check_span(cx, worst), "%.0f %% of the units of `" STR_FMT "` are dead before training",
                              100 * most, STR_ARG(check_name(cx, worst)));
    diag_primary(diag, most > much ? "a third of the layer or more does nothing"
                                   : "off on every sample, so they do not learn");
    check_label_outer(cx, diag, worst, "in this use");
    if (first != worst && check_span(cx, first).begin != check_span(cx, worst).begin)
        diag_label(diag, check_span(cx, first), "more than %.0f %% from here on, in %u layers", 100 * note_part,
                   layers);
    diag_note(diag,
              "predicted for %u samples: their values in front of it have a correlation of %.3f, so that they switch "
              "a unit "
              "on or off together",
              samples, m->second > 0 ? m->corr : 1);
    if (first != worst)
        diag_note(diag, "every layer of it makes samples more alike; %u layers have more than %.0f %% dead units",
                  layers, 100 * note_part);
    diag_help(diag, "`leaky_relu`, `elu` or `gelu` cannot die; centred inputs (`normalize`), fewer layers or residual "
                    "connections keep samples apart");
    check_spot_node(cx, worst);
    check_spot_causes(cx, base);
}

ACT_CHECK(dead_relu) = {
    .code = "ACT308",
    .name = "dead_relu",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "units of a relu that no sample switches on, predicted before training",
    .doc =
        "A relu that is zero now and then is healthy: half of them are, on any sample. One that is zero on every "
        "sample "
        "is dead: its slope is zero everywhere, and no gradient brings it back. Units die when samples look alike to "
        "them, because then one weight vector decides for all. Two samples enter a layer with a correlation c and "
        "leave "
        "relu with (sqrt(1 - c²) + c (π - acos c)) / π (Cho and Saul 2009), which is larger: in a plain network of "
        "twenty "
        "layers all samples point the same way, and a quarter of the units of the last layers are dead before the "
        "first step. Inputs that are all positive, such as pixels in [0, 1], start with a large c.\n\n"
        "The rule propagates mean, size and correlation and integrates the probability that a unit is off for all of "
        "256 "
        "samples (or a batch, if that is larger). Above 10 % it is a note; above 20 %, with three layers or more "
        "beyond 10 %, a warning. Measured networks lie "
        "within a few points of it. Any function that is constant on a half line counts.",
    .wrong = "block layer(x) { x |> linear(64) |> relu }\n"
             "model m {\n"
             "    input  x : f32[32]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(24, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .right = "block layer(x) { x |> linear(64) |> leaky_relu(0.1) }\n"
             "model m {\n"
             "    input  x : f32[32]\n"
             "    target y : class(10)\n"
             "    h = x |> repeat(24, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .run = dead_relu,
};
