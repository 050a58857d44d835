#include "gc/walk.h"

typedef struct layout {
    hy_space *space;
    hy__gc *gc;
    size_t arenas;
    const void *last_arena;
    uint64_t slots;
    unsigned generation;
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

/* Of a nearly empty pool it may be known where the containers are. */
static void look_up(const layout *made, hy__gc_pool *described, uint32_t live)
{
    described->is_nearly_empty = hy__is_nearly_empty(described, live);
    if (described->is_nearly_empty && made->space->log.is_whole) {
        described->bits = hy__known_bits(made->gc, described);
    }
}

/* Pools with a mapping of their own come last. Both kinds are by address, as the walk is. */
static int note_pool(layout *made, const hy_heap_pool *pool)
{
    if (made->generation < HY_GC_GENERATIONS - 1 &&
        hy__ages_of(made->gc, pool) > made->generation) {
        return 0;
    }
    hy__gc_map *const map = &made->gc->map;
    const size_t needed = (map->pool_count + 1) * sizeof(hy__gc_pool);
    if (!hy__buffer_reserve(made->space, &map->pools, needed) ||
        made->slots + pool->carved >= HY__NO_SLOT) {
        made->failed = true;
        return 1;
    }
    hy__gc_pool described = describe(pool, made->slots);
    look_up(made, &described, pool->live);
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

/* ---- pages ------------------------------------------------------------------------------------ */

static inline size_t hash(uintptr_t number)
{
    return (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

static hy__gc_arena *place_of(const hy__gc_map *map, uintptr_t number)
{
    hy__gc_arena *const far = map->far.data;
    size_t place = hash(number) & map->far_mask;
    while (far[place].number != 0 && far[place].number != number) {
        place = (place + 1) & map->far_mask;
    }
    return &far[place];
}

/* The pages of the arena that an address is in; `next` are those of a far one that is new. */
static uint32_t *pages_at(hy__gc_map *map, uintptr_t address, uint32_t **next)
{
    uint32_t *const pages = map->pages.data;
    const uintptr_t number = address >> HY__ARENA_SHIFT;
    const size_t within = ((number << HY__ARENA_SHIFT) - map->window) / HY_PAGE_SIZE;
    if (within < map->window_pages) {
        return pages + within;
    }
    hy__gc_arena *const arena = place_of(map, number);
    if (arena->number == 0) {
        *arena = (hy__gc_arena){.number = number, .pages = *next};
        *next += HY__PAGES;
    }
    return arena->pages;
}

/* The pages of each pool lead to it. */
static void enter_pools(hy__gc_map *map)
{
    const hy__gc_pool *const pools = map->pools.data;
    uint32_t *next = (uint32_t *)map->pages.data + map->window_pages;
    for (size_t i = 0; i < map->first_alone; i++) {
        const size_t bytes =
            pools[i].block_size != 0 ? (size_t)pools[i].block_size * pools[i].blocks : HY_PAGE_SIZE;
        const size_t first = pools[i].first / HY_PAGE_SIZE % HY__PAGES;
        const size_t last = (pools[i].first + bytes - 1) / HY_PAGE_SIZE % HY__PAGES;
        uint32_t *const pages = pages_at(map, pools[i].first, &next);
        for (size_t page = first; page <= last; page++) {
            pages[page] = (uint32_t)i + 1;
        }
    }
}

/* Arenas that lie close together behind the first, as a rule all. */
static size_t choose_window(hy__gc_map *map, size_t arenas)
{
    const hy__gc_pool *const pools = map->pools.data;
    const uintptr_t first = map->first_alone != 0 ? pools[0].first >> HY__ARENA_SHIFT : 0;
    const size_t most = 4 * arenas + 16;
    uintptr_t last = 0;
    size_t near = 0;
    map->window = first << HY__ARENA_SHIFT;
    map->window_pages = 0;
    for (size_t i = 0; i < map->first_alone; i++) {
        const uintptr_t number = pools[i].first >> HY__ARENA_SHIFT;
        if (number != last && number - first < most) {
            near++;
            map->window_pages = (number - first + 1) * HY__PAGES;
        }
        last = number;
    }
    return arenas - near;
}

static bool make_pages(hy_space *space, hy__gc_map *map, size_t arenas)
{
    const size_t far = choose_window(map, arenas);
    size_t places = 1;
    while (places < 4 * far) {
        places *= 2;
    }
    const size_t table = places * sizeof(hy__gc_arena);
    const size_t pages = (map->window_pages + far * HY__PAGES) * sizeof(uint32_t);
    if (!hy__buffer_reserve(space, &map->far, table) ||
        !hy__buffer_reserve(space, &map->pages, pages)) {
        return false;
    }
    map->far_mask = places - 1;
    (void)memset(map->far.data, 0, table);
    if (pages != 0) {
        (void)memset(map->pages.data, 0, pages);
    }
    enter_pools(map);
    return true;
}

bool hy__map_make(hy_space *space, hy__gc *gc, unsigned generation)
{
    layout made = {.space = space, .gc = gc, .generation = generation};
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
    return !made.failed && make_pages(space, map, made.arenas);
}

/* ---- what is not in the window ------------------------------------------------------------------ */

/* Of a block with a mapping of its own. */
static uint32_t slot_alone(const hy__gc_map *map, uintptr_t address)
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

uint32_t hy__map_slot_far(const hy__gc_map *map, uintptr_t address)
{
    const hy__gc_arena *const arena = place_of(map, address >> HY__ARENA_SHIFT);
    if (arena->number == 0) {
        return slot_alone(map, address);
    }
    const size_t number = arena->pages[address / HY_PAGE_SIZE % HY__PAGES];
    return number != 0
               ? hy__slot_in_pool((const hy__gc_pool *)map->pools.data + number - 1, address)
               : HY__NO_SLOT;
}
