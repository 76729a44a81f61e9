/* ACT704: windows, or parts of a kernel, that see nothing but the border. */
#include "check/edit.h"
#include "check/example.h"
#include "check/sight.h"

static void report_empty(CheckContext *cx, NodeId id, const Sight *sight, const SightAxis *a)
{
    const char *word = sight_word(sight->n, (uint32_t)(a - sight->axis));
    Diag *diag = check_report(cx, LEVEL_WARN, edit_argument_span(cx, check_span(cx, id), "padding"),
                              "%u of %u windows of `" STR_FMT "` see nothing but its border", a->empty, a->places,
                              STR_ARG(check_name(cx, id)));
    check_spot_node(cx, id);
    uint32_t border = a->before > a->after ? a->before : a->after;
    if (a->dilation == 1 || border >= a->span)
        diag_primary(diag, "a border of %u %s%s, and windows of %u", border, word, border == 1 ? "" : "s", a->span);
    else
        diag_primary(diag, "elements %u apart step over the input's %u %ss", a->dilation, a->size, word);
    check_label_outer(cx, diag, id, "in this use");
    diag_note(diag, "zeros go in, so the same number comes out for every input: the bias");
    diag_help(diag, border >= a->span ? "a border of at most %u leaves every window something to see; `padding = same` keeps the size"
                                      : "a dilation below %u leaves every window something to see",
              border >= a->span ? a->span - 1 : a->size);
}

static void report_idle(CheckContext *cx, NodeId id, const Sight *sight)
{
    uint32_t all = 1, met = 1;
    const SightAxis *worst = &sight->axis[0];
    for (uint32_t i = 0; i < sight->n; i++) {
        const SightAxis *a = &sight->axis[i];
        all *= a->kernel;
        met *= a->kernel - a->idle;
        worst = a->idle > worst->idle ? a : worst;
    }
    Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "%u of %u elements of the kernel of `" STR_FMT "` only ever meet the border",
                              all - met, all, STR_ARG(check_name(cx, id)));
    check_spot_node(cx, id);
    diag_primary(diag, "spans %u %ss, and the input has %u", worst->span, sight_word(sight->n, (uint32_t)(worst - sight->axis)),
                 worst->size);
    check_label_outer(cx, diag, id, "in this use");
    diag_note(diag, "weights there are multiplied with zeros and get no gradient: they stay as they started");
    if (worst->dilation > 1)
        diag_help(diag, "take a smaller dilation: up to %u every element meets something",
                  worst->size > 1 ? 2 * (worst->size - 1) / (worst->kernel - 1) : 1);
    else
        diag_help(diag, "a kernel of %u does the same here", worst->kernel - worst->idle);
}

static void padding_too_large(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        Sight sight;
        const SightAxis *empty = NULL;
        bool idle = false;
        for (uint32_t i = 0; sight_of(cx, id, &sight) && sight.zeros && i < sight.n; i++) {
            if (sight.axis[i].empty > (empty ? empty->empty : 0))
                empty = &sight.axis[i];
            idle = idle || (sight.axis[i].idle > 0 && !sight.maximum);
        }
        if (empty)
            report_empty(cx, id, &sight, empty);
        else if (idle)
            report_idle(cx, id, &sight);
    }
}

ACT_CHECK(padding_too_large) = {
    .code = "ACT704",
    .name = "padding_too_large",
    .group = "convolution",
    .level = LEVEL_WARN,
    .summary = "windows, or elements of a kernel, that see nothing but the border",
    .doc =
        "With a border as wide as the window itself the outermost windows see zeros only. Their result is the bias, whatever the input is: "
        "rows and columns of constants that later layers have to learn to ignore. Usual is a border of (k - 1) / 2, which `padding = same` "
        "works out.\n\n"
        "The other way round an input can be smaller than the kernel: with `padding = same`, a 3 x 3 kernel on a single pixel meets the pixel "
        "with its middle alone, and eight weights of nine are multiplied with zeros for good. A dilation wider than the image does the same "
        "(Chen and others, \"Rethinking atrous convolution\", 2017, saw 3 x 3 kernels become 1 x 1).",
    .wrong = EXAMPLE_CONV("3, padding = 3"),
    .right = EXAMPLE_CONV("3, padding = 1"),
    .run = padding_too_large,
};
