/*
 * internal.h: a space, as its own files see it.
 *
 *     hy_space ---> atoms, containers     two heaps, each with HY_OBJECT_LISTS free lists
 *              ---> types                 in a bump arena of the space's own, which holds it too
 *              ---> drops                 the object whose function runs, and those that wait
 *              ---> quarantine            the dead of a debug space, oldest first
 */
#ifndef HEAPYARD_OBJECT_INTERNAL_H
#define HEAPYARD_OBJECT_INTERNAL_H

#include <string.h>

#include <heapyard/bump.h>
#include <heapyard/object.h>

#include "base/annotate.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/count.h"
#include "base/misuse.h"

/* The dead that a debug space keeps. */
#define HY__QUARANTINE 256

#define HY__GENERATIONS 3

/* The walk engine's log: the containers made lately, each of which has its place here as its index.
 *
 *     0          1 ...       old ...             middle ...    count
 *     nobody's   old ones    survived one        young
 *                            collection
 *
 * Old ones are in it only where it has all (gc/few.c). */
typedef struct hy__log {
    hy_object **entries; /* NULL: one that died */
    hy_object **first;   /* the entries before any are mapped; NULL: there was no container */
    size_t count;
    size_t middle;
    size_t old;
    size_t capacity;
    bool is_kept;  /* the collector is in use */
    bool is_whole; /* all that came since the last full collection is in it, or known otherwise */
    bool has_all;  /* every container that is not frozen is in it */
} hy__log;

/* The linked engine's header in front of each container. While it is in doubt, `previous` holds what
 * is left of its references. */
typedef struct hy__gc_link {
    struct hy__gc_link *next;
    union {
        struct hy__gc_link *previous;
        int64_t left;
    };
} hy__gc_link;

/* The ends of objects, one at a time. A collection has its own: what is its garbage need not wait for a
 * function that happens to have started it. */
typedef struct hy__drops {
    hy_object *pending; /* wait for theirs, newest first, linked by `count` */
    hy_object *ending;  /* whose function runs; NULL: none's, or it has freed the object */
    bool is_running;    /* a function of a type runs */
    bool is_finalizing; /* it is the finalizer */
} hy__drops;

/* What its blocks' list has no place to count. */
typedef struct hy__list_counts {
    uint64_t misses;
    uint64_t overflows;
    uint64_t flushes;
} hy__list_counts;

/* One of the dead of a debug space. */
typedef struct hy__dead {
    hy_object *object;
    struct hy__type *type;
    size_t size;
} hy__dead;

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
    size_t prefix; /* bytes in front of each object, in its block */
    hy_object_list lists[HY_OBJECT_LISTS];
#if HEAPYARD_COUNTERS
    hy__list_counts counts[HY_OBJECT_LISTS];
#endif
} hy__shelf;

struct hy_space {
    hy__shelf atoms;
    hy__shelf containers;
    hy_object_list closed; /* without blocks and without room: leads to the slow way */
    hy__type *types;       /* newest first */
    const hy_page_source *source;
    hy_bump *bump; /* holds this struct, the types and their names */
    hy__drops drops;
    bool is_debug;
    bool is_linked;     /* containers are in lists, not in a log */
    bool is_by_pools;   /* nor in lists: pools have generations */
    bool is_collecting; /* from the callback before a collection to that after it */
    bool is_walking;    /* the collector looks at the heap: no object may be made or dropped */
    uint32_t list_limit;
    uint32_t few_most;    /* containers up to which the log keeps all */
    hy__dead *quarantine; /* a ring of HY__QUARANTINE; NULL: not a debug space */
    uint32_t oldest;
    uint32_t quarantined;
    hy__log log;
    hy__gc_link generations[HY__GENERATIONS];
    uint64_t births;                    /* containers made since the collector last ran */
    uint64_t due;                       /* at so many births it is to run; 0: never by itself */
    struct hy__gc *gc;                  /* what the collector keeps; NULL: it never ran */
    void (*collect)(hy_space *space);   /* what runs when it is due */
    size_t (*gc_drop)(hy_space *space); /* gives back what the collector keeps between collections:
                                         * so many bytes */
#if HEAPYARD_COUNTERS
    uint64_t types_made;
    uint64_t weak_references;
    uint64_t failures;
    uint64_t plain_slow; /* plain objects that did not go the inline way */
    uint64_t dealloc;
    uint64_t finalize;
    uint64_t legacy;
    uint64_t finalized;
    uint64_t resurrected;
    uint64_t deferred;
    uint64_t beyond_lists; /* objects made that are too large for lists */
    uint64_t shelved;      /* blocks that release put on a list: not the inline way */
#endif
};

/* The count of a dead object, and the bits below the references. */
#define HY__DEAD  (-HY_OBJECT_REFERENCE)
#define HY__FLAGS (2 * HY_OBJECT_IN_DOUBT - 1)
#define HY__BELOW (HY_OBJECT_REFERENCE - 1)

static inline hy__type *hy__type_of(const hy_object *object)
{
    return (hy__type *)(void *)object->type;
}

static inline bool hy__is_weak(const hy__type *type)
{
    return (type->spec.flags & HY_TYPE_WEAK) != 0;
}

static inline bool hy__is_container(const hy__type *type)
{
    return (type->spec.flags & HY_TYPE_CONTAINER) != 0;
}

/* Bytes of an object, header and items included. */
static inline size_t hy__object_size(const hy__type *type, const hy_object *object)
{
    const hy_type_spec *const spec = &type->spec;
    return spec->item_size == 0
               ? spec->object_size
               : spec->object_size + spec->item_size * ((const hy_var_object *)object)->items;
}

/* Where the weak references to an object begin: behind it, in a block that has room for that. */
static inline struct hy_weak **hy__weak_slot(const hy__type *type, hy_object *object)
{
    const size_t size = hy__round_up(hy__object_size(type, object), sizeof(void *));
    return (struct hy_weak **)(void *)((char *)object + size);
}

/* Bytes of a block for an object of `size`: at least a link's, and the slot of weak references. What is
 * in front of the object is not in it. Far from overflow: sizes are at most PTRDIFF_MAX. */
static inline size_t hy__block_size(const hy__type *type, size_t size)
{
    const size_t all =
        hy__is_weak(type) ? hy__round_up(size, sizeof(void *)) + sizeof(void *) : size;
    return all < sizeof(hy_object_link) ? sizeof(hy_object_link) : all;
}

static inline bool hy__is_listed_size(size_t size)
{
    return size <= HY_OBJECT_MAX_LISTED;
}

/* The list for blocks of `size`, which lists hold. */
static inline hy_object_list *hy__list_of(hy__shelf *shelf, size_t size)
{
    return &shelf->lists[(size - 1) / HY_HEAP_ALIGNMENT];
}

/* The heap's block that holds the object. */
static inline void *hy__block_of(const hy__shelf *shelf, const void *object)
{
    return (char *)(uintptr_t)object - shelf->prefix;
}

/* The size of the blocks on a list. */
static inline size_t hy__list_block_size(const hy__shelf *shelf, const hy_object_list *list)
{
    return ((size_t)(list - shelf->lists) + 1) * HY_HEAP_ALIGNMENT;
}

#if HEAPYARD_COUNTERS
static inline hy__list_counts *hy__counts_of(hy__shelf *shelf, const hy_object_list *list)
{
    return &shelf->counts[list - shelf->lists];
}
#endif

static inline uint64_t hy__list_length(const hy_space *space, const hy_object_list *list)
{
    return (uint64_t)((int64_t)space->list_limit - list->room);
}

/* Whether an object waits for its end (drop.c). */
static inline bool hy__is_pending(const hy_object *object)
{
    return object->count < HY__DEAD && object->type != NULL;
}

/* A function of the space must not be called now: told, and the call has no effect. */
static inline bool hy__refuse_while_walking(const hy_space *space, const void *address,
                                            const char *detail)
{
    if (space->is_walking) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "object", address, detail);
    }
    return space->is_walking;
}

/* lists.c */
void hy__lists_open(hy_space *space, hy__shelf *shelf);
void hy__lists_flush(hy_space *space, hy__shelf *shelf);

/* drop.c: an object is gone: its memory goes to a list, to the quarantine or to its heap. */
void hy__release(hy__type *type, hy_object *object);

/* weak.c: take the weak references of a dying object off it, onto a queue; call their callbacks. */
void hy__weak_detach(hy__type *type, hy_object *object, struct hy_weak **queue);
void hy__weak_run(struct hy_weak **queue);

/* references.c: what objects of a type with HY_TYPE_REFERENCES do. */
hy_traverse_fn hy__references_traverse;
hy_object_fn hy__references_clear;

/* look.c: as hy_space_walk, the dying included. */
int hy__walk_all(hy_space *space, hy_object_walk_fn *visit, void *context);

/* quarantine.c */
bool hy__quarantine_open(hy_space *space);
void hy__quarantine_put(hy__type *type, hy_object *object);
void hy__quarantine_empty(hy_space *space);
bool hy__quarantine_is_intact(const hy_space *space, const hy_object **broken);

#endif /* HEAPYARD_OBJECT_INTERNAL_H */
