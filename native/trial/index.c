#include "trial/index.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"

_Static_assert(sizeof(uintptr_t) == 8, "the index is laid out for 64-bit addresses");

#define LEAF_SPAN ((uintptr_t)1 << HY_INDEX_LEAF_BITS)
#define PAGE      ((uintptr_t)1 << HY_INDEX_PAGE_BITS)

bool hy__index_open(hy_index *index, hy_memory *memory, size_t blocks)
{
    *index = (hy_index){.memory = memory, .big_capacity = blocks};
    index->leaves = hy__memory_take(memory, HY_INDEX_LEAVES * sizeof(hy_index_leaf *));
    index->bigs = hy__memory_take(memory, blocks * sizeof(hy_index_big));
    return index->leaves != NULL && index->bigs != NULL;
}

/* The leaf of an address, made where there is none. NULL: no memory left. */
static hy_index_leaf *leaf_at(hy_index *index, uintptr_t address)
{
    hy_index_leaf **const leaf = &index->leaves[address >> HY_INDEX_LEAF_BITS];
    if (*leaf == NULL) {
        *leaf = hy__memory_take(index->memory, sizeof(hy_index_leaf));
    }
    return *leaf;
}

/* The last address of the range that is in the same leaf as its first. */
static uintptr_t last_in_leaf(uintptr_t address, uintptr_t last)
{
    const uintptr_t leaf_last = address | (LEAF_SPAN - 1);
    return last < leaf_last ? last : leaf_last;
}

/* The first big block that ends above `address`: binary search, they are sorted and disjoint. */
static size_t first_big_above(const hy_index *index, uintptr_t address)
{
    size_t low = 0;
    size_t high = index->big_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (index->bigs[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool meets_big(const hy_index *index, uintptr_t address, uintptr_t last)
{
    const size_t at = first_big_above(index, address);
    return at < index->big_count && index->bigs[at].start <= last;
}

static bool any_set(const hy_index_leaf *leaf, uintptr_t address, uintptr_t last)
{
    const size_t end = hy__index_word(last);
    uint64_t mask = hy__index_from(address);
    uint64_t found = 0;
    for (size_t word = hy__index_word(address); word != end; word++) {
        found |= leaf->taken[word] & mask;
        mask = ~UINT64_C(0);
    }
    return (found | (leaf->taken[end] & mask & hy__index_through(last))) != 0;
}

static bool meets_small(const hy_index *index, uintptr_t address, uintptr_t last)
{
    for (uintptr_t at = address; at <= last; at = last_in_leaf(at, last) + 1) {
        const hy_index_leaf *const leaf = index->leaves[at >> HY_INDEX_LEAF_BITS];
        if (leaf != NULL && any_set(leaf, at, last_in_leaf(at, last))) {
            return true;
        }
    }
    return false;
}

static hy_index_answer insert_big(hy_index *index, uintptr_t address, uintptr_t last)
{
    if (meets_big(index, address, last) || meets_small(index, address, last)) {
        return HY_INDEX_TAKEN;
    }
    if (index->big_count == index->big_capacity) {
        return HY_INDEX_NO_ROOM;
    }
    const size_t at = first_big_above(index, address);
    memmove(&index->bigs[at + 1], &index->bigs[at], (index->big_count - at) * sizeof(hy_index_big));
    index->bigs[at] = (hy_index_big){.start = address, .end = last + 1};
    index->big_count++;
    return HY_INDEX_OK;
}

static hy_index_answer insert_small(hy_index *index, uintptr_t address, uintptr_t last)
{
    bool taken = meets_big(index, address, last);
    for (uintptr_t at = address; at <= last; at = last_in_leaf(at, last) + 1) {
        hy_index_leaf *const leaf = leaf_at(index, at);
        if (leaf == NULL) {
            return HY_INDEX_NO_ROOM;
        }
        taken |= hy__index_set(leaf, at, last_in_leaf(at, last));
    }
    return taken ? HY_INDEX_TAKEN : HY_INDEX_OK;
}

hy_index_answer hy__index_insert_slow(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t last = address + size - 1;
    return size > HY_INDEX_SMALL ? insert_big(index, address, last)
                                 : insert_small(index, address, last);
}

static void remove_big(hy_index *index, uintptr_t address)
{
    const size_t at = first_big_above(index, address);
    index->big_count--;
    memmove(&index->bigs[at], &index->bigs[at + 1], (index->big_count - at) * sizeof(hy_index_big));
}

void hy__index_remove_slow(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t last = address + size - 1;
    if (size > HY_INDEX_SMALL) {
        remove_big(index, address);
        return;
    }
    for (uintptr_t at = address; at <= last; at = last_in_leaf(at, last) + 1) {
        hy__index_clear(index->leaves[at >> HY_INDEX_LEAF_BITS], at, last_in_leaf(at, last));
    }
}

/* msync with MS_ASYNC writes nothing on Linux, but says ENOMEM where a page is not mapped. */
static bool kernel_maps(uintptr_t first, uintptr_t end)
{
    return msync((void *)first, end - first, MS_ASYNC) == 0 || errno != ENOMEM;
}

static void remember_mapped(hy_index *index, uintptr_t first, uintptr_t end)
{
    for (uintptr_t at = first; at < end; at += PAGE) {
        hy_index_leaf *const leaf = leaf_at(index, at);
        if (leaf == NULL) {
            return; /* only a cache */
        }
        const size_t bit = (at >> HY_INDEX_PAGE_BITS) & (HY_INDEX_LEAF_PAGES - 1);
        leaf->mapped[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
}

bool hy__index_is_mapped_slow(hy_index *index, uintptr_t address, size_t size)
{
    const uintptr_t first = hy__align_down(address, PAGE);
    const uintptr_t end = hy__align_down(address + size - 1, PAGE) + PAGE;
    if (!kernel_maps(first, end)) {
        return false;
    }
    if (size <= HY_INDEX_SMALL) {
        remember_mapped(index, first, end);
    }
    return true;
}
