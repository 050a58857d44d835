#include "gc/map.h"

typedef struct layout {
    hy_space *space;
    hy__gc *gc;
    size_t arenas;
    const void *last_arena;
    uint64_t slots;
    bool failed;
} layout;

static hy__gc_pool describe(const hy_heap_pool *pool, uint64_t slot)
{
    const bool is_class = pool->state != HY_HEAP_POOL_BLOCK;
    return (hy__gc_pool){
        .first = (uintptr_t)pool->address,
        .slot = (uint32_t)slot,
        .blocks = is_class ? pool->carved : 1,
        .block_size = is_class ? (uint32_t)pool->block_size : 0,
        .reciprocal = is_class ? (uint32_t)(((uint64_t)1 << 32) / pool->block_size + 1) : 0,
    };
}

/* Pools with a mapping of their own come last. Both kinds are by address, as the walk is. */
static int note_pool(layout *made, const hy_heap_pool *pool)
{
    hy__gc_map *const map = &made->gc->map;
    const size_t needed = (map->pool_count + 1) * sizeof(hy__gc_pool);
    if (!hy__buffer_reserve(made->space, &map->pools, needed) ||
        made->slots + pool->carved >= HY__NO_SLOT) {
        made->failed = true;
        return 1;
    }
    const hy__gc_pool described = describe(pool, made->slots);
    ((hy__gc_pool *)map->pools.data)[map->pool_count++] = described;
    made->slots += described.blocks;
    return 0;
}

static int note_arena_pool(void *context, const hy_heap_pool *pool)
{
    layout *const made = context;
    if (pool->live == 0) {
        made->gc->counters.pools_skipped += pool->arena != NULL;
        return 0;
    }
    if (pool->arena == NULL) {
        return 0;
    }
    made->arenas += pool->arena != made->last_arena;
    made->last_arena = pool->arena;
    return note_pool(made, pool);
}

static int note_pool_alone(void *context, const hy_heap_pool *pool)
{
    return pool->arena == NULL && pool->live != 0 ? note_pool(context, pool) : 0;
}

static void enter_arena(hy__gc_map *map, uintptr_t number, const uint32_t *pages)
{
    hy__gc_arena *const arenas = map->arenas.data;
    size_t place = hy__arena_hash(number) & map->arena_mask;
    while (arenas[place].number != 0) {
        place = (place + 1) & map->arena_mask;
    }
    arenas[place] = (hy__gc_arena){.number = number, .pages = pages};
}

/* The pages of each pool lead to it. */
static void enter_pools(hy__gc_map *map)
{
    const hy__gc_pool *const pools = map->pools.data;
    uint32_t *pages = map->pages.data;
    uintptr_t arena = 0;
    for (size_t i = 0; i < map->first_alone; i++) {
        if (pools[i].first >> HY__ARENA_SHIFT != arena) {
            pages += arena != 0 ? HY__PAGES : 0;
            arena = pools[i].first >> HY__ARENA_SHIFT;
            enter_arena(map, arena, pages);
        }
        const size_t bytes =
            pools[i].block_size != 0 ? (size_t)pools[i].block_size * pools[i].blocks : HY_PAGE_SIZE;
        const size_t first = pools[i].first / HY_PAGE_SIZE % HY__PAGES;
        const size_t last = (pools[i].first + bytes - 1) / HY_PAGE_SIZE % HY__PAGES;
        for (size_t page = first; page <= last; page++) {
            pages[page] = (uint32_t)i + 1;
        }
    }
}

static bool make_tables(hy_space *space, hy__gc_map *map, size_t arenas)
{
    size_t places = 16;
    while (places < 4 * arenas) {
        places *= 2;
    }
    const size_t table = places * sizeof(hy__gc_arena);
    const size_t pages = (arenas + 1) * HY__PAGES * sizeof(uint32_t);
    if (!hy__buffer_reserve(space, &map->arenas, table) ||
        !hy__buffer_reserve(space, &map->pages, pages)) {
        return false;
    }
    map->arena_mask = places - 1;
    (void)memset(map->arenas.data, 0, table);
    (void)memset(map->pages.data, 0, pages);
    enter_pools(map);
    return true;
}

bool hy__map_make(hy_space *space, hy__gc *gc)
{
    layout made = {.space = space, .gc = gc};
    hy__gc_map *const map = &gc->map;
    hy_heap *const heap = space->containers.heap;
    map->pool_count = 0;
    gc->counters.pools_skipped = 0;
    (void)hy_heap_walk_pools(heap, note_arena_pool, &made);
    map->first_alone = map->pool_count;
    if (!made.failed) {
        (void)hy_heap_walk_pools(heap, note_pool_alone, &made);
    }
    gc->counters.pools_walked = map->pool_count;
    map->slots = (uint32_t)made.slots;
    return !made.failed && make_tables(space, map, made.arenas);
}

/* Of a block with a mapping of its own. */
uint32_t hy__map_slot_alone(const hy__gc_map *map, uintptr_t address)
{
    const hy__gc_pool *const pools = map->pools.data;
    size_t low = map->first_alone;
    size_t high = map->pool_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (pools[middle].first == address) {
            return pools[middle].slot;
        }
        if (pools[middle].first < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return HY__NO_SLOT;
}
