/*
 * bins.h: free blocks of the fast engine, found by size.
 *
 *     free block   [ next ][ previous ][ size ] ............................... [ size ]
 *     in a tree    [ next ][ previous ][ size ][ child 0 ][ child 1 ][ parent ] [ size ]
 *
 * The size stands at both ends, so that the block behind finds the start of this one.
 *
 * Blocks of fewer than 64 granules have a bin for each size: a list, the last one freed first.
 * Blocks of 2^k to 2^(k+1) - 1 granules share a tree: a bitwise trie over the k lower bits of the
 * size, highest first, whose nodes are the free blocks themselves, one for each size; others of
 * that size hang on the node's list. A node's size agrees in the bits above with all below it, but
 * is in no order with them. So the smallest block that is large enough lies either on the path of
 * the wanted size, or on the leftmost path of the last subtree to the right of it: at most 2k
 * steps.
 */
#ifndef HEAPYARD_REGION_BINS_H
#define HEAPYARD_REGION_BINS_H

#include "base/bits.h"
#include "region/engine.h"
#include "region/map.h"

typedef enum hy__field {
    HY__NEXT = 0,
    HY__PREVIOUS = 4,
    HY__SIZE = 8,
    HY__CHILD = 12, /* two of them */
    HY__PARENT = 20,
    HY__TREE_HEADER = 24,
    HY__SMALL_HEADER = 12,
} hy__field;

static inline char *hy__fast_address(const hy__fast *fast, uint32_t number)
{
    return (char *)(uintptr_t)fast + sizeof(hy__fast) - 16 + ((size_t)number << 4);
}

static inline uint32_t hy__get(const hy__fast *fast, uint32_t number, unsigned field)
{
    return hy__load(hy__fast_address(fast, number) + field);
}

static inline void hy__put(hy__fast *fast, uint32_t number, unsigned field, uint32_t value)
{
    hy__store(hy__fast_address(fast, number) + field, value);
}

/* The size of the free block that ends before `end`. */
static inline uint32_t hy__size_before(const hy__fast *fast, uint32_t end)
{
    return hy__load(hy__fast_address(fast, end) - 4);
}

/* A granule that a block may begin at; no link that leads elsewhere is followed. */
static inline bool hy__is_number(const hy__fast *fast, uint32_t number)
{
    return number - 1 < fast->segment.top - 1;
}

/* A block of at least n granules, the smallest there is; 0 where there is none. For n of a tree, or
 * where no small block is left. */
uint32_t hy__trees_find(hy_region *region, const hy__fast *fast, uint32_t n);

/* The node, or the list of one, for a block of 64 granules or more. `remove` answers false, with
 * nothing changed, where the words around the block contradict each other. */
void hy__trees_insert(hy__fast *fast, uint32_t number, uint32_t size);
bool hy__trees_remove(hy__fast *fast, uint32_t number, uint32_t size);

/* A block that is taken out is poison again, whole. */
void hy__bins_poison(hy__fast *fast, uint32_t number, uint32_t size);

HY__HOT uint32_t hy__bins_find(hy_region *region, const hy__fast *fast, uint32_t n)
{
    if (n < HY__SMALL_BINS) {
        const uint64_t bins = fast->small_map >> n;
        HY__STEP(region);
        if (bins != 0) {
            return fast->bins[n + (unsigned)__builtin_ctzll(bins)];
        }
    }
    return hy__trees_find(region, fast, n);
}

/* Write a free block's words, and put it into its bin. The map is the caller's. O(1). */
HY__HOT void hy__bins_insert(hy_region *region, hy__fast *fast, uint32_t number, uint32_t size)
{
    hy__put(fast, number, HY__SIZE, size);
    hy__store(hy__fast_address(fast, number + size) - 4, size);
    HY__COUNT(region->counters.free_blocks++);
    HY__COUNT(region->counters.free_bytes += (uint64_t)size << 4);
    if (size >= HY__SMALL_BINS) {
        hy__trees_insert(fast, number, size);
        return;
    }
    const uint32_t head = fast->bins[size];
    hy__put(fast, number, HY__NEXT, head);
    hy__put(fast, number, HY__PREVIOUS, 0);
    hy__put(fast, head, HY__PREVIOUS, number); /* head 0: nowhere */
    fast->bins[size] = number;
    fast->small_map |= hy__bit(size);
    (void)region;
}

/* [ previous or bin ] <-> number <-> next    =>    [ previous or bin ] <-> next */
HY__HOT bool hy__bins_unlink_small(hy__fast *fast, uint32_t number, uint32_t size)
{
    const uint32_t next = hy__get(fast, number, HY__NEXT);
    const uint32_t previous = hy__get(fast, number, HY__PREVIOUS);
    char *const link =
        previous != 0 ? hy__fast_address(fast, previous) : (char *)(void *)&fast->bins[size];
    if (next >= fast->segment.top || previous >= fast->segment.top || hy__load(link) != number ||
        (next != 0 && hy__get(fast, next, HY__PREVIOUS) != number)) {
        return false;
    }
    hy__store(link, next);
    hy__put(fast, next, HY__PREVIOUS, previous);
    fast->small_map &= ~((uint64_t)(fast->bins[size] == 0) << size);
    return true;
}

/* Take a free block of a known size out of its bin. False, with nothing changed, where the words
 * around it contradict each other. O(1). */
HY__HOT bool hy__bins_remove(hy_region *region, hy__fast *fast, uint32_t number, uint32_t size)
{
    const bool is_removed = size < HY__SMALL_BINS ? hy__bins_unlink_small(fast, number, size)
                                                  : hy__trees_remove(fast, number, size);
    if (!is_removed) {
        return false;
    }
    if (hy__poisons(region)) {
        hy__bins_poison(fast, number, size);
    }
    HY__COUNT(region->counters.free_blocks--);
    HY__COUNT(region->counters.free_bytes -= (uint64_t)size << 4);
    return true;
}

/* The size of a free block that begins here by the map; 0 where its two sizes differ, or can't be. */
HY__HOT uint32_t hy__free_size(const hy__fast *fast, uint32_t number)
{
    const uint32_t size = hy__get(fast, number, HY__SIZE);
    const bool fits = size - 1 < fast->segment.top - number - 1;
    return fits && hy__size_before(fast, number + size) == size ? size : 0;
}

/* Whether this is a free block, with equal sizes at both ends, whose neighbours in its bin know it.
 * O(1). */
bool hy__bins_is_sound(const hy__fast *fast, uint32_t number);

/* Whether a sound block is where hy__bins_find looks for its size. O(1). */
bool hy__bins_is_filed(const hy__fast *fast, uint32_t number);

/* A bin whose first block is none of its size, or whose bit is wrong; NULL where all are right. */
const void *hy__bins_find_bad(const hy__fast *fast);

#endif /* HEAPYARD_REGION_BINS_H */
