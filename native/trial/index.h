/*
 * index.h: which addresses are taken, to the byte.
 *
 * Blocks up to HY_INDEX_SMALL own one bit for each byte of address, in leaves found by direct
 * addressing; a block of 64 bytes is one or two words to test and set:
 *
 *     address  47 ........ 24 | 23 ............ 6 | 5 ... 0
 *               leaf number   |  word in the leaf | bit
 *
 * Larger blocks stand in a sorted list instead, so that 1 GiB does not cost 128 MiB of bits. The
 * two forms are held against each other on every insertion. A block of no bytes owns one byte.
 *
 * A leaf also remembers which of its pages were once seen to be mapped, so the kernel is asked once
 * a page. A page that the target unmapped since is found by the fill: the crash names the op.
 */
#ifndef HEAPYARD_TRIAL_INDEX_H
#define HEAPYARD_TRIAL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trial/memory.h"

#define HY_INDEX_ADDRESS_BITS 48 /* user space of x86-64 and AArch64 */
#define HY_INDEX_LEAF_BITS    24
#define HY_INDEX_SMALL        ((size_t)1 << 20)
#define HY_INDEX_PAGE_BITS    12
#define HY_INDEX_LEAVES       ((size_t)1 << (HY_INDEX_ADDRESS_BITS - HY_INDEX_LEAF_BITS))
#define HY_INDEX_LEAF_WORDS   ((size_t)1 << (HY_INDEX_LEAF_BITS - 6))
#define HY_INDEX_LEAF_PAGES   ((size_t)1 << (HY_INDEX_LEAF_BITS - HY_INDEX_PAGE_BITS))

typedef struct hy_index_leaf {
    uint64_t taken[HY_INDEX_LEAF_WORDS];       /* one bit a byte of address */
    uint64_t mapped[HY_INDEX_LEAF_PAGES / 64]; /* one bit a page */
} hy_index_leaf;

typedef struct hy_index_big {
    uintptr_t start;
    uintptr_t end;
} hy_index_big;

typedef struct hy_index {
    hy_index_leaf **leaves; /* by address >> HY_INDEX_LEAF_BITS; NULL: nothing was ever there */
    hy_index_big *bigs;     /* by address */
    size_t big_count;
    size_t big_capacity;
    hy_memory *memory;
} hy_index;

typedef enum hy_index_answer {
    HY_INDEX_OK,
    HY_INDEX_TAKEN,  /* a byte of it belongs to another block: the index is no longer usable */
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

/* Bits of the first and of the last word of a range. */
static inline uint64_t hy__index_from(uintptr_t address)
{
    return ~UINT64_C(0) << (address & 63);
}

static inline uint64_t hy__index_through(uintptr_t last)
{
    return ~UINT64_C(0) >> (63 - (last & 63));
}

static inline size_t hy__index_word(uintptr_t address)
{
    return (address >> 6) & (HY_INDEX_LEAF_WORDS - 1);
}

/* Sets the bits of [address, last] in one leaf; answers whether one was set before. */
static inline bool hy__index_set(hy_index_leaf *leaf, uintptr_t address, uintptr_t last)
{
    size_t word = hy__index_word(address);
    const size_t end = hy__index_word(last);
    uint64_t mask = hy__index_from(address);
    uint64_t before = 0;
    for (; word != end; word++) {
        before |= leaf->taken[word] & mask;
        leaf->taken[word] |= mask;
        mask = ~UINT64_C(0);
    }
    mask &= hy__index_through(last);
    before |= leaf->taken[end] & mask;
    leaf->taken[end] |= mask;
    return before != 0;
}

static inline void hy__index_clear(hy_index_leaf *leaf, uintptr_t address, uintptr_t last)
{
    size_t word = hy__index_word(address);
    const size_t end = hy__index_word(last);
    uint64_t mask = hy__index_from(address);
    for (; word != end; word++) {
        leaf->taken[word] &= ~mask;
        mask = ~UINT64_C(0);
    }
    leaf->taken[end] &= ~(mask & hy__index_through(last));
}

/* The leaf that holds the whole range, or NULL where the general form is needed. */
static inline hy_index_leaf *hy__index_leaf_of(const hy_index *index, uintptr_t address,
                                               uintptr_t last, size_t size)
{
    const bool one_leaf = (address >> HY_INDEX_LEAF_BITS) == (last >> HY_INDEX_LEAF_BITS);
    return one_leaf && size <= HY_INDEX_SMALL ? index->leaves[address >> HY_INDEX_LEAF_BITS] : NULL;
}

/* Takes the range for a block. O(size / 64), or O(big blocks) for a big one. */
static inline hy_index_answer hy__index_insert(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t last = address + size - 1;
    hy_index_leaf *const leaf = hy__index_leaf_of(index, address, last, size);
    if (__builtin_expect(leaf == NULL || index->big_count != 0, 0)) {
        return hy__index_insert_slow(index, address, size);
    }
    return hy__index_set(leaf, address, last) ? HY_INDEX_TAKEN : HY_INDEX_OK;
}

/* Gives back a range that was inserted. */
static inline void hy__index_remove(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t last = address + size - 1;
    hy_index_leaf *const leaf = hy__index_leaf_of(index, address, last, size);
    if (__builtin_expect(leaf == NULL, 0)) {
        hy__index_remove_slow(index, address, size);
        return;
    }
    hy__index_clear(leaf, address, last);
}

/* Whether every page of the range is mapped. */
static inline bool hy__index_is_mapped(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t page = address >> HY_INDEX_PAGE_BITS;
    const hy_index_leaf *const leaf = index->leaves[address >> HY_INDEX_LEAF_BITS];
    if (__builtin_expect(leaf != NULL && page == (address + size - 1) >> HY_INDEX_PAGE_BITS, 1)) {
        const size_t bit = page & (HY_INDEX_LEAF_PAGES - 1);
        if (__builtin_expect((leaf->mapped[bit / 64] >> (bit % 64)) & 1u, 1)) {
            return true;
        }
    }
    return hy__index_is_mapped_slow(index, address, size);
}

#endif /* HEAPYARD_TRIAL_INDEX_H */
