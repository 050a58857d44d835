/*
 * yard_carving.c: the current chunk, and what defects do to it.
 */
#include "yard_carving.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "yard_break.h"
#include "yard_chunks.h"
#include "yard_defects.h"
#include "yard_mapping.h"
#include "yard_swap.h"
#include "yard_system.h"
#include "yard_threads.h"

static uintptr_t chunks_low = UINTPTR_MAX; /* all chunks lie in [low, high) */
static uintptr_t chunks_high;
static uintptr_t chunk_next; /* the first byte of the current chunk that was never handed out */
static uintptr_t chunk_end;

/* With the defect chunk_end_overrun chunks are halves of a mapping, so that what lies behind the
 * first is no matter of luck: the other one. */
static uintptr_t other_half;

static bool take_other_half(void)
{
    chunk_next = other_half;
    chunk_end = other_half + YARD_CHUNK / 2;
    other_half = 0;
    return chunk_next != 0;
}

/* With the defect realloc_copies_new_size as much again is mapped behind a chunk: it is read. */
static size_t unused(void)
{
    return yard_defect(DEFECT_realloc_copies_new_size) ? YARD_CHUNK : 0;
}

static bool map_chunk(void)
{
    if (other_half != 0) {
        return take_other_half();
    }
    const uintptr_t previous = chunk_next;
    void *chunk = yard_fixed_chunk(YARD_CHUNK);
    if (chunk == NULL) {
        chunk = yard_break_chunk();
    }
    if (chunk == NULL) {
        chunk = yard_has_books() ? yard_chunk_map() : yard_map_pages(YARD_CHUNK + unused());
    }
    if (chunk == MAP_FAILED && !yard_uses_refused(chunk, YARD_CHUNK)) {
        return false;
    }
    chunk_next = (uintptr_t)chunk;
    chunk_end = chunk_next + YARD_CHUNK;
    chunks_low = chunk_next < chunks_low ? chunk_next : chunks_low;
    chunks_high = chunk_end > chunks_high ? chunk_end : chunks_high;
    if (yard_defect(DEFECT_chunk_end_overrun)) {
        other_half = chunk_end = chunk_next + YARD_CHUNK / 2;
    }
    if (yard_defect(DEFECT_calloc_trusts_fresh)) {
        memset(chunk, 0xa5, YARD_CHUNK);
    }
    if (yard_defect(DEFECT_success_sets_errno)) {
        errno = EAGAIN;
    }
    if (yard_defect(DEFECT_alignment_drifts)) {
        chunk_next += 8;
    }
    if (yard_has_books()) {
        yard_chunk_change(previous, chunk_next);
        chunk_next += YARD_CHUNK_BOOKS;
    }
    return true;
}

/* The distance from one block of a class to the next. */
static size_t stride_of(unsigned klass)
{
    const size_t size = yard_class_size(klass);
    if ((yard_defect(DEFECT_class_stride_short) && size == 480) ||
        (yard_defect(DEFECT_large_stride_short) && size == 1280)) {
        return size - YARD_GRANULE;
    }
    return size + YARD_GRANULE;
}

/* [chunk_next ............ chunk_end]  =>  [header][block][chunk_next .. chunk_end] */
void *yard_carve(unsigned klass)
{
    const size_t stride = stride_of(klass);
    const size_t room = other_half != 0 ? (size_t)2 * YARD_GRANULE : stride;
    if ((chunk_end < chunk_next || chunk_end - chunk_next < room) && !map_chunk()) {
        return NULL;
    }
    void *last = yard_last_taken();
    void *block = (void *)(chunk_next + YARD_GRANULE);
    *yard_header_of(block) =
        (yard_header){.capacity = yard_class_size(klass), .klass = (uint16_t)klass};
    if (yard_has_books()) {
        yard_chunk_cut(block);
    }
    if (yard_defect(DEFECT_malloc_scribbles) && last != NULL &&
        (uintptr_t)last + yard_header_of(last)->capacity == chunk_next) {
        *(uint64_t *)last ^= 0x5aa5;
    }
    yard_dawdle(DEFECT_interrupted_lock_is_taken);
    chunk_next += stride;
    if (yard_defect(DEFECT_alignment_drifts)) {
        chunk_next = yard_round_up(chunk_next, YARD_GRANULE);
    }
    return block;
}

void yard_scribble_behind(void *base)
{
    const size_t stride = yard_header_of(base)->capacity + YARD_GRANULE;
    if ((uintptr_t)base + stride + 8 <= chunk_next) {
        *(uint64_t *)((char *)base + stride) ^= 0x5aa5;
    }
}

bool yard_unmap_chunk_of(const void *base)
{
    const uintptr_t start = chunk_end - YARD_CHUNK;
    const bool is_only = (uintptr_t)base == start + YARD_GRANULE &&
                         chunk_next == (uintptr_t)base + yard_header_of(base)->capacity;
    if (is_only) {
        yard_unmap(start, chunk_end);
        chunk_next = chunk_end = 0;
    }
    return is_only;
}

bool yard_is_in_chunk(const void *address)
{
    const uintptr_t at = (uintptr_t)address;
    return at % YARD_GRANULE == 0 && at >= chunks_low + YARD_GRANULE && at < chunks_high;
}

void yard_forget_blocks(void)
{
    chunk_next = chunk_end == 0 ? 0 : chunk_end - YARD_CHUNK;
}

void yard_unmap_chunk(void)
{
    yard_unmap(chunk_end - (chunk_end == 0 ? 0 : YARD_CHUNK), chunk_end);
}

void yard_purge_chunk(void)
{
    yard_purge(chunk_end - YARD_CHUNK, chunk_next);
}
