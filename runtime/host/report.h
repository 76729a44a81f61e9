/* The page of a run, drawn from its log: curves, what was measured in the layers beside what was predicted, histograms, findings, answers,
 * settings. Sections for which the log has nothing are left out. */
#ifndef ACT_HOST_REPORT_H
#define ACT_HOST_REPORT_H

#include "page/page.h"
#include "runlog.h"

/* `text`: the log as JSON lines, which the page carries along; NULL: none. */
void act_report_draw(ActPage *page, const ActRunLog *log, const char *text);

/* ── its parts ── */
void act_report_layers(ActPage *page, const ActRunLog *log);
void act_report_forecast(ActPage *page, const ActRunLog *log);
void act_report_histograms(ActPage *page, const ActRunLog *log);
void act_report_findings(ActPage *page, const ActRunLog *log);
/* What the checker warned of, and whether it was observed. */
void act_report_checks(ActPage *page, const ActRunLog *log);
void act_report_answers(ActPage *page, const ActRunLog *log);
void act_report_folds(ActPage *page, const ActRunLog *log);
void act_report_rates(ActPage *page, const ActRunLog *const *log, const char *const *name, size_t n);

/* The level that the log marks in charts of a loss or metric (event "level": "of", "value", "name"); NULL: none. */
const cJSON *act_report_level(const ActRunLog *log, const char *of);

/* Does the log have such an event? */
int act_report_has(const ActRunLog *log, const char *event);

#endif
