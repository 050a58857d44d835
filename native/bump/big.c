/*
 * big.c: large blocks, each with pages of its own, off the chain.
 *
 * The record lies in the chain, the pages bear nothing of ours:
 *
 *     chain:   ... [record] ...          pages:   [ requested ......|unused]
 *                      `------------------------> ^ page-aligned, or more
 */
#include "bump/internal.h"

#include <string.h>

static uintptr_t seal_of(const hy__bump_big *big)
{
    return hy__bump_seal((uintptr_t)big, (uintptr_t)big->previous, (uintptr_t)big->span.address,
                         big->span.size ^ (big->requested << 1));
}

bool hy__bump_big_is_sealed(const hy__bump_big *big)
{
    return big->seal == seal_of(big);
}

static char *map_pages(hy__bump *bump, size_t size, size_t alignment)
{
    const size_t least = alignment > HY_PAGE_SIZE ? alignment : HY_PAGE_SIZE;
    return bump->source->map(bump->source->context, size, least);
}

static void unmap_pages(hy__bump *bump, const hy__bump_span *span)
{
    bump->source->unmap(bump->source->context, span->address, span->size);
    hy__bump_note_unmapped(bump, span->size);
}

static size_t pages_for(size_t size)
{
    return hy__round_up(size != 0 ? size : 1, HY_PAGE_SIZE); /* size is below PTRDIFF_MAX */
}

static void describe(hy__bump_big *big, char *address, size_t mapped, size_t requested)
{
    big->span = (hy__bump_span){.address = address, .size = mapped, .big = true};
    big->requested = requested;
    big->seal = seal_of(big);
    if (address != NULL) {
        hy__mark_unaddressable(address + requested, mapped - requested);
    }
}

void *hy__bump_big_new(hy__bump *bump, size_t size, size_t alignment)
{
    const size_t mapped = pages_for(size);
    char *const address = map_pages(bump, mapped, alignment);
    if (address == NULL) {
        return NULL;
    }
    hy__bump_big *const big = hy__bump_take(bump, sizeof *big, HY_BUMP_ALIGNMENT);
    if (big == NULL) {
        bump->source->unmap(bump->source->context, address, mapped);
        return NULL;
    }
    hy__bump_note_mapped(bump, address, mapped);
    big->previous = bump->bigs;
    describe(big, address, mapped, size);
    bump->bigs = big;
    return address;
}

/* The large block that starts at `address`, or NULL. Newest first. */
hy__bump_big *hy__bump_big_find(const hy__bump *bump, const void *address)
{
    for (hy__bump_big *big = bump->bigs; big != NULL; big = big->previous) {
        if (!hy__bump_big_is_sealed(big)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", big, NULL);
            return NULL;
        }
        if (big->span.address == address) {
            return big;
        }
    }
    return NULL;
}

static char *resize_in_place(hy__bump_big *big, size_t new_size)
{
    char *const address = big->span.address;
    hy__mark_undefined(address + big->requested,
                       new_size > big->requested ? new_size - big->requested : 0);
    describe(big, address, big->span.size, new_size);
    return address;
}

/* Pages for `size` bytes, and an eighth more where the block grows, if they can be had: a buffer that
 * grows by small steps is copied at few of them. Pages that nobody touches are no memory. */
static char *map_to_grow(hy__bump *bump, size_t size, bool grows, size_t *mapped)
{
    *mapped = pages_for(grows ? size + size / 8 : size);
    char *const address = map_pages(bump, *mapped, HY_PAGE_SIZE);
    if (address != NULL || !grows) {
        return address;
    }
    *mapped = pages_for(size);
    return map_pages(bump, *mapped, HY_PAGE_SIZE);
}

/* Larger than the pages, or less than half of them: move, to pages of its own or into the chain. A
 * smaller block that can't move stays. */
static char *move(hy__bump *bump, hy__bump_big *big, size_t new_size)
{
    const hy__bump_span old = big->span;
    const size_t kept = new_size < big->requested ? new_size : big->requested;
    const bool stays_big = new_size >= HY_BUMP_BIG;
    const bool grows = new_size > big->requested;
    size_t mapped = 0;
    char *const address = stays_big ? map_to_grow(bump, new_size, grows, &mapped)
                                    : hy__bump_take(bump, new_size, HY_BUMP_ALIGNMENT);
    if (address == NULL) {
        return NULL;
    }
    memcpy(address, old.address, kept);
    if (stays_big) {
        hy__bump_note_mapped(bump, address, mapped);
        describe(big, address, mapped, new_size);
    } else {
        describe(big, NULL, 0, 0);
    }
    unmap_pages(bump, &old);
    return address;
}

/* realloc of a large block. NULL if and only if it must grow and there is no memory. */
void *hy__bump_big_realloc(hy__bump *bump, hy__bump_big *big, size_t new_size, bool *in_place)
{
    const bool fits = new_size <= big->span.size;
    *in_place = fits && (new_size >= big->span.size / 2 || pages_for(new_size) == big->span.size);
    if (*in_place) {
        return resize_in_place(big, new_size);
    }
    if (new_size > PTRDIFF_MAX - HY_BUMP_MAX_ALIGNMENT) {
        return NULL;
    }
    char *const moved = move(bump, big, new_size);
    if (moved == NULL && fits) {
        *in_place = true;
        return resize_in_place(big, new_size);
    }
    return moved;
}

/* Give back the pages of all large blocks newer than `last`. False, with misuse, where a record is
 * damaged. */
bool hy__bump_big_release_to(hy__bump *bump, const hy__bump_big *last)
{
    while (bump->bigs != last) {
        hy__bump_big *const big = bump->bigs;
        if (!hy__bump_big_is_sealed(big)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", big, NULL);
            return false;
        }
        bump->bigs = big->previous;
        if (big->span.address != NULL) {
            unmap_pages(bump, &big->span);
        }
    }
    return true;
}
