/*
 * heap.c: what `heapyard bench` can't see of the heap. One figure or more a run, as JSON:
 *
 *     bench_heap inline PAIRS        a malloc, a write of 8 bytes and a sized free of 64 bytes, inlined
 *                                    into the loop; the same with one byte, at 0 and at 8
 *     bench_heap release MIB ORDER POLICY
 *                                    MIB of blocks of 64 B to 1 KiB, all freed; ORDER: fifo, random;
 *                                    POLICY: threshold (the default), at-once, on-trim
 *     bench_heap survivors MIB       the same, but one block in ten stays, at random; then trim
 *
 * Times are processor time. Resident memory is what the kernel says of the process: anonymous pages
 * in /proc/self/smaps_rollup, before the heap was made taken off.
 */
#include "measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heapyard/heap.h>

#define LEAST 64
#define MOST  1024
#define MIB   ((size_t)1 << 20)

static double resident_mib(void)
{
    FILE *const file = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    long kib = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Anonymous:", 10) == 0) {
            kib = strtol(line + 10, NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (double)kib / 1024;
}

/* A pair, inlined; nanoseconds. */
static double inline_pair(hy_heap *heap, size_t pairs)
{
    const uint64_t start = bench_now();
    for (size_t i = 0; i < pairs; i++) {
        void *const block = hy_heap_malloc(heap, 64);
        *(volatile uint64_t *)block = i;
        hy_heap_free_sized(heap, block, 64);
    }
    return (double)(bench_now() - start) / (double)pairs;
}

/* The same with a write of one byte, at `place`. */
static double inline_byte_pair(hy_heap *heap, size_t pairs, size_t place)
{
    const uint64_t start = bench_now();
    for (size_t i = 0; i < pairs; i++) {
        char *const block = hy_heap_malloc(heap, 64);
        *(volatile char *)(block + place) = 1;
        hy_heap_free_sized(heap, block, 64);
    }
    return (double)(bench_now() - start) / (double)pairs;
}

static void bench_inline(size_t pairs)
{
    hy_heap *const heap = hy_heap_new(NULL);
    (void)inline_pair(heap, pairs / 8 + 1);
    const double pair = inline_pair(heap, pairs);
    const double first = inline_byte_pair(heap, pairs, 0);
    const double second = inline_byte_pair(heap, pairs, sizeof(void *));
    (void)printf("{\"ns_per_pair\": %.3f, \"byte_0\": %.3f, \"byte_8\": %.3f}\n", pair, first,
                 second);
    hy_heap_delete(heap);
}

typedef struct block_plan {
    void **address;
    size_t count;
    double baseline; /* MiB resident before the heap was made */
} block_plan;

/* Room for the addresses, touched: what is resident afterwards is the heap's. */
static block_plan plan_blocks(size_t bytes)
{
    const size_t count = bytes / ((LEAST + MOST) / 2);
    void **const address = calloc(count, sizeof *address);
    if (address == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        address[i] = address;
    }
    return (block_plan){.address = address, .count = count, .baseline = resident_mib()};
}

static void fill(hy_heap *heap, const block_plan *blocks)
{
    for (size_t i = 0; i < blocks->count; i++) {
        const size_t size = LEAST + bench_draw(MOST - LEAST + 1);
        blocks->address[i] = hy_heap_malloc(heap, size);
        if (blocks->address[i] == NULL) {
            abort();
        }
        memset(blocks->address[i], 1, size);
    }
}

static void shuffle(const block_plan *blocks)
{
    for (size_t left = blocks->count; left > 1; left--) {
        const size_t other = bench_draw(left);
        void *const address = blocks->address[left - 1];
        blocks->address[left - 1] = blocks->address[other];
        blocks->address[other] = address;
    }
}

static hy_heap_purge policy_named(const char *name)
{
    return strcmp(name, "at-once") == 0   ? HY_HEAP_PURGE_AT_ONCE
           : strcmp(name, "on-trim") == 0 ? HY_HEAP_PURGE_ON_TRIM
                                          : HY_HEAP_PURGE_THRESHOLD;
}

static void bench_release(size_t mib, bool random, hy_heap_purge purge)
{
    const block_plan blocks = plan_blocks(mib * MIB);
    /* Without release means that arenas stay, too. */
    const hy_heap_config config = {
        .size = sizeof config,
        .purge = purge,
        .arenas_kept = purge == HY_HEAP_PURGE_ON_TRIM ? 1U << 20 : 0,
    };
    hy_heap *const heap = hy_heap_new(&config);
    fill(heap, &blocks);
    if (random) {
        shuffle(&blocks);
    }
    const double full = resident_mib();
    const uint64_t start = bench_now();
    for (size_t i = 0; i < blocks.count; i++) {
        hy_heap_free(heap, blocks.address[i]);
    }
    const uint64_t end = bench_now();
    (void)printf("{\"ns_per_free\": %.2f, \"full_mib\": %.1f, \"left_mib\": %.2f}\n",
                 (double)(end - start) / (double)blocks.count, full - blocks.baseline,
                 resident_mib() - blocks.baseline);
    hy_heap_delete(heap);
}

/* Pages that hold a live block. */
static int count_page(void *context, const hy_block *block)
{
    uintptr_t *const seen = context; /* the last page counted, their number */
    if (block->state != HY_BLOCK_LIVE) {
        return 0;
    }
    const uintptr_t first = (uintptr_t)block->address / HY_PAGE_SIZE;
    const uintptr_t last = ((uintptr_t)block->address + block->size - 1) / HY_PAGE_SIZE;
    seen[1] += last - first + (first != seen[0]);
    seen[0] = last;
    return 0;
}

static void bench_survivors(size_t mib)
{
    const block_plan blocks = plan_blocks(mib * MIB);
    hy_heap *const heap = hy_heap_new(NULL);
    fill(heap, &blocks);
    shuffle(&blocks);
    for (size_t i = 0; i < blocks.count / 10 * 9; i++) {
        hy_heap_free(heap, blocks.address[i]);
    }
    const double before = resident_mib() - blocks.baseline;
    (void)hy_heap_trim(heap);
    const double after = resident_mib() - blocks.baseline;
    uintptr_t pages[2] = {0, 0};
    (void)hy_heap_walk(heap, count_page, pages);
    const double live = (double)(pages[1] * HY_PAGE_SIZE) / (double)MIB;
    (void)printf(
        "{\"before_trim_mib\": %.1f, \"after_trim_mib\": %.1f, \"live_pages_mib\": %.1f}\n", before,
        after, live);
    hy_heap_delete(heap);
}

int main(int count, char **arguments)
{
    const char *const mode = count > 2 ? arguments[1] : "";
    const size_t number = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
    if (strcmp(mode, "inline") == 0) {
        bench_inline(number);
    } else if (strcmp(mode, "release") == 0 && count > 4) {
        bench_release(number, strcmp(arguments[3], "random") == 0, policy_named(arguments[4]));
    } else if (strcmp(mode, "survivors") == 0) {
        bench_survivors(number);
    } else {
        (void)fputs(
            "usage: bench_heap inline PAIRS | release MIB fifo|random threshold|at-once|on-trim"
            " | survivors MIB\n",
            stderr);
        return 2;
    }
    return 0;
}
