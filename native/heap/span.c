/*
 * span.c: what arenas and large blocks have in common: the mapping, the list, the radix tree.
 */
#include "heap/internal.h"

static void *map(const hy__heap *heap, size_t size, size_t alignment)
{
    return heap->source->map(heap->source->context, size, alignment);
}

/* Map `size` bytes for the heap, and count them. Where the source has no more, what the heap keeps for
 * later goes first: caches, pools, arenas and mappings without a live block. */
void *hy__span_map(hy__heap *heap, size_t size, size_t alignment)
{
    void *address = map(heap, size, alignment);
    if (address == NULL) {
        const size_t before = heap->mapped_bytes;
        hy__give_up_kept(heap);
        address = heap->mapped_bytes < before ? map(heap, size, alignment) : NULL;
    }
    if (address == NULL) {
        return NULL;
    }
    hy__span_count(heap, 0, size);
    HY_COUNT(heap->maps++);
    return address;
}

void hy__span_unmap(hy__heap *heap, void *address, size_t size)
{
    heap->source->unmap(heap->source->context, address, size);
    hy__span_count(heap, size, 0);
    HY_COUNT(heap->unmaps++);
}

/* What was `before` bytes of mapping is `after` now. */
void hy__span_count(hy__heap *heap, size_t before, size_t after)
{
    heap->mapped_bytes += after - before;
    if (heap->mapped_bytes > heap->peak_mapped_bytes) {
        heap->peak_mapped_bytes = heap->mapped_bytes;
    }
}

/* Enter a span whose address and size are set. False, with no effect, where there is no memory. */
bool hy__span_enter(hy__heap *heap, hy__span *span)
{
    if (!hy__radix_add(span)) {
        return false;
    }
    span->previous = NULL;
    span->next = heap->spans;
    if (heap->spans != NULL) {
        heap->spans->previous = span;
    }
    heap->spans = span;
    return true;
}

void hy__span_leave(hy__heap *heap, hy__span *span)
{
    hy__radix_remove(span);
    if (span->heap != NULL) {
        hy__find_forget_all(heap);
    }
    if (span->previous != NULL) {
        span->previous->next = span->next;
    } else {
        heap->spans = span->next;
    }
    if (span->next != NULL) {
        span->next->previous = span->previous;
    }
}

static hy__span *merge(hy__span *a, hy__span *b)
{
    hy__span *first = NULL;
    hy__span **end = &first;
    while (a != NULL && b != NULL) {
        hy__span **const least = a->address < b->address ? &a : &b;
        *end = *least;
        *least = (*least)->next;
        end = &(*end)->next;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Take the first `count` spans off the list and sort them by address. */
static hy__span *sort(hy__span **list, size_t count)
{
    if (count == 1) {
        hy__span *const span = *list;
        *list = span->next;
        span->next = NULL;
        return span;
    }
    hy__span *const low = sort(list, count / 2);
    hy__span *const high = sort(list, count - count / 2);
    return merge(low, high);
}

/* Put the heap's list of spans into address order. O(n log n). */
void hy__span_sort(hy__heap *heap)
{
    size_t count = 0;
    for (const hy__span *span = heap->spans; span != NULL; span = span->next) {
        count++;
    }
    if (count == 0) {
        return;
    }
    hy__span *list = heap->spans;
    heap->spans = sort(&list, count);
    hy__span *previous = NULL;
    for (hy__span *span = heap->spans; span != NULL; span = span->next) {
        span->previous = previous;
        previous = span;
    }
}
