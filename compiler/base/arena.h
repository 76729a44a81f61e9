/* Arenas: memory that is handed out in order and freed all at once.
 *
 * Every allocation of the compiler comes from an arena that the caller hands in; nothing is freed alone.
 * Memory is zeroed, so that a zero-initialised structure is always a valid one. */
#ifndef ACT_BASE_ARENA_H
#define ACT_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *arena);

/* `size` zeroed bytes, aligned to 16 (to 64 with arena_alloc_aligned). Never NULL: a refusal by the machine ends
 * the compilation through base_out_of_memory(). */
void *arena_alloc(Arena *arena, size_t size);
void *arena_alloc_aligned(Arena *arena, size_t size, size_t align);
/* A copy of `size` bytes at `from`. */
void *arena_copy(Arena *arena, const void *from, size_t size);

/* Bytes handed out so far (--mem-report of the compiler itself, tests). */
size_t arena_used(const Arena *arena);

#define arena_new_of(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define arena_array(arena, T, n) ((T *)arena_alloc((arena), sizeof(T) * (size_t)(n)))

/* A bug of ours: prints file, line and the condition, asks for a report, aborts. On in release builds too. */
_Noreturn void base_bug(const char *file, int line, const char *what);
#define ACT_ASSERT(cond) ((cond) ? (void)0 : base_bug(__FILE__, __LINE__, #cond))
#define ACT_BUG(what) base_bug(__FILE__, __LINE__, (what))
_Noreturn void base_out_of_memory(size_t size);

#endif
