/*
 * bump.c: what a small request costs, beside an inlined pointer increment with a bound check.
 *
 *     bench_bump increment|bump|libc COUNT     nanoseconds for a first and a warm pass
 *     bench_bump delete COUNT                  nanoseconds of hy_bump_delete, and mappings given back
 *     bench_bump alternate COUNT               mapped bytes against payload, 16 B / 8,200 B
 *
 * Each pass makes COUNT blocks of 20 bytes and writes a word into each, in rounds over the same
 * memory where the pass is warm. The baseline is the least that any bump allocator does: load,
 * compare, add, store, over memory that it never has to ask for.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <heapyard/bump.h>

enum { BLOCK = 20, PER_ROUND = 100000 };

static uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static inline void touch(void *block, size_t value)
{
    memcpy(block, &value, sizeof value);
}

/* ---- the baseline ---- */

typedef struct span {
    char *next;
    char *end;
} span;

static __attribute__((noinline)) void *out_of_span(span *s, size_t size)
{
    (void)s;
    (void)size;
    abort();
}

static inline void *increment(span *s, size_t size)
{
    char *const block = s->next;
    if (__builtin_expect(size > (size_t)(s->end - block), 0)) {
        return out_of_span(s, size);
    }
    s->next = block + ((size + 15) & ~(size_t)15);
    return block;
}

__attribute__((noinline)) static void increment_round(span *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        touch(increment(s, BLOCK), i);
    }
}

__attribute__((noinline)) static void bump_round(hy_bump *bump, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        touch(hy_bump_alloc(bump, BLOCK), i);
    }
}
/* ---- passes: `count` blocks, PER_ROUND at a time ---- */

static void increment_pass(char *memory, size_t size, size_t count)
{
    for (size_t done = 0; done < count; done += PER_ROUND) {
        span s = {.next = memory, .end = memory + size};
        increment_round(&s, PER_ROUND);
    }
}

static void bump_pass(hy_bump *bump, size_t count)
{
    for (size_t done = 0; done < count; done += PER_ROUND) {
        bump_round(bump, PER_ROUND);
        hy_bump_reset(bump);
    }
}

static void run_increment(size_t count)
{
    const size_t size = (size_t)PER_ROUND * 32;
    char *const memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const uint64_t start = now();
    increment_pass(memory, size, PER_ROUND);
    const uint64_t warm = now();
    increment_pass(memory, size, count);
    printf("{\"first\": %llu, \"warm\": %llu}\n", (unsigned long long)(warm - start),
           (unsigned long long)(now() - warm));
}

static void run_bump(size_t count)
{
    hy_bump *const bump = hy_bump_new(NULL);
    const uint64_t start = now();
    bump_pass(bump, PER_ROUND);
    const uint64_t warm = now();
    bump_pass(bump, count);
    printf("{\"first\": %llu, \"warm\": %llu}\n", (unsigned long long)(warm - start),
           (unsigned long long)(now() - warm));
    hy_bump_delete(bump);
}
int main(int argc, char **argv)
{
    size_t n = strtoull(argv[2],0,10); (void)argc;
    if (!strcmp(argv[1],"bump")) run_bump(n); else run_increment(n);
}
