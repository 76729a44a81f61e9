/* ACT905: batches and epochs that do not go together with the data or with other settings. */
#include "check/data_rows.h"
#include "check/edit.h"
#include "check/example.h"

enum { FEW_STEPS = 200 }; /* a run that hardly leaves its start */

static void check_batch(CheckContext *cx, const TrainUse *train, uint64_t rows)
{
    const Ast *setting = edit_setting(train, "batch");
    if (rows == 0 || train->batch <= rows)
        return;
    Diag *diag = check_report(cx, LEVEL_WARN, setting ? setting->span : train->span,
                              "a batch of %u is larger than the training part", train->batch);
    diag_primary(diag, "there %s %llu row%s", rows == 1 ? "is" : "are", (unsigned long long)rows, rows == 1 ? "" : "s");
    diag_note(diag, "every epoch is a single step over all of them");
    diag_help(diag, "choose a batch well below, such as `batch %llu`",
              (unsigned long long)(rows >= 256 ? 32 : rows >= 16 ? rows / 8 : 1));
}

/* Settings that count epochs, and would act after the last one. */
static void check_patience(CheckContext *cx, const TrainUse *train)
{
    const Ast *stop = edit_setting(train, "stop"), *checkpoint = edit_setting(train, "checkpoint");
    if (stop && train->patience >= train->epochs) {
        Diag *diag = check_report(cx, LEVEL_WARN, stop->span, "early stopping never stops this run");
        diag_primary(diag, "waits for %llu epochs, and there are %llu", (unsigned long long)train->patience,
                     (unsigned long long)train->epochs);
        diag_help(diag, "raise the epochs: early stopping ends the run, so their number is only a bound");
    }
    if (checkpoint && train->checkpoint_every > train->epochs) {
        Diag *diag = check_report(cx, LEVEL_WARN, checkpoint->span, "no checkpoint falls into this run");
        diag_primary(diag, "every %llu epochs, and there are %llu", (unsigned long long)train->checkpoint_every,
                     (unsigned long long)train->epochs);
        diag_help(diag, "save more often, or leave it out: then there is a checkpoint every ten minutes");
    }
}

static void batch_epoch(CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    if (train == NULL)
        return;
    uint64_t rows = data_rows_train(cx), steps = data_rows_steps(cx);
    check_batch(cx, train, rows);
    check_patience(cx, train);
    const Ast *epochs = edit_setting(train, "epochs");
    if (epochs && train->epochs == 1 && steps > 0 && steps < FEW_STEPS && train->batch <= rows) {
        Diag *diag = check_report(cx, LEVEL_NOTE, epochs->span, "one epoch of this data is %llu step%s",
                                  (unsigned long long)steps, steps == 1 ? "" : "s");
        diag_primary(diag, "every row is seen once");
        diag_help(diag, "small data is usually seen ten times and more");
    }
}

ACT_CHECK(batch_epoch) = {
    .code = "ACT905",
    .name = "batch_epoch",
    .group = "optimiser",
    .level = LEVEL_WARN,
    .summary = "a batch larger than the data, or too few epochs for what counts them",
    .doc =
        "A batch that is larger than the training part makes every epoch a single step over all rows: the noise "
        "between batches, which helps, is gone, and a few epochs are a few steps. A single epoch over data so small "
        "that it is fewer than 200 steps hardly leaves the start: a note.\n\n"
        "`stop early(patience = 20)` in a run of 10 epochs never stops, and `checkpoint every 5 epochs` in a run of "
        "3 never saves before the end.\n\n"
        "The number of rows is known when the file of the training part lies where the program says and tells it: "
        "the heads of `idx` and `npy`, tables up to 16 MiB; what `split` takes away is counted.",
    .wrong = EXAMPLE_HOUSE_RUN("    epochs    10\n"
                               "    optimizer adam\n"
                               "    stop      early(patience = 20)\n"),
    .right = EXAMPLE_HOUSE_RUN("    epochs    200\n"
                               "    optimizer adam\n"
                               "    stop      early(patience = 20)\n"),
    .run = batch_epoch,
};
