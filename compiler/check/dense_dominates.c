/* ACT108: one dense layer behind a flattened map holds nearly all parameters. */
#include "check/edit.h"

static const double dominating_share = 0.9;      /* of all parameters */
static const uint64_t least_weights = 1000000;   /* below that, size is no question */

/* The map that was flattened into this row; 0: it was no map. */
static NodeId flattened(const CheckContext *cx, NodeId product)
{
    NodeId at = graph_node(cx->g, product)->in[0];
    while (graph_type(cx->g, at)->rank < 3 && facts_passes(graph_node(cx->g, at)))
        at = graph_node(cx->g, at)->in[0];
    return graph_type(cx->g, at)->rank >= 3 ? at : 0;
}

static void dense_dominates(CheckContext *cx)
{
    const Graph *g = cx->g;
    uint64_t all = 0;
    for (uint32_t i = 0; i < g->tensors.n; i++)
        all += g->tensors.at[i].role == ROLE_PARAM ? type_elements(&g->tensors.at[i].type) : 0;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        int weight = cx->facts->live[id] ? facts_weight(g, id) : -1;
        NodeId map = weight >= 0 ? flattened(cx, id) : 0;
        uint64_t own = map ? type_elements(&g->tensors.at[weight].type) : 0;
        if (own <= least_weights || (double)own <= dominating_share * (double)all)
            continue;
        const Type *from = graph_type(g, map);
        Diag *diag = check_report(cx, LEVEL_NOTE, check_span(cx, id),
                                  "`" STR_FMT "` holds %.4g %% of all parameters", STR_ARG(check_name(cx, id)),
                                  100 * (double)own / (double)all);
        check_spot_node(cx, id);
        diag_primary(diag, "%llu of %llu", (unsigned long long)own, (unsigned long long)all);
        check_label_outer(cx, diag, id, "in this use");
        uint64_t channels = type_last(from), places = type_elements(from) / channels;
        diag_note(diag, "it has a weight for each of %llu places of the map and each unit",
                  (unsigned long long)places);
        diag_help(diag, "make the map smaller, or the layer narrower; over the mean of each channel it would have "
                        "%llu weights", (unsigned long long)(own / places));
        return;
    }
}

ACT_CHECK(dense_dominates) = {
    .code = "ACT108",
    .name = "dense_dominates",
    .group = "shapes",
    .level = LEVEL_NOTE,
    .summary = "one dense layer behind a flattened map holds nearly all parameters",
    .doc =
        "A dense layer behind `flatten` has a weight for every place of the map and every unit: 64 x 64 pixels with "
        "3 channels and 512 units are 6.3 million weights, while everything behind it may have a few thousand. Such "
        "a layer must see every shift of a picture anew, overfits first, and is where the time of a step goes. "
        "Averaging over the places of a computed map, or a narrower first layer, divides the number.\n\n"
        "A note, when one layer has more than a million weights and more than nine tenths of all. Rows that were "
        "never a map, and embeddings, do not count.",
    .wrong = "model photos {\n"
             "    input  image : f32[64, 64, 3]\n"
             "    target label : class(10)\n"
             "    z = image |> flatten |> linear(512) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .right = "model photos {\n"
             "    input  image : f32[64, 64, 3]\n"
             "    target label : class(10)\n"
             "    z = image |> flatten |> linear(64) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .run = dense_dominates,
};
