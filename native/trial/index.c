#include "trial/index.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "trial/index_view.h"

_Static_assert(sizeof(uintptr_t) == 8, "the index is laid out for 64-bit addresses");

#define LEAF_SPAN ((uintptr_t)1 << HY_INDEX_LEAF_BITS)
#define PAGE      ((uintptr_t)1 << HY_INDEX_PAGE_BITS)

bool hy__index_open(hy_index *index, hy_memory *memory, size_t blocks)
{
    *index = (hy_index){.memory = memory, .list_capacity = blocks};
    index->leaves = hy__memory_take(memory, HY_INDEX_LEAVES * sizeof(hy_index_leaf *));
    index->list = hy__memory_take(memory, blocks * sizeof(hy_index_range));
    return index->leaves != NULL && index->list != NULL;
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

static bool belongs_in_list(uintptr_t address, size_t size)
{
    return size > HY_INDEX_SMALL || address % HY_INDEX_GRANULE != 0;
}

/* The first block of the list that ends above `address`: binary search, they are disjoint. */
static size_t first_above(const hy_index *index, uintptr_t address)
{
    size_t low = 0;
    size_t high = index->list_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (index->list[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool meets_list(const hy_index *index, uintptr_t address, uintptr_t last)
{
    const size_t at = first_above(index, address);
    return at < index->list_count && index->list[at].start <= last;
}

/* Bits of the first and of the last word of a range. */
static uint64_t bits_from(uintptr_t address)
{
    return ~UINT64_C(0) << ((address >> HY_INDEX_GRANULE_BITS) & 63);
}

static uint64_t bits_through(uintptr_t last)
{
    return ~UINT64_C(0) >> (63 - ((last >> HY_INDEX_GRANULE_BITS) & 63));
}

static size_t word_of(uintptr_t address)
{
    return (address >> (HY_INDEX_GRANULE_BITS + 6)) & (HY_INDEX_LEAF_WORDS - 1);
}

typedef enum action { LOOK, SET, CLEAR } action;

static uint64_t act_on_word(uint64_t *word, uint64_t mask, action what)
{
    const uint64_t before = *word & mask;
    if (what == SET) {
        *word |= mask;
    } else if (what == CLEAR) {
        *word &= ~mask;
    }
    return before;
}

/* All bits of [address, last], which lies in one leaf; answers whether one was set before. */
static bool act_on_leaf(hy_index_leaf *leaf, uintptr_t address, uintptr_t last, action what)
{
    const size_t end = word_of(last);
    uint64_t mask = bits_from(address);
    uint64_t before = 0;
    for (size_t word = word_of(address); word != end; word++) {
        before |= act_on_word(&leaf->taken[word], mask, what);
        mask = ~UINT64_C(0);
    }
    return (before | act_on_word(&leaf->taken[end], mask & bits_through(last), what)) != 0;
}

/* The same in every leaf that is there. */
static bool act(const hy_index *index, uintptr_t address, uintptr_t last, action what)
{
    bool before = false;
    for (uintptr_t at = address; at <= last; at = last_in_leaf(at, last) + 1) {
        hy_index_leaf *const leaf = index->leaves[at >> HY_INDEX_LEAF_BITS];
        if (leaf != NULL && act_on_leaf(leaf, at, last_in_leaf(at, last), what)) {
            before = true;
        }
    }
    return before;
}

hy_index_answer hy__index_insert_anyway(hy_index *index, uintptr_t address, size_t size)
{
    if (index->shared != NULL) {
        return hy__index_view_insert_anyway(index, address, size);
    }
    if (index->list_count == index->list_capacity) {
        return HY_INDEX_NO_ROOM;
    }
    const size_t at = first_above(index, address);
    memmove(&index->list[at + 1], &index->list[at],
            (index->list_count - at) * sizeof(hy_index_range));
    index->list[at] = (hy_index_range){.start = address, .end = address + size};
    index->list_count++;
    return HY_INDEX_OK;
}

static bool has_leaves(hy_index *index, uintptr_t address, uintptr_t last)
{
    for (uintptr_t at = address; at <= last; at = last_in_leaf(at, last) + 1) {
        if (leaf_at(index, at) == NULL) {
            return false;
        }
    }
    return true;
}

hy_index_answer hy__index_insert_slow(hy_index *index, uintptr_t address, size_t size)
{
    if (index->shared != NULL) {
        return hy__index_view_insert(index, address, size);
    }
    const uintptr_t last = address + size - 1;
    if (meets_list(index, address, last)) {
        return HY_INDEX_TAKEN;
    }
    if (belongs_in_list(address, size)) {
        return act(index, address, last, LOOK) ? HY_INDEX_TAKEN
                                               : hy__index_insert_anyway(index, address, size);
    }
    if (!has_leaves(index, address, last)) {
        return HY_INDEX_NO_ROOM;
    }
    return act(index, address, last, SET) ? HY_INDEX_TAKEN : HY_INDEX_OK;
}

static void remove_from_list(hy_index *index, uintptr_t address)
{
    const size_t at = first_above(index, address);
    index->list_count--;
    memmove(&index->list[at], &index->list[at + 1],
            (index->list_count - at) * sizeof(hy_index_range));
}

void hy__index_remove_slow(hy_index *index, uintptr_t address, size_t size)
{
    if (index->shared != NULL) {
        hy__index_view_remove(index, address, size);
        return;
    }
    if (belongs_in_list(address, size)) {
        remove_from_list(index, address);
    } else {
        (void)act(index, address, address + size - 1, CLEAR);
    }
}

/* msync with MS_ASYNC writes nothing on Linux, but says ENOMEM where a page is not mapped. */
static bool kernel_maps(uintptr_t first, uintptr_t end)
{
    return msync((void *)first, end - first, MS_ASYNC) == 0 || errno != ENOMEM;
}

static size_t page_bit(uintptr_t address)
{
    return (address >> HY_INDEX_PAGE_BITS) & (HY_INDEX_LEAF_PAGES - 1);
}

/* Whether all pages were seen to be mapped before. */
static bool remembers_mapped(const hy_index *index, uintptr_t first, uintptr_t end)
{
    for (uintptr_t at = first; at < end; at += PAGE) {
        const hy_index_leaf *const leaf = index->leaves[at >> HY_INDEX_LEAF_BITS];
        if (leaf == NULL || ((leaf->mapped[page_bit(at) / 64] >> (page_bit(at) % 64)) & 1u) == 0) {
            return false;
        }
    }
    return true;
}

static void remember_mapped(hy_index *index, uintptr_t first, uintptr_t end)
{
    for (uintptr_t at = first; at < end; at += PAGE) {
        hy_index_leaf *const leaf = leaf_at(index, at);
        if (leaf == NULL) {
            return; /* only a cache */
        }
        leaf->mapped[page_bit(at) / 64] |= UINT64_C(1) << (page_bit(at) % 64);
    }
}

bool hy__index_is_mapped_slow(hy_index *index, uintptr_t address, size_t size)
{
    if (index->shared != NULL) {
        return hy__index_view_is_mapped(index, address, size);
    }
    const uintptr_t first = hy__align_down(address, PAGE);
    const uintptr_t end = hy__align_down(address + size - 1, PAGE) + PAGE;
    const bool is_small = size <= HY_INDEX_SMALL;
    if (is_small && remembers_mapped(index, first, end)) {
        return true;
    }
    if (!kernel_maps(first, end)) {
        return false;
    }
    if (is_small) {
        remember_mapped(index, first, end);
    }
    return true;
}
