#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *act_status_text(ActStatus status)
{
    switch (status) {
    case ACT_OK: return "done";
    case ACT_E_ARGUMENT: return "an argument is not allowed";
    case ACT_E_MEMORY: return "out of memory, or a block too small or not aligned to 64 bytes";
    case ACT_E_CPU: return "the model was compiled for a processor feature this machine lacks";
    case ACT_E_VERSION: return "the model was compiled for another version of the runtime";
    case ACT_E_IO: return "a file can't be read or written";
    case ACT_E_FORMAT: return "a file is not what it should be";
    case ACT_E_DATA: return "the data does not fit the model";
    case ACT_E_NONFINITE: return "training produced NaN or infinity";
    case ACT_E_STOPPED: return "stopped";
    }
    return "unknown status";
}

void act_error_clear(ActError *error)
{
    if (!error) return;
    error->status = ACT_OK;
    error->text[0] = 0;
}

static void append(ActError *error, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void append(ActError *error, const char *format, va_list args)
{
    size_t used = strlen(error->text), room = sizeof error->text - used;
    if ((size_t)vsnprintf(error->text + used, room, format, args) >= room)
        memcpy(error->text + sizeof error->text - 4, "…", 4); /* three bytes and the end */
}

ActStatus act_error(ActError *error, ActStatus status, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        error->status = status;
        error->text[0] = 0;
        append(error, format, args);
        va_end(args);
    }
    return status;
}

void act_error_more(ActError *error, const char *format, ...)
{
    if (!error) return;
    va_list args;
    va_start(args, format);
    append(error, format, args);
    va_end(args);
}

ActStatus act_error_memory(ActError *error)
{
    return act_error(error, ACT_E_MEMORY, "out of memory");
}

ActText act_text_count(uint64_t n)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    ActText out = { "" };
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) out.text[at++] = ',';
        out.text[at++] = digits[i];
    }
    out.text[at] = 0;
    return out;
}

ActText act_text_shape(const char *type, const uint32_t *dim, uint32_t rank)
{
    ActText out;
    size_t at = (size_t)snprintf(out.text, sizeof out.text, "%s", type);
    for (uint32_t i = 0; i < rank && at < sizeof out.text; i++)
        at += (size_t)snprintf(out.text + at, sizeof out.text - at, "%s%u%s", i ? ", " : "[", dim[i],
                               i + 1 == rank ? "]" : "");
    return out;
}

ActText act_text_metric(double value, int percent)
{
    ActText out;
    if (percent) snprintf(out.text, sizeof out.text, "%.2f %%", 100 * value);
    else if (value != 0 && (fabs(value) < 1e-3 || fabs(value) >= 1e5))
        snprintf(out.text, sizeof out.text, "%.4g", value);
    else snprintf(out.text, sizeof out.text, "%.4f", value);
    return out;
}

ActText act_text_score(const ActScore *score)
{
    ActText out;
    size_t at = (size_t)snprintf(out.text, sizeof out.text, "%s%sloss %s", score->part ? score->part : "",
                                 score->part ? ": " : "", act_text_metric(score->loss, 0).text);
    for (uint32_t i = 0; i < score->n_loss && at < sizeof out.text; i++)
        at += (size_t)snprintf(out.text + at, sizeof out.text - at, "%s%s %s%s", i ? ", " : " (",
                               score->part_loss[i].name, act_text_metric(score->part_loss[i].value, 0).text,
                               i + 1 == score->n_loss ? ")" : "");
    for (uint32_t i = 0; i < score->n_metric && at < sizeof out.text; i++)
        at += (size_t)snprintf(out.text + at, sizeof out.text - at, ", %s %s", score->metric[i].name,
                               act_text_metric(score->metric[i].value, score->metric[i].percent).text);
    return out;
}

/* with transposition of neighbours; names longer than the table are never near */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t row[3][LONGEST + 1], la = strlen(a), lb = strlen(b);
    if (la > LONGEST || lb > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++) row[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[la % 3][lb];
}

const char *act_text_nearest(const char *name, const char *const *candidate, size_t n, size_t stride)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 1; /* the first distance that is too far */
    if (least < 2) least = 2;
    for (size_t i = 0; i < n; i++) {
        const char *other = *(const char *const *)(const void *)((const char *)candidate + i * stride);
        size_t d = distance(name, other);
        if (d < least) {
            least = d;
            best = other;
        }
    }
    return best;
}

char *act_text_copy(const char *text, size_t n)
{
    size_t length = 0;
    while (length < n && text[length]) length++;
    char *copy = malloc(length + 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}
