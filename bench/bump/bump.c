/*
 * bump.c: what a small request and a delete cost, one figure a run, for run.py to compare.
 *
 *     bench_bump increment COUNT     20-byte blocks by an inlined increment with a bound check
 *     bench_bump bump COUNT          the same by hy_bump_alloc
 *     bench_bump fresh COUNT         the same into new pages, the faults included
 *     bench_bump delete COUNT SIZE   hy_bump_delete of COUNT blocks of SIZE bytes
 *     bench_bump alternate COUNT     16 and 8,200 bytes in turn: mapped bytes
 *
 * Each block gets a word written into it. `increment` and `bump` go round by round over the same
 * memory, which is in the cache and was touched before the clock starts. The baseline is the least
 * that a bump allocator can do: load, compare, add, store, over memory that never runs out.
 */
#include "measure.h"

#include <heapyard/bump.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK     ((size_t)20)
#define PER_ROUND ((size_t)1000) /* 32 KB: in the nearest cache */

static void write_word(void *block, size_t value)
{
    memcpy(block, &value, sizeof value);
}

static hy_bump *new_bump(void)
{
    hy_bump *const bump = hy_bump_new(NULL);
    if (bump == NULL) {
        abort();
    }
    return bump;
}

/* ---- the baseline ---- */

typedef struct span {
    char *next;
    char *end;
} span;

static inline void *increment(span *s, size_t size)
{
    char *const block = s->next;
    if (__builtin_expect(size > (size_t)(s->end - block), 0)) {
        return NULL;
    }
    s->next = block + ((size + 15) & ~(size_t)15);
    return block;
}

static __attribute__((noinline)) void increment_round(span *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *const block = increment(s, BLOCK);
        if (block == NULL) {
            abort();
        }
        write_word(block, i);
    }
}

static void run_increment(size_t count)
{
    const size_t size = PER_ROUND * 32;
    char *const memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        abort();
    }
    memset(memory, 1, size);
    const uint64_t start = bench_now();
    for (size_t done = 0; done < count; done += PER_ROUND) {
        span s = {.next = memory, .end = memory + size};
        increment_round(&s, PER_ROUND);
    }
    bench_report("nanoseconds", bench_now() - start);
}

/* ---- the arena ---- */

static __attribute__((noinline)) void bump_round(hy_bump *bump, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *const block = hy_bump_alloc(bump, BLOCK);
        if (block == NULL) {
            abort();
        }
        write_word(block, i);
    }
}

static void run_bump(size_t count)
{
    hy_bump *const bump = new_bump();
    bump_round(bump, PER_ROUND);
    hy_bump_reset(bump);
    const uint64_t start = bench_now();
    for (size_t done = 0; done < count; done += PER_ROUND) {
        bump_round(bump, PER_ROUND);
        hy_bump_reset(bump);
    }
    bench_report("nanoseconds", bench_now() - start);
    hy_bump_delete(bump);
}

static void run_fresh(size_t count)
{
    hy_bump *const bump = new_bump();
    const uint64_t start = bench_now();
    bump_round(bump, count);
    bench_report("nanoseconds", bench_now() - start);
    hy_bump_delete(bump);
}

static void run_delete(size_t count, size_t size)
{
    hy_bump *const bump = new_bump();
    for (size_t i = 0; i < count; i++) {
        void *const block = hy_bump_alloc(bump, size);
        if (block == NULL) {
            abort();
        }
        write_word(block, i);
    }
    const uint64_t start = bench_now();
    hy_bump_delete(bump);
    bench_report("nanoseconds", bench_now() - start);
}

static void run_alternate(size_t count)
{
    hy_pages_faulty pages; /* it only counts */
    const hy_bump_config config = {.size = sizeof config,
                                   .source = hy_pages_faulty_init(&pages, NULL)};
    hy_bump *const bump = hy_bump_new(&config);
    for (size_t i = 0; bump != NULL && i < count; i++) {
        if (hy_bump_alloc(bump, 16) == NULL || hy_bump_alloc(bump, 8200) == NULL) {
            abort();
        }
    }
    bench_report("mapped_bytes", pages.mapped_bytes);
    hy_bump_delete(bump);
}

int main(int argc, char **argv)
{
    const char *const mode = argc > 1 ? argv[1] : "";
    const size_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    if (strcmp(mode, "increment") == 0) {
        run_increment(count);
    } else if (strcmp(mode, "bump") == 0) {
        run_bump(count);
    } else if (strcmp(mode, "fresh") == 0) {
        run_fresh(count);
    } else if (strcmp(mode, "delete") == 0 && argc == 4) {
        run_delete(count, strtoull(argv[3], NULL, 10));
    } else if (strcmp(mode, "alternate") == 0) {
        run_alternate(count);
    } else {
        fprintf(stderr, "bench_bump increment|bump|fresh|alternate COUNT, delete COUNT SIZE\n");
        return 2;
    }
    return 0;
}
