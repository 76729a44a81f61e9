#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks grow with the arena, so that a large compilation makes few calls. Under the address sanitizer every
 * allocation is a chunk of its own: an overrun then hits a red zone instead of a neighbour. */
#ifdef __SANITIZE_ADDRESS__
enum { CHUNK_FIRST = 0, CHUNK_LAST = 0 };
#else
enum { CHUNK_FIRST = 16 << 10, CHUNK_LAST = 1 << 20 };
#endif
enum { ALIGN_DEFAULT = 16 };

typedef struct Chunk {
    struct Chunk *next;
    size_t size, used; /* of the bytes behind this header */
} Chunk;

struct Arena {
    Chunk *chunk; /* the one that is being filled */
    size_t next_size, used;
};

Arena *arena_new(void)
{
    Arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        base_out_of_memory(sizeof *arena);
    arena->next_size = CHUNK_FIRST;
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    for (Chunk *c = arena->chunk, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
}

/* The first offset at or behind `used` whose address is a multiple of `align`. */
static size_t chunk_offset(const Chunk *chunk, size_t align)
{
    uintptr_t base = (uintptr_t)(chunk + 1);
    return (size_t)(((base + chunk->used + align - 1) & ~(uintptr_t)(align - 1)) - base);
}

void *arena_alloc_aligned(Arena *arena, size_t size, size_t align)
{
    ACT_ASSERT(align && (align & (align - 1)) == 0);
    if (size > SIZE_MAX / 2)
        base_out_of_memory(size);
    Chunk *chunk = arena->chunk;
    size_t at = chunk ? chunk_offset(chunk, align) : 0;
    if (!chunk || at > chunk->size || size > chunk->size - at) {
        size_t need = size + (align > ALIGN_DEFAULT ? align : ALIGN_DEFAULT);
        size_t bytes = need > arena->next_size ? need : arena->next_size;
        chunk = calloc(1, sizeof *chunk + bytes);
        if (!chunk)
            base_out_of_memory(size);
        chunk->size = bytes;
        chunk->next = arena->chunk;
        arena->chunk = chunk;
        if (arena->next_size != CHUNK_LAST)
            arena->next_size *= 2;
        at = chunk_offset(chunk, align);
    }
    chunk->used = at + size;
    arena->used += size;
    return (char *)(chunk + 1) + at;
}

void *arena_alloc(Arena *arena, size_t size)
{
    return arena_alloc_aligned(arena, size, ALIGN_DEFAULT);
}

void *arena_copy(Arena *arena, const void *from, size_t size)
{
    void *to = arena_alloc(arena, size);
    if (size)
        memcpy(to, from, size);
    return to;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}

void base_bug(const char *file, int line, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "actc: internal error at %s:%d: %s\n", file, line, what);
    fputs("This is a bug in actc; please report it with its input.\n", stderr);
    abort();
}

void base_out_of_memory(size_t size)
{
    fprintf(stderr, "actc: the machine refused %zu more bytes of memory\n", size);
    exit(2);
}
