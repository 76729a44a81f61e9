/* ACT702: windows that end before their input does. */
#include "check/edit.h"
#include "check/sight.h"

static const double note_most = 0.1; /* more of an axis than this is worth a warning */

static bool loses(const SightAxis *a) { return a->tail > 0 && a->read + a->tail == a->size && a->stride <= a->span; }

/* A border at the end that is just wide enough for one window more. */
static bool widen(CheckContext *cx, Diag *diag, NodeId id, const Sight *sight)
{
    const LayerUse *use = check_use(cx, id);
    if (!sight->zeros || !edit_takes(use, "padding") || graph_node(cx->g, sight->source)->layer == graph_node(cx->g, id)->layer)
        return false;
    Text text = {.arena = cx->arena};
    for (uint32_t i = 0; i < sight->n; i++) {
        const SightAxis *a = &sight->axis[i];
        uint32_t more = loses(a) ? a->stride - (a->before + a->size + a->after - a->span) % a->stride : 0;
        text_printf(&text, "%s%u, %u", i ? ", " : "", a->before, a->after + more);
    }
    Str border = str_printf(cx->arena, "(" STR_FMT ")", STR_ARG(text_str(&text)));
    if (!edit_set_argument(cx, diag, FIX_UNSAFE, use->span, "padding", border))
        return false;
    diag_help(diag, "let a border make room for one window more: `padding = " STR_FMT "`, or change the size in front", STR_ARG(border));
    return true;
}

static void lost_pixels(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        Sight sight;
        Text lost = {.arena = cx->arena};
        double most = 0;
        bool any = false;
        for (uint32_t i = 0; sight_of(cx, id, &sight) && i < sight.n; i++) {
            const SightAxis *a = &sight.axis[i];
            if (!loses(a))
                continue;
            text_printf(&lost, "%sthe last ", any ? " and " : "");
            if (a->tail > 1)
                text_printf(&lost, "%u ", a->tail);
            text_printf(&lost, "of %u %ss", a->size, sight_word(sight.n, i));
            most = (double)a->tail / a->size > most ? (double)a->tail / a->size : most;
            any = true;
        }
        if (!any)
            continue;
        Diag *diag = check_report(cx, most > note_most ? LEVEL_WARN : LEVEL_NOTE, check_span(cx, id),
                                  "`" STR_FMT "` never reads " STR_FMT, STR_ARG(check_name(cx, id)),
                                  STR_ARG(text_str(&lost)));
        check_spot_node(cx, id);
        const SightAxis *a = &sight.axis[loses(&sight.axis[0]) ? 0 : 1];
        uint32_t in = a->before + a->size + a->after;
        if (a->places == 1)
            diag_primary(diag, "one window of %u in %u", a->span, in);
        else
            diag_primary(diag, "%u windows of %u, %u apart, in %u", a->places, a->span, a->stride, in);
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "what stands there has no influence on the result, and its gradient here is 0");
        if (!widen(cx, diag, id, &sight))
            diag_help(diag, "choose a size, a kernel and a stride for which windows end where the input does");
    }
}

#define EXAMPLE(pool)                                                                                          \
    "model digits {\n"                                                                                         \
    "    input  image : f32[14, 14, 1]\n"                                                                      \
    "    target label : class(10)\n"                                                                           \
    "    h = image |> conv2d(16, 3, padding = same) |> relu |> max_pool(2)\n"                                  \
    "    g = h |> conv2d(32, 3, padding = same) |> relu |> " pool "\n"                                         \
    "    loss cross_entropy(g |> flatten |> linear(10), label)\n"                                              \
    "}\n"

ACT_CHECK(lost_pixels) = {
    .code = "ACT702",
    .name = "lost_pixels",
    .group = "convolution",
    .level = LEVEL_WARN,
    .summary = "rows, columns or steps at the end that no window reaches",
    .doc =
        "A window of k elements (spread by its dilation d) that moves by s has a place wherever it fits: the last (H + border - d (k - 1) "
        "- 1) mod s rows are left over. What of them is real and not border is counted. A pool of 2 on 7 rows sees six of them; the "
        "seventh could hold anything.\n\n"
        "Up to a tenth of an axis it is a note, as many published networks have it somewhere; beyond, a warning. The fix adds a border at "
        "the end, which makes the result one larger. A max_pool never chooses its border; for an average and a convolution it "
        "counts as zeros.",
    .wrong = EXAMPLE("max_pool(2)"),
    .right = EXAMPLE("max_pool(2, padding = (0, 1, 0, 1))"),
    .run = lost_pixels,
};
