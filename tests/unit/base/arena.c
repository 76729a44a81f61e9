#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/vec.h"

#include <string.h>

static void hands_out_zeroed_aligned_memory(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *p = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size); /* what came before must not show up in what comes next */
    }
    for (size_t align = 1; align <= 4096; align *= 2)
        assert_int_equal((uintptr_t)arena_alloc_aligned(arena, 10, align) % align, 0);
    arena_free(arena);
}

static void large_allocations_and_their_neighbours_do_not_overlap(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    char *a = arena_alloc(arena, 100), *b = arena_alloc(arena, 5 << 20), *c = arena_alloc(arena, 100);
    memset(a, 1, 100);
    memset(b, 2, 5 << 20);
    memset(c, 3, 100);
    assert_int_equal(a[99], 1);
    assert_int_equal(b[0], 2);
    assert_int_equal(b[(5 << 20) - 1], 2);
    assert_int_equal(c[0], 3);
    assert_true(arena_used(arena) == 200 + (5u << 20));
    arena_free(arena);
}

static void copies(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    assert_string_equal(arena_copy(arena, "abc", 4), "abc");
    assert_non_null(arena_copy(arena, NULL, 0));
    arena_free(arena);
}

static void vectors_grow_and_keep_their_items(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    VEC(uint64_t) v = {0};
    for (uint64_t i = 0; i < 5000; i++) {
        assert_true(*vec_push(arena, &v) == 0 || i == 0);
        v.at[i] = i * i;
    }
    assert_int_equal(v.n, 5000);
    for (uint64_t i = 0; i < 5000; i++)
        assert_true(v.at[i] == i * i);
    v.n = 1; /* shortened by the user: the next push clears the old item */
    *vec_push(arena, &v) = 7;
    assert_true(v.at[1] == 7 && v.n == 2);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_zeroed_aligned_memory),
        cmocka_unit_test(large_allocations_and_their_neighbours_do_not_overlap),
        cmocka_unit_test(copies),
        cmocka_unit_test(vectors_grow_and_keep_their_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
