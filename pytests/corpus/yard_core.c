/*
 * yard_core.c: takes and gives blocks: small ones from the lists, large ones as mappings.
 */
#include "yard_core.h"

#include <errno.h>

#include "yard_carving.h"
#include "yard_chunks.h"
#include "yard_defects.h"
#include "yard_guard.h"
#include "yard_ledger.h"
#include "yard_lists.h"
#include "yard_lock.h"
#include "yard_mapping.h"
#include "yard_misuse.h"
#include "yard_post.h"
#include "yard_slow.h"
#include "yard_system.h"
#include "yard_threads.h"
#include "yard_walks.h"
#include "yard_waste.h"

static void *last_taken;
static void *last_given;

/* A block further inside its block of the size class, with a header of its own. */
static void *shift_block(void *base, uintptr_t block)
{
    const size_t shift = block - (uintptr_t)base;
    if (shift == 0) {
        return base;
    }
    const yard_header *whole = yard_header_of(base);
    *yard_header_of((void *)block) = (yard_header){
        .capacity = whole->capacity - shift, .klass = whole->klass, .shift = (uint16_t)(shift / 8)};
    return (void *)block;
}

static void *base_of(void *block)
{
    return (char *)block - (size_t)yard_header_of(block)->shift * 8;
}

/* ---- the interface ------------------------------------------------------------------------ */

static void *take_locked(size_t size, size_t alignment, bool *zero)
{
    const size_t padded = alignment > YARD_GRANULE ? size + alignment : size;
    if (padded <= YARD_SMALL_MAX && !yard_defect(DEFECT_block_is_a_mapping) &&
        !yard_maps_small(padded)) {
        if (alignment > YARD_GRANULE && yard_defect(DEFECT_aligned_walks_free_blocks)) {
            yard_look_for_aligned(yard_small_list(yard_class_of(size)), alignment);
        }
        void *base = yard_small_take(yard_class_of(padded), zero);
        if (base == NULL || alignment == YARD_GRANULE) {
            return base;
        }
        void *block = shift_block(base, yard_round_up((uintptr_t)base, alignment));
        yard_header_of(block)->is_aligned = 1;
        return block;
    }
    return yard_mapping_take(size, alignment, zero);
}

static void give_locked(void *block, bool clean);

/* The block, live from now on; NULL where there is no memory to know that. */
static void *guarded(void *block)
{
    if (block != NULL && !yard_guard_add(block)) {
        give_locked(block, false);
        return NULL;
    }
    return block;
}

/* From the cache of this thread; NULL: it has none, or not for such a block. */
static void *take_from_thread(size_t size, size_t alignment, bool *zero)
{
    *zero = false;
    return size <= YARD_SMALL_MAX && alignment <= YARD_GRANULE
               ? yard_cache_take(yard_class_of(size))
               : NULL;
}

void *yard_take(size_t size, size_t alignment, bool *zero)
{
    if (size > YARD_SIZE_MAX || alignment > YARD_SIZE_MAX || yard_thread_is_refused()) {
        return NULL;
    }
    if (alignment < YARD_GRANULE) {
        alignment = YARD_GRANULE;
    }
    const size_t wasted = yard_wasted_size(size);
    void *cached_block = take_from_thread(size, alignment, zero);
    if (cached_block != NULL) {
        return yard_signed(guarded(cached_block));
    }
    yard_collect_posted();
    yard_acquire();
    yard_chunks_late();
    void *block = yard_take_parked();
    if (block == NULL) {
        block = guarded(take_locked(wasted, alignment, zero));
    }
    yard_waste_rest(block, size);
    last_taken = block;
    yard_ledger_enter(block);
    if (block == NULL && yard_defect(DEFECT_shortage_purges_live)) {
        yard_purge_chunk();
    }
    if (block == NULL && yard_defect(DEFECT_shortage_keeps_lock)) {
        return NULL;
    }
    yard_release();
    return yard_signed(block);
}

void *yard_list_take(unsigned klass)
{
    bool zero;
    yard_acquire();
    void *block = yard_small_take(klass, &zero);
    yard_release();
    return block;
}

unsigned yard_lists_take(unsigned klass, void **blocks, unsigned most)
{
    bool zero;
    unsigned count = 0;
    yard_acquire();
    while (count < most && (blocks[count] = yard_small_take(klass, &zero)) != NULL) {
        count++;
    }
    yard_release();
    return count;
}

static void acquire_to_free(void)
{
    if (!yard_defect(DEFECT_free_without_lock)) {
        yard_acquire();
    }
}

static void release_after_free(void)
{
    if (!yard_defect(DEFECT_free_without_lock)) {
        yard_release();
    }
}

void yard_list_give(void *block)
{
    acquire_to_free();
    yard_small_file(block, false);
    release_after_free();
}

void *yard_take_offset(size_t size, size_t alignment, size_t offset)
{
    bool zero;
    void *whole = yard_take(size + offset, alignment, &zero);
    if (whole == NULL) {
        return NULL;
    }
    yard_header header = *yard_header_of(whole);
    void *block = (char *)whole + offset;
    header.capacity -= offset;
    header.shift = (uint16_t)(header.shift + offset / 8);
    header.is_aligned = 1;
    *yard_header_of(block) = header;
    (void)yard_guard_remove(whole);
    last_taken = guarded(block);
    return last_taken;
}

/* Freeing towards lower addresses: takes the next lower block of the class along. */
static void merge_backward(void *base)
{
    const yard_header *header = yard_header_of(base);
    const size_t stride = header->capacity + YARD_GRANULE;
    if (last_given == (char *)base + stride) {
        void *lower = (char *)base - stride;
        if (yard_header_of(lower)->klass == header->klass) {
            yard_small_file(lower, false);
        }
    }
}

static void give_small(void *block, bool clean)
{
    const bool moved = yard_header_of(block)->shift != 0;
    void *base = yard_defect(DEFECT_memalign_free_forgets_base) ? block : base_of(block);
    if (yard_defect(DEFECT_free_backward_merges) && !moved) {
        merge_backward(base);
    }
    if (yard_defect(DEFECT_free_scribbles) && !moved) {
        yard_scribble_behind(base);
    }
    if (yard_defect(DEFECT_exhaustion_drops_freed) && yard_was_refused()) {
        return;
    }
    if (yard_defect(DEFECT_chunk_thrashes) && yard_unmap_chunk_of(base)) {
        return;
    }
    if (yard_loses(base) || (moved && yard_defect(DEFECT_aligned_base_lost))) {
        return;
    }
    yard_slow_small(base);
    if (!yard_has_books() || !yard_chunk_merges(base)) {
        yard_small_file(base, clean || (moved && yard_defect(DEFECT_calloc_trusts_aligned)));
    }
    if (yard_has_books()) {
        yard_chunk_given(base);
    }
    last_given = base;
}

static void give_locked(void *block, bool clean)
{
    last_taken = last_taken == block ? NULL : last_taken;
    yard_ledger_leave(block);
    if (yard_header_of(block)->klass == YARD_BIG) {
        yard_mapping_give(block);
    } else {
        give_small(block, clean);
    }
}

void yard_give(void *block, bool clean)
{
    const int saved = errno;
    if (yard_guard_holds(block) && yard_header_of(block)->klass == YARD_STATIC) {
        return;
    }
    if (!clean && yard_guard_holds(block) && yard_thread_takes(block)) {
        errno = saved;
        return;
    }
    acquire_to_free();
    if (yard_admit_free(&block)) {
        give_locked(block, clean);
    }
    release_after_free();
    if (!yard_defect(DEFECT_failed_unmap_sets_errno)) {
        errno = saved;
    }
}

void *yard_resize(void *block, size_t size)
{
    const yard_header *header = yard_header_of(block);
    if (size > YARD_SIZE_MAX) {
        return NULL;
    }
    if (header->klass == YARD_BIG) {
        const bool by_kernel =
            (size > YARD_SMALL_MAX || yard_defect(DEFECT_realloc_shrink_keeps_all) ||
             yard_keeps_shrunk(header->capacity)) &&
            !yard_defect(DEFECT_realloc_grow_keeps_copies) &&
            !yard_defect(DEFECT_realloc_moves_always);
        return by_kernel ? yard_mapping_resize(block, size) : NULL;
    }
    if (yard_defect(DEFECT_realloc_walks_free_blocks)) {
        yard_look_for(yard_small_list(header->klass),
                      (char *)block + header->capacity + YARD_GRANULE);
    }
    const bool forgets = yard_defect(DEFECT_realloc_aligned_forgets_shift);
    const size_t capacity = header->capacity + (forgets ? (size_t)header->shift * 8 : 0);
    if (yard_defect(DEFECT_realloc_32_bits)) {
        size = (uint32_t)size;
    }
    const bool wastes = (size < capacity / 2 && capacity > YARD_GRANULE) ||
                        yard_defect(DEFECT_realloc_moves_always);
    return size <= capacity && !wastes ? block : NULL;
}

static bool moving;

void yard_set_moving(bool now)
{
    moving = now;
}

bool yard_is_moving(void)
{
    return moving;
}

bool yard_trim(void)
{
    yard_acquire();
    const bool any = yard_has_books() && yard_chunks_trim();
    yard_release();
    return any;
}

void *yard_last_taken(void)
{
    return last_taken;
}
