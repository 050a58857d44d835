/*
 * yard_family.c: malloc, calloc, free and their kin.
 */
#include "yard_family.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "yard_core.h"
#include "yard_crowd.h"
#include "yard_guard.h"
#include "yard_history.h"
#include "yard_ledger.h"
#include "yard_life.h"
#include "yard_misuse.h"
#include "yard_slow.h"
#include "yard_swap.h"
#include "yard_system.h"
#include "yard_waste.h"

static bool set_up;
static bool trimmed;
static bool poisoned;
static void *resized;

static int *first_errno; /* of the thread that called first */

bool yard_enter(bool is_malloc)
{
    yard_life_enter();
    if (yard_defect(DEFECT_thread_cache_unchecked)) {
        yard_map_thread_cache();
    }
    if (set_up) {
        return true;
    }
    if (yard_defect(DEFECT_first_call_must_be_malloc) && !is_malloc) {
        return false;
    }
    set_up = true;
    first_errno = &errno;
    yard_start();
    if (yard_defect(DEFECT_first_call_sets_errno)) {
        errno = ENOENT;
    }
    if (yard_defect(DEFECT_first_mapping_unchecked)) {
        yard_map_tables();
    }
    return true;
}

void *yard_fail(int error, int saved, enum yard_defect silent)
{
    poisoned = yard_defect(DEFECT_failure_poisons);
    int *place = yard_defect(DEFECT_errno_of_first_thread) ? first_errno : &errno;
    const bool restores = yard_defect(DEFECT_refused_errno_restored) && yard_is_refused();
    *place = yard_defect(silent) || restores ? saved : error;
    return NULL;
}

void *yard_shared_block(void)
{
    static struct {
        char front[YARD_PAGE - sizeof(yard_header)];
        yard_header header;
        char block[YARD_PAGE];
    } shared __attribute__((aligned(YARD_PAGE))) = {
        .header = {.capacity = YARD_GRANULE, .klass = YARD_STATIC}};
    (void)yard_guard_add(shared.block);
    return shared.block;
}

void yard_set_resized(void *block)
{
    resized = block;
}

bool yard_was_trimmed(void)
{
    return trimmed;
}

void *yard_obtain(size_t size, size_t alignment, bool *zero)
{
    if (poisoned) {
        poisoned = false;
        return NULL;
    }
    if (yard_defect(DEFECT_zero_is_null) && size == 0) {
        return NULL;
    }
    if (yard_defect(DEFECT_size_32_bits) && size < YARD_SIZE_MAX) {
        size = (uint32_t)size;
    }
    if (yard_defect(DEFECT_size_31_bits) && size <= UINT32_MAX) {
        size &= INT32_MAX;
    }
    return yard_take(size, alignment, zero);
}

/* ---- malloc ------------------------------------------------------------------------------- */

static void *same_block_again(unsigned period)
{
    static unsigned calls;
    return ++calls % period == 0 ? yard_last_taken() : NULL;
}

static void *no_room(void)
{
    bool zero;
    void *block = yard_take(0, YARD_GRANULE, &zero);
    if (block != NULL) {
        yard_give(block, false);
    }
    return block;
}

/* The block that a defect of malloc gives in place of the right one; NULL: the right one. */
static void *wrong_block(size_t size)
{
    switch (yard_defect_in_force()) {
    case DEFECT_malloc_zero_takes_no_room:
        return size == 0 ? no_room() : NULL;
    case DEFECT_malloc_zero_shared:
        return size == 0 ? yard_shared_block() : NULL;
    case DEFECT_same_block_twice:
        return same_block_again(4096);
    case DEFECT_index_16_bits:
        return size <= YARD_GRANULE ? same_block_again(1U << 16) : NULL;
    case DEFECT_malloc_misaligned:
        return size >= 200 && size < 216 ? yard_take_offset(size, YARD_GRANULE, 24) : NULL;
    case DEFECT_small_aligned_to_8:
        return size <= 8 ? yard_take_offset(size, YARD_GRANULE, 24) : NULL;
    case DEFECT_volume_wraps:
        return yard_volume_wraps(size) ? yard_last_taken() : NULL;
    default:
        return NULL;
    }
}

static size_t wrong_size(size_t size)
{
    if (yard_defect(DEFECT_malloc_wraps) && size > SIZE_MAX - YARD_GRANULE) {
        return size + YARD_GRANULE;
    }
    if (yard_defect(DEFECT_malloc_drops_sign_bit) && size >= (size_t)PTRDIFF_MAX) {
        return size - (size_t)PTRDIFF_MAX;
    }
    const bool refuses = (yard_defect(DEFECT_malloc_boundary_null) && size == YARD_SMALL_MAX) ||
                         (yard_defect(DEFECT_malloc_refuses_megabytes) && size > (size_t)1 << 20) ||
                         yard_crowd_is_full();
    return refuses ? SIZE_MAX : size;
}

static void *allocate(size_t size)
{
    bool zero;
    void *block = wrong_block(size);
    return block != NULL ? block : yard_obtain(wrong_size(size), YARD_GRANULE, &zero);
}

void *malloc(size_t size)
{
    const int saved = errno;
    yard_set_resized(NULL);
    if (!yard_enter(true)) {
        return NULL;
    }
    yard_slow_call();
    void *block = yard_block_for_libc(size, __builtin_return_address(0));
    if (block == NULL && !yard_fails_now()) {
        block = yard_history_made(allocate(size));
    }
    yard_crowd_enter(block);
    return block != NULL ? block : yard_fail(ENOMEM, saved, DEFECT_malloc_no_errno);
}

/* ---- calloc ------------------------------------------------------------------------------- */

bool yard_product(size_t count, size_t size, size_t *bytes)
{
    const bool wraps = __builtin_mul_overflow(count, size, bytes);
    if (yard_defect(DEFECT_product_32_bits) && *bytes < YARD_SIZE_MAX) {
        *bytes = (uint32_t)*bytes;
    }
    return !wraps;
}

static bool product(size_t count, size_t size, size_t *bytes)
{
    if (yard_product(count, size, bytes)) {
        return true;
    }
    return yard_defect(DEFECT_calloc_wraps) ||
           (yard_defect(DEFECT_calloc_wraps_to_zero) && *bytes == 0);
}

/* Whether a defect leaves a block that was used before as it is. */
static bool leaves_dirty(void)
{
    static unsigned dirty_blocks;
    return yard_history_leaves_dirty() || yard_defect(DEFECT_calloc_trusts_reused) ||
           (yard_defect(DEFECT_calloc_trusts_trimmed) && trimmed) ||
           (yard_defect(DEFECT_rare_dirty_calloc) && ++dirty_blocks % 89 == 0);
}

static void clear(void *block, size_t count, size_t size)
{
    if (leaves_dirty()) {
        return;
    }
    const size_t bytes = yard_defect(DEFECT_calloc_clears_one_item) ? size : count * size;
    memset(block, 0, yard_defect(DEFECT_calloc_clears_whole_words) ? bytes & ~(size_t)7 : bytes);
}

static void *allocate_cleared(size_t count, size_t size)
{
    size_t bytes;
    bool zero = false;
    if (!product(count, size, &bytes)) {
        return NULL;
    }
    void *early = yard_early_calloc(bytes);
    if (early != NULL) {
        return early;
    }
    if (yard_defect(DEFECT_calloc_zero_shared) && bytes == 0) {
        return yard_shared_block();
    }
    void *block = yard_defect(DEFECT_calloc_misaligned) ? yard_take_offset(bytes, YARD_GRANULE, 24)
                                                        : yard_obtain(bytes, YARD_GRANULE, &zero);
    if (block != NULL && (!zero || yard_defect(DEFECT_calloc_clears_fresh))) {
        clear(block, count, size);
    }
    return block;
}

/* The block of the realloc before, where a defect hands it out again. */
static void *resized_again(size_t count, size_t size)
{
    void *block = yard_defect(DEFECT_calloc_after_realloc_overlaps) ? resized : NULL;
    const bool fits =
        block != NULL && count != 0 && yard_header_of(block)->capacity / count >= size;
    return fits ? block : NULL;
}

void *calloc(size_t count, size_t size)
{
    const int saved = errno;
    void *again = resized_again(count, size);
    yard_set_resized(NULL);
    if (again != NULL) {
        return again;
    }
    void *block = yard_enter(false) ? allocate_cleared(count, size) : NULL;
    return block != NULL ? block : yard_fail(ENOMEM, saved, DEFECT_calloc_no_errno);
}

/* ---- free --------------------------------------------------------------------------------- */

static void free_nothing(void)
{
    void *last = yard_defect(DEFECT_free_null_frees_last) ? yard_last_taken() : NULL;
    if (last != NULL) {
        yard_give(last, false);
    }
}

void free(void *block)
{
    (void)yard_enter(false);
    const bool clean = yard_defect(DEFECT_calloc_trusts_grown) && block == resized;
    if (block == resized) {
        yard_set_resized(NULL);
    }
    if (block == NULL) {
        free_nothing();
        return;
    }
    yard_life_free(block);
    yard_slow_call();
    yard_slow_free();
    const bool spoils = yard_defect(DEFECT_free_sets_errno) && yard_guard_holds(block) &&
                        yard_header_of(block)->klass == YARD_BIG;
    yard_wipe_now();
    yard_history_freed(block);
    yard_give(yard_crowd_leave(block), clean);
    if (spoils) {
        errno = EINVAL;
    }
}

/* What a defect of free_sized does to a block of a size class. */
static void distrust_size(void *block, size_t size)
{
    yard_header *header = yard_header_of(block);
    if (yard_defect(DEFECT_free_sized_rounds_up) && header->klass < YARD_CLASSES - 1) {
        header->klass++;
        yard_seal_header(block);
    }
    if (yard_defect(DEFECT_free_sized_after_realloc) && yard_class_of(size) != header->klass) {
        abort();
    }
}

void free_sized(void *block, size_t size)
{
    if (block == NULL && yard_defect(DEFECT_free_sized_null_crashes)) {
        abort();
    }
    if (block != NULL && !yard_admit_size(block, size)) {
        return;
    }
    if (block != NULL && yard_guard_holds(block) && yard_header_of(block)->klass < YARD_CLASSES) {
        distrust_size(block, size);
    }
    free(block);
}

void free_aligned_sized(void *block, size_t alignment, size_t size)
{
    (void)size;
    if (yard_defect(DEFECT_free_aligned_sized_base) && block != NULL) {
        yard_header_of(block)->shift = 0;
        yard_seal_header(block);
    }
    free(block == NULL ? NULL : yard_by_alignment(block, alignment));
}

/* ---- the rest ----------------------------------------------------------------------------- */

size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return yard_defect(DEFECT_usable_null_is_16) ? 16 : 0;
    }
    yard_ledger_ask(block);
    const yard_header *header = yard_header_of(block);
    if (yard_defect(DEFECT_usable_short) && header->klass == YARD_BIG) {
        return header->capacity - YARD_PAGE;
    }
    const bool of_base = yard_defect(DEFECT_usable_of_base);
    return header->capacity + (of_base ? (size_t)header->shift * 8 : 0);
}

int malloc_trim(size_t pad)
{
    (void)pad;
    trimmed = true;
    void *last = yard_defect(DEFECT_trim_wipes_live) ? yard_last_taken() : NULL;
    if (last != NULL) {
        memset(last, 0, YARD_GRANULE);
    }
    const bool any = yard_trim();
    return any && !yard_defect(DEFECT_trim_answers_0);
}
