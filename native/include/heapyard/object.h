/*
 * object.h: objects with reference counts, deallocated by the kind of their type.
 *
 *     hy_decref -- last reference? -- kind fixed when the type was registered
 *        plain      memory and nothing else          ---> free list of its size, at once
 *        dealloc    owns references or memory        ---> dealloc() drops them  ---> free list
 *        finalize   runs code that may resurrect     ---> finalize(), dealloc() ---> free list
 *        legacy     one function that may do anything ---> legacy(), which frees it itself
 *
 * The ancestor is faster-cpython/ideas#482 (2022, never built there): two bits of the type say what
 * deallocation may do, so that the last reference to a plain object leads straight to a free list,
 * without an indirect call, a search for the owner of the block, or books of a pool. That the lists
 * are per size and not per type is ideas#89: one list then serves many types.
 *
 * A space holds types and objects. Objects that refer to others (containers) and those that don't
 * (atoms) live in two heaps of their own (<heapyard/heap.h>). In front of each stand the free lists,
 * one for each multiple of 16 bytes up to 512, last in, first out, bounded. What is on a list is not
 * an object: its type is NULL.
 *
 *     object   [ type | count ][ fields ............. ]      16 bytes of header, 16-aligned
 *     free     [ NULL | < 0   ][ next | ............. ]
 *
 * `count` holds the references but one in its upper 33 bits, so that the last decref turns it
 * negative; below are flags and the collector's own index of the object. There may be 2^32 references.
 *
 * Deallocation never recurses: what dealloc, finalize, legacy or a weak reference's callback drop waits
 * until that function has returned, and goes then, the latest first. A list of a million nodes needs no
 * stack. Plain objects without weak references need not wait. What waits is dead: weak references to it
 * answer NULL, walks don't visit it.
 *
 * What such a function may do: make and drop objects, make new types, collect (unless a collection calls
 * it), trim, look at the space. It may not delete the space (misuse, bad argument).
 *
 * Sizes are in bytes. Running out of memory returns NULL and changes nothing. Misuse goes to the
 * handler of <heapyard/misuse.h>; where it returns, the call has had no effect.
 *
 * Threads: a space belongs to one thread at a time. Different spaces are independent.
 */
#ifndef HEAPYARD_OBJECT_H
#define HEAPYARD_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/block.h>
#include <heapyard/export.h>
#include <heapyard/heap.h>
#include <heapyard/pages.h>

HY_BEGIN_DECLS

/* One reference, as `count` counts it. */
#define HY_OBJECT_REFERENCE ((int64_t)1 << 31)

/* The flags in `count`; between them and the references is the collector's index. */
#define HY_OBJECT_FINALIZED ((int64_t)1) /* its finalizer has run; it runs once */
#define HY_OBJECT_CONTAINER ((int64_t)2)
#define HY_OBJECT_FROZEN    ((int64_t)4) /* not collected (<heapyard/gc.h>) */
#define HY_OBJECT_IN_DOUBT  ((int64_t)8) /* the linked engine is looking at it */

/* The largest object that free lists hold, and the bound of each unless the configuration says. */
#define HY_OBJECT_MAX_LISTED   ((size_t)512)
#define HY_OBJECT_LISTS        (HY_OBJECT_MAX_LISTED / HY_HEAP_ALIGNMENT)
#define HY_OBJECT_LIST_DEFAULT UINT32_C(256)

/* The containers up to which a space is small, unless the configuration says. */
#define HY_GC_FEW_DEFAULT UINT32_C(10000)

typedef struct hy_space hy_space;
typedef struct hy_type hy_type;

/* What every object begins with. */
typedef struct hy_object {
    hy_type *type; /* NULL: not an object (free, or not yet made) */
    int64_t count;
} hy_object;

/* An object of a type with items. */
typedef struct hy_var_object {
    hy_object base;
    size_t items; /* as hy_new_var was told: the block's size follows from it. Leave it alone */
} hy_var_object;

/* What deallocation may do. */
typedef enum hy_kind {
    HY_KIND_PLAIN = 0,
    HY_KIND_DEALLOC = 1,
    HY_KIND_FINALIZE = 2,
    HY_KIND_LEGACY = 3,
} hy_kind;

/* Called for each object that `object` refers to, with what the caller passed along. Not 0: stop. */
typedef int hy_visit_fn(hy_object *object, void *context);

/* Calls visit(child, context) once for each reference that `object` owns; not for NULL. Answers the
 * first result that is not 0, else 0. It changes no reference and makes no object. */
typedef int hy_traverse_fn(hy_object *object, hy_visit_fn *visit, void *context);

/* Does something with a dying object, as the fields below say. */
typedef void hy_object_fn(hy_object *object);

/* Flags of a type. */
typedef enum hy_type_flags {
    HY_TYPE_CONTAINER = 1,  /* its objects refer to others: it has `traverse`, and is not plain */
    HY_TYPE_REFERENCES = 2, /* a container, each word of whose objects behind the header (hy_object,
                             * or hy_var_object) is NULL or a reference: traverse, clear and dealloc
                             * are then ours */
    HY_TYPE_WEAK = 4,       /* there may be weak references to its objects: 8 bytes more for each */
    HY_TYPE_BORROWS =
        8, /* its objects also hold addresses of objects that they don't own (a parent,
                             * say), which traverse leaves out: a debug space must not take that for a
                             * reference skipped */
} hy_type_flags;

/*
 * A type, as it is registered. `size` is sizeof(hy_type_spec).
 *
 *  plain      none of the three functions
 *  dealloc    `dealloc` (with HY_TYPE_REFERENCES: none): drops the references and memory that the
 *             object owns. A new reference to it must be gone when it returns
 *  finalize   `finalize`: may do anything, also keep a reference (the object then lives on; it is
 *             not called again), and `dealloc`, or NULL
 *  legacy     `legacy`, and neither of the others: as a finalizer and dealloc in one: either
 *             hy_object_free(object) at its end, or a new reference
 *
 * A type whose objects refer to others is a container; one whose objects don't is an atom. `clear`
 * drops what a container refers to and leaves it fit for use: that is how the collector breaks a
 * cycle. Without it, what only such a container could break is uncollectable. Where
 * `base` is given, the type is a kind of it: it is at least as large, has the flags of its base beside
 * its own (one that adds bytes which are no references to a base with HY_TYPE_REFERENCES can't be), and
 * takes over the functions that it does not name itself; a legacy type takes over no dealloc and no
 * finalizer.
 */
typedef struct hy_type_spec {
    size_t size;
    const char *name;         /* copied */
    size_t object_size;       /* bytes, header included: at least sizeof(hy_object) */
    size_t item_size;         /* bytes of each item behind it; 0: none. Else object_size is at least
                               * sizeof(hy_var_object) */
    uint32_t kind;            /* a hy_kind */
    uint32_t flags;           /* hy_type_flags, or-ed */
    const hy_type *base;      /* NULL: none */
    hy_traverse_fn *traverse; /* a container's; NULL: an atom */
    hy_object_fn *clear;      /* a container's; may be NULL */
    hy_object_fn *dealloc;
    hy_object_fn *finalize;
    hy_object_fn *legacy;
} hy_type_spec;

/* Flags of a configuration. */
typedef enum hy_space_flags {
    /* The dead stay in memory for a while, filled with 0xdd: one more decref of such an object is
     * told as a double free, and a write into it as a write after free. The heaps are strict. */
    HY_SPACE_DEBUG = 1,
} hy_space_flags;

/* How the collector finds containers (<heapyard/gc.h>). */
typedef enum hy_gc_engine {
    HY_GC_WALK = 0,   /* by walking the pools of their heap: no memory for each object */
    HY_GC_LINKED = 1, /* by a list through headers of 16 bytes in front of each, as CPython does */
    HY_GC_POOLS =
        2, /* as HY_GC_WALK, but generations are of pools and not of objects: to compare */
} hy_gc_engine;

/* How a space is made. `size` is sizeof(hy_space_config). */
typedef struct hy_space_config {
    size_t size;
    const hy_page_source *source; /* NULL: hy_pages_mmap(). Must outlive the space */
    uint32_t list_limit;          /* one more than the blocks that each list takes at most; 0: the
                                   * default */
    uint32_t flags;               /* hy_space_flags, or-ed */
    uint32_t engine;              /* a hy_gc_engine */
    uint32_t few; /* one more than the containers up to which the walk engine keeps a
                                   * list of all (8 bytes each, from the first on), and does not look
                                   * at pools; 0: the default */
} hy_space_config;

/* ---- what the inline paths need to see; the rest is hidden ---------------------------------- */

/* A free block on a list. */
typedef struct hy_object_link {
    hy_object dead; /* type NULL, count negative */
    struct hy_object_link *next;
} hy_object_link;

/* One free list. */
typedef struct hy_object_list {
    hy_object_link *head; /* newest first */
    int64_t room;         /* blocks that it still takes */
    uint64_t hits;        /* total: objects made from it */
} hy_object_list;

struct hy_type {
    hy_object_list *drop_list; /* where the last reference leads; one without room: the slow way */
    hy_object_list *new_list;  /* what new atoms come from; one without blocks: the slow way */
};

/* ---- spaces and types ----------------------------------------------------------------------- */

/*
 * A new, empty space. `config` may be NULL: all defaults. Returns NULL if and only if the page source
 * has no memory. A `config` with another `size` or unknown flags is misuse (bad argument).
 */
HY_API HY_NODISCARD hy_space *hy_space_new(const hy_space_config *config);

/* Give all memory back, live objects and weak references included; none of their functions is called.
 * NULL is allowed. From a function of one of its own objects it is misuse (bad argument). */
HY_API void hy_space_delete(hy_space *space);

/*
 * Register a type, which lives as long as the space. Returns NULL where there is no memory. A `spec`
 * that breaks what is said above is misuse (bad argument) that names the type and the fault, and
 * gives NULL.
 */
HY_API HY_NODISCARD hy_type *hy_type_new(hy_space *space, const hy_type_spec *spec);

/* What was registered: the space's own copy, functions that were taken over from a base included. */
HY_API const hy_type_spec *hy_type_get(const hy_type *type);

/* The heap that containers (else atoms) live in: to look at, not to allocate from. */
HY_API hy_heap *hy_space_heap(hy_space *space, bool containers);

/* ---- objects -------------------------------------------------------------------------------- */

/* What the inline functions call where their short path can't serve: same contracts. */
HY_API HY_NODISCARD hy_object *hy_new_slow(hy_type *type);
HY_API void hy_object_drop_slow(hy_object *object);

/* Whether the inline paths count: must be as the library was built. */
#ifndef HEAPYARD_COUNTERS
#    define HEAPYARD_COUNTERS 1
#endif

/*
 * A new object with one reference. A container's fields are zero, an atom's unspecified. NULL if and
 * only if there is no memory. The type must have no items (else: misuse, bad argument). O(1). With
 * thresholds set (<heapyard/gc.h>) a collection may run before a container is made.
 */
HY_API inline hy_object *hy_new(hy_type *type)
{
    hy_object_list *const list = type->new_list;
    hy_object_link *const link = list->head;
    if (__builtin_expect(link == NULL, 0)) {
        return hy_new_slow(type);
    }
    list->head = link->next;
    list->room++;
#if HEAPYARD_COUNTERS
    list->hits++;
#endif
    link->dead.count = 0;
    link->dead.type = type; /* last: from here on it is an object */
    return &link->dead;
}

/* The same for a type with items: `items` of them. NULL also where the size overflows. */
HY_API HY_NODISCARD hy_object *hy_new_var(hy_type *type, size_t items);

/* How many references there are. */
static inline uint64_t hy_references(const hy_object *object)
{
    return (uint64_t)(object->count >> 31) + 1;
}

/* One more reference, to an object that has one. */
HY_API inline void hy_incref(hy_object *object)
{
    object->count += HY_OBJECT_REFERENCE;
}

/* What the last decref does. The room is taken first and given back by the slow way: one instruction
 * both counts and tells. */
HY_API inline void hy_object_drop(hy_object *object)
{
    const hy_type *const type = object->type;
    if (__builtin_expect(type != NULL, 1)) {
        hy_object_list *const list = type->drop_list;
        if (__builtin_expect(--list->room >= 0, 1)) {
            hy_object_link *const link = (hy_object_link *)(void *)object;
            link->dead.type = NULL;
            link->next = list->head;
            list->head = link;
            return;
        }
    }
    hy_object_drop_slow(object);
}

/* One reference less. The last one ends the object as its kind says. O(1) for a plain object. */
HY_API inline void hy_decref(hy_object *object)
{
    object->count -= HY_OBJECT_REFERENCE;
    if (object->count < 0) {
        hy_object_drop(object);
    }
}

/* The same for a field that may be NULL; the field is NULL before the object goes. */
static inline void hy_clear_field(hy_object **field)
{
    hy_object *const object = *field;
    if (object != NULL) {
        *field = NULL;
        hy_decref(object);
    }
}

/* The end of `legacy`: the object's memory goes back to its heap. For one that has references, waits for
 * its own function, or is of another kind it is misuse (bad argument). */
HY_API void hy_object_free(hy_object *object);

/* Calls visit(child, context) for each reference that the object owns, as its type says. Answers what
 * stopped it; 0: nothing did. An atom has none. */
HY_API int hy_object_traverse(hy_object *object, hy_visit_fn *visit, void *context);

/* hy_decref of `count` objects, in their order. */
HY_API void hy_decref_many(hy_object *const *objects, size_t count);

/* One step of building a graph: a field of one object refers to another from now on. */
typedef struct hy_edge {
    uint32_t origin; /* index of an object of a type with HY_TYPE_REFERENCES */
    uint32_t field;  /* which of its references, from 0 */
    uint32_t target; /* index of any object */
} hy_edge;

/* `count` new objects at `objects`, as hy_new makes them. Returns how many were made. */
HY_API size_t hy_new_many(hy_type *type, hy_object **objects, size_t count);

/* Put `count` references into fields that are NULL. Returns how many were put before one did not fit:
 * a type without HY_TYPE_REFERENCES, a field that is not there, or one in use. */
HY_API size_t hy_link_many(hy_object *const *objects, const hy_edge *edges, size_t count);

/* ---- weak references ------------------------------------------------------------------------- */

typedef struct hy_weak hy_weak;

/* Called once when the object is dying, after the reference was cleared. It may end weak references, this
 * one too, and do what functions of a type may. */
typedef void hy_weak_fn(void *context);

/*
 * A weak reference to an object of a type with HY_TYPE_WEAK (else: misuse, bad argument). It does not
 * keep the object. When that dies, it is cleared before any finalizer runs, so that none can reach
 * the dead through it; then `callback` (may be NULL) is called. It stays cleared if the finalizer lets the
 * object live on. To be ended by hy_weak_free; the space's end is its end too. NULL where there is no
 * memory. O(1).
 */
HY_API HY_NODISCARD hy_weak *hy_weak_new(hy_object *object, hy_weak_fn *callback, void *context);

/* A new reference to the object; NULL where it is dying or gone. O(1). */
HY_API HY_NODISCARD hy_object *hy_weak_get(hy_weak *weak);

/* End a weak reference, cleared or not; NULL is allowed. O(1). */
HY_API void hy_weak_free(hy_weak *weak);

/* ---- free lists ----------------------------------------------------------------------------- */

/* Bound each list to `limit` blocks from now on; what is more goes to the heaps. 0: off. Debug spaces, and
 * builds where a sanitizer watches each block, have no lists whatever the limit. */
HY_API void hy_space_set_list_limit(hy_space *space, uint32_t limit);

/* The counters of one list: X(type, name, meaning). */
#define HY_LIST_COUNTERS(X)                                                                        \
    X(uint32_t, size, "sizeof(hy_list_counters)")                                                  \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, block_size, "bytes of its blocks, a multiple of 16")                               \
    X(uint64_t, blocks, "on the list")                                                             \
    X(uint64_t, hits, "total: objects made from it")                                               \
    X(uint64_t, misses, "total: objects of its size made from a heap")                             \
    X(uint64_t, overflows, "total: blocks that it had no room for")                                \
    X(uint64_t, flushes, "total: blocks taken off it by trim, a full collection or a lower limit")

typedef struct hy_list_counters {
#define HY_LIST_COUNTER_FIELD(type, name, meaning) type name;
    HY_LIST_COUNTERS(HY_LIST_COUNTER_FIELD)
#undef HY_LIST_COUNTER_FIELD
} hy_list_counters;

/*
 * Fill in the counters of the list of containers, else of atoms, for objects of `object_size` bytes (weak
 * references: 8 more). Returns false, with all but `size` and `version` zero, if no list holds such
 * (more than HY_OBJECT_MAX_LISTED), or the library was built without counters. O(1).
 */
HY_API bool hy_space_get_list_counters(hy_space *space, bool containers, size_t object_size,
                                       hy_list_counters *counters);

/* Empty the lists and give back what the heaps and the collector can; from a function that a collection
 * runs, what that needs stays. Returns the bytes given back to the system. */
HY_API size_t hy_space_trim(hy_space *space);

/* ---- asking --------------------------------------------------------------------------------- */

/* Visitor of objects: 0 to go on. It must not make or drop any: note them, and do so after the walk. */
typedef int hy_object_walk_fn(hy_object *object, void *context);

/* Visit each live object, atoms first, each heap in address order. What is on a free list is none.
 * Returns what ended the walk; 0: all were visited. O(n). */
HY_API int hy_space_walk(hy_space *space, hy_object_walk_fn *visit, void *context);

/* What hy_space_check finds: X(enumerator, text). */
#define HY_SPACE_CHECKS(X)                                                                         \
    X(SOUND, "sound")                                                                              \
    X(HEAP, "a heap is not sound (hy_heap_check says more)")                                       \
    X(LISTED, "a block on a free list was overwritten or is not one of its heap")                  \
    X(LIST_LENGTH, "a free list is longer or shorter than its room says")                          \
    X(TYPE, "an object has a type that is not registered here")                                    \
    X(COUNT, "a live object has no reference")                                                     \
    X(QUARANTINE, "a dead object was written to")

typedef enum hy_space_check_code {
#define HY_SPACE_CHECK_ENUM(name, text) HY_SPACE_CHECK_##name,
    HY_SPACE_CHECKS(HY_SPACE_CHECK_ENUM)
#undef HY_SPACE_CHECK_ENUM
} hy_space_check_code;

/* The first broken invariant (a hy_space_check_code) and where it shows. O(n). */
HY_API hy_check_result hy_space_check(hy_space *space);

/* The text of a code; "unknown" for any other value. */
HY_API const char *hy_space_check_text(uint32_t code);

/* The counters: X(type, name, meaning). Totals are since the space was made, the rest is now. */
#define HY_SPACE_COUNTERS(X)                                                                       \
    X(uint32_t, size, "sizeof(hy_space_counters)")                                                 \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, types, "types registered")                                                         \
    X(uint64_t, made, "total: objects made")                                                       \
    X(uint64_t, failures, "total: requests refused for want of memory")                            \
    X(uint64_t, plain, "total: objects that went the plain way")                                   \
    X(uint64_t, dealloc, "total: that went through dealloc alone")                                 \
    X(uint64_t, finalize, "total: that went through finalize")                                     \
    X(uint64_t, legacy, "total: that were freed by legacy")                                        \
    X(uint64_t, finalized, "total: finalizers run")                                                \
    X(uint64_t, resurrected, "total: objects that lived on after finalize or legacy")              \
    X(uint64_t, deferred, "total: objects that waited for another to be deallocated")              \
    X(uint64_t, list_hits, "total: objects made from a free list")                                 \
    X(uint64_t, list_misses, "total: made from a heap though of a size that lists hold")           \
    X(uint64_t, list_overflows, "total: blocks that their list had no room for")                   \
    X(uint64_t, list_flushes, "total: blocks that trim and the like took off the lists")           \
    X(uint64_t, weak_references, "weak references that there are, cleared ones included")          \
    X(uint64_t, listed_blocks, "blocks on the lists")                                              \
    X(uint64_t, listed_bytes, "their bytes")                                                       \
    X(uint64_t, quarantined, "dead objects kept for a while (HY_SPACE_DEBUG)")                     \
    X(uint64_t, live_objects, "made and not gone")                                                 \
    X(uint64_t, mapped_bytes, "mapped from the page source, but for what the collector needs")

typedef struct hy_space_counters {
#define HY_SPACE_COUNTER_FIELD(type, name, meaning) type name;
    HY_SPACE_COUNTERS(HY_SPACE_COUNTER_FIELD)
#undef HY_SPACE_COUNTER_FIELD
} hy_space_counters;

/* Fill in `counters`. Returns false, with all but `size` and `version` zero, if and only if the
 * library was built without counters. O(pools). */
HY_API bool hy_space_get_counters(hy_space *space, hy_space_counters *counters);

HY_END_DECLS

#endif /* HEAPYARD_OBJECT_H */
