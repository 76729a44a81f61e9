/* Static libraries, in the System V form that GNU ld, lld and gold read:
 *
 *     "!<arch>\n"
 *     member "/"      the index: big-endian count, then for every symbol the file offset of its member, then the names
 *     member "name.o/"
 *
 * A header has 60 characters: name 16, date 12, owner 6, group 6, mode 8 (octal), size 10, "`\n"; a member begins at an
 * even offset. A name longer than 15 stands in a member "//" and is written "/offset". Dates and owners are 0. */
#include "llvm/backend.h"

#include <stdio.h>
#include <string.h>

enum { ARCHIVE_MAGIC = 8, ARCHIVE_HEADER = 60 };

/* The table of long names has nothing but its size. */
static void add_header(Text *out, const char *name, const char *mode, size_t size)
{
    char line[ARCHIVE_HEADER + 1];
    const char *none = *mode ? "0" : "";
    snprintf(line, sizeof line, "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", name, none, none, none, mode, size);
    text_add(out, (Str){line, ARCHIVE_HEADER});
}

static void add_u32(Text *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        text_putc(out, (char)(value >> shift & 0xFF));
}

static uint32_t even(size_t size) { return (uint32_t)(size + (size & 1)); }

Str backend_archive(Arena *arena, Str member, const BackendCode *code)
{
    size_t names = 0;
    for (uint32_t i = 0; i < code->symbols.n; i++)
        names += code->symbols.at[i].n + 1u;
    size_t index = 4 + 4 * (size_t)code->symbols.n + names;
    bool longname = member.n > 15;
    size_t long_bytes = longname ? member.n + 2u : 0;
    uint32_t object_at =
        ARCHIVE_MAGIC + ARCHIVE_HEADER + even(index) + (longname ? ARCHIVE_HEADER + even(long_bytes) : 0);

    Text out = {.arena = arena};
    text_add(&out, STR("!<arch>\n"));
    add_header(&out, "/", "0", index);
    add_u32(&out, code->symbols.n);
    for (uint32_t i = 0; i < code->symbols.n; i++)
        add_u32(&out, object_at);
    for (uint32_t i = 0; i < code->symbols.n; i++) {
        text_add(&out, code->symbols.at[i]);
        text_putc(&out, '\0');
    }
    if (out.n & 1)
        text_putc(&out, '\0');
    if (longname) {
        add_header(&out, "//", "", long_bytes);
        text_add(&out, member);
        text_add(&out, STR("/\n"));
        if (out.n & 1)
            text_putc(&out, '\n');
    }
    ACT_ASSERT(out.n == object_at);
    Str name = longname ? STR("/0") : str_printf(arena, STR_FMT "/", STR_ARG(member));
    add_header(&out, name.p, "644", code->bytes.n);
    text_add(&out, code->bytes);
    if (out.n & 1)
        text_putc(&out, '\n');
    return text_str(&out);
}
