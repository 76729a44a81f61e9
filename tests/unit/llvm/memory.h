/* Memory for a hand-written loop program, with an unmapped page behind every block, and the comparison of compiled code
 * with loop_run. */
#ifndef ACT_TEST_MEMORY_H
#define ACT_TEST_MEMORY_H

#include "graph/nest.h"
#include "llvm/jit.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEM_SPACES = BUF_LOSS + 1, MEM_ARRAYS = 8 };

typedef struct Mem {
    unsigned char *start[MEM_SPACES][MEM_ARRAYS]; /* our blocks: the first of each */
    size_t bytes[MEM_SPACES][MEM_ARRAYS];
    size_t n;
} Mem;

static inline bool mem_is_block(BufSpace space)
{
    return space == BUF_PARAM || space == BUF_STATE || space == BUF_WORK;
}

/* Ends at a page nobody may touch. */
static inline unsigned char *mem_guarded(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    unsigned char *p = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + room, page, PROT_NONE))
        jit_die("no memory");
    return p + room - bytes;
}

/* The same for the same place and any n. */
static inline float mem_some(uint32_t buf, size_t i)
{
    uint32_t h = (uint32_t)i * 2654435761u + buf * 40503u;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    return (float)(int32_t)h * 0x1p-31f;
}

static inline void mem_make(Mem *m, const LoopProgram *p, uint32_t batch, size_t n)
{
    memset(m, 0, sizeof *m);
    m->n = n;
    for (uint32_t i = 0; i < p->bufs.n; i++) {
        const LoopBuf *b = &p->bufs.at[i];
        size_t *bytes = &m->bytes[b->space][mem_is_block(b->space) || b->space == BUF_LOSS ? 0 : b->index];
        size_t end = mem_is_block(b->space) ? b->offset + b->bytes : b->bytes / batch * n;
        if (b->space == BUF_LOSS)
            end = 4 * (b->index + 1);
        *bytes = end > *bytes ? end : *bytes;
    }
    for (unsigned s = 0; s < MEM_SPACES; s++)
        for (unsigned i = 0; i < MEM_ARRAYS; i++)
            if (m->bytes[s][i]) {
                if (mem_is_block((BufSpace)s))
                    m->bytes[s][i] = (m->bytes[s][i] + 63) / 64 * 64;
                m->start[s][i] = mem_guarded(m->bytes[s][i]);
            }
    for (uint32_t i = 0; i < p->bufs.n; i++) {
        const LoopBuf *b = &p->bufs.at[i];
        bool block = mem_is_block(b->space);
        unsigned char *at = m->start[b->space][block || b->space == BUF_LOSS ? 0 : b->index] + b->offset;
        size_t count = (block ? b->bytes : b->space == BUF_LOSS ? 0 : b->bytes / batch * n) / 4;
        for (size_t k = 0; k < count; k++) {
            float f = mem_some(i, k);
            int32_t whole = (int32_t)(fabsf(f) * 10);
            memcpy(at + 4 * k, b->dtype == DT_I32 ? (void *)&whole : (void *)&f, 4);
        }
    }
}

static inline void mem_free(Mem *m)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (unsigned s = 0; s < MEM_SPACES; s++)
        for (unsigned i = 0; i < MEM_ARRAYS; i++)
            if (m->start[s][i]) {
                size_t room = (m->bytes[s][i] + page - 1) / page * page;
                munmap(m->start[s][i] + m->bytes[s][i] - room, room + page);
            }
}

enum { MEM_STEP = 7, MEM_SEED = 12345 };
#define MEM_LR_SCALE 0.75

static inline void mem_run(Mem *m, JitRun run, uint32_t threads)
{
    JitPool pool = {.threads = threads};
    pthread_barrier_init(&pool.barrier, NULL, threads ? threads : 1);
    CgCall call = {.param = m->start[BUF_PARAM][0],
                   .state = m->start[BUF_STATE][0],
                   .work = m->start[BUF_WORK][0],
                   .pool = threads ? &pool : NULL,
                   .input = (const void *const *)m->start[BUF_INPUT],
                   .target = (const void *const *)m->start[BUF_TARGET],
                   .output = (void *const *)m->start[BUF_OUTPUT],
                   .prediction = (void *const *)m->start[BUF_PREDICTION],
                   .loss = (float *)m->start[BUF_LOSS][0],
                   .n = m->n,
                   .step = MEM_STEP,
                   .lr_scale = MEM_LR_SCALE,
                   .seed = MEM_SEED};
    run(&call);
    pthread_barrier_destroy(&pool.barrier);
}

static inline void mem_oracle(Mem *m, const LoopProgram *p)
{
    Arena *arena = arena_new();
    LoopMemory memory = {.param = m->start[BUF_PARAM][0],
                         .state = m->start[BUF_STATE][0],
                         .work = m->start[BUF_WORK][0],
                         .input = (const void *const *)m->start[BUF_INPUT],
                         .target = (const void *const *)m->start[BUF_TARGET],
                         .output = (void *const *)m->start[BUF_OUTPUT],
                         .prediction = (void *const *)m->start[BUF_PREDICTION],
                         .loss = (float *)m->start[BUF_LOSS][0],
                         .n = m->n,
                         .step = MEM_STEP,
                         .lr_scale = MEM_LR_SCALE,
                         .seed = MEM_SEED};
    loop_run(p, &memory, arena);
    arena_free(arena);
}

static inline float mem_at(const Mem *m, unsigned space, unsigned array, size_t i)
{
    float f;
    memcpy(&f, m->start[space][array] + 4 * i, 4);
    return f;
}

static inline bool mem_close(float a, float b, double tolerance)
{
    return (isnan(a) && isnan(b)) || a == b || fabs((double)a - (double)b) <= tolerance * fmax(1, fabs((double)b));
}

/* Every float of every block. */
static inline void mem_expect(const Mem *got, const Mem *want, double tolerance, const char *what)
{
    for (unsigned s = 0; s < MEM_SPACES; s++)
        for (unsigned a = 0; a < MEM_ARRAYS; a++)
            for (size_t i = 0; i < got->bytes[s][a] / 4; i++)
                if (!mem_close(mem_at(got, s, a, i), mem_at(want, s, a, i), tolerance))
                    fail_msg("%s, n = %zu: space %u array %u element %zu is %.9g, not %.9g", what, got->n, s, a, i,
                             (double)mem_at(got, s, a, i), (double)mem_at(want, s, a, i));
}

static inline void mem_expect_same(const Mem *got, const Mem *want, const char *what)
{
    for (unsigned s = 0; s < MEM_SPACES; s++)
        for (unsigned a = 0; a < MEM_ARRAYS; a++)
            if (got->bytes[s][a] && memcmp(got->start[s][a], want->start[s][a], got->bytes[s][a]))
                fail_msg("%s, n = %zu: space %u array %u has other bits with more threads", what, got->n, s, a);
}

/* The first `rows` rows of what a caller's array holds. */
static inline void mem_expect_rows(const Mem *got, const Mem *want, const char *what)
{
    for (unsigned s = BUF_OUTPUT; s <= BUF_PREDICTION; s++)
        for (unsigned a = 0; a < MEM_ARRAYS; a++)
            if (got->bytes[s][a] && memcmp(got->start[s][a], want->start[s][a], got->bytes[s][a]))
                fail_msg("%s: rows of array %u have other bits at n = %zu than at n = %zu", what, a, got->n, want->n);
}

/* ── buffers of a program being built ── */

/* In the block of its space, behind what is there. */
static inline uint32_t mem_place(Nest *b, const char *name, BufSpace space, uint64_t elements)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < b->program.bufs.n; i++) {
        const LoopBuf *buf = &b->program.bufs.at[i];
        if (buf->space == space && buf->offset + buf->bytes > end)
            end = buf->offset + buf->bytes;
    }
    end = (end + 63) / 64 * 64;
    uint32_t index = nest_buf(b, name, space, end, elements);
    b->program.bufs.at[index].align = 64;
    if (space == BUF_WORK)
        b->program.work_bytes = end + 4 * elements;
    return index;
}

static inline uint32_t mem_array(Nest *b, const char *name, BufSpace space, uint32_t number, uint64_t elements)
{
    uint32_t index = nest_buf(b, name, space, 0, elements);
    b->program.bufs.at[index].index = number;
    return index;
}

/* ── the whole comparison ── */
typedef void (*MemBuild)(Nest *b, const JitLevel *level, uint32_t batch);

/* Builds the program for every level, runs it for several n and thread counts, and compares with the oracle, with other
 * thread counts bit for bit, and (for what goes by rows) with the full batch bit for bit. */
static inline void mem_check(MemBuild build, double tolerance)
{
    static const size_t rows[] = {128, 1, 2, 7, 31};
    enum { BATCH = 128, CASES = sizeof rows / sizeof *rows };
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Arena *arena = arena_new();
        Nest *b = arena_new_of(arena, Nest);
        nest_start(b, arena);
        build(b, &jit_level[l], BATCH);
        const char *why = loop_verify(&b->program, BATCH, arena), *name = jit_level[l].name;
        if (why)
            fail_msg("%s", why);
        Jit jit;
        jit_start(&jit, &jit_level[l]);
        JitRun run = jit_program(&jit, &b->program, BATCH);
        Mem full;
        for (unsigned i = 0; i < CASES; i++) {
            Mem want, one, many;
            mem_make(&want, &b->program, BATCH, rows[i]);
            mem_make(&one, &b->program, BATCH, rows[i]);
            mem_oracle(&want, &b->program);
            mem_run(&one, run, 0);
            mem_expect(&one, &want, tolerance, name);
            for (uint32_t threads = 1; threads <= 3; threads++) {
                mem_make(&many, &b->program, BATCH, rows[i]);
                mem_run(&many, run, threads);
                mem_expect_same(&many, &one, name);
                mem_free(&many);
            }
            mem_free(&want);
            if (i == 0) {
                full = one;
            } else {
                mem_expect_rows(&one, &full, name);
                mem_free(&one);
            }
        }
        mem_free(&full);
        jit_end(&jit);
        arena_free(arena);
    }
}

#endif
