/*
 * internal.h: the collector, as its own files see it.
 *
 *     collect.c   what is asked for, thresholds, callbacks
 *        |
 *        +---- verify.c         whether traverse tells the truth (debug spaces)
 *        |
 *        +---- walk.c (map.c, mark.c)  all containers, by the pools of their heap  \
 *        |     (ages.c)         or those of the pools that are young enough        |
 *        +---- log.c            the young and the middle ones, by the log          }  find garbage
 *        |     (few.c)          or all, where they are few                         |
 *        +---- linked.c         any generation, by the lists                       /
 *        |
 *        '---- finish.c         weak references, finalizers, what they resurrect, clear
 *
 * Finding changes nothing but what belongs to the collector; it may fail for want of memory. Finishing
 * needs no memory that was not taken before.
 */
#ifndef HEAPYARD_GC_INTERNAL_H
#define HEAPYARD_GC_INTERNAL_H

#include <heapyard/gc.h>

#include "object/track.h"

/* Memory that grows; what is in it is kept. */
typedef struct hy__buffer {
    void *data;
    size_t size;
    bool is_lent; /* of the scratch; else mapped from the space's page source */
} hy__buffer;

/* What is lent to buffers for the time of a collection, on the stack: heaps of up to about 1,000 containers
 * need no other memory. */
#define HY__SCRATCH ((size_t)16 << 10)

/* Objects, in a buffer. */
typedef struct hy__objects {
    hy__buffer buffer;
    size_t count;
} hy__objects;

/* One pool that has containers, as a full collection sees it. */
typedef struct hy__gc_pool {
    uintptr_t first;     /* its first block */
    uint32_t slot;       /* that block's number */
    uint32_t blocks;     /* carved */
    uint32_t block_size; /* bytes; 0: one block larger than a class, of any size */
    uint32_t reciprocal; /* 2^32 / block_size, rounded up; 0 with block_size 0 */
    bool is_nearly_empty;
    const uint64_t *bits; /* of blocks that may hold a container (known.c); NULL: any may */
} hy__gc_pool;

/* Where a container's slot is told from its address (map.c). */
typedef struct hy__gc_map {
    hy__buffer pools; /* of hy__gc_pool, by address */
    size_t pool_count;
    uintptr_t window;    /* the first pool's page */
    size_t window_pages; /* from there */
    hy__buffer pages;  /* number of the pool + 1 by page: the window's, then those of far arenas */
    hy__buffer far;    /* a table of hashes: hy__gc_arena */
    size_t far_places; /* a power of two; 0: no arena is far */
    uint32_t slots;
    uint64_t live;      /* blocks of the pools */
    size_t first_alone; /* pools from here on have a mapping of their own, by address */
} hy__gc_map;

typedef struct hy__gc {
    hy__gc_map map;
    hy__buffer side; /* of int32_t, by slot or place in the log: what is left of the references */
    hy__buffer present; /* of bytes, by slot, where a tool watches each block: holds a container */
    hy__buffer ages;    /* by pools: what they were like after the last collection */
    size_t age_count;
    hy__buffer known;      /* nearly empty pools, as the last full collection left them */
    hy__buffer bits;       /* of their blocks */
    hy__buffer next_known; /* those being noted */
    hy__buffer next_bits;
    size_t known_count;
    char *scratch; /* what is left of it */
    char *scratch_end;
    hy__objects stack; /* reached, not yet looked at */
    hy__objects garbage;
    hy__gc_link doomed; /* linked: the garbage */
    hy__gc_link frozen; /* linked: what is left alone */
    uint64_t thresholds[HY_GC_GENERATIONS];
    uint64_t since[HY_GC_GENERATIONS]; /* collections of the generation before since one of this */
    uint64_t settled;                  /* containers that the roots reached in this collection */
    uint64_t survived; /* containers that became old since the last full collection */
    uint64_t old;      /* containers that there were after it */
    hy_gc_fn *callback;
    void *context;
    hy_object *const *roots;
    size_t root_count;
    hy_gc_result result;
    hy_gc_generation_stats totals[HY_GC_GENERATIONS]; /* of collections; containers: not used */
    hy_gc_counters counters;                          /* what totals don't tell */
} hy__gc;

/* What the collector keeps; NULL: no memory. */
hy__gc *hy__gc_of(hy_space *space);

/* Bytes that it has mapped for collections. */
size_t hy__gc_bytes(hy__gc *gc);

/* What counts of an object's references in 32 bits: one that has more is referred to from outside by far. */
static inline int32_t hy__references_capped(const hy_object *object)
{
    const uint64_t references = hy_references(object);
    return references < INT32_MAX - 1 ? (int32_t)references : INT32_MAX - 1;
}

/* buffer.c: room for `size` bytes until the collection ends; false: no memory, and all is as it was. */
bool hy__buffer_reserve(hy_space *space, hy__buffer *buffer, size_t size);

/* The same for longer. */
bool hy__buffer_keep(hy_space *space, hy__buffer *buffer, size_t size);

void hy__buffer_drop(hy_space *space, hy__buffer *buffer);
bool hy__objects_add(hy_space *space, hy__objects *objects, hy_object *object);

/* Every buffer of the collector. */
#define HY__GC_BUFFERS 12
typedef hy__buffer *hy__gc_buffers[HY__GC_BUFFERS];
void hy__buffers_of(hy__gc *gc, hy__gc_buffers all);

/* Lend `size` bytes at `scratch`; take them back. */
void hy__scratch_lend(hy__gc *gc, char *scratch, size_t size);
void hy__scratch_take_back(hy__gc *gc);

static inline hy_object **hy__objects_data(const hy__objects *objects)
{
    return objects->buffer.data;
}

/* Put on the stack what has room; the caller reserved it. */
static inline void hy__push(hy__objects *stack, hy_object *object)
{
    hy__objects_data(stack)[stack->count++] = object;
}

/* The fields of a container of references and nothing else; no first: its traverse has to be called. */
typedef struct hy__fields {
    hy_object **first;
    hy_object **end;
} hy__fields;

static inline __attribute__((always_inline)) hy__fields hy__fields_of(hy_object *object)
{
    const hy__type *const type = hy__type_of(object);
    if ((type->spec.flags & HY_TYPE_REFERENCES) == 0 || type->spec.item_size != 0) {
        return (hy__fields){NULL, NULL};
    }
    return (hy__fields){(hy_object **)(void *)(object + 1),
                        (hy_object **)(void *)((char *)object + type->spec.object_size)};
}

/* Call each(child, context) for each child of a container. Most are references and nothing else: then no
 * function is called. */
static inline __attribute__((always_inline)) void
hy__for_each_reference(hy_object *object, hy_visit_fn *each, void *context)
{
    const hy__fields fields = hy__fields_of(object);
    if (fields.first == NULL) {
        (void)hy__type_of(object)->spec.traverse(object, each, context);
        return;
    }
    for (hy_object **field = fields.first; field < fields.end; field++) {
        if (*field != NULL) {
            (void)each(*field, context);
        }
    }
}

/* map.c: lay out the pools of a generation and of younger ones. */
bool hy__map_make(hy_space *space, hy__gc *gc, unsigned generation);

/* known.c: the log's containers are known to be where they are. */
void hy__known_add_log(const hy_space *space, const hy__gc *gc);

/* few.c: whether the log has all containers, which are few, or has them from now on. */
bool hy__few_are_listed(hy_space *space);

/* All of the log are old from now on; where it has all, they stay in it. */
void hy__few_grow_old(hy_space *space, hy__gc *gc);

/* ages.c: note what the pools are like after a collection, and tell the generation of one by that. */
void hy__ages_note(hy_space *space, hy__gc *gc);
unsigned hy__ages_of(const hy__gc *gc, const hy_heap_pool *pool);
unsigned hy__ages_of_object(hy_space *space, const hy_object *object);

/* walk.c, log.c, linked.c: fill in gc->garbage and gc->result.candidates. False: no memory. */
bool hy__find_by_walk(hy_space *space, hy__gc *gc, unsigned generation);
bool hy__find_in_log(hy_space *space, hy__gc *gc, unsigned generation);
bool hy__find_in_lists(hy_space *space, hy__gc *gc, unsigned generation);

/* verify.c: whether every traverse tells the truth; else that was told, or there is no memory. */
bool hy__verify_traverse(hy_space *space);

/* finish.c: end the garbage. */
void hy__finish(hy_space *space, hy__gc *gc);

/* Whether a container is one that collections leave alone. */
static inline bool hy__is_frozen(const hy_object *object)
{
    return (object->count & HY_OBJECT_FROZEN) != 0;
}

#endif /* HEAPYARD_GC_INTERNAL_H */
