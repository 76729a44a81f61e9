#include "progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double REFRESH = 0.1; /* seconds between two looks of the terminal's line */

double act_progress_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int is_terminal(FILE *out)
{
    const char *term = getenv("TERM");
    return out && isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

void act_progress_begin(ActProgress *progress, FILE *out, uint64_t epochs, uint64_t steps)
{
    *progress = (ActProgress){ .out = out, .terminal = is_terminal(out), .epochs = epochs, .steps = steps };
    progress->begin = progress->epoch_begin = act_progress_seconds();
}

static void clear_line(ActProgress *progress)
{
    if (progress->dirty) fputs("\r\x1b[K", progress->out);
    progress->dirty = 0;
}

void act_progress_say(ActProgress *progress, const char *format, ...)
{
    if (!progress->out) return;
    va_list args;
    clear_line(progress);
    va_start(args, format);
    vfprintf(progress->out, format, args);
    va_end(args);
    fputc('\n', progress->out);
    fflush(progress->out);
}

void act_progress_epoch(ActProgress *progress, uint64_t skipped)
{
    progress->skipped = skipped;
    progress->epoch_begin = act_progress_seconds();
}

/* "1:05:09 left", "2:07 left", "9 s left" */
static ActText time_left(double seconds)
{
    ActText out;
    unsigned long s = seconds < 0 ? 0 : seconds > 1e9 ? 1000000000ul : (unsigned long)(seconds + 0.5);
    if (s >= 3600) snprintf(out.text, sizeof out.text, "%lu:%02lu:%02lu left", s / 3600, s / 60 % 60, s % 60);
    else if (s >= 60) snprintf(out.text, sizeof out.text, "%lu:%02lu left", s / 60, s % 60);
    else snprintf(out.text, sizeof out.text, "%lu s left", s);
    return out;
}

void act_progress_step(ActProgress *progress, uint64_t epoch, uint64_t step, uint64_t rows, double loss)
{
    progress->done++;
    if (!progress->terminal) return;
    double now = act_progress_seconds();
    if (now - progress->shown < REFRESH) return;
    progress->shown = now;
    double here = now - progress->epoch_begin, elapsed = progress->trained + here;
    double left = elapsed / (double)progress->done * (double)(progress->epochs * progress->steps - progress->done - progress->before);
    fprintf(progress->out, "\r\x1b[Kepoch %llu/%llu  step %llu/%llu  loss %s  %s rows/s  %s", (unsigned long long)epoch,
            (unsigned long long)progress->epochs, (unsigned long long)step, (unsigned long long)progress->steps,
            act_text_metric(loss, 0).text, act_text_count(here > 0 ? (uint64_t)((double)(rows - progress->skipped) / here) : 0).text,
            time_left(left).text);
    fflush(progress->out);
    progress->dirty = 1;
}

double act_progress_trained(ActProgress *progress, uint64_t rows)
{
    double seconds = act_progress_seconds() - progress->epoch_begin;
    progress->trained += seconds;
    return seconds > 0 ? (double)(rows - progress->skipped) / seconds : 0;
}

void act_progress_report(ActProgress *progress, uint64_t epoch, const ActScore *trained, const ActScore *score, size_t n,
                         double rate)
{
    if (!progress->out) return;
    int width = snprintf(NULL, 0, "%llu", (unsigned long long)progress->epochs);
    clear_line(progress);
    fprintf(progress->out, "epoch %*llu/%llu: %s", width, (unsigned long long)epoch,
            (unsigned long long)progress->epochs, act_text_score(trained).text);
    for (size_t i = 0; i < n; i++) fprintf(progress->out, " | %s", act_text_score(&score[i]).text);
    fprintf(progress->out, " | %.1f s, %s rows/s\n", act_progress_seconds() - progress->epoch_begin,
            act_text_count((uint64_t)rate).text);
    fflush(progress->out);
}
