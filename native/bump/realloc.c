/*
 * realloc.c: resizing a block, in place where that can be.
 */
#include "bump/internal.h"

#include <string.h>

static bool misused(hy_misuse_kind kind, const void *block, const char *detail)
{
    hy__misuse(kind, "bump", block, detail);
    return false;
}

static bool is_in_current(const hy__bump *bump, const char *block)
{
    return (uintptr_t)block - (uintptr_t)bump->current < bump->current->span.size;
}

/* What the current block can tell of a block in it. */
static bool is_sane_in_current(const hy__bump *bump, const char *block, size_t old_size)
{
    if (block < bump->current->start) {
        return misused(HY_MISUSE_FOREIGN_POINTER, block, "(a header)");
    }
    if (block >= bump->window.next) {
        return misused(HY_MISUSE_UNUSED_POINTER, block, NULL);
    }
    const size_t handed_out = (size_t)(bump->window.next - block);
    if (old_size > handed_out || hy__bump_need(bump, old_size) > handed_out) {
        return misused(HY_MISUSE_WRONG_SIZE, block, NULL);
    }
    return true;
}

/* Whether the caller's claim can be true; if not, that was reported. */
static bool claim_is_sane(const hy__bump *bump, const char *block, size_t old_size)
{
    if (!hy__is_aligned(block, HY_BUMP_ALIGNMENT)) {
        return misused(HY_MISUSE_MISALIGNED_POINTER, block, NULL);
    }
    const uintptr_t place = (uintptr_t)block;
    if (place < bump->lowest || place >= bump->highest) {
        return misused(HY_MISUSE_FOREIGN_POINTER, block, NULL);
    }
    if (old_size > bump->highest - place) {
        return misused(HY_MISUSE_WRONG_SIZE, block, NULL);
    }
    if (is_in_current(bump, block)) {
        return is_sane_in_current(bump, block, old_size);
    }
#if HEAPYARD_ASSERT_LEVEL >= HY_ASSERT_LEVEL_INTERNAL
    if (!hy_bump_contains(&bump->window, block)) {
        return misused(HY_MISUSE_FOREIGN_POINTER, block, NULL);
    }
#endif
    return true;
}

/* Move the end of the last block:
 *     [ live ][ block ]next....end  =>  [ live ][ block ....]next.end   (or the other way) */
static bool resize_last(hy__bump *bump, char *block, size_t old_size, size_t new_size)
{
    const size_t room = (size_t)(bump->end - block);
    if (new_size > room || hy__bump_need(bump, new_size) > room) {
        return false;
    }
    char *const next = block + hy__bump_need(bump, new_size);
    if (next < bump->window.next) {
        hy__bump_block_settle(bump); /* what is given back bears data */
    }
    hy__bump_set_next(bump, next);
    hy__mark_undefined(block + old_size, new_size > old_size ? new_size - old_size : 0);
    return true;
}

/* Resize a block of the chain without moving it; false where it must move. */
static bool resize_in_chain(hy__bump *bump, char *block, size_t old_size, size_t new_size)
{
    const bool is_last = block + hy__bump_need(bump, old_size) == bump->window.next;
    if (new_size > old_size && (!is_last || !resize_last(bump, block, old_size, new_size))) {
        return false;
    }
    if (new_size < old_size) {
        if (is_last) {
            (void)resize_last(bump, block, old_size, new_size);
        }
        hy__mark_unaddressable(block + new_size, old_size - new_size);
    }
    return true;
}

static void *copy_out(hy__bump *bump, const char *block, size_t old_size, size_t new_size)
{
    char *const moved = hy__bump_take(bump, new_size, HY_BUMP_ALIGNMENT);
    if (moved != NULL) {
        memcpy(moved, block, old_size);
    }
    return moved;
}

static void *resize(hy__bump *bump, char *block, size_t old_size, size_t new_size, bool *in_place)
{
    hy__bump_big *const big =
        hy__is_aligned(block, HY_PAGE_SIZE) ? hy__bump_big_find(bump, block) : NULL;
    if (big != NULL) {
        if (big->requested != old_size) {
            (void)misused(HY_MISUSE_WRONG_SIZE, block, NULL);
            return NULL;
        }
        return hy__bump_big_realloc(bump, big, new_size, in_place);
    }
    if (!claim_is_sane(bump, block, old_size)) {
        return NULL;
    }
    *in_place = resize_in_chain(bump, block, old_size, new_size);
    return *in_place ? block : copy_out(bump, block, old_size, new_size);
}

void *hy_bump_realloc(hy_bump *handle, void *block, size_t old_size, size_t new_size)
{
    if (block == NULL) {
        return hy_bump_alloc(handle, new_size);
    }
    hy__bump *const bump = hy__bump_of(handle);
    bool in_place = false;
    void *const resized = resize(bump, block, old_size, new_size, &in_place);
    if (resized == NULL) {
        HY_COUNT(bump->window.failures++);
        return NULL;
    }
    HY_COUNT(bump->reallocs++);
    HY_COUNT(bump->in_place += in_place ? 1 : 0);
    HY_ASSERT_ALL(hy_bump_check(handle).code == HY_BUMP_CHECK_SOUND);
    return resized;
}
