#include "gc/walk.h"
#include "heap/peek.h"

#define FIRST_POOLS ((size_t)16)

typedef struct layout {
    hy_space *space;
    hy__gc *gc;
    size_t arenas;
    const void *last_arena;
    bool any_alone; /* a pool with a mapping of its own */
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
    const size_t places = map->pool_count < FIRST_POOLS ? FIRST_POOLS : map->pool_count + 1;
    if (!hy__buffer_reserve(made->space, &map->pools, places * sizeof(hy__gc_pool)) ||
        made->slots + pool->carved >= HY__NO_SLOT) {
        made->failed = true;
        return 1;
    }
    hy__gc_pool described = describe(pool, made->slots);
    look_up(made, &described, pool->live);
    ((hy__gc_pool *)map->pools.data)[map->pool_count++] = described;
    made->slots += described.blocks;
    map->live += pool->live;
    return 0;
}

static int note_arena_pool(void *context, const hy_heap_pool *pool)
{
    layout *const made = context;
    if (pool->arena == NULL) {
        made->any_alone = true;
        return 0;
    }
    if (pool->live == 0) {
        made->gc->counters.pools_skipped++;
        return 0;
    }
    made->arenas += pool->arena != made->last_arena;
    made->last_arena = pool->arena;
    return note_pool(made, pool);
}

static int note_pool_alone(void *context, const hy_heap_pool *pool)
{
    return pool->arena == NULL ? note_pool(context, pool) : 0;
}

/* ---- pages ------------------------------------------------------------------------------------ */

static inline size_t hash(uintptr_t number)
{
    return (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

static hy__gc_arena *place_of(const hy__gc_map *map, uintptr_t number)
{
    hy__gc_arena *const far = map->far.data;
    size_t place = hash(number) & (map->far_places - 1);
    while (far[place].number != 0 && far[place].number != number) {
        place = (place + 1) & (map->far_places - 1);
    }
    return &far[place];
}

/* The place of an address's page; `next` are those of a far arena that is new. */
static uint32_t *page_at(hy__gc_map *map, uintptr_t address, uint32_t **next)
{
    const size_t within = (address - map->window) / HY_PAGE_SIZE;
    if (within < map->window_pages) {
        return (uint32_t *)map->pages.data + within;
    }
    const uintptr_t number = address >> HY__ARENA_SHIFT;
    hy__gc_arena *const arena = place_of(map, number);
    if (arena->number == 0) {
        *arena = (hy__gc_arena){.number = number, .pages = *next};
        *next += HY__PAGES;
    }
    return arena->pages + address / HY_PAGE_SIZE % HY__PAGES;
}

/* A page run's other pages have no block that starts there. */
static uintptr_t last_page(const hy__gc_pool *pool)
{
    const size_t bytes = (size_t)pool->block_size * pool->blocks;
    return (pool->first + (bytes != 0 ? bytes - 1 : 0)) / HY_PAGE_SIZE;
}

/* The pages of each pool lead to it. */
static void enter_pools(hy__gc_map *map)
{
    const hy__gc_pool *const pools = map->pools.data;
    uint32_t *next = (uint32_t *)map->pages.data + map->window_pages;
    for (size_t i = 0; i < map->first_alone; i++) {
        const size_t pages = last_page(&pools[i]) - pools[i].first / HY_PAGE_SIZE + 1;
        uint32_t *const page = page_at(map, pools[i].first, &next);
        for (size_t j = 0; j < pages; j++) {
            page[j] = (uint32_t)i + 1;
        }
    }
}

/* Arenas that lie close together behind the first, as a rule all. Returns how many are far. */
static size_t choose_window(hy__gc_map *map, size_t arenas)
{
    const hy__gc_pool *const pools = map->pools.data;
    const uintptr_t first = map->first_alone != 0 ? pools[0].first / HY_PAGE_SIZE : 0;
    const size_t most = (4 * arenas + 16) * HY__PAGES;
    uintptr_t last_arena = 0;
    size_t near = 0;
    map->window = first * HY_PAGE_SIZE;
    map->window_pages = 0;
    for (size_t i = 0; i < map->first_alone; i++) {
        const uintptr_t arena = pools[i].first >> HY__ARENA_SHIFT;
        const bool is_near = (arena + 1) * HY__PAGES - first < most;
        near += is_near && arena != last_arena;
        map->window_pages = is_near ? last_page(&pools[i]) - first + 1 : map->window_pages;
        last_arena = arena;
    }
    return arenas - near;
}

static size_t places_for(size_t far)
{
    size_t places = far != 0 ? 4 : 0;
    while (places < 4 * far) {
        places *= 2;
    }
    return places;
}

static bool make_pages(hy_space *space, hy__gc_map *map, size_t arenas)
{
    const size_t far = choose_window(map, arenas);
    const size_t places = places_for(far);
    const size_t table = places * sizeof(hy__gc_arena);
    const size_t pages = (map->window_pages + far * HY__PAGES) * sizeof(uint32_t);
    map->far_places = 0;
    if (!hy__buffer_reserve(space, &map->far, table) ||
        !hy__buffer_reserve(space, &map->pages, pages)) {
        return false;
    }
    map->far_places = places;
    if (places != 0) {
        (void)memset(map->far.data, 0, table);
    }
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
    map->live = 0;
    gc->counters.pools_skipped = 0;
    (void)hy_heap_walk_pools(heap, note_arena_pool, &made);
    map->first_alone = map->pool_count;
    if (made.any_alone && !made.failed) {
        (void)hy__heap_peek_pools(heap, note_pool_alone, &made);
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
    const hy__gc_arena *const arena =
        map->far_places != 0 ? place_of(map, address >> HY__ARENA_SHIFT) : NULL;
    if (arena == NULL || arena->number == 0) {
        return slot_alone(map, address);
    }
    const size_t number = arena->pages[address / HY_PAGE_SIZE % HY__PAGES];
    return number != 0
               ? hy__slot_in_pool((const hy__gc_pool *)map->pools.data + number - 1, address)
               : HY__NO_SLOT;
}
