#include "page.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void put_base64(ActPage *page, const unsigned char *s, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned long three = (unsigned long)s[i] << 16 | (i + 1 < n ? (unsigned long)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0u);
        char four[4] = { digit[three >> 18 & 63], digit[three >> 12 & 63], i + 1 < n ? digit[three >> 6 & 63] : '=',
                         i + 2 < n ? digit[three & 63] : '=' };
        act_page_put(page, four, 4);
    }
}

static void put_four(unsigned char *at, unsigned long n)
{
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(n >> (24 - 8 * i));
}

/* Length, name, content, checksum of name and content. Returns the end. */
static unsigned char *chunk(unsigned char *at, const char *name, const unsigned char *content, size_t n)
{
    put_four(at, n);
    memcpy(at + 4, name, 4);
    if (n) memcpy(at + 8, content, n);
    put_four(at + 8 + n, crc32(crc32(0, NULL, 0), at + 4, (uInt)(n + 4)));
    return at + n + 12;
}

void act_page_png(ActPage *page, const unsigned char *pixel, size_t height, size_t width, int kind)
{
    static const unsigned char signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    size_t channels = kind == 0 ? 1 : kind == 4 ? 2 : kind == 2 ? 3 : 4, line = width * channels;
    uLong plain = (uLong)(height * (line + 1)), bound = compressBound(plain);
    unsigned char *lines = malloc(plain + 1), *packed = malloc(bound), *file = malloc(bound + 100), head[13] = { 0 };
    if (lines && packed && file) {
        for (size_t y = 0; y < height; y++) {
            lines[y * (line + 1)] = 0; /* no filter */
            memcpy(lines + y * (line + 1) + 1, pixel + y * line, line);
        }
        uLongf n = bound;
        if (compress2(packed, &n, lines, plain, 9) != Z_OK) page->failed = 1;
        put_four(head, width);
        put_four(head + 4, height);
        head[8] = 8;
        head[9] = (unsigned char)kind;
        memcpy(file, signature, 8);
        unsigned char *end = chunk(file + 8, "IHDR", head, 13);
        end = chunk(end, "IDAT", packed, n);
        end = chunk(end, "IEND", NULL, 0);
        act_page_raw(page, "data:image/png;base64,");
        put_base64(page, file, (size_t)(end - file));
    } else {
        page->failed = 1;
    }
    free(lines);
    free(packed);
    free(file);
}

void act_page_pictures_begin(ActPage *page) { act_page_raw(page, "<div class=\"pictures\">\n"); }

void act_page_picture(ActPage *page, const unsigned char *pixel, size_t height, size_t width, size_t channels, const char *caption)
{
    act_page_format(page, "<figure><img width=\"%zu\" height=\"%zu\" style=\"height:auto\" alt=\"", width, height);
    act_page_text(page, caption);
    act_page_raw(page, "\" src=\"");
    act_page_png(page, pixel, height, width, channels == 3 ? 2 : 0);
    act_page_raw(page, "\"><figcaption>");
    act_page_text(page, caption);
    act_page_raw(page, "</figcaption></figure>\n");
}

void act_page_pictures_end(ActPage *page) { act_page_raw(page, "</div>\n"); }
