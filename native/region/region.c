/*
 * region.c: blocks by pointer. Finds the segment, calls its engine, counts, tells the sanitizers.
 */
#include "base/assert.h"
#include "base/bits.h"
#include "region/chain.h"
#include "region/mark.h"

/* A block that was found by its pointer. */
typedef struct handle {
    hy__segment *segment;
    uint32_t number; /* 0: misuse, which was reported */
} handle;

/* ---- counting ------------------------------------------------------------------------------- */

static void begin(hy_region *region)
{
    HY__COUNT(region->counters.steps = 0);
    hy__enter(region);
}

static void end(hy_region *region)
{
#if HEAPYARD_COUNTERS
    hy_region_counters *const counters = &region->counters;
    if (counters->peak_steps < counters->steps) {
        counters->peak_steps = counters->steps;
    }
#endif
    hy__leave(region);
    HY_ASSERT_ALL(hy_region_check(region).code == HY_REGION_SOUND);
}

static void count_live(hy_region *region, uint32_t more, uint32_t less)
{
#if HEAPYARD_COUNTERS
    hy_region_counters *const counters = &region->counters;
    counters->live_bytes += (uint64_t)more << region->shift;
    counters->live_bytes -= (uint64_t)less << region->shift;
    if (counters->peak_live_bytes < counters->live_bytes) {
        counters->peak_live_bytes = counters->live_bytes;
    }
#endif
    (void)region;
    (void)more;
    (void)less;
}

/* ---- the engine's turn ---------------------------------------------------------------------- */

static uint32_t engine_take(hy_region *region, hy__segment *segment, uint32_t n, size_t alignment)
{
    return hy__is_list(region) ? hy__list_take(region, segment, n, alignment)
                               : hy__fast_take(region, segment, n, alignment);
}

static uint32_t engine_measure(hy_region *region, handle at, size_t size)
{
    return hy__is_list(region) ? hy__list_measure(region, at.segment, at.number, size)
                               : hy__fast_measure(region, at.segment, at.number, size);
}

static uint32_t engine_give(hy_region *region, handle at, size_t size)
{
    return hy__is_list(region) ? hy__list_give(region, at.segment, at.number, size)
                               : hy__fast_give(region, at.segment, at.number, size);
}

static bool engine_resize(hy_region *region, handle at, uint32_t old_n, uint32_t new_n)
{
    return hy__is_list(region) ? hy__list_resize(region, at.segment, at.number, old_n, new_n)
                               : hy__fast_resize(region, at.segment, at.number, old_n, new_n);
}

/* ---- taking --------------------------------------------------------------------------------- */

/* Tries the current segment, then each other once. */
static char *take_from_chain(hy_region *region, uint32_t n, size_t alignment)
{
    hy__segment *const start = region->current.to;
    hy__segment *segment = start;
    do {
        const uint32_t number = engine_take(region, segment, n, alignment);
        if (number != 0) {
            region->current.to = segment;
            return hy__address(region, segment, number);
        }
        segment = segment->next.to != NULL ? segment->next.to : region->first.to;
    } while (segment != start);
    HY__COUNT(region->counters.failures++);
    return NULL;
}

static char *take(hy_region *region, size_t alignment, size_t size)
{
    const uint32_t n = hy__granules(region, size);
    char *const block = take_from_chain(region, n, alignment);
    if (block != NULL) {
        HY__COUNT(region->counters.allocs++);
        HY__COUNT(region->counters.live_blocks++);
        count_live(region, n, 0);
        hy__mark_used(region, block, size);
    }
    return block;
}

void *hy_region_alloc(hy_region *region, size_t size)
{
    begin(region);
    char *const block = take(region, 1, size);
    end(region);
    return block;
}

void *hy_region_alloc_aligned(hy_region *region, size_t alignment, size_t size)
{
    begin(region);
    char *block = NULL;
    if (hy__is_power_of_two(alignment)) {
        block = take(region, alignment, size);
    } else {
        HY__COUNT(region->counters.failures++);
    }
    end(region);
    return block;
}

void *hy_region_calloc(hy_region *region, size_t count, size_t size)
{
    size_t bytes;
    if (!hy__multiply(count, size, &bytes)) {
        bytes = SIZE_MAX; /* which is never served, and counts a failure */
    }
    void *block = hy_region_alloc(region, bytes);
    return block != NULL ? __builtin_memset(block, 0, bytes) : NULL;
}

/* ---- giving back ---------------------------------------------------------------------------- */

/* Turns a pointer into a granule below `top`, or reports what is wrong with it. */
static handle find(hy_region *region, const void *pointer)
{
    handle at = {region->current.to, 0};
    if (!hy__holds(region, at.segment, pointer)) {
        at.segment = hy__region_find(region, pointer);
        if (at.segment == NULL) {
            hy__region_misuse(region, HY_MISUSE_FOREIGN_POINTER, pointer, NULL);
            return at;
        }
    }
    const size_t offset = (size_t)((const char *)pointer - hy__base(region, at.segment));
    const size_t number = offset >> region->shift;
    if ((offset & (hy__granule(region) - 1)) != 0) {
        hy__region_misuse(region, HY_MISUSE_MISALIGNED_POINTER, pointer, NULL);
    } else if (number >= at.segment->top) {
        hy__region_misuse(region, HY_MISUSE_UNUSED_POINTER, pointer, NULL);
    } else {
        at.number = (uint32_t)number;
    }
    return at;
}

static void give(hy_region *region, void *block, size_t size)
{
    const handle at = find(region, block);
    const uint32_t n = at.number != 0 ? engine_give(region, at, size) : 0;
    if (n == 0) {
        return;
    }
    region->current.to = at.segment;
    HY__COUNT(region->counters.frees++);
    HY__COUNT(region->counters.live_blocks--);
    count_live(region, 0, n);
    hy__mark_free(region, block, (size_t)n << region->shift);
}

/* What a caller says that a block's size is, kept apart from HY__SIZE_UNKNOWN: no block has it. */
static size_t claimed(size_t size)
{
    return size == HY__SIZE_UNKNOWN ? size - 1 : size;
}

static void free_block(hy_region *region, void *block, size_t size)
{
    if (block == NULL) {
        return;
    }
    begin(region);
    give(region, block, size);
    end(region);
}

void hy_region_free(hy_region *region, void *block)
{
    free_block(region, block, HY__SIZE_UNKNOWN);
}

void hy_region_free_sized(hy_region *region, void *block, size_t size)
{
    free_block(region, block, claimed(size));
}

/* ---- resizing ------------------------------------------------------------------------------- */

/* Sanitizers: what was live stays defined, what is new is undefined, what went is unaddressable. */
static void mark_resized(const hy_region *region, char *block, uint32_t old_n, uint32_t new_n,
                         size_t new_size)
{
    const size_t old_bytes = (size_t)old_n << region->shift;
    if (!region->watched) {
        return;
    }
    hy__mark_defined(block, old_bytes < new_size ? old_bytes : new_size);
    if (new_size > old_bytes) {
        hy__mark_undefined(block + old_bytes, new_size - old_bytes);
    }
    const size_t end_bytes = (size_t)(old_n > new_n ? old_n : new_n) << region->shift;
    hy__mark_unaddressable(block + new_size, end_bytes - new_size);
}

static bool resize_in_place(hy_region *region, handle at, char *block, uint32_t old_n,
                            size_t new_size)
{
    const uint32_t new_n = hy__granules(region, new_size);
    if (new_n > HY__GRANULES_MAX || !engine_resize(region, at, old_n, new_n)) {
        return false;
    }
    HY__COUNT(region->counters.in_place++);
    count_live(region, new_n, old_n);
    mark_resized(region, block, old_n, new_n, new_size);
    return true;
}

static char *move(hy_region *region, char *block, uint32_t old_n, size_t old_size, size_t alignment,
                  size_t new_size)
{
    char *const moved = take(region, alignment, new_size);
    if (moved == NULL) {
        return NULL;
    }
    const size_t old_bytes = (size_t)old_n << region->shift;
    if (region->watched) {
        hy__mark_defined(block, old_bytes);
    }
    __builtin_memcpy(moved, block, old_bytes < new_size ? old_bytes : new_size);
    give(region, block, old_size);
    HY__COUNT(region->counters.moved++);
    return moved;
}

static char *resize(hy_region *region, char *block, size_t old_size, size_t alignment,
                    size_t new_size)
{
    const handle at = find(region, block);
    const uint32_t old_n = at.number != 0 ? engine_measure(region, at, old_size) : 0;
    if (old_n == 0) {
        return NULL;
    }
    if (hy__is_aligned(block, alignment) && resize_in_place(region, at, block, old_n, new_size)) {
        return block;
    }
    return move(region, block, old_n, old_size, alignment, new_size);
}

static void *resize_block(hy_region *region, void *block, size_t old_size, size_t alignment,
                          size_t new_size)
{
    if (block == NULL || !hy__is_power_of_two(alignment)) {
        return hy_region_alloc_aligned(region, alignment, new_size);
    }
    begin(region);
    char *const resized = resize(region, block, old_size, alignment, new_size);
    end(region);
    return resized;
}

void *hy_region_realloc(hy_region *region, void *block, size_t new_size)
{
    return resize_block(region, block, HY__SIZE_UNKNOWN, 1, new_size);
}

void *hy_region_realloc_sized(hy_region *region, void *block, size_t old_size, size_t alignment,
                              size_t new_size)
{
    return resize_block(region, block, claimed(old_size), alignment != 0 ? alignment : 1, new_size);
}

/* ---- asking --------------------------------------------------------------------------------- */

size_t hy_region_usable_size(hy_region *region, const void *block)
{
    if (block == NULL || hy__is_list(region)) {
        return 0;
    }
    const handle at = find(region, block);
    const uint32_t n = at.number != 0 ? engine_measure(region, at, HY__SIZE_UNKNOWN) : 0;
    const size_t size = (size_t)n << region->shift;
    if (region->watched) {
        hy__mark_defined(block, size);
    }
    return size;
}

bool hy_region_contains(const hy_region *region, const void *pointer)
{
    return hy__region_find(region, pointer) != NULL;
}

hy_region_engine hy_region_engine_of(const hy_region *region)
{
    return (hy_region_engine)region->engine;
}
