/*
 * map.h: from a container's address to its slot, without reading the container.
 *
 *     address ---> page ---> pool ---> slot
 *
 * Pages are numbered from the first pool on, as far as arenas lie close together (the window); those of
 * others have a table of hashes. What is in no arena of the container heap is an atom, or a block with a
 * mapping of its own: those are few, and are looked for by halves.
 */
#ifndef HEAPYARD_GC_MAP_H
#define HEAPYARD_GC_MAP_H

#include "gc/internal.h"

#define HY__ARENA_SHIFT 22
#define HY__PAGES       (((size_t)1 << HY__ARENA_SHIFT) / HY_PAGE_SIZE)
#define HY__NO_SLOT     UINT32_MAX

_Static_assert((size_t)1 << HY__ARENA_SHIFT == HY_HEAP_DEFAULT_ARENA_SIZE, "of the container heap");

/* One place of the table: a far arena's number (its address without the low bits); 0: nobody's. */
typedef struct hy__gc_arena {
    uintptr_t number;
    uint32_t *pages;
} hy__gc_arena;

/* Outside the window. */
uint32_t hy__map_slot_far(const hy__gc_map *map, uintptr_t address);

static inline uint32_t hy__slot_in_pool(const hy__gc_pool *pool, uintptr_t address)
{
    const uint64_t within = address - pool->first;
    return pool->slot + (uint32_t)(within * pool->reciprocal >> 32);
}

/* Whether the object is a container, or was one; then its slot. */
static inline __attribute__((always_inline)) bool
hy__map_find(const hy__gc_map *map, const hy_object *object, uint32_t *slot)
{
    const uintptr_t address = (uintptr_t)object;
    const size_t page = (address - map->window) / HY_PAGE_SIZE;
    if (__builtin_expect(page >= map->window_pages, 0)) {
        *slot = hy__map_slot_far(map, address);
        return *slot != HY__NO_SLOT;
    }
    const size_t pool_number = ((const uint32_t *)map->pages.data)[page];
    if (__builtin_expect(pool_number == 0, 0)) {
        return false;
    }
    *slot = hy__slot_in_pool((const hy__gc_pool *)map->pools.data + pool_number - 1, address);
    return true;
}

#endif /* HEAPYARD_GC_MAP_H */
