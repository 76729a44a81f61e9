#include "lsp/json.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

const cJSON *json_at(const cJSON *value, const char *path)
{
    char key[64];
    while (value && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof key || !cJSON_IsObject(value))
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        value = cJSON_GetObjectItemCaseSensitive(value, key);
        path += n + (path[n] == '.');
    }
    return value;
}

Str json_str(const cJSON *value, const char *path)
{
    const cJSON *at = json_at(value, path);
    return cJSON_IsString(at) ? str_of(at->valuestring) : (Str){"", 0};
}

bool json_true(const cJSON *value, const char *path) { return cJSON_IsTrue(json_at(value, path)); }

bool json_count(const cJSON *value, const char *path, uint32_t *out)
{
    const cJSON *at = json_at(value, path);
    if (!cJSON_IsNumber(at) || !(at->valuedouble >= 0) || at->valuedouble > INT32_MAX)
        return false;
    *out = (uint32_t)at->valuedouble;
    return true;
}

bool json_lists(const cJSON *value, const char *path, const char *text)
{
    const cJSON *list = json_at(value, path), *item;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, text) == 0)
            return true;
    }
    return false;
}

cJSON *json_text(Str text)
{
    char *clean = malloc((size_t)text.n * 3 + 1), *to = clean;
    if (!clean)
        base_out_of_memory((size_t)text.n * 3 + 1);
    for (uint32_t i = 0; i < text.n;) {
        uint32_t code;
        bool bad = false;
        unsigned n = utf8_decode(text.p + i, text.n - i, &code, &bad);
        if (bad || code == 0) {
            to += utf8_encode(UTF8_BAD, to);
        } else {
            memcpy(to, text.p + i, n);
            to += n;
        }
        i += n;
    }
    *to = '\0';
    cJSON *json = cJSON_CreateString(clean);
    free(clean);
    return json;
}

void json_set(cJSON *object, const char *key, cJSON *value) { cJSON_AddItemToObject(object, key, value); }
void json_set_text(cJSON *object, const char *key, Str text) { json_set(object, key, json_text(text)); }
void json_set_number(cJSON *object, const char *key, double number) { cJSON_AddNumberToObject(object, key, number); }

cJSON *json_push(cJSON *array, cJSON *value)
{
    cJSON_AddItemToArray(array, value);
    return value;
}

/* The number of four hexadecimal digits; -1: they are none. */
static int hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_high(int code) { return code >= 0xD800 && code < 0xDC00; }
static bool is_low(int code) { return code >= 0xDC00 && code < 0xE000; }

static void mend_escapes(char *text, size_t n)
{
    char *end = text + n;
    for (char *p = text; p + 1 < end;) {
        if (*p != '\\') {
            p++;
            continue;
        }
        if (p[1] != 'u') {
            p += 2;
            continue;
        }
        int code = hex4(p + 2, end);
        int next = is_high(code) && end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, end) : -1;
        if (is_low(next)) {
            p += 12;
            continue;
        }
        if (code == 0 || is_high(code) || is_low(code))
            memcpy(p + 2, "FFFD", 4);
        p += 2;
    }
}

cJSON *json_parse(char *text, size_t n)
{
    mend_escapes(text, n);
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, n, &end, false);
    while (json && end < text + n && (*end == ' ' || *end == '\t' || *end == '\r' || *end == '\n'))
        end++;
    if (json && end < text + n) { /* more than one message: the length was wrong */
        cJSON_Delete(json);
        json = NULL;
    }
    return json;
}
