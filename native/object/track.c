#include "object/track.h"

#define FIRST        ((size_t)1024)    /* entries on pages of the space's arena: 8 KiB */
#define FIRST_MAPPED ((size_t)8 << 10) /* entries: 64 KiB */
#define MOST         (HY__INDEX_LIMIT + 1)

void hy__track_open(hy_space *space, const hy_page_source *source)
{
    space->source = source != NULL ? source : hy_pages_mmap();
    space->log.count = 1;
    space->log.middle = 1;
    space->log.old = 1;
    space->log.has_all = hy__has_log(space);
    for (int i = 0; i < HY__GENERATIONS; i++) {
        hy__gc_link *const list = &space->generations[i];
        list->next = list;
        list->previous = list;
    }
}

/* The first entries, once; false: no memory. */
static bool take_first(hy_space *space)
{
    hy__log *const log = &space->log;
    if (log->first == NULL) {
        log->first = hy_bump_alloc_aligned(space->bump, FIRST * sizeof(hy_object *), HY_PAGE_SIZE);
        if (log->first == NULL) {
            return false;
        }
        log->first[0] = NULL;
        log->entries = log->first;
        log->capacity = FIRST;
    }
    return true;
}

bool hy__track_begin(hy_space *space)
{
    space->log.is_kept = take_first(space);
    return space->log.is_kept;
}

/* Back to the first entries. Returns the bytes given back. */
static size_t unmap_log(hy_space *space)
{
    hy__log *const log = &space->log;
    const size_t bytes = hy__log_bytes(log);
    if (bytes != 0) {
        space->source->unmap(space->source->context, log->entries, bytes);
    }
    log->entries = log->first;
    log->capacity = bytes != 0 ? FIRST : log->capacity;
    return bytes;
}

void hy__track_close(hy_space *space)
{
    (void)unmap_log(space);
}

void hy__track_forget(hy__log *log)
{
    for (size_t i = 1; i < log->count; i++) {
        if (log->entries[i] != NULL) {
            hy__set_index(log->entries[i], 0);
        }
    }
    log->count = 1;
    log->middle = 1;
    log->old = 1;
    log->has_all = false;
}

size_t hy__track_trim(hy_space *space)
{
    hy__log *const log = &space->log;
    if (log->count != log->old) {
        return 0;
    }
    hy__track_forget(log);
    return unmap_log(space);
}

bool hy__log_reserve(hy_space *space, size_t count)
{
    hy__log *const log = &space->log;
    const size_t bytes = hy__round_up(count * sizeof(hy_object *), HY_PAGE_SIZE);
    if (count <= log->capacity) {
        return true;
    }
    if (count > MOST) {
        return false;
    }
    hy_object **const entries = space->source->map(space->source->context, bytes, HY_PAGE_SIZE);
    if (entries == NULL) {
        return false;
    }
    (void)memcpy(entries, log->entries, log->count * sizeof(hy_object *));
    (void)unmap_log(space);
    log->entries = entries;
    log->capacity = bytes / sizeof(hy_object *);
    return true;
}

static bool grow_log(hy_space *space)
{
    const hy__log *const log = &space->log;
    const size_t doubled = log->capacity < FIRST_MAPPED / 2 ? FIRST_MAPPED : log->capacity * 2;
    return log->capacity < MOST && hy__log_reserve(space, doubled < MOST ? doubled : MOST);
}

/* Close the gaps that the dead have left. */
static void compact_log(hy__log *log)
{
    size_t to = 1;
    size_t middle = 1;
    size_t old = 1;
    for (size_t from = 1; from < log->count; from++) {
        hy_object *const object = log->entries[from];
        if (object != NULL) {
            hy__set_index(object, to);
            log->entries[to++] = object;
        }
        middle = from + 1 == log->middle ? to : middle;
        old = from + 1 == log->old ? to : old;
    }
    log->middle = middle;
    log->old = old;
    log->count = to;
}

static bool has_room(hy_space *space)
{
    hy__log *const log = &space->log;
    if (log->count < log->capacity) {
        return true;
    }
    compact_log(log);
    return log->count < log->capacity / 2 || grow_log(space) || log->count < log->capacity;
}

static void enter(hy__log *log, hy_object *object)
{
    hy__set_index(object, log->count);
    log->entries[log->count++] = object;
}

/* Before the collector is in use all are old, and noted as long as they are few. */
static void track_first(hy_space *space, hy_object *object)
{
    hy__log *const log = &space->log;
    if (log->count > space->few_most) {
        (void)hy__track_trim(space);
    }
    if (!log->has_all || !take_first(space) || (log->count == log->capacity && !grow_log(space))) {
        log->has_all = false;
        return;
    }
    enter(log, object);
    log->middle = log->count;
    log->old = log->count;
}

void hy__track(hy_space *space, hy_object *object)
{
    if (space->is_linked) {
        hy__link_last(&space->generations[0], hy__link_of(object));
        return;
    }
    hy__log *const log = &space->log;
    if (!log->is_kept) {
        track_first(space, object);
    } else if (has_room(space)) {
        enter(log, object);
    } else {
        log->is_whole = false;
        log->has_all = false;
    }
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
