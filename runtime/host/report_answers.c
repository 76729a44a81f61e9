/* What the network answered: how often each class was taken for each, and pictures it got wrong. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static void put_confusion(ActPage *page, const cJSON *line)
{
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(line, "counts"), *names = cJSON_GetObjectItemCaseSensitive(line, "names"), *one;
    size_t classes = (size_t)cJSON_GetArraySize(names), n = 0;
    if (!classes || classes * classes != (size_t)cJSON_GetArraySize(counts)) return;
    uint64_t *count = calloc(classes * classes, sizeof *count);
    const char **name = calloc(classes, sizeof *name);
    char caption[200];
    page->failed |= !count || !name;
    if (count && name) {
        cJSON_ArrayForEach(one, counts) count[n++] = (uint64_t)one->valuedouble;
        n = 0;
        cJSON_ArrayForEach(one, names) name[n++] = one->valuestring;
        snprintf(caption, sizeof caption, "%.50s, %.50s part: rows are what it was, columns what was answered", act_runlog_text(line, "value"), act_runlog_text(line, "part"));
        act_page_confusion(page, caption, name, classes, count);
    }
    free(count);
    free(name);
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* n bytes, or 0 when the text has another number. */
static int from_base64(const char *text, unsigned char *out, size_t n)
{
    unsigned bits = 0, have = 0;
    size_t at = 0;
    for (; *text && *text != '='; text++) {
        int digit = digit_of(*text);
        if (digit < 0) return 0;
        bits = (bits << 6 | (unsigned)digit) & 0xffffffu;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        if (at == n) return 0;
        out[at++] = (unsigned char)(bits >> have);
    }
    return at == n;
}

static void put_example(ActPage *page, const cJSON *line)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(line, "shape"), *one;
    double dim[3] = { 0, 0, 1 };
    size_t rank = 0;
    cJSON_ArrayForEach(one, shape) if (rank < 3) dim[rank++] = one->valuedouble;
    if (rank < 2 || dim[0] < 1 || dim[1] < 1 || dim[0] > 512 || dim[1] > 512 || (dim[2] != 1 && dim[2] != 3)) return;
    size_t n = (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
    unsigned char *pixel = malloc(n);
    char caption[300];
    page->failed |= !pixel;
    snprintf(caption, sizeof caption, "%.80s, answered %.80s (row %.0f)", act_runlog_text(line, "actual"), act_runlog_text(line, "answered"), act_runlog_number(line, "row"));
    if (pixel && from_base64(act_runlog_text(line, "pixels"), pixel, n)) act_page_picture(page, pixel, (size_t)dim[0], (size_t)dim[1], (size_t)dim[2], caption);
    free(pixel);
}

/* Those of the newest evaluation. */
void act_report_answers(ActPage *page, const ActRunLog *log)
{
    double newest = -1;
    for (size_t i = 0; i < log->n; i++)
        if (strcmp(act_runlog_event(log->line[i]), "confusion") == 0) newest = act_runlog_number(log->line[i], "step");
    if (newest < 0) return;
    act_page_section(page, "Answers", NULL);
    size_t pictures = 0;
    for (size_t i = 0; i < log->n; i++) {
        const cJSON *line = log->line[i];
        if (act_runlog_number(line, "step") != newest) continue;
        if (strcmp(act_runlog_event(line), "confusion") == 0) put_confusion(page, line);
        if (strcmp(act_runlog_event(line), "example") != 0) continue;
        if (pictures++ == 0) {
            act_page_raw(page, "<p class=\"note\">Wrong answers, those given with the most confidence first; rows count from 0.</p>\n");
            act_page_pictures_begin(page);
        }
        put_example(page, line);
    }
    if (pictures) act_page_pictures_end(page);
    act_page_section_end(page);
}
