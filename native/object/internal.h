/*
 * internal.h: a space, as its own files see it.
 *
 *     hy_space ---> atoms, containers     two heaps, each with HY_OBJECT_LISTS free lists
 *              ---> types                 in a bump arena of the space's own, which holds it too
 *              ---> pending               objects whose deallocation waits, linked by `count`
 *              ---> quarantine            the dead of a debug space, oldest first
 */
#ifndef HEAPYARD_OBJECT_INTERNAL_H
#define HEAPYARD_OBJECT_INTERNAL_H

#include <heapyard/bump.h>
#include <heapyard/object.h>

#include "base/annotate.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/count.h"
#include "base/misuse.h"

/* The dead that a debug space keeps. */
#define HY__QUARANTINE 256

typedef struct hy__type {
    hy_type window; /* first: what the inline paths see */
    hy_space *space;
    hy_type_spec spec;
    struct hy__shelf *shelf; /* the heap of its objects, and the lists */
    struct hy__type *next;   /* registered before */
} hy__type;

/* A heap, and the free lists in front of it. */
typedef struct hy__shelf {
    hy_heap *heap;
    hy_object_list lists[HY_OBJECT_LISTS];
} hy__shelf;

struct hy_space {
    hy__shelf atoms;
    hy__shelf containers;
    hy_object_list closed; /* without blocks and without room: leads to the slow way */
    hy__type *types;       /* newest first */
    hy_bump *bump;         /* holds this struct, the types and their names */
    hy_object *pending;    /* newest first */
    bool is_dropping;      /* a function of a type runs */
    bool legacy_freed;     /* the legacy object whose function runs was freed by it */
    bool is_debug;
    uint32_t list_limit;
    hy_object *quarantine[HY__QUARANTINE]; /* a ring */
    uint32_t oldest;
    uint32_t quarantined;
#if HEAPYARD_COUNTERS
    uint64_t types_made;
    uint64_t failures;
    uint64_t plain_slow; /* plain objects that did not go the inline way */
    uint64_t dealloc;
    uint64_t finalize;
    uint64_t legacy;
    uint64_t finalized;
    uint64_t resurrected;
    uint64_t deferred;
    uint64_t misses;
    uint64_t beyond_lists; /* objects made that are too large for lists */
    uint64_t overflows;
    uint64_t flushes;
    uint64_t shelved; /* blocks that release put on a list: not the inline way */
#endif
};

/* The count of a dead object. */
#define HY__DEAD (-HY_OBJECT_REFERENCE)

static inline hy__type *hy__type_of(const hy_object *object)
{
    return (hy__type *)(void *)object->type;
}

/* Bytes of an object, header and items included. */
static inline size_t hy__object_size(const hy__type *type, const hy_object *object)
{
    const hy_type_spec *const spec = &type->spec;
    return spec->item_size == 0
               ? spec->object_size
               : spec->object_size + spec->item_size * ((const hy_var_object *)object)->items;
}

/* A block holds at least a link: what it is asked of the heap for an object of `size`. */
static inline size_t hy__block_size(size_t size)
{
    return size < sizeof(hy_object_link) ? sizeof(hy_object_link) : size;
}

static inline bool hy__is_listed_size(size_t size)
{
    return size <= HY_OBJECT_MAX_LISTED;
}

/* The list for blocks of `size`, which lists hold. */
static inline hy_object_list *hy__list_of(hy__shelf *shelf, size_t size)
{
    return &shelf->lists[(hy__block_size(size) - 1) / HY_HEAP_ALIGNMENT];
}

/* The size of the blocks on a list. */
static inline size_t hy__list_block_size(const hy__shelf *shelf, const hy_object_list *list)
{
    return ((size_t)(list - shelf->lists) + 1) * HY_HEAP_ALIGNMENT;
}

static inline uint64_t hy__list_length(const hy_space *space, const hy_object_list *list)
{
    return (uint64_t)((int64_t)space->list_limit - list->room);
}

/* lists.c */
void hy__lists_open(hy_space *space, hy__shelf *shelf);
void hy__lists_flush(hy_space *space, hy__shelf *shelf);

/* drop.c: an object is gone: its memory goes to a list, to the quarantine or to its heap. */
void hy__release(hy__type *type, hy_object *object);

/* quarantine.c */
void hy__quarantine_put(hy__type *type, hy_object *object);
bool hy__quarantine_empty(hy_space *space);
bool hy__quarantine_is_intact(const hy_space *space, const hy_object **broken);

#endif /* HEAPYARD_OBJECT_INTERNAL_H */
