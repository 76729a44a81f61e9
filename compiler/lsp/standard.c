#define _DEFAULT_SOURCE /* mkdir, chmod */
#include "lsp/standard.h"

#include "base/file.h"
#include "check/explain.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[] = "/actc/library-";

bool standard_is(Str path)
{
    for (uint32_t i = 0; i + sizeof mark - 1 <= path.n; i++)
        if (memcmp(path.p + i, mark, sizeof mark - 1) == 0)
            return true;
    return false;
}

static uint64_t library_hash(const Program *program)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < program->sources->list.n; i++)
        if (program->sources->list.at[i]->library)
            hash = hash * UINT64_C(0x100000001B3) + str_hash(program->sources->list.at[i]->text);
    return hash;
}

/* The folder, made; each level may be there already. */
static Str folder(Arena *arena, const Program *program)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    Str base = cache && *cache == '/' ? str_of(cache)
               : home && *home == '/' ? str_printf(arena, "%s/.cache", home)
                                      : str_printf(arena, "/tmp/actc-%u", (unsigned)getuid());
    Str parent = str_printf(arena, STR_FMT "/actc", STR_ARG(base));
    Str path = str_printf(arena, STR_FMT "%s%016llx", STR_ARG(base), mark, (unsigned long long)library_hash(program));
    mkdir(str_c(arena, base), 0755);
    mkdir(str_c(arena, parent), 0755);
    mkdir(str_c(arena, path), 0755);
    return path;
}

static Str write_once(Arena *arena, const Program *program, Str name, Str text)
{
    Str path = str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(folder(arena, program)), STR_ARG(name));
    Str there, why;
    if (file_read(arena, path, &there, &why) && str_eq(there, text))
        return path;
    if (!file_write(arena, path, text.p, text.n, &why))
        return (Str){0};
    chmod(str_c(arena, path), 0444);
    return path;
}

Str standard_file(Arena *arena, const Program *program, const Source *source)
{
    Str name = source->path;              /* "<std>/loss.act" */
    if (!str_starts(name, STR("<std>/"))) /* a text that sema made for itself */
        return (Str){0};
    for (uint32_t i = 0; i < source->path.n; i++)
        if (source->path.p[i] == '/')
            name = (Str){source->path.p + i + 1, source->path.n - i - 1};
    return write_once(arena, program, name, source->text);
}

static void comment(Text *out, Str page)
{
    for (uint32_t at = 0; at < page.n;) {
        uint32_t end = at;
        while (end < page.n && page.p[end] != '\n')
            end++;
        text_add(out, end > at ? STR("# ") : STR("#"));
        text_add(out, (Str){page.p + at, end - at});
        text_putc(out, '\n');
        at = end + 1;
    }
}

Str standard_page(Arena *arena, Program *program, const Def *def, uint32_t *line)
{
    Text out = {.arena = arena};
    text_add(&out, STR("# What is written in the compiler itself, as `actc explain` tells it.\n"));
    *line = 0;
    for (uint32_t i = 0; i < program->defs.n; i++) {
        const Def *one = &program->defs.at[i];
        if (one->ast || !one->library)
            continue;
        text_putc(&out, '\n');
        if (one == def)
            for (size_t k = 0; k < out.n; k++)
                *line += out.p[k] == '\n';
        Text page = {.arena = arena};
        explain_one(program, one, &(ExplainStyle){.unicode = true}, &page);
        comment(&out, text_str(&page));
    }
    return write_once(arena, program, STR("compiler.act"), text_str(&out));
}
