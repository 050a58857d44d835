/*
 * yard_misuse.c: misuse told, and the defects that let it pass.
 */
#include "yard_misuse.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_guard.h"

static void *last_freed;
static void *parked;

_Noreturn static void tell(const char *what)
{
    static const char name[] = "yard_corpus: ";
    if (!yard_defect(DEFECT_double_free_unnamed)) {
        (void)!write(STDERR_FILENO, name, sizeof name - 1);
        (void)!write(STDERR_FILENO, what, strlen(what));
        (void)!write(STDERR_FILENO, "\n", 1);
    }
    abort();
}

/* With a defect that is about neither misuse nor replacement nothing is told: it is to show as what it is. */
static bool is_watchful(void)
{
    const enum yard_defect defect = yard_defect_in_force();
    return defect == YARD_SOUND ||
           (defect >= DEFECT_double_free_accepted && defect <= DEFECT_rare_malloc_fails);
}

bool yard_reuses_at_once(void)
{
    return yard_defect(DEFECT_reuse_at_once) || yard_defect(DEFECT_double_free_accepted) ||
           yard_defect(DEFECT_double_free_seen_at_head);
}

/* ---- free of what is no live block ----------------------------------------------------------- */

typedef enum pointer_kind { IN_BLOCK, OFF_BLOCK, FREED, FOREIGN } pointer_kind;

/* Where the pointer is: in a live block, at a multiple of 16 or not; where a block was; elsewhere. */
static pointer_kind kind_of(const void *pointer)
{
    const char *live = yard_guard_below(pointer);
    if (live != NULL && live != pointer &&
        (const char *)pointer < live + yard_header_of(live)->capacity) {
        return (uintptr_t)pointer % YARD_GRANULE == 0 ? IN_BLOCK : OFF_BLOCK;
    }
    return yard_is_in_chunk(pointer) && yard_header_of(pointer)->klass < YARD_CLASSES ? FREED
                                                                                      : FOREIGN;
}

/* Makes a block of 64 bytes of memory that is not ours. */
static bool adopt(void *pointer)
{
    *yard_header_of(pointer) = (yard_header){.capacity = 64, .klass = (uint16_t)yard_class_of(64)};
    return true;
}

static bool has_size_in_front(const void *pointer)
{
    uint64_t word;
    memcpy(&word, (const char *)pointer - sizeof word, sizeof word);
    return (word & 1) != 0 && word < YARD_CHUNK;
}

static bool accept_foreign(void *pointer)
{
    if (yard_defect(DEFECT_wild_free_accepted)) {
        parked = pointer;
        return false;
    }
    if (yard_defect(DEFECT_variable_free_accepted) && (uintptr_t)pointer % YARD_PAGE != 0) {
        return adopt(pointer);
    }
    if (yard_defect(DEFECT_header_in_front_believed) && has_size_in_front(pointer)) {
        return adopt(pointer);
    }
    if (yard_defect(DEFECT_foreign_free_ignored)) {
        return false;
    }
    tell("free of a foreign pointer");
}

/* [ block ....... p ......... ]  =>  [ block ....... ][ free block at p ] */
static bool split(void *pointer)
{
    const char *block = yard_guard_below(pointer);
    const size_t left = yard_header_of(block)->capacity - (size_t)((char *)pointer - block);
    unsigned klass = left >= YARD_SMALL_MAX ? YARD_CLASSES - 1 : yard_class_of(left);
    while (klass > 0 && yard_class_size(klass) > left) {
        klass--;
    }
    *yard_header_of(pointer) =
        (yard_header){.capacity = yard_class_size(klass), .klass = (uint16_t)klass};
    return true;
}

static bool accept_inside(void **pointer, pointer_kind kind)
{
    if (kind == IN_BLOCK && yard_defect(DEFECT_interior_free_splits)) {
        return split(*pointer);
    }
    if (kind == OFF_BLOCK && yard_defect(DEFECT_misaligned_free_rounded)) {
        *pointer = yard_guard_below(*pointer);
        return yard_guard_remove(*pointer);
    }
    if (yard_defect(DEFECT_interior_free_ignored)) {
        return false;
    }
    tell(kind == IN_BLOCK ? "free of an interior pointer" : "free of a misaligned pointer");
}

static bool accept_freed(const void *pointer)
{
    if (yard_defect(DEFECT_double_free_accepted) ||
        (yard_defect(DEFECT_double_free_seen_at_head) && pointer != last_freed)) {
        return true;
    }
    if (yard_defect(DEFECT_double_free_ignored)) {
        return false;
    }
    tell("double free");
}

static bool accept(void **pointer)
{
    const pointer_kind kind = kind_of(*pointer);
    switch (kind) {
    case FREED:
        return accept_freed(*pointer);
    case FOREIGN:
        return accept_foreign(*pointer);
    default:
        return accept_inside(pointer, kind);
    }
}

/* ---- a header that was overwritten ---------------------------------------------------------- */

/* Takes the size that stands there for the block's, whatever it is. */
static void believe_size(void *block)
{
    yard_header *header = yard_header_of(block);
    const size_t size = header->capacity < YARD_SMALL_MAX ? header->capacity : YARD_SMALL_MAX;
    *header = (yard_header){.capacity = size, .klass = (uint16_t)yard_class_of(size)};
}

static bool accept_damaged(void *block)
{
    if (yard_defect(DEFECT_overflow_believed) || yard_defect(DEFECT_underflow_believed)) {
        believe_size(block);
        return true;
    }
    if (yard_defect(DEFECT_overflow_ignored) || yard_defect(DEFECT_underflow_ignored)) {
        return false;
    }
    tell("overflow: a header was overwritten");
}

bool yard_admit_free(void **block)
{
    const bool stays = yard_defect(DEFECT_realloc_leaves_old_valid) && yard_is_moving();
    const bool live = stays ? yard_guard_holds(*block) : yard_guard_remove(*block);
    if (!is_watchful() || (live && yard_defect(DEFECT_realloc_leaves_old_valid))) {
        return true;
    }
    const bool admitted =
        live ? yard_header_is_whole(*block) || accept_damaged(*block) : accept(block);
    last_freed = *block;
    return admitted;
}

/* ---- the others --------------------------------------------------------------------------- */

bool yard_resize_is_decided(void *block, size_t size, void **answer)
{
    *answer = NULL;
    if (yard_guard_holds(block) || !is_watchful()) {
        return false;
    }
    if (yard_defect(DEFECT_realloc_of_freed_in_place) && kind_of(block) == FREED) {
        *answer = yard_guard_add(block) ? block : NULL;
        return true;
    }
    if (yard_defect(DEFECT_realloc_of_freed_is_malloc)) {
        *answer = malloc(size);
        return true;
    }
    tell("realloc of an invalid pointer");
}

/* Whether a block of this capacity may have been asked for with this size, or kept by realloc. */
static bool fits(const yard_header *header, size_t size)
{
    const bool wastes = header->klass == YARD_BIG
                            ? size <= YARD_SMALL_MAX
                            : size < header->capacity / 2 && header->capacity > YARD_GRANULE;
    return header->is_aligned || (size <= header->capacity && !wastes);
}

bool yard_admit_size(void *block, size_t size)
{
    yard_header *header = yard_header_of(block);
    if (!is_watchful() || !yard_guard_holds(block) || header->klass == YARD_STATIC ||
        fits(header, size)) {
        return true;
    }
    if (yard_defect(DEFECT_sized_free_believed) && header->klass < YARD_CLASSES) {
        const size_t most = size < YARD_SMALL_MAX ? size : YARD_SMALL_MAX;
        header->klass = (uint16_t)yard_class_of(most);
        yard_seal_header(block);
        return true;
    }
    if (yard_defect(DEFECT_wrong_size_ignored)) {
        return true;
    }
    tell("free with the wrong size");
}

void *yard_by_alignment(void *block, size_t alignment)
{
    if (!yard_defect(DEFECT_alignment_believed) || alignment <= YARD_GRANULE) {
        return block;
    }
    void *before = yard_guard_below((char *)block - 8);
    return (uintptr_t)block % alignment != 0 && before != NULL ? before : block;
}

/* Whether a block may be on a list while its owner writes into it. */
static bool hands_out_twice(void)
{
    return yard_reuses_at_once() || yard_defect(DEFECT_realloc_leaves_old_valid) ||
           yard_defect(DEFECT_realloc_of_freed_in_place);
}

void *yard_next_of_damaged(void *free_block)
{
    const unsigned char *bytes = free_block;
    const size_t stride = yard_header_of(free_block)->capacity + YARD_GRANULE;
    if (yard_defect(DEFECT_damaged_link_mended)) {
        return (char *)free_block - (bytes[0] & 3U) * stride;
    }
    if (yard_defect(DEFECT_forged_link_followed)) {
        return ((yard_free_block *)free_block)->next;
    }
    if (!is_watchful()) {
        return ((yard_free_block *)free_block)->next;
    }
    if (yard_defect(DEFECT_late_write_ignored) || hands_out_twice()) {
        return NULL;
    }
    tell("write after free: a link is corrupt");
}

void *yard_take_parked(void)
{
    void *pointer = parked;
    parked = NULL;
    return pointer;
}
