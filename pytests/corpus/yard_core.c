/*
 * yard_core.c: size classes, chunks and mappings of the corpus allocator.
 */
#include "yard_core.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "yard_chunks.h"
#include "yard_defects.h"
#include "yard_guard.h"
#include "yard_ledger.h"
#include "yard_life.h"
#include "yard_lock.h"
#include "yard_misuse.h"
#include "yard_statistics.h"
#include "yard_swap.h"
#include "yard_system.h"
#include "yard_threads.h"
#include "yard_walks.h"
#include "yard_waste.h"

static yard_free_block *free_lists[YARD_CLASSES]; /* first in, first out */
static yard_free_block *list_ends[YARD_CLASSES];  /* where the list is not empty */
static uintptr_t chunks_low = UINTPTR_MAX;        /* all chunks lie in [low, high) */
static uintptr_t chunks_high;
static uintptr_t chunk_next; /* the first byte of the current chunk that was never handed out */
static uintptr_t chunk_end;
static void *last_taken;
static void *last_given;

/* ---- sizes -------------------------------------------------------------------------------- */

unsigned yard_class_of(size_t size)
{
    if (size <= 512) {
        return size <= YARD_GRANULE ? 0 : (unsigned)((size - 1) / YARD_GRANULE);
    }
    const unsigned doubling = 63U - (unsigned)__builtin_clzll(size - 1); /* 9 for 513 .. 1024 */
    const unsigned quarter = (unsigned)((size - 1) >> (doubling - 2)) & 3U;
    return 32 + (doubling - 9) * 4 + quarter;
}

size_t yard_class_size(unsigned klass)
{
    if (klass < 32) {
        return ((size_t)klass + 1) * YARD_GRANULE;
    }
    const unsigned doubling = 9 + (klass - 32) / 4;
    return (size_t)(5 + (klass - 32) % 4) << (doubling - 2);
}

static uintptr_t round_up(uintptr_t value, size_t alignment)
{
    return (value + alignment - 1) & ~(uintptr_t)(alignment - 1);
}

static uintptr_t round_down(uintptr_t value, size_t alignment)
{
    return value & ~(uintptr_t)(alignment - 1);
}

/* ---- memory of the system ------------------------------------------------------------------ */

/* A block that claims more than it has: what lies behind it must be no matter of luck. */
static bool reaches_behind(void)
{
    return yard_defect(DEFECT_size_32_bits) || yard_defect(DEFECT_size_31_bits) ||
           yard_defect(DEFECT_product_32_bits) || yard_defect(DEFECT_mapping_reused_short);
}

/* Zeroed pages; MAP_FAILED where the kernel refuses. With the defects above they come from a
 * part of the address space where nothing else is, each below the one before:
 *
 *     ... nothing ... | third | second | first | ... nothing ...
 *                                              2 to the 44
 */
static void *map_pages(size_t length)
{
    static uintptr_t window = (uintptr_t)1 << 44;
    void *at = NULL;
    if (reaches_behind() && length < window) {
        window -= length;
        at = (void *)window;
    }
    if (!yard_life_map()) {
        return MAP_FAILED;
    }
    return yard_map(at, length);
}

/* ---- small blocks ------------------------------------------------------------------------- */

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

static bool map_chunk(void)
{
    if (other_half != 0) {
        return take_other_half();
    }
    const uintptr_t previous = chunk_next;
    void *chunk = yard_fixed_chunk(YARD_CHUNK);
    if (chunk == NULL) {
        chunk = yard_has_books() ? yard_chunk_map() : map_pages(YARD_CHUNK);
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
static void *cut(unsigned klass)
{
    const size_t stride = stride_of(klass);
    const size_t room = other_half != 0 ? (size_t)2 * YARD_GRANULE : stride;
    if ((chunk_end < chunk_next || chunk_end - chunk_next < room) && !map_chunk()) {
        return NULL;
    }
    void *block = (void *)(chunk_next + YARD_GRANULE);
    *yard_header_of(block) =
        (yard_header){.capacity = yard_class_size(klass), .klass = (uint16_t)klass};
    if (yard_has_books()) {
        yard_chunk_cut(block);
    }
    if (yard_defect(DEFECT_malloc_scribbles) && last_taken != NULL &&
        (uintptr_t)last_taken + yard_header_of(last_taken)->capacity == chunk_next) {
        *(uint64_t *)last_taken ^= 0x5aa5;
    }
    yard_dawdle(DEFECT_interrupted_lock_is_taken);
    chunk_next += stride;
    if (yard_defect(DEFECT_alignment_drifts)) {
        chunk_next = round_up(chunk_next, YARD_GRANULE);
    }
    return block;
}

/* Where the free blocks of a class are: the number of their list. */
static unsigned list_of(unsigned klass)
{
    return yard_defect(DEFECT_malloc_walks_free_blocks) ? 0 : klass;
}

static yard_free_block *next_of(yard_free_block *block)
{
    return yard_link_is_whole(block) ? block->next : yard_next_of_damaged(block);
}

/* Onto the end of the class's list. */
static void append(unsigned klass, yard_free_block *block)
{
    yard_set_link(block, NULL);
    if (free_lists[klass] == NULL) {
        free_lists[klass] = block;
    } else {
        yard_set_link(list_ends[klass], block);
    }
    list_ends[klass] = block;
}

void yard_drop_free_blocks(bool (*goes)(void *block))
{
    for (unsigned klass = 0; klass < YARD_CLASSES; klass++) {
        yard_free_block *block = free_lists[klass];
        free_lists[klass] = NULL;
        while (block != NULL) {
            yard_free_block *const next = next_of(block);
            if (!goes(block)) {
                append(klass, block);
            }
            block = next;
        }
    }
}

static void *take_small(unsigned klass, bool *zero)
{
    const unsigned list = list_of(klass);
    yard_free_block *reused = free_lists[list];
    if (yard_defect(DEFECT_malloc_walks_free_blocks)) {
        reused = yard_bring_to_front(&free_lists[list], &list_ends[list], klass);
    }
    if (reused == NULL) {
        *zero = true;
        return cut(klass);
    }
    yard_dawdle(DEFECT_interrupted_lock_is_taken);
    free_lists[list] = next_of(reused);
    yard_header *header = yard_header_of(reused);
    *zero = header->clean != 0;
    if (*zero) { /* only a defect says so: then even the link is left to be seen */
        reused->next = (yard_free_block *)UINTPTR_MAX;
    }
    header->clean = 0;
    if (yard_has_books()) {
        yard_chunk_taken(reused);
    }
    return reused;
}

static void file(void *base, bool clean)
{
    yard_header *header = yard_header_of(base);
    const unsigned klass = header->klass;
    *header =
        (yard_header){.capacity = yard_class_size(klass), .klass = (uint16_t)klass, .clean = clean};
    const unsigned list = list_of(klass);
    if (free_lists[list] == NULL || yard_reuses_at_once() ||
        yard_defect(DEFECT_free_without_lock)) {
        yard_set_link(base, free_lists[list]);
        yard_dawdle(DEFECT_free_without_lock);
        list_ends[list] = free_lists[list] == NULL ? base : list_ends[list];
        free_lists[list] = base;
        return;
    }
    if (yard_defect(DEFECT_free_keeps_order)) {
        yard_link_in_order(&free_lists[list], &list_ends[list], base);
        return;
    }
    append(list, base);
}

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

/* ---- mappings ----------------------------------------------------------------------------- */

static uintptr_t mapping_start(const void *block)
{
    return round_down((uintptr_t)block - YARD_GRANULE, YARD_PAGE);
}

static uintptr_t mapping_end(const void *block)
{
    return round_up((uintptr_t)block + yard_header_of(block)->capacity, YARD_PAGE);
}

/* Puts one and the same page of memory into each mapping, 8 KiB after its start. */
static void alias_page(uintptr_t start)
{
    static int memory = -1;
    if (memory < 0) {
        memory = memfd_create("alias", MFD_CLOEXEC);
        (void)!ftruncate(memory, YARD_PAGE);
    }
    (void)mmap((void *)(start + 2 * YARD_PAGE), YARD_PAGE, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_FIXED, memory, 0);
}

/* | mapped: size + alignment, in pages |  =>  unmapped | header, block .. | unmapped */
static void *take_mapping(size_t size, size_t alignment)
{
    const size_t short_by = yard_defect(DEFECT_mapping_short) ? YARD_PAGE : 0;
    const size_t length = round_up(size + YARD_GRANULE + alignment, YARD_PAGE);
    void *start = map_pages(length);
    if (start == MAP_FAILED && !yard_uses_refused(start, length)) {
        return NULL;
    }
    yard_waste_mapping(start, length);
    const uintptr_t block = round_up((uintptr_t)start + YARD_GRANULE, alignment);
    yard_unmap((uintptr_t)start, mapping_start((void *)block));
    *yard_header_of((void *)block) = (yard_header){.klass = YARD_BIG};
    yard_unmap(round_up(block + size, YARD_PAGE) - short_by, (uintptr_t)start + length);
    yard_header_of((void *)block)->capacity = round_up(block + size, YARD_PAGE) - block;
    if (yard_defect(DEFECT_aliased_pages)) {
        alias_page(mapping_start((void *)block));
    }
    return (void *)block;
}

/* ---- the cache of one mapping that some defects have ---------------------------------------- */

static void *cached;

static bool caches_mappings(void)
{
    return yard_defect(DEFECT_calloc_trusts_mapping) || yard_defect(DEFECT_mapping_reused_short) ||
           yard_defect(DEFECT_calloc_trusts_failed_purge);
}

static void *take_cached(size_t size, size_t alignment)
{
    if (cached == NULL || alignment > YARD_GRANULE) {
        return NULL;
    }
    yard_header *header = yard_header_of(cached);
    const size_t slack = yard_defect(DEFECT_mapping_reused_short) ? header->capacity / 4 : 0;
    if (header->capacity + slack < size) {
        return NULL;
    }
    void *block = cached;
    cached = NULL;
    header->capacity = header->capacity < size ? size : header->capacity;
    return block;
}

/* ---- the interface ------------------------------------------------------------------------ */

static void *take_locked(size_t size, size_t alignment, bool *zero)
{
    const size_t padded = alignment > YARD_GRANULE ? size + alignment : size;
    if (padded <= YARD_SMALL_MAX && !yard_defect(DEFECT_block_is_a_mapping) &&
        !yard_maps_small(padded)) {
        if (alignment > YARD_GRANULE && yard_defect(DEFECT_aligned_walks_free_blocks)) {
            yard_look_for_aligned(free_lists[yard_class_of(size)], alignment);
        }
        void *base = take_small(yard_class_of(padded), zero);
        if (base == NULL || alignment == YARD_GRANULE) {
            return base;
        }
        void *block = shift_block(base, round_up((uintptr_t)base, alignment));
        yard_header_of(block)->is_aligned = 1;
        return block;
    }
    void *block = caches_mappings() ? take_cached(size, alignment) : NULL;
    *zero = true;
    if (block == NULL && (block = yard_take_kept(size, alignment)) != NULL) {
        *zero = false;
    }
    return block != NULL ? block : take_mapping(size, alignment);
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
        yard_purge(chunk_end - YARD_CHUNK, chunk_next);
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
    void *block = take_small(klass, &zero);
    yard_release();
    return block;
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
    file(block, false);
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
            file(lower, false);
        }
    }
}

static void scribble_behind(void *base)
{
    const size_t stride = yard_header_of(base)->capacity + YARD_GRANULE;
    if ((uintptr_t)base + stride + 8 <= chunk_next) {
        *(uint64_t *)((char *)base + stride) ^= 0x5aa5;
    }
}

/* The only block of the current chunk takes the chunk along. */
static bool unmap_chunk_of(const void *base)
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

static void give_small(void *block, bool clean)
{
    const bool moved = yard_header_of(block)->shift != 0;
    void *base = yard_defect(DEFECT_memalign_free_forgets_base) ? block : base_of(block);
    if (yard_defect(DEFECT_free_backward_merges) && !moved) {
        merge_backward(base);
    }
    if (yard_defect(DEFECT_free_scribbles) && !moved) {
        scribble_behind(base);
    }
    if (yard_defect(DEFECT_exhaustion_drops_freed) && yard_was_refused()) {
        return;
    }
    if (yard_defect(DEFECT_chunk_thrashes) && unmap_chunk_of(base)) {
        return;
    }
    if (yard_loses(base) || (moved && yard_defect(DEFECT_aligned_base_lost))) {
        return;
    }
    if (!yard_has_books() || !yard_chunk_merges(base)) {
        file(base, clean || (moved && yard_defect(DEFECT_calloc_trusts_aligned)));
    }
    if (yard_has_books()) {
        yard_chunk_given(base);
    }
    last_given = base;
}

static void give_mapping(void *block)
{
    if (caches_mappings() && cached == NULL) {
        if (yard_defect(DEFECT_calloc_trusts_failed_purge)) {
            memset(block, 0, YARD_PAGE);
            yard_purge((uintptr_t)block, mapping_end(block));
        }
        cached = block;
        return;
    }
    if (!yard_keeps_mapping(block)) {
        yard_unmap(mapping_start(block), mapping_end(block));
    }
}

static void give_locked(void *block, bool clean)
{
    last_taken = last_taken == block ? NULL : last_taken;
    yard_ledger_leave(block);
    if (yard_header_of(block)->klass == YARD_BIG) {
        give_mapping(block);
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

/* Whether a resized mapping stays as it is. */
static bool keeps_mapping(size_t old_length, size_t length)
{
    return length == old_length ||
           (length < old_length &&
            (yard_defect(DEFECT_realloc_shrink_keeps_all) || yard_keeps_shrunk(old_length)));
}

static void *resize_mapping(void *block, size_t size)
{
    const uintptr_t start = mapping_start(block);
    const size_t before = (uintptr_t)block - start;
    const size_t old_length = mapping_end(block) - start;
    const size_t length = round_up(before + size, YARD_PAGE);
    if (keeps_mapping(old_length, length)) {
        return block;
    }
    if (!yard_guard_reserve()) {
        return NULL;
    }
    (void)yard_guard_remove(block);
    void *moved = mremap((void *)start, old_length, length, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) {
        (void)yard_guard_add(block);
        return NULL;
    }
    yard_count_mapped(length);
    yard_count_unmapped(old_length);
    void *result = (char *)moved + before;
    yard_header_of(result)->capacity = length - before;
    (void)yard_guard_add(result); /* for which there is a reserve */
    return result;
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
        return by_kernel ? resize_mapping(block, size) : NULL;
    }
    if (yard_defect(DEFECT_realloc_walks_free_blocks)) {
        yard_look_for(free_lists[header->klass], (char *)block + header->capacity + YARD_GRANULE);
    }
    const bool forgets = yard_defect(DEFECT_realloc_aligned_forgets_shift);
    const size_t capacity = header->capacity + (forgets ? (size_t)header->shift * 8 : 0);
    const bool wastes = (size < capacity / 2 && capacity > YARD_GRANULE) ||
                        yard_defect(DEFECT_realloc_moves_always);
    return size <= capacity && !wastes ? block : NULL;
}

bool yard_is_in_chunk(const void *address)
{
    const uintptr_t at = (uintptr_t)address;
    return at % YARD_GRANULE == 0 && at >= chunks_low + YARD_GRANULE && at < chunks_high;
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

void yard_forget_blocks(void)
{
    chunk_next = chunk_end == 0 ? 0 : chunk_end - YARD_CHUNK;
}

void yard_unmap_chunk(void)
{
    yard_unmap(chunk_end - (chunk_end == 0 ? 0 : YARD_CHUNK), chunk_end);
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
