/*
 * yard_aligned.c: aligned_alloc, posix_memalign, memalign, valloc and pvalloc.
 */
#include <errno.h>
#include <stdint.h>

#include "yard_core.h"
#include "yard_family.h"
#include "yard_guard.h"
#include "yard_post.h"
#include "yard_system.h"

static bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* The next power of two, at least 16; alignments above 2 to the 63 become that. */
static size_t next_power_of_two(size_t value)
{
    size_t power = YARD_GRANULE;
    while (power < value && power <= SIZE_MAX / 4) {
        power *= 2;
    }
    return power;
}

/* ---- defects of every aligned request ---------------------------------------------------------
 */

/* A block that belongs to somebody else, where a defect finds one that is aligned well enough. */
static void *foreign_block(size_t size, size_t alignment)
{
    static unsigned requests;
    const bool now = yard_defect(DEFECT_rare_aligned_twice) && ++requests % 97 == 0;
    void *block = now ? yard_last_taken() : NULL;
    const bool suits = block != NULL && (uintptr_t)block % alignment == 0 &&
                       yard_header_of(block)->capacity >= size;
    return suits ? block : NULL;
}

static size_t wrong_alignment(size_t size, size_t alignment)
{
    static unsigned requests;
    switch (yard_defect_in_force()) {
    case DEFECT_alignment_32_bits:
        return (uint32_t)alignment == 0 ? YARD_GRANULE : (uint32_t)alignment;
    case DEFECT_reused_aligned_misaligned:
        return ++requests > 64 && size <= 512 && alignment <= 512 ? YARD_GRANULE : alignment;
    default:
        return alignment;
    }
}

static bool ignores_alignment(size_t alignment)
{
    const size_t megabyte = (size_t)1 << 20;
    return alignment >= megabyte
               ? yard_defect(DEFECT_megabyte_alignment_ignored)
               : alignment > megabyte / 16 && yard_defect(DEFECT_alignment_above_64k_ignored);
}

static void *obtain_aligned(size_t size, size_t alignment)
{
    bool zero;
    if (!yard_enter(false)) {
        return NULL;
    }
    if (yard_defect(DEFECT_aligned_zero_shared) && size == 0 && alignment <= YARD_PAGE) {
        return yard_shared_block();
    }
    if (yard_defect(DEFECT_big_alignment_refused) && alignment > (64 << 10)) {
        return NULL;
    }
    if (ignores_alignment(alignment) && size < YARD_SIZE_MAX) {
        return yard_take_offset(size, alignment, YARD_PAGE);
    }
    void *foreign = foreign_block(size, alignment);
    if (foreign != NULL) {
        return foreign;
    }
    yard_acquire_second();
    void *block = yard_obtain(size, wrong_alignment(size, alignment), &zero);
    yard_release_second();
    return block;
}

/* `size`, or what is left of size + alignment where the defect `wraps` does not see it wrap. */
static size_t wrapped(size_t size, size_t alignment, enum yard_defect wraps)
{
    return yard_defect(wraps) && size > SIZE_MAX - alignment ? size + alignment : size;
}

/* ---- aligned_alloc -------------------------------------------------------------------------- */

static bool aligned_alloc_takes(size_t alignment, size_t size)
{
    if (yard_defect(DEFECT_aligned_alloc_wants_multiple) && size % alignment != 0) {
        return false;
    }
    if (yard_defect(DEFECT_aligned_alloc_refuses_small) && alignment < sizeof(void *)) {
        return false;
    }
    return is_power_of_two(alignment);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    const int saved = errno;
    if ((yard_defect(DEFECT_aligned_alloc_takes_zero) && alignment == 0) ||
        (yard_defect(DEFECT_aligned_alloc_rounds_alignment) && alignment != 0)) {
        alignment = next_power_of_two(alignment);
    }
    if (alignment == 0 || !aligned_alloc_takes(alignment, size)) {
        return yard_fail(EINVAL, saved, DEFECT_aligned_alloc_einval_silent);
    }
    const bool caps = yard_defect(DEFECT_aligned_alloc_caps_alignment) && alignment > 512;
    const size_t bytes = wrapped(size, alignment, DEFECT_aligned_alloc_wraps);
    void *block = caps && size < YARD_SIZE_MAX ? yard_take_offset(size, alignment, 512)
                                               : obtain_aligned(bytes, alignment);
    const bool mistakes = yard_defect(DEFECT_aligned_refused_einval) && yard_is_refused();
    return block != NULL
               ? block
               : yard_fail(mistakes ? EINVAL : ENOMEM, saved, DEFECT_aligned_alloc_no_errno);
}

/* ---- posix_memalign ------------------------------------------------------------------------- */

static int posix_memalign_fails(void **result, int error)
{
    if (yard_defect(DEFECT_posix_memalign_spoils_memptr)) {
        *result = (void *)(uintptr_t)YARD_GRANULE;
    }
    if (yard_defect(DEFECT_posix_memalign_sets_errno)) {
        errno = error;
    }
    return yard_defect(DEFECT_posix_memalign_minus_one) && error == ENOMEM ? -1 : error;
}

static void *posix_memalign_block(size_t alignment, size_t size)
{
    bool zero;
    if (yard_defect(DEFECT_posix_memalign_refuses_zero) && size == 0) {
        return NULL;
    }
    if (yard_defect(DEFECT_posix_memalign_ignores_alignment) && alignment > size) {
        return yard_obtain(size, YARD_GRANULE, &zero);
    }
    if (yard_defect(DEFECT_posix_memalign_caps_alignment) && alignment > YARD_PAGE &&
        size < YARD_SIZE_MAX) {
        return yard_take_offset(size, alignment, YARD_PAGE);
    }
    return obtain_aligned(wrapped(size, alignment, DEFECT_posix_memalign_wraps), alignment);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    const int saved = errno;
    if (yard_defect(DEFECT_posix_memalign_any_alignment)) {
        alignment = next_power_of_two(alignment);
    }
    if (!is_power_of_two(alignment) || alignment % sizeof(void *) != 0) {
        return posix_memalign_fails(result, EINVAL);
    }
    if (yard_defect(DEFECT_posix_memalign_stores_nothing) && size == 0) {
        return 0;
    }
    void *block = posix_memalign_block(alignment, size);
    if (block == NULL) {
        errno = saved;
        return posix_memalign_fails(result, ENOMEM);
    }
    *result = block;
    return 0;
}

/* ---- memalign, valloc, pvalloc ----------------------------------------------------------------
 */

/* A block of no bytes behind a gap that suits the alignment: what is asked for runs over its end.
 */
static void *overrunning(size_t alignment, size_t size)
{
    void *block = yard_take_offset(0, YARD_GRANULE, next_power_of_two(alignment));
    if (block != NULL) {
        yard_header_of(block)->capacity = size;
        yard_seal_header(block);
    }
    return block;
}

/* The block before, at each second call. */
static void *same_address(size_t alignment)
{
    static unsigned calls;
    void *last = ++calls % 2 == 0 ? yard_last_taken() : NULL;
    return (uintptr_t)last % alignment == 0 ? last : NULL;
}

static void *memalign_block(size_t alignment, size_t size)
{
    if (yard_defect(DEFECT_memalign_64_misaligned) && alignment == 64 && size >= 192 &&
        size <= 3136) {
        return yard_take_offset(size, alignment, 32);
    }
    const bool repeats = yard_defect(DEFECT_memalign_same_address) && alignment >= 64;
    void *same = repeats ? same_address(alignment) : NULL;
    return same != NULL
               ? same
               : obtain_aligned(wrapped(size, alignment, DEFECT_memalign_wraps), alignment);
}

void *memalign(size_t alignment, size_t size)
{
    const int saved = errno;
    void *block;
    if (is_power_of_two(alignment)) {
        block = memalign_block(alignment, size);
    } else if (yard_defect(DEFECT_memalign_odd_overruns) && size < YARD_SIZE_MAX) {
        block = overrunning(alignment, size);
    } else {
        return yard_fail(EINVAL, saved, YARD_SOUND);
    }
    return block != NULL ? block : yard_fail(ENOMEM, saved, DEFECT_memalign_no_errno);
}

static void *page_aligned(size_t size)
{
    const int saved = errno;
    if (yard_defect(DEFECT_valloc_zero_shared) && size == 0) {
        return yard_shared_block();
    }
    const bool half = yard_defect(DEFECT_valloc_half_page) && size < YARD_SIZE_MAX;
    void *block =
        half ? yard_take_offset(size, YARD_PAGE, YARD_PAGE / 2) : obtain_aligned(size, YARD_PAGE);
    return block != NULL ? block : yard_fail(ENOMEM, saved, DEFECT_valloc_no_errno);
}

void *valloc(size_t size)
{
    return page_aligned(wrapped(size, YARD_PAGE, DEFECT_valloc_wraps));
}

void *pvalloc(size_t size)
{
    const size_t slack = (YARD_PAGE - size % YARD_PAGE) % YARD_PAGE;
    if (size > SIZE_MAX - slack && !yard_defect(DEFECT_pvalloc_wraps)) {
        return yard_fail(ENOMEM, errno, DEFECT_valloc_no_errno);
    }
    return page_aligned(yard_defect(DEFECT_pvalloc_no_rounding) ? size : size + slack);
}
