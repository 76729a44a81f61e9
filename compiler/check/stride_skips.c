/* ACT703: windows further apart than they are wide. */
#include "check/example.h"
#include "check/flow.h"
#include "check/sight.h"

static bool skips(const SightAxis *a)
{
    return a->stride > a->span ? a->read < a->size : a->read + a->tail < a->size;
}

/* The way around a residual block: a plain product of what it reads, added to the branch. */
static bool is_projection(const CheckContext *cx, NodeId id, const Sight *sight)
{
    const Facts *f = cx->facts;
    for (uint32_t i = 0; i < sight->n; i++)
        if (sight->axis[i].kernel != 1)
            return false;
    return facts_uses(f, id) == 1 && facts_weight(cx->g, f->consumer[f->first[id]]) >= 0 &&
           flow_follow(cx, f->consumer[f->first[id]]).end == FOLLOW_RESIDUAL;
}

static void stride_skips(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        Sight sight;
        double read = 1;
        const SightAxis *worst = NULL;
        for (uint32_t i = 0; sight_of(cx, id, &sight) && i < sight.n; i++) {
            const SightAxis *a = &sight.axis[i];
            read *= (double)a->read / a->size;
            if (skips(a) && (worst == NULL || a->stride > worst->stride))
                worst = a;
        }
        if (worst == NULL)
            continue;
        bool projection = is_projection(cx, id, &sight);
        Diag *diag = check_report(cx, projection ? LEVEL_NOTE : LEVEL_WARN, check_span(cx, id),
                                  "`" STR_FMT "` never reads %.0f %% of its input", STR_ARG(check_name(cx, id)), 100 * (1 - read));
        check_spot_node(cx, id);
        const char *word = sight_word(sight.n, (uint32_t)(worst - sight.axis));
        if (worst->stride > worst->span)
            diag_primary(diag, "reads %u of every %u %ss", worst->span, worst->stride, word);
        else
            diag_primary(diag, "every %u %ss, and %u apart in a window: some are always left out", worst->stride, word,
                         worst->dilation);
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, projection ? "the branch beside it sees the rest; a mean in front of the projection keeps it here, too (He and "
                                     "others, \"Bag of tricks\", 2019)"
                                   : "what is left out has no influence on the result, and its gradient here is 0");
        if (worst->stride > worst->span)
            diag_help(diag, projection ? "average first, and project every place: `avg_pool(%u)`, then a stride of 1"
                                       : "take a kernel of at least %u, or a smaller stride", worst->stride);
        else
            diag_help(diag, "take a stride and a dilation without a common factor");
    }
}

ACT_CHECK(stride_skips) = {
    .code = "ACT703",
    .name = "stride_skips",
    .group = "convolution",
    .level = LEVEL_WARN,
    .summary = "a stride larger than the window: most of the input is never read",
    .doc =
        "Windows of k elements, d apart, that move by more than d (k - 1) + 1 leave gaps: along each axis the share k / s is read, of an image "
        "its square. A 1 x 1 convolution with a stride of 2 reads a quarter of the pixels. A dilation that "
        "shares a factor with the stride does the same (2 and 2: the odd rows are never met), however large the kernel is.\n\n"
        "In the projection around a residual block, where the branch sees the other pixels, it is a note: so the ResNets were "
        "published, and averaging first makes them a little better.",
    .wrong = EXAMPLE_CONV("1, stride = 2"),
    .right = EXAMPLE_CONV("2, stride = 2"),
    .silences = {"ACT702"},
    .run = stride_skips,
};
