/*
 * arenas.c: fills so many arenas with blocks of 4,000 bytes and frees them in random order, or (0)
 * only fills them. For callgrind: see test_ancestor.py.
 */
#include <heapyard/heap.h>

#include <stdio.h>
#include <stdlib.h>

#define PER_ARENA 56

static uint64_t state = 1;

static size_t random_below(size_t bound)
{
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(state >> 33) % bound;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 2;
    }
    const size_t count = (size_t)strtoul(argv[1], NULL, 10) * PER_ARENA;
    const int frees = argv[2][0] == '1';
    const hy_heap_config config = {.size = sizeof config, .arena_size = HY_HEAP_MIN_ARENA_SIZE};
    hy_heap *const heap = hy_heap_new(&config);
    void **const blocks = calloc(count, sizeof *blocks);
    if (heap == NULL || blocks == NULL) {
        return 2;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t other = random_below(i + 1);
        blocks[i] = blocks[other];
        blocks[other] = hy_heap_malloc(heap, 4000);
    }
    for (size_t i = 0; frees && i < count; i++) {
        hy_heap_free(heap, blocks[i]);
    }
    printf("%zu\n", count);
    free(blocks);
    return 0;
}
