/*
 * block.c: the blocks of pages of a bump arena: the chain in use, and those kept for reuse.
 */
#include "bump/internal.h"

/* A block of pages is at least this many times the request that it was mapped for: what the block
 * before leaves unused is then a small part of it. */
#define TIMES_THE_REQUEST 16

/* How many kept blocks a request looks at, so that its cost does not depend on their number. */
#define SPARES_TRIED 16

static_assert(HY_BUMP_BIG * TIMES_THE_REQUEST < (size_t)1 << 30, "cannot overflow");

uintptr_t hy__bump_block_seal(const hy__bump_block *block)
{
    return hy__bump_seal((uintptr_t)block, (uintptr_t)block->previous, block->span.size,
                         (uintptr_t)block->start);
}

bool hy__bump_block_is_sealed(const hy__bump_block *block)
{
    return block->seal == hy__bump_block_seal(block) && block->span.address == (const char *)block;
}

static void link_before(hy__bump_block *block, hy__bump_block *previous)
{
    block->previous = previous;
    block->seal = hy__bump_block_seal(block);
}

void hy__bump_note_mapped(hy__bump *bump, const void *address, size_t size)
{
    const uintptr_t low = (uintptr_t)address;
    bump->lowest = low < bump->lowest ? low : bump->lowest;
    bump->highest = low + size > bump->highest ? low + size : bump->highest;
#if HEAPYARD_COUNTERS
    bump->mapped_bytes += size;
    if (bump->mapped_bytes > bump->peak_mapped_bytes) {
        bump->peak_mapped_bytes = bump->mapped_bytes;
    }
#endif
}

void hy__bump_note_unmapped(hy__bump *bump, size_t size)
{
    HY_COUNT(bump->mapped_bytes -= size);
    (void)bump;
    (void)size;
}

/* Map a block and write its header. `bump` is NULL for the block that will hold the arena. */
hy__bump_block *hy__bump_block_map(hy__bump *bump, const hy_page_source *source, size_t size)
{
    hy__bump_block *const block = source->map(source->context, size, HY_PAGE_SIZE);
    if (block == NULL) {
        return NULL;
    }
    char *const address = (char *)block;
    *block = (hy__bump_block){
        .span = {.address = address, .size = size},
        .start = address + sizeof *block,
        .top = address + sizeof *block,
        .dirty = address + sizeof *block,
    };
    if (bump != NULL) {
        hy__mark_unaddressable(block->start, (size_t)(address + size - block->start));
        hy__bump_note_mapped(bump, block, size);
    }
    return block;
}

/* Write down how far the current block was filled, before another takes its place. */
void hy__bump_block_settle(hy__bump *bump)
{
    hy__bump_block *const block = bump->current;
    block->top = bump->window.next;
    block->dirty = block->top > block->dirty ? block->top : block->dirty;
}

/* Go on in `block` at `next`: what lies above is unused. */
void hy__bump_enter(hy__bump *bump, hy__bump_block *block, char *next)
{
    bump->current = block;
    bump->end = hy__bump_block_end(block);
    hy__bump_set_next(bump, next);
    hy__mark_unaddressable(next, (size_t)(bump->end - next));
}

/* A kept block of at least `size` bytes, unlinked; NULL where none of the first few is. */
static hy__bump_block *take_spare(hy__bump *bump, size_t size)
{
    hy__bump_block *before = NULL;
    hy__bump_block *block = bump->spare;
    for (int tried = 0; block != NULL && tried < SPARES_TRIED; tried++) {
        if (block->span.size >= size) {
            if (before == NULL) {
                bump->spare = block->previous;
            } else {
                link_before(before, block->previous);
            }
            return block;
        }
        before = block;
        block = block->previous;
    }
    return NULL;
}

static void grow_block_size(hy__bump *bump)
{
    const size_t size = bump->block_size;
    if (size < bump->max_block_size) {
        bump->block_size = size <= bump->max_block_size / 2 ? size * 2 : bump->max_block_size;
    }
}

/* A new mapping for a request that needs `least` bytes: the size that is due, or where the source
 * has not that much, as little as will do. */
static hy__bump_block *map_block(hy__bump *bump, size_t least, size_t generous)
{
    const size_t due = generous > bump->block_size ? generous : bump->block_size;
    hy__bump_block *const block = hy__bump_block_map(bump, bump->source, due);
    if (block != NULL) {
        grow_block_size(bump);
        return block;
    }
    return least < due ? hy__bump_block_map(bump, bump->source, least) : NULL;
}

/* A fresh current block with room for `span` bytes, which is less than HY_BUMP_BIG. */
bool hy__bump_block_push(hy__bump *bump, size_t span)
{
    const size_t least = hy__round_up(span + sizeof(hy__bump_block), HY_PAGE_SIZE);
    const size_t generous = hy__round_up(span * TIMES_THE_REQUEST, HY_PAGE_SIZE);
    const size_t wanted = generous > least ? generous : least;
    hy__bump_block *block = take_spare(bump, wanted);
    if (block == NULL) {
        block = map_block(bump, least, wanted);
    }
    if (block == NULL) {
        block = take_spare(bump, least);
    }
    if (block == NULL) {
        return false;
    }
    hy__bump_block_settle(bump);
    block->span.spare = false;
    link_before(block, bump->current);
    hy__bump_enter(bump, block, block->start);
    return true;
}

/* Keep for reuse all blocks newer than `block`. False, with misuse, where a header is damaged. */
bool hy__bump_pop_to(hy__bump *bump, hy__bump_block *block)
{
    hy__bump_block_settle(bump);
    while (bump->current != block) {
        hy__bump_block *const popped = bump->current;
        if (!hy__bump_block_is_sealed(popped)) {
            hy__misuse(HY_MISUSE_CORRUPTED, "bump", popped, NULL);
            return false;
        }
        bump->current = popped->previous;
        popped->top = popped->start;
        popped->span.spare = true;
        link_before(popped, bump->spare);
        bump->spare = popped;
        hy__mark_unaddressable(popped->start, (size_t)(hy__bump_block_end(popped) - popped->start));
    }
    return true;
}
