/*
 * known.c: which blocks of nearly empty pools hold containers.
 *
 * Where few are left, most of a walk would go by the dead. A full collection sees all of them, so it notes
 * for each pool that was nearly empty, by a bit for each block, where the containers are. Until the next
 * one only the log knows of others. Bits of those that have died since are told by looking.
 *
 *     block   0 1 2 3 4 5 6 7 ...                   log
 *     bits    . x . . . . x .            +          5           =  1, 5 and 6 are looked at
 *
 * What became old without having been in a full collection gets its bit when it leaves the log. Where one
 * left it in any other way (log.is_whole), the next full collection looks at all blocks.
 */
#include "gc/sorted.h"
#include "gc/walk.h"

/* A pool as the last full collection left it, and its bits; by address. */
typedef struct known {
    uintptr_t first;
    uint32_t block_size;
    uint32_t blocks;
    size_t words; /* place of the first */
} known;

static inline size_t words_of(uint32_t blocks)
{
    return (blocks + 63) / 64;
}

/* The last that begins at the address or before it; NULL: none. */
static const known *find(const hy__gc *gc, uintptr_t address)
{
    return hy__sorted_find(gc->known.data, gc->known_count, sizeof(known), address);
}

const uint64_t *hy__known_bits(const hy__gc *gc, const hy__gc_pool *pool)
{
    const known *const one = find(gc, pool->first);
    const bool is_same = one != NULL && one->first == pool->first &&
                         one->block_size == pool->block_size && one->blocks == pool->blocks;
    return is_same ? (uint64_t *)gc->bits.data + one->words : NULL;
}

/* It leaves the log, or a walk begins. */
static void add(const hy__gc *gc, const hy_object *object)
{
    const known *const one = find(gc, (uintptr_t)object);
    if (one == NULL) {
        return;
    }
    const size_t block = ((uintptr_t)object - one->first) / one->block_size;
    if (block < one->blocks) {
        ((uint64_t *)gc->bits.data)[one->words + block / 64] |= UINT64_C(1) << block % 64;
    }
}

void hy__known_add_log(const hy_space *space, const hy__gc *gc)
{
    for (size_t i = 1; gc->known_count != 0 && i < space->log.count; i++) {
        if (space->log.entries[i] != NULL) {
            add(gc, space->log.entries[i]);
        }
    }
}

/* ---- after a walk ----------------------------------------------------------------------------- */

typedef struct noting {
    const hy__walk *walk;
    hy__buffer *pools;
    hy__buffer *bits;
    size_t count;
    size_t words;
} noting;

static inline uint64_t bit_of(const hy__walk *w, uint32_t slot, uint32_t bit)
{
    const int32_t left = w->left[slot];
    return (uint64_t)(w->is_settled ? hy__is_settled(left) : !hy__is_none(left)) << bit;
}

/* Which of 64 blocks hold a container; those that were not looked at don't. */
static uint64_t known_word(const hy__walk *w, const hy__gc_pool *pool, uint32_t first)
{
    uint64_t word = 0;
    if (pool->bits != NULL) {
        for (uint64_t bits = pool->bits[first / 64]; bits != 0; bits &= bits - 1) {
            const uint32_t bit = (uint32_t)__builtin_ctzll(bits);
            word |= bit_of(w, pool->slot + first + bit, bit);
        }
        return word;
    }
    for (uint32_t bit = 0; bit < 64 && first + bit < pool->blocks; bit++) {
        word |= bit_of(w, pool->slot + first + bit, bit);
    }
    return word;
}

static bool note(noting *n, const hy__gc_pool *pool)
{
    const size_t words = words_of(pool->blocks);
    hy_space *const space = n->walk->space;
    if (!hy__buffer_keep(space, n->pools, (n->count + 1) * sizeof(known)) ||
        !hy__buffer_keep(space, n->bits, (n->words + words) * sizeof(uint64_t))) {
        return false;
    }
    ((known *)n->pools->data)[n->count++] = (known){
        .first = pool->first,
        .block_size = pool->block_size,
        .blocks = pool->blocks,
        .words = n->words,
    };
    uint64_t *const bits = (uint64_t *)n->bits->data + n->words;
    for (size_t i = 0; i < words; i++) {
        bits[i] = known_word(n->walk, pool, (uint32_t)i * 64);
    }
    n->words += words;
    return true;
}

static void swap(hy__buffer *one, hy__buffer *other)
{
    const hy__buffer kept = *one;
    *one = *other;
    *other = kept;
}

/* Fewer blocks are looked at sooner than noted. */
#define WORTH_NOTING 2048

static bool is_worth_noting(const hy__gc_map *map)
{
    const hy__gc_pool *const pools = map->pools.data;
    uint64_t blocks = 0;
    for (size_t i = 0; i < map->first_alone; i++) {
        blocks += pools[i].is_nearly_empty ? pools[i].blocks : 0;
    }
    return blocks >= WORTH_NOTING;
}

static bool note_all(noting *n, const hy__gc_map *map)
{
    const hy__gc_pool *const pools = map->pools.data;
    for (size_t i = 0; i < map->first_alone; i++) {
        if (pools[i].is_nearly_empty && !note(n, &pools[i])) {
            return false;
        }
    }
    return true;
}

void hy__known_note(hy_space *space, hy__gc *gc, const hy__walk *w)
{
    noting n = {.walk = w, .pools = &gc->next_known, .bits = &gc->next_bits};
    const bool noted = is_worth_noting(&gc->map) && note_all(&n, &gc->map);
    swap(&gc->known, &gc->next_known);
    swap(&gc->bits, &gc->next_bits);
    gc->known_count = noted ? n.count : 0;
    space->log.is_whole = true;
}
