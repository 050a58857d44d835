#include "object/track.h"

#define FIRST_CAPACITY ((size_t)8 << 10) /* entries: 64 KiB */

void hy__track_open(hy_space *space, const hy_page_source *source)
{
    space->source = source != NULL ? source : hy_pages_mmap();
    space->log.count = 1;
    space->log.middle = 1;
    for (int i = 0; i < HY__GENERATIONS; i++) {
        hy__gc_link *const list = &space->generations[i];
        list->next = list;
        list->previous = list;
    }
}

static void unmap_log(hy_space *space)
{
    if (space->log.entries != NULL) {
        space->source->unmap(space->source->context, space->log.entries,
                             space->log.capacity * sizeof(hy_object *));
    }
}

void hy__track_close(hy_space *space)
{
    unmap_log(space);
    space->log.entries = NULL;
}

size_t hy__track_trim(hy_space *space)
{
    hy__log *const log = &space->log;
    if (log->count != 1) {
        return 0;
    }
    const size_t bytes = log->capacity * sizeof(hy_object *);
    unmap_log(space);
    log->entries = NULL;
    log->capacity = 0;
    return bytes;
}

static bool grow_log(hy_space *space)
{
    hy__log *const log = &space->log;
    const size_t capacity = log->capacity != 0 ? log->capacity * 2 : FIRST_CAPACITY;
    if (log->count >= HY__INDEX_LIMIT) {
        return false;
    }
    hy_object **const entries =
        space->source->map(space->source->context, capacity * sizeof(hy_object *), HY_PAGE_SIZE);
    if (entries == NULL) {
        return false;
    }
    if (log->entries != NULL) {
        (void)memcpy(entries, log->entries, log->count * sizeof(hy_object *));
    }
    unmap_log(space);
    log->entries = entries;
    log->capacity = capacity;
    return true;
}

/* Close the gaps that the dead have left. */
static void compact_log(hy__log *log)
{
    size_t to = 1;
    size_t middle = 1;
    for (size_t from = 1; from < log->count; from++) {
        hy_object *const object = log->entries[from];
        if (object != NULL) {
            hy__set_index(object, to);
            log->entries[to++] = object;
        }
        middle = from + 1 == log->middle ? to : middle;
    }
    log->middle = middle;
    log->count = to;
}

static bool has_room(hy_space *space)
{
    hy__log *const log = &space->log;
    if (log->count < log->capacity) {
        return true;
    }
    if (log->capacity != 0) {
        compact_log(log);
    }
    return log->count < log->capacity / 2 || grow_log(space) || log->count < log->capacity;
}

void hy__track(hy_space *space, hy_object *object)
{
    if (space->is_linked) {
        hy__link_last(&space->generations[0], hy__link_of(object));
        return;
    }
    hy__log *const log = &space->log;
    if (!log->is_kept || !has_room(space)) {
        log->is_whole = false;
        return;
    }
    hy__set_index(object, log->count);
    log->entries[log->count++] = object;
}

void hy__untrack(hy_space *space, hy_object *object)
{
    if (space->is_linked) {
        hy__unlink(hy__link_of(object));
        return;
    }
    const size_t index = hy__index_of(object);
    if (index != 0 && index < space->log.count && space->log.entries[index] == object) {
        space->log.entries[index] = NULL;
    }
    hy__set_index(object, 0);
}
