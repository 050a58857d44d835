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

/* A block of at least n granules, the smallest there is; 0 where there is none. */
uint32_t hy__bins_find(hy_region *region, const hy__fast *fast, uint32_t n);

/* Put a block into its bin, or take it out: its words, not its bits in the map. A block that is
 * taken out must be sound. */
void hy__bins_insert(hy_region *region, hy__fast *fast, uint32_t number, uint32_t size);
void hy__bins_remove(hy_region *region, hy__fast *fast, uint32_t number, uint32_t size);

/* Whether this is a free block, with equal sizes at both ends, whose neighbours in its bin know it:
 * what must hold before it may be taken out of the bin. O(1). */
bool hy__bins_is_sound(const hy__fast *fast, uint32_t number);

/* Whether a sound block is where hy__bins_find looks for its size. O(1). */
bool hy__bins_is_filed(const hy__fast *fast, uint32_t number);

/* A bin whose first block is none of its size, or whose bit is wrong; NULL where all are right. */
const void *hy__bins_find_bad(const hy__fast *fast);

#endif /* HEAPYARD_REGION_BINS_H */
