/*
 * large.c: blocks with a mapping of their own.
 *
 * Each mapping starts on a granule of the radix tree, so that no granule belongs to two. The record
 * lies on a page of records; the mapping bears nothing of ours. A freed mapping may stay as a spare
 * for the next request of about its size; spares count as dirty pages do.
 */
#include "heap/internal.h"

#include <string.h>

/* A spare serves a request that leaves at most this part of it unused. */
#define SPARE_SLACK 8

/* A mapping that grows takes this part more, so that the next steps stay in it. Untouched pages cost
 * addresses only. */
#define GROWTH_SLACK 8

static hy__large *new_record(hy__heap *heap)
{
    if (heap->free_records == NULL) {
        hy__record_page *const page = hy__span_map(heap, HY_PAGE_SIZE, HY_PAGE_SIZE);
        if (page == NULL) {
            return NULL;
        }
        page->next = heap->record_pages;
        heap->record_pages = page;
        hy__large *const records = (hy__large *)(void *)page + 1;
        for (size_t i = 0; i < HY_PAGE_SIZE / sizeof(hy__large) - 1; i++) {
            records[i].span.next = heap->free_records == NULL ? NULL : &heap->free_records->span;
            heap->free_records = &records[i];
        }
    }
    hy__large *const large = heap->free_records;
    heap->free_records = hy__large_of(large->span.next);
    return large;
}

static_assert(sizeof(hy__large) >= sizeof(hy__record_page),
              "the first record's place holds the link");

static void drop_record(hy__heap *heap, hy__large *large)
{
    large->span.next = heap->free_records == NULL ? NULL : &heap->free_records->span;
    heap->free_records = large;
}

/* ---- spares ------------------------------------------------------------------------------------ */

static bool spare_fits(const hy__large *spare, size_t size, size_t alignment)
{
    const size_t have = spare->span.size;
    return have >= size && have - size <= have / SPARE_SLACK &&
           hy__is_aligned(spare->span.address, alignment);
}

static hy__large *take_spare(hy__heap *heap, size_t size, size_t alignment)
{
    hy__span *before = NULL;
    for (hy__large *spare = heap->spare_large; spare != NULL;
         spare = hy__large_of(spare->span.next)) {
        if (spare_fits(spare, size, alignment)) {
            if (before == NULL) {
                heap->spare_large = hy__large_of(spare->span.next);
            } else {
                before->next = spare->span.next;
            }
            heap->spare_bytes -= spare->span.size;
            heap->lazy_spare_bytes -= spare->requested == HY__LAZY_SPARE ? spare->span.size : 0;
            return spare;
        }
        before = &spare->span;
    }
    return NULL;
}

static void unmap(hy__heap *heap, hy__large *large)
{
    hy__span_unmap(heap, large->span.address, large->span.size);
    drop_record(heap, large);
}

/* Give all spares back. Returns their bytes. */
size_t hy__large_drop_spares(hy__heap *heap)
{
    const size_t bytes = heap->spare_bytes;
    while (heap->spare_large != NULL) {
        hy__large *const spare = heap->spare_large;
        heap->spare_large = hy__large_of(spare->span.next);
        unmap(heap, spare);
    }
    heap->spare_bytes = 0;
    heap->lazy_spare_bytes = 0;
    heap->returned += bytes;
    return bytes;
}

/* Let the kernel take the pages of spares when memory is short. */
void hy__large_free_spares_lazily(hy__heap *heap)
{
    for (hy__large *spare = heap->spare_large; spare != NULL;
         spare = hy__large_of(spare->span.next)) {
        if (spare->requested != HY__LAZY_SPARE &&
            hy_pages_free_lazily(spare->span.address, spare->span.size)) {
            spare->requested = HY__LAZY_SPARE;
            heap->lazy_spare_bytes += spare->span.size;
        }
    }
}

/* ---- requests ----------------------------------------------------------------------------------- */

static hy__large *map_new(hy__heap *heap, size_t size, size_t alignment)
{
    hy__large *const large = new_record(heap);
    if (large == NULL) {
        return NULL;
    }
    char *const address = hy__span_map(heap, size, alignment);
    if (address == NULL) {
        drop_record(heap, large);
        return NULL;
    }
    *large = (hy__large){.span = {.owner = heap, .address = address, .size = size},
                         .alignment = alignment};
    hy__purge_regret(heap, size);
    return large;
}

static void count_live(hy__heap *heap, size_t before, size_t after)
{
    heap->large_bytes += after - before;
}

static void describe(hy__heap *heap, hy__large *large, size_t requested)
{
    large->requested = requested;
    if (heap->annotating) {
        hy__hide(heap, large->span.address, large->span.size);
    }
    hy__show(heap, large->span.address, heap->annotating ? requested : large->span.size);
}

/* The same for a block whose contents are kept. */
static void describe_kept(hy__heap *heap, hy__large *large, size_t requested)
{
    const size_t before = large->requested;
    char *const address = large->span.address;
    large->requested = requested;
    if (heap->annotating) {
        hy__hide(heap, address + requested, large->span.size - requested);
    }
    if (requested > before) {
        hy__show(heap, address + before, requested - before);
    }
}

void *hy__large_new(hy__heap *heap, size_t size, size_t alignment, bool zero)
{
    const size_t bytes = hy__round_up(hy__need(heap, size), HY_PAGE_SIZE);
    const size_t aligned = alignment > HY_HEAP_MIN_ARENA_SIZE ? alignment : HY_HEAP_MIN_ARENA_SIZE;
    hy__large *large = take_spare(heap, bytes, aligned);
    const bool fresh = large == NULL;
    if (fresh) {
        (void)hy__growth_gathers(heap, bytes);
        hy__growth_makes_room(heap, bytes);
        large = map_new(heap, bytes, aligned);
    }
    if (large == NULL) {
        return NULL;
    }
    if (!hy__span_enter(heap, &large->span)) {
        unmap(heap, large);
        return NULL;
    }
    heap->large_count++;
    count_live(heap, 0, large->span.size);
    HY_COUNT(heap->other_allocs++);
    describe(heap, large, size);
    if (zero && !fresh) {
        memset(large->span.address, 0, size);
    } else if (zero) {
        hy__show_defined(heap, large->span.address, size);
    }
    return large->span.address;
}

void hy__large_free(hy__heap *heap, hy__large *large)
{
    hy__span_leave(heap, &large->span);
    heap->large_count--;
    count_live(heap, large->span.size, 0);
    const bool may_stay = heap->purge == HY_HEAP_PURGE_THRESHOLD && !heap->annotating &&
                          large->span.size <= heap->threshold;
    if (!may_stay) {
        hy__purge_note_given_back(heap, large->span.size);
        unmap(heap, large);
        return;
    }
    large->span.next = heap->spare_large == NULL ? NULL : &heap->spare_large->span;
    heap->spare_large = large;
    heap->spare_bytes += large->span.size;
    hy__purge_as_due(heap);
}

/* ---- resizing ----------------------------------------------------------------------------------- */

/* The span is another one from now on. False, with no effect, where there is no memory for a leaf of
 * the radix tree. */
static bool change_span(hy__large *large, char *address, size_t size)
{
    const hy__span before = large->span;
    hy__radix_remove(&large->span);
    large->span.address = address;
    large->span.size = size;
    if (hy__radix_add(&large->span)) {
        return true;
    }
    large->span = before;
    return !hy__radix_add(&large->span); /* its leaves are there: false */
}

/* Addresses that a mapping gives up may be another heap's at once, those that it takes are its own: so
 * they leave the radix tree before, and enter it after. */
static bool resize_in_place(hy__heap *heap, hy__large *large, size_t size)
{
    const hy_page_source *const source = heap->source;
    char *const address = large->span.address;
    const size_t before = large->span.size;
    if (source->resize == NULL) {
        return false;
    }
    if (size < before) {
        (void)change_span(large, address, size); /* its leaves are there */
    }
    if (!source->resize(source->context, address, before, size)) {
        return size < before && !change_span(large, address, before);
    }
    if (size > before && !change_span(large, address, size)) {
        (void)source->resize(source->context, address, size, before);
        return false;
    }
    hy__span_count(heap, before, size);
    count_live(heap, before, size);
    return true;
}

/* Map anew and have the page source move the pages there, without a copy. */
static bool move_mapping(hy__heap *heap, hy__large *large, size_t size)
{
    const hy_page_source *const source = heap->source;
    const hy__span before = large->span;
    if (source->move == NULL) {
        return false;
    }
    char *const address = hy__span_map(heap, size, large->alignment);
    if (address == NULL) {
        return false;
    }
    if (!change_span(large, address, size)) {
        hy__span_unmap(heap, address, size);
        return false;
    }
    hy__show_defined(heap, before.address, before.size);
    source->move(source->context, before.address, before.size, address);
    hy__span_count(heap, before.size, 0);
    HY_COUNT(heap->unmaps++);
    count_live(heap, before.size, size);
    return true;
}

static bool grow(hy__heap *heap, hy__large *large, size_t bytes)
{
    hy__growth_makes_room(heap, bytes - large->span.size);
    const size_t generous = hy__round_up(bytes + large->span.size / GROWTH_SLACK, HY_PAGE_SIZE);
    return resize_in_place(heap, large, generous) || move_mapping(heap, large, generous) ||
           resize_in_place(heap, large, bytes);
}

/* The mapping, for another size, where it is or moved without a copy. NULL where it can't be. */
void *hy__large_resize(hy__heap *heap, hy__large *large, size_t size)
{
    const size_t bytes = hy__round_up(hy__need(heap, size), HY_PAGE_SIZE);
    const size_t have = large->span.size;
    const bool stays = bytes <= have && bytes > have / 4 * 3;
    if (bytes <= heap->run_limit || bytes <= HY_HEAP_MAX_SMALL ||
        (!stays && bytes <= have && !resize_in_place(heap, large, bytes))) {
        return NULL;
    }
    if (bytes > have && !grow(heap, large, bytes)) {
        return NULL;
    }
    describe_kept(heap, large, size);
    return large->span.address;
}
