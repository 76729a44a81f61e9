/* actc plot: logs of trainings as a page of charts. */
#include "driver/command.h"

#include "act/act.h"

static int plot_run(Arena *arena, Options *options)
{
    if (!options->files.n)
        return usage_error(options, STR("no log to plot"), STR("actc plot run.jsonl -o run.html"));
    if (!options->output.n)
        return usage_error(options, STR("where the page goes is not said"), STR("`-o compare.html` names a file"));
    const char **run = arena_array(arena, const char *, options->files.n);
    for (uint32_t i = 0; i < options->files.n; i++)
        run[i] = str_c(arena, options->files.at[i]);
    ActError *error = arena_new_of(arena, ActError);
    if (act_plot(run, options->files.n, str_c(arena, options->output), error) != ACT_OK)
        return usage_error(options, str_of(error->text), (Str){0});
    return EXIT_CLEAN;
}

ACT_COMMAND(plot) = {
    .name = "plot",
    .usage = "plot RUN… -o FILE.html",
    .summary = "a page of charts from the logs of trainings",
    .doc = "Draws what trainings logged (`--log`, `--report`): a RUN is a file of JSON lines or a table, a page written by "
           "`--report`, or a folder with such files in it. One run is shown with all that its log has. Several are "
           "laid over each other, with a table of their final values and the settings in which they differ. The page is one "
           "file that asks nothing of any other place. A file that is no log, or a damaged one, is named with line and column.",
    .examples = "actc run model.act -- --log runs/a.jsonl\n"
                "actc run model.act --set hidden=gelu -- --log runs/b.jsonl\n"
                "actc plot runs/ -o compare.html\n",
    .run = plot_run,
};
