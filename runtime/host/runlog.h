/* Logs of trainings, read back: JSON lines and tables as `--log` writes them, and pages, which carry their log inside. There is one reader
 * for the page of a run and for `actc plot`. Nothing of a file is believed: what is no log, or is damaged, is refused with file, line and
 * column. A last line that a stopped program did not finish is passed over. */
#ifndef ACT_HOST_RUNLOG_H
#define ACT_HOST_RUNLOG_H

#include "text.h"

#include <cjson/cJSON.h>

/* Lines as objects, in order; a table's rows become what JSON lines say of an epoch. Events that this version does not know are left out. */
typedef struct ActRunLog {
    cJSON **line;
    size_t n, room;
    int unfinished;              /* the last line was cut off */
} ActRunLog;

/* After a failure the log is empty. `path` is for messages. */
ActStatus act_runlog_parse(ActRunLog *log, const char *text, size_t n, const char *path, ActError *error);
/* ACT_E_DATA: it is no damaged file, but nothing in it is of a training. */
ActStatus act_runlog_read(ActRunLog *log, const char *path, ActError *error);
void act_runlog_free(ActRunLog *log);

/* The text of the log inside a page, in new memory, as JSON lines; NULL when there is none. */
char *act_runlog_of_page(const char *page);
/* What stands in a page before and behind the log; inside of it no `<` stands, which JSON can say otherwise. */
#define ACT_RUNLOG_BEGIN "<script type=\"application/x-ndjson\" id=\"log\">\n"
#define ACT_RUNLOG_END "</script>\n"

/* The event of a line: "epoch" where it names none. */
const char *act_runlog_event(const cJSON *line);
/* NaN, NULL where there is none. */
double act_runlog_number(const cJSON *line, const char *key);
const char *act_runlog_text(const cJSON *line, const char *key);
/* The newest value of a setting in the lines of event "run". */
const char *act_runlog_setting(const ActRunLog *log, const char *key);

/* Numbers over time, gathered from lines: x rises strictly. Names point into the log. */
typedef struct ActCurve {
    const char *part, *name;     /* of a layer: its name, and what was measured */
    unsigned line;               /* of the source; 0 unknown */
    double *x, *y;
    size_t n, room;
} ActCurve;
typedef struct ActCurves { ActCurve *at; size_t n, room; } ActCurves;

/* Losses and metrics by epoch: train, validation, test of each name. 0 without memory. */
int act_curves_scores(ActCurves *curves, const ActRunLog *log);
/* One measured quantity ("gradient") of every layer by step. */
int act_curves_layers(ActCurves *curves, const ActRunLog *log, const char *event, const char *quantity);
void act_curves_free(ActCurves *curves);

#endif
