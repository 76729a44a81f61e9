#include "base/utf8.h"

unsigned utf8_decode(const char *p, size_t n, uint32_t *code, bool *bad)
{
    const unsigned char *s = (const unsigned char *)p;
    unsigned length = s[0] < 0x80                   ? 1
                      : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
                      : (s[0] & 0xF0) == 0xE0       ? 3
                      : (s[0] & 0xF8) == 0xF0       ? 4
                                                    : 0;
    uint32_t value = length == 1 ? s[0] : length ? s[0] & (0xFFu >> (length + 1)) : 0;
    bool good = length != 0 && length <= n;
    for (unsigned i = 1; good && i < length; i++) {
        good = (s[i] & 0xC0) == 0x80;
        value = value << 6 | (s[i] & 0x3Fu);
    }
    if (good && ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000) || value > 0x10FFFF ||
                 (value >= 0xD800 && value < 0xE000)))
        good = false;
    if (bad)
        *bad = !good;
    *code = good ? value : UTF8_BAD;
    return good ? length : 1;
}

unsigned utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    unsigned length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (unsigned i = length - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((0xF00u >> length & 0xFF) | code);
    return length;
}

unsigned utf8_cells(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        unsigned cells;
    } range[] = {
        {0x0300, 0x036F, 0},   {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},   {0x200B, 0x200F, 0}, {0x20D0, 0x20FF, 0},
        {0xFE00, 0xFE0F, 0},   {0xFE20, 0xFE2F, 0},   {0x1100, 0x115F, 2},   {0x2E80, 0x303E, 2}, {0x3041, 0xA4CF, 2},
        {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2},   {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2}, {0xFFE0, 0xFFE6, 2},
        {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1FAFF, 2}, {0x20000, 0x3FFFD, 2},
    };
    for (unsigned i = 0; i < sizeof range / sizeof *range; i++)
        if (code >= range[i].first && code <= range[i].last)
            return range[i].cells;
    return 1;
}
