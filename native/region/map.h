/*
 * map.h: the fast engine's map of block boundaries: two bits for each granule, behind the blocks.
 *
 *     granule    1    2    3    4    5    6    7    8    9 = top
 *              [ live         ][ free         ][ live ][ unused ...
 *     starts     1    0    0    1    0    0    1    0    1
 *     frees      0    0    0    1    0    1    0    0    0
 *
 * `starts`: a block begins here; the unused memory counts as one. `frees`: the first and the last
 * granule of a free block. So one bit tells whether the block before a granule is free, and one
 * whether the block at it is. All other bits of `frees` are 0, but for one use: a live block of
 * more than 64 granules keeps its size there, in the 32 bits behind its start. Smaller blocks are
 * measured by looking for the next start, at most 64 bits on. So the size of a block is found in
 * O(1), without a header.
 *
 * Pairs of words are cleared when `top` first comes near them: a region touches no more of its map
 * than its blocks need.
 */
#ifndef HEAPYARD_REGION_MAP_H
#define HEAPYARD_REGION_MAP_H

#include "region/layout.h"

#define HY__SCANNED_MAX 64u /* blocks of more granules keep their size in the map */

typedef struct HY__MAY_ALIAS hy__map {
    uint64_t starts, frees;
} hy__map;
static_assert(sizeof(hy__map) == 16, "one granule of map for 64 granules of blocks");

/* The map of granules 0 to `limit`, and one pair more: windows may look 64 bits past `limit`. */
static inline uint32_t hy__map_pairs(uint32_t limit)
{
    return (limit >> 6) + 2;
}

static inline hy__map *hy__map_at(const hy__segment *segment, uint32_t limit)
{
    char *base = (char *)(uintptr_t)segment + sizeof(hy__fast) - 16;
    return (hy__map *)(void *)(base + ((size_t)limit << 4));
}

static inline hy__map *hy__map_of(const hy__fast *fast)
{
    return hy__map_at(&fast->segment, fast->segment.limit);
}

static inline uint64_t hy__bit(uint32_t number)
{
    return UINT64_C(1) << (number & 63);
}

HY__HOT bool hy__is_start(const hy__map *map, uint32_t number)
{
    return (map[number >> 6].starts & hy__bit(number)) != 0;
}

/* A free block begins, or ends, at this granule (which must begin, or end, a block). */
HY__HOT bool hy__is_free(const hy__map *map, uint32_t number)
{
    return (map[number >> 6].frees & hy__bit(number)) != 0;
}

HY__HOT void hy__set_start(hy__map *map, uint32_t number)
{
    map[number >> 6].starts |= hy__bit(number);
}

HY__HOT void hy__clear_start(hy__map *map, uint32_t number)
{
    map[number >> 6].starts &= ~hy__bit(number);
}

HY__HOT void hy__set_free(hy__map *map, uint32_t number)
{
    map[number >> 6].frees |= hy__bit(number);
}

HY__HOT void hy__clear_free(hy__map *map, uint32_t number)
{
    map[number >> 6].frees &= ~hy__bit(number);
}

/* The 64 bits from `number` on, of which the lowest is `number`'s. */
HY__HOT uint64_t hy__starts_from(const hy__map *map, uint32_t number)
{
    const unsigned shift = number & 63;
    const hy__map *pair = &map[number >> 6];
    return pair[0].starts >> shift | pair[1].starts << 1 << (63 - shift);
}

HY__HOT uint64_t hy__frees_from(const hy__map *map, uint32_t number)
{
    const unsigned shift = number & 63;
    const hy__map *pair = &map[number >> 6];
    return pair[0].frees >> shift | pair[1].frees << 1 << (63 - shift);
}

/* Put the size of a live block into the map, or take it out again (`digits` 0). */
HY__HOT void hy__write_digits(hy__map *map, uint32_t number, uint32_t digits)
{
    const unsigned shift = (number + 1) & 63;
    hy__map *pair = &map[(number + 1) >> 6];
    pair[0].frees = (pair[0].frees & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)digits << shift;
    if (shift > 32) {
        const unsigned back = 64 - shift;
        pair[1].frees = (pair[1].frees & ~(UINT64_C(0xffffffff) >> back)) | digits >> back;
    }
}

static inline void hy__mark_size(hy__map *map, uint32_t number, uint32_t n)
{
    if (n > HY__SCANNED_MAX) {
        hy__write_digits(map, number, n);
    }
}

static inline void hy__unmark_size(hy__map *map, uint32_t number, uint32_t n)
{
    if (n > HY__SCANNED_MAX) {
        hy__write_digits(map, number, 0);
    }
}

/* The granules of the live block at `number`; may be nonsense where the map was written over. */
HY__HOT uint32_t hy__live_size(const hy__map *map, uint32_t number)
{
    const uint64_t starts = hy__starts_from(map, number + 1);
    if (starts != 0) {
        return (uint32_t)__builtin_ctzll(starts) + 1;
    }
    return (uint32_t)hy__frees_from(map, number + 1);
}

#endif /* HEAPYARD_REGION_MAP_H */
