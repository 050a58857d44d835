/*
 * track.h: how the collector gets to know containers. Where it walks the heap it finds all of them;
 * the log tells which are young. The linked engine has them in lists, one for each generation.
 */
#ifndef HEAPYARD_OBJECT_TRACK_H
#define HEAPYARD_OBJECT_TRACK_H

#include "object/internal.h"

/* The first bit of an index in `count`; a test leaves less room. */
#ifndef HY__INDEX
#    define HY__INDEX (HY__FLAGS + 1)
#endif

/* The largest index, and so the most entries of a log. */
#define HY__INDEX_LIMIT ((size_t)((HY_OBJECT_REFERENCE - 1) / HY__INDEX))

static inline hy__gc_link *hy__link_of(const hy_object *object)
{
    return (hy__gc_link *)(uintptr_t)object - 1;
}

static inline hy_object *hy__object_of(const hy__gc_link *link)
{
    return (hy_object *)(uintptr_t)(link + 1);
}

static inline size_t hy__index_of(const hy_object *object)
{
    return (size_t)(object->count & HY__BELOW) / (size_t)HY__INDEX;
}

static inline void hy__set_index(hy_object *object, size_t index)
{
    const int64_t rest = object->count & ~(HY__BELOW & ~HY__FLAGS);
    object->count = rest | (int64_t)index * HY__INDEX;
}

/* The other engines tell who is young without. */
static inline bool hy__has_log(const hy_space *space)
{
    return !space->is_linked && !space->is_by_pools;
}

/* Bytes mapped for the log. */
static inline size_t hy__log_bytes(const hy__log *log)
{
    return log->entries != log->first ? log->capacity * sizeof(hy_object *) : 0;
}

static inline void hy__link_last(hy__gc_link *list, hy__gc_link *link)
{
    link->next = list;
    link->previous = list->previous;
    list->previous->next = link;
    list->previous = link;
}

static inline void hy__unlink(hy__gc_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
}

void hy__track_open(hy_space *space, const hy_page_source *source);
void hy__track_close(hy_space *space);

/* The collector is in use: the log tells who is young from now on. False: no memory. */
bool hy__track_begin(hy_space *space);

/* Let the log have so many entries, that of nobody included. False: no memory. */
bool hy__log_reserve(hy_space *space, size_t count);

/* All of the log are old from now on, and in it no more. */
void hy__track_forget(hy__log *log);

/* A log without young and middle ones is given back. Returns its bytes. */
size_t hy__track_trim(hy_space *space);

/* A container begins, or lives on after all: it is young. Without memory for the log, or before the collector
 * is in use, it is old, and in the log all the same as long as there are few: then it has all. */
void hy__track(hy_space *space, hy_object *object);

/* A container is dying. */
void hy__untrack(hy_space *space, hy_object *object);

#endif /* HEAPYARD_OBJECT_TRACK_H */
