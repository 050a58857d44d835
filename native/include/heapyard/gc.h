/*
 * gc.h: a collector of cycles that walks the heap.
 *
 * Reference counts (<heapyard/object.h>) end what nothing refers to, but not what only refers to itself
 * in a circle. The collector finds that by trial deletion: of each container's references it takes off
 * those that come from containers; what has one left is reached from outside, and so is all that it
 * refers to. The rest is garbage.
 *
 *     references   3          2          1        of these from containers   2   2   1
 *                [ a ] ---> [ b ] ---> [ c ]      left                       1   0   0
 *                                                 reached                    a, b and c
 *
 * The ancestor is Neil Schemenauer's mail to python-dev of February 2001: no list of containers and no
 * header in front of each (16 bytes less): the collector walks the pools of the heap that containers
 * live in, and what it needs for the time of a collection lies in a side array, 4 bytes for each block,
 * made when it first runs and given back by hy_space_trim. The engine HY_GC_LINKED does the same over a
 * list through headers, as CPython does since 2.0: to compare with, and for a second opinion.
 *
 * Generations: what was made since the last collection is young, what has survived one is middle, what
 * survived that is old. The walk engine knows the first two from a log. With the engine HY_GC_POOLS
 * pools have generations, as the mail proposed: young are those that were allocated from since the last
 * collection, middle are others with room, old are full ones. It needs no log, and looks at all that
 * lies in the same pools as the young.
 *
 * Where there are few containers (hy_space_config.few), the log keeps the old ones too, and full collections
 * go by it instead of by the pools. A collection takes 16 KiB of the stack; what it needs beyond that is mapped.
 *
 * What a collection does with garbage, in this order: weak references to it are cleared, and their
 * callbacks called; finalizers run, each once, all before anything is taken apart; what they have made
 * reachable again stays, with all that it refers to; the rest is cleared, and ends by its references
 * as any object does. In a debug space (HY_SPACE_DEBUG) a full collection first holds what each traverse
 * visits against the words of the object: one that skips a reference, or visits one twice, is misuse (bad
 * argument) that names the type, and nothing is collected (HY_TYPE_BORROWS says that addresses of objects may
 * stand there which are no references). A collection that there is no memory for is postponed: nothing has
 * changed then.
 *
 * While the collector looks at the heap it calls traverse and nothing else, and traverse may only visit: to
 * make or drop an object, trim or collect there is misuse (bad argument), told where the call reaches the
 * library: in a debug space always. Bounds: 2^32 - 2 blocks in pools with containers, 2^31 references to one
 * container that come from others.
 */
#ifndef HEAPYARD_GC_H
#define HEAPYARD_GC_H

#include <heapyard/object.h>

HY_BEGIN_DECLS

/* The generations: young, middle, old. To collect one is to collect those before it too. */
#define HY_GC_GENERATIONS 3

/*
 * Collect. Returns how many objects were garbage, uncollectable ones included; -1 where there was no
 * memory for it: it is postponed, nothing has changed. A `generation` above 2, and a call from a
 * function that a collection runs (a finalizer, say), is misuse (bad argument) and gives -1.
 * O(containers of the generation and references between them; for all: and pools).
 */
HY_API int64_t hy_gc_collect(hy_space *space, unsigned generation);

/*
 * Collect by itself: generation 0 once so many containers were made since the last collection, 1 at each
 * `middle`-th of these, and all at each `old`-th of those, provided that a quarter as many survived
 * since as were there after the last full one. `young` 0: never, as in a new space. CPython: 700, 10, 10.
 * Returns false if and only if there is no memory for the collector; nothing has changed then.
 */
HY_API bool hy_gc_set_thresholds(hy_space *space, uint64_t young, uint32_t middle, uint32_t old);

/* What a collection did. */
typedef struct hy_gc_result {
    uint32_t generation;
    uint32_t reserved;
    uint64_t candidates;  /* containers in doubt: looked at, and not known to be alive by a root */
    uint64_t collected;   /* objects that ended */
    uint64_t resurrected; /* objects that finalizers made reachable again */
    uint64_t uncollectable; /* objects that live on since nothing breaks their cycles */
    hy_object *const *left; /* these; valid while the callback runs */
} hy_gc_result;

/* Called before a collection (with `result` NULL) and after it, also where it was postponed (then with
 * no candidates). It may make and drop objects; it must not collect. */
typedef void hy_gc_fn(void *context, unsigned generation, const hy_gc_result *result);

/* Replace the callback; NULL: none. False: no memory for the collector; nothing has changed. */
HY_API bool hy_gc_set_callback(hy_space *space, hy_gc_fn *callback, void *context);

/*
 * Objects that are known to be alive, and all that they refer to: full collections of the walk engine
 * mark those first, which is quicker where little is garbage. The array must stay as it is until it is
 * replaced; NULL: none. The result is the same with and without. A root must be a container of the
 * space that is referred to from outside, until the array is replaced (a debug space tells one that is not:
 * misuse, bad argument). False: no memory for the collector; nothing has changed.
 */
HY_API bool hy_gc_set_roots(hy_space *space, hy_object *const *roots, size_t count);

/* Leave all containers that there are alone from now on: no collection looks at them, and what they refer
 * to stays. For what is made before a fork, or lives for ever. One that a finalizer lets live on is frozen
 * no more. Returns how many; 0 also where there is no memory for the collector. From a function that a
 * collection runs, this and its opposite are misuse (bad argument). */
HY_API uint64_t hy_gc_freeze(hy_space *space);

/* Let collections look at them again: they are old. Returns how many. */
HY_API uint64_t hy_gc_unfreeze(hy_space *space);

/* ---- for debugging -------------------------------------------------------------------------- */

/* Visit each container that refers to `object`, once. Returns what ended it. O(containers). */
HY_API int hy_gc_referrers(hy_space *space, const hy_object *object, hy_object_walk_fn *visit,
                           void *context);

/* Visit each container. Returns what ended it. O(containers). */
HY_API int hy_gc_walk(hy_space *space, hy_object_walk_fn *visit, void *context);

/* The generation that a container is in: 0 to 2; 3: frozen. */
HY_API unsigned hy_gc_generation(hy_space *space, const hy_object *object);

/* The counters: X(type, name, meaning). Totals are since the space was made, the rest is now. */
#define HY_GC_COUNTERS(X)                                                                          \
    X(uint32_t, size, "sizeof(hy_gc_counters)")                                                    \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, young_collections, "total: of generation 0")                                       \
    X(uint64_t, middle_collections, "total: of generation 1")                                      \
    X(uint64_t, full_collections, "total: of all")                                                 \
    X(uint64_t, postponed, "total: for want of memory")                                            \
    X(uint64_t, candidates, "total: containers looked at")                                         \
    X(uint64_t, collected, "total: objects that collections ended")                                \
    X(uint64_t, resurrected, "total: objects that finalizers made reachable again")                \
    X(uint64_t, uncollectable, "total: objects whose cycles nothing breaks")                       \
    X(uint64_t, frozen, "containers left alone")                                                   \
    X(uint64_t, pools_skipped, "in the last full collection: pools without a container")           \
    X(uint64_t, pools_walked, "in the last full collection: other pools")                          \
    X(uint64_t, log_entries, "containers in the log: young and middle ones")                       \
    X(uint64_t, log_bytes, "mapped for the log")                                                   \
    X(uint64_t, side_bytes, "mapped for side arrays and what else a collection needs")

typedef struct hy_gc_counters {
#define HY_GC_COUNTER_FIELD(type, name, meaning) type name;
    HY_GC_COUNTERS(HY_GC_COUNTER_FIELD)
#undef HY_GC_COUNTER_FIELD
} hy_gc_counters;

/* Fill in `counters`. Returns false, with all but `size` and `version` zero, if and only if the
 * library was built without counters. */
HY_API bool hy_gc_get_counters(hy_space *space, hy_gc_counters *counters);

/* One generation, as hy_gc_stats shows it; totals since the space was made, in every build. A collection
 * counts as one of its own generation, with all that it did in those before. */
typedef struct hy_gc_generation_stats {
    uint64_t containers;    /* now; frozen ones are in no generation */
    uint64_t collections;   /* total */
    uint64_t candidates;    /* total: containers looked at */
    uint64_t collected;     /* total: objects that ended */
    uint64_t resurrected;   /* total: objects that finalizers made reachable again */
    uint64_t uncollectable; /* total: objects whose cycles nothing breaks */
} hy_gc_generation_stats;

/* Fill in the first `count` generations at `rows`, the young one first. Returns HY_GC_GENERATIONS.
 * O(containers). */
HY_API size_t hy_gc_stats(hy_space *space, hy_gc_generation_stats *rows, size_t count);

HY_END_DECLS

#endif /* HEAPYARD_GC_H */
