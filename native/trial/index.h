/*
 * index.h: which addresses are taken.
 *
 * A block that starts at a multiple of 8 and has at most HY_INDEX_SMALL bytes owns one bit for each
 * granule of 8 bytes, in leaves found by direct addressing. Up to 512 bytes that is one mask over
 * two words, tested and set without a branch:
 *
 *     address  47 ........ 24 | 23 ............ 9 | 8 ... 3 | 2 1 0
 *               leaf number   |  word in the leaf |   bit   |
 *
 * Two such blocks share a granule if and only if they share its first byte, so bits are exact.
 * Larger blocks and those at other addresses stand in a list sorted by address instead: 1 GiB does
 * not cost 16 MiB of bits, and odd addresses stay exact. The two forms are held against each other
 * on every insertion; only there can a shared granule be a false alarm (the first of an odd block,
 * where the block before it ended earlier), which the caller resolves, see hy__index_insert.
 *
 * A leaf also remembers which of its pages were once seen to be mapped, so the kernel is asked once
 * a page. A page that the target unmapped since is found by the fill: the crash names the op.
 */
#ifndef HEAPYARD_TRIAL_INDEX_H
#define HEAPYARD_TRIAL_INDEX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trial/memory.h"

#define HY_INDEX_ADDRESS_BITS 48 /* user space of x86-64 and AArch64 */
#define HY_INDEX_LEAF_BITS    24
#define HY_INDEX_GRANULE_BITS 3
#define HY_INDEX_GRANULE      ((size_t)1 << HY_INDEX_GRANULE_BITS)
#define HY_INDEX_SMALL        ((size_t)1 << 20)
#define HY_INDEX_PAGE_BITS    12
#define HY_INDEX_LEAVES       ((size_t)1 << (HY_INDEX_ADDRESS_BITS - HY_INDEX_LEAF_BITS))
#define HY_INDEX_LEAF_WORDS   ((size_t)1 << (HY_INDEX_LEAF_BITS - HY_INDEX_GRANULE_BITS - 6))
#define HY_INDEX_LEAF_PAGES   ((size_t)1 << (HY_INDEX_LEAF_BITS - HY_INDEX_PAGE_BITS))

typedef struct hy_index_leaf {
    uint64_t taken[HY_INDEX_LEAF_WORDS + 1];   /* one bit a granule; the last word: always 0 */
    uint64_t mapped[HY_INDEX_LEAF_PAGES / 64]; /* one bit a page */
} hy_index_leaf;

/* A block of the list. */
typedef struct hy_index_range {
    uintptr_t start;
    uintptr_t end;
} hy_index_range;

typedef struct hy_index {
    hy_index_leaf **leaves; /* by address >> HY_INDEX_LEAF_BITS; NULL: nothing was ever there */
    hy_index_range *list;   /* by address; disjoint */
    size_t list_count;
    size_t list_capacity;
    hy_memory *memory;
    struct hy_index *shared; /* of a view (index_view.h): where everything is; else NULL */
    pthread_mutex_t *lock;   /* of a view: held around each use of `shared` */
} hy_index;

typedef enum hy_index_answer {
    HY_INDEX_OK,
    HY_INDEX_TAKEN,  /* it meets another block: see hy__index_insert */
    HY_INDEX_NO_ROOM /* the engine's memory is used up */
} hy_index_answer;

/* For at most `blocks` blocks at a time. False if the memory is used up. */
bool hy__index_open(hy_index *index, hy_memory *memory, size_t blocks);

/* Whether [address, address + size) lies in the part of the address space that the index covers. */
static inline bool hy__index_covers(uintptr_t address, size_t size)
{
    const uintptr_t end = (uintptr_t)1 << HY_INDEX_ADDRESS_BITS;
    return address != 0 && address < end && size <= end - address;
}

/* The general forms; `size` is not 0 and the index covers the range. */
hy_index_answer hy__index_insert_slow(hy_index *index, uintptr_t address, size_t size);
void hy__index_remove_slow(hy_index *index, uintptr_t address, size_t size);
bool hy__index_is_mapped_slow(hy_index *index, uintptr_t address, size_t size);

/* After HY_INDEX_TAKEN, where no live block really shares a byte. */
hy_index_answer hy__index_insert_anyway(hy_index *index, uintptr_t address, size_t size);

/* The bits of a range of at most 64 granules, over two words. */
typedef struct hy_index_mask {
    uint64_t *words;
    uint64_t low;
    uint64_t high;
} hy_index_mask;

static inline hy_index_mask hy__index_mask(hy_index_leaf *leaf, uintptr_t address, size_t size)
{
    const size_t granule = (address >> HY_INDEX_GRANULE_BITS) & (HY_INDEX_LEAF_WORDS * 64 - 1);
    const size_t count = (size + HY_INDEX_GRANULE - 1) >> HY_INDEX_GRANULE_BITS;
    const uint64_t ones = ~UINT64_C(0) >> (64 - count);
    const unsigned shift = granule & 63;
    return (hy_index_mask){.words = &leaf->taken[granule / 64],
                           .low = ones << shift,
                           .high = ones >> 1 >> (63 - shift)};
}

/* The leaf of a range that the fast path serves, else NULL: at most 64 granules, in one leaf that
 * is there, at a multiple of 8. */
static inline hy_index_leaf *hy__index_fast_leaf(const hy_index *index, uintptr_t address,
                                                 size_t size)
{
    const uintptr_t last = address + size - 1;
    const bool is_fast = size <= 64 * HY_INDEX_GRANULE && address % HY_INDEX_GRANULE == 0 &&
                         address >> HY_INDEX_LEAF_BITS == last >> HY_INDEX_LEAF_BITS;
    return is_fast ? index->leaves[address >> HY_INDEX_LEAF_BITS] : NULL;
}

/*
 * Takes the range for a block. HY_INDEX_TAKEN: if the address is a multiple of 8, a live block
 * shares a byte of it, and the index is no longer usable. Otherwise the caller has to look at its
 * blocks, and if none does, call hy__index_insert_anyway. O(size / 512 + list).
 */
static inline hy_index_answer hy__index_insert(hy_index *index, uintptr_t address, size_t size)
{
    hy_index_leaf *const leaf = hy__index_fast_leaf(index, address, size);
    if (__builtin_expect(leaf == NULL || index->list_count != 0, 0)) {
        return hy__index_insert_slow(index, address, size);
    }
    const hy_index_mask mask = hy__index_mask(leaf, address, size);
    const uint64_t low = mask.words[0];
    const uint64_t high = mask.words[1];
    mask.words[0] = low | mask.low;
    mask.words[1] = high | mask.high;
    return ((low & mask.low) | (high & mask.high)) != 0 ? HY_INDEX_TAKEN : HY_INDEX_OK;
}

/* Gives back a range that was inserted. */
static inline void hy__index_remove(hy_index *index, uintptr_t address, size_t size)
{
    hy_index_leaf *const leaf = hy__index_fast_leaf(index, address, size);
    if (__builtin_expect(leaf == NULL, 0)) {
        hy__index_remove_slow(index, address, size);
        return;
    }
    const hy_index_mask mask = hy__index_mask(leaf, address, size);
    mask.words[0] &= ~mask.low;
    mask.words[1] &= ~mask.high;
}

/* Whether every page of the range is mapped. */
static inline bool hy__index_is_mapped(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t page = address >> HY_INDEX_PAGE_BITS;
    const hy_index_leaf *const leaf = index->leaves[address >> HY_INDEX_LEAF_BITS];
    if (__builtin_expect(leaf != NULL && page == (address + size - 1) >> HY_INDEX_PAGE_BITS, 1)) {
        const size_t bit = page & (HY_INDEX_LEAF_PAGES - 1);
        if (__builtin_expect(((leaf->mapped[bit / 64] >> (bit % 64)) & 1u) != 0, 1)) {
            return true;
        }
    }
    return hy__index_is_mapped_slow(index, address, size);
}

#endif /* HEAPYARD_TRIAL_INDEX_H */
