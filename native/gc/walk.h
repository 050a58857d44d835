/*
 * walk.h: what the walks over the pools share.
 *
 * The side array has a number for each slot. While references are taken off, in any order, it is what is
 * left of them so far; then:
 *
 *     settled (far below 0)      0               above 0
 *     no container, frozen, or   not reached     referred to from outside, or reached
 *     reached from a root        (yet)
 */
#ifndef HEAPYARD_GC_WALK_H
#define HEAPYARD_GC_WALK_H

#include "gc/map.h"

/* So much can be taken off without an overflow. */
#define HY__SETTLED (-(INT32_C(1) << 30))

/* How many slots wait for their place in the side array to come into the cache, and objects for
 * themselves. Powers of two. */
#define HY__WAITING_SLOTS   64
#define HY__WAITING_OBJECTS 64

/* A container that something refers to, and its slot. */
typedef struct hy__edge {
    hy_object *object;
    uint32_t slot;
} hy__edge;

typedef struct hy__walk {
    hy_space *space;
    hy__gc *gc;
    const hy__gc_map *map;
    int32_t *left;
    unsigned char *present;           /* by slot: holds a container; NULL: look */
    uint32_t at;                      /* in the ring */
    uint32_t ring[HY__WAITING_SLOTS]; /* slots that a reference has to be taken off */
    uintptr_t from;                   /* the container whose references are looked at */
    uint32_t cursor;                  /* the slot that the marking walk is at */
    int32_t flag;                     /* what is put in the side array for what is reached */
    uint32_t edge_count;
    uint32_t first_edge;
    uint32_t object_count;
    uint32_t first_object;
    hy_object *next; /* before all others; NULL: none */
    bool failed;
    uint64_t looked_at; /* containers, by the marking walk */
    bool is_settled;    /* the roots reach all that there is: no block was looked at otherwise */
    hy__edge edges[HY__WAITING_SLOTS]; /* rings: first in, first out */
    hy_object *objects[HY__WAITING_OBJECTS];
} hy__walk;

/* Of a block that holds no container: far below what is settled. */
#define HY__NONE (HY__SETTLED + HY__SETTLED / 2)

static inline bool hy__is_none(int32_t left)
{
    return left < HY__SETTLED + HY__SETTLED / 4;
}

static inline bool hy__is_settled(int32_t left)
{
    return left < HY__SETTLED / 2;
}

/* What lies so far from the container that refers to it: its slot is in the cache. */
#define HY__NEAR ((uintptr_t)32 << 10)

static inline bool hy__is_near(const hy__walk *w, const hy_object *child)
{
    return (uintptr_t)child - w->from + HY__NEAR < 2 * HY__NEAR;
}

typedef void hy__child_fn(hy__walk *w, hy_object *child);

/* Call `each` for each child; most containers are references and nothing else. `visit` does the same where
 * a traverse has to be called. */
static inline __attribute__((always_inline)) void
hy__for_each_child(hy__walk *w, hy_object *object, hy__child_fn *each, hy_visit_fn *visit)
{
    const hy__fields fields = hy__fields_of(object);
    w->from = (uintptr_t)object;
    if (fields.first == NULL) {
        (void)hy__type_of(object)->spec.traverse(object, visit, w);
        return;
    }
    for (hy_object **field = fields.first; field < fields.end; field++) {
        if (*field != NULL) {
            each(w, *field);
        }
    }
}

/* Where few blocks hold a container, those so far ahead are fetched. */
#define HY__AHEAD ((uint32_t)8 * 64)

static inline void hy__fetch_known(const hy__gc_pool *pool, uint32_t first)
{
    if (first >= pool->blocks) {
        return;
    }
    for (uint64_t bits = pool->bits[first / 64]; bits != 0; bits &= bits - 1) {
        const uintptr_t block = first + (uintptr_t)__builtin_ctzll(bits);
        __builtin_prefetch((const void *)(pool->first + block * pool->block_size));
    }
}

typedef void hy__block_fn(hy__walk *w, uintptr_t place, uint32_t slot);

/* Call `each` for each block of a pool that may hold a container, by address. */
static inline __attribute__((always_inline)) void
hy__for_each_block(hy__walk *w, const hy__gc_pool *pool, hy__block_fn *each)
{
    uintptr_t place = pool->first;
    if (pool->bits == NULL) {
        for (uint32_t i = 0; i < pool->blocks && !w->failed; i++) {
            each(w, place, pool->slot + i);
            place += pool->block_size;
        }
        return;
    }
    for (uint32_t first = 0; first < pool->blocks && !w->failed; first += 64) {
        hy__fetch_known(pool, first + HY__AHEAD);
        for (uint64_t bits = pool->bits[first / 64]; bits != 0; bits &= bits - 1) {
            const uint32_t block = first + (uint32_t)__builtin_ctzll(bits);
            each(w, place + (uintptr_t)block * pool->block_size, pool->slot + block);
        }
    }
}

/* known.c */

/* Whether a pool with so many live blocks is nearly empty: one block in four, or fewer. */
static inline bool hy__is_nearly_empty(const hy__gc_pool *pool, uint32_t live)
{
    return pool->block_size != 0 && (uint64_t)live * 4 <= pool->blocks;
}

/* The bits of such a pool, where it was known; else NULL. */
const uint64_t *hy__known_bits(const hy__gc *gc, const hy__gc_pool *pool);

/* All has been looked at: note it. */
void hy__known_note(hy_space *space, hy__gc *gc, const hy__walk *w);

/* mark.c */

/* What the roots of the space reach is settled: before references are taken off. */
void hy__mark_from_roots(hy__walk *w);

/* What is referred to from outside reaches has something left. */
void hy__mark_reached(hy__walk *w);

#endif /* HEAPYARD_GC_WALK_H */
