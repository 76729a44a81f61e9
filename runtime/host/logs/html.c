/* The page of a run (report.h). It is drawn from the lines that jsonl.c writes, and carries them along: a training that goes on reads them
 * back from there, and `actc plot` takes pages as it takes logs. It is drawn anew after an epoch, as a whole (output.h), but not so often that
 * it costs the training much. */
#include "host/log.h"

#include "host/file.h"
#include "host/output.h"
#include "host/progress.h"
#include "host/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const ActLogKind act_log_jsonl;

enum { COSTS = 30 /* a page is drawn when the training took so many times as long as the last drawing */ };

/* What is measured inside of epochs is thinned out when there is too much of it: of two measurements one stays. */
enum { MEASUREMENTS = 400 };

typedef struct Page {
    ActPage lines;               /* the log so far */
    char *fresh; size_t n;       /* what log->file, a stream into memory, has taken since */
    double next;                 /* seconds, when the page may be drawn again */
    int due;                     /* there is something that it does not show */
    uint64_t seen, kept, every;  /* measurements; how many of them are in the lines; every so manieth is */
    uint64_t step; int any;      /* of the newest one */
} Page;

/* Moves what jsonl.c wrote to the lines. */
static int take_fresh(ActLog *log)
{
    Page *page = log->own;
    if (log->file && fclose(log->file) == 0) act_page_put(&page->lines, page->fresh, page->n);
    else page->lines.failed = 1;
    free(page->fresh);
    page->fresh = NULL;
    log->file = open_memstream(&page->fresh, &page->n);
    if (!log->file || page->lines.failed) log->why = "out of memory";
    return !log->why;
}

/* Leaves every other measurement out of the lines. */
static void thin_out(Page *page)
{
    ActPage less = { 0 };
    double step = -1;
    uint64_t n = 0;
    for (const char *line = page->lines.at, *end; (end = strchr(line, '\n')); line = end + 1) {
        cJSON *object = cJSON_ParseWithLength(line, (size_t)(end - line));
        const char *event = object ? act_runlog_event(object) : "";
        int measured = strcmp(event, "layer") == 0 || strcmp(event, "histogram") == 0;
        if (measured && act_runlog_number(object, "step") != step) {
            step = act_runlog_number(object, "step");
            n++;
        }
        if (!measured || n % 2 == 1) act_page_put(&less, line, (size_t)(end - line) + 1);
        cJSON_Delete(object);
    }
    if (less.failed) {
        act_page_free(&less);
        return; /* then it stays as it is */
    }
    act_page_free(&page->lines);
    page->lines = less;
    page->kept = (n + 1) / 2;
    page->every *= 2;
}

/* Is it a measurement that is left out? */
static int left_out(Page *page, const ActLogEvent *event)
{
    if (!event->layer && !event->histogram) return 0;
    if (!page->any || event->step != page->step) {
        page->any = 1;
        page->step = event->step;
        if (page->seen++ % page->every == 0 && ++page->kept > MEASUREMENTS) {
            thin_out(page);
            page->kept++;
            page->seen = 1; /* this one stays: the first of the next `every` */
        }
    }
    return (page->seen - 1) % page->every != 0;
}

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

/* Told before the first step, as of other logs, which open their file there and then. */
static ActStatus check_folder(const char *path, ActError *error)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? act_text_copy(path, (size_t)(slash - path) + 1) : act_text_copy(".", 1);
    if (!folder) return act_error_memory(error);
    int bad = access(folder, W_OK | X_OK) != 0, why = errno;
    free(folder);
    return bad ? act_error(error, ACT_E_IO, "the log `%s` can't be written: %s", path, strerror(why)) : ACT_OK;
}

static ActStatus open_page(ActLog *log, ActError *error)
{
    ActStatus status = act_file_replaceable(log->path, error);
    if (status == ACT_OK) status = check_folder(log->path, error);
    if (status != ACT_OK) return status;
    Page *page = calloc(1, sizeof *page);
    log->own = page;
    log->file = page ? open_memstream(&page->fresh, &page->n) : NULL;
    if (!log->file) {
        free(page);
        log->own = NULL;
        return act_error_memory(error);
    }
    page->every = 1;
    if (log->from > 0 && act_file_exists(log->path)) status = take_lines(log, error);
    return status == ACT_OK && !take_fresh(log) ? act_error_memory(error) : status;
}

static ActStatus draw(ActLog *log, ActError *error)
{
    Page *own = log->own;
    ActRunLog lines;
    ActPage page = { 0 };
    ActFileOut out;
    double begin = act_progress_seconds();
    ActStatus status = act_runlog_parse(&lines, own->lines.at ? own->lines.at : "", own->lines.n, log->path, error);
    if (status != ACT_OK) return status;
    act_report_draw(&page, &lines, own->lines.at);
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
    if (left_out(page, event)) return;
    act_log_jsonl.write(log, event);
    if (log->why || !take_fresh(log)) return;
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
    if (log->file) fclose(log->file);
    free(page->fresh);
    act_page_free(&page->lines);
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
