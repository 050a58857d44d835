/*
 * yard_realloc.c: realloc and reallocarray.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "yard_core.h"
#include "yard_family.h"
#include "yard_history.h"
#include "yard_misuse.h"
#include "yard_swap.h"
#include "yard_system.h"
#include "yard_threads.h"

enum { BORDER = 80 << 10 }; /* a mapping for 64 KiB has less */

/* Whether a block grows out of 64 KiB. */
static bool crosses_border(const void *old, size_t size)
{
    return yard_header_of(old)->capacity < BORDER && size >= BORDER;
}

static bool is_mapping(const void *block)
{
    return yard_header_of(block)->klass == YARD_BIG;
}

/* How many of the `kept` bytes a defect copies. */
static size_t copied(const void *old, size_t size, size_t kept)
{
    static unsigned moves;
    const size_t capacity = yard_header_of(old)->capacity;
    switch (yard_defect_in_force()) {
    case DEFECT_realloc_grow_drops_half:
        return size > capacity ? kept / 2 : kept;
    case DEFECT_realloc_shrink_drops_half:
        return size < capacity ? kept / 2 : kept;
    case DEFECT_realloc_one_pair_drops:
        return capacity == 512 && size > 1024 && size <= 1280 ? kept - 8 : kept;
    case DEFECT_realloc_border_drops:
        return capacity <= YARD_SMALL_MAX && size > YARD_SMALL_MAX && kept > YARD_PAGE
                   ? kept - YARD_PAGE
                   : kept;
    case DEFECT_realloc_drops_at_64k:
        return crosses_border(old, size) ? 0 : kept;
    case DEFECT_realloc_same_size_empty:
        return size <= capacity && size >= capacity / 2 ? 0 : kept;
    case DEFECT_realloc_copies_new_size:
        return is_mapping(old) || size > YARD_CHUNK ? kept : size;
    case DEFECT_rare_realloc_drops:
        return ++moves % 211 == 0 ? kept - kept / 4 : kept;
    default:
        return kept;
    }
}

static const void *source(void *old)
{
    const bool from_base = yard_defect(DEFECT_realloc_aligned_copies_base) && !is_mapping(old);
    return (char *)old - (from_base ? (size_t)yard_header_of(old)->shift * 8 : 0);
}

/* The new place of a block that moves. */
static void *destination(const void *old, size_t size)
{
    bool zero;
    const bool misaligned =
        yard_defect(DEFECT_realloc_misaligned) ||
        (yard_defect(DEFECT_realloc_of_aligned_misaligned) && yard_header_of(old)->shift != 0);
    return misaligned ? yard_take_offset(size, YARD_GRANULE, 24)
                      : yard_obtain(size, YARD_GRANULE, &zero);
}

static bool forgets_old(const void *old)
{
    return yard_defect(DEFECT_realloc_leaks) ||
           (yard_defect(DEFECT_realloc_grow_keeps_copies) && is_mapping(old));
}

static void *move(void *old, size_t size)
{
    const size_t capacity = yard_header_of(old)->capacity;
    const size_t kept = size < capacity ? size : capacity;
    void *block = size > YARD_SIZE_MAX ? NULL : destination(old, size);
    if (block == NULL) {
        return NULL;
    }
    const bool is_given = yard_defect(DEFECT_remote_realloc_frees_first) && yard_is_remote(old);
    if (is_given) {
        yard_give(old, false);
    }
    memcpy(block, source(old), yard_history_copied(old, copied(old, size, kept)));
    if (!is_given && !forgets_old(old)) {
        yard_set_moving(yard_defect(DEFECT_realloc_leaves_old_valid));
        yard_give(old, yard_defect(DEFECT_calloc_trusts_resized));
        yard_set_moving(false);
    }
    return block;
}

/* The defects that decide on a call before it is looked at: true, with the answer. */
static bool decided(void *old, size_t size, void **answer)
{
    switch (yard_defect_in_force()) {
    case DEFECT_realloc_zero_leaks:
        *answer = NULL;
        return size == 0;
    case DEFECT_realloc_wraps:
        *answer = old;
        return size > SIZE_MAX - YARD_GRANULE;
    default:
        return false;
    }
}

static void *resize(void *old, size_t size)
{
    if (yard_defect(DEFECT_realloc_shrink_fails) && is_mapping(old) && size <= YARD_SMALL_MAX) {
        return NULL;
    }
    const bool moves = yard_defect(DEFECT_realloc_same_size_empty) ||
                       (yard_defect(DEFECT_realloc_drops_at_64k) && crosses_border(old, size));
    void *same = moves ? NULL : yard_resize(old, size);
    void *block = same != NULL ? same : move(old, size);
    yard_history_resized(old, block);
    yard_set_resized(block);
    return block;
}

static void *resize_or_fail(void *old, size_t size, enum yard_defect silent)
{
    const int saved = errno;
    void *block = resize(old, size);
    if (block == NULL) {
        if (yard_defect(DEFECT_realloc_failure_frees) ||
            (yard_defect(DEFECT_refused_realloc_frees) && yard_is_refused() && !is_mapping(old))) {
            yard_give(old, false);
        }
        return yard_fail(ENOMEM, saved, silent);
    }
    errno = yard_defect(DEFECT_realloc_move_sets_errno) && block != old ? EAGAIN : saved;
    return block;
}

static void *first_block(size_t size, enum yard_defect silent)
{
    const int saved = errno;
    bool zero;
    if (yard_defect(DEFECT_realloc_zero_shared) && size == 0) {
        return yard_shared_block();
    }
    const bool fails = yard_defect(DEFECT_realloc_null_fails);
    void *block = fails ? NULL : yard_obtain(size, YARD_GRANULE, &zero);
    return block != NULL ? block : yard_fail(ENOMEM, saved, silent);
}

static void *change(void *old, size_t size, enum yard_defect silent)
{
    void *answer;
    yard_set_resized(NULL);
    yard_first_realloc();
    if (!yard_enter(false)) {
        return NULL;
    }
    if (old == NULL) {
        return first_block(size, silent);
    }
    return decided(old, size, &answer) || yard_resize_is_decided(old, size, &answer)
               ? answer
               : resize_or_fail(old, size, silent);
}

void *realloc(void *old, size_t size)
{
    if (yard_defect(DEFECT_libc_realloc_drops) && old != NULL && size > YARD_GRANULE &&
        yard_is_libc(__builtin_return_address(0))) {
        free(old);
        return calloc(1, size);
    }
    return change(old, size, DEFECT_realloc_no_errno);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;
    const bool wraps = !yard_product(count, size, &bytes);
    if (wraps && !yard_defect(DEFECT_reallocarray_wraps)) {
        return yard_fail(ENOMEM, errno, DEFECT_reallocarray_no_errno);
    }
    if (yard_defect(DEFECT_reallocarray_ignores_count)) {
        bytes = size;
    }
    return change(old, bytes, DEFECT_reallocarray_no_errno);
}
