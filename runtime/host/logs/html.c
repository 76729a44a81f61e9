/* The page of a run (report.h). It is drawn from the lines that jsonl.c writes, and carries them along: a training that goes on reads them
 * back from there, and `actc plot` takes pages as it takes logs. It is drawn anew after an epoch, as a whole (output.h), but not so often that
 * it costs the training much. */
#include "host/log.h"

#include "host/file.h"
#include "host/output.h"
#include "host/progress.h"
#include "host/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const ActLogKind act_log_jsonl;

enum { COSTS = 30 /* a page is drawn when the training took so many times as long as the last drawing */ };

typedef struct Page { char *text; size_t n; double next; int due; } Page;

/* The lines of a page that stand at most at the step from which the training goes on. */
static ActStatus take_lines(ActLog *log, ActError *error)
{
    ActBytes old = { 0 };
    ActStatus status = act_file_read(log->path, &old, error);
    if (status != ACT_OK) return status;
    char *text = act_runlog_of_page((const char *)old.data);
    free(old.data);
    if (!text) return act_error(error, ACT_E_FORMAT, "`%s` is no page of this training: it has no log inside; name another file", log->path);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        cJSON *object = cJSON_Parse(line);
        double step = act_runlog_number(object, "step");
        if (object && !(step > (double)log->from)) {
            fprintf(log->file, "%s\n", line);
            log->begun = 1;
        }
        cJSON_Delete(object);
    }
    free(text);
    return ACT_OK;
}

static void close_page(ActLog *log);

static ActStatus open_page(ActLog *log, ActError *error)
{
    ActStatus status = act_file_replaceable(log->path, error);
    if (status != ACT_OK) return status;
    Page *page = calloc(1, sizeof *page);
    log->own = page;
    log->file = page ? open_memstream(&page->text, &page->n) : NULL;
    if (!log->file) {
        free(page);
        log->own = NULL;
        return act_error_memory(error);
    }
    return log->from > 0 && act_file_exists(log->path) ? take_lines(log, error) : ACT_OK;
}

static ActStatus draw(ActLog *log, ActError *error)
{
    Page *own = log->own;
    ActRunLog lines;
    ActPage page = { 0 };
    ActFileOut out;
    double begin = act_progress_seconds();
    if (fflush(log->file) != 0) return act_error_memory(error);
    ActStatus status = act_runlog_parse(&lines, own->text, own->n, log->path, error);
    if (status != ACT_OK) return status;
    act_report_draw(&page, &lines, own->text);
    act_runlog_free(&lines);
    status = page.failed ? act_error_memory(error) : act_file_begin(&out, log->path, error);
    if (status == ACT_OK) {
        act_file_put(&out, page.at, page.n);
        status = act_file_finish(&out, error);
    }
    act_page_free(&page);
    double now = act_progress_seconds();
    own->next = now + fmax(1, COSTS * (now - begin));
    own->due = 0;
    return status;
}

static void write_event(ActLog *log, const ActLogEvent *event)
{
    static ActError error;
    Page *page = log->own;
    act_log_jsonl.write(log, event);
    page->due = 1;
    if (act_log_is_epoch(event) && act_progress_seconds() >= page->next && draw(log, &error) != ACT_OK) log->why = error.text;
}

static const char *end_page(ActLog *log)
{
    static ActError error;
    Page *page = log->own;
    return page->due && draw(log, &error) != ACT_OK ? error.text : NULL;
}

static void close_page(ActLog *log)
{
    Page *page = log->own;
    fclose(log->file);
    if (page) free(page->text);
    free(page);
    log->own = NULL;
}

ACT_LOG(html) = {
    .name = "html",
    .ending = ".html",
    .doc = "a page with charts",
    .open = open_page,
    .write = write_event,
    .end = end_page,
    .close = close_page,
};
