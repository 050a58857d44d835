/*
 * purge.c: pages that hold nothing any more but have been touched: dirty pages.
 *
 * They stay for reuse, since a first touch costs the kernel's time, until there are more than may be; then
 * the rest goes, and a quarter of those, so that the next do not go one by one.
 *
 *     dirty          in use               what may be dirty is the threshold, and
 *     [ 6 - u | 1 ]  [ u ]                while less than 6 MiB are in use: what is missing to them
 *     [ u / 8 | 1 ]  [ ------ u ------ ]  then: an eighth of that
 *
 * So with nothing live, when what is in use are pools with cached blocks, a heap holds 7 MiB.
 *
 * The threshold, 1 MiB at first, learns from what happens next. Where what was given back is asked for again
 * within a second or two, it grows by as much: a program that swings between N arenas keeps them from the second
 * swing on (lazy.c: not as what it holds). Where some dirty pages were not needed for a while, it shrinks by half of
 * these. A program that frees once for all has nothing to regret.
 */
#include "heap/bitrun.h"
#include "heap/internal.h"

#include <time.h>

#define BASE_THRESHOLD ((size_t)1 << 20)
#define IDLE           ((size_t)6 << 20)
#define SHARE          8
#define BATCH_PART     4

/* Later than this, memory that is asked for again was worth giving back: to touch it again costs the
 * kernel less than half a second for each GiB. */
#define REGRET_SECONDS 1

/* Page runs given back between two looks at the clock, and seconds between two looks at the least number
 * of dirty pages. */
#define CLOCK_EVERY  256
#define LOOK_SECONDS 4

/* Touched and of no use now: dirty pages of arenas, and spare mappings. */
size_t hy__purge_dirty_bytes(const hy__heap *heap)
{
    return (heap->dirty_pages << HY__PAGE_SHIFT) + heap->spare_bytes;
}

/* Of these, those that the kernel may not take. */
size_t hy__purge_held_bytes(const hy__heap *heap)
{
    return hy__purge_dirty_bytes(heap) - (heap->lazy_pages << HY__PAGE_SHIFT) -
           heap->lazy_spare_bytes;
}

static void list_dirty(hy__heap *heap, hy__arena *arena)
{
    arena->next_dirty = NULL;
    arena->previous_dirty = heap->last_dirty_arena;
    if (heap->last_dirty_arena != NULL) {
        heap->last_dirty_arena->next_dirty = arena;
    } else {
        heap->dirty_arenas = arena;
    }
    heap->last_dirty_arena = arena;
}

static void unlist_dirty(hy__heap *heap, hy__arena *arena)
{
    if (arena->previous_dirty != NULL) {
        arena->previous_dirty->next_dirty = arena->next_dirty;
    } else {
        heap->dirty_arenas = arena->next_dirty;
    }
    if (arena->next_dirty != NULL) {
        arena->next_dirty->previous_dirty = arena->previous_dirty;
    } else {
        heap->last_dirty_arena = arena->previous_dirty;
    }
}

/* Pages [first, first + count) of the arena are dirty and of no pool, or not so any more. */
void hy__purge_note(hy__heap *heap, hy__arena *arena, size_t first, size_t count, bool dirty)
{
    const size_t before = arena->dirty_pages;
    hy__lazy_take_back(heap, arena, first, count);
    const size_t were = hy__bits_put(arena->dirty_bits, first, count, dirty);
    const size_t after = dirty ? before + (count - were) : before - were;
    arena->dirty_pages = (uint32_t)after;
    heap->dirty_pages += after - before;
    if (before == 0 && after != 0) {
        list_dirty(heap, arena);
    } else if (before != 0 && after == 0) {
        unlist_dirty(heap, arena);
    }
    if (hy__purge_dirty_bytes(heap) < heap->least_dirty) {
        heap->least_dirty = hy__purge_dirty_bytes(heap);
    }
}

/* Purge whole pages that hold nothing of value. Returns the bytes given back. */
size_t hy__purge_range(hy__heap *heap, hy__arena *arena, size_t offset, size_t size)
{
    char *const address = arena->span.address + offset;
    if (heap->source->purge == NULL) {
        return 0;
    }
    hy__show(heap, address, size);
    heap->resident_pages -= size >> HY__PAGE_SHIFT;
    const size_t bytes = heap->source->purge(heap->source->context, address, size);
    hy__hide(heap, address, size);
    heap->returned += bytes;
    HY_COUNT(heap->purges++);
    HY_COUNT(heap->purged_bytes += bytes);
    return bytes;
}

/* Purge dirty pages of the arena, the highest first, since the lowest are taken first: `most` of them at
 * least, or all that there are. */
static size_t purge_arena(hy__heap *heap, hy__arena *arena, size_t most)
{
    size_t bytes = 0;
    hy__arena_split(heap, arena);
    size_t left = most < arena->dirty_pages ? most : arena->dirty_pages;
    for (size_t end = arena->pages; left > 0;) {
        end = hy__bits_run_end(arena->dirty_bits, end);
        const size_t start = hy__bits_run_start(arena->dirty_bits, end);
        const size_t count = end - start < left ? end - start : left;
        end -= count;
        left -= count;
        bytes += hy__purge_range(heap, arena, end << HY__PAGE_SHIFT, count << HY__PAGE_SHIFT);
        hy__purge_note(heap, arena, end, count, false);
    }
    return bytes;
}

/* Purge dirty pages, then give spare mappings back, until so many bytes of both are left. Returns what
 * went. `huge_too`: also out of arenas of huge pages, which it splits. A source that can't purge keeps its pages, and
 * they stay dirty. */
size_t hy__purge_down_to(hy__heap *heap, size_t left, bool huge_too)
{
    size_t bytes = 0;
    hy__arena *arena = heap->source->purge != NULL ? heap->dirty_arenas : NULL;
    while (arena != NULL && hy__purge_dirty_bytes(heap) > left) {
        hy__arena *const next = arena->next_dirty;
        const size_t more = hy__purge_dirty_bytes(heap) - left;
        if (huge_too || !arena->huge) {
            bytes += purge_arena(heap, arena, hy__round_up(more, HY_PAGE_SIZE) >> HY__PAGE_SHIFT);
        }
        arena = next;
    }
    if (hy__purge_dirty_bytes(heap) > left) {
        bytes += hy__large_drop_spares(heap);
    }
    return bytes;
}

static int64_t seconds(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0 ? now.tv_sec : 0;
}

/* Dirty pages that were there all the time since the last look were not needed. */
static void look(hy__heap *heap)
{
    const int64_t now = seconds();
    heap->looks = 0;
    if (heap->fixed_threshold || now - heap->looked_at < LOOK_SECONDS) {
        return;
    }
    if (heap->looked_at != 0 && heap->least_dirty > BASE_THRESHOLD / 2) {
        const size_t less = heap->least_dirty / 2;
        heap->threshold =
            heap->threshold > BASE_THRESHOLD + less ? heap->threshold - less : BASE_THRESHOLD;
    }
    heap->least_dirty = hy__purge_dirty_bytes(heap);
    heap->looked_at = now;
}

static size_t in_use(const hy__heap *heap)
{
    return heap->pool_bytes + heap->run_bytes + heap->large_bytes;
}

/* What is missing to IDLE bytes in use. */
static size_t idle_room(const hy__heap *heap)
{
    const size_t used = in_use(heap);
    return used < IDLE ? IDLE - used : 0;
}

/* How many bytes may be dirty. */
static size_t allowance(const hy__heap *heap)
{
    if (heap->fixed_threshold) {
        return heap->threshold;
    }
    const size_t share = in_use(heap) / SHARE;
    const size_t room = idle_room(heap);
    return heap->threshold + (share > room ? share : room);
}

/* What is held where little else is in use: nothing may be live. */
static size_t idle_allowance(const hy__heap *heap)
{
    return BASE_THRESHOLD + idle_room(heap);
}

/* Whether the heap holds more dirty pages than one may that is perhaps idle. */
static bool is_idle(const hy__heap *heap)
{
    return heap->may_be_lazy && in_use(heap) <= IDLE &&
           hy__purge_held_bytes(heap) > idle_allowance(heap);
}

/* What is left when pages go: so many less that the next ones do not go one by one. */
static size_t less_a_batch(size_t most)
{
    return most - most / BATCH_PART;
}

/* Some pages became dirty, or a mapping spare: purge if the policy says so. */
void hy__purge_as_due(hy__heap *heap)
{
    if (++heap->looks == CLOCK_EVERY) {
        look(heap);
    }
    if (heap->purge == HY_HEAP_PURGE_ON_TRIM) {
        return;
    }
    const size_t most = heap->purge == HY_HEAP_PURGE_THRESHOLD ? allowance(heap) : 0;
    if (hy__purge_dirty_bytes(heap) > most) {
        hy__purge_note_given_back(heap, hy__purge_down_to(heap, less_a_batch(most), true));
    } else if (is_idle(heap)) {
        hy__lazy_free_down_to(heap, less_a_batch(idle_allowance(heap)));
    }
}

/* Pages that were touched have gone back to the kernel. */
void hy__purge_note_given_back(hy__heap *heap, size_t bytes)
{
    if (bytes != 0 && !heap->fixed_threshold) {
        const int64_t now = seconds();
        heap->given_back = now - heap->given_back_at > REGRET_SECONDS ? 0 : heap->given_back;
        heap->given_back += bytes;
        heap->given_back_at = now;
    }
}

/* `bytes` are about to be touched for the first time since they were mapped or purged. */
void hy__purge_regret(hy__heap *heap, size_t bytes)
{
    if (heap->given_back == 0) {
        return;
    }
    if (seconds() - heap->given_back_at > REGRET_SECONDS) {
        heap->given_back = 0;
        return;
    }
    const size_t again = bytes < heap->given_back ? bytes : heap->given_back;
    heap->given_back -= again;
    if (heap->threshold < heap->peak_mapped_bytes) {
        heap->threshold += again + again / 8;
    }
}

/* How many arenas without a pool may stay: those that the configuration says, and as many as the
 * threshold has grown by. */
unsigned hy__purge_empty_arenas_kept(const hy__heap *heap)
{
    if (heap->purge != HY_HEAP_PURGE_THRESHOLD || heap->fixed_threshold) {
        return heap->arenas_kept;
    }
    const size_t grown = (heap->threshold - BASE_THRESHOLD) / heap->arena_size;
    return grown < UINT32_MAX - heap->arenas_kept ? heap->arenas_kept + (unsigned)grown
                                                  : UINT32_MAX;
}

/* Where the configuration does not say how many: those that hold what may be dirty with nothing live. */
static uint32_t default_arenas_kept(const hy__heap *heap)
{
    return heap->purge == HY_HEAP_PURGE_THRESHOLD && !heap->fixed_threshold
               ? (uint32_t)(hy__round_up(IDLE, heap->arena_size) / heap->arena_size)
               : 1;
}

void hy__purge_set_up(hy__heap *heap, const hy_heap_config *config)
{
    heap->purge = config->purge;
    heap->fixed_threshold = config->purge_threshold != 0;
    heap->threshold = heap->fixed_threshold ? config->purge_threshold : BASE_THRESHOLD;
    heap->arenas_kept =
        config->arenas_kept != 0 ? config->arenas_kept - 1 : default_arenas_kept(heap);
    heap->least_dirty = SIZE_MAX;
    heap->may_be_lazy = heap->purge == HY_HEAP_PURGE_THRESHOLD && !heap->fixed_threshold &&
                        config->arenas_kept == 0 && !heap->annotating &&
                        heap->source == hy_pages_mmap();
}

/* What hy_heap_trim says of the time before it: that it is over. */
void hy__purge_forget(hy__heap *heap)
{
    heap->given_back = 0;
    heap->least_dirty = SIZE_MAX;
    heap->grows_at = 0;
    if (!heap->fixed_threshold) {
        heap->threshold = BASE_THRESHOLD;
    }
}
