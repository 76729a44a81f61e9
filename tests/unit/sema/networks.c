/* Whole networks: networks/NAME.act compiles to the graph in networks/NAME.graph. ACT_UPDATE=1 writes the graphs anew.
 */
#include "sema/harness.h"

#include "base/file.h"

#include <stdlib.h>

static const char *const names[] = {
    "autoencoder",     "fashion_mlp",     "many_losses", "nested",     "own_functions", "regression",
    "residual_blocks", "shapes_and_ties", "tokens",      "two_groups", "xor",
};

static Str folder_file(Arena *arena, const char *name, const char *ending)
{
    Str here = path_dir(arena, STR(__FILE__));
    return str_printf(arena, STR_FMT "networks/%s%s", STR_ARG(here), name, ending);
}

/* Everything sema says about a model that is not in its graph. */
static void describe(const Program *program, const Model *model, Text *out)
{
    graph_print(model->graph, out);
    for (uint32_t i = 0; i < model->layers.n; i++) {
        const LayerUse *use = &model->layers.at[i];
        text_printf(out, "# layer %u " STR_FMT ": " STR_FMT "%s %%%u -> %%%u", i + 1, STR_ARG(use->name),
                    STR_ARG(use->kind), use->activation ? " (activation)" : "", use->in, use->out);
        for (uint32_t k = 0; k < use->n_tensor; k++)
            text_printf(out, " " STR_FMT, STR_ARG(model->graph->tensors.at[use->tensor[k]].name));
        text_putc(out, '\n');
    }
    for (uint32_t i = 0; i < model->losses.n; i++) {
        const LossCall *loss = &model->losses.at[i];
        text_printf(out, "# loss %u " STR_FMT " of %%%u, %s%s%s%s%s\n", loss->loss, STR_ARG(loss->fn), loss->prediction,
                    loss->mean ? "mean" : "sum", loss->classes ? ", classes" : "", loss->wants_logits ? ", logits" : "",
                    loss->wants_probabilities ? ", probabilities" : "",
                    loss->wants_log_probabilities ? ", log-probabilities" : "");
    }
    for (uint32_t i = 0; model->train && i < model->train->optimizers.n; i++) {
        const OptimizerUse *use = model->train->optimizers.at[i];
        text_printf(out, "# optimizer " STR_FMT "\n", STR_ARG(use->text));
        for (uint32_t k = 0; k < use->update.n; k++) {
            text_printf(out, "#   %u = ", use->update.at[k].target);
            sx_print(program->sx, use->update.at[k].value, out);
            text_putc(out, '\n');
        }
    }
    if (model->train && model->train->schedule) {
        text_printf(out, "# schedule ");
        sx_print(program->sx, model->train->schedule, out);
        text_putc(out, '\n');
    }
}

static void check_network(const char *name)
{
    Arena *arena = arena_new();
    Str text, expected, why;
    assert_true(file_read(arena, folder_file(arena, name, ".act"), &text, &why));
    Run *run = run_text(str_c(arena, text));
    Model *model = run_model(run);
    Text found = {.arena = arena};
    describe(run->program, model, &found);
    Str path = folder_file(arena, name, ".graph");
    if (getenv("ACT_UPDATE"))
        assert_true(file_write(arena, path, found.p, found.n, &why));
    assert_true(file_read(arena, path, &expected, &why));
    if (!str_eq(expected, text_str(&found)))
        fprintf(stderr, "%s is now:\n%.*s\n", name, (int)found.n, found.p);
    assert_true(str_eq(expected, text_str(&found)));
    run_end(run);
    arena_free(arena);
}

static void networks_are_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_network(names[i]);
}

/* The same text twice gives the same graph: nothing depends on addresses or order of hashing. */
static void twice_the_same(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str text, why;
    assert_true(file_read(arena, folder_file(arena, "many_losses", ".act"), &text, &why));
    Run *a = run_text(str_c(arena, text)), *b = run_text(str_c(arena, text));
    Text one = {.arena = arena}, two = {.arena = arena};
    describe(a->program, run_model(a), &one);
    describe(b->program, run_model(b), &two);
    assert_true(str_eq(text_str(&one), text_str(&two)));
    run_end(a);
    run_end(b);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_as_written),
        cmocka_unit_test(twice_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
