/*
 * lists.c: bounding and emptying the free lists.
 */
#include "object/internal.h"
#include "object/track.h"

void hy__lists_open(hy_space *space, hy__shelf *shelf)
{
    for (size_t i = 0; i < HY_OBJECT_LISTS; i++) {
        shelf->lists[i].room = space->list_limit;
    }
}

/* Blocks beyond `most` go to the heap. */
static void shorten(hy_space *space, hy__shelf *shelf, hy_object_list *list, uint64_t most)
{
    const size_t size = hy__list_block_size(shelf, list) + shelf->prefix;
    for (uint64_t length = hy__list_length(space, list); length > most; length--) {
        hy_object_link *const link = list->head;
        list->head = link->next;
        list->room++;
        hy_heap_free_sized(shelf->heap, hy__block_of(shelf, link), size);
        HY_COUNT(hy__counts_of(shelf, list)->flushes++);
    }
}

void hy__lists_flush(hy_space *space, hy__shelf *shelf)
{
    for (size_t i = 0; i < HY_OBJECT_LISTS; i++) {
        shorten(space, shelf, &shelf->lists[i], 0);
    }
}

static void set_limit(hy_space *space, hy__shelf *shelf, uint32_t limit)
{
    for (size_t i = 0; i < HY_OBJECT_LISTS; i++) {
        hy_object_list *const list = &shelf->lists[i];
        shorten(space, shelf, list, limit);
        list->room += (int64_t)limit - (int64_t)space->list_limit;
    }
}

void hy_space_set_list_limit(hy_space *space, uint32_t limit)
{
    if (hy__refuse_while_walking(space, space,
                                 "(a limit set while the collector looks at the heap)") ||
        space->is_debug || hy__is_annotating()) {
        return;
    }
    set_limit(space, &space->atoms, limit);
    set_limit(space, &space->containers, limit);
    space->list_limit = limit;
}

size_t hy_space_trim(hy_space *space)
{
    size_t given = 0;
    if (hy__refuse_while_walking(space, space, "(trim while the collector looks at the heap)")) {
        return 0;
    }
    hy__quarantine_empty(space);
    if (space->gc_drop != NULL && !space->is_collecting) {
        given = space->gc_drop(space);
    }
    hy__lists_flush(space, &space->atoms);
    hy__lists_flush(space, &space->containers);
    given += hy__track_trim(space);
    return given + hy_heap_trim(space->atoms.heap) + hy_heap_trim(space->containers.heap);
}
