/*
 * heap.c: making and deleting a heap, and requests. free.c has the frees.
 */
#include "heap/drain.h"
#include "heap/internal.h"

#include <string.h>
#include <sys/auxv.h>

/* The inline function of the public header, for those who call it by name. */
extern void *hy_heap_malloc(hy_heap *heap, size_t size);

/* ---- making and deleting ---------------------------------------------------------------------- */

static bool is_power_between(size_t value, size_t least, size_t most)
{
    return hy__is_power_of_two(value) && value >= least && value <= most;
}

#define ALL_FLAGS ((uint32_t)(HY_HEAP_STRICT | HY_HEAP_HUGE_PAGES | HY_HEAP_SMALL_PAGES))

static bool config_is_valid(const hy_heap_config *config)
{
    return config->size == sizeof *config &&
           (config->arena_size == 0 ||
            is_power_between(config->arena_size, HY_HEAP_MIN_ARENA_SIZE, HY_HEAP_MAX_ARENA_SIZE)) &&
           (config->pool_size == 0 ||
            is_power_between(config->pool_size, HY_PAGE_SIZE, HY_HEAP_MAX_POOL_SIZE)) &&
           config->purge <= HY_HEAP_PURGE_ON_TRIM && (config->flags & ~ALL_FLAGS) == 0 &&
           (~config->flags & (HY_HEAP_HUGE_PAGES | HY_HEAP_SMALL_PAGES)) != 0 &&
           config->reserved == 0;
}

/* A number that a stray write does not hit by chance: from what the kernel gave the process. */
static uintptr_t new_key(const hy__heap *heap)
{
    uintptr_t random = 0;
    const void *const seed =
        (const void *)getauxval(AT_RANDOM); // NOLINT(performance-no-int-to-ptr)
    if (seed != NULL) {
        memcpy(&random, seed, sizeof random);
    }
    const uintptr_t odd = (uintptr_t)0x9e3779b97f4a7c15U;
    return ((random ^ (uintptr_t)heap) * odd) | 1 | HY__SEAL_SIGN;
}

/* The most blocks that a cache takes at first. */
#define MOST_AT_FIRST 64

static void set_up_class(hy__heap *heap, unsigned size_class)
{
    const size_t size = hy__class_size(size_class);
    const size_t base = size <= 2 * HY_PAGE_SIZE ? 4 * HY_PAGE_SIZE / size : 0;
    hy__class *const class = &heap->classes[size_class];
    class->block_size = (uint32_t)size;
    class->limit = (uint32_t)(base < MOST_AT_FIRST ? base : MOST_AT_FIRST);
    heap->window.bins[size_class].divisor = hy__class_divisor(size_class);
}

static void set_up(hy__heap *heap, const hy_heap_config *config)
{
    heap->arena_size = config->arena_size != 0 ? config->arena_size : HY_HEAP_DEFAULT_ARENA_SIZE;
    const size_t pool_size = config->pool_size != 0 ? config->pool_size : HY_HEAP_MAX_POOL_SIZE;
    heap->max_pool_pages = (uint32_t)(pool_size >> HY__PAGE_SHIFT);
    heap->flags = config->flags;
    heap->annotating = hy__is_annotating();
    heap->strict = heap->annotating || config->flags & HY_HEAP_STRICT ||
                   HEAPYARD_ASSERT_LEVEL >= HY_ASSERT_LEVEL_INTERNAL;
    heap->run_limit = heap->arena_size / 8;
    heap->window.key = new_key(heap);
    heap->window.mask = heap->arena_size - 1;
    heap->window.colours = heap->arena_size >= HY_HEAP_DEFAULT_ARENA_SIZE ? HY__COLOUR_BITS : 0;
    hy__find_forget_all(heap);
    hy__purge_set_up(heap, config);
    hy__drain_set_up(heap);
    heap->refills = UINT32_MAX / 2; /* as if it were long since caches were emptied */
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        set_up_class(heap, size_class);
    }
}

static size_t own_size(void)
{
    return hy__round_up(sizeof(hy__heap), HY_PAGE_SIZE);
}

hy_heap *hy_heap_new(const hy_heap_config *config)
{
    const hy_heap_config defaults = {.size = sizeof defaults};
    const hy_heap_config *const given = config != NULL ? config : &defaults;
    if (!config_is_valid(given)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "heap", given, "(configuration)");
        return NULL;
    }
    const hy_page_source *const source = given->source != NULL ? given->source : hy_pages_mmap();
    hy__heap *const heap = source->map(source->context, own_size(), HY_PAGE_SIZE);
    if (heap == NULL) {
        return NULL;
    }
    heap->source = source; /* all else is zero, as fresh pages are */
    hy__span_count(heap, 0, own_size());
    HY_COUNT(heap->maps++);
    set_up(heap, given);
    return &heap->window;
}

static void unmap_span(hy__heap *heap, hy__span *span)
{
    hy__radix_remove(span);
    heap->source->unmap(heap->source->context, span->address, span->size);
}

void hy_heap_delete(hy_heap *handle)
{
    if (handle == NULL) {
        return;
    }
    hy__heap *const heap = hy__heap_of(handle);
    hy__late_end(heap);
    hy__large_drop_spares(heap);
    for (hy__span *span = heap->spans; span != NULL;) {
        hy__span *const next = span->next;
        unmap_span(heap, span);
        span = next;
    }
    const hy_page_source *const source = heap->source;
    for (hy__record_page *page = heap->record_pages; page != NULL;) {
        hy__record_page *const next = page->next;
        source->unmap(source->context, page, HY_PAGE_SIZE);
        page = next;
    }
    source->unmap(source->context, heap, own_size());
}

/* ---- requests ----------------------------------------------------------------------------------- */

/* Write down what was asked for, and let only that be touched. */
static void *hand_out(const hy__heap *heap, void *block, size_t block_size, size_t size)
{
    if (heap->annotating) {
        size_t *const asked = hy__asked(block, block_size);
        hy__show(heap, asked, sizeof *asked);
        *asked = size;
        hy__hide(heap, block, block_size);
        hy__show(heap, block, size);
    }
    return block;
}

/* A block was handed out that was not in the cache. */
static void count_past_cache(hy__heap *heap, unsigned size_class)
{
    heap->window.bins[size_class].allocs++;
    heap->classes[size_class].balance++;
}

/* What blocks of a page or more need, so that they may be freed without being read. */
static inline void note_big(hy__heap *heap, const void *block, unsigned size_class)
{
    if (size_class >= HY__BIG_CLASS && !heap->strict) {
        hy__big_note(heap, block, size_class);
        hy__drain_note_big(heap, size_class);
    }
}

/* A block of a class, from the cache or not. */
static void *take_small(hy__heap *heap, unsigned size_class, size_t size)
{
    hy_heap_bin *const bin = &heap->window.bins[size_class];
    hy_heap_link *block = bin->head;
    if (block != NULL) {
        if (!hy__link_fits(heap, block)) {
            hy__misuse(HY_MISUSE_WRITE_AFTER_FREE, "heap", block, NULL);
            return NULL;
        }
        __builtin_prefetch(block->next, 1);
        bin->head = block->next;
        bin->allocs++;
        block->seal = 0;
    } else {
        block = hy__cache_refill(heap, size_class);
        if (block == NULL) {
            return NULL;
        }
        count_past_cache(heap, size_class);
    }
    note_big(heap, block, size_class);
    return hand_out(heap, block, heap->classes[size_class].block_size, size);
}

/* The same, aligned: blocks of the class are, but the cache may hold a larger block that was shrunk
 * in its place. */
static void *take_aligned(hy__heap *heap, unsigned size_class, size_t size, size_t alignment)
{
    const hy_heap_link *const cached = heap->window.bins[size_class].head;
    if (cached != NULL && hy__is_aligned(cached, alignment)) {
        return take_small(heap, size_class, size);
    }
    uint32_t count;
    hy__pool *const pool = hy__pool_for(heap, size_class);
    hy_heap_link *const block = pool != NULL ? hy__pool_take(heap, pool, &count, 1) : NULL;
    if (block == NULL) {
        return NULL;
    }
    count_past_cache(heap, size_class);
    const size_t block_size = heap->classes[size_class].block_size;
    if (!heap->annotating) {
        block->seal = 0;
    }
    note_big(heap, block, size_class);
    return hand_out(heap, block, block_size, size);
}

/* A block that is a run of pages in an arena. */
static void *take_run(hy__heap *heap, size_t size, size_t alignment, size_t need, bool zero)
{
    const size_t bytes = hy__round_up(need, HY_PAGE_SIZE);
    const size_t least = alignment > HY_PAGE_SIZE ? alignment : HY_PAGE_SIZE;
    const unsigned pages = (unsigned)(bytes >> HY__PAGE_SHIFT);
    const hy__page_request request = {
        .most = pages, .least = pages, .alignment = least, .is_run = true};
    size_t fresh;
    hy__pool *const pool = hy__pages_take(heap, &request, &fresh);
    if (pool == NULL) {
        return NULL;
    }
    const bool clean = fresh == pages;
    pool->capacity = 1;
    pool->carved = 1;
    pool->out = 1;
    heap->run_count++;
    heap->run_bytes += bytes;
    HY_COUNT(heap->other_allocs++);
    char *const block = hy__pool_arena(pool)->span.address + pool->offset;
    hand_out(heap, block, bytes, size);
    if (heap->annotating) {
        hy__show(heap, block, size);
    } else {
        hy__show(heap, block, bytes);
    }
    if (zero && !clean) {
        memset(block, 0, size);
    } else if (zero) {
        hy__show_defined(heap, block, size);
    }
    return block;
}

/* Any request but the shortest way. NULL if and only if there is no memory, or after misuse. Failures
 * are counted by the caller. */
void *hy__heap_take(hy__heap *heap, size_t asked, size_t alignment, bool zero)
{
    const size_t size = asked != 0 ? asked : 1;
    if (size > PTRDIFF_MAX - HY_HEAP_MAX_ALIGNMENT) {
        return NULL;
    }
    const size_t need = hy__need(heap, size);
    const unsigned size_class = alignment <= HY_HEAP_ALIGNMENT && need <= HY_HEAP_MAX_SMALL
                                    ? hy__class_of(need)
                                : alignment <= HY_PAGE_SIZE ? hy__class_of_aligned(need, alignment)
                                                            : HY_HEAP_CLASSES;
    if (size_class < HY_HEAP_CLASSES) {
        void *const block = alignment <= HY_HEAP_ALIGNMENT
                                ? take_small(heap, size_class, size)
                                : take_aligned(heap, size_class, size, alignment);
        if (block != NULL && zero) {
            memset(block, 0, size);
        }
        return block;
    }
    if (need <= heap->run_limit && alignment <= heap->arena_size / 4) {
        return take_run(heap, size, alignment, need, zero);
    }
    return hy__large_new(heap, size, alignment, zero);
}

void *hy_heap_malloc_slow(hy_heap *handle, size_t size)
{
    hy__heap *const heap = hy__heap_of(handle);
    if (size - 1 < HY_HEAP_MAX_SMALL && !heap->strict) {
        void *const block = take_small(heap, hy__class_of(size), size);
        if (__builtin_expect(block != NULL, 1)) {
            return block;
        }
    } else {
        void *const block = hy__heap_take(heap, size, HY_HEAP_ALIGNMENT, false);
        if (block != NULL) {
            return block;
        }
    }
    HY_COUNT(heap->failures++);
    return NULL;
}

void *hy_heap_calloc(hy_heap *handle, size_t count, size_t size)
{
    hy__heap *const heap = hy__heap_of(handle);
    size_t total;
    void *const block = hy__multiply(count, size, &total)
                            ? hy__heap_take(heap, total, HY_HEAP_ALIGNMENT, true)
                            : NULL;
    HY_COUNT(heap->failures += block == NULL);
    return block;
}

void *hy_heap_aligned_alloc(hy_heap *handle, size_t alignment, size_t size)
{
    hy__heap *const heap = hy__heap_of(handle);
    if (!hy__is_power_of_two(alignment) || alignment > HY_HEAP_MAX_ALIGNMENT) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "heap", NULL, "(alignment)");
        return NULL;
    }
    void *const block = hy__heap_take(heap, size, alignment, false);
    HY_COUNT(heap->failures += block == NULL);
    return block;
}

/* ---- asking ------------------------------------------------------------------------------------- */

size_t hy_heap_usable_size(hy_heap *handle, const void *block)
{
    hy__heap *const heap = hy__heap_of(handle);
    hy__found found;
    return block != NULL && hy__find_live(heap, block, &found)
               ? hy__found_usable(heap, &found, block)
               : 0;
}

size_t hy_heap_good_size(size_t size)
{
    if (size > PTRDIFF_MAX - HY_HEAP_MAX_ALIGNMENT) {
        return 0;
    }
    return size <= HY_HEAP_MAX_SMALL ? hy__class_size(hy__class_of(size))
                                     : hy__round_up(size, HY_PAGE_SIZE);
}

bool hy_heap_contains(const hy_heap *heap, const void *address)
{
    const hy__span *const span = hy__radix_get(address);
    return span != NULL && span->owner == hy__heap_of_const(heap) &&
           (const char *)address < span->address + span->size;
}
